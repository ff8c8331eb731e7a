r"""Made-up series whose truth is known: a pilot beside its control, and pilots that start at many sites.

**Pilot and control**, both measured the same way in each of n periods:

.. math:: y_{gt} = b + s_t + d\,1\{t \ge T\} + \sigma\{\sqrt{w}\,e_t + \sqrt{1-w}\,e_{gt}\} + g\,[a_0 + a_1 t
   + \delta_0 1\{t \ge T\} + \delta_1 (t - T)_+]

with season :math:`s_t` and a change :math:`d` at the start that come to both, AR(1) shocks of which the share
:math:`w` is common, a gap :math:`a_0 + a_1 t`, and the effect on the pilot alone (g = 1). The truth is the
mean of :math:`\delta_0 + \delta_1(t - T)` over the periods after the start.

**Sites** i, each with a start :math:`T_i` of its own and an effect of its own:

.. math:: y_{it} = b_i\,[1 + s_t + \beta_i t + \sigma e_{it} + (\delta + \tau z_i)\,1\{t \ge T_i\}]

so that :math:`\delta` is the mean share by which the pilot changes what was expected. Levels, lines and the
AR(1) shocks are each site's own. The truth is :math:`\delta`, and the average over the sites drawn in the
units of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.data.simulate import WINTER, Draw, ar1, counts


@dataclass(frozen=True, kw_only=True)
class PilotAndControl:
    """A series with a pilot and one without it.

    Parameters
    ----------
    months, before : int, default 60, 36
        Months of records, and how many of them before the start.
    base, noise : float, default 100, 5
        Level of both, and the standard deviation of the shocks.
    rho, shared : float, default 0.3, 0.5
        Autocorrelation of the shocks, and the share of their variance that comes to both.
    season : float, default 1
        Times the winter of the NHS (up to 8% of the level).
    gap, gap_slope : float, default 10, 0
        How far the pilot lies above the control, and the slope of that gap per month.
    common_change : float, default 0
        What comes to both at the start.
    level_change, slope_change : float, default 0
        The effect: a step, and a slope per month from then on.
    """

    months: int = 60
    before: int = 36
    base: float = 100.0
    noise: float = 5.0
    rho: float = 0.3
    shared: float = 0.5
    season: float = 1.0
    gap: float = 10.0
    gap_slope: float = 0.0
    common_change: float = 0.0
    level_change: float = 0.0
    slope_change: float = 0.0
    first: str = "2010-04"

    def draw(self, seed: int) -> Draw:
        """``month, admissions, neighbour``."""
        rng = np.random.default_rng(seed)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        common, pilot, control = ar1(rng, 3, self.months, self.rho)
        since = np.arange(self.months) - self.before
        after = since >= 0
        both = self.base * (1 + self.season * WINTER[month.month - 1]) + self.common_change * after
        mixed = [np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * own for own in (pilot, control)]
        effect = np.where(after, self.level_change + self.slope_change * since, 0.0)
        table = pd.DataFrame(
            {
                "month": month.strftime("%Y-%m"),
                "admissions": both + self.noise * mixed[0] + self.gap + self.gap_slope * since + effect,
                "neighbour": both + self.noise * mixed[1],
            }
        )
        truth = {
            "admissions": {
                "average": float(effect[after].mean()),
                "level_change": self.level_change,
                "slope_change": self.slope_change,
                "cumulative": float(effect.sum()),
            }
        }
        return Draw(table=table, truth=truth)

    @property
    def start(self) -> str:
        """The first month with the pilot."""
        return str(pd.Period(self.first, freq="M") + self.before)


@dataclass(frozen=True, kw_only=True)
class PilotSites:
    """Sites that each start a pilot, at dates of their own.

    Parameters
    ----------
    sites, never : int, default 8, 2
        Sites that start, and others that never do.
    months, before : int, default 60, 36
        Months of records, and months before the middle start.
    spread : int, default 6
        Starts lie this many months around the middle one, evenly.
    base : float, default 120
        Mean of an average site; sites lie within 40% of it.
    noise, rho : float, default 0.06, 0.3
        Shocks of a site as a share of its level, and their autocorrelation.
    season : float, default 1
        Times the winter of the NHS.
    change, tau : float, default 0, 0
        The mean effect as a share of what was expected, and its standard deviation between sites.
    as_counts : bool, default False
        Whether outcomes are whole numbers with Poisson noise on top.
    """

    sites: int = 8
    never: int = 2
    months: int = 60
    before: int = 36
    spread: int = 6
    base: float = 120.0
    noise: float = 0.06
    rho: float = 0.3
    season: float = 1.0
    change: float = 0.0
    tau: float = 0.0
    as_counts: bool = False
    first: str = "2010-04"

    def draw(self, seed: int) -> Draw:
        """``site, month, start, admissions, people`` in long form, and the truth."""
        rng, total = np.random.default_rng(seed), self.sites + self.never
        month = pd.period_range(self.first, periods=self.months, freq="M")
        starts = self.before + np.round(np.linspace(-self.spread, self.spread, self.sites)).astype(int)
        base = self.base * rng.uniform(0.6, 1.4, total)
        slope = rng.normal(0, 0.001, total)
        effect = self.change + self.tau * rng.standard_normal(self.sites)
        since = np.arange(self.months)[None, :] - np.append(starts, [self.months] * self.never)[:, None]
        season = 1 + self.season * WINTER[month.month - 1][None, :]
        plain = season + slope[:, None] * np.arange(self.months)[None, :]
        change = np.where(since >= 0, np.append(effect, [0.0] * self.never)[:, None], 0.0)
        expected = base[:, None] * plain
        mean = expected * (1 + change) + base[:, None] * self.noise * ar1(rng, total, self.months, self.rho)
        values = counts(rng, np.maximum(mean, 0.0), 1.0) if self.as_counts else mean
        names = [f"site {at + 1:02d}" for at in range(total)]
        first = [str(month[at]) for at in starts] + [""] * self.never
        table = pd.DataFrame(
            {
                "site": np.repeat(names, self.months),
                "month": np.tile(month.strftime("%Y-%m"), total),
                "start": np.repeat(first, self.months),
                "admissions": values.ravel(),
                "people": np.repeat(np.round(100 * base), self.months),
            }
        )
        added = (expected * change)[: self.sites]
        average = [float(row[s >= 0].mean()) for row, s in zip(added, since, strict=False)]
        truth = {"admissions": {"relative": self.change, "att": float(np.mean(average))}}
        return Draw(table=table, truth=truth)
