"""Emergency cards: made by patients, opened by whoever holds one, replaced and withdrawn.

Each verb locks the patient's account first, as everything does that changes what a card shows.
So an opening reads one state of it, and of an opening and a withdrawal at once one is first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Role, SpokenLanguage, User
from accounts.policies import check_is_active, check_is_confirmed
from accounts.services.texts import checked_text, required_entry
from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.errors import DomainError, InvalidInput
from prescriptions.services.texts import check_text
from qrverify.emergency_paper import PrintedCard
from qrverify.models import (
    CardField,
    EmergencyCard,
    EmergencyChoice,
    EmergencyScan,
    EmergencyScanQuerySet,
)
from qrverify.services.emergency_alerts import contacts_to_alert, tell_of_opening
from qrverify.services.emergency_content import EmergencyContent, Part, emergency_content

# Those that stand on the card itself, and are chosen by being filled in.
OWN_FIELDS = frozenset({CardField.LANGUAGES, CardField.NOTE})
FROM_PROFILE = tuple(field for field in CardField if field not in OWN_FIELDS)
OPENINGS_PAGE = "/emergency-card/openings"


class NoCard(DomainError):
    code = "no_emergency_card"
    detail = _("You have no emergency card.")
    status_code = 404


class UnknownCard(DomainError):
    code = "emergency_card_unknown"
    detail = _("This is not the address of an emergency card.")
    status_code = 404


class CardReplaced(DomainError):
    code = "emergency_card_replaced"
    detail = _("This card was replaced by a newer one. It opens nothing any more.")
    status_code = 410


class CardWithdrawn(DomainError):
    code = "emergency_card_withdrawn"
    detail = _("This card was withdrawn. It opens nothing any more.")
    status_code = 410


class AnotherCard(DomainError):
    code = "emergency_card_not_current"
    detail = _("This card has been replaced or withdrawn meanwhile. Look at what there is now.")


class ChangedMeanwhile(DomainError):
    code = "changed_meanwhile"
    detail = _("What you would confirm has changed meanwhile. Read it once more.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a card shall show: fields of the profile and the lists, and what stands on the card
    itself. A note, and languages, are shown if they are there."""

    shows: Sequence[str]
    languages: Sequence[str] = ()
    note: str = ""
    shows_name: bool = False

    @property
    def fields(self) -> set[str]:
        """All of what it names."""
        own = {CardField.LANGUAGES: self.languages, CardField.NOTE: self.note}
        return {*self.shows, *(field for field, said in own.items() if said)}


@dataclass(frozen=True, slots=True)
class Opened:
    """A card that somebody opened, with what they see."""

    scan: EmergencyScan
    content: EmergencyContent


def live_card(*, actor: Any) -> EmergencyCard | None:
    """The actor's card, if they have one."""
    check_is_active(actor, role=Role.PATIENT)
    return EmergencyCard.objects.visible_to(actor).live().with_patient().first()


def own_card(*, actor: Any) -> EmergencyCard:
    """The same, where there has to be one. Raises `NoCard`."""
    card = live_card(actor=actor)
    if card is None:
        raise NoCard
    return card


@transaction.atomic
def set_card(*, session: DeviceSession, choice: Choice) -> EmergencyCard:
    """Choose what the card of the session's patient shows; the first time, it is made. They have
    just confirmed that it is them: whoever holds the card reads what is chosen, for good.

    A field that was shown before keeps when it was confirmed; one that was not is seen by nobody
    before it is. Raises `ConfirmationNeeded`.
    """
    patient = _lock_patient(session.user)
    check_is_confirmed(session)
    choice = _checked(choice)
    card = EmergencyCard.objects.live().filter(patient=patient).first() or _new_card(patient)
    card.languages = [code for code in SpokenLanguage.values if code in choice.languages]
    card.note, card.shows_name = choice.note, choice.shows_name
    card.save()
    card.choices.exclude(field__in=choice.fields).delete()
    EmergencyChoice.objects.bulk_create(
        [EmergencyChoice(card=card, field=field) for field in sorted(choice.fields)],
        ignore_conflicts=True,
    )
    return own_card(actor=patient)


@transaction.atomic
def confirm_fields(*, actor: Any, seen: Mapping[str, str]) -> EmergencyCard:
    """The actor says of these fields that they are right, in the version that they saw of each.
    Where one reads otherwise by now, none is confirmed."""
    _lock_patient(actor)
    card, now = own_card(actor=actor), timezone.now()
    if not seen:
        raise InvalidInput(_("Choose at least one."), attr="seen")
    parts: dict[str, Part] = {part.field: part for part in emergency_content(card, now).parts}
    for field, version in seen.items():
        _confirm(card, parts.get(field), version, at=now)
    return own_card(actor=actor)


@transaction.atomic
def reissue_card(*, session: DeviceSession, card_id: UUID) -> EmergencyCard:
    """Another secret for the same card: what was printed by then opens nothing any more. It
    names the card it replaces, so that of two at once one is made; who asks has just confirmed
    that it is them. Raises `ConfirmationNeeded` and `AnotherCard`."""
    patient = _lock_patient(session.user)
    check_is_confirmed(session)
    old = EmergencyCard.objects.live().filter(patient=patient, pk=card_id).first()
    if old is None:
        raise AnotherCard
    new = _new_card(patient)
    new.languages, new.note, new.shows_name = old.languages, old.note, old.shows_name
    _end(old, EmergencyCard.EndReason.REPLACED)
    new.save()
    EmergencyChoice.objects.filter(card=old).update(card=new)
    return own_card(actor=patient)


@transaction.atomic
def revoke_card(*, actor: Any) -> None:
    """Withdraw the actor's card: from this moment it opens nothing, wherever it is printed."""
    _lock_patient(actor)
    _end(own_card(actor=actor), EmergencyCard.EndReason.WITHDRAWN)


def look_up_card(*, secret: str) -> EmergencyCard:
    """The live card of this secret, without opening it. Raises `UnknownCard`, and of one that
    has ended what became of it."""
    return _live(EmergencyCard.objects.by_secret(secret).select_related("patient").first())


@transaction.atomic
def open_card(*, secret: str, responder_name: str, reason_code: str, reason: str = "") -> Opened:
    """Read a card. Needs no account; whoever holds it says who they are and why.

    It is kept for the patient, logged, and told to them and to the contacts they named; the
    content is given in the same transaction, so none is given without. The patient's account
    may be closed: what keeps them alive does not depend on it.
    """
    name, words = _said(responder_name, reason_code, reason)
    patient_id = look_up_card(secret=secret).patient_id
    User.objects.select_for_update(no_key=True).get(pk=patient_id)
    card = _live(EmergencyCard.objects.by_secret(secret).with_patient().first())
    now = timezone.now()
    content = emergency_content(card, now)
    contacts = contacts_to_alert(card.patient, name, now)
    scan = EmergencyScan(
        card=card,
        responder_name=name,
        reason_code=reason_code,
        reason=words,
        contacts_told=len(contacts),
    )
    scan.event = record_access(
        actor_id=None,
        patient_id=card.patient_id,
        action=AccessEvent.Action.EMERGENCY_OPENED,
        target=scan,
        basis=AccessEvent.Basis.QR,
    )
    scan.save(force_insert=True)
    tell_of_opening(patient=card.patient, contacts=contacts, opening_id=scan.pk, url=OPENINGS_PAGE)
    return Opened(scan, content)


def printed(card: EmergencyCard) -> PrintedCard:
    """The outside of it, for paper and for a phone."""
    return PrintedCard(url=card.url, name=card.outer_name, made_at=card.created_at)


def openings(*, actor: Any) -> EmergencyScanQuerySet:
    """Who opened the actor's cards, newest first: this one, and those that have ended."""
    check_is_active(actor, role=Role.PATIENT)
    return EmergencyScan.objects.visible_to(actor)


@transaction.atomic
def forget_card(*, user: User) -> None:
    """Of a person who is anonymised no card opens anything, and what responders typed, which
    may name them, goes. That it was opened stays."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for card in EmergencyCard.objects.live().filter(patient=user):
        _end(card, EmergencyCard.EndReason.ANONYMISED)
    EmergencyScan.objects.filter(card__patient=user).update(responder_name="", reason="")


def _lock_patient(actor: Any) -> User:
    check_is_active(actor, role=Role.PATIENT)
    return User.objects.select_for_update(no_key=True).get(pk=actor.pk)


def _new_card(patient: User) -> EmergencyCard:
    secret = crypto.new_secret()
    return EmergencyCard(patient=patient, secret=secret, secret_digest=crypto.digest(secret))


def _end(card: EmergencyCard, reason: EmergencyCard.EndReason) -> None:
    """It keeps its digest and nothing else; its choices go, unless another card takes them."""
    if reason != EmergencyCard.EndReason.REPLACED:
        EmergencyChoice.objects.filter(card=card).delete()
    EmergencyCard.objects.filter(pk=card.pk).update(
        secret=None,
        note="",
        languages=[],
        shows_name=False,
        revoked_at=timezone.now(),
        end_reason=reason,
    )


def _checked(choice: Choice) -> Choice:
    """It names what there is, and shows something."""
    if set(choice.shows) - set(FROM_PROFILE):
        raise InvalidInput(_("There is no such field."), attr="shows")
    if set(choice.languages) - set(SpokenLanguage.values):
        raise InvalidInput(_("There is no such language."), attr="languages")
    note = checked_text(choice.note, attr="note", length=EmergencyCard.NOTE_LENGTH)
    check_text(note, attr="note")
    checked = Choice(choice.shows, choice.languages, note, choice.shows_name)
    if not checked.fields:
        raise InvalidInput(_("Choose at least one."), attr="shows")
    return checked


def _confirm(card: EmergencyCard, part: Part | None, version: str, *, at: dt.datetime) -> None:
    if part is None:
        raise InvalidInput(_("Your card does not show this field."), attr="seen")
    if part.version != version:
        raise ChangedMeanwhile(attr="seen")
    card.choices.filter(field=part.field).update(confirmed_at=at, confirmed_version=version)


def _live(card: EmergencyCard | None) -> EmergencyCard:
    if card is None:
        raise UnknownCard(attr="token")
    if card.is_live:
        return card
    is_replaced = card.end_reason == EmergencyCard.EndReason.REPLACED
    raise CardReplaced(attr="token") if is_replaced else CardWithdrawn(attr="token")


def _said(responder_name: str, reason_code: str, reason: str) -> tuple[str, str]:
    """Who they are and why, as far as it can be known: they say it themselves."""
    name = required_entry(responder_name, attr="responder_name", length=EmergencyScan.NAME_LENGTH)
    if reason_code not in EmergencyScan.Reason.values:
        raise InvalidInput(_("There is no such reason."), attr="reason_code")
    words = checked_text(reason, attr="reason", length=EmergencyScan.REASON_LENGTH)
    check_text(words, attr="reason")
    if reason_code == EmergencyScan.Reason.OTHER and not words:
        raise InvalidInput(_("Say in a few words what happened."), attr="reason")
    return name, words
