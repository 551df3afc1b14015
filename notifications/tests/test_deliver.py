"""The outbox sends each e-mail, and sends it once."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.db import IntegrityError, transaction
from django.utils import timezone

from medisync.devstack.mailbox import Mailbox
from medisync.tests.ports import quiet_port
from medisync.tests.races import race
from notifications import outbox
from notifications.jobs import requeue_due_emails
from notifications.models import EmailDelivery
from notifications.tests.factories import owe_email
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def dead_mail_server(settings: Any) -> None:
    """SMTP on a port where nothing listens."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", quiet_port()


def raw_mail(mailbox: Mailbox) -> email.message.EmailMessage:
    (path,) = mailbox.directory.glob("*.eml")
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def test_email_arrives_and_is_marked_sent(mailbox: Mailbox) -> None:
    delivery = owe_email()

    assert outbox.deliver(delivery.pk) is True

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("SENT", 1)
    assert delivery.sent_at
    assert mailbox.newest()[0].to == ["mona@example.org"]


def test_message_id_is_that_of_the_row(mailbox: Mailbox) -> None:
    delivery = owe_email()

    outbox.deliver(delivery.pk)

    assert raw_mail(mailbox)["Message-ID"] == f"<{delivery.pk}@localhost>"


def test_message_says_that_a_machine_wrote_it(mailbox: Mailbox) -> None:
    outbox.deliver(owe_email(language="ar").pk)

    message = raw_mail(mailbox)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "ar"


def test_sent_email_is_not_sent_again(mailbox: Mailbox) -> None:
    delivery = owe_email()
    outbox.deliver(delivery.pk)

    assert outbox.deliver(delivery.pk) is False

    assert [mail.deliveries for mail in mailbox.newest()] == [1]


def test_unknown_delivery_is_none_of_ours(mailbox: Mailbox) -> None:
    assert outbox.deliver("01933c5e-0000-7000-8000-000000000000") is False


def test_email_that_is_not_due_yet_waits(mailbox: Mailbox) -> None:
    delivery = owe_email(due_at=timezone.now() + dt.timedelta(hours=1))

    assert outbox.deliver(delivery.pk) is False

    assert mailbox.newest() == []


def test_claim_of_another_worker_is_respected(mailbox: Mailbox) -> None:
    delivery = owe_email(status="SENDING", claimed_at=timezone.now())

    assert outbox.deliver(delivery.pk) is False


def test_secret_context_is_erased_once_sent(mailbox: Mailbox) -> None:
    delivery = owe_email(kind=Kind.REGISTRATION_CODE, secret_context={"code": "424242"})

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert delivery.secret_context is None
    assert "424242" in mailbox.newest()[0].text


def test_database_keeps_no_secret_of_a_sent_email() -> None:
    delivery = owe_email(kind=Kind.REGISTRATION_CODE, secret_context={"code": "424242"})

    with pytest.raises(IntegrityError), transaction.atomic():
        EmailDelivery.objects.filter(pk=delivery.pk).update(status="SENT")


@pytest.mark.usefixtures("dead_mail_server")
def test_email_that_failed_waits_twice_as_long_each_time() -> None:
    delivery = owe_email()
    waits = []

    for _ in range(4):
        with time_machine.travel(delivery.due_at + SECOND, tick=False):
            assert outbox.deliver(delivery.pk) is False
            delivery.refresh_from_db()
            waits.append((delivery.due_at - timezone.now()).total_seconds())

    assert waits == [30, 60, 120, 240]


@pytest.mark.usefixtures("dead_mail_server")
def test_email_that_failed_is_not_tried_before_its_time() -> None:
    delivery = owe_email()
    outbox.deliver(delivery.pk)

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("QUEUED", 1)


@pytest.mark.usefixtures("dead_mail_server")
def test_last_attempt_ends_as_failed() -> None:
    delivery = owe_email(attempts=EmailDelivery.MAX_ATTEMPTS - 1)

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("FAILED", EmailDelivery.MAX_ATTEMPTS)
    assert outbox.deliver(delivery.pk) is False


@pytest.mark.usefixtures("dead_mail_server")
def test_attempt_before_the_last_is_not_the_end() -> None:
    delivery = owe_email(attempts=EmailDelivery.MAX_ATTEMPTS - 2)

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert delivery.status == "QUEUED"


@pytest.mark.usefixtures("dead_mail_server")
def test_failure_names_the_error_and_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    delivery = owe_email(kind=Kind.REGISTRATION_CODE, secret_context={"code": "424242"})

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert delivery.last_error == "ConnectionRefusedError"
    assert "mona@example.org" not in caplog.text
    assert "424242" not in caplog.text


class Refusing:
    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802
        return f"550 <{address}> is not known here"


@pytest.fixture
def refusing_mail_server(settings: Any) -> Iterator[None]:
    """SMTP that knows no recipient, and quotes each in its refusal."""
    server = Controller(Refusing(), hostname="127.0.0.1", port=quiet_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield
    server.stop()


@pytest.mark.usefixtures("refusing_mail_server")
def test_refused_recipient_is_not_written_into_the_error() -> None:
    delivery = owe_email()

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_error) == ("QUEUED", "SMTPRecipientsRefused")


def test_claim_of_a_dead_worker_is_released_after_a_minute(mailbox: Mailbox) -> None:
    now = timezone.now()
    delivery = owe_email(
        status="SENDING",
        due_at=now - dt.timedelta(hours=1),
        claimed_at=now - EmailDelivery.CLAIM_LASTS - SECOND,
        published_at=now - EmailDelivery.CLAIM_LASTS - SECOND,
    )

    assert outbox.release_due(now) == [delivery.pk]

    assert outbox.deliver(delivery.pk) is True


def test_claim_of_a_living_worker_is_left_alone() -> None:
    now = timezone.now()
    owe_email(
        status="SENDING",
        due_at=now - dt.timedelta(hours=1),
        claimed_at=now - EmailDelivery.CLAIM_LASTS + SECOND,
        published_at=now - dt.timedelta(hours=1),
    )

    assert outbox.release_due(now) == []


def test_worker_that_lost_its_claim_does_not_mark_the_row(mailbox: Mailbox) -> None:
    delivery = owe_email()
    EmailDelivery.objects.update(status="SENDING", claimed_at=timezone.now())
    delivery.refresh_from_db()
    EmailDelivery.objects.update(claimed_at=timezone.now() + SECOND)

    assert outbox._claimed(delivery).update(status="SENT") == 0


def test_sweep_overlooks_what_was_published_a_moment_ago() -> None:
    owe_email()

    assert outbox.release_due(timezone.now()) == []


def test_sweep_publishes_a_row_once_a_minute() -> None:
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    delivery = owe_email(published_at=hour_ago)
    now = timezone.now()

    assert outbox.release_due(now) == [delivery.pk]
    assert outbox.release_due(now + SECOND) == []
    assert outbox.release_due(now + EmailDelivery.CLAIM_LASTS + SECOND) == [delivery.pk]


@pytest.mark.parametrize("status", ["SENT", "FAILED", "WITHHELD"])
def test_sweep_leaves_what_is_finished(status: str) -> None:
    owe_email(status=status, published_at=timezone.now() - dt.timedelta(hours=1))

    assert outbox.release_due(timezone.now()) == []


def test_sweep_takes_the_oldest_first_and_no_flood(monkeypatch) -> None:
    monkeypatch.setattr(outbox, "SWEEP_SIZE", 2)
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    rows = [
        owe_email(published_at=hour_ago, due_at=hour_ago + dt.timedelta(minutes=minutes))
        for minutes in (3, 1, 2)
    ]

    assert outbox.release_due(timezone.now()) == [rows[1].pk, rows[2].pk]


def test_sweep_costs_a_fixed_number_of_questions(django_assert_num_queries) -> None:
    for _ in range(5):
        owe_email(published_at=timezone.now() - dt.timedelta(hours=1))

    with django_assert_num_queries(5):  # two of them are the borders of a transaction
        outbox.release_due(timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_task_send_one_email(mailbox: Mailbox) -> None:
    delivery = owe_email()

    racers = race(
        lambda: outbox.deliver(delivery.pk),
        lambda: outbox.deliver(delivery.pk),
        gate=EmailDelivery,
    )

    assert sorted(racer.value for racer in racers) == [False, True]
    assert [mail.deliveries for mail in mailbox.newest()] == [1]
    assert EmailDelivery.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_claim_without_its_condition_would_send_two(mailbox: Mailbox) -> None:
    """What the conditional UPDATE is for."""
    delivery = owe_email()

    def careless() -> None:
        row = EmailDelivery.objects.get(pk=delivery.pk)
        assert row.status == EmailDelivery.Status.QUEUED
        EmailDelivery.objects.filter(pk=row.pk).update(status="SENDING")
        outbox._compose(row).send()

    race(careless, careless, gate=EmailDelivery)

    assert [mail.deliveries for mail in mailbox.newest()] == [2]


@pytest.mark.django_db(transaction=True)
def test_sweep_and_worker_at_once_send_one_email(mailbox: Mailbox) -> None:
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    delivery = owe_email(published_at=hour_ago, status="SENDING", claimed_at=hour_ago)

    race(
        lambda: outbox.release_due(timezone.now()),
        lambda: outbox.deliver(delivery.pk),
        gate=EmailDelivery,
    )
    outbox.deliver(delivery.pk)

    assert [mail.deliveries for mail in mailbox.newest()] == [1]
    assert requeue_due_emails() is None


def test_mail_whose_worker_always_dies_is_given_up() -> None:
    delivery = owe_email(
        status=EmailDelivery.Status.SENDING,
        claimed_at=timezone.now() - 2 * EmailDelivery.CLAIM_LASTS,
        attempts=EmailDelivery.MAX_ATTEMPTS,
    )

    released = outbox.release_due(timezone.now())

    delivery.refresh_from_db()
    assert released == []
    assert (delivery.status, delivery.secret_context) == (EmailDelivery.Status.FAILED, None)
