"""Whatever happens at the same moment, the circle of care comes out whole.

Hypothesis tells stories: two patients and two doctors, and step by step two or three verbs at
once, on real transactions that meet where a schedule says. After each step nothing may be that
must never be, and what has come of it must be what the same verbs do one after another, in some
order (`serial`): the rows, the log, and who was told.

`INTERLEAVINGS=10000` tells that many steps, and others at each run.
"""

from __future__ import annotations

import os
from itertools import permutations
from typing import Any, ClassVar

import pytest
from django.db import DatabaseError
from django.http import Http404
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from common.errors import DomainError
from connections.tests.circle import Circle, fresh
from connections.tests.serial import Act, World, acts_on
from medisync.tests.interleaving import Player, Stage, stage
from medisync.tests.races import no_row_locks  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
WANTED = int(os.environ.get("INTERLEAVINGS", "0"))
STEPS = 25
STORIES = 16
# How many statements each makes before it is another's turn. Shorter is simpler.
SCHEDULES = st.lists(st.integers(1, 12), max_size=12)


class Story(RuleBasedStateMachine):
    stage: ClassVar[Stage]
    told: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.circle = Circle()
        self.world = self.circle.world()

    @rule(data=st.data(), size=st.sampled_from([2, 2, 2, 3, 1]), turns=SCHEDULES)
    def verbs_at_once(self, data: st.DataObject, size: int, turns: list[int]) -> None:
        pair = data.draw(st.sampled_from(self.circle.pairs), label="pair")
        acts = [data.draw(self._acts(pair), label="act") for _ in range(size)]

        players = self.stage.play([self.circle.performance(act) for act in acts], turns)

        Story.told += 1
        outcomes = [refusal(player) for player in players]
        note(f"{[str(act) for act in acts]} -> {outcomes}")
        self._check(acts, outcomes)

    @precondition(lambda self: not any_overdue(self.world))
    @rule(data=st.data(), what=st.sampled_from(["request", "wish", "grant"]))
    def time_passes(self, data: st.DataObject, what: str) -> None:
        pair = data.draw(st.sampled_from(self.circle.pairs), label="pair")
        self.circle.let_time_pass(pair, what=what)
        self.world = self.circle.world()

    def teardown(self) -> None:
        self.circle.leave()
        assert self.circle.log_findings() == []

    def _acts(self, pair: tuple[int, int]) -> Any:
        """Mostly on this pair, and mostly what can be done."""
        other = st.sampled_from([pair, pair, pair, *self.circle.pairs])
        return other.flatmap(lambda chosen: st.sampled_from(self._choices(chosen)))

    def _choices(self, pair: tuple[int, int]) -> list[Act]:
        every = acts_on(pair, **self.circle.named(pair))
        return [act for act in every if not self.world.after(act)[1]] * 4 + every

    def _check(self, acts: list[Act], outcomes: list[str]) -> None:
        """One order gives all of it: who is refused, how they stand, what is written, who is
        told. Of verbs at once a refusal may name what was so for a moment in between: who acts,
        and whether they may know of the row, is read before anything is locked."""
        before, self.world = self.world.at_rest(), self.circle.world()
        assert self.circle.violations() == []
        found = outcomes, fresh(self.world, before)
        orders = permutations(range(len(acts)))
        possible = [in_order(before, acts, order) for order in orders]
        as_told = exactly if len(acts) == 1 else roughly
        assert as_told(found) in map(as_told, possible), f"{found}\nis none of\n{possible}"


Outcome = tuple[list[str], World]


def exactly(outcome: Outcome) -> Outcome:
    return outcome


def roughly(outcome: Outcome) -> tuple[list[bool], World]:
    refusals, world = outcome
    return [bool(refusal) for refusal in refusals], world


def in_order(world: World, acts: list[Act], order: tuple[int, ...]) -> Outcome:
    """What comes of the acts one after another."""
    outcomes = [""] * len(acts)
    for place in order:
        world, outcomes[place] = world.after(acts[place])
    return outcomes, world


def refusal(player: Player) -> str:
    """The name of the rule that said no. Anything else that was raised is a mistake."""
    if player.error is None:
        return ""
    if not isinstance(player.error, DomainError | Http404):
        raise player.error
    return type(player.error).__name__


def any_overdue(world: World) -> bool:
    return any(pair.asked is not None and pair.asked.is_overdue for pair in world.pairs.values())


def tell(stories: int, **changes: Any) -> None:
    """So many stories of so many steps."""
    with stage(3) as Story.stage:
        run_state_machine_as_test(
            Story,
            settings=settings(
                max_examples=stories,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
                report_multiple_bugs=False,
                **changes,
            ),
        )


def test_whatever_is_done_at_once_comes_out_as_if_one_after_another() -> None:
    Story.told = 0

    tell(STORIES, derandomize=True)
    while Story.told < WANTED:
        tell(STORIES)

    assert Story.told > STORIES


@pytest.mark.usefixtures("no_row_locks")
def test_without_the_locks_it_does_not() -> None:
    """What the locks are for, and that these stories would tell."""
    with pytest.raises((AssertionError, DatabaseError)):
        tell(STORIES, derandomize=True)
