"""Checks of the exercises of notebook 08, training fast."""

import statistics

import numpy as np

from fer_utils.data import COUNTS
from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_numbers, put_in_words


@check("fill in the seconds that the whole training takes at least, from multiply_adds, recipe and ceilings")
def check_least_seconds(answer, multiply_adds, recipe, ceilings):
    """Seconds of FER2013's training faces in `recipe` at the best of `ceilings` {precision: multiply-adds a second}."""
    n_images = sum(COUNTS["Training"])
    products = 3 * multiply_adds * n_images * recipe.epochs
    right = products / max(ceilings.values())
    mistakes = {
        "training needs every product three times, and here it is counted once": right / 3,
        "every product is counted twice: the way back needs it for the maps and for the weights": right * 2 / 3,
        "that is one epoch": right / recipe.epochs,
        "that is a single face in each epoch": right / n_images,
        "these are minutes": right / 60,
        "the ceilings are in multiply-adds a second, not in thousands of millions of them": right * 1e9,
        "that is the slower number format: asked for is the best speed": products / min(ceilings.values()),
    }
    compare_numbers(as_number(answer), right, mistakes)
    return "three passes over every face in every epoch, at the best speed that was measured"


@check("write a function of step, rounds and clock that gives the median seconds of a call of step")
def check_time_median(answer):
    """`answer(step, rounds, clock)`: the median seconds of `rounds` calls of `step`, after one that warms up."""
    for rounds in (5, 3):
        step = _Step()
        seconds = as_number(call(answer, step, rounds, step.clock))
        if step.calls == rounds:
            raise Mistake(f"for {rounds} rounds the step is called {rounds} times: warming up takes one call more")
        if step.calls != rounds + 1:
            raise Mistake(f"for {rounds} rounds and a warm-up the step is called {step.calls} times")
        timed, every = step.seconds[1 : rounds + 1], step.seconds[: rounds + 1]
        mistakes = {
            "that is the mean, which a single slow call can move": statistics.mean(timed),
            "the warm-up is among the times that count": statistics.median(every),
            "that is the mean, and the warm-up is among the times that count": statistics.mean(every),
            "that is the time of all rounds together": sum(timed),
            "that is the fastest call, the luckiest one": min(timed),
            "no time goes by: what counts is the clock that is passed, before and after the step": 0.0,
        }
        compare_numbers(seconds, statistics.median(timed), mistakes)
    return "the first call does not count, and a single slow one does not matter"


class _Step:
    """A step that takes known seconds on a clock of its own, the first call longest of all."""

    seconds = (50.0, 10.0, 2.0, 30.0, 4.0, 7.0)

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1

    def clock(self):
        whole, rest = divmod(self.calls, len(self.seconds))
        return whole * sum(self.seconds) + sum(self.seconds[:rest])


@check("fill in a dictionary from each of the budgets, in seconds, to the name of the network to take")
def check_choices(answer, race, budgets):
    """{seconds: the experiment of `race` {name: (seconds, accuracies)} that is ahead by then}, for all `budgets`."""
    if not isinstance(answer, dict):
        raise Mistake(f"a dictionary is asked for, and this is {put_in_words(answer)}")
    best_of_all = max(race, key=lambda name: max(race[name][1]))
    for budget in budgets:
        if budget not in answer:
            raise Mistake(f"there is no network for {budget} seconds")
        name = answer[budget]
        if not isinstance(name, str) or name not in race:
            raise Mistake(f"in the race are {', '.join(race)}, and this is {put_in_words(name)}")
        reached = {network: _reached_within(budget, *curve) for network, curve in race.items()}
        if not reached[name]:
            raise Mistake(f"after {budget} seconds {name} has not finished its first epoch")
        if reached[name] < max(reached.values()):
            if name == best_of_all:
                raise Mistake(f"{name} is ahead at the end of the race, not yet after {budget} seconds")
            raise Mistake(f"{name} is not the one that is ahead after {budget} seconds")
    return "each time the line that is highest at that place on the axis of seconds"


def _reached_within(seconds, ends, accuracies):
    """The accuracy at the end of the last epoch that ends within `seconds`; 0 where none does."""
    finished = np.flatnonzero(np.asarray(ends) <= seconds)
    return float(accuracies[finished[-1]]) if len(finished) else 0.0
