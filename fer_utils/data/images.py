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


def prepare_face(image):
    """Turns a Pillow image of 8 bits that shows one face into what the networks take: uint8 (48, 48), grey levels.

    Class folders and photos both come this way: grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R 601). Only an image
    of another size is scaled, and then each pixel weighs all that it covers.
    """
    image = image.convert("L")
    return np.asarray(image if image.size == SIZE else image.resize(SIZE, Image.Resampling.BICUBIC))


def decode_face(content, where, resize=False):
    """Returns (grey levels uint8 (48, 48), what was changed: "", "grey", "size" or "size, grey") of an encoded image.

    Another size than 48×48, and colour in it, are taken only with `resize`: a smaller one is scaled up bicubically, in
    a larger one each pixel is the mean of the area that it covers. Raises `FaceDataError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
                found = f"an image of {image.width}×{image.height} pixels, mode {image.mode}"
                if image.mode in EIGHT_BITS and (resize or image.size == SIZE):
                    return _decode(image)
    except Exception as error:  # Pillow's decoders raise many kinds
        found = f"an image that cannot be decoded ({type(error).__name__})"
        raise make_error(where, found, "an image in one of the formats " + ", ".join(IMAGE_FORMATS)) from error
    options = "--resize" if image.mode in EIGHT_BITS else None
    raise make_error(where, found, "48×48 pixels of 8 bits", options=options)


def _decode(image):
    changes = []
    grey = image.convert("L")
    if image.size != SIZE:
        changes.append("size")
        larger = min(image.size) >= IMAGE_SIZE
        grey = grey.resize(SIZE, Image.Resampling.BOX if larger else Image.Resampling.BICUBIC)
    if _has_colour(image):
        changes.append("grey")
    return np.asarray(grey), ", ".join(changes)


def _has_colour(image):
    if image.mode not in ("P", "RGB", "RGBA"):
        return False
    red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), int), -1, 0)
    return bool(np.any(red != green) or np.any(green != blue))
