"""Clock work, and what services hand over by name."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.models import (
    AttemptCount,
    DeviceSession,
    EmailChange,
    PasskeyChallenge,
    PasswordReset,
    PendingSignIn,
    Registration,
    SpentIdToken,
)
from accounts.services import directory, licences, passwords
from common.clock import clinic_date
from common.housekeeping import delete_in_batches


# An expired hand-over is made good by the sweep; so workers that were away find no pile.
@shared_task(expires=60)
def prepare_password_reset(reset_id: str) -> None:
    """Send a code to the owner of an address, if it has one; harmless to run twice."""
    passwords.prepare_reset(reset_id=UUID(reset_id))


@shared_task
def prepare_left_behind_resets() -> None:
    """Every 15 s: hand over again what a dead broker or worker left behind."""
    for reset_id in passwords.left_behind(timezone.now()):
        prepare_password_reset.delay(str(reset_id))


@shared_task
def delete_expired_proofs() -> None:
    """Every hour: forget who forgot a password, who asked to move to another address or did so
    long ago, and whose guesses are a day old."""
    now = timezone.now()
    delete_in_batches(PasswordReset.objects.forgettable(now))
    delete_in_batches(EmailChange.objects.forgettable(now))
    delete_in_batches(AttemptCount.objects.filter(last_at__lt=now - AttemptCount.FORGOTTEN_AFTER))


@shared_task
def delete_expired_registrations() -> None:
    """Every hour: forget people who began to register and did not go on."""
    delete_in_batches(Registration.objects.abandoned(timezone.now()))


@shared_task
def delete_lapsed_sign_ins() -> None:
    """Every hour: forget what was waited for and never came, or came and is spent."""
    now = timezone.now()
    delete_in_batches(PasskeyChallenge.objects.filter(expires_at__lt=now))
    delete_in_batches(PendingSignIn.objects.filter(expires_at__lt=now))
    delete_in_batches(SpentIdToken.objects.filter(expires_at__lt=now))


@shared_task
def tell_of_ending_licences() -> None:
    """Every day: tell doctors whose licence ends within thirty days, once."""
    licences.tell_of_ending_licences(today=clinic_date())


@shared_task
def delete_old_sessions() -> None:
    """Every day: forget where people were signed in, three months after it ended."""
    delete_in_batches(DeviceSession.objects.forgettable(timezone.now()))


@shared_task
def refresh_directory_words() -> None:
    """Every day: correct what people type by the words that the directory has today."""
    directory.refresh_words()
