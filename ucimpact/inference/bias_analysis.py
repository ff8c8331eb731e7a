r"""What is left of a result once a bias of a stated size is taken off.

Somebody who knows the service states, before the result is seen, how unlike the two groups may have been in
something unrecorded: the share of pilot people who have it, the share of the others, and how many times the
outcome is among those who have it, each as a range that they are 95% sure of. Each draw takes the three from
their ranges, the bias they make together, and the chance error of the result:

.. math:: \log R^{(k)} = \log \hat R + t_\nu^{(k)} s - \log B^{(k)}, \qquad
   B = \frac{1 + p_1 (g - 1)}{1 + p_0 (g - 1)}

The middle 95% of the draws are the range with both kinds of error [1]_. Ranges of shares are logit-normal and
those of ratios log-normal; two shares may move together (the team that sees many of one kind at home
sees many on the ward), by the correlation of their normals.

The other way in is what the negative controls showed. A pooled log ratio :math:`r \pm s_r` and a statement
of how many times as far the result is moved, m, give the bias :math:`m r`:

.. math:: \log R^{(k)} = \log \hat R + t_\nu^{(k)} s - m^{(k)} (r + s_r z^{(k)})

Neither mends an estimate. The result depends on what was stated, and a statement is no measurement, so it is
printed beside the main result and with the statement in words.

References
----------
.. [1] Lash, T. L., Fox, M. P. and Fink, A. K. (2009). *Applying Quantitative Bias Analysis to Epidemiologic
   Data*, chapter 8. Springer.
.. [2] Greenland, S. (2005). Multiple-bias modelling for analysis of observational data. *Journal of the
   Royal Statistical Society A* 168(2), 267-306.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit, ndtri

from ucimpact.errors import EstimationError
from ucimpact.inference.tipping_point import bias

Array = np.ndarray

DRAWS = 20_000
SURE = 0.95
"""How sure whoever states a range is to be of it."""
_HALF = float(ndtri((1 + SURE) / 2))


@dataclass(frozen=True)
class Stated:
    """A range that somebody is 95% sure of.

    Attributes
    ----------
    low, high : float
        Ends of the range; the same for what is known.
    kind : {"share", "ratio"}
        A share lies between 0 and 1, a ratio above 0.
    """

    low: float
    high: float
    kind: Literal["share", "ratio"]

    def __post_init__(self) -> None:
        top = 1.0 if self.kind == "share" else math.inf
        if not (0 <= self.low <= self.high <= top and math.isfinite(self.high)):
            raise EstimationError(
                f"a {self.kind} is stated as a range whose ends rise within 0 and {top:g}, "
                f"not {self.low:g} to {self.high:g}"
            )
        at_an_end = self.low <= 0 or (self.kind == "share" and self.high >= 1)
        if at_an_end and (self.kind == "ratio" or self.low < self.high):
            raise EstimationError(f"a range of a {self.kind} must leave its ends out: nothing is that sure")

    def at(self, normal: Array) -> Array:
        """The values at standard normals."""
        if self.low == self.high:
            return np.full(len(normal), float(self.low))
        if self.kind == "share":
            a, b = float(logit(self.low)), float(logit(self.high))
            return np.asarray(expit((a + b) / 2 + normal * (b - a) / (2 * _HALF)))
        a, b = math.log(self.low), math.log(self.high)
        return np.exp((a + b) / 2 + normal * (b - a) / (2 * _HALF))


@dataclass(frozen=True)
class Belief:
    """What is stated of one unrecorded factor.

    Attributes
    ----------
    name : str
        In words: "living alone".
    pilot, comparison : Stated
        Shares who have it.
    strength : Stated
        How many times the outcome is among those who have it.
    correlation : float, default 0
        Of the two shares, -1 to 1.
    """

    name: str
    pilot: Stated
    comparison: Stated
    strength: Stated
    correlation: float = 0.0

    def __post_init__(self) -> None:
        kinds = (self.pilot.kind, self.comparison.kind, self.strength.kind)
        if kinds != ("share", "share", "ratio"):
            raise EstimationError("a belief is two shares and a ratio")
        if not -1 <= self.correlation <= 1:
            raise EstimationError("a correlation lies between -1 and 1")

    def draws(self, rng: np.random.Generator, number: int) -> Array:
        """Log ratios that the factor makes with no effect at all."""
        z = rng.standard_normal((3, number))
        second = self.correlation * z[0] + math.sqrt(1 - self.correlation**2) * z[1]
        made = bias(self.strength.at(z[2]), self.pilot.at(z[0]), self.comparison.at(second))
        return np.asarray(np.log(made))


@dataclass(frozen=True)
class BiasAnalysis:
    """A ratio with its chance error and a stated bias.

    Attributes
    ----------
    ratio, low, high : float
        Middle of the draws and their middle 95%.
    bias, bias_low, bias_high : float
        The ratio that the bias alone would make, in the same way.
    beyond : float
        Share of draws on the same side of no change as the result.
    name : str
        What was stated.
    """

    ratio: float
    low: float
    high: float
    bias: float
    bias_low: float
    bias_high: float
    beyond: float
    name: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def with_belief(
    log_ratio: float,
    std_error: float,
    beliefs: Belief | tuple[Belief, ...],
    *,
    df: float = math.inf,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> BiasAnalysis:
    """The result once the stated factors are taken off.

    Parameters
    ----------
    log_ratio, std_error, df : float
        Of the result; a t distribution with ``df`` degrees of freedom.
    beliefs : Belief or tuple of Belief
        Factors that act apart from each other: their log biases are added.
    """
    beliefs = (beliefs,) if isinstance(beliefs, Belief) else beliefs
    if not beliefs:
        raise EstimationError("a bias analysis needs something to be stated")
    rng = np.random.default_rng(seed)
    by_chance = _errors(rng, draws, df) * std_error
    moved = np.sum([belief.draws(rng, draws) for belief in beliefs], axis=0)
    name = " and ".join(belief.name for belief in beliefs)
    return _summed_up(log_ratio, log_ratio + by_chance - moved, moved, level, name)


def with_controls(
    log_ratio: float,
    std_error: float,
    pooled: tuple[float, float],
    times: Stated,
    *,
    df: float = math.inf,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> BiasAnalysis:
    """The result if it is biased so many times as far as the negative controls are.

    Parameters
    ----------
    log_ratio, std_error, df : float
        Of the result.
    pooled : (float, float)
        Pooled log ratio of the controls and its standard error.
    times : Stated
        How many times as far, as a ratio: ``Stated(3.2, 4.2, "ratio")`` is what was measured with
        severity that jumps and decays.
    """
    if times.kind != "ratio":
        raise EstimationError("how many times as far is a ratio")
    rng = np.random.default_rng(seed)
    by_chance = _errors(rng, draws, df) * std_error
    z = rng.standard_normal((2, draws))
    moved = times.at(z[0]) * (pooled[0] + pooled[1] * z[1])
    return _summed_up(log_ratio, log_ratio + by_chance - moved, moved, level, "the negative controls")


def _errors(rng: np.random.Generator, draws: int, df: float) -> Array:
    return rng.standard_normal(draws) if math.isinf(df) else rng.standard_t(df, draws)


def _summed_up(log_ratio: float, left: Array, moved: Array, level: float, name: str) -> BiasAnalysis:
    at = [0.5, (1 - level) / 2, (1 + level) / 2]
    ratio, low, high = np.exp(np.quantile(left, at)).tolist()
    middle, least, most = np.exp(np.quantile(moved, at)).tolist()
    same = left < 0 if log_ratio < 0 else left > 0
    return BiasAnalysis(ratio, low, high, middle, least, most, float(same.mean()), name)
