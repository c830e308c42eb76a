"""What `fer-course export` does: writes a recorded network as a file that other programs use.

Dividing by 255 is the network's own first layer, so the file takes grey levels as they are in an image.
"""

import importlib.util
import shutil
import tempfile
from pathlib import Path

from fer_utils.device import keras
from fer_utils.environment import atomic_path, expand_home, quiet_stderr
from fer_utils.models import with_keras_layers
from fer_utils.report import find_kept, load_recorded
from fer_utils.training import find_experiment, load_network

NEEDED = {".keras": (), ".tflite": (), ".onnx": ("onnx", "tf2onnx")}  # packages beside TensorFlow, by suffix


def export(experiment, path):
    """Writes the recorded network of the experiment called `experiment` to `path`; returns its `Run`.

    A file in the form that the suffix names takes uint8 (N, 48, 48, 1) and gives probabilities float32 (N, 7); `.keras`
    takes floats from 0 to 255 as well. It replaces an older one only when it is whole. Raises `ValueError` for another
    suffix, an experiment that is unknown or has no recorded weights, and for what the form needs and is not there.
    """
    path = expand_home(path)
    _check_form(path)
    find_experiment(experiment)
    run = find_kept(load_recorded(experiment), experiment)
    network = with_keras_layers(load_network(run))
    # Keras goes by the suffix, which the hidden file of `atomic_path` has not.
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
        made = Path(folder) / f"network{path.suffix}"
        _write(network, made)
        shutil.copyfile(made, temporary)
    return run


def _check_form(path):
    if path.suffix not in NEEDED:
        raise ValueError(f"{str(path)!r}: found the suffix {path.suffix!r}; expected one of {', '.join(NEEDED)}")
    if path.is_dir():
        raise ValueError(f"{str(path)!r}: found a folder; expected the name of a file")
    if missing := [name for name in NEEDED[path.suffix] if importlib.util.find_spec(name) is None]:
        how = f"`uv run --extra export fer-course export ...`, or `pip install {' '.join(missing)}`"
        raise ValueError(f"{path.suffix} needs {' and '.join(missing)}, which this Python does not have: {how}")
    if path.suffix != ".keras" and (backend := keras.backend.backend()) != "tensorflow":
        raise ValueError(f"{path.suffix} is written with TensorFlow; found Keras on {backend}: unset KERAS_BACKEND")


def _write(network, path):
    # Without this, a call or a converter that does not say which of the two it means changes the images as in training.
    faces = keras.Input(network.input_shape[1:], dtype="uint8", name="face")
    answering = keras.Model(faces, network(faces, training=False))
    if path.suffix == ".keras":
        answering.save(path)
        return
    taken = [keras.InputSpec(shape=network.input_shape, dtype="uint8", name="face")]
    form = {".tflite": "litert", ".onnx": "onnx"}[path.suffix]
    with quiet_stderr():  # both converters write pages of notes
        answering.export(path, format=form, input_signature=taken, verbose=False)
