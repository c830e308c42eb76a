"""Goes through folders of photos and videos, and through the frames of a video."""

import contextlib
import os
from pathlib import Path

import cv2
from PIL import Image

from fer_utils.data import IMAGE_SUFFIXES
from fer_utils.environment import expand_home, quiet_stderr
from fer_utils.photo.reading import (
    FORMATS,
    HEIC_BRANDS,
    PhotoError,
    explain_failure,
    open_regular,
    read_photo,
    show_path,
)

SECONDS_BETWEEN = 0.5  # from one frame of a video to the next that is judged
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv")
SUFFIXES = (*IMAGE_SUFFIXES, ".avif", ".heic", ".heif", *VIDEO_SUFFIXES)
# First bytes: mkv and webm, mpeg, ogv, wmv, flv.
VIDEO_HEADS = b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"OggS", b"0&\xb2u\x8ef\xcf\x11", b"FLV\1"
ATOMS = b"ftyp", b"moov", b"mdat", b"wide", b"free"  # what mp4, mov and 3gp begin with, after four bytes
PICTURE_BRANDS = (*HEIC_BRANDS, b"avif", b"avis")


def list_files(folder):
    """Returns (photos and videos, other files) in `folder` and the folders in it: paths, in the order of their names.

    A photo or a video is what ends like one, so that a damaged one is not passed over in silence, or begins like one.
    Hidden files are left out. Raises `PhotoError` if a folder cannot be read.
    """
    photos, others = [], []
    with explain_failure(show_path(folder)):
        for place, _, names in os.walk(folder, onerror=_raise):
            for path in (Path(place, name) for name in names):
                if not any(part.startswith(".") for part in path.relative_to(folder).parts):
                    (photos if _looks_like_photo(path) else others).append(path)
    return sorted(photos), sorted(others)


def read_pictures(path):
    """Yields (None, photo) for a photo; for a video (seconds from its start, frame) each half second.

    A photo and a frame are uint8 (height, width, 3). Raises `PhotoError`.
    """
    with explain_failure(show_path(path)), open_regular(path) as stream:
        video = _is_video(stream.read(16))
    if video:
        yield from _read_frames(expand_home(path))
    else:
        yield None, read_photo(path)


def _read_frames(path):
    """Yields (seconds, frame) of the video at `path`; what FFmpeg has to say of it is hidden."""
    name, due = show_path(path), 0
    with quiet_stderr():
        video = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG)
    try:
        while True:
            with explain_failure(name), quiet_stderr():
                if not video.grab():
                    break
                seconds = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
                if seconds < due:
                    continue
                frame = cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB)
            due = (seconds // SECONDS_BETWEEN + 1) * SECONDS_BETWEEN
            yield round(seconds, 3), frame
    finally:
        video.release()
    if due == 0:
        advice = "Copy it again, or save it as mp4"
        raise PhotoError(f"{name}: found a video without a frame that can be read; expected one. {advice}.")


def _looks_like_photo(path):
    if path.suffix.lower() in SUFFIXES:
        return True
    with contextlib.suppress(Exception), open_regular(path) as stream:
        if _is_video(stream.read(16)):
            return True
        stream.seek(0)
        with Image.open(stream, formats=FORMATS):
            return True
    return False


def _is_video(head):
    """Returns whether the first 16 bytes of a file are a video's."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in PICTURE_BRANDS
    return head.startswith(VIDEO_HEADS) or head[4:8] in ATOMS or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _raise(error):
    raise error
