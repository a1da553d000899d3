"""What compressing and aligning large views costs, beside other libraries.

All methods take turns in one run, each in a worker process of an environment
that holds its library. `make bench` makes the environments and runs this.

    python benchmarks/scale.py [--other PYTHON] [--output FILE] [--figure PNG]
"""

import argparse
import json
import os
import platform
import select
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np
import scale_methods as methods
import scale_table as tables
from threadpoolctl import threadpool_info

RESULTS = Path(__file__).with_suffix(".json")
LIBRARIES = ("cca-zoo", "mvlearn", "numpy", "scikit-learn", "scipy",
             "statsmodels")  # fmt: skip
#: Each method runs so often at each size, or until it has taken so long.
RUNS, SECONDS = 9, 3.0
#: A shorter computation is repeated until it has taken so long.
LEAST = 0.02
#: Who has not answered by then is left out, but at the size that shows all.
PATIENCE, LONG = 20.0, 300.0

# In the worker


@lru_cache(maxsize=2)
def _views(kind, n, d, dtype):
    return [v.astype(dtype) for v in methods.DATA[kind](n, d)]


@lru_cache(maxsize=1)
def _stack(*data):
    return np.hstack(_views(*data))


@lru_cache(maxsize=1)
def _correlations(*data):
    return methods.correlations(*_views(*data))


def _timed(function, *args):
    # Threads that the last method left waiting would take part otherwise.
    time.sleep(0.1)
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < LEAST:
        result = function(*args)
        calls += 1
    return result, (time.perf_counter() - start) / calls


def do_run(method, kind, n, d, error=False):
    """Seconds of a pass over such data or of a fit, and the latter's error."""
    method, _, dtype = method.partition(", ")
    data = kind, n, d, dtype or "float64"
    views = _views(*data)
    fits = methods.FITS | methods.WIDE
    if method not in fits:
        function = (methods.PASSES | methods.PERMUTATIONS)[method]
        return {"seconds": _timed(function, views, _stack(*data))[1]}
    model = fits[method](methods.rank_of(d))
    model, seconds = _timed(model.fit, views)
    if not error:
        return {"seconds": seconds}
    if kind == "exact":
        found = methods.alignment_of(model, views)
    else:
        true = _correlations(*data)
        found = methods.correlation_error(model, views, true)
    return {"seconds": seconds, "error": found}


def do_odd(method, kind):
    """Alignment error on small data in an odd state."""
    views = methods.odd_views(kind)
    model = methods.FITS[method](3).fit(views)
    return {"error": methods.alignment_of(model, views)}


def do_tail(method, n, d):
    """Size of singular values that should be zero."""
    views = _views("exact", n, d, "float64")
    return {"tail": float(methods.tail(method, views, methods.rank_of(d)))}


def do_from_disk(method, files):
    """A pass over, or a fit to, arrays in files: for its memory."""
    views = [np.load(file, mmap_mode="r") for file in files]
    if method in methods.PASSES:
        methods.PASSES[method](views, None)
    else:
        methods.FITS[method](methods.RANK).fit(views)
    return {}


def do_environment():
    """What the numbers depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    pools = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    kernels = {lib.get("architecture", lib["internal_api"]) for lib in pools}
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": ", ".join(sorted(kernels)),
        "threads": max([lib["num_threads"] for lib in pools], default=1),
        "versions": found,
    }


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x for x in lines if x.startswith("model name"))[13:]
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def work():
    """Answer requests, one JSON object a line, until there are no more."""
    warnings.simplefilter("ignore")
    # LAPACK complains on standard output, where answers are expected.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        task = globals()["do_" + request.pop("task")]
        try:
            answer = task(**request)
        except Exception as error:
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            answer = {"refused": message[:160]}
        print(json.dumps(answer), file=answers, flush=True)


# In the controller


class Worker:
    """A process that runs methods on request, and another if it is lost."""

    def __init__(self, python, environment=None):
        self.python = python
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.python, __file__, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()

    def ask(self, task, patience=PATIENCE, **request):
        self._send(task, request)
        if not self._answered(patience):
            return self._lost(f"more than {patience:.0f} seconds")
        line = self.process.stdout.readline()
        return json.loads(line) if line else self._lost("the process died")

    def ask_for_memory(self, task, **request):
        """Megabytes of anonymous memory used beyond what there was."""
        self.ask("environment")  # all is imported
        before = peak = self._anonymous()
        self._send(task, request)
        while not self._answered(0.001):
            peak = max(peak, self._anonymous())
        answer = json.loads(self.process.stdout.readline())
        return {**answer, "megabytes": (peak - before) / 1024}

    def _send(self, task, request):
        with suppress(BrokenPipeError):  # whoever died gives no answer
            self.process.stdin.write(json.dumps({"task": task, **request}))
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def _answered(self, seconds):
        return select.select([self.process.stdout], [], [], seconds)[0]

    def _lost(self, why):
        self.__exit__()
        self.__enter__()
        return {"refused": why}

    def _anonymous(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])


class Workers(dict):
    """The processes of a run, by variant or library."""

    def __init__(self, python, other):
        super().__init__({"": Worker(python), "mvlearn": Worker(other)})
        for variant, environment in tables.VARIANTS.items():
            self[variant] = Worker(python, environment)

    def __enter__(self):
        for worker in self.values():
            worker.__enter__()
        return self

    def __exit__(self, *exception):
        for worker in self.values():
            worker.__exit__()

    def ask(self, task, name, **request):
        """Let the process of a method answer."""
        method, _, variant = name.partition(", ")
        if variant not in self:  # a matter of the data
            method, variant = name, ""
        elif variant == tables.KERNEL and not self.other_kernel:
            return {"refused": "no other kernel on this machine"}
        home = "mvlearn" if method.startswith("mvlearn") else variant
        return self[home].ask(task, method=method, **request)

    def environments(self):
        found = {name: self[name].ask("environment") for name in self}
        kernels = [found[name]["kernel"] for name in ("", tables.KERNEL)]
        self.other_kernel = len(set(kernels)) > 1
        return found


def take_turns(workers, names, data, runs=RUNS):
    """Run all methods round by round; seconds and errors by method."""
    found, done = {name: {"seconds": []} for name in names}, set()
    kind, n, d = data
    # The first answer waits for the reference, too.
    patience = PATIENCE * max(1, n * d / 10**7)
    if data == tables.LARGE:
        patience = LONG
    for turn in range(runs):
        for name in names:
            if name in done:
                continue
            answer = workers.ask(
                "run", name, kind=kind, n=n, d=d, error=turn == 0,
                patience=patience,
            )  # fmt: skip
            if "refused" in answer:
                done.add(name)
                if not found[name]["seconds"]:
                    found[name] = answer
                continue
            seconds = float(f"{answer.pop('seconds'):.4g}")
            found[name]["seconds"].append(seconds)
            found[name].update(answer)
            if sum(found[name]["seconds"]) > SECONDS:
                done.add(name)
    return found


def run(python, other):
    study = {"odd": {}, "tail": {}, "times": {k: {} for k in methods.DATA}}
    with Workers(python, other) as workers:
        study["environment"] = workers.environments()
        for kind in methods.ODD:
            study["odd"][kind] = {
                name: workers.ask("odd", name, kind=kind)
                for name in methods.FITS
            }
        for data, names in tables.plan().items():
            kind, n, d = data
            found = take_turns(workers, names, data)
            study["times"][kind][f"{n} x {d}"] = found
            for name, result in found.items():
                print(
                    f"{kind} {n:8} {d:5}  {name:32}",
                    summary_of(result),
                    flush=True,
                )
        for name in methods.PASSES:
            study["tail"][name] = workers.ask("tail", name, n=10**5, d=128)
    study["memory"] = measure_memory(python, other)
    return study


def summary_of(result):
    if "refused" in result:
        return result["refused"][:60]
    text = f"{np.median(result['seconds']):9.5f} s"
    return text + (f"  error {result['error']}" if "error" in result else "")


def measure_memory(python, other):
    """Of each method in a process of its own, for arrays on disk."""
    if not Path("/proc/self/status").exists():
        return {}
    exact = ["perfalign", "cca-zoo CCA", "cca-zoo MCCA", "cca-zoo GCCA",
             "mvlearn MCCA (ranks given)"]  # fmt: skip
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for n, names in {
            10**6: ["StackedSummary", "perfalign"],
            10**5: exact,
        }.items():
            files = [f"{folder}/{n}-{m}.npy" for m in range(2)]
            for file, view in zip(files, methods.exact_views(n, 128)):
                np.save(file, view)
            found[f"{n} x 128"] = {}
            for name in names:
                home = other if name.startswith("mvlearn") else python
                with Worker(home) as worker:
                    answer = worker.ask_for_memory(
                        "from_disk", method=name, files=files
                    )
                found[f"{n} x 128"][name] = answer
    return found


def same(stored, fresh):
    """Errors are both below 1e-13, or agree within a factor of ten: they are
    rounding, which differs between processors and BLAS libraries."""
    low, high = sorted([stored, fresh])
    return high < 1e-13 or high < 10 * low


def reduced():
    """Small sizes and odd data, with the libraries that the book has."""
    names = ["perfalign", "numpy QR + SVD"]
    sizes = [(200, 6), (2000, 64), (10_000, 128)]
    passes = ["dsyrk", "StackedSummary", "numpy qr"]
    times, ratios = {}, {}
    with Workers(sys.executable, sys.executable) as workers:
        for n, d in sizes:
            found = take_turns(workers, names, ("noisy", n, d), runs=3)
            times[f"{n} x {d}"] = found
            ratios[f"fit / numpy QR + SVD, {n} x {d}"] = tables.spread(
                tables.ratios(found, *names)
            )
        return {
            "odd": {
                kind: {name: workers.ask("odd", name, kind=kind)
                       for name in names}
                for kind in methods.ODD
            },
            "tail": {
                name: workers.ask("tail", name, n=10**5, d=128)
                for name in passes
            },
            "times": {"noisy": times},
            "ratios of seconds": ratios,
        }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--other", default=sys.executable)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    if args.worker:
        return work()
    study = run(sys.executable, args.other)
    study["ratios of seconds"] = tables.table(study)
    study["figure"] = tables.cost_of_width(study)
    text = json.dumps(study, ensure_ascii=False)
    args.output.write_text(text + "\n", encoding="utf-8")
    print(tables.as_text(study))
    if args.figure:
        from perfalign.book import plots

        figure = plots.cost_of_width(**study["figure"])
        figure.savefig(args.figure)


if __name__ == "__main__":
    main()
