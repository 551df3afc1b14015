"""What people change about their own account."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.models import DoctorProfile, PatientProfile, Role, User
from accounts.policies import check_describes_practice
from accounts.services.health import PROFILE_FIELDS, NoProfile, keep_changes, update_health
from accounts.services.texts import checked_name
from common.errors import InvalidInput, NotAllowed

# A doctor's name stands on prescriptions as an administrator compared it with the licence.
REVIEWED = frozenset({"first_name", "last_name"})
CHANGEABLE = frozenset({"first_name", "last_name", "phone", "language", "time_zone"})
PRACTICE = (
    "bio", "years_of_experience", "consultation_fee", "languages", "clinic_address", "city",
    "governorate",
)  # fmt: skip


class NameIsReviewed(NotAllowed):
    code = "name_is_reviewed"
    detail = _("Your name was compared with your licence. Write to us to have it changed.")


@cache
def time_zones() -> tuple[str, ...]:
    """Those to choose from: places by the names of the IANA database, and UTC. Not what depends
    on a server (`localtime`), and no other old names."""
    known = zoneinfo.available_timezones()
    return tuple(sorted(name for name in known if "/" in name or name == "UTC"))


@transaction.atomic
def update_own_account(*, actor: Any, changes: dict[str, Any]) -> User:
    """Change the actor's own name, phone, language or time zone."""
    unknown = changes.keys() - CHANGEABLE
    if unknown:
        raise ValueError(f"Not changeable: {', '.join(sorted(unknown))}")
    if "time_zone" in changes and changes["time_zone"] not in time_zones():
        raise InvalidInput(_("There is no such time zone."), attr="time_zone")
    names = {name: checked_name(changes[name], attr=name) for name in REVIEWED & changes.keys()}
    changes = changes | names
    user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    renamed = [name for name in REVIEWED & changes.keys() if changes[name] != getattr(user, name)]
    if user.is_doctor and renamed:
        raise NameIsReviewed(attr=min(renamed))
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes])
    return user


@transaction.atomic
def update_practice(*, actor: Any, changes: dict[str, Any]) -> DoctorProfile:
    """Change what a doctor tells patients about themselves and their clinic."""
    check_describes_practice(actor)
    # The account first, as everywhere: a trigger locks it, to list the doctor anew.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    profile = DoctorProfile.objects.select_for_update(no_key=True).filter(user=actor.pk).first()
    if profile is None:
        raise NoProfile
    if "languages" in changes:
        changes = changes | {"languages": list(dict.fromkeys(changes["languages"]))}
    return keep_changes(profile, changes, allowed=PRACTICE)


@transaction.atomic
def update_own_profile(
    *,
    actor: Any,
    account: dict[str, Any],
    patient: dict[str, Any] | None = None,
    doctor: dict[str, Any] | None = None,
) -> User:
    """Change the own account and the part of it that comes with the role: all of it, or
    nothing."""
    user = update_own_account(actor=actor, changes=account)
    if patient is not None:
        update_health(actor=actor, changes=patient)
    if doctor is not None:
        update_practice(actor=actor, changes=doctor)
    return user


def filled(*, actor: Any, profile: dict[str, Any]) -> dict[str, Any]:
    """A profile that replaces the one before: of the role's part, what is not told is empty."""
    parts: dict[str, tuple[str, type[Model], tuple[str, ...]]] = {
        Role.PATIENT: ("patient", PatientProfile, PROFILE_FIELDS),
        Role.DOCTOR: ("doctor", DoctorProfile, PRACTICE),
    }
    if actor.role not in parts:
        return profile
    part, model, names = parts[actor.role]
    if part not in profile:
        raise InvalidInput(_("This field is required."), attr=part)
    nothing = {name: getattr(model(), name) for name in names}
    return profile | {part: nothing | profile[part]}
