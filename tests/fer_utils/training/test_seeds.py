"""A network's initial weights and its dropout follow from its seed alone, whatever else draws random numbers."""

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models import augmentation_layer, vgg_like
from fer_utils.training import seeds
from fer_utils.training.build import NETWORKS, build_network
from fer_utils.training.experiments import find_experiment
from fer_utils.training.seeds import own_seeds
from small_training import TINY, drawing_numbers

RECIPE = dataclasses.replace(TINY, dropout=0.5)
# Of `vgg_like` at full width with seed 0, as the recorded runs have them: the first convolution's seed and weights.
FIRST_SEED = 906691060
FIRST_WEIGHTS = 0.0044585615, -0.0542774945, 0.0963395536


def read_variables(network):
    """[array] of all variables, the states of dropout and augmentation among them."""
    return [keras.ops.convert_to_numpy(variable) for variable in network.variables]


def build(seed):
    return read_variables(build_network(find_experiment("lenet_like_augmented"), RECIPE, seed))


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "seed"),
    [("lenet_like", 0), ("resnet_like", 2), ("best", 1), ("equal_inception", 0), ("equal_mobilenet", 3)],
)
def test_the_weights_are_those_of_keras_s_own_way_to_set_a_seed(name, seed, kept_streams):
    experiment, recipe = find_experiment(name), dataclasses.replace(TINY, width=0.25)
    recipe = dataclasses.replace(recipe, dropout=0.5) if name == "best" else recipe
    found = read_variables(build_network(experiment, recipe, seed))
    keras.utils.set_random_seed(seed)
    changes, extras = experiment.augmentation, {"dropout": recipe.dropout} if recipe.dropout else {}
    augmentation = None if changes == "none" else augmentation_layer(seed, changes)
    assert_equal(found, read_variables(NETWORKS[experiment.model](recipe.width, augmentation=augmentation, **extras)))


def test_the_recorded_seeds_keep_their_weights():
    with own_seeds(0):
        convolution = vgg_like().get_layer("conv1")
    assert convolution.kernel_initializer.seed == FIRST_SEED
    first = keras.ops.convert_to_numpy(convolution.kernel)[0, 0, 0, :3]
    if keras.backend.backend() == "tensorflow":
        np.testing.assert_allclose(first, FIRST_WEIGHTS, atol=1e-7)


@pytest.mark.slow
def test_fifty_builds_beside_a_thread_that_draws_random_numbers_agree(small_network):
    expected = build(3)
    with drawing_numbers():
        for _ in range(50):
            assert_equal(build(3), expected)


def test_two_threads_that_build_at_once_do_not_disturb_each_other(small_network):
    wanted = [0, 1] * 5
    expected = {seed: build(seed) for seed in (0, 1)}
    with ThreadPoolExecutor(2) as threads:
        for seed, found in zip(wanted, threads.map(build, wanted), strict=True):
            assert_equal(found, expected[seed])
    assert not np.array_equal(expected[0][0], expected[1][0])


def test_other_threads_keep_python_s_stream(kept_streams):
    random.seed(1)
    expected = random.Random(1).randint(1, int(1e9))
    with own_seeds(0), ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: keras.initializers.GlorotUniform().seed).result() == expected


def test_afterwards_keras_draws_from_python_s_stream_again(kept_streams):
    for error in (None, ValueError):
        random.seed(1)
        try:
            with own_seeds(0):
                inside = keras.initializers.GlorotUniform().seed
                if error:
                    raise error
        except ValueError:
            pass
        assert inside == random.Random(0).randint(1, int(1e9))
        assert keras.initializers.GlorotUniform().seed == random.Random(1).randint(1, int(1e9))


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0", None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match=f"the seed is {seed!r}; expected a whole number from 0 to 4294967295"):
        with own_seeds(seed):
            pass


def test_a_keras_that_draws_its_seeds_in_another_way_is_named(small_network, monkeypatch, kept_streams):
    monkeypatch.setattr(seeds.seed_generator, "python_random", random)
    assert build(None), "a network whose weights are loaded needs no seed"
    with pytest.raises(ValueError, match=f"Keras {keras.__version__} draws the seeds of its layers in another way"):
        with own_seeds(0):
            pass
