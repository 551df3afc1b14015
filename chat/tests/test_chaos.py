"""Whoever dies meanwhile: what was acknowledged is there once, and in the end everybody has it.

`CHAOS_PAIRS=200 CHAOS_SECONDS=300` makes it as large as it is asked for; the suite takes less.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chat.tests.chaos import Chaos, Talk, people_of, wanted_pairs, wanted_seconds
from chat.tests.factories import chat_of
from connections.tests.factories import ConnectionFactory


@pytest.mark.django_db(transaction=True)
def test_acknowledged_messages_are_kept_once_and_reach_everybody(tmp_path: Path) -> None:
    pairs = [ConnectionFactory() for _ in range(wanted_pairs())]
    people = people_of([(str(chat_of(pair).pk), pair.patient, pair.doctor) for pair in pairs])
    chaos = Chaos(tmp_path)

    with chaos.running():
        asyncio.run(Talk(chaos, people).run(wanted_seconds()))
        log = chaos.log()

    acknowledged = sum(len(person.said) for person in people)
    print(  # noqa: T201
        f"{len(pairs)} pairs: {acknowledged} messages acknowledged, "
        f"{sum(map(len, log.values()))} kept; killed: {chaos.deaths()}; "
        f"{sum(person.connections for person in people)} connections; longest wait for an "
        f"acknowledgement {max(person.longest_wait for person in people):.1f} s"
    )
    assert acknowledged > len(people)
    for entries in log.values():
        assert [seq for seq, _id, _words in entries] == [*range(1, len(entries) + 1)]
    for person in people:
        kept = log[person.chat_id]
        ids = [client_id for _seq, client_id, _words in kept]
        for client_id, seq in person.said:
            assert ids.count(client_id) == 1
            assert kept[seq - 1][1] == client_id
        assert person.heard == kept
