"""Faces drawn from facial action units: the set that needs no download.

An expression is a handful of action units, the single movements of which the Facial Action Coding System (Ekman and
Friesen 1978) composes every facial expression. Each face is an identity (`IDENTITY`), an expression at some intensity
and a way of being photographed (`CONDITIONS`), drawn three times too large with Pillow and then reduced.

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

Lengths are in pixels of the finished image, x to the right and y down, from the middle of the face. Between the random
numbers and the pixels lie sums, products and quotients only, no function that one processor rounds unlike another.
"""

from numbers import Integral
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from fer_utils.environment import progress_bar
from fer_utils.fer2013 import CLASS_NAMES, COUNTS, IMAGE_SIZE

VERSION = 1
SIZES = {"quick": (4000, 1000, 1000), "full": (28709, 3589, 3589)}
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

SCALE = 3
BLOCK = 500  # faces computed together
HIDDEN = -1
ACROSS = np.linspace(-1, 1, 9)  # along a lid, a lip, a brow, from left to right
ANGLES = np.linspace(0, 2 * np.pi, 25)
COS, SIN = np.round([np.cos(ANGLES), np.sin(ANGLES)], 6)
SIDES = (-1, 1)


class Stroke(NamedTuple):
    """One shape in all faces of a block: corners (N, K, 2), grey tone (N, 1) or `HIDDEN`, line width (0: filled)."""

    corners: np.ndarray
    tone: np.ndarray
    width: int = 0


def draw_faces(counts, seed):
    """Faces with FER2013's class proportions, some of them labelled wrongly (`LABEL_NOISE`).

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
    """The classes that the first `count` faces of a split really show, uint8 (N,), where `draw_faces` gives labels.

    `split` is 0 for training, 1 validation, 2 test; `seed` that of the faces.
    """
    draws = [np.random.default_rng((seed, split, index)).random(len(COLUMNS)) for index in range(count)]
    return _choose_classes(np.stack(draws))[1]


def draw_face(action_units, identity=0):
    """A clean portrait uint8 (48, 48) of person number `identity`, with action units such as {6: 1.0, 12: 0.8}.

    `action_units` maps unit numbers (`UNITS`) to intensities from 0 to 1; an empty mapping gives the person's neutral
    face. `ValueError` for an unknown unit, another intensity, or an identity that is no whole number from 0 up.
    """
    for unit, intensity in action_units.items():
        if unit not in UNITS:
            raise ValueError(f"there is no action unit {unit!r} here; expected one of {', '.join(map(str, UNITS))}")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {unit} has intensity {intensity!r}; expected a number from 0 to 1")
    _check_seed(identity)
    face = _describe(np.random.default_rng(identity).random((1, len(COLUMNS))))
    for name, (_, _, portrait) in CONDITIONS.items():
        setattr(face, name, np.full((1, 1), float(portrait)))
    face.teeth = np.ones((1, 1))
    units = {unit: np.full((1, 1), float(action_units.get(unit, 0))) for unit in UNITS}
    return _photograph(_paint(face, units), face, np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.float32))[0]


def _is_count(value):
    return isinstance(value, Integral) and value >= 0


def _check_seed(seed):
    if not _is_count(seed):
        raise ValueError(f"the seed or identity is {seed!r}; expected a whole number from 0 up")


def _draw_block(seed, split, start, stop):
    """Faces `start` to `stop` of a split: images (N, 48, 48), labels (N,), classes really shown (N,)."""
    generators = [np.random.default_rng((seed, split, index)) for index in range(start, stop)]
    draws = np.stack([generator.random(len(COLUMNS)) for generator in generators])
    grain = np.stack([generator.random((IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32) for generator in generators])
    face = _describe(draws)
    labels, shown = _choose_classes(draws)
    return _photograph(_paint(face, _choose_units(draws, shown)), face, 2 * grain - 1), labels, shown


def _columns(draws, *names):
    return draws[:, [COLUMNS.index(name) for name in names]]


def _choose_classes(draws):
    """Label and class shown, uint8 (N,): labels as frequent as in FER2013, a share `LABEL_NOISE` of them wrong."""
    label, wrong, mistaken = _columns(draws, "label", "wrong_label", "mistaken").T
    counts = np.array(COUNTS["Training"])
    labels = np.searchsorted(np.cumsum(counts) / counts.sum(), label, side="right").astype(np.uint8)
    lookalikes = np.array([[CLASS_NAMES.index(name) for name in MISTAKEN[given]] for given in CLASS_NAMES], np.uint8)
    lookalike = lookalikes[labels, (mistaken * lookalikes.shape[1]).astype(int)]
    return labels, np.where(wrong < LABEL_NOISE, lookalike, labels)


def _choose_units(draws, shown):
    """Intensity (N, 1) of each unit: those of the class shown grow together, any other may move a little."""
    belongs = np.array([[unit in ACTION_UNITS[name] for unit in UNITS] for name in CLASS_NAMES])[shown]
    strength = 0.4 + 0.6 * _columns(draws, "strength")
    share = 0.5 + 0.8 * _columns(draws, *(f"share_{unit}" for unit in UNITS))
    stray = 5 * np.clip(_columns(draws, *(f"stray_{unit}" for unit in UNITS)) - 0.9, 0, 1)
    intensities = np.clip(belongs * strength * share + stray, 0, 1)
    return {unit: intensities[:, [column]] for column, unit in enumerate(UNITS)}


def _describe(draws):
    """Traits and conditions by name, each (N, 1), from random numbers (N, columns)."""
    face = SimpleNamespace(teeth=_columns(draws, "teeth"))
    for name, (low, high, *_) in (IDENTITY | CONDITIONS).items():
        setattr(face, name, low + (high - low) * _columns(draws, name))
    return face


def _corners(x, y):
    return np.stack(np.broadcast_arrays(x, y), axis=-1)


def _ellipse(x, y, width, height):
    return _corners(x + width * COS, y + height * SIN)


def _between(upper, lower):
    """The closed shape between two lines that run from left to right."""
    return np.concatenate([upper, lower[:, ::-1]], axis=1)


def _wrinkle(corners, amount, face):
    return Stroke(corners, np.where(amount > 0.1, (0.96 - 0.36 * amount) * face.skin, HIDDEN), 2)


def _head(face, au):
    """Hair behind, neck, shoulders, ears, the face with its light side, hair in front."""
    long_hair, bald = face.hair_style > 0.6, face.hair_style < 0.1
    x = face.width * COS * (1 + 4 * face.jaw * np.clip(SIN, 0, 1) * (1 - SIN))
    y = np.where(SIN > 0, face.chin + 2.4 * au[26], face.crown) * SIN
    top = slice(12, 25)  # the upper half of the outline, left to right
    hairline = -face.hairline + 3.5 * ACROSS**2 + 7 * ACROSS**6 + face.parting * ACROSS * (1 - ACROSS**2)
    front_hair = _between(
        _corners(1.05 * x[:, top], (y - face.hair_height)[:, top]), _corners(0.99 * face.width * ACROSS, hairline)
    )
    neck = _corners(0.6 * face.width * np.array([-1, 1, 1.1, -1.1]), np.array([8, 8, 40, 40]))
    shoulders = _corners(np.array([-40, -9, 0, 9, 40]), np.array([34, 26.5, 30, 26.5, 34]))
    ears = [_ellipse(side * (face.width + 0.3), 0.5, face.ears, 1.5 * face.ears) for side in SIDES]
    return [
        Stroke(_ellipse(0, 2, face.width + 4, 24), np.where(long_hair, 0.8 * face.hair, HIDDEN)),
        Stroke(neck, 0.68 * face.skin),
        Stroke(shoulders, face.shirt),
        *(Stroke(ear, np.where(long_hair, HIDDEN, 0.82 * face.skin)) for ear in ears),
        *(
            Stroke(_corners(size * x + (1 - size) * 14 * face.light_x, size * y), tone * face.skin)
            for size, tone in ((1, 0.78), (0.95, 0.85), (0.87, 0.92), (0.75, 0.97), (0.55, 1))
        ),
        Stroke(front_hair, np.where(bald, HIDDEN, face.hair)),
    ]


def _eye(face, au, side):
    """Socket, white, iris, pupil and lids of one eye, the bulge under it and the crow's feet beside it."""
    middle, width = side * face.eye_distance, face.eye_width
    narrow = 0.5 * au[7] + 0.25 * au[6] + 0.2 * au[9]
    upper = face.eye_opening * (1 - narrow) + 1.5 * au[5]
    lower = 0.62 * face.eye_opening * (1 - 0.6 * au[7] - 0.8 * au[6]).clip(0.1) + 0.25 * au[5]

    def at(along, height):
        """Points of the eye: `along` its axis from -1 to 1, `height` above it."""
        return _corners(middle + width * along, face.eye_height - side * face.eye_slant * along - height)

    def disc(radius):
        along = radius * COS / width
        room = 1 - along**2
        return at(along, np.clip(0.2 - radius * SIN, -lower * room, upper * room))

    lid, bottom = upper * (1 - ACROSS**2), -lower * (1 - ACROSS**2)
    bulge = at(1.05 * ACROSS, -2.6 + 1.2 * ACROSS**2 + 0.7 * au[6])
    feet = [
        _corners(middle + side * (width + np.array([0.8, 3.4])), face.eye_height + np.array([0.4, 1.3]) * spread)
        for spread in (-1.6, 0, 1.6)
    ]
    return [
        Stroke(_ellipse(middle, face.eye_height - 0.6, width + 1.6, 3.4), 0.88 * face.skin),
        Stroke(bulge, (1 - 0.3 * au[6] - 0.12 * face.age) * face.skin, 2),
        Stroke(_between(at(ACROSS, lid), at(ACROSS, bottom)), np.minimum(150 + 0.4 * face.skin, 235)),
        Stroke(disc(2.05), face.iris),
        Stroke(disc(0.95), 0.3 * face.iris),
        Stroke(at(1.1 * ACROSS, lid), 0.3 * face.skin, 2),
        Stroke(at(ACROSS, lid + 1.1 - 0.5 * au[5]), 0.7 * face.skin, 2),
        Stroke(at(ACROSS, bottom), 0.7 * face.skin, 2),
        *(_wrinkle(foot, au[6], face) for foot in feet),
    ]


def _brows(face, au):
    """Both brows, the furrows between them, the creases of the forehead."""
    height = face.eye_height - face.brow_gap + 1.2 * au[9]
    inner = height + face.brow_slant - 3.2 * au[1] - 0.8 * au[2] + 2.4 * au[4] * (1 - 0.7 * au[1])
    middle = height - 0.9 - 1.2 * au[1] - 1.9 * au[2] + 1.9 * au[4]
    outer = height + 0.6 - face.brow_slant - 2.6 * au[2] + 0.7 * au[4]
    y = middle + (outer - inner) / 2 * ACROSS + ((outer + inner) / 2 - middle) * ACROSS**2
    edge = face.brow_thickness * (0.95 - 0.25 * ACROSS - 0.3 * ACROSS**2)
    forehead = np.maximum(height - 4.5 - 1.2 * au[2], 3.2 - face.hairline)  # below the hair
    strokes = []
    for side in SIDES:
        x = side * (7.9 - 0.5 * au[4] + (5.2 + 0.5 * au[4]) * ACROSS)
        brow = _between(_corners(x, y - edge), _corners(x, y + edge))
        furrow = _corners(side * np.array([1.3, 1.0, 1.4]), face.eye_height - np.array([5, 3, 1]) + 0.6 * au[4])
        strokes += [Stroke(brow, np.minimum(0.8 * face.hair, 0.6 * face.skin)), _wrinkle(furrow, au[4], face)]
    for unit, rise, width in ((1, 0, 4), (2, -1.8, 8)):
        strokes.append(_wrinkle(_corners(width * ACROSS, forehead + rise + 0.8 * ACROSS**2), au[unit], face))
    return strokes


def _nose(face, au):
    """Tip, shaded flank, lit bridge, nostrils, the wrinkles of unit 9."""
    tip = face.eye_height + face.nose_length - 0.5 * au[9]
    width = face.nose_width + 0.5 * au[9] + 0.3 * au[12]
    shadow = np.where(face.light_x > 0, -1, 1)
    flank = _corners(shadow * width * np.array([0.5, 0.58, 0.42, 0.17]), tip - np.array([8.5, 4, 0, 6]))
    lit = np.minimum(1.13 * face.skin, 250)
    nostrils = [_ellipse(side * 0.55 * width, tip + 0.9 - 0.5 * au[9], 0.8, 0.55) for side in SIDES]
    wrinkles = [_corners(1.9 * ACROSS, tip - rise + ACROSS**2) for rise in (4.2, 6.2)]
    return [
        Stroke(_ellipse(0, tip, width, 1.9), 0.85 * face.skin),
        Stroke(flank, 0.83 * face.skin),
        Stroke(_corners(-0.4 * shadow, tip - np.array([7, 1])), lit, 3),
        Stroke(_ellipse(-0.4 * shadow, tip - 0.4, 1.2, 0.9), lit),
        *(Stroke(nostril, 0.4 * face.skin) for nostril in nostrils),
        *(_wrinkle(wrinkle, au[9], face) for wrinkle in wrinkles),
    ]


def _mouth_line(face, au):
    """Half the mouth's width (N, 1) and the height of the line between the lips (N, 9)."""
    half = face.mouth_width + 1.9 * au[12] + 2.2 * au[20] - 1.6 * au[23] - 0.8 * au[26]
    middle = face.mouth_height - 0.5 * au[9] + 0.5 * au[12] - 0.4 * au[15]
    bend = (face.mouth_slant - 2.8 * au[12]) * ACROSS**2
    return half, middle + bend + (2.4 * au[15] + 0.6 * au[20]) * ACROSS**4


def _folds(face, au):
    """From nose to mouth, below the corners of the mouth, beside them, and above the chin."""
    half, line = _mouth_line(face, au)
    corner = line[:, [0]]
    wing = face.eye_height + face.nose_length - 0.9 * au[9]
    depth = np.clip(0.25 * face.age + 0.7 * au[12] + 0.6 * au[9] + 0.4 * au[20], 0, 1)
    fold_y = np.concatenate([wing - 0.4, 0.4 * wing + 0.6 * corner - 0.6, corner + 1.2], axis=1)
    chin_y = face.chin - 5 + 2.4 * au[26] - 0.4 * ACROSS**2
    strokes = [Stroke(_corners(2.6 * ACROSS, chin_y), 0.88 * face.skin, 2)]
    for side in SIDES:
        fold_x = side * np.concatenate([face.nose_width + 0.8, half + 0.6, half + 1.9], axis=1)
        droop = _corners(side * (half + np.array([0.3, 1.4])), corner + np.array([0.4, 2.4]))
        bracket = _corners(side * (half + np.array([1.2, 2.0, 1.2])), corner + np.array([-2, 0, 2]))
        strokes += [_wrinkle(_corners(fold_x, fold_y), depth, face), _wrinkle(droop, au[15], face)]
        strokes.append(_wrinkle(bracket, au[20], face))
    return strokes


def _mouth(face, au):
    """Moustache, lips, and the opening with its teeth."""
    half, line = _mouth_line(face, au)
    arch = 1 - ACROSS**2
    gap = 4.6 * au[26] * (1 - 0.4 * au[20]) + 3.0 * au[12] * (face.teeth > 0.35) + 1.9 * au[16]
    above = -0.8 * (au[26] + au[9] * au[16]) * arch
    below = gap * np.where(au[20] > 0.3, 1 - ACROSS**4, arch)  # a stretched mouth opens as a box
    lips = face.lips * (1 - 0.65 * au[23] - 0.3 * au[12] - 0.3 * au[20]).clip(0.2)
    dip = 0.25 * np.clip(1 - 3 * np.abs(ACROSS), 0, 1)
    upper_lip, lower_lip = above - lips * (arch - dip), below + (1.25 * lips + 0.4 * au[16]) * arch

    def band(top, bottom):
        return _between(_corners(half * ACROSS, line + top), _corners(half * ACROSS, line + bottom))

    teeth = np.where(gap > 0.9, 120 + 0.5 * face.skin, HIDDEN)
    return [
        Stroke(band(upper_lip - 1.6, upper_lip), np.where(face.moustache > 0.85, 0.9 * face.hair, HIDDEN)),
        Stroke(band(upper_lip, above), 0.92 * face.lip_tone * face.skin),
        Stroke(band(below, lower_lip), 1.06 * face.lip_tone * face.skin),
        Stroke(band(above, below), 0.18 * face.skin),
        Stroke(band(above, np.minimum(above + 1.7, below)), np.where(au[26] > 0.6, HIDDEN, teeth)),
        Stroke(band(np.maximum(below - 1.2, above), below), np.where(au[16] > 0.3, teeth, HIDDEN)),
        Stroke(_corners(half * ACROSS, line + above), 0.32 * face.skin, 2),
    ]


def _beard(face, au):
    x = face.width * np.array([-0.97, -0.6, -0.25, 0.25, 0.6, 0.97, 0.78, 0.4, 0, -0.4, -0.78])
    upper = face.mouth_height + np.array([-5, 0, -2.6, -2.6, 0, -5])
    lower = (face.chin + 2.4 * au[26]) * np.array([0.66, 0.93, 1, 0.93, 0.66])
    tone = np.where(face.beard > 0.88, 0.35 * (face.skin + face.hair), 0.6 * face.skin)
    return [Stroke(_corners(x, np.concatenate([upper, lower], axis=1)), np.where(face.beard > 0.8, tone, HIDDEN))]


def _glasses(face):
    tone = np.where(face.glasses > 0.85, 0.4 * face.hair, HIDDEN)
    frames = [_ellipse(side * face.eye_distance, face.eye_height, face.eye_width + 1.8, 4.2) for side in SIDES]
    bridge = _corners(np.array([-1.6, 1.6]), face.eye_height - 0.6)
    return [Stroke(corners, tone, 2) for corners in (*frames, bridge)]


def _in_the_way(face):
    """What hides a part of some faces: a hand at the mouth, a bar, a lock of hair."""
    hand, bar = face.hidden_by < 0.06, (face.hidden_by > 0.06) & (face.hidden_by < 0.1)
    lock = (face.hidden_by > 0.1) & (face.hidden_by < 0.16)
    side = np.where(face.hidden_x > 0, 1, -1)
    x, y = 11 * side + 3 * face.hidden_x, 14 + 5 * face.hidden_y
    fingers = [_ellipse(x - side * (2.5 - 3.4 * k), y - 3 + 1.2 * k * k, 1.9, 7) for k in (-1, 0, 1)]
    bar_x = np.array([-40, 40, 40, -40])
    bar_y = 14 * face.hidden_y + 0.3 * face.hidden_x * bar_x + np.array([-2.5, -2.5, 2.5, 2.5])
    lock_x, lock_y = side * np.array([1, 9, 17, 18, 12]), 3 * face.hidden_y + np.array([-20, -18, -12, 4, -4])
    return [
        Stroke(_ellipse(x, y + 6, 8, 9), np.where(hand, 0.85 * face.skin, HIDDEN)),
        *(Stroke(finger, np.where(hand, (0.9 + 0.05 * k) * face.skin, HIDDEN)) for k, finger in enumerate(fingers)),
        Stroke(_corners(bar_x, bar_y), np.where(bar, face.shirt, HIDDEN)),
        Stroke(_corners(lock_x, lock_y), np.where(lock, face.hair, HIDDEN)),
    ]


def _turn_head(corners, face):
    """Corners (N, K, 2) after yaw and pitch (features slide over a round head), tilt, size and shift."""
    x, y = corners[..., 0], corners[..., 1]
    across, along = x**2, y**2
    x = x + 3.2 * face.yaw * np.clip(1 - across / 324, 0, 1) * np.clip(1 - along / 676, 0, 1)
    y = y + 1.8 * face.pitch * np.clip(1 - along / 484, 0, 1) * np.clip(1 - across / 400, 0, 1)
    cos, sin = (1 - face.tilt**2) / (1 + face.tilt**2), 2 * face.tilt / (1 + face.tilt**2)
    return _corners(
        face.size * (cos * x - sin * y) + face.shift_x,
        face.size * (sin * x + cos * y) + face.shift_y,
    )


def _paint(face, au):
    """The faces of a block before light and grain, float32 (N, 48, 48); `au`: intensity (N, 1) of each unit."""
    wall = _corners(16 * face.hidden_x + np.array([0, 40, 40, 0]), np.array([-40, -40, 40, 40]))
    head = [*_head(face, au), *_eye(face, au, -1), *_eye(face, au, 1), *_nose(face, au), *_brows(face, au)]
    head += [*_folds(face, au), *_beard(face, au), *_mouth(face, au), *_glasses(face)]
    head = [Stroke(_turn_head(part.corners, face), part.tone, part.width) for part in head]
    strokes = [Stroke(wall, np.clip(face.background + face.background_edge, 0, 255)), *head, *_in_the_way(face)]

    size = SCALE * IMAGE_SIZE
    canvases = [Image.new("L", (size, size), int(tone)) for tone in face.background[:, 0]]
    pens = [ImageDraw.Draw(canvas) for canvas in canvases]
    for corners, tones, width in strokes:
        paths = (SCALE * (corners + IMAGE_SIZE / 2)).reshape(len(corners), -1).tolist()
        for pen, path, tone in zip(pens, paths, np.rint(tones[:, 0]).astype(int).tolist(), strict=True):
            if tone == HIDDEN:
                continue
            if width:
                pen.line(path, fill=tone, width=width)
            else:
                pen.polygon(path, fill=tone)
    return np.stack([np.asarray(canvas.reduce(SCALE)) for canvas in canvases]).astype(np.float32)


def _photograph(pixels, face, grain):
    """Light, lens and film: painted faces and grain from -1 to 1, both (N, 48, 48), become images uint8 (N, 48, 48)."""
    light_x, light_y, blur, contrast, brightness, grain_size = (
        getattr(face, name).astype(np.float32)[:, :, None]
        for name in ("light_x", "light_y", "blur", "contrast", "brightness", "grain")
    )
    ramp = np.linspace(-1, 1, IMAGE_SIZE, dtype=np.float32)
    pixels = pixels * (1 + light_x * ramp + light_y * ramp[:, None])
    for _ in range(2):
        pixels[:, 1:-1] += blur * (pixels[:, :-2] + pixels[:, 2:] - 2 * pixels[:, 1:-1])
        pixels[:, :, 1:-1] += blur * (pixels[:, :, :-2] + pixels[:, :, 2:] - 2 * pixels[:, :, 1:-1])
    pixels = (pixels - 128) * contrast + 128 + brightness + grain_size * grain
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
