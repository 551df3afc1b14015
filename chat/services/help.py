"""Prepared replies, and being away."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chat.models import Absence, CannedReply
from chat.policies import check_can_prepare
from common.errors import DomainError, InvalidInput
from prescriptions.services.texts import check_line, check_text


class TitleTaken(DomainError):
    code = "reply_title_taken"
    detail = _("You have a reply of this title already.")


class TooManyReplies(DomainError):
    code = "too_many_replies"
    detail = _("You have as many replies as can be kept. Delete one first.")


@transaction.atomic
def save_reply(
    *, actor: Any, title: str, content: str, reply_id: UUID | None = None
) -> CannedReply:
    """Keep words under a title, as a new reply or in the place of one; of each title a doctor has
    one, whatever its letters' case."""
    check_can_prepare(actor)
    check_line(title, attr="title")
    check_text(content, attr="content")
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    mine = CannedReply.objects.visible_to(actor)
    others = mine.exclude(pk=reply_id)
    if others.alias(lowered=Lower("title")).filter(lowered=Lower(Value(title))).exists():
        raise TitleTaken(attr="title")
    if reply_id is None and others.count() >= CannedReply.MOST:
        raise TooManyReplies
    reply = _one(mine, reply_id) if reply_id else CannedReply(doctor=actor)
    reply.title, reply.content = title, content
    reply.save()
    return reply


@transaction.atomic
def delete_reply(*, actor: Any, reply_id: UUID) -> None:
    """What was said with it stays."""
    check_can_prepare(actor)
    _one(CannedReply.objects.visible_to(actor), reply_id).delete()


@transaction.atomic
def set_absence(
    *, actor: Any, starts_at: dt.datetime, ends_at: dt.datetime, notice: str = ""
) -> Absence:
    """Say from when until when one does not answer. It takes the place of what was said before."""
    check_can_prepare(actor)
    check_text(notice, attr="notice")
    _check_every_zone_tells(starts_at, attr="starts_at")
    _check_every_zone_tells(ends_at, attr="ends_at")
    if ends_at <= starts_at:
        raise InvalidInput(_("It ends before it begins."), attr="ends_at")
    if ends_at <= timezone.now():
        raise InvalidInput(_("That is over already."), attr="ends_at")
    instants = {"starts_at": starts_at.astimezone(dt.UTC), "ends_at": ends_at.astimezone(dt.UTC)}
    said = instants | {"notice": notice}
    absence, _is_new = Absence.objects.update_or_create(doctor=actor, defaults=said)
    return absence


@transaction.atomic
def end_absence(*, actor: Any) -> None:
    """One is back, or does not go; again changes nothing."""
    check_can_prepare(actor)
    Absence.objects.visible_to(actor).delete()


def absence_of(*, doctor_id: UUID, at: dt.datetime) -> Absence | None:
    """Whether a doctor is away, for those who write to them."""
    return Absence.objects.current(at).filter(doctor_id=doctor_id).first()


@transaction.atomic
def forget_help(*, user: Any) -> None:
    """Of a doctor who is anonymised: what they wrote in advance may name somebody."""
    CannedReply.objects.filter(doctor=user).delete()
    Absence.objects.filter(doctor=user).delete()


def _check_every_zone_tells(instant: dt.datetime, *, attr: str) -> None:
    """Whoever reads of it does by a clock of their own, which ends within a day of another's."""
    if not dt.MINYEAR < instant.year < dt.MAXYEAR:
        raise InvalidInput(_("This instant lies beyond what a calendar can tell."), attr=attr)


def _one(mine: Any, reply_id: UUID) -> CannedReply:
    found: CannedReply | None = mine.filter(pk=reply_id).first()
    if found is None:
        raise Http404
    return found
