"""Who has left messages unread is told of it, once."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import AdminFactory
from chat.jobs import tell_of_unread_messages
from chat.models import Chat, Participant
from chat.services.messages import retract_message
from chat.services.places import mark_read
from chat.services.telling import tell_of_unread
from chat.tests.factories import place_of, say
from connections.services.connections import end_connection
from medisync.anonymise import anonymise_everywhere
from medisync.tests.client import sign_in
from medisync.tests.races import no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification
from notifications.services import set_preferences
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
MINUTES = dt.timedelta(minutes=1)


def told(user: User) -> list[Notification]:
    return list(Notification.objects.filter(recipient=user, kind=Kind.MESSAGE_RECEIVED))


def soon(minutes: float = 2) -> int:
    return tell_of_unread(timezone.now() + minutes * MINUTES)


def test_once_after_two_minutes_however_much_it_is(chat: Chat, patient: User, doctor: User) -> None:
    for _ in range(3):
        say(chat, patient, "My secret")

    counts = [soon(1.9), soon(2), soon(2), soon(500)]

    assert counts == [0, 1, 0, 0]
    [notification] = told(doctor)
    assert (notification.about, notification.url) == (patient, f"/chats/{chat.pk}")
    assert "My secret" not in notification.title
    assert told(patient) == []


def test_of_what_comes_later_nobody_is_told_before_they_have_read(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient)
    soon()
    say(chat, patient)
    assert soon() == 0

    mark_read(actor=doctor, chat_id=chat.pk, seq=2)
    say(chat, patient)

    assert soon() == 1
    assert len(told(doctor)) == 2


def test_whoever_reads_in_time_is_told_nothing(chat: Chat, patient: User, doctor: User) -> None:
    said = say(chat, patient)
    mark_read(actor=doctor, chat_id=chat.pk, seq=said.seq)

    assert soon(500) == 0
    assert told(doctor) == []


def test_two_minutes_are_those_of_the_oldest_unread(
    chat: Chat, patient: User, doctor: User
) -> None:
    now = timezone.now()
    with time_machine.travel(now - 5 * MINUTES, tick=False):
        said = say(chat, patient)
    mark_read(actor=doctor, chat_id=chat.pk, seq=said.seq)
    with time_machine.travel(now, tick=False):
        say(chat, patient)

    assert [tell_of_unread(now + minutes * MINUTES) for minutes in (1, 2)] == [0, 1]


def test_each_is_told_of_what_the_other_said(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    say(chat, doctor)

    assert soon() == 2
    assert [one.about for one in told(patient) + told(doctor)] == [doctor, patient]


def test_of_what_was_withdrawn_nobody_is_told(chat: Chat, patient: User) -> None:
    said = say(chat, patient)
    retract_message(actor=patient, message_id=said.pk)

    assert soon() == 0


def test_after_the_end_nobody_is_told(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    say(chat, doctor)
    end_connection(actor=patient, connection_id=chat.connection_id)

    assert soon() == 0


def test_whoever_was_forgotten_is_told_nothing(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    anonymise_everywhere(
        session=sign_in(AdminFactory()), user_id=doctor.pk, email=doctor.email, reason="Asked."
    )

    assert soon() == 0
    assert told(doctor) == []


def test_of_what_nobody_could_be_told_of_for_a_week_nobody_is_told(
    chat: Chat, patient: User
) -> None:
    """After a long standstill people are not told of what they have long heard of."""
    with time_machine.travel(timezone.now() - dt.timedelta(days=8)):
        say(chat, patient)

    assert soon() == 0


def test_in_quiet_hours_the_mail_waits_and_the_list_does_not(
    chat: Chat, patient: User, doctor: User
) -> None:
    set_preferences(actor=doctor, quiet_from=dt.time(22), quiet_until=dt.time(7), events=[])
    night = dt.datetime(2030, 6, 1, 21, tzinfo=dt.UTC)  # midnight in Cairo
    with time_machine.travel(night, tick=False):
        say(chat, patient)
    with time_machine.travel(night + 2 * MINUTES, tick=False):
        tell_of_unread_messages()

    assert len(told(doctor)) == 1
    mail = EmailDelivery.objects.get(notification=told(doctor)[0])
    assert mail.release_at.astimezone(timezone.get_default_timezone()).hour == 7


def test_place_remembers_up_to_where_it_was_told(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    say(chat, patient)
    soon()

    assert place_of(chat, doctor) == (0, 0, 2)


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_once(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)

    racers = race(soon, soon, gate=Participant)

    assert sorted(racer.value for racer in racers) == [0, 1]
    assert len(told(doctor)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_two_workers_would_tell_twice(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient)

    race(soon, soon, gate=Participant)

    assert len(told(doctor)) == 2


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_at_that_moment_is_told_or_has_read_in_order(
    chat: Chat, patient: User, doctor: User
) -> None:
    said = say(chat, patient)
    reading = lambda: mark_read(actor=doctor, chat_id=chat.pk, seq=said.seq)  # noqa: E731

    racers = race(reading, soon, gate=Participant)

    assert [racer.error for racer in racers] == [None, None]
    assert place_of(chat, doctor)[:2] == (1, 1)
    assert len(told(doctor)) == racers[1].value
