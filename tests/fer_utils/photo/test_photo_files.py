"""Folders of photos and videos, and the frames of a video."""

import os
import threading

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_utils.photo.files import list_files, read_pictures
from fer_utils.photo.reading import PhotoError, read_photo, show_path
from small_photos import NOISE, encode

PNG = encode(Image.fromarray(NOISE))


def write_video(path, code, n_frames=23):
    """A video of ten frames a second, each brighter than the one before."""
    video = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), 10, (96, 64))
    for number in range(n_frames):
        video.write(np.full((64, 96, 3), 10 * number, np.uint8))
    video.release()
    return path


# --- folders ---


def test_a_folder_gives_its_photos_in_name_order_and_names_the_rest(tmp_path):
    names = ("b.jpg", "a/z.png", "a/deep/x.HEIC", "c", "damaged.jpg", "notes.txt", ".hidden.png", ".git/x.png", "d.mp4")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"text" if name in ("notes.txt", "damaged.jpg") else PNG)
    write_video(tmp_path / "clip.avi", "MJPG").rename(tmp_path / "clip")
    photos, others = list_files(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in photos]
    assert found == ["a/deep/x.HEIC", "a/z.png", "b.jpg", "c", "clip", "d.mp4", "damaged.jpg"]
    assert [path.name for path in others] == ["notes.txt"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PhotoError, match="nowhere: found no such file"):
        list_files(tmp_path / "nowhere")


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_a_link_to_the_folder_above_is_not_followed(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    assert list_files(tmp_path) == ([tmp_path / "a.png"], [])


# --- pipes and devices ---


def answers_at_once(function):
    """What `function` raises, and that it does so within seconds."""
    raised = []

    def call():
        try:
            function()
        except PhotoError as error:
            raised.append(str(error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive(), "it waits for ever"
    return raised[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("read", [read_photo, lambda path: list(read_pictures(path))])
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path, read):
    os.mkfifo(tmp_path / "photo.jpg")
    for path in (tmp_path / "photo.jpg", "/dev/zero"):
        assert "found a pipe or a device; expected a file" in answers_at_once(lambda path=path: read(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_a_folder_stops_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.png").write_bytes(PNG)
    assert list_files(tmp_path) == ([tmp_path / "a.png"], [tmp_path / "pipe"])


def test_names_are_shown_without_control_characters():
    assert show_path("a/\x1b[2J\nb\u202e\udcff.jpg") == "a/\ufffd[2J\ufffdb\ufffd\ufffd.jpg"
    with pytest.raises(PhotoError) as error:
        read_photo("\x1b]0;title\x07.jpg")
    assert str(error.value).isprintable()


# --- videos ---


@pytest.mark.parametrize(("suffix", "code"), [("avi", "MJPG"), ("mp4", "mp4v"), ("mov", "mp4v"), ("mkv", "mp4v")])
def test_a_video_gives_a_frame_each_half_second(tmp_path, suffix, code):
    path = write_video(tmp_path / f"clip.{suffix}", code)
    frames = list(read_pictures(path.rename(tmp_path / "clip.jpg")))  # what a file is follows from its first bytes
    assert [seconds for seconds, _ in frames] == [0, 0.5, 1, 1.5, 2]
    for seconds, frame in frames:
        assert frame.shape == (64, 96, 3) and abs(frame.mean() - 100 * seconds) < 6


def test_colours_of_a_video_are_red_green_blue(tmp_path):
    video = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 64))
    video.write(np.full((64, 64, 3), (0, 0, 255), np.uint8))  # OpenCV's order is blue, green, red
    video.release()
    [(_, frame)] = read_pictures(tmp_path / "a.avi")
    assert frame[..., 0].min() > 240 and frame[..., 1:].max() < 15


def test_a_damaged_video_is_named_in_silence(tmp_path, capfd):
    whole = write_video(tmp_path / "clip.mp4", "mp4v").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[: len(whole) // 3])
    capfd.readouterr()
    with pytest.raises(PhotoError, match="clip.mp4: found a video without a frame that can be read"):
        list(read_pictures(tmp_path / "clip.mp4"))
    assert capfd.readouterr() == ("", "")


def test_a_photo_is_one_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    [(seconds, picture)] = read_pictures(tmp_path / "a.png")
    assert seconds is None
    np.testing.assert_array_equal(picture, NOISE)
