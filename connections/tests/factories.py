"""Pairs of people, and how they stand."""

from __future__ import annotations

import datetime as dt

import factory
from django.utils import timezone

from accounts.tests.factories import DoctorFactory, PatientFactory
from connections.models import AccessGrant, Connection, ConnectionRequest, DataCategory


class ConnectionFactory(factory.django.DjangoModelFactory[Connection]):
    """An active one, by QR. Traits: `ended`; `blocked_by_doctor`, `blocked_by_patient`;
    `never_made` beside a block, where one blocked before they ever were connected."""

    class Meta:
        model = Connection

    class Params:
        ended = factory.Trait(
            status=Connection.Status.INACTIVE,
            ended_at=factory.LazyFunction(timezone.now),
            ended_by=factory.SelfAttribute("patient"),
        )
        blocked_by_doctor = factory.Trait(
            status=Connection.Status.BLOCKED,
            ended_at=factory.LazyFunction(timezone.now),
            ended_by=factory.SelfAttribute("doctor"),
            blocked_by_doctor_at=factory.LazyFunction(timezone.now),
        )
        blocked_by_patient = factory.Trait(
            status=Connection.Status.BLOCKED,
            ended_at=factory.LazyFunction(timezone.now),
            ended_by=factory.SelfAttribute("patient"),
            blocked_by_patient_at=factory.LazyFunction(timezone.now),
        )
        never_made = factory.Trait(origin="", connected_at=None, ended_at=None, ended_by=None)

    patient = factory.SubFactory(PatientFactory)
    doctor = factory.SubFactory(DoctorFactory)
    status = Connection.Status.ACTIVE
    origin = Connection.Origin.QR
    connected_at = factory.LazyFunction(timezone.now)


class RequestFactory(factory.django.DjangoModelFactory[ConnectionRequest]):
    """One that waits and shares nothing. Traits: `overdue`; `cancelled`, `rejected`,
    `expired`."""

    class Meta:
        model = ConnectionRequest

    class Params:
        overdue = factory.Trait(
            expires_at=factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=1))
        )
        cancelled = factory.Trait(
            status=ConnectionRequest.Status.CANCELLED,
            decided_at=factory.LazyFunction(timezone.now),
            decided_by=factory.SelfAttribute("patient"),
        )
        rejected = factory.Trait(
            status=ConnectionRequest.Status.REJECTED,
            decided_at=factory.LazyFunction(timezone.now),
            decided_by=factory.SelfAttribute("doctor"),
            reason="My list is full until spring.",
        )
        expired = factory.Trait(
            status=ConnectionRequest.Status.EXPIRED, decided_at=factory.LazyFunction(timezone.now)
        )

    patient = factory.SubFactory(PatientFactory)
    doctor = factory.SubFactory(DoctorFactory)


class GrantFactory(factory.django.DjangoModelFactory[AccessGrant]):
    """Everything, for good, on a connection that stands. Traits: `over`, whose time has passed;
    `revoked`."""

    class Meta:
        model = AccessGrant

    class Params:
        over = factory.Trait(
            ends_at=factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=1))
        )
        revoked = factory.Trait(
            ended_at=factory.LazyFunction(timezone.now),
            ended_by=factory.SelfAttribute("connection.patient"),
            end_reason=AccessGrant.EndReason.REVOKED,
        )

    connection = factory.SubFactory(ConnectionFactory)
    categories = factory.LazyFunction(lambda: list(DataCategory.values))
