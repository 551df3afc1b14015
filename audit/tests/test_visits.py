"""The log is read as visits: what one person did without a longer pause."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from audit.models import AccessEvent
from audit.visits import LONGEST_PAUSE, visits_of

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
KARIM, OMAR = UUID(int=1), UUID(int=2)

pauses = st.one_of(
    st.timedeltas(min_value=dt.timedelta(), max_value=dt.timedelta(hours=2)),
    st.sampled_from([dt.timedelta(), LONGEST_PAUSE, LONGEST_PAUSE + dt.timedelta.resolution]),
)


def event(actor_id: UUID | None, at: dt.datetime) -> AccessEvent:
    return AccessEvent(actor_id=actor_id, created_at=at)


@st.composite
def logs(draw: st.DrawFn) -> list[AccessEvent]:
    """Events of a few people, newest first."""
    at, events = NOON, []
    for actor_id, pause in draw(st.lists(st.tuples(st.sampled_from([KARIM, OMAR, None]), pauses))):
        at -= pause
        events.append(event(actor_id, at))
    return events


@given(logs())
def test_each_event_is_in_one_visit_of_its_actor(events: list[AccessEvent]) -> None:
    visits = visits_of(events)

    visited = [event for visit in visits for event in visit.events]
    assert sorted(map(id, visited)) == sorted(map(id, events))
    assert all(event.actor_id == visit.actor_id for visit in visits for event in visit.events)


@given(logs())
def test_no_pause_within_a_visit_is_longer_than_half_an_hour(events: list[AccessEvent]) -> None:
    for visit in visits_of(events):
        moments = [event.created_at for event in visit.events]
        assert all(dt.timedelta() <= new - old <= LONGEST_PAUSE for new, old in pairwise(moments))
        assert (visit.began_at, visit.ended_at) == (moments[-1], moments[0])


@given(logs())
def test_between_two_visits_of_one_person_there_is_a_longer_pause(
    events: list[AccessEvent],
) -> None:
    for actor_id in (KARIM, OMAR, None):
        of_actor = [visit for visit in visits_of(events) if visit.actor_id == actor_id]
        assert all(new.began_at - old.ended_at > LONGEST_PAUSE for new, old in pairwise(of_actor))


@given(logs())
def test_newest_visit_comes_first(events: list[AccessEvent]) -> None:
    ends = [visit.ended_at for visit in visits_of(events)]

    assert ends == sorted(ends, reverse=True)


def test_what_others_do_meanwhile_does_not_break_a_visit() -> None:
    minutes = [NOON - dt.timedelta(minutes=number) for number in range(3)]
    acts = zip((KARIM, OMAR, KARIM), minutes, strict=True)

    first, second = visits_of([event(actor_id, at) for actor_id, at in acts])

    assert (first.actor_id, len(first.events)) == (KARIM, 2)
    assert (second.actor_id, len(second.events)) == (OMAR, 1)


def test_visit_within_a_minute_is_a_moment() -> None:
    (short,) = visits_of([event(KARIM, NOON + dt.timedelta(seconds=59)), event(KARIM, NOON)])
    (longer,) = visits_of([event(KARIM, NOON + dt.timedelta(seconds=60)), event(KARIM, NOON)])

    assert short.is_moment
    assert not longer.is_moment
