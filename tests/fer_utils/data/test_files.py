"""Finding a copy of FER2013; archives that are damaged, leave their folder or expand too far."""

import gzip
import os
from pathlib import Path

import pytest

from fer_utils.data import archives
from fer_utils.data.fer2013 import FaceDataError
from fer_utils.data.files import find_fer2013, list_unread
from fer_utils.data.formats import read_fer2013
from small_fer2013 import (
    assert_same,
    make_class_images,
    make_csv,
    make_npz,
    make_tar,
    make_zip,
    refusal,
    refusal_of,
    write_files,
)


def test_find_takes_the_best_copy_and_overlooks_other_files(tmp_path):
    assert find_fer2013(tmp_path / "missing") is None
    (tmp_path / "fer2013new.csv").write_bytes(b"Usage,Image name,neutral,happiness\nTraining,a.png,4,0\n")
    (tmp_path / "photos.zip").write_bytes(make_zip({"holiday/me.png": b"x"}))
    (tmp_path / "other.npz").write_bytes(make_npz(pixels=None))
    (tmp_path / "README.md").write_bytes(b"x")
    write_files(tmp_path, {"cache/a.csv": make_csv(), "runs/a/b.csv": make_csv(), ".hidden.csv": make_csv()})
    assert find_fer2013(tmp_path) is None
    assert "without a copy" in refusal(tmp_path)
    write_files(tmp_path, {"downloads/faces/fer2013.csv": make_csv()})
    assert find_fer2013(tmp_path) == tmp_path / "downloads/faces/fer2013.csv"
    for name, content in (
        ("train.csv", b"emotion,pixels\n"),
        ("train/happy/a.png", b"x"),
        ("fer2013.tar.gz", b"x"),
        ("archive.zip", b"damaged, but a copy"),
        ("z.csv", make_csv()),
        ("a.csv", make_csv()),
        ("fer2013.npz", make_npz()),
    ):
        write_files(tmp_path, {name: content})
        assert find_fer2013(tmp_path) == (tmp_path if "train/" in name else tmp_path / name)
    assert_same(read_fer2013(tmp_path))


def test_a_file_that_cannot_be_read_hides_no_copy_and_is_one_by_its_name(tmp_path, monkeypatch):
    write_files(tmp_path, {"closed.txt": b"x", "fer2013.csv": make_csv(), "z.zip": b"x"})
    open_path = Path.open

    def refuse(path, *arguments, **options):
        if path.name in closed:
            raise PermissionError(13, "Permission denied", str(path))
        return open_path(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    closed = {"closed.txt", "z.zip"}
    assert find_fer2013(tmp_path) == tmp_path / "fer2013.csv"
    closed = {"closed.txt", "fer2013.csv"}
    (tmp_path / "z.zip").unlink()
    assert find_fer2013(tmp_path) == tmp_path / "fer2013.csv"
    assert "locked (PermissionError)" in refusal(tmp_path / "fer2013.csv")
    assert [path.name for path, what in list_unread(tmp_path) if what == "locked"] == ["closed.txt", "fer2013.csv"]
    (tmp_path / "fer2013.csv").unlink()
    assert find_fer2013(tmp_path) is None


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder that cannot be listed, also by root."""

    def refuse(function):
        def refuse_locked(path="."):
            if str(path).endswith("locked"):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path)

        return refuse_locked

    write_files(tmp_path, {"data/locked/happy/a.png": b"x"})
    for name in ("scandir", "listdir"):  # pathlib uses the one or the other
        monkeypatch.setattr(os, name, refuse(getattr(os, name)))
    return tmp_path / "data" / "locked"


def test_a_locked_folder_hides_no_copy_and_is_named(locked):
    data = locked.parent
    assert find_fer2013(data) is None and list_unread(data) == [(locked, "locked")]
    for path in (locked, locked / "fer2013.csv"):
        assert "locked (PermissionError)" in refusal(path)
    write_files(data, {"other/fer2013.csv": make_csv()})
    assert find_fer2013(data) == data / "other" / "fer2013.csv"


def test_a_locked_folder_among_those_of_a_set_is_named(locked):
    data = write_files(locked.parent, make_class_images())
    assert "locked: found a folder that cannot be read (Permission denied)" in refusal(data)


def test_a_linked_folder_among_those_of_a_set_is_named(tmp_path):
    data = write_files(tmp_path / "data", make_class_images())
    (data / "train" / "happy").rename(tmp_path / "elsewhere")
    try:
        (data / "train" / "happy").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("this system lets only some users make links")
    with pytest.raises(FaceDataError, match="data: happy: found a link to a folder; expected folders"):
        read_fer2013(data)


def test_a_name_too_long_for_a_file_is_refused(tmp_path):
    with pytest.raises(FaceDataError, match="xxx.*: found"):
        read_fer2013(tmp_path / ("x" * 300))


def test_a_zip_that_asks_for_another_version_is_named_and_hides_no_better_copy(tmp_path):
    content = bytearray(make_zip({"fer2013.csv": make_csv()}))
    content[content.rindex(b"PK\x01\x02") + 6] = 255  # the version that is needed to read the member
    assert "damaged, cut short or locked (NotImplementedError)" in refusal_of(tmp_path, "a.zip", content)
    assert find_fer2013(tmp_path) == tmp_path / "a.zip"
    assert list_unread(tmp_path) == [(tmp_path / "a.zip", "a damaged archive")]
    write_files(tmp_path, {"fer2013.csv": make_csv()})
    assert find_fer2013(tmp_path) == tmp_path / "fer2013.csv"


# --- archives ---


def test_damaged_archives(tmp_path):
    for name, content in (
        ("a.zip", make_zip({"fer2013.csv": make_csv()})),
        ("a.tar.gz", make_tar({"f.csv": make_csv()})),
    ):
        for damaged in (b"no archive", content[: len(content) // 2], content[:-5]):
            assert "damaged" in refusal_of(tmp_path, name, damaged)
        middle = len(content) // 2
        flipped = content[:middle] + bytes(255 - byte for byte in content[middle : middle + 4]) + content[middle + 4 :]
        refusal_of(tmp_path, name, flipped)  # found as a damaged stream or as a row that is not right


@pytest.mark.parametrize("name", ["/etc/a.csv", "../a.csv", "x/../../a.csv", "C:\\a.csv", "..\\a.csv", "C:a.csv"])
def test_archive_with_names_that_leave_its_folder(tmp_path, name):
    members = {"fer2013.csv": make_csv(), name: b"x"}
    assert f"the member name {name!r}" in refusal_of(tmp_path, "a.zip", make_zip(members))
    assert f"the member name {name!r}" in refusal_of(tmp_path, "a.tar.gz", make_tar(members))


def test_archive_that_expands_too_far(tmp_path, monkeypatch):
    assert archives.MAX_EXPANDED == 10**9
    monkeypatch.setattr(archives, "MAX_EXPANDED", 10**6)
    members = {"fer2013.csv": make_csv(), "zeros": bytes(10**6)}
    assert "archive that expands" in refusal_of(tmp_path, "a.zip", make_zip(members))
    assert "archive that expands" in refusal_of(tmp_path, "a.tar.gz", make_tar(members))
    assert "archive that expands" in refusal_of(tmp_path, "a.npz", make_zip({"pixels.npy": bytes(10**6 + 1)}))
    inner = {"fer2013.npz": make_zip({"pixels.npy": bytes(10**6 + 1)})}
    assert "archive that expands" in refusal_of(tmp_path, "b.zip", make_zip(inner))


def test_archive_is_judged_by_what_is_read_not_by_what_it_states(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_EXPANDED", 10**6)
    tail = gzip.compress(gzip.decompress(make_tar({"fer2013.csv": make_csv()})) + bytes(2 * 10**6))
    assert "archive that expands" in refusal_of(tmp_path, "a.tar.gz", tail)
    content = b"emotion,pixels,Usage\n" + bytes(10**7)
    stated = len(content).to_bytes(4, "little")
    lying = make_zip({"fer2013.csv": content}).replace(stated, (1000).to_bytes(4, "little"))
    refusal_of(tmp_path, "a.zip", lying)
