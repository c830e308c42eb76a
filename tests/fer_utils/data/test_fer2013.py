"""The verdict on a copy of FER2013: by its counts, by its checksum, by every pixel."""

import hashlib

from fer_utils.data import fer2013
from fer_utils.data.fer2013 import COUNTS, SPLIT_NAMES
from fer_utils.data.formats import read_fer2013
from small_fer2013 import FACES, make_class_images, make_csv, make_npz, make_zip, write_files


def test_other_counts_are_called_not_fer2013_with_both_counts(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(make_csv())
    found = read_fer2013(tmp_path / "fer2013.csv")
    assert found.verdict.startswith("not FER2013") and not found.is_fer2013 and "\n" not in found.verdict
    for name in SPLIT_NAMES:
        assert f"{name} has 2, 2, 2, 2, 2, 2, 2 images" in found.verdict
        assert ", ".join(map(str, COUNTS[name])) in found.verdict


def test_a_known_md5_makes_a_verified_copy_also_within_archives(tmp_path, as_if_fer2013, monkeypatch):
    content = make_csv()
    monkeypatch.setattr(fer2013, "KNOWN_MD5", {hashlib.md5(content).hexdigest(): "fer2013.csv"})
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "a.zip").write_bytes(make_zip({"b.csv": content}))
    for name in ("a.csv", "a.zip"):
        found = read_fer2013(tmp_path / name)
        assert found.verdict.startswith("verified copy of fer2013.csv (md5") and found.is_fer2013


def test_a_lossless_copy_is_verified_by_its_rows_in_any_layout(tmp_path, as_if_fer2013, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(make_npz())
    assert read_fer2013(path).verdict == "FER2013 by its counts; pixels not verified"
    table = fer2013.FaceTable(*FACES)
    monkeypatch.setattr(fer2013, "CONTENT_SHA256", fer2013._digest_rows(table))
    folder = write_files(tmp_path / "faces", make_class_images())
    for source in (path, folder):
        assert read_fer2013(source).verdict.startswith("verified copy, every pixel")
    changed = FACES[0].copy()
    changed[3, 4, 5] ^= 1
    path.write_bytes(make_npz(pixels=changed))
    assert "not verified" in read_fer2013(path).verdict
