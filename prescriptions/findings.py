"""What a safety check found, as a reader is told it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from common.languages import Language
from prescriptions.models import Prescription
from prescriptions.safety import (
    Concern,
    Reader,
    Report,
    SafetyWarning,
    Severity,
    Unchecked,
    from_json,
    reason_sentence,
    sentence,
)

SEVERITIES: Mapping[Severity, Promise] = {
    Severity.CONTRAINDICATED: pgettext_lazy("safety warning", "Must not be given"),
    Severity.SERIOUS: pgettext_lazy("safety warning", "Serious"),
    Severity.CAUTION: pgettext_lazy("safety warning", "Caution"),
}
CONCERNS: Mapping[Concern, Promise] = {
    Concern.ALLERGY: pgettext_lazy("safety warning", "Allergy"),
    Concern.CROSS_REACTIVITY: pgettext_lazy("safety warning", "Related allergy"),
    Concern.DUPLICATE: pgettext_lazy("safety warning", "Same kind of medicine"),
    Concern.INTERACTION: pgettext_lazy("safety warning", "Interaction"),
}


def spoken_report(
    report: Report, language: Language, reader: Reader = Reader.PRESCRIBER
) -> dict[str, Any]:
    """A report as plain values, each finding with its sentence."""
    return {
        "warnings": [_warning(warning, language, reader) for warning in report.warnings],
        "unchecked": [_unchecked(name, language, reader) for name in report.unchecked],
    }


def kept_report(prescription: Prescription, user: Any, language: Language) -> dict[str, Any]:
    """What was found when it was issued, to its patient or its prescriber."""
    is_patient = user.pk == prescription.patient_id
    reader = Reader.PATIENT if is_patient else Reader.PRESCRIBER
    return spoken_report(from_json(prescription.safety), language, reader)


def _warning(warning: SafetyWarning, language: Language, reader: Reader) -> dict[str, Any]:
    return {
        "key": warning.key,
        "kind": str(warning.kind),
        "severity": str(warning.severity),
        "position": warning.position,
        "medicine": warning.medicine,
        "against": warning.against or None,
        "sentence": sentence(warning, language, reader),
        "source": warning.source or None,
        "source_date": warning.source_date or None,
        "reason_code": warning.reason_code or None,
        "reason": warning.reason or None,
        "reason_sentence": reason_sentence(warning, language) or None,
    }


def _unchecked(unchecked: Unchecked, language: Language, reader: Reader) -> dict[str, Any]:
    return {
        "position": unchecked.position,
        "name": unchecked.name or None,
        "kind": str(unchecked.kind),
        "suggestion": unchecked.suggestion or None,
        "sentence": sentence(unchecked, language, reader),
    }
