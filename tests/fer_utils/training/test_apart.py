"""A function in a process of its own: its answer, its error and its end arrive; it never outlives who called it."""

import operator
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer_utils.training import apart
from fer_utils.training.apart import EndedError, call_apart
from small_training import wait_for

# Ctrl-C is ignored by what a shell runs in the background, so it is set to what it does in the foreground. The module
# needs nothing of its package, whose import takes seconds.
SLEEP_APART = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {str(Path(apart.__file__).parent)!r})
from apart import call_apart
call_apart("it", os.system, sys.argv[1])
"""


def test_the_answer_comes_from_another_process():
    assert call_apart("it", os.getpid) != os.getpid()
    assert call_apart("it", dict, {"a": 1}) == {"a": 1}


def test_what_it_prints_goes_to_standard_error(capfd):
    assert call_apart("it", print, "printed") is None
    assert capfd.readouterr() == ("", "printed\n")


def test_what_it_raises_is_raised_here_with_the_place():
    with pytest.raises(ZeroDivisionError, match="division") as caught:
        call_apart("it", operator.truediv, 1, 0)
    assert "in _answer" in caught.value.__notes__[0]


@pytest.mark.parametrize(("end", "status"), [(signal.raise_signal, "-9"), (os._exit, "9")])
def test_a_process_that_dies_is_named(end, status):
    message = f"the process for lenet_like, seed 0 ended by itself .exit status {status};.* give the same command again"
    with pytest.raises(EndedError, match=message):
        call_apart("lenet_like, seed 0", end, 9)


@pytest.mark.skipif(not Path("/proc").exists(), reason="asks Linux which processes live")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_process_that_called_it(tmp_path, end):
    noted = tmp_path / "process"
    command = [sys.executable, "-c", SLEEP_APART, f"echo $PPID > {noted}; sleep 60"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as caller:
        wait_for(lambda: noted.exists() and noted.read_text(encoding="utf-8").endswith("\n"))
        caller.send_signal(end)
        assert caller.wait(20) != 0
        wait_for(lambda: not is_alive(noted.read_text(encoding="utf-8").strip()))


def is_alive(process):
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
