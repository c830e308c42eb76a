"""Files of FER2013's layouts with 42 faces of noise, for tests of the readers, and what all refusals have in common."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_utils.data.fer2013 import CLASS_NAMES, SPLIT_NAMES, FaceDataError
from fer_utils.data.formats import read_fer2013


def _make_faces(per_cell=2):
    """Noise with `per_cell` images of each class in each split: (pixels, labels, usage), rows by split, then mixed."""
    rng = np.random.default_rng(1)
    labels = np.concatenate([rng.permutation(np.repeat(np.arange(7), per_cell)) for _ in range(3)]).astype(np.uint8)
    usage = np.repeat(np.arange(3), 7 * per_cell).astype(np.uint8)
    # Numbers of one, two and three digits alike.
    pixels = (rng.integers(0, 256, (len(labels), 48, 48)) // rng.choice([1, 5, 50], (len(labels), 48, 48))).astype(
        np.uint8
    )
    return pixels, labels, usage


FACES = _make_faces()


def make_csv(faces=FACES, header="emotion,pixels,Usage", newline="\n", quote=""):
    lines = [header]
    names = [name.strip().lower() for name in header.split(",")]
    for image, label, split in zip(*faces, strict=True):
        text = " ".join(map(str, image.ravel().tolist()))
        fields = {"emotion": str(label), "pixels": f"{quote}{text}{quote}", "usage": SPLIT_NAMES[split]}
        lines.append(",".join(fields[name] for name in names))
    return (newline.join(lines) + newline).encode()


def make_npz(**changes):
    stream = io.BytesIO()
    arrays = {"pixels": FACES[0], "emotion": FACES[1], "usage": FACES[2], **changes}
    np.savez(stream, **{name: array for name, array in arrays.items() if array is not None})
    return stream.getvalue()


def make_zip(members, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def make_tar(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def make_image(pixels, kind="png"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, {"jpg": "jpeg"}.get(kind, kind))
    return stream.getvalue()


def make_class_images(split_folders=("train", "test", "test"), class_folders=None, name="{usage}_{row:08d}.png"):
    """{name: content} of class folders; `name` may use the usage's name and the row."""
    class_folders = class_folders or [class_name.lower() for class_name in CLASS_NAMES]
    members = {}
    for row, (image, label, split) in enumerate(zip(*FACES, strict=True)):
        file_name = name.format(usage=SPLIT_NAMES[split], row=row)
        members[f"{split_folders[split]}/{class_folders[label]}/{file_name}"] = make_image(image, file_name[-3:])
    return members


def write_files(folder, members):
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def as_rows(faces):
    """The rows as sorted bytes: equal for the same faces in another order."""
    return sorted(bytes([int(split), label]) + image.tobytes() for image, label, split in zip(*faces, strict=True))


def arrays_of(found):
    return found.pixels, found.labels, found.usage


def assert_same(found, faces=FACES, sort=False):
    for array, shape in zip(arrays_of(found), [(len(faces[1]), 48, 48), faces[1].shape, faces[1].shape], strict=True):
        assert array.dtype == np.uint8 and array.shape == shape
    if sort:
        assert as_rows(arrays_of(found)) == as_rows(faces)
    else:
        assert all(np.array_equal(array, wanted) for array, wanted in zip(arrays_of(found), faces, strict=True))


def refusal(path):
    """The message with which a file is refused: it names the file, what was found and expected, and what to do."""
    with pytest.raises(FaceDataError) as caught:
        read_fer2013(path)
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert path.name in message and "found" in message and "expected" in message and message.endswith(".")
    assert "data/README.md" in message or "use icml_face_data.csv" in message
    return message


def refusal_of(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return refusal(path)
