"""The rehearsal: what the runs of one seed show, how often of the seeds, and where it is written."""

import dataclasses
from dataclasses import asdict

import numpy as np
import pytest

from fer_course import rehearse as rehearsals
from fer_course.readme import INSTRUCTOR
from fer_course.rehearse import MARKS, insert_rehearsal, look_at_lessons, rehearse
from fer_utils.report.rehearsal import load_rehearsal
from fer_utils.training.experiments import RECIPES
from fer_utils.training.recipes import list_recipe_differences
from small_training import make_faces, make_run

SHOWN = {
    "02": [True, True],
    "03": [True, True],
    "04": [True],
    "05": [True, True],
}
STACKS = {"plain 8": 1.6, "residual 8": 1.5, "plain 20": 1.8, "residual 20": 1.55}


def history(accuracy, val_accuracy, losses):
    return {"accuracy": [0.3, accuracy], "val_accuracy": [0.2, val_accuracy], "val_loss": losses, "loss": [1.0, 0.5]}


def right(share, n_images=1000):
    return np.arange(n_images) < share * n_images


def three_runs(seed=0, plain=0.5, augmented=0.6, deep=0.7):
    """Runs of one seed that show every lesson, unless the shares of right answers say otherwise."""
    overfitted = history(0.95, 0.5, [1.0, 0.9, 0.95, 1.0, 1.1])
    narrow = history(0.7, 0.6, [1.0, 0.9, 0.8, 0.75, 0.7])
    return (
        make_run(right(plain), seed=seed, history=overfitted),
        make_run(right(augmented), experiment="lenet_like_augmented", seed=seed, history=narrow),
        make_run(right(deep), experiment="vgg_like", seed=seed, history=narrow),
    )


def show_all(*runs):
    """The facts of a seed that shows every lesson, or of these `runs` and good stacks."""
    return {**look_at_lessons(*(runs or three_runs())), "stacks": STACKS}


def seen(facts):
    """{notebook: [whether each of its things is seen]}"""
    found = {}
    for sight in rehearsals.list_sights(facts):
        found.setdefault(sight.notebook, []).append(bool(sight.seen))
    return found


def test_the_numbers_are_those_of_the_runs():
    facts = show_all()
    assert facts["epochs_after_lowest_loss"] == 3
    assert facts["training_accuracy"] == 0.95
    assert (facts["gap"], facts["gap_augmented"]) == (0.45, 0.1)
    assert facts["gain_of_augmentation"]["gain"] == facts["gain_of_depth"]["gain"] == 0.1
    assert facts["gain_of_depth"]["low"] < 0.1 < facts["gain_of_depth"]["high"]
    assert seen(facts) == SHOWN


@pytest.mark.parametrize(
    ("changes", "notebook", "expected"),
    [
        ({"epochs_after_lowest_loss": 2}, "02", [False, True]),
        ({"training_accuracy": 0.9}, "02", [True, False]),
        ({"gap_augmented": 0.23}, "03", [False, True]),
        ({"gain_of_augmentation": {"gain": 0.02, "low": 0.0, "high": 0.04}}, "03", [True, False]),
        ({"gain_of_depth": {"gain": -0.02, "low": -0.04, "high": 0.0}}, "04", [False]),
        ({"stacks": STACKS | {"plain 20": 1.6}}, "05", [False, False]),
        ({"stacks": STACKS | {"residual 20": 1.6}}, "05", [True, False]),
    ],
)
def test_what_is_not_seen_is_told(changes, notebook, expected):
    assert seen(show_all() | changes) == SHOWN | {notebook: expected}


def test_the_table_counts_seeds_and_tells_mean_and_spread():
    facts = [show_all(*three_runs(seed, augmented=share)) for seed, share in enumerate((0.6, 0.51))]
    table = rehearsals.tabulate_rehearsal({"seeds": facts})
    gain = table[table["what a class sees"].str.contains("augmentation gains")].iloc[0]
    assert gain.name == "03"
    assert gain["seen"] == "2 of 2 seeds"  # nine more right and none wrong: clear even so
    assert (gain["mean"], gain["lowest to highest"]) == ("+5.5 points", "+1.0 to +10.0 points")


def test_rehearse_trains_each_lesson_from_each_seed_and_writes_what_it_saw(tmp_path, monkeypatch):
    asked = []

    def reproduce(faces, tasks, show):
        asked.extend(tasks)
        return [run for seed in (0, 1) for run in three_runs(seed)]

    monkeypatch.setattr(rehearsals, "reproduce", reproduce)
    monkeypatch.setattr(rehearsals, "find_stack_losses", lambda *_: STACKS)
    path = tmp_path / "rehearsal.json"
    found = rehearse(make_faces(), 2, path=path)
    assert sorted(asked) == sorted((name, seed) for name in rehearsals.LESSONS for seed in (0, 1))
    assert load_rehearsal(path) == found
    assert [facts["seed"] for facts in found["seeds"]] == [0, 1]
    assert found["seeds"][1] == {"seed": 1, **show_all(*three_runs(1))}
    assert found["recipe"] == asdict(RECIPES["quick"]) and found["fingerprint"] == make_faces().fingerprint
    page = insert_rehearsal(f"before\n{''.join(MARKS)}after\n", found)
    assert page.startswith(f"before\n{MARKS[0]}\n| notebook |") and page.endswith(f"{MARKS[1]}after\n")


def test_the_stacks_of_a_seed_are_trained_once(tmp_path, monkeypatch, capsys):
    trained = []

    def train_stack(network, split):
        trained.append(network.name)
        return [2.0, 1.0 + len(trained)]

    monkeypatch.setattr(rehearsals, "train_stack", train_stack)
    faces = make_faces()
    losses = rehearsals.find_stack_losses(faces, 3, tmp_path)
    assert losses == {"plain 8": 2.0, "residual 8": 3.0, "plain 20": 4.0, "residual 20": 5.0}
    assert trained == ["plain_stack_8", "residual_stack_8", "plain_stack_20", "residual_stack_20"]
    assert rehearsals.find_stack_losses(faces, 3, tmp_path) == losses and len(trained) == 4
    other = dataclasses.replace(faces, fingerprint="another")
    assert rehearsals.find_stack_losses(other, 3, tmp_path) != losses and len(trained) == 8
    (tmp_path / "seed-3.json").write_text('{"losses": ', encoding="utf-8")
    rehearsals.find_stack_losses(other, 3, tmp_path)
    assert len(trained) == 12 and "seed-3.json is damaged" in capsys.readouterr().out


def test_the_rehearsal_is_of_the_present_recipe_and_the_page_shows_it():
    rehearsal = load_rehearsal()
    differences = list_recipe_differences(rehearsal["recipe"], RECIPES["quick"])
    assert not differences and rehearsal["stack_recipe"] == rehearsals.STACK_RECIPE, "run `fer-course rehearse`"
    page = INSTRUCTOR.read_text(encoding="utf-8")
    assert insert_rehearsal(page, rehearsal) == page
