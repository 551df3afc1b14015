"""What a patient tells in a request: who reads it, how long, and that it is written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from connections.jobs import delete_lost_images
from connections.models import Connection, ConnectionRequest
from connections.services.answers import accept_request, reject_request
from connections.services.connections import block, connect, end_connection
from connections.services.requests import cancel_request, expire_requests, send_request
from connections.tests.factories import RequestFactory
from connections.tests.pictures import photo, upload
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(patient: User, doctor: User) -> ConnectionRequest:
    return send_request(actor=patient, doctor_id=doctor.pk, notes="A cough.", image=upload(photo()))


def reads(user: User, request: ConnectionRequest) -> bool:
    """Whether every door shows it, or none does."""
    app, browser = api_client(user), page_client(user)
    told = app.get(f"/api/v1/requests/{request.pk}").json()
    page = browser.get(f"/requests/{request.pk}").content.decode()
    shown = {
        told["notes"] == "A cough.",
        told["has_image"],
        told["share"] is not None,
        "A cough." in page,
        f"/requests/{request.pk}/image" in page,
        app.get(f"/api/v1/requests/{request.pk}/image").status_code == 200,
        browser.get(f"/requests/{request.pk}/image").status_code == 200,
    }
    assert len(shown) == 1, shown
    return shown.pop()


def accepted(request: ConnectionRequest) -> Connection:
    return accept_request(actor=request.doctor, request_id=request.pk)


def ended(request: ConnectionRequest) -> None:
    end_connection(actor=request.patient, connection_id=accepted(request).pk)


def blocked(request: ConnectionRequest) -> None:
    accepted(request)
    block(actor=request.patient, person_id=request.doctor_id)


def connected_again(request: ConnectionRequest) -> None:
    """By a code, and sharing nothing: what was told before is not told again."""
    ended(request)
    connect(actor=request.patient, doctor_id=request.doctor_id, origin=Connection.Origin.QR)


def connected_by_code(request: ConnectionRequest) -> None:
    """While it waits: that answers it."""
    connect(actor=request.patient, doctor_id=request.doctor_id, origin=Connection.Origin.QR)


def connected_after(request: ConnectionRequest) -> None:
    """By a code: the request that was withdrawn before has nothing to do with it."""
    cancelled(request)
    connect(actor=request.patient, doctor_id=request.doctor_id, origin=Connection.Origin.QR)


def cancelled(request: ConnectionRequest) -> None:
    cancel_request(actor=request.patient, request_id=request.pk)


def rejected(request: ConnectionRequest) -> None:
    reject_request(actor=request.doctor, request_id=request.pk, reason="My list is full.")


def expired(request: ConnectionRequest) -> None:
    ConnectionRequest.objects.update(expires_at=timezone.now())
    expire_requests(timezone.now())


def nothing(request: ConnectionRequest) -> None:
    """It waits."""


@pytest.mark.parametrize(
    ("happens", "is_read"),
    [
        (nothing, True),
        (accepted, True),
        (rejected, False),
        (cancelled, False),
        (expired, False),
        (ended, False),
        (blocked, False),
        (connected_again, False),
        (connected_after, False),
        (connected_by_code, True),
    ],
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_doctor_reads_it_while_it_waits_and_while_they_are_connected_by_it(
    asked: ConnectionRequest, happens: Callable[[ConnectionRequest], Any], is_read: bool
) -> None:
    happens(asked)

    assert reads(asked.doctor, asked) == is_read
    assert reads(asked.patient, asked)


def test_nobody_else_knows_of_it(
    asked: ConnectionRequest, stranger: User, other_doctor: User, admin: User
) -> None:
    for user in (stranger, other_doctor, admin, AnonymousUser()):
        assert not ConnectionRequest.objects.visible_to(user).exists()
        assert not ConnectionRequest.objects.image_visible_to(user).exists()


def test_request_without_a_picture_has_none_to_open(patient: User, doctor: User) -> None:
    request = RequestFactory(patient=patient, doctor=doctor)

    assert api_client(patient).get(f"/api/v1/requests/{request.pk}/image").status_code == 404


@pytest.mark.parametrize("door", ["app", "page"])
def test_picture_is_a_picture_and_kept_by_nobody_on_the_way(
    asked: ConnectionRequest, door: str
) -> None:
    if door == "app":
        answer = api_client(asked.doctor).get(
            f"/api/v1/requests/{asked.pk}/image", headers={"Accept": "image/jpeg"}
        )
    else:
        answer = page_client(asked.doctor).get(f"/requests/{asked.pk}/image")

    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(("who", "basis"), [("doctor", "CARE"), ("patient", "SELF")])
@pytest.mark.parametrize("door", ["app", "page"])
def test_reading_and_looking_are_logged(
    asked: ConnectionRequest, who: str, basis: str, door: str
) -> None:
    reader = getattr(asked, who)
    client, prefix = (api_client(reader), "/api/v1") if door == "app" else (page_client(reader), "")

    client.get(f"{prefix}/requests/{asked.pk}")
    client.get(f"{prefix}/requests/{asked.pk}/image")

    events = AccessEvent.objects.filter(action__in=["READ", "DOWNLOADED"]).order_by("seq")
    assert [(event.action, event.actor_id, event.basis) for event in events] == [
        ("READ", reader.pk, basis),
        ("DOWNLOADED", reader.pk, basis),
    ]
    assert {(event.patient_id, event.object_id) for event in events} == {
        (asked.patient_id, asked.pk)
    }


def test_what_is_not_shown_is_not_logged_as_read(asked: ConnectionRequest) -> None:
    rejected(asked)

    page_client(asked.doctor).get(f"/requests/{asked.pk}")
    page_client(asked.doctor).get(f"/requests/{asked.pk}/image")

    assert not AccessEvent.objects.filter(action__in=["READ", "DOWNLOADED"]).exists()


def test_lists_show_nothing_of_it(asked: ConnectionRequest) -> None:
    listed = (
        api_client(asked.doctor).get("/api/v1/requests/pending").content
        + api_client(asked.doctor).get("/api/v1/requests/all").content
        + page_client(asked.doctor).get("/requests").content
        + page_client(asked.doctor).get("/").content
    ).decode()

    assert str(asked.pk) in listed
    assert "A cough." not in listed


def test_picture_that_a_crash_left_behind_goes_a_day_later(asked: ConnectionRequest) -> None:
    lost = default_storage.save("requests/0000lost", ContentFile(b"x"))

    delete_lost_images()
    assert default_storage.exists(lost)
    with time_machine.travel(timezone.now() + dt.timedelta(days=1, minutes=1)):
        delete_lost_images()

    assert not default_storage.exists(lost)
    assert default_storage.exists(asked.image.name)


def test_file_that_is_gone_meanwhile_holds_up_no_other() -> None:
    """Like a link that leads nowhere: it is listed, and is not there."""
    folder = Path(default_storage.path("requests"))
    folder.mkdir(parents=True, exist_ok=True)
    broken = folder / "0000broken"
    broken.symlink_to(folder / "nowhere")
    lost = default_storage.save("requests/0001lost", ContentFile(b"x"))

    try:
        with time_machine.travel(timezone.now() + dt.timedelta(days=1, minutes=1)):
            delete_lost_images()
    finally:
        broken.unlink()

    assert not default_storage.exists(lost)
