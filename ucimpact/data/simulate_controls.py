r"""Made-up series with others beside them, some of which share what moves it, and the effect planted in it.

.. math::
   x_{jt} = x_{j,t-1} + u_{jt}, \qquad
   \mu_t = \mu_{t-1} + \tau w_t, \qquad
   y_t = 100 + \mu_t + c\sum_{j \le k} b_j x_{jt} + s\cos(2\pi t/12) + \delta\,1\{t \ge t_1\} + e_t

with standard normal :math:`u, w, e`. :math:`c` is such that the weighted series have a share :math:`R^2` of
the variance of themselves and the noise before the start, and :math:`\tau` is a share of the standard
deviation of both. The other series wander freely: those that have nothing to do with the outcome still drift
along with it for a while, which is what deceives a regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class SeriesWithControls:
    """Months of one outcome, with wandering series beside it; the noise of a month has variance 1.

    Parameters
    ----------
    n : int, default 120
        Months.
    before : int, optional
        Months before the start; seven tenths of ``n`` unless given.
    weights : tuple of float, default (1.0, -0.8, 0.8)
        What the first series weigh in the outcome, against one another; the others weigh nothing.
    controls : int, default 10
        Series beside it, ``x1``, ``x2``, ...
    explained : float, default 0.8
        Share of the variance before the start that the weighted series have, :math:`R^2`.
    level_step : float, default 0.01
        Standard deviation of the steps of the outcome's own level, as a share of that of the rest.
    season : float, default 0.0
        Half the distance from the best to the worst month.
    effect : float, default -2.0
        What the pilot adds in every month from the start, :math:`\\delta`.
    """

    n: int = 120
    before: int | None = None
    weights: tuple[float, ...] = (1.0, -0.8, 0.8)
    controls: int = 10
    explained: float = 0.8
    level_step: float = 0.01
    season: float = 0.0
    effect: float = -2.0

    @property
    def start(self) -> int:
        """Row of the first month of the pilot."""
        return round(0.7 * self.n) if self.before is None else self.before

    def draw(self, seed: int) -> pd.DataFrame:
        """One made-up series: ``period, y, x1, x2, ...``, from January 1990."""
        rng = np.random.default_rng(seed)
        x = 50 + rng.standard_normal((self.n, self.controls)).cumsum(axis=0)
        weights = np.array(self.weights[: self.controls])
        common, spread = x[:, : len(weights)] @ weights, 1.0
        if len(weights):
            ratio = self.explained / (1 - self.explained)
            common = common * np.sqrt(ratio) / common[: self.start].std()
            spread = np.sqrt(1 + ratio)
        t = np.arange(self.n)
        level = 100 + self.level_step * spread * rng.standard_normal(self.n).cumsum()
        mean = level + common + self.season * np.cos(2 * np.pi * t / 12)
        y = mean + np.where(t >= self.start, self.effect, 0.0) + rng.standard_normal(self.n)
        month = pd.period_range("1990-01", periods=self.n, freq="M").astype(str)
        return pd.DataFrame({"period": month, "y": y, **{f"x{j + 1}": x[:, j] for j in range(self.controls)}})
