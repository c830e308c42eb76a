"""Rehearses the lessons of notebooks 02 to 05: trains their networks from several seeds; what a class will see."""

from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_course.readme import insert_between
from fer_utils.device import keras
from fer_utils.environment import progress_bar
from fer_utils.evaluation import compare_on_same_images
from fer_utils.models import STACK_DEPTHS, STACK_RECIPE, narrow_stack, train_stack
from fer_utils.report import REHEARSAL, as_markdown
from fer_utils.training import (
    RECIPES,
    find_commit,
    find_known,
    list_versions,
    load_facts,
    reproduce,
    save_facts,
    store_folder,
)

MARKS = "<!-- rehearsal: written by `fer-course rehearse` -->\n", "<!-- end of the rehearsal -->\n"
LESSONS = "lenet_like", "lenet_like_augmented", "vgg_like"
# What a class should see: at least so many epochs after the lowest validation loss, at least such a training accuracy.
EPOCHS_AFTER, TRAINING_ACCURACY = 3, 0.9


class Sight(NamedTuple):
    """One thing to see in a notebook: in words, the number of one seed, its form and unit, whether it is seen."""

    notebook: str
    words: str
    value: float
    form: str
    unit: str
    seen: bool


def rehearse(faces, seeds, show=print, path=REHEARSAL):
    """Trains the lessons' networks from so many `seeds`, writes what each shows to `path`; returns these facts.

    The quick profile must be the current one. What is trained already is taken from the store, so that a rehearsal that
    was stopped goes on. Raises `RunError` when a run cannot be written.
    """
    runs = reproduce(faces, [(name, seed) for seed in range(seeds) for name in LESSONS], show=show)
    facts = []
    for seed in progress_bar(range(seeds), desc="narrow stacks", unit="seed"):
        stacks = find_stack_losses(faces, seed, store_folder(faces, "quick").parent / "narrow_stacks")
        facts.append({"seed": seed, **look_at_lessons(*(run for run in runs if run.seed == seed)), "stacks": stacks})
    rehearsal = {
        "fingerprint": faces.fingerprint,
        "recipe": asdict(RECIPES["quick"]),
        "stack_recipe": STACK_RECIPE,
        "seeds": facts,
        "device": runs[0].device,
        "versions": list_versions(),
        "commit": find_commit(),
    }
    save_facts(rehearsal, path)
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


def find_stack_losses(faces, seed, folder):
    """Returns {"plain 8": training loss at the end, ...} of notebook 05's stacks; trained once, kept in `folder`."""
    path, recipe = folder / f"seed-{seed}.json", {**STACK_RECIPE, "fingerprint": faces.fingerprint}
    kept = find_known(load_facts, path, "fer-course rehearse")
    if kept and kept["recipe"] == recipe:
        return kept["losses"]
    losses = {}
    for depth in STACK_DEPTHS:
        for kind in ("plain", "residual"):
            keras.utils.set_random_seed(seed)
            history = train_stack(narrow_stack(depth, shortcuts=kind == "residual"), faces.train)
            losses[f"{kind} {depth}"] = round(history[-1], 4)
    save_facts({"recipe": recipe, "losses": losses}, path)
    return losses


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
    shallow, deep = STACK_DEPTHS
    plain, residual = (
        facts["stacks"][f"{kind} {deep}"] - facts["stacks"][f"{kind} {shallow}"] for kind in ("plain", "residual")
    )
    return [
        Sight(
            "02", f"the lowest validation loss lies at least {EPOCHS_AFTER} epochs before the end",
            after, "{:.0f}", "epochs", after >= EPOCHS_AFTER,
        ),
        Sight(
            "02", f"training accuracy ends above {100 * TRAINING_ACCURACY:.0f} %",
            100 * accuracy, "{:.0f}", "%", accuracy > TRAINING_ACCURACY,
        ),
        Sight(
            "03", "augmentation leaves at most half of the gap between training and validation accuracy",
            100 * left, "{:.0f}", "%", left <= 1 / 2,
        ),
        Sight(
            "03", "augmentation gains test accuracy, the interval above zero",
            100 * augmentation["gain"], "{:+.1f}", "points", augmentation["low"] > 0,
        ),
        Sight(
            "04", "depth gains test accuracy, the interval above zero",
            100 * depth["gain"], "{:+.1f}", "points", depth["low"] > 0,
        ),
        Sight(
            "05", f"without shortcuts {deep} layers end with a higher training loss than {shallow}",
            plain, "{:+.2f}", "", plain > 0,
        ),
        Sight(
            "05", "with shortcuts this rise is less than half as large, or there is none",
            residual, "{:+.2f}", "", residual < plain / 2,
        ),
    ]  # fmt: skip


def tabulate_rehearsal(rehearsal):
    """Returns the instructor's table, a DataFrame of text: what a class will see, and from how many of the seeds."""
    rows = []
    for of_seeds in zip(*map(list_sights, rehearsal["seeds"]), strict=True):
        notebook, words, _, form, unit, _ = of_seeds[0]
        values = np.array([sight.value for sight in of_seeds], dtype=float)
        rows.append(
            {
                "notebook": notebook,
                "what a class sees": words,
                "seen": f"{sum(sight.seen for sight in of_seeds)} of {len(of_seeds)} seeds",
                "mean": f"{form.format(values.mean())} {unit}".strip(),
                "lowest to highest": f"{form.format(values.min())} to {form.format(values.max())} {unit}".strip(),
            }
        )
    return pd.DataFrame(rows).set_index("notebook")


def insert_rehearsal(text, rehearsal):
    """Returns the instructor's page `text` with the rehearsal's table between its marks."""
    return insert_between(text, MARKS, as_markdown(tabulate_rehearsal(rehearsal)))
