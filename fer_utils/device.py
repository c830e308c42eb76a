"""Says what the device that trains is good at: the number format it multiplies fastest in, how many faces at once.

Half the bits pay where the device multiplies them itself and has much to multiply: networks at their full width. These
are bfloat16, or float16 on GPUs such as Colab's T4 that know only that one: its small numbers end at 6e-8, so the loss
is scaled up before its gradients are taken, and these down again. Elsewhere half the bits cost more than they gain; on
a processor that must imitate them, many times more. To have the instruction is not enough: of the processors measured
AMD's gain by it, Intel's without AMX lose (the course's networks train 1.1 to 1.6 times as fast in float32).
`fer-course benchmark` measures it. How many faces make a training step is no matter of the device: it changes what is
learned, so it belongs to the recipe.
"""

import contextlib
import functools
import gc
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

from fer_utils.environment import quiet_stderr

# On a processor without AVX-512 TensorFlow leaves the faster convolutions of oneDNN off unless it is told to use them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


class BackendError(ValueError):
    """Keras could not be imported with the backend that is asked for; the message says which, and what to do."""


def _import_tensorflow_without_jax():
    """Imports TensorFlow before Keras does, in three quarters of the time where JAX is installed too, as on Colab.

    Its converter for telephones would import JAX, for networks of JAX, which nobody has where Keras uses TensorFlow.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow" or "jax" in sys.modules:
        return
    sys.modules["jax"] = None  # for Python: there is none
    try:
        import tensorflow  # noqa: F401
    finally:
        del sys.modules["jax"]


# Importing makes three quarters of a million objects and lets go of few: looking for these takes as long as the rest.
# What is left stays until Python ends, so that nobody need look at it again.
gc.disable()
try:
    with quiet_stderr():
        with contextlib.suppress(ImportError):  # Keras may be set to another backend by its own file
            _import_tensorflow_without_jax()
        import keras
except (ImportError, ValueError) as error:
    raise BackendError(
        f"Keras does not start with the backend {os.environ.get('KERAS_BACKEND', 'tensorflow')!r} ({error}); unset "
        "KERAS_BACKEND, or install what it names"
    ) from error
finally:
    gc.enable()
gc.freeze()

if keras.backend.backend() not in ("tensorflow", "jax"):
    raise BackendError(
        f"the course runs on tensorflow and jax; found KERAS_BACKEND {keras.backend.backend()!r}: unset it"
    )

# TensorFlow takes several networks in one process for a mistake and warns of retracing, in notebooks on stdout.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

PRECISIONS = FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"
FLOAT16 = "mixed_float16"
BFLOAT16_CPU = re.compile(r"\bamx_bf16\b|\bAuthenticAMD\b.*\bavx512_bf16\b", re.DOTALL)
# NVIDIA's compute capability from which on a GPU multiplies float16 (Volta) and bfloat16 (Ampere) fast.
FLOAT16_GPU, BFLOAT16_GPU = 7.0, 8.0
NARROWEST_IN_HALF = 0.5  # width of a network, 1 for the whole one
PREDICTION_BATCH = {"CPU": 256, "GPU": 1024}  # images


def kind():
    """Returns `"CPU"`, `"GPU"` or `"TPU"`: what the backend computes on."""
    return keras.distribution.list_devices()[0].split(":")[0].upper()


def name_device():
    """Returns the device as a run records it, such as `"CPU, 2 cores"` or `"GPU, NVIDIA H100 80GB HBM3"`.

    The cores are those that this process may use. A GPU whose model is not known is `"GPU"`. No name holds a point, a
    semicolon or a bar: they end the name in a notebook's head and in a table.
    """
    if kind() == "CPU":
        cores = count_cores()
        return f"CPU, {cores} core{'s' if cores != 1 else ''}"
    model = " ".join(re.sub(r"[.;|]", " ", _ask_nvidia("name")).split()) if kind() == "GPU" else ""
    return f"{kind()}, {model}" if model else kind()


def count_cores():
    """Returns how many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return getattr(os, "process_cpu_count", os.cpu_count)()  # the former from Python 3.13 on


def prediction_batch():
    """Returns how many faces a network looks at at once when it does not learn."""
    return PREDICTION_BATCH.get(kind(), 1024)


def choose_precision(width=1.0):
    """Returns Keras's dtype policy for training networks of this `width` here: half the bits where they pay."""
    return half_precision() or FLOAT32 if width >= NARROWEST_IN_HALF else FLOAT32


@functools.cache
def half_precision():
    """Returns the dtype policy of half the bits, if the device multiplies these faster than float32; else None."""
    on = {"CPU": _half_on_cpu, "GPU": _half_on_gpu}
    return on.get(kind(), lambda: BFLOAT16)()


def _half_on_cpu():
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return None
    return BFLOAT16 if BFLOAT16_CPU.search(flags) else None


def _half_on_gpu():
    try:
        capability = float(_ask_nvidia("compute_cap"))
    except ValueError:
        return None
    if capability < FLOAT16_GPU:
        return None
    return BFLOAT16 if capability >= BFLOAT16_GPU else FLOAT16


def _ask_nvidia(fact):
    """Returns what NVIDIA's own command says of the first GPU that this process may use; else an empty text.

    The command itself knows nothing of CUDA_VISIBLE_DEVICES.
    """
    command = ["nvidia-smi", f"--query-gpu={fact}", "--format=csv,noheader"]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip()
    if visible and not visible.startswith("MIG"):  # a part of a GPU has no entry of its own
        command.append(f"--id={visible}")
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.strip().partition("\n")[0].strip()


def import_tensorflow():
    """Returns TensorFlow; `BackendError` under another backend. Only this module names it."""
    if keras.backend.backend() != "tensorflow":
        raise BackendError(f"gradients are taken with TensorFlow; KERAS_BACKEND is {keras.backend.backend()!r}")
    import tensorflow

    return tensorflow
