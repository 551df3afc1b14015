"""Who hears of it when what an emergency card shows is opened: by its code, or by a link to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from accounts.models import EmergencyContact, User
from notifications.services import notify, post_email
from notifications.wording import Kind
from qrverify.models import EmergencyScan, LinkOpening

# One who opens it again, for another language or after a while, is no news to the contacts.
SAME_OPENING = dt.timedelta(minutes=10)
# Neither who holds a card nor whose it is shall fill the mailbox of somebody named on it.
ALERTS_AN_HOUR, AN_HOUR = 5, dt.timedelta(hours=1)
ALERTS_A_DAY, A_DAY = 10, dt.timedelta(days=1)


def contacts_to_alert(patient: User, responder: str, at: dt.datetime) -> list[EmergencyContact]:
    """The contacts that are written to: none where they have just heard of the same responder,
    or of many within the hour or the day."""
    earlier = _alerts(patient, since=at - A_DAY)
    is_repeat = any(
        name.casefold() == responder.casefold() and then > at - SAME_OPENING
        for name, then in earlier
    )
    of_last_hour = sum(then > at - AN_HOUR for _name, then in earlier)
    if is_repeat or of_last_hour >= ALERTS_AN_HOUR or len(earlier) >= ALERTS_A_DAY:
        return []
    return list(EmergencyContact.objects.of(patient).exclude(email=""))


def tell_of_opening(
    *, patient: User, contacts: Sequence[EmergencyContact], opening_id: UUID, url: str
) -> None:
    """The patient by every way; the contacts, who have no account, by a mail that names nobody:
    it travels in the open."""
    notify(recipient=patient, kind=Kind.EMERGENCY_CARD_OPENED, url=url)
    for contact in contacts:
        post_email(
            to_address=contact.email,
            language=patient.language,
            kind=Kind.EMERGENCY_CONTACT_ALERT,
            idempotency_key=f"emergency:{opening_id}:{contact.pk}",
        )


def _alerts(patient: User, *, since: dt.datetime) -> list[tuple[str, dt.datetime]]:
    """Who opened what the contacts were written to of, and when."""
    told = {"contacts_told__gt": 0, "created_at__gt": since}
    scans = EmergencyScan.objects.filter(card__patient=patient, **told).order_by()
    openings = LinkOpening.objects.filter(link__patient=patient, **told).order_by()
    by_code = scans.values_list("responder_name", "created_at")
    return list(by_code.union(openings.values_list("recipient", "created_at"), all=True))
