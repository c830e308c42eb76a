"""Processes that start at once: copies of one that has imported TensorFlow and has run nothing of it.

To import TensorFlow anew for each would take a tenth of the time of all tests. Elsewhere than on Linux, where such a
copy is not safe, they are new Pythons.
"""

import multiprocessing
import os
import sys

CAN_FORK = sys.platform == "linux"
IMPORTED = "forked_kernel", "ipykernel.ipkernel", "fer_utils.device"


def start(function, *arguments, env, cwd):
    """Returns the process that calls `function`, one of a module, in the folder `cwd` with the variables `env`."""
    context = multiprocessing.get_context("forkserver" if CAN_FORK else "spawn")
    if CAN_FORK:
        context.set_forkserver_preload(IMPORTED)
    process = context.Process(target=_call, args=(function, arguments, env, cwd), daemon=True)
    process.start()
    return process


def _call(function, arguments, env, cwd):
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    function(*arguments)
