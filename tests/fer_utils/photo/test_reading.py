"""Photos of every form, whole and damaged."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fer_utils.photo.answers import find_faces
from fer_utils.photo.reading import PhotoError, read_photo, sample_photo
from small_photos import NOISE, encode

COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[0, 0, 0], [120, 120, 120]]], np.uint8)


def test_a_photo_comes_as_it_is_from_path_and_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(Image.fromarray(COLOURS)))
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()):
        read = read_photo(source)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, COLOURS)


def test_transparent_places_are_white():
    rgba = np.dstack([COLOURS, np.full((3, 2), 255, np.uint8)])
    rgba[0, 0, 3] = 0
    rgba[2, 0, 3] = 128
    read = read_photo(encode(Image.fromarray(rgba)))
    np.testing.assert_array_equal(read[0], [[255, 255, 255], [0, 255, 0]])
    assert np.abs(read[2, 0].astype(int) - 127).max() <= 1, "half transparent black is medium grey"
    grey = Image.fromarray(np.array([[[0, 0], [0, 255]]], np.uint8), "LA")
    np.testing.assert_array_equal(read_photo(encode(grey))[0], [[255] * 3, [0] * 3])


def test_palette_with_a_transparent_colour():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    read = read_photo(encode(image, transparency=1))
    np.testing.assert_array_equal(read[0], [[255, 0, 0], [255, 255, 255], [0, 0, 255]])


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_of_grey_become_eight(kind):
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    np.testing.assert_array_equal(read_photo(encode(image, kind))[0, :, 0], [0, 100, 255])


@pytest.mark.parametrize(("mode", "kind"), [("1", "png"), ("L", "png"), ("CMYK", "tiff"), ("YCbCr", "jpeg")])
def test_other_modes_keep_their_colours(mode, kind):
    grey = np.repeat(np.repeat(np.array([[0, 255]], np.uint8), 8, 0), 8, 1)
    read = read_photo(encode(Image.fromarray(grey).convert("RGB").convert(mode), kind))
    assert read.shape == (8, 16, 3)
    np.testing.assert_allclose(read, np.stack([grey] * 3, axis=-1), atol=1)


def test_exif_turns_the_photo():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    read = read_photo(encode(Image.fromarray(COLOURS), exif=exif))
    np.testing.assert_array_equal(read, np.rot90(COLOURS, -1))


def test_damaged_exif_does_not_matter():
    content = encode(Image.fromarray(np.full((8, 8, 3), 90, np.uint8)), "jpeg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert read_photo(content).shape == (8, 8, 3)


def test_of_several_frames_the_first():
    frames = [Image.new("L", (4, 4), grey) for grey in (40, 200)]
    read = read_photo(encode(frames[0], "gif", save_all=True, append_images=frames[1:]))
    assert (read == 40).all()


def make_bomb():
    """A png of some 70 bytes that claims to have 100,000 times 100,000 pixels."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


DAMAGED = {
    "empty": (b"", "no image that can be read"),
    "text": (b"emotion,pixels,Usage\n", "no image that can be read"),
    "cut png": (encode(Image.fromarray(NOISE))[:6000], "damaged or cut short"),
    "cut jpg": (encode(Image.fromarray(NOISE), "jpeg")[:2000], "damaged or cut short"),
    "header only": (encode(Image.fromarray(NOISE))[:20], ""),
    "bomb": (make_bomb(), "a larger image"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_photo_is_named(tmp_path, kind):
    content, words = DAMAGED[kind]
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    for source, name in ((path, "holiday.jpg: found "), (content, "the photo: found ")):
        with pytest.raises(PhotoError, match=name) as error:
            read_photo(source)
        assert words in str(error.value) and "; expected" in str(error.value)


def test_a_little_too_large_is_refused_as_well(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)  # Pillow itself warns only, up to twice its limit
    with pytest.raises(PhotoError, match="Save a smaller copy"):
        read_photo(encode(Image.fromarray(NOISE)))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PhotoError, match="none.jpg: found no such file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(PhotoError, match="Check the path"):
        read_photo(tmp_path)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"hevc"])
def test_a_photo_of_a_phone_in_heic_gets_its_own_advice(tmp_path, brand):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(100))
    with pytest.raises(PhotoError, match=r"IMG_1.HEIC: found a HEIC photo; expected jpg or png\. Save it as jpg"):
        read_photo(tmp_path / "IMG_1.HEIC")


def test_no_other_program_is_started(monkeypatch, tmp_path):
    """Pillow hands EPS to Ghostscript; here it is no photo, whatever its name."""
    monkeypatch.setattr("subprocess.Popen", lambda *arguments, **options: pytest.fail(f"started {arguments}"))
    Image.fromarray(NOISE).save(tmp_path / "photo.eps")
    content = (tmp_path / "photo.eps").read_bytes()
    (tmp_path / "photo.jpg").write_bytes(content)
    for source in (tmp_path / "photo.eps", tmp_path / "photo.jpg", content):
        with pytest.raises(PhotoError, match="no image that can be read"):
            read_photo(source)


@pytest.mark.parametrize(("kind", "name"), [("clear", "Eileen Collins"), ("hard", "Grace Hopper")])
def test_each_sample_shows_one_face(kind, name):
    picture, words = sample_photo(kind)
    assert words.startswith(name) and picture.dtype == np.uint8 and picture.shape[2] == 3
    assert len(find_faces(picture)) == 1


def test_samples_without_their_files(monkeypatch):
    def missing():
        raise FileNotFoundError("astronaut.png")

    monkeypatch.setattr("fer_utils.photo.reading.get_sample_data", lambda name, asfileobj: "nowhere.jpg")
    monkeypatch.setattr("fer_utils.photo.reading.astronaut", missing)
    for kind in ("clear", "hard"):
        picture, words = sample_photo(kind)
        assert words == "a drawn face" and len(find_faces(picture)) == 1
