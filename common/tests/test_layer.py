"""The ear of an event loop forgets what nobody listens for."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from common.layer import LiveLayer
from medisync.tests.ports import quiet_port


@async_to_sync
async def left_behind_by_a_visit_while_redis_is_away() -> int:
    layer = LiveLayer(f"redis://127.0.0.1:{quiet_port()}/0")
    channel = await layer.new_channel()
    await layer.group_add("chat.nobodys", channel)
    layer.release(channel)
    listener = layer.listener()
    if listener.task is not None:
        listener.task.cancel()
    return len(listener.awaited) + len(listener.groups) + len(listener.owed)


def test_group_that_is_left_while_redis_is_away_leaves_nothing_behind() -> None:
    assert left_behind_by_a_visit_while_redis_is_away() == 0
