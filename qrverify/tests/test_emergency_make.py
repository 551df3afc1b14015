"""Making an emergency card, confirming it, making it anew, and withdrawing it."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import (
    AllergyIntolerance,
    MedicationStatement,
    PatientProfile,
    Status,
    User,
)
from accounts.policies import AccountNotActive, ConfirmationNeeded
from accounts.services.health import add_entry, remove_entry, update_entry, update_health
from accounts.services.profiles import update_own_account
from accounts.tests.factors import unconfirmed
from common import crypto
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.client import sign_in
from medisync.tests.races import Racer, errors, no_row_locks, race  # noqa: F401 - a fixture
from prescriptions.tests.factories import issue
from qrverify.models import CardField, EmergencyCard, EmergencyChoice
from qrverify.services.emergency import (
    FROM_PROFILE,
    AnotherCard,
    ChangedMeanwhile,
    Choice,
    NoCard,
    confirm_fields,
    live_card,
    own_card,
    reissue_card,
    revoke_card,
    set_card,
)
from qrverify.services.emergency_content import Part, emergency_content
from qrverify.tests.emergency import add_contact, confirm, make_card, versions

pytestmark = pytest.mark.django_db
YEAR = dt.timedelta(days=365)


def part_of(card: EmergencyCard, field: CardField) -> Part:
    """How a field reads now."""
    card = EmergencyCard.objects.with_patient().get(pk=card.pk)
    parts = emergency_content(card, timezone.now()).parts
    return next(part for part in parts if part.field == field)


def everything(patient: User, connection: Connection) -> EmergencyCard:
    """A card that shows all there is, with something in each."""
    update_health(actor=patient, changes={"blood_type": "AB-"})
    add_contact(patient)
    for kind, values in (
        (AllergyIntolerance, {"substance": "Penicillin", "criticality": "HIGH"}),
        (MedicationStatement, {"name": "Salbutamol", "dosage": "When needed"}),
    ):
        add_entry(actor=patient, kind=kind, values=values)
    issue(connection)
    return make_card(patient, FROM_PROFILE, languages=["ar", "en"], note="A pacemaker.")


def test_card_shows_what_was_chosen_and_nothing_else(patient: User) -> None:
    card = set_card(session=sign_in(patient), choice=Choice(["NAME", "ALLERGIES"]))

    assert card.chosen == [CardField.ALLERGIES, CardField.NAME]
    assert {part.field for part in emergency_content(card, timezone.now()).parts} == {
        "ALLERGIES",
        "NAME",
    }


def test_no_field_is_the_national_id(patient: User) -> None:
    PatientProfile.objects.filter(user=patient).update(
        national_id="29005170100123", national_id_index="x"
    )
    card = make_card(patient, FROM_PROFILE)

    texts = [
        line.text for part in emergency_content(card, timezone.now()).parts for line in part.lines
    ]

    assert not any("29005170100123" in text for text in texts)


def test_secret_is_stored_sealed_and_found_by_its_digest(patient: User) -> None:
    card = make_card(patient)

    assert len(str(card.secret)) == 43
    assert card.secret_digest == crypto.digest(str(card.secret))
    assert card.url.endswith(f"/e/{card.secret}")


def test_choosing_again_changes_the_same_card(patient: User) -> None:
    first = make_card(patient, ["NAME", "ALLERGIES"])

    second = set_card(session=sign_in(patient), choice=Choice(["NAME", "SEX"], note="Deaf."))

    assert (second.pk, second.secret) == (first.pk, first.secret)
    assert second.chosen == [CardField.NAME, CardField.SEX, CardField.NOTE]


def test_field_that_stays_keeps_when_it_was_confirmed(patient: User) -> None:
    card = make_card(patient, ["NAME", "ALLERGIES"])
    confirmed_at = part_of(card, CardField.NAME).confirmed_at

    set_card(session=sign_in(patient), choice=Choice(["NAME", "SEX"]))

    assert part_of(card, CardField.NAME).confirmed_at == confirmed_at
    assert part_of(card, CardField.SEX).confirmed_at is None


def test_field_taken_off_and_put_back_has_to_be_confirmed_again(patient: User) -> None:
    card = make_card(patient, ["NAME", "ALLERGIES"])
    set_card(session=sign_in(patient), choice=Choice(["NAME"]))

    set_card(session=sign_in(patient), choice=Choice(["NAME", "ALLERGIES"]))

    assert part_of(card, CardField.ALLERGIES).confirmed_at is None


def test_note_and_languages_are_shown_if_they_are_there(patient: User) -> None:
    with_both = set_card(session=sign_in(patient), choice=Choice(["NAME"], ["ar"], "Deaf."))
    both = with_both.chosen

    without = set_card(session=sign_in(patient), choice=Choice(["NAME"]))

    assert both == [CardField.NAME, CardField.LANGUAGES, CardField.NOTE]
    assert without.chosen == [CardField.NAME]
    assert (without.note, without.languages) == ("", [])


@pytest.mark.parametrize(
    ("choice", "attr"),
    [
        (Choice([]), "shows"),
        (Choice(["NATIONAL_ID"]), "shows"),
        (Choice(["NOTE"]), "shows"),
        (Choice(["NAME"], ["tlh"]), "languages"),
        (Choice(["NAME"], note="x" * 301), "note"),
        (Choice(["NAME"], note="a\x00b"), "note"),
        (Choice(["NAME"], note="a\u202eb"), "note"),
    ],
    ids=["nothing", "national ID", "empty note", "no language", "long note", "zero", "turned"],
)
def test_choice_that_cannot_be_is_refused(patient: User, choice: Choice, attr: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_card(session=sign_in(patient), choice=choice)

    assert refused.value.attr == attr
    assert not EmergencyCard.objects.exists()


def test_only_patients_in_good_standing_have_a_card(patient: User, doctor: User) -> None:
    with pytest.raises(NotAllowed):
        set_card(session=sign_in(doctor), choice=Choice(["NAME"]))

    patient.status = Status.SUSPENDED
    with pytest.raises(AccountNotActive):
        set_card(session=sign_in(patient), choice=Choice(["NAME"]))


@pytest.mark.parametrize("has_one", [False, True])
def test_whoever_makes_one_has_just_confirmed_that_it_is_them(patient: User, has_one: bool) -> None:
    card = make_card(patient) if has_one else None
    session = unconfirmed(sign_in(patient))

    with pytest.raises(ConfirmationNeeded):
        set_card(session=session, choice=Choice(["NAME", "CONDITIONS"]))
    with pytest.raises(ConfirmationNeeded):
        reissue_card(session=session, card_id=card.pk if card else uuid7())

    assert live_card(actor=patient) == card
    assert not EmergencyChoice.objects.filter(field="CONDITIONS").exists()


# --- Confirming ---------------------------------------------------------------------------


def test_what_is_not_confirmed_nobody_is_shown(patient: User) -> None:
    card = make_card(patient, ["NAME", "SEX"], confirmed=False)

    confirm_fields(actor=patient, seen={"NAME": versions(card)["NAME"]})

    content = emergency_content(own_card(actor=patient), timezone.now())
    assert [part.field for part in content.shown] == [CardField.NAME]
    assert [part.field for part in content.unconfirmed] == [CardField.SEX]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("NAME", lambda user: update_own_account(actor=user, changes={"first_name": "Mouna"})),
        (
            "BLOOD_TYPE",
            lambda user: update_health(actor=user, changes={"blood_type": "A+"}),
        ),
        (
            "ALLERGIES",
            lambda user: update_entry(
                actor=user,
                kind=AllergyIntolerance,
                entry_id=AllergyIntolerance.objects.get().pk,
                changes={"reaction": "Rash"},
            ),
        ),
        (
            "MEDICATIONS",
            lambda user: remove_entry(
                actor=user,
                kind=MedicationStatement,
                entry_id=MedicationStatement.objects.get().pk,
            ),
        ),
        ("EMERGENCY_CONTACTS", lambda user: add_contact(user, "")),
        (
            "NOTE",
            lambda user: set_card(
                session=sign_in(user), choice=Choice(FROM_PROFILE, ["ar", "en"], "Two pacemakers.")
            ),
        ),
        (
            "LANGUAGES",
            lambda user: set_card(
                session=sign_in(user), choice=Choice(FROM_PROFILE, ["ar"], "A pacemaker.")
            ),
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "changed",
)
def test_what_changes_says_so_and_nothing_else_does(
    patient: User, connection: Connection, field: str, change: Any
) -> None:
    card = everything(patient, connection)

    change(patient)

    content = emergency_content(own_card(actor=patient), timezone.now())
    assert [part.field for part in content.parts if part.is_changed] == [field]
    assert content.parts == content.shown
    confirm(card)
    assert not emergency_content(own_card(actor=patient), timezone.now()).unconfirmed


def test_new_prescription_changes_the_prescriptions(patient: User, connection: Connection) -> None:
    card = everything(patient, connection)

    issue(connection)

    assert part_of(card, CardField.PRESCRIPTIONS).is_changed


def test_prescription_past_its_last_day_is_not_shown(patient: User, connection: Connection) -> None:
    card = everything(patient, connection)

    with time_machine.travel(timezone.now() + dt.timedelta(days=60)):
        part = part_of(card, CardField.PRESCRIPTIONS)

    assert part.rows == []
    assert part.is_changed


def test_address_of_a_contact_is_no_part_of_the_card(patient: User) -> None:
    contact = add_contact(patient)
    card = make_card(patient)

    update_entry(
        actor=patient, kind=type(contact), entry_id=contact.pk, changes={"email": "b@example.org"}
    )

    assert not part_of(card, CardField.EMERGENCY_CONTACTS).is_changed


def test_what_was_confirmed_a_year_ago_is_asked_for_again(patient: User) -> None:
    card = make_card(patient, ["NAME"])

    with time_machine.travel(timezone.now() + YEAR - dt.timedelta(minutes=1)):
        fresh = part_of(card, CardField.NAME)
    with time_machine.travel(timezone.now() + YEAR + dt.timedelta(minutes=1)):
        stale = part_of(card, CardField.NAME)

    assert (fresh.is_stale, fresh.needs_confirming) == (False, False)
    assert (stale.is_stale, stale.needs_confirming) == (True, True)


def test_what_reads_otherwise_by_now_is_not_confirmed(patient: User) -> None:
    card = make_card(patient, ["NAME", "ALLERGIES"], confirmed=False)
    seen = versions(card)
    add_entry(actor=patient, kind=AllergyIntolerance, values={"substance": "Nuts"})

    with pytest.raises(ChangedMeanwhile):
        confirm_fields(actor=patient, seen=seen)

    assert not EmergencyChoice.objects.exclude(confirmed_at=None).exists()


@pytest.mark.parametrize("seen", [{}, {"SEX": "0" * 64}, {"NATIONAL_ID": "0" * 64}])
def test_only_what_the_card_shows_is_confirmed(patient: User, seen: dict[str, str]) -> None:
    make_card(patient, ["NAME"], confirmed=False)

    with pytest.raises(InvalidInput):
        confirm_fields(actor=patient, seen=seen)


def test_version_of_one_patient_is_not_anothers(patient: User, stranger: User) -> None:
    """Kept beside the confirmation, it tells nobody who has the same blood type."""
    found = {versions(make_card(user, ["SEX"]))["SEX"] for user in (patient, stranger)}

    assert len(found) == 2


# --- Making it anew, and withdrawing it ---------------------------------------------------


def test_new_card_shows_what_the_old_one_showed(patient: User) -> None:
    old = make_card(patient, ["NAME", "ALLERGIES"], languages=["ar"], note="Deaf.", shows_name=True)
    before = emergency_content(own_card(actor=patient), timezone.now()).parts

    new = reissue_card(session=sign_in(patient), card_id=old.pk)

    assert new.secret != old.secret
    assert (new.note, new.languages, new.shows_name) == ("Deaf.", ["ar"], True)
    assert emergency_content(new, timezone.now()).parts == before


@pytest.mark.parametrize("end", ["reissue", "revoke"])
def test_card_that_has_ended_holds_nothing(patient: User, end: str) -> None:
    card = make_card(patient, ["NAME"], languages=["ar"], note="Deaf.", shows_name=True)
    digest = card.secret_digest

    if end == "reissue":
        reissue_card(session=sign_in(patient), card_id=card.pk)
    else:
        revoke_card(actor=patient)

    card.refresh_from_db()
    assert (card.secret, card.note, card.languages, card.shows_name) == (None, "", [], False)
    assert (card.secret_digest, card.url, card.is_live) == (digest, "", False)
    assert not card.choices.exists()


def test_without_a_card_there_is_nothing_to_confirm_or_withdraw(patient: User) -> None:
    assert live_card(actor=patient) is None
    for act in (
        partial(confirm_fields, actor=patient, seen={"NAME": "0" * 64}),
        partial(revoke_card, actor=patient),
        partial(own_card, actor=patient),
    ):
        with pytest.raises(NoCard):
            act()


def test_card_of_another_is_not_replaced(patient: User, stranger: User) -> None:
    theirs = make_card(stranger)
    make_card(patient)

    with pytest.raises(AnotherCard):
        reissue_card(session=sign_in(patient), card_id=theirs.pk)


def test_after_it_is_withdrawn_another_can_be_made(patient: User) -> None:
    first = make_card(patient)
    revoke_card(actor=patient)

    second = make_card(patient)

    assert second.pk != first.pk
    assert second.secret


# --- What holds whoever writes ------------------------------------------------------------


def test_two_live_cards_of_one_patient_are_impossible(patient: User) -> None:
    make_card(patient)

    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyCard.objects.create(patient=patient, secret="x", secret_digest="x")


def test_card_that_has_ended_never_opens_again(patient: User) -> None:
    card = make_card(patient)
    revoke_card(actor=patient)

    with pytest.raises(DatabaseError), transaction.atomic():
        EmergencyCard.objects.filter(pk=card.pk).update(
            revoked_at=None, end_reason="", secret="again"
        )


def test_card_is_not_deleted(patient: User) -> None:
    card = make_card(patient)

    with pytest.raises(DatabaseError), transaction.atomic():
        card.delete()


def test_ended_card_with_a_secret_is_impossible(patient: User) -> None:
    card = make_card(patient)

    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyCard.objects.filter(pk=card.pk).update(
            revoked_at=timezone.now(), end_reason="WITHDRAWN"
        )


# --- At once ------------------------------------------------------------------------------


def made_twice(patient: User) -> list[Racer]:
    return race(
        partial(set_card, session=sign_in(patient), choice=Choice(["NAME"])),
        partial(set_card, session=sign_in(patient), choice=Choice(["SEX"])),
        gate=EmergencyCard,
    )


@pytest.mark.django_db(transaction=True)
def test_two_who_make_it_at_once_make_one(patient: User) -> None:
    racers = made_twice(patient)

    assert errors(racers) == ["", ""]
    assert own_card(actor=patient).chosen == [CardField.SEX]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_one_of_them_would_fail(patient: User) -> None:
    racers = made_twice(patient)

    assert "IntegrityError" in errors(racers)


def replaced_twice(card: EmergencyCard) -> list[Racer]:
    act = partial(reissue_card, session=sign_in(card.patient), card_id=card.pk)
    return race(act, act, gate=EmergencyCard)


@pytest.mark.django_db(transaction=True)
def test_two_who_replace_it_at_once_make_one(patient: User) -> None:
    racers = replaced_twice(make_card(patient))

    assert errors(racers) == ["", "AnotherCard"]
    assert EmergencyCard.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_crash(patient: User) -> None:
    racers = replaced_twice(make_card(patient))

    assert set(errors(racers)) - {"", "AnotherCard"}
