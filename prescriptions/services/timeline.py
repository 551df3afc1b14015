"""All that happened to a prescription: its versions, who dispensed it, what was asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from prescriptions.fills import Fill, fill_of
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
    RefillRequest,
    ReplacedCode,
)
from prescriptions.services.reading import open_prescription

Status = Prescription.Status
EndReason = DispenseClaim.EndReason


class What(StrEnum):
    """Kinds of things that happen."""

    ISSUED = "ISSUED"
    AMENDED = "AMENDED"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    COMPLETED = "COMPLETED"
    CODE_REPLACED = "CODE_REPLACED"
    CLAIMED = "CLAIMED"
    DISPENSED = "DISPENSED"
    DISPENSE_WITHDRAWN = "DISPENSE_WITHDRAWN"
    RETURNED = "RETURNED"
    CLAIM_EXPIRED = "CLAIM_EXPIRED"
    DISPUTED = "DISPUTED"
    REFILL_REQUESTED = "REFILL_REQUESTED"
    REFILL_ISSUED = "REFILL_ISSUED"
    REFILL_DECLINED = "REFILL_DECLINED"
    REFILL_CANCELLED = "REFILL_CANCELLED"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one version, in the language being spoken. `detail` is what
    somebody wrote, or said of themselves."""

    at: dt.datetime
    what: What
    version: int
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The rows of one number, the newest first. Where the prescriber has parted from the patient,
    claims and codes are as they stood `until` then. `is_own` where it is told to the patient."""

    versions: list[Prescription]
    claims: list[DispenseClaim]
    requests: list[RefillRequest]
    replaced: list[ReplacedCode]
    until: dt.datetime | None
    is_own: bool

    def fills(self, prescription: Prescription) -> list[tuple[PrescriptionItem, Fill]]:
        """Each item of a version, with how far it was dispensed."""
        given = [dispense for claim in self.claims for dispense in claim.dispenses.all()]
        return [
            (item, fill_of(item, [one for one in given if one.item_id == item.pk]))
            for item in prescription.items.all()
        ]


@transaction.atomic
def open_history(*, actor: Any, prescription_id: UUID) -> History:
    """The story of a prescription, for its patient and its prescriber; that it was opened is
    logged. Who reads a prescription by the patient's grant reads the order alone."""
    prescription = open_prescription(actor=actor, prescription_id=prescription_id)
    if prescription.is_shared_with(actor):
        raise Http404
    return history_of(prescription, actor)


def history_of(prescription: Prescription, reader: Any) -> History:
    """Everything under the number of a prescription, for who reads it as its patient or its
    prescriber: seven queries, however long the story. Of what pharmacies and the patient do with
    it the prescriber learns until the two part."""
    until = prescription.told_until(reader)
    found = Prescription.objects.versions_of(prescription.number).with_items()
    versions = list(found.prefetch_related("status_changes"))
    requests = RefillRequest.objects.filter(prescription__in=versions)
    replaced = ReplacedCode.objects.filter(prescription__in=versions).order_by("-id")
    return History(
        versions=versions,
        claims=_claims(versions, until),
        requests=list(requests.select_related("answered_with")),
        replaced=[code for code in replaced if _is_known(code.replaced_at, until)],
        until=until,
        is_own=reader.pk == prescription.patient_id,
    )


def timeline(history: History) -> list[Event]:
    """The story that these rows tell, the newest first."""
    versions = reversed(history.versions)
    happened = [event for version in versions for event in _of_version(history, version)]
    told = [
        event
        for event in happened
        if event.what != What.COMPLETED or _is_known(event.at, history.until)
    ]
    # Of what happened at one instant, what is told later is later.
    return sorted(told, key=attrgetter("at"))[::-1]


def _claims(versions: list[Prescription], until: dt.datetime | None) -> list[DispenseClaim]:
    claims = DispenseClaim.objects.filter(prescription__in=versions)
    dispenses = MedicationDispense.objects.select_related("item")
    if until is not None:
        claims = claims.filter(claimed_at__lte=until)
        dispenses = dispenses.filter(dispensed_at__lte=until)
    found = list(claims.prefetch_related(Prefetch("dispenses", dispenses)))
    for claim in found:
        _unless_known(claim, "ended_at", until)
        _unless_known(claim, "disputed_at", until)
        for dispense in claim.dispenses.all():
            _unless_known(dispense, "withdrawn_at", until)
    return found


def _unless_known(
    row: DispenseClaim | MedicationDispense, name: str, until: dt.datetime | None
) -> None:
    """Take from a row, which nobody saves, what happened to it later."""
    at = getattr(row, name)
    if at is not None and not _is_known(at, until):
        setattr(row, name, None)


def _is_known(at: dt.datetime, until: dt.datetime | None) -> bool:
    return until is None or at <= until


def amounts(dispenses: Iterable[MedicationDispense]) -> str:
    """How much of what, in one line; each isolated, so that none takes the direction of its
    neighbour."""
    comma = pgettext("between the medicines of a list", ", ")
    return comma.join(
        f"\u2068{dispense.quantity} × {dispense.item.medicine} {dispense.item.strength}".strip()
        + "\u2069"
        for dispense in dispenses
    )


def _of_version(history: History, version: Prescription) -> Iterator[Event]:
    """In the order in which they happen."""
    yield _issued(version)
    for code in history.replaced:
        if code.prescription_id == version.pk:
            sentence = _("A new code and PIN were made. What was printed before opens nothing.")
            yield Event(code.replaced_at, What.CODE_REPLACED, version.version, sentence)
    for claim in reversed(history.claims):
        if claim.prescription_id == version.pk:
            yield from _of_claim(claim, version.version, is_own=history.is_own)
    yield from _of_status(version)
    for request in reversed(history.requests):
        if request.prescription_id == version.pk:
            yield from _of_request(request, version.version, is_own=history.is_own)


def _issued(version: Prescription) -> Event:
    name = {"name": _isolated(version.prescriber_name), "n": version.version}
    if version.replaces_id is None:
        return Event(version.issued_at, What.ISSUED, 1, _("Issued by %(name)s.") % name)
    sentence = _("Replaced by version %(n)s, by %(name)s.") % name
    return Event(version.issued_at, What.AMENDED, version.version, sentence)


def _of_status(version: Prescription) -> Iterator[Event]:
    """That it was stopped or completed, and each time why. That it is superseded, the next
    version tells; that it is active again, what was taken back."""
    for change in version.status_changes.all():
        reason = {"reason": change.get_reason_display()}
        if change.is_request:
            what, told = What.STOP_REQUESTED, _("The prescriber asked to stop it: %(reason)s.")
        elif change.status == Status.STOPPED:
            what, told = What.STOPPED, _("Stopped: %(reason)s.")
        elif change.status == Status.ENTERED_IN_ERROR:
            what, told = What.ENTERED_IN_ERROR, _("Marked as written by mistake.")
        elif change.status == Status.COMPLETED:
            what, told = What.COMPLETED, _("Everything was handed out.")
        else:
            continue
        yield Event(change.at, what, version.version, told % reason, change.note)


def _of_claim(claim: DispenseClaim, version: int, *, is_own: bool) -> Iterator[Event]:
    pharmacy = {"pharmacy": _isolated(claim.pharmacy_name)}
    sentence = _("%(pharmacy)s opened it to dispense it.") % pharmacy
    yield Event(claim.claimed_at, What.CLAIMED, version, sentence, who_holds(claim))
    dispenses = sorted(claim.dispenses.all(), key=attrgetter("dispensed_at", "pk"))
    for at, together in groupby(dispenses, key=attrgetter("dispensed_at")):
        handed_out = pharmacy | {"amounts": amounts(together)}
        sentence = _("%(pharmacy)s handed out %(amounts)s.") % handed_out
        yield Event(at, What.DISPENSED, version, sentence)
    for dispense in dispenses:
        if dispense.withdrawn_at is not None:
            sentence = _("%(pharmacy)s took back %(amounts)s.") % (
                pharmacy | {"amounts": amounts([dispense])}
            )
            yield Event(dispense.withdrawn_at, What.DISPENSE_WITHDRAWN, version, sentence)
    if claim.ended_at is not None and claim.end_reason == EndReason.RETURNED:
        sentence = _("%(pharmacy)s gave it back.") % pharmacy
        yield Event(claim.ended_at, What.RETURNED, version, sentence)
    if claim.ended_at is not None and claim.end_reason == EndReason.EXPIRED:
        sentence = _("The time of %(pharmacy)s was over. Any pharmacy can dispense it.") % pharmacy
        yield Event(claim.ended_at, What.CLAIM_EXPIRED, version, sentence)
    if claim.disputed_at is not None:
        sentence = _disputed(is_own) % pharmacy
        yield Event(claim.disputed_at, What.DISPUTED, version, sentence)


def _disputed(is_own: bool) -> str:
    if is_own:
        return _("You know nothing of %(pharmacy)s. Administrators look into it.")
    return _("The patient knows nothing of %(pharmacy)s. Administrators look into it.")


def who_holds(claim: DispenseClaim) -> str:
    """Who they are, and whether that is more than their word."""
    said = {
        "name": _isolated(claim.pharmacist_name),
        "licence": _isolated(claim.licence_number),
    }
    if claim.is_approved:
        return _("%(name)s, licence %(licence)s, an approved pharmacy") % said
    return _("%(name)s, licence %(licence)s, as they say themselves") % said


def _of_request(request: RefillRequest, version: int, *, is_own: bool) -> Iterator[Event]:
    asked = _("The patient asked for the same again.")
    taken_back = _("The patient took the request back.")
    if is_own:
        asked, taken_back = _("You asked for the same again."), _("You took the request back.")
    yield Event(request.created_at, What.REFILL_REQUESTED, version, asked, request.note)
    if request.decided_at is None:
        return
    number = request.answered_with.number if request.answered_with else ""
    what, sentence = {
        RefillRequest.Status.ISSUED: (
            What.REFILL_ISSUED,
            _("Prescribed again: %(number)s.") % {"number": _isolated(number)},
        ),
        RefillRequest.Status.DECLINED: (
            What.REFILL_DECLINED,
            _("The prescriber declined to prescribe it again."),
        ),
        RefillRequest.Status.CANCELLED: (What.REFILL_CANCELLED, taken_back),
    }[RefillRequest.Status(request.status)]
    yield Event(request.decided_at, what, version, sentence, request.reason)


def _isolated(name: str) -> str:
    return f"\u2068{name}\u2069"
