"""The number format and the batch that suit the device."""

import os
import subprocess
from pathlib import Path

import pytest

from fer_utils import device

AMD = "vendor_id : AuthenticAMD\n"


@pytest.fixture
def on(monkeypatch):
    """A function that puts the tests on a device of a kind, as far as `device` can see."""

    def put(kind, cpu="", gpu=None):
        device.half_precision.cache_clear()
        monkeypatch.setattr(device, "kind", lambda: kind)
        monkeypatch.setattr(Path, "read_text", lambda self, **_: cpu)

        def nvidia_smi(command, **_):
            if gpu is None:
                raise FileNotFoundError(command[0])
            return subprocess.CompletedProcess(command, 0, stdout=gpu)

        monkeypatch.setattr(subprocess, "run", nvidia_smi)

    yield put
    device.half_precision.cache_clear()


@pytest.mark.parametrize(
    ("kind", "cpu", "gpu", "expected"),
    [
        ("CPU", AMD + "flags : sse avx512f avx512_bf16 fsrm", None, device.BFLOAT16),
        ("CPU", "vendor_id : GenuineIntel\nflags : sse avx512f avx512_bf16 fsrm", None, device.FLOAT32),
        ("CPU", "vendor_id : GenuineIntel\nflags : avx512_bf16 amx_bf16 amx_tile", None, device.BFLOAT16),
        ("CPU", "flags : sse avx2", None, device.FLOAT32),
        ("CPU", AMD + "flags : not_avx512_bf16x", None, device.FLOAT32),
        ("GPU", AMD + "flags : avx512_bf16", "7.5\n", device.FLOAT16),
        ("GPU", "", "6.1\n", device.FLOAT32),
        ("GPU", "", "9.0\n9.0\n", device.BFLOAT16),
        ("GPU", "", "", device.FLOAT32),
        ("GPU", "", None, device.FLOAT32),
        ("TPU", "", None, device.BFLOAT16),
    ],
)
def test_half_the_bits_are_used_where_the_device_multiplies_them(on, kind, cpu, gpu, expected):
    on(kind, cpu, gpu)
    assert device.choose_precision() == expected


def test_narrow_networks_are_trained_in_float32_everywhere(on):
    on("CPU", AMD + "flags : avx512_bf16")
    assert device.choose_precision(0.5) == device.BFLOAT16
    assert device.choose_precision(0.25) == device.FLOAT32


def test_a_system_without_the_list_of_flags_is_taken_for_one_without_bfloat16(on, monkeypatch):
    on("CPU")

    def missing(self, **_):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", missing)
    assert device.half_precision() is None


@pytest.mark.parametrize(
    ("gpu", "name"),
    [
        ("NVIDIA H100 80GB HBM3\n", "GPU, NVIDIA H100 80GB HBM3"),
        ("Tesla T4\nTesla T4\n", "GPU, Tesla T4"),
        ("NVIDIA A100; 1g.5gb | x\n", "GPU, NVIDIA A100 1g 5gb x"),
        ("\n", "GPU"),
        (None, "GPU"),
    ],
)
def test_a_gpu_is_named_by_its_model(on, gpu, name):
    on("GPU", gpu=gpu)
    assert (device.name_device(), device.prediction_batch()) == (name, 1024)


@pytest.mark.parametrize(
    ("visible", "asked"),
    [(None, []), ("", []), ("1", ["--id=1"]), ("1,0", ["--id=1"]), ("GPU-8f3a", ["--id=GPU-8f3a"]), ("MIG-4c1b", [])],
)
def test_the_gpu_that_is_asked_is_the_first_that_may_be_used(monkeypatch, visible, asked):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(device, "kind", lambda: "GPU")
    commands = []

    def nvidia_smi(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="Tesla T4\n")

    monkeypatch.setattr(subprocess, "run", nvidia_smi)
    assert device.name_device() == "GPU, Tesla T4"
    assert [[part for part in command if part.startswith("--id")] for command in commands] == [asked]


def test_a_cpu_is_named_by_the_cores_that_the_process_may_use(on, monkeypatch):
    on("CPU")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5}, raising=False)
    assert (device.name_device(), device.prediction_batch()) == ("CPU, 2 cores", 256)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5})
    assert device.name_device() == "CPU, 1 core"
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert device.name_device() == "CPU, 3 cores"
    monkeypatch.delattr(os, "process_cpu_count")
    assert device.name_device() == "CPU, 8 cores"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process to cores")
def test_a_pinned_process_counts_its_own_cores():
    allowed = os.sched_getaffinity(0)
    assert device.count_cores() == len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert device.count_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_tpu_is_named_by_its_kind(on):
    on("TPU", gpu="Tesla T4\n")
    assert device.name_device() == "TPU"
