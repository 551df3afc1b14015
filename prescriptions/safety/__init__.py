"""The safety check: does an order conflict with what is known of the patient?

Pure functions over data files of this package; no database, no network. Start at `check`.
"""

from prescriptions.safety.catalogue import Severity
from prescriptions.safety.comparing import Known, Ordered, check
from prescriptions.safety.matching import Match, match, stands_for, suggest_names
from prescriptions.safety.report import (
    Concern,
    Kind,
    OverrideReason,
    Report,
    SafetyWarning,
    Unchecked,
    as_json,
    from_json,
)
from prescriptions.safety.sentences import Reader, reason_sentence, sentence

__all__ = [
    "Concern",
    "Kind",
    "Known",
    "Match",
    "Ordered",
    "OverrideReason",
    "Reader",
    "Report",
    "SafetyWarning",
    "Severity",
    "Unchecked",
    "as_json",
    "check",
    "from_json",
    "match",
    "reason_sentence",
    "sentence",
    "stands_for",
    "suggest_names",
]
