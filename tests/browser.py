"""Chromium and JupyterLab for test_browser.py: kept on this machine, given a time limit, gone afterwards."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What is not on this machine is asked for at a proxy that nobody serves: no page gets out, nor does Chromium itself.
# The camera is Chromium's own test picture, and is given without asking.
FLAGS = [
    "--proxy-server=127.0.0.1:9",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
WINDOW = {"width": 1280, "height": 900}
# All cells of a notebook are drawn as it opens, and not only those in sight.
LAB_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
# A server that nobody ends, because the tests were killed, ends itself and its kernels after these seconds.
ORPHAN_SECONDS = 300


@contextlib.contextmanager
def time_limit(seconds):
    """Kills, `seconds` after its start, every process started within: what waits for one of them then fails."""
    before = set(psutil.Process().children())
    timer = threading.Timer(seconds, lambda: [_end(child) for child in set(psutil.Process().children()) - before])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(process, patience=20):
    """Asks `process` to end, waits for it and all its descendants, and kills those left after `patience` seconds."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.terminate()
        for left in psutil.wait_procs(family, timeout=patience)[1]:
            left.kill()


@contextlib.contextmanager
def start_chromium(playwright):
    """Yields a browser context of `playwright` with a profile and a home of its own, both deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="fer_chromium_", ignore_cleanup_errors=True) as home:
        context = playwright.chromium.launch_persistent_context(
            Path(home) / "profile",
            executable_path=CHROMIUM,
            args=FLAGS,
            env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
            viewport=WINDOW,
        )
        context.set_default_timeout(30_000)
        try:
            yield context
        finally:
            context.close()


@contextlib.contextmanager
def start_lab(notebooks, environment):
    """Yields the address of a JupyterLab on the folder `notebooks`; its kernels get the variables `environment`.

    A page of it has JupyterLab's own application as `jupyterapp`.
    """
    with tempfile.TemporaryDirectory(prefix="fer_lab_", ignore_cleanup_errors=True) as folder:
        for name, values in LAB_SETTINGS.items():
            path = Path(folder, "config", "lab", "user-settings", "@jupyterlab", f"{name}.jupyterlab-settings")
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        places = {f"JUPYTER_{name.upper()}_DIR": str(Path(folder, name)) for name in ("config", "data", "runtime")}
        arguments = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", str(notebooks)]
        arguments += ["--expose-app-in-browser"]
        arguments += [f"--ServerApp.shutdown_no_activity_timeout={ORPHAN_SECONDS}"]
        arguments += [f"--MappingKernelManager.cull_idle_timeout={ORPHAN_SECONDS}"]
        log = Path(folder, "log")
        with log.open("w", encoding="utf-8") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *arguments],
                env=os.environ | environment | places,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _wait_for_address(server, Path(folder, "runtime"), log)
        finally:
            _end(psutil.Process(server.pid))


def _wait_for_address(server, runtime, log, seconds=60):
    """The address with its token, from the file in which the `server` notes its port."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # half written
                info = json.loads(path.read_text(encoding="utf-8"))
                return f"{info['url']}lab?reset&token={info['token']}"
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start within {seconds} s:\n{log.read_text(encoding='utf-8')[-2000:]}")


class _SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(folder):
    """Yields the address at which the files in `folder` are served."""
    handler = functools.partial(_SilentHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
