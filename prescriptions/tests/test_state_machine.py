"""No sequence of verbs, by anybody, brings a prescription where it may not be.

Hypothesis draws whole histories: who does what, when, how much. Each verb either does what it
says or is refused by a rule; after each, every invariant is asked of the database itself, and how
each prescription stands has changed along an arrow that this verb may take.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection as database
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts.tests.factories import DoctorFactory, PatientFactory
from common.errors import DomainError
from connections.models import Connection
from connections.services.connections import connect, end_connection
from connections.tests.factories import ConnectionFactory
from prescriptions.models import Prescription, RefillRequest, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import Pharmacy, claim_prescription, return_prescription
from prescriptions.services.claims import expire_claims
from prescriptions.services.codes import reissue_code
from prescriptions.services.dispensing import Line, dispense, withdraw_dispense
from prescriptions.services.disputing import dispute_claim
from prescriptions.services.issuing import Item, Order, issue_prescription
from prescriptions.services.pins import open_with_pin
from prescriptions.services.refills import cancel_refill, decline_refill, request_refill
from prescriptions.services.stopping import stop_prescription

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("HISTORIES", "40"))
STEPS = 20
START = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)

# Neither medicine is known to the safety check, which is not what is tried here.
AMOUNTS = (Item(medicine="Zzapol", quantity=3, refills=1, duration_days=4, as_needed=True),)
TWO = (*AMOUNTS, Item(medicine="Yyonil", quantity=2, frequency=1))

# What may become of what stood so, by which verbs. Time makes nothing but expiry, which is not
# stored; whoever ends a claim may thereby stop what was asked to be stopped.
ENDING = {"return", "expire", "dispute", "claim", "stop", "amend"}
MAY_BECOME: dict[tuple[str, str], set[str]] = {
    ("active", "superseded"): {"amend"},
    ("active", "completed"): {"dispense"},
    ("active", "stopped"): ENDING,
    ("active", "entered-in-error"): ENDING,
    ("completed", "active"): {"withdraw"},
    ("completed", "stopped"): {"stop"},
    ("completed", "entered-in-error"): {"stop"},
    ("stopped", "entered-in-error"): {"stop"},
}

# Each row is something that must never be.
NEVER = {
    "more dispensed than prescribed": """
        SELECT item.id FROM prescriptions_prescriptionitem AS item
        JOIN prescriptions_medicationdispense AS given ON given.item_id = item.id
        WHERE given.withdrawn_at IS NULL
        GROUP BY item.id HAVING sum(given.quantity) > item.quantity * (1 + item.refills)
    """,
    "not one current version": """
        SELECT number FROM prescriptions_prescription GROUP BY number
        HAVING count(*) FILTER (WHERE status <> 'superseded') <> 1
        OR max(version) <> count(*)
        OR max(version) FILTER (WHERE status <> 'superseded') <> max(version)
    """,
    "two hold one prescription": """
        SELECT prescription_id FROM prescriptions_dispenseclaim WHERE ended_at IS NULL
        GROUP BY prescription_id HAVING count(*) > 1
    """,
    "held, and not active": """
        SELECT claim.id FROM prescriptions_dispenseclaim AS claim
        JOIN prescriptions_prescription AS held ON held.id = claim.prescription_id
        WHERE claim.ended_at IS NULL AND held.status <> 'active'
    """,
    "stop asked for, and nobody holds it": """
        SELECT id FROM prescriptions_prescription AS one
        WHERE status = 'active' AND stop_requested_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM prescriptions_dispenseclaim
            WHERE prescription_id = one.id AND ended_at IS NULL
        )
    """,
    "completed, and something is left; or all given, and not completed": """
        SELECT one.id FROM prescriptions_prescription AS one
        WHERE one.status IN ('active', 'completed')
        AND (one.status = 'completed') IS DISTINCT FROM (
            SELECT bool_and(item.quantity * (1 + item.refills) = (
                SELECT coalesce(sum(quantity), 0) FROM prescriptions_medicationdispense
                WHERE item_id = item.id AND withdrawn_at IS NULL
            )) FROM prescriptions_prescriptionitem AS item WHERE item.prescription_id = one.id
        )
    """,
    "it stands otherwise than was written down last, or for another reason": """
        SELECT one.id FROM prescriptions_prescription AS one
        LEFT JOIN LATERAL (
            SELECT status, reason, note FROM prescriptions_statuschange
            WHERE prescription_id = one.id AND NOT is_request ORDER BY id DESC LIMIT 1
        ) AS last ON true
        WHERE one.status <> coalesce(last.status, 'active') OR one.stop_requested_at IS NULL
        AND (one.status_reason, one.status_note)
            <> (coalesce(last.reason, ''), coalesce(last.note, ''))
    """,
    "given from what was stopped, replaced or a mistake": """
        SELECT given.id FROM prescriptions_medicationdispense AS given
        JOIN prescriptions_prescriptionitem AS item ON item.id = given.item_id
        JOIN prescriptions_statuschange AS over USING (prescription_id)
        WHERE over.status IN ('stopped', 'superseded', 'entered-in-error')
        AND given.dispensed_at > over.at
    """,
    "replaced after something was dispensed": """
        SELECT one.id FROM prescriptions_prescription AS one
        JOIN prescriptions_prescriptionitem AS item ON item.prescription_id = one.id
        JOIN prescriptions_medicationdispense AS given ON given.item_id = item.id
        WHERE one.status = 'superseded' AND given.withdrawn_at IS NULL
    """,
    "two requests wait for one prescription": """
        SELECT prescription_id FROM prescriptions_refillrequest WHERE status = 'PENDING'
        GROUP BY prescription_id HAVING count(*) > 1
    """,
}


@dataclass(frozen=True)
class Act:
    """Who does what with which prescription; each verb takes of it what it needs."""

    verb: str
    who: int = 0
    which: int = 0
    quantity: int = 1
    reason: StopReason = StopReason.NOT_NEEDED
    hours: int = 1


class World:
    """A patient, their doctor, two who have nothing to do with them, and two pharmacies."""

    def __init__(self) -> None:
        self.connection: Connection = ConnectionFactory()
        self.people = [
            self.connection.doctor,
            self.connection.patient,
            DoctorFactory(),
            PatientFactory(),
        ]
        self.secrets: list[str] = []
        self.ordered: dict[UUID, Any] = {}
        self.issue(Act("issue"))

    # --- Verbs ----------------------------------------------------------------------------

    def issue(self, act: Act) -> None:
        items = AMOUNTS if act.quantity % 2 else TWO
        issue_prescription(
            actor=self.people[act.who],
            connection_id=self.connection.pk,
            order=Order(items=items, client_id=uuid4()),
        )

    def amend(self, act: Act) -> None:
        items = (replace(AMOUNTS[0], quantity=act.quantity + 1),)
        amend_prescription(
            actor=self.people[act.who], prescription_id=self.one(act).pk, order=Order(items=items)
        )

    def stop(self, act: Act) -> None:
        stop_prescription(
            actor=self.people[act.who],
            prescription_id=self.one(act).pk,
            reason=act.reason,
            note="Said so.",
        )

    def claim(self, act: Act) -> None:
        one = self.one(act)
        pin = one.pin if act.quantity != 2 else "000000"
        _found, passed = open_with_pin(code=one.verification_code, pin=pin)
        held = claim_prescription(
            passed=passed,
            pharmacy=Pharmacy(f"Pharmacy {act.who}", "Huda Samir", "PH-1"),
            client_id=uuid4(),
        )
        self.secrets.append(held.secret)

    def dispense(self, act: Act) -> None:
        lines = [Line(1, act.quantity)]
        if act.who % 2:
            lines.append(Line(2, 2))
        dispense(secret=self.secret(act), lines=lines, client_id=uuid4())

    def withdraw(self, act: Act) -> None:
        secret = self.secret(act)
        claims = [one for one in self.one(act).claims.all() for one in one.dispenses.all()]
        withdraw_dispense(secret=secret, dispense_id=claims[0].pk if claims else uuid4())

    def return_(self, act: Act) -> None:
        return_prescription(secret=self.secret(act))

    def expire(self, act: Act) -> None:
        expire_claims(timezone.now())

    def reissue(self, act: Act) -> None:
        reissue_code(actor=self.people[act.who], prescription_id=self.one(act).pk)

    def dispute(self, act: Act) -> None:
        one = self.one(act)
        claim = one.claims.first()
        dispute_claim(
            actor=self.people[act.who],
            prescription_id=one.pk,
            claim_id=claim.pk if claim else uuid4(),
        )

    def ask(self, act: Act) -> None:
        request_refill(actor=self.people[act.who], prescription_id=self.one(act).pk)

    def decline(self, act: Act) -> None:
        decline_refill(
            actor=self.people[act.who], request_id=self.request(act), reason="Come and see me."
        )

    def cancel(self, act: Act) -> None:
        cancel_refill(actor=self.people[act.who], request_id=self.request(act))

    def answer(self, act: Act) -> None:
        issue_prescription(
            actor=self.people[act.who],
            connection_id=self.connection.pk,
            order=Order(items=AMOUNTS),
            refill_request_id=self.request(act),
        )

    def part(self, act: Act) -> None:
        end_connection(actor=self.people[act.who], connection_id=self.connection.pk)

    def join(self, act: Act) -> None:
        connect(
            actor=self.people[1],
            doctor_id=self.connection.doctor_id,
            origin=Connection.Origin.QR,
        )

    # --- What they work on ----------------------------------------------------------------

    def one(self, act: Act) -> Prescription:
        found = list(Prescription.objects.order_by("-id"))
        return found[act.which % len(found)]

    def secret(self, act: Act) -> str:
        return self.secrets[-1 - act.which % len(self.secrets)] if self.secrets else "00000-00000"

    def request(self, act: Act) -> UUID:
        found = list(RefillRequest.objects.order_by("-id"))
        return found[act.which % len(found)].pk if found else uuid4()

    # --- What is looked at ----------------------------------------------------------------

    def statuses(self) -> dict[UUID, str]:
        return dict(Prescription.objects.values_list("pk", "status"))

    def check(self) -> None:
        """Nothing is that may never be, and what was once ordered is still ordered so."""
        with database.cursor() as cursor:
            # Whatever is checked at the end of a transaction is checked now.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for what, question in NEVER.items():
                cursor.execute(question)
                assert not cursor.fetchall(), what
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for one in Prescription.objects.with_items():
            content = (one.content_hash, [item.content() for item in one.items.all()])
            assert self.ordered.setdefault(one.pk, content) == content
            assert one.is_intact()
            one.state(timezone.now().date())


def verbs(world: World) -> dict[str, Callable[[Act], None]]:
    names = {"return": "return_"}
    return {verb: getattr(world, names.get(verb, verb)) for verb in VERBS}


VERBS = (
    "issue", "amend", "stop", "claim", "dispense", "withdraw", "return", "expire", "reissue",
    "dispute", "ask", "decline", "cancel", "answer", "part", "join",
)  # fmt: skip
# The usual is drawn often enough that something comes of it.
OFTEN = ("claim", "dispense", "claim", "dispense", "withdraw", "amend", "stop", "wait", "wait")
WHO_OFTEN = {"issue": 0, "amend": 0, "stop": 0, "answer": 0, "decline": 0}


@st.composite
def acts(draw: st.DrawFn) -> Act:
    verb = draw(st.sampled_from((*VERBS, *OFTEN)))
    usual = WHO_OFTEN.get(verb, 1)
    return Act(
        verb,
        who=draw(st.sampled_from((usual, usual, usual, 0, 1, 2, 3))),
        which=draw(st.integers(0, 2)),
        quantity=draw(st.integers(1, 4)),
        reason=draw(st.sampled_from(StopReason)),
        hours=draw(st.sampled_from((1, 2, 30, 24 * 4, 24 * 40))),
    )


# How a history may begin, so that most of them get beyond the first claim.
CLAIMED = [Act("claim", who=1)]
BEGUN = [*CLAIMED, Act("dispense", quantity=2)]
WAITED = [*BEGUN, Act("dispense", quantity=1), Act("return"), Act("wait", hours=24 * 4)]
OPENINGS = ([], CLAIMED, BEGUN, WAITED, [*WAITED, *CLAIMED], [*BEGUN, Act("stop")])


@contextmanager
def forgotten() -> Iterator[None]:
    """What happens inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def play(history: list[Act]) -> None:
    with time_machine.travel(START, tick=False) as clock, forgotten():
        world = World()
        for act in history:
            if act.verb == "wait":
                clock.shift(dt.timedelta(hours=act.hours))
                continue
            before = world.statuses()
            _do(world, act, before)
            world.check()


def _do(world: World, act: Act, before: dict[UUID, str]) -> None:
    try:
        with transaction.atomic():
            verbs(world)[act.verb](act)
    except (DomainError, Http404) as refused:
        event(f"{act.verb}: {type(refused).__name__}")
        assert world.statuses() == before
        return
    event(f"{act.verb}: done")
    for pk, status in world.statuses().items():
        was = before.get(pk, "active")
        assert status == was or act.verb in MAY_BECOME.get((was, status), set()), (was, status, act)


@given(opening=st.sampled_from(OPENINGS), history=st.lists(acts(), min_size=4, max_size=STEPS))
@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_no_history_leads_where_it_may_not(opening: list[Act], history: list[Act]) -> None:
    play([*opening, *history])


def test_everything_can_be_reached() -> None:
    """The histories above are not all refusals: each way to end is reached by one of these."""
    waits = Act("wait", hours=24 * 4)
    all_of_it = [
        Act("claim", who=1), Act("dispense", quantity=3), Act("return"), waits,
        Act("claim", who=1), Act("dispense", quantity=3),
    ]  # fmt: skip
    endings = {
        "completed": all_of_it,
        "stopped": [*all_of_it, Act("stop"), Act("withdraw")],
        "superseded": [Act("amend")],
        "entered-in-error": [*all_of_it, Act("stop", reason=StopReason.ENTERED_IN_ERROR)],
        "active": [*all_of_it, Act("withdraw")],
    }
    for status, history in endings.items():
        with time_machine.travel(START, tick=False) as clock, forgotten():
            world = World()
            for act in history:
                if act.verb == "wait":
                    clock.shift(dt.timedelta(hours=act.hours))
                else:
                    verbs(world)[act.verb](act)

            assert Prescription.objects.earliest("id").status == status
