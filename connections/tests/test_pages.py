"""The pages of connections, for those they join and for everyone else."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import page_client
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
LIST = "/connections"


def detail(connection: Connection) -> str:
    return f"/connections/{connection.pk}"


def end(connection: Connection) -> str:
    return f"/connections/{connection.pk}/end"


@pytest.mark.parametrize(("who", "other"), [("patient", "Dr Karim Nabil"), ("doctor", "Mona Adel")])
def test_each_side_finds_the_other(
    who: str, other: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    browser = page_client(request.getfixturevalue(who))

    listed = browser.get(LIST)
    opened = browser.get(detail(connection))

    assert other in listed.content.decode()
    assert detail(connection) in listed.content.decode()
    assert other in opened.content.decode()


@pytest.mark.parametrize("who", ["stranger", "other_doctor", "admin"])
def test_nobody_else_sees_it(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    browser = page_client(request.getfixturevalue(who))

    assert detail(connection) not in browser.get(LIST).content.decode()
    assert browser.get(detail(connection)).status_code == 404
    assert browser.post(end(connection)).status_code == 404
    connection.refresh_from_db()
    assert connection.is_active


@pytest.mark.parametrize("path", [LIST, "/connections/01a2042d-d581-7528-b0f1-e4e1fc89c7e9"])
def test_anonymous_visitor_is_sent_to_sign_in(path: str) -> None:
    answer = page_client().get(path)

    assert answer.status_code == 302
    assert answer.url == f"{reverse('login')}?next={path}"


def test_empty_list_says_what_to_do(patient: User, doctor: User) -> None:
    assert 'href="/scan"' in page_client(patient).get(LIST).content.decode()
    assert 'href="/qr"' in page_client(doctor).get(LIST).content.decode()


def test_list_takes_the_same_queries_however_long(
    doctor: User, django_assert_num_queries: Any
) -> None:
    ConnectionFactory.create_batch(8, doctor=doctor)
    browser = page_client(doctor)

    # cookie, device session, requests that wait, connections, unread count
    with django_assert_num_queries(6):
        answer = browser.get(LIST)

    assert len(answer.context["page"].rows) == 8


def test_long_list_is_read_page_by_page(doctor: User) -> None:
    ConnectionFactory.create_batch(25, doctor=doctor)
    browser = page_client(doctor)

    first = browser.get(LIST).context["page"]
    second = browser.get(first.older).context["page"]

    shown = [row.pk for row in first.rows + second.rows]
    assert len(first.rows) == 20
    assert len(set(shown)) == 25
    assert shown == sorted(shown, reverse=True)
    assert (first.newer, second.older) == ("", "")
    assert browser.get(second.newer).context["page"].rows == first.rows


@pytest.mark.parametrize("cursor", ["é", b64encode(b"p=1").decode(), "cD0nOw"])
def test_cursor_that_was_not_made_here_is_not_found(cursor: str, patient: User) -> None:
    assert page_client(patient).get(LIST, {"cursor": cursor}).status_code == 404


def test_page_shows_the_prescriptions_of_this_connection_only(
    connection: Connection, other_doctor: User, patient: User
) -> None:
    here = issue(connection)
    elsewhere = issue(ConnectionFactory(patient=patient, doctor=other_doctor))

    page = page_client(patient).get(detail(connection)).content.decode()

    assert f"/prescriptions/{here.pk}" in page
    assert f"/prescriptions/{elsewhere.pk}" not in page


def test_page_takes_the_same_queries_however_many_prescriptions(
    connection: Connection, doctor: User, django_assert_num_queries: Any
) -> None:
    for _ in range(4):
        issue(connection)
    browser = page_client(doctor)

    # cookie, device session, connection; within a savepoint (two) the connection again, the log,
    # prescriptions and items; the grant, the unread count
    with django_assert_num_queries(13):
        browser.get(detail(connection))


def test_only_the_doctor_of_a_standing_connection_is_offered_to_prescribe(
    connection: Connection, patient: User, doctor: User
) -> None:
    offer = f"/connections/{connection.pk}/prescribe"

    assert offer in page_client(doctor).get(detail(connection)).content.decode()
    assert offer not in page_client(patient).get(detail(connection)).content.decode()
    page_client(patient).post(end(connection))
    assert offer not in page_client(doctor).get(detail(connection)).content.decode()


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_either_side_ends_it_and_is_told(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    browser = page_client(request.getfixturevalue(who))

    answer = browser.post(end(connection), follow=True)

    assert answer.redirect_chain == [(detail(connection), 302)]
    assert "The connection has ended." in answer.content.decode()
    connection.refresh_from_db()
    assert connection.status == Connection.Status.INACTIVE
    assert end(connection) not in answer.content.decode()


def test_ending_it_twice_is_explained(connection: Connection, patient: User) -> None:
    browser = page_client(patient)
    browser.post(end(connection))

    answer = browser.post(end(connection), follow=True)

    assert "This connection has ended." in answer.content.decode()


def test_opening_the_address_does_not_end_it(connection: Connection, patient: User) -> None:
    assert page_client(patient).get(end(connection)).status_code == 405
    connection.refresh_from_db()
    assert connection.is_active


def test_what_is_shown_is_not_kept_on_a_shared_computer(
    connection: Connection, patient: User
) -> None:
    assert "no-store" in page_client(patient).get(detail(connection))["Cache-Control"]
