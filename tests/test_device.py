"""The number format and the batch that suit the device."""

import subprocess
from pathlib import Path

import pytest

from fer_utils import device

AMD = "vendor_id : AuthenticAMD\n"


@pytest.fixture
def on(monkeypatch):
    """A function that puts the tests on a device of a kind, as far as `device` can see."""

    def put(kind, cpu="", gpu=None):
        device.bfloat16_pays.cache_clear()
        monkeypatch.setattr(device, "kind", lambda: kind)
        monkeypatch.setattr(Path, "read_text", lambda self: cpu)

        def nvidia_smi(command, **_):
            if gpu is None:
                raise FileNotFoundError(command[0])
            return subprocess.CompletedProcess(command, 0, stdout=gpu)

        monkeypatch.setattr(subprocess, "run", nvidia_smi)

    yield put
    device.bfloat16_pays.cache_clear()


@pytest.mark.parametrize(
    ("kind", "cpu", "gpu", "expected"),
    [
        ("CPU", AMD + "flags : sse avx512f avx512_bf16 fsrm", None, device.BFLOAT16),
        ("CPU", "vendor_id : GenuineIntel\nflags : sse avx512f avx512_bf16 fsrm", None, device.FLOAT32),
        ("CPU", "vendor_id : GenuineIntel\nflags : avx512_bf16 amx_bf16 amx_tile", None, device.BFLOAT16),
        ("CPU", "flags : sse avx2", None, device.FLOAT32),
        ("CPU", AMD + "flags : not_avx512_bf16x", None, device.FLOAT32),
        ("GPU", AMD + "flags : avx512_bf16", "7.5\n", device.FLOAT32),
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

    def missing(self):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", missing)
    assert not device.bfloat16_pays()


def test_the_device_is_described(on):
    on("GPU")
    assert (device.describe(), device.prediction_batch()) == ("GPU", 1024)
    on("CPU")
    assert device.describe().startswith("CPU, ") and device.prediction_batch() == 256
