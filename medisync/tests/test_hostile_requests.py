"""What attackers tried, and what they get."""

from __future__ import annotations

import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Registration, Role, User
from accounts.services.registration import start_registration, submit_details
from common.documents import InvalidDocument, check_document
from common.errors import InvalidInput
from medisync.asgi import wsgi_environ
from medisync.tests.client import api_client, page_client
from notifications import outbox
from notifications.models import EmailDelivery
from notifications.tests.factories import owe_email

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    ['"a\x0bbcc:v@y.example"@x.example', '"a b"@x.example', "a" * 248 + "@İ.com"],
    ids=["line end", "quoted", "grows in small letters"],
)
def test_address_that_could_break_a_mail_is_refused(address: str) -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    with pytest.raises(InvalidInput):
        submit_details(
            registration_id=begun.pk, email=address, password="a quite long sentence",
            first_name="A", last_name="B",
        )  # fmt: skip

    assert Registration.objects.get().email == ""


def test_mail_that_cannot_be_composed_is_given_up() -> None:
    delivery = owe_email(to_address="a\r\nb@x.example")
    EmailDelivery.objects.update(attempts=EmailDelivery.MAX_ATTEMPTS - 1)

    outbox.deliver(delivery.pk)

    assert EmailDelivery.objects.get().status == EmailDelivery.Status.FAILED
    assert EmailDelivery.objects.get().secret_context is None


def test_session_cookie_with_a_nul_is_nobody() -> None:
    client = Client(headers={"Cookie": 'sessionid="\\000aaaaaaaaaaaaaaa"'})

    assert client.get("/login").status_code == 200


def test_nul_in_a_query_is_nothing_here(admin: User) -> None:
    assert page_client(admin).get("/admin/accounts/user/?role__exact=%00").status_code == 404


def test_charset_of_a_request_is_not_believed() -> None:
    scope = {
        "method": "GET", "path": "/", "query_string": b"a=1", "http_version": "1.1",
        "headers": [(b"content-type", b"application/json; charset=hex; x=y")],
    }  # fmt: skip

    assert wsgi_environ(scope, None, 0)["CONTENT_TYPE"] == "application/json; x=y"  # type: ignore[arg-type]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_picture_without_pixels_is_refused() -> None:
    head = struct.pack(">IIBBBBB", 5, 5, 8, 6, 0, 0, 0)
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")

    with pytest.raises(InvalidDocument):
        check_document(SimpleUploadedFile("a.png", picture), attr="photo")


@pytest.mark.parametrize(
    "query",
    ["password__startswith=argon2", "email__regex=(((", "prescriptions__isnull=False"],
)
def test_admin_list_is_narrowed_by_its_own_filters_only(admin: User, query: str) -> None:
    answer = page_client(admin).get(f"/admin/accounts/user/?{query}")

    assert answer.status_code == 400


def test_signed_in_visitor_cannot_guess_passwords(patient: User, doctor: User) -> None:
    answer = page_client(patient).post("/login", {"email": doctor.email, "password": "guess"})

    assert answer.status_code == 302


@pytest.mark.parametrize("path", ["/connections", "/api/v1/requests/connections"])
def test_private_answers_are_not_kept(patient: User, path: str) -> None:
    client = api_client(patient) if path.startswith("/api") else page_client(patient)

    assert "no-store" in client.get(path).headers["Cache-Control"]
