"""What `fer-course predict` does: which network, which files, and what stands in the csv."""

import csv

import numpy as np
import pytest
from PIL import Image

from fer_course import predict as module
from fer_course.predict import describe_network, find_run, judge_pictures, list_sources, write_csv
from fer_utils.data import CLASS_NAMES
from fer_utils.photo import sample_photo
from fer_utils.training import RunError
from fer_utils.training.runs import save_run
from small_training import build_small_network, make_run


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """A recorded run of lenet_like with seed 0 and one's own with seeds 0 and 1."""
    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "mine"))
    save_run(make_run(dataset="FER2013"), tmp_path / "data" / "runs" / "lenet_like" / "seed-0")
    for seed in (0, 1):
        save_run(make_run(seed=seed), tmp_path / "mine" / "quick-abc" / "lenet_like" / f"seed-{seed}")
    return tmp_path


# --- the network ---


@pytest.mark.parametrize("named", ["lenet_like/1", "lenet_like/seed-1"])
def test_a_run_is_named_by_experiment_and_seed(stores, named):
    assert find_run(named).folder == stores / "mine" / "quick-abc" / "lenet_like" / "seed-1"


def test_ones_own_run_comes_before_the_recorded_one(stores, monkeypatch):
    assert find_run("lenet_like/0").dataset == "drawn faces"
    monkeypatch.setenv("FER_RUNS", str(stores / "none"))
    assert find_run("lenet_like/0").dataset == "FER2013"


def test_a_run_is_named_by_its_folder(stores, monkeypatch):
    monkeypatch.chdir(stores)
    assert find_run("mine/quick-abc/lenet_like/seed-1").seed == 1


def test_several_trainings_of_one_name_are_listed(stores):
    save_run(make_run(profile="full"), stores / "mine" / "full-abc" / "lenet_like" / "seed-0")
    with pytest.raises(RunError, match="lenet_like/0: found 2 trainings; expected one. Name its folder: .*full-abc"):
        find_run("lenet_like/0")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("lenet_like/7", "found no training of it; .* `fer-course train lenet_like --seed 7`"),
        ("alexnet/0", "no experiment 'alexnet'"),
        ("lenet_like", "found no run there; expected EXPERIMENT/SEED"),
        ("/nowhere/lenet_like/seed-0", "found no run there"),
    ],
)
def test_a_run_that_is_not_there(stores, named, words):
    with pytest.raises(ValueError, match=words):
        find_run(named)


def test_a_network_without_a_record_of_photos_says_so(monkeypatch):
    assert "not on faces cut out of photos" in describe_network(make_run())
    monkeypatch.setattr(module.photo, "load_photo_record", lambda run: {"confidence": [1]})
    assert describe_network(make_run()) == "network: lenet_like, seed 0, trained on drawn faces"


# --- the files ---


@pytest.fixture
def folder(tmp_path):
    """Two photos, one of them cut short, a picture without a face, and a text; one lies deeper."""
    (tmp_path / "photos" / "a").mkdir(parents=True)
    Image.fromarray(sample_photo("hard")[0]).save(tmp_path / "photos" / "b.png")
    Image.fromarray(np.zeros((300, 400, 3), np.uint8)).save(tmp_path / "photos" / "empty.png")
    (tmp_path / "photos" / "a" / "cut.png").write_bytes((tmp_path / "photos" / "b.png").read_bytes()[:9000])
    (tmp_path / "photos" / "notes.txt").write_text("emotion", encoding="utf-8")
    return tmp_path / "photos"


def test_files_come_as_named_and_folders_in_name_order(folder):
    sources, others, failed = list_sources(["z.png", str(folder), "a.png"])
    assert sources == ["z.png", *(str(folder / name) for name in ("a/cut.png", "b.png", "empty.png")), "a.png"]
    assert (others, failed) == ([folder / "notes.txt"], [])


def test_a_folder_without_photos_is_an_error(tmp_path):
    (tmp_path / "void").mkdir()
    sources, _, [failed] = list_sources([str(tmp_path / "void"), "a.png"])
    assert sources == ["a.png"] and "void: found a folder without photos; expected some" in failed.error


def test_the_csv_has_a_line_for_each_face_and_none_is_missing(folder, monkeypatch):
    monkeypatch.setenv("FER_PROGRESS", "0")
    sources, _, _ = list_sources([str(folder)])
    pictures = judge_pictures(sources, build_small_network(0.1), make_run())
    write_csv(pictures, folder / "answers.csv")
    with (folder / "answers.csv").open(newline="", encoding="utf-8") as stream:
        cut, face, empty = csv.DictReader(stream)
    [answer] = pictures[1].answers
    assert (face["photo"], face["second"], face["face"]) == (str(folder / "b.png"), "", "1")
    assert tuple(int(face[name]) for name in ("left", "top", "side")) == answer.box
    assert face["class"] == answer.name and float(face[answer.name]) == float(face["probability"])
    assert abs(sum(float(face[name]) for name in CLASS_NAMES) - 1) < 1e-3
    assert (face["share_right"], face["note"]) == ("0.5", "UNCERTAIN")
    assert "damaged or cut short" in cut["note"] and cut["face"] == ""
    assert empty["note"].startswith("no face found") and empty["class"] == ""


def test_an_old_csv_stays_if_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "answers.csv").write_text("old", encoding="utf-8")
    monkeypatch.setattr(module, "_list_lines", lambda picture: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_csv(["picture"], tmp_path / "answers.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]
    assert (tmp_path / "answers.csv").read_text(encoding="utf-8") == "old"


def test_a_csv_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="answers.csv: the csv could not be written"):
        write_csv([], tmp_path / "file" / "answers.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="folder: the csv could not be written"):
        write_csv([], tmp_path / "folder")
