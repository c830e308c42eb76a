"""Rehearses the lessons of notebooks 02 to 04: trains their networks from several seeds; what a class will see."""

import json
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_course.readme import insert_between
from fer_utils.environment import DATA, PROJECT, atomic_path
from fer_utils.evaluation import compare_on_same_images
from fer_utils.report import as_markdown
from fer_utils.training import RECIPES, find_commit, list_versions, reproduce

REHEARSAL = DATA / "rehearsal.json"
INSTRUCTOR = PROJECT / "docs" / "instructor.md"
MARKS = "<!-- rehearsal: written by `fer-course rehearse` -->\n", "<!-- end of the rehearsal -->\n"
LESSONS = "lenet_like", "lenet_like_augmented", "vgg_like"
# What a class should see: at least so many epochs after the lowest validation loss, at least such a training accuracy.
EPOCHS_AFTER, TRAINING_ACCURACY = 3, 0.9


class Sight(NamedTuple):
    """One thing to see in a notebook: in words, the number that one seed gives, its form, whether the seed shows it."""

    notebook: str
    words: str
    value: float
    form: str
    seen: bool


def rehearse(faces, seeds, show=print, path=REHEARSAL):
    """Trains the lessons' networks from so many `seeds`, writes what each shows to `path`; returns these facts.

    The quick profile must be the current one. What is trained already is taken from the store, so that a rehearsal that
    was stopped goes on. Raises `RunError` when a run cannot be written.
    """
    runs = reproduce(faces, [(name, seed) for seed in range(seeds) for name in LESSONS], show=show)
    of_seed = {seed: [run for run in runs if run.seed == seed] for seed in range(seeds)}
    rehearsal = {
        "fingerprint": faces.fingerprint,
        "recipe": asdict(RECIPES["quick"]),
        "seeds": [{"seed": seed, **look_at_lessons(*three)} for seed, three in of_seed.items()],
        "device": runs[0].device,
        "versions": list_versions(),
        "commit": find_commit(),
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(rehearsal, indent=1) + "\n", encoding="utf-8")
    return rehearsal


def look_at_lessons(plain, augmented, deep):
    """Returns the numbers that the runs of one seed show in notebooks 02, 03 and 04."""
    losses = plain.history["val_loss"]
    return {
        "epochs_after_lowest_loss": len(losses) - 1 - int(np.argmin(losses)),
        "training_accuracy": round(plain.history["accuracy"][-1], 4),
        "gap": _gap(plain),
        "gap_augmented": _gap(augmented),
        "test_accuracies": {run.experiment: round(run.test_accuracy, 4) for run in (plain, augmented, deep)},
        "gain_of_augmentation": _gain(plain, augmented),
        "gain_of_depth": _gain(augmented, deep),
    }


def _gap(run):
    return round(run.history["accuracy"][-1] - run.history["val_accuracy"][-1], 4)


def _gain(first, second):
    difference = compare_on_same_images(first.test_correct, second.test_correct)
    return {"gain": round(difference.value, 4), "low": round(difference.low, 4), "high": round(difference.high, 4)}


def list_sights(facts):
    """Returns a `Sight` per thing that a class should see, from one seed's facts (`look_at_lessons`)."""
    after, accuracy = facts["epochs_after_lowest_loss"], facts["training_accuracy"]
    left = facts["gap_augmented"] / facts["gap"]
    augmentation, depth = facts["gain_of_augmentation"], facts["gain_of_depth"]
    return [
        Sight(
            "02", f"the lowest validation loss lies at least {EPOCHS_AFTER} epochs before the end",
            after, "{:.1f} epochs", after >= EPOCHS_AFTER,
        ),
        Sight(
            "02", f"training accuracy ends above {TRAINING_ACCURACY:.0%}",
            100 * accuracy, "{:.1f} %", accuracy > TRAINING_ACCURACY,
        ),
        Sight(
            "03", "augmentation leaves at most half of the gap between training and validation accuracy",
            100 * left, "{:.0f} %", left <= 1 / 2,
        ),
        Sight(
            "03", "augmentation gains test accuracy, the interval above zero",
            100 * augmentation["gain"], "{:+.1f} points", augmentation["low"] > 0,
        ),
        Sight(
            "04", "depth gains test accuracy, the interval above zero",
            100 * depth["gain"], "{:+.1f} points", depth["low"] > 0,
        ),
    ]  # fmt: skip


def tabulate_rehearsal(rehearsal):
    """Returns the instructor's table, a DataFrame of text: what a class will see, and from how many of the seeds."""
    rows = []
    for of_seeds in zip(*map(list_sights, rehearsal["seeds"]), strict=True):
        notebook, words, _, form, _ = of_seeds[0]
        values = np.array([sight.value for sight in of_seeds], dtype=float)
        rows.append(
            {
                "notebook": notebook,
                "what a class sees": words,
                "seen": f"{sum(sight.seen for sight in of_seeds)} of {len(of_seeds)} seeds",
                "mean": form.format(values.mean()),
                "lowest to highest": f"{form.format(values.min())} to {form.format(values.max())}",
            }
        )
    return pd.DataFrame(rows).set_index("notebook")


def insert_rehearsal(text, rehearsal):
    """Returns the instructor's page `text` with the rehearsal's table between its marks."""
    return insert_between(text, MARKS, as_markdown(tabulate_rehearsal(rehearsal)))
