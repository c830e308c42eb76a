"""Faces drawn from facial action units: the set that needs no download.

An expression is a handful of action units, the single movements of which the Facial Action Coding System (Ekman and
Friesen 1978) composes every facial expression. Each face is an identity (`IDENTITY`), an expression at some intensity
and a way of being photographed (`CONDITIONS`). This module draws lots for them; `drawing.py` draws the face.

====  ====================  ==================================================================================
unit  name                  what moves in the drawing
====  ====================  ==================================================================================
1     inner brow raiser     inner ends of the brows up; short creases in the middle of the forehead
2     outer brow raiser     middle and outer ends of the brows up; a crease across the forehead
4     brow lowerer          brows down and together; upright furrows between them
5     upper lid raiser      upper lids up, the white shows above the iris
6     cheek raiser          lower lids up, a bulge under the eye, crow's feet at its outer corner
7     lid tightener         both lids close in on the iris
9     nose wrinkler         creases across the root of the nose, nostrils and upper lip up, brows a little down
12    lip corner puller     corners of the mouth up and out, a fold from nose to mouth, often the upper teeth
15    lip corner depressor  corners of the mouth down, a crease below each
16    lower lip depressor   lower lip down, the lower teeth show
20    lip stretcher         mouth wide and flat, a fold beside each corner
23    lip tightener         lips narrow and thin
26    jaw drop              chin down, mouth open
====  ====================  ==================================================================================

Lengths are in pixels of the finished image, x to the right and y down, from the middle of the face.
"""

from numbers import Integral
from types import SimpleNamespace

import numpy as np

from fer_utils.data.drawing import paint, photograph
from fer_utils.data.fer2013 import CLASS_NAMES, COUNTS, IMAGE_SIZE
from fer_utils.environment import progress_bar

VERSION = 1  # to be raised when the same seed draws other faces
SIZES = {"quick": (4000, 1000, 3000), "full": (28709, 3589, 3589)}  # training, validation, test
ACTION_UNITS = {
    "Angry": (4, 5, 7, 23),
    "Disgust": (9, 15, 16),
    "Fear": (1, 2, 4, 5, 20, 26),
    "Happy": (6, 12),
    "Sad": (1, 4, 15),
    "Surprise": (1, 2, 5, 26),
    "Neutral": (),
}
UNITS = tuple(sorted({unit for units in ACTION_UNITS.values() for unit in units}))
# This share of the faces carries a wrong label: the face shows one of the expressions people mistake for the label.
LABEL_NOISE = 0.1
MISTAKEN = {
    "Angry": ("Sad", "Neutral"),
    "Disgust": ("Angry", "Sad"),
    "Fear": ("Surprise", "Sad"),
    "Happy": ("Neutral", "Surprise"),
    "Sad": ("Neutral", "Fear"),
    "Surprise": ("Fear", "Happy"),
    "Neutral": ("Sad", "Angry"),
}
# What makes a person: every trait lies evenly between two bounds.
IDENTITY = {
    "width": (14.5, 17.5),  # of half the face
    "chin": (18.5, 21.5),
    "crown": (18, 21),
    "jaw": (-0.10, 0.16),  # pointed to square
    "skin": (95, 215),
    "hair": (20, 150),
    "hairline": (13.5, 17.5),
    "hair_height": (1.5, 5),
    "parting": (-3, 3),
    "hair_style": (0, 1),  # bald below 0.1, long above 0.6
    "ears": (2.0, 3.4),
    "eye_distance": (6.8, 8.4),
    "eye_height": (-4.6, -2.8),
    "eye_width": (3.3, 4.4),
    "eye_opening": (1.3, 2.3),
    "eye_slant": (-0.6, 0.9),
    "iris": (25, 110),
    "brow_gap": (4.2, 6.0),
    "brow_thickness": (0.7, 1.9),
    "brow_slant": (-0.9, 0.9),
    "nose_width": (2.4, 3.8),
    "nose_length": (8.0, 10.5),
    "mouth_height": (10.2, 12.2),
    "mouth_width": (4.8, 6.6),
    "lips": (0.8, 2.0),
    "lip_tone": (0.55, 0.85),
    "mouth_slant": (-0.7, 0.7),  # corners of the resting mouth
    "age": (0, 1),
    "beard": (0, 1),  # stubble above 0.8, full above 0.88
    "moustache": (0, 1),  # above 0.85
    "glasses": (0, 1),  # above 0.85
    "shirt": (20, 230),
}
# How the face is photographed: the bounds, and the value in a portrait (`draw_face`).
CONDITIONS = {
    "shift_x": (-1.5, 1.5, 0),
    "shift_y": (-1, 2, 0.5),
    "size": (1.02, 1.25, 1.1),
    "tilt": (-0.09, 0.09, 0),  # tangent of half the angle: 10 degrees either way
    "yaw": (-0.9, 0.9, 0),
    "pitch": (-1, 1, 0),
    "background": (15, 240, 150),
    "background_edge": (-30, 30, 5),
    "light_x": (-0.4, 0.4, 0.12),
    "light_y": (-0.3, 0.2, -0.1),
    "contrast": (0.8, 1.5, 1.2),
    "brightness": (-30, 40, 10),
    "blur": (0.02, 0.25, 0.08),
    "grain": (1, 14, 0),
    "hidden_by": (0, 1, 1),  # a hand below 0.06, a bar below 0.1, a lock of hair below 0.16
    "hidden_x": (-1, 1, 0),
    "hidden_y": (-1, 1, 0),
}
# One random number from 0 to 1 per column makes a face. `share`: how far a unit follows the expression's strength;
# `stray`: whether it moves without belonging to the expression.
COLUMNS = ("label", "wrong_label", "mistaken", "strength", "teeth", *IDENTITY, *CONDITIONS)
COLUMNS += tuple(f"{kind}_{unit}" for kind in ("share", "stray") for unit in UNITS)
BLOCK = 500  # faces computed together


def draw_faces(counts, seed):
    """Draws faces with FER2013's class proportions, some of them labelled wrongly (`LABEL_NOISE`).

    `counts` are the numbers of training, validation and test faces. Returns images uint8 (N, 48, 48), labels uint8
    (N,) and usage uint8 (N,): 0 training, 1 validation, 2 test. Face `i` of a split depends on `seed`, the split and
    `i` alone. `ValueError` for counts or a seed that are no whole numbers from 0 up, or for no face at all.
    """
    if len(counts) != 3 or not all(_is_count(count) for count in counts) or sum(counts) == 0:
        raise ValueError(f"counts are {counts!r}; expected how many training, validation and test faces to draw")
    _check_seed(seed)
    images, labels = [], []
    with progress_bar(total=sum(counts), desc="drawing faces", unit="face") as bar:
        for split, count in enumerate(counts):
            for start in range(0, count, BLOCK):
                stop = min(start + BLOCK, count)
                block_images, block_labels, _ = _draw_block(seed, split, start, stop)
                images.append(block_images)
                labels.append(block_labels)
                bar.update(stop - start)
    return np.concatenate(images), np.concatenate(labels), np.repeat(np.arange(3, dtype=np.uint8), counts)


def shown_expressions(split, count, seed):
    """Returns the classes that the first `count` faces of a split really show, uint8 (N,), whatever their labels say.

    `split` is 0 for training, 1 validation, 2 test; `seed` that of the faces.
    """
    draws = [np.random.default_rng((seed, split, index)).random(len(COLUMNS)) for index in range(count)]
    return _choose_classes(np.stack(draws))[1]


def draw_face(action_units, identity=0):
    """Draws a clean portrait uint8 (48, 48) of person number `identity`, with action units such as {6: 1.0, 12: 0.8}.

    `action_units` maps unit numbers (`UNITS`) to intensities from 0 to 1; an empty mapping gives the person's neutral
    face. `ValueError` for an unknown unit, another intensity, or an identity that is no whole number from 0 up.
    """
    for unit, intensity in action_units.items():
        if unit not in UNITS:
            raise ValueError(f"there is no action unit {unit!r} here; expected one of {', '.join(map(str, UNITS))}")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {unit} has intensity {intensity!r}; expected a number from 0 to 1")
    _check_seed(identity)
    face = _as_face(np.random.default_rng(identity).random((1, len(COLUMNS))))
    for name, (_, _, portrait) in CONDITIONS.items():
        setattr(face, name, np.full((1, 1), float(portrait)))
    face.teeth = np.ones((1, 1))
    units = {unit: np.full((1, 1), float(action_units.get(unit, 0))) for unit in UNITS}
    return photograph(paint(face, units), face, np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.float32))[0]


def _is_count(value):
    return isinstance(value, Integral) and value >= 0


def _check_seed(seed):
    if not _is_count(seed):
        raise ValueError(f"the seed or identity is {seed!r}; expected a whole number from 0 up")


def _draw_block(seed, split, start, stop):
    """Draws faces `start` to `stop` of a split: images (N, 48, 48), labels (N,), classes really shown (N,)."""
    generators = [np.random.default_rng((seed, split, index)) for index in range(start, stop)]
    draws = np.stack([generator.random(len(COLUMNS)) for generator in generators])
    grain = np.stack([generator.random((IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32) for generator in generators])
    face = _as_face(draws)
    labels, shown = _choose_classes(draws)
    return photograph(paint(face, _choose_units(draws, shown)), face, 2 * grain - 1), labels, shown


def _columns(draws, *names):
    return draws[:, [COLUMNS.index(name) for name in names]]


def _choose_classes(draws):
    """Returns labels and shown classes, uint8 (N,): as frequent as in FER2013, a share `LABEL_NOISE` of them wrong."""
    label, wrong, mistaken = _columns(draws, "label", "wrong_label", "mistaken").T
    counts = np.array(COUNTS["Training"])
    labels = np.searchsorted(np.cumsum(counts) / counts.sum(), label, side="right").astype(np.uint8)
    lookalikes = np.array([[CLASS_NAMES.index(name) for name in MISTAKEN[given]] for given in CLASS_NAMES], np.uint8)
    lookalike = lookalikes[labels, (mistaken * lookalikes.shape[1]).astype(int)]
    return labels, np.where(wrong < LABEL_NOISE, lookalike, labels)


def _choose_units(draws, shown):
    """Returns the intensity (N, 1) of each unit: those of the class shown grow together, others may move a little."""
    belongs = np.array([[unit in ACTION_UNITS[name] for unit in UNITS] for name in CLASS_NAMES])[shown]
    strength = 0.4 + 0.6 * _columns(draws, "strength")
    share = 0.5 + 0.8 * _columns(draws, *(f"share_{unit}" for unit in UNITS))
    stray = 5 * np.clip(_columns(draws, *(f"stray_{unit}" for unit in UNITS)) - 0.9, 0, 1)
    intensities = np.clip(belongs * strength * share + stray, 0, 1)
    return {unit: intensities[:, [column]] for column, unit in enumerate(UNITS)}


def _as_face(draws):
    """Returns traits and conditions by name, each (N, 1), from random numbers (N, columns)."""
    face = SimpleNamespace(teeth=_columns(draws, "teeth"))
    for name, (low, high, *_) in (IDENTITY | CONDITIONS).items():
        setattr(face, name, low + (high - low) * _columns(draws, name))
    return face
