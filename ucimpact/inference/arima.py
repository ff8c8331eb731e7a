r"""Fit a regression with ARIMA errors so that the optimum found is the optimum.

The likelihood is that of :mod:`ucimpact.inference.arima_likelihood`. Programs that search it from one start
in the units of the data stop in the wrong place: on the published quetiapine series [1]_ one reports
convergence at a log likelihood of -297 where the maximum is -284.45. So

* the differenced series is scaled, and :math:`\beta` and :math:`\sigma^2` are solved for exactly, which
  leaves one number between :math:`-\infty` and :math:`\infty` for each term to search over;
* every order is fitted after the orders with one term fewer, from the optimum of each, and from the best
  two of a lattice of starts. The log likelihood can therefore not lie below that of a nested model:
  :attr:`ArimaFit.nested` holds the best of those beside it;
* Newton steps end the search where the gradient is 0 to rounding.

The covariance of the coefficients is the inverse of the observed information, as in R's ``arima``. With
:math:`\Sigma = \hat\sigma^2 (Z'\Gamma^{-1}Z)^{-1}` for given :math:`\eta` (the polynomials), :math:`H` the
Hessian of :math:`-\ell(\eta)` and :math:`J = d\hat\beta / d\eta'`, both by central differences,

.. math:: \widehat{\mathrm{cov}}(\hat\beta) = \Sigma + J H^{-1} J'

A coefficient at its bound (a moving average that cannot be inverted, as after one difference too many)
has no curvature: it is taken as known there, and named.

References
----------
.. [1] Schaffer, A. L., Dobbins, T. A. and Pearson, S.-A. (2021). Interrupted time series analysis using
   autoregressive integrated moving average (ARIMA) models. *BMC Medical Research Methodology* 21, 58.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

from ucimpact.errors import EstimationError
from ucimpact.inference.arima_likelihood import Differenced, Order

Array = np.ndarray
Deviance = Callable[[Array], float]

FAR = 4.0
"""The search ends here: a partial autocorrelation of 0.9993."""

AT_BOUND = 3.0
"""From here on (0.995) a coefficient counts as at its bound."""

LATTICE = (-0.7, 0.0, 0.7)
BEST_OF_LATTICE = 2
STEP = 1e-4
NEWTON_STEPS = 20
LEAST_RESIDUAL_DF = 2
INSIDE = 1e10
"""Deviance where the likelihood cannot be worked out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArimaFit:
    """A regression with ARIMA errors.

    Attributes
    ----------
    order : Order
    coefficients, std_errors_arma : array (terms,)
        Of the polynomials, in the order of ``order.names``; ``nan`` errors where at a bound.
    kept : array (p,)
        Regressors that differencing leaves; the others have coefficient 0.
    beta : array (p,)
    cov : array (p, p)
        Inverse of the observed information.
    sigma2 : float
        Variance of the innovations, of all points: the maximum likelihood estimate.
    log_likelihood : float
    nested : float
        The best log likelihood of an order with one term fewer; ``-inf`` where there is none.
    points : int
        Periods with a value, less those that differencing takes.
    at_bound : tuple of str
        Coefficients at their bound.
    flat : bool
        Whether the likelihood had no single peak; ``cov`` then leaves out what estimating the polynomials
        adds.
    filled : array (n,)
        The series, with what is expected of a missing period from those around it.
    white, design : array (n_w,), array (n_w, k + r)
        Innovations with standard deviation ``sqrt(sigma2)``, and the regression's columns treated alike.
    """

    order: Order
    coefficients: Array
    std_errors_arma: Array
    kept: Array
    beta: Array
    cov: Array
    sigma2: float
    log_likelihood: float
    nested: float
    points: int
    at_bound: tuple[str, ...]
    flat: bool
    filled: Array = field(repr=False)
    white: Array = field(repr=False)
    design: Array = field(repr=False)

    @property
    def terms(self) -> int:
        """Everything estimated: regressors, polynomials and the variance."""
        return int(self.kept.sum()) + self.order.terms + 1

    @property
    def residual_df(self) -> int:
        """Points less regressors and coefficients of the polynomials."""
        return self.points - self.terms + 1

    @property
    def aicc(self) -> float:
        """Akaike's criterion with its correction for few points; infinite where there are too few."""
        return aicc(self.log_likelihood, self.terms, self.points)

    def estimates(self, contrasts: Array) -> Array:
        """Each contrast of the regressors' coefficients, shape (m,)."""
        return np.asarray(np.atleast_2d(contrasts) @ self.beta)

    def std_errors(self, contrasts: Array) -> Array:
        """Standard error of each contrast, shape (m,)."""
        contrasts = np.atleast_2d(contrasts)
        return np.asarray(np.sqrt(np.maximum(((contrasts @ self.cov) * contrasts).sum(axis=1), 0.0)))

    def below(self, contrasts: Array) -> Array:
        """Chance, on the normal distribution, that each contrast is below 0; shape (m,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(ndtr(-self.estimates(contrasts) / self.std_errors(contrasts)))

    def limits(self, contrasts: Array, level: float) -> Array:
        """Normal limits of each contrast, shape (m, 2)."""
        estimate, half = self.estimates(contrasts), ndtri((1 + level) / 2) * self.std_errors(contrasts)
        return np.column_stack([estimate - half, estimate + half])


def aicc(log_likelihood: float, terms: int, points: int) -> float:
    """Akaike's criterion with the correction of Hurvich and Tsai; infinite where there are too few points."""
    spare = points - terms - 1
    return -2 * log_likelihood + 2 * terms * points / spare if spare > 0 else np.inf


class Fitting:
    """Fits of one series with given differences: each order once, the plainer before the richer.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        Full column rank.
    used : array (n,)
        Periods with a value.
    restricted : bool
        Restricted likelihood, for orders of the same regressors.
    """

    def __init__(self, y: Array, x: Array, used: Array, *, restricted: bool = False) -> None:
        self.y, self.x, self.used, self.restricted = y, x, used, restricted
        self._found: dict[Order, tuple[Array, float]] = {}
        self._data: dict[tuple[int, int, int], Differenced] = {}

    def data(self, order: Order) -> Differenced:
        """The series differenced as an order asks."""
        key = (order.d, order.seasonal_d, order.s)
        if key not in self._data:
            self._data[key] = Differenced.of(self.y, self.x, self.used, order)
        data = replace(self._data[key], order=order)
        if data.points - data.regressors - order.terms < LEAST_RESIDUAL_DF:
            raise EstimationError(
                f"ARIMA{order} has {data.regressors + order.terms} terms and {data.points} periods after "
                f"differencing; use fewer terms"
            )
        return data

    def log_likelihood(self, order: Order) -> float:
        """The maximum of an order's log likelihood."""
        return self._optimum(order)[1]

    def nested(self, order: Order) -> list[Order]:
        """The orders with one term fewer."""
        names = ("p", "q", "seasonal_p", "seasonal_q")
        return [
            replace(order, **{name: getattr(order, name) - 1}) for name in names if getattr(order, name) > 0
        ]

    def _optimum(self, order: Order) -> tuple[Array, float]:
        if order not in self._found:
            self._found[order] = self._searched(order)
        return self._found[order]

    def _searched(self, order: Order) -> tuple[Array, float]:
        data = self.data(order)
        deviance = _deviance(data, self.restricted)
        if order.terms == 0:
            return np.empty(0), -deviance(np.empty(0))
        starts = [_widened(self._optimum(less)[0], less, order) for less in self.nested(order)]
        lattice = sorted(
            (np.array(at) for at in itertools.product(LATTICE, repeat=order.terms)), key=deviance
        )
        ends = [_descend(deviance, start) for start in [*starts, *lattice[:BEST_OF_LATTICE]]]
        best = min([*starts, *ends], key=deviance)
        if deviance(best) >= INSIDE:
            raise EstimationError(f"the likelihood of ARIMA{order} cannot be worked out for this series")
        return best, -deviance(best)

    def fit(self, order: Order) -> ArimaFit:
        """The fit of an order.

        Raises
        ------
        EstimationError
            For more terms than the series carries.
        """
        data = self.data(order)
        deviance = _deviance(data, self.restricted)
        z = _polished(deviance, self._optimum(order)[0])
        free = np.flatnonzero(np.abs(z) < AT_BOUND)
        point = data.point(z, restricted=self.restricted)
        spread, flat = _inverse(_hessian(deviance, z, free))
        moved = _slopes(lambda at: data.beta(data.point(at, restricted=self.restricted)), z, free)
        turned = _slopes(order.coefficients, z, free)
        shape, carried = data.shape(point), moved @ spread @ moved.T
        every = data.points
        variance = data.scale**2 * point.squares
        p = self.x.shape[1]
        ix = np.ix_(data.kept, data.kept)
        beta, cov = np.zeros(p), np.zeros((p, p))
        beta[data.kept] = data.beta(point)
        cov[ix] = variance / every * shape + carried
        errors = np.sqrt(np.maximum(((turned @ spread) * turned).sum(axis=1), 0.0))
        white, _ = data.whitened(order.coefficients(z))
        filled = np.where(self.used, self.y, 0.0)
        filled[~self.used] = -data.mu(point)
        bound = np.abs(z) >= AT_BOUND
        return ArimaFit(
            order=order,
            coefficients=order.coefficients(z),
            std_errors_arma=np.where(errors > 0, errors, np.nan),
            kept=data.kept,
            beta=beta,
            cov=cov,
            sigma2=variance / every,
            log_likelihood=point.value,
            nested=max((self.log_likelihood(less) for less in self.nested(order)), default=-np.inf),
            points=every,
            at_bound=tuple(itertools.compress(order.names, bound)),
            flat=flat,
            filled=filled,
            white=data.scale * point.rest,
            design=white[:, :-1],
        )


def _deviance(data: Differenced, restricted: bool) -> Deviance:
    def of(z: Array) -> float:
        point = data.at(data.order.coefficients(z), restricted=restricted)
        return INSIDE if point is None else -point.value

    return of


def _widened(z: Array, less: Order, order: Order) -> Array:
    """An optimum of a nested order as a point of the search of the richer one."""
    known = dict(zip(less.names, z, strict=True))
    return np.array([known.get(name, 0.0) for name in order.names])


def _gradient(f: Deviance, z: Array) -> Array:
    out = np.empty(len(z))
    for k in range(len(z)):
        step = np.zeros(len(z))
        step[k] = STEP
        out[k] = (f(z + step) - f(z - step)) / (2 * STEP)
    return out


def _descend(f: Deviance, start: Array) -> Array:
    def both(z: Array) -> tuple[float, Array]:
        return f(z), _gradient(f, z)

    found = minimize(
        both,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-FAR, FAR)] * len(start),
        options={"ftol": 1e-11, "gtol": 1e-6},
    )
    return np.asarray(found.x)


def _hessian(f: Deviance, z: Array, free: Array) -> Array:
    """Second derivatives along the free coordinates, by central differences."""
    out = np.empty((len(free), len(free)))
    h = 10 * STEP
    centre = f(z)
    steps = h * np.eye(len(z))[free]
    for a, b in itertools.combinations_with_replacement(range(len(free)), 2):
        one, two = steps[a], steps[b]
        if a == b:
            value = f(z + one) - 2 * centre + f(z - one)
        else:
            value = (f(z + one + two) - f(z + one - two) - f(z - one + two) + f(z - one - two)) / 4
        out[a, b] = out[b, a] = value / h**2
    return out


def _polished(f: Deviance, z: Array) -> Array:
    """Newton steps from an optimum of the search, for as long as they do not climb."""
    free = np.flatnonzero(np.abs(z) < AT_BOUND)
    if not len(free):
        return z
    best = f(z)
    for _ in range(NEWTON_STEPS):
        inverse, flat = _inverse(_hessian(f, z, free))
        if flat:
            break
        move = inverse @ _gradient(f, z)[free]
        new = z.copy()
        new[free] -= move
        if np.abs(new).max() > FAR or f(new) > best + 1e-9:
            break
        z, best = new, min(best, f(new))
        if np.abs(move).max() < 1e-10:
            break
    return z


def _inverse(hessian: Array) -> tuple[Array, bool]:
    """The inverse, and whether there is none that could be a covariance (then zeros)."""
    if not len(hessian):
        return hessian, False
    values = np.linalg.eigvalsh(hessian)
    if values[0] <= 1e-6 * max(values[-1], 1.0):
        return np.zeros_like(hessian), True
    return np.linalg.inv(hessian), False


def _slopes(f: Callable[[Array], Array], z: Array, free: Array) -> Array:
    """Derivatives of a vector along the free coordinates, shape (m, n_free)."""
    steps = STEP * np.eye(len(z))[free]
    columns = [(f(z + step) - f(z - step)) / (2 * STEP) for step in steps]
    return np.column_stack(columns) if columns else np.empty((len(f(z)), 0))
