"""The ledger: each attempt to send an e-mail, and what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.housekeeping import delete_in_batches
from medisync.devstack.mailbox import Mailbox
from medisync.tests.ports import quiet_port
from notifications import outbox
from notifications.models import DeliveryAttempt, EmailDelivery
from notifications.tests.factories import owe_email

pytestmark = pytest.mark.django_db
LONG = 2 * EmailDelivery.CLAIM_LASTS


def test_mail_that_is_taken_leaves_one_attempt(mailbox: Mailbox) -> None:
    delivery = owe_email()

    outbox.deliver(delivery.pk)

    (attempt,) = delivery.tries.all()
    assert (attempt.outcome, attempt.error) == ("ACCEPTED", "")
    assert attempt.started_at <= attempt.ended_at


def test_each_attempt_that_fails_is_there_with_its_error(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", quiet_port()
    delivery = owe_email()

    for _ in range(2):
        outbox.deliver(delivery.pk)
        EmailDelivery.objects.update(due_at=timezone.now())

    found = list(delivery.tries.values_list("outcome", "error"))
    assert found == [("FAILED", "ConnectionRefusedError")] * 2


def test_mail_that_is_not_claimed_leaves_no_attempt(mailbox: Mailbox) -> None:
    delivery = owe_email(status="SENT")

    outbox.deliver(delivery.pk)

    assert not DeliveryAttempt.objects.exists()


def test_attempt_under_way_has_no_outcome_yet() -> None:
    delivery = owe_email()

    outbox._claim(delivery.pk, now=timezone.now())

    assert [(one.outcome, one.ended_at) for one in delivery.tries.all()] == [("", None)]


def test_attempt_of_a_worker_that_died_is_lost(mailbox: Mailbox) -> None:
    delivery = owe_email()
    outbox._claim(delivery.pk, now=timezone.now())

    outbox.release_due(timezone.now() + LONG)
    outbox.deliver(delivery.pk)

    assert [one.outcome for one in delivery.tries.all()] == ["LOST", "ACCEPTED"]


def test_attempt_that_was_written_off_is_not_told_otherwise() -> None:
    delivery = owe_email()
    claimed = outbox._claim(delivery.pk, now=timezone.now())
    outbox.release_due(timezone.now() + LONG)

    outbox._end(claimed, DeliveryAttempt.Outcome.ACCEPTED, status="SENT")

    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries.get().outcome) == ("QUEUED", "LOST")


def test_what_was_withheld_meanwhile_still_has_its_outcome(mailbox: Mailbox) -> None:
    delivery = owe_email()
    claimed = outbox._claim(delivery.pk, now=timezone.now())
    EmailDelivery.objects.update(status="WITHHELD")

    outbox._end(claimed, DeliveryAttempt.Outcome.ACCEPTED, status="SENT")

    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries.get().outcome) == ("WITHHELD", "ACCEPTED")


@pytest.mark.parametrize(
    "wrong", [{"outcome": "LOST"}, {"ended_at": timezone.now()}], ids=["no end", "no outcome"]
)
def test_database_keeps_end_and_outcome_together(wrong: dict[str, Any]) -> None:
    delivery = owe_email()

    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryAttempt.objects.create(delivery=delivery, started_at=timezone.now(), **wrong)


def test_attempts_are_forgotten_with_their_delivery(mailbox: Mailbox) -> None:
    outbox.deliver(owe_email().pk)
    EmailDelivery.objects.update(created_at=timezone.now() - 2 * EmailDelivery.KEPT_FOR)

    delete_in_batches(EmailDelivery.objects.forgettable(timezone.now()))

    assert not DeliveryAttempt.objects.exists()
