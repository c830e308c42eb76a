"""Checks of the exercises of notebook 06, activation visualisation."""

import numpy as np

from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_arrays, compare_numbers, put_in_words


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


@check("fill in a dictionary from each layer in `found` to what learning added to the accuracy of its probe")
def check_learned(answer, found):
    """{layer: accuracy of the probe with training minus that without}, of `found` {state: {layer: (R², correct)}}."""
    if not isinstance(answer, dict):
        raise Mistake(f"a dictionary is asked for, and this is {put_in_words(answer)}")
    layers = list(found["trained"])
    if missing := [layer for layer in layers if layer not in answer]:
        raise Mistake(f"there is no number for {', '.join(missing)}")
    numbers = np.array([as_number(answer[layer]) for layer in layers])
    r2, accuracy = ({state: [] for state in found} for _ in range(2))
    for state, by_layer in found.items():
        r2[state] = np.array([by_layer[layer][0] for layer in layers])
        accuracy[state] = np.array([np.mean(by_layer[layer][1]) for layer in layers])
    learned, over_pixels = (accuracy["trained"] - less for less in (accuracy["untrained"], accuracy["trained"][0]))
    mistakes = {
        "the signs are the wrong way round": -learned,
        "that is R², which is about the face: asked for is the class": r2["trained"] - r2["untrained"],
        "that is the gain over the pixels, which is partly the work of the architecture": over_pixels,
        "that is the trained network alone. How much of it does the untrained one have as well?": accuracy["trained"],
        "these are points: fill in fractions of 1": 100 * learned,
    }
    compare_arrays(numbers, learned, mistakes)
    return "trained less untrained, layer by layer: what the architecture brings by itself is taken off"
