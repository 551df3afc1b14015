"""What a check found, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from prescriptions.safety.catalogue import Severity


class Kind(StrEnum):
    """Where a name is from."""

    ORDERED = "ORDERED"
    ALLERGY = "ALLERGY"
    TAKEN = "TAKEN"
    PRESCRIBED = "PRESCRIBED"


class Concern(StrEnum):
    """What a warning is about."""

    ALLERGY = "ALLERGY"
    CROSS_REACTIVITY = "CROSS_REACTIVITY"
    DUPLICATE = "DUPLICATE"
    INTERACTION = "INTERACTION"


class OverrideReason(TextChoices):
    """Why a prescriber goes past a warning."""

    OUTWEIGHED = "OUTWEIGHED", _("The benefit outweighs the risk")
    TOLERATED = "TOLERATED", _("The patient has had it before without harm")
    MONITORED = "MONITORED", _("It will be watched closely")
    NOT_SO = "NOT_SO", _("The record is not right about this")
    PLANNED = "PLANNED", _("The other medicine is stopped or changed")
    OTHER = "OTHER", _("Another reason")


@dataclass(frozen=True, slots=True)
class SafetyWarning:
    """An ordered medicine conflicts with something.

    `key` names the finding: the same order against the same record gives the same key, whatever
    the order of its items. Where the reader may not know what it conflicts with, `against`,
    `rule` and `source` are empty, and the key is made without them. `rule` is a substance, a
    group or two of them (`a/b`), or of an interaction the code of its effect. `reason_code`
    (`OverrideReason`) and `reason`, in their own words, are the prescriber's, who orders it all
    the same.
    """

    key: str
    kind: Concern
    severity: Severity
    position: int
    medicine: str
    against: str
    against_kind: Kind
    rule: str
    source: str
    source_date: str
    reason_code: str = ""
    reason: str = ""

    @property
    def is_named(self) -> bool:
        return bool(self.against)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A name that could not be compared, or in part: then `part` is what is not understood.
    `is_group` says that a medicine is called by its group, such as "penicillin".

    `position` is that of an ordered medicine, None for what was known before. What may not be
    named has an empty name.
    """

    position: int | None
    name: str
    kind: Kind
    suggestion: str = ""
    part: str = ""
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one order, the gravest first."""

    warnings: tuple[SafetyWarning, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def is_clear(self) -> bool:
        return not (self.warnings or self.unchecked)


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values; `from_json` reads it back."""
    return {
        "warnings": [asdict(warning) for warning in report.warnings],
        "unchecked": [asdict(unchecked) for unchecked in report.unchecked],
    }


def from_json(kept: Mapping[str, Any]) -> Report:
    return Report(
        warnings=tuple(_warning(row) for row in kept.get("warnings", ())),
        unchecked=tuple(
            Unchecked(**{**row, "kind": Kind(row["kind"])}) for row in kept.get("unchecked", ())
        ),
    )


def _warning(row: Mapping[str, Any]) -> SafetyWarning:
    return SafetyWarning(
        **{
            **row,
            "kind": Concern(row["kind"]),
            "severity": Severity(row["severity"]),
            "against_kind": Kind(row["against_kind"]),
        }
    )
