"""However many rows there are, lists and the outbox go by their indexes.

`benchmarks/notifications.py` measures it with a million; here the plans among some thousands do.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from common.ids import uuid7
from notifications.models import EmailDelivery, Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
ROWS = 8_000


@pytest.fixture
def crowded(patient: User, stranger: User) -> None:
    """One row in a hundred is the patient's; of the e-mails, one in fifty waits."""
    now = timezone.now()
    told = Notification.objects.bulk_create(
        Notification(
            recipient=stranger if number % 100 else patient,
            kind=Kind.PASSWORD_CHANGED,
            url="/",
            read_at=None if number % 3 else now,
        )
        for number in range(ROWS)
    )
    EmailDelivery.objects.bulk_create(
        EmailDelivery(
            notification=row, recipient=row.recipient, to_address="a@example.org", kind=row.kind,
            language="en", idempotency_key=str(row.pk), release_at=now, due_at=now,
            published_at=now - dt.timedelta(hours=1), status="SENT" if number % 50 else "QUEUED",
        )
        for number, row in enumerate(told)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification, notifications_emaildelivery")


def plan(rows: QuerySet[Any]) -> str:
    found: str = rows.explain()
    assert "Seq Scan on notifications_" not in found, found
    return found


@pytest.mark.usefixtures("crowded")
def test_list_goes_by_its_index_on_every_page(patient: User) -> None:
    mine = Notification.objects.visible_to(patient).with_about()
    middle = mine[ROWS // 200].pk

    assert "notification_feed" in plan(mine[:21])
    assert "notification_feed" in plan(mine.filter(pk__lt=middle)[:21])


@pytest.mark.usefixtures("crowded")
def test_unread_are_listed_and_counted_by_their_index(patient: User) -> None:
    unread = Notification.objects.visible_to(patient).unread()

    assert "notification_unread" in plan(unread[:21])
    assert "notification_unread" in plan(unread.values("pk")[: Notification.COUNTED_TO])


@pytest.mark.usefixtures("crowded")
def test_what_was_read_long_ago_is_found_by_its_index() -> None:
    assert "notification_read" in plan(Notification.objects.forgettable(timezone.now()))


@pytest.mark.usefixtures("crowded")
def test_claim_goes_by_the_line_of_its_person(patient: User) -> None:
    line = EmailDelivery.objects.pending().filter(recipient=patient).in_line()
    claimable = EmailDelivery.objects.due(timezone.now()).in_turn().filter(pk=uuid7())

    assert "email_line" in plan(line[:1])
    assert "email_line" in plan(claimable)


@pytest.mark.usefixtures("crowded")
def test_sweep_reads_nothing_but_what_waits() -> None:
    overlooked = EmailDelivery.objects.due(timezone.now()).in_turn().order_by("due_at")

    found = plan(overlooked[:500])

    assert "email_due" in found
    assert "email_line" in found
