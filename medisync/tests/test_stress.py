"""Everybody does everything at once, without any order.

`test_interleavings` chooses who meets whom where; here the machine does, with more verbs and more
people in each other's way than could be told in a story. What must not come of it: a deadlock, a
broken constraint, a gap in the log. `STRESS_SECONDS=180` goes on for longer.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.utils import timezone

from accounts.models import AllergyIntolerance, DeviceSession, User
from accounts.services.exports import request_export
from accounts.services.health import add_entry
from accounts.tests.factories import DoctorFactory, PatientFactory
from audit.services import seal_log
from audit.verification import Verification
from common.errors import DomainError
from connections.tests.circle import Circle
from connections.tests.serial import acts_on
from medisync.anonymise import anonymise_everywhere
from medisync.chart.reading import open_chart
from medisync.exports import make_export
from medisync.tests.client import sign_in
from notifications import outbox
from notifications.services import mark_all_read, notify
from notifications.wording import Kind

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = float(os.environ.get("STRESS_SECONDS", "4"))
THREADS = 8
SEED = 20261122


class Crowd:
    """What a thread may do, on the people of one circle. Whoever is anonymised is followed by
    somebody new of the same name."""

    def __init__(self, circle: Circle) -> None:
        self.circle = circle
        self.done: Counter[str] = Counter()
        self.mistakes: list[Exception] = []

    def act(self, chance: Random) -> None:
        verbs: list[tuple[int, Callable[[Random], object]]] = [
            (40, self.verb_of_a_pair),
            (6, self.chart),
            (4, self.told),
            (3, self.all_read),
            (3, self.entry),
            (2, self.export),
            (2, self.seal),
            (2, self.sweep),
            (1, self.forgotten),
        ]
        weights = [weight for weight, _verb in verbs]
        verb = chance.choices([verb for _weight, verb in verbs], weights)[0]
        try:
            verb(chance)
            self.done[verb.__name__] += 1
        except (DomainError, Http404):
            self.done["refused"] += 1
        except Exception as mistake:  # noqa: BLE001 - whatever it was is what is looked for
            self.mistakes.append(mistake)

    def person(self, chance: Random, side: str) -> User:
        return User.objects.get(pk=self.circle.people[f"{side} {chance.randrange(2)}"])

    def session(self, user: User | None = None) -> DeviceSession:
        mine = DeviceSession.objects.select_related("user")
        return mine.get(pk=self.circle.session_id) if user is None else sign_in(user)

    def verb_of_a_pair(self, chance: Random) -> None:
        pair = chance.choice(self.circle.pairs)
        acts = acts_on(pair, **self.circle.named(pair))
        verb = chance.choice(sorted({act.verb for act in acts}))
        self.circle.performance(chance.choice([act for act in acts if act.verb == verb]))()

    def chart(self, chance: Random) -> None:
        patient = self.person(chance, "patient")
        open_chart(doctor=self.person(chance, "doctor"), patient_id=patient.pk)

    def told(self, chance: Random) -> None:
        side = chance.choice(["patient", "doctor"])
        notify(recipient=self.person(chance, side), kind=Kind.PASSWORD_CHANGED, url="/sessions")

    def all_read(self, chance: Random) -> None:
        mark_all_read(actor=self.person(chance, chance.choice(["patient", "doctor"])))

    def entry(self, chance: Random) -> None:
        values = {"substance": f"Dust {chance.random()}"}
        add_entry(actor=self.person(chance, "patient"), kind=AllergyIntolerance, values=values)

    def export(self, chance: Random) -> None:
        made = request_export(session=self.session(self.person(chance, "patient")))
        make_export(made.pk)

    def seal(self, chance: Random) -> None:
        seal_log()

    def sweep(self, chance: Random) -> None:
        outbox.release_due(timezone.now())

    def forgotten(self, chance: Random) -> None:
        side, number = chance.choice(["patient", "doctor"]), chance.randrange(2)
        name = f"{side} {number}"
        user = User.objects.get(pk=self.circle.people[name])
        anonymise_everywhere(
            session=self.session(), user_id=user.pk, email=user.email, reason="Asked in writing."
        )
        factory: Any = PatientFactory if side == "patient" else DoctorFactory
        self.circle.people[name] = factory().pk


def test_nothing_breaks_however_they_meet() -> None:
    crowd = Crowd(Circle())
    over_at = time.monotonic() + SECONDS

    def live(number: int) -> None:
        chance = Random(SEED + number)
        while time.monotonic() < over_at:
            crowd.act(chance)
        connection.close()

    threads = [threading.Thread(target=live, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert crowd.mistakes == []
    assert crowd.done.total() > crowd.done["refused"] > 0
    assert crowd.circle.violations() == []
    assert [*map(str, Verification().findings())] == []
