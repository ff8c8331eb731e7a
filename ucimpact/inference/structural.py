r"""A Bayesian structural time series: a path of its own, and a regression on series that run beside it.

.. math::
   y_t = \mu_t + \gamma_t + x_t'b + \epsilon_t, \quad \epsilon_t \sim N(0, \sigma^2), \qquad
   \mu_{t+1} = \mu_t + \eta_t, \quad \eta_t \sim N(0, \tau^2)

fitted to the periods before the start alone and carried forward without the pilot [1]_ [2]_. All is in units
of the outcome's mean and standard deviation :math:`s_y` before the start, columns alike:

.. math::
   1/\tau^2 \sim \text{Gamma}(16,\; 16\,(0.01)^2), \; \tau < 1, \qquad
   \mu_1 \sim N(y_1, 1), \qquad
   1/\sigma^2 \sim \text{Gamma}(25,\; 25\,(1 - 0.8)), \; \sigma < 1.2

with :math:`0.01` the prior guess of :math:`\tau` in units of :math:`s_y`, worth 32 steps. Coefficients have
the spike and slab of :mod:`ucimpact.inference.structural_regression`, with an intercept among the columns and
:math:`\pi_j = \min\{1, m/(p + 1)\}` for an expected model of :math:`m` of them. Without control series
:math:`1/\sigma^2 \sim \text{Gamma}(0.005, 0.005)`. A slope has the prior of the level; a season
:math:`1/\sigma_\omega^2 \sim \text{Gamma}(0.005, 0.005\,(0.01)^2)`, cut off at 1 alike.

A scan draws, each given the rest: the whole path (:mod:`ucimpact.inference.structural_state`); its
variances; the pattern of columns with :math:`b` and :math:`\sigma^2` integrated out; :math:`\sigma^2`;
:math:`b`. The path after the start is then simulated forward from each draw. :attr:`Draws.seen` adds
:math:`\epsilon_t` to it: it is what would have been *seen*, and what an observed value is held against.

References
----------
.. [1] Brodersen, K. H. et al. (2015). Inferring causal impact using Bayesian structural time-series models.
   *Annals of Applied Statistics* 9(1), 247-274.
.. [2] Scott, S. L. and Varian, H. R. (2014). Predicting the present with Bayesian structural time series.
   *Int. J. Mathematical Modelling and Numerical Optimisation* 5(1/2), 4-23.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ucimpact.inference.structural_regression import SpikeAndSlab
from ucimpact.inference.structural_state import Form, Start, StatePath
from ucimpact.inference.structural_variance import VariancePrior

NOISE_WEIGHT = 50.0
EXPECTED_R2 = 0.8
WEAK_WEIGHT = 0.01
SEASON_GUESS = 0.01
MOST_NOISE = 1.2


@dataclass(frozen=True, kw_only=True, eq=False)
class Position:
    """Where a chain stands.

    Attributes
    ----------
    states : array (size,)
    variances : tuple of float
        Of the noises of the path.
    noise : float
        Variance of a value about its mean.
    key : int
        The pattern of columns, see :meth:`SpikeAndSlab.pattern`.
    coef : array (p,)
    """

    states: np.ndarray
    variances: tuple[float, ...]
    noise: float
    key: int
    coef: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """One sweep of the sampler over everything unknown, for values of shape (n_seen,)."""

    path: StatePath
    wander: tuple[VariancePrior, ...]
    noise: VariancePrior
    regression: SpikeAndSlab | None

    def step(self, rng: np.random.Generator, y: np.ndarray, now: Position) -> Position:
        """The next position: path, its variances, then columns, noise and coefficients."""
        explained = 0.0 if self.regression is None else self.regression.x @ now.coef
        states = self.path.draw(rng, y - explained, now.noise, now.variances)
        variances = tuple(
            prior.draw(rng, rows.shape[0], squares)
            for prior, rows, squares in zip(
                self.wander, self.path.noises.values(), self.path.squares(states), strict=True
            )
        )
        left = y - self.path.picks @ states
        if self.regression is None:
            noise = self.noise.draw(rng, len(y), float(left @ left))
            return replace(now, states=states, variances=variances, noise=noise)
        key, coef, noise = self.regression.draw(rng, left, now.key)
        return Position(states=states, variances=variances, noise=noise, key=key, coef=coef)

    def first(self) -> Position:
        """A place to begin: every column in, the variances at their guesses, nothing explained yet."""
        columns = 0 if self.regression is None else self.regression.x.shape[1]
        return Position(
            states=np.zeros(self.path.size),
            variances=tuple(prior.guess**2 for prior in self.wander),
            noise=min(self.noise.guess, self.noise.most / 2) ** 2,
            key=(1 << columns) - 1,
            coef=np.zeros(columns),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """What the sampler found; paths in the outcome's own units, D draws, n periods.

    Attributes
    ----------
    expected : array (D, n)
        The mean of each period without the pilot; before the start, the fitted path.
    seen : array (D, n)
        The same with the noise of a single value: what would have been seen.
    included : array (p,)
        Share of draws in which each column is in.
    coef : array (D, p)
        Coefficients, in the outcome's units for one unit of the column.
    level_sd, noise_sd : array (D,)
        Standard deviation of the level's steps and of a value about its mean, in the outcome's units.
    """

    expected: np.ndarray
    seen: np.ndarray
    included: np.ndarray
    coef: np.ndarray
    level_sd: np.ndarray
    noise_sd: np.ndarray


@dataclass(frozen=True, kw_only=True)
class StructuralModel:
    """The model and how many draws are made of it.

    Parameters
    ----------
    form : Form
        What the path is made of.
    level_sd, level_weight : float
        Prior guess of the standard deviation of the level's steps, in standard deviations of the outcome,
        and the steps that the guess is worth.
    expected_model_size : float
        Columns that are thought to matter, the intercept among them.
    draws, burn, seed : int
        Draws kept, draws let go before them, and the seed of all chance.
    """

    form: Form = field(default_factory=Form)
    level_sd: float = 0.01
    level_weight: float = 32.0
    expected_model_size: float = 3.0
    draws: int = 1000
    burn: int = 100
    seed: int = 1

    def scan(self, y: np.ndarray, x: np.ndarray, free: np.ndarray) -> Scan:
        """The sampler of standardised values (n,) and columns (N, p) of these and later periods.

        See :meth:`sample`. The later periods count in the prior of the coefficients alone.
        """
        seen = np.isfinite(y)
        guesses = {
            "level": VariancePrior(guess=self.level_sd, weight=self.level_weight, most=1.0),
            "slope": VariancePrior(guess=self.level_sd, weight=self.level_weight, most=1.0),
            "season": VariancePrior(guess=SEASON_GUESS, weight=WEAK_WEIGHT, most=1.0),
        }
        noise = VariancePrior(guess=1.0, weight=WEAK_WEIGHT, most=MOST_NOISE)
        if free.any():
            guess = float(np.sqrt(1 - EXPECTED_R2))
            noise = VariancePrior(guess=guess, weight=NOISE_WEIGHT, most=MOST_NOISE)
        regression = None
        if x.shape[1]:
            share = min(1.0, self.expected_model_size / (free.sum() + 1))
            chance = np.append(np.where(free, share, 1.0), share if free.any() else 1.0)
            rows = np.column_stack([x, np.ones(len(x))])
            regression = SpikeAndSlab(rows[: len(y)][seen], chance, noise, rows)
        return Scan(
            path=StatePath(self.form, Start(level=float(y[seen][0])), seen),
            wander=tuple(guesses[name] for name in self.form.noises),
            noise=noise,
            regression=regression,
        )

    def sample(self, y: np.ndarray, x: np.ndarray, *, before: int, free: np.ndarray | None = None) -> Draws:
        """Draw from the posterior of the first ``before`` periods and carry each draw forward.

        Parameters
        ----------
        y : array (n,)
            The outcome; ``nan`` where it has no value. Values from ``before`` on are not read.
        x : array (n, p)
            Columns that the pilot did not change, without gaps; p may be 0.
        before : int
            Periods before the start.
        free : array (p,) of bool, optional
            Columns that the model may leave out; the others stay in. All, unless given.
        """
        free = np.ones(x.shape[1], dtype=bool) if free is None else np.asarray(free, dtype=bool)
        centre, scale = np.nanmean(y[:before]), np.nanstd(y[:before], ddof=1)
        x_centre, x_scale = x[:before].mean(axis=0), x[:before].std(axis=0, ddof=1)
        standard = (x - x_centre) / x_scale
        target = (y[:before] - centre) / scale
        scan = self.scan(target, standard, free)

        rng = np.random.default_rng(self.seed)
        values, now = target[np.isfinite(target)], scan.first()
        states = np.empty((self.draws, scan.path.size))
        variances = np.empty((self.draws, len(scan.wander)))
        noise = np.empty(self.draws)
        columns = 0 if scan.regression is None else x.shape[1] + 1
        coef, included = np.zeros((self.draws, columns)), np.zeros(columns)
        for at in range(-self.burn, self.draws):
            now = scan.step(rng, values, now)
            if at >= 0:
                states[at], variances[at], noise[at], coef[at] = (
                    now.states, now.variances, now.noise, now.coef,
                )  # fmt: skip
                if scan.regression is not None:
                    included[scan.regression.pattern(now.key).columns] += 1

        ahead = scan.path.ahead(rng, states, variances, len(y) - before)
        expected = np.hstack([scan.path.mean(states), ahead])
        if columns:
            expected += coef @ np.column_stack([standard, np.ones(len(x))]).T
        seen = expected + np.sqrt(noise)[:, None] * rng.standard_normal(expected.shape)
        return Draws(
            expected=centre + scale * expected,
            seen=centre + scale * seen,
            included=included[: x.shape[1]] / self.draws,
            coef=coef[:, : x.shape[1]] * scale / x_scale,
            level_sd=scale * np.sqrt(variances[:, 0]),
            noise_sd=scale * np.sqrt(noise),
        )
