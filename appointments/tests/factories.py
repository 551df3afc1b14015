from __future__ import annotations

import datetime as dt

import factory
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.tests.factories import DoctorFactory, PatientFactory
from appointments.models import Appointment

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def half_hour(start_minutes: int = 0, lasts: int = 30) -> DateTimeTZRange:
    """A visit that begins so many minutes after nine."""
    start = NINE + dt.timedelta(minutes=start_minutes)
    return DateTimeTZRange(start, start + dt.timedelta(minutes=lasts))


class AppointmentFactory(factory.django.DjangoModelFactory[Appointment]):
    class Meta:
        model = Appointment

    patient = factory.SubFactory(PatientFactory)
    doctor = factory.SubFactory(DoctorFactory)
    period = factory.LazyFunction(half_hour)
