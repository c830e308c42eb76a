"""The stopwatch, on a clock of the test's own. No timed test."""

import itertools

import pytest

from fer_course import benchmark as benchmarks
from fer_utils.evaluation import timing


@pytest.fixture
def clock(monkeypatch):
    """A clock on which each action takes what it says."""
    now = [0.0]
    monkeypatch.setattr(benchmarks.time, "perf_counter", lambda: now[0])

    def takes(*seconds):
        duration = itertools.cycle(seconds)

        def action():
            now[0] += next(duration)

        return action

    return takes


def test_actions_are_timed_in_turns_and_the_median_counts(clock):
    assert timing.time_in_turns({"a": clock(1, 9, 2), "b": clock(5)}, rounds=3) == {"a": 2, "b": 5}


def test_calls_are_counted_for_some_seconds(clock):
    rates = timing.count_in_turns({"a": clock(0.5), "slow": clock(30)}, seconds=2)
    assert rates == {"a": 2.0, "slow": pytest.approx(1 / 30)}
