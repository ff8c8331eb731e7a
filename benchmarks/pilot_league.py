"""What the number of the best-looking pilot, its interval, its rank and P(best) are worth, by known truth.

    python -m benchmarks.pilot_league [--funds 1000]

Seven pilots, benefits on the log scale; standard errors log-uniform from .06 to .25, independent. Truths: all
0; N(0, .05 squared); N(0, .10 squared); two at .15 and five at 0; one at .30 and six at 0. Figures are in
points of .01, or in per cent. What is printed stands in ``docs/league_maths.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from ucimpact.inference.plug_in import plug_in
from ucimpact.inference.rank_sets import rank_sets
from ucimpact.inference.shrinkage import Prior, chances, shrink
from ucimpact.inference.winners import conditional, hybrid, projection

Array = np.ndarray
PILOTS = 7
PRIORS = {
    "flat average": Prior(mean_sd=None),
    "the default": Prior(),
    "average N(0, .05²)": Prior(mean_sd=0.05),
    "spread .05": Prior(spread=0.05),
    "spread .20": Prior(spread=0.20),
    "two-part, 7% of .28": Prior(outliers=(0.07, 0.28)),
}
TRUTHS: dict[str, Callable[[np.random.Generator], Array]] = {
    "null": lambda _: np.zeros(PILOTS),
    "differ by 5": lambda rng: rng.normal(0, 0.05, PILOTS),
    "differ by 10": lambda rng: rng.normal(0, 0.10, PILOTS),
    "two at 15": lambda _: np.array([0.15, 0.15, 0, 0, 0, 0, 0]),
    "one at 30": lambda _: np.array([0.30, 0, 0, 0, 0, 0, 0]),
}


def answers(y: Array, cov: Array) -> dict[str, tuple[float, ...]]:
    """Number and limits for the largest estimate, by each way."""
    k = int(np.argmax(y))
    half = 1.959964 * float(np.sqrt(cov[k, k]))
    out: dict[str, tuple[float, ...]] = {"as measured": (float(y[k]), float(y[k]) - half, float(y[k]) + half)}
    for name, way in (("projection", projection), ("conditional", conditional), ("hybrid", hybrid)):
        found = way(y, cov)
        out[name] = (found.estimate, found.low, found.high)
    one = plug_in(y, cov)
    out["one guess of tau (REML)"] = (float(one.mean[k]), *(float(limit[k]) for limit in one.interval()))
    for name, prior in PRIORS.items():
        many = shrink(y, cov, prior)
        out[name] = (float(many.mean[k]), *(float(limit[k]) for limit in many.interval()))
    return out


def cell(truths: Callable[[np.random.Generator], Array], funds: int, seed: int) -> None:
    """Print one truth's rows."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[tuple[float, float, float]]] = {}
    said: dict[str, list[tuple[float, float]]] = {"resampled": [], "the default": []}
    places, first, held = [], [], []
    for fund in range(funds):
        se = np.exp(rng.uniform(np.log(0.06), np.log(0.25), PILOTS))
        truth = truths(rng)
        y, cov = truth + se * rng.standard_normal(PILOTS), np.diag(se**2)
        k = int(np.argmax(y))
        for name, (estimate, low, high) in answers(y, cov).items():
            rows.setdefault(name, []).append((estimate - truth[k], low <= truth[k] <= high, high - low))
        right = (truth >= truth.max()) / np.sum(truth >= truth.max())
        again = chances(y + se * rng.standard_normal((4000, PILOTS)), seed=fund)
        for name, best in (("resampled", again), ("the default", shrink(y, cov).best(4000, seed=fund))):
            said[name].append((best.max(), right[best.argmax()]))
        sets = rank_sets(y, cov, draws=2000, seed=fund)
        places.append(np.mean(sets.high - sets.low + 1))
        first.append(sets.could_be_first.sum())
        top = 1 + (truth[:, None] > truth).sum(axis=0)
        bottom = PILOTS - (truth[:, None] < truth).sum(axis=0)
        held.append(np.all((sets.low <= top) & (sets.high >= bottom)))
    for name, row in rows.items():
        bias, covered, width = np.array(row, dtype=float).T
        middle = f"{100 * np.mean(bias):+6.1f} mean, {100 * np.median(bias):+6.1f} median"
        wide = f"{100 * np.median(width):6.0f}"
        rmse = f"{100 * np.sqrt(np.mean(bias**2)):6.1f}"
        print(
            f"  {name:26s} bias {middle} | covers {100 * np.mean(covered):5.1f} | wide {wide} | error {rmse}"
        )
    for name, pairs in said.items():
        most, true = np.array(pairs).T
        print(f"  P(best) {name:18s} says {100 * np.mean(most):.0f}, true {100 * np.mean(true):.0f}")
    size = f"{np.mean(places):.2f} places, {np.mean(first):.2f} first"
    print(f"  rank sets hold {100 * np.mean(held):.1f}, {size}")


def main() -> None:
    """Print every truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--funds", type=int, default=1000)
    parser.add_argument("--truth", choices=[*TRUTHS], default=None)
    asked = parser.parse_args()
    for seed, (name, truths) in enumerate(TRUTHS.items()):
        if asked.truth in (None, name):
            print(name)
            cell(truths, asked.funds, seed)


if __name__ == "__main__":
    main()
