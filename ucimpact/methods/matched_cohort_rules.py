"""What a set must share and who is near: the fields of ``MatchedCohort`` that match, and their faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ucimpact.errors import UsageError
from ucimpact.inference import learners
from ucimpact.inference.learners import Learner
from ucimpact.inference.pairing import Order

Matching = Literal["nearest", "optimal", "full", "cem", "subclass"]

SCORES = ("logit", "score", "mahalanobis", "robust-mahalanobis")
"""Distances worked out here; a learner gives a logit, and any other word is a column."""

PAIRS = ("nearest", "optimal", "full")
"""Matchings in which every pair keeps the rules of pairs: calipers and kinds that must differ."""


@dataclass(frozen=True)
class Caliper:
    """The largest difference of a column within a pair.

    Parameters
    ----------
    column : str
    width : float
        In the units of the column: 5 for five years of age.
    """

    column: str
    width: float

    def __post_init__(self) -> None:
        if not self.width >= 0:
            raise UsageError(f"width = {self.width}: give a number from 0, in the units of `{self.column}`")


@dataclass(frozen=True)
class Bins:
    """How a column is cut for coarsened exact matching.

    Parameters
    ----------
    column : str
    number : int, optional
        Stretches of one width.
    at : tuple of float, default ()
        Where to cut instead; a value on a cut belongs to the stretch above it.
    """

    column: str
    number: int | None = None
    at: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tuple(sorted(float(cut) for cut in self.at)))
        if (self.number is None) == (not self.at):
            raise UsageError(f"bins of `{self.column}`: give a number of stretches, or where to cut (at)")
        if self.number is not None and self.number < 1:
            raise UsageError(f"number = {self.number}: give a whole number from 1")


def calipers_of(given: Any) -> tuple[Caliper, ...]:
    """From a mapping of columns to widths, or a sequence of calipers or tables."""
    if isinstance(given, Mapping):
        return tuple(Caliper(str(column), float(width)) for column, width in given.items())
    return tuple(one if isinstance(one, Caliper) else Caliper(**one) for one in given)


def bins_of(given: Any) -> tuple[Bins, ...]:
    """From a mapping of columns to numbers or cut points, or a sequence of bins or tables."""
    if isinstance(given, Mapping):
        return tuple(
            Bins(str(column), number=how) if isinstance(how, int) else Bins(str(column), at=tuple(how))
            for column, how in given.items()
        )
    return tuple(one if isinstance(one, Bins) else Bins(**one) for one in given)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a set must share, and who is near."""

    matching: Matching
    exact: tuple[str, ...]
    antiexact: tuple[str, ...]
    covariates: tuple[str, ...]
    distance: str | Learner
    caliper: float | None
    calipers: tuple[Caliper, ...]
    ratio: float
    min_ratio: float | None
    max_ratio: float | None
    replace: bool
    reuse_max: int | None
    order: Order
    subclasses: int
    bins: tuple[Bins, ...]
    workers: int
    seed: int

    @property
    def column(self) -> str | None:
        """The column that is the distance, if one is."""
        named = self.distance if isinstance(self.distance, str) else None
        return named if self.learner is None and named not in SCORES else None

    @property
    def learner(self) -> str | Learner | None:
        """What learns the chance of having had the service, where that is not the logit model."""
        named = not isinstance(self.distance, str) or self.distance in learners.WORDS
        return self.distance if named else None

    @property
    def by_pairs(self) -> bool:
        """Whether rules hold for pairs, so that nobody who recurs is compared with himself or herself."""
        return self.matching in PAIRS

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers that the matching needs, each once."""
        named = [*self.covariates, *([self.column] if self.column else [])]
        named += [caliper.column for caliper in self.calipers]
        return tuple(dict.fromkeys(named))


USED_BY: dict[str, tuple[Any, tuple[str, ...]]] = {
    "antiexact": ((), PAIRS),
    "distance": ("logit", ("nearest", "optimal", "full", "subclass")),
    "caliper": (0.2, PAIRS),
    "calipers": ((), PAIRS),
    "ratio": (1, ("nearest", "optimal")),
    "min_ratio": (None, ("nearest", "full")),
    "max_ratio": (None, ("nearest", "full")),
    "replace": (False, ("nearest",)),
    "reuse_max": (None, ("nearest",)),
    "order": ("largest", ("nearest",)),
    "workers": (1, ("nearest",)),
    "subclasses": (6, ("subclass",)),
    "bins": ((), ("cem",)),
}
"""Default of each field and the matchings that read it."""


def field_problems(method: Any) -> list[str | None]:
    """What is wrong with the fields that match, whatever the data."""
    matching = method.matching
    found: list[str | None] = [
        f'{name} is not used by matching = "{matching}": take it out, or use {" or ".join(used_by)}'
        for name, (default, used_by) in USED_BY.items()
        if matching not in used_by
        and _differs(getattr(method, name), default)
        and not (name == "caliper" and getattr(method, name) is None)
    ]
    found += [_ratio_problem(method), _reuse_problem(method), _learner_problem(method)]
    if method.subclasses < 2:
        found.append(f"subclasses = {method.subclasses}: give a whole number from 2, such as 6")
    if method.workers < 1:
        found.append(f"workers = {method.workers}: give a whole number from 1")
    found += [
        f"bins names `{bins.column}`, which is none of the covariates"
        for bins in method.bins
        if bins.column not in method.covariates
    ]
    return found


def _differs(value: Any, default: Any) -> bool:
    return bool(type(value) is not type(default) or value != default) if value is not default else False


def _ratio_problem(method: Any) -> str | None:
    low, high, ratio = method.min_ratio, method.max_ratio, method.ratio
    if low is None and high is None:
        whole = isinstance(ratio, int) or float(ratio).is_integer()
        return None if whole and ratio >= 1 else f"ratio = {ratio}: give a whole number from 1"
    if method.matching == "full":
        if (low is not None and not 0 < low <= 1) or (high is not None and not high >= 1):
            return (
                f"min_ratio = {low}, max_ratio = {high}: for full matching give at least so many comparison "
                "people to a pilot person (0.25: up to four share one) from above 0 to 1, and at most from 1"
            )
        return None
    low = 1 if low is None else low
    if high is None or not (float(low).is_integer() and float(high).is_integer() and 1 <= low < ratio < high):
        return (
            f"min_ratio = {method.min_ratio}, max_ratio = {high}: give whole numbers from 1 below and above "
            f"ratio, which is the average (ratio = {ratio}), such as ratio = 2 with 1 and 4"
        )
    return None


def _reuse_problem(method: Any) -> str | None:
    if method.reuse_max is None:
        return None
    if method.reuse_max < 1:
        return f"reuse_max = {method.reuse_max}: give a whole number from 1"
    return None


def _learner_problem(method: Any) -> str | None:
    if isinstance(method.distance, str) or learners.is_classifier(method.distance):
        return None
    return (
        f"distance = {learners.name_of(method.distance)}: give a word, a column, or a classifier that "
        "follows scikit-learn (fit, predict_proba)"
    )
