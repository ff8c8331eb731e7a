r"""Several effects at once, with the degrees of freedom that few places leave.

With :math:`V` a cluster-robust covariance of q effects :math:`\hat\tau` and :math:`Q =
\hat\tau'V^{-1}\hat\tau`, a chi-square finds effects that are not there when clusters are few. Pustejovsky and
Tipton's approximate Hotelling test (HTZ) [1]_ takes :math:`D = \Omega^{-1/2} V \Omega^{-1/2}`,
:math:`\Omega` the variance under the working model, to be Wishart with as many degrees of freedom as match
the total variance of its entries:

.. math:: \eta = \frac{q(q+1)}{\sum_{st}\operatorname{Var}(d_{st})}, \qquad
          \frac{\eta - q + 1}{\eta q} Q \sim F(q, \eta - q + 1),

.. math:: \operatorname{Var}(d_{st}) = \sum_{gh} P^{ss}_{gh} P^{tt}_{gh} + P^{st}_{gh} P^{ts}_{gh}, \qquad
          P^{st}_{gh} = z_{sg}'z_{th},

with :math:`z` as in :mod:`ucimpact.inference.covariance` for the effects turned by :math:`\Omega^{-1/2}`. For
one effect it is the t with Bell and McCaffrey's degrees of freedom, squared. There is no test where
:math:`\eta \le q - 1`: so few clusters cannot judge so many effects.

References
----------
.. [1] Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance estimation
   and hypothesis testing in fixed effects models. *Journal of Business & Economic Statistics* 36(4), 672-683.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import fdtrc

from ucimpact.inference.covariance import Design, Kind, pieces
from ucimpact.inference.paths import JointTest

Array = np.ndarray
SINGULAR = 1e-10


def wald(design: Design, estimate: Array, kind: Kind = "CR2") -> JointTest | None:
    """Test that all effects of a design are 0; None where the clusters are too few to judge them together.

    Parameters
    ----------
    design : Design
        Its directions are the effects; one column of residuals for all.
    estimate : array (n_effects,)
    kind : {"CR0", "CR1", "CR2", "CR3"}
        CR1 without its factor is CR0. CR2 is what the approximation was made for.
    """
    q = len(estimate)
    plain = pieces(design, kind)
    omega = design.directions.T @ plain.working @ design.directions
    values, vectors = np.linalg.eigh(omega)
    if values[0] <= SINGULAR * values[-1]:
        return None
    root = vectors / np.sqrt(values) @ vectors.T
    turned = pieces(replace(design, directions=design.directions @ root), kind, pairs=True)
    d = turned.scores.T @ turned.scores
    if np.linalg.matrix_rank(d, hermitian=True) < q:
        return None
    t = root @ estimate
    eta = (
        q * (q + 1) / _total_variance(turned.own, np.concatenate([turned.a, turned.b], axis=1), turned.inner)
    )
    df = eta - q + 1
    if df <= 0:
        return None
    statistic = float(df / (eta * q) * t @ np.linalg.solve(d, t))
    return JointTest(statistic, float(q), float(df), float(fdtrc(q, df, statistic)))


def _total_variance(own: Array, both: Array, inner: Array) -> float:
    """Sum of Var(d_st) over pairs, from P^st = diag(own^st) - both_s inner both_t'."""
    q = own.shape[1]
    at = np.arange(len(own))

    def pair(s: int, t: int) -> Array:
        p = -both[:, :, s] @ inner @ both[:, :, t].T
        p[at, at] += own[:, s, t]
        return np.asarray(p)

    same = [pair(s, s) for s in range(q)]
    total = 0.0
    for s in range(q):
        total += 2 * float((same[s] ** 2).sum())
        for t in range(s):
            one = pair(s, t)
            total += 2 * float((same[s] * same[t]).sum() + (one * one.T).sum())
    return total
