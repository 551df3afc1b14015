"""What people change about their own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.errors import InvalidInput, NotAllowed

# A doctor's name stands on prescriptions as an administrator compared it with the licence.
REVIEWED = frozenset({"first_name", "last_name"})
CHANGEABLE = frozenset({"first_name", "last_name", "phone", "language", "time_zone"})


class NameIsReviewed(NotAllowed):
    code = "name_is_reviewed"
    detail = _("Your name was compared with your licence. Write to us to have it changed.")


@transaction.atomic
def update_own_account(*, actor: Any, changes: dict[str, Any]) -> User:
    """Change the actor's own name, phone, language or time zone."""
    unknown = changes.keys() - CHANGEABLE
    if unknown:
        raise ValueError(f"Not changeable: {', '.join(sorted(unknown))}")
    if "time_zone" in changes and changes["time_zone"] not in zoneinfo.available_timezones():
        raise InvalidInput(_("There is no such time zone."), attr="time_zone")
    user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    renamed = [name for name in REVIEWED & changes.keys() if changes[name] != getattr(user, name)]
    if user.is_doctor and renamed:
        raise NameIsReviewed(attr=min(renamed))
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes])
    return user
