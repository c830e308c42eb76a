"""What answers on faces in photos are worth: recorded once, by numbers alone."""

import numpy as np
import pytest

from fer_course import record_photos as module
from fer_course.record_photos import make_photo, record_photos
from fer_utils.data import draw_face
from fer_utils.data.load import FER2013_FINGERPRINT, Split
from fer_utils.photo import PHOTO_RECORD, SQUARES, find_faces, load_photo_record
from fer_utils.report import find_best, load_recorded
from fer_utils.training import RunError
from small_training import build_small_network, make_faces, make_run


@pytest.fixture
def faces(monkeypatch):
    """FER2013 that is drawn, three faces and a black image, and a network that is built at once."""
    images = np.stack([*(draw_face({}, seed).reshape(48, 48, 1) for seed in range(3)), np.zeros((48, 48, 1), np.uint8)])
    run = make_run(experiment="best")
    monkeypatch.setattr(module, "load_recorded", lambda: {"best": [run]})
    monkeypatch.setattr(module, "find_best", lambda recorded: recorded["best"][0])
    monkeypatch.setattr(module, "load_network", lambda run: build_small_network(0.1))
    monkeypatch.setattr(module, "N_CHOSEN_ON", 1)
    monkeypatch.setenv("FER_PROGRESS", "0")
    return make_faces(fingerprint=FER2013_FINGERPRINT, validation=Split(images, np.arange(4)))


def test_faces_that_did_not_choose_the_cut_are_recorded_once(faces, tmp_path, monkeypatch):
    path = tmp_path / "photos.json"
    found = record_photos(faces, path)
    assert (found["n_tried"], found["n_found"]) == (3, 2), "one is black, one helped to choose"
    assert len(found["confidence"]) == len(found["correct"]) == 2
    assert found["accuracy"] == np.mean(found["correct"]) and all(1 / 7 <= value <= 1 for value in found["confidence"])
    assert found["squares"] == list(SQUARES)
    monkeypatch.setattr(module, "_judge_photos", None)
    assert record_photos(faces, path) == found == load_photo_record(make_run(experiment="best"), path)
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(module, "SQUARES", (1,))
        record_photos(faces, path)  # of another cut: it would be recorded anew
    path.write_text("{", encoding="utf-8")
    with pytest.raises(TypeError):
        record_photos(faces, path)  # damaged: likewise


def test_photos_of_other_faces_are_not_recorded(tmp_path):
    with pytest.raises(ValueError, match="these faces are noise"):
        record_photos(make_faces(), tmp_path / "photos.json")


def test_without_weights_nothing_is_recorded(faces, tmp_path, monkeypatch, capsys):
    def find_none(recorded):
        raise RunError("no run has its weights")

    monkeypatch.setattr(module, "find_best", find_none)
    assert record_photos(faces, tmp_path / "photos.json") is None
    assert "photos are not recorded: no run has" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_a_frame_becomes_a_photo_around_it():
    face = draw_face({}, 0).reshape(48, 48, 1)
    photo = make_photo(face)
    assert photo.shape == (384, 384, 3) and len(find_faces(photo)) == 1
    assert np.abs(photo[96:288:4, 96:288:4, 0].astype(int) - face[..., 0]).mean() < 12
    assert (photo[0] == photo[96]).all(), "the border is continued"


def test_the_record_is_of_the_best_network_and_of_todays_cut():
    found = load_photo_record(find_best(load_recorded()))
    assert found is not None, f"{PHOTO_RECORD.name} is of another training: `fer-course reproduce` writes it anew"
    assert found["squares"] == list(SQUARES) and found["n_found"] == len(found["correct"]) > 1000
