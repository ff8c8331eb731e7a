r"""What moves all sites at once: how much wider than with independent sites the range of their sum must be.

Sites count for :math:`w_i` (adding up to 1). With independent sites :math:`\sum_i w_i y_i` has variance
:math:`V = \sum_i w_i^2 v_i`. A cold month that comes to all of them is in every :math:`y_i`, and no number of
sites takes it out. So the sites are added up, in calendar time, to one series of what each left over,

.. math:: r_t = \sum_i w_i e_{it} \Big/ \sum_i w_i, \qquad z_{tk} = \sum_i w_i x_{itk} \Big/ \sum_i w_i

with the sum of their own columns (the level and the slope of the pilot become the share that has started and
the time since then), and the regression of one series is run on it, with the ranges of
:mod:`ucimpact.methods.its_ranges`. With one start for all that is the interrupted time series of the sum of
the sites. Its variance :math:`s^2` holds what is shared and what is not; with independent sites it would be
:math:`s_0^2`. Its half-width :math:`h` says how well one series shows its own variance. What is shared,

.. math:: d = \kappa\, h^2 \max\Bigl(0,\ 1 - \frac{s_0^2}{s^2}\Bigr), \qquad
   \kappa = \frac{b'R_{\hat\rho}b}{a'R_{\hat\rho}a} ,

is added to the squared half-width with independent sites. :math:`a` is by how much a month of the sum moves
its own effect, :math:`b = \sum_i w_i b_i` by how much a month that is common to all moves the sites' effects,
and :math:`R_{\hat\rho}` the correlation of the sum's months. With one start :math:`\kappa` is about 1; starts
that lie apart make it smaller: the shock falls on different months since the start. Where nothing is shared
:math:`d` is small: only the part of :math:`s^2` that independent sites cannot explain is told with the few
degrees of freedom of one series. (To add :math:`h^2` less the squared half-width with independent sites made
ranges of independent sites a quarter to a third wider.)

Where the sum carries no regression of its own, the mean correlation of what two sites left over stands in:
:math:`d = h_0^2\, \max(0, \bar r)\,\{(\sum_i s_i)^2/\sum_i s_i^2 - 1\}` with :math:`s_i = w_i \sqrt{v_i}`.

The residuals of a count are relative to its mean; those of measurements pooled as ratios to the mean that was
expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.timeseries import Ar1Fit, Reml
from ucimpact.methods.its_ranges import Ranges
from ucimpact.methods.multi_site_series import SiteEffect

LEAST_SHARE = 0.5
"""Share of the weight with a value, below which a period of the sum does not count."""

CLEAR = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Months:
    """What the sites left over, side by side in calendar time; k sites, n periods.

    Attributes
    ----------
    left : array (k, n)
        Relative residuals, or residuals in units of the outcome; 0 where not used.
    used : array (k, n)
    spread : array (k, n)
        Standard deviation of each.
    reach : array (k, n)
        By how much the effect of a site moves with what was left over in each period.
    rhos : array (k,)
    columns : dict of arrays (k, n)
        The named columns of the sites.
    towards : dict of arrays (k,)
        By how much the effect of a site moves with the coefficient of each column.
    """

    left: np.ndarray
    used: np.ndarray
    spread: np.ndarray
    reach: np.ndarray
    rhos: np.ndarray
    columns: dict[str, np.ndarray]
    towards: dict[str, np.ndarray]

    @classmethod
    def of(cls, found: Sequence[SiteEffect]) -> Months:
        """The months of sites."""
        first = min(int(one.site.series.ordinals[0]) for one in found)
        last = max(int(one.site.series.ordinals[-1]) for one in found)
        shape = (len(found), last - first + 1)
        left, spread, reach, used = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        names = list(dict.fromkeys(name for one in found for name in one.site.design.columns))
        columns = {name: np.zeros(shape) for name in names}
        towards = {name: np.zeros(len(found)) for name in names}
        for i, one in enumerate(found):
            design, at = one.site.design, one.site.series.ordinals - first
            used[i, at] = design.used
            left[i, at] = np.where(design.used, one.fit.residuals / one.root, 0.0)
            spread[i, at] = one.fit.sigma / one.root
            reach[i, at] = np.where(design.used, smoother(one.fit, one.towards) * one.root, 0.0)
            for k, (name, column) in enumerate(design.columns.items()):
                columns[name][i, at] = column
                towards[name][i] = one.towards[k] * one.unit
        rhos = np.array([one.fit.rho for one in found])
        return cls(
            left=left,
            used=used,
            spread=spread,
            reach=reach,
            rhos=rhos,
            columns=columns,
            towards=towards,
        )

    @property
    def correlation(self) -> float:
        """Mean correlation of what two sites left over in the same period, over all pairs."""
        size = np.sqrt((self.left**2).sum(axis=1) / self.used.sum(axis=1))
        z = np.where(self.used, self.left / np.where(size > 0, size, 1.0)[:, None], 0.0)
        both = self.used.astype(float) @ self.used.T.astype(float)
        pairs = (z @ z.T)[both > 0] / both[both > 0]
        own = np.diag(z @ z.T) / np.diag(both)
        return float((pairs.sum() - own.sum()) / (len(pairs) - len(own))) if len(pairs) > len(own) else 0.0

    @property
    def alike(self) -> bool:
        """Whether the correlation lies two standard errors or more above 0."""
        k = len(self.left)
        spare = float(np.median(self.used.sum(axis=1))) - len(self.columns)
        return self.correlation * float(np.sqrt(k * (k - 1) / 2 * max(spare, 1.0))) > CLEAR


@dataclass(frozen=True, kw_only=True, eq=False)
class Shared:
    """What a sum of sites has in it that comes to all.

    Attributes
    ----------
    excess : float
        What is added to the squared half-width.
    half : float
        Half-width of the range of the sum as one series; ``nan`` where it could not be had.
    kappa : float
        How much of a month that is common to all is left in the sum of the sites' effects.
    """

    excess: float
    half: float
    kappa: float


def shared(months: Months, weights: np.ndarray, errors: np.ndarray, *, half: float, level: float) -> Shared:
    """What the sum of sites with these weights has in it that comes to all of them.

    Parameters
    ----------
    months : Months
    weights : array (k,)
        Adding up to 1.
    errors : array (k,)
        Standard errors of the sites' effects.
    half : float
        Half-width of the range of the sum with independent sites.
    level : float
    """
    w = weights[:, None] * months.used
    total = w.sum(axis=0)
    inside = np.flatnonzero(total > 0)
    cut = slice(inside[0], inside[-1] + 1)
    w, total = w[:, cut], total[cut]
    counted = total >= LEAST_SHARE
    share = np.where(counted, w / np.where(total > 0, total, 1.0), 0.0)
    spread, reach = months.spread[:, cut], months.reach[:, cut]
    alone = np.sqrt((share**2 * spread**2).sum(axis=0))
    root = np.where(counted, np.sqrt(np.mean(alone[counted] ** 2)) / np.where(counted, alone, 1.0), 1.0)
    names = [name for name, values in months.columns.items() if np.any(values[:, cut][share > 0])]
    z = np.column_stack([(share * months.columns[name][:, cut]).sum(axis=0) for name in names])
    towards = np.array([weights @ months.towards[name] for name in names])
    try:
        fit, contrast = _regression(
            root * (share * months.left[:, cut]).sum(axis=0), root[:, None] * z, towards, counted
        )
    except EstimationError:
        parts = weights * errors
        alike = max(0.0, months.correlation) * (parts.sum() ** 2 / (parts**2).sum() - 1)
        return Shared(excess=half**2 * alike, half=np.nan, kappa=1.0)
    ranges = Ranges.of(fit, contrast, used=int(counted.sum()), level=level)
    row = ranges.row("average", contrast)
    wide = (float(row["conf_high"]) - float(row["conf_low"])) / 2
    moves = smoother(fit, contrast) * root
    here, there = 0.0, 0.0
    for i, rho in enumerate(months.rhos):
        here += quadratic(share[i] * moves * spread[i], rho)
        there += weights[i] ** 2 * quadratic(reach[i] * spread[i], rho)
    kappa = quadratic(weights @ reach, fit.rho) / quadratic(moves, fit.rho)
    variance = float((weights**2 * errors**2).sum()) * here / there
    excess = kappa * wide**2 * max(0.0, 1 - variance / float(fit.std_errors(contrast)[0]) ** 2)
    return Shared(excess=float(excess), half=wide, kappa=float(kappa))


def _regression(
    y: np.ndarray, x: np.ndarray, towards: np.ndarray, counted: np.ndarray
) -> tuple[Ar1Fit, np.ndarray]:
    """The fit of the sum; periods that do not count have columns of their own."""
    scaled = x[counted] / np.maximum(np.abs(x[counted]).max(axis=0), np.finfo(float).tiny)
    if np.linalg.matrix_rank(scaled) < x.shape[1]:
        raise EstimationError("columns of the sum say the same")
    full = np.column_stack([np.where(counted[:, None], x, 0.0), np.eye(len(y))[:, ~counted]])
    fit = Reml().of(np.where(counted, y, 0.0), full)
    return fit, np.concatenate([towards, np.zeros(int((~counted).sum()))])


def smoother(fit: Ar1Fit, contrast: np.ndarray) -> np.ndarray:
    """By how much each period moves a contrast, given the autocorrelation; shape (n,)."""
    x, n = fit.statistics.x, len(fit.statistics.y)
    precision = _precision(n, fit.rho)
    weighted = precision @ x
    return np.asarray(weighted @ np.linalg.solve(x.T @ weighted, contrast))


def _precision(n: int, rho: float) -> np.ndarray:
    """Inverse of the AR(1) correlation but for a factor."""
    band = np.full(n, 1 + rho**2)
    band[[0, -1]] = 1.0
    return np.diag(band) - rho * (np.eye(n, k=1) + np.eye(n, k=-1))


def quadratic(values: np.ndarray, rho: float) -> float:
    r""":math:`v'R_\rho v` with :math:`R_{st} = \rho^{|s-t|}`."""
    steps = np.abs(np.subtract.outer(np.arange(len(values)), np.arange(len(values))))
    return float(values @ np.power(float(rho), steps) @ values)
