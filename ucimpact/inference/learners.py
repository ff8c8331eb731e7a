r"""Learners of a chance and of a mean: ours by maximum likelihood, or any that follows scikit-learn.

A *learner* is anything with ``fit(x, y)`` and ``predict_proba(x)`` (of a chance) or ``predict(x)`` (of a
mean). A word stands for one:

===================== ======================================= ==========================================
word                  chance                                  mean
===================== ======================================= ==========================================
``logistic``          logit model, no penalty
``linear``                                                    least squares
``log-linear``                                                Poisson, for amounts from 0
``gradient-boosting`` ``HistGradientBoostingClassifier``      ``HistGradientBoostingRegressor``
``random-forest``     ``RandomForestClassifier``              ``RandomForestRegressor``
===================== ======================================= ==========================================

The last two are of scikit-learn, which is imported only when they are named.

Flexible learners learn the very people they are fitted to: a forest of full depth tells everybody's arm
without error, and nobody is like anybody. So a chance is *cross-fitted*: each part of the people is foreseen
by a model of the other parts [1]_. A learner without a ``random_state`` of its own is given the seed.

References
----------
.. [1] Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. and Robins, J. (2018).
   Double/debiased machine learning for treatment and structural parameters. *The Econometrics Journal*
   21(1), C1-C68.
"""

from __future__ import annotations

import importlib
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference import glm, propensity
from ucimpact.inference.folds import deal

Array = np.ndarray

CHANCES, MEANS = ("logistic",), ("linear", "log-linear")
"""Our own learners of a chance and of a mean."""

WORDS = ("gradient-boosting", "random-forest")
"""Learners of scikit-learn that a study file can name."""

EDGE = 1e-6
"""A chance is held this far from 0 and 1, which a forest gives and no logit has."""

GONE = 1e-9


@runtime_checkable
class Learner(Protocol):
    """What every learner does."""

    def fit(self, x: Any, y: Any) -> Any: ...


def is_classifier(learner: object) -> bool:
    """Whether something gives a chance."""
    return isinstance(learner, Learner) and callable(getattr(learner, "predict_proba", None))


def is_regressor(learner: object) -> bool:
    """Whether something gives a mean."""
    return isinstance(learner, Learner) and callable(getattr(learner, "predict", None))


def name_of(learner: object) -> str:
    """A word as it is, and the class of an object, for the record of an analysis."""
    return learner if isinstance(learner, str) else type(learner).__name__


def clone(learner: Any) -> Any:
    """A learner of the same settings that has seen nothing, made anew from its ``get_params``."""
    if not hasattr(learner, "get_params"):
        raise UsageError(
            f"the learner {name_of(learner)} has no get_params, by which each part of the people is given "
            "one of its own. Give it as scikit-learn's estimators are made (BaseEstimator)"
        )
    return type(learner)(**{key: _cloned(value) for key, value in learner.get_params(deep=False).items()})


def _cloned(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_cloned(item) for item in value)
    return clone(value) if hasattr(value, "get_params") and not isinstance(value, type) else value


def classifier(learner: str | Learner, seed: int = 1) -> Any:
    """A fresh learner of a chance."""
    if isinstance(learner, str):
        return Logistic() if learner == "logistic" else _named(learner, "Classifier", "", seed)
    if not is_classifier(learner):
        raise UsageError(
            f"the learner {name_of(learner)} has no predict_proba, so it gives no chance: a classifier is "
            "needed"
        )
    return _seeded(clone(learner), seed)


def regressor(learner: str | Learner, family: Literal["poisson", "gaussian"], seed: int = 1) -> Any:
    """A fresh learner of a mean; the log-linear is a linear one of what may be below 0 (``gaussian``)."""
    if isinstance(learner, str):
        if learner in MEANS:
            return Linear(family if learner == "log-linear" else "gaussian")
        return _named(learner, "Regressor", family, seed)
    if not is_regressor(learner):
        raise UsageError(f"the learner {name_of(learner)} has no predict, so it gives no mean")
    return _seeded(clone(learner), seed)


def chance(
    learner: str | Learner,
    x: Array,
    treated: Array,
    folds: int = 5,
    seed: int = 1,
    *,
    units: Array | None = None,
) -> Array:
    """The cross-fitted chance of having had the service, shape (n,), held off 0 and 1.

    Parameters
    ----------
    learner : str or classifier
        A word of the table above, or an object that follows scikit-learn's classifiers.
    x : array (n, k)
    treated : array (n,) of bool
    folds : int, default 5
    seed : int, default 1
    units : array (n,) of int, optional
        Rows that belong together, such as those of one person: never on both sides of a fit.

    Raises
    ------
    UsageError
        For a word that is none, or a learner of scikit-learn where that is not installed.
    EstimationError
        Where there are fewer people in an arm than parts.
    """
    treated = np.asarray(treated, dtype=bool)
    return chance_by_part(learner, x, treated, deal(x, treated, folds, seed, units=units), seed)


def chance_by_part(learner: str | Learner, x: Array, treated: Array, part: Array, seed: int = 1) -> Array:
    """The same for parts that are already dealt."""
    out = np.empty(len(treated))
    for k in range(int(part.max()) + 1):
        held = part == k
        fitted = classifier(learner, seed)
        fitted.fit(x[~held], treated[~held].astype(int))
        out[held] = chance_of(fitted, x[held])
    return out


def chance_of(fitted: Any, x: Array) -> Array:
    """The chance of a 1 that a fitted classifier gives, held off 0 and 1."""
    shares = np.asarray(fitted.predict_proba(x), dtype=float)
    kinds = list(getattr(fitted, "classes_", (0, 1)))
    found = shares[:, kinds.index(1)] if shares.ndim == 2 else shares
    if not np.isfinite(found).all():
        raise EstimationError(f"the learner {name_of(fitted)} gave a chance that is not a number")
    return np.asarray(np.clip(found, EDGE, 1 - EDGE))


class Logistic:
    """The propensity score without a penalty, for people who were not in the fit.

    A column that says nothing beyond those before it, as a rare kind may in a part of the people, is left
    out.
    """

    classes_ = (0, 1)

    def fit(self, x: Array, y: Array) -> Logistic:
        self.keep = telling(x)
        self.coef = propensity.fit(x[:, self.keep], np.asarray(y, dtype=bool)).coef
        return self

    def predict_proba(self, x: Array) -> Array:
        eta = self.coef[0] + np.asarray(x[:, self.keep], dtype=float) @ self.coef[1:]
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(eta, -glm.LARGEST, glm.LARGEST))))


class Linear:
    """A log-linear or linear mean, for people who were not in the fit.

    Columns that say nothing beyond others are left out, and of a log-linear mean those that mark people of
    whom none had the outcome: their coefficients have no finite value.
    """

    def __init__(self, family: Literal["poisson", "gaussian"]) -> None:
        self.family = family

    def fit(self, x: Array, y: Array, weights: Array | None = None) -> Linear:
        keep = telling(x)
        centre = x[:, keep].mean(axis=0, dtype=float)
        scale = x[:, keep].std(axis=0, dtype=float)
        while True:
            columns = (x[:, keep] - centre) / scale
            try:
                found = glm.fit(self.family, y, np.column_stack([np.ones(len(y)), columns]), None, weights)
                break
            except EstimationError as error:
                words = str(error).split()
                if words[0] != "column" or not 1 <= int(words[1]) <= len(keep):
                    raise
                at = int(words[1]) - 1
            keep, centre, scale = (np.delete(part, at) for part in (keep, centre, scale))
        self.keep, self.centre, self.scale, self.coef = keep, centre, scale, found.coef
        return self

    def predict(self, x: Array) -> Array:
        eta = self.coef[0] + (x[:, self.keep] - self.centre) / self.scale @ self.coef[1:]
        return np.asarray(glm.mean(self.family, eta)[0])


def telling(x: Array) -> Array:
    """Columns that vary and are no combination of those before them."""
    columns = np.asarray(x, dtype=float)
    columns = columns - columns.mean(axis=0)
    scale = columns.std(axis=0)
    varies = scale > GONE * np.maximum(np.abs(x).max(axis=0), 1e-300)
    columns = columns / np.where(varies, scale, 1.0)
    correlation = columns.T @ columns / len(columns)
    keep: list[int] = []
    for k in np.flatnonzero(varies):
        with_those = correlation[keep, k]
        left = 1.0 - with_those @ np.linalg.lstsq(correlation[np.ix_(keep, keep)], with_those, rcond=None)[0]
        if left > GONE:
            keep.append(int(k))
    return np.array(keep, dtype=np.int64)


def _named(word: str, kind: str, family: str, seed: int) -> Any:
    """A learner of scikit-learn, set up for the sizes that people come in."""
    if word not in WORDS:
        own = CHANCES if kind == "Classifier" else MEANS
        known = ", ".join(f'"{name}"' for name in (*own, *WORDS))
        raise UsageError(f'there is no learner "{word}"; there are {known}, or give an object with fit')
    try:
        ensemble = importlib.import_module("sklearn.ensemble")
    except ImportError:
        raise UsageError(
            f'the learner "{word}" needs scikit-learn, which is not installed. Install it with '
            "`pip install 'ucimpact[learners]'`, or name no learner"
        ) from None
    if word == "random-forest":
        made = getattr(ensemble, f"RandomForest{kind}")
        return made(n_estimators=300, min_samples_leaf=10, max_features="sqrt", random_state=seed, n_jobs=1)
    made = getattr(ensemble, f"HistGradientBoosting{kind}")
    loss = {"": "log_loss", "poisson": "poisson", "gaussian": "squared_error"}[family]
    return made(
        loss=loss,
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )


def _seeded(learner: Any, seed: int) -> Any:
    """Every part of a learner that leaves its random state open is given the seed."""
    open_states = {
        key: seed
        for key, value in learner.get_params(deep=True).items()
        if key.split("__")[-1] == "random_state" and value is None
    }
    return learner.set_params(**open_states) if open_states else learner
