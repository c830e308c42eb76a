"""The narrow stacks: their layers, what a shortcut adds to them, and their recipe."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.stacks import STACK_BATCH, STACK_DEPTHS, STACK_FACES, narrow_stack, train_stack
from small_training import make_split

KINDS = [(shortcuts, normalised) for shortcuts in (False, True) for normalised in (False, True)]


def weighted_layers(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]


@pytest.mark.parametrize("depth", [4, *STACK_DEPTHS])
@pytest.mark.parametrize(("shortcuts", "normalised"), KINDS)
def test_the_depth_is_that_of_the_weighted_layers(depth, shortcuts, normalised):
    network = narrow_stack(depth, shortcuts, normalised)
    assert len(weighted_layers(network)) == depth
    assert network.get_layer("block0").output.shape[1:] == (6, 6, 16)
    assert network.get_layer(f"block{(depth - 2) // 2}").output.shape[1:] == (6, 6, 16)


@pytest.mark.parametrize("depth", [2, 3, 9])
def test_other_depths_are_refused(depth):
    with pytest.raises(ValueError, match=f"found {depth}"):
        narrow_stack(depth, shortcuts=True)


def test_shortcuts_are_free():
    assert narrow_stack(8, shortcuts=True).count_params() == narrow_stack(8, shortcuts=False).count_params()


@pytest.mark.parametrize("normalised", [False, True])
def test_normalisations_stand_behind_each_convolution_or_behind_the_first_alone(normalised):
    network = narrow_stack(8, shortcuts=False, normalised=normalised)
    found = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(found) == (7 if normalised else 1)


@pytest.mark.parametrize("shortcuts", [False, True])
def test_where_nothing_is_added_a_shortcut_passes_everything_on(shortcuts):
    network = narrow_stack(8, shortcuts, normalised=False)
    for layer in network.layers:
        if layer.name.startswith("conv"):
            layer.set_weights([np.zeros(layer.kernel.shape)])
    outputs = [network.get_layer(name).output for name in ("block0", "block3")]
    before, behind = keras.Model(network.input, outputs)(make_split(2, 0).images)
    assert np.asarray(before).any()
    assert np.array_equal(behind, before if shortcuts else np.zeros(before.shape))


def test_many_pairs_add_as_much_as_one():
    """The branch is divided by the root of the number of pairs."""
    assert narrow_stack(4, shortcuts=True).get_layer("divide1").scale == 1
    assert narrow_stack(20, shortcuts=True).get_layer("divide9").scale == pytest.approx(1 / 3)


def test_the_faces_are_a_whole_number_of_batches():
    assert STACK_FACES % STACK_BATCH == 0


def test_a_training_returns_falling_losses():
    split = make_split(64, 0)
    split.labels[:] = 3
    losses = train_stack(narrow_stack(4, shortcuts=True), split, epochs=3)
    assert len(losses) == 3 and losses[2] < losses[0]
