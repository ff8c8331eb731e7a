r"""The exact likelihood of a regression with ARIMA errors.

.. math:: y_t = x_t'\beta + u_t, \qquad
   \phi(B)\,\Phi(B^s)\,(1-B)^d (1-B^s)^D u_t = \theta(B)\,\Theta(B^s)\,\epsilon_t

with :math:`\phi(B) = 1 - \phi_1 B - \ldots` and :math:`\theta(B) = 1 + \theta_1 B + \ldots`. Both sides are
differenced: :math:`w` of :math:`y`, :math:`Z` of :math:`X`, and :math:`w - Z\beta` is an ARMA with covariance
:math:`\sigma^2\Gamma`. Filtering all but the first :math:`m` points by :math:`\phi(B)\Phi(B^s)` leaves a band
matrix [1]_ of which one Cholesky factor gives the exact likelihood. :math:`\beta` and :math:`\sigma^2` are
concentrated out,

.. math:: \ell(\phi, \theta) = -\tfrac{\nu}{2}\Bigl[\log\frac{2\pi S}{\nu} + 1\Bigr]
   - \tfrac12\log|\Gamma| - \tfrac12\log|M'\Gamma^{-1}M|,
   \qquad S = \min_{\beta, \mu}\; (w - Z\beta - M\mu)'\,\Gamma^{-1}(w - Z\beta - M\mu)

A missing value is a coefficient :math:`\mu` of its own that is integrated out: :math:`M` holds the
differenced columns of the missing periods and :math:`\nu` counts the points of :math:`w` less those columns.
That is the likelihood of what was observed [2]_, with :math:`d` and :math:`D` as well as without. The
restricted likelihood (REML) integrates :math:`\beta` out too.

Every polynomial is held inside its bounds (stationary, invertible) by partial autocorrelations in
:math:`(-1, 1)` [3]_, which are :math:`\tanh` of what is searched over.

References
----------
.. [1] Ansley, C. F. (1979). An algorithm for the exact likelihood of a mixed autoregressive-moving average
   process. *Biometrika* 66(1), 59-65.
.. [2] Gómez, V., Maravall, A. and Peña, D. (1999). Missing observations in ARIMA models: skipping approach
   versus additive outlier approach. *Journal of Econometrics* 88(2), 341-363.
.. [3] Jones, R. H. (1980). Maximum likelihood fitting of ARMA models to time series with missing
   observations. *Technometrics* 22(3), 389-395.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cholesky_banded
from scipy.linalg.lapack import dtbtrs
from scipy.signal import lfilter

from ucimpact.errors import EstimationError

VANISHED = 1e-9
"""Share of its own size under which a column is gone after differencing."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """How many terms of each kind: ``(p, d, q)(P, D, Q)`` of period ``s``."""

    p: int = 0
    d: int = 0
    q: int = 0
    seasonal_p: int = 0
    seasonal_d: int = 0
    seasonal_q: int = 0
    s: int = 1

    def __str__(self) -> str:
        text = f"({self.p},{self.d},{self.q})"
        if not any((self.seasonal_p, self.seasonal_d, self.seasonal_q)):
            return text
        return f"{text}({self.seasonal_p},{self.seasonal_d},{self.seasonal_q})[{self.s}]"

    @property
    def terms(self) -> int:
        """Coefficients of the polynomials."""
        return self.p + self.q + self.seasonal_p + self.seasonal_q

    @property
    def lost(self) -> int:
        """Points at the beginning that differencing takes."""
        return self.d + self.s * self.seasonal_d

    @property
    def names(self) -> tuple[str, ...]:
        """``ar1, ma1, sar1, sma1``, in the order of every vector of coefficients."""
        parts = (("ar", self.p), ("ma", self.q), ("sar", self.seasonal_p), ("sma", self.seasonal_q))
        return tuple(f"{name}{k + 1}" for name, number in parts for k in range(number))

    def differenced(self, values: np.ndarray) -> np.ndarray:
        """Values of shape (n,) or (n, k) less those of the period, and of the season, before."""
        out = np.asarray(values, dtype=float)
        for _ in range(self.seasonal_d):
            out = out[self.s :] - out[: -self.s]
        for _ in range(self.d):
            out = out[1:] - out[:-1]
        return out

    def coefficients(self, z: np.ndarray) -> np.ndarray:
        """The coefficients, in the order of :attr:`names`, at a point of the search; shape (terms,)."""
        partial = np.tanh(z)
        out, at = [], 0
        for number, sign in ((self.p, 1.0), (self.q, -1.0), (self.seasonal_p, 1.0), (self.seasonal_q, -1.0)):
            out.append(sign * from_partial(partial[at : at + number]))
            at += number
        return np.concatenate(out) if out else np.empty(0)

    def polynomials(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both sides multiplied out: 1 and the coefficients of B, B squared, and so on."""
        ends = np.cumsum([self.p, self.q, self.seasonal_p])
        ar, ma, seasonal_ar, seasonal_ma = np.split(coefficients, ends)
        return (
            np.convolve(np.concatenate([[1.0], -ar]), _spread(-seasonal_ar, self.s)),
            np.convolve(np.concatenate([[1.0], ma]), _spread(seasonal_ma, self.s)),
        )


def _spread(coefficients: np.ndarray, s: int) -> np.ndarray:
    out = np.zeros(len(coefficients) * s + 1)
    out[0] = 1.0
    out[s::s] = coefficients
    return out


def from_partial(partial: np.ndarray) -> np.ndarray:
    """Coefficients of a stationary autoregression from its partial autocorrelations (Durbin-Levinson)."""
    out = np.empty(0)
    for value in partial:
        out = np.append(out - value * out[::-1], value)
    return out


def autocovariances(ar: np.ndarray, ma: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Of an ARMA whose innovations have variance 1, from its polynomials.

    Returns
    -------
    gamma : array (lags,)
        Autocovariances at 0, 1, ..., ``lags - 1``.
    cross : array (len(ma),)
        Covariance of the moving average in one period with the process k periods before:
        :math:`\sum_{l \ge k} \theta_l \psi_{l-k}`.
    """
    p, q = len(ar) - 1, len(ma) - 1
    impulse = np.zeros(q + 1)
    impulse[0] = 1.0
    psi = lfilter(ma, ar, impulse)
    cross = np.array([ma[k:] @ psi[: q + 1 - k] for k in range(q + 1)])
    right = np.zeros(max(lags, p + 1))
    right[: min(len(cross), len(right))] = cross[: len(right)]
    rows = np.arange(p + 1)
    system = np.zeros((p + 1, p + 1))
    for j in range(p + 1):
        np.add.at(system, (rows, np.abs(rows - j)), ar[j])
    gamma = np.zeros(len(right))
    gamma[: p + 1] = np.linalg.solve(system, right[: p + 1])
    for k in range(p + 1, lags):
        gamma[k] = right[k] - ar[1:] @ gamma[k - p : k][::-1]
    return gamma[:lags], cross


@dataclass(frozen=True, kw_only=True, eq=False)
class Differenced:
    """A series and its regressors after differencing, ready for any coefficients of an order.

    Attributes
    ----------
    order : Order
    w : array (n_w,)
        Least-squares residual of the differenced outcome, with standard deviation 1.
    basis : array (n_w, k + r)
        Orthonormal columns: k of the missing periods, then r more of the regressors.
    kept : array (p,)
        Columns that differencing leaves.
    scale : float
        What a value of 1 in ``w`` is in units of the outcome.
    missing : int
        k.
    log_turn : float
        Log determinant of what turns the columns of missing periods into their part of the basis.
    """

    order: Order
    w: np.ndarray
    basis: np.ndarray
    kept: np.ndarray
    scale: float
    missing: int
    from_basis: np.ndarray
    least_squares: np.ndarray
    log_turn: float

    @classmethod
    def of(cls, y: np.ndarray, x: np.ndarray, used: np.ndarray, order: Order) -> Differenced:
        """Difference ``y`` (n,), ``x`` (n, p); where ``used`` is False the value of ``y`` is unknown.

        Raises
        ------
        EstimationError
            Where too few points are left, or the columns cannot be told apart after differencing.
        """
        if order.lost >= len(y):
            raise EstimationError(f"{len(y)} periods cannot be differenced as ARIMA{order} asks")
        missing = np.eye(len(y))[:, ~used]
        w, z = order.differenced(np.where(used, y, 0.0)), order.differenced(x)
        size = np.abs(x).max(axis=0)
        kept = np.abs(z).max(axis=0, initial=0.0) > VANISHED * np.where(size > 0, size, 1.0)
        columns = np.column_stack([order.differenced(missing), z[:, kept]])
        length = np.sqrt((columns**2).sum(axis=0))
        n, terms = columns.shape
        if n <= terms:
            raise EstimationError(
                f"ARIMA{order} has {terms} regressors and {n} periods after differencing; use fewer"
            )
        basis, turn = np.linalg.qr(columns / length)
        if terms and np.abs(np.diag(turn)).min() < VANISHED:
            raise EstimationError(f"the regressors cannot be told apart after differencing as ARIMA{order}")
        coef = basis.T @ w
        rest = w - basis @ coef
        # A second pass takes out what rounding left of a large mean.
        again = basis.T @ rest
        rest, coef = rest - basis @ again, coef + again
        scale = float(np.sqrt(rest @ rest / n))
        if scale <= 1e-12 * float(np.abs(w).max(initial=0.0)) or scale == 0.0:
            raise EstimationError("the regressors leave nothing over to measure chance by")
        k = missing.shape[1]
        return cls(
            order=order,
            w=rest / scale,
            basis=basis,
            kept=kept,
            scale=scale,
            missing=k,
            from_basis=np.linalg.inv(turn) / length[:, None],
            least_squares=coef,
            log_turn=float(np.log(np.abs(np.diag(turn))[:k]).sum() + np.log(length[:k]).sum()),
        )

    @property
    def points(self) -> int:
        """Points that carry information: those after differencing less the missing ones."""
        return len(self.w) - self.missing

    @property
    def regressors(self) -> int:
        """Regressors that differencing leaves."""
        return int(self.basis.shape[1]) - self.missing

    @cached_property
    def _both(self) -> np.ndarray:
        return np.column_stack([self.basis, self.w])

    @cached_property
    def _places(self) -> tuple[int, np.ndarray]:
        """How many points are not filtered, and which number stands where in the band.

        The numbers are 0, then the autocovariances, their crosses with the moving average and those of the
        moving average alone; the band has shape (reach + 1, n_w), as LAPACK keeps a lower band.
        """
        order, n = self.order, len(self.w)
        p, q = order.p + order.s * order.seasonal_p, order.q + order.s * order.seasonal_q
        first = min(max(p, q), n)
        reach = min(max(first - 1, q), n - 1)
        lag, column = np.ogrid[: reach + 1, :n]
        row = column + lag
        of_start = 1 + lag
        of_cross = 1 + max(first, 1) + lag
        of_moving = of_cross + q + 1
        beyond = np.where(row < first, of_start, np.where(column < first, of_cross, of_moving))
        known = (row < n) & ((row < first) | (lag <= q))
        return first, np.where(known, beyond, 0)

    def whitened(self, coefficients: np.ndarray) -> tuple[np.ndarray, float]:
        """The basis and ``w`` with covariance 1, shape (n_w, k + r + 1), and the log determinant of Gamma.

        Raises
        ------
        LinAlgError
            Where the covariance is not positive beyond rounding.
        """
        ar, ma = self.order.polynomials(coefficients)
        first, source = self._places
        gamma, cross = autocovariances(ar, ma, max(first, 1))
        moving = np.correlate(ma, ma, mode="full")[len(ma) - 1 :]
        band = np.concatenate([[0.0], gamma, cross, moving])[source]
        factor = cholesky_banded(band, lower=True, overwrite_ab=True, check_finite=False)
        filtered = lfilter(ar, [1.0], self._both, axis=0)
        filtered[:first] = self._both[:first]
        white, failed = dtbtrs(factor, filtered, uplo="L")
        if failed or not np.isfinite(white).all():
            raise LinAlgError("the covariance is not positive")
        return white, 2 * float(np.log(factor[0]).sum())

    def at(self, coefficients: np.ndarray, *, restricted: bool) -> Point | None:
        """The likelihood at given coefficients; None where it cannot be worked out."""
        try:
            white, log_gamma = self.whitened(coefficients)
            frame, turn = np.linalg.qr(white[:, :-1])
        except LinAlgError:
            return None
        score = frame.T @ white[:, -1]
        rest = white[:, -1] - frame @ score
        squares = float(rest @ rest)
        with np.errstate(divide="ignore"):
            logs = np.log(np.abs(np.diag(turn)))
        integrated = logs.sum() if restricted else logs[: self.missing].sum()
        nu = self.points - (self.regressors if restricted else 0)
        if squares <= 0 or not np.isfinite(integrated):
            return None
        value = (
            -0.5 * nu * (np.log(2 * np.pi * squares / nu) + 1)
            - 0.5 * log_gamma
            - integrated
            - self.log_turn
            - nu * np.log(self.scale)
        )
        if not np.isfinite(value):
            return None
        return Point(value=float(value), squares=squares, turn=turn, score=score, rest=rest, frame=frame)

    def point(self, z: np.ndarray, *, restricted: bool) -> Point:
        """The likelihood at a point of the search.

        Raises
        ------
        EstimationError
            Where it cannot be worked out.
        """
        found = self.at(self.order.coefficients(z), restricted=restricted)
        if found is None:
            raise EstimationError(f"the likelihood of ARIMA{self.order} cannot be worked out for this series")
        return found

    def beta(self, point: Point) -> np.ndarray:
        """Coefficients of the kept columns, in units of the outcome; shape (r,)."""
        return self._solved(point)[self.missing :]

    def mu(self, point: Point) -> np.ndarray:
        """Coefficients of the missing periods: 0 less what is expected there; shape (k,)."""
        return self._solved(point)[: self.missing]

    def _solved(self, point: Point) -> np.ndarray:
        solved = np.linalg.solve(point.turn, point.score)
        return np.asarray(self.from_basis @ (self.least_squares + self.scale * solved))

    def shape(self, point: Point) -> np.ndarray:
        """Covariance of :meth:`beta` for innovations of variance 1; shape (r, r)."""
        root = (self.from_basis @ np.linalg.inv(point.turn))[self.missing :]
        return np.asarray(root @ root.T)


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """The likelihood at given coefficients: its logarithm, the least squares, and what they are made of."""

    value: float
    squares: float
    turn: np.ndarray
    score: np.ndarray
    rest: np.ndarray
    frame: np.ndarray
