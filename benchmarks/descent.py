"""How far descent comes in the time of the closed form (chapter 11).

Encoders are trained by contrast, with the loss and the gradient that
`perfalign.baselines` has, by Adam, one batch a step. What counts is the
alignment error on held-out pairs, all latents brought to length one.

For each number of steps Adam has 20 candidates, ten step sizes, constant or
falling to zero, and takes the one with the least error on validation pairs.
These are no training pairs of either method, nor those on which errors are
reported. The closed form has nothing to choose. World i depends on i alone.
Seconds are those of the processor, of the chosen run alone.

    python benchmarks/descent.py
"""

import json
import time
from itertools import product
from pathlib import Path

import numpy as np

from perfalign import PerfectAlignment, relative_alignment_error
from perfalign.baselines import infonce

RESULTS = Path(__file__).with_suffix(".json")
N, VALIDATION, HELD_OUT, D, K, BATCH = 95_000, 5000, 5000, 64, 16, 256
NOISE = {"noisy": 2.0, "exact": 0.0}
WORLDS = 7
STEPS = (50, 200, 800, 2400)
RATES = tuple(np.geomspace(0.001, 0.2, 10).round(4).tolist())
FALLING = (False, True)


def data(kind, world):
    """Two views of 16 signals: pairs to train, to choose and to judge."""
    rng = np.random.default_rng(world)
    n = N + VALIDATION + HELD_OUT
    signals = rng.normal(size=(n, K))
    views = [
        signals @ rng.normal(size=(K, D))
        + NOISE[kind] * rng.normal(size=(n, D))
        for _ in range(2)
    ]
    views = [view - view[:N].mean(axis=0) for view in views]
    parts = [np.split(view, [N, N + VALIDATION]) for view in views]
    return [list(part) for part in zip(*parts)]


def unit(latents):
    return latents / np.linalg.norm(latents, axis=1, keepdims=True)


def error(latents):
    return float(relative_alignment_error([unit(z) for z in latents]))


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


def adam(views, rate, steps, falling, seed):
    """Encoders after each number of steps, and the seconds until then.

    The method is that of Kingma and Ba (2015). If the step size falls, it
    reaches zero after the last of the steps.
    """
    rng = np.random.default_rng(seed)
    found = [rng.normal(size=(K, D)) / D**0.5 for _ in views]
    found.append(np.log(0.1))
    moments = [[0.0, 0.0] for _ in found]
    order, spent, last = rng.permutation(N), 0.0, max(steps)
    for step in range(1, last + 1):
        start = time.process_time()
        place = (step - 1) * BATCH % (N - BATCH)
        rows = order[place : place + BATCH]
        gradients = slope(found[:2], found[2], [v[rows] for v in views])
        size = rate * (1 - (step - 1) / last) if falling else rate
        for i, g in enumerate(gradients):
            mean, square = moments[i]
            moments[i] = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
            mean = moments[i][0] / (1 - 0.9**step)
            square = moments[i][1] / (1 - 0.999**step)
            found[i] = found[i] - size * mean / (np.sqrt(square) + 1e-8)
        found[2] = np.clip(found[2], np.log(0.01), np.log(100))
        spent += time.process_time() - start
        if step in steps:
            yield step, found[:2], spent


def candidates(views, steps, seed):
    """All runs: step size, schedule, number of steps, encoders, seconds."""
    for rate, falling in product(RATES, FALLING):
        # A constant step passes the smaller numbers on its way.
        for part in [(n,) for n in steps] if falling else [steps]:
            for run in adam(views, rate, part, falling, seed):
                yield rate, falling, *run


def compare(kind, world, steps=STEPS):
    """Errors, seconds and what was chosen, by method."""
    train, validation, held_out = data(kind, world)
    start = time.process_time()
    model = PerfectAlignment(K).fit(train)
    found = {
        "closed form": {
            "error": error(model.transform(held_out)),
            "seconds": time.process_time() - start,
        }
    }
    best = dict.fromkeys(steps, np.inf)
    for rate, falling, n, encoders, seconds in candidates(train, steps, world):
        wrong = error([x @ A.T for x, A in zip(validation, encoders)])
        if wrong < best[n]:
            best[n] = wrong
            found[f"{n} steps"] = {
                "error": error([x @ A.T for x, A in zip(held_out, encoders)]),
                "seconds": seconds,
                "step size": rate,
                "falling": int(falling),
            }
    return found


def gathered(worlds):
    """Four digits, in a list with an entry a world, by method and number."""
    first = worlds[0]
    return {
        name: {
            key: [float(f"{world[name][key]:.4g}") for world in worlds]
            for key in first[name]
        }
        for name in first
    }


def reduced():
    """The first world, up to 200 steps."""
    return {kind: gathered([compare(kind, 0, STEPS[:2])]) for kind in NOISE}


def main():
    results = {
        kind: gathered([compare(kind, world) for world in range(WORLDS)])
        for kind in NOISE
    }
    RESULTS.write_text(json.dumps(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
