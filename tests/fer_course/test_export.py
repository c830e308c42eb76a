"""Networks as files for other programs: what they answer, and the page that says how to ask them."""

import functools
import importlib.util
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fer_course import cli, export
from fer_utils.data import CLASS_NAMES, draw_face
from fer_utils.environment import PROJECT
from fer_utils.models import predict
from fer_utils.report import find_kept, load_recorded
from fer_utils.training import RunError, load_network
from small_records import record_run

TOLERANCE = 1e-5  # as docs/export.md says
PAGE = (PROJECT / "docs" / "export.md").read_text(encoding="utf-8")
RUNTIMES = {".keras": "keras", ".tflite": "ai_edge_litert", ".onnx": "onnxruntime"}


def need(suffix):
    """Skips the test if a package is missing that writes or reads files with `suffix`."""
    for name in (*export.NEEDED[suffix], RUNTIMES[suffix]):
        pytest.importorskip(name, reason=f"{suffix} needs {name}, which is not installed")


def answer(path, faces):
    """What the file at `path` says of `faces`, asked without the course's packages."""
    if path.suffix == ".keras":
        import keras

        return np.asarray(keras.saving.load_model(path)(faces))
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(str(path)).get_signature_runner()(face=faces)["output_0"]
    import onnxruntime

    return onnxruntime.InferenceSession(path).run(None, {"face": faces})[0]


@pytest.fixture(scope="module")
def drawn():
    """100 faces uint8 (N, 48, 48, 1): each person with one of the ten commonest action units."""
    units = (1, 2, 4, 5, 6, 9, 12, 15, 20, 26)
    return np.stack([draw_face({units[person % 10]: 1.0}, person) for person in range(100)])[..., np.newaxis]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A function of an experiment and a suffix that gives (run, file): each file is written once."""

    @functools.cache
    def write(experiment, suffix):
        path = tmp_path_factory.mktemp("exported") / f"network{suffix}"
        return export.export(experiment, path), path

    return write


@pytest.fixture(scope="module")
def wanted(drawn):
    """A function of an experiment that gives what its network says of the faces `drawn`: each is asked once."""

    @functools.cache
    def ask(experiment):
        return predict(load_network(find_kept(load_recorded(experiment), experiment)), drawn)

    return ask


@pytest.fixture
def one_record(tmp_path, monkeypatch):
    """A folder in which a run is recorded without its weights."""
    record_run(tmp_path / "runs", "vgg_like")
    monkeypatch.setattr("fer_course.export.load_recorded", lambda name: load_recorded(name, folder=tmp_path / "runs"))
    return tmp_path


# `best` has all random layers in front of it, and `fast` one.
@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["fast", "best"])
@pytest.mark.parametrize("suffix", export.NEEDED)
def test_the_file_answers_as_the_network_does(exported, drawn, wanted, experiment, suffix):
    need(suffix)
    run, path = exported(experiment, suffix)
    assert run.experiment == experiment
    found = answer(path, drawn)
    assert found.shape == (100, 7) and found.dtype == np.float32
    assert len(set(wanted(experiment).argmax(axis=1))) > 1
    np.testing.assert_allclose(found, wanted(experiment), rtol=0, atol=TOLERANCE)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.slow
def test_the_pages_lines_run_without_this_package(exported, tmp_path, drawn, wanted):
    Image.fromarray(drawn[7, ..., 0]).save(tmp_path / "face.png")
    row = wanted("fast")[7]
    first, *uses = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(uses) == len(export.NEEDED) and all(use.count("\n") == 5 for use in uses)
    check = "import sys; assert not {'fer_utils', 'fer_course'} & set(sys.modules)"
    tried = 0
    for suffix, use in zip(export.NEEDED, uses, strict=True):
        assert f"best{suffix}" in use
        if not all(map(importlib.util.find_spec, (*export.NEEDED[suffix], RUNTIMES[suffix]))):
            continue
        # `fast` under the name of `best`, which takes longer to write.
        shutil.copy(exported("fast", suffix)[1], tmp_path / f"best{suffix}")
        command = [sys.executable, "-c", f"{first}{use}{check}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        name, probability = done.stdout.split()
        assert name == CLASS_NAMES[row.argmax()] and float(probability) == pytest.approx(row.max(), abs=TOLERANCE)
        tried += 1
    assert tried


def test_the_page_names_the_classes_in_their_order():
    assert f"in this order: {', '.join(CLASS_NAMES)}." in PAGE


def test_floats_go_into_a_keras_file_as_well(exported, drawn, wanted):
    found = answer(exported("fast", ".keras")[1], drawn[:10].astype("float32"))
    np.testing.assert_allclose(found, wanted("fast")[:10], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["network.h5", "network", "network.keras.zip", ".onnx"])
def test_another_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"found the suffix .*; expected one of \.keras, \.tflite, \.onnx"):
        export.export("fast", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "models.keras").mkdir()
    with pytest.raises(ValueError, match="found a folder; expected the name of a file"):
        export.export("fast", tmp_path / "models.keras")


def test_an_unknown_experiment_and_one_without_weights_are_refused(one_record):
    with pytest.raises(ValueError, match="no experiment 'vg'; there are: .*vgg_like"):
        export.export("vg", one_record / "network.keras")
    for name in ("vgg_like", "best_long"):
        with pytest.raises(RunError, match=f"no readable run of {name} has its weights"):
            export.export(name, one_record / "network.keras")
    assert not (one_record / "network.keras").exists()


def test_a_missing_package_is_named_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"\.onnx needs onnx and tf2onnx, .*--extra export.*pip install onnx tf2onnx"):
        export.export("fast", tmp_path / "fast.onnx")


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_another_backend_is_refused(tmp_path, monkeypatch, suffix):
    need(suffix)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="found Keras on jax: unset KERAS_BACKEND"):
        export.export("fast", tmp_path / f"fast{suffix}")


def test_an_older_file_stays_if_writing_fails(tmp_path, monkeypatch):
    def fail(network, path):
        path.write_bytes(b"half")
        raise OSError("no space left")

    (tmp_path / "fast.keras").write_bytes(b"older")
    monkeypatch.setattr("fer_course.export._write", fail)
    with pytest.raises(OSError, match="no space left"):
        export.export("fast", tmp_path / "fast.keras")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("fast.keras", b"older")]


def test_the_command_says_what_goes_in_and_what_comes_out(tmp_path):
    done = CliRunner().invoke(cli.app, ["export", "fast", str(tmp_path / "fast.keras")])
    assert done.exit_code == 0 and (tmp_path / "fast.keras").exists()
    assert "fast, seed 0, trained on FER2013" in done.stdout and "uint8 (N, 48, 48, 1)" in done.stdout
    assert ", ".join(CLASS_NAMES) in done.stdout
    done = CliRunner().invoke(cli.app, ["export", "fast", str(tmp_path / "fast.h5")])
    assert done.exit_code == 1 and done.stderr.startswith("error: ") and "Traceback" not in done.output
