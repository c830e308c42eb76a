"""Checks of the exercises of notebook 04, depth comparison."""

import numpy as np

from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_numbers, put_in_words


@check("fill in two numbers of weights: (two convolutions of 3×3, one of 5×5)")
def check_stacked_weights(answer):
    """(weights of two 3×3 convolutions from 64 to 64 maps, weights of one 5×5), without biases."""
    if np.size(answer) != 2:
        raise Mistake(f"two numbers are asked for, one for each, and this is {put_in_words(answer)}")
    small, large = (as_number(part) for part in answer)
    expected = 2 * 3 * 3 * 64 * 64, 5 * 5 * 64 * 64
    mistakes = {
        "the two numbers have changed places": expected[::-1],
        "you forgot that each filter reads all 64 maps": (2 * 9 * 64, 25 * 64),
        "the first number is that of a single convolution of 3×3; there are two": (expected[0] / 2, expected[1]),
        "these are the weights of one filter; each layer has 64": (2 * 9, 25),
        "you counted biases; the convolutions of this course have none": (expected[0] + 128, expected[1] + 64),
    }
    for words, values in mistakes.items():
        if (small, large) == values:
            raise Mistake(words)
    for size, number, right in zip(("two 3×3", "one 5×5"), (small, large), expected, strict=True):
        if number != right:
            raise Mistake(f"the number for {size} is too {'large' if number > right else 'small'}")
    return "the two see as far as the one, with fewer weights"


@check("fill in how many pixels wide the patch of the last convolution is then, a number")
def check_strided_field(answer):
    """The receptive field of `lenet_like`'s last convolution if the stride of its first convolution is 2."""
    mistakes = {
        "this is the patch without the change": 18,
        "you left out the poolings; each adds one step": 27,
        "this is twice the patch, but what the first convolution itself sees is not doubled, only what comes after": 36,
        "this is the patch if all three convolutions have stride 2; only the first one does": 53,
        "this counts the last pooling; asked for is the last convolution": 41,
    }
    compare_numbers(as_number(answer), 33, mistakes)
    return "every step behind the first convolution is twice as long, and no weight was added"


@check("write a function that builds a keras.Model, from faces (48, 48, 1) to seven probabilities")
def check_far_sighted(answer, receptive_fields, limit, fit_briefly, floor):
    """A function that builds a network whose last convolution sees 48 pixels or more, at no more cost than `limit`.

    Trained by `fit_briefly` it has to be right on more than the share `floor` of the validation faces.
    `receptive_fields` and `fit_briefly`, which trains a network and returns its history, are functions of the notebook;
    `limit` is the network whose multiply-adds are the most allowed.
    """
    network = answer if hasattr(answer, "layers") else call(answer)
    _refuse_unless_far_sighted(network, receptive_fields)
    _refuse_too_costly(network, limit)
    history = fit_briefly(network)
    training, validation = history["accuracy"][-1], history["val_accuracy"][-1]
    if not validation > floor:
        raise Mistake(
            f"it sees the whole face and is cheap enough, but once trained it is right on {validation:.0%} of the "
            f"validation faces, and the floor is {floor:.0%}. {_explain_low(training, validation, floor)}"
        )
    return "it sees the whole face at no more cost, and it learns; where the maps are small, another layer is cheap"


def _refuse_unless_far_sighted(network, receptive_fields):
    if not hasattr(network, "layers") or not hasattr(network, "input_shape"):
        raise Mistake(f"your function has to return a keras.Model, and this is {put_in_words(network)}")
    if network.input_shape != (None, 48, 48, 1) or network.output_shape != (None, 7):
        raise Mistake(
            f"it has to go from (48, 48, 1) to 7 numbers, and this goes from {network.input_shape[1:]} "
            f"to {network.output_shape[1:]}"
        )
    fields = receptive_fields(network)
    if not fields:
        raise Mistake("the network has no convolution yet, or none whose name begins with conv")
    if max(fields.values()) < 48:
        raise Mistake(f"its last convolution sees {max(fields.values())} of 48 pixels")


def _refuse_too_costly(network, limit):
    from fer_utils.models import count_multiply_adds

    try:
        cost, most = (count_multiply_adds(model) / 1e6 for model in (network, limit))
    except ValueError as error:
        raise Mistake(f"its cost cannot be told, and so not be compared: {error}") from error
    if cost > most:
        raise Mistake(f"it sees the whole face, but costs {cost:.2f} million multiply-adds; the limit is {most:.2f}")


def _explain_low(training, validation, floor):
    """Says what a low accuracy may come from."""
    if training > floor + 0.1:
        return f"On its training faces it is right on {training:.0%}: it memorises. Fewer weights may do better"
    return (
        "It has learned little of its training faces, too. Is there a normalisation and a ReLU behind each "
        "convolution? Do the first layers keep enough places?"
    )
