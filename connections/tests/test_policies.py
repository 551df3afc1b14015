"""Every pair of `check_can_x`, which refuses, and `can_x`, by which a page offers it, agrees: for
every role, every standing of an account, every relation of the two, and every state of the row.

What is allowed is written down as a set; everything else has to be refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import Role, Status, User
from accounts.policies import AccountNotActive
from common.errors import DomainError
from connections import policies
from connections.models import AccessGrant, Connection, ConnectionRequest
from prescriptions.policies import can_issue, check_can_issue

PATIENT, DOCTOR, SOMEBODY = uuid4(), uuid4(), uuid4()
NOW = timezone.now()
EARLIER, LATER = NOW - dt.timedelta(minutes=1), NOW + dt.timedelta(days=1)
GOOD = Status.ACTIVE
TWO = ("its patient", "its doctor")

# Who asks: the two whom the row joins, others of each role, and nobody.
IDENTITIES: dict[str, tuple[UUID, Role]] = {
    "its patient": (PATIENT, Role.PATIENT),
    "its doctor": (DOCTOR, Role.DOCTOR),
    "another patient": (SOMEBODY, Role.PATIENT),
    "another doctor": (SOMEBODY, Role.DOCTOR),
    "an administrator": (SOMEBODY, Role.ADMIN),
}
ACTORS: dict[str, Any] = {"nobody": AnonymousUser()} | {
    f"{name}, {status.lower()}": User(pk=pk, role=role, status=status)
    for (name, (pk, role)), status in product(IDENTITIES.items(), Status)
}
RELATIONS: dict[str, Connection | None] = {
    "never connected": None,
    "active": Connection(status="ACTIVE", origin="QR", connected_at=NOW),
    "ended": Connection(status="INACTIVE", origin="QR", connected_at=NOW, ended_at=NOW),
    "blocked by the patient": Connection(status="BLOCKED", blocked_by_patient_at=NOW),
    "blocked by the doctor": Connection(status="BLOCKED", blocked_by_doctor_at=NOW),
    "blocked by both": Connection(
        status="BLOCKED", blocked_by_patient_at=NOW, blocked_by_doctor_at=NOW
    ),
}
REQUESTS = {
    f"{status.lower()}, {name}": ConnectionRequest(
        patient_id=PATIENT, doctor_id=DOCTOR, status=status, expires_at=expires_at
    )
    for status, (name, expires_at) in product(
        ConnectionRequest.Status, {"in time": LATER, "overdue": EARLIER}.items()
    )
}
ROWS: dict[str, Connection] = {}
for _name, _row in RELATIONS.items():
    if _row is not None:
        _row.patient_id, _row.doctor_id = PATIENT, DOCTOR
        ROWS[_name] = _row


def is_allowed(check: Callable[..., None], *subjects: Any, **named: Any) -> bool:
    """A refusal is always a rule's own."""
    try:
        check(*subjects, **named)
    except DomainError:
        return False
    return True


def good(identity: str) -> str:
    return f"{identity}, {GOOD.lower()}"


def test_asking() -> None:
    doctors = {status: User(pk=DOCTOR, role=Role.DOCTOR, status=status) for status in Status}
    allowed = set()
    for actor, doctor, relation, is_waiting in product(ACTORS, Status, RELATIONS, [True, False]):
        subjects = (ACTORS[actor], doctors[doctor], RELATIONS[relation])
        is_done = is_allowed(policies.check_can_request, *subjects, is_waiting=is_waiting)
        if is_done and not actor.startswith("another"):  # who has no row with this doctor
            allowed.add((actor, doctor, relation, is_waiting))

    assert allowed == {
        (good("its patient"), GOOD, "never connected", False),
        (good("its patient"), GOOD, "ended", False),
    }


def test_asking_is_offered_to_whom_the_doctor_blocks_as_well() -> None:
    doctors = {status: User(pk=DOCTOR, role=Role.DOCTOR, status=status) for status in Status}
    offered = set()
    for actor, doctor, relation, is_waiting in product(ACTORS, Status, RELATIONS, [True, False]):
        subjects = (ACTORS[actor], doctors[doctor], RELATIONS[relation])
        is_offered = policies.may_try(*subjects, is_waiting=is_waiting)
        assert is_offered is is_allowed(policies.check_may_try, *subjects, is_waiting=is_waiting)
        if is_offered and not actor.startswith("another"):  # who has no row with this doctor
            offered.add((actor, doctor, relation, is_waiting))

    assert offered == {
        (good("its patient"), GOOD, "never connected", False),
        (good("its patient"), GOOD, "ended", False),
        (good("its patient"), GOOD, "blocked by the doctor", False),
    }


@pytest.mark.parametrize(
    ("check", "can", "identity"),
    [
        (policies.check_can_answer, policies.can_answer, "its doctor"),
        (policies.check_can_cancel, policies.can_cancel, "its patient"),
    ],
    ids=["answer", "cancel"],
)
def test_answering_and_withdrawing(
    check: Callable[..., None], can: Callable[..., bool], identity: str
) -> None:
    allowed = set()
    for actor, request in product(ACTORS, REQUESTS):
        subjects = (ACTORS[actor], REQUESTS[request], NOW)
        assert can(*subjects) is is_allowed(check, *subjects)
        if can(*subjects):
            allowed.add((actor, request))

    assert allowed == {(good(identity), "pending, in time")}


def test_letting_see() -> None:
    allowed = set()
    for actor, relation in product(ACTORS, ROWS):
        subjects = (ACTORS[actor], ROWS[relation])
        is_offered = policies.can_grant(*subjects)
        assert is_offered is is_allowed(policies.check_can_grant, *subjects)
        if is_offered:
            allowed.add((actor, relation))

    assert allowed == {(good("its patient"), "active")}


def test_prescribing() -> None:
    allowed = set()
    for actor, relation, patient in product(ACTORS, ROWS, Status):
        row = Connection(status=ROWS[relation].status, doctor_id=DOCTOR)
        row.patient = User(pk=PATIENT, role=Role.PATIENT, status=patient)
        is_offered = can_issue(ACTORS[actor], row)
        assert is_offered is is_allowed(check_can_issue, ACTORS[actor], row)
        if is_offered:
            allowed.add((actor, relation, patient))

    assert allowed == {(good("its doctor"), "active", GOOD)}


# The verbs on a row that is known to the two alone: who may, and how it stands then.
VERBS: dict[str, tuple[Callable[..., None], set[tuple[str, str]]]] = {
    "end": (policies.check_can_end, {("its patient", "active"), ("its doctor", "active")}),
    "set availability": (policies.check_can_set_availability, {("its doctor", "active")}),
    "unblock": (
        policies.check_can_unblock,
        {
            ("its patient", "blocked by the patient"),
            ("its patient", "blocked by both"),
            ("its doctor", "blocked by the doctor"),
            ("its doctor", "blocked by both"),
        },
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_of_the_two(verb: str) -> None:
    check, expected = VERBS[verb]
    everybody = [f"{name}, {status.lower()}" for name in TWO for status in Status]

    allowed = {
        (actor, relation)
        for actor, relation in product(everybody, ROWS)
        if is_allowed(check, ACTORS[actor], ROWS[relation])
    }

    assert allowed == {(good(identity), relation) for identity, relation in expected}


def test_blocking() -> None:
    signed_in = ACTORS.keys() - {"nobody"}

    allowed = {actor for actor in signed_in if is_allowed(policies.check_can_block, ACTORS[actor])}

    assert allowed == {
        good("its patient"),
        good("another patient"),
        good("its doctor"),
        good("another doctor"),
    }


def test_only_who_gave_a_grant_changes_it() -> None:
    grant = AccessGrant(connection=ROWS["active"])

    allowed = {
        actor for actor in ACTORS if is_allowed(policies.check_owns_grant, ACTORS[actor], grant)
    }

    assert allowed == {good("its patient")}


@pytest.mark.parametrize("status", sorted(set(Status) - {GOOD}))
def test_account_that_is_not_active_is_told_so_first(status: Status) -> None:
    """Whatever else stands in the way."""
    actor = ACTORS[f"its patient, {status.lower()}"]
    doctor = User(pk=DOCTOR, role=Role.DOCTOR, status=Status.SUSPENDED)

    with pytest.raises(AccountNotActive):
        policies.check_can_connect(actor, doctor, RELATIONS["active"])
