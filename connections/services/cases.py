"""A patient questions an access to their data; an administrator answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Role, User
from accounts.policies import check_is_active
from accounts.services.texts import checked_text
from audit.models import AccessCase, AccessEvent
from audit.services import record_access
from common.errors import DomainError, InvalidInput
from connections.models import AccessGrant
from connections.policies import (
    can_question,
    check_can_answer_case,
    check_can_handle_case,
    check_can_question,
)
from notifications.services import notify
from notifications.wording import Kind

A_DAY = dt.timedelta(days=1)
QUESTIONS_A_DAY = 10
# The job runs every day, not to the second.
REMINDED_AGAIN_AFTER = dt.timedelta(hours=20)
NEAR = dt.timedelta(days=1)
NEAR_SHOWN = 20


class TooManyQuestions(DomainError):
    code = "too_many_questions"
    detail = _("You have asked ten questions within a day. Wait until tomorrow with the next.")
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


@transaction.atomic
def question_access(*, actor: Any, event_id: UUID, question: str) -> AccessCase:
    """Ask why somebody did that with one's data. All administrators are told, and one of them
    answers within a week. Raises `OwnAct`, `AlreadyQuestioned` or `TooManyQuestions`."""
    check_is_active(actor, role=Role.PATIENT)
    question = _said(question, attr="question", length=AccessCase.QUESTION_LENGTH)
    event = AccessEvent.objects.visible_to(actor).filter(pk=event_id).first()
    if event is None:
        raise Http404
    patient = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    check_can_question(event, list(event.cases.all()))
    _check_rate(patient, timezone.now())
    return _ask(patient, event, question)


@transaction.atomic
def object_to(*, actor: Any, events: Sequence[AccessEvent], objection: str) -> AccessCase:
    """The patient says that what these events tell was not in their name: a case is opened about
    the first that no question waits about, however much was asked today. Where one waits about
    each, administrators are told of the first of those again.

    Who calls it makes sure that it can be said once of the same thing.
    """
    check_is_active(actor, role=Role.PATIENT)
    patient = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    for event in events:
        if can_question(event, list(event.cases.all())):
            return _ask(patient, event, objection)
    case = AccessCase.objects.visible_to(patient).open().get(event=events[0])
    _tell_administrators(patient, case)
    return case


@transaction.atomic
def open_case(*, session: DeviceSession, case_id: UUID) -> AccessCase:
    """A case with the act it is about. That an administrator reads it is logged: a question may
    tell of an illness."""
    case = AccessCase.objects.select_related("event").filter(pk=case_id).first()
    if case is None:
        raise Http404
    check_can_handle_case(session, case)
    record_access(
        actor_id=session.user_id,
        patient_id=case.patient_id,
        action=AccessEvent.Action.READ,
        target=case,
        basis=AccessEvent.Basis.ADMINISTRATION,
    )
    return case


@transaction.atomic
def answer_case(*, session: DeviceSession, case_id: UUID, answer: str) -> AccessCase:
    """Answer the patient, who is told that there is an answer. The first one counts; whose act
    was questioned leaves it to another."""
    answer = _said(answer, attr="answer", length=AccessCase.ANSWER_LENGTH)
    case = (
        AccessCase.objects.select_for_update(of=["self"], no_key=True)
        .select_related("event")
        .filter(pk=case_id)
        .first()
    )
    if case is None:
        raise Http404
    check_can_answer_case(session, case)
    case.status, case.answer = AccessCase.Status.ANSWERED, answer
    case.answered_at, case.answered_by_id = timezone.now(), session.user_id
    case.save(update_fields=["status", "answer", "answered_at", "answered_by_id"])
    _tell_answered(case)
    return case


@transaction.atomic
def remind_of_overdue(*, now: dt.datetime) -> int:
    """Tell administrators how many questions should have been answered by now; returns how
    many they are told of. A case is told of once a day."""
    told_lately = Q(reminded_at__gt=now - REMINDED_AGAIN_AFTER)
    overdue = AccessCase.objects.overdue(now)
    count = overdue.exclude(told_lately).update(reminded_at=now)
    if count:
        for administrator in _administrators():
            notify(
                recipient=administrator,
                kind=Kind.CASES_OVERDUE,
                context={"count": count},
                url=reverse("admin:audit_accesscase_changelist"),
            )
    return count


def grant_at_the_time(event: AccessEvent) -> AccessGrant | None:
    """What that doctor was let see at that moment, if they were let see anything."""
    at = event.created_at
    return (
        AccessGrant.objects.filter(
            Q(ended_at=None) | Q(ended_at__gt=at),
            Q(ends_at=None) | Q(ends_at__gt=at),
            connection__patient_id=event.patient_id,
            connection__doctor_id=event.actor_id,
            created_at__lte=at,
        )
        .select_related("connection")
        .first()
    )


def acts_near(event: AccessEvent) -> QuerySet[AccessEvent]:
    """What the same person did with that patient's data within a day of it; the newest. Those
    without an account are not known from each other: of one of them, it is what all of them did."""
    at = event.created_at
    return (
        AccessEvent.objects.filter(patient_id=event.patient_id, actor_id=event.actor_id)
        .filter(created_at__gte=at - NEAR, created_at__lte=at + NEAR)
        .exclude(pk=event.pk)[:NEAR_SHOWN]
    )


def _ask(patient: User, event: AccessEvent, question: str) -> AccessCase:
    case = AccessCase.objects.create(patient_id=patient.pk, event=event, question=question)
    _tell_administrators(patient, case)
    return case


def _tell_administrators(patient: User, case: AccessCase) -> None:
    for administrator in _administrators():
        notify(
            recipient=administrator,
            kind=Kind.ACCESS_QUESTIONED,
            about=patient,
            url=reverse("admin:audit_accesscase_change", args=[case.pk]),
        )


def _said(text: str, *, attr: str, length: int) -> str:
    text = checked_text(text, attr=attr, length=length)
    if not text:
        raise InvalidInput(_("This cannot be empty."), attr=attr)
    return text


def _check_rate(patient: User, now: dt.datetime) -> None:
    """Counted with the patient's row locked, so that no two are asked beside each other."""
    lately = AccessCase.objects.visible_to(patient).filter(created_at__gt=now - A_DAY)
    asked = list(lately.values_list("created_at", flat=True)[:QUESTIONS_A_DAY])
    if len(asked) == QUESTIONS_A_DAY:
        raise TooManyQuestions(max(1, int((asked[-1] + A_DAY - now).total_seconds())))


def _administrators() -> QuerySet[User]:
    return User.objects.active().filter(role=Role.ADMIN).order_by("pk")


def _tell_answered(case: AccessCase) -> None:
    patient = User.objects.filter(pk=case.patient_id).first()
    if patient is not None:
        notify(
            recipient=patient,
            kind=Kind.ACCESS_ANSWERED,
            url=reverse("access-question", args=[case.event_id]),
        )
