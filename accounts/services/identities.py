"""Accounts elsewhere that sign in to one here."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ExternalIdentity, User
from common.errors import DomainError
from notifications.services import notify
from notifications.wording import Kind


class AlreadyLinked(DomainError):
    code = "already_linked"
    detail = _("This Google account, or your account here, is already linked to another one.")


class LastWayIn(DomainError):
    code = "last_way_in"
    detail = _("Choose a password or add a passkey first: nothing else would let you in.")


def check_way_in_is_left(user: User) -> None:
    """Whoever takes a way in off their account keeps another. Part of the transaction that does
    so, which holds the account."""
    ways = (user.has_usable_password, user.passkeys.exists, user.external_identities.exists)
    if not any(is_left() for is_left in ways):
        raise LastWayIn


def remember(user: User, *, issuer: str, subject: str) -> ExternalIdentity:
    return ExternalIdentity.objects.create(
        user=user, issuer=issuer, subject=subject, last_used_at=timezone.now()
    )


def link(user: User, *, issuer: str, subject: str) -> ExternalIdentity:
    """Let an account elsewhere sign in to one that is there already, and tell its owner. Part of
    the caller's transaction."""
    try:
        with transaction.atomic():
            linked = remember(user, issuer=issuer, subject=subject)
    except IntegrityError as error:
        raise AlreadyLinked from error
    notify(recipient=user, kind=Kind.IDENTITY_LINKED, url="/security")
    return linked
