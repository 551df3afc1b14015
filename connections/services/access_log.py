"""Who saw a patient's data, as the patient reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, Status, User
from accounts.policies import check_is_active
from audit.models import AccessCase, AccessEvent
from audit.models import AccessEventQuerySet as Events
from audit.visits import Visit, visits_of
from connections.access_sentences import OBJECTS, sentence, sentences
from connections.models import DataCategory
from connections.policies import can_question

# As many as the visits of a first look are made of.
GLANCED_AT = 100


class By(models.TextChoices):
    OTHERS = "others", gettext_lazy("Others")
    ALL = "all", gettext_lazy("Others and you")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log is asked for. `since` is the first moment, `until` the first no more."""

    by: str = By.OTHERS
    actor_id: UUID | None = None
    category: str = ""
    action: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def among(self, events: Events) -> Events:
        exact = {"actor_id": self.actor_id, "action": self.action}
        found = events.filter(**{name: value for name, value in exact.items() if value})
        if self.by == By.OTHERS:
            found = found.by_others()
        if self.category:
            found = found.filter(_about(self.category))
        if self.since:
            found = found.filter(created_at__gte=self.since)
        if self.until:
            found = found.filter(created_at__lt=self.until)
        return found


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever did something, as far as they can be named."""

    id: UUID | None
    display_name: str
    full_name: str
    role: str

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label) if self.role else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, told to the patient whose data it was done to."""

    event: AccessEvent
    actor: Actor
    sentence: str
    url: str
    cases: Sequence[AccessCase]
    can_question: bool

    @property
    def case(self) -> AccessCase | None:
        """The question asked last about it."""
        return self.cases[0] if self.cases else None


@dataclass(frozen=True, slots=True)
class ToldVisit:
    """A visit, with what it came to and each act of it."""

    visit: Visit
    actor: Actor
    sentences: list[str]
    entries: list[Entry]

    @property
    def is_own(self) -> bool:
        return self.visit.actor_id == self.visit.events[0].patient_id

    @property
    def cases(self) -> list[AccessCase]:
        """The questions asked last about its acts."""
        return [entry.case for entry in self.entries if entry.case]


def access_log(*, actor: Any, wanted: Wanted | None = None) -> Events:
    """The patient's own log, or what they want of it; newest first."""
    check_is_active(actor, role=Role.PATIENT)
    events = AccessEvent.objects.visible_to(actor).prefetch_related("cases")
    return (wanted or Wanted(by=By.ALL)).among(events)


def log_entry(*, actor: Any, event_id: UUID) -> Entry:
    """One act of the own log."""
    event = access_log(actor=actor).filter(pk=event_id).first()
    if event is None:
        raise Http404
    return entries_of([event])[0]


def cases_of(*, actor: Any) -> models.QuerySet[AccessCase]:
    """What the patient has asked about their log; newest first."""
    check_is_active(actor, role=Role.PATIENT)
    return AccessCase.objects.visible_to(actor).select_related("event")


def entries_of(events: Sequence[AccessEvent]) -> list[Entry]:
    """Each act in words; the people of all of them are asked for at once."""
    people = _people(events)
    return [_entry(event, _actor(event, people)) for event in events]


def told_visits(events: Sequence[AccessEvent]) -> list[ToldVisit]:
    """The same by visits, given newest first."""
    people = _people(events)
    return [_told(visit, _actor(visit.events[0], people)) for visit in visits_of(events)]


def last_visits(*, actor: Any, count: int) -> list[ToldVisit]:
    """The last visits of others."""
    events = access_log(actor=actor, wanted=Wanted())
    return told_visits(list(events[:GLANCED_AT]))[:count]


def name_of(event: AccessEvent) -> Actor:
    """Who did one thing."""
    return _actor(event, _people([event]))


def _about(category: str) -> models.Q:
    """Events before there were categories tell by the object alone what they are about."""
    alike = [label for label, code in OBJECTS.items() if code == category]
    return models.Q(category=category) | models.Q(category="", object_type__in=alike)


def _people(events: Iterable[AccessEvent]) -> dict[UUID, User]:
    ids = {event.actor_id for event in events if event.actor_id}
    return User.objects.in_bulk(ids)


def _actor(event: AccessEvent, people: dict[UUID, User]) -> Actor:
    if event.actor_id is None:
        name = _name_without_account(event)
        return Actor(None, name, name, "")
    person = people.get(event.actor_id)
    if person is None:
        name = _("An account that no longer exists")
        return Actor(event.actor_id, name, name, "")
    if person.status == Status.ANONYMISED:
        name = _("Somebody whose account was anonymised")
        return Actor(event.actor_id, name, name, person.role)
    return Actor(event.actor_id, person.display_name, person.full_name, person.role)


def _name_without_account(event: AccessEvent) -> str:
    if event.action == AccessEvent.Action.EMERGENCY_OPENED:
        return _("Somebody with your emergency card")
    if event.action in {AccessEvent.Action.LINK_OPENED, AccessEvent.Action.LINK_REFUSED}:
        return _("Somebody with a link of yours")
    is_paper = event.basis == AccessEvent.Basis.QR
    return _("Somebody with your printed prescription") if is_paper else "MediSync"


def _entry(event: AccessEvent, actor: Actor) -> Entry:
    cases = list(event.cases.all())
    return Entry(
        event=event,
        actor=actor,
        sentence=sentence(event, who=actor.display_name),
        url=_url(event),
        cases=cases,
        can_question=can_question(event, cases),
    )


def _told(visit: Visit, actor: Actor) -> ToldVisit:
    return ToldVisit(
        visit=visit,
        actor=actor,
        sentences=sentences(visit.events, who=actor.display_name),
        entries=[_entry(event, actor) for event in visit.events],
    )


# The patient's own page of what was looked at: by its id, or one page for all of a kind.
PAGES: dict[str, str] = {
    "prescriptions.prescription": "prescription-detail",
    "connections.connection": "connection-detail",
    "connections.connectionrequest": "request-detail",
    "qrverify.sharedlink": "link-detail",
}
PAGES_OF_KINDS: dict[str, str] = {
    DataCategory.FACTS: "profile-health",
    DataCategory.ALLERGIES: "profile-health",
    DataCategory.CONDITIONS: "profile-health",
    DataCategory.MEDICATIONS: "profile-health",
    DataCategory.EMERGENCY_CONTACTS: "profile-health",
    DataCategory.PRESCRIPTIONS: "prescription-list",
}


def _url(event: AccessEvent) -> str:
    """Where the patient finds what was looked at; empty where no page shows it."""
    if event.action == AccessEvent.Action.EMERGENCY_OPENED:
        return reverse("emergency-openings")
    if event.object_type in PAGES:
        return reverse(PAGES[event.object_type], args=[event.object_id])
    page = PAGES_OF_KINDS.get(event.category)
    return reverse(page) if page else ""
