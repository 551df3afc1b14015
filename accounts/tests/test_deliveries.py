"""E-mails that could not be delivered: the list, the ledger, and trying again."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404

from accounts.models import DeviceSession, User
from accounts.policies import SecondFactorNeeded
from accounts.services.deliveries import try_again
from common.errors import NotAllowed
from common.ids import uuid7
from medisync.devstack.mailbox import Mailbox
from medisync.tests.client import page_client, sign_in
from medisync.tests.ports import quiet_port
from medisync.tests.races import errors, race
from notifications import outbox
from notifications.models import EmailDelivery
from notifications.services import NotGivenUp, SecretErased, forget_recipient, notify
from notifications.tests.factories import owe_email
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/unreached/"
LEDGER = "/admin/notifications/emaildelivery/"


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


def given_up(**changes: Any) -> EmailDelivery:
    return owe_email(status="FAILED", attempts=EmailDelivery.MAX_ATTEMPTS, **changes)


def given_up_for(person: User) -> EmailDelivery:
    """A notification whose e-mail could not be delivered."""
    told = notify(recipient=person, kind=Kind.CONNECTION_MADE, url="/connections")
    EmailDelivery.objects.filter(notification=told).update(status="FAILED")
    return EmailDelivery.objects.get(notification=told)


def test_email_is_owed_anew_and_sent(session: DeviceSession, mailbox: Mailbox) -> None:
    failed = given_up()

    again = try_again(session=session, delivery_id=failed.pk)

    assert (again.status, again.attempts) == ("QUEUED", 0)
    assert outbox.deliver(failed.pk) is True
    assert [mail.deliveries for mail in mailbox.newest()] == [1]


def test_task_is_handed_over_after_the_commit(
    session: DeviceSession, django_capture_on_commit_callbacks: Any
) -> None:
    failed = given_up()

    with django_capture_on_commit_callbacks() as callbacks:
        try_again(session=session, delivery_id=failed.pk)

    assert len(callbacks) == 1


def test_it_goes_to_the_address_that_the_person_has_by_now(
    session: DeviceSession, patient: User
) -> None:
    failed = given_up_for(patient)
    User.objects.filter(pk=patient.pk).update(email="new@example.org")

    again = try_again(session=session, delivery_id=failed.pk)

    assert again.to_address == "new@example.org"


def test_it_holds_up_nothing_that_waits_by_then(session: DeviceSession, patient: User) -> None:
    failed = given_up_for(patient)
    later = notify(recipient=patient, kind=Kind.CONNECTION_ENDED, url="/").email

    try_again(session=session, delivery_id=failed.pk)

    assert outbox.following(failed.pk) == later.pk


def test_code_that_was_erased_is_not_sent_again(session: DeviceSession) -> None:
    failed = given_up(kind=Kind.PASSWORD_RESET_CODE)

    with pytest.raises(SecretErased):
        try_again(session=session, delivery_id=failed.pk)

    failed.refresh_from_db()
    assert failed.status == "FAILED"


@pytest.mark.parametrize("status", ["QUEUED", "SENT", "WITHHELD"])
def test_only_what_was_given_up_is_tried_again(session: DeviceSession, status: str) -> None:
    delivery = owe_email(status=status)

    with pytest.raises(NotGivenUp):
        try_again(session=session, delivery_id=delivery.pk)


def test_nothing_is_sent_to_whoever_was_forgotten(session: DeviceSession, patient: User) -> None:
    failed = given_up_for(patient)
    forget_recipient(recipient=patient, addresses=[patient.email])

    with pytest.raises(NotGivenUp):
        try_again(session=session, delivery_id=failed.pk)


def test_unknown_one_is_not_there(session: DeviceSession) -> None:
    with pytest.raises(Http404):
        try_again(session=session, delivery_id=uuid7())


def test_nobody_but_an_administrator_tries_again(patient: User) -> None:
    failed = given_up()

    with pytest.raises(NotAllowed):
        try_again(session=sign_in(patient), delivery_id=failed.pk)


def test_administrator_without_a_second_factor_does_not(admin: User) -> None:
    failed = given_up()

    with pytest.raises(SecondFactorNeeded):
        try_again(session=sign_in(admin, factor=""), delivery_id=failed.pk)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_make_one(session: DeviceSession) -> None:
    failed = given_up()

    racers = race(
        lambda: try_again(session=session, delivery_id=failed.pk),
        lambda: try_again(session=session, delivery_id=failed.pk),
        gate=EmailDelivery,
    )

    assert sorted(errors(racers)) == ["", "NotGivenUp"]


def test_ledger_shows_each_attempt(admin: User, mailbox: Mailbox, settings: Any) -> None:
    delivery, right_port = owe_email(), settings.EMAIL_PORT
    settings.EMAIL_PORT = quiet_port()
    outbox.deliver(delivery.pk)
    EmailDelivery.objects.update(due_at=delivery.due_at)
    settings.EMAIL_PORT = right_port
    outbox.deliver(delivery.pk)

    page = page_client(admin).get(f"{LEDGER}{delivery.pk}/change/").content.decode()

    assert page.index("Not accepted") < page.index("Accepted")
    assert "ConnectionRefusedError" in page
    assert "Try again" not in page


def test_ledger_does_not_show_what_a_mail_says(admin: User) -> None:
    delivery = owe_email(kind=Kind.PASSWORD_RESET_CODE, secret_context={"code": "424242"})

    page = page_client(admin).get(f"{LEDGER}{delivery.pk}/change/").content.decode()

    assert "424242" not in page


def test_list_has_those_who_could_not_be_reached_and_no_others(admin: User) -> None:
    given_up(to_address="lost@example.org")
    owe_email(to_address="fine@example.org")
    browser = page_client(admin)

    page = browser.get(LIST).content.decode()
    first_page = browser.get("/admin/")

    assert "lost@example.org" in page
    assert "fine@example.org" not in page
    assert first_page.context["emails_failed"] == 1
    assert f'href="{LIST}"' in first_page.content.decode()


def test_button_tries_again_and_a_second_press_says_why_not(admin: User) -> None:
    failed = given_up()
    browser, page = page_client(admin), f"{LEDGER}{failed.pk}/change/"

    offered = browser.get(page).content.decode()
    first = browser.post(f"{LEDGER}{failed.pk}/retry/", follow=True).content.decode()
    second = browser.post(f"{LEDGER}{failed.pk}/retry/", follow=True).content.decode()

    assert "Try again" in offered
    assert "The e-mail is on its way again." in first
    assert "is not among those that could not be delivered any more" in second


def test_many_are_tried_again_and_a_lost_code_keeps_none_of_them(admin: User) -> None:
    chosen = [given_up().pk, given_up().pk, given_up(kind=Kind.REGISTRATION_CODE).pk]
    body = {"action": "try_again", "_selected_action": [str(pk) for pk in chosen]}

    page = page_client(admin).post(LIST, body, follow=True).content.decode()

    assert "2 e-mails are on their way again." in page
    assert "carried a code, which is erased" in page
    assert EmailDelivery.objects.filter(status="QUEUED").count() == 2


def test_one_of_the_list_is_looked_at_on_its_own_page(admin: User) -> None:
    failed = given_up()

    answer = page_client(admin).get(f"{LIST}{failed.pk}/change/")

    assert answer.url == f"{LEDGER}{failed.pk}/change/"


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-7000-8000-000000000000"])
def test_page_of_no_email_is_not_there(admin: User, wrong: str) -> None:
    assert page_client(admin).get(f"{LEDGER}{wrong}/change/").status_code == 404
