"""Who is blocked reads, at every door, what whoever was declined or parted from reads.

The same two people live the same story twice, with the one difference. Everything that the other
side can GET is then compared, and their copy of their data: but for ids it is the same, letter by
letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.exports import request_export
from accounts.tests.factories import DoctorFactory, PatientFactory
from audit.models import AccessEvent
from common.ids import uuid7
from connections.models import Connection, ConnectionRequest
from connections.services.answers import accept_request
from connections.services.grants import Sharing
from connections.services.requests import send_request
from medisync.exports import make_export
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.test_access_matrix import lines
from medisync.tests.test_export import content_of, everything_in
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Made anew for each answer: what a form proves itself with, and sealed links.
SECRETS = re.compile(r"\b[\w-]{43,}\b")
# Of nobody in particular, of the way in, and what needs things that these two do not have.
ELSEWHERE = re.compile(
    r"login|logout|register|password|security|email|api/v1/auth|api/v1/specializations|api/schema|api/asyncapi"
    r"|api/docs|api/redoc|healthz|readyz|files|verify|prescriptions/<p|.*<(slug|export_id|code)>"
    r"|api/v1/exports/<|api/v1/users/(?!<)|confirm|application|profile|sessions|qr|api/v1/qr"
)
ROUTES = [
    route for method, route in lines() if method == "GET" and not ELSEWHERE.match(route)
]  # fmt: skip


@dataclass
class Two:
    """A patient and a doctor, and what there is between them."""

    patient: User
    doctor: User
    request: ConnectionRequest
    code: str

    def other(self, side: str) -> User:
        return self.doctor if side == "patient" else self.patient

    def path(self, route: str, reader: User) -> str:
        """The route with their ids in it, or with one that is nobody's."""
        made = Connection.objects.first()
        ids: dict[str, Any] = {
            "request_id": self.request.pk,
            "connection_id": made.pk if made else uuid7(),
            "grant_id": _only_grant(made),
            "event_id": _newest_event(reader),
            "token": self.code,
        }
        pk = {
            "api/v1/requests/connections": ids["connection_id"],
            "api/v1/requests": self.request.pk,
            "api/v1/grants": ids["grant_id"],
            "api/v1/access-log": ids["event_id"],
            "api/v1/doctors": self.doctor.pk,
        }
        ids |= {"doctor_id": self.doctor.pk, "patient_id": self.patient.pk}
        ids["pk"] = next(
            (found for start, found in pk.items() if route.startswith(start)), self.patient.pk
        )
        return "/" + re.sub(r"<(\w+)>", lambda name: str(ids.get(name[1], self.patient.pk)), route)


Act = Callable[[Two, str], None]


def declines(two: Two, _side: str) -> None:
    post(two.doctor, f"/requests/{two.request.pk}/reject")


def withdraws(two: Two, _side: str) -> None:
    post(two.patient, f"/requests/{two.request.pk}/cancel")


def ends(two: Two, side: str) -> None:
    post(getattr(two, side), f"/connections/{Connection.objects.get().pk}/end")


def blocks(two: Two, side: str) -> None:
    post(getattr(two, side), f"/people/{two.other(side).pk}/block")


def post(user: User, path: str) -> None:
    """As a browser does, which shows the next page."""
    assert page_client(user).post(path, {}, follow=True).status_code == 200


@pytest.mark.parametrize(
    ("side", "is_connected", "openly"),
    [
        ("doctor", False, declines),
        ("patient", False, withdraws),
        ("doctor", True, ends),
        ("patient", True, ends),
    ],
    ids=["doctor declines", "patient withdraws", "doctor ends", "patient ends"],
)
def test_block_reads_like_what_is_told_openly(side: str, is_connected: bool, openly: Act) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        told = told_after(openly, side, is_connected=is_connected)
        blocked = told_after(blocks, side, is_connected=is_connected)

    different = [where for where in told if told[where] != blocked[where]]
    assert {where: (told[where], blocked[where]) for where in different[:1]} == {}
    assert different == []


def told_after(act: Act, side: str, *, is_connected: bool) -> dict[str, str]:
    """Everything that the other side reads after the act, which is undone."""
    with undone():
        two = met(is_connected=is_connected)
        act(two, side)
        reader = two.other(side)
        return {route: read(reader, route, two) for route in ROUTES} | {"copy": copy_of(reader)}


def met(*, is_connected: bool) -> Two:
    """They ask and, where they connect, share and do so by the request."""
    patient = PatientFactory(
        first_name="Mona", last_name="Adel", email="mona@example.org", phone="+201001234567"
    )
    doctor = DoctorFactory(
        first_name="Karim",
        last_name="Nabil",
        email="karim@example.org",
        phone="+201001234568",
        profile__licence_number="EG-1",
    )
    request = send_request(
        actor=patient, doctor_id=doctor.pk, notes="A cough.", sharing=Sharing(("ALLERGIES",))
    )
    if is_connected:
        accept_request(actor=doctor, request_id=request.pk)
    return Two(patient, doctor, request, show_code(doctor).secret)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read(reader: User, route: str, two: Two) -> str:
    cache.clear()
    client = api_client(reader) if route.startswith("api/") else page_client(reader)
    answer = client.get(two.path(route, reader))
    return f"{answer.status_code} {without_ids(answer.content.decode())}"


def copy_of(reader: User) -> str:
    export = request_export(session=sign_in(reader))
    assert make_export(export.pk)
    export.refresh_from_db()
    return without_ids(everything_in(content_of(export)))


def without_ids(text: str) -> str:
    """Ids are numbered as they come."""
    known: dict[str, str] = {}
    named = UUIDS.sub(lambda found: known.setdefault(found[0], f"id {len(known)}"), text)
    return SECRETS.sub("secret", named)


def _only_grant(connection: Connection | None) -> UUID:
    grant = connection.grants.first() if connection else None
    return grant.pk if grant else uuid7()


def _newest_event(reader: User) -> UUID:
    event = AccessEvent.objects.visible_to(reader).order_by("-seq").first()
    return event.pk if event else uuid7()
