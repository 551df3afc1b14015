"""With Redis away requests go on, and what they promised is kept when it is back."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import time_machine
from django.conf import settings as site
from django.utils import timezone

from accounts.tests.factories import PASSWORD
from connections.models import Connection
from medisync.celery import app
from medisync.devstack.mailbox import Mailbox
from medisync.tests.client import api_client
from medisync.tests.ports import quiet_port
from medisync.tests.servers import use_broker
from notifications.jobs import requeue_due_emails
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"items": [{"medicine": "Amlodipine", "frequency": 1, "quantity": 30}]}


@pytest.fixture
def redis_down(settings: Any) -> Iterator[None]:
    """Cache, channel layer and broker point to a port where nothing listens."""
    nowhere = f"redis://127.0.0.1:{quiet_port()}/0"
    before = app.conf.broker_url
    settings.CACHES = {"default": site.CACHES["default"] | {"LOCATION": nowhere}}
    settings.CHANNEL_LAYERS = {
        "default": site.CHANNEL_LAYERS["default"] | {"CONFIG": {"url": nowhere}}
    }
    use_broker(nowhere)
    yield
    use_broker(before)


def published() -> list[str]:
    """The ids in the broker's queue, taken out of it."""
    with app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
        found: list[str] = []
        with suppress(queue.Empty):
            while True:
                message = queue.get_nowait()
                message.ack()
                found += message.payload[0]
    return found


def test_prescription_is_issued_while_redis_is_down(
    connection: Connection, redis_down: None
) -> None:
    client = api_client(connection.doctor)

    answer = client.post(f"/api/v1/prescriptions/connections/{connection.pk}", ORDER)

    assert answer.status_code == 201
    assert Notification.objects.get().recipient == connection.patient
    assert EmailDelivery.objects.get().status == "QUEUED"


@pytest.mark.alone
def test_dead_redis_does_not_hold_a_request_up(connection: Connection, redis_down: None) -> None:
    client = api_client(connection.doctor)
    begun = time.monotonic()

    client.post(f"/api/v1/prescriptions/connections/{connection.pk}", ORDER)

    assert time.monotonic() - begun < 2


def test_signing_in_works_while_redis_is_down(connection: Connection, redis_down: None) -> None:
    answer = api_client().post(
        "/api/v1/auth/login", {"email": connection.patient.email, "password": PASSWORD}
    )

    assert answer.status_code == 200


def test_signing_out_works_while_redis_is_down(connection: Connection, redis_down: None) -> None:
    client = api_client(connection.patient)

    answer = client.post("/api/v1/auth/logout")

    assert answer.status_code == 204
    assert client.get("/api/v1/users/profile").status_code == 401


def test_sweep_hands_over_what_could_not_be(
    connection: Connection,
) -> None:
    published()
    before = app.conf.broker_url

    use_broker(f"redis://127.0.0.1:{quiet_port()}/0")
    api_client(connection.doctor).post(f"/api/v1/prescriptions/connections/{connection.pk}", ORDER)
    use_broker(before)
    lost = published()
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61)):
        requeue_due_emails()

    assert lost == []
    assert published() == [str(EmailDelivery.objects.get().pk)]


def test_request_hands_its_email_over_when_the_broker_is_up(
    connection: Connection, mailbox: Mailbox
) -> None:
    published()

    api_client(connection.doctor).post(f"/api/v1/prescriptions/connections/{connection.pk}", ORDER)

    assert published() == [str(EmailDelivery.objects.get().pk)]
