"""Kernels for the notebooks' tests that start at once (`forked`).

Each of the notebooks has a kernel of its own, in which nothing has run. What learners start, a new Python, is tested
in JupyterLab and with Colab's versions.
"""

import os

import matplotlib
import pandas
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.manager import KernelManager

import forked


class ForkedKernel:
    """A kernel's process, with what Jupyter asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, command, env, cwd, **_):
        """Starts what `command`, `python -m ipykernel_launcher` and its arguments, would start."""
        self.process = forked.start(run_kernel, command[3:], env=env, cwd=cwd)
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


def run_kernel(arguments):
    """The kernel itself, in its own process; what it writes past Jupyter is thrown away, as nbval does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # What these two set for a kernel as they are imported.
    matplotlib.rcParams["backend"] = "module://matplotlib_inline.backend_inline"
    pandas.set_option("display.max_columns", 20)
    IPKernelApp.launch_instance(argv=arguments, parent_handle=os.getppid())  # with which it ends
