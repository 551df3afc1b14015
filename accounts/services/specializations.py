"""The catalogue of specialties: what administrators do to it, and how the public reads it.

A copy of what the public reads is kept under the version of the catalogue (see
`CatalogueVersion`), which is asked for first; so nobody reads a copy older than the last commit.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession
from accounts.policies import check_may_administer
from accounts.services.texts import checked_text, required_entry
from common.errors import DomainError, InvalidInput
from specializations.models import CatalogueVersion, Specialization

KEPT_SECONDS = 24 * 3600
CHANGEABLE = (
    "name_en", "name_ar", "aliases", "description_en", "description_ar", "is_retired",
)  # fmt: skip
# What no two of them share, whatever its case.
UNIQUE = ("code", "name_en", "name_ar")


class SpecializationInUse(DomainError):
    code = "specialization_in_use"
    detail = _("Doctors practise this specialty. Retire it: they keep it, and nobody else gets it.")


class SpecializationTaken(DomainError):
    code = "specialization_taken"
    detail = _("Another specialty has this name.")


@transaction.atomic
def add_specialization(*, session: DeviceSession, specialization: Specialization) -> Specialization:
    """Offer a new specialty to doctors."""
    check_may_administer(session)
    return _saved(specialization)


@transaction.atomic
def change_specialization(
    *, session: DeviceSession, specialization_id: UUID, changes: dict[str, Any]
) -> Specialization:
    """Change what it is called, or retire it and offer it again. Its code stays: others may have
    written it down."""
    check_may_administer(session)
    unknown = changes.keys() - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"Not changeable: {', '.join(sorted(unknown))}")
    specialization = _locked(specialization_id)
    for name, value in changes.items():
        setattr(specialization, name, value)
    return _saved(specialization)


@transaction.atomic
def delete_specialization(*, session: DeviceSession, specialization_id: UUID) -> None:
    """Take one away that no doctor ever had; whoever registers with it meanwhile waits."""
    check_may_administer(session)
    specialization = _locked(specialization_id)
    if specialization.doctors.exists():
        raise SpecializationInUse
    specialization.delete()


def offered_specializations() -> list[Specialization]:
    """Those a doctor may choose, each with its `doctor_count`: how many listed doctors have it.

    In the order of their English names; they are to be read, not to be saved.
    """
    version = CatalogueVersion.objects.values_list("version", flat=True).first()
    key = f"specializations:{version}"
    rows = cache.get(key) if version else None
    if rows is None:
        rows = _read_rows()
        # Nothing has been written yet: there is no version to keep them under.
        if version:
            cache.set(key, rows, KEPT_SECONDS)
    return [_revived(row) for row in rows]


def popular_specializations(limit: int) -> list[Specialization]:
    """Those with the most doctors first; none that nobody practises."""
    practised = [row for row in offered_specializations() if doctor_count(row)]
    return sorted(practised, key=doctor_count, reverse=True)[:limit]


def offered_specialization(specialization_id: UUID) -> Specialization:
    """One of those on offer."""
    for specialization in offered_specializations():
        if specialization.pk == specialization_id:
            return specialization
    raise Http404


def doctor_count(specialization: Specialization) -> int:
    """How many listed doctors have one that was read as offered."""
    return specialization.doctor_count  # type: ignore[attr-defined,no-any-return]


def _read_rows() -> list[dict[str, Any]]:
    counted = Specialization.objects.offered().annotate(doctor_count=Count("listed"))
    return list(counted.values("id", "code", *CHANGEABLE, "doctor_count"))


def _revived(row: dict[str, Any]) -> Specialization:
    values = dict(row)
    count = values.pop("doctor_count")
    specialization = Specialization(**values)
    specialization.doctor_count = count  # type: ignore[attr-defined]
    return specialization


def _locked(specialization_id: UUID) -> Specialization:
    found = Specialization.objects.select_for_update().filter(pk=specialization_id).first()
    if found is None:
        raise Http404
    return found


def _saved(specialization: Specialization) -> Specialization:
    """Save one whose words are fit to be read, and whose names nobody else has."""
    _check_words(specialization)
    others = Specialization.objects.exclude(pk=specialization.pk)
    for name in UNIQUE:
        if others.filter(**{f"{name}__iexact": getattr(specialization, name)}).exists():
            raise SpecializationTaken(attr=name)
    try:
        with transaction.atomic():
            specialization.save()
    except IntegrityError as error:
        raise SpecializationTaken from error
    return specialization


def _check_words(specialization: Specialization) -> None:
    for name in ("name_en", "name_ar"):
        value = required_entry(
            getattr(specialization, name), attr=name, length=Specialization.NAME_LENGTH
        )
        setattr(specialization, name, value)
    for name in ("description_en", "description_ar"):
        length = Specialization.DESCRIPTION_LENGTH
        value = checked_text(getattr(specialization, name), attr=name, length=length)
        setattr(specialization, name, value)
    aliases = [
        required_entry(alias, attr="aliases", length=Specialization.ALIAS_LENGTH)
        for alias in specialization.aliases
    ]
    if len(aliases) > Specialization.MOST_ALIASES:
        raise InvalidInput(_("These are too many names."), attr="aliases")
    specialization.aliases = list(dict.fromkeys(aliases))
