"""Kernels for the notebooks' tests that start at once: copies of a process that has imported TensorFlow, and no more.

Each of the notebooks has a kernel of its own, in which nothing has run. To import TensorFlow anew for each would take
a tenth of the time of all tests. What learners start, a new Python, is tested in JupyterLab and with Colab's versions.
"""

import multiprocessing
import os

import matplotlib
import pandas
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.manager import KernelManager

IMPORTED = __name__, "ipykernel.ipkernel", "fer_utils.device"


class ForkedKernel:
    """A kernel's process, with what Jupyter asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, command, env, cwd, **_):
        """Starts what `command`, `python -m ipykernel_launcher` and its arguments, would start."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self.process = context.Process(target=run_kernel, args=(command[3:], env, cwd), daemon=True)
        self.process.start()
        self.pid, self.kill, self.terminate = self.process.pid, self.process.kill, self.process.terminate

    def poll(self):
        return self.process.exitcode

    def wait(self):
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)


class ForkedKernelManager(KernelManager):
    """A `KernelManager` whose kernels are forked."""

    async def _async_launch_kernel(self, kernel_cmd, **settings):
        self.provisioner.process = ForkedKernel(kernel_cmd, **settings)


def run_kernel(arguments, env, cwd):
    """The kernel itself, in its own process; what it writes past Jupyter is thrown away, as nbval does."""
    os.environ.clear()
    os.environ.update(env, JPY_PARENT_PID=str(os.getppid()))  # with which it ends
    os.chdir(cwd)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # What these two set for a kernel as they are imported.
    matplotlib.rcParams["backend"] = "module://matplotlib_inline.backend_inline"
    pandas.set_option("display.max_columns", 20)
    IPKernelApp.launch_instance(argv=arguments)
