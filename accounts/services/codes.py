"""One-time codes by mail: sent, tried, used once."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import CodeHolder, OneTimeCode, PasswordReset, User
from accounts.services import attempts
from accounts.services.sessions import Device
from common.errors import DomainError, InvalidInput
from notifications.services import post_email
from notifications.wording import Kind

# So many mails of each of the two counts reach one mailbox at once in a day; each further one has
# to wait a little longer.
MAILBOX_TRIES = 8


class InvalidCode(InvalidInput):
    code = "invalid_code"
    detail = _("This code is not right, or no longer valid. Ask for a new one.")


class ResendTooSoon(DomainError):
    code = "resend_too_soon"
    detail = _("A code was sent less than a minute ago. Please wait, then ask again.")
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


def check_may_send(holder: CodeHolder, *, now: dt.datetime) -> None:
    """At most one code a minute."""
    earlier = OneTimeCode.objects.of(holder).first()
    if earlier:
        check_is_due(earlier.sent_at, now=now)


def check_is_due(last_at: dt.datetime, *, now: dt.datetime) -> None:
    """A minute has passed since the last code."""
    wait = last_at + OneTimeCode.RESEND_AFTER - now
    if wait > dt.timedelta():
        raise ResendTooSoon(int(wait.total_seconds()) + 1)


def spend_mailbox(address: str) -> None:
    """Count one mail to an address, whoever asked for it and whether or not it has an account:
    nobody can fill another's mailbox, nor have more than a few codes to guess at.

    Commits by itself, so it is called before the transaction that sends.
    """
    attempts.spend([attempts.Guard("mailbox", address, MAILBOX_TRIES)])


def spend_mailbox_of_resets(address: str, *, asked_on: Device) -> None:
    """The same for mails with which a password is reset. On a device of the owner's, what
    strangers asked for does not count.

    They have a count of their own: when it is full, a mail whose link serves the owner has been
    sent a short while ago. A mail for a registration would bring no such link.
    """
    attempts.spend(
        [attempts.guard_on("reset_mailbox", address, asked_on, free_tries=MAILBOX_TRIES)]
    )


def send_code(
    holder: CodeHolder,
    *,
    address: str,
    language: str,
    kind: Kind,
    now: dt.datetime,
    instead: Kind | None = None,
    link: str = "",
) -> None:
    """Replace the holder's code and mail it, with a secret link beside it if there is one.

    With `instead`, the address's owner is mailed that, and the code kept is one that nothing
    anyone can type will match: a taken address cannot be "proven".
    """
    code = f"{secrets.randbelow(10**6):06d}"
    _keep(holder, "" if instead else _digest(holder, code), now=now)
    post_email(
        to_address=address,
        language=language,
        kind=instead or kind,
        url="/login" if instead else "",
        secret_context=None if instead else {"code": code} | ({"link": link} if link else {}),
        idempotency_key=f"{holder._meta.model_name}:{holder.pk}:{now.isoformat()}",
    )


def keep_unmatchable(holder: CodeHolder, *, now: dt.datetime) -> None:
    """For an address that nobody is to be mailed at: a code row that behaves as any other and
    that nothing anyone can type will match."""
    _keep(holder, "", now=now)


def _keep(holder: CodeHolder, digest: str, *, now: dt.datetime) -> None:
    OneTimeCode.objects.update_or_create(
        **OneTimeCode.holds(holder),
        defaults={
            "digest": digest,
            "sent_at": now,
            "expires_at": now + OneTimeCode.LASTS,
            "tries_left": OneTimeCode.TRIES,
            "used_at": None,
        },
    )


def close_resets(user: User) -> None:
    """Codes, links and tokens for another password of this user are worth nothing any more."""
    PasswordReset.objects.filter(user=user, used_at=None).update(used_at=timezone.now())


def try_code(holder: CodeHolder, code: str, *, now: dt.datetime) -> OneTimeCode:
    """Take one of the tries, then compare. Raises `InvalidCode`.

    A wrong try is spent even though the answer is an error: call this outside a transaction, so
    that the count is committed before the code is looked at. The UPDATE joins no other table:
    after waiting for a rival, PostgreSQL re-reads the row it waited for and nothing else, so a
    condition inside a subquery would let one try too many in.
    """
    mine = OneTimeCode.objects.of(holder)
    spent = mine.filter(used_at=None, expires_at__gt=now, tries_left__gt=0).update(
        tries_left=F("tries_left") - 1
    )
    found = mine.first() if spent else None
    if found is None or not constant_time_compare(found.digest, _digest(holder, code)):
        raise InvalidCode(attr="otp")
    return found


def use_code(code: OneTimeCode, *, now: dt.datetime) -> None:
    """Of two who typed the right code at once, one goes on. Raises `InvalidCode`."""
    is_first = OneTimeCode.objects.filter(pk=code.pk, digest=code.digest, used_at=None).update(
        used_at=now
    )
    if not is_first:
        raise InvalidCode(attr="otp")


def _digest(holder: CodeHolder, code: str) -> str:
    return salted_hmac(f"accounts.one_time_code.{holder.pk}", code, algorithm="sha256").hexdigest()
