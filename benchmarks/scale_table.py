"""What is compared at which size, and the table that comes of it."""

from collections import defaultdict

import numpy as np
import scale_methods as methods

#: Passes go over so many numbers, in rows of these widths.
NUMBERS = 50_000_000
WIDTHS = (32, 64, 128, 512, 1024, 2048)
FITS = [(200, 6), (2000, 4), (2000, 64), (10_000, 128), (100_000, 128),
        (100_000, 512), (300, 10_000)]  # fmt: skip
#: Growth in n and in d, and of what.
ROWS = [(n, 128) for n in (10_000, 100_000, 1_000_000)]
COLUMNS = [(50_000, d) for d in (64, 128, 256, 512, 1024)]
GROWING = ("StackedSummary", "dsyrk", "perfalign",
           "StackedSummary, one thread")  # fmt: skip
#: Where all methods are shown, and waited for, on exact data.
LARGE = "exact", 100_000, 128
PERMUTED = "noisy", 2000, 64

#: What "another kernel" is: one for processors of 2011 and after.
KERNEL = "Sandybridge"
#: "METHOD, VARIANT" is a method in a process with this environment.
VARIANTS = {
    "one thread": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    KERNEL: {"OPENBLAS_CORETYPE": KERNEL},
}
#: Gigabytes a second that a usual one delivers.
SOURCES = {
    "solid-state disk": 3.5,
    "network, 10 Gbit/s": 1.25,
    "older disk (SATA)": 0.55,
}
#: Errors of correlations up to here are rounding.
ACCURATE = 1e-9


def comparisons():
    """Label, data, and two methods whose times are divided."""
    for kind, variant in (
        ("noisy", ""),
        ("noisy", ", one thread"),
        ("noisy", f", {KERNEL}"),
        ("exact", ""),
    ):
        for d in WIDTHS:
            label = f"pass / dsyrk, {kind}, {d} features{variant}"
            data = kind, NUMBERS // d, d
            yield label, data, f"StackedSummary{variant}", f"dsyrk{variant}"
    for d in (128, 1024):
        label = f"pass / rpCholesky-QR unmixed, noisy, {d} features"
        data = "noisy", NUMBERS // d, d
        yield label, data, "StackedSummary", "rpCholesky-QR unmixed"
    yield (
        "pass, float32 / float64, 1000000 x 128",
        ("noisy", *ROWS[-1]),
        "StackedSummary, float32",
        "StackedSummary",
    )
    for n, d in FITS:
        for label, method, base in (
            ("numpy QR + SVD", "perfalign", "numpy QR + SVD"),
            (
                f"cca-zoo CCA, {KERNEL}",
                f"perfalign, {KERNEL}",
                f"cca-zoo CCA, {KERNEL}",
            ),
            ("itself on one thread", "perfalign", "perfalign, one thread"),
        ):
            yield f"fit / {label}, {n} x {d}", ("noisy", n, d), method, base
        for base in methods.WIDE if n < d else ():
            yield (
                f"fit / {base}, {n} x {d}",
                ("noisy", n, d),
                "perfalign",
                base,
            )
    test, least = methods.PERMUTATIONS
    for base in (least, f"{test}, one thread"):
        yield f"{test} / {base}", PERMUTED, test, base


def plan():
    """Which methods take turns, by kind and size of data."""
    wanted = defaultdict(dict)
    for _, data, method, base in comparisons():
        wanted[data] |= {base: None, method: None}
    wanted[LARGE] |= dict.fromkeys([*methods.PASSES, *methods.FITS])
    for size in FITS:
        wanted["noisy", *size] |= dict.fromkeys(methods.FITS)
        del wanted["noisy", *size]["contrastive"]  # no such objective
    for size in ROWS + COLUMNS:
        wanted["noisy", *size] |= dict.fromkeys(GROWING)
    return {data: list(names) for data, names in wanted.items()}


def results_of(study, kind, n, d):
    return study["times"][kind][f"{n} x {d}"]


def ratios(results, method, base):
    """Times of two methods in the same round, divided."""
    pair = [results[name].get("seconds", []) for name in (method, base)]
    return [a / b for a, b in zip(*pair)]


def fastest_peer(*results):
    """The first library, or bare NumPy, that errs by rounding in all."""
    peers = {
        name: np.median(results[0][name]["seconds"])
        for name in methods.FITS | methods.WIDE
        if name != "perfalign"
        and all(is_accurate(found.get(name, {})) for found in results)
    }
    return min(peers, key=peers.get, default=None)


def is_accurate(result):
    return result.get("error") is not None and result["error"] < ACCURATE


def slopes(study, sizes, axis, method):
    """Exponents of growth in the axis, one for each round."""
    logs = np.log([size[axis] for size in sizes])
    found = [results_of(study, "noisy", *size)[method] for size in sizes]
    rounds = zip(*(result.get("seconds", []) for result in found))
    return [np.polyfit(logs, np.log(seconds), 1)[0] for seconds in rounds]


def table(study):
    """Median and quartiles of the ratios and exponents, by label."""
    rows = {
        label: ratios(results_of(study, *data), method, base)
        for label, data, method, base in comparisons()
    }
    exact = results_of(study, *LARGE)
    for n, d in FITS:
        noisy = results_of(study, "noisy", n, d)
        for kind, results in {
            "peer": [noisy],
            "exact peer": [noisy, exact],  # not through covariances
        }.items():
            if peer := fastest_peer(*results):
                label = f"fit / fastest {kind}, {n} x {d} ({peer})"
                rows[label] = ratios(noisy, "perfalign", peer)
    for axis, sizes in {0: ROWS, 1: COLUMNS}.items():
        for method in GROWING:
            label = f"{method} grows as {'nd'[axis]} to the"
            rows[label] = slopes(study, sizes, axis, method)
    return {label: spread(found) for label, found in rows.items() if found}


def spread(values):
    """Median and quartiles."""
    return np.percentile(values, [50, 25, 75]).round(3).tolist()


def as_text(study):
    here = study["environment"][""]
    lines = [
        f"{here['processor']}, {here['cores']} cores, "
        f"{here['threads']} threads, kernel {here['kernel']}",
        f"{'':54}{'median':>8}{'quartiles':>16}",
    ]
    for label, (middle, low, high) in study["ratios of seconds"].items():
        lines.append(f"{label:54}{middle:8.2f}{low:9.2f} –{high:5.2f}")
    return "\n".join(lines)


def cost_of_width(study):
    """What the figure shows: ratios to dsyrk, and gigabytes a second."""
    found = [results_of(study, "noisy", NUMBERS // d, d) for d in WIDTHS]
    seconds = [np.median(r["StackedSummary"]["seconds"]) for r in found]
    return {
        "widths": WIDTHS,
        "ratios": [ratios(r, "StackedSummary", "dsyrk") for r in found],
        "rates": [8e-9 * NUMBERS / s for s in seconds],
        "sources": SOURCES,
    }
