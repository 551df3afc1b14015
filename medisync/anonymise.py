"""Forgetting a person, in every app that knows something of them."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import DeviceSession, Role, User
from accounts.services.anonymise import anonymise_user
from chat.services.help import forget_help
from connections.services.grants import forget_grants
from connections.services.request_contents import (
    close_requests,
    forget_requests,
    hold_who_waits,
)
from prescriptions.services import refills
from qrverify.services.emergency import forget_card
from qrverify.services.links import forget_links


def anonymise_everywhere(*, session: DeviceSession, user_id: UUID, email: str, reason: str) -> User:
    """The account, what its person told in requests, what they wrote, and what was shared.

    What opens or tells anything of theirs goes in one transaction. The patients of a doctor are
    seen to after it, one by one: to the doctor, nothing is open by then.
    """
    user = _anonymise(session=session, user_id=user_id, email=email, reason=reason)
    close_requests(user=user, by=session.user)
    refills.close_requests(user=user, by=session.user)
    forget_grants(user=user, by=session.user)
    return user


@transaction.atomic
def _anonymise(*, session: DeviceSession, user_id: UUID, email: str, reason: str) -> User:
    held = hold_who_waits(user_id=user_id, by_id=session.user_id)
    user = anonymise_user(session=session, user_id=user_id, email=email, reason=reason)
    forget_requests(user=user, by=session.user, held=held)
    refills.forget_requests(user=user, by=session.user)
    forget_help(user=user)
    # Also of who is no patient any more.
    forget_card(user=user)
    forget_links(user=user)
    if user.role == Role.PATIENT:
        forget_grants(user=user, by=session.user)
    return user
