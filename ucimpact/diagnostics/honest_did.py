r"""How far the pilot and the others may have drifted apart before the finding falls.

A comparison of changes supposes that without the pilot the two groups would have moved in parallel. What
they did before the start says how far that may be wrong. :class:`HonestDiD` lets the drift go on after the
start within a bound, gives the range that then remains for each bound, and the largest bound at which the
range still leaves out no change: the breakdown value (Rambachan and Roth 2023;
:mod:`ucimpact.inference.honest`).

It needs an estimate with effects by event time measured from one period before the start, which is what
every method here gives by default. The method's own uncertainty is kept: where few places gave a wider
range than a normal variable would, standard errors are multiplied until the normal interval of each
period is the printed one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ucimpact import serialise
from ucimpact.errors import EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.honest import (
    KINDS,
    MOST,
    Kind,
    breakdown,
    confidence,
    identified,
    in_differences,
    original,
    smallest_bend,
)
from ucimpact.inference.honest_path import EventPath

Array = np.ndarray
Target = Literal["average", "first", "headline"] | Sequence[float] | Mapping[int, float]
NAMED = ("average", "first", "headline")
TIMES = (0.5, 1.0, 1.5, 2.0)
STRETCHES = 3
"""Stretches of time before the start that "auto" makes, the last of them the one to measure from."""
ALIKE = 1e-6
"""Factors this near 1 are rounding."""


@dataclass(frozen=True, kw_only=True)
class HonestDiD:
    r"""The range of an effect when pilot and comparison need not have moved in parallel.

    Parameters
    ----------
    kind : {"relative-magnitudes", "smoothness", "both"}
        What bounds the drift after the start: the largest move before it (the default); how fast its slope
        changes; the largest change of slope before it.
    bounds : tuple of float, optional
        For the first and third multiples of the worst seen, 0.5, 1, 1.5 and 2 unless given. For smoothness
        changes of slope in units of the outcome per period squared; unless given 0 and the same multiples
        of the change that could move the target by one standard error.
    target : "average", "first", "headline", weights or a mapping of event times to weights
        The average over all periods since the start, the first of them, the average that weighs each
        period by the units that had reached it (as a headline over units and periods does), or any
        weighted sum. Weights are those of event times 0, 1, ... as far as there are effects.
    together : int or "auto", default 1
        Periods pooled into one before anything is compared. Month to month, luck makes most of what was
        seen, and a bound on a month's move adds up over the pilot; ``"auto"`` makes three equal stretches
        of the time before the start, counting only what every start has, so that the worst move is
        between longer spells.
    level : float, optional
        Coverage; the estimate's own unless given.
    """

    kind: Kind = "relative-magnitudes"
    bounds: tuple[float, ...] | None = None
    target: Target = "average"
    together: int | Literal["auto"] = 1
    level: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"kind = {self.kind!r}: give one of {', '.join(KINDS)}")
        if self.bounds is not None:
            object.__setattr__(self, "bounds", tuple(map(float, self.bounds)))
            if not self.bounds or not all(math.isfinite(b) and b >= 0 for b in self.bounds):
                raise UsageError(f"bounds = {self.bounds}: give numbers from 0 up, such as 0.5, 1, 2")
        if isinstance(self.target, str) and self.target not in NAMED:
            raise UsageError(f"target = {self.target!r}: give one of {', '.join(NAMED)}, or weights")
        if self.together != "auto" and (not isinstance(self.together, int) or self.together < 1):
            raise UsageError(f'together = {self.together!r}: give a number of periods from 1 up, or "auto"')
        if self.level is not None and not 0.5 <= self.level < 1:
            raise UsageError(f"level = {self.level}: give a number from 0.5 to below 1, such as 0.95")

    def of(self, estimate: Estimate) -> HonestResult:
        """The ranges, and the breakdown value.

        Raises
        ------
        EstimationError
            Where there is nothing before the start to bound a drift by, or no likely range to begin with.
        """
        level = self.level or float(estimate.spec.get("level", 0.95))
        path, notes = event_path(estimate)
        if self.together == "auto":
            path = _shared_leads(path, estimate)
        weights = _weights(_reached(estimate, path) if self.target == "headline" else self.target, path)
        together = auto_stretch(path) if self.together == "auto" else self.together
        noun = str(estimate.extras.get("noun", "period"))
        if together > 1:
            weights, path = _pooled(weights, path, together)
            notes += (f"{together} {noun}s are taken together, measured from the last {together}.",)
        low, high = original(path, weights, level)
        loading = path.loading(weights)
        value, error = float(loading @ path.estimate), path.std_error(loading)
        if (df := _smallest_df(estimate)) is not None and self.kind == "smoothness":
            share = min(1.0, len(path.times) / df)
            path = path.shrunk(share)
            notes += (
                f"{share:.0%} of the covariance is that of independent {noun}s: too few places to know it.",
            )
        rows = [_row(path, weights, self.kind, bound, level) for bound in self._bounds(path, weights)]
        holds = low > 0 or high < 0
        return HonestResult(
            kind=self.kind,
            target=_target_words(self.target, noun),
            outcome=estimate.outcome,
            noun=noun,
            together=together,
            level=level,
            original={"estimate": value, "std_error": error, "conf_low": low, "conf_high": high},
            rows=tuple(rows),
            breakdown=breakdown(path, weights, self.kind, level) if holds else None,
            before=int(path.before.sum()),
            after=int(path.after.sum()),
            notes=notes,
        )

    def _bounds(self, path: EventPath, weights: Array) -> tuple[float, ...]:
        if self.bounds is not None:
            return self.bounds
        if self.kind != "smoothness":
            return TIMES
        unit = smallest_bend(in_differences(path, weights, self.kind))
        return (0.0, *(times * unit for times in TIMES))


@dataclass(frozen=True, kw_only=True)
class HonestResult:
    """Ranges by how far the drift may go.

    Attributes
    ----------
    kind, target, outcome, noun : str
        What bounds the drift; the effect, in words; the column; "month".
    together : int
        Periods taken as one.
    level : float
    original : dict
        ``estimate, std_error, conf_low, conf_high`` of the target, groups in parallel.
    rows : tuple of dict
        ``bound, conf_low, conf_high, holds`` (whether no change is left out), and ``identified_low,
        identified_high``: what would remain without chance (None where the drift before the start was
        itself out of bounds).
    breakdown : float or None
        The largest bound at which no change is left out; None where it never was.
    before, after : int
        Effects before and since the start.
    notes : tuple of str
    """

    kind: Kind
    target: str
    outcome: str
    noun: str
    together: int
    level: float
    original: dict[str, float]
    rows: tuple[dict[str, Any], ...]
    breakdown: float | None
    before: int
    after: int
    notes: tuple[str, ...] = field(default=())

    @property
    def table(self) -> pd.DataFrame:
        """One row a bound."""
        return pd.DataFrame(list(self.rows))

    @property
    def sentence(self) -> str:
        """The breakdown value in plain words."""
        if self.breakdown is None:
            return "The range already includes no change, so there is nothing to explain away."
        if self.kind == "smoothness":
            return _smooth_sentence(self.breakdown, self.noun if self.together == 1 else "stretch")
        what = "worst" if self.kind == "relative-magnitudes" else "largest bend"
        if self.breakdown >= MOST:
            return f"The finding survives a violation {MOST:.0f} times the {what} seen before the pilot."
        tenths = math.floor(10 * self.breakdown + 1e-9) / 10  # never more than what was found
        if tenths < 0.1:
            return f"The finding does not survive a violation of a tenth of the {what} seen before the pilot."
        times = f"{tenths:.1f}" if tenths < 1 else f"{tenths:.1f} times"
        of = "of the" if tenths < 1 else "the"
        return f"The finding survives a violation up to {times} {of} {what} seen before the pilot."

    def summary(self) -> str:
        """The sentence, the target's own range, one line a bound, then the notes."""
        first = self.original
        lines = [
            self.sentence,
            f"{self.target}: {first['estimate']:.4g} ({first['conf_low']:.4g} to {first['conf_high']:.4g}) "
            "if the groups would have moved in parallel",
        ]
        lines += [f"  bound {r['bound']:.4g}: {r['conf_low']:.4g} to {r['conf_high']:.4g}" for r in self.rows]
        return "\n".join([*lines, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, the sentence among them."""
        values = {name: serialise.plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {**values, "sentence": self.sentence}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> HonestResult:
        """The result that :meth:`to_dict` wrote."""
        values = {name: document[name] for name in cls.__dataclass_fields__}
        values |= {name: tuple(values[name]) for name in ("rows", "notes")}
        return cls(**values)


# -- from an estimate to a path ----------------------------------------------------------


def event_path(estimate: Estimate) -> tuple[EventPath, tuple[str, ...]]:
    """The effects by event time with a covariance whose normal intervals are the printed ones, and notes.

    Raises
    ------
    EstimationError
        Where there is no path, or no range for it.
    """
    is_event = (estimate.effects["term"] == "event").to_numpy()
    if not is_event.any() or estimate.cov is None:
        raise EstimationError(
            f"{estimate.method} gave no effects by event time with their covariance, so nothing shows how "
            "the groups drifted before the pilot"
        )
    which = np.flatnonzero(is_event)
    which = which[np.argsort(estimate.effects["event_time"].to_numpy(float)[which], kind="stable")]
    rows = estimate.effects.iloc[which]
    value, times = (rows[name].to_numpy(float) for name in ("estimate", "event_time"))
    cov = np.asarray(estimate.cov, dtype=float)[np.ix_(which, which)]
    known = np.isfinite(value) & np.isfinite(np.diag(cov)) & (np.diag(cov) > 0)
    if not known.any():
        refused = (estimate.extras.get("rule") or {}).get("refused")
        raise EstimationError(refused or "the effects by event time have no likely range to widen")
    value, times, cov, rows = value[known], times[known], cov[np.ix_(known, known)], rows[known]
    measured = estimate.extras.get("reference") or {}
    reference = float(measured.get("event_time", -1))
    if measured.get("after"):
        raise EstimationError(
            f"the effects since the start are measured from {measured['after']}, and those before it from "
            "one period, so they are no single path. Use CallawaySantAnna or SunAbraham"
        )
    if reference in times:
        raise EstimationError(
            "the effects by event time are not measured from one period before the start; use a universal "
            "base period"
        )
    path = EventPath(value, cov, times, reference)
    if not path.after.any():
        raise EstimationError("there are no effects by event time since the start")
    level = float(estimate.spec.get("level", 0.95))
    ends = rows[["conf_low", "conf_high"]].to_numpy(float)
    half = np.fmax(ends[:, 1] - value, value - ends[:, 0])
    factors = half / (float(ndtri((1 + level) / 2)) * np.sqrt(np.diag(cov)))
    factors = np.where(np.isfinite(factors) & (np.abs(factors - 1) > ALIKE), factors, 1.0)
    if np.all(factors == 1.0):
        return path, ()
    note = (
        f"Standard errors were multiplied by up to {factors.max():.2f}, so that normal ranges are as wide as "
        "those that the few places gave."
    )
    return path.widened(factors), (note,)


def auto_stretch(path: EventPath) -> int:
    """Periods to pool so that three stretches lie before the start, the reference among them."""
    first = float(path.times[0])
    return max(1, int((path.reference - first + 1) // STRETCHES))


def _shared_leads(path: EventPath, estimate: Estimate) -> EventPath:
    """Without the leads that only some starts have, if three periods remain."""
    leads = (estimate.extras.get("pre_trend") or {}).get("leads")
    if not leads or len(leads) < STRETCHES - 1:
        return path
    keep = path.after | (path.times >= min(leads))
    return EventPath(path.estimate[keep], path.cov[np.ix_(keep, keep)], path.times[keep], path.reference)


def _weights(target: Target, path: EventPath) -> Array:
    """Weights on the effects after the reference."""
    times = path.times[path.after]
    since = times >= 0
    if isinstance(target, str):
        if target == "average":
            return np.asarray(since / since.sum())
        return np.asarray((times == times[since].min()).astype(float))
    if isinstance(target, Mapping):
        unknown = sorted(set(map(float, target)) - set(times))
        if unknown:
            raise UsageError(
                f"there is no effect at event time {unknown[0]:g}; there are {times[0]:g} to {times[-1]:g}"
            )
        return np.array([float(target.get(int(t), 0.0)) for t in times])
    given = np.asarray(target, dtype=float)
    if given.shape != (int(since.sum()),):
        raise UsageError(
            f"{given.size} weights for {int(since.sum())} effects since the start: give one each"
        )
    out = np.zeros(len(times))
    out[since] = given
    return out


def _reached(estimate: Estimate, path: EventPath) -> dict[int, float]:
    """Weights of event times by the units that had reached each; alike where one start is all there is."""
    times = [int(t) for t in path.times[path.after] if t >= 0]
    frame = estimate.counterfactual
    units: dict[int, float] = {}
    if frame is not None and {"since", "units"} <= set(frame.columns):
        units = dict(zip(frame["since"].astype(int), frame["units"].astype(float), strict=True))
    elif (cells := estimate.effects[estimate.effects["term"] == "group_time"]).shape[0]:
        of_start = {str(row["start"]): float(row["units"]) for row in estimate.extras.get("starts") or ()}
        for group, since in zip(cells["group"].astype(str), cells["event_time"].fillna(-1), strict=True):
            units[int(since)] = units.get(int(since), 0.0) + of_start.get(group, 0.0)
    reached = [units.get(t, 0.0) for t in times]
    if not sum(reached) > 0:
        reached = [1.0] * len(times)
    return {t: value / sum(reached) for t, value in zip(times, reached, strict=True)}


def _pooled(weights: Array, path: EventPath, together: int) -> tuple[Array, EventPath]:
    """Stretches in which each period counts as it does in the target, and the weights of the stretches."""
    block = np.ceil(path.since[path.after] / together)
    numbers = np.unique(block)
    parts = [weights[block == b] for b in numbers]
    if any((part > 0).any() and (part < 0).any() for part in parts):
        raise UsageError(
            "periods whose weights have both signs cannot be taken together; use together=1, or one sign"
        )
    shares = np.ones(len(path.times))
    shares[path.after] = np.abs(weights)
    return np.array([part.sum() for part in parts]), path.pooled(together, shares)


def _smallest_df(estimate: Estimate) -> float | None:
    df = estimate.effects.loc[estimate.effects["term"] == "event", "df"].to_numpy(float)
    df = df[np.isfinite(df)]
    return float(max(df.min(), 1.0)) if df.size else None


def _row(path: EventPath, weights: Array, kind: Kind, bound: float, level: float) -> dict[str, Any]:
    low, high = confidence(path, weights, kind, bound, level)
    inner = identified(path, weights, kind, bound)
    return {
        "bound": bound,
        "conf_low": low,
        "conf_high": high,
        "holds": bool(low > 0 or high < 0),
        "identified_low": inner[0] if math.isfinite(inner[0]) else None,
        "identified_high": inner[1] if math.isfinite(inner[1]) else None,
    }


# -- words -------------------------------------------------------------------------------


def _target_words(target: Target, noun: str) -> str:
    if target == "average":
        return f"average effect over all {noun}s since the start"
    if target == "headline":
        return f"average effect over the {noun}s since the start, by the units that had reached them"
    if target == "first":
        return f"effect in the first {noun}"
    return f"weighted effect over the {noun}s since the start"


def _smooth_sentence(bound: float, noun: str) -> str:
    if bound <= 0:
        return "The finding does not survive if the drift seen before the pilot went on as it was."
    return (
        f"The finding survives a drift that goes on, if its pace changes by up to {bound:.2g} from one "
        f"{noun} to the next."
    )
