"""A known and an unknown address are the same work: the same statements, the same hashing, the
same tasks. So the time of an answer tells nobody who has an account; `sign_in_timing.py` among the
benchmarks measures that it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import (
    AttemptCount,
    OneTimeCode,
    Registration,
    Role,
    Status,
    Totp,
    User,
)
from accounts.services.registration import start_registration
from medisync.tests.client import api_client, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = "nobody@example.org"
PASSWORD = "a quite long sentence"
# What differs from one run of a statement to the next: texts, numbers, nothing at all, and the
# names of savepoints.
VALUES = re.compile(r"""'(?:[^']|'')*'|\bNULL\b|\b\d+(?:\.\d+)?\b|"s\d+_x\d+\"""")

Ask = Callable[[str], Any]


class CountingHasher(MD5PasswordHasher):
    """Cheap, and every hash is counted: one that is compared is made as well."""

    made = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).made += 1
        return super().encode(password, salt)


@dataclass
class Work:
    """What was done for one answer."""

    statements: list[str] = field(default_factory=list)
    hashes: int = 0
    tasks: list[str] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Work]:
    work, hashed_before = Work(), CountingHasher.made

    def publishing(sender: str, **rest: Any) -> None:
        work.tasks.append(sender)

    with CaptureQueriesContext(connection) as captured:
        before_task_publish.connect(publishing)
        try:
            yield work
        finally:
            before_task_publish.disconnect(publishing)
    work.statements = [VALUES.sub("?", query["sql"]) for query in captured.captured_queries]
    work.hashes = CountingHasher.made - hashed_before


def asked(path: str, body: dict[str, str], expected: int) -> Work:
    """The work of one answer, for a caller of whom nothing is counted yet."""
    cache.clear()
    AttemptCount.objects.all().delete()
    client = api_client()
    with watched() as work:
        answer = client.post(f"/api/v1/auth/{path}", body)
    assert answer.status_code == expected, answer.content
    return work


def log_in(email: str) -> Work:
    return asked("login", {"email": email, "password": "a wrong sentence"}, 401)


def forget_password(email: str) -> Work:
    return asked("forgot-password", {"email": email}, 200)


def register(email: str) -> Work:
    begun = start_registration(role=Role.PATIENT, language="en")
    body = {
        "registration_id": str(begun.pk),
        "email": email,
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }
    return asked("register/basic", body, 201)


@pytest.fixture
def known(settings: Any, patient: User) -> str:
    """Somebody who signs in from where the questions come from, by a password that is counted."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    patient.set_password(PASSWORD)
    patient.save(update_fields=["password"])
    sign_in(patient)
    return patient.email


@pytest.mark.parametrize(
    ("ask", "hashes", "tasks"),
    [
        (log_in, 1, []),
        (forget_password, 0, ["accounts.jobs.prepare_password_reset"]),
        (register, 1, ["notifications.tasks.send_email"]),
    ],
)
def test_known_and_unknown_addresses_are_the_same_work(
    known: str, ask: Ask, hashes: int, tasks: list[str]
) -> None:
    of_known, of_unknown = ask(known), ask(UNKNOWN)

    assert of_known.statements == of_unknown.statements
    assert (of_known.hashes, of_unknown.hashes) == (hashes, hashes)
    assert (of_known.tasks, of_unknown.tasks) == (tasks, tasks)


def without_a_password(user: User) -> None:
    """As an account made with Google is."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def closed(user: User) -> None:
    User.objects.filter(pk=user.pk).update(status=Status.SUSPENDED)


def with_an_app(user: User) -> None:
    Totp.objects.create(user=user, seed="JBSWY3DPEHPK3PXP", confirmed_at=timezone.now())


@pytest.mark.parametrize("is_now", [without_a_password, closed, with_an_app])
@pytest.mark.parametrize("ask", [log_in, forget_password, register])
def test_account_of_any_kind_is_the_same_work(
    known: str, ask: Ask, is_now: Callable[[User], None]
) -> None:
    is_now(User.objects.get(email=known))

    of_known, of_unknown = ask(known), ask(UNKNOWN)

    assert of_known == of_unknown


def test_second_code_for_a_registration_is_the_same_work(known: str) -> None:
    def ask_again(email: str) -> Work:
        register(email)
        waiting = Registration.objects.latest("pk")
        OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)
        body = {"id": str(waiting.pk), "type": "EMAIL_VERIFICATION"}
        return asked("resend-otp", body, 204)

    assert ask_again(known) == ask_again(UNKNOWN)


def test_moving_to_a_taken_address_is_the_same_work(known: str, stranger: User) -> None:
    """Whoever is signed in learns no more than others."""
    client = api_client(stranger)

    def move_to(email: str) -> Work:
        cache.clear()
        AttemptCount.objects.all().delete()
        with watched() as work:
            answer = client.post("/api/v1/auth/change-email", {"new_email": email})
        assert answer.status_code == 200, answer.content
        return work

    assert move_to(known) == move_to(UNKNOWN)
