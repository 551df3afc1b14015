"""Which events reach somebody, by which ways, and when."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.tests.factories import AdminFactory, PatientFactory
from medisync.devstack.mailbox import Mailbox
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, race
from notifications import outbox
from notifications.models import EmailDelivery, Notification, Preferences
from notifications.services import notify, set_preferences
from notifications.tests.factories import owe_email
from notifications.wording import EVENTS, MANDATORY, OPTIONAL, WORDING, Kind, events_for

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications/preferences"
PAGE = "/notifications/preferences"
CAIRO = ZoneInfo("Africa/Cairo")
NIGHT = {"quiet_from": dt.time(22), "quiet_until": dt.time(7)}


def wish(user: User, *unwanted: tuple[Kind, str], **quiet: dt.time) -> Preferences:
    """What a person chooses: these ways of these events off, and quiet hours."""
    kinds = {kind for kind, _ in unwanted}
    return set_preferences(
        actor=user,
        quiet_from=quiet.get("quiet_from"),
        quiet_until=quiet.get("quiet_until"),
        events=[
            {
                "kind": kind,
                "email": (kind, "email") not in unwanted,
                "live": (kind, "live") not in unwanted,
            }
            for kind in kinds
        ],
    )


def tell(user: User, kind: Kind = Kind.CONNECTION_MADE) -> Notification:
    return notify(recipient=user, kind=kind, url="/")


def cairo(*moment: int) -> dt.datetime:
    return dt.datetime(*moment, tzinfo=CAIRO)


def test_every_kind_that_somebody_is_told_of_says_who_and_whether_it_is_mandatory() -> None:
    told = {kind for kind, wording in WORDING.items() if wording.title}

    assert set(EVENTS) == told
    assert not set(MANDATORY) & set(OPTIONAL)
    assert all(EVENTS.values())


def test_who_chose_nothing_gets_everything(patient: User) -> None:
    answer = api_client(patient).get(URL).json()

    assert (answer["quiet_from"], answer["quiet_until"]) == (None, None)
    assert [row["kind"] for row in answer["events"]] == events_for("PATIENT")
    assert all(row["email"] and row["live"] for row in answer["events"])
    assert not Preferences.objects.exists()


@pytest.mark.parametrize(
    ("role", "kind", "is_told"),
    [
        ("PATIENT", Kind.PRESCRIPTION_ISSUED, True),
        ("DOCTOR", Kind.PRESCRIPTION_ISSUED, False),
        ("DOCTOR", Kind.CONNECTION_REQUESTED, True),
        ("PATIENT", Kind.CONNECTION_REQUESTED, False),
        ("ADMIN", Kind.ACCESS_QUESTIONED, True),
        ("ADMIN", Kind.CONNECTION_MADE, False),
        ("ADMIN", Kind.NEW_DEVICE, True),
    ],
)
def test_only_events_of_ones_own_role_are_offered(role: str, kind: Kind, is_told: bool) -> None:
    assert (kind in events_for(role)) is is_told


def test_choice_is_kept_and_replaced_as_a_whole(patient: User) -> None:
    client = api_client(patient)
    event = {"kind": "PRESCRIPTION_ISSUED", "email": False, "live": True}
    body = {"quiet_from": "22:00", "quiet_until": "07:00", "events": [event]}

    first = client.put(URL, body).json()
    again = client.put(URL, {"quiet_from": None, "quiet_until": None, "events": []}).json()

    row = next(row for row in first["events"] if row["kind"] == "PRESCRIPTION_ISSUED")
    assert (first["quiet_from"], first["quiet_until"]) == ("22:00", "07:00")
    assert (row["email"], row["live"], row["is_mandatory"]) == (False, True, False)
    assert all(row["email"] for row in again["events"])
    assert again["quiet_from"] is None
    assert Preferences.objects.get().no_email == []


def test_label_is_in_the_callers_language(patient: User) -> None:
    client = api_client(patient)

    english = client.get(URL, headers={"Accept-Language": "en"}).json()["events"]
    arabic = client.get(URL, headers={"Accept-Language": "ar"}).json()["events"]

    labels = {row["kind"]: row["label"] for row in english}
    assert labels["NEW_DEVICE"] == "New device"
    assert {row["kind"]: row["label"] for row in arabic}["NEW_DEVICE"] != "New device"


def body(**changes: Any) -> dict[str, Any]:
    return {"quiet_from": None, "quiet_until": None, "events": []} | changes


def event(kind: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "email": True, "live": True} | changes


@pytest.mark.parametrize(
    ("wrong", "attr"),
    [
        (body(quiet_from="22:00"), "quiet_until"),
        (body(quiet_until="07:00"), "quiet_from"),
        (body(quiet_from="22:00", quiet_until="22:00"), "quiet_until"),
        (body(quiet_from="25:00", quiet_until="07:00"), "quiet_from"),
        (body(quiet_from="22:00:30", quiet_until="07:00"), "quiet_from"),
        (body(quiet_hours="22-07"), "quiet_hours"),
        (body(events=[event("NOTHING")]), "events.0.kind"),
        (body(events=[event("REGISTRATION_CODE")]), "events.0.kind"),
        (body(events=[event("CONNECTION_REQUESTED")]), "events.0.kind"),
        (body(events=[event("CONNECTION_MADE")] * 2), "events.1.kind"),
        (body(events=[event("CONNECTION_MADE", sms=True)]), "events.0.sms"),
        (body(events=[event("CONNECTION_MADE"), event("NEW_DEVICE", email=False)]),
         "events.1.email"),
        (body(events=[event("NEW_DEVICE", live=False)]), "events.0.live"),
        ({"quiet_from": None, "quiet_until": None}, "events"),
        ({"events": []}, "quiet_from"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_wrong_choice_is_refused_by_name(patient: User, wrong: dict[str, Any], attr: str) -> None:
    answer = api_client(patient).put(URL, wrong)

    assert answer.status_code == 400
    assert attr in [error["attr"] for error in answer.json()["errors"]]
    assert not Preferences.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_choices_at_once_make_one_row(patient: User) -> None:
    racers = race(lambda: wish(patient), lambda: wish(patient, **NIGHT), gate=Preferences)

    assert errors(racers) == ["", ""]
    assert Preferences.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": dt.time(22)},
        {"quiet_from": dt.time(7), "quiet_until": dt.time(7)},
        {"quiet_from": dt.time(7, 0, 30), "quiet_until": dt.time(7, 0, 10)},
    ],
)
def test_database_keeps_quiet_hours_whole(patient: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Preferences.objects.create(user=patient, **wrong)


def test_without_email_it_is_in_the_list_and_pops_up(
    patient: User, django_capture_on_commit_callbacks: Any
) -> None:
    wish(patient, (Kind.CONNECTION_MADE, "email"))

    with django_capture_on_commit_callbacks() as callbacks:
        tell(patient)

    assert Notification.objects.count() == 1
    assert not EmailDelivery.objects.exists()
    assert len(callbacks) == 1


def test_without_live_it_is_in_the_list_and_mailed(
    patient: User, django_capture_on_commit_callbacks: Any
) -> None:
    wish(patient, (Kind.CONNECTION_MADE, "live"))

    with django_capture_on_commit_callbacks() as callbacks:
        tell(patient)

    assert Notification.objects.count() == EmailDelivery.objects.count() == 1
    assert len(callbacks) == 1


def test_choice_is_of_one_event_and_one_person(patient: User, stranger: User) -> None:
    wish(patient, (Kind.CONNECTION_MADE, "email"))

    tell(patient, Kind.CONNECTION_ENDED)
    tell(stranger)

    assert EmailDelivery.objects.count() == 2


@pytest.mark.parametrize("kind", MANDATORY)
def test_mandatory_event_ignores_every_choice(
    patient: User, kind: Kind, django_capture_on_commit_callbacks: Any
) -> None:
    wishes = wish(patient, **NIGHT)
    Preferences.objects.filter(pk=wishes.pk).update(no_email=[kind], no_live=[kind])

    with (
        time_machine.travel(cairo(2026, 6, 1, 23), tick=False),
        django_capture_on_commit_callbacks() as callbacks,
    ):
        notify(recipient=patient, kind=kind, url="/", context={"device": "", "count": 1})

    delivery = EmailDelivery.objects.get()
    assert delivery.due_at == delivery.release_at == cairo(2026, 6, 1, 23)
    assert len(callbacks) == 2


def test_quiet_hours_hold_the_mail_until_they_end_and_the_pop_up_for_good(
    patient: User, mailbox: Mailbox, django_capture_on_commit_callbacks: Any
) -> None:
    wish(patient, **NIGHT)

    with (
        time_machine.travel(cairo(2026, 6, 1, 23, 30), tick=False),
        django_capture_on_commit_callbacks() as callbacks,
    ):
        tell(patient)
        delivery = EmailDelivery.objects.get()
        early = outbox.deliver(delivery.pk)
    with time_machine.travel(cairo(2026, 6, 2, 7), tick=False):
        late = outbox.deliver(delivery.pk)

    assert delivery.release_at == cairo(2026, 6, 2, 7)
    assert (callbacks, early, late) == ([], False, True)
    assert Notification.objects.unread().count() == 1


def test_sweep_hands_over_what_quiet_hours_held(patient: User) -> None:
    wish(patient, **NIGHT)
    with time_machine.travel(cairo(2026, 6, 1, 23, 30), tick=False):
        tell(patient)

    assert outbox.release_due(cairo(2026, 6, 2, 6, 59)) == []
    assert outbox.release_due(cairo(2026, 6, 2, 7)) == [EmailDelivery.objects.get().pk]


def test_mandatory_mail_overtakes_what_quiet_hours_hold(patient: User, mailbox: Mailbox) -> None:
    wish(patient, **NIGHT)

    with time_machine.travel(cairo(2026, 6, 1, 23, 30), tick=False):
        tell(patient)
        tell(patient, Kind.PASSWORD_CHANGED)
        urgent = EmailDelivery.objects.get(kind="PASSWORD_CHANGED")

        assert outbox.deliver(urgent.pk) is True


def test_what_quiet_hours_held_leaves_in_its_order(patient: User, mailbox: Mailbox) -> None:
    wish(patient, **NIGHT)
    with time_machine.travel(cairo(2026, 6, 1, 23, 30), tick=False):
        told = [tell(patient).email for _ in range(3)]

    with time_machine.travel(cairo(2026, 6, 2, 7, 1), tick=False):
        results = [outbox.deliver(told[number].pk) for number in (1, 2, 0, 2, 1)]

    assert results == [False, False, True, False, True]


def test_what_quiet_hours_held_goes_where_its_person_is_by_then(
    patient: User, mailbox: Mailbox
) -> None:
    wish(patient, **NIGHT)
    with time_machine.travel(cairo(2026, 6, 1, 23, 30), tick=False):
        held = tell(patient).email
    User.objects.filter(pk=patient.pk).update(email="moved@example.org")

    with time_machine.travel(cairo(2026, 6, 2, 7, 1), tick=False):
        assert outbox.deliver(held.pk) is True

    assert [mail.to for mail in mailbox.newest()] == [["moved@example.org"]]
    held.refresh_from_db()
    assert held.to_address == "moved@example.org"


def test_quiet_hours_follow_the_persons_own_clock(mailbox: Mailbox) -> None:
    far = PatientFactory(time_zone="Asia/Tokyo")
    wish(far, **NIGHT)

    with time_machine.travel(cairo(2026, 6, 1, 17), tick=False):  # 23:00 in Tokyo
        tell(far)

    assert EmailDelivery.objects.get().release_at == cairo(2026, 6, 2, 1)


# Cairo puts its clocks forward on the last Friday of April at 00:00, and back at the end of the
# last Thursday of October.
@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ((22, 0, 7, 0), cairo(2026, 6, 1, 21, 59), None),
        ((22, 0, 7, 0), cairo(2026, 6, 1, 22, 0), cairo(2026, 6, 2, 7)),
        ((22, 0, 7, 0), cairo(2026, 6, 2, 6, 59), cairo(2026, 6, 2, 7)),
        ((22, 0, 7, 0), cairo(2026, 6, 2, 7, 0), None),
        ((13, 0, 15, 0), cairo(2026, 6, 1, 14, 0), cairo(2026, 6, 1, 15)),
        ((13, 0, 15, 0), cairo(2026, 6, 1, 15, 0), None),
        ((0, 0, 23, 59), cairo(2026, 6, 1, 0, 0), cairo(2026, 6, 1, 23, 59)),
        # The night that is an hour shorter, and the one that is an hour longer.
        ((22, 0, 7, 0), cairo(2026, 4, 23, 23, 0), cairo(2026, 4, 24, 7)),
        ((22, 0, 7, 0), cairo(2026, 10, 29, 22, 0), cairo(2026, 10, 30, 7)),
        # They end at 00:30, which that night does not have: at 01:00, which follows 23:59.
        ((22, 0, 0, 30), cairo(2026, 4, 23, 23, 0), cairo(2026, 4, 24, 1)),
        # They end at 23:30, which that night has twice: at the first, and quiet again from the
        # second 23:00 to the second 23:30.
        ((22, 0, 23, 30), cairo(2026, 10, 29, 22, 0), cairo(2026, 10, 29, 23, 30)),
        ((22, 0, 23, 30), cairo(2026, 10, 29, 23, 10).replace(fold=1),
         cairo(2026, 10, 29, 23, 30).replace(fold=1)),
    ],
    ids=str,
)  # fmt: skip
def test_next_loud_minute(
    hours: tuple[int, int, int, int], at: dt.datetime, until: dt.datetime | None
) -> None:
    quiet = Preferences(quiet_from=dt.time(*hours[:2]), quiet_until=dt.time(*hours[2:]))
    now = at.astimezone(dt.UTC)

    found = quiet.next_loud(now, CAIRO)

    assert found == (until.astimezone(dt.UTC) if until else now)


def test_notifying_costs_one_question_more_than_the_mandatory(
    patient: User, django_assert_num_queries: Any
) -> None:
    # Savepoints, the notification, the look for the key, and the row of the mail.
    with django_assert_num_queries(9):
        tell(patient, Kind.PASSWORD_CHANGED)
    with django_assert_num_queries(10):
        tell(patient)


def test_optional_mail_leads_to_where_it_is_turned_off(mailbox: Mailbox) -> None:
    owe_email(kind=Kind.CONNECTION_MADE, to_address="optional@example.org")
    owe_email(kind=Kind.PASSWORD_CHANGED, to_address="mandatory@example.org")
    for delivery in EmailDelivery.objects.all():
        outbox.deliver(delivery.pk)

    (optional,) = mailbox.newest(to="optional@example.org")
    (mandatory,) = mailbox.newest(to="mandatory@example.org")
    assert f"http://testserver{PAGE}" in optional.text
    assert f'href="http://testserver{PAGE}"' in optional.html
    assert PAGE not in mandatory.text + mandatory.html


def test_page_shows_and_keeps_the_choice(patient: User) -> None:
    browser = page_client(patient)
    wanted = {"quiet_from": "22:00", "quiet_until": "07:00", "email-CONNECTION_MADE": "on"}

    answer = browser.post(PAGE, wanted)
    page = browser.get(PAGE).content.decode()

    wishes = Preferences.objects.get()
    offered = {kind for kind in events_for("PATIENT") if kind in OPTIONAL}
    assert answer.url == PAGE
    assert set(wishes.no_live) == offered
    assert set(wishes.no_email) == offered - {"CONNECTION_MADE"}
    assert 'value="22:00"' in page
    assert page.count(" checked") == 1


def test_page_of_somebody_new_has_every_box_ticked(patient: User) -> None:
    page = page_client(patient).get(PAGE).content.decode()

    offered = [kind for kind in events_for("PATIENT") if kind in OPTIONAL]
    assert page.count(" checked") == 2 * len(offered)
    assert "New device" in page


def test_page_names_the_field_that_is_wrong(patient: User) -> None:
    answer = page_client(patient).post(PAGE, {"quiet_from": "22:00"})

    assert answer.status_code == 400
    assert "Quiet hours have a beginning and an end." in answer.content.decode()
    assert not Preferences.objects.exists()


def test_administrator_has_nothing_to_turn_off_but_quiet_hours(admin: User) -> None:
    page = page_client(AdminFactory()).get(PAGE).content.decode()

    assert "<table" not in page
    assert 'name="quiet_from"' in page


def test_page_takes_a_fixed_number_of_questions(
    patient: User, django_assert_num_queries: Any
) -> None:
    browser = page_client(patient)

    with django_assert_num_queries(5):  # cookie, device session, preferences, unread counts
        browser.get(PAGE)
