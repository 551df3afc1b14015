"""Licences that come to an end."""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.models import DoctorProfile
from common.clock import clinic_date
from common.errors import InvalidInput
from common.runs import each
from notifications.services import notify
from notifications.wording import Kind

TOLD_BEFORE = dt.timedelta(days=30)


def is_in_force(last_day: dt.date, *, on: dt.date) -> bool:
    """A licence counts on its last day, too."""
    return last_day >= on


def check_is_in_force(last_day: dt.date) -> None:
    """Nobody is let in, or renewed, by a licence that has ended."""
    if not is_in_force(last_day, on=clinic_date()):
        raise InvalidInput(_("This licence has ended."), attr="licence_expiry_date")


def tell_of_ending_licences(*, today: dt.date) -> int:
    """Tell each practising doctor once that their licence ends within thirty days; returns how
    many were told."""
    ending = (
        DoctorProfile.objects.licence_ends_by(today + TOLD_BEFORE)
        .licence_in_force(today)
        .exclude(licence_end_told=models.F("licence_expiry_date"))
    )
    return each(ending.select_related("user"), _tell)


@transaction.atomic
def _tell(profile: DoctorProfile) -> bool:
    # Whoever changes the row tells; a second run at the same time finds it changed.
    untold = DoctorProfile.objects.filter(
        pk=profile.pk, licence_expiry_date=profile.licence_expiry_date
    ).exclude(licence_end_told=profile.licence_expiry_date)
    if not untold.update(licence_end_told=profile.licence_expiry_date):
        return False
    with translation.override(profile.user.language):
        day = date_format(profile.licence_expiry_date)  # type: ignore[arg-type]
    notify(recipient=profile.user, kind=Kind.LICENCE_ENDING, url="/profile", context={"date": day})
    return True
