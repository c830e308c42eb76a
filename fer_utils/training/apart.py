"""Calls a function in a process of its own, whose memory goes back to the system when it ends.

TensorFlow keeps some of what each network has needed until its process ends, and a GPU's memory, too. The process runs
this file, which needs nothing but Python: what else is imported is up to the function.
"""

import os
import pickle
import subprocess
import sys
import threading
import traceback


class EndedError(ValueError):
    """A process ended before it answered; the message says for what it was."""


def call_apart(what, function, *arguments):
    """Returns `function(*arguments)`, called in a new process; what it raises is raised here.

    Both have to be picklable, so `function` is one of a module. What it prints goes to standard error. If this process
    is stopped or dies, the other one ends with it. Raises `EndedError`, which names `what` was done, if it dies alone.
    """
    command = [sys.executable, "-P", __file__]  # -P: the modules beside this file are none of the path's
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    try:
        # In a session of its own, where Ctrl-C does not reach it: it is stopped here.
        with subprocess.Popen(command, env=paths, start_new_session=True, **pipes) as process:
            try:
                pickle.dump((function, arguments), process.stdin)
                process.stdin.flush()
                result, error = pickle.load(process.stdout)
            except BaseException:
                process.kill()
                raise
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        raise EndedError(
            f"the process for {what} ended by itself (exit status {process.returncode}; -9 is often too little memory)."
            " Finished runs and epochs are kept; give the same command again"
        ) from None
    if error:
        raise error
    return result


def _answer():
    """What the new process does: reads what to call, calls it, and answers with its result or its error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no answer
    function, arguments = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        told = function(*arguments), None
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        told = None, error
    with answers:
        pickle.dump(told, answers)


def _end_with_parent():
    """Waits for the end of standard input, which comes when the process at its other end closes it or dies."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    _answer()
