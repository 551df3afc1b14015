"""The socket at `/ws`, on the server as production runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import DeviceSession, Status, User
from accounts.services.sessions import refresh_session, revoke_session
from accounts.tests.factories import DoctorFactory
from accounts.tokens import onboarding_token, token_pair
from chat.tests.factories import chat_of, say
from common import close_codes
from common.consumers import MAX_ERRORS, MAX_FRAME_BYTES
from common.ids import uuid7
from connections.models import Connection, DataCategory
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.sockets import ClientSocket
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.servers import web_server
from medisync.tests.socket_client import Socket, access_token, as_app, bearer
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.tests.factories import issue
from qrverify.services.tokens import find_token, redeem_token
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[..., Socket]


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), web_server() as address:
        yield address


@pytest.fixture
def open_socket(server: str) -> Iterator[Open]:
    opened: list[Socket] = []

    def open_it(path: str = "/ws", **options: Any) -> Socket:
        opened.append(Socket(server.replace("http:", "ws:") + path, **options))
        return opened[-1]

    yield open_it

    for one in opened:
        one.raw.shutdown()


def as_browser(user: User, origin: str) -> dict[str, Any]:
    name = settings.SESSION_COOKIE_NAME
    cookie = page_client(user).cookies[name].value
    return {"cookie": f"{name}={cookie}", "origin": origin}


def is_open(one: Socket) -> bool:
    return one.ask({"type": "ping"}) == {"type": "pong"}


def test_app_comes_in_by_its_bearer_token(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))

    assert one.raw.subprotocol == "medisync.v1"
    assert is_open(one)


def test_browser_comes_in_by_cookie_from_our_own_pages(
    open_socket: Open, server: str, patient: User
) -> None:
    assert is_open(open_socket(**as_browser(patient, server)))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1.evil.example",
        "http://testserver",
    ],
)
def test_other_sites_cannot_use_the_cookie(open_socket: Open, patient: User, origin: str) -> None:
    one = open_socket(**as_browser(patient, origin))

    assert one.closed_with() == close_codes.NOT_SIGNED_IN


def test_cookie_without_an_origin_does_not_count(open_socket: Open, patient: User) -> None:
    options = as_browser(patient, "") | {"origin": None, "suppress_origin": True}

    assert open_socket(**options).closed_with() == close_codes.NOT_SIGNED_IN


def test_cookie_does_not_stand_in_for_a_bad_token(
    open_socket: Open, server: str, patient: User
) -> None:
    options = as_browser(patient, server) | {"subprotocols": ["medisync.v1", "bearer.x"]}

    assert open_socket(**options).closed_with() == close_codes.NOT_SIGNED_IN


def test_token_in_the_url_does_not_count(open_socket: Open, patient: User) -> None:
    token = access_token(sign_in(patient))

    one = open_socket(f"/ws?token={token}&access_token={token}", suppress_origin=True)

    assert one.closed_with() == close_codes.NOT_SIGNED_IN


def test_token_in_the_authorization_header_does_not_count(open_socket: Open, patient: User) -> None:
    header = {"Authorization": f"Bearer {access_token(sign_in(patient))}"}

    one = open_socket(header=header, suppress_origin=True)

    assert one.closed_with() == close_codes.NOT_SIGNED_IN


def test_unknown_host_is_turned_away(open_socket: Open, patient: User) -> None:
    options = as_browser(patient, "http://evil.example") | {"host": "evil.example"}

    assert open_socket(**options).closed_with() == close_codes.NOT_SIGNED_IN


@pytest.mark.parametrize("kind", ["refresh", "onboarding", "nonsense", "empty"])
def test_only_access_tokens_open_it(open_socket: Open, patient: User, kind: str) -> None:
    tokens = {
        "refresh": token_pair(sign_in(patient), now=timezone.now())["refresh_token"],
        "onboarding": onboarding_token(patient),
        "nonsense": "a.b.c",
        "empty": "",
    }

    assert open_socket(**bearer(tokens[kind])).closed_with() == close_codes.NOT_SIGNED_IN


def test_no_other_address_is_a_socket(open_socket: Open) -> None:
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        open_socket("/ws/other")


# Who may do what on the socket; the cast as in the access matrix.
FRAMES = {
    "ping": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": True,
        "other_doctor": True, "admin": True, "pending": True, "suspended": False,
    },
    "chart.watch": {
        "anonymous": False, "patient": False, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    # Whoever watches nothing may stop doing so, and whoever has joined nothing may leave it.
    "chart.unwatch": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": True,
        "other_doctor": True, "admin": True, "pending": True, "suspended": False,
    },
    "chat.leave": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": True,
        "other_doctor": True, "admin": True, "pending": True, "suspended": False,
    },
    "chat.join": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    "chat.send": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    "chat.read": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    "chat.delivered": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    "chat.typing": {
        "anonymous": False, "patient": True, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    # What the patient said.
    "chat.retract": {
        "anonymous": False, "patient": True, "doctor": False, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
    # Whether the patient is there.
    "presence.query": {
        "anonymous": False, "patient": False, "doctor": True, "stranger": False,
        "other_doctor": False, "admin": False, "pending": False, "suspended": False,
    },
}  # fmt: skip


def test_every_frame_is_in_the_table() -> None:
    assert set(FRAMES) == set(ClientSocket.handlers)


@pytest.mark.parametrize("frame", FRAMES)
def test_everyone_may_send_what_the_table_says(
    open_socket: Open,
    patient: User,
    doctor: User,
    stranger: User,
    other_doctor: User,
    admin: User,
    frame: str,
) -> None:
    suspended = DoctorFactory()
    connection = ConnectionFactory(patient=patient, doctor=doctor)
    everything = Sharing(categories=DataCategory.values)
    set_grant(actor=patient, connection_id=connection.pk, sharing=everything)
    options = {
        "patient": as_app(patient),
        "doctor": as_app(doctor),
        "stranger": as_app(stranger),
        "other_doctor": as_app(other_doctor),
        "admin": as_app(admin),
        "pending": as_app(DoctorFactory(status=Status.PENDING_APPROVAL)),
        "suspended": as_app(suspended),
        "anonymous": {"suppress_origin": True},
    }
    User.objects.filter(pk=suspended.pk).update(status=Status.SUSPENDED)

    chat = chat_of(connection)
    content = {
        "patient_id": str(patient.pk), "user_id": str(patient.pk), "chat_id": str(chat.pk),
        "message_id": str(say(chat, patient).pk), "seq": 1, "on": True, "content": "Good evening",
    }  # fmt: skip
    answers = {
        who: is_answered(open_socket(**how), {"type": frame, "client_id": str(uuid7())} | content)
        for who, how in options.items()
    }

    assert answers == FRAMES[frame]


def is_answered(one: Socket, frame: dict[str, Any]) -> bool:
    """Neither refused nor shut out."""
    try:
        one.send(frame)
        said = one.raw.recv()
    except (websocket.WebSocketException, OSError):
        return False
    return bool(said) and json.loads(said)["type"] != "error"


@pytest.mark.parametrize("ref", ["a", 7, 0, "", "é" * 50], ids=repr)
def test_answer_echoes_the_ref(open_socket: Open, patient: User, ref: Any) -> None:
    one = open_socket(**as_app(patient))

    assert one.ask({"type": "ping", "ref": ref}) == {"type": "pong", "ref": ref}


@pytest.mark.parametrize("ref", [{"deep": [1]}, [1], "x" * 101, 1.5, True])
def test_ref_that_is_no_short_word_is_refused(open_socket: Open, patient: User, ref: Any) -> None:
    one = open_socket(**as_app(patient))

    assert one.ask({"type": "ping", "ref": ref})["code"] == "invalid_frame"
    assert is_open(one)


def test_notification_arrives_while_it_happens(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))
    assert is_open(one)

    told = notify(recipient=patient, kind=Kind.DOCTOR_APPROVED, url="/")

    assert one.receive() == {
        "type": "notification",
        "id": str(told.pk),
        "title": told.title,
        "url": "/",
    }


def test_notifications_arrive_in_the_order_in_which_they_were_told(
    open_socket: Open, patient: User
) -> None:
    one = open_socket(**as_app(patient))
    assert is_open(one)

    with transaction.atomic():
        told = [notify(recipient=patient, kind=Kind.DOCTOR_APPROVED, url="/") for _ in range(5)]
    told += [notify(recipient=patient, kind=Kind.DOCTOR_APPROVED, url="/") for _ in range(15)]

    assert [one.receive()["id"] for _ in told] == [str(row.pk) for row in told]


def test_prescription_is_announced_to_the_patient_and_names_no_medicine(
    open_socket: Open, connection: Connection
) -> None:
    one = open_socket(**as_app(connection.patient))
    assert is_open(one)

    issue(connection)

    # Their own data changed, and they are told so; in whichever order.
    frames = {frame["type"]: frame for frame in (one.receive(), one.receive())}
    told = frames["notification"]
    assert told["title"] == "Dr Karim Nabil has issued a new prescription for you."
    assert "Amlodipine" not in json.dumps(frames)


def test_all_sockets_of_a_person_are_told_and_nobody_else(
    open_socket: Open, server: str, patient: User, stranger: User
) -> None:
    phone, page = open_socket(**as_app(patient)), open_socket(**as_browser(patient, server))
    other = open_socket(**as_app(stranger))
    assert all(is_open(one) for one in (phone, page, other))

    notify(recipient=patient, kind=Kind.DOCTOR_APPROVED, url="/")

    assert phone.receive() == page.receive()
    assert is_open(other)


def test_doctor_sees_the_scan_while_it_happens(
    open_socket: Open, patient: User, doctor: User
) -> None:
    shown = show_code(doctor)
    one = open_socket(**as_app(doctor))
    assert is_open(one)

    redeem_token(actor=patient, scanned=shown.code)

    frames = {frame["type"]: frame for frame in (one.receive(), one.receive())}
    assert frames["qr.scanned"]["token_id"] == str(shown.token.pk)
    assert frames["qr.scanned"]["name"] == "Mona Adel"


def test_doctor_sees_who_looks_before_they_connect(
    open_socket: Open, patient: User, doctor: User, other_doctor: User
) -> None:
    shown = show_code(doctor)
    one, other = open_socket(**as_app(doctor)), open_socket(**as_app(other_doctor))
    assert is_open(one)

    find_token(actor=patient, scanned=shown.url)
    find_token(actor=patient, scanned=shown.code)

    assert one.receive() == {
        "type": "qr.seen", "token_id": str(shown.token.pk), "name": "Mona Adel",
    }  # fmt: skip
    assert is_open(one)
    assert is_open(other)


@pytest.mark.parametrize("door", ["app", "browser"])
def test_ended_session_loses_its_socket_at_once(
    open_socket: Open, server: str, patient: User, door: str
) -> None:
    options = as_app(patient) if door == "app" else as_browser(patient, server)
    one = open_socket(**options)
    assert is_open(one)

    revoke_session(actor=patient, session_id=DeviceSession.objects.get().pk)

    assert one.receive() == {"type": "session.ended"}
    assert one.closed_with() == close_codes.REVOKED


def test_other_sessions_keep_their_sockets(open_socket: Open, patient: User) -> None:
    other, kept = sign_in(patient), open_socket(**as_app(patient))
    assert is_open(kept)

    revoke_session(actor=patient, session_id=other.pk)

    assert is_open(kept)


def test_reused_refresh_token_closes_the_socket(open_socket: Open, patient: User) -> None:
    session = sign_in(patient)
    first = token_pair(session, now=timezone.now())["refresh_token"]
    one = open_socket(**bearer(access_token(session)))
    assert is_open(one)

    _session, pair = refresh_session(refresh_token=first)
    refresh_session(refresh_token=pair["refresh_token"])
    reused = api_client().post("/api/v1/auth/refresh", {"refresh_token": first})

    assert reused.status_code == 401
    assert one.receive() == {"type": "session.ended"}
    assert one.closed_with() == close_codes.REVOKED


def test_session_that_has_ended_opens_no_socket(open_socket: Open, patient: User) -> None:
    options = as_app(patient)
    DeviceSession.objects.update(revoked_at=timezone.now())

    assert open_socket(**options).closed_with() == close_codes.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "x",
        "[]",
        "null",
        "7",
        "{}",
        '{"type": null}',
        '{"type": 7}',
        '{"type": []}',
        '{"type": "nonsense"}',
        '{"type": "session.ended"}',
        '{"type": "forward"}',
        '{"type": "__class__"}',
        '{"type": "ping"',
        '{"type": "\\ud800"}',
        "[" * 50_000,
        '{"type": NaN}',
    ],
    ids=lambda frame: frame[:30],
)
def test_frame_that_is_none_of_ours_is_answered(
    open_socket: Open, patient: User, frame: str
) -> None:
    one = open_socket(**as_app(patient))

    answer = one.ask(frame)

    assert (answer["type"], answer["code"]) == ("error", "invalid_frame")
    assert is_open(one)


def test_refused_frame_echoes_its_ref(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))

    assert one.ask({"type": "nonsense", "ref": 7})["ref"] == 7


def test_binary_frame_is_read_like_text(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))

    one.raw.send_binary(b'{"type": "ping"}')
    good = one.receive()
    one.raw.send_binary(b"\xff\xfe\x00")
    bad = one.receive()

    assert (good["type"], bad["type"]) == ("pong", "error")


def test_fiftieth_error_closes(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))

    for _ in range(MAX_ERRORS - 1):
        assert one.ask("x")["type"] == "error"
    assert is_open(one)
    one.send("x")

    assert one.closed_with() == close_codes.TOO_MANY_ERRORS


def test_frame_of_the_greatest_size_is_read(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))
    padding = "x" * (MAX_FRAME_BYTES - len('{"type": "ping", "more": ""}'))

    assert one.ask({"type": "ping", "more": padding}) == {"type": "pong"}


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 2 * 1024 * 1024])
def test_oversized_frame_closes(open_socket: Open, patient: User, size: int) -> None:
    one = open_socket(**as_app(patient))

    one.send("x" * size)

    assert one.closed_with() == close_codes.TOO_BIG


def test_size_is_counted_in_bytes(open_socket: Open, patient: User) -> None:
    one = open_socket(**as_app(patient))

    one.send("٣" * (MAX_FRAME_BYTES // 2 + 1))

    assert one.closed_with() == close_codes.TOO_BIG


def test_frame_before_the_door_is_shut_is_not_answered(open_socket: Open) -> None:
    one = open_socket(suppress_origin=True)

    one.send({"type": "ping"})

    assert one.closed_with() == close_codes.NOT_SIGNED_IN
