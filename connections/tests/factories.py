from __future__ import annotations

import factory
from django.utils import timezone

from accounts.tests.factories import DoctorFactory, PatientFactory
from connections.models import Connection


class ConnectionFactory(factory.django.DjangoModelFactory[Connection]):
    class Meta:
        model = Connection

    patient = factory.SubFactory(PatientFactory)
    doctor = factory.SubFactory(DoctorFactory)
    origin = Connection.Origin.QR
    connected_at = factory.LazyFunction(timezone.now)
