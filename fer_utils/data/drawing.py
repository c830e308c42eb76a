"""Draws faces: their traits and action units become shapes, and the shapes grey levels.

Lengths are in pixels of the finished image, x to the right and y down, from the middle of the face. Between the random
numbers and the pixels lie sums, products and quotients only, no function that one processor rounds unlike another.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from fer_utils.data.fer2013 import IMAGE_SIZE

SCALE = 3  # a face is drawn so many times too large, and then reduced
HIDDEN = -1  # the tone of a shape that is not drawn
ACROSS = np.linspace(-1, 1, 9)  # along a lid, a lip, a brow, from left to right
ANGLES = np.linspace(0, 2 * np.pi, 25)
COS, SIN = np.round([np.cos(ANGLES), np.sin(ANGLES)], 6)
SIDES = (-1, 1)  # left and right


class Stroke(NamedTuple):
    """One shape in all faces of a block: corners (N, K, 2), grey tone (N, 1) or `HIDDEN`, line width (0: filled)."""

    corners: np.ndarray
    tone: np.ndarray
    width: int = 0


def _corners(x, y):
    return np.stack(np.broadcast_arrays(x, y), axis=-1)


def _ellipse(x, y, width, height):
    return _corners(x + width * COS, y + height * SIN)


def _between(upper, lower):
    """Returns the closed shape between two lines that run from left to right."""
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


def paint(face, au):
    """Draws the faces of a block before light and grain, float32 (N, 48, 48); `au`: intensity (N, 1) of each unit."""
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


def photograph(pixels, face, grain):
    """Adds light, lens and film: painted faces and grain from -1 to 1, both (N, 48, 48), become uint8 (N, 48, 48)."""
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
