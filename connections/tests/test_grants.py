"""Letting a doctor see, keeping it up, taking it back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.utils import timezone

from accounts.models import AllergyIntolerance, Status, User
from accounts.services.health import add_entry
from audit.models import AccessEvent
from common.errors import InvalidInput, NotAllowed
from connections.models import AccessGrant, Connection, DataCategory, readable
from connections.policies import ConnectionEnded
from connections.services.connections import connect, end_connection
from connections.services.grants import (
    NothingShared,
    Sharing,
    renew_grant,
    replace_grant,
    revoke_grant,
    set_grant,
    use_grant,
    use_grant_if_any,
)
from connections.services.reminders import ask_dormant, tell_ending
from connections.tests.factories import GrantFactory
from medisync.tests.broken import refuse
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
ALLERGIES = Sharing(categories=(DataCategory.ALLERGIES,))
DAY = dt.timedelta(days=1)


def share(connection: Connection, *categories: str, **terms: Any) -> AccessGrant:
    grant = set_grant(
        actor=connection.patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=categories or ("ALLERGIES",), **terms),
    )
    assert grant is not None
    return grant


def sees(connection: Connection) -> bool:
    """Whether the doctor sees the patient's one allergy."""
    rows = AllergyIntolerance.objects.filter(patient=connection.patient)
    return readable(rows, user=connection.doctor, category=DataCategory.ALLERGIES).exists()


@pytest.fixture
def allergic(connection: Connection) -> Connection:
    add_entry(actor=connection.patient, kind=AllergyIntolerance, values={"substance": "Penicillin"})
    return connection


def actions(connection: Connection) -> list[str]:
    events = AccessEvent.objects.filter(patient_id=connection.patient_id).order_by("seq")
    return list(events.values_list("action", flat=True))


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(recipient=user).values_list("kind", flat=True))


def test_what_is_chosen_is_seen_at_once(allergic: Connection) -> None:
    assert not sees(allergic)

    share(allergic)

    assert sees(allergic)
    assert actions(allergic) == ["GRANTED"]
    assert told(allergic.doctor) == [Kind.GRANT_CHANGED]


def test_another_choice_ends_the_one_before(allergic: Connection) -> None:
    first = share(allergic)

    second = share(allergic, DataCategory.FACTS)

    first.refresh_from_db()
    assert first.end_reason == AccessGrant.EndReason.REPLACED
    assert second.categories == ["FACTS"]
    assert not sees(allergic)


def test_same_choice_once_more_is_logged_as_kept_and_told_to_nobody(allergic: Connection) -> None:
    share(allergic)

    share(allergic)

    assert actions(allergic) == ["GRANTED", "GRANT_RENEWED"]
    assert told(allergic.doctor) == [Kind.GRANT_CHANGED]


def test_choosing_nothing_takes_it_back(allergic: Connection) -> None:
    share(allergic)

    chosen = set_grant(actor=allergic.patient, connection_id=allergic.pk, sharing=Sharing())

    assert chosen is None
    assert not sees(allergic)
    assert told(allergic.doctor)[0] == Kind.GRANT_REVOKED


def test_taken_back_it_is_seen_no_more(allergic: Connection) -> None:
    grant = share(allergic)

    revoke_grant(actor=allergic.patient, grant_id=grant.pk)

    assert not sees(allergic)
    assert actions(allergic) == ["GRANTED", "GRANT_REVOKED"]
    with pytest.raises(NothingShared):
        revoke_grant(actor=allergic.patient, grant_id=grant.pk)


def test_kept_without_an_end_it_stays_without_one(allergic: Connection) -> None:
    grant = share(allergic)

    renewed = renew_grant(actor=allergic.patient, grant_id=grant.pk)

    assert (renewed.categories, renewed.ends_at) == (["ALLERGIES"], None)
    assert actions(allergic) == ["GRANTED", "GRANT_RENEWED"]


def test_kept_with_an_end_it_lasts_as_long_again(allergic: Connection) -> None:
    grant = share(allergic, ends_at=timezone.now() + 30 * DAY)
    now = timezone.now()

    renewed = renew_grant(actor=allergic.patient, grant_id=grant.pk)

    assert now + 29 * DAY < renewed.ends_at <= timezone.now() + 31 * DAY
    assert renewed.ends_at > grant.ends_at


def test_what_has_run_out_is_not_kept_but_chosen_anew(allergic: Connection) -> None:
    grant = AccessGrant.objects.create(
        connection=allergic, categories=["ALLERGIES"], ends_at=timezone.now() - DAY
    )

    with pytest.raises(NothingShared):
        renew_grant(actor=allergic.patient, grant_id=grant.pk)
    assert not sees(allergic)


def test_change_of_what_was_replaced_meanwhile_is_refused(allergic: Connection) -> None:
    stale = share(allergic)
    share(allergic, DataCategory.FACTS)

    with pytest.raises(NothingShared):
        replace_grant(actor=allergic.patient, grant_id=stale.pk, sharing=ALLERGIES)


@pytest.mark.parametrize(
    ("terms", "attr"),
    [
        ({"categories": ("EVERYTHING",)}, "categories"),
        ({"categories": ("FACTS",), "purpose": "CURIOSITY"}, "purpose"),
        ({"categories": ("FACTS",), "data_from": dt.date(2999, 1, 1)}, "data_from"),
        ({"categories": ("FACTS",), "ends_at": timezone.now() - DAY}, "ends_at"),
        ({"categories": ("FACTS",), "ends_at": timezone.now() + 2000 * DAY}, "ends_at"),
    ],
    ids=["category", "purpose", "first day", "past end", "far end"],
)
def test_terms_that_cannot_be_meant_are_refused(
    connection: Connection, terms: dict[str, Any], attr: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_grant(actor=connection.patient, connection_id=connection.pk, sharing=Sharing(**terms))

    assert refused.value.attr == attr


def test_only_the_patient_gives(connection: Connection, stranger: User, admin: User) -> None:
    with pytest.raises(NotAllowed):
        set_grant(actor=connection.doctor, connection_id=connection.pk, sharing=ALLERGIES)
    for outsider in (stranger, admin):
        with pytest.raises(Http404):
            set_grant(actor=outsider, connection_id=connection.pk, sharing=ALLERGIES)


def test_who_is_not_connected_gives_nothing(connection: Connection) -> None:
    end_connection(actor=connection.patient, connection_id=connection.pk)

    with pytest.raises(ConnectionEnded):
        set_grant(actor=connection.patient, connection_id=connection.pk, sharing=ALLERGIES)


def test_connecting_again_gives_nothing_back(allergic: Connection) -> None:
    share(allergic)
    end_connection(actor=allergic.doctor, connection_id=allergic.pk)

    connect(actor=allergic.patient, doctor_id=allergic.doctor_id, origin=Connection.Origin.QR)

    assert not sees(allergic)
    assert AccessGrant.objects.get().end_reason == AccessGrant.EndReason.CONNECTION_ENDED


def test_doctor_out_of_standing_uses_nothing(allergic: Connection) -> None:
    share(allergic)
    allergic.doctor.status = Status.SUSPENDED

    assert not sees(allergic)
    with pytest.raises(Http404):
        use_grant(doctor=allergic.doctor, patient_id=allergic.patient_id)


@pytest.mark.parametrize(
    "change",
    [
        {"categories": ["FACTS"]},
        {"data_from": dt.date(2020, 1, 1)},
        {"ends_at": timezone.now() + DAY},
        {"purpose": "FOLLOW_UP"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_database_keeps_the_terms(connection: Connection, change: dict[str, Any]) -> None:
    grant = share(connection)

    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        AccessGrant.objects.filter(pk=grant.pk).update(**change)


def test_database_keeps_every_choice_and_no_second_one_stands(connection: Connection) -> None:
    grant = share(connection)

    with pytest.raises(DatabaseError), transaction.atomic():
        AccessGrant.objects.filter(pk=grant.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessGrant.objects.create(connection=connection, categories=["FACTS"])


# --- Doors -----------------------------------------------------------------------------------


def test_api_walks_a_grant_from_first_to_last(connection: Connection) -> None:
    patient, doctor = api_client(connection.patient), api_client(connection.doctor)
    body = {"connection_id": str(connection.pk), "categories": ["FACTS"]}

    made = patient.post("/api/v1/grants", body)
    changed = patient.put(f"/api/v1/grants/{made.json()['id']}", {"categories": ["IMAGING"]})
    kept = patient.post(f"/api/v1/grants/{changed.json()['id']}/renew")
    seen = doctor.get("/api/v1/grants").json()["results"]
    gone = patient.delete(f"/api/v1/grants/{kept.json()['id']}")

    assert [made.status_code, changed.status_code, kept.status_code] == [201, 200, 200]
    assert gone.status_code == 204
    assert [(row["id"], row["categories"]) for row in seen] == [(kept.json()["id"], ["IMAGING"])]
    history = patient.get("/api/v1/grants", {"connection_id": str(connection.pk)}).json()
    reasons = [row["end_reason"] for row in history["results"]]
    assert reasons == ["REVOKED", "REPLACED", "REPLACED"]
    assert doctor.get("/api/v1/grants").json()["results"] == []


def test_stale_change_over_the_api_is_a_conflict(connection: Connection) -> None:
    stale = share(connection)
    share(connection, DataCategory.FACTS)

    answer = api_client(connection.patient).put(
        f"/api/v1/grants/{stale.pk}", {"categories": ["IMAGING"]}
    )

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "nothing_shared"


def test_misspelt_filter_is_refused_and_does_not_list_all(connection: Connection) -> None:
    share(connection)
    client = api_client(connection.patient)

    answer = client.get(f"/api/v1/grants?conection_id={connection.pk}")
    paged = client.get(f"/api/v1/grants?connection_id={connection.pk}&limit=1")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "conection_id")
    assert (paged.status_code, len(paged.json()["results"])) == (200, 1)


def test_list_asks_a_fixed_number_of_questions(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    client = api_client(connection.patient)
    for category in DataCategory.values:
        share(connection, category)

    with django_assert_num_queries(2):
        rows = client.get("/api/v1/grants").json()["results"]

    assert len(rows) == len(DataCategory)


def test_page_chooses_and_shows_what_was_chosen(connection: Connection) -> None:
    client = page_client(connection.patient)
    chosen = {
        "categories": ["ALLERGIES", "IMAGING"], "since": "date", "data_from": "2024-04-04",
        "until": "quarter", "purpose": "FOLLOW_UP",
    }  # fmt: skip

    answer = client.post(f"/connections/{connection.pk}/sharing", chosen)

    grant = AccessGrant.objects.get()
    assert answer.status_code == 302
    assert (grant.categories, grant.data_from) == (["ALLERGIES", "IMAGING"], dt.date(2024, 4, 4))
    assert 90 * DAY < grant.ends_at - timezone.now() < 93 * DAY
    page = client.get(answer["Location"]).content.decode()
    assert "Images and scans" in page
    assert "Take back" in page


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"since": "date"}, "Choose the first day."),
        ({"until": "date"}, "Choose the last day."),
        ({"until": "date", "ends_at": "2001-01-01"}, "The end must lie ahead"),
        ({"since": "date", "data_from": "2999-01-01"}, "The first day lies ahead."),
    ],
    ids=["no first day", "no last day", "past end", "first day ahead"],
)
def test_page_says_what_is_missing(
    connection: Connection, chosen: dict[str, str], sentence: str
) -> None:
    right = {"categories": "FACTS", "since": "all", "until": "open", "purpose": "TREATMENT"}

    answer = page_client(connection.patient).post(
        f"/connections/{connection.pk}/sharing", right | chosen
    )

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not AccessGrant.objects.exists()


def test_buttons_keep_and_take_back(connection: Connection) -> None:
    client, grant = page_client(connection.patient), share(connection)

    client.post(f"/grants/{grant.pk}/renew")
    kept = AccessGrant.objects.standing().get()
    client.post(f"/grants/{kept.pk}/revoke")

    assert kept.pk != grant.pk
    assert not AccessGrant.objects.standing().exists()


def sharing_path(connection: Connection) -> str:
    return f"/connections/{connection.pk}/sharing"


def chosen_on_page(*categories: str, instead_of: AccessGrant | None = None) -> dict[str, Any]:
    return {
        "categories": categories, "since": "all", "until": "open", "purpose": "TREATMENT",
        "instead_of": str(instead_of.pk) if instead_of else "",
    }  # fmt: skip


def test_page_left_open_gives_nothing_back(connection: Connection) -> None:
    client, grant = page_client(connection.patient), share(connection)
    form = client.get(sharing_path(connection)).context["form"]
    revoke_grant(actor=connection.patient, grant_id=grant.pk)

    answer = client.post(sharing_path(connection), chosen_on_page("ALLERGIES", instead_of=grant))

    assert form.initial["instead_of"] == grant.pk
    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.content.decode()
    assert not AccessGrant.objects.standing().exists()


def test_page_made_before_there_was_a_grant_replaces_none(connection: Connection) -> None:
    client = page_client(connection.patient)
    share(connection, DataCategory.FACTS)

    answer = client.post(sharing_path(connection), chosen_on_page("ALLERGIES"))

    assert answer.status_code == 409
    assert AccessGrant.objects.get().categories == ["FACTS"]


def test_page_changes_the_grant_it_was_made_from(connection: Connection) -> None:
    client, grant = page_client(connection.patient), share(connection)

    answer = client.post(sharing_path(connection), chosen_on_page("IMAGING", instead_of=grant))

    assert answer.status_code == 302
    assert AccessGrant.objects.standing().get().categories == ["IMAGING"]


def test_nothing_is_ticked_of_what_was_taken_back(connection: Connection) -> None:
    client, grant = page_client(connection.patient), share(connection)
    standing = client.get(sharing_path(connection)).content.decode()
    revoke_grant(actor=connection.patient, grant_id=grant.pk)

    taken_back = client.get(sharing_path(connection)).content.decode()

    assert re.search(r'value="ALLERGIES"[^>]*checked', standing)
    assert not re.search(r'name="categories"[^>]*checked', taken_back)


def test_grant_to_a_suspended_doctor_is_not_in_force_and_can_be_taken_back(
    connection: Connection,
) -> None:
    grant = share(connection)
    User.objects.filter(pk=connection.doctor_id).update(status=Status.SUSPENDED)

    row = api_client(connection.patient).get(f"/api/v1/grants/{grant.pk}").json()
    page = page_client(connection.patient).get(f"/connections/{connection.pk}").content.decode()

    assert row["is_in_force"] is False
    assert "See what they see" not in page
    assert f"/grants/{grant.pk}/revoke" in page
    assert "At present nothing" in page


def test_of_what_had_run_out_no_end_is_told(connection: Connection) -> None:
    GrantFactory(connection=connection, over=True)

    set_grant(actor=connection.patient, connection_id=connection.pk, sharing=Sharing())

    assert actions(connection) == ["GRANT_REVOKED"]
    assert told(connection.doctor) == []


def test_grant_is_used_for_what_it_opens(connection: Connection) -> None:
    grant = share(connection)

    used = use_grant_if_any(
        doctor=connection.doctor, patient_id=connection.patient_id, category="FACTS"
    )

    grant.refresh_from_db()
    assert (used, grant.last_used_at) == (None, None)


# --- Reminders -------------------------------------------------------------------------------


def test_patient_is_told_once_that_it_ends_soon(connection: Connection) -> None:
    share(connection, ends_at=timezone.now() + 6 * DAY)
    now = timezone.now()

    counts = [tell_ending(now), tell_ending(now), tell_ending(now + DAY)]

    assert counts == [1, 0, 0]
    assert told(connection.patient) == [Kind.GRANT_ENDING]


def test_reminder_that_fails_holds_up_no_other() -> None:
    broken, other = (GrantFactory(ends_at=timezone.now() + DAY) for _ in range(2))
    refuse(broken)

    assert tell_ending(timezone.now()) == 1

    assert told(broken.connection.patient) == []
    assert told(other.connection.patient) == [Kind.GRANT_ENDING]


@pytest.mark.parametrize("days", [None, 8])
def test_nobody_is_told_of_an_end_that_is_far(connection: Connection, days: int | None) -> None:
    share(connection, ends_at=timezone.now() + days * DAY if days else None)

    assert tell_ending(timezone.now()) == 0


def test_unused_access_is_asked_about_once_in_half_a_year(connection: Connection) -> None:
    share(connection)
    half_a_year = AccessGrant.DORMANT_AFTER
    now = timezone.now()

    counts = [
        ask_dormant(now + half_a_year - DAY),
        ask_dormant(now + half_a_year + DAY),
        ask_dormant(now + half_a_year + 2 * DAY),
        ask_dormant(now + 2 * half_a_year + 2 * DAY),
    ]

    assert counts == [0, 1, 0, 1]
    assert told(connection.patient) == [Kind.GRANT_DORMANT] * 2


def test_access_that_is_used_is_not_asked_about(connection: Connection) -> None:
    grant = share(connection)
    later = timezone.now() + AccessGrant.DORMANT_AFTER + DAY
    AccessGrant.objects.filter(pk=grant.pk).update(last_used_at=later - 2 * DAY)

    assert ask_dormant(later) == 0


# --- Races -----------------------------------------------------------------------------------


def choosing(connection: Connection) -> Any:
    return lambda: set_grant(
        actor=connection.patient, connection_id=connection.pk, sharing=ALLERGIES
    )


@pytest.mark.django_db(transaction=True)
def test_of_giving_and_parting_at_once_nothing_is_left_open(connection: Connection) -> None:
    racers = race(
        lambda: end_connection(actor=connection.doctor, connection_id=connection.pk),
        choosing(connection),
        gate=AccessEvent,
    )

    assert errors(racers) == ["", "ConnectionEnded"]
    assert not AccessGrant.objects.standing().exists()


@pytest.mark.usefixtures("no_row_locks")
@pytest.mark.django_db(transaction=True)
def test_race_of_giving_and_parting_is_one_without_the_lock(connection: Connection) -> None:
    racers = race(
        lambda: end_connection(actor=connection.doctor, connection_id=connection.pk),
        choosing(connection),
        gate=AccessEvent,
    )

    assert errors(racers) != ["", "ConnectionEnded"]


@pytest.mark.django_db(transaction=True)
def test_reading_that_began_is_logged_before_it_can_be_taken_back(connection: Connection) -> None:
    grant = share(connection)

    def read() -> None:
        with transaction.atomic():
            used = use_grant(doctor=connection.doctor, patient_id=connection.patient_id)
            AccessEvent.objects.create(
                actor_id=connection.doctor_id,
                patient_id=connection.patient_id,
                action="READ",
                basis="GRANT",
                object_type="connections.accessgrant",
                object_id=used.pk,
            )

    racers = race(
        read, lambda: revoke_grant(actor=connection.patient, grant_id=grant.pk), gate=AccessEvent
    )

    assert errors(racers) == ["", ""]
    assert actions(connection)[-2:] == ["READ", "GRANT_REVOKED"]
    with pytest.raises(Http404):
        read()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_once(connection: Connection) -> None:
    share(connection, ends_at=timezone.now() + 6 * DAY)
    now = timezone.now()

    racers = race(lambda: tell_ending(now), lambda: tell_ending(now), gate=Notification)

    assert errors(racers) == ["", ""]
    assert sorted(racer.value for racer in racers) == [0, 1]
