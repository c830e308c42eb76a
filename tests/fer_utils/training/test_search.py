"""The search for the strongest network's recipe: what it tries costs alike, and the better half gets a second seed."""

import pytest

from fer_utils.models import PASSES, count_multiply_adds
from fer_utils.training import search
from fer_utils.training.build import build_network
from fer_utils.training.search import SEARCH, SEARCH_SEEDS, search_recipes, search_training

BUDGET = 1.5e14  # multiply-adds of a training


@pytest.mark.parametrize("change", SEARCH)
def test_each_change_has_a_reason_and_costs_what_the_others_cost(change):
    experiment, recipe, seed = search_training(change)
    cost = PASSES * count_multiply_adds(build_network(experiment, recipe, seed=None)) * recipe.train_images
    assert 0.93 * BUDGET < cost * recipe.epochs <= BUDGET
    assert SEARCH[change].reason and seed == SEARCH_SEEDS[0] and recipe.keep == "last"


def test_no_two_trainings_of_the_search_are_the_same():
    trainings = [search_training(change, seed) for change in SEARCH for seed in SEARCH_SEEDS]
    assert len({training.name for training in trainings}) == len(trainings)
    assert len({(repr(t.recipe), t.experiment.augmentation, t.experiment.model, t.seed) for t in trainings}) == len(
        trainings
    )


def test_the_better_half_is_trained_again_from_another_seed(tmp_path, monkeypatch):
    asked = []

    def screen(trainings, faces, folder, scheduler, show):
        asked.append([training.name for training in trainings])
        return {training.name: {"views": {"10": len(training.name)}} for training in trainings}

    monkeypatch.setattr(search, "screen_candidates", screen)
    found = search_recipes("faces", tmp_path, "scheduler")
    first, second = SEARCH_SEEDS
    assert asked[0] == [search_training(name, first).name for name in SEARCH]
    assert len(asked[1]) == len(SEARCH) // 2 and len(found) == len(asked[0]) + len(asked[1])
    left_out = {name for name in SEARCH if search_training(name, second).name not in asked[1]}
    assert max(map(len, left_out)) <= min(len(name) for name in set(SEARCH) - left_out)
