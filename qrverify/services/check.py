"""Reading what a QR code holds, for anybody: where it leads, or what a health card says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.errors import DomainError, InvalidInput
from qrverify import payloads
from qrverify.models import HealthCard
from qrverify.payloads import Kind, Payload, PayloadRefused
from qrverify.smart.cards import CardRefused, ReadCard, read_card


class SeveralCodes(InvalidInput):
    code = "qr_several"
    detail = _("These are several codes. Take one after the other.")


class CardRevoked(DomainError):
    code = "health_card_revoked"
    detail = _(
        "This health card is genuine, but its prescription was stopped, replaced or written by "
        "mistake since. Do not dispense from it."
    )


@dataclass(frozen=True, slots=True)
class Order:
    """One medicine of a card, in its own words."""

    medicine: str
    dosage: str
    quantity: str
    refills: str


@dataclass(frozen=True, slots=True)
class CardContent:
    """What a card says, as far as it says it; empty where it does not."""

    patient: str
    birth_date: dt.date | None
    prescriber: str
    number: str
    valid_until: dt.date | None
    orders: Sequence[Order]


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: a code that leads to a page of ours, or a health card with its content."""

    payload: Payload
    card: ReadCard | None = None
    content: CardContent | None = None


def read_codes(texts: Sequence[str], *, attr: str) -> Found:
    """What these texts are together: where the code leads, or what the health card says. Raises
    what `pick` raises, `CardRefused` and `CardRevoked`."""
    picked = pick(texts, attr=attr)
    if picked[0].kind == Kind.HEALTH_CARD:
        return _card(picked, attr)
    return Found(picked[0])


def pick(texts: Sequence[str], *, attr: str) -> list[Payload]:
    """What of this is ours: one code, or the parts of a health card.

    What else is on the same photo does not matter; where nothing is ours, the first says why.
    Paper carries a code and a card; the code can tell more, so it comes first. Raises
    `PayloadRefused` and `SeveralCodes`.
    """
    found = _ours(texts, attr)
    codes = [payload for payload in found if payload.kind != Kind.HEALTH_CARD]
    if len(codes) > 1:
        raise SeveralCodes(attr=attr)
    return codes or found


def _ours(texts: Sequence[str], attr: str) -> list[Payload]:
    found, refusals = [], []
    for text in texts:
        try:
            found.append(payloads.read(text, attr=attr))
        except PayloadRefused as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0] if refusals else PayloadRefused("qr_empty", attr=attr)
    return [*dict.fromkeys(found)]


def _card(parts: Sequence[Payload], attr: str) -> Found:
    """The list of revoked cards is public, so whoever asks here is told what it says."""
    try:
        card = read_card([part.secret for part in parts])
    except CardRefused as refusal:
        refusal.attr = attr
        raise
    if HealthCard.objects.revoked().filter(rid=card.rid).exists():
        raise CardRevoked(attr=attr)
    return Found(parts[0], card, _content(card.bundle))


def _content(bundle: dict[str, Any]) -> CardContent:
    resources = [_part(entry, "resource") for entry in bundle["entry"]]
    patient, prescriber = _first(resources, "Patient"), _first(resources, "Practitioner")
    orders = [one for one in resources if _part(one, "resourceType") == "MedicationRequest"]
    names = [_text(patient, "name", 0, "given", 0), _text(patient, "name", 0, "family")]
    return CardContent(
        patient=" ".join(filter(None, names)),
        birth_date=_date(_text(patient, "birthDate")),
        prescriber=_text(prescriber, "name", 0, "text"),
        number=_text(orders, 0, "groupIdentifier", "value"),
        valid_until=_date(_text(orders, 0, "dispenseRequest", "validityPeriod", "end")),
        orders=[_order(order) for order in orders],
    )


def _order(order: Any) -> Order:
    return Order(
        medicine=_text(order, "medicationReference", "display"),
        dosage=_text(order, "dosageInstruction", 0, "text"),
        quantity=_text(order, "dispenseRequest", "quantity", "value"),
        refills=_text(order, "dispenseRequest", "numberOfRepeatsAllowed"),
    )


def _first(resources: Sequence[Any], kind: str) -> Any:
    return next((one for one in resources if _part(one, "resourceType") == kind), None)


def _part(value: Any, *path: str | int) -> Any:
    """What is found along a path through JSON; None where it leads nowhere."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _text(value: Any, *path: str | int) -> str:
    found = _part(value, *path)
    return str(found) if isinstance(found, str | int) else ""


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
