"""Warnings and what could not be checked, in words. Names stand in Unicode isolates, so that each
keeps its direction in a sentence of the other one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common.languages import Language
from prescriptions.safety.catalogue import catalogue
from prescriptions.safety.report import Concern, Kind, OverrideReason, SafetyWarning, Unchecked

_ISOLATED = "\u2068%s\u2069"


class Reader(Enum):
    """Who reads of a finding. Paper is read as a pharmacy reads."""

    PRESCRIBER = auto()
    PATIENT = auto()
    PHARMACY = auto()


# What happens when the two meet; the codes stand in data/interactions.csv.
EFFECTS: Mapping[str, Promise] = {
    "ANGIOEDEMA": _("swelling of the face and the throat"),
    "BLEEDING": _("more bleeding"),
    "BONE_MARROW": _("damage to the blood and bone marrow"),
    "BRADYCARDIA": _("a dangerously slow heartbeat"),
    "BUILD_UP": _("one of them builds up to a harmful level"),
    "CIRCULATION": _("closed blood vessels, with damage to hands and feet"),
    "CONFUSION": _("confusion and psychosis"),
    "DIGOXIN_LEVEL": _("too much digoxin in the blood"),
    "HEARING": _("damage to hearing and kidneys"),
    "HEART_RHYTHM": _("a dangerous disturbance of the heart rhythm"),
    "HIGH_POTASSIUM": _("too much potassium in the blood"),
    "HYPERTENSION": _("a sudden, dangerous rise of blood pressure"),
    "HYPOGLYCAEMIA": _("too little sugar in the blood"),
    "HYPOTENSION": _("a dangerous fall of blood pressure"),
    "INTRACRANIAL_PRESSURE": _("raised pressure in the head"),
    "KIDNEY": _("damage to the kidneys"),
    "LACTIC_ACIDOSIS": _("lactic acidosis"),
    "LITHIUM_LEVEL": _("too much lithium in the blood"),
    "LIVER": _("damage to the liver"),
    "LOST_EFFECT": _("one of them loses its effect"),
    "LOW_SODIUM": _("too little sodium in the blood"),
    "MUSCLE": _("damage to muscles and kidneys"),
    "OPPOSED": _("the two work against each other"),
    "RESPIRATION": _("deep drowsiness and slowed breathing"),
    "SEIZURES": _("seizures"),
    "SEROTONIN": _("serotonin syndrome"),
    "STEROID_EXCESS": _("too much corticosteroid in the body"),
    "WITHDRAWAL": _("sudden withdrawal"),
}

# What may not be named, worded for who reads of it.
_HIDDEN: Mapping[Reader, Promise] = {
    Reader.PRESCRIBER: _(
        "Something in this patient's record that is not shared with you conflicts with "
        "%(medicine)s (%(concern)s). Ask the patient."
    ),
    Reader.PATIENT: _(
        "Something in your record, which the doctor could not see, may not go with "
        "%(medicine)s. Ask the doctor or the pharmacist."
    ),
    Reader.PHARMACY: _(
        "Something in the patient's record that the doctor could not see conflicts with "
        "%(medicine)s (%(concern)s)."
    ),
}
_CONCERNS: Mapping[Concern, Promise] = {
    Concern.ALLERGY: pgettext_lazy("hidden conflict", "allergy"),
    Concern.CROSS_REACTIVITY: pgettext_lazy("hidden conflict", "allergy to something related"),
    Concern.DUPLICATE: pgettext_lazy("hidden conflict", "the same or a similar medicine"),
    Concern.INTERACTION: pgettext_lazy("hidden conflict", "interaction"),
}

_WHERE: Mapping[Kind, Promise] = {
    Kind.ORDERED: _("also in this order"),
    Kind.TAKEN: _("taken, as the patient says"),
    Kind.PRESCRIBED: _("prescribed already"),
}

_UNCHECKED: Mapping[Kind, Promise] = {
    Kind.ORDERED: _("%(name)s: not checked; the name is not known here."),
    Kind.ALLERGY: _("Allergy to %(name)s: could not be compared with the medicines."),
    Kind.TAKEN: _("%(name)s, which the patient says they take: not checked."),
    Kind.PRESCRIBED: _("%(name)s, prescribed already: not checked."),
}

_IN_THE_ORDER = _("A medicine of this order: not checked.")
_IN_YOUR_RECORD = _(
    "Something in your record, which the doctor could not see, was not compared with these "
    "medicines."
)
_UNCHECKED_HIDDEN: Mapping[Reader, Mapping[Kind, Promise]] = {
    Reader.PRESCRIBER: {
        Kind.ORDERED: _IN_THE_ORDER,
        Kind.ALLERGY: _("An allergy that is not shared with you could not be compared."),
        Kind.TAKEN: _("A medicine the patient takes that is not shared with you: not checked."),
        Kind.PRESCRIBED: _("A prescribed medicine that is not shared with you: not checked."),
    },
    Reader.PATIENT: {
        Kind.ORDERED: _IN_THE_ORDER,
        Kind.ALLERGY: _IN_YOUR_RECORD,
        Kind.TAKEN: _IN_YOUR_RECORD,
        Kind.PRESCRIBED: _IN_YOUR_RECORD,
    },
    Reader.PHARMACY: {
        Kind.ORDERED: _IN_THE_ORDER,
        Kind.ALLERGY: _("An allergy that the doctor could not see could not be compared."),
        Kind.TAKEN: _("A medicine the patient takes that the doctor could not see: not checked."),
        Kind.PRESCRIBED: _("A prescribed medicine that the doctor could not see: not checked."),
    },
}


def sentence(
    finding: SafetyWarning | Unchecked, language: Language, reader: Reader = Reader.PRESCRIBER
) -> str:
    """One finding, to its reader: what the prescriber was not shown is named to nobody."""
    with translation.override(language):
        if isinstance(finding, Unchecked):
            return _not_checked(finding, reader)
        return _warned(finding, language, reader)


def reason_sentence(warning: SafetyWarning, language: Language) -> str:
    """Why the prescriber orders it all the same: the reason in the reader's language, and their
    own words as they wrote them. Empty where none was given."""
    if warning.reason_code in {"", OverrideReason.OTHER}:
        return warning.reason
    with translation.override(language):
        label = str(dict(OverrideReason.choices).get(warning.reason_code, warning.reason_code))
    return f"{label}: {_isolated(warning.reason)}" if warning.reason else label


def _warned(warning: SafetyWarning, language: Language, reader: Reader) -> str:
    if not warning.is_named:
        medicine, concern = _isolated(warning.medicine), str(_CONCERNS[warning.kind])
        return _say(_HIDDEN[reader], medicine=medicine, concern=concern)
    return _WORDING[warning.kind](warning, language)


def _allergy(warning: SafetyWarning, language: Language) -> str:
    return gettext("%(medicine)s: the patient is allergic to %(against)s.") % _names(warning)


def _cross(warning: SafetyWarning, language: Language) -> str:
    return gettext(
        "%(medicine)s: the patient is allergic to %(against)s, and may react to this as well "
        "(%(groups)s)."
    ) % {**_names(warning), "groups": _groups(warning.rule, language)}


def _duplicate(warning: SafetyWarning, language: Language) -> str:
    if warning.rule in catalogue().groups:
        return gettext("%(medicine)s and %(against)s (%(where)s) are of one kind: %(groups)s.") % {
            **_names(warning),
            "groups": _groups(warning.rule, language),
        }
    return gettext("%(medicine)s holds the same substance as %(against)s (%(where)s).") % _names(
        warning
    )


def _interaction(warning: SafetyWarning, language: Language) -> str:
    effect = EFFECTS.get(warning.rule, warning.rule)
    return gettext("%(medicine)s together with %(against)s (%(where)s): %(effect)s.") % {
        **_names(warning),
        "effect": effect,
    }


_WORDING: Mapping[Concern, Callable[[SafetyWarning, Language], str]] = {
    Concern.ALLERGY: _allergy,
    Concern.CROSS_REACTIVITY: _cross,
    Concern.DUPLICATE: _duplicate,
    Concern.INTERACTION: _interaction,
}


def _not_checked(unchecked: Unchecked, reader: Reader) -> str:
    if not unchecked.name:
        return str(_UNCHECKED_HIDDEN[reader][unchecked.kind])
    said = _why_not_checked(unchecked)
    if unchecked.suggestion:
        guess = gettext("Did you mean %(name)s?") % {"name": _isolated(unchecked.suggestion)}
        return f"{said} {guess}"
    return said


def _why_not_checked(unchecked: Unchecked) -> str:
    name = _isolated(unchecked.name)
    if unchecked.part:
        return gettext("%(name)s: checked only in part; not understood: %(part)s.") % {
            "name": name,
            "part": _isolated(unchecked.part),
        }
    if unchecked.is_group:
        return gettext("%(name)s: checked only in part; it names a group, not one medicine.") % {
            "name": name
        }
    return _say(_UNCHECKED[unchecked.kind], name=name)


def _names(warning: SafetyWarning) -> dict[str, Any]:
    return {
        "medicine": _isolated(warning.medicine),
        "against": _isolated(warning.against),
        "where": _WHERE.get(warning.against_kind, ""),
    }


def _groups(rule: str, language: Language) -> str:
    return " / ".join(_group(name, language) for name in rule.split("/"))


def _group(name: str, language: Language) -> str:
    """A group that a later edition of the data no longer has is called by its code."""
    group = catalogue().groups.get(name)
    if group is None:
        return name
    return group.label_ar if language == "ar" else group.label_en


def _isolated(name: str) -> str:
    return _ISOLATED % name


def _say(text: Promise, **names: str) -> str:
    return str(text) % names
