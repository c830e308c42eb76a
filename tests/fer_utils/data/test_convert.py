"""The converter: kinds of sets that people hold, what is refused, what is cut and counted."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import tarfile

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_utils.data import archives, files
from fer_utils.data import convert as module
from fer_utils.data.convert import convert, settle_splits
from fer_utils.data.fer2013 import CLASS_NAMES, SPLIT_NAMES, FaceDataError
from fer_utils.data.formats import read_fer2013
from fer_utils.data.naming import printable
from small_fer2013 import (
    FACES,
    as_rows,
    make_class_images,
    make_csv,
    make_image,
    make_npz,
    make_tar,
    make_zip,
    write_files,
)

PARTS = {name: FACES[2] == split for split, name in enumerate(("train", "valid", "test"))}
WORDS = ["anger", "Disgust", "fearful", "3_happy", "4-Sadness", "SURPRISE", "neutral"]


def convert_to(tmp_path, source, **options):
    """(the converted set as the course reads it, the lines that were shown)."""
    lines = []
    convert(source, tmp_path / "out" / "set.npz", show=lines.append, **options)
    return read_fer2013(tmp_path / "out" / "set.npz"), lines


def assert_converted(tmp_path, source, **options):
    """All faces of `FACES` are there, each in its class and split; returns the lines that were shown."""
    found, lines = convert_to(tmp_path, source, **options)
    assert as_rows((found.pixels, found.labels, found.usage)) == as_rows(FACES)
    return lines


def make_table(**changes):
    """A DataFrame of `FACES` as a csv has it; `changes` replace columns."""
    pixels = [" ".join(map(str, image.ravel())) for image in FACES[0]]
    columns = {"emotion": FACES[1], "pixels": pixels, "Usage": [SPLIT_NAMES[split] for split in FACES[2]]}
    return pd.DataFrame({**columns, **changes})


def as_csv(table=None, **how):
    return (make_table() if table is None else table).to_csv(**{"index": False, **how})


def as_arrays(kind):
    """{name: array} of `FACES` in the forms of `keras.datasets` and of others."""
    pixels, one_hot = FACES[0][..., np.newaxis], np.eye(7, dtype=np.float32)[FACES[1]]
    forms = {
        "keras": ("x_{}", "y_{}", pixels, FACES[1]),
        "floats": ("{}_images", "{}_labels", (pixels / 255).astype(np.float32), one_hot),
        "flat": ("X_{}", "Y_{}", FACES[0].reshape(-1, 2304), FACES[1][:, np.newaxis]),
        "channels first": ("{}Data", "{}Label", np.moveaxis(pixels, -1, 1), FACES[1].astype(float)),
        "words": ("{}_x", "{}_y", FACES[0], np.array(WORDS)[FACES[1]]),
    }
    x, y, images, labels = forms[kind]
    return {
        name.format(split): array[part] for split, part in PARTS.items() for name, array in ((x, images), (y, labels))
    }


def make_archive(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


# --- damage ---


def make_h5():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, array in as_arrays("keras").items():
            file[name] = array
    return stream.getvalue()


def make_parquet():
    pytest.importorskip("pyarrow", reason="the optional extra `parquet` is not installed")
    pictures = [{"bytes": make_image(image)} for image in FACES[0]]
    stream = io.BytesIO()
    pd.DataFrame({"image": pictures, "label": FACES[1]}).to_parquet(stream)
    return stream.getvalue()


DAMAGED = {
    "set.npz": make_npz,
    "set.zip": lambda: make_zip({"fer2013.csv": make_csv()}),
    "set.tar.gz": lambda: make_tar({"fer2013.csv": make_csv()}),
    "set.h5": make_h5,
    "set.parquet": make_parquet,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_by_name_or_read_and_is_no_hindrance_to_others(tmp_path, name):
    """Bytes are changed where the file says what is in it: at its beginning and its end."""
    content, random = DAMAGED[name](), np.random.default_rng(0)
    source, places = tmp_path / "data" / name, [*range(500), *range(-500, 0)]
    source.parent.mkdir()
    (source.parent / "fer2013.csv").write_bytes(make_csv())
    for _ in range(100):
        damaged = bytearray(content)
        for place in random.choice(places, size=random.integers(1, 4)):
            damaged[place] = random.integers(256)
        source.write_bytes(damaged)
        for read in (lambda: convert(source, tmp_path / "set.npz", show=str), lambda: read_fer2013(source)):
            with contextlib.suppress(FaceDataError):
                read()
        assert files.find_fer2013(source.parent).name in ("fer2013.csv", name)
        files.list_unread(source.parent)


def test_a_damaged_header_of_a_sparse_tar_is_named(tmp_path):
    member = tarfile.TarInfo("fer2013.csv")
    member.pax_headers = {"GNU.sparse.map": "0,x", "GNU.sparse.size": "1"}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    for read in (read_fer2013, lambda source: convert_to(tmp_path, source)):
        with pytest.raises(FaceDataError, match=r"a.tar: found a file that is damaged, .*\(ValueError\)"):
            read(tmp_path / "a.tar")


def test_a_damaged_file_in_a_folder_is_named(tmp_path):
    folder = write_files(tmp_path / "faces", {"train/a.csv.gz": gzip.compress(make_csv())[:5000], "test/b.txt": b"x"})
    for read in (read_fer2013, lambda source: convert_to(tmp_path, source)):
        with pytest.raises(FaceDataError, match="train/a.csv.gz: found a file that is damaged, cut short or locked"):
            read(folder)


# --- tables ---


CSV_DIALECTS = {
    "semicolons": as_csv(sep=";"),
    "tabs": as_csv(sep="\t"),
    "an index": as_csv(index=True),
    "more columns": as_csv(make_table(name="a, b", brightness=0.5)),
    "other names": as_csv(make_table().set_axis(["Label", "Image", "split"], axis=1)),
    "words": as_csv(make_table(emotion=[WORDS[label] for label in FACES[1]])),
    "floats": as_csv(make_table(emotion=FACES[1].astype(float))),
    "split words": as_csv(make_table(Usage=[("TRAIN", "val", "Testing")[split] for split in FACES[2]])),
    "pixels in brackets": as_csv(make_table(pixels=[json.dumps(image.ravel().tolist()) for image in FACES[0]])),
    "a column for each pixel": as_csv(
        make_table().drop(columns="pixels").join(pd.DataFrame(FACES[0].reshape(-1, 2304)).add_prefix("pixel"))
    ),
}


@pytest.mark.parametrize("dialect", CSV_DIALECTS)
def test_dialects_of_csv(tmp_path, dialect):
    (tmp_path / "some name").write_text(CSV_DIALECTS[dialect], encoding="utf-8")
    with pytest.raises(FaceDataError, match="fer-course data convert"):
        read_fer2013(tmp_path / "some name")
    assert_converted(tmp_path, tmp_path / "some name")


def pack_in_zip(content):
    return make_zip({"a/inner.zip": make_zip({"b.csv": content})})


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, pack_in_zip])
def test_a_csv_in_utf_16_in_any_archive(tmp_path, pack):
    (tmp_path / "faces").write_bytes(pack(as_csv(sep=";").encode("utf-16")))
    assert_converted(tmp_path, tmp_path / "faces")


def pack_as_bz2(content):
    return bz2.compress(gzip.decompress(content))


@pytest.mark.parametrize("pack", [bytes, gzip.decompress, pack_as_bz2], ids=["tar.gz", "tar", "tar.bz2"])
def test_a_csv_in_a_tar_is_converted(tmp_path, pack):
    (tmp_path / "fer2013.tar").write_bytes(pack(make_tar({"fer2013/fer2013.csv": make_csv(), "fer2013/note": b"x"})))
    assert "left out: 1, no table and no image: 1 file (fer2013/note)" in assert_converted(
        tmp_path, tmp_path / "fer2013.tar"
    )


def test_dark_rows_are_no_shares_of_one(tmp_path):
    pixels = FACES[0].copy()
    pixels[3], pixels[4] = 0, 1
    texts = [" ".join(map(str, image.ravel())) for image in pixels]
    (tmp_path / "a.csv").write_text(as_csv(make_table(pixels=texts), sep=";"), encoding="utf-8")
    found, _ = convert_to(tmp_path, tmp_path / "a.csv")
    assert as_rows((found.pixels, found.labels, found.usage)) == as_rows((pixels, *FACES[1:]))


def test_one_csv_per_split(tmp_path):
    for name, part in PARTS.items():
        (tmp_path / "faces").mkdir(exist_ok=True)
        (tmp_path / "faces" / f"fer_{name}.csv").write_text(
            as_csv(make_table()[part].drop(columns="Usage")), encoding="utf-8"
        )
    assert_converted(tmp_path, tmp_path / "faces")


def test_numbers_of_a_row_that_cannot_be_read_are_named(tmp_path):
    table = make_table()
    table.loc[3, "pixels"] = "1 2 x"
    (tmp_path / "faces.csv").write_text(as_csv(table, sep=";"), encoding="utf-8")
    with pytest.raises(FaceDataError, match="faces.csv, line 5: found a pixel that is no number"):
        convert_to(tmp_path, tmp_path / "faces.csv")
    table.loc[3, "pixels"] = "1 2 3"
    (tmp_path / "faces.csv").write_text(as_csv(table, sep=";"), encoding="utf-8")
    with pytest.raises(FaceDataError, match="line 5: found 3 pixels"):
        convert_to(tmp_path, tmp_path / "faces.csv")


def test_a_row_shorter_than_the_header_is_named(tmp_path):
    header, *rows = as_csv(sep=";").splitlines()
    short = [row.rpartition(";")[0] for row in rows]
    for lines, found in (
        ([header, *short], "line 2: found a row of 2 fields; expected as many as the header has"),
        ([header, *rows[:3], short[3], *rows[4:]], "line 5: found the split ''"),
    ):
        (tmp_path / "faces.csv").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(FaceDataError, match=f"faces.csv, {found}"):
            convert_to(tmp_path, tmp_path / "faces.csv")


def test_a_table_that_is_a_header_alone_is_named(tmp_path):
    (tmp_path / "faces.csv").write_text("emotion;pixels;Usage\n", encoding="utf-8")
    with pytest.raises(FaceDataError, match="faces.csv: found a header without rows"):
        convert_to(tmp_path, tmp_path / "faces.csv")


def test_a_first_row_whose_quote_never_ends_is_named(tmp_path):
    (tmp_path / "faces.csv").write_text('emotion;pixels;Usage\n0;"1 2 3', encoding="utf-8")
    with pytest.raises(FaceDataError, match="faces.csv: found rows that cannot be read .*EOF inside string"):
        convert_to(tmp_path, tmp_path / "faces.csv")


def test_a_label_below_zero_is_no_class(tmp_path):
    (tmp_path / "faces.csv").write_text(as_csv(make_table(emotion=FACES[1].astype(int) - 1)), encoding="utf-8")
    with pytest.raises(FaceDataError, match=r"not known: '-1' \(6 images\)"):
        convert_to(tmp_path, tmp_path / "faces.csv")
    found, _ = convert_to(tmp_path, tmp_path / "faces.csv", drop=["-1"])
    assert np.bincount(found.labels, minlength=7).tolist() == [6, 6, 6, 6, 6, 6, 0]


# --- arrays ---


@pytest.mark.parametrize("kind", ["keras", "floats", "flat", "channels first", "words"])
def test_arrays_in_the_forms_of_keras_and_others(tmp_path, kind):
    (tmp_path / "faces.npz").write_bytes(make_archive(**as_arrays(kind)))
    lines = assert_converted(tmp_path, tmp_path / "faces.npz")
    assert ("changed: 42 images (from 0 to 1 brought to 0 to 255)" in lines) == (kind == "floats")
    for name, array in as_arrays(kind).items():
        (tmp_path / "single").mkdir(exist_ok=True)
        np.save(tmp_path / "single" / f"{name}.npy", array)
    assert_converted(tmp_path, tmp_path / "single")


def test_datasets_of_an_h5_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name, part in zip(SPLIT_NAMES, PARTS.values(), strict=True):
            file[f"{name}_pixel"], file[f"{name}_label"] = FACES[0][part].reshape(-1, 2304), FACES[1][part]
    assert_converted(tmp_path, tmp_path / "data.h5")


def test_arrays_divided_by_an_array_of_splits(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_archive(images=FACES[0], labels=FACES[1], split=FACES[2]))
    assert_converted(tmp_path, tmp_path / "a.npz")


@pytest.mark.parametrize("words", [SPLIT_NAMES, [name.encode() for name in PARTS], (0.0, 1.0, 2.0)])
def test_splits_in_an_array_are_words_or_whole_numbers(tmp_path, words):
    (tmp_path / "a.npz").write_bytes(make_npz(usage=np.array(words)[FACES[2]]))
    assert_converted(tmp_path, tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (
            FACES[2].astype(int) - 1,
            r"usage, row 0: found the split '-1'; expected training, validation, test, 0, 1 or 2",
        ),
        (FACES[2] + 1, "row 28: found the split '3'"),
        (FACES[2] / 2, "row 14: found the split '0.5'"),
        (FACES[2] > 0, "row 0: found the split 'False'"),
        (np.array(["Training", "other", "test"])[FACES[2]], "row 14: found the split 'other'"),
        (FACES[2][:3], r"shapes \(42, 48, 48\), \(42,\) and \(3,\)"),
        (FACES[2][:, np.newaxis], r"and \(42, 1\); expected as many of each, the splits \(N,\)"),
    ],
)
def test_other_splits_in_an_array_are_named(tmp_path, usage, words):
    (tmp_path / "a.npz").write_bytes(make_npz(usage=usage))
    with pytest.raises(FaceDataError, match=words):
        convert_to(tmp_path, tmp_path / "a.npz")


def test_the_split_in_the_name_of_an_array_counts_before_that_of_its_file(tmp_path):
    (tmp_path / "train_test.npz").write_bytes(make_archive(**as_arrays("keras")))
    assert_converted(tmp_path, tmp_path / "train_test.npz")
    for name, part in PARTS.items():
        (tmp_path / "train_sets").mkdir(exist_ok=True)
        content = make_archive(images=FACES[0][part], labels=FACES[1][part])
        (tmp_path / "train_sets" / f"{name}.npz").write_bytes(content)
    assert_converted(tmp_path, tmp_path / "train_sets")


def test_arrays_of_the_same_names_in_two_files_are_all_read(tmp_path):
    for name, part in (("a", FACES[2] == 0), ("b", FACES[2] > 0)):
        (tmp_path / "faces").mkdir(exist_ok=True)
        (tmp_path / "faces" / f"{name}.npz").write_bytes(make_archive(x_train=FACES[0][part], y_train=FACES[1][part]))
    found, lines = convert_to(tmp_path, tmp_path / "faces")
    assert "read: 42 arrays" in lines
    assert as_rows((found.pixels, found.labels, 0 * found.usage)) == as_rows((*FACES[:2], 0 * FACES[2]))


def test_a_second_array_of_one_meaning_is_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_archive(**as_arrays("keras"), train_faces=FACES[0]))
    words = "a.npz: train_faces: found a second array of images beside a.npz: x_train; expected one of each"
    with pytest.raises(FaceDataError, match=words):
        convert_to(tmp_path, tmp_path / "a.npz")


def test_splits_without_arrays_that_they_divide_are_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_archive(**as_arrays("keras"), split=FACES[2]))
    with pytest.raises(FaceDataError, match="a.npz: split: found an array of splits without images and labels"):
        convert_to(tmp_path, tmp_path / "a.npz")


def test_an_array_as_high_as_a_face_but_wider_is_averaged(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_npz(pixels=np.repeat(FACES[0], 2, axis=2)))
    assert "changed: 42 images (scaled to 48×48)" in assert_converted(tmp_path, tmp_path / "a.npz", resize=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": None}, "images without labels, or labels without images"),
        ({"y_train": FACES[1][:3]}, "14 images and 3 labels"),
        ({"x_train": FACES[0][PARTS["train"]].astype(float) - 300}, "pixels from -300"),
        ({"x_train": np.full((14, 48, 48), np.nan)}, "no finite numbers"),
        ({"x_train": np.ones((14, 48, 48), complex)}, "pixels of type complex128"),
        ({"x_train": np.ones((14, 48, 48), "m8[s]")}, "pixels of type timedelta64[s]"),
        ({"y_train": np.full((14, 2), "happy")}, "labels of shape (14, 2)"),
        ({"x_train": np.zeros((14, 5))}, "shape (14, 5)"),
        ({"x_train": np.zeros((14, 96, 96))}, "shape (96, 96)"),
        ({"table": np.zeros(3)}, "does not say what it holds"),
    ],
)
def test_arrays_that_are_refused_are_named(tmp_path, changes, words):
    arrays = {**as_arrays("keras"), **changes}
    present = {name: array for name, array in arrays.items() if array is not None}
    (tmp_path / "a.npz").write_bytes(make_archive(**present))
    with pytest.raises(FaceDataError) as problem:
        convert_to(tmp_path, tmp_path / "a.npz")
    assert words in str(problem.value) and "a.npz" in str(problem.value)
    assert not list((tmp_path).rglob("set.npz"))


def test_objects_in_arrays_are_never_opened(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_npz(emotion=np.array([{}], dtype=object)))
    with pytest.raises(FaceDataError, match="may run code"):
        convert_to(tmp_path, tmp_path / "a.npz")


def test_shards_of_parquet_with_encoded_images(tmp_path):
    pytest.importorskip("pyarrow", reason="the optional extra `parquet` is not installed")
    (tmp_path / "data").mkdir()
    for name, part in PARTS.items():
        images = [{"bytes": make_image(image), "path": None} for image in FACES[0][part]]
        table = pd.DataFrame({"image": images, "label": FACES[1][part]})
        table.to_parquet(tmp_path / "data" / f"{name}-00000-of-00001.parquet")
    assert_converted(tmp_path, tmp_path / "data")


@pytest.mark.parametrize("image", [{"bytes": None, "path": "a.png"}, None])
def test_a_row_of_parquet_without_an_image_is_named(tmp_path, image):
    pytest.importorskip("pyarrow", reason="the optional extra `parquet` is not installed")
    images = [{"bytes": make_image(FACES[0][0]), "path": "b.png"}, image]
    pd.DataFrame({"image": images, "label": [0, 1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FaceDataError, match="a.parquet, row 1: found no image, or only the path of one"):
        convert_to(tmp_path, tmp_path / "a.parquet")


@pytest.mark.parametrize("rows", [[[1, 2], [3]], []])
def test_rows_of_an_image_in_parquet_that_are_no_rows_are_named(tmp_path, rows):
    pytest.importorskip("pyarrow", reason="the optional extra `parquet` is not installed")
    pd.DataFrame({"image": [[[1, 2], [3, 4]], rows], "label": [0, 1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FaceDataError, match="a.parquet, row 1: found no rows of one length"):
        convert_to(tmp_path, tmp_path / "a.parquet", resize=True)


def test_parquet_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd, "read_parquet", fail)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and more")
    with pytest.raises(FaceDataError, match="optional extra `parquet`"):
        convert_to(tmp_path, tmp_path / "a.parquet")


# --- folders ---


@pytest.mark.parametrize(
    "splits", [("train", "valid", "test"), ("Training", "dev", "testing"), ("TRAIN", "Public Test", "Private_Test")]
)
@pytest.mark.parametrize("kind", ["png", "bmp", "webp", "tiff", "gif"])
def test_folders_whose_names_are_plain_are_read_as_they_are(tmp_path, splits, kind):
    members = {}
    for row, (image, label, split) in enumerate(zip(*FACES, strict=True)):
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, kind, **({"lossless": True} if kind == "webp" else {}))
        members[f"{splits[split]}/{WORDS[label]}/{row}.{kind}"] = stream.getvalue()
    found = read_fer2013(write_files(tmp_path / "faces", members))
    assert as_rows((found.pixels, found.labels, found.usage)) == as_rows(FACES)
    assert_converted(tmp_path, tmp_path / "faces")


def test_what_is_no_image_and_what_stands_in_no_class_is_counted(tmp_path):
    others = {"train/happy/notes.txt": b"x", "train/thumbs.db": b"\0", "cover.png": make_image(FACES[0][0])}
    folder = write_files(tmp_path / "faces", {**make_class_images(("train", "val", "test")), **others})
    assert "left out: 3 files (cover.png, train/happy/notes.txt, train/thumbs.db)" in read_fer2013(folder).verdict
    lines = assert_converted(tmp_path, folder)
    assert "left out: 2, no table and no image: 2 files (train/happy/notes.txt, train/thumbs.db)" in lines
    assert "left out: 1, images in no folder of a class: 1 file (cover.png)" in lines


def test_the_same_folders_twice_in_an_archive_are_read_once(tmp_path):
    members = make_class_images(("train", "test", "test"), name="im{row}.png")
    twice = members | {f"images/{name}": content for name, content in members.items()}
    (tmp_path / "a.zip").write_bytes(make_zip(twice))
    found = read_fer2013(tmp_path / "a.zip")
    assert as_rows((found.pixels, found.labels, found.usage > 0)) == as_rows((FACES[0], FACES[1], FACES[2] > 0))
    assert "42 images that stand there twice" in found.verdict and "more than one split" not in found.verdict


def test_a_zip_with_the_separators_of_windows_is_read(tmp_path):
    members = {name.replace("/", "\\"): image for name, image in make_class_images(("train", "val", "test")).items()}
    (tmp_path / "a.zip").write_bytes(make_zip(members))
    found = read_fer2013(tmp_path / "a.zip")
    assert as_rows((found.pixels, found.labels, found.usage)) == as_rows(FACES)


def test_images_in_two_splits_of_another_set_are_counted(tmp_path):
    pixels = FACES[0].copy()
    pixels[FACES[2] == 1] = pixels[FACES[2] == 0]
    (tmp_path / "a.npz").write_bytes(make_npz(pixels=pixels))
    assert "14 images stand in more than one split" in read_fer2013(tmp_path / "a.npz").verdict


def test_other_sizes_and_colour_need_resize_and_are_averaged(tmp_path):
    members = {
        name: make_image(np.kron(np.stack([image] * 3, -1), np.ones((4, 4, 1), np.uint8)))
        for name, image in zip(make_class_images(("train", "val", "test")), FACES[0], strict=True)
    }
    folder = write_files(tmp_path / "faces", members)
    for read in (read_fer2013, lambda source: convert_to(tmp_path, source)):
        with pytest.raises(FaceDataError, match="192×192 pixels"):
            read(folder)
    with pytest.raises(FaceDataError, match="convert .* TARGET.npz --resize"):
        read_fer2013(folder)
    assert "changed: 42 images (scaled to 48×48)" in assert_converted(tmp_path, folder, resize=True)


def test_colours_of_a_picture_of_the_right_size_need_resize_too(tmp_path):
    members = make_class_images(("train", "val", "test"))
    name = next(iter(members))
    members[name] = make_image(np.stack([FACES[0][0], FACES[0][1], FACES[0][2]], -1))
    folder = write_files(tmp_path / "faces", members)
    with pytest.raises(FaceDataError, match="mode RGB, in colour; expected 48×48 grey.*--resize"):
        read_fer2013(folder)
    _, lines = convert_to(tmp_path, folder, resize=True)
    assert "changed: 1 images (made grey)" in lines


def test_numbers_of_folders_have_to_be_given_a_meaning(tmp_path):
    members = make_class_images(("train", "val", "test"), class_folders="7123456")
    folder = write_files(tmp_path / "faces", members)
    with pytest.raises(FaceDataError, match="--class [1-7]=EXPRESSION"):
        read_fer2013(folder)
    with pytest.raises(FaceDataError, match=r"'1' \(6 images\).*--class 1=EXPRESSION --class 2=EXPRESSION"):
        convert_to(tmp_path, folder)
    meanings = dict(zip("7123456", CLASS_NAMES, strict=True))
    assert_converted(tmp_path, folder, classes=meanings)
    with pytest.raises(FaceDataError, match="expression 'bored'"):
        convert_to(tmp_path, folder, classes={**meanings, "1": "bored"})


def test_numbered_names_of_classes_stay_apart(tmp_path):
    names = [f"class_{label}" for label in range(7)]
    folder = write_files(tmp_path / "faces", make_class_images(("train", "val", "test"), class_folders=names))
    with pytest.raises(FaceDataError, match="--class class_0=EXPRESSION --class class_1=EXPRESSION"):
        convert_to(tmp_path, folder)
    assert_converted(tmp_path, folder, classes=dict(zip(names, CLASS_NAMES, strict=True)))
    found, _ = convert_to(
        tmp_path, folder, classes=dict(zip(names[1:], CLASS_NAMES[1:], strict=True)), drop=["Class_0"]
    )
    assert np.bincount(found.labels).tolist() == [0, 6, 6, 6, 6, 6, 6]


def test_other_classes_are_dropped_or_mapped_and_counted(tmp_path):
    more = {f"train/contempt/{n}.png": make_image(FACES[0][0]) for n in range(3)}
    folder = write_files(tmp_path / "faces", {**make_class_images(("train", "val", "test")), **more})
    with pytest.raises(FaceDataError, match="the class 'contempt'.*--drop contempt"):
        read_fer2013(folder)
    with pytest.raises(FaceDataError, match=r"'contempt' \(3 images\).*--drop NAME"):
        convert_to(tmp_path, folder)
    lines = assert_converted(tmp_path, folder, drop=["Contempt"])
    assert any(line.startswith("left out: 3, of the class contempt") for line in lines)
    found, _ = convert_to(tmp_path, folder, classes={"contempt": "disgust"})
    assert np.bincount(found.labels).tolist() == [6, 9, 6, 6, 6, 6, 6]
    with pytest.raises(FaceDataError, match="found no class boredom; there are: angry, contempt"):
        convert_to(tmp_path, folder, drop=["boredom", "contempt"])


def test_folders_of_ferplus_take_the_most_frequent_vote(tmp_path):
    answers = [4, 5, 6, 1, 3, 2, 0]  # places of FER2013's classes among FERPlus's answers
    members = {}
    for split, folder in enumerate(("FER2013Train", "FER2013Valid", "FER2013Test")):
        lines = []
        for row in np.flatnonzero(FACES[2] == split):
            votes = [1] * 10
            votes[answers[FACES[1][row]]] = 5
            lines.append(f'fer{row}.png,"(0, 0, 48, 48)",{",".join(map(str, votes))}')
            members[f"{folder}/fer{row}.png"] = make_image(FACES[0][row])
        members[f"{folder}/label.csv"] = "\n".join(lines).encode()
    assert_converted(tmp_path, write_files(tmp_path / "faces", members))
    tied = members["FER2013Test/label.csv"].replace(b",5", b",1", 1)
    write_files(tmp_path / "faces", {"FER2013Test/label.csv": tied})
    with pytest.raises(FaceDataError, match="'neutral or happiness or"):
        convert_to(tmp_path, tmp_path / "faces")


@pytest.mark.parametrize("vote", ["\N{SUPERSCRIPT TWO}", "9" * 30])
def test_votes_that_are_no_small_numbers_are_no_votes(tmp_path, vote):
    table = f'a.png,"(0, 0, 48, 48)",{",".join([vote] * 10)}'
    (tmp_path / "label.csv").write_text(table, encoding="utf-8")
    with pytest.raises(FaceDataError, match="no labelled face.*Left out: 1 no table and no image"):
        convert_to(tmp_path, tmp_path / "label.csv")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_text_beside_images_is_counted(tmp_path, pack):
    members = {**make_class_images(("train", "val", "test")), "readme.txt.gz": pack(b"what these faces are\n" * 1000)}
    if pack is not gzip.compress:
        members[f"readme.txt.{'bz2' if pack is bz2.compress else 'xz'}"] = members.pop("readme.txt.gz")
    lines = assert_converted(tmp_path, write_files(tmp_path / "faces", members))
    assert any(line.startswith("left out: 1, no table and no image: 1 file (readme.txt") for line in lines)


# --- splits ---


def test_a_set_without_splits_is_cut_within_each_class_by_the_seed(tmp_path):
    members = {name.split("/", 1)[1]: content for name, content in make_class_images(name="{row}.png").items()}
    folder = write_files(tmp_path / "faces", members)
    with pytest.raises(FaceDataError, match="convert"):
        read_fer2013(folder)
    found, lines = convert_to(tmp_path, folder)
    assert found.verdict.startswith("not FER2013 (converted from faces)")
    assert any("cut: no splits" in line for line in lines)
    assert as_rows((found.pixels, found.labels, 0 * found.usage)) == as_rows((FACES[0], FACES[1], 0 * FACES[2]))
    again, _ = convert_to(tmp_path, folder)
    assert np.array_equal(again.pixels, found.pixels)
    other, _ = convert_to(tmp_path, folder, seed=1)
    assert not np.array_equal(other.pixels, found.pixels)


@pytest.mark.parametrize(("present", "halved"), [({0, 1}, True), ({0, 2}, True), ({None}, False), ({0}, False)])
def test_missing_splits_are_cut_and_same_images_stay_together(present, halved):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (500, 4, 4), dtype=np.uint8)[rng.integers(0, 500, 1000)]
    labels, given = rng.integers(0, 7, 1000).astype(np.uint8), rng.choice(list(present), 1000)
    usage, words = settle_splits(list(given), pixels, labels, seed=0)
    assert words and set(usage) == {0, 1, 2}
    held_out = np.isin(given, [1, 2]) if halved else np.ones(1000, bool)
    splits_of = {}
    for image, split in zip(pixels[held_out], usage[held_out], strict=True):
        splits_of.setdefault(image.tobytes(), set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    sizes = np.bincount(usage[held_out], minlength=3) / held_out.sum()
    np.testing.assert_allclose(sizes, (0, 0.5, 0.5) if halved else module.SHARES, atol=0.04)


@pytest.mark.parametrize(("usage", "words"), [([0, None], "1 images without a split"), ([1, 2], "no training images")])
def test_splits_that_are_ambiguous_are_refused(usage, words):
    with pytest.raises(FaceDataError, match=words):
        settle_splits(usage, FACES[0][:2], FACES[1][:2], 0)


def test_a_set_too_small_for_three_splits_is_refused(tmp_path):
    members = {f"{WORDS[label]}/{label}.png": make_image(FACES[0][label]) for label in range(7)}
    folder = write_files(tmp_path / "faces", members)
    with pytest.raises(FaceDataError, match="faces: found 7 labelled faces, too few.*PublicTest and PrivateTest"):
        convert_to(tmp_path, folder)
    assert not (tmp_path / "out").exists()


# --- what is refused, and what is never half done ---


def test_no_file_of_the_source_is_replaced(tmp_path):
    folder = write_files(tmp_path / "faces", {"mine.npz": make_npz()})
    for source in (folder / "mine.npz", folder):
        with pytest.raises(FaceDataError, match="mine.npz: found a file of the source itself; expected another name"):
            convert(source, folder / "mine.npz", drop=["0"])
    assert (folder / "mine.npz").read_bytes() == make_npz()
    convert(folder, folder / "new.npz", show=lambda line: None)


def test_what_was_converted_can_be_converted_again(tmp_path):
    (tmp_path / "faces.csv").write_bytes(make_csv())
    convert_to(tmp_path, tmp_path / "faces.csv")
    (tmp_path / "out" / "set.npz").rename(tmp_path / "first.npz")
    assert_converted(tmp_path, tmp_path / "first.npz")


def test_a_target_in_the_home_folder_may_be_written_with_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "faces.csv").write_bytes(make_csv())
    convert(tmp_path / "faces.csv", "~/set.npz", show=lambda line: None)
    assert (tmp_path / "set.npz").exists()


def test_nothing_is_written_without_faces_or_past_the_bounds(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("nothing here", encoding="utf-8")
    with pytest.raises(FaceDataError, match="found no labelled face.*Left out: 1 no table and no image"):
        convert_to(tmp_path, tmp_path / "notes.txt")
    (tmp_path / "faces.csv").write_bytes(make_csv())
    monkeypatch.setattr(module, "MAX_FACES", 10)
    with pytest.raises(FaceDataError, match="found 42 faces; expected at most 10"):
        convert_to(tmp_path, tmp_path / "faces.csv")
    monkeypatch.setattr(archives, "MAX_EXPANDED", 1000)
    (tmp_path / "faces.zip").write_bytes(make_zip({"faces.csv": make_csv()}))
    with pytest.raises(FaceDataError, match="archive that expands"):
        convert_to(tmp_path, tmp_path / "faces.zip")
    with pytest.raises(FaceDataError, match="ends in .npz"):
        convert(tmp_path / "faces.csv", tmp_path / "set.csv")
    assert not list(tmp_path.rglob("set*"))


@pytest.mark.parametrize(
    ("first", "what"), [(b"Rar!\x1a\x07\0", "a rar archive"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive")]
)
def test_archives_that_nothing_here_opens_are_named(tmp_path, first, what):
    (tmp_path / "fer2013.zip").write_bytes(first + bytes(100))
    with pytest.raises(FaceDataError, match=what):
        read_fer2013(tmp_path / "fer2013.zip")


def test_near_names_are_offered_for_a_wrong_path(tmp_path):
    (tmp_path / "fer2013.csv").touch()
    with pytest.raises(FaceDataError, match="Names near it: fer2013.csv"):
        read_fer2013(tmp_path / "fer2031.csv")


def test_a_name_is_printed_on_one_line():
    assert printable("a\nb\x1b.csv") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}.csv"


def test_control_characters_of_names_are_not_printed(tmp_path):
    (tmp_path / "a\x1b[31m.csv").write_text("x,y\n", encoding="utf-8")
    with pytest.raises(FaceDataError) as problem:
        read_fer2013(tmp_path / "a\x1b[31m.csv")
    assert "\x1b" not in str(problem.value)
