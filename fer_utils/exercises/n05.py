"""Checks of the exercises of notebook 05, shortcut connections."""

from types import SimpleNamespace

import numpy as np

from fer_utils.device import keras
from fer_utils.exercises.checking import Mistake, call, check, put_in_words
from fer_utils.models import narrow_stack


@check("write a block as a function of x and maps that gives ReLU(f(x) + x), without weights on the shortcut")
def check_free_block(answer):
    """A residual block `answer(x, maps)` whose shortcut has no weights: what x has no map for, it leaves at zero."""
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


DEEP = 20  # weighted layers of the stack that the start is tried on
PASSED = 0.5  # correlation, below which maps are not passed on


@check("write a function that gives the stack's convolutions other weights to start from, and returns the network")
def check_start(answer, train, ignorant_loss):
    """`answer(network)` gives a deep plain stack without normalisation weights from which it learns.

    Each convolution of the pairs should pass its maps on, as a shortcut does. Judged on the maps that come out of the
    stack before the training, and on the last loss of `train(network)`, the training losses of a few epochs:
    `ignorant_loss` is the loss of a network that never looks at a face.
    """
    plain = narrow_stack(DEEP, shortcuts=False, normalised=False)
    parts, start = [type(layer) for layer in plain.layers], plain.get_weights()
    network = call(answer, plain)
    if not hasattr(network, "get_layer"):
        raise Mistake(f"your function returns {put_in_words(network)}: it should return the network")
    if [type(layer) for layer in network.layers] != parts:
        raise Mistake("its layers are others than before: keep them, and change only their weights")
    weights = network.get_weights()
    if all(np.array_equal(before, after) for before, after in zip(start, weights, strict=True)):
        raise Mistake("all weights are what they were: `layer.set_weights([kernel])` changes those of a layer")
    _refuse_closed_stack(network)
    if not all(layer.trainable for layer in network.layers):
        raise Mistake("the maps come through, but a layer is frozen: each of them should go on learning")
    loss = train(network)[-1]
    if not loss < ignorant_loss:
        compared = f"the training loss ends at {loss:.2f}, and never to look at a face costs {ignorant_loss:.2f}"
        raise Mistake(f"the maps come through, but {compared}")
    return "the maps come through, the gradient comes back, and the plain stack learns"


def _refuse_closed_stack(network):
    """Raises the `Mistake` of a stack that does not pass the maps before its pairs on to the maps behind them."""
    kernels = [layer.get_weights()[0] for layer in network.layers if layer.name.startswith("conv")]
    if not any(kernel.any() for kernel in kernels):
        raise Mistake("all kernels are zero: nothing gets through, and no gradient either")
    last = [layer.name for layer in network.layers if layer.name.startswith("block")][-1]
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
    maps = keras.Model(network.input, [network.get_layer(name).output for name in ("block0", last)])(images)
    before, behind = (np.asarray(values, np.float64) for values in maps)
    if not behind.any():
        raise Mistake("behind the pairs all maps are zero: nothing gets through")
    size = np.sqrt(np.mean(behind**2) / np.mean(before**2))
    if not 0.5 < size < 2:
        raise Mistake(
            f"behind the pairs the numbers are {size:.2g} times as large as before them: what does one kernel do to a "
            "number that goes in?"
        )
    if np.corrcoef(before.ravel(), behind.ravel())[0, 1] < PASSED:
        raise Mistake("maps come out, but not those that go in: is each map passed on to itself, at the place itself?")
