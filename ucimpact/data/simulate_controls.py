r"""Made-up series with others beside them, some of which share what moves it, and the effect planted in it.

.. math::
   x_{jt} = x_{j,t-1} + u_{jt}, \qquad
   \mu_t = \mu_{t-1} + \tau w_t, \qquad
   y_t = 100 + \mu_t + \sum_{j \le k} b_j x_{jt} + s\cos(2\pi t/12) + \delta\,1\{t \ge t_1\} + \sigma e_t

with standard normal :math:`u, w, e`. The other series wander freely: those that have nothing to do with the
outcome still drift along with it for a while, which is what deceives a regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class SeriesWithControls:
    """Months of one outcome, with wandering series beside it.

    Parameters
    ----------
    n : int, default 120
        Months.
    before : int, optional
        Months before the start; seven tenths of ``n`` unless given.
    weights : tuple of float, default (1.2, -0.8, 0.6)
        What the first series weigh in the outcome; the others weigh nothing.
    controls : int, default 10
        Series beside it, ``x1``, ``x2``, ...
    level_step : float, default 0.05
        Standard deviation of the steps of the outcome's own level, :math:`\\tau`.
    noise : float, default 1.0
        Standard deviation of a month about its mean, :math:`\\sigma`.
    season : float, default 0.0
        Half the distance from the best to the worst month.
    effect : float, default -2.0
        What the pilot adds in every month from the start, :math:`\\delta`.
    """

    n: int = 120
    before: int | None = None
    weights: tuple[float, ...] = (1.2, -0.8, 0.6)
    controls: int = 10
    level_step: float = 0.05
    noise: float = 1.0
    season: float = 0.0
    effect: float = -2.0

    @property
    def start(self) -> int:
        """Row of the first month of the pilot."""
        return round(0.7 * self.n) if self.before is None else self.before

    def draw(self, seed: int) -> pd.DataFrame:
        """One made-up series: ``period, y, x1, x2, ...``, from January 2000."""
        rng = np.random.default_rng(seed)
        x = 50 + rng.standard_normal((self.n, self.controls)).cumsum(axis=0)
        level = self.level_step * rng.standard_normal(self.n).cumsum()
        t = np.arange(self.n)
        weights = np.array(self.weights[: self.controls])
        mean = 100 + level + x[:, : len(weights)] @ weights + self.season * np.cos(2 * np.pi * t / 12)
        y = mean + np.where(t >= self.start, self.effect, 0.0) + self.noise * rng.standard_normal(self.n)
        month = pd.period_range("2000-01", periods=self.n, freq="M").astype(str)
        return pd.DataFrame({"period": month, "y": y, **{f"x{j + 1}": x[:, j] for j in range(self.controls)}})
