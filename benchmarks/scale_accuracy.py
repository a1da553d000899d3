"""How exactly five methods find the triangle of centred rows.

Compared are the Gram matrix, Householder's QR, `StackedSummary`, and two
kinds of preconditioned Cholesky-QR from the literature, rand_cholQR and
rpCholesky-QR. The reference is Householder's QR in extended precision.

    python benchmarks/scale_accuracy.py
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.fft import dct
from scipy.linalg import qr, solve_triangular

from perfalign import StackedSummary

RESULTS = Path(__file__).with_suffix(".json")
EPS = np.finfo(float).eps
N, D = 10_000, 12
#: Singular values of the first kind of data.
VALUES = (1, 1e-3, 1e-6, 1e-9, 1e-12)


# Data


def orthogonal(rng, n, d):
    """Orthonormal columns of mean zero."""
    basis = rng.normal(size=(n, d))
    return np.linalg.qr(basis - basis.mean(axis=0))[0]


def five_values(rng):
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    return orthogonal(rng, 20_000, 5) * VALUES @ turn


def graded(rng):
    mix = np.linalg.qr(rng.normal(size=(2, D, D)))[0]
    return rng.normal(size=(N, D)) @ (mix[0] * np.logspace(0, -13, D)) @ mix[1]


def constant_column(rng):
    rows = rng.normal(size=(N, D))
    rows[:, 3] = 2.0
    return rows


KINDS = {
    "five values": five_values,
    "13 orders of magnitude": graded,
    "sorted": lambda rng: np.sort(rng.normal(size=(N, D)), axis=0),
    "growing a millionfold": lambda rng: (
        rng.normal(size=(N, D)) * np.logspace(0, 6, N)[:, None]
    ),
    "heavy tails": lambda rng: rng.standard_cauchy(size=(N, D)),
    "rank 3": lambda rng: rng.normal(size=(N, 3)) @ rng.normal(size=(3, D)),
    "a constant column": constant_column,
}


def data(kind):
    return KINDS[kind](np.random.default_rng(list(KINDS).index(kind)))


# Methods: a factor of the rows, whose mean all but one take off first


def centred(rows):
    rows = rows - rows.mean(axis=0)
    return rows - rows.mean(axis=0)


def gram(rows):
    rows = centred(rows)
    squares, vectors = np.linalg.eigh(rows.T @ rows)
    return np.sqrt(np.abs(squares))[:, None] * vectors.T


def householder(rows):
    return qr(centred(rows), mode="r")[0][: rows.shape[1]]


def summary(rows):
    return StackedSummary.from_views(np.array_split(rows, 2, axis=1)).R


def rand_cholqr(rows):
    """Higgins, Szyld, Boman and Yamazaki (2025), with a Gaussian sketch."""
    rows = centred(rows)
    n, d = rows.shape
    sketch = np.random.default_rng(0).normal(size=(4 * d, n)) / np.sqrt(4 * d)
    return preconditioned(rows, sketch @ rows)


def rp_cholesky_qr(rows):
    """Garrison and Ipsen (2024), with three rows a column of mixed ones."""
    rows = centred(rows)
    n, d = rows.shape
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(n, 1))
    mixed = dct(signs * rows, axis=0, norm="ortho")
    sample = mixed[rng.integers(n, size=3 * d)]
    return preconditioned(rows, sample * np.sqrt(n / (3 * d)))


def preconditioned(rows, sample):
    """Cholesky-QR of rows in the coordinates of a sample."""
    P = np.linalg.qr(sample, mode="r")
    Y = solve_triangular(P, rows.T, trans=1).T
    return np.linalg.cholesky(Y.T @ Y).T @ P


METHODS = {
    "Gram matrix": gram,
    "Householder": householder,
    "StackedSummary": summary,
    "rand_cholQR": rand_cholqr,
    "rpCholesky-QR": rp_cholesky_qr,
}


# Reference


def exact_triangle(rows):
    """Householder's QR in extended precision."""
    rows = centred(rows.astype(np.longdouble))
    d = rows.shape[1]
    for j in range(d):
        reflector = rows[j:, j].copy()
        norm = np.sqrt(np.sum(reflector**2))
        if norm:
            reflector[0] += np.copysign(norm, reflector[0])
            reflector /= np.sqrt(np.sum(reflector**2))
            rows[j:, j:] -= 2 * np.outer(reflector, reflector @ rows[j:, j:])
    return np.triu(rows[:d])


def principal_rows(matrix):
    """Orthogonal rows, longest first, by Jacobi's rotations of the rows.

    Their lengths are the singular values. Rotations change no column's
    inner products, so that two factors of the same rows have the same, up
    to signs, where the values differ.
    """
    matrix = np.array(matrix, dtype=np.longdouble)
    rows = list(matrix)
    for _ in range(10):  # far more than its quadratic convergence takes
        for p, q in combinations(range(len(rows)), 2):
            u, v = rows[p], rows[q]
            a, b, c = u @ u, v @ v, u @ v
            if abs(c) > 1e-19 * np.sqrt(a * b):
                half = (b - a) / (2 * c)
                t = 1 / (half + np.copysign(np.hypot(1, half), half))
                cosine = 1 / np.hypot(1, t)
                rows[p], rows[q] = cosine * (u - t * v), cosine * (v + t * u)
    rows = np.array(sorted(rows, key=lambda row: -(row @ row)))
    return np.pad(rows, ((0, matrix.shape[1] - len(rows)), (0, 0)))


def lengths(rows):
    return np.sqrt(np.sum(rows**2, axis=1))


def judge(found, exact):
    """Errors of a factor in units of ε; columns have about norm one."""
    values, true = lengths(found), lengths(exact)
    results = {"singular values": np.abs(values - true).max() / EPS}
    if np.all(true[1:] < true[:-1] / 5) and true[-1]:
        # A nearby matrix that has exactly this factor.
        signs = np.sign(np.sum(found * exact, axis=1))[:, None]
        columns = lengths((signs * found - exact).T)
        results["columns"] = columns.max() / EPS
        results["relative"] = (np.abs(values / true - 1) / EPS).tolist()
    return results


def compare(kind):
    """Errors by method, or why there are none."""
    rows = data(kind)
    triangle = exact_triangle(rows)
    norms = lengths(triangle.T)
    norms[norms == 0] = norms.max()
    exact, results = principal_rows(triangle / norms), {}
    for name, method in METHODS.items():
        try:
            found = principal_rows(method(rows) / norms)
        except np.linalg.LinAlgError as error:
            results[name] = {"refused": str(error)}
        else:
            results[name] = judge(found, exact)
    return results


def same(stored, fresh):
    """Errors, in ε, are both below 20, or within three orders of magnitude:
    they are rounding, which processors and BLAS libraries do differently;
    what is lost is off by six orders or more."""
    low, high = sorted([stored, fresh])
    return high < 20 or high < 1000 * low


def rounded(tree):
    """Three digits of every number are more than any machine repeats."""
    if isinstance(tree, dict):
        return {key: rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [rounded(value) for value in tree]
    return tree if isinstance(tree, str) else float(f"{tree:.3g}")


def reduced():
    """Two of the seven kinds of rows."""
    return rounded({k: compare(k) for k in ("five values", "heavy tails")})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    results = rounded({kind: compare(kind) for kind in KINDS})
    args.output.write_text(json.dumps(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
