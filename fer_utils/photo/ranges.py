"""Brings pictures of more than 8 bits to 8: 16-bit, 32-bit and float images, as cameras and programs for science write.

What black and white are is what the file says (a TIFF's tags for its smallest and largest value). If it says nothing it
is the smallest usual range that holds the values: 0 to 1 for floats, then 8, 12, 16 bits, then all that the type holds.
"""

import io

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from fer_utils.environment import quiet_stderr

USUAL = 255, 4095, 65535
BEYOND = 0.05  # of the range: how far scaling a picture may have carried float values beyond black and white
# Tags of TIFF 6.0: smallest and largest value, first those of any type, then those of whole numbers only.
LIMIT_TAGS = (340, 341), (280, 281)
WIDTH, LENGTH, BITS, SAMPLE_FORMAT = 256, 257, 258, 339
UNSIGNED = 1  # a sample format


class RangeError(ValueError):
    """Values that tell no brightness; the message says what was found."""


def is_deep(image):
    """Returns whether a Pillow image holds more than 8 bits a value, so that Pillow would cut them off."""
    return image.mode[0] in "IF"


def as_eight_bits(image, tags):
    """Returns a deep Pillow image as one of 8 bits of grey; `tags` are its TIFF's, or {}. Raises `RangeError`."""
    values = np.asarray(image)
    if values.dtype == np.int32 and tags.get(SAMPLE_FORMAT) == (UNSIGNED,):
        values = values.view(np.uint32)  # Pillow has no mode for these
    return Image.fromarray(scale_to_bytes(values, _find_limits(tags)))


def scale_to_bytes(values, limits=None):
    """Returns numbers of any kind and shape as uint8, 0 black to 255 white; `limits` are (black, white) if known.

    Raises `RangeError` if a number is missing or infinite, or if the numbers fit no range.
    """
    if not np.isfinite(values).all():
        raise RangeError("values that are missing or infinite (NaN, inf)")
    smallest, largest = values.min().item(), values.max().item()
    low, high = limits or (0, _find_white(values.dtype, largest))
    slack = BEYOND * (high - low) if values.dtype.kind == "f" else 0
    if not (low < high and low - slack <= smallest and largest <= high + slack):
        raise RangeError(f"values from {smallest:g} to {largest:g}, which are no usual range of grey levels")
    levels = (values.astype(np.float32) - low) * (255 / (high - low))
    return np.clip(levels + 0.5, 0, 255).astype(np.uint8)


def _find_white(kind, largest):
    """Returns the value of white among the usual ones, 0 if none fits."""
    if np.issubdtype(kind, np.floating):
        # Between 1 and a sixteenth of 255 lies what is no picture of 8 bits, or a black one.
        return 1 if largest <= 1 + BEYOND else next((white for white in USUAL if white / 16 <= largest <= white), 0)
    return next((white for white in (*USUAL, np.iinfo(kind).max) if largest <= white), 0)


def _find_limits(tags):
    """Returns (black, white) as a TIFF's tags name them, or None."""
    for names in LIMIT_TAGS:
        low, high = (np.ravel(tags.get(name, ())) for name in names)
        if low.size and high.size:
            return float(low[0]), float(high[0])
    return None


def loses_bits(image):
    """Returns whether Pillow has opened an image but cuts its values to 8 bits: TIFFs of 16 bits a colour."""
    return not is_deep(image) and max(getattr(image, "tag_v2", {}).get(BITS, (8,))) > 8


def decode_deep_tiff(stream):
    """Returns a TIFF that Pillow has no mode for (deep colours, floats of 64 bits) as a Pillow image, or None.

    It has 8 bits; OpenCV decodes it, and turns it as its tags say. None is for what is no TIFF or cannot be decoded.
    Raises `RangeError`, and Pillow's `DecompressionBombError` if it is too large.
    """
    stream.seek(0)
    head = stream.read(8)
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return None
    content = head + stream.read()
    tags = TiffImagePlugin.ImageFileDirectory_v2(head)
    directory = io.BytesIO(content)
    directory.seek(tags.next)
    tags.load(directory)
    if tags[WIDTH] * tags[LENGTH] > Image.MAX_IMAGE_PIXELS:
        raise Image.DecompressionBombError
    with quiet_stderr():  # libtiff's complaints
        values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        return None
    levels = scale_to_bytes(values, _find_limits(tags))
    if levels.ndim == 3:  # OpenCV's order is blue, green, red
        levels = cv2.cvtColor(levels, cv2.COLOR_BGR2RGB if levels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return Image.fromarray(levels)
