"""Whatever stops a process while it replaces a file or folder: the old or the new one is whole under its name."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest

from fer_utils import environment
from fer_utils.environment import atomic_path, recover, recover_all

# Replaces what lies at argv[1] in a process of its own, again and again, and stops it just before its first operation
# on the file system, then before its second, and so on: by a kill, or by an error, as when Windows has the file open.
STOP_AT_EVERY_STEP = """
import json, os, shutil, signal, sys
from pathlib import Path
from fer_utils.environment import atomic_path, recover

path, how, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
left = None  # operations until the stop
OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "fcntl.flock", "shutil.rmtree"}

def stop(event, _):
    global left
    if left is not None and event in OPERATIONS:
        left -= 1
        if left < 0:
            left = None
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise {"error": PermissionError("held open"), "interrupt": KeyboardInterrupt()}[how]

def write(content):
    with atomic_path(path) as temporary:
        if kind == "file":
            temporary.write_text(content)
        else:
            (temporary / "inner").mkdir(parents=True)
            (temporary / "a.txt").write_text(content)
            (temporary / "inner" / "b.txt").write_text(content)

def read():
    files = [path] if kind == "file" else [path / "a.txt", path / "inner" / "b.txt"]
    return [file.read_text() for file in files]

sys.addaudithook(stop)
found = []
while True:
    write("old")
    child = os.fork()
    if not child:
        left = len(found)
        try:
            write("new")
        finally:
            is_done, left = left is not None, None
            os._exit(0 if is_done else 1)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        break
    recover(path)
    found.append(read())
    write("next")
    found[-1] += read() + [name for name in os.listdir(path.parent) if name != path.name]
print(json.dumps(found))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
@pytest.mark.parametrize("how", ["kill", "error", "interrupt"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_stopped_at_any_step_the_old_or_the_new_is_whole(tmp_path, how, kind):
    command = [sys.executable, "-c", STOP_AT_EVERY_STEP, str(tmp_path / "thing"), how, kind]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    n_files = 1 if kind == "file" else 2
    assert len(found) > 5 * n_files, "the stops did not reach the operations"
    both = [[content] * n_files + ["next"] * n_files for content in ("old", "new")]
    assert all(contents in both for contents in found)
    assert {contents[0] for contents in found} == {"old", "new"}


def write_folder(path, content):
    with atomic_path(path) as temporary:
        temporary.mkdir()
        (temporary / "a.txt").write_text(content, encoding="utf-8")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_place_that_cannot_be_taken_gets_its_old_folder_back(tmp_path, monkeypatch):
    write_folder(tmp_path / "thing", "old")
    replace = os.replace

    def refuse_the_new_one(source, target):
        if str(source).endswith(".tmp"):
            raise PermissionError("held open")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_the_new_one)
    with pytest.raises(PermissionError, match="held open"):
        write_folder(tmp_path / "thing", "new")
    assert (tmp_path / "thing" / "a.txt").read_text(encoding="utf-8") == "old" and names_in(tmp_path) == ["thing"]


def test_a_place_that_stays_closed_leaves_the_old_folder_to_be_recovered(tmp_path, monkeypatch):
    path = tmp_path / "thing"
    write_folder(path, "old")
    replace = os.replace

    def refuse_the_place(source, target):
        if target == path:
            raise PermissionError("held open")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse_the_place)
        with pytest.raises(PermissionError, match="held open"):
            write_folder(path, "new")
        recover(path)
        assert not path.exists()
    recover_all(tmp_path)
    assert (path / "a.txt").read_text(encoding="utf-8") == "old"


def test_a_folder_that_cannot_be_removed_is_removed_by_the_next_writer(tmp_path, monkeypatch):
    path = tmp_path / "thing"
    write_folder(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(environment.shutil, "rmtree", refuse)
        write_folder(path, "new")
    assert (path / "a.txt").read_text(encoding="utf-8") == "new" and names_in(tmp_path) == [".thing.tmp", "thing"]
    write_folder(path, "next")
    assert (path / "a.txt").read_text(encoding="utf-8") == "next" and names_in(tmp_path) == ["thing"]


def refuse(*_):
    raise PermissionError("held open")


def test_recovering_changes_nothing_where_nothing_is_lost(tmp_path):
    write_folder(tmp_path / "thing", "new")
    write_folder(tmp_path / ".thing.old", "old")
    recover(tmp_path / "thing")
    recover(tmp_path / "other")
    recover_all(tmp_path / "no such folder")
    assert (tmp_path / "thing" / "a.txt").read_text(encoding="utf-8") == "new" and names_in(tmp_path) == [
        ".thing.old",
        "thing",
    ]


def test_what_dead_writers_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    write_folder(tmp_path / ".lost.old", "old")
    for name in (".lost.tmp", ".done.tmp"):
        (tmp_path / name).write_text("half", encoding="utf-8")
    (tmp_path / "mine.tmp").write_text("mine", encoding="utf-8")
    with atomic_path(tmp_path / "alive") as temporary:
        temporary.write_text("half", encoding="utf-8")
        environment.sweep(tmp_path)
        assert names_in(tmp_path) == [".alive.lock", ".alive.tmp", "lost", "mine.tmp"]
    assert names_in(tmp_path) == ["alive", "lost", "mine.tmp"]
    environment.sweep(tmp_path / "no such folder")


WRITE_SLOWLY = """
import sys, time
from pathlib import Path
from fer_utils.environment import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.mkdir()
    (temporary / "a.txt").write_text("first")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_living_process_writes_is_waited_for_and_never_swept(tmp_path, monkeypatch):
    path = tmp_path / "thing"
    command = [sys.executable, "-c", WRITE_SLOWLY, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as writer:
        assert writer.stdout.readline() == "writing\n"
        monkeypatch.setattr(environment, "SECONDS_TO_WRITE", 0.2)
        start = time.perf_counter()
        with pytest.raises(OSError, match="could not be acquired"):
            write_folder(path, "second")
        assert time.perf_counter() - start < 5
        writer.stdin.close()
        assert writer.wait() == 0
    assert (path / "a.txt").read_text(encoding="utf-8") == "first"
    monkeypatch.undo()
    write_folder(path, "second")
    assert (path / "a.txt").read_text(encoding="utf-8") == "second" and names_in(tmp_path) == ["thing"]


def test_a_full_disk_is_told_with_the_name_of_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "thing.npz"
    for of_file in (None, "temporary", tmp_path / "other"):
        with pytest.raises(OSError, match="No space left") as caught, environment.atomic_path(path) as temporary:
            name = temporary if of_file == "temporary" else of_file
            raise OSError(errno.ENOSPC, "No space left on device", *([str(name)] if name else []))
        assert caught.value.filename == str(path if of_file in (None, "temporary") else of_file)
    assert names_in(tmp_path) == []


# Writes again and again, as others do, and counts how often another one is in between.
WRITE_IN_TURN = """
import functools, os, sys, time
from pathlib import Path
from fer_utils import environment
environment.FileLock = functools.partial(environment.FileLock, poll_interval=0.0005)
path, end, others = Path(sys.argv[1]), time.monotonic() + 2, 0
inside = path.with_name("inside")
while time.monotonic() < end:
    with environment.atomic_path(path) as temporary:
        temporary.write_text("x")
        try:
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            others += 1
        else:
            time.sleep(0.001)
            inside.unlink()
print(others)
"""


def test_one_process_at_a_time_writes(tmp_path):
    command = [sys.executable, "-c", WRITE_IN_TURN, str(tmp_path / "thing")]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(3)]
    assert [writer.communicate()[0] for writer in writers] == ["0\n"] * 3
    assert names_in(tmp_path) == ["thing"]
