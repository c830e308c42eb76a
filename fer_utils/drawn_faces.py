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

Lengths are in pixels of the finished image, x to the right and y down, from the middle of the face. Only additions,
multiplications and divisions lie between the random numbers and the pixels, so a face is the same on every machine.
"""

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
UNITS = (1, 2, 4, 5, 6, 7, 9, 12, 15, 16, 20, 23, 26)

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
    "lid": (0.55, 0.85),
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
    "beard": (0, 1),  # stubble or more above 0.75
    "moustache": (0, 1),  # above 0.85
    "glasses": (0, 1),  # above 0.85
    "shirt": (20, 230),
}
# How the face is photographed: the bounds, and the value in a portrait (`draw_face`).
CONDITIONS = {
    "shift_x": (-2.5, 2.5, 0),
    "shift_y": (-2, 2, 0.5),
    "size": (0.95, 1.3, 1.1),
    "tilt": (-0.13, 0.13, 0),  # tangent of half the angle: 15 degrees either way
    "yaw": (-1, 1, 0),
    "pitch": (-1, 1, 0),
    "background": (15, 240, 150),
    "background_edge": (-30, 30, 5),
    "light_x": (-0.4, 0.4, 0.12),
    "light_y": (-0.3, 0.2, -0.1),
    "contrast": (0.7, 1.5, 1.2),
    "brightness": (-30, 40, 10),
    "blur": (0.02, 0.25, 0.08),
    "grain": (1, 16, 0),
    "hidden_by": (0, 1, 1),  # a hand below 0.07, a bar below 0.12, a lock of hair below 0.18
    "hidden_x": (-1, 1, 0),
    "hidden_y": (-1, 1, 0),
}
# Of an expression: its strength, and per unit how far it goes its own way and how much of it shows without reason.
EXPRESSION = ("wrong_label", "class", "mistaken", "strength", "teeth")
COLUMNS = (*EXPRESSION, *IDENTITY, *CONDITIONS, *(f"share_{unit}" for unit in UNITS), *(f"stray_{unit}" for unit in UNITS))

SCALE = 3
BLOCK = 500
HIDDEN = -1
ACROSS = np.linspace(-1, 1, 9)  # along a lid, lip or hairline, left to right
CIRCLE = np.round(np.stack([np.cos(angles := np.linspace(0, 2 * np.pi, 25)), np.sin(angles)]), 6)
SIDES = (-1, 1)


class Stroke(NamedTuple):
    """One shape in every face of a block: corners (N, K, 2), grey tone (N, 1) or `HIDDEN`, line width (0: filled)."""

    corners: np.ndarray
    tone: np.ndarray
    width: int = 0


def draw_faces(counts, seed):
    """Faces with FER2013's class proportions, some of them labelled wrongly (`LABEL_NOISE`).

    `counts` are the numbers of training, validation and test faces. Returns images uint8 (N, 48, 48), labels uint8
    (N,) and usage uint8 (N,): 0 training, 1 validation, 2 test. Face `i` of a split depends on `seed`, the split and
    `i` alone. `ValueError` unless `counts` are three whole numbers, none negative, and `seed` is one too.
    """
    counts = _check_counts(counts)
    seed = _check_seed(seed)
    images, labels = [], []
    with progress_bar(total=sum(counts), desc="drawing faces", unit="face") as bar:
        for split, count in enumerate(counts):
            for start in range(0, count, BLOCK):
                stop = min(start + BLOCK, count)
                block_images, block_labels, _ = _draw_block(seed, split, start, stop)
                images.append(block_images)
                labels.append(block_labels)
                bar.update(stop - start)
    usage = np.repeat(np.arange(3, dtype=np.uint8), counts)
    return np.concatenate(images), np.concatenate(labels), usage


def draw_face(action_units, identity=0):
    """One clean portrait uint8 (48, 48) of person number `identity` with the given units: `{6: 1.0, 12: 0.8}`.

    `action_units` maps unit numbers (`UNITS`) to intensities from 0 to 1; `ValueError` for any other. An empty mapping
    gives the person's neutral face.
    """
    for unit, intensity in action_units.items():
        if unit not in UNITS:
            raise ValueError(f"no action unit {unit}; this package draws {', '.join(map(str, UNITS))}")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {unit} has intensity {intensity}; expected 0 to 1")
    draws = np.random.default_rng(_check_seed(identity)).random((1, len(COLUMNS)))
    face = _describe(draws)
    for name, (_, _, portrait) in CONDITIONS.items():
        setattr(face, name, np.full((1, 1), float(portrait)))
    face.units = {unit: np.full((1, 1), float(action_units.get(unit, 0))) for unit in UNITS}
    face.teeth = np.ones((1, 1))
    return _photograph(_paint(face), face, np.zeros((1, IMAGE_SIZE, IMAGE_SIZE)))[0]


def _check_counts(counts):
    counts = tuple(counts)
    if len(counts) != 3 or any(int(count) != count or count < 0 for count in counts) or sum(counts) == 0:
        raise ValueError(f"counts are {counts}; expected how many training, validation and test faces, at least one")
    return tuple(int(count) for count in counts)


def _check_seed(seed):
    if int(seed) != seed or seed < 0:
        raise ValueError(f"the seed is {seed}; expected a whole number, not negative")
    return int(seed)


def _draw_block(seed, split, start, stop):
    """Faces `start` to `stop` of a split: images (N, 48, 48), labels (N,), and the classes that they show (N,)."""
    generators = [np.random.default_rng((seed, split, index)) for index in range(start, stop)]
    draws = np.stack([generator.random(len(COLUMNS)) for generator in generators])
    grain = np.stack([generator.random((IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32) for generator in generators])
    face = _describe(draws)
    labels, shown = _choose_classes(draws)
    face.units = _choose_units(draws, shown)
    return _photograph(_paint(face), face, 2 * grain - 1), labels, shown


def _columns(draws, names):
    return draws[:, [COLUMNS.index(name) for name in names]]


def _choose_classes(draws):
    """Label and shown class of each face, both uint8 (N,): labels as frequent as in FER2013, `LABEL_NOISE` of them wrong."""
    wrong, which_class, which_mistake = _columns(draws, ("wrong_label", "class", "mistaken")).T
    counts = np.array(COUNTS["Training"])
    labels = np.searchsorted(np.cumsum(counts) / counts.sum(), which_class, side="right").astype(np.uint8)
    mistaken = np.array([[CLASS_NAMES.index(name) for name in MISTAKEN[label]] for label in CLASS_NAMES], np.uint8)
    shown = mistaken[labels, (which_mistake * mistaken.shape[1]).astype(int)]
    return labels, np.where(wrong < LABEL_NOISE, shown, labels)


def _choose_units(draws, shown):
    """Intensity (N, 1) of each unit: those of the class shown rise together, and any may show a little by itself."""
    part_of = np.array([[unit in ACTION_UNITS[name] for unit in UNITS] for name in CLASS_NAMES])[shown]
    strength = 0.25 + 0.75 * _columns(draws, ("strength",))
    share = 0.45 + 0.85 * _columns(draws, [f"share_{unit}" for unit in UNITS])
    stray = _columns(draws, [f"stray_{unit}" for unit in UNITS])
    stray = np.where(stray > 0.85, 4 * (stray - 0.85), 0)
    intensities = np.clip(part_of * strength * share + stray, 0, 1)
    return {unit: intensities[:, [column]] for column, unit in enumerate(UNITS)}


def _describe(draws):
    """Traits and conditions by name, each (N, 1), from evenly spread random numbers (N, columns)."""
    face = SimpleNamespace(teeth=_columns(draws, ("teeth",)))
    for name, (low, high, *_) in (IDENTITY | CONDITIONS).items():
        setattr(face, name, low + (high - low) * _columns(draws, (name,)))
    return face


def _corners(x, y):
    return np.stack(np.broadcast_arrays(x, y), axis=-1)


def _ellipse(x, y, width, height):
    return _corners(x + width * CIRCLE[0], y + height * CIRCLE[1])


def _head(face, au):
    """Hair behind, neck, shoulders, ears, the face itself with its light side, hair in front."""
    long_hair, bald = face.hair_style > 0.6, face.hair_style < 0.1
    chin = face.chin + 2.4 * au[26]
    cos, sin = CIRCLE
    x = face.width * cos * (1 + face.jaw * 4 * np.clip(sin, 0, 1) * (1 - np.clip(sin, 0, 1)))
    y = np.where(sin > 0, chin, face.crown) * sin
    top = slice(12, 25)
    hair_edge = np.concatenate([1.05 * x[:, top], face.width * 0.99 * ACROSS[::-1]], axis=1)
    hairline = -face.hairline + 3.5 * ACROSS**2 + 7 * ACROSS**6 + face.parting * ACROSS * (1 - ACROSS**2)
    hair_edge = _corners(hair_edge, np.concatenate([(y - face.hair_height)[:, top], hairline[:, ::-1]], axis=1))
    strokes = [
        Stroke(_ellipse(0, 2, face.width + 4, 24), np.where(long_hair, 0.8 * face.hair, HIDDEN)),
        Stroke(_corners(0.6 * face.width * np.array([-1, 1, 1.1, -1.1]), np.array([8, 8, 40, 40])), 0.68 * face.skin),
        Stroke(_corners(np.array([-40, -9, 0, 9, 40]), np.array([32, 24.5, 28, 24.5, 32]) + 2), face.shirt),
    ]
    for side in SIDES:
        ear = _ellipse(side * (face.width + 0.3), 0.5, face.ears, 1.5 * face.ears)
        strokes.append(Stroke(ear, np.where(long_hair, HIDDEN, 0.82 * face.skin)))
    for size, tone in ((1, 0.78), (0.95, 0.85), (0.87, 0.92), (0.75, 0.97), (0.55, 1)):
        strokes.append(Stroke(_corners(size * x + (1 - size) * 14 * face.light_x, size * y), tone * face.skin))
    return [*strokes, Stroke(hair_edge, np.where(bald, HIDDEN, face.hair))]


def _eye(face, au, side):
    """White, iris, pupil and lids of one eye, with the bulge under it and the crow's feet of unit 6."""
    x, width, slant = side * face.eye_distance, face.eye_width, -side * face.eye_slant
    narrow = 0.5 * au[7] + 0.25 * au[6] + 0.2 * au[9]
    upper = face.eye_opening * (1 - narrow) + 1.5 * au[5]
    lower = 0.62 * face.eye_opening * (1 - 0.6 * au[7] - 0.8 * au[6]) + 0.25 * au[5]

    def at(u, height):
        """Points of the eye: `u` from -1 to 1 along it, `height` above its axis."""
        return _corners(x + width * u, face.eye_height + slant * u - height)

    lid, bottom = upper * (1 - ACROSS**2), -lower * (1 - ACROSS**2)
    iris_u = 2.05 * CIRCLE[0] / width
    room = 1 - iris_u**2
    iris = at(iris_u, np.clip(0.2 - 2.05 * CIRCLE[1], -lower * room, upper * room))
    pupil_u = 0.95 * CIRCLE[0] / width
    pupil = at(pupil_u, np.clip(0.2 - 0.95 * CIRCLE[1], -lower * (1 - pupil_u**2), upper * (1 - pupil_u**2)))
    crease = 1 - 0.3 * au[6] - 0.12 * face.age
    white = np.concatenate([at(ACROSS, lid), at(ACROSS[::-1], bottom)], axis=1)
    strokes = [
        Stroke(_ellipse(x, face.eye_height - 0.6, width + 1.6, 3.4), 0.88 * face.skin),
        Stroke(at(1.05 * ACROSS, -2.6 + 1.2 * ACROSS**2 + 0.7 * au[6]), crease * face.skin, 3),
        Stroke(white, np.minimum(150 + 0.4 * face.skin, 235)),
        Stroke(iris, face.iris),
        Stroke(pupil, 0.3 * face.iris),
        Stroke(at(1.1 * ACROSS, lid), 0.3 * face.skin, 3),
        Stroke(at(ACROSS, lid + 1.1 - 0.5 * au[5]), face.lid * face.skin, 2),
        Stroke(at(ACROSS, bottom), 0.7 * face.skin, 2),
    ]
    for spread in (-1.6, 0, 1.6):
        feet = _corners(x + side * (width + np.array([0.8, 3.4])), face.eye_height + spread * np.array([0.4, 1.3]))
        strokes.append(Stroke(feet, np.where(au[6] > 0.15, (0.95 - 0.35 * au[6]) * face.skin, HIDDEN), 2))
    return strokes


def _brows(face, au):
    """Both brows, the furrows between them and the creases of the forehead."""
    height = face.eye_height - face.brow_gap + 1.2 * au[9]
    inner = height + face.brow_slant - 3.2 * au[1] - 0.8 * au[2] + 2.4 * au[4] * (1 - 0.7 * au[1])
    middle = height - 0.9 - 1.2 * au[1] - 1.9 * au[2] + 1.9 * au[4]
    outer = height + 0.6 - face.brow_slant - 2.6 * au[2] + 0.7 * au[4]
    forehead = np.maximum(height - 4.5 - 1.2 * au[2], 3.2 - face.hairline)
    y = middle + (outer - inner) / 2 * ACROSS + ((outer + inner) / 2 - middle) * ACROSS**2
    edge = face.brow_thickness * (0.95 - 0.25 * ACROSS - 0.3 * ACROSS**2)
    strokes = []
    for side in SIDES:
        x = side * (7.9 - 0.5 * au[4] + (5.2 + 0.5 * au[4]) * ACROSS)
        brow = np.concatenate([_corners(x, y - edge), _corners(x, y + edge)[:, ::-1]], axis=1)
        strokes.append(Stroke(brow, np.minimum(0.8 * face.hair, 0.6 * face.skin)))
        furrow = _corners(side * np.array([1.3, 1.0, 1.4]), face.eye_height - np.array([5.0, 3.0, 1.0]) + 0.6 * au[4])
        strokes.append(Stroke(furrow, np.where(au[4] > 0.15, (0.95 - 0.4 * au[4]) * face.skin, HIDDEN), 3))
    for rise, unit, width in ((0, 1, 4), (-1.8, 2, 8)):
        crease = _corners(width * ACROSS, forehead + rise + 0.8 * ACROSS**2)
        strokes.append(Stroke(crease, np.where(au[unit] > 0.2, (0.97 - 0.25 * au[unit]) * face.skin, HIDDEN), 2))
    return strokes


def _nose(face, au):
    """Bridge with a light and a dark side, nostrils, the wrinkles of unit 9, the folds from nose to mouth."""
    tip = face.eye_height + face.nose_length - 0.5 * au[9]
    shadow = np.where(face.light_x > 0, -1, 1)
    width = face.nose_width + 0.5 * au[9] + 0.3 * au[12]
    side = _corners(shadow * np.array([1.2, 1.4, 1.0, 0.4]) * width / 2.4, tip - np.array([8.5, 4, 0, 6]))
    strokes = [
        Stroke(_ellipse(0, tip, width, 1.9), 0.85 * face.skin),
        Stroke(side, 0.83 * face.skin),
        Stroke(_corners(-0.4 * shadow * np.array([1, 1]), tip - np.array([7, 1])), np.minimum(1.13 * face.skin, 250), 4),
        Stroke(_ellipse(-0.4 * shadow, tip - 0.4, 1.2, 0.9), np.minimum(1.12 * face.skin, 250)),
    ]
    for s in SIDES:
        strokes.append(Stroke(_ellipse(s * 0.55 * width, tip + 0.9 - 0.5 * au[9], 0.8, 0.55), 0.4 * face.skin))
    for rise in (4.2, 6.2):
        wrinkle = _corners(1.9 * ACROSS, tip - rise + 1.0 * ACROSS**2)
        strokes.append(Stroke(wrinkle, np.where(au[9] > 0.15, (0.97 - 0.3 * au[9]) * face.skin, HIDDEN), 2))
    return strokes


def _mouth(face, au):
    """Beard and moustache, lips, the opening with its teeth, creases below the corners."""
    half = face.mouth_width + 1.9 * au[12] + 2.2 * au[20] - 1.6 * au[23] - 0.8 * au[26]
    height = face.mouth_height - 0.5 * au[9] + 0.5 * au[12] - 0.4 * au[15]
    line = height + (face.mouth_slant - 2.8 * au[12]) * ACROSS**2 + (2.4 * au[15] + 0.6 * au[20]) * ACROSS**4
    corner = line[:, [0]]
    arch, box = 1 - ACROSS**2, 1 - ACROSS**4
    smile_gap = 3.0 * au[12] * (face.teeth > 0.35)
    above = -(0.8 * au[26] + 0.8 * au[9] * au[16]) * arch
    below = (4.6 * au[26] * (1 - 0.4 * au[20]) + smile_gap + 1.9 * au[16]) * np.where(au[20] > 0.3, box, arch)
    thin = 1 - 0.65 * au[23] - 0.3 * au[12] - 0.3 * au[20]
    upper_lip = above - face.lips * thin * (arch - 0.25 * (1 - np.clip(3 * np.abs(ACROSS), 0, 1)))
    lower_lip = below + (1.25 * face.lips * thin + 0.4 * au[16]) * arch

    def ring(top, bottom):
        x = half * ACROSS
        return np.concatenate([_corners(x, line + top), _corners(x[:, ::-1], (line + bottom)[:, ::-1])], axis=1)

    chin = face.chin + 2.4 * au[26]
    wing = face.eye_height + face.nose_length - 0.9 * au[9]
    lip = face.lip_tone * face.skin
    moustache = np.concatenate(
        [_corners(0.95 * half * ACROSS, line + upper_lip - 1.6), _corners(half * ACROSS, line + upper_lip)[:, ::-1]], axis=1
    )
    beard_x = face.width * np.array([-0.97, -0.6, -0.25, 0.25, 0.6, 0.97, 0.78, 0.4, 0, -0.4, -0.78])
    beard_y = np.concatenate([face.mouth_height + b for b in (-5, 0, -2.6, -2.6, 0, -5)], axis=1)
    beard_y = np.concatenate([beard_y, *(chin * share for share in (0.66, 0.93, 1, 0.93, 0.66))], axis=1)
    stubble = 0.55 * face.skin + 0.35 * face.hair * (face.beard > 0.85) - 0.2 * face.skin * (face.beard > 0.85)
    open_wide = (below - above).max(axis=1, keepdims=True)
    teeth = np.where(open_wide > 0.9, 120 + 0.5 * face.skin, HIDDEN)
    lower_teeth = np.where(au[16] > 0.3, teeth, HIDDEN)
    strokes = [
        Stroke(_corners(beard_x, beard_y), np.where(face.beard > 0.75, stubble, HIDDEN)),
        Stroke(moustache, np.where(face.moustache > 0.85, 0.9 * face.hair, HIDDEN)),
        Stroke(ring(upper_lip, above), 0.92 * lip),
        Stroke(ring(below, lower_lip), 1.06 * lip),
        Stroke(ring(above, below), 0.18 * face.skin),
        Stroke(ring(above, np.minimum(above + 1.7, below)), np.where(au[26] > 0.6, HIDDEN, teeth)),
        Stroke(ring(np.maximum(below - 1.2, above), below), lower_teeth),
        Stroke(_corners(half * ACROSS, line + above), 0.32 * face.skin, 3),
        Stroke(_corners(2.6 * ACROSS, line[:, [4]] + lower_lip[:, [4]] + 1.0 - 0.4 * ACROSS**2), 0.88 * face.skin, 2),
    ]
    for side in SIDES:
        depth = np.clip(0.25 * face.age + 0.7 * au[12] + 0.6 * au[9] + 0.4 * au[20], 0, 1)
        fold_x = side * np.concatenate([face.nose_width + 0.8, half + 0.6, half + 1.9], axis=1)
        fold_y = np.concatenate([wing - 0.4, 0.4 * wing + 0.6 * corner - 0.6, corner + 1.2], axis=1)
        strokes.append(Stroke(_corners(fold_x, fold_y), (0.97 - 0.3 * depth) * face.skin, 2))
        crease = _corners(side * (half + np.array([0.3, 1.4])), corner + np.array([0.4, 2.4]))
        strokes.append(Stroke(crease, np.where(au[15] > 0.15, (0.95 - 0.4 * au[15]) * face.skin, HIDDEN), 3))
        bracket = _corners(side * (half + np.array([1.2, 2.0, 1.2])), corner + np.array([-2.0, 0, 2.0]))
        strokes.append(Stroke(bracket, np.where(au[20] > 0.15, (0.95 - 0.35 * au[20]) * face.skin, HIDDEN), 2))
    return strokes


def _glasses(face):
    tone = np.where(face.glasses > 0.85, 0.4 * face.hair, HIDDEN)
    frames = [
        Stroke(_ellipse(s * face.eye_distance, face.eye_height, face.eye_width + 1.8, 4.2), tone, 3) for s in SIDES
    ]
    bridge = _corners(np.array([-1.6, 1.6]) * np.ones_like(tone), face.eye_height - 0.6)
    return [*frames, Stroke(bridge, tone, 3)]


def _turn_head(corners, face):
    """Yaw and pitch (features slide over a round head), tilt, size and shift: (N, K, 2) from the middle of the image."""
    x, y = corners[..., 0], corners[..., 1]
    x, y = (
        x + 3.2 * face.yaw * np.clip(1 - (x / 18) ** 2, 0, 1) * np.clip(1 - (y / 26) ** 2, 0, 1),
        y + 1.8 * face.pitch * np.clip(1 - (y / 22) ** 2, 0, 1) * np.clip(1 - (x / 20) ** 2, 0, 1),
    )
    cos, sin = (1 - face.tilt**2) / (1 + face.tilt**2), 2 * face.tilt / (1 + face.tilt**2)
    x, y = face.size * (cos * x - sin * y), face.size * (sin * x + cos * y)
    return _corners(x + face.shift_x, y + face.shift_y)


def _in_the_way(face):
    """What hides a part of some faces: a hand, a bar or a lock of hair."""
    hand = face.hidden_by < 0.07
    bar = ~hand & (face.hidden_by < 0.12)
    lock = (face.hidden_by > 0.12) & (face.hidden_by < 0.18)
    side = np.where(face.hidden_x > 0, 1, -1)
    x, y = 11 * side + 3 * face.hidden_x, 14 + 5 * face.hidden_y
    strokes = [Stroke(_ellipse(x, y + 6, 8, 9), np.where(hand, 0.85 * face.skin, HIDDEN))]
    for finger in (-1, 0, 1):
        tip = _ellipse(x - side * (2.5 - 3.4 * finger), y - 3 + 1.2 * finger**2, 1.9, 7)
        strokes.append(Stroke(tip, np.where(hand, (0.95 + 0.05 * finger) * face.skin, HIDDEN)))
    bar_x, bar_y = np.array([-40, 40, 40, -40]), 14 * face.hidden_y + np.array([-2.5, -2.5, 2.5, 2.5])
    strokes.append(Stroke(_corners(bar_x, bar_y + 0.3 * face.hidden_x * bar_x), np.where(bar, face.shirt, HIDDEN)))
    lock_x, lock_y = side * np.array([1, 9, 17, 18, 12]), np.array([-20, -18, -12, 4, -4])
    strokes.append(Stroke(_corners(lock_x, lock_y + 3 * face.hidden_y), np.where(lock, face.hair, HIDDEN)))
    return strokes


def _paint(face):
    """Every face of a block as drawn, without light and grain: float32 (N, 48, 48)."""
    au = face.units
    parts = [*_head(face, au), *_eye(face, au, -1), *_eye(face, au, 1), *_nose(face, au), *_brows(face, au)]
    parts += [*_mouth(face, au), *_glasses(face)]
    strokes = [Stroke(_turn_head(part.corners, face), part.tone, part.width) for part in parts] + _in_the_way(face)
    edge = _corners(16 * face.hidden_x + np.array([0, 40, 40, 0]), np.array([-40, -40, 40, 40]))
    strokes = [Stroke(edge, np.clip(face.background + face.background_edge, 5, 250)), *strokes]
    paths, tones = [], []
    for stroke in strokes:
        corners = SCALE * (stroke.corners + IMAGE_SIZE / 2)
        paths.append(corners.reshape(len(corners), -1).tolist())
        tones.append(np.where(stroke.tone < 0, HIDDEN, np.rint(stroke.tone))[:, 0].astype(int).tolist())
    widths = [stroke.width for stroke in strokes]
    images = []
    for background, face_paths, face_tones in zip(
        face.background[:, 0].astype(int).tolist(), zip(*paths, strict=True), zip(*tones, strict=True), strict=True
    ):
        image = Image.new("L", (SCALE * IMAGE_SIZE, SCALE * IMAGE_SIZE), background)
        pen = ImageDraw.Draw(image)
        for path, tone, width in zip(face_paths, face_tones, widths, strict=True):
            if tone == HIDDEN:
                continue
            if width:
                pen.line(path, fill=tone, width=width)
            else:
                pen.polygon(path, fill=tone)
        images.append(np.asarray(image.reduce(SCALE)))
    return np.stack(images).astype(np.float32)


def _photograph(pixels, face, grain):
    """Light, lens and film: drawn faces (N, 48, 48) and grain from -1 to 1 become images uint8 (N, 48, 48)."""
    ramp = np.linspace(-1, 1, IMAGE_SIZE, dtype=np.float32)

    def each(values):
        return values.astype(np.float32)[:, :, None]

    pixels = pixels * (1 + each(face.light_x) * ramp + each(face.light_y) * ramp[:, None])
    blur = each(face.blur)
    for _ in range(2):
        pixels[:, 1:-1] += blur * (pixels[:, :-2] + pixels[:, 2:] - 2 * pixels[:, 1:-1])
        pixels[:, :, 1:-1] += blur * (pixels[:, :, :-2] + pixels[:, :, 2:] - 2 * pixels[:, :, 1:-1])
    pixels = (pixels - 128) * each(face.contrast) + 128 + each(face.brightness) + each(face.grain) * grain
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
