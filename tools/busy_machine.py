"""What `pytest --nbval` needs to be sure of itself on a busy machine.

Which programs have run before, and how many run beside it, does not decide
whether a chapter passes; and of a chapter that does not, the cell is reported
that is the cause.
"""

import subprocess
import sys
import time
from queue import Empty

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

# Between a reply and the output that belongs to it, in seconds.
OUTPUT_TIMEOUT = 120
FIRST_RUN = """
import importlib, pkgutil
import matplotlib.font_manager
import {0}
for module in pkgutil.walk_packages({0}.__path__, "{0}."):
    importlib.import_module(module.name)
"""


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        first_run("perfalign")


def first_run(package):
    """Import all of a package once in a process that nobody listens to.

    A first import compiles what was installed uncompiled, with a warning
    for each doubtful string in it, and matplotlib builds its font cache,
    which it says on stderr. A chapter that printed this would differ, and
    the tests take every warning for an error.
    """
    subprocess.run(
        [sys.executable, "-c", FIRST_RUN.format(package)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def setup(cell):
    """Do not run a cell whose kernel was lost, where nbval expects failure."""
    cell.output_timeout = OUTPUT_TIMEOUT
    if hasattr(cell.parent, "lost_in"):
        pytest.skip(f"not run: {cell.parent.lost_in} took too long or died")


def runtest(cell):
    try:
        nbval_runtest(cell)
    finally:
        if cell.parent.timed_out or not cell.parent.kernel.is_alive():
            cell.parent.lost_in = cell.name


def await_reply(kernel, msg_id, timeout):
    """Wait for a cell as long as is allowed, but not for a dead kernel."""
    end = time.monotonic() + timeout
    while True:
        try:
            return nbval_await_reply(kernel, msg_id, timeout=1)
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("the kernel has died") from None
            if time.monotonic() > end:
                raise


nbval_runtest = IPyNbCell.runtest
nbval_await_reply = RunningKernel.await_reply
IPyNbCell.setup = setup
IPyNbCell.runtest = runtest
RunningKernel.await_reply = await_reply
