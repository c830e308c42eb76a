"""The table of experiments, and what an unknown name is told."""

import dataclasses
import itertools

import pytest

from fer_utils.data.fer2013 import COUNTS
from fer_utils.environment import PROFILES
from fer_utils.models.families import FAMILIES
from fer_utils.training.experiments import (
    ABLATION_ROWS,
    BEST_ROWS,
    BETWEEN_ROWS,
    CHOSEN,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    RECIPES,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    TAUGHT_ROWS,
    find_experiment,
    find_recipe,
)
from fer_utils.training.recipes import find_difference
from small_training import make_run


def test_there_is_one_experiment_per_row_of_the_report_s_table():
    expected = [("lenet_like", "none"), ("lenet_like", "mild"), ("vgg_like", "mild"), ("resnet_like", "mild")]
    for names, stride in ((ROWS, 1), (STRIDE_2_ROWS, 2)):
        rows = [find_experiment(name) for name in names]
        assert [(row.model, row.augmentation) for row in rows] == expected
        assert {row.conv_stride for row in rows} == {stride}
    report_like = [find_experiment(name) for name in REPORT_ROWS]
    assert [row.model for row in report_like] == [row.model for row in (find_experiment(name) for name in ROWS)]
    assert [row.augmentation for row in report_like] == ["none", *[CHOSEN.augmentation] * 3]
    groups = (ROWS, REPORT_ROWS, BETWEEN_ROWS, STRIDE_2_ROWS, FAST_ROWS, BEST_ROWS, TAUGHT_ROWS)
    groups += EQUAL_ROWS, ABLATION_ROWS
    assert tuple(name for group in groups for name in group) == tuple(EXPERIMENTS)


def test_from_the_report_like_recipe_to_the_course_s_few_things_change_at_a_time():
    for model in ("lenet_like", "vgg_like"):
        course = "lenet_like_augmented" if model == "lenet_like" else model
        names = f"report_{course}", f"between_{model}_falling", f"between_{model}_mild", course
        steps = [(find_experiment(name), find_recipe(name, "full")) for name in names]
        changes = [
            {key for key in vars(before[1]) if getattr(before[1], key) != getattr(after[1], key)}
            | ({"augmentation"} if before[0].augmentation != after[0].augmentation else set())
            for before, after in itertools.pairwise(steps)
        ]
        assert changes == [
            {"schedule", "epochs", "keep", "late"},
            {"augmentation"},
            {"norm_momentum", "batch_size", "late"},
        ]


def test_each_family_is_an_experiment_with_one_and_the_same_recipe():
    rows = [find_experiment(name) for name in EQUAL_ROWS]
    assert [row.model for row in rows] == list(FAMILIES)
    assert {row.augmentation for row in rows} == {"flip"}
    for profile in PROFILES:  # the widths differ where the costs would, which tests/fer_utils/models looks at
        assert len({dataclasses.replace(find_recipe(row, profile), width=1.0) for row in rows}) == 1
    assert {find_recipe(row, "full").width for row in rows} == {1.0}


def test_each_row_of_the_ablation_differs_from_all_parts_in_one_part():
    whole, *others = (find_experiment(name) for name in ABLATION_ROWS)
    for profile in PROFILES:
        recipe = dataclasses.asdict(find_recipe(whole, profile))
        for row in others:
            changed = {
                key for key, value in dataclasses.asdict(find_recipe(row, profile)).items() if value != recipe[key]
            }
            assert row.model == whole.model
            if row.augmentation != whole.augmentation:
                assert not changed
            else:
                assert len(changed) == 1 or "momentum" in changed


def test_experiments_stand_under_their_own_name_with_a_title_each():
    assert all(name == experiment.name for name, experiment in EXPERIMENTS.items())
    assert len({experiment.title for experiment in EXPERIMENTS.values()}) == len(EXPERIMENTS)
    assert all(find_experiment(name) is experiment for name, experiment in EXPERIMENTS.items())


def test_every_profile_has_a_recipe_and_full_is_the_larger():
    assert tuple(RECIPES) == PROFILES
    assert RECIPES["full"].train_images is None
    assert RECIPES["full"].width == 1
    assert RECIPES["quick"].width < 1
    quick, full = RECIPES["quick"], RECIPES["full"]
    assert quick.epochs * quick.train_images < full.epochs * sum(COUNTS["Training"]) / 4


def test_all_rows_share_a_recipe_and_the_fast_experiment_has_its_own():
    for profile, recipe in RECIPES.items():
        rows = [find_recipe(find_experiment(name), profile) for name in (*ROWS, *STRIDE_2_ROWS)]
        assert all(of_row is recipe for of_row in rows)
        fast = find_recipe(find_experiment(FAST_ROWS[0]), profile)
        assert fast.warmup > 0 and fast.train_images == recipe.train_images
    assert fast.epochs < RECIPES["full"].epochs


IMAGES = "0123456789abcdef"


def find_difference_of(asked="lenet_like", **changes):
    """What `find_difference` says of a run of `lenet_like`'s full recipe with `changes`, where `asked` is wanted."""
    run = make_run(**{"recipe": dataclasses.asdict(RECIPES["full"]), "fingerprint": IMAGES, **changes})
    experiment = find_experiment(asked)
    return find_difference(run, experiment, find_recipe(experiment, "full"), IMAGES)


def test_a_recipe_is_known_again_also_from_before_it_had_all_its_fields():
    facts = dataclasses.asdict(RECIPES["full"])
    assert find_difference_of() == ""
    del facts["warmup"], facts["weight_decay"]
    assert find_difference_of(recipe=facts) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "vgg_like"}, "model is 'vgg_like', expected 'lenet_like'"),
        ({"augmentation": "strong"}, "augmentation is 'strong', expected 'none'"),
        ({"conv_stride": 2}, "conv_stride is 2, expected 1"),
        ({"views": 10}, "views is 10, expected 1"),
        ({"teacher": "best_mixed"}, "teacher is 'best_mixed', expected None"),
        ({"experiment": "vgg_like"}, "experiment is 'vgg_like', expected 'lenet_like'"),
        ({"fingerprint": "0" * 16}, f"fingerprint is '{'0' * 16}', expected '{IMAGES}'"),
        ({"recipe": None}, "recipe is None, expected its settings by name"),
        ({"precision": "mixed_bfloat16"}, ""),
        ({"model": "vgg_like", "views": 2}, "model is 'vgg_like', expected 'lenet_like'; views is 2, expected 1"),
    ],
    ids=str,
)
def test_a_run_of_something_else_is_told_what_was_found_and_what_was_expected(change, words):
    assert find_difference_of(**change) == words


def test_each_setting_of_the_recipe_counts():
    facts = dataclasses.asdict(RECIPES["full"])
    for name, value in facts.items():
        words = find_difference_of(recipe={**facts, name: "another"})
        assert words == f"recipe: {name} is 'another', expected {value!r}"
    assert find_difference_of(recipe={**facts, "later": 1}).startswith("recipe: later is 1, and this version")
    del facts["epochs"]
    assert find_difference_of(recipe=facts) == "recipe: epochs is missing, expected 8"


def test_the_precision_counts_where_the_experiment_fixes_it():
    recipe = dataclasses.asdict(find_recipe(find_experiment("fast_float32"), "full"))
    facts = {"experiment": "fast_float32", "model": "fast", "augmentation": "flip", "recipe": recipe}
    assert find_difference_of("fast_float32", **facts) == ""
    half = find_difference_of("fast_float32", **facts, precision="mixed_bfloat16")
    assert half == "precision is 'mixed_bfloat16', expected 'float32'"


def test_unknown_experiment_is_told_every_name():
    with pytest.raises(ValueError) as problem:
        find_experiment("alexnet")
    assert "'alexnet'" in str(problem.value)
    assert all(name in str(problem.value) for name in EXPERIMENTS)


def test_the_table_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        find_experiment("lenet_like").augmentation = "mild"
