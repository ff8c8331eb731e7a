r"""Starts that never happened: what the same analysis finds before the pilot.

The periods before the start are cut at each of many fake starts and a level and a slope change are
fitted after each. All share one autocorrelation, fitted to the same periods without any break, so
that after one whitening each fake start costs a two-column regression:

.. math:: \tilde y = \tilde Z\gamma + \tilde s_d\,a + \tilde l_d\,b + \epsilon

An analysis that finds changes where there were none will find one at the pilot as well. Fake starts
overlap and so are not independent: their rank is a guide, not a test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ucimpact.inference.timeseries import Errors

LEAST_EITHER_SIDE = 6
MOST = 40
ENOUGH_TO_RANK = 19
"""Fewer fake starts cannot give a rank of one in twenty."""

LEAST_DF = 8
TANGLED = 1e-9
"""Share of its largest determinant under which a fake start is one that the design already holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FakeStarts:
    """One entry a fake start; all arrays have shape (k,).

    Attributes
    ----------
    position : array of int
        Row of the first period after the fake start.
    level_change, conf_low, conf_high : array
        Change in that period, with limits.
    average, t : array
        Mean change from there to the end of the periods given, and that over its standard error.
    """

    position: np.ndarray
    level_change: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    average: np.ndarray
    t: np.ndarray


def fake_starts(
    y: np.ndarray,
    common: np.ndarray,
    used: np.ndarray,
    errors: Errors,
    *,
    level: float,
    roots: np.ndarray | None = None,
) -> FakeStarts:
    """Fit a level and a slope change at up to 40 fake starts, evenly spread.

    Parameters
    ----------
    y : array (n,)
        The outcome before the pilot.
    common : array (n, p)
        The design without a break: level, trend, season, a column for each period not used.
    used : array (n,)
        Periods that count; at least six of them stand on either side of each fake start.
    errors : Errors
        How rho is fitted, without a break.
    level : float
        Coverage of the limits.
    roots : array (n,), optional
        Roots of weights, by which ``y`` and ``common`` are already multiplied.
    """
    n = len(y)
    root = np.ones((n, 1)) if roots is None else roots[:, None]
    df = n - common.shape[1] - 2
    before = np.cumsum(used) - used
    can = np.flatnonzero(used & (before >= LEAST_EITHER_SIDE) & (used.sum() - before >= LEAST_EITHER_SIDE))
    if df < LEAST_DF or not len(can) or np.linalg.matrix_rank(common) < common.shape[1]:
        nothing = np.empty(0)
        return FakeStarts(
            position=can[:0],
            level_change=nothing,
            conf_low=nothing,
            conf_high=nothing,
            average=nothing,
            t=nothing,
        )
    if len(can) > MOST:
        can = can[np.unique(np.linspace(0, len(can) - 1, MOST).round().astype(int))]
    rho = errors.of(y, common).rho
    frame, _ = np.linalg.qr(_whitened(common, rho))

    def beyond_common(columns: np.ndarray) -> np.ndarray:
        white = _whitened(columns, rho)
        return np.asarray(white - frame @ (frame.T @ white))

    since = np.arange(n)[:, None] - can
    step = beyond_common(root * (since >= 0))
    slope = beyond_common(root * np.maximum(since, 0))
    information = np.moveaxis(
        np.array(
            [[(step * step).sum(0), (step * slope).sum(0)], [(step * slope).sum(0), (slope * slope).sum(0)]]
        ),
        2,
        0,
    )
    told_apart = (
        np.linalg.det(information) > TANGLED * information[:, 0, 0].max() * information[:, 1, 1].max()
    )
    can, since, information = can[told_apart], since[:, told_apart], information[told_apart]
    target = beyond_common(y[:, None])[:, 0]
    score = np.column_stack([target @ step[:, told_apart], target @ slope[:, told_apart]])
    inverse = np.linalg.inv(information)
    coef = (inverse @ score[:, :, None])[:, :, 0]
    variance = np.maximum(target @ target - (score * coef).sum(axis=1), 0.0) / df
    counted = (since >= 0) & used[:, None]
    mean_since = np.where(counted, since, 0).sum(axis=0) / counted.sum(axis=0)
    half = stdtrit(df, (1 + level) / 2) * np.sqrt(variance * inverse[:, 0, 0])
    average = coef[:, 0] + mean_since * coef[:, 1]
    spread = variance * (
        inverse[:, 0, 0] + 2 * mean_since * inverse[:, 0, 1] + mean_since**2 * inverse[:, 1, 1]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 0, average / np.sqrt(spread), 0.0)
    return FakeStarts(
        position=can,
        level_change=coef[:, 0],
        conf_low=coef[:, 0] - half,
        conf_high=coef[:, 0] + half,
        average=average,
        t=t,
    )


def rank(t: float, fakes: np.ndarray) -> float | None:
    """Share of all starts, the real one included, that look at least as far from 0; None without fakes."""
    return float((1 + np.sum(np.abs(fakes) >= abs(t))) / (1 + len(fakes))) if len(fakes) else None


def _whitened(columns: np.ndarray, rho: float) -> np.ndarray:
    """Columns of shape (n, k) with an AR(1) of ``rho`` taken out."""
    out = columns - rho * np.vstack([np.zeros((1, columns.shape[1])), columns[:-1]])
    out[0] = columns[0] * np.sqrt(1 - rho**2)
    return np.asarray(out)
