r"""Made-up people whose truth is known: a service after discharge, and a charity with its own clients only.

**Soft landing.** Everybody on the list has just left hospital after an emergency stay. Person :math:`i`
has a lasting rate of emergency admissions, of which a part :math:`f_i` is recorded nowhere,

.. math:: r_i = r\, f_i \exp(x_i'\gamma), \qquad f_i \sim \text{Gamma}(1/v, v),

and was in a bad spell before the discharge and is in a better one after it:

.. math:: \lambda_i(t) = r_i (1 + k_i e^{t/\tau}) \;\; (t < 0), \qquad
          \lambda_i(t) = r_i (1 + k e^{-t/\tau})\, \rho^{D_i} \;\; (t \ge 0).

The service is given at discharge, so that the clock starts on one day for both groups, with a chance
that depends on what is recorded (age, frailty, living alone, the admissions before) and on nothing else.
Since people are on the list for a bad spell, use falls by itself. Death, which the service does not
change, ends the follow-up. Injuries, deaths and what happened long before are beyond its reach. Bed days
and costs come with each admission: most people have none, a few have very many.

**Befriending.** A charity takes people with two or more admissions in the half year before and has records
of nobody else. Rates :math:`\lambda_i \sim \text{Gamma}`, counts Poisson before and after with the same rate:
nothing changes, and admissions fall.

The truth is by potential outcomes: for each person the expected outcome over that person's own days at
risk with and without the service, all else held. Counting noise and the length and price of a stay are
averaged over, so the truth of a draw is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.data.simulate import Draw

HORIZON = 90.0
SPELL = 25.0
"""Days in which a bad spell falls to 37% of what it was."""

STAY, STAY_SHAPE = 6.5, 0.8
"""Mean days of a stay, and the shape of its gamma mixture: many of 0 to 2 days, a few of 40."""
PRICE, PRICE_A_DAY, PRICE_SPREAD = 560.0, 330.0, 0.35
"""Pounds a stay and a day of it, and the standard deviation of the log of its price."""

COUNTED = ("Admissions 90 days after", "Bed days 90 days after")
"""Outcomes told over days at risk; the others are told a person."""

HOSPITALS = ("Brackenstow General", "Kestrelford Infirmary", "Saltwhistle Royal")


@dataclass(frozen=True, kw_only=True)
class PeopleDraw(Draw):
    """A made-up list of people.

    Attributes
    ----------
    potential : dict of array (n_people, 2)
        By outcome: what each person is expected to have without and with the service.
    """

    potential: dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class SoftLanding:
    """People who left hospital after an emergency stay, some of whom were seen home and visited.

    Parameters
    ----------
    people : int, default 4,600
        Discharges, one a person.
    ratio : float, default 0.76
        The service's effect: rate of emergency admissions with it over the rate without.
    rate : float, default 0.0024
        Lasting emergency admissions a day.
    unrecorded : float, default 0.6
        Variance of the part of the rate that no record shows.
    bad, better : float, default 4.0, 1.2
        How many times the lasting rate a bad spell adds on the day of discharge: on average before
        (exponential between people) and after.
    choice : float, default 1.0
        Multiple of how strongly recorded need decides who gets the service; 0 is a lottery.
    share : float, default 0.18
        About what part gets it.
    """

    people: int = 4600
    ratio: float = 0.76
    rate: float = 0.0024
    unrecorded: float = 0.6
    bad: float = 4.0
    better: float = 1.2
    choice: float = 1.0
    share: float = 0.18

    def draw(self, seed: int) -> PeopleDraw:
        """The data set of a seed: the same seed, the same bytes."""
        for_people, for_before, for_choice, for_after, for_rest = np.random.default_rng(seed).spawn(5)
        n = self.people
        known = _recorded(for_people, n)
        hidden = for_people.gamma(1 / self.unrecorded, self.unrecorded, n)
        need = (
            0.12 * (known["Frailty score"] - 4)
            + 0.06 * (known["Long-term conditions"] - 2)
            + 0.15 * known["Lives alone"]
            - 0.05 * (known["Deprivation fifth"] - 3)
            + 0.01 * (known["Age"] - 80)
        )
        lasting = self.rate * hidden * np.exp(need)

        spell = for_before.exponential(self.bad, n)
        before = {
            "Admissions 90 days before": 1 + for_before.poisson(lasting * _days(0, HORIZON, spell)),
            "Admissions 91 to 365 days before": for_before.poisson(lasting * _days(HORIZON, 365, spell)),
            "Admissions two years before": for_before.poisson(lasting * 365),
            "Contacts 180 days before": for_before.poisson(
                for_before.gamma(2.0, 4.0, n) * np.exp(0.1 * (known["Frailty score"] - 4)) * hidden**0.5
            ),
        }
        odds = np.log(self.share / (1 - self.share)) + self.choice * (
            -0.75
            + 0.22 * (known["Frailty score"] - 4)
            + 0.45 * known["Lives alone"]
            + 0.02 * (known["Age"] - 80)
            + 0.35 * (before["Admissions 90 days before"] - 1)
            + 0.15 * before["Admissions 91 to 365 days before"]
        )
        served = for_choice.random(n) < 1 / (1 + np.exp(-odds))

        dies = 0.00055 * hidden**0.5 * np.exp(0.2 * (known["Frailty score"] - 4) + 0.03 * (known["Age"] - 80))
        lived = np.ceil(for_rest.exponential(1 / dies))
        days = np.minimum(lived, HORIZON)
        month = lasting * _days(0, np.minimum(days, 30), self.better)
        later = lasting * _days(0, days, self.better) - month
        factor = np.where(served, self.ratio, 1.0)
        early, late = for_after.poisson(factor * month), for_after.poisson(factor * later)
        stays = early + late
        bed_days, cost = _stays(for_after, stays)

        whole = month + later
        price = (PRICE + PRICE_A_DAY * STAY) * np.exp(PRICE_SPREAD**2 / 2)
        potential = {
            "Admissions 90 days after": _both(whole, self.ratio),
            "Readmitted within 30 days": 1 - np.exp(-_both(month, self.ratio)),
            "Bed days 90 days after": STAY * _both(whole, self.ratio),
            "Cost 90 days after": price * _both(whole, self.ratio),
        }
        discharged = np.datetime64("2024-04-01") + for_rest.integers(0, 270, n)
        table = pd.DataFrame(
            {
                "Person": [f"SL{code:05d}" for code in 10_000 + for_rest.permutation(n)],
                "Soft landing": served.astype(int),
                "Discharge date": discharged,
                "First contact": np.where(served, discharged, np.datetime64("NaT")),
                **known,
                **before,
                "Days followed": days.astype(int),
                "Admissions 90 days after": stays,
                "Readmitted within 30 days": (early > 0).astype(int),
                "Bed days 90 days after": bed_days,
                "Cost 90 days after": cost,
                "Injuries 90 days after": for_rest.poisson(
                    0.0008 * days * np.exp(0.1 * (known["Frailty score"] - 4)) * for_rest.gamma(2.0, 0.5, n)
                ),
                "Died within 90 days": (lived <= HORIZON).astype(int),
            }
        ).sort_values(["Discharge date", "Person"])
        order = table.index.to_numpy()
        potential = {name: values[order] for name, values in potential.items()}
        table = table.reset_index(drop=True)
        return PeopleDraw(table=table, truth=soft_landing_truth(table, potential), potential=potential)


def soft_landing_truth(
    table: pd.DataFrame, potential: dict[str, np.ndarray], of: np.ndarray | None = None
) -> dict[str, dict[str, float]]:
    """The effect on the people served, or on those of them in ``of`` (n_people,), by outcome and term.

    ``att`` is a person over 90 days at risk for what is counted, and a person for costs and for yes or no;
    ``per_100`` is the same for 100 people, ``cumulative`` over all the days of all of them.
    """
    served = table["Soft landing"].to_numpy() == 1 if of is None else of
    followed = table["Days followed"].to_numpy(dtype=float)[served].sum() / HORIZON
    truth = {}
    for name, values in potential.items():
        without, with_it = values[served].sum(axis=0)
        over = followed if name in COUNTED else float(served.sum())
        truth[name] = {
            "att": float((with_it - without) / over),
            "per_100": float(100 * (with_it - without) / over),
            "cumulative": float(with_it - without),
            "relative": float(with_it / without - 1),
        }
    before = table["Admissions 90 days before"].to_numpy(dtype=float)[served].mean()
    without, with_it = (potential["Admissions 90 days after"][served].sum(axis=0) / followed).tolist()
    truth["before_after"] = {
        "before": float(before),
        "expected_after_without": float(without),
        "expected_after_with": float(with_it),
        "share_of_fall_without_service": float((before - without) / (before - with_it)),
    }
    return truth


def _recorded(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """What the hospital's records say of people."""
    age = np.clip(np.round(rng.normal(80, 7.5, n)), 65, 101).astype(int)
    conditions = rng.poisson(np.exp(0.6 + 0.01 * (age - 80)))
    frailty = 4 + 0.05 * (age - 80) + 0.25 * (conditions - 2) + 1.2 * rng.standard_normal(n)
    return {
        "Hospital": np.array(HOSPITALS, dtype=object)[rng.choice(3, n, p=[0.45, 0.35, 0.2])],
        "Age": age,
        "Sex": np.where(rng.random(n) < 0.56, "F", "M").astype(object),
        "Deprivation fifth": rng.integers(1, 6, n),
        "Long-term conditions": conditions,
        "Frailty score": np.clip(np.round(frailty), 1, 8).astype(int),
        "Lives alone": (rng.random(n) < 0.42).astype(int),
    }


def _days(first: float, last: np.ndarray | float, spell: np.ndarray | float) -> np.ndarray:
    """Days from one to another after (or before) discharge, those of a bad spell counted as so many more."""
    return np.asarray(last - first + spell * SPELL * (np.exp(-first / SPELL) - np.exp(-last / SPELL)))


def _both(expected: np.ndarray, ratio: float) -> np.ndarray:
    return np.column_stack([expected, ratio * expected])


def _stays(rng: np.random.Generator, stays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bed days and pounds of each person's stays, to the penny."""
    person = np.repeat(np.arange(len(stays)), stays)
    days = rng.poisson(rng.gamma(STAY_SHAPE, STAY / STAY_SHAPE, len(person)))
    price = (PRICE + PRICE_A_DAY * days) * np.exp(PRICE_SPREAD * rng.standard_normal(len(person)))
    bed_days = np.bincount(person, weights=days, minlength=len(stays)).astype(int)
    return bed_days, np.round(np.bincount(person, weights=price, minlength=len(stays)), 2)


@dataclass(frozen=True, kw_only=True)
class Befriending:
    """Clients of a charity, chosen for two or more admissions, and nothing that the charity changed.

    Parameters
    ----------
    clients : int, default 160
    mean : float, default 0.55
        Emergency admissions in 180 days among the people it chose from.
    shape : float, default 0.7
        Of the gamma distribution of their rates: a few have many.
    at_least : int, default 2
        Admissions in the 180 days before that the referral form asks for.
    """

    clients: int = 160
    mean: float = 0.55
    shape: float = 0.7
    at_least: int = 2

    def draw(self, seed: int) -> PeopleDraw:
        """The data set of a seed: the same seed, the same bytes."""
        for_choice, for_people, for_after = np.random.default_rng(seed).spawn(3)
        rates = np.zeros(0)
        before = np.zeros(0, dtype=int)
        while len(before) < self.clients:
            asked = for_choice.gamma(self.shape, self.mean / self.shape, 10 * self.clients)
            counted = for_choice.poisson(asked)
            rates = np.append(rates, asked[counted >= self.at_least])
            before = np.append(before, counted[counted >= self.at_least])
        rates, before, n = rates[: self.clients], before[: self.clients], self.clients

        days = np.minimum(np.ceil(for_people.exponential(2200.0, n)), 180.0)
        after = for_after.poisson(rates * days / 180)
        first_visit = np.datetime64("2024-01-08") + np.sort(for_people.integers(0, 300, n))
        table = pd.DataFrame(
            {
                "Client": [f"BF{code:04d}" for code in 1_000 + for_people.permutation(n)],
                "First visit": first_visit,
                "Age": np.clip(np.round(for_people.normal(79, 8, n)), 60, 99).astype(int),
                "Lives alone": (for_people.random(n) < 0.7).astype(int),
                "Admissions 180 days before": before,
                "A&E 180 days before": before + for_people.poisson(0.8 * rates),
                "Cost 180 days before": _stays(for_people, before)[1],
                "Days followed": days.astype(int),
                "Admissions 180 days after": after,
                "A&E 180 days after": after + for_after.poisson(0.8 * rates * days / 180),
                "Cost 180 days after": _stays(for_after, after)[1],
            }
        )
        expected = rates * days / 180
        followed = float(days.sum()) / 180
        truth = {
            "Admissions 180 days after": {
                "att": 0.0,
                "per_100": 0.0,
                "cumulative": 0.0,
                "relative": 0.0,
            },
            "before_after": {
                "before": float(before.mean()),
                "expected_after_without": float(expected.sum() / followed),
                "expected_after_with": float(expected.sum() / followed),
                "share_of_fall_without_service": 1.0,
            },
        }
        return PeopleDraw(
            table=table, truth=truth, potential={"Admissions 180 days after": _both(expected, 1.0)}
        )
