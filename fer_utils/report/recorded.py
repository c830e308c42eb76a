"""Reads the recorded runs, and the facts recorded of FER2013's test set and of the best network's mistakes."""

import numpy as np

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA
from fer_utils.evaluation import compare_over_seeds
from fer_utils.training import (
    EXPERIMENTS,
    WEIGHTS,
    FactsError,
    RunError,
    find_difference,
    find_recipe,
    list_runs,
    load_facts,
    require_facts,
)

RECORDED = DATA / "runs"
TEST_SET = "test_set.json"
MISTAKES = "mistakes.json"
LAYERS = "layers.json"
WRITTEN_BY = "fer-course reproduce"
MISTAKES_FORMAT = 2  # to be raised when the record holds other numbers for the same network


def load_recorded(*experiments, folder=None):
    """Reads {experiment: [Run, ...] by seed}: the recorded full runs on FER2013, of all `experiments` or those named.

    What cannot be counted among them is left out, and a printed line says why: a damaged folder, or a run that is not
    of its experiment (`training.find_difference`). An experiment without a run has an empty list.
    """
    runs, problems = list_runs(folder or RECORDED)
    found = {name: [] for name in experiments or EXPERIMENTS}
    for run in runs:
        if difference := _find_difference(run):
            problems.append(f"{run.experiment}/seed-{run.seed}: {difference}")
        elif run.experiment in found:
            found[run.experiment].append(run)
    for problem in problems:
        print(f"left out: {problem}")
    return found


def _find_difference(run):
    """Says why `run` is none of the recorded: not in the course's table, another recipe, other images; "" if it is."""
    experiment = EXPERIMENTS.get(run.experiment)
    if experiment is None:
        return "the course has no experiment of this name"
    return find_difference(run, experiment, find_recipe(experiment, "full"), FER2013_FINGERPRINT)


def find_kept(recorded, *experiments):
    """Returns the first run of `experiments` whose weights were kept; `RunError` if there is none."""
    for name in experiments:
        for run in recorded[name]:
            if (run.folder / WEIGHTS).exists():
                return run
    raise RunError(
        f"no readable run of {' or '.join(experiments)} has its weights; `fer-course reproduce` keeps those of seed 0 "
        "of the networks that the notebooks load"
    )


def find_best(recorded):
    """Returns the run with the best validation accuracy among those with weights; `RunError` without any.

    Those that have seen the validation images do not count.
    """
    of_others = [run for runs in recorded.values() for run in runs if run.learns_from == "Training"]
    kept = [run for run in of_others if (run.folder / WEIGHTS).exists()]
    if not kept:
        raise RunError("no readable run has its weights; train one: `fer-course reproduce`")
    return max(kept, key=lambda run: run.validation_accuracy)


def correct_answers(runs):
    """Returns which test images each of `runs` gets right, (seeds, N): bool, with the weights that were kept.

    Where a recipe chooses no epoch and has judged the last ones, float: the share of these that get the image right.
    """
    return np.array([run.late_correct.mean(axis=0) if _ends_anywhere(run) else run.test_correct for run in runs])


def late_accuracies(run, split="test"):
    """Returns the accuracies on `split`, "test" or "validation", after each epoch in which `run` may have ended.

    These are the last ones that its recipe has judged, if it chooses no epoch; else the one that was kept.
    """
    if not _ends_anywhere(run):
        return np.array([run.test_accuracy if split == "test" else run.validation_accuracy])
    if split == "test":
        return run.late_correct.mean(axis=1)
    return np.array(run.history["val_accuracy"][-len(run.late_correct) :])


def _ends_anywhere(run):
    return run.recipe.get("keep") == "last" and len(run.late_correct) > 0


def compare_with(anchor, names, recorded):
    """Returns {name: its test accuracy minus that of `anchor`, a `Difference` paired by image}, of those with runs."""
    if not recorded.get(anchor):
        return {}
    others = [name for name in names if name != anchor and recorded.get(name)]
    before = correct_answers(recorded[anchor])
    return {name: compare_over_seeds(before, correct_answers(recorded[name])) for name in others}


def load_test_set(folder=None):
    """Reads the facts that `record_test_set` wrote; `FactsError` if they are missing or damaged."""
    path = (folder or RECORDED) / TEST_SET
    return require_facts(path, WRITTEN_BY)


def load_mistakes(folder=None):
    """Reads the dict that `record_mistakes` wrote, or None if there is none of FER2013; `FactsError` if damaged."""
    facts = _of_fer2013(load_facts((folder or RECORDED) / MISTAKES, WRITTEN_BY))
    return facts if facts and facts.get("format") == MISTAKES_FORMAT else None


def load_compared(folder, command):
    """Reads {training: facts} that `training.screen_candidates` wrote to `folder` for `command`.

    A damaged file, or one under another name, is left out, and a printed line names it.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            facts = load_facts(path, command)
        except FactsError as error:
            print(f"left out: {error}")
            continue
        if facts["identity"]["experiment"] != path.stem:
            print(f"left out: {path.name} is of {facts['identity']['experiment']}: a copy?")
        else:
            found[path.stem] = facts
    return found


def load_layers(folder=None):
    """Reads {experiment: readings} that `record_layers` wrote, or None if there are none; `FactsError` if damaged."""
    facts = _of_fer2013(load_facts((folder or RECORDED) / LAYERS, WRITTEN_BY))
    return facts and facts["networks"]


def _of_fer2013(facts):
    return facts if facts and facts.get("fingerprint") == FER2013_FINGERPRINT else None


def identify_run(run):
    """Returns what recorded facts say of their `Run`, so that they are known to be of this very training."""
    names = ("experiment", "seed", "views", "test_accuracy")
    return {**{name: getattr(run, name) for name in names}, "trained_at": run.commit}
