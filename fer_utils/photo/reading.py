"""Reads photos whatever their form."""

import contextlib
import io
import stat
import warnings

import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image, ImageOps, UnidentifiedImageError, features
from skimage.data import astronaut

from fer_utils.data import IMAGE_FORMATS, draw_face
from fer_utils.environment import expand_home
from fer_utils.photo.ranges import RangeError, as_eight_bits, decode_deep_tiff, is_deep, loses_bits

# Pillow is given this list: left alone it tries all that it knows, and starts Ghostscript for some.
FORMATS = (*IMAGE_FORMATS, *(("AVIF",) if features.check("avif") else ()))
HEIC_BRANDS = b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"


class PhotoError(ValueError):
    """A file that is no readable photo; the message names it, and says what was found and what to do."""


def read_photo(source):
    """Reads the photo in `source`, a path or the bytes of a file: uint8 (height, width, 3), red, green, blue, upright.

    Turned as its EXIF data say; transparent places are white; more than 8 bits become 8 (`ranges`); of several frames
    the first. Raises `PhotoError` for what is missing, damaged, no photo, no regular file, or larger than Pillow reads
    (89 million pixels).
    """
    is_bytes = isinstance(source, bytes)
    name = "the photo" if is_bytes else show_path(source)
    with explain_failure(name), io.BytesIO(source) if is_bytes else open_regular(source) as stream:
        try:
            with Image.open(stream, formats=FORMATS) as image:
                if not loses_bits(image):
                    return _as_pixels(image, getattr(image, "tag_v2", {}))
        except UnidentifiedImageError:
            if _is_heic(stream):
                advice = "Save it as jpg (iPhones: Settings, Camera, Formats, Most Compatible)"
                raise PhotoError(f"{name}: found a HEIC photo; expected jpg or png. {advice}.") from None
        image = decode_deep_tiff(stream)
        if image is None:
            raise UnidentifiedImageError
        return _as_pixels(image, {})


def _as_pixels(image, tags):
    """Returns a Pillow image as uint8 (height, width, 3); `tags` are its TIFF's, or {}."""
    image = ImageOps.exif_transpose(image)
    if is_deep(image):
        image = as_eight_bits(image, tags)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _is_heic(stream):
    stream.seek(0)
    head = stream.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS


def open_regular(path):
    """Opens the file `path` for reading bytes; raises `PhotoError` at once for a pipe or a device, never waits."""
    path = expand_home(path)
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise PhotoError(f"{show_path(path)}: found a pipe or a device; expected a file. Save the photo as one.")
    return path.open("rb")


def show_path(path):
    """Returns `path` as it may be printed: without control characters, which a terminal would obey."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(path))


@contextlib.contextmanager
def explain_failure(name):
    """Turns what reading the photo called `name` raises into a `PhotoError`; hides warnings that change no pixel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF data and the like
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except PhotoError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = f"at most {Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
        raise PhotoError(f"{name}: found a larger image; expected {limit}. Save a smaller copy.") from error
    except UnidentifiedImageError as error:
        advice = "Save it as jpg or png"
        raise PhotoError(f"{name}: found no image that can be read; expected a photo. {advice}.") from error
    except RangeError as error:
        expected = "0 to 1, or whole numbers of 8, 12 or 16 bits"
        raise PhotoError(f"{name}: found {error}; expected {expected}. Save it with 8 bits, as jpg or png.") from error
    except Exception as error:  # Pillow's decoders raise many kinds
        if isinstance(error, OSError) and error.strerror:  # from the file system, none of Pillow's
            raise PhotoError(f"{name}: found {error.strerror.lower()}; expected a photo. Check the path.") from error
        found = f"a photo that is damaged or cut short ({type(error).__name__})"
        raise PhotoError(f"{name}: found {found}; expected a whole one. Copy or save it again.") from error


def sample_photo(kind="clear"):
    """Returns (photo, words about it), of a `kind` "clear" or "hard" to name; both are in the public domain.

    The clear one comes with scikit-image, the hard one with matplotlib; without its file, it is a drawn face.
    """
    try:
        if kind == "clear":
            return astronaut(), "Eileen Collins, a portrait by NASA (public domain), as it comes with scikit-image"
        photo = read_photo(get_sample_data("grace_hopper.jpg", asfileobj=False))
        return photo, "Grace Hopper in 1984, a portrait by the US Navy (public domain), as it comes with matplotlib"
    except (PhotoError, OSError):  # some systems install these packages without their data
        face = np.kron(np.squeeze(draw_face({}, 0)), np.ones((4, 4), np.uint8))
        return np.stack([np.pad(face, 96, constant_values=128)] * 3, axis=-1), "a drawn face"
