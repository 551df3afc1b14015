"""The document of the socket, held against the running server."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.test import Client

from accounts.services.sessions import revoke_session
from chat.tests.factories import chat_of, say
from common.ids import uuid7
from connections.models import Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, set_grant
from medisync.sockets import ClientSocket
from medisync.tests.client import sign_in
from medisync.tests.servers import web_process
from medisync.tests.socket_client import (
    DOCUMENT,
    Socket,
    access_token,
    as_app,
    bearer,
    validator_of,
)
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.tests.factories import issue
from qrverify.services.tokens import find_token, redeem_token
from qrverify.tests.factories import show_code

ASKED = {name.removeprefix("ask."): operation for name, operation in DOCUMENT["operations"].items()
         if operation["action"] == "receive"}  # fmt: skip
TOLD = {name.removeprefix("tell.") for name, operation in DOCUMENT["operations"].items()
        if operation["action"] == "send"}  # fmt: skip


def test_document_is_public_and_the_one_that_is_tested(db: None) -> None:
    answer = Client().get("/api/asyncapi")

    assert answer["Content-Type"] == "application/yaml"
    assert yaml.safe_load(answer.content) == DOCUMENT
    assert DOCUMENT["asyncapi"].startswith("3.")


def test_every_reference_leads_somewhere() -> None:
    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                found: Any = DOCUMENT
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(DOCUMENT)


def test_every_handler_is_documented_and_nothing_else() -> None:
    assert set(ASKED) == set(ClientSocket.handlers)


def test_every_message_belongs_to_an_operation() -> None:
    messages = DOCUMENT["channels"]["socket"]["messages"]

    assert set(messages) == set(DOCUMENT["operations"]) == set(DOCUMENT["components"]["messages"])


class Recorder(Socket):
    """Keeps what it was told; `Socket` holds each frame to the document."""

    def __init__(self, url: str, told: set[str], **options: Any) -> None:
        super().__init__(url, **options)
        self.told = told

    def receive(self) -> dict[str, Any]:
        frame = super().receive()
        self.told.add(frame["type"])
        return frame

    def ask_as_documented(self, frame: dict[str, Any]) -> dict[str, Any]:
        validator_of(f"ask.{frame['type']}").validate(frame)
        answer = self.answer(frame)
        replies = ASKED[frame["type"]]["reply"]["messages"]
        names = {reply["$ref"].rpartition("/tell.")[2] for reply in replies}
        assert answer["type"] in names
        return answer


@pytest.mark.django_db(transaction=True)
def test_server_says_what_is_documented_and_all_of_it(connection: Connection) -> None:
    """A day of two people, in which every frame there is occurs."""
    patient, doctor = connection.patient, connection.doctor
    everything = Sharing(categories=DataCategory.values)
    set_grant(actor=patient, connection_id=connection.pk, sharing=everything)
    chat, told = chat_of(connection), set[str]()
    with web_process() as (process, address):
        url = address.replace("http:", "ws:") + "/ws"
        session = sign_in(patient)
        phone = Recorder(url, told, **bearer(access_token(session)))
        desk = Recorder(url, told, **as_app(doctor))
        tablet = Recorder(url, told, **as_app(patient))
        chat_id = str(chat.pk)
        content = {
            "ping": {},
            "chart.watch": {"patient_id": str(patient.pk)},
            "chat.join": {"chat_id": chat_id, "after_seq": 0},
            "chat.send": {"chat_id": chat_id, "client_id": str(uuid7()), "content": "Hello"},
            "chat.retract": {"message_id": str(say(chat, doctor).pk)},
            "chat.read": {"chat_id": chat_id, "seq": 1},
            "chat.delivered": {"chat_id": chat_id, "seq": 1},
            "chat.typing": {"chat_id": chat_id, "on": True},
            "presence.query": {"user_id": str(patient.pk)},
            "chat.leave": {"chat_id": chat_id},
            "chart.unwatch": {"patient_id": str(patient.pk)},
        }
        assert set(content) == set(ASKED)

        phone.ask_as_documented({"type": "chat.join", "chat_id": chat_id})
        for kind, said in content.items():
            answer = desk.ask_as_documented({"type": kind, "ref": "answer"} | said)
            assert answer["type"] != "error", answer
            wrong = desk.answer({"type": kind, "chat_id": 1, "patient_id": 1, "user_id": 1})
            assert wrong["type"] == "error" or kind == "ping"
        desk.ask_as_documented({"type": "chart.watch", "patient_id": str(patient.pk)})
        issue(connection)
        shown = show_code(doctor)
        find_token(actor=patient, scanned=shown.code)
        end_connection(actor=patient, connection_id=connection.pk)
        redeem_token(actor=patient, scanned=shown.code)
        notify(recipient=doctor, kind=Kind.DOCTOR_APPROVED, url="/")
        desk.until("qr.scanned")
        desk.heard(0.5)
        revoke_session(actor=patient, session_id=session.pk)
        phone.until("session.ended")
        tablet.answer({"type": "ping"})
        process.terminate()
        desk.until("server.closing")
        for one in (phone, desk, tablet):
            one.hang_up()

    assert told == TOLD
