"""From an experiment to its network, built anew or with a run's weights."""

import dataclasses

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.training.build import NETWORKS, build_network, load_network
from fer_utils.training.experiments import find_experiment
from fer_utils.training.loop import train
from fer_utils.training.runs import WEIGHTS, RunError
from small_training import TINY, make_faces, mutate

pytestmark = pytest.mark.usefixtures("store")


def test_the_interpolation_of_the_augmentation_comes_from_the_recipe():
    for kind in ("bilinear", "nearest"):
        recipe = dataclasses.replace(TINY, interpolation=kind)
        network = build_network(find_experiment("lenet_like_augmented"), recipe)
        assert network.get_layer("augmentation").get_layer("rotate").interpolation == kind


def test_the_seed_sets_initial_weights_and_image_order():
    def initial(seed):
        network = build_network(find_experiment("lenet_like"), TINY, seed)
        return keras.ops.convert_to_numpy(network.get_layer("conv1").kernel)

    np.testing.assert_array_equal(initial(0), initial(0))
    assert not np.array_equal(initial(0), initial(1))


# Of the report and of the course; the others are the families.
OWN = "lenet_like", "vgg_like", "resnet_like", "fast", "deep_residual"


@pytest.fixture(scope="module")
def networks():
    return {name: NETWORKS[name](width=0.1) for name in OWN}


@pytest.mark.parametrize("name", OWN)
def test_uint8_images_give_probabilities(name):
    network = NETWORKS[name](width=0.1)
    assert network.input.dtype == "uint8"
    assert network.input.shape == (None, 48, 48, 1)
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    probabilities = keras.ops.convert_to_numpy(network(images))
    assert probabilities.shape == (5, 7)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_networks_come_uncompiled(networks):
    assert not any(network.compiled for network in networks.values())


# --- a run's weights ---


def test_a_run_without_weights_says_how_to_get_them(epochs):
    run = train("lenet_like", make_faces())
    (run.folder / WEIGHTS).unlink()
    for without in (run, dataclasses.replace(run, folder=None)):
        with pytest.raises(RunError, match="lenet_like, seed 0: the run was kept without its weights.*retrain=True"):
            load_network(without)


def test_no_mutation_of_the_weights_passes_unseen(epochs):
    run = train("lenet_like", make_faces())
    path = run.folder / WEIGHTS
    content = path.read_bytes()
    for mutated in mutate(content, np.random.default_rng(0), 200):
        path.write_bytes(mutated)
        if mutated != content:
            with pytest.raises(RunError, match=WEIGHTS):
                load_network(run)


def test_damaged_weights_are_named(epochs):
    run = train("lenet_like", make_faces())
    content = (run.folder / WEIGHTS).read_bytes()
    (run.folder / WEIGHTS).write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=f"lenet_like/seed-0/{WEIGHTS}"):
        load_network(run)
    for place in range(0, len(content), len(content) // 50):
        flipped = bytearray(content)
        flipped[place] ^= 16
        (run.folder / WEIGHTS).write_bytes(flipped)
        with pytest.raises(RunError, match=f"lenet_like/seed-0/{WEIGHTS} is damaged, or is not the file"):
            load_network(run)
