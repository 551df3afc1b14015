"""What patients keep about their own health: the facts, and four lists."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import HealthEntry, PatientProfile, Role, User
from accounts.policies import check_is_active
from common.errors import DomainError, InvalidInput
from common.live import announce_change

# What patients let doctors see as `PatientProfile.CATEGORY`, and what is nobody else's.
SHARED = ("blood_type", "height_cm", "weight_kg")
PROFILE_FIELDS = (*SHARED, "address", "city", "governorate")
Entry = TypeVar("Entry", bound=HealthEntry)
Row = TypeVar("Row", bound=Model)


class NoProfile(DomainError):
    code = "no_profile"
    detail = _("Your account has no such profile.")


class ListIsFull(DomainError):
    code = "list_is_full"


class AlreadyListed(DomainError):
    code = "already_listed"
    detail = _("This is on your list already.")


@transaction.atomic
def update_health(*, actor: Any, changes: dict[str, Any]) -> PatientProfile:
    """Change a patient's own blood type, height, weight or where they live."""
    patient = _lock_patient(actor)
    profile = PatientProfile.objects.filter(user=patient).first()
    if profile is None:
        raise NoProfile
    profile = keep_changes(profile, changes, allowed=PROFILE_FIELDS)
    if not changes.keys().isdisjoint(SHARED):
        announce_change(patient.pk, PatientProfile.CATEGORY)
    return profile


@transaction.atomic
def add_entry(*, actor: Any, kind: type[Entry], values: dict[str, Any]) -> Entry:
    """Put a line on one of the actor's own lists."""
    patient = _lock_patient(actor)
    if kind.objects.of(patient).count() >= kind.MOST:
        raise ListIsFull(format_lazy(_("This list holds {most} at most."), most=kind.MOST))
    return _keep_entry(kind(patient=patient), values)


@transaction.atomic
def update_entry(
    *, actor: Any, kind: type[Entry], entry_id: UUID, changes: dict[str, Any]
) -> Entry:
    """Correct a line of one of the actor's own lists."""
    patient = _lock_patient(actor)
    entry: Entry | None = kind.objects.of(patient).filter(pk=entry_id).first()
    if entry is None:
        raise Http404
    return _keep_entry(entry, changes)


@transaction.atomic
def remove_entry(*, actor: Any, kind: type[Entry], entry_id: UUID) -> None:
    """Take a line off one of the actor's own lists."""
    patient = _lock_patient(actor)
    removed, _rows = kind.objects.of(patient).filter(pk=entry_id).delete()
    if not removed:
        raise Http404
    announce_change(patient.pk, kind.CATEGORY)


def keep_changes(row: Row, changes: dict[str, Any], *, allowed: tuple[str, ...]) -> Row:
    """Save the changes of a profile, if each fits its field."""
    unknown = changes.keys() - set(allowed)
    if unknown:
        raise ValueError(f"Not changeable: {', '.join(sorted(unknown))}")
    _set_fields(row, changes)
    row.save(update_fields=[*changes])
    return row


def _lock_patient(actor: Any) -> User:
    """One change of a patient's data at a time, so that what is counted still holds when it
    is written."""
    check_is_active(actor, role=Role.PATIENT)
    return User.objects.select_for_update(no_key=True).get(pk=actor.pk)


def _keep_entry(entry: Entry, values: dict[str, Any]) -> Entry:
    _set_fields(entry, values)
    try:
        entry.validate_constraints()
    except ValidationError as error:
        raise AlreadyListed(attr=entry.NAMED_BY) from error
    entry.save()
    announce_change(entry.patient_id, entry.CATEGORY)
    return entry


def _set_fields(row: Model, values: dict[str, Any]) -> None:
    """Each value to its field, if it fits."""
    for name, value in values.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    others = {field.name for field in row._meta.fields} - values.keys()
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise InvalidInput(sentences[0], attr=name) from error
