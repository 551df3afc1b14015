"""Forgetting a person: their rows of the history stay, who they were goes.

What remains on purpose, and names them still: the prescriptions a doctor has issued carry the
prescriber's name and licence number as they were at issue. That is part of a legal document that
others hold on paper, and a database trigger refuses to change it. The access log names people
by id alone, and the id stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from uuid import UUID

from auditlog.models import LogEntry
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    AccountChange,
    AllergyIntolerance,
    ApplicationReview,
    Condition,
    DeviceSession,
    DoctorProfile,
    EmailChange,
    EmergencyContact,
    ExternalIdentity,
    MedicationStatement,
    Passkey,
    PasskeyChallenge,
    PasswordReset,
    PatientProfile,
    PendingSignIn,
    RecoveryCode,
    Registration,
    SecondFactorReset,
    Status,
    StatusChange,
    Totp,
    User,
)
from accounts.services.applications import delete_document_after_commit
from accounts.services.directory import forget_words
from accounts.services.exports import delete_exports
from accounts.services.statuses import enter_status
from accounts.services.texts import required_text
from accounts.services.users import AccountIsGone, lock_for_administrator
from audit.models import AccessCase
from common.errors import InvalidInput
from notifications.services import forget_recipient

FIRST_NAME, LAST_NAME = "Anonymised", "person"
GONE = "—"
# A part of a name shorter than this is also a part of too many other words.
SHORTEST_WORD = 2

Redact = Callable[[str], str]


class WrongAddress(InvalidInput):
    code = "wrong_address"
    detail = _("This is not the e-mail address of the account.")


@transaction.atomic
def anonymise_user(*, session: DeviceSession, user_id: UUID, email: str, reason: str) -> User:
    """Take away for good who somebody is; the clinical record of what happened stays.

    The administrator types the account's e-mail address, so that nobody is forgotten by a slip.
    The person is not written to: an e-mail to them would keep the address.
    """
    user = lock_for_administrator(session, user_id)
    reason = required_text(reason, attr="reason")
    if user.status == Status.ANONYMISED:
        raise AccountIsGone
    if email.strip().lower() != user.email:
        raise WrongAddress(attr="email")
    redact = _redactor(user)
    addresses, listed = _addresses(user), _listed(user)
    _forget_identity(user)
    _forget_patient(user)
    _redact_health(user, redact)
    _forget_doctor(user)
    _redact_decisions(user, redact)
    enter_status(user, Status.ANONYMISED, actor=session.user, reason=redact(reason))
    forget_words(listed)
    _forget_ways_in(user, addresses)
    delete_exports(user)
    forget_recipient(recipient=user, addresses=addresses)
    _forget_in_change_log(user)
    return user


def _addresses(user: User) -> set[str]:
    """Those the account has, or is known to have had and nobody else has since."""
    registered = Registration.objects.filter(user=user).values_list("email", flat=True)
    moved_to = EmailChange.objects.filter(user=user, used_at__isnull=False)
    known = {user.email, *registered, *moved_to.values_list("email", flat=True)}
    others = User.objects.exclude(pk=user.pk).filter(email__in=known)
    return known - set(others.values_list("email", flat=True))


def _listed(user: User) -> list[str]:
    """What the directory has of them in words."""
    profile = DoctorProfile.objects.filter(user=user).first()
    return [user.full_name, profile.city] if profile else []


def _forget_identity(user: User) -> None:
    """`.invalid` is nobody's domain (RFC 2606), so no mail ever goes there."""
    user.email = f"anonymised-{user.pk}@medisync.invalid"
    user.first_name, user.last_name = FIRST_NAME, LAST_NAME
    user.phone = None
    user.last_login = None
    user.set_unusable_password()
    user.save(update_fields=["email", "first_name", "last_name", "phone", "last_login", "password"])


def _forget_patient(user: User) -> None:
    """The year of birth stays: what was prescribed is not understood without the age. Whom to
    call is another person, who has no account to be forgotten by."""
    EmergencyContact.objects.of(user).delete()
    profile = PatientProfile.objects.filter(user=user).first()
    if profile is None:
        return
    PatientProfile.objects.filter(pk=profile.pk).update(
        birth_date=profile.birth_date.replace(month=1, day=1),
        national_id=None,
        national_id_index=None,
        address="",
        city="",
    )


def _redact_health(user: User, redact: Redact) -> None:
    """Allergies, conditions and medicines are of the clinical record; their notes may name."""
    _redact(AllergyIntolerance.objects.of(user), "reaction", redact)
    _redact(AllergyIntolerance.objects.of(user), "note", redact)
    _redact(Condition.objects.of(user), "note", redact)
    _redact(MedicationStatement.objects.of(user), "dosage", redact)


def _forget_doctor(user: User) -> None:
    profile = DoctorProfile.objects.filter(user=user).first()
    if profile is None:
        return
    for document in (profile.licence_document, profile.national_id_document):
        delete_document_after_commit(document.name)
    profile.licence_number = f"gone-{profile.pk.hex}"
    profile.licence_document = profile.national_id_document = ""
    profile.bio = profile.clinic_address = profile.city = ""
    profile.save()


def _forget_ways_in(user: User, addresses: set[str]) -> None:
    """Everything that signs in, or was on the way to; one-time codes go with what they open."""
    mine = Q(user=user)
    for rows in (
        DeviceSession.objects, PendingSignIn.objects, Totp.objects, RecoveryCode.objects,
        Passkey.objects, PasskeyChallenge.objects, ExternalIdentity.objects,
    ):  # fmt: skip
        rows.filter(mine).delete()
    for waiting in (Registration.objects, PasswordReset.objects, EmailChange.objects):
        waiting.filter(mine | Q(email__in=addresses)).delete()


def _redact_decisions(user: User, redact: Redact) -> None:
    """What administrators decided stays, with who, when and why; in the words they wrote, the
    person is no longer named. What they had still to decide comes to nothing."""
    AccountChange.objects.undecided().filter(user=user).delete()
    for change in AccountChange.objects.filter(user=user):
        change.reason, change.note = redact(change.reason), redact(change.note)
        if change.kind != AccountChange.Kind.ROLE:
            change.old_values = dict.fromkeys(change.old_values, GONE)
            change.new_values = dict.fromkeys(change.new_values, GONE)
        change.save(update_fields=["reason", "note", "old_values", "new_values"])
    _redact(StatusChange.objects.filter(user=user), "reason", redact)
    _redact(SecondFactorReset.objects.filter(user=user), "reason", redact)
    _redact(ApplicationReview.objects.filter(profile__user=user), "note", redact)
    asked = AccessCase.objects.filter(Q(patient_id=user.pk) | Q(event__actor_id=user.pk))
    _redact(asked, "question", redact)
    _redact(asked, "answer", redact)


def _redact(rows: QuerySet[Model], field: str, redact: Redact) -> None:
    for row in rows.exclude(**{field: ""}):
        setattr(row, field, redact(getattr(row, field)))
        row.save(update_fields=[field])


def _redactor(user: User) -> Redact:
    """Puts a dash for each word that tells who the user was."""
    words = {user.email, *user.first_name.split(), *user.last_name.split()}
    words |= {str(user.phone or "")}
    patient = PatientProfile.objects.filter(user=user).first()
    doctor = DoctorProfile.objects.filter(user=user).first()
    words |= {patient.national_id or ""} if patient else set()
    words |= {doctor.licence_number} if doctor else set()
    telling = sorted((word for word in words if len(word) >= SHORTEST_WORD), key=len, reverse=True)
    pattern = re.compile(
        r"(?<!\w)(?:" + "|".join(re.escape(word) for word in telling) + r")(?!\w)", re.IGNORECASE
    )
    return partial(pattern.sub, GONE)


def _forget_in_change_log(user: User) -> None:
    """The change log describes each object in words, and names who acted by address."""
    rows: list[Model] = [user]
    for profile in (PatientProfile, DoctorProfile):
        rows += profile.objects.filter(user=user)
    entries = LogEntry.objects.filter(object_pk__in=[str(row.pk) for row in rows])
    entries.update(object_repr=GONE)
    LogEntry.objects.filter(actor=user).update(actor_email=None)
