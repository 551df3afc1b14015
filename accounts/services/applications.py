"""A doctor's application: handing it in, and correcting it when it comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import ApplicationReview, CorrectionStep, DoctorProfile, Role, Status, User
from accounts.models.profiles import document_path
from accounts.policies import check_can_complete_profile, check_can_correct
from accounts.services.statuses import enter_status
from accounts.services.texts import checked_licence_number, checked_name
from common.documents import check_document
from common.errors import DomainError, InvalidInput
from common.files import atomic_with_files
from specializations.models import Specialization

DOCUMENTS = frozenset({"licence_document", "national_id_document"})
# What may be corrected at each step, and nothing else.
FIELDS: dict[str, frozenset[str]] = {
    CorrectionStep.NAME: frozenset({"first_name", "last_name"}),
    CorrectionStep.PRACTICE: frozenset({"specialization_id", "licence_number"}),
    CorrectionStep.LICENCE_DOCUMENT: frozenset({"licence_document"}),
    CorrectionStep.NATIONAL_ID_DOCUMENT: frozenset({"national_id_document"}),
}


class LicenceTaken(DomainError):
    code = "licence_taken"
    detail = _("This licence number belongs to another account.")


@dataclass(frozen=True, slots=True)
class DoctorDetails:
    phone: str
    specialization_id: UUID
    licence_number: str
    licence_document: UploadedFile[bytes]
    national_id_document: UploadedFile[bytes]


def complete_doctor_profile(*, user_id: UUID, details: DoctorDetails) -> User:
    """Step 4 for doctors: they wait for an administrator from here on."""
    documents = {
        "licence_document": details.licence_document,
        "national_id_document": details.national_id_document,
    }
    with _storing(documents) as paths:
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        check_can_complete_profile(user, Role.DOCTOR)
        return _apply(user, details, paths)


def _apply(user: User, details: DoctorDetails, paths: dict[str, str]) -> User:
    profile = DoctorProfile(
        user=user,
        specialization=_offered(details.specialization_id),
        licence_number=checked_licence_number(details.licence_number),
        **paths,
    )
    save_licence(profile)
    user.phone = details.phone
    user.save(update_fields=["phone"])
    return _hand_in(profile)


def last_review(user: User) -> ApplicationReview | None:
    """The newest round of somebody's application."""
    return ApplicationReview.objects.filter(profile__user=user).first()


def returned_step(user: User) -> CorrectionStep:
    """What an applicant whose application came back is to correct. Whoever sends the correction
    twice at once finds a new round open by now; what came back is the one before."""
    check_can_correct(user)
    returned = ApplicationReview.objects.filter(
        profile__user=user, decision=ApplicationReview.Decision.RETURNED
    )
    return CorrectionStep(returned[0].return_step)


def waiting_since(user: User) -> dt.datetime | None:
    """Since when somebody's application waits for a decision. One that is decided while this is
    asked waits no more."""
    if user.status != Status.PENDING_APPROVAL:
        return None
    rounds = ApplicationReview.objects.undecided().filter(profile__user=user)
    return rounds.values_list("created_at", flat=True).first()


def correct_application(*, actor: User, changes: dict[str, Any]) -> User:
    """Correct the step that the application came back for; it waits for a new round then."""
    documents = {name: changes[name] for name in DOCUMENTS & changes.keys()}
    with _storing(documents) as paths:
        user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        step = returned_step(user)
        if changes.keys() != FIELDS[step]:
            raise InvalidInput(_("Correct what you were asked to, and nothing else."))
        return _correct(user, step, changes | paths)


def _correct(user: User, step: CorrectionStep, changes: dict[str, Any]) -> User:
    profile = user.doctor_profile
    if step == CorrectionStep.NAME:
        user.first_name = checked_name(changes["first_name"], attr="first_name")
        user.last_name = checked_name(changes["last_name"], attr="last_name")
        user.save(update_fields=["first_name", "last_name"])
    elif step == CorrectionStep.PRACTICE:
        profile.specialization = _offered(changes["specialization_id"])
        profile.licence_number = checked_licence_number(changes["licence_number"])
        save_licence(profile)
    else:
        _replace_document(profile, *changes.popitem())
    return _hand_in(profile)


def save_licence(profile: DoctorProfile) -> None:
    """Save a profile, if its licence is nobody else's. Part of the caller's transaction."""
    # Of two at once, the constraint refuses the second.
    others = DoctorProfile.objects.exclude(pk=profile.pk)
    if others.filter(licence_number=profile.licence_number).exists():
        raise LicenceTaken(attr="licence_number")
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError as error:
        raise LicenceTaken(attr="licence_number") from error


def _hand_in(profile: DoctorProfile) -> User:
    ApplicationReview.objects.create(profile=profile)
    return enter_status(profile.user, Status.PENDING_APPROVAL, actor=profile.user)


def _offered(specialization_id: UUID) -> Specialization:
    """One to choose, held until the commit: an administrator may be deleting it."""
    offered = Specialization.objects.offered().select_for_update(no_key=True)
    specialization = offered.filter(pk=specialization_id).first()
    if specialization is None:
        raise InvalidInput(_("Choose one of the list."), attr="specialization_id")
    return specialization


@contextmanager
def _storing(documents: Mapping[str, UploadedFile[bytes]]) -> Iterator[dict[str, str]]:
    """A transaction in which a profile gets these documents, each at a path of its own. They are
    stored once the rows are written, and nothing of them stays if those are undone."""
    for name, document in documents.items():
        check_document(document, attr=name)
    paths = {name: document_path(DoctorProfile(), "") for name in documents}
    with atomic_with_files(*paths.values()):
        yield paths
        for name, document in documents.items():
            default_storage.save(paths[name], document)


def _replace_document(profile: DoctorProfile, name: str, path: str) -> None:
    replaced = getattr(profile, name).name
    setattr(profile, name, path)
    profile.save(update_fields=[name])
    delete_document_after_commit(replaced)


def delete_document_after_commit(name: str | None) -> None:
    """A file cannot be rolled back: it goes once no row knows it."""
    if name:
        transaction.on_commit(partial(_delete_document, name), robust=True)


def _delete_document(name: str) -> None:
    """Unless another profile has the same file, as the demonstration's sample papers are."""
    if not DoctorProfile.objects.keeping(name).exists():
        default_storage.delete(name)
