"""Pictures of more than 8 bits: what is black, what is white, and what is refused."""

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from fer_utils.photo.ranges import RangeError, scale_to_bytes
from fer_utils.photo.reading import PhotoError, read_photo
from small_photos import encode

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def encode_tiff(values):
    return cv2.imencode(".tiff", values)[1].tobytes()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("white", [1, 255, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_float_tiff_is_scaled_by_its_range(kind, white, channels):
    colours = np.stack([LEVELS, LEVELS[::-1], LEVELS.T], axis=-1)[..., :channels]
    values = (colours[..., ::-1] / 255 * white).astype(kind)  # OpenCV writes blue first
    expected = np.broadcast_to(colours, (16, 16, 3))
    np.testing.assert_allclose(read_photo(encode_tiff(np.squeeze(values))), expected, atol=1)


@pytest.mark.parametrize(
    ("kind", "white"),
    [(np.uint16, 255), (np.uint16, 4095), (np.uint16, 65535), (np.int32, 65535), (np.int32, 2**31 - 1)],
)
def test_whole_numbers_are_scaled_by_their_range(kind, white):
    values = (LEVELS / 255 * white).astype(kind)
    np.testing.assert_allclose(read_photo(encode_tiff(values))[..., 0], LEVELS, atol=1)


@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_deep_colours_are_scaled_by_their_range(white):
    colours = np.stack([LEVELS, LEVELS[::-1], LEVELS.T], axis=-1)
    values = (colours[..., ::-1] / 255 * white).astype(np.uint16)
    np.testing.assert_allclose(read_photo(encode_tiff(values)), colours, atol=1)


def test_deep_colours_are_turned_and_transparent_places_white():
    values = np.zeros((2, 1, 4), np.uint16)
    values[1, 0] = 65535, 0, 0, 65535  # opaque blue below a transparent place
    content = encode_tiff(values)
    assert read_photo(content).tolist() == [[[255] * 3], [[0, 0, 255]]]
    planes = b"\x1c\x01\x03\0\x01\0\0\0\x01\0"  # tag 284, one short: 1; it may be missing, so 274 takes its place
    assert content.count(planes) == 1
    turned = content.replace(planes, b"\x12" + planes[1:-2] + b"\x03\0")  # by half a turn
    assert read_photo(turned).tolist() == [[[0, 0, 255]], [[255] * 3]]


def test_unsigned_numbers_of_32_bits():
    values = (LEVELS / 255 * (2**32 - 1)).astype(np.uint32)
    content = encode(Image.fromarray(values.view(np.int32)), "tiff")
    signed = b"\x53\x01\x03\0\x01\0\0\0\x02\0"  # tag 339, one short: 2; as other programs write it: 1
    assert content.count(signed) == 1
    read = read_photo(content.replace(signed, signed[:-2] + b"\x01\0"))[..., 0]
    np.testing.assert_allclose(read, LEVELS, atol=1)


def test_the_file_says_what_is_black_and_white():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype |= {340: 11, 341: 11}  # floats
    tags[340], tags[341] = -1.0, 3.0
    values = np.array([[-1, 0, 1, 3]], np.float32)
    content = encode(Image.fromarray(values), "tiff", tiffinfo=tags)
    assert read_photo(content)[0, :, 0].tolist() == [0, 64, 128, 255]


def test_scaling_may_have_carried_floats_a_little_beyond():
    assert scale_to_bytes(np.array([-0.02, 0.5, 1.03])).tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    "values", [[0, np.nan], [0, np.inf], [-np.inf, 1], [-1, 1], [0, 7.5], [0, 1e6]], ids=lambda values: str(values)
)
def test_what_tells_no_brightness_is_refused(values):
    with pytest.raises(RangeError):
        scale_to_bytes(np.array(values, np.float32))
    content = encode(Image.fromarray(np.array([values] * 2, np.float32)), "tiff")
    with pytest.raises(PhotoError, match="the photo: found values .*; expected 0 to 1, or .* Save it with 8 bits"):
        read_photo(content)


def test_negative_whole_numbers_are_refused():
    with pytest.raises(PhotoError, match="values from -5 to 300"):
        read_photo(encode_tiff(np.array([[-5, 300]], np.int32)))


def test_a_deep_picture_is_turned_as_well():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(Image.fromarray(np.array([[0, 65535]], np.uint16)), exif=exif)
    assert read_photo(content)[..., 0].tolist() == [[0], [255]]


def test_a_huge_float_tiff_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 16 * 16 - 1)
    with pytest.raises(PhotoError, match="a larger image"):
        read_photo(encode_tiff(LEVELS / 255))
