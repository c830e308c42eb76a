"""The reader of FER2013: every layout, every refusal. All faces are random noise but for those of `real_fer2013`."""

import hashlib
import io
import json
import pickle
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_utils.data import fer2013, formats
from fer_utils.data.fer2013 import CLASS_NAMES, SPLIT_NAMES, FaceDataError
from fer_utils.data.formats import read_fer2013
from fer_utils.data.images import prepare_face
from small_fer2013 import (
    FACES,
    arrays_of,
    as_rows,
    assert_same,
    make_class_images,
    make_csv,
    make_image,
    make_npz,
    make_tar,
    make_zip,
    refusal,
    refusal_of,
    write_files,
)
from small_photos import NOISE

# --- csv and npz ---


CSV_FORMS = {
    "fer2013": make_csv(),
    "icml": make_csv(header="emotion, Usage, pixels"),
    "quotes and CRLF": make_csv(newline="\r\n", quote='"'),
    "byte order mark": b"\xef\xbb\xbf" + make_csv(),
    "no last line end": make_csv().rstrip(b"\n"),
    "icml without last line end": make_csv(header="emotion, Usage, pixels").rstrip(b"\n"),
    "blank last lines": make_csv() + b"\n\n\n\n\n\n\n\n",
    "two blanks, leading blank, tab": make_csv().replace(b" ", b"  ", 1).replace(b",", b", ").replace(b" ", b"\t", 3),
    "other order": make_csv(header="Usage,PIXELS,Emotion"),
}


@pytest.mark.parametrize("form", CSV_FORMS)
def test_csv_in_every_form(tmp_path, form):
    path = tmp_path / "any name.CSV"
    path.write_bytes(CSV_FORMS[form])
    assert_same(read_fer2013(path))
    assert_same(read_fer2013(str(path)))


def test_csv_keeps_the_order_of_its_rows(tmp_path):
    order = np.random.default_rng(2).permutation(len(FACES[1]))
    mixed = tuple(array[order] for array in FACES)
    (tmp_path / "mixed.csv").write_bytes(make_csv(mixed))
    assert_same(read_fer2013(tmp_path / "mixed.csv"), mixed)


def test_npz(tmp_path):
    (tmp_path / "fer2013.npz").write_bytes(make_npz(pixels=FACES[0].astype(np.int64)))
    assert_same(read_fer2013(tmp_path / "fer2013.npz"))


def test_pixels_are_parsed_as_a_loop_parses_them():
    rng = np.random.default_rng(3)
    for width in (10, 100, 256):
        image = rng.integers(0, width, N_PIXELS)
        padded = " ".join(f"{value:0{rng.integers(1, 4)}d}" for value in image)  # 7, 07 and 007 are the same number
        parsed = formats._parse_pixels(padded.encode(), "line 2")
        assert parsed.dtype == np.uint8 and np.array_equal(parsed, np.array(padded.split(), dtype=np.uint8))


@pytest.mark.parametrize("n_blank", [1, 31, 32, 33, 1000])
@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \t\n"])
def test_blank_lines_anywhere_are_skipped_and_counted(tmp_path, n_blank, blank):
    lines = make_csv().splitlines(keepends=True)
    (tmp_path / "fer2013.csv").write_bytes(b"".join([*lines[:5], n_blank * blank, *lines[5:], n_blank * blank]))
    assert_same(read_fer2013(tmp_path / "fer2013.csv"))
    content = b"".join([lines[0], n_blank * blank, *lines[1:9], n_blank * blank, b"7,1 2 3,Training\n", *lines[9:]])
    message = refusal_of(tmp_path, "fer2013.csv", content)
    assert f"line {10 + 2 * n_blank}: found the label '7'" in message


# --- archives and folders ---


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("fer2013.zip", {"fer2013.csv": make_csv()}),
        ("icml_face_data.csv.zip", {"__MACOSX/._icml": b"x", "icml_face_data.csv": CSV_FORMS["icml"]}),
        ("archive.ZIP", {"notes.txt": b"x", "fer2013/fer2013.csv": make_csv(), "fer2013/README": b"x"}),
        ("fer2013.tar.gz", {"fer2013/README": b"x", "fer2013/fer2013.csv": make_csv(), "fer2013/fer2013.bib": b"x"}),
        ("fer2013.tgz", {"fer2013.csv": make_csv()}),
        (
            "kaggle.zip",
            {"example_submission.csv": b"emotion\n0\n", "train.csv": b"emotion,pixels\n", "a.csv": make_csv()},
        ),
        ("npz.zip", {"fer2013.npz": make_npz()}),
    ],
)
def test_archives_are_read_without_unpacking(tmp_path, name, members):
    path = tmp_path / name
    path.write_bytes(make_zip(members) if name.lower().endswith("zip") else make_tar(members))
    assert_same(read_fer2013(path))
    assert list(tmp_path.iterdir()) == [path]


OTHER_SPELLING = ["ANGRY", "Disgusted", "fearful", "Happy", "SAD", "surprised", "Neutral"]


@pytest.mark.parametrize(
    "members",
    [
        make_class_images(),
        make_class_images(("Train", "Test", "TEST"), OTHER_SPELLING),
        make_class_images(("archive/train", "archive/validation", "archive/test"), name="im{row}.png"),
        make_class_images(("train", "val", "test"), name="Training_{row}.png"),  # three folders: the folder decides
        {"__MACOSX/train/happy/._a.png": b"x", "train/.DS_Store": b"x", "preview.png": b"x", **make_class_images()},
    ],
)
def test_class_folders_give_the_same_rows_in_fer2013s_own_class_order(tmp_path, members):
    assert_same(read_fer2013(write_files(tmp_path / "faces", members)), sort=True)
    for name, content in (("faces.zip", make_zip(members)), ("faces.tar.gz", make_tar(members))):
        (tmp_path / name).write_bytes(content)
        assert_same(read_fer2013(tmp_path / name), sort=True)


def test_jpg_folders_give_equal_labels_and_a_remark(tmp_path, as_if_fer2013):
    found = read_fer2013(write_files(tmp_path / "faces", make_class_images(name="{usage}_{row}.jpg")))
    assert found.is_fer2013 and "pixels not verified" in found.verdict and "jpg" in found.verdict
    assert np.array_equal(np.sort(found.usage * 7 + found.labels), np.sort(FACES[2] * 7 + FACES[1]))


def test_rows_of_folders_come_by_split_class_and_number(tmp_path):
    members = {
        f"{split}/sad/{name}": make_image(np.full((48, 48), grey, np.uint8))
        for split in ("train", "validation", "test")
        for name, grey in (("im10.png", 10), ("im9.png", 9))
    }
    found = read_fer2013(write_files(tmp_path / "faces", members))
    assert found.pixels[:, 0, 0].tolist() == [9, 10] * 3
    assert found.usage.tolist() == [0, 0, 1, 1, 2, 2] and set(found.labels) == {CLASS_NAMES.index("Sad")}


def test_unnamed_test_images_are_divided_by_number_where_the_counts_are_fer2013s(tmp_path, as_if_fer2013):
    found = read_fer2013(write_files(tmp_path / "faces", make_class_images(name="im{row}.png")))
    assert_same(found, sort=True)  # rows stand by split, so the lower numbers are PublicTest's
    assert "number order" in found.verdict


def test_other_unnamed_test_images_are_halved_within_each_class_by_a_fixed_seed(tmp_path):
    folder = write_files(tmp_path / "faces", make_class_images(name="im{row}.png"))
    found, again = read_fer2013(folder), read_fer2013(folder)
    assert "halved at random within each class (seed 0)" in found.verdict and not found.is_fer2013
    assert np.array_equal(fer2013.count_images(found.labels, found.usage), np.full((3, 7), 2))
    assert_same(again, arrays_of(found))
    assert as_rows((found.pixels, found.labels, found.usage > 0)) == as_rows((FACES[0], FACES[1], FACES[2] > 0))


# --- one preparation of every image ---


def test_grey_levels_stay_bit_by_bit():
    grey = NOISE[:48, :48, 0]
    np.testing.assert_array_equal(prepare_face(Image.fromarray(grey)), grey)
    np.testing.assert_array_equal(prepare_face(Image.fromarray(grey).convert("RGB")), grey)


@pytest.mark.parametrize("side", [7, 96, 480])
def test_a_face_of_another_size_is_scaled(side):
    ramp = np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))
    scaled = prepare_face(Image.fromarray(ramp))
    assert scaled.shape == (48, 48) and np.all(np.diff(scaled.astype(int), axis=1) >= 0)
    assert abs(scaled.mean() - 127.5) < 3


def test_scaling_down_takes_the_mean_of_all_pixels():
    checks = np.indices((480, 480)).sum(axis=0) % 2 * 255
    scaled = prepare_face(Image.fromarray(checks.astype(np.uint8)))
    assert np.ptp(scaled) <= 2 and abs(scaled.mean() - 127.5) < 2


# --- refusals ---


N_PIXELS = 48 * 48

GOOD_TEXT = " ".join(["7"] * N_PIXELS)


def test_missing_and_empty_files(tmp_path):
    assert "no such file" in refusal(tmp_path / "fer2013.csv")
    for name in ("fer2013.csv", "fer2013.npz", "fer2013.zip", "fer2013.tar.gz", "a.txt"):
        assert "empty file" in refusal_of(tmp_path, name, b"")
    assert "no FER2013 file" in refusal_of(tmp_path, "a.txt", b"text")


@pytest.mark.parametrize(
    "first_line", [b"", b"label,pixels,Usage", b"emotion;pixels;Usage", b"0,1 2 3,Training", b"emotion,pixels,Usage,x"]
)
def test_wrong_header(tmp_path, first_line):
    message = refusal_of(tmp_path, "fer2013.csv", first_line + b"\n" + make_csv().split(b"\n", 1)[1])
    assert "fer2013.csv, line 1" in message and "emotion, pixels and Usage" in message


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (f"0,{GOOD_TEXT[2:]},Training", "2,303 pixels; expected 2,304"),
        (f"0,{GOOD_TEXT} 7,Training", "2,305 pixels; expected 2,304"),
        ("0,,Training", "0 pixels"),
        (
            f"0,{GOOD_TEXT} {GOOD_TEXT * 20},Training",
            "a row of 65,536 characters or more",
        ),  # longer than any row: read in parts
        (f"0,{GOOD_TEXT[2:]} 7.5,Training", "the pixel '7.5'"),
        (f"0,{GOOD_TEXT[2:]} x,Training", "the pixel 'x'"),
        (f"0,{GOOD_TEXT[2:]} nan,Training", "the pixel 'nan'"),
        (f"0,{GOOD_TEXT[2:]} -1,Training", "the pixel '-1'"),
        (f"0,256 {GOOD_TEXT[2:]},Training", "the pixel '256'"),
        (f"0,{GOOD_TEXT[2:]} 999,Training", "the pixel '999'"),
        (f"0,1000 {GOOD_TEXT[2:]},Training", "the pixel '1000'"),
        (f"0,{GOOD_TEXT[2:]} 65543,Training", "the pixel '65543'"),
        (f"0,{GOOD_TEXT[2:]} 4294967303,Training", "the pixel '4294967303'"),  # 7 and 2 to the power of 32
        (f"0,{GOOD_TEXT[2:]} 18446744073709551623,Training", "the pixel '18446744073709551623'"),  # 2 to that of 64
        (f"0,{GOOD_TEXT[2:]} {'9' * 5000},Training", "the pixel '99999999999999999999'"),
        (f"0,{GOOD_TEXT[2:]} +7,Training", "the pixel '+7'"),
        (f"0,{GOOD_TEXT[2:]} 0x7,Training", "the pixel '0x7'"),
        (f"0,{GOOD_TEXT[2:]} 7x,Training", "the pixel '7x'"),
        (f"0,{GOOD_TEXT[2:]} 7\0,Training", "the pixel '7\\x00'"),
        (f"7,{GOOD_TEXT},Training", "the label '7'; expected a whole number from 0 to 6"),
        (f"-1,{GOOD_TEXT},Training", "the label '-1'"),
        (f"happy,{GOOD_TEXT},Training", "the label 'happy'"),
        (f",{GOOD_TEXT},Training", "the label ''"),
        (f"0,{GOOD_TEXT},Test", "the Usage 'Test'; expected Training, PublicTest, PrivateTest"),
        (f"0,{GOOD_TEXT}", "2 columns"),
    ],
)
def test_wrong_row_is_named(tmp_path, row, found):
    lines = make_csv().decode().split("\n")
    lines.insert(9, row)
    message = refusal_of(tmp_path, "fer2013.csv", "\n".join(lines).encode())
    assert "fer2013.csv, line 10: found" in message and found in message and "cut off" not in message
    (tmp_path / "a.zip").write_bytes(make_zip({"x/fer2013.csv": "\n".join(lines).encode()}))
    assert "a.zip: x/fer2013.csv, line 10: found" in refusal(tmp_path / "a.zip")


@pytest.mark.parametrize("header", ["emotion,pixels,Usage", "emotion, Usage, pixels"])
@pytest.mark.parametrize("left_out", [4, 12, 3000])
def test_file_cut_in_the_middle_of_a_row(tmp_path, header, left_out):
    content = make_csv((FACES[0] // 100, *FACES[1:]), header)  # all numbers of one digit: a cut never hides in the last
    message = refusal_of(tmp_path, "fer2013.csv", content[:-left_out])
    assert f"line {len(FACES[1]) + 1}" in message and "cut off in this row" in message


def test_missing_split(tmp_path):
    for missing, name in enumerate(SPLIT_NAMES):
        kept = tuple(array[FACES[2] != missing] for array in FACES)
        assert f"no image for {name}" in refusal_of(tmp_path, "fer2013.csv", make_csv(kept))
    assert "no image for Training and PublicTest and PrivateTest" in refusal_of(
        tmp_path, "fer2013.csv", b"emotion,pixels,Usage\n"
    )
    train = {name: image for name, image in make_class_images().items() if name.startswith("train")}
    assert "no image for PublicTest and PrivateTest" in refusal(write_files(tmp_path / "faces", train))


def test_train_and_test_csv_say_which_file_has_the_labels(tmp_path):
    train, test = make_csv(header="emotion,pixels", quote='"'), make_csv(header="pixels", newline="\r\n", quote='"')
    assert "labels of the training images alone" in refusal_of(tmp_path, "train.csv", train)
    message = refusal(tmp_path / "train.csv")
    assert "train.csv labels training alone, test.csv nothing: use icml_face_data.csv or fer2013.csv" in message
    assert "pixels without labels" in refusal_of(tmp_path, "test.csv", test)
    with pytest.raises(FaceDataError, match="use icml_face_data.csv or fer2013.csv"):
        read_fer2013(tmp_path)
    (tmp_path / "test.csv.zip").write_bytes(make_zip({"test.csv": test}))
    assert "test.csv: found pixels without labels" in refusal(tmp_path / "test.csv.zip")
    (tmp_path / "both.zip").write_bytes(make_zip({"test.csv": test, "train.csv": train}))
    assert "use icml_face_data.csv or fer2013.csv" in refusal(tmp_path / "both.zip")


def test_archive_without_fer2013(tmp_path):
    for members, found in (
        ({"README": b"x"}, "no FER2013 file"),
        ({"me.png": b"x"}, "in no folder of a class: 1 file"),
    ):
        assert found in refusal_of(tmp_path, "a.zip", make_zip(members))
        assert found in refusal_of(tmp_path, "a.tar.gz", make_tar(members))
    assert "the header 'a,b'" in refusal_of(tmp_path, "a.zip", make_zip({"other.csv": b"a,b\n"}))


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "ran")


def test_pickled_files_are_never_opened(tmp_path):
    sign = tmp_path / "sign"
    objects = np.array([Trap(sign)], dtype=object)
    for name, content in (
        ("a.npz", make_npz(emotion=objects)),
        ("d.zip", make_zip({"a.npz": make_npz(pixels=objects)})),
    ):
        assert "may run code" in refusal_of(tmp_path, name, content)
    stream = io.BytesIO()
    np.save(stream, objects, allow_pickle=True)
    assert "may run code" in refusal_of(tmp_path, "e.npy", stream.getvalue())
    for name in ("b.npz", "c.npy", "d.zip"):
        assert "damaged, or no ." in refusal_of(tmp_path, name, pickle.dumps(Trap(sign)))
    assert not sign.exists()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"usage": None}, "only the arrays pixels, emotion"),
        ({"pixels": FACES[0][:, :47]}, "pixels of shape (42, 47, 48)"),
        ({"pixels": FACES[0] / 255}, "type float64"),
        ({"pixels": FACES[0].astype(int) * 2}, "pixels "),
        ({"emotion": FACES[1] + 1}, "emotion 7; expected whole numbers from 0 to 6"),
        ({"emotion": FACES[1].astype(int) - 1}, "emotion -1"),
        ({"usage": FACES[2] + 1}, "usage 3"),
        ({"usage": FACES[2][:5]}, "usage of shape (5,)"),
        ({"pixels": np.uint8(3)}, "pixels of shape ()"),
    ],
)
def test_wrong_npz(tmp_path, changes, found):
    assert found in refusal_of(tmp_path, "a.npz", make_npz(**changes))


def test_damaged_npz_and_single_npy(tmp_path):
    refusal_of(tmp_path, "a.npz", make_npz()[:-100])
    refusal_of(tmp_path, "a.npz", make_npz()[:50_000])
    stream = io.BytesIO()
    np.save(stream, FACES[0])
    assert "a single array" in refusal_of(tmp_path, "a.npy", stream.getvalue())
    names = ("pixels.npy", "emotion.npy", "usage.npy")
    assert "pixels of shape ()" in refusal_of(tmp_path, "a.npz", make_zip(dict.fromkeys(names, b"no array")))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (make_image(np.zeros((48, 47), np.uint8)), "47×48"),
        (make_image(np.zeros((480, 480), np.uint8)), "480×480"),
        (make_image(np.zeros((48, 48), np.uint16)), "mode I;16"),
        (b"no image", "cannot be decoded"),
        (b"", "cannot be decoded"),
        (make_image(FACES[0][0])[:-600], "cannot be decoded"),
    ],
)
def test_wrong_image_is_named(tmp_path, content, found):
    members = {**make_class_images(), "test/happy/PrivateTest_00000099.png": content}
    folder = write_files(tmp_path / "faces", members)
    message = refusal(folder)
    assert "test/happy/PrivateTest_00000099.png" in message and found in message
    (tmp_path / "a.zip").write_bytes(make_zip(members))
    assert "test/happy/PrivateTest_00000099.png" in refusal(tmp_path / "a.zip")


def test_unknown_class_folder(tmp_path):
    members = {**make_class_images(), "train/contempt/Training_1.png": make_image(FACES[0][0])}
    assert "the class 'contempt'" in refusal(write_files(tmp_path / "faces", members))


# --- the real files ---


@pytest.fixture(scope="module")
def real_faces(real_fer2013):
    with np.load(real_fer2013 / "fer2013.npz") as stored:
        return stored["pixels"], stored["emotion"], stored["usage"]


@pytest.fixture(scope="module")
def real_csv(real_faces, tmp_path_factory):
    """fer2013.csv as Kaggle gives it; deleted afterwards, since pytest would keep it for three runs."""
    words = [str(value).encode() for value in range(256)]
    folder = tmp_path_factory.mktemp("real")
    with open(folder / "fer2013.csv", "wb") as stream:
        stream.write(b"emotion,pixels,Usage\n")
        for image, label, split in zip(*real_faces, strict=True):
            text = b" ".join(map(words.__getitem__, image.tobytes()))
            stream.write(b"%d,%s,%s\n" % (label, text, SPLIT_NAMES[split].encode()))
    yield folder / "fer2013.csv"
    shutil.rmtree(folder)


READ_AND_MEASURE = """
import hashlib, json, re, sys
from pathlib import Path
from fer_utils.data.formats import read_fer2013
found = read_fer2013(sys.argv[1])
digests = [hashlib.sha256(array).hexdigest() for array in (found.pixels, found.labels, found.usage)]
peak = 1024 * int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text()).group(1))
print(json.dumps([found.verdict, digests, peak]))
"""


def test_real_npz(real_fer2013, real_faces):
    found = read_fer2013(real_fer2013 / "fer2013.npz")
    assert_same(found, real_faces)
    assert found.is_fer2013 and found.verdict.startswith("verified copy, every pixel")


def test_real_csv_equals_the_npz_within_half_a_gigabyte(real_faces, real_csv):
    # Not getrusage: its peak begins with what the process that starts this one had.
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of memory cannot be measured on this system")
    command = [sys.executable, "-c", READ_AND_MEASURE, str(real_csv)]
    output = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    verdict, digests, peak = json.loads(output)
    assert verdict == "verified copy of fer2013.csv (md5 f8428a1edbd21e88f42c73edd2a14f95)"
    assert digests == [hashlib.sha256(array).hexdigest() for array in real_faces]
    assert peak < 0.5e9


def test_real_archives_equal_the_npz(real_faces, real_csv, tmp_path):
    tar = tmp_path / "fer2013.tar.gz"
    with tarfile.open(tar, "w:gz", compresslevel=0) as archive:  # gzip's form; to compress takes as long as to read
        archive.add(real_csv, "fer2013/fer2013.csv")
    found = read_fer2013(tar)
    tar.unlink()
    assert_same(found, real_faces)
    assert found.verdict.startswith("verified copy of fer2013.csv")
    icml = tmp_path / "icml_face_data.csv.zip"
    with (
        real_csv.open("rb") as stream,
        zipfile.ZipFile(icml, "w") as archive,
        archive.open("icml_face_data.csv", "w") as member,
    ):
        stream.readline()
        member.write(b"emotion, Usage, pixels\n")
        for line in stream:
            label, pixels, usage = line.rstrip().split(b",")
            member.write(b"%s,%s,%s\n" % (label, usage, pixels))
    found = read_fer2013(icml)
    icml.unlink()
    assert_same(found, real_faces)
    assert found.verdict == "verified copy of icml_face_data.csv (md5 b114b9e04e6949e5fe8b6a98b3892b1d)"


def make_real_images(faces, name, *options):
    """Yields (name, content) of the class folders of all faces, in the form that the end of `name` says."""
    for row, (image, label, split) in enumerate(zip(*faces, strict=True)):
        content = cv2.imencode(Path(name).suffix, image, options)[1].tobytes()  # three times as fast as PIL
        folder = f"{'train' if split == 0 else 'test'}/{CLASS_NAMES[label].lower()}"
        yield f"{folder}/{name.format(usage=SPLIT_NAMES[split], row=row)}", content


def test_real_png_folders_equal_the_npz_after_sorting(real_faces, tmp_path):
    """Without the name of a split in the file names: the counts give it back."""
    path = tmp_path / "folders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in make_real_images(real_faces, "im{row}.png", cv2.IMWRITE_PNG_COMPRESSION, 1):
            archive.writestr(name, content)
    found = read_fer2013(path)
    path.unlink()
    assert as_rows(arrays_of(found)) == as_rows(real_faces)
    assert found.verdict.startswith("verified copy, every pixel") and "number order" in found.verdict


def test_real_jpg_folders_give_equal_labels_and_counts(real_faces, tmp_path):
    for class_name in CLASS_NAMES:
        for split in ("train", "test"):
            (tmp_path / "folders" / split / class_name.lower()).mkdir(parents=True)
    for name, content in make_real_images(real_faces, "{usage}_{row}.jpg", cv2.IMWRITE_JPEG_QUALITY, 75):
        (tmp_path / "folders" / name).write_bytes(content)
    found = read_fer2013(tmp_path / "folders")
    shutil.rmtree(tmp_path / "folders")
    # Numbers grow with the row, so sorting the rows by split and class puts them in the folders' order.
    order = np.lexsort((real_faces[1], real_faces[2]))
    assert np.array_equal(found.labels, real_faces[1][order]) and np.array_equal(found.usage, real_faces[2][order])
    assert np.mean((found.pixels.astype("float32") - real_faces[0][order]) ** 2) < 50
    assert found.is_fer2013 and found.verdict.startswith("FER2013 by its counts; pixels not verified")
