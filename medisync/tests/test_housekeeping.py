"""What is no longer needed is forgotten, and what is needed stays."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from celery.beat import ScheduleEntry
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.jobs import (
    delete_expired_proofs,
    delete_lapsed_sign_ins,
    delete_old_sessions,
)
from accounts.models import (
    AttemptCount,
    DeviceSession,
    EmailChange,
    PasskeyChallenge,
    PasswordReset,
    PendingSignIn,
    SignInMethod,
    User,
)
from accounts.services.sessions import Device, open_session
from common import housekeeping
from medisync import celery_app
from medisync.jobs import delete_expired_cookies
from medisync.tests.client import page_client
from notifications.jobs import delete_old_emails
from notifications.models import EmailDelivery
from notifications.tests.factories import owe_email

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


def session(user: User, *, ended: dt.timedelta, agent: str = FIREFOX) -> DeviceSession:
    """A session that expired so long ago."""
    made = open_session(
        user=user,
        method=SignInMethod.PASSWORD,
        device=Device(ip_address="127.0.0.1", user_agent=agent),
    )
    DeviceSession.objects.filter(pk=made.pk).update(expires_at=timezone.now() - ended)
    return made


def test_sessions_are_forgotten_three_months_after_they_ended(patient: User) -> None:
    old = session(patient, ended=91 * DAY)
    kept = [session(patient, ended=89 * DAY), session(patient, ended=-DAY)]

    delete_old_sessions()

    assert set(DeviceSession.objects.all()) == set(kept)
    assert old not in kept


def test_revoked_session_is_forgotten_likewise(patient: User) -> None:
    old = session(patient, ended=-DAY)
    DeviceSession.objects.update(revoked_at=timezone.now() - 91 * DAY)
    session(patient, ended=-DAY)

    delete_old_sessions()

    assert not DeviceSession.objects.filter(pk=old.pk).exists()


def test_last_session_of_each_account_is_kept(patient: User, stranger: User) -> None:
    session(patient, ended=200 * DAY)
    session(patient, ended=100 * DAY, agent=CHROME)
    kept = [session(patient, ended=100 * DAY), session(stranger, ended=100 * DAY)]

    delete_old_sessions()

    assert set(DeviceSession.objects.all()) == set(kept)


def test_whoever_comes_back_after_a_year_is_told_of_a_new_device(patient: User) -> None:
    session(patient, ended=365 * DAY)
    delete_old_sessions()

    session(patient, ended=-DAY, agent=CHROME)

    assert EmailDelivery.objects.get().kind == "NEW_DEVICE"


def test_mail_is_forgotten_after_three_months_unless_it_waits() -> None:
    for status in ("SENT", "FAILED", "WITHHELD", "QUEUED", "SENDING"):
        EmailDelivery.objects.filter(pk=owe_email().pk).update(
            status=status, secret_context=None, created_at=timezone.now() - 91 * DAY
        )
    recent = owe_email()
    EmailDelivery.objects.filter(pk=recent.pk).update(status="SENT", secret_context=None)

    delete_old_emails()

    left = EmailDelivery.objects.values_list("status", flat=True)
    assert sorted(left) == ["QUEUED", "SENDING", "SENT"]


def test_expired_cookies_are_forgotten(patient: User) -> None:
    browser, other = page_client(patient), page_client(patient)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - DAY)

    delete_expired_cookies()

    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    assert not store().exists(key)
    assert store().exists(other.cookies[settings.SESSION_COOKIE_NAME].value)


def test_what_was_waited_for_in_vain_is_forgotten(patient: User) -> None:
    now = timezone.now()
    for expires_at in (now - DAY, now + DAY):
        PendingSignIn.objects.create(user=patient, method="PASSWORD", expires_at=expires_at)
        PasskeyChallenge.objects.create(purpose="SIGN_IN", state={}, expires_at=expires_at)
        EmailChange.objects.create(user=patient, email="n@example.org", expires_at=expires_at)
        PasswordReset.objects.create(email="n@example.org", asked_at=now, expires_at=expires_at)

    delete_lapsed_sign_ins()
    delete_expired_proofs()

    for model in (PendingSignIn, PasskeyChallenge, EmailChange, PasswordReset):
        assert model.objects.get().expires_at > now


def test_guesses_are_forgotten_after_a_day() -> None:
    now = timezone.now()
    for hours in (23, 25):
        AttemptCount.objects.create(
            key=str(hours), failures=9, last_at=now - dt.timedelta(hours=hours)
        )

    delete_expired_proofs()

    assert AttemptCount.objects.get().key == "23"


def test_many_rows_are_deleted_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    for _ in range(5):
        EmailDelivery.objects.filter(pk=owe_email().pk).update(status="SENT")

    count = housekeeping.delete_in_batches(EmailDelivery.objects.filter(status="SENT"))

    assert count == 5
    assert not EmailDelivery.objects.exists()


def test_clock_that_is_started_anew_each_day_does_the_work_of_each_day() -> None:
    """Where a deployment keeps no memory of the last runs, a period counted from the start would
    never be over."""
    with time_machine.travel(dt.datetime(2030, 3, 1, 12, 30, tzinfo=dt.UTC), tick=False) as clock:
        entries = [
            ScheduleEntry(name=name, app=celery_app, **entry)
            for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
        ]
        clock.shift(dt.timedelta(hours=23))

        late = [entry.name for entry in entries if not entry.is_due().is_due]

    assert late == []


def test_every_job_of_the_schedule_exists() -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert callable(import_string(entry["task"])), entry["task"]
