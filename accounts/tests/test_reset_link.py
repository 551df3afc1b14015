"""A new password by the link in the mail: no code to type, none to guess."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import jobs
from accounts.device_keys import COOKIE
from accounts.models import (
    AttemptCount,
    DeviceSession,
    EmailChange,
    OneTimeCode,
    PasswordReset,
    SignInMethod,
    Status,
    User,
)
from accounts.services.addresses import request_change, verify_change
from accounts.services.codes import InvalidCode, spend_mailbox
from accounts.services.passwords import (
    ResetExpired,
    ResetLinkGone,
    change_password,
    find_link,
    prepare_reset,
    request_reset,
    resend_code,
    reset_by_link,
    verify_reset_code,
)
from accounts.services.sessions import (
    Device,
    is_known_device,
    known_devices,
    open_session,
    revoke_other_sessions,
    revoke_session,
)
from accounts.services.sign_in import ACCOUNT_TRIES, InvalidCredentials, authenticate
from accounts.services.users import activate_user, suspend_user
from accounts.tests.factories import PASSWORD, AdminFactory, PatientFactory
from accounts.tests.registering import code_of, registering, wrong_code
from accounts.tests.resetting import ELSEWHERE, asked, link_to, reset_with, secret_in
from accounts.tests.resetting import NEW_PASSWORD as NEW
from accounts.views.passwords import RESET_KEY
from common.logs import mask_secrets
from common.throttling import TooManyRequests
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications import outbox
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db
HERE = Device(ip_address="198.51.100.9", key="the browser with the mail")
GONE = "This link does not work"


def mailed(user: User) -> str:
    """The link of a mail that somebody asked for."""
    asked(user)
    return link_to(user.email)


def follow(secret: str, new_password: str = NEW, *, device: Device = HERE) -> User:
    return reset_by_link(secret=secret, new_password=new_password, device=device)


def secret_for(user: User) -> str:
    return secret_in(mailed(user))


def titled(title: str) -> str:
    return f"<title>{title} · MediSync</title>"


def is_gone(link: str) -> bool:
    """To look at, and to use; in the same words as one that never was."""
    cache.clear()
    client = page_client()
    seen = [client.get(link), client.post(link, {"new_password": NEW})]
    never = client.get(f"/password/link/{'x' * 43}")
    assert all(answer.content == never.content for answer in seen)
    assert GONE in never.content.decode()
    return {answer.status_code for answer in seen} == {404}


# --- The mail -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_mail_carries_the_code_and_the_link(mailbox: Any, settings: Any, language: str) -> None:
    user = PatientFactory(language=language)
    code = code_of(asked(user))
    link = f"{settings.SITE_URL}{link_to(user.email)}?language={language}"

    outbox.deliver(EmailDelivery.objects.get().pk)

    (mail,) = mailbox.newest(to=user.email)
    assert code in mail.text
    assert code in mail.html
    assert link in mail.text
    assert f'href="{link}"' in mail.html
    assert EmailDelivery.objects.get().secret_context is None


def test_only_a_digest_of_the_secret_is_kept(patient: User) -> None:
    secret = secret_for(patient)

    kept = json.dumps([*PasswordReset.objects.values(), *OneTimeCode.objects.values()], default=str)
    delivery = EmailDelivery.objects.extra(select={"raw": "secret_context::text"}).get()
    assert len(secret) == 43
    assert secret not in kept
    assert secret not in delivery.raw + delivery.url + delivery.idempotency_key


def test_mails_of_other_codes_carry_no_link(patient: User) -> None:
    """A link that confirmed an address would confirm what somebody else has typed."""
    registering(email="layla@example.org")
    request_change(session=sign_in(patient), new_email="new@example.org")

    for delivery in EmailDelivery.objects.all():
        assert json.loads(delivery.secret_context).keys() == {"code"}
        assert delivery.url == ""


@pytest.mark.parametrize("email", ["nobody@example.org", "closed"])
def test_nobody_else_gets_a_link(patient: User, email: str) -> None:
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    reset = asked(email=patient.email if email == "closed" else email)

    assert PasswordReset.objects.get(pk=reset.pk).link_digest is None
    assert not EmailDelivery.objects.exists()


# --- The page -----------------------------------------------------------------------------------


def test_opening_it_changes_nothing_however_often(patient: User) -> None:
    link = mailed(patient)
    before = list(PasswordReset.objects.values())
    client = page_client()

    seen = [client.get(link), client.head(link), client.get(link)]

    assert [answer.status_code for answer in seen] == [200, 200, 200]
    assert titled("Choose a new password") in seen[0].content.decode()
    assert list(PasswordReset.objects.values()) == before
    assert not AttemptCount.objects.filter(locked_until__isnull=False).exists()
    assert find_link(secret=secret_in(link))


def test_page_sets_the_password_and_signs_nobody_in(patient: User) -> None:
    link, client = mailed(patient), page_client()
    client.get(link)

    answer = client.post(link, {"new_password": NEW})

    assert answer.status_code == 200
    assert titled("Your password is changed") in answer.content.decode()
    patient.refresh_from_db()
    assert patient.check_password(NEW)
    assert not DeviceSession.objects.exists()
    assert client.get("/profile").status_code == 302
    assert Notification.objects.get(recipient=patient).kind == "PASSWORD_CHANGED"


def test_page_is_kept_and_told_by_nobody(patient: User) -> None:
    link, client = mailed(patient), page_client(patient)

    answers = [
        client.get(link),
        client.post(link, {"new_password": "short"}),
        client.post(link, {"new_password": NEW}),
        client.get(link),
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 200, 404]
    for answer in answers:
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"


def test_secret_is_not_logged() -> None:
    link = reverse("password-link", args=["SECRET"])
    line = {"request": f"POST {link}?language=ar", "event": f"Not Found: {link}"}

    assert "SECRET" not in str(mask_secrets(None, "info", line))


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Choose a new password"), ("ar", "اختيار كلمة مرور جديدة")]
)
def test_page_speaks_the_language_of_the_mail(patient: User, language: str, title: str) -> None:
    link = mailed(patient)

    page = page_client().get(f"{link}?language={language}").content.decode()

    assert titled(title) in page
    assert f'lang="{language}"' in page


def test_form_needs_no_cookie_and_no_script(patient: User) -> None:
    """A page without a referrer has no origin to be checked: the secret is the authority."""
    link, client = mailed(patient), Client(enforce_csrf_checks=True)

    answer = client.post(link, {"new_password": NEW}, headers={"Origin": "null"})

    assert answer.status_code == 200
    assert "csrfmiddlewaretoken" not in page_client().get(mailed(patient)).content.decode()


def test_form_that_another_site_sends_takes_nothing_from_the_browser(
    patient: User, stranger: User
) -> None:
    """Whoever asks for a mail to themselves can make others post to its link. What those are
    signed in with, and known by, is not sent along from elsewhere, nor replaced by the answer."""
    link = mailed(stranger)

    answer = Client().post(link, {"new_password": NEW}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200
    assert not answer.cookies
    assert not is_known_device(stranger.email, Device(ip_address="127.0.0.1"))


@pytest.mark.parametrize("weak", ["", "too short", "1234567890123"])
def test_refused_password_leaves_the_link(patient: User, weak: str) -> None:
    link, client = mailed(patient), page_client()

    refused = client.post(link, {"new_password": weak})
    taken = client.post(link, {"new_password": NEW})

    assert (refused.status_code, taken.status_code) == (400, 200)


def test_one_address_tries_three_times_a_minute(patient: User) -> None:
    link = mailed(patient)

    answers = [page_client().post(link, {"new_password": "short"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert int(answers[-1]["Retry-After"]) >= 1
    assert page_client().get(link).status_code == 200


# --- How long it works --------------------------------------------------------------------------


def test_link_works_once(patient: User) -> None:
    link = mailed(patient)
    page_client().post(link, {"new_password": NEW})

    assert is_gone(link)
    patient.refresh_from_db()
    assert patient.check_password(NEW)


def test_link_lasts_as_long_as_the_code(patient: User) -> None:
    reset, link = asked(patient), link_to(patient.email)
    ends = reset.code.expires_at

    with time_machine.travel(ends - dt.timedelta(seconds=1)):
        assert page_client().get(link).status_code == 200
    with time_machine.travel(ends):
        assert is_gone(link)

    assert PasswordReset.objects.get(pk=reset.pk).link_expires_at == ends


def test_newer_mail_replaces_the_link(patient: User) -> None:
    reset, first = asked(patient), link_to(patient.email)

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)
        prepare_reset(reset_id=reset.pk)

        assert is_gone(first)
        assert page_client().get(link_to(patient.email)).status_code == 200


def test_link_of_a_mail_sent_at_the_last_moment_lasts_as_long(patient: User) -> None:
    """Whoever keeps a request until it is about to end sends the owner no link that is dead."""
    reset = asked(patient)

    with time_machine.travel(reset.expires_at - dt.timedelta(seconds=1)):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)
        prepare_reset(reset_id=reset.pk)
    with time_machine.travel(reset.expires_at + dt.timedelta(minutes=9)):
        assert page_client().get(link_to(patient.email)).status_code == 200


def test_link_does_not_survive_another_password(patient: User) -> None:
    link = mailed(patient)

    change_password(session=sign_in(patient), old_password=PASSWORD, new_password=NEW)

    assert is_gone(link)


def test_link_does_not_survive_a_reset_by_another_mail(patient: User) -> None:
    first, second = mailed(patient), mailed(patient)

    follow(secret_in(first))

    assert is_gone(second)


def test_link_to_the_old_address_is_worth_nothing_after_a_move(patient: User) -> None:
    link, session = mailed(patient), sign_in(patient)
    change = request_change(session=session, new_email="new@example.org")
    verify_change(session=session, change_id=change.pk, code=code_of(change))

    assert is_gone(link)
    assert EmailChange.objects.exclude(used_at=None).exists()


def test_link_of_an_address_that_the_user_has_left_is_refused(patient: User) -> None:
    link = mailed(patient)
    User.objects.filter(pk=patient.pk).update(email="elsewhere@example.org")

    assert is_gone(link)


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_link_of_an_account_closed_meanwhile_is_refused(patient: User, status: Status) -> None:
    link = mailed(patient)
    User.objects.filter(pk=patient.pk).update(status=status)

    assert is_gone(link)


def test_link_does_not_come_back_with_an_account_that_is_reopened(patient: User) -> None:
    link, admin = mailed(patient), sign_in(AdminFactory())
    suspend_user(session=admin, user_id=patient.pk, reason="The mailbox is not theirs.")
    activate_user(session=admin, user_id=patient.pk, reason="It is theirs again.")

    assert is_gone(link)


def test_code_of_the_same_mail_is_worth_nothing_afterwards(patient: User) -> None:
    reset, link = asked(patient), link_to(patient.email)
    token = verify_reset_code(reset_id=reset.pk, code=code_of(reset))
    second = asked(patient)
    follow(secret_in(link))

    with pytest.raises(ResetExpired):
        reset_with(token)
    with pytest.raises(InvalidCode):
        verify_reset_code(reset_id=second.pk, code=code_of(second))


@pytest.mark.parametrize("secret", ["x", "é" * 40, "%2e%2e", "%00", "a" * 3000, "%F0%9F%98%80"])
def test_whatever_stands_in_the_address_is_answered(secret: str) -> None:
    answers = [
        page_client().get(f"/password/link/{secret}"),
        page_client().post(f"/password/link/{secret}", {"new_password": NEW}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_set_one_password(patient: User) -> None:
    secret = secret_for(patient)

    racers = race(
        lambda: follow(secret, "the first of two sentences"),
        lambda: follow(secret, "the other of two sentences"),
        gate=PasswordReset,
    )

    assert sorted(errors(racers)) == ["", "ResetLinkGone"]
    assert EmailDelivery.objects.filter(kind="PASSWORD_CHANGED").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_link_is_spent_once_even_without_the_row_lock(patient: User) -> None:
    secret = secret_for(patient)

    racers = race(lambda: follow(secret), lambda: follow(secret), gate=PasswordReset)

    assert sorted(errors(racers)) == ["", "ResetLinkGone"]


@pytest.mark.django_db(transaction=True)
def test_looking_at_the_link_before_spending_it_would_let_two_in(patient: User) -> None:
    """What the conditional UPDATE is for."""
    secret = secret_for(patient)

    def naive_spending() -> bool:
        try:
            reset = find_link(secret=secret)
        except ResetLinkGone:
            return False
        reset.used_at = timezone.now()
        reset.save()
        return True

    racers = race(naive_spending, naive_spending, gate=PasswordReset)

    assert [racer.value for racer in racers] == [True, True]


@pytest.mark.django_db(transaction=True)
def test_link_and_token_of_one_mail_at_once_set_one_password(patient: User) -> None:
    reset, link = asked(patient), link_to(patient.email)
    token = verify_reset_code(reset_id=reset.pk, code=code_of(reset))

    racers = race(lambda: follow(secret_in(link)), lambda: reset_with(token), gate=PasswordReset)

    assert sorted(errors(racers)) in (["", "ResetExpired"], ["", "ResetLinkGone"])


# --- What strangers do not learn ----------------------------------------------------------------


@pytest.mark.parametrize("is_known", [True, False])
def test_whoever_asked_for_the_mail_does_not_learn_that_its_link_was_used(
    patient: User, is_known: bool
) -> None:
    """Only an account has an owner who would use it."""
    reset = asked(email=patient.email if is_known else "nobody@example.org")
    if is_known:
        follow(secret_in(link_to(patient.email)))
    mails = EmailDelivery.objects.count()
    portal = page_client()
    session = portal.session
    session[RESET_KEY] = str(reset.pk)
    session.save()

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        body = {"id": str(reset.pk), "type": "PASSWORD_RESET"}
        sent_again = api_client().post("/api/v1/auth/resend-otp", body)
        prepare_reset(reset_id=reset.pk)

    assert sent_again.status_code == 204
    assert portal.get("/password/code").status_code == 200
    assert EmailDelivery.objects.count() == mails
    for _ in range(OneTimeCode.TRIES + 1):
        with pytest.raises(InvalidCode):
            verify_reset_code(reset_id=reset.pk, code="000000")
    assert OneTimeCode.objects.get(password_reset=reset).tries_left == 0


@pytest.mark.parametrize("asked_by", ["owner", "owner who used the link", "nobody"])
def test_page_that_sends_again_promises_nothing_and_says_the_same_to_all(
    patient: User, asked_by: str
) -> None:
    portal = page_client()
    email = "nobody@example.org" if asked_by == "nobody" else patient.email
    portal.post("/password/forgot", {"email": email})
    prepare_reset(reset_id=PasswordReset.objects.get().pk)
    if asked_by == "owner who used the link":
        follow(secret_in(link_to(patient.email)))

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        answer = portal.post("/password/resend", follow=True)

    assert [str(said) for said in answer.context["messages"]] == [
        (
            "If the address has an account and no new password was chosen meanwhile, a new code "
            "and link are on their way; the old ones no longer work. If no mail comes, begin again."
        )
    ]


# --- What strangers cannot spoil ----------------------------------------------------------------


def test_burnt_codes_and_a_locked_account_do_not_stop_it(patient: User) -> None:
    reset, link = asked(patient), link_to(patient.email)
    for _ in range(OneTimeCode.TRIES):
        with pytest.raises(InvalidCode):
            verify_reset_code(reset_id=reset.pk, code=wrong_code(reset))
    for _ in range(ACCOUNT_TRIES):
        with pytest.raises(InvalidCredentials):
            authenticate(email=patient.email, password="no", device=ELSEWHERE)
    for _ in range(7):
        request_reset(email=patient.email, device=ELSEWHERE)
    with pytest.raises(TooManyRequests):
        request_reset(email=patient.email, device=HERE)

    assert follow(secret_in(link))


def test_mails_of_registrations_use_up_none_of_those_with_a_link(patient: User) -> None:
    """Those that tell the owner of an account that they have one bring no link."""
    for _ in range(8):
        spend_mailbox(patient.email)
    with pytest.raises(TooManyRequests):
        spend_mailbox(patient.email)

    assert request_reset(email=patient.email, device=ELSEWHERE)


# --- The device on which it was done ------------------------------------------------------------


def lock_out(user: User) -> None:
    """Strangers guess at the password until they have to wait."""
    for _ in range(ACCOUNT_TRIES):
        with pytest.raises(InvalidCredentials):
            authenticate(email=user.email, password="no", device=ELSEWHERE)
    with pytest.raises(TooManyRequests):
        authenticate(email=user.email, password=NEW, device=ELSEWHERE)


def test_owner_signs_in_where_the_link_was_used_while_strangers_wait(patient: User) -> None:
    link, mine = mailed(patient), page_client()
    mine.get(link)
    mine.post(link, {"new_password": NEW})
    lock_out(patient)

    elsewhere = page_client().post("/login", {"email": patient.email, "password": NEW})
    answer = mine.post("/login", {"email": patient.email, "password": NEW})

    assert (elsewhere.status_code, answer.status_code) == (429, 302)


@pytest.mark.parametrize("door", ["pages", "API"])
def test_owner_signs_in_where_the_code_was_typed_while_strangers_wait(
    patient: User, door: str
) -> None:
    reset = asked(patient)
    token = verify_reset_code(reset_id=reset.pk, code=code_of(reset))
    if door == "API":
        mine = api_client()
        mine.post("/api/v1/auth/reset-password", {"reset_token": token, "new_password": NEW})
    else:
        mine = page_client()
        session = mine.session
        session["password_reset_token"] = token
        session.save()
        mine.cookies["sessionid"] = session.session_key or ""
        mine.post("/password/new", {"new_password": NEW})
    lock_out(patient)

    route = "/api/v1/auth/login" if door == "API" else "/login"
    answer = mine.post(route, {"email": patient.email, "password": NEW})

    assert answer.status_code == (200 if door == "API" else 302)


def test_device_it_was_done_on_was_known_before_and_still_is(patient: User) -> None:
    """The reset ends the session that it was known by."""
    open_session(user=patient, method=SignInMethod.PASSWORD, device=HERE)

    follow(secret_for(patient))

    assert is_known_device(patient.email, HERE)


def test_guesses_there_are_counted_too(patient: User) -> None:
    follow(secret_for(patient))
    for _ in range(ACCOUNT_TRIES):
        with pytest.raises(InvalidCredentials):
            authenticate(email=patient.email, password="no", device=HERE)

    with pytest.raises(TooManyRequests):
        authenticate(email=patient.email, password=NEW, device=HERE)


def test_next_reset_forgets_the_guesses_made_there(patient: User) -> None:
    follow(secret_for(patient))
    for _ in range(ACCOUNT_TRIES):
        with pytest.raises(InvalidCredentials):
            authenticate(email=patient.email, password="no", device=HERE)

    follow(secret_for(patient))

    assert known_devices(patient.email) == {HERE.digest}
    assert authenticate(email=patient.email, password=NEW, device=HERE)


def test_device_of_one_account_is_a_stranger_to_another(patient: User, stranger: User) -> None:
    follow(secret_for(patient))

    assert is_known_device(patient.email, HERE)
    assert not is_known_device(stranger.email, HERE)
    assert not is_known_device(patient.email, ELSEWHERE)


def test_proof_of_the_mailbox_lasts_for_a_quarter_of_an_hour(patient: User) -> None:
    follow(secret_for(patient))
    done_at = PasswordReset.objects.get().used_at
    assert done_at is not None

    with time_machine.travel(done_at + dt.timedelta(minutes=14)):
        assert is_known_device(patient.email, HERE)
    with time_machine.travel(done_at + PasswordReset.PROOF_LASTS):
        assert not is_known_device(patient.email, HERE)


def test_proof_by_the_last_link_of_all_is_not_forgotten_early(patient: User) -> None:
    """The clock forgets a request only when its last mail, and what that proved, are over."""
    reset = asked(patient)
    with time_machine.travel(reset.expires_at - dt.timedelta(seconds=1)):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)
        prepare_reset(reset_id=reset.pk)
    ends = PasswordReset.objects.get().link_expires_at
    assert ends is not None
    with time_machine.travel(ends - dt.timedelta(seconds=1)):
        jobs.delete_expired_proofs()
        follow(secret_in(link_to(patient.email)))

    with time_machine.travel(ends + PasswordReset.PROOF_LASTS - dt.timedelta(seconds=2)):
        jobs.delete_expired_proofs()
        assert is_known_device(patient.email, HERE)


def test_who_has_signed_in_there_is_known_for_good(patient: User) -> None:
    follow(secret_for(patient))
    open_session(user=patient, method=SignInMethod.PASSWORD, device=HERE)

    with time_machine.travel(timezone.now() + dt.timedelta(days=1)):
        assert is_known_device(patient.email, HERE)


def test_owner_is_told_of_the_new_device_all_the_same(patient: User) -> None:
    open_session(user=patient, method=SignInMethod.PASSWORD, device=ELSEWHERE)
    follow(secret_for(patient))

    open_session(user=patient, method=SignInMethod.PASSWORD, device=HERE)

    assert Notification.objects.filter(recipient=patient, kind="NEW_DEVICE").count() == 1


def shown_out(user: User) -> None:
    session = open_session(user=user, method=SignInMethod.PASSWORD, device=HERE)
    revoke_session(actor=user, session_id=session.pk)


def everybody_else_signed_out(user: User) -> None:
    own = open_session(user=user, method=SignInMethod.PASSWORD, device=ELSEWHERE)
    revoke_other_sessions(session=own)


def reset_elsewhere(user: User) -> None:
    follow(secret_for(user), "one more quite long sentence", device=ELSEWHERE)


@pytest.mark.parametrize("act", [shown_out, everybody_else_signed_out, reset_elsewhere])
def test_proof_does_not_outlast_being_shown_out(patient: User, act: Any) -> None:
    follow(secret_for(patient))

    act(patient)

    assert not is_known_device(patient.email, HERE)


def test_key_is_handed_out_with_the_page(patient: User) -> None:
    link, client = mailed(patient), page_client()

    client.get(link)

    assert len(client.cookies[COOKIE].value) == 43
