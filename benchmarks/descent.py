"""How long descent takes to come as far as the closed form (chapter 11).

Encoders are trained by contrast, with the loss and the gradient that
`perfalign.baselines` has: by its own L-BFGS over all batches, and by Adam,
one batch a step. What counts is the alignment error on held-out pairs, all
latents brought to length one.

    python benchmarks/descent.py
"""

import json
import time
from pathlib import Path

import numpy as np

from perfalign import PerfectAlignment, relative_alignment_error
from perfalign.baselines import ContrastiveAlignment, infonce

RESULTS = Path(__file__).with_suffix(".json")
N, HELD_OUT, D, K, BATCH = 100_000, 5000, 64, 16, 256
NOISE = {"noisy": 2.0, "exact": 0.0}
RATES = (0.003, 0.01, 0.03)
STEPS = (25, 50, 100, 200, 400, 800, 1200)
ITERATIONS = (8, 30)


def data(kind):
    """Two views of 16 signals, about their means, in two parts."""
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(N + HELD_OUT, K))
    views = [
        signals @ rng.normal(size=(K, D))
        + NOISE[kind] * rng.normal(size=(N + HELD_OUT, D))
        for _ in range(2)
    ]
    views = [view - view[:N].mean(axis=0) for view in views]
    return [view[:N] for view in views], [view[N:] for view in views]


def unit(latents):
    return latents / np.linalg.norm(latents, axis=1, keepdims=True)


def error(latents):
    return float(relative_alignment_error([unit(z) for z in latents]))


def timed(fit, held_out):
    start = time.perf_counter()
    model = fit()
    seconds = time.perf_counter() - start
    return [seconds, error(model.transform(held_out))]


def slope(encoders, log_tau, batch):
    """Gradient of the loss of one batch by the encoders and log τ."""
    latents = [x @ A.T for x, A in zip(batch, encoders)]
    units = [unit(z) for z in latents]
    _, slopes, by_log_tau = infonce(*units, np.exp(log_tau))
    gradients = []
    for x, z, u, g in zip(batch, latents, units, slopes):
        turn = g - u * np.sum(u * g, axis=1, keepdims=True)
        lengths = np.linalg.norm(z, axis=1, keepdims=True)
        gradients.append((turn / lengths).T @ x)
    return [*gradients, by_log_tau]


def adam(views, held_out, rate):
    """Seconds and errors on the way (Kingma and Ba 2015)."""
    rng = np.random.default_rng(1)
    found = [rng.normal(size=(K, D)) / D**0.5 for _ in views]
    found.append(np.log(0.1))
    moments = [[0.0, 0.0] for _ in found]
    order, spent, trace = rng.permutation(N), 0.0, []
    for step in range(1, max(STEPS) + 1):
        start = time.perf_counter()
        place = (step - 1) * BATCH % (N - BATCH)
        rows = order[place : place + BATCH]
        gradients = slope(found[:2], found[2], [v[rows] for v in views])
        for i, g in enumerate(gradients):
            for power in (1, 2):
                keep = (0.9, 0.999)[power - 1]
                old = moments[i][power - 1]
                moments[i][power - 1] = keep * old + (1 - keep) * g**power
            mean = moments[i][0] / (1 - 0.9**step)
            square = moments[i][1] / (1 - 0.999**step)
            found[i] = found[i] - rate * mean / (np.sqrt(square) + 1e-8)
        found[2] = np.clip(found[2], np.log(0.01), np.log(100))
        spent += time.perf_counter() - start
        if step in STEPS:
            latents = [x @ A.T for x, A in zip(held_out, found)]
            trace.append([spent, error(latents)])
    return trace


def compare(kind):
    """By method, pairs of seconds and held-out error."""
    views, held_out = data(kind)
    found = {
        "PerfectAlignment": [
            timed(lambda: PerfectAlignment(K).fit(views), held_out)
        ]
    }
    for rate in RATES:
        found[f"Adam, step {rate}"] = adam(views, held_out, rate)
    found["ContrastiveAlignment"] = [
        timed(
            lambda n=n: ContrastiveAlignment(
                K, max_iter=n, batch_size=BATCH, random_state=0
            ).fit(views),
            held_out,
        )
        for n in ITERATIONS
    ]
    return found


def main():
    results = {kind: compare(kind) for kind in NOISE}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
