"""Checks of the exercises of notebook 05, shortcut connections."""

from types import SimpleNamespace

import numpy as np

from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_numbers, put_in_words


@check("fill in the number of weights of the 1×1 convolution on the last shortcut")
def check_projection_weights(answer, residual):
    """The number of weights of the last projection of `residual`, a `resnet_like`, without its normalisation."""
    maps_in, maps_out = residual.get_layer("shortcut4").kernel.shape[-2:]
    right = maps_in * maps_out
    mistakes = {
        "that would be a 3×3 convolution: the projection looks at one pixel at a time": 9 * right,
        "a bias is counted, and the convolutions here have none, because a normalisation follows": right + maps_out,
        "the normalisation behind it is counted: asked for is the convolution alone": right + 4 * maps_out,
        "that is what a single new map needs. How many new maps are there?": maps_in,
        "that is one weight for each new map: each of them is made of all the maps that come in": maps_out,
        "in and out are added: each new map has a weight for each map that comes in": maps_in + maps_out,
        "the maps that come in are taken for both sides": maps_in**2,
        "the maps that go out are taken for both sides": maps_out**2,
    }
    compare_numbers(as_number(answer), right, mistakes, tolerance=1e-6)
    return "a weight for each pair of a map that comes in and one that goes out, the same at all places"


@check("write a block as a function of x and maps that gives ReLU(f(x) + x), without weights on the shortcut")
def check_free_block(answer):
    """A residual block `answer(x, maps)` whose shortcut has no weights: what x has no map for, it leaves at zero."""
    import keras  # here, because the notebooks before the first network do without it

    for maps_in, maps_out in ((3, 3), (2, 3)):
        inputs = keras.Input((6, 6, maps_in))
        outputs = call(answer, inputs, maps_out)
        if not isinstance(outputs, keras.KerasTensor):
            raise Mistake(f"your block gives {put_in_words(outputs)}: give what its last layer puts out")
        if outputs.shape[1:] != (6, 6, maps_out):
            found = " × ".join(map(str, outputs.shape[1:]))
            raise Mistake(f"{maps_in} maps of 6 × 6 go in, {maps_out} should come out, and {found} numbers do")
        _refuse_faulty_block(keras.Model(inputs, outputs), maps_in, maps_out)
    return "not a parameter more than the plain pair has, and x goes through"


def _refuse_faulty_block(network, maps_in, maps_out):
    """Raises the `Mistake` of a `network` of one block. With its kernels at zero, f(x) = 0, it must give ReLU(x)."""
    more = network.count_params() - (9 * maps_out * (maps_in + maps_out) + 8 * maps_out)
    if more:
        words = f"{abs(more)} parameters {'more' if more > 0 else 'fewer'} than the plain pair of convolutions"
        raise Mistake(f"from {maps_in} to {maps_out} maps your block has {words}")
    for variable in network.trainable_variables:
        if variable.path.endswith("kernel"):
            variable.assign(np.zeros(variable.shape))
    x = np.random.default_rng(0).normal(size=(1, 6, 6, maps_in)).astype(np.float32)
    found = np.asarray(network(x))
    if not found.any():
        raise Mistake("where f(x) is zero, nothing comes out: x does not reach the end of the block")
    if found.min() < 0:
        raise Mistake("negative numbers come out: the last ReLU has to stand behind the addition")
    if found.any(axis=(0, 1, 2)).sum() > maps_in:
        raise Mistake("the shortcut puts something into the new maps, and x has nothing that belongs there")
    if not np.allclose(found.sum(axis=-1), np.maximum(x, 0).sum(axis=-1), atol=1e-5):
        raise Mistake("where f(x) is zero, ReLU(x) should come out, each map of x once, and it is something else")


@check("write a function of run and accuracy that gives the first epoch, or None where there is none")
def check_epochs_to_reach(answer):
    """`answer(run, accuracy)`: the first epoch, from 1, with at least `accuracy` in validation; None if none has it."""
    run = SimpleNamespace(history={"accuracy": [0.3, 0.7, 0.8, 0.9], "val_accuracy": [0.2, 0.5, 0.4, 0.6]})
    call(answer, run, 0.45)  # where a stub and what is no function end; below, None may be an answer
    *found, never = (answer(run, mark) for mark in (0.45, 0.5, 0.55, 0.2, 0.95))
    if never is not None:
        raise Mistake(f"a mark that is never reached gives {put_in_words(never)}, as if there were such an epoch")
    mistakes = {
        "the epochs are counted from 0": [1, 1, 3, 0],
        "a mark counts only when it is passed: to reach it is enough": [2, 4, 4, 2],
        "that is the curve of the training accuracy: the marks are of validation": [2, 2, 2, 1],
        "a mark that is reached in the very first epoch gives None": [2, 2, 4, None],
        "the epochs below the mark are counted, and a curve may fall again after it reached the mark": [3, 3, 4, 1],
        "that is the last epoch at the mark or above it, not the first": [4, 4, 4, 4],
    }
    for words, epochs in mistakes.items():
        if found == epochs:
            raise Mistake(words)
    if found != [2, 2, 4, 1]:
        curve = ", ".join(map(str, run.history["val_accuracy"]))
        raise Mistake(f"for validation accuracies of {curve} and a mark of 0.45 it gives {put_in_words(found[0])}")
    return "the first epoch where there is one, and no epoch 1 for a mark that is never reached"
