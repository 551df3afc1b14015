"""SMART Health Links: made and withdrawn by patients, opened by whoever has them.

What is behind a link is read at the moment it is opened, as its patient could read it, and the
opening is kept, logged and told in the same transaction: none is given out without.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import (
    AllergyIntolerance,
    Condition,
    DeviceSession,
    EmergencyContact,
    MedicationStatement,
    Role,
    User,
)
from accounts.policies import check_is_active, check_is_confirmed, is_active
from accounts.services.texts import required_entry
from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from common.lines import is_plain_line
from common.renderers import dumps
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.services.taken import prescriptions_taken
from qrverify.models import CardField, EmergencyCard, LinkedData, LinkOpening, SharedLink
from qrverify.services.emergency_alerts import contacts_to_alert, tell_of_opening
from qrverify.services.emergency_content import emergency_content
from qrverify.smart.links import FHIR_TYPE, encrypt_file, flags, new_key, shlink
from qrverify.smart.summary import MEASURES, Parts, patient_summary_bundle

SHORTEST_PASSCODE, LONGEST_PASSCODE = 6, 64
MOST_LIVE = 50
# How soon a reader may look again for what changed.
LOOK_AGAIN_AFTER = dt.timedelta(minutes=5)
SAME_READER = dt.timedelta(hours=1)


class NothingShared(DomainError):
    code = "no_emergency_card"
    detail = gettext_lazy("You have no emergency card that shows anything. Make one first.")


class TooManyLinks(DomainError):
    code = "too_many_links"
    detail = gettext_lazy("You have many links that still work. Withdraw those you do not need.")


class LinkGone(DomainError):
    """It never was, it has ended, or there is nothing behind it any more: all one."""

    code = "not_found"
    detail = gettext_lazy("This link opens nothing. It may have expired or been withdrawn.")
    status_code = 404


class WrongPasscode(DomainError):
    code = "wrong_passcode"
    detail = gettext_lazy("This is not the passcode of this link.")
    status_code = 401

    def __init__(self, remaining: int) -> None:
        super().__init__(attr="passcode")
        self.remaining = remaining


@dataclass(frozen=True, slots=True)
class Wish:
    """What a link shall show, to whom it may concern, and for how long."""

    content: str
    lasts: dt.timedelta
    categories: Sequence[str] = ()
    label: str = ""
    passcode: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A link as apps read it, and the same for a browser. Whoever has one reads what is shared."""

    shlink: str
    url: str


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What was found behind a link: encrypted, or the ticket that fetches it."""

    embedded: str = ""
    ticket: str = ""


# --- The patient's ----------------------------------------------------------------------------


@transaction.atomic
def make_link(*, session: DeviceSession, wish: Wish) -> SharedLink:
    """A new link of the session's patient, who has just confirmed that it is them and is told of
    it: it reads their data for up to a year, whatever becomes of the device.

    Raises `ConfirmationNeeded`, and `NothingShared` where there would be nothing to see.
    """
    patient = _lock_patient(session.user)
    check_is_confirmed(session)
    _check(patient, wish)
    manifest_id = crypto.new_secret()
    link = SharedLink.objects.create(
        patient=patient,
        label=wish.label.strip(),
        content=wish.content,
        categories=[data.value for data in LinkedData if data in wish.categories],
        manifest_id=manifest_id,
        manifest_digest=crypto.digest(manifest_id),
        key=new_key(),
        passcode=make_password(wish.passcode) if wish.passcode else "",
        expires_at=timezone.now() + wish.lasts,
    )
    _log(link, AccessEvent.Action.LINK_MADE, actor=patient)
    notify(recipient=patient, kind=Kind.LINK_MADE, url=f"/links/{link.pk}")
    return link


def show_address(*, session: DeviceSession, link_id: UUID) -> Address:
    """The secret of one of the session's patient, who has just confirmed that it is them: it has
    the key with it, and reads on for up to a year in whoever's hands it came.

    Raises `ConfirmationNeeded`, and `LinkGone` once it opens nothing any more.
    """
    check_is_active(session.user, role=Role.PATIENT)
    link = SharedLink.objects.visible_to(session.user).filter(pk=link_id).first()
    if link is None:
        raise Http404
    check_is_confirmed(session)
    if link.state(timezone.now()) != SharedLink.State.ACTIVE:
        raise LinkGone
    return Address(shlink=address_of(link), url=page_of(link))


@transaction.atomic
def revoke_link(*, actor: Any, link_id: UUID) -> SharedLink:
    """Withdraw one of the actor's: from this moment it opens nothing. Twice is as once."""
    _lock_patient(actor)
    link = SharedLink.objects.visible_to(actor).filter(pk=link_id).first()
    if link is None:
        raise Http404
    if link.revoked_at is None:
        _end(link)
        _log(link, AccessEvent.Action.LINK_REVOKED, actor=actor)
    return link


@transaction.atomic
def forget_links(*, user: User) -> None:
    """Of a person who is anonymised no link opens anything; what was typed, which may name
    them, goes. That links were opened stays."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for link in SharedLink.objects.filter(patient=user, revoked_at=None):
        _end(link)
    SharedLink.objects.filter(patient=user).update(label="")
    LinkOpening.objects.filter(link__patient=user).update(recipient="")


def address_of(link: SharedLink) -> str:
    """The link as apps read it; empty once it is withdrawn."""
    if link.manifest_id is None or link.key is None:
        return ""
    return shlink(
        url=f"{settings.SITE_URL}/shl/{link.manifest_id}",
        key=link.key,
        flag=flags(lasts=link.expires_at - link.created_at, has_passcode=link.has_passcode),
        label=link.label,
        expires_at=link.expires_at,
    )


def page_of(link: SharedLink) -> str:
    """The same with our viewer before it, for whoever has a browser and no app."""
    address = address_of(link)
    return f"{settings.SITE_URL}/shl#{address}" if address else ""


# --- Whoever has it ---------------------------------------------------------------------------


def open_link(
    *, manifest_id: str, recipient: str, passcode: str = "", most_embedded: int | None = None
) -> OpenedFile:
    """Open a link for someone who says who they are.

    Passcodes are judged one after another, so that many wrong ones at once are not more than ten.
    Raises `LinkGone`, `WrongPasscode` with the tries that remain, and `InvalidInput`.
    """
    recipient = required_entry(recipient, attr="recipient", length=LinkOpening.RECIPIENT_LENGTH)
    link = SharedLink.objects.by_manifest_id(manifest_id).live(timezone.now()).first()
    if link is None:
        raise LinkGone
    if link.has_passcode:
        _check_passcode(link, passcode)
    return _open(link, recipient, most_embedded)


@transaction.atomic
def fetch_file(*, ticket: str) -> str:
    """What an opening found, for whoever has its ticket: once, and soon. Raises `LinkGone`."""
    now = timezone.now()
    fresh = LinkOpening.objects.by_ticket(ticket).filter(
        fetched_at=None, created_at__gt=now - LinkOpening.TICKET_LASTS
    )
    opening = fresh.select_related("link").first()
    if opening is None:
        raise LinkGone
    link = _hold_live(opening.link)
    if not fresh.update(fetched_at=now):
        raise LinkGone
    return _encrypted(link, now)


def _check_passcode(link: SharedLink, passcode: str) -> None:
    """None at all is refused and not counted: whoever asks without has not guessed."""
    if not passcode:
        raise WrongPasscode(link.remaining_tries)
    refused = _try_passcode(link, passcode)
    if refused is not None:
        raise refused


@transaction.atomic
def _try_passcode(link: SharedLink, passcode: str) -> WrongPasscode | None:
    """Returns a refusal instead of raising it: the try that it counts, and logs, must be kept.
    The last one ends the link, and the patient is told."""
    link = _hold_live(link)
    if check_password(passcode, link.passcode):
        return None
    link.wrong_passcodes += 1
    link.save(update_fields=["wrong_passcodes"])
    _log(link, AccessEvent.Action.LINK_REFUSED)
    if not link.remaining_tries:
        notify(recipient=link.patient, kind=Kind.LINK_LOCKED, url=f"/links/{link.pk}")
    return WrongPasscode(link.remaining_tries)


@transaction.atomic
def _open(link: SharedLink, recipient: str, most_embedded: int | None) -> OpenedFile:
    link = _hold_live(link)
    now = timezone.now()
    encrypted = _encrypted(link, now)
    is_embedded = most_embedded is None or len(encrypted) <= most_embedded
    ticket = "" if is_embedded else crypto.new_secret()
    contacts = contacts_to_alert(link.patient, recipient, now) if link.is_emergency else []
    opening = LinkOpening.objects.create(
        link=link,
        recipient=recipient,
        ticket_digest=crypto.digest(ticket) if ticket else "",
        contacts_told=len(contacts),
    )
    SharedLink.objects.filter(pk=link.pk).update(
        opened_count=F("opened_count") + 1, last_opened_at=opening.created_at
    )
    _log(link, AccessEvent.Action.LINK_OPENED)
    _tell(opening, contacts)
    return OpenedFile(ticket=ticket) if ticket else OpenedFile(embedded=encrypted)


def _tell(opening: LinkOpening, contacts: Sequence[EmergencyContact]) -> None:
    """What shows an emergency card is told as the card is: each time, and to the contacts."""
    link = opening.link
    url = f"/links/{link.pk}"
    if link.is_emergency:
        tell_of_opening(patient=link.patient, contacts=contacts, opening_id=opening.pk, url=url)
    elif not _has_come_back(opening):
        notify(recipient=link.patient, kind=Kind.LINK_OPENED, url=url)


def _has_come_back(opening: LinkOpening) -> bool:
    """Whether the same reader, by what they say, has just been there: an app that looks again
    for what changed is logged each time, and no news."""
    since = opening.created_at - SAME_READER
    earlier = LinkOpening.objects.filter(link=opening.link, created_at__gt=since)
    return earlier.exclude(pk=opening.pk).filter(recipient__iexact=opening.recipient).exists()


def _hold_live(link: SharedLink) -> SharedLink:
    """The link with its patient's account held, if it still opens anything: of an opening and a
    withdrawal at once one is first."""
    User.objects.select_for_update(no_key=True).get(pk=link.patient_id)
    live = SharedLink.objects.live(timezone.now()).filter(pk=link.pk)
    held = live.select_related("patient__patient_profile").first()
    if held is None or not _may_be_read(held):
        raise LinkGone
    return held


def _may_be_read(link: SharedLink) -> bool:
    """A summary as its patient could read it; what keeps them alive, also while their account is
    closed, as on the emergency card itself."""
    return link.is_emergency or is_active(link.patient, role=Role.PATIENT)


def _encrypted(link: SharedLink, at: dt.datetime) -> str:
    """What the patient chose, as it is now, in their language."""
    with translation.override(link.patient.language):
        bundle = patient_summary_bundle(
            patient=link.patient,
            parts=_parts(link, at),
            title=link.label or _("Patient summary"),
            at=at,
        )
    return encrypt_file(dumps(bundle), key=str(link.key), content_type=FHIR_TYPE)


def _parts(link: SharedLink, at: dt.datetime) -> Parts:
    if link.is_emergency:
        return _emergency_parts(link.patient, at)
    return _summary_parts(link)


def _emergency_parts(patient: User, at: dt.datetime) -> Parts:
    """What their emergency card shows; withdrawn, nothing is behind the link either."""
    card = EmergencyCard.objects.live().filter(patient=patient).with_patient().first()
    shown = emergency_content(card, at).shown if card else []
    if not shown:
        raise LinkGone
    return {part.field: part.rows for part in shown}


def _summary_parts(link: SharedLink) -> Parts:
    """Name and birth date always: a summary of nobody helps no one."""
    patient, profile = link.patient, [link.patient.patient_profile]
    parts: dict[str, Sequence[Any]] = {CardField.NAME: [patient], CardField.BIRTH_DATE: profile}
    if LinkedData.FACTS in link.categories:
        blood = profile if profile[0].blood_type else []
        parts |= {CardField.SEX: profile, CardField.BLOOD_TYPE: blood, MEASURES: profile}
    if LinkedData.PRESCRIPTIONS in link.categories:
        parts[CardField.PRESCRIPTIONS] = list(prescriptions_taken(patient, clinic_date()))
    for kind in (AllergyIntolerance, Condition, MedicationStatement, EmergencyContact):
        if kind.CATEGORY in link.categories:
            parts[kind.CATEGORY] = list(kind.objects.of(patient))
    return parts


# --- Both -------------------------------------------------------------------------------------


def _lock_patient(actor: Any) -> User:
    check_is_active(actor, role=Role.PATIENT)
    return User.objects.select_for_update(no_key=True).get(pk=actor.pk)


def _check(patient: User, wish: Wish) -> None:
    """The wish has a known shape, and the patient something to share."""
    if len(wish.label.strip()) > SharedLink.LABEL_LENGTH or not is_plain_line(wish.label):
        raise InvalidInput(_("Write this on one short line."), attr="label")
    if not SharedLink.SHORTEST <= wish.lasts <= SharedLink.LONGEST:
        raise InvalidInput(_("A link lasts from an hour to a year."), attr="hours")
    if wish.passcode and not SHORTEST_PASSCODE <= len(wish.passcode) <= LONGEST_PASSCODE:
        raise InvalidInput(_("A passcode has 6 to 64 characters."), attr="passcode")
    _check_content(patient, wish)
    if SharedLink.objects.filter(patient=patient).live(timezone.now()).count() >= MOST_LIVE:
        raise TooManyLinks


def _check_content(patient: User, wish: Wish) -> None:
    is_summary = wish.content == SharedLink.Content.SUMMARY
    if wish.content not in SharedLink.Content.values:
        raise InvalidInput(_("There is no such content."), attr="content")
    if set(wish.categories) - set(LinkedData.values) or is_summary != bool(wish.categories):
        raise InvalidInput(_("Choose what the summary shows."), attr="categories")
    if not is_summary:
        try:
            _emergency_parts(patient, timezone.now())
        except LinkGone as error:
            raise NothingShared from error


def _end(link: SharedLink) -> None:
    SharedLink.objects.filter(pk=link.pk).update(
        revoked_at=timezone.now(), manifest_id=None, key=None, passcode=""
    )
    link.refresh_from_db()


def _log(link: SharedLink, action: AccessEvent.Action, *, actor: Any = None) -> None:
    record_access(
        actor_id=actor.pk if actor else None,
        patient_id=link.patient_id,
        action=action,
        target=link,
        basis=AccessEvent.Basis.SELF if actor else AccessEvent.Basis.QR,
    )
