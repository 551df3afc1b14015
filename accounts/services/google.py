"""Where a proven Google identity leads, by whichever door it came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    DeviceSession,
    ExternalIdentity,
    PendingSignIn,
    Registration,
    Role,
    SignInMethod,
    SpentIdToken,
    StatusChange,
    User,
)
from accounts.oidc import LEEWAY, Identity, InvalidIdToken
from accounts.policies import check_is_confirmed
from accounts.services import identities, sign_in
from accounts.services.registration import AlreadyRegistered, checked_address
from accounts.services.sessions import Device, hold_account
from accounts.services.texts import checked_name
from common.errors import DomainError

# Where Google tells no last name and nobody was asked.
NO_NAME = "–"


class LinkRequiresPassword(DomainError):
    code = "link_requires_password"
    detail = _(
        "This e-mail address has an account here. Give its password once to let Google sign in "
        "to it."
    )


class RoleRequired(DomainError):
    code = "role_required"
    detail = _("You have no account yet. Say whether you are a patient or a doctor.")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody without an account says of themselves; names as Google tells them unless
    given."""

    role: Role
    language: str
    first_name: str = ""
    last_name: str = ""


def come_in(
    *, identity: Identity, device: Device, password: str = "", newcomer: Newcomer | None = None
) -> sign_in.SignIn:
    """Sign in with Google.

    A linked account is signed in to. One that merely has the same address asks for its
    password, once, and is linked: whoever owns an address today need not be who registered
    with it. Where the account has a second factor, it is linked once that is shown as well: a
    password alone adds no way in. Nobody's address becomes a new account.
    """
    identity = replace(identity, email=checked_address(identity.email))
    owner = owner_of(identity)
    if owner is not None:
        return _enter(owner, identity, device)
    if User.objects.filter(email=identity.email).exists():
        return _link_and_enter(identity, device, password=password)
    if newcomer is None:
        raise RoleRequired
    return _register_and_enter(identity, device, newcomer)


@transaction.atomic
def link_identity(*, session: DeviceSession, identity: Identity) -> ExternalIdentity:
    """Let a Google account sign in to one's own account."""
    user = hold_account(session)
    check_is_confirmed(session)
    spend(identity)
    return identities.link(user, issuer=identity.issuer, subject=identity.subject)


@transaction.atomic
def unlink_identity(*, session: DeviceSession) -> None:
    """Let Google no longer sign in to one's own account, if anything else still does."""
    # The lock is the one under which the last passkey goes.
    user = hold_account(session)
    check_is_confirmed(session)
    ExternalIdentity.objects.filter(user=user).delete()
    identities.check_way_in_is_left(user)


def linked_identity(user: User) -> ExternalIdentity | None:
    return ExternalIdentity.objects.filter(user=user).first()


def owner_of(identity: Identity) -> User | None:
    """The account that this Google account signs in to."""
    return User.objects.filter(
        external_identities__issuer=identity.issuer,
        external_identities__subject=identity.subject,
    ).first()


@transaction.atomic
def _enter(user: User, identity: Identity, device: Device) -> sign_in.SignIn:
    spend(identity)
    ExternalIdentity.objects.filter(issuer=identity.issuer, subject=identity.subject).update(
        last_used_at=timezone.now()
    )
    return sign_in.begin(user=user, method=SignInMethod.GOOGLE, device=device)


def _link_and_enter(identity: Identity, device: Device, *, password: str) -> sign_in.SignIn:
    if not password:
        raise LinkRequiresPassword
    user = sign_in.authenticate(email=identity.email, password=password, device=device)
    with transaction.atomic():
        came_in = _enter(user, identity, device)
        if came_in.pending is None:
            identities.link(user, issuer=identity.issuer, subject=identity.subject)
        else:
            _link_later(came_in.pending, identity)
        return came_in


def _register_and_enter(identity: Identity, device: Device, newcomer: Newcomer) -> sign_in.SignIn:
    try:
        with transaction.atomic():
            user = _create_user(identity, newcomer)
            return _enter(user, identity, device)
    except IntegrityError as error:
        raise AlreadyRegistered from error


def _create_user(identity: Identity, newcomer: Newcomer) -> User:
    """As registration does it after its third step, which Google has done for them."""
    names = {
        "first_name": newcomer.first_name or identity.first_name,
        "last_name": newcomer.last_name or identity.last_name or NO_NAME,
    }
    names = {field: checked_name(name, attr=field) for field, name in names.items()}
    who = {"email": identity.email, "role": newcomer.role, "language": newcomer.language} | names
    user = User(**who)
    user.set_unusable_password()
    user.save(force_insert=True)
    StatusChange.objects.create(user=user, to_status=user.status, changed_by=user)
    Registration.objects.create(
        **who,
        user=user,
        status=Registration.Step.EMAIL_VERIFIED,
        expires_at=timezone.now() + Registration.LASTS,
    )
    identities.remember(user, issuer=identity.issuer, subject=identity.subject)
    return user


def _link_later(pending: PendingSignIn, identity: Identity) -> None:
    """With the second factor, unless it is plain already that it cannot be."""
    if ExternalIdentity.objects.filter(user=pending.user, issuer=identity.issuer).exists():
        raise identities.AlreadyLinked
    pending.link_issuer, pending.link_subject = identity.issuer, identity.subject
    pending.save(update_fields=["link_issuer", "link_subject"])


def spend(identity: Identity) -> None:
    """An id_token lets in once, and while it is fresh. Of two at once, one goes on."""
    until = identity.expires_at + LEEWAY
    if timezone.now() > until:
        raise InvalidIdToken(attr="id_token")
    _row, is_first = SpentIdToken.objects.get_or_create(
        digest=identity.digest, defaults={"expires_at": until}
    )
    if not is_first:
        raise InvalidIdToken(attr="id_token")
