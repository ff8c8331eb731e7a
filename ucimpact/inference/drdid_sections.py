r"""Two groups and two periods where other people are seen in each period: repeated cross-sections.

With :math:`D` the pilot group, :math:`T` the later period and :math:`E_u[z] = \sum u_i z_i / \sum u_i` as in
:mod:`ucimpact.inference.drdid`, and regressions :math:`\mu_{dt}(X) = X'\beta_{dt}` in each group and period,

.. math::
   \tau_{reg} &= E_{wDT}[Y] - E_{wD(1-T)}[Y] - E_{wD}[\mu_{01} - \mu_{00}], \\
   \tau_{ipw} &= E_{wDT}[Y] - E_{wD(1-T)}[Y] - (E_{vT}[Y] - E_{v(1-T)}[Y]), \\
   \tau_{dr} &= \tau_{ipw}[Y - \mu_{0T}]
       + (E_{wD} - E_{wDT})[\mu_{11} - \mu_{01}] - (E_{wD} - E_{wD(1-T)})[\mu_{10} - \mu_{00}].

The score is fitted to both periods together: the make-up of the groups must not change between them. The last
line of :math:`\tau_{dr}` uses the regressions of the pilot group too, which makes it locally efficient [1]_.

**Influence.** R's DRDID 1.2.3 differs from the derivative in two terms that vanish in large samples where the
score is right. For "dr" the regression of the comparison group in the earlier period enters as
:math:`-(\bar x_{D0} - \bar x_{v0})` and not plus it; for "dr-improved" those of the pilot group are taken as
given. Leaving out a row at a time agrees with the derivative (correlation 0.9999, against 0.985, in the
example data of DRDID), so it is what is used, and ``influence="drdid"`` gives R's own errors. Between the two
the errors of single cells differ by up to 8%, those of averages by 1%.

References
----------
.. [1] Sant'Anna, P. H. C. and Zhao, J. (2020). Doubly robust difference-in-differences estimators.
   *Journal of Econometrics* 219(1), 101-122. Equations 2.4 to 3.9.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ucimpact.inference.drdid import Estimator, Indistinct, basis, inverse_gram, odds_of, score_of

Array = np.ndarray
Influence = Literal["derived", "drdid"]


def two_sections(
    outcome: Array,
    treated: Array,
    after: Array,
    x: Array | None = None,
    weights: Array | None = None,
    estimator: Estimator = "dr",
    influence: Influence = "derived",
) -> tuple[float, Array]:
    """The effect, and each row's influence on it (n_rows,), the variance being the sum of their squares.

    Parameters
    ----------
    outcome : array (n_rows,)
    treated, after : array (n_rows,) of bool
        The pilot's group, before its start too; the later period.
    x : array (n_rows, n_covariates), optional
        Without an intercept.
    weights : array (n_rows,), optional
        Above 0.
    estimator : {"dr", "dr-improved", "ipw", "reg", "ipw-ht"}
    influence : {"derived", "drdid"}
        Whether the influence of the doubly robust estimators is the derivative in full, or that of R's DRDID:
        see the module.

    Raises
    ------
    EstimationError
        As :func:`~ucimpact.inference.drdid.two_groups`.
    """
    d, t = np.asarray(treated, dtype=bool), np.asarray(after, dtype=bool)
    y = np.asarray(outcome, dtype=float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    for group, period, name in (
        (d, t, "pilot"),
        (d, ~t, "pilot"),
        (~d, t, "comparison"),
        (~d, ~t, "comparison"),
    ):
        if not (group & period).any():
            raise Indistinct(f"nobody of the {name} group was seen in one of the two periods")
    if x is None or x.shape[1] == 0:
        return _four_means(y, w, d, t)
    x = basis(x, w)
    if estimator == "reg":
        return _regression(y, x, w, d, t)
    score, bread = score_of(x, d, w, tilted=estimator == "dr-improved")
    v, _ = odds_of(score, d, w)
    scores = (w * (d - score))[:, None] * x @ bread
    if estimator == "ipw-ht":
        return _horvitz_thompson(y, x, w, v, d, t, scores)
    if estimator == "ipw":
        parts, total = _four(y, w, v, d, t)
        return total, parts + scores @ _score_slope(y, x, v, t)
    full = influence == "derived"
    return _doubly_robust(y, x, w, v, d, t, scores, improved=estimator == "dr-improved", full=full)


def _mean(z: Array, u: Array) -> tuple[float, Array]:
    """A weighted mean, and the influence of each row on it."""
    total = u.sum()
    mean = float(u @ z / total)
    return mean, u * (z - mean) / total


def _four(z: Array, w: Array, v: Array, d: Array, t: Array) -> tuple[Array, float]:
    """Change of the pilot group less that of the others: influence with weights given, and the value."""
    total, influence = 0.0, np.zeros(len(z))
    for sign, u in ((1, w * d * t), (-1, w * d * ~t), (-1, v * t), (1, v * ~t)):
        mean, part = _mean(z, u)
        total += sign * mean
        influence += sign * part
    return influence, total


def _four_means(y: Array, w: Array, d: Array, t: Array) -> tuple[float, Array]:
    influence, total = _four(y, w, w * ~d, d, t)
    return total, influence


def _score_slope(z: Array, x: Array, v: Array, t: Array) -> Array:
    """Derivative of the effect by the coefficients of the score."""
    out = np.zeros(x.shape[1])
    for sign, u in ((-1, v * t), (1, v * ~t)):
        _, part = _mean(z, u)
        out += sign * (part @ x)
    return out


def _line(y: Array, x: Array, u: Array) -> tuple[Array, Array]:
    """A weighted regression: fitted values for everybody, and each row's influence on its coefficients."""
    gram = inverse_gram(x, u)
    beta = gram @ ((x * u[:, None]).T @ y)
    fitted = x @ beta
    return fitted, (u * (y - fitted))[:, None] * (x @ gram)


def _share(x: Array, u: Array) -> Array:
    return np.asarray(u @ x / u.sum())


def _regression(y: Array, x: Array, w: Array, d: Array, t: Array) -> tuple[float, Array]:
    late, of_late = _line(y, x, w * ~d * t)
    early, of_early = _line(y, x, w * ~d * ~t)
    after, part_after = _mean(y, w * d * t)
    before, part_before = _mean(y, w * d * ~t)
    expected, part_expected = _mean(late - early, w * d)
    at = _share(x, w * d)
    influence = part_after - part_before - part_expected - (of_late - of_early) @ at
    return after - before - expected, influence


def _horvitz_thompson(
    y: Array, x: Array, w: Array, v: Array, d: Array, t: Array, scores: Array
) -> tuple[float, Array]:
    """Divided by the number of pilot rows, as the score says it, and not by the sum of the weights."""
    share = float(w @ t / w.sum())
    timed = (t - share) / (share * (1 - share)) * y
    pilot = w * d
    total = pilot.sum()
    effect = float((pilot - v) @ timed / total)
    by_share = -(t / share**2 + ~t / (1 - share) ** 2) * y
    influence = (pilot - v) * timed - pilot * effect - scores @ ((v * timed) @ x)
    influence += w * (t - share) / w.sum() * ((pilot - v) @ by_share)
    return effect, influence / total


def _doubly_robust(
    y: Array, x: Array, w: Array, v: Array, d: Array, t: Array, scores: Array, *, improved: bool, full: bool
) -> tuple[float, Array]:
    base = v if improved else w * ~d
    early, of_early = _line(y, x, base * ~t)
    late, of_late = _line(y, x, base * t)
    left = y - np.where(t, late, early)
    influence, effect = _four(left, w, v, d, t)
    all_at = _share(x, w * d)
    for sign, here, other, of_other in ((1, t, late, of_late), (-1, ~t, early, of_early)):
        own, of_own = _line(y, x, w * d * here)
        gap = own - other
        for part_sign, u in ((1, w * d), (-1, w * d * here)):
            mean, part = _mean(gap, u)
            effect += sign * part_sign * mean
            influence += sign * part_sign * part
        pilot_at, other_at = _share(x, w * d * here), _share(x, v * here)
        if full or not improved:
            influence += sign * (of_own @ (all_at - pilot_at))
        if not improved:
            reverse = -1 if sign < 0 and not full else 1
            influence += sign * (of_other @ (reverse * (other_at - pilot_at) + pilot_at - all_at))
    if not improved:
        influence += scores @ _score_slope(left, x, v, t)
    return effect, influence
