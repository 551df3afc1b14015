"""What one person is told of is mailed in the order in which it was told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PatientFactory
from medisync.devstack.mailbox import Mailbox
from medisync.tests.races import race
from notifications import outbox
from notifications.models import EmailDelivery, Notification
from notifications.models import EmailDeliveryQuerySet as Deliveries
from notifications.services import notify
from notifications.tests.factories import owe_email
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def tell(person: User) -> EmailDelivery:
    told = notify(recipient=person, kind=Kind.CONNECTION_MADE, url="/connections")
    return EmailDelivery.objects.get(notification=told)


def write(delivery: EmailDelivery, **changes: Any) -> None:
    EmailDelivery.objects.filter(pk=delivery.pk).update(**changes)


def arrived(mailbox: Mailbox) -> list[str]:
    """The names of the mails that arrived, the first one first."""
    return [mail.id for mail in reversed(mailbox.newest())]


def test_later_mail_waits_until_the_earlier_has_left(mailbox: Mailbox, patient: User) -> None:
    first, second = tell(patient), tell(patient)

    results = [outbox.deliver(one.pk) for one in (second, first, second)]

    assert results == [False, True, True]


def test_later_mail_waits_while_the_earlier_is_being_sent(mailbox: Mailbox, patient: User) -> None:
    first, second = tell(patient), tell(patient)
    write(first, status="SENDING", claimed_at=timezone.now())

    assert outbox.deliver(second.pk) is False
    assert mailbox.newest() == []


def test_mail_that_failed_keeps_its_place(mailbox: Mailbox, patient: User) -> None:
    first, second = tell(patient), tell(patient)
    write(first, due_at=timezone.now() + HOUR, attempts=3)

    assert outbox.deliver(second.pk) is False


@pytest.mark.parametrize("status", ["SENT", "FAILED", "WITHHELD"])
def test_mail_that_is_done_with_holds_nobody_up(
    mailbox: Mailbox, patient: User, status: str
) -> None:
    first, second = tell(patient), tell(patient)
    write(first, status=status)

    assert outbox.deliver(second.pk) is True


def test_other_people_are_not_held_up(mailbox: Mailbox, patient: User, stranger: User) -> None:
    tell(patient)
    theirs = tell(stranger)

    assert outbox.deliver(theirs.pk) is True


def test_code_waits_for_nothing(mailbox: Mailbox, patient: User) -> None:
    tell(patient)
    code = owe_email(
        to_address=patient.email, kind=Kind.PASSWORD_RESET_CODE, secret_context={"code": "424242"}
    )

    assert outbox.deliver(code.pk) is True


def test_without_its_turn_a_later_mail_overtakes(
    mailbox: Mailbox, patient: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `in_turn` is for."""
    monkeypatch.setattr(Deliveries, "in_turn", lambda rows: rows)
    tell(patient)
    second = tell(patient)

    assert outbox.deliver(second.pk) is True


def test_mail_of_a_transaction_that_took_longer_leaves_next(
    mailbox: Mailbox, patient: User
) -> None:
    """Two transactions that overlap have no order; the mail of the slower is not forgotten."""
    quick = tell(patient)
    outbox.deliver(quick.pk)
    slow = tell(patient)
    write(slow, release_at=quick.release_at - HOUR)

    assert outbox.following(quick.pk) == slow.pk


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_two_mails_of_a_person_keep_their_order(
    mailbox: Mailbox, patient: User
) -> None:
    first, second = tell(patient), tell(patient)

    race(
        lambda: outbox.deliver(second.pk),
        lambda: outbox.deliver(first.pk),
        gate=EmailDelivery,
    )
    outbox.deliver(second.pk)

    sent = EmailDelivery.objects.order_by("sent_at")
    assert list(sent) == [first, second]
    assert [mail.deliveries for mail in mailbox.newest()] == [1, 1]


def test_who_is_done_with_a_mail_hands_the_next_one_over(mailbox: Mailbox, patient: User) -> None:
    first, second, third = tell(patient), tell(patient), tell(patient)

    followers = []
    for one in (first, second, third):
        outbox.deliver(one.pk)
        followers.append(outbox.following(one.pk))

    assert followers == [second.pk, third.pk, None]


def test_mail_given_up_hands_the_next_one_over(patient: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    first, second = tell(patient), tell(patient)
    write(first, attempts=EmailDelivery.MAX_ATTEMPTS - 1)

    assert outbox.deliver(first.pk) is True
    assert outbox.following(first.pk) == second.pk


def test_mail_whose_time_has_not_come_is_not_handed_over(mailbox: Mailbox, patient: User) -> None:
    first, second = tell(patient), tell(patient)
    write(second, due_at=timezone.now() + HOUR)
    outbox.deliver(first.pk)

    assert outbox.following(first.pk) is None


def test_nothing_follows_a_code(mailbox: Mailbox, patient: User) -> None:
    code = owe_email()
    owe_email()
    outbox.deliver(code.pk)

    assert outbox.following(code.pk) is None


def test_sweep_finds_whom_a_crash_left_behind(mailbox: Mailbox, patient: User) -> None:
    """The worker died after its mark, before it handed the next one over."""
    first, second = tell(patient), tell(patient)
    outbox.deliver(first.pk)
    EmailDelivery.objects.update(published_at=timezone.now() - HOUR)

    assert outbox.release_due(timezone.now()) == [second.pk]


def test_backlog_of_one_person_keeps_nobody_out_of_the_sweep(
    patient: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SWEEP_SIZE", 2)
    first, *_others = [tell(patient) for _ in range(5)]
    theirs = tell(stranger)
    EmailDelivery.objects.update(published_at=timezone.now() - HOUR)

    assert outbox.release_due(timezone.now()) == [first.pk, theirs.pk]


def test_deleting_a_notification_does_not_change_the_order(mailbox: Mailbox, patient: User) -> None:
    first, second = tell(patient), tell(patient)
    Notification.objects.filter(email=second).delete()

    assert outbox.deliver(second.pk) is False
    assert outbox.deliver(first.pk) is True


def test_handing_over_the_next_costs_the_same_however_many_wait(
    mailbox: Mailbox, django_assert_num_queries: Any
) -> None:
    person = PatientFactory()
    first, *_others = [tell(person) for _ in range(6)]
    outbox.deliver(first.pk)

    with django_assert_num_queries(2):
        outbox.following(first.pk)
