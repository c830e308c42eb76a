"""Decodes images of faces: the formats that are read, one preparation of every image."""

import io
import warnings

import numpy as np
from PIL import Image

from fer_utils.data.fer2013 import IMAGE_SIZE, make_error

# Pillow is given this list: left alone it tries all that it knows, and starts Ghostscript for some.
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm")
EIGHT_BITS = ("1", "L", "LA", "P", "RGB", "RGBA")
SIZE = (IMAGE_SIZE, IMAGE_SIZE)
SCALED, MADE_GREY = "scaled to 48×48", "made grey"
COLOUR = 8  # of 255 levels that red, green and blue of a grey picture may differ by, in a jpg


def prepare_face(image, scaling=Image.Resampling.BICUBIC):
    """Turns a Pillow image of 8 bits that shows one face into what the networks take: uint8 (48, 48), grey levels.

    Class folders and photos both come this way: grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R 601). Only an image
    of another size is scaled, and then each pixel weighs all that it covers.
    """
    image = image.convert("L")
    return np.asarray(image if image.size == SIZE else image.resize(SIZE, scaling))


def decode_face(content, where, resize=False):
    """Returns (grey levels uint8 (48, 48), what was changed in words, or "") of an encoded image.

    Another size than 48×48, and colours, are taken only with `resize`: a smaller image is scaled up bicubically, in a
    larger one each pixel is the mean of the area that it covers. Raises `FaceDataError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
                image.load()
    except Exception as error:  # Pillow's decoders raise many kinds
        found = f"an image that cannot be decoded ({type(error).__name__})"
        raise make_error(where, found, "an image in one of the formats " + ", ".join(IMAGE_FORMATS)) from error
    found = f"an image of {image.width}×{image.height} pixels, mode {image.mode}"
    if image.mode not in EIGHT_BITS:
        raise make_error(where, found, "48×48 pixels of 8 bits")
    changes = {SCALED: image.size != SIZE, MADE_GREY: _has_colour(image)}
    if any(changes.values()) and not resize:
        found += ", in colour" if changes[MADE_GREY] else ""
        raise make_error(where, found, "48×48 grey pixels of 8 bits", options="--resize")
    larger = min(image.size) >= IMAGE_SIZE
    face = prepare_face(image, Image.Resampling.BOX if larger else Image.Resampling.BICUBIC)
    return face, ", ".join(words for words, happened in changes.items() if happened)


def _has_colour(image):
    if image.mode not in ("P", "RGB", "RGBA"):
        return False
    levels = np.asarray(image.convert("RGB"), int)
    return bool(np.ptp(levels, axis=-1).max() > COLOUR)
