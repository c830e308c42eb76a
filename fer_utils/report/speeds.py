"""Reads the recorded benchmark: seconds, ratios, and the race of the networks."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_utils.data import COUNTS
from fer_utils.environment import DATA
from fer_utils.training import EXPERIMENTS, FAST_ROWS, ROWS, find_recipe, load_facts

BENCHMARK = DATA / "benchmark.json"
MARKS = (0.50, 0.55, 0.58, 0.60, 0.65)  # validation accuracies that the race asks for
TRAINING_IMAGES = sum(COUNTS["Training"])
RACERS = (*ROWS, FAST_ROWS[0])
PLAIN = "equal_vgg"  # of the families, the one beside which the others are measured
# How the benchmark's rows end, behind the name of an experiment or a network.
RECIPE_ENDING = ", full recipe"
TRAINING_ENDING = ", training"
SHARE_ENDING = ": share of the matrix product"


class Row(NamedTuple):
    """A measurement; `times` says how many times as good it is as its anchor `beside`, NaN where there is none."""

    part: str
    what: str
    value: float
    unit: str
    times: float = float("nan")
    beside: str = ""


def load_benchmark(path=BENCHMARK):
    """Reads the answer of `run_benchmark` that was saved at `path`, each row a `Row`; None if there is none.

    Raises `FactsError` for a damaged file.
    """
    measured = load_facts(path, "fer-course benchmark")
    return measured and {**measured, "rows": [Row(*row) for row in measured["rows"]]}


def shares_of_ceiling(measured):
    """Returns {network and precision: share of a matrix product's multiply-adds a second that its training reaches}."""
    return {
        row.what.removesuffix(SHARE_ENDING): row.value / 100
        for row in measured["rows"]
        if row.what.endswith(SHARE_ENDING)
    }


def seconds_of_recipe(name, speed):
    """Returns the seconds of an experiment's full recipe on FER2013's training images, at `speed` images a second."""
    return find_recipe(EXPERIMENTS[name], "full").epochs * TRAINING_IMAGES / speed


def seconds_of_recipes(measured):
    """Returns {experiment: seconds of its full recipe on FER2013's 28,709 training images}, as `measured`."""
    return {
        row.what.removesuffix(RECIPE_ENDING): row.value for row in measured["rows"] if row.what.endswith(RECIPE_ENDING)
    }


def race_curves(measured, recorded):
    """Returns {experiment: (seconds, validation accuracies)} at the end of each epoch, for those with `recorded` runs.

    Accuracies are means over the seeds; seconds are of the machine that `measured`.
    """
    curves = {}
    for name, total in seconds_of_recipes(measured).items():
        if recorded.get(name):
            accuracies = np.mean([run.history["val_accuracy"] for run in recorded[name]], axis=0)
            curves[name] = (total * np.arange(1, len(accuracies) + 1) / len(accuracies), accuracies)
    return curves


def seconds_to_marks(measured, recorded):
    """Returns {experiment: {mark: seconds}} to the end of the first epoch that reaches each of `MARKS`, or infinity."""
    found = {}
    for name, (seconds, accuracies) in race_curves(measured, recorded).items():
        found[name] = {mark: float(np.min(seconds[accuracies >= mark], initial=np.inf)) for mark in MARKS}
    return found


def seconds_of_families(measured):
    """Returns {experiment: seconds of its full recipe on FER2013's training images}; empty where none was `measured`.

    `measured` is the answer of `load_benchmark`, or None.
    """
    rows = [row for row in (measured or {"rows": []})["rows"] if row.part == "families"]
    speeds = {row.what.removesuffix(TRAINING_ENDING): row.value for row in rows}
    return {name: seconds_of_recipe(name, speed) for name, speed in speeds.items()}


def tabulate_benchmark(measured):
    """Returns the rows of `run_benchmark`'s answer as a DataFrame of text: part, what, value, times, beside."""
    table = pd.DataFrame(measured["rows"], columns=Row._fields).set_index("part")
    values = [_with_unit(value, unit) for value, unit in zip(table["value"], table["unit"], strict=True)]
    times = ["" if np.isnan(value) else _with_unit(value, "×") for value in table["times"]]
    return table.assign(value=values, times=times).drop(columns="unit")


def _with_unit(value, unit):
    """Writes three digits, or all before the point, and the unit.

    >>> [_with_unit(value, "s") for value in (12345.6, 123.4, 1.234, 0.01234, float("inf"))]
    ['12,346 s', '123 s', '1.23 s', '0.0123 s', 'not reached']
    """
    if np.isinf(value):
        return "not reached"
    return f"{value:,.0f} {unit}".strip() if value >= 100 else f"{value:.3g} {unit}".strip()
