"""Reads photos whatever their form."""

import io
import warnings
from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image, ImageOps, UnidentifiedImageError

from fer_utils.data import draw_face


class PhotoError(ValueError):
    """A file that is no readable photo; the message names it, and says what was found and what to do."""


def read_photo(source):
    """Reads the photo in `source`, a path or the bytes of a file: uint8 (height, width, 3), red, green, blue, upright.

    Turned as its EXIF data say; transparent places are white; 16 bits of grey become 8; of several frames the first.
    Raises `PhotoError` for what is missing, damaged, no photo, or larger than Pillow reads (89 million pixels).
    """
    is_bytes = isinstance(source, bytes)
    name = "the photo" if is_bytes else str(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF data and the like, which change no pixel
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if is_bytes else Path(source).expanduser()) as image:
                return np.asarray(_as_rgb(ImageOps.exif_transpose(image)))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = f"at most {Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
        raise PhotoError(f"{name}: found a larger image; expected {limit}. Save a smaller copy.") from error
    except UnidentifiedImageError as error:
        advice = "Save it as jpg or png (phones: not heic)"
        raise PhotoError(f"{name}: found no image that can be read; expected a photo. {advice}.") from error
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise PhotoError(f"{name}: found {error.strerror.lower()}; expected a photo. Check the path.") from error
    except Exception as error:  # Pillow's decoders raise many kinds
        found = f"a photo that is damaged or cut short ({type(error).__name__})"
        raise PhotoError(f"{name}: found {found}; expected a whole one. Copy or save it again.") from error


def _as_rgb(image):
    if image.mode.startswith("I"):  # 16 bits of grey
        return Image.fromarray((np.clip(np.asarray(image), 0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def sample_photo():
    """Returns (photo, words about it): Grace Hopper's portrait, which comes with matplotlib, or else a drawn face."""
    try:
        photo = read_photo(get_sample_data("grace_hopper.jpg", asfileobj=False))
        return photo, "Grace Hopper in 1984, a portrait by the US Navy (public domain), as it comes with matplotlib"
    except PhotoError:  # some systems install matplotlib without its sample data
        face = np.kron(np.squeeze(draw_face({}, 0)), np.ones((4, 4), np.uint8))
        return np.stack([np.pad(face, 96, constant_values=128)] * 3, axis=-1), "a drawn face"
