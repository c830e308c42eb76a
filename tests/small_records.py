"""What stands on record, in small, for tests: runs of the full recipe, a crowd's votes, a benchmark."""

import dataclasses

import numpy as np

from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.report.speeds import Row
from fer_utils.training.experiments import EXPERIMENTS, RECIPES
from fer_utils.training.recipes import DEFINITION
from fer_utils.training.runs import save_run
from small_training import make_run

RECIPE = dataclasses.asdict(RECIPES["full"])


def record_run(folder, experiment="lenet_like", seed=0, **changes):
    """A made-up run on FER2013 in the plain full recipe, kept in `folder`."""
    facts = {"experiment": experiment, "seed": seed, "fingerprint": FER2013_FINGERPRINT, "recipe": RECIPE}
    facts |= {name: getattr(EXPERIMENTS[experiment], name) for name in DEFINITION}
    run = make_run(**{**facts, **changes})
    return save_run(run, folder / experiment / f"seed-{seed}")


def record_full_run(folder, experiment, seed=0, **changes):
    """A made-up run in the full recipe of its own experiment."""
    recipe = dataclasses.asdict(EXPERIMENTS[experiment].recipes["full"])
    return record_run(folder, experiment, seed, recipe=recipe, **changes)


def make_votes(*rows):
    """Votes (N, 10) from {answer: votes}, an answer being a place in `data.votes.ANSWERS`."""
    votes = np.zeros((len(rows), 10), int)
    for row, counts in zip(votes, rows, strict=True):
        for answer, count in counts.items():
            row[answer] = count
    return votes


def measured(**seconds):
    """A benchmark that measured these `seconds` of the recipes, and the imports."""
    rows = [Row("race", f"{name}, full recipe", value, "s") for name, value in seconds.items()]
    return {"device": "CPU, 2 cores", "rows": [*rows, Row("start", "imports", 3.2, "s")]}
