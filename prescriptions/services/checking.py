"""The safety check of an order, against what is known of its patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from accounts.models import AllergyIntolerance, MedicationStatement
from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from common.languages import spoken
from connections.models import Connection, DataCategory, readable
from prescriptions import safety
from prescriptions.findings import spoken_report
from prescriptions.models import Prescription, Route
from prescriptions.safety import Kind, Known, Ordered, OverrideReason, Report, SafetyWarning
from prescriptions.services.taken import items_taken
from prescriptions.services.texts import check_line

REASON_LENGTH = (3, 300)
# Where little of a medicine enters the body.
LOCAL_ROUTES = frozenset({Route.TOPICAL, Route.OPHTHALMIC, Route.OTIC})


@dataclass(frozen=True, slots=True)
class Override:
    """That a warning of the safety check is known, and why the medicine is prescribed all the
    same. `warning` is the warning's key. `OTHER` needs words, the other codes may have some."""

    warning: str
    reason: str = ""
    reason_code: str = OverrideReason.OTHER


class SafetyWarnings(DomainError):
    """The order conflicts with something. `report` says with what."""

    code = "safety_warnings"
    detail = _(
        "The safety check has found something. Change the order, or say for each warning why you "
        "prescribe it all the same."
    )

    def __init__(self, report: Report) -> None:
        super().__init__(attr="override_warnings")
        self.report = report

    @property
    def extra(self) -> Mapping[str, Any]:
        return spoken_report(self.report, spoken())


class Medicine(Protocol):
    """What is to be checked: anything that names a medicine and how it is given."""

    @property
    def medicine(self) -> str: ...
    @property
    def route(self) -> str: ...


def check_order(
    *,
    actor: Any,
    connection: Connection,
    items: Sequence[Medicine],
    replaces: Prescription | None = None,
) -> Report:
    """Compare an order with the patient's allergies, with what they say they take, and with what
    anybody has prescribed to them and they may be taking; that it was compared is logged.

    Everything is compared, whatever is shared: a life may hang on it. But only what the actor
    may see is named; of the rest the report says no more than what kind of thing it is.
    """
    known = list(_known(actor, connection, replaces))
    record_access(
        actor_id=actor.pk,
        patient_id=connection.patient_id,
        action=AccessEvent.Action.CHECKED,
        target=connection,
        basis=AccessEvent.Basis.CARE,
    )
    ordered = [
        Ordered(place, item.medicine, is_local=item.route in LOCAL_ROUTES)
        for place, item in enumerate(items, start=1)
    ]
    return safety.check(ordered, known)


def settle(report: Report, overrides: Sequence[Override]) -> dict[str, Any]:
    """What is kept of the check with a prescription: its findings, and why each warning was not
    followed. A warning without an override raises `SafetyWarnings`."""
    keys = {warning.key for warning in report.warnings}
    for override in overrides:
        _check_override(override, keys)
    said = {override.warning: override for override in overrides}
    if keys - set(said):
        raise SafetyWarnings(report)
    warnings = tuple(_answered(warning, said[warning.key]) for warning in report.warnings)
    return safety.as_json(replace(report, warnings=warnings))


def _answered(warning: SafetyWarning, override: Override) -> SafetyWarning:
    return replace(warning, reason_code=str(override.reason_code), reason=override.reason.strip())


def _check_override(override: Override, keys: set[str]) -> None:
    if override.warning not in keys:
        raise InvalidInput(
            _("There is no such warning. Check the order again."), attr="override_warnings"
        )
    least, most = REASON_LENGTH
    needed = least if override.reason_code == OverrideReason.OTHER else 0
    if not needed <= len(override.reason.strip()) <= most:
        raise InvalidInput(
            _("Say why in %(least)s to %(most)s characters.") % {"least": least, "most": most},
            attr="override_warnings",
        )
    check_line(override.reason, attr="override_warnings")


def _known(actor: Any, connection: Connection, replaces: Prescription | None) -> Iterator[Known]:
    patient = connection.patient
    allergies = AllergyIntolerance.objects.of(patient)
    yield from _named(actor, allergies, Kind.ALLERGY, "substance", DataCategory.ALLERGIES)
    taken = MedicationStatement.objects.of(patient)
    yield from _named(actor, taken, Kind.TAKEN, "name", DataCategory.MEDICATIONS)
    yield from _prescribed(actor, patient, replaces)


def _named(
    actor: Any, rows: Any, kind: Kind, field: str, category: DataCategory
) -> Iterable[Known]:
    seen = set(readable(rows, user=actor, category=category).values_list("pk", flat=True))
    return [Known(name, kind, pk in seen) for pk, name in rows.values_list("pk", field)]


def _prescribed(actor: Any, patient: Any, replaces: Prescription | None) -> Iterable[Known]:
    taken = items_taken(patient, clinic_date())
    orders = Prescription.objects.filter(pk__in={item.prescription_id for item in taken})
    seen = set(orders.visible_to(actor).values_list("pk", flat=True))
    return [
        Known(
            item.medicine,
            Kind.PRESCRIBED,
            may_be_named=item.prescription_id in seen,
            is_local=item.route in LOCAL_ROUTES,
        )
        for item in taken
        if replaces is None or item.prescription_id != replaces.pk
    ]
