r"""Which option is worth its cost, how sure that is, and what more knowledge would be worth.

Everything here takes draws: effects :math:`e_{id}` and costs :math:`c_{id}` of option :math:`d` in draw
:math:`i`, and what a unit of effect is worth, :math:`k`. The net benefit is

.. math:: b_{id}(k) = k e_{id} - c_{id}

The option chosen today has the largest mean. A curve of acceptability gives the share of draws in which an
option is better (than one other, or than all); its frontier, that share for the option chosen [1]_. With
:math:`g_{id}` the benefit that is expected once an uncertainty is resolved, resolving it is worth

.. math:: \frac1n \sum_i \max_d g_{id} - \max_d \frac1n \sum_i g_{id}

Everything resolved, :math:`g = b`: perfect information (EVPI). Some inputs :math:`x` resolved,
:math:`g_{id} = E[b_d \mid x_i]` (EVPPI). Where the benefit is linear in inputs that are independent, that
expectation is known and can be given exactly. Else it is the regression of the benefit on the inputs [2]_,
here on natural cubic splines and their products.

References
----------
.. [1] Fenwick, E., Claxton, K. and Sculpher, M. (2001). Representing uncertainty: the role of
   cost-effectiveness acceptability curves. *Health Economics* 10(8), 779-787.
.. [2] Strong, M., Oakley, J. E. and Brennan, A. (2014). Estimating multiparameter partial expected value of
   perfect information from a probabilistic sensitivity analysis sample: a nonparametric regression approach.
   *Medical Decision Making* 34(3), 311-326.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.natural_spline import natural_spline

Array = np.ndarray
NOISE = 1e-12
"""A gain below this share of the largest benefit is the rounding of a computer, and there is none."""
KNOTS = {1: 7, 2: 5, 3: 4}
"""Knots of the spline of each input, by how many inputs are resolved together."""


def net_benefit(effects: Array, costs: Array, worth: float) -> Array:
    """Net benefit of each option in each draw, shape (n, options), a unit of effect being worth ``worth``."""
    return np.asarray(worth * np.asarray(effects, float) - np.asarray(costs, float))


def differences(values: Array, reference: int) -> Array:
    """The reference option less each other, shape (n, options - 1), the others in their order."""
    values = np.asarray(values, float)
    return np.asarray(values[:, [reference]] - np.delete(values, reference, axis=1))


def icer(effects: Array, costs: Array, reference: int = 0) -> Array:
    """Extra cost over extra effect of the reference beside each other option, shape (options - 1,).

    A ratio of means. It says nothing by itself where the extra effect may be 0 or below.
    """
    return np.asarray(
        differences(costs, reference).mean(axis=0) / differences(effects, reference).mean(axis=0)
    )


def incremental_benefit(effects: Array, costs: Array, worths: Array, reference: int = 0) -> Array:
    """Mean net benefit of the reference less each other option, shape (worths, options - 1)."""
    more, dearer = (differences(values, reference).mean(axis=0) for values in (effects, costs))
    return np.asarray(np.multiply.outer(np.asarray(worths, float), more) - dearer)


def acceptability(effects: Array, costs: Array, worths: Array, reference: int = 0) -> Array:
    """Chance that the reference is better than each other option, shape (worths, options - 1)."""
    more, dearer = differences(effects, reference), differences(costs, reference)
    return np.array([(worth * more > dearer).mean(axis=0) for worth in worths])


def chances_best(effects: Array, costs: Array, worths: Array) -> Array:
    """Chance that each option is the best of all, shape (worths, options)."""
    options = np.arange(np.shape(effects)[1])
    firsts = [net_benefit(effects, costs, worth).argmax(axis=1) for worth in worths]
    return np.array([(first[:, None] == options).mean(axis=0) for first in firsts])


def best(effects: Array, costs: Array, worths: Array) -> Array:
    """The option with the largest mean net benefit, from 0, shape (worths,)."""
    return np.array([net_benefit(effects, costs, worth).mean(axis=0).argmax() for worth in worths])


def frontier(effects: Array, costs: Array, worths: Array) -> Array:
    """Chance that the option chosen on today's means is the best, shape (worths,)."""
    chosen = best(effects, costs, worths)
    return np.asarray(chances_best(effects, costs, worths)[np.arange(len(chosen)), chosen])


def worth_of_knowing(expected: Array) -> float:
    """What it is worth to choose after seeing a row of ``expected``, shape (n, options), and not before.

    With net benefits this is the value of perfect information; with the net benefits expected once some
    inputs are known, that of knowing those inputs.
    """
    expected = np.asarray(expected, float)
    chosen = float(expected.mean(axis=0).max())
    gain = float(expected.max(axis=1).mean()) - chosen
    return gain if gain > NOISE * max(1.0, float(np.abs(expected).max())) else 0.0


def perfect_information(effects: Array, costs: Array, worths: Array) -> Array:
    """What knowing everything is worth, per decision, shape (worths,)."""
    return np.array([worth_of_knowing(net_benefit(effects, costs, worth)) for worth in worths])


def partial_information(benefits: Array, inputs: Array) -> float:
    """What knowing these inputs is worth, by regression of the net benefits on them.

    Parameters
    ----------
    benefits : array (n, options)
    inputs : array (n,) or (n, p)
        Up to three inputs that would be known together.

    Raises
    ------
    ValueError
        For more inputs than a regression with all their products can take.
    """
    columns = np.asarray(inputs, float)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.shape[1] not in KNOTS:
        raise ValueError(f"up to {max(KNOTS)} inputs can be resolved together, not {columns.shape[1]}")
    basis = _products([_bends(column, KNOTS[columns.shape[1]]) for column in columns.T])
    benefits = np.asarray(benefits, float)
    against = benefits - benefits[:, [0]]
    fitted = basis @ np.linalg.lstsq(basis, against, rcond=None)[0]
    return worth_of_knowing(fitted)


def _bends(column: Array, knots: int) -> Array:
    """A constant, the input and the bends of its spline, shape (n, knots); a constant has none."""
    spread = column.std()
    if not spread > 0:
        return np.ones((len(column), 1))
    unit = (column - column.mean()) / spread
    places = np.unique(np.quantile(unit, np.linspace(0.02, 0.98, knots)))
    line = [np.ones_like(unit), unit]
    return np.column_stack(line if len(places) < 3 else [*line, natural_spline(unit, places)])


def _products(parts: list[Array]) -> Array:
    """Every column of one part times every column of each other."""
    made = parts[0]
    for part in parts[1:]:
        made = (made[:, :, None] * part[:, None, :]).reshape(len(part), -1)
    return made
