"""How often each procedure for few pilot places refuses a true null, and finds an effect.

    python -m benchmarks.few_places [--draws 2000] [--bootstrap 999]

Gaussian months with AR(1) 0.5, 12 before the start and 12 after, units of one size; power is at the effect
that the pooled t finds half the time. What is printed stands in ``docs/few_clusters.md``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import optimize, stats

from ucimpact.inference.conley_taber import ConleyTaber
from ucimpact.inference.contrasts import Contrasts, from_units
from ucimpact.inference.covariance import Design
from ucimpact.inference.ferman_pinto import Rescaled
from ucimpact.inference.ibragimov_muller import IbragimovMuller
from ucimpact.inference.permutation_of_t import permuted
from ucimpact.inference.randomisation import at_least, reassigned
from ucimpact.inference.two_groups import PooledT, Robust
from ucimpact.inference.wild import wild_bootstrap

Array = np.ndarray
CELLS = ((12, 1), (12, 3), (30, 1), (30, 3), (30, 6), (30, 10))
AT_ONCE = 250


def changes(draws: int, units: int, seed: int, pilots: int, sd: float) -> Array:
    """Mean after less mean before of each unit, shape (draws, units); pilots vary ``sd`` times as much."""
    rng = np.random.default_rng([seed, units, pilots])
    noise = rng.standard_normal((24, draws, units))
    for month in range(1, 24):
        noise[month] = 0.5 * noise[month - 1] + np.sqrt(0.75) * noise[month]
    change = noise[12:].mean(axis=0) - noise[:12].mean(axis=0)
    change[:, :pilots] *= sd
    return np.asarray(change)


def half_power(units: int, pilots: int) -> float:
    """The effect that the pooled t finds half the time; a month's standard deviation is 1."""
    lag = np.arange(24)
    weight = np.where(lag < 12, -1, 1) / 12
    variance = weight @ 0.5 ** np.abs(lag[:, None] - lag) @ weight
    df = units - 2
    t = stats.t.ppf(0.975, df)
    shift = optimize.brentq(lambda x: stats.nct.sf(t, df, x) - 0.5, 0.1, 20)
    return float(shift * np.sqrt(variance * (1 / pilots + 1 / (units - pilots))))


def contrasts(change: Array, pilots: int) -> Contrasts:
    """Each row a data set of one number a unit."""
    units = change.shape[1]
    pilot = np.arange(units) < pilots
    share = np.where(pilot, 1 / pilots, -1 / (units - pilots))

    def design() -> Design:
        means = [change[:, group].mean(axis=1, keepdims=True) for group in (pilot, ~pilot)]
        columns = np.column_stack([np.ones(units), pilot.astype(float)])
        direction = np.tile([[0.0], [1.0]], (1, len(change)))
        return Design(columns, (change - np.where(pilot, *means)).T, direction, np.arange(units))

    size = np.broadcast_to(np.abs(share), change.shape)
    return from_units(change * share, size, np.arange(units), pilot, design, 1.0)


def procedures(bootstrap: int) -> dict[str, tuple[int, Callable[[Contrasts], Array]]]:
    """Name, the fewest pilot units it works with, and p-values of all data sets at once."""

    def wild(made: Contrasts, **how: object) -> Array:
        found = wild_bootstrap(made.design(), made.estimate, draws=bootstrap, seed=1, **how)
        return np.array([one.p_value() for one in found])

    def coefficient(made: Contrasts) -> Array:
        return np.array([at_least(b, b[0]) for b, _ in reassigned(made, bootstrap, 1)])

    def permuted_t(made: Contrasts) -> Array:
        return np.array([permuted(made, k, bootstrap, 1).p_value() for k in range(len(made.estimate))])

    def rescaled(made: Contrasts) -> Array:
        test = Rescaled(np.ones(len(made.pilot)), bootstrap, 1)
        out = np.empty(len(made.estimate))
        for k in range(len(out)):
            drawn = test.drawn(made.only(slice(k, k + 1)), 0.0)
            out[k] = (1 + (np.abs(drawn) >= abs(made.estimate[k])).sum()) / (bootstrap + 1)
        return out

    def pooled(made: Contrasts) -> Array:
        return PooledT(np.ones(len(made.pilot))).infer(made, 0.95).p_value

    return {
        "CR1, t(G - 1)": (1, lambda made: Robust("CR1").infer(made, 0.95).p_value),
        "CR2, Bell-McCaffrey": (2, lambda made: Robust("CR2").infer(made, 0.95).p_value),
        "pooled t": (1, pooled),
        "`Randomisation` of the coefficient": (1, coefficient),
        "`Randomisation` of t": (2, permuted_t),
        "`WildBootstrap`, Webb": (1, lambda made: wild(made, weights="webb")),
        "`WildBootstrap`, Rademacher": (1, lambda made: wild(made, weights="rademacher")),
        "the same with CR3 (WCR-V)": (2, lambda made: wild(made, weights="rademacher", kind="CR3")),
        "unrestricted (WCU-C)": (1, lambda made: wild(made, weights="rademacher", restricted=False)),
        "`ConleyTaber`": (1, lambda made: ConleyTaber(draws=bootstrap).infer(made, 0.95).p_value),
        "`FermanPinto`": (1, rescaled),
        "`IbragimovMuller`": (2, lambda made: IbragimovMuller().infer(made, 0.95).p_value),
    }


def blocks(made: Array, pilots: int) -> Iterator[Contrasts]:
    """A few data sets at a time, to keep the memory small."""
    for first in range(0, len(made), AT_ONCE):
        yield contrasts(made[first : first + AT_ONCE], pilots)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--bootstrap", type=int, default=999)
    chosen = parser.parse_args()
    for sd in (1.0, 2.0):
        what = (
            "false positives / power" if sd == 1 else f"false positives, pilot units {sd:g} times as variable"
        )
        print(f"\n{what}, %")
        print("| procedure |", " | ".join(f"{n}/{n1}" for n, n1 in CELLS), "|")
        for name, (fewest, p_values) in procedures(chosen.bootstrap).items():
            row, began = [], time.perf_counter()
            for units, pilots in CELLS:
                if pilots < fewest:
                    row.append("-")
                    continue
                change = changes(chosen.draws, units, 1, pilots, sd)
                rates = []
                for effect in (0.0, half_power(units, pilots))[: 2 if sd == 1 else 1]:
                    moved = change + effect * (np.arange(units) < pilots)
                    p = np.concatenate([p_values(made) for made in blocks(moved, pilots)])
                    rates.append(100 * float((p <= 0.05 + 1e-12).mean()))
                row.append(f"{rates[0]:.1f}" + "".join(f"/{rate:.0f}" for rate in rates[1:]))
            print(f"| {name} |", " | ".join(row), f"| ({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
