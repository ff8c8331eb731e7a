r"""What many effects say together: which stand out, how far they differ, and each in the light of all.

**Which stand out.** Of m p-values in order, the adjusted ones are, for the share of false findings
(Benjamini-Hochberg [1]_) and for any false finding at all (Holm [2]_),

.. math:: q_{(i)} = \min_{j \ge i} \frac{m\,p_{(j)}}{j}, \qquad
   h_{(i)} = \max_{j \le i} (m - j + 1)\,p_{(j)}

Among findings with :math:`q \le 0.1` about a tenth are expected to be chance, where effects are
independent or move together.

**Each in the light of all** (empirical Bayes). With :math:`y_i \sim N(\theta_i, s_i^2)` and
:math:`\theta_i \sim N(\mu, \tau^2)`, :math:`\tau^2` solves the restricted likelihood's

.. math:: \sum_i w_i^2 (y_i - \hat\mu)^2 = \sum_i w_i - \frac{\sum_i w_i^2}{\sum_i w_i}, \qquad
   w_i = \frac{1}{s_i^2 + \tau^2}, \quad \hat\mu = \frac{\sum_i w_i y_i}{\sum_i w_i}

and, with the share kept :math:`B_i = \tau^2/(\tau^2 + s_i^2)`, the effect of i is

.. math:: \tilde\theta_i = B_i y_i + (1 - B_i)\hat\mu, \qquad
   \mathrm{var}(\theta_i \mid y) = B_i s_i^2 + (1 - B_i)^2 / \sum_j w_j .

It is the answer of :func:`~ucimpact.inference.heterogeneity.heterogeneity` for an average, found without
a matrix of every series by every other.

**A funnel** [3]_ holds each effect against what chance allows at its precision, around one centre
:math:`\hat\theta_0 = \sum_i (y_i/s_i^2) / \sum_i (1/s_i^2)`. Effects that differ more than chance allows
for ordinary reasons would put too many outside: with :math:`z_i = (y_i - \hat\theta_0)/s_i`, winsorised
at the outer tenths, and :math:`\hat\phi` the mean of their squares,

.. math:: \theta_0 \pm z_P \sqrt{s_i^2 + \hat\tau_0^2}, \qquad
   \hat\tau_0^2 = \max\Big\{0,\; \frac{m\hat\phi - (m-1)}{\sum_i w_i - \sum_i w_i^2/\sum_i w_i}\Big\},
   \quad w_i = 1/s_i^2,

or :math:`\theta_0 \pm z_P s_i \sqrt{\max(1, \hat\phi)}` (``"multiplicative"``).

References
----------
.. [1] Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. *JRSS B* 57(1),
   289-300.
.. [2] Holm, S. (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal
   of Statistics* 6(2), 65-70.
.. [3] Spiegelhalter, D. J. (2005). Handling over-dispersion of performance indicators. *Quality and
   Safety in Health Care* 14(5), 347-351.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError

DOUBLINGS, HALVINGS = 200, 200
CLOSE = 1e-13
SCAN = 60
WINSORISED = 0.1
"""Share of effects at either end that a funnel's dispersion takes no account of."""

OVERDISPERSION = ("additive", "multiplicative", "none")


def false_discovery(p_values: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values of p-values (m,)."""
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")[::-1]
    out = np.empty(m)
    out[order] = np.minimum.accumulate(p_values[order] * m / np.arange(m, 0, -1))
    return np.minimum(out, 1.0)


def any_false(p_values: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values of p-values (m,)."""
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    out = np.empty(m)
    out[order] = np.maximum.accumulate(p_values[order] * np.arange(m, 0, -1))
    return np.minimum(out, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shrunken:
    """Effects in the light of all; arrays of shape (m,).

    Attributes
    ----------
    mean, mean_error : float
        The average effect and its standard error, with tau squared taken as known.
    tau2 : float
        Variance of true effects.
    kept : array
        Share of each effect's distance from the average that is kept.
    effects, std_errors : array
    """

    mean: float
    mean_error: float
    tau2: float
    kept: np.ndarray
    effects: np.ndarray
    std_errors: np.ndarray


def shrink(y: np.ndarray, std_errors: np.ndarray) -> Shrunken:
    """Empirical Bayes estimates of effects ``y`` (m,), see the top of this page.

    Raises
    ------
    EstimationError
        For fewer than three effects.
    """
    if len(y) < 3:
        raise EstimationError(f"{len(y)} effects cannot show how far effects differ; three are the least")
    v = std_errors**2
    tau2 = between(y, v)
    weights = 1 / (v + tau2)
    total = weights.sum()
    mean = float(weights @ y / total)
    kept = tau2 / (tau2 + v)
    return Shrunken(
        mean=mean,
        mean_error=float(total**-0.5),
        tau2=tau2,
        kept=kept,
        effects=kept * y + (1 - kept) * mean,
        std_errors=np.sqrt(kept * v + (1 - kept) ** 2 / total),
    )


def between(y: np.ndarray, v: np.ndarray) -> float:
    """REML variance between effects ``y`` (m,) of sampling variances ``v`` (m,)."""

    def parts(tau2: float) -> tuple[np.ndarray, float, np.ndarray]:
        weights = 1 / (v + tau2)
        total = float(weights.sum())
        return weights, total, y - weights @ y / total

    def deviance(tau2: float) -> float:
        weights, total, residuals = parts(tau2)
        return float(weights @ residuals**2 - np.log(weights).sum() + np.log(total))

    def score(tau2: float) -> float:
        weights, total, residuals = parts(tau2)
        return float(weights**2 @ residuals**2 - total + weights @ weights / total)

    most = max(10 * float(np.var(y)), float(v.min()))
    tried = np.concatenate([[0.0], np.geomspace(min(1e-4 * float(v.min()), most / 2), most, SCAN)])
    best = int(np.argmin([deviance(tau2) for tau2 in tried]))
    low, high = float(tried[max(best - 1, 0)]), float(tried[min(best + 1, SCAN)])
    return low if score(low) <= 0 else _halve(score, low, high)


def _halve(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(HALVINGS):
        if high - low <= CLOSE * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """The centre of a funnel and how far its effects lie apart.

    Attributes
    ----------
    centre : float
    dispersion : float
        Mean square of the winsorised z scores; 1 where chance explains them.
    tau2 : float
        What is added to each variance (``"additive"``).
    factor : float
        What each variance is multiplied by (``"multiplicative"``).
    """

    centre: float
    dispersion: float
    tau2: float
    factor: float

    def allowed(self, std_errors: np.ndarray) -> np.ndarray:
        """Standard deviation that chance and ordinary difference give an effect, shape (m,)."""
        return np.asarray(np.sqrt(std_errors**2 * self.factor + self.tau2))


def funnel_spread(y: np.ndarray, std_errors: np.ndarray, *, overdispersion: str) -> Spread:
    """Of effects ``y`` (m,), see the top of this page."""
    if overdispersion not in OVERDISPERSION:
        raise ValueError(f'there is no overdispersion "{overdispersion}"; use one of {OVERDISPERSION}')
    weights = std_errors**-2.0
    total = float(weights.sum())
    centre = float(weights @ y / total)
    z = (y - centre) / std_errors
    z = np.clip(z, *np.quantile(z, [WINSORISED, 1 - WINSORISED]))
    m, dispersion = len(y), float(np.mean(z**2))
    tau2 = max(0.0, (m * dispersion - (m - 1)) / (total - float(weights @ weights) / total)) if m > 1 else 0.0
    return Spread(
        centre=centre,
        dispersion=dispersion,
        tau2=tau2 if overdispersion == "additive" else 0.0,
        factor=max(1.0, dispersion) if overdispersion == "multiplicative" else 1.0,
    )
