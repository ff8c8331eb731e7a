r"""Estimates in the light of one another, with the spread of the truths not known.

K estimates of benefit on one scale, plus is good:

.. math:: y \sim N(\theta, \Sigma), \qquad \theta_i \sim N(\mu, \tau^2), \qquad
   \mu \sim N(0, s_0^2), \qquad \tau \sim \text{half-normal}(s)

The best-looking of several owes part of its lead to luck. Given :math:`\tau` and :math:`\mu` each estimate is
drawn towards the average by as much as its own error makes it doubtful; here both are integrated out, because
with a handful of estimates a point estimate of :math:`\tau` is often 0 and its interval then far too narrow.
Half-normal priors of :math:`\tau` for few estimates: [1]_.

**Every tau at once.** With :math:`\Sigma = Q\,\mathrm{diag}(l)\,Q'`, :math:`u = Q'1`, :math:`w = Q'y` and
:math:`d_j = 1/(l_j + \tau^2)`,

.. math::
   A = \sum u^2 d + 1/s_0^2, \qquad \hat\mu = \sum u w d / A, \qquad
   q = \sum d\,(w - u\hat\mu)^2 + \hat\mu^2/s_0^2

   \log p(y \mid \tau) = \tfrac12 \sum \log d - \tfrac12 \log A - \tfrac12 q

   E(\theta \mid y, \tau) = Q\,[u\hat\mu + \tau^2 d\,(w - u\hat\mu)], \qquad
   \mathrm{var}(\theta \mid y, \tau) = Q\,\mathrm{diag}(\tau^2 d\, l)\,Q' + bb'/A, \quad b = Q\,(l d u)

A flat mean is :math:`1/s_0^2 = 0`, and :math:`\log p` the restricted likelihood. Tau runs over G values
:math:`\tau = a + (b - a)v^3`, v the middles of G cells of 0 to 1, between a and b outside which its posterior
is under :math:`e^{-20}` of its height; each has the weight :math:`3v^2\, p(\tau)\, p(y \mid \tau)`, made to
add up to 1. So the values lie where tau can be, whether the estimates leave the prior as it was or hold tau
far out in its tail, and at 65 of them a posterior mean is exact to 1e-8. The posterior of the effects is that
mixture of G normals; limits are its quantiles, by bisection.

**One that stands out** is for the two-part prior of :mod:`ucimpact.inference.standing_out`.

References
----------
.. [1] Roever, C. et al. (2021). On weakly informative prior distributions for the heterogeneity parameter in
   Bayesian random-effects meta-analysis. *Research Synthesis Methods* 12(4), 448-474.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.joint import checked, equal_correlation, inflate, shared_arm
from ucimpact.inference.shrunk import OneForm, Prior, Shrunk, chances
from ucimpact.inference.spread_grid import Rotated, laid, reach, softmax
from ucimpact.inference.standing_out import two_part

Array = np.ndarray

__all__ = ["Prior", "Shrunk", "chances", "equal_correlation", "inflate", "shared_arm", "shrink"]


def shrink(y: Array, cov: Array, prior: Prior | None = None) -> Shrunk:
    """Effects in the light of one another, see the top of this page.

    Parameters
    ----------
    y : array (K,)
        Estimates of benefit, all of one estimand and on one scale.
    cov : array (K, K)
        Their sampling covariance: :func:`equal_correlation` and :func:`shared_arm` make one.
    prior : Prior, optional
        ``Prior()`` if left out.

    Raises
    ------
    EstimationError
        For a covariance that no estimates can have, or a two-part prior for more than sixty.
    """
    prior = Prior() if prior is None else prior
    y, cov = checked(y, cov)
    if prior.outliers is not None:
        return two_part(y, cov, prior, prior.outliers)
    rotated, vectors = Rotated.of(y, cov, prior)
    tau, edges, mass = laid(prior, *reach(prior, rotated, y))
    d, weight, precision, average, rest = rotated.at(tau)
    kept = tau[:, None] ** 2 * d
    weights = softmax(mass + rotated.log_likelihood(d, precision, average, rest))
    return Shrunk(
        prior=prior,
        tau=tau,
        weights=weights,
        means=(average[:, None] * rotated.u + kept * rest) @ vectors.T,
        within=OneForm(vectors, kept * rotated.values),
        lines=(weight * rotated.values) @ vectors.T / np.sqrt(precision)[:, None],
        spread_edges=edges,
        spread_weights=weights,
    )
