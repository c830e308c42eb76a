"""Which faces are loaded, what is said about them, and the cache. All faces here are random noise."""

import dataclasses
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer_utils import environment
from fer_utils.data import drawn_faces, fer2013, formats, kaggle
from fer_utils.data.fer2013 import CLASS_NAMES, FaceDataError
from fer_utils.data.load import find_copies, load_faces
from small_training import make_faces, mutate


@pytest.fixture(autouse=True)
def course(tmp_path, monkeypatch):
    """An empty data folder, no FER_DATA, the quick profile, small drawn sets; `.reads` lists what was read or drawn."""
    reads = []

    def draw(counts, seed):
        reads.append("drawn")
        return real_draw(counts, seed)

    def read(path):
        reads.append(path.name)
        return real_read(path)

    real_draw, real_read = drawn_faces.draw_faces, formats.read_fer2013
    monkeypatch.delenv("FER_DATA", raising=False)
    monkeypatch.setenv("FER_PROFILE", "quick")
    monkeypatch.setattr(environment, "DATA", tmp_path / "data")
    monkeypatch.setattr(environment, "CACHE", tmp_path / "data" / "cache")
    monkeypatch.setattr(drawn_faces, "SIZES", {"quick": (12, 4, 3), "full": (14, 5, 6)})
    monkeypatch.setattr(drawn_faces, "draw_faces", draw)
    monkeypatch.setattr("fer_utils.data.load.read_fer2013", read)
    return SimpleNamespace(data=tmp_path / "data", cache=tmp_path / "data" / "cache", reads=reads)


def write_npz(path, seed=0, usage=(0, 0, 0, 1, 1, 2)):
    rng = np.random.default_rng(seed)
    arrays = {
        "pixels": rng.integers(0, 256, (len(usage), 48, 48), np.uint8),
        "emotion": rng.integers(0, 7, len(usage), np.uint8),
        "usage": np.array(usage, np.uint8),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return arrays


def assert_equal(faces, others):
    assert (faces.name, faces.fingerprint) == (others.name, others.fingerprint)
    for split in ("train", "validation", "test"):
        assert np.array_equal(getattr(faces, split).images, getattr(others, split).images)
        assert np.array_equal(getattr(faces, split).labels, getattr(others, split).labels)


def test_drawn_faces_without_any_copy_said_loudly(course, capsys, monkeypatch):
    faces = load_faces()
    assert capsys.readouterr().out == (
        "drawn faces, NOT FER2013: 12 training, 4 validation and 3 test images; quick profile\n"
    )
    assert faces.name == "drawn faces" and faces.class_names == CLASS_NAMES
    assert [len(split.labels) for split in (faces.train, faces.validation, faces.test)] == [12, 4, 3]
    monkeypatch.setenv("FER_PROFILE", "full")
    assert len(load_faces("drawn").train.labels) == 14
    assert "full profile" in capsys.readouterr().out
    monkeypatch.setenv("FER_PROFILE", "quick")
    assert_equal(load_faces(), faces)
    assert course.reads == ["drawn", "drawn"]


def test_source_is_the_argument_then_fer_data_then_the_data_folder(course, tmp_path, monkeypatch):
    for name in ("argument", "variable", "data/copy"):
        write_npz(tmp_path / f"{name}.npz")
    assert load_faces().name == "not FER2013 (copy.npz)"
    monkeypatch.setenv("FER_DATA", str(tmp_path / "variable.npz"))
    assert load_faces().name == "not FER2013 (variable.npz)"
    assert load_faces(tmp_path / "argument.npz").name == "not FER2013 (argument.npz)"
    monkeypatch.setenv("FER_DATA", "drawn")
    assert load_faces().name == "drawn faces"
    monkeypatch.setenv("FER_DATA", "")
    assert load_faces().name == "not FER2013 (copy.npz)"
    assert load_faces(tmp_path / "data").name == "not FER2013 (copy.npz)"


def test_splits_hold_the_rows_of_their_usage_in_order(course):
    arrays = write_npz(course.data / "mixed.npz", usage=(2, 0, 1, 0, 2, 1, 0))
    faces = load_faces()
    for code, split in enumerate((faces.train, faces.validation, faces.test)):
        rows = arrays["usage"] == code
        assert split.images.dtype == np.uint8 and split.labels.dtype == np.int64
        assert np.array_equal(split.images, arrays["pixels"][rows][..., np.newaxis])
        assert np.array_equal(split.labels, arrays["emotion"][rows])


def test_one_line_says_what_was_loaded_without_its_folder(course, capsys, monkeypatch):
    write_npz(course.data / "mine.npz")
    load_faces()
    line = capsys.readouterr().out
    assert line.startswith("NOT FER2013 (mine.npz): 3 training, 2 validation and 1 test images; quick profile; not FER")
    assert "where FER2013 has 3995, 436" in line and line.count("\n") == 1 and str(course.data) not in line
    verdict = "verified copy of fer2013.csv (md5 0)"
    read = formats.read_fer2013

    def read_as_verified(path):
        found = read(path)
        return fer2013.Fer2013(found.pixels, found.labels, found.usage, verdict, True)

    monkeypatch.setattr("fer_utils.data.load.read_fer2013", read_as_verified)
    write_npz(course.data / "mine.npz", seed=1)
    assert load_faces().name == "FER2013"
    assert capsys.readouterr().out == (
        f"FER2013: 3 training, 2 validation and 1 test images; quick profile; {verdict}\n"
    )


def test_fingerprint_depends_on_images_labels_and_splits(course):
    def fingerprint(**changes):
        arrays = write_npz(course.data / "a.npz")
        np.savez(course.data / "a.npz", **{**arrays, **changes})
        shutil.rmtree(course.cache, ignore_errors=True)
        return load_faces().fingerprint

    first = fingerprint()
    assert len(first) == 16 and int(first, 16) >= 0 and fingerprint() == first
    arrays = write_npz(course.data / "a.npz")
    pixels, emotion = arrays["pixels"].copy(), arrays["emotion"].copy()
    pixels[5, 47, 47] ^= 1
    emotion[0] = (emotion[0] + 1) % 7
    usage = np.array((0, 0, 1, 1, 1, 2), np.uint8)
    others = [fingerprint(pixels=pixels), fingerprint(emotion=emotion), fingerprint(usage=usage)]
    assert len({first, *others}) == 4


def test_second_load_comes_from_the_cache(course):
    write_npz(course.data / "a.npz")
    faces = load_faces()
    assert_equal(load_faces(), faces)
    assert course.reads == ["a.npz"]


def test_stale_cache_is_made_anew(course, monkeypatch):
    path = course.data / "a.npz"
    write_npz(path)
    first = load_faces()
    before = path.stat()
    write_npz(path, seed=1)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # of the same size: only the time tells
    second = load_faces()
    assert second.fingerprint != first.fingerprint
    write_npz(path, usage=(0, 1, 2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # of the same time: only the size tells
    assert len(load_faces().train.labels) == 1
    assert course.reads == ["a.npz"] * 3
    load_faces("drawn")
    monkeypatch.setattr(drawn_faces, "VERSION", drawn_faces.VERSION + 1)
    load_faces("drawn")
    assert course.reads[3:] == ["drawn", "drawn"]


def test_a_file_put_in_anothers_place_with_its_size_and_time_is_read(course, tmp_path):
    path, other = course.data / "a.npz", tmp_path / "other.npz"
    write_npz(path)
    first = load_faces()
    before = path.stat()
    write_npz(other, seed=1)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert load_faces().fingerprint != first.fingerprint


def test_what_a_killed_writer_left_in_the_cache_is_swept(course):
    write_npz(course.data / "a.npz")
    load_faces()
    (cache,) = course.cache.iterdir()
    left, foreign = course.cache / ".another.npz.tmp", course.cache / "notes.tmp"
    for path in (left, foreign):
        path.write_text("half", encoding="utf-8")
    cache.unlink()
    load_faces()
    assert sorted(course.cache.iterdir()) == sorted([cache, foreign])


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"no cache",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: flip(content, 5000),  # within the images
        lambda content: flip(content, 48 * 48 * 6 + 700),  # beyond them, within the labels or the facts
        lambda content: flip(content, 150),  # within the header of the images
    ],
)
def test_damaged_cache_is_noticed_and_made_anew(course, capsys, damage):
    write_npz(course.data / "a.npz")
    faces = load_faces()
    (cache,) = course.cache.iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    capsys.readouterr()
    assert_equal(load_faces(), faces)
    assert capsys.readouterr().out.endswith("; the cache was damaged and has been made anew\n")
    assert_equal(load_faces(), faces)
    assert "damaged" not in capsys.readouterr().out
    assert course.reads == ["a.npz", "a.npz"] and list(course.cache.iterdir()) == [cache]


def test_no_mutation_of_the_cache_passes_unseen(course):
    write_npz(course.data / "a.npz")
    expected = load_faces()
    (cache,) = course.cache.iterdir()
    for mutated in mutate(cache.read_bytes(), np.random.default_rng(0), 200):
        cache.write_bytes(mutated)
        assert_equal(load_faces(), expected)


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle(course):
    write_npz(course.data / "a.npz")
    course.cache.write_text("a file where the folder should be", encoding="utf-8")
    assert load_faces().fingerprint == load_faces().fingerprint
    assert course.reads == ["a.npz", "a.npz"]


def test_change_within_class_folders_makes_their_cache_stale(course):
    from PIL import Image

    folder = course.data / "faces"
    for split in ("train", "validation", "test"):
        (folder / split / "happy").mkdir(parents=True)
        Image.new("L", (48, 48), 7).save(folder / split / "happy" / "im1.png")
    assert load_faces().train.images.max() == 7
    load_faces()
    Image.new("L", (48, 48), 9).save(folder / "train" / "happy" / "im2.png")
    assert load_faces().train.images.max() == 9
    first, second = (folder / "train" / "happy" / name for name in ("im1.png", "im2.png"))
    second.rename(first)  # of the same size, and the newest of all: that there is one less tells
    assert load_faces().train.images.tolist() == load_faces(folder).train.images.tolist()
    assert course.reads == ["faces"] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_a_path_that_is_no_utf_8_is_read(course, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.npz"))
    write_npz(path.with_name("a.npz"))
    path.with_name("a.npz").rename(path)
    assert_equal(load_faces(path), load_faces(path))
    assert course.reads == [path.name]


def test_errors_of_the_source(course, tmp_path, monkeypatch):
    with pytest.raises(FaceDataError, match="no such file or folder"):
        load_faces(tmp_path / "missing.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FaceDataError, match="without a copy of FER2013"):
        load_faces(tmp_path / "empty")
    course.data.mkdir()
    (course.data / "fer2013.zip").write_bytes(b"damaged")
    with pytest.raises(FaceDataError, match=r"fer2013\.zip: found a file that is damaged"):
        load_faces()  # never the drawn faces in place of a copy that cannot be read
    monkeypatch.setenv("FER_PROFILE", "slow")
    with pytest.raises(ValueError, match="FER_PROFILE"):
        load_faces("drawn")


def test_what_lies_in_data_and_is_not_read_is_named_before_the_drawn_faces(course, capsys):
    course.data.mkdir()
    (course.data / "fer2013.rar").write_bytes(b"Rar!\x1a\x07\0")
    (course.data / "shard.parquet").write_bytes(b"PAR1")
    (course.data / "README.md").write_text("no copy", encoding="utf-8")
    (course.data / "semicolons.csv").write_text("emotion;pixels;Usage\n", encoding="utf-8")
    np.savez(course.data / "y.npz", x_train=np.zeros(3))
    (course.data / "zz_own" / "happy").mkdir(parents=True)
    (course.data / "zz_other" / "notes").mkdir(parents=True)
    assert load_faces().name == "drawn faces"
    *unread, last = capsys.readouterr().out.splitlines()
    assert unread[0] == "data/fer2013.rar is not read, a rar archive: unpack it, or save it as a csv"
    assert [line.split(":")[0] for line in unread[1:]] == [
        "data/semicolons.csv is not read, a table with other columns",
        "data/shard.parquet is not read, a parquet file",
        "data/y.npz is not read, arrays of other names or forms",
        "data/zz_own is not read, folders of classes without splits",
    ]
    assert "`fer-course data convert data/semicolons.csv TARGET.npz`" in unread[1]
    assert last.startswith("drawn faces, NOT FER2013")


def test_a_pipe_is_refused_at_once(course, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FaceDataError, match="a pipe or a device"):
        load_faces(tmp_path / "pipe.csv")
    write_npz(tmp_path / "set" / "train" / "happy" / "a.npz")
    os.mkfifo(tmp_path / "set" / "train" / "happy" / "pipe.png")
    with pytest.raises(FaceDataError, match="train/happy/pipe.png: found a pipe, a device or a link to nothing"):
        load_faces(tmp_path / "set")
    course.data.mkdir()
    os.mkfifo(course.data / "pipe.csv")
    assert load_faces().name == "drawn faces"
    assert "data/pipe.csv is not read, a pipe, a device or a link to nothing" in capsys.readouterr().out


def test_a_link_to_nothing_is_named(course, tmp_path, capsys):
    for path in (course.data / "fer2013.csv", tmp_path / "set" / "train" / "happy" / "a.png"):
        path.parent.mkdir(parents=True)
        try:
            path.symlink_to(tmp_path / "nothing")
        except OSError:
            pytest.skip("this system lets only some users make links")
    assert load_faces().name == "drawn faces"
    assert "data/fer2013.csv is not read, a pipe, a device or a link to nothing" in capsys.readouterr().out
    with pytest.raises(FaceDataError, match="a.png: found a file that is damaged, cut short or locked"):
        load_faces(tmp_path / "set")


def test_fetch_puts_the_download_where_load_faces_finds_it(course, tmp_path, monkeypatch):
    asked = []

    def download(handle):
        asked.append(handle)
        write_npz(tmp_path / "downloaded" / "versions" / "fer2013.npz")
        return str(tmp_path / "downloaded")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    for _ in range(2):
        folder = kaggle.fetch_fer2013()
        assert folder.parent == course.data
        assert load_faces().name == "not FER2013 (fer2013.npz)"
    assert asked == ["msambare/fer2013"] * 2


def test_a_copy_that_was_being_fetched_again_when_the_process_died_is_found_again(course):
    write_npz(course.data / ".msambare-fer2013.old" / "fer2013.npz")
    load_faces()
    assert course.reads == ["fer2013.npz"]
    assert (course.data / "msambare-fer2013" / "fer2013.npz").exists()


def test_fetch_says_how_to_do_it_by_hand(course, tmp_path, monkeypatch):
    def fail(handle):
        raise ConnectionError("no network")

    by_hand = "By hand: open https://www.kaggle.com/c/challenges-in.*put icml_face_data.csv.*into data/"
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=fail))
    with pytest.raises(FaceDataError, match=rf"ConnectionError: no network.*{by_hand}"):
        kaggle.fetch_fer2013()
    (tmp_path / "nothing").mkdir()
    empty = SimpleNamespace(dataset_download=lambda handle: str(tmp_path / "nothing"))
    monkeypatch.setitem(sys.modules, "kagglehub", empty)
    with pytest.raises(FaceDataError, match=by_hand):
        kaggle.fetch_fer2013()
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(FaceDataError, match=rf"kagglehub is not installed.*{by_hand}"):
        kaggle.fetch_fer2013()
    assert not course.data.exists()


def test_real_fer2013(course, real_fer2013, capsys):
    faces = load_faces(real_fer2013 / "fer2013.npz")
    assert faces.name == "FER2013" and "verified copy" in capsys.readouterr().out
    assert [len(split.labels) for split in (faces.train, faces.validation, faces.test)] == [28709, 3589, 3589]
    assert round(faces.train.images.mean() / 255, 5) == 0.50774
    assert_equal(load_faces(real_fer2013 / "fer2013.npz"), faces)
    assert course.reads == ["fer2013.npz"]
    shutil.rmtree(course.cache)


def test_copies_are_found_pixel_for_pixel():
    faces = make_faces()
    images = faces.test.images.copy()
    images[[3, 5]] = faces.train.images[[0, 9]]
    images[7] = faces.train.images[1]
    images[7, 0, 0] ^= 1
    assert find_copies(dataclasses.replace(faces.test, images=images), faces.train) == [3, 5]
