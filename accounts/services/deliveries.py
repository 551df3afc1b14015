"""What administrators do about e-mails that could not be delivered."""

from __future__ import annotations

from uuid import UUID

from accounts.models import DeviceSession
from accounts.policies import check_may_administer
from notifications.models import EmailDelivery
from notifications.services import retry_email


def try_again(*, session: DeviceSession, delivery_id: UUID) -> EmailDelivery:
    """Owe an e-mail anew that was given up. The ledger goes on with its next attempt."""
    check_may_administer(session)
    return retry_email(delivery_id=delivery_id)
