"""The recipes of chapter 11 for other engines run as they are printed.

Always on stand-ins, which pickle what travels and merge in any order, and on
the engine itself where it is installed.
"""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import StackedSummary

HOME = Path(__file__).resolve().parent.parent
CHAPTER = HOME / "chapters/11-a-million-rows.ipynb"
PRINTED = re.findall(
    r"```python\n(.+?)```",
    "\n".join(
        "".join(cell["source"])
        for cell in json.loads(CHAPTER.read_text("utf-8"))["cells"]
    ),
    re.S,
)
SPARK, MPI = (
    next(code for code in PRINTED if name in code)
    for name in ("treeReduce", "allreduce")
)
PARTS = 7


@pytest.fixture
def views():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 2))
    return [z @ rng.normal(size=(2, d)) + rng.normal(size=d) for d in (4, 3)]


def cut(views):
    return list(map(list, zip(*(np.array_split(v, PARTS) for v in views))))


def assert_is_one_pass(summary, views):
    whole = StackedSummary.from_views(views)
    size = np.linalg.norm(whole.R, axis=0)
    assert summary.n_samples == whole.n_samples
    assert summary.signature == whole.signature
    a, b = summary.R / size, whole.R / size
    assert_allclose(a.T @ a, b.T @ b, rtol=0, atol=1e-13)
    assert_allclose(summary.mean, whole.mean, rtol=0, atol=1e-13)


# Stand-ins


class Parts:
    """What Spark's RDD and MPI's communicator have in common.

    Any two are merged until there is one, and one of them has travelled.
    """

    def __init__(self, items, seed):
        self.items, self.rng = list(items), np.random.default_rng(seed)

    def map(self, function):
        return Parts(map(function, self.items), self.rng)

    def treeReduce(self, merge):
        parts = self.items.copy()
        while len(parts) > 1:
            here, there = (
                parts.pop(self.rng.integers(len(parts))) for _ in "ab"
            )
            parts.append(merge(here, pickle.loads(pickle.dumps(there))))
        return parts[0]

    def allreduce(self, mine, op):
        return Parts([mine, *self.items], self.rng).treeReduce(op)


@pytest.mark.parametrize("seed", range(20))
def test_the_recipe_for_spark(views, seed):
    names = {
        "StackedSummary": StackedSummary,
        "blocks": Parts(cut(views), seed),
    }
    exec(SPARK, names)
    assert_is_one_pass(names["summary"], views)


@pytest.mark.parametrize("seed", range(20))
def test_the_recipe_for_mpi(views, seed):
    mine, *others = cut(views)
    summaries = map(StackedSummary.from_views, others)
    names = {
        "StackedSummary": StackedSummary,
        "comm": Parts(summaries, seed),
        "my_views": mine,
    }
    exec(MPI, names)
    assert_is_one_pass(names["summary"], views)


# The engines


def run(tmp_path, views, launcher, code):
    """Run a script that saves its summary, and load what it has saved."""
    np.savez(tmp_path / "views.npz", *views)
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from perfalign import StackedSummary\n"
        'with np.load("views.npz") as file:\n'
        "    views = list(file.values())\n" + code,
        encoding="utf8",
    )
    subprocess.run(
        [*launcher, script],
        check=True,
        timeout=300,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(HOME),
            "PYSPARK_PYTHON": sys.executable,
        },
    )
    return [
        StackedSummary.load(path)
        for path in sorted(tmp_path.glob("summary*.npz"))
    ]


def program(name):
    """An engine's program, also from an environment that is not active."""
    folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
    return shutil.which(name, path=os.pathsep.join(folders))


def test_spark_itself(views, tmp_path):
    pytest.importorskip("pyspark", reason="Spark is not installed")
    if not program("java"):
        pytest.skip("Spark needs Java")
    code = (
        "from pyspark import SparkContext\n"
        f"parts = zip(*(np.array_split(v, {PARTS}) for v in views))\n"
        'with SparkContext("local[2]") as context:\n'
        f"    blocks = context.parallelize(map(list, parts), {PARTS})\n"
        f"{indent(SPARK, '    ')}"
        'summary.save("summary.npz")\n'
    )
    (summary,) = run(tmp_path, views, [sys.executable], code)
    assert_is_one_pass(summary, views)


def test_mpi_itself(views, tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    if not program("mpiexec"):
        pytest.skip("mpi4py needs an MPI library")
    code = (
        "from mpi4py import MPI\n"
        "comm = MPI.COMM_WORLD\n"
        "my_views = [np.array_split(v, comm.size)[comm.rank] for v in views]\n"
        f"{MPI}"
        'summary.save(f"summary{comm.rank}.npz")\n'
    )
    launcher = [program("mpiexec"), "-n", "3", sys.executable, "-m", "mpi4py"]
    summaries = run(tmp_path, views, launcher, code)
    assert len(summaries) == 3
    for summary in summaries:
        assert_is_one_pass(summary, views)
        # All processes have the same one, to the bit.
        assert_array_equal(summary.R, summaries[0].R)
