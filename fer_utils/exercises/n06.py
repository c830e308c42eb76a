"""Checks of the exercises of notebook 06, activation visualisation."""

import numpy as np

from fer_utils.data import CLASS_NAMES
from fer_utils.device import keras
from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_numbers, put_in_words
from fer_utils.models import predict


@check("fill in how many pixels wide the patch is that one place behind the third convolution depends on")
def check_patch_width(answer):
    """The width in pixels of the patch that one place of `conv3_relu` of a `vgg_like` depends on."""
    mistakes = {
        "that is the filter, on the maps before it: each place of these depends on several pixels itself": 3,
        "that is behind the second convolution: a pooling and one more convolution follow": 5,
        "that is behind the pooling: the third convolution looks at three places of it side by side": 6,
        "these are three convolutions without the pooling": 7,
        "behind the pooling, the patches of two neighbours are shifted by more than one pixel": 8,
        "these are the patches of three places side by side as if they did not overlap": 18,
        "that is how many places one of its maps has in a row": 24,
        "that is the number of pixels in the whole patch. How many lie side by side?": 100,
    }
    compare_numbers(as_number(answer), 10, mistakes, tolerance=1e-6)
    return "a convolution widens the patch by two steps, and behind a pooling a step is two pixels"


@check("write a function of a heat map's values that gives the flat index of one of the middle places")
def check_pick_middle(answer):
    """`answer(values)`: a random flat index into `values` (6, 6), none of the outermost places."""
    values = np.arange(36.0).reshape(6, 6)
    middle = set(values[1:-1, 1:-1].astype(int).flat)
    # That 500 picks leave out one of sixteen equally likely places happens once in some million million times.
    found = [call(answer, values.copy()) for _ in range(500)]
    if not all(np.ndim(pick) == 0 for pick in found):
        raise Mistake(f"it gives {put_in_words(found[0])}: `cover` wants one number, like that of np.argmax")
    picks = {as_number(pick) for pick in found}
    if odd := [pick for pick in picks if not (pick.is_integer() and 0 <= pick < 36)]:
        raise Mistake(f"it gives {put_in_words(odd[0])}: the flat indices of a map are whole, from 0 to 35")
    if len(picks) == 1:
        raise Mistake("it picks the same place every time: a generator that is made anew each time starts anew")
    if picks == set(range(16)):
        raise Mistake("it counts the sixteen middle places alone: `cover` counts all places of the map")
    if outside := sorted(picks - middle):
        row, column = divmod(int(outside[0]), 6)
        raise Mistake(f"it picks row {row}, column {column}, counted from 0: that lies at the border")
    if missing := middle - picks:
        raise Mistake(f"it never picks {len(missing)} of the sixteen middle places")
    return "each of the middle places has its chance, and the border has none"


@check("train a keras.Model that says how probable a happy face is, on the frozen convolutions of the network")
def check_new_output(answer, network, faces):
    """A model from faces to the probability of "happy" (N, 1), on the unchanged convolutions of `network`, copied."""
    if not isinstance(answer, keras.Model):
        raise Mistake(f"a trained keras.Model is asked for, and this is {put_in_words(answer)}")
    _compare_frozen(answer, network)
    images, happy = faces.validation.images[:1000], CLASS_NAMES.index("Happy")
    is_happy = faces.validation.labels[:1000] == happy
    found = np.asarray(call(lambda: predict(answer, images)))
    if found.shape[-1] == len(CLASS_NAMES):
        raise Mistake("it still gives the seven old answers: one is asked for, happy or not")
    if found.shape != (len(images), 1):
        raise Mistake(f"one number for each face is asked for, and it gives {put_in_words(found)}")
    if found.min() < 0 or found.max() > 1:
        raise Mistake("its numbers are no probabilities: which activation puts them between 0 and 1?")
    says, usual = found[:, 0] > 0.5, max(is_happy.mean(), 1 - is_happy.mean())
    if says.all() or not says.any():
        raise Mistake("it gives every face the same answer: has it been fitted?")
    # Half of what the network itself, trained for all seven classes, knows above the floor.
    own = np.mean((predict(network, images).argmax(axis=1) == happy) == is_happy)
    wanted, right = usual + max(own - usual, 0) / 2, np.mean(says == is_happy)
    if np.mean(says != is_happy) >= wanted:
        raise Mistake(
            "it takes happy faces for the others, and the others for happy: look at the labels it learns from"
        )
    if right < wanted:
        floor = f"giving all the same answer is right on {usual:.1%}"
        raise Mistake(f"it is right on {right:.1%} of the validation faces, and {floor}: fit it longer, or faster")
    return "it beats the same answer for all clearly, and no convolution has moved: old maps answer a new question"


def _compare_frozen(answer, network):
    """Raises a `Mistake` unless `answer` has copies of the convolutions of `network` and normalisations, unchanged."""
    layers = {layer.name: layer for layer in _list_layers(answer)}
    for layer in network.layers:
        if not layer.name.startswith("conv") or not layer.weights:
            continue
        if layer.name not in layers:
            raise Mistake(f"the layer {layer.name} of the network is not in it: build on the output of `conv8_relu`")
        if layers[layer.name] is layer:
            raise Mistake("it is built on `network` itself, which must stay as it is: start from `load_network(run)`")
        pairs = zip(layer.weights, layers[layer.name].weights, strict=True)
        moved = [old.trainable for old, new in pairs if not np.allclose(old, new, atol=1e-6)]
        if any(moved):
            raise Mistake(f"the weights of {layer.name} have moved: freeze them before you compile, on a new copy")
        if moved:
            raise Mistake(f"the averages of {layer.name} have moved: the normalisations are to be frozen, too")


def _list_layers(model):
    """Lists the layers of a model, those of the models inside it among them."""
    inside = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return model.layers + [layer for part in inside for layer in _list_layers(part)]
