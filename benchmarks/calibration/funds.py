"""Whole funds with a known truth: pilots of every size, what each measured, and what money it asks for.

A fund has seven pilots unless said. Standard errors of the log rate ratio are spread evenly on the log scale
from 0.06 to 0.25; the more precise have more people, from 1,650 down to about 400. Without a service a person
has 0.35 admissions a year at 3,428 pounds, a service costs 30 to 160 pounds a person, and the budget is
400,000 pounds a year for about 585,000 asked. Benefits are minus the log rate ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ucimpact.decision.information import Stakes
from ucimpact.inference.shrinkage import equal_correlation, shared_arm

Array = np.ndarray
Truth = Literal["null", "re05", "re10", "two"]
Sharing = Literal["none", "half", "one arm"]

TRUTHS: dict[Truth, str] = {
    "null": "none works",
    "re05": "effects differ by 5%",
    "re10": "effects differ by 10%",
    "two": "two of 15%",
}
SHARED: dict[Sharing, str] = {"none": "", "half": ", correlation 0.5", "one arm": ", one control arm"}

LEAST_ERROR, MOST_ERROR = 0.06, 0.25
MOST_PEOPLE = 1_650
EXPECTED, UNIT_VALUE = 0.35, 3_428.0
PRICES = (30.0, 160.0)
BUDGET, USUAL = 400_000.0, 7
YEARS = 5
USEFUL = 0.15
ARM = 0.5
"""Variance of one control arm, as a share of the smallest sampling variance."""


@dataclass(frozen=True, eq=False)
class Fund:
    """One fund: what is true, what was measured, and what is at stake.

    ``assumed`` is the covariance that is reckoned with, where that is not the true one.
    """

    seed: int
    truth: Array
    measured: Array
    cov: Array
    stakes: Stakes
    budget: float
    assumed: Array | None = None

    @property
    def held(self) -> Array:
        """The covariance that is reckoned with."""
        return self.cov if self.assumed is None else self.assumed

    @property
    def std_error(self) -> Array:
        """Of each estimate, shape (K,)."""
        return np.asarray(np.sqrt(np.diag(self.cov)))

    def second_year(self, pilots: Array) -> Array:
        """New estimates of some pilots, each as large as its first, with errors of their own."""
        rng = np.random.default_rng([self.seed, len(self.truth), 2])
        errors = np.linalg.cholesky(self.cov) @ rng.standard_normal(len(self.truth))
        return np.asarray(self.truth[pilots] + errors[pilots])


@dataclass(frozen=True, kw_only=True)
class Funds:
    """What makes the fund of a seed."""

    truth: Truth
    pilots: int = USUAL
    sharing: Sharing = "none"

    @property
    def name(self) -> str:
        """What the board calls it."""
        many = "" if self.pilots == USUAL else f"{self.pilots} pilots, "
        return f"{many}{TRUTHS[self.truth]}{SHARED[self.sharing]}"

    def draw(self, seed: int) -> Fund:
        """The fund of a seed; the sizes and prices of a seed are those of every truth."""
        rng = np.random.default_rng([seed, self.pilots])
        k = self.pilots
        std_error = np.exp(rng.uniform(math.log(LEAST_ERROR), math.log(MOST_ERROR), k))
        stakes = Stakes(
            value=np.full(k, EXPECTED * UNIT_VALUE),
            price=rng.uniform(*PRICES, k),
            people=MOST_PEOPLE * LEAST_ERROR / std_error,
        )
        truth = self._true(rng.standard_normal(k))
        cov = self._covariance(std_error)
        measured = truth + np.linalg.cholesky(cov) @ rng.standard_normal(k)
        return Fund(seed, truth, measured, cov, stakes, BUDGET * k / USUAL)

    def _true(self, luck: Array) -> Array:
        if self.truth == "two":
            return np.where(np.arange(len(luck)) < 2, USEFUL, 0.0)
        return luck * {"null": 0.0, "re05": 0.05, "re10": 0.10}[self.truth]

    def _covariance(self, std_error: Array) -> Array:
        if self.sharing == "half":
            return equal_correlation(std_error, 0.5)
        if self.sharing == "one arm":
            return shared_arm(std_error, ARM * float(std_error.min() ** 2))
        return np.diag(std_error**2)
