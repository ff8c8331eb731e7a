r"""The prognostic score: the outcome that people would be expected to have without the service.

.. math:: m(x) = E[y \mid x, T = 0],

learned from comparison people only, so that the service cannot have a part in it [1]_. It is cross-fitted: a
comparison person is foreseen by models of other comparison people, a pilot person by all of those models
together. Otherwise the comparison people, whom the model has seen, would look surer than the pilot people
and be matched for their luck [2]_. Fitted on people *before* the pilot began it needs no outcome of anybody
who is later compared.

As a column it is a distance to match on, or one more covariate to balance.

References
----------
.. [1] Hansen, B. B. (2008). The prognostic analogue of the propensity score. *Biometrika* 95(2), 481-488.
.. [2] Abadie, A., Chingos, M. M. and West, M. R. (2018). Endogenous stratification in randomized experiments.
   *Review of Economics and Statistics* 100(4), 567-580.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.folds import deal
from ucimpact.inference.learners import Learner, regressor

Array = np.ndarray
ALL = -1
"""The part of people of whom no row was learned from: every model may foresee them."""


def prognostic_score(
    learner: str | Learner,
    x: Array,
    y: Array,
    treated: Array,
    *,
    family: Literal["poisson", "gaussian"] = "poisson",
    fit_to: Array | None = None,
    folds: int = 5,
    seed: int = 1,
    units: Array | None = None,
) -> Array:
    """The expected outcome without the service, shape (n,).

    Parameters
    ----------
    learner : str or regressor
        ``"linear"``, ``"log-linear"``, ``"gradient-boosting"``, ``"random-forest"``, or an object that
        follows scikit-learn.
    x : array (n, k)
    y : array (n,)
        Read in comparison rows only.
    treated : array (n,) of bool
    fit_to : array (n,) of bool, optional
        Comparison rows to learn from, such as those before the pilot; all whose outcome is known if not
        given.
    folds, seed : int
    units : array (n,) of int, optional
        Rows that belong together.

    Raises
    ------
    EstimationError
        Where pilot rows are among those to learn from, or there are too few.
    """
    rows = ~treated & np.isfinite(y) if fit_to is None else np.asarray(fit_to, dtype=bool)
    if (rows & treated).any():
        raise EstimationError(
            "a prognostic score is learned from people without the service, and pilot people are among them"
        )
    people = np.arange(len(y)) if units is None else np.unique(units, return_inverse=True)[1].reshape(-1)
    dealt = deal(x[rows], np.zeros(int(rows.sum()), dtype=bool), folds, seed, units=people[rows])
    of_person = np.full(int(people.max()) + 1, ALL)
    of_person[people[rows]] = dealt
    part, out = of_person[people], np.zeros(len(y))
    for k in range(folds):
        seen = rows & (part != k)
        fitted = regressor(learner, family, seed)
        fitted.fit(x[seen], y[seen])
        for held, share in ((part == k, 1.0), (part == ALL, 1 / folds)):
            if held.any():
                out[held] += share * np.asarray(fitted.predict(x[held]), dtype=float).reshape(-1)
    return out
