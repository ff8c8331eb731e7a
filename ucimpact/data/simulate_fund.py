r"""Made-up people of a challenge fund: seven pilots for the same kind of people, of which two do any good.

Person :math:`i` of a county has a lasting rate of emergency admissions, of which a part :math:`f_i` is
recorded nowhere,

.. math:: r_i = r\, f_i \exp(x_i'\gamma), \qquad f_i \sim \text{Gamma}(1/v, v),

with admissions before that are Poisson counts of it. A pilot takes its clients from the people of its
county by what is recorded (age, conditions, living alone, admissions before) and by chance, never by
:math:`f_i`; the others are who they are compared with. From the referral on

.. math:: y_i \sim \text{Poisson}(r_i d_i \rho_p^{D_i})

over :math:`d_i` days at risk, which a death may cut short. Deaths and injuries are beyond every pilot's
reach. Two pilots work in one county and are compared with the same people there, so that what chance
made of those moves both results together.

The truth is by potential outcomes: what each client is expected to have over the days at risk with and
without the pilot. Counting noise is averaged over, so the truth of a draw is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.data.simulate import floats

HORIZON = 90
ADMISSIONS = "Emergency admissions"


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """One pilot: where it works, how many clients it took, the ratio by which it multiplies admissions."""

    county: str
    clients: int
    ratio: float = 1.0


PILOTS = {
    "home_from_hospital": Pilot(county="Alderdale", clients=1650, ratio=0.85),
    "carers_line": Pilot(county="Birchshire", clients=1200),
    "night_sitting": Pilot(county="Coombeland", clients=900),
    "falls_checks": Pilot(county="Dunvale", clients=640, ratio=0.85),
    "welcome_calls": Pilot(county="Eskmere", clients=420),
    "lunch_and_lifts": Pilot(county="Eskmere", clients=300),
    "garden_groups": Pilot(county="Fernmarch", clients=200),
}
OTHERS = {
    "Alderdale": 2600,
    "Birchshire": 2000,
    "Coombeland": 1600,
    "Dunvale": 1300,
    "Eskmere": 1300,
    "Fernmarch": 800,
}
"""People of each county who have no pilot and whose records are sent."""
CANDIDATES = 8
"""People of a county for each client of its pilots."""


@dataclass(frozen=True, kw_only=True)
class FundDraw:
    """Seven made-up files and what was planted in them, by pilot."""

    tables: dict[str, pd.DataFrame]
    truth: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class ChallengeFund:
    """The pilots of one fund, each with the people of its own county.

    Parameters
    ----------
    rate : float, default 0.0036
        Lasting emergency admissions a day.
    unrecorded : float, default 0.5
        Variance of the part of the rate that no record shows.
    choice : float, default 1.0
        Multiple of how strongly recorded need decides whom a pilot takes; 0 is a lottery.
    ratios : tuple of float, optional
        By pilot, in place of those of :data:`PILOTS`: other truths for the same fund.
    """

    rate: float = 0.0036
    unrecorded: float = 0.5
    choice: float = 1.0
    ratios: tuple[float, ...] | None = None

    def draw(self, seed: int) -> FundDraw:
        """The files of a seed: the same seed, the same bytes."""
        ratios = self.ratios or tuple(pilot.ratio for pilot in PILOTS.values())
        ratio = dict(zip(PILOTS, ratios, strict=True))
        tables: dict[str, pd.DataFrame] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, (at, (county, others)) in zip(
            np.random.default_rng(seed).spawn(len(OTHERS)), enumerate(OTHERS.items()), strict=True
        ):
            here = [name for name, pilot in PILOTS.items() if pilot.county == county]
            clients = [PILOTS[name].clients for name in here]
            table, rates, need = self._people(rng, CANDIDATES * sum(clients), chr(ord("A") + at))
            seen, taken = _taken(rng, need, clients, others)
            table, rates = table.iloc[seen].reset_index(drop=True), rates[seen]
            factor = np.ones(len(seen))
            for number, name in enumerate(here):
                factor[taken == number] = ratio[name]
            days = table["Days followed"].to_numpy()
            without = rates * days
            table[ADMISSIONS] = rng.poisson(without * factor)
            table["Injuries"] = rng.poisson(0.0006 * days)
            for number, name in enumerate(here):
                mine = taken == number
                rows = mine | (taken < 0)
                tables[name] = _file(table[rows], mine[rows])
                truth[name] = _truth(without[mine], factor[mine], days[mine])
        return FundDraw(
            tables={name: tables[name] for name in PILOTS}, truth={name: truth[name] for name in PILOTS}
        )

    def _people(
        self, rng: np.random.Generator, n: int, letter: str
    ) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """The people of a county, their rates, and the need that pilots look at."""
        age = np.clip(np.round(rng.normal(79, 7.5, n)), 65, 101).astype(int)
        conditions = rng.poisson(np.exp(0.7 + 0.01 * (age - 79)))
        alone = (rng.random(n) < 0.4).astype(int)
        hidden = rng.gamma(1 / self.unrecorded, self.unrecorded, n)
        rates = self.rate * hidden * np.exp(0.10 * (conditions - 2) + 0.15 * alone + 0.01 * (age - 79))
        recent, earlier = rng.poisson(90 * rates), rng.poisson(275 * rates)
        need = self.choice * (
            0.02 * (age - 79) + 0.15 * (conditions - 2) + 0.4 * alone + 0.3 * recent + 0.1 * earlier
        )
        lived = np.ceil(rng.exponential(1 / (0.0004 * np.exp(0.1 * (conditions - 2) + 0.04 * (age - 79)))))
        table = pd.DataFrame(
            {
                "Person": [f"{letter}{code:05d}" for code in 10_000 + rng.permutation(n)],
                "Referred": np.datetime64("2024-04-02") + rng.integers(0, 270, n),
                "Age": age,
                "Conditions": conditions,
                "Lives alone": alone,
                "Admissions 90 days before": recent,
                "Admissions 91 to 365 days before": earlier,
                "Days followed": np.minimum(lived, HORIZON).astype(int),
                "Died": (lived <= HORIZON).astype(int),
            }
        )
        return table, rates, need


def _taken(
    rng: np.random.Generator, need: np.ndarray, clients: list[int], others: int
) -> tuple[np.ndarray, np.ndarray]:
    """Those whose records are sent, and which pilot of the county took each of them, -1 for none.

    Greatest need and luck first, so that the odds of being taken are about the exponential of the need; the
    others are a chance sample of who is left.
    """
    order = np.argsort(-(need + rng.gumbel(size=len(need))))
    many = sum(clients)
    left = rng.permutation(order[many:])[:others]
    dealt = rng.permutation(np.repeat(np.arange(len(clients)), clients))
    return np.concatenate([order[:many], left]), np.concatenate([dealt, np.full(others, -1)])


def _file(table: pd.DataFrame, mine: np.ndarray) -> pd.DataFrame:
    """What one pilot's analyst is sent: its clients, and the people of its county without a pilot.

    The service begins on the day of referral; the others have the day on which they would have been referred.
    """
    told = table.assign(Client=mine.astype(int), Began=table["Referred"].where(mine))
    first = ["Person", "Client", "Referred", "Began"]
    columns = [*first, *[name for name in table.columns if name not in first]]
    return told[columns].sort_values("Person").reset_index(drop=True)


def _truth(without: np.ndarray, factor: np.ndarray, days: np.ndarray) -> dict[str, float]:
    """What a pilot did for its clients, over their days at risk."""
    plain, with_it, over = without.sum(), (without * factor).sum(), days.sum() / HORIZON
    return floats(
        {
            "att": (with_it - plain) / over,
            "per_100": 100 * (with_it - plain) / over,
            "cumulative": with_it - plain,
            "relative": with_it / plain - 1,
            "log_ratio": np.log(with_it / plain),
        }
    )
