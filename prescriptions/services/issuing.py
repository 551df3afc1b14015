"""Issuing prescriptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from common.lines import is_visible
from common.live import announce_change
from connections.models import Connection, DataCategory
from connections.services.pairs import lock_connection
from notifications.services import notify
from notifications.wording import Kind
from prescriptions import safety
from prescriptions.models import (
    FrequencyUnit,
    Prescription,
    PrescriptionItem,
    RefillRequest,
    Route,
)
from prescriptions.numbers import new_number
from prescriptions.policies import check_can_issue
from prescriptions.safety import Report
from prescriptions.services.checking import Medicine, Override, check_order, settle
from prescriptions.services.codes import put_codes_on
from prescriptions.services.refills import answer_with, lock_request
from prescriptions.services.texts import check_line, check_text

LONGEST_VALIDITY = dt.timedelta(days=365)
NUMBER_ATTEMPTS = 5


class HowOftenMissing(InvalidInput):
    detail = _("Say how often it is taken, or that it is taken as needed.")


class AlreadyIssued(DomainError):
    code = "already_issued"
    detail = _(
        "This form has issued a prescription already, and that one cannot be changed. "
        "To issue another, start from a new form."
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One medicine to prescribe. `frequency` counts doses per `frequency_unit` and may be
    absent only for what is taken as needed; `quantity` counts packs or units to hand out."""

    medicine: str
    quantity: int
    strength: str = ""
    route: str = Route.ORAL
    frequency: int | None = None
    frequency_unit: str = FrequencyUnit.DAY
    as_needed: bool = False
    duration_days: int | None = None
    refills: int = 0
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """All of a prescription but whom it is for."""

    items: Sequence[Item]
    diagnosis: str = ""
    notes: str = ""
    valid_until: dt.date | None = None
    client_id: UUID | None = None
    overrides: Sequence[Override] = ()


def issue_prescription(
    *, actor: Any, connection_id: UUID, order: Order, refill_request_id: UUID | None = None
) -> Prescription:
    """Issue a prescription to the connected patient; what is ordered can never be changed
    afterwards.

    The two are locked, so they cannot part between the check and the issue. Sent again
    with the same `client_id`, the same content returns the first prescription, and another
    content raises `AlreadyIssued`. What the safety check finds and no override names raises
    `SafetyWarnings`. A refill request of the patient's that it names is answered by it.
    """
    return unless_refused(_issue(actor, connection_id, order, refill_request_id))


@transaction.atomic
def preview_safety(
    *,
    actor: Any,
    connection_id: UUID,
    items: Sequence[Medicine],
    replaces_id: UUID | None = None,
    refill_request_id: UUID | None = None,
) -> Report:
    """What the safety check says of an order that is not issued yet, by who may issue it: the
    same as when it is issued as another version of that prescription, or in answer to that
    request."""
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_issue(actor, connection)
    request = lock_request(connection, refill_request_id) if refill_request_id else None
    replaced = _replaced(actor, connection, replaces_id) if replaces_id else None
    return check_order(
        actor=actor, connection=connection, items=items, replaces=_renewed(request) or replaced
    )


@transaction.atomic
def _issue(
    actor: Any, connection_id: UUID, order: Order, refill_request_id: UUID | None
) -> Prescription | DomainError:
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_issue(actor, connection)
    check_order_is_whole(order)
    draft = draft_of(connection, order, now=timezone.now())
    first = issued_before(draft, order)
    if first is not None:
        return first
    request = lock_request(connection, refill_request_id) if refill_request_id else None
    refusal = settle_safety(draft, order, actor=actor, replaces=_renewed(request))
    if refusal is not None:
        return refusal
    issued = write(draft, order)
    if request is not None:
        answer_with(request, issued)
    tell(issued, AccessEvent.Action.ISSUED, Kind.PRESCRIPTION_ISSUED)
    return issued


def _renewed(request: RefillRequest | None) -> Prescription | None:
    """What is prescribed again does not conflict with itself."""
    return request.prescription if request else None


def _replaced(actor: Any, connection: Connection, prescription_id: UUID) -> Prescription:
    """One that the actor issued on this connection."""
    mine = Prescription.objects.visible_to(actor).issued_by(actor)
    found = mine.filter(connection=connection, pk=prescription_id).first()
    if found is None:
        raise Http404
    return found


def check_order_is_whole(order: Order) -> None:
    """It has items, each says how often it is taken, and all of it reads as it was written."""
    if not 1 <= len(order.items) <= Prescription.MAX_ITEMS:
        raise InvalidInput(
            _("A prescription has between 1 and %(n)s items.") % {"n": Prescription.MAX_ITEMS},
            attr="items",
        )
    for position, item in enumerate(order.items):
        if item.frequency is None and not item.as_needed:
            raise HowOftenMissing(attr=f"items.{position}.frequency")
        _check_is_readable(item, position)
    for name in ("diagnosis", "notes"):
        check_text(getattr(order, name), attr=name)


def _check_is_readable(item: Item, position: int) -> None:
    """Whoever dispenses reads what was written, in the order in which it was written."""
    for name in ("medicine", "strength", "instructions"):
        check_line(getattr(item, name), attr=f"items.{position}.{name}")
    if not is_visible(item.medicine):
        raise InvalidInput(_("This cannot be empty."), attr=f"items.{position}.medicine")


def draft_of(connection: Connection, order: Order, *, now: dt.datetime) -> Prescription:
    """A first version, not yet written."""
    today = clinic_date(now)
    last_day = last_day_of(order, today)
    if not today <= last_day <= today + LONGEST_VALIDITY:
        raise InvalidInput(
            _("The last day must lie between today and a year from now."), attr="valid_until"
        )
    doctor, profile = connection.doctor, connection.doctor.doctor_profile
    draft = Prescription(
        connection=connection,
        patient=connection.patient,
        doctor=doctor,
        diagnosis=order.diagnosis,
        notes=order.notes,
        issued_at=now,
        valid_until=last_day,
        prescriber_name=doctor.full_name,
        prescriber_specialization_en=profile.specialization.name_en,
        prescriber_specialization_ar=profile.specialization.name_ar,
        prescriber_licence_number=profile.licence_number,
        client_id=order.client_id,
    )
    put_codes_on(draft, at=now)
    return draft


def last_day_of(order: Order, today: dt.date) -> dt.date:
    """The last day on which it is good, if it is issued today."""
    return order.valid_until or today + usual_validity(order.items)


def usual_validity(items: Sequence[Item]) -> dt.timedelta:
    """Thirty days, and as long again as its refills last; a year at most."""
    month = Prescription.VALID_DAYS
    refills = max((item.refills * (item.duration_days or month) for item in items), default=0)
    return min(dt.timedelta(days=month + refills), LONGEST_VALIDITY)


def issued_before(draft: Prescription, order: Order) -> Prescription | None:
    """The prescription that the same form issued a moment ago, if it did."""
    if draft.client_id is None:
        return None
    first = (
        Prescription.objects.with_items()
        .filter(connection=draft.connection, client_id=draft.client_id)
        .first()
    )
    if first is None:
        return None
    is_same = says_the_same(order, first, on=first.issued_on)
    if draft.replaces_id != first.replaces_id or not is_same:
        raise AlreadyIssued
    return first


def says_the_same(order: Order, other: Prescription, *, on: dt.date) -> bool:
    """Whether what is ordered would, issued on that day, be word for word what another
    prescription holds."""
    ordered = [item.content() for item in _rows(other, order.items)]
    said = (order.diagnosis, order.notes, last_day_of(order, on))
    return ordered == [item.content() for item in other.items.all()] and said == (
        other.diagnosis,
        other.notes,
        other.valid_until,
    )


def settle_safety(
    draft: Prescription, order: Order, *, actor: Any, replaces: Prescription | None = None
) -> DomainError | None:
    """Check what is ordered against what is known of the patient, and keep on the draft what
    was found and why it is prescribed all the same.

    A refusal is returned, to be raised by `unless_refused` once the transaction is over: that
    the record was looked into stays logged.
    """
    report = check_order(
        actor=actor, connection=draft.connection, items=order.items, replaces=replaces
    )
    try:
        draft.safety = settle(report, order.overrides)
    except DomainError as refusal:
        return refusal
    return None


def unless_refused(outcome: Prescription | DomainError) -> Prescription:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def write(draft: Prescription, order: Order) -> Prescription:
    """Insert it with its items; a number already given out is drawn again."""
    rows = _rows(draft, order.items)
    draft.item_count = len(rows)
    for attempt in range(1, NUMBER_ATTEMPTS + 1):
        draft.content_hash = draft.computed_content_hash(rows)
        try:
            with transaction.atomic():
                draft.save(force_insert=True)
            break
        except IntegrityError:
            if attempt == NUMBER_ATTEMPTS or draft.version > 1:
                raise
            draft.number = new_number()
    PrescriptionItem.objects.bulk_create(rows)
    return draft


def tell(prescription: Prescription, action: AccessEvent.Action, kind: Kind) -> None:
    """Log what the prescriber did with it, and tell the patient."""
    record_access(
        actor_id=prescription.doctor_id,
        patient_id=prescription.patient_id,
        action=action,
        target=prescription,
        basis=AccessEvent.Basis.CARE,
    )
    announce_change(prescription.patient_id, DataCategory.PRESCRIPTIONS)
    notify(
        recipient=prescription.patient,
        kind=kind,
        about=prescription.doctor,
        url=f"/prescriptions/{prescription.pk}",
    )


def _rows(prescription: Prescription, items: Sequence[Item]) -> list[PrescriptionItem]:
    return [
        PrescriptionItem(
            prescription=prescription,
            position=position,
            is_controlled=safety.match(item.medicine).is_controlled,
            **asdict(item),
        )
        for position, item in enumerate(items, start=1)
    ]
