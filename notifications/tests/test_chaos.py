"""Broker, mail server and worker die at random; every notification is mailed, once, in order.

`CHAOS_NOTIFICATIONS=10000` makes it as large as it is asked for; the suite takes a smaller one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from medisync.celery import app
from medisync.tests.servers import use_broker
from notifications.models import EmailDelivery
from notifications.tests.chaos import Chaos, crowd, owed_to, report, tell_everyone, wanted_count

SENT = EmailDelivery.Status.SENT


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    one = Chaos(
        tmp_path / "mail", peace=max(0.8, wanted_count() / 1700), tick=max(1, wanted_count() / 1000)
    )
    before = app.conf.broker_url
    with one.running():
        use_broker(one.broker_url)
        yield one
    use_broker(before)


@pytest.mark.django_db(transaction=True)
def test_every_notification_is_mailed_once_and_in_order_whoever_dies(chaos: Chaos) -> None:
    count = wanted_count()
    people = crowd(max(10, count // 30))
    kills = 6 * max(1, count // 1000)
    telling = tell_everyone(people, count, seconds=2 * kills)

    chaos.rage(kills)
    telling.join()
    deadline = time.monotonic() + 60 + count / 2
    while EmailDelivery.objects.exclude(status=SENT).exists():
        assert time.monotonic() < deadline, f"{report(chaos)}, {statuses()}"
        chaos.live(1)

    print(f"{count} notifications for {len(people)} people; {report(chaos)}")  # noqa: T201
    arrived = chaos.arrivals()
    assert len(arrived) == EmailDelivery.objects.count() == count
    place = {name: number for number, name in enumerate(arrived)}
    for person in people:
        owed = owed_to(person)
        assert sorted(owed, key=place.__getitem__) == owed


def statuses() -> dict[str, int]:
    return {
        status: EmailDelivery.objects.filter(status=status).count()
        for status in EmailDelivery.Status
    }
