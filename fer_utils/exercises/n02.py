"""Checks of the exercises of notebook 02, baseline overfitting."""

import math

import numpy as np

from fer_utils.device import keras
from fer_utils.exercises.checking import (
    Mistake,
    as_array,
    as_number,
    as_share,
    call,
    check,
    compare_numbers,
    put_in_words,
)
from fer_utils.models import predict


@check("fill in the share of faces that are happy among those that the network calls Happy, between 0 and 1")
def check_precision(answer, run):
    """The precision of the class Happy on the test faces of `run`, from its confusion matrix."""
    share, happy = as_share(answer), 3

    def precision(confusion):
        return confusion[happy, happy] / confusion[:, happy].sum()

    confusion = run.confusion
    mistakes = {
        "this is the share of the happy faces that the network finds: a row of the matrix. Asked for is the share of "
        "its answers Happy that are right": confusion[happy, happy] / confusion[happy].sum(),
        "this is the accuracy over all expressions": np.trace(confusion) / confusion.sum(),
        "this is how often the network says Happy, right or wrong": confusion[:, happy].sum() / confusion.sum(),
        "this is of the validation faces; asked for is the matrix of the test faces": precision(
            run.validation_confusion
        ),
    }
    compare_numbers(share, precision(confusion), mistakes, tolerance=0.01)
    return "a row asks which faces are found, a column which answers can be trusted"


N_FACES, MEMORISED = 200, 0.9
TOO_WELL = 0.6  # validation accuracy that no network reaches which has seen only labels dealt at random
LOW_RATE, HIGH_RATE = 2e-4, 2e-2  # learning rates of Adam outside of which few networks learn quickly


@check("write a function that builds a network, compiles it, fits it to the faces that it is given, and returns it")
def check_memorise(answer, faces):
    """A function of (images, labels, validation images, their labels) that returns a network which memorised them.

    It is called with labels dealt at random. What it returns is judged by what it is and does: compiled, trained,
    probabilities, accuracy on the faces that it was given.
    """
    images, others = faces.train.images[:N_FACES], faces.validation.images[:N_FACES]
    labels = np.random.default_rng(0).integers(0, 7, len(images))
    of_others = faces.validation.labels[:N_FACES]
    try:
        network = call(answer, images.copy(), labels.copy(), others.copy(), of_others.copy())
    except Mistake as mistake:
        raise Mistake(_explain_error(str(mistake))) from mistake
    history = _refuse_untrained(network)
    _refuse_other_loss(network.loss)
    shares = [
        np.mean(_probabilities(network, seen).argmax(axis=1) == true)
        for seen, true in ((images, labels), (others, of_others))
    ]
    if shares[0] < MEMORISED:
        raise Mistake(
            f"it gets {shares[0]:.0%} of its own faces right: {_explain_shortfall(network, history, shares[0])}"
        )
    if shares[1] > TOO_WELL:
        raise Mistake("it knows the validation faces too: they must only be judged, never be fitted")
    if "val_loss" not in history:
        raise Mistake("it memorised its faces, but nobody watched: give `fit` the validation faces, `validation_data`")
    return (
        "labels that mean nothing can be memorised; a high training accuracy alone does not show that anything "
        "was learned, and the validation faces do"
    )


def _explain_error(words):
    """Returns the words about an error of the learner's function, with a hint where Keras's own are hard to read."""
    words = " ".join(words.split())
    hints = {
        "must call `compile()`": "compile the network before you fit it",
        "valid range": "the last layer needs a unit for each of the seven expressions",
        "rank (ndim)": "labels and loss do not fit: `sparse_categorical_crossentropy` takes numbers from 0 to 6, "
        "`categorical_crossentropy` rows of seven zeros and ones",
        "same shape": "labels and loss do not fit, or the last layer has not seven units",
        "compile_loss/": "the loss fails on these labels: for numbers from 0 to 6 take a sparse cross-entropy",
    }
    hint = next((hint for sign, hint in hints.items() if sign in words), "")
    # What TensorFlow says of an error in a compiled graph is a list of its own files.
    said = words.partition("Detected at")[0][:200]
    return f"{hint}. In Keras's words: {said}" if hint else said


def _refuse_untrained(network):
    """Returns what `fit` recorded, {name: values}; a `Mistake` unless `network` is a trained network."""
    if isinstance(network, keras.callbacks.History):
        raise Mistake("this is what `fit` returns, the history; return the network that was fitted")
    if not isinstance(network, keras.Model):
        raise Mistake(f"a network is asked for, and your function returns {put_in_words(network)}")
    if not network.compiled:
        raise Mistake("the network is not compiled: it has no optimiser and no loss yet")
    if not int(network.optimizer.iterations):
        raise Mistake("the network is compiled, but never trained: its optimiser has made no step")
    return getattr(getattr(network, "history", None), "history", {})


def _refuse_other_loss(loss):
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    if "crossentropy" not in name or "binary" in name:
        raise Mistake(f"its loss is {name or put_in_words(loss)}; for one of seven expressions take the cross-entropy")


def _probabilities(network, images):
    """Returns the network's answers (N, 7); a `Mistake` unless they are probabilities."""
    answers = np.asarray(predict(network, images), float)
    if answers.shape != (len(images), 7):
        raise Mistake(f"for {len(images)} faces it answers with {put_in_words(answers)}, not seven numbers for each")
    if not np.isfinite(answers).all():
        raise Mistake("its answers are no numbers any more: the steps were far too large, lower the learning rate")
    if (answers < 0).any() or not np.allclose(answers.sum(axis=1), 1, atol=0.01):
        raise Mistake("its seven answers are no probabilities: the last layer lacks the softmax")
    return answers


def _explain_shortfall(network, history, share):
    """Returns words about why a trained network has not memorised its faces, from its history and its rate."""
    in_training = max(history.get("accuracy", [0.0])[-1:], default=0.0)
    if in_training >= share + 0.2:
        return (
            f"while it trained it was {in_training:.0%}. Either it was fitted to other faces or labels, or batch "
            "normalisation has not caught up: it needs more epochs, or a momentum of 0.9"
        )
    rate = network.optimizer.get_config()["learning_rate"]
    rate = rate["config"].get("initial_learning_rate", 1e-3) if isinstance(rate, dict) else float(rate)
    if rate < LOW_RATE:
        return f"with a learning rate of {rate:g} each step is too small"
    if rate > HIGH_RATE:
        return f"with a learning rate of {rate:g} the steps are too large, the loss jumps about"
    return "train for more epochs; if the loss no longer falls, make the network larger"


@check("write a function that returns the epoch, counted from 1, after which a training with this patience stops")
def check_stop_epoch(answer):
    """A function of (validation losses, patience): the epoch at which early stopping ends the training."""
    cases = [(np.array(losses), patience) for losses, patience in _LOSSES]
    epochs = as_array([as_number(call(answer, losses.copy(), patience)) for losses, patience in cases], [len(cases)])
    expected = np.array([_stop_epoch(*case) for case in cases])
    last = np.array([len(losses) for losses, _ in cases])
    of_lowest = np.array([losses.argmin() + 1 for losses, _ in cases])
    kept = np.array([losses[:stop].argmin() + 1 for (losses, _), stop in zip(cases, expected, strict=True)])
    mistakes = {
        "you count epochs from 0": expected - 1,
        "this is the epoch with the lowest loss of all; the training must stop without knowing what comes": of_lowest,
        "this is the epoch whose weights are kept; training goes on until the patience is used up": kept,
        "you compare each loss with the one before; compare it with the lowest so far": np.array(
            [_stop_epoch(*case, compare_with_previous=True) for case in cases]
        ),
        "you wait one epoch longer than the patience": np.array(
            [_stop_epoch(x, patience + 1) for x, patience in cases]
        ),
        "this never stops early": last,
    }
    for words, values in mistakes.items():
        if not np.array_equal(epochs, expected) and np.array_equal(epochs, values):
            raise Mistake(words)
    for (losses, patience), epoch, right in zip(cases, epochs, expected, strict=True):
        if epoch != right:
            when = "early" if epoch < right else "late"
            raise Mistake(f"with losses {losses.tolist()} and patience {patience} you stop at {epoch:g}: too {when}")
    return "this is early stopping; what it saves and what it costs, a pair of curves tells"


_LOSSES = (
    ([1.8, 1.5, 1.6, 1.55, 1.52, 1.2], 2),
    ([1.8, 1.5, 1.4, 1.3, 1.2], 2),
    ([1.8, 1.7, 1.6, 1.65, 1.66, 1.67, 1.7, 1.8], 3),
    ([1.5, 1.6, 1.4, 1.7, 1.3, 1.9], 1),
)


def _stop_epoch(losses, patience, compare_with_previous=False):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        waited = 0 if loss < best else waited + 1
        if waited == patience:
            return epoch
        best = loss if compare_with_previous else min(best, loss)
    return len(losses)
