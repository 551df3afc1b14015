"""The people of a demonstration clinic, and how each of them came in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from accounts.models import (
    AllergyIntolerance,
    ApplicationReview,
    BloodType,
    Check,
    DoctorProfile,
    EmergencyContact,
    Language,
    PatientProfile,
    Role,
    Sex,
    SpokenLanguage,
    Status,
    StatusChange,
    User,
)
from common import crypto
from medisync.demo import (
    APPLICANT_EMAIL,
    ARABIC_PATIENT_EMAIL,
    DEMO_DOMAIN,
    DOCTOR_EMAIL,
    PATIENT_EMAIL,
)
from medisync.demo.bulk import Rows
from medisync.demo.chance import instant_between, shortly_after, uuid7_at
from medisync.demo.names import (
    BIOS,
    CONDITIONS,
    FAMILY_NAMES,
    FEMALE_NAMES,
    GOVERNORATES,
    MALE_NAMES,
    STREETS,
    Text,
)
from notifications.models import Notification
from notifications.wording import Kind
from specializations.models import Specialization

DOCTORS = 6
PATIENTS = 40
# Each clinic has a hundred serial numbers; its doctors take the first, patients go on from here.
FIRST_PATIENT = 10
# The first clinic's doctors practise these; those of the others draw theirs.
FIRST_SPECIALTIES = (
    "cardiology",
    "endocrinology",
    "dermatology",
    "obstetrics-gynaecology",
    "orthopaedics",
    "ophthalmology",
)
# Children hold no accounts.
SPECIALTIES = tuple(sorted(CONDITIONS.keys() - {"paediatrics"}))
# The patients with a published password are of an age at which people see a cardiologist.
CAST_AGE = 58
LICENCE_DAYS_LEFT = (12, 25, 48, 80, 300, 500, 700)
YEAR = dt.timedelta(days=365)
# In a hundred Egyptians, about.
BLOOD_TYPES = {
    BloodType.A_POSITIVE: 31, BloodType.O_POSITIVE: 30, BloodType.B_POSITIVE: 23,
    BloodType.AB_POSITIVE: 8, BloodType.A_NEGATIVE: 3, BloodType.O_NEGATIVE: 3,
    BloodType.B_NEGATIVE: 1, BloodType.AB_NEGATIVE: 1,
}  # fmt: skip
ALLERGIES = (
    (Text("Penicillin", "البنسلين"), AllergyIntolerance.Criticality.HIGH),
    (Text("Peanuts", "الفول السوداني"), AllergyIntolerance.Criticality.HIGH),
    (Text("Dust", "الغبار"), AllergyIntolerance.Criticality.LOW),
    (Text("Eggs", "البيض"), AllergyIntolerance.Criticality.UNABLE_TO_ASSESS),
)
SISTER = Text("Sister", "أخت")
LIKELY_ALLERGIC = 0.3
THIRD_LANGUAGES = (SpokenLanguage.FRENCH, SpokenLanguage.GERMAN, SpokenLanguage.ITALIAN)
LIKELY_THIRD_LANGUAGE = 0.25
LIKELY_CONTACT = 0.8
# What follows the governorate in a national ID; each clinic takes its own part of them.
NATIONAL_ID_TAILS = 50_000
MOST_CLINICS = len(GOVERNORATES) * NATIONAL_ID_TAILS // PATIENTS


@dataclass(frozen=True)
class World:
    """What all clinics share."""

    seed: int
    end: dt.datetime
    password_hash: str
    admin: User
    specializations: dict[str, Specialization]
    licence_document: str
    national_id_document: str

    @property
    def start(self) -> dt.datetime:
        return self.end - YEAR


@dataclass(frozen=True)
class Clinic:
    """One clinic in the making; the first is the one whose accounts are published."""

    world: World
    number: int
    rng: Random
    rows: Rows

    @property
    def is_first(self) -> bool:
        return self.number == 1


def make_doctors(clinic: Clinic) -> list[User]:
    """Six practising doctors, each of another specialty."""
    specialties = FIRST_SPECIALTIES if clinic.is_first else clinic.rng.sample(SPECIALTIES, DOCTORS)
    doctors = []
    for place, code in enumerate(specialties):
        joined = instant_between(
            clinic.rng, clinic.world.start, clinic.world.start + dt.timedelta(days=7)
        )
        is_named = clinic.is_first and place == 0
        doctor, review = _make_doctor(
            clinic, place, code, joined=joined, email=DOCTOR_EMAIL if is_named else ""
        )
        decided = joined + dt.timedelta(days=1 + 2 * clinic.rng.random())
        _approve(clinic, doctor, review, at=decided)
        doctors.append(doctor)
    return doctors


def make_applicant(clinic: Clinic) -> User:
    """A doctor whose application came in the day before yesterday."""
    joined = clinic.world.end - dt.timedelta(days=2)
    doctor, _ = _make_doctor(clinic, DOCTORS, "neurology", joined=joined, email=APPLICANT_EMAIL)
    return doctor


def make_patients(clinic: Clinic) -> list[User]:
    """Forty patients, who come in over the year, more of them early."""
    cast = (PATIENT_EMAIL, ARABIC_PATIENT_EMAIL) if clinic.is_first else ()
    return [
        _make_patient(clinic, place, email=cast[place] if place < len(cast) else "")
        for place in range(PATIENTS)
    ]


def licence_number(clinic_number: int, place: int) -> str:
    """The licence of a clinic's doctor."""
    return f"DEMO-{clinic_number:05d}-{place + 1}"


def age_on(patient: User, day: dt.date) -> int:
    birth = patient.patient_profile.birth_date
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _make_doctor(
    clinic: Clinic, place: int, code: str, *, joined: dt.datetime, email: str
) -> tuple[User, ApplicationReview]:
    """Someone who has applied, and the round in which they wait."""
    world, rng = clinic.world, clinic.rng
    sex = rng.choice(list(Sex))
    user = _make_user(clinic, Role.DOCTOR, place, sex=sex, joined=joined, email=email)
    applied = shortly_after(rng, joined, minutes=20)
    practice = _place(clinic)
    clinic.rows.add(
        DoctorProfile(
            id=uuid7_at(applied, rng),
            created_at=applied,
            applied_at=applied,
            user=user,
            specialization=world.specializations[code],
            licence_number=licence_number(clinic.number, place),
            licence_document=world.licence_document,
            national_id_document=world.national_id_document,
            years_of_experience=rng.randint(4, 35),
            consultation_fee=Decimal(50 * rng.randint(4, 16)),
            city=getattr(practice.city, user.language),
            governorate=practice.governorate,
            **_practice(rng, user.language),
        )
    )
    review = clinic.rows.add(
        ApplicationReview(
            id=uuid7_at(applied, rng), created_at=applied, profile=user.doctor_profile
        )
    )
    _enter(clinic, user, Status.PENDING_APPROVAL, at=applied, by=user)
    return user, review


def _approve(clinic: Clinic, doctor: User, review: ApplicationReview, *, at: dt.datetime) -> None:
    """Everything was right; of the licences, some end soon."""
    days_left = clinic.rng.choice(LICENCE_DAYS_LEFT)
    doctor.doctor_profile.licence_expiry_date = (
        clinic.world.end + dt.timedelta(days=days_left)
    ).date()
    review.claimed_by = review.decided_by = clinic.world.admin
    review.claimed_at = review.decided_at = at
    review.checks, review.decision = Check.values, ApplicationReview.Decision.APPROVED
    _enter(clinic, doctor, Status.ACTIVE, at=at, by=clinic.world.admin)
    clinic.rows.add(
        Notification(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            recipient=doctor,
            kind=Kind.DOCTOR_APPROVED,
            url="/",
            read_at=shortly_after(clinic.rng, at, minutes=200),
        )
    )


def _make_patient(clinic: Clinic, place: int, *, email: str) -> User:
    rng, world = clinic.rng, clinic.world
    # The doctors have been approved by then.
    day = 14 if email else 14 + 320 * rng.random() ** 1.7
    joined = world.start + dt.timedelta(days=day, hours=12 * rng.random())
    sex = rng.choice(list(Sex))
    user = _make_user(
        clinic, Role.PATIENT, FIRST_PATIENT + place, sex=sex, joined=joined, email=email
    )
    age = CAST_AGE if email else rng.triangular(18, 85, 55)
    birth_date = (joined - (age + 1) * YEAR).date()
    number = national_id(clinic.number, place, birth_date=birth_date, sex=sex)
    completed = shortly_after(rng, joined, minutes=5)
    home = _place(clinic)
    clinic.rows.add(
        PatientProfile(
            id=uuid7_at(completed, rng),
            created_at=completed,
            user=user,
            birth_date=birth_date,
            sex=sex,
            national_id=number,
            national_id_index=crypto.blind_index(number, purpose="accounts.patient.national_id"),
            **_body(clinic, sex),
            city=getattr(home.city, user.language),
            governorate=home.governorate,
        )
    )
    _keep_health(clinic, user, at=completed, with_all=bool(email))
    _enter(clinic, user, Status.ACTIVE, at=completed, by=user)
    return user


def _practice(rng: Random, language: str) -> dict[str, Any]:
    """What a doctor tells patients, in the doctor's language; one in four speaks a third one."""
    street, bio = rng.choice(STREETS), rng.choice(BIOS)
    third = [rng.choice(THIRD_LANGUAGES)] if rng.random() < LIKELY_THIRD_LANGUAGE else []
    return {
        "bio": getattr(bio, language),
        "clinic_address": f"{rng.randint(1, 90)} {getattr(street, language)}",
        "languages": [SpokenLanguage.ARABIC, SpokenLanguage.ENGLISH, *third],
    }


class Place(NamedTuple):
    city: Text
    governorate: str


def _place(clinic: Clinic) -> Place:
    """Somewhere in the clinic's governorate."""
    where = GOVERNORATES[(clinic.number - 1) % len(GOVERNORATES)]
    return Place(clinic.rng.choice(where.cities), where.iso_code)


def _body(clinic: Clinic, sex: Sex) -> dict[str, Any]:
    """Blood types as common as they are in Egypt; weight that goes with the height."""
    rng = clinic.rng
    height = round(rng.gauss(173 if sex == Sex.MALE else 160, 6))
    weight = Decimal(round(rng.uniform(21, 33) * (height / 100) ** 2))
    (blood_type,) = rng.choices(list(BLOOD_TYPES), weights=list(BLOOD_TYPES.values()))
    return {"blood_type": blood_type, "height_cm": height, "weight_kg": weight}


def _keep_health(clinic: Clinic, patient: User, *, at: dt.datetime, with_all: bool) -> None:
    """The lists of a patient: every third is allergic to something, most name somebody to call;
    those whom everybody looks at have both."""
    rng, language = clinic.rng, patient.language
    if with_all or rng.random() < LIKELY_ALLERGIC:
        substance, criticality = rng.choice(ALLERGIES)
        clinic.rows.add(
            AllergyIntolerance(
                id=uuid7_at(at, rng),
                created_at=at,
                patient=patient,
                substance=getattr(substance, language),
                criticality=criticality,
            )
        )
    if with_all or rng.random() < LIKELY_CONTACT:
        first, family = rng.choice(FEMALE_NAMES), rng.choice(FAMILY_NAMES)
        clinic.rows.add(
            EmergencyContact(
                id=uuid7_at(at, rng),
                created_at=at,
                patient=patient,
                name=f"{getattr(first, language)} {getattr(family, language)}",
                relationship=getattr(SISTER, language),
                phone=f"+2011{rng.randrange(10**8):08d}",
                email=f"sister@{DEMO_DOMAIN}" if with_all else "",
            )
        )


def _make_user(
    clinic: Clinic, role: Role, place: int, *, sex: Sex, joined: dt.datetime, email: str
) -> User:
    """Someone who has just proven an address; every second one reads and writes Arabic."""
    rng = clinic.rng
    language = Language.ARABIC if place % 2 else Language.ENGLISH
    first = rng.choice(MALE_NAMES if sex == Sex.MALE else FEMALE_NAMES)
    family = rng.choice(FAMILY_NAMES)
    serial = clinic.number * 100 + place
    user = clinic.rows.add(
        User(
            id=uuid7_at(joined, rng),
            created_at=joined,
            email=email or f"{_latin(first)}.{_latin(family)}{serial}@{DEMO_DOMAIN}",
            password=clinic.world.password_hash,
            role=role,
            first_name=getattr(first, language),
            last_name=getattr(family, language),
            phone=f"+2010{serial:08d}",
            language=language,
        )
    )
    _enter(clinic, user, Status.EMAIL_VERIFIED, at=joined, by=user, came_from="")
    return user


def _enter(
    clinic: Clinic,
    user: User,
    status: Status,
    *,
    at: dt.datetime,
    by: User,
    came_from: str | None = None,
) -> None:
    clinic.rows.add(
        StatusChange(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            user=user,
            from_status=user.status if came_from is None else came_from,
            to_status=status,
            changed_by=by,
        )
    )
    user.status = status


def national_id(clinic_number: int, place: int, *, birth_date: dt.date, sex: Sex) -> str:
    """A valid national ID that no other patient of any demonstration clinic has.

    Patients of a clinic were born in its governorate, whose clinics share out the tails.
    """
    round_, governorate = divmod(clinic_number - 1, len(GOVERNORATES))
    # 7919 has no factor in common with their number, so each tail still comes once.
    tail = (round_ * PATIENTS + place) * 7919 % NATIONAL_ID_TAILS
    serial, check_digit = divmod(tail, 10)
    century = "3" if birth_date.year >= 2000 else "2"
    code = GOVERNORATES[governorate].national_id_code
    return f"{century}{birth_date:%y%m%d}{code}{2 * serial + (sex == Sex.MALE):04d}{check_digit}"


def _latin(name: Text) -> str:
    return "".join(letter for letter in name.en.lower() if letter.isalpha())
