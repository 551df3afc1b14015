"""What an emergency card says: read from the profile and the lists at the moment it is opened.

`emergency_content` gives the rows themselves, for whoever makes something else of them, and each
part in words, for pages and the API. All of it is read in a fixed number of queries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
    PatientProfile,
    SpokenLanguage,
    User,
)
from common import crypto
from common.clock import clinic_date
from common.languages import spoken
from common.lines import joined
from common.renderers import dumps
from prescriptions.models import Prescription
from prescriptions.services.taken import prescriptions_taken
from prescriptions.sig import dosage_sentence
from qrverify.models import CardField, EmergencyCard, EmergencyChoice

# What was confirmed longer ago is asked for again.
CONFIRMED_FOR = dt.timedelta(days=365)
# Facts are a name and a value each; the others are lists, or text.
FACTS = frozenset(
    {
        CardField.NAME, CardField.BIRTH_DATE, CardField.SEX, CardField.BLOOD_TYPE,
        CardField.LANGUAGES,
    }
)  # fmt: skip

ICONS: dict[CardField, str] = {
    CardField.ALLERGIES: "triangle-alert",
    CardField.EMERGENCY_CONTACTS: "phone",
    CardField.CONDITIONS: "heart-pulse",
    CardField.MEDICATIONS: "pill",
    CardField.PRESCRIPTIONS: "clipboard-list",
    CardField.NOTE: "sticky-note",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What it is, the rest of it, whom to call, and whether it must not be overlooked."""

    text: str
    detail: str = ""
    phone: str = ""
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One chosen field.

    `rows` are what the profile and the lists hold, as `READ` has them: a `User`, a
    `PatientProfile`, lines of a patient's lists, prescriptions with their items, codes of
    languages, or text. Empty where the patient has entered nothing. `version` stands for all of
    it that is shown: the same content, the same version.
    """

    field: CardField
    rows: Sequence[Any]
    version: str
    confirmed_at: dt.datetime | None
    is_changed: bool
    is_stale: bool

    @property
    def label(self) -> str:
        return str(self.field.label)

    @property
    def lines(self) -> list[Line]:
        """The rows in words, in the language being spoken."""
        return [line for row in self.rows for line in WORDS[self.field](row)]

    @property
    def missing(self) -> str:
        """Said where nothing is entered: that there is nothing, nobody has said."""
        if self.field == CardField.ALLERGIES:
            return _("None are entered here. That does not mean that there are none.")
        if self.field == CardField.MEDICATIONS:
            return _("Not listed by the patient.")
        return _("Nothing is entered here.")

    @property
    def icon(self) -> str:
        return ICONS.get(self.field, "")

    @property
    def tone(self) -> str:
        """What must not be overlooked is marked."""
        return "danger" if self.field == CardField.ALLERGIES else ""

    @property
    def is_fact(self) -> bool:
        return self.field in FACTS

    @property
    def needs_confirming(self) -> bool:
        """Whether the patient should say once more, or for the first time, that it is right."""
        return self.confirmed_at is None or self.is_changed or self.is_stale


@dataclass(frozen=True, slots=True)
class EmergencyContent:
    """A card, read at one moment: all that the patient chose, in the order of `CardField`. Only
    an empty list of medicines taken comes after those that were prescribed."""

    card: EmergencyCard
    at: dt.datetime
    parts: Sequence[Part]

    @property
    def shown(self) -> list[Part]:
        """What a responder sees: the parts that the patient has confirmed."""
        return [part for part in self.parts if part.confirmed_at]

    @property
    def unconfirmed(self) -> list[Part]:
        """What the patient should confirm."""
        return [part for part in self.parts if part.needs_confirming]


def emergency_content(card: EmergencyCard, at: dt.datetime) -> EmergencyContent:
    """What the card says at that moment. Loaded `with_patient`, the card costs no query itself."""
    chosen = {CardField(choice.field): choice for choice in card.choices.all()}
    parts = [_part(card, field, chosen[field], at) for field in CardField if field in chosen]
    return EmergencyContent(card, at, sorted(parts, key=_place))


def version_of(field: CardField, rows: Sequence[Any], *, patient_id: Any) -> str:
    """A keyed digest of what a field shows. It is kept beside the confirmation, where the plain
    digest of a blood type could be guessed."""
    shown = [SHOWN[field](row) for row in rows]
    text = dumps([str(patient_id), field, shown]).decode()
    return crypto.blind_index(text, purpose="qrverify.emergency.version")


def _part(card: EmergencyCard, field: CardField, choice: EmergencyChoice, at: dt.datetime) -> Part:
    rows = READ[field](card, clinic_date(at))
    version = version_of(field, rows, patient_id=card.patient_id)
    confirmed_at = choice.confirmed_at
    return Part(
        field=field,
        rows=rows,
        version=version,
        confirmed_at=confirmed_at,
        is_changed=confirmed_at is not None and choice.confirmed_version != version,
        is_stale=confirmed_at is not None and confirmed_at < at - CONFIRMED_FOR,
    )


def _place(part: Part) -> tuple[int, bool]:
    """Whoever reads first that no medicines are listed may read no further."""
    is_empty = part.field == CardField.MEDICATIONS and not part.rows
    field = CardField.PRESCRIPTIONS if is_empty else part.field
    return list(CardField).index(field), is_empty


# --- What is read -------------------------------------------------------------------------

Reader = Callable[[EmergencyCard, dt.date], Sequence[Any]]


def _list_of(kind: type[HealthEntry]) -> Reader:
    return lambda card, _on: list(kind.objects.of(card.patient))


def _profile(card: EmergencyCard, _on: dt.date) -> Sequence[PatientProfile]:
    profile = getattr(card.patient, "patient_profile", None)
    return [profile] if profile else []


def _blood_type(card: EmergencyCard, on: dt.date) -> Sequence[PatientProfile]:
    return [profile for profile in _profile(card, on) if profile.blood_type]


def _prescriptions(card: EmergencyCard, on: dt.date) -> Sequence[Prescription]:
    return list(prescriptions_taken(card.patient, on))


READ: dict[CardField, Reader] = {
    CardField.ALLERGIES: _list_of(AllergyIntolerance),
    CardField.NAME: lambda card, _on: [card.patient],
    CardField.BIRTH_DATE: _profile,
    CardField.SEX: _profile,
    CardField.BLOOD_TYPE: _blood_type,
    CardField.LANGUAGES: lambda card, _on: card.languages,
    CardField.EMERGENCY_CONTACTS: _list_of(EmergencyContact),
    CardField.CONDITIONS: _list_of(Condition),
    CardField.MEDICATIONS: _list_of(MedicationStatement),
    CardField.PRESCRIPTIONS: _prescriptions,
    CardField.NOTE: lambda card, _on: [card.note] if card.note else [],
}
# What of a row is shown, and so is confirmed: the same in every language.
SHOWN: dict[CardField, Callable[[Any], Any]] = {
    CardField.ALLERGIES: lambda row: [row.substance, row.criticality, row.reaction, row.note],
    CardField.NAME: lambda user: user.full_name,
    CardField.BIRTH_DATE: lambda profile: profile.birth_date.isoformat(),
    CardField.SEX: lambda profile: profile.sex,
    CardField.BLOOD_TYPE: lambda profile: profile.blood_type,
    CardField.LANGUAGES: str,
    CardField.EMERGENCY_CONTACTS: lambda row: [row.name, row.relationship, str(row.phone)],
    CardField.CONDITIONS: lambda row: [row.name, row.since, row.note],
    CardField.MEDICATIONS: lambda row: [row.name, row.dosage, row.since],
    CardField.PRESCRIPTIONS: lambda row: [
        row.number,
        row.version,
        *(item.position for item in row.items.all()),
    ],
    CardField.NOTE: str,
}


# --- In words -----------------------------------------------------------------------------


def _allergy(row: AllergyIntolerance) -> Iterator[Line]:
    is_grave = row.criticality == AllergyIntolerance.Criticality.HIGH
    yield Line(row.substance, joined(row.summary, row.note), is_grave=is_grave)


def _name(user: User) -> Iterator[Line]:
    yield Line(user.full_name)


def _birth_date(profile: PatientProfile) -> Iterator[Line]:
    yield Line(date_format(profile.birth_date))


def _sex(profile: PatientProfile) -> Iterator[Line]:
    yield Line(profile.get_sex_display())


def _blood(profile: PatientProfile) -> Iterator[Line]:
    yield Line(profile.get_blood_type_display())


def _language(code: str) -> Iterator[Line]:
    yield Line(str(SpokenLanguage(code).label))


def _contact(row: EmergencyContact) -> Iterator[Line]:
    yield Line(row.name, row.relationship, phone=str(row.phone))


def _entry(row: HealthEntry) -> Iterator[Line]:
    yield Line(str(row), row.summary)


def _prescription(row: Prescription) -> Iterator[Line]:
    """A line for each medicine: who prescribed them is for later."""
    for item in row.items.all():
        name = f"{item.medicine} {item.strength}".strip()
        yield Line(name, joined(dosage_sentence(item, spoken()), item.instructions))


def _note(text: str) -> Iterator[Line]:
    yield Line(text)


WORDS: dict[CardField, Callable[[Any], Iterator[Line]]] = {
    CardField.ALLERGIES: _allergy,
    CardField.NAME: _name,
    CardField.BIRTH_DATE: _birth_date,
    CardField.SEX: _sex,
    CardField.BLOOD_TYPE: _blood,
    CardField.LANGUAGES: _language,
    CardField.EMERGENCY_CONTACTS: _contact,
    CardField.CONDITIONS: _entry,
    CardField.MEDICATIONS: _entry,
    CardField.PRESCRIPTIONS: _prescription,
    CardField.NOTE: _note,
}
