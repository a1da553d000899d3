"""What compressing and aligning large views costs, beside other libraries.

All methods take turns in one run, each in a worker process of an environment
that holds its library. `make bench` makes the environments and runs this.

    python benchmarks/scale.py [--other PYTHON] [--output FILE]
"""

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import warnings
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np
import scale_methods as methods
from threadpoolctl import threadpool_info

RESULTS = Path(__file__).with_suffix(".json")
#: Each method runs so often at each size, or until it has taken so long.
RUNS, SECONDS = 7, 3.0
LIBRARIES = ("cca-zoo", "mvlearn", "numpy", "scikit-learn", "scipy",
             "statsmodels")  # fmt: skip

SIZES = [(2000, 4), (10_000, 128), (100_000, 128), (1_000_000, 128),
         (100_000, 512)]  # fmt: skip
GROWTH = [(30_000, 128), (300_000, 128), (100_000, 64), (100_000, 256)]
#: Methods too slow or too large for all sizes, and how far they go.
LARGEST = {
    "numpy qr": 100_000 * 512,
    "numpy svd": 100_000 * 512,
    "IncrementalPCA": 100_000 * 512,
    "cca-zoo CCA": 1_000_000 * 128,
    "perfalign": 1_000_000 * 128,
    "cca-zoo MCCA": 100_000 * 512,
    "cca-zoo GCCA": 100_000 * 512,
    "mvlearn MCCA, ranks given": 100_000 * 512,
    "mvlearn MCCA": 100_000 * 128,
    "mvlearn CCA": 100_000 * 128,
    "statsmodels CanCorr": 100_000 * 128,
    "scikit-learn CCA": 100_000 * 128,
    "scikit-learn PLS": 100_000 * 128,
    "contrastive": 100_000 * 128,
}
MEMORY_SIZE = 1_000_000, 128


# In the worker


@lru_cache(maxsize=1)
def _exact(n, d):
    views = methods.exact_views(n, d)
    return views, np.hstack(views)


def _timed(function, *args):
    # Threads that the last method left waiting would take part otherwise.
    time.sleep(0.1)
    start = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - start


def do_pass(method, n, d):
    """Seconds of one pass over exact data."""
    return {"seconds": _timed(methods.PASSES[method], *_exact(n, d))[1]}


def do_fit(method, n, d, error=False):
    """Seconds of one fit to exact data, and its alignment error."""
    views, _ = _exact(n, d)
    model = methods.FITS[method](methods.rank_of(d))
    model, seconds = _timed(model.fit, views)
    result = {"seconds": seconds}
    if error:
        result["error"] = methods.alignment_of(model, views)
    return result


def do_odd(method, kind):
    """Alignment error on small data in an odd state."""
    views = methods.odd_views(kind)
    model = methods.FITS[method](3).fit(views)
    return {"error": methods.alignment_of(model, views)}


def do_tail(method, n, d):
    """Size of singular values that should be zero."""
    views, _ = _exact(n, d)
    return {"tail": float(methods.tail(method, views, methods.rank_of(d)))}


def do_from_disk(method, files):
    """A pass over, or a fit to, arrays in files: for its memory."""
    views = [np.load(file, mmap_mode="r") for file in files]
    if method == "StackedSummary":
        methods.PASSES[method](views, None)
    else:
        methods.FITS[method](methods.RANK).fit(views)
    return {}


def do_versions():
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    threads = {lib["num_threads"] for lib in threadpool_info()}
    return {"versions": found, "threads": max(threads)}


def work():
    """Answer requests, one JSON object a line, until there are no more."""
    warnings.simplefilter("ignore")
    # LAPACK complains on standard output, where answers are expected.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
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
    """A process that runs methods on request."""

    def __init__(self, python):
        self.process = subprocess.Popen(
            [python, __file__, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, task, **request):
        self._send(task, request)
        return json.loads(self.process.stdout.readline())

    def ask_for_memory(self, task, **request):
        """Megabytes of anonymous memory used beyond what there was."""
        before = peak = self._anonymous()
        self._send(task, request)
        while not select.select([self.process.stdout], [], [], 0.001)[0]:
            peak = max(peak, self._anonymous())
        answer = json.loads(self.process.stdout.readline())
        return {**answer, "megabytes": (peak - before) / 1024}

    def _send(self, task, request):
        print(
            json.dumps({"task": task, **request}),
            file=self.process.stdin,
            flush=True,
        )

    def _anonymous(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])


def take_turns(workers, task, names, n, d):
    """Run all methods round by round; seconds and errors by method."""
    found, done = {name: {"seconds": []} for name in names}, set()
    for turn in range(RUNS):
        for name in names:
            if name in done:
                continue
            extra = {"error": turn == 0} if task == "fit" else {}
            answer = worker_of(workers, name).ask(
                task, method=name, n=n, d=d, **extra
            )
            if "refused" in answer:
                found[name] = answer
                done.add(name)
                continue
            found[name]["seconds"].append(answer.pop("seconds"))
            found[name].update(answer)
            if sum(found[name]["seconds"]) > SECONDS:
                done.add(name)
    for name, result in found.items():
        print(f"{task:5} {n:8} {d:4}  {name:26}", summary_of(result))
    return found


def summary_of(result):
    if "refused" in result:
        return result["refused"][:60]
    text = f"{np.median(result['seconds']):8.3f} s"
    return text + (f"  error {result['error']}" if "error" in result else "")


def worker_of(workers, name):
    return workers["mvlearn" if name.startswith("mvlearn") else "main"]


def reaching(names, n, d):
    """Those of the methods that go as far as this size."""
    return [name for name in names if n * d <= LARGEST.get(name, 10**9)]


def run(python, other):
    results = {"pass": {}, "fit": {}, "odd": {}, "tail": {}, "memory": {}}
    with Worker(python) as main, Worker(other) as second:
        workers = {"main": main, "mvlearn": second}
        results["environment"] = {
            name: worker.ask("versions") for name, worker in workers.items()
        }
        for kind in methods.ODD:
            results["odd"][kind] = {
                name: worker_of(workers, name).ask(
                    "odd", method=name, kind=kind
                )
                for name in methods.FITS
            }
        for n, d in SIZES + GROWTH:
            names = reaching(methods.PASSES, n, d)
            if (n, d) in GROWTH:
                names = ["dsyrk", "StackedSummary"]
            key = f"{n} x {d}"
            results["pass"][key] = take_turns(workers, "pass", names, n, d)
            if (n, d) in SIZES:
                names = reaching(methods.FITS, n, d)
                results["fit"][key] = take_turns(workers, "fit", names, n, d)
        for name in methods.PASSES:
            results["tail"][name] = main.ask(
                "tail", method=name, n=100_000, d=128
            )["tail"]
    results["memory"] = measure_memory(python, other)
    return results


def measure_memory(python, other):
    """Of each method in a process of its own, for arrays on disk."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for n, names in {
            MEMORY_SIZE[0]: ["StackedSummary", "perfalign"],
            100_000: reaching(methods.FITS, 100_000, 512),
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
                print(f"memory {n} {name:26}", answer)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--other", default=sys.executable)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.worker:
        return work()
    results = run(sys.executable, args.other)
    text = json.dumps(results, indent=1)
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
