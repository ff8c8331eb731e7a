r"""The path of a pilot on counts: by time since the start, before it on two scales, and what was expected.

The path is the regression with an effect for every start and period but one, the last before the start
(Sun and Abraham 2021, with a log link): each start is compared with itself in that period, and the units that
never start say how rates moved. It needs no period before the start to be like another, so what it shows
before the start is a test. A log ratio that has no value where nothing happened has a difference of rates.

**Two scales.** That groups would have moved in parallel is one thing on the log scale (the same per cent) and
another on the level (the same number per 1,000), where they start from different rates. Both are worked out:
the same cells without the pilot, by ratio and by least squares on the rate weighted by people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.errors import EstimationError
from ucimpact.inference.count_effects import (
    Expected,
    Sets,
    expected_by_level,
    found_in,
)
from ucimpact.inference.count_rule import Rule
from ucimpact.inference.paths import enough_shapes, joint_f, polynomials
from ucimpact.methods.count_did_rows import Family, family_of, numbers
from ucimpact.methods.count_did_sample import CountSample

Array = np.ndarray


@dataclass(frozen=True)
class Path:
    """Effects by time since the start.

    Attributes
    ----------
    sample : CountSample
    rule : Rule
    level, ratio : float
    seed : int
    reference : int
        The event time that the others are measured from.
    """

    sample: CountSample
    rule: Rule
    level: float
    ratio: float
    seed: int
    reference: int

    @cached_property
    def at_reference(self) -> Array:
        """The cell that each pilot unit is measured from, its last without the pilot.

        Shape (n_units, n_periods).
        """
        sample = self.sample
        before = np.where(
            sample.counts.seen & (sample.since <= self.reference) & ~sample.counts.never[:, None],
            sample.since,
            -(10**6),
        )
        last = before.max(axis=1, keepdims=True)
        return np.asarray((before == last) & (last > -(10**6)))

    @property
    def moved(self) -> Array:
        """Pilot units that were not seen in the reference period, shape (n_units,)."""
        there = self.at_reference & (self.sample.since != self.reference)
        return np.asarray(there.any(axis=1))

    def warnings(self) -> tuple[str, ...]:
        """Where some units are measured from an earlier period than the others."""
        moved = self.moved
        if not moved.any() or self.family is None:
            return ()
        sample, panel = self.sample, self.sample.panel
        noun = panel.frequency.noun
        starts = sample.sample.start
        whole = [s for s in sample.sample.cohorts if moved[starts == s].all()]
        labels = ", ".join(panel.frequency.label(int(s)) for s in whole)
        number = int(moved.sum())
        of = f"{number} pilot unit{'s' if number > 1 else ''}"
        of += f" (with them all that start in {labels})" if whole else ""
        when = f"the last {noun} before the start" if self.reference == -1 else f"{noun} {self.reference}"
        return (
            f"{of} {'were' if number > 1 else 'was'} not seen in {when}: the path measures "
            f"{'them' if number > 1 else 'it'} from the nearest {noun} before that instead.",
        )

    @cached_property
    def expected(self) -> Expected | None:
        """By ratio, from each unit's reference period and the units that never start."""
        free = self.sample.counts.seen & (self.at_reference | self.sample.counts.never[:, None])
        try:
            found = self.sample.expected_from(free)
        except EstimationError:
            return None
        # one period says little of how much noise it has: the means are those of the whole time before
        steady = self.sample.expected.mean
        mean = np.where(np.isnan(self.sample.expected.value), found.mean, steady)
        moved = found.moved if self.sample.family == "gamma" else np.where(found.free, mean, 0.0)
        return replace(found, mean=mean, moved=moved)

    @cached_property
    def sets(self) -> tuple[Sets, Array]:
        """Cells of each event time, the reference left out."""
        sample = self.sample
        assert self.expected is not None
        there = sample.counts.seen & ~sample.counts.never[:, None] & ~self.at_reference
        there &= ~np.isnan(self.expected.value)
        times, codes = np.unique(sample.since[there], return_inverse=True)
        label = np.full(there.shape, -1)
        label[there] = codes.reshape(-1)
        return Sets(label, len(times)), times

    @cached_property
    def family(self) -> Family | None:
        """The effects, or None where there is no path."""
        if self.expected is None or not self.sets[0].number:
            return None
        return self._family(self.expected)

    @cached_property
    def by_level(self) -> Family | None:
        """The same path where rates, not their logarithms, would have moved in parallel."""
        if self.expected is None or not self.sets[0].number:
            return None
        return self._family(expected_by_level(self.sample.counts, self.expected))

    def _family(self, expected: Expected) -> Family:
        return family_of(
            expected,
            self.sets[0],
            self.rule,
            per=self.sample.per,
            level=self.level,
            ratio=self.ratio,
            held=False,
            seed=self.seed,
        )

    @property
    def times(self) -> Array:
        """Event time of each effect."""
        return self.sets[1]

    # -- rows ----------------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """The terms ``event`` and, where every month has events, ``event_log``."""
        if self.family is None:
            return []
        family, half = self.family, self.family.bands
        out = []
        for k, time in enumerate(self.times):
            found = family.rate
            width = half[k] * family.scale[k]
            out.append(
                {
                    "term": "event",
                    **numbers(found, k),
                    "event_time": int(time),
                    "conf_low_simultaneous": float(np.fmin(found.estimate[k] - width, found.low[k])),
                    "conf_high_simultaneous": float(np.fmax(found.estimate[k] + width, found.high[k])),
                }
            )
        if np.isfinite(family.log.estimate).all():
            for k, time in enumerate(self.times):
                found = family.log
                out.append(
                    {
                        "term": "event_log",
                        **numbers(found, k),
                        "event_time": int(time),
                        "conf_low_simultaneous": float(found.estimate[k] - half[k]),
                        "conf_high_simultaneous": float(found.estimate[k] + half[k]),
                    }
                )
        return out

    def average_row(self) -> list[dict[str, Any]]:
        """The term ``dynamic_average``: the mean over the times since the start."""
        if self.family is None or not (late := self.times >= 0).any():
            return []
        found, _ = self.family.combined(late[None, :] / late.sum())
        return [{"term": "dynamic_average", **numbers(found, 0)}]

    # -- before the start ----------------------------------------------------------------

    def pre_trend(self, family: Family | None) -> dict[str, Any]:
        """Slope before the start, and the joint test of slope, bend and S-bend."""
        noun = self.sample.panel.frequency.noun
        refused = self.rule.refused
        if family is None:
            return {"why": refused or "There is no path over time to compare before the pilot."}
        early = self.times < self.reference
        before = early & np.isfinite(family.rate.std_error)
        starts = len(np.unique(self.sample.counts.cohort[~self.sample.counts.never]))
        groups = np.array(
            [
                len(np.unique(self.sample.counts.cohort[(self.sets[0].label == k).any(axis=1)]))
                for k in range(len(self.times))
            ]
        )
        common = before & (groups == starts)
        usable = common if common.sum() >= 2 else before
        if not usable.any():
            if refused is not None:
                return {"why": refused}
            if early.any():
                return {"why": "The places moved too much alike before the pilot to judge by."}
            return {"why": f"With one {noun} before the pilot there is no path to compare."}
        line = np.append(self.times[usable], self.reference).astype(float)
        middle = line - line.mean()
        rule = self.rule.account
        number = min(enough_shapes(rule["n1"] + rule["n0"], len(line)), len(line) - 1)
        rows = np.zeros((1 + max(number, 0), len(self.times)))
        rows[0, usable] = (middle / (middle**2).sum())[:-1]
        if number > 0:
            rows[1:, usable] = polynomials(line, number)[:, :-1]
        found, correlation = family.combined(rows)
        late = self.times[self.times >= 0]
        half = (family.bands * family.scale)[before] if family is self.family else np.zeros(0)
        known: dict[str, Any] = {
            "slope": float(found.estimate[0]),
            "slope_low": float(found.low[0]),
            "slope_high": float(found.high[0]),
            "slope_at_middle": float(found.estimate[0] * (late.mean() - line.mean())) if len(late) else None,
            "bands_half_width_max": float(np.max(half)) if len(half) else None,
            "leads": [int(t) for t in self.times[usable]],
        }
        if self.rule.refused is not None:
            return {**known, "why": self.rule.refused}
        if number < 1:
            return {**known, "why": "There are too few places to test the path before the pilot."}
        shapes = slice(1, 1 + number)
        tested = found.part(shapes)
        if not np.isfinite(tested.df).all():  # what is borrowed comes from so many places
            tested = replace(tested, df=np.full(number, rule["n1"] + rule["n0"] - 2.0))
        test = joint_f(tested, correlation[shapes, shapes])
        if test is None:
            return {**known, "why": "The places moved too much alike before the pilot to judge by."}
        words = ("slope", "bend", "S-bend")[:number]
        return {
            **known,
            "statistic": test.statistic,
            "df_num": test.df_num,
            "df_den": test.df_den,
            "p_value": test.p_value,
            "procedure": f"F of {', '.join(words)} over the path before the start",
        }

    def scales(self, main: Family, by_level: Family) -> dict[str, Any]:
        """What was found where rates would have moved by the same per cent, or by the same number."""
        out: dict[str, Any] = {}
        for name, whole, path in (
            ("log", main, self.family),
            ("level", by_level, self.by_level),
        ):
            trend = self.pre_trend(path)
            row = numbers(whole.rate, 0)
            out[name] = {
                "effect": row["estimate"],
                "effect_low": row["conf_low"],
                "effect_high": row["conf_high"],
                "effect_p_value": row["p_value"],
                "relative": float(np.expm1(whole.log.estimate[0])),
                "p_value": trend.get("p_value"),
                "why": trend.get("why"),
                **{key: trend.get(key) for key in ("slope", "slope_low", "slope_high", "slope_at_middle")},
            }
        return out


# -- what was expected -----------------------------------------------------------------------


def counterfactual(sample: CountSample, rule: Rule, level: float, ratio: float) -> pd.DataFrame:
    """What happened to the pilot units by time since their start, and what was expected, as rates."""
    counts, since = sample.counts, sample.since
    pilot = counts.seen & ~counts.never[:, None] & ~np.isnan(sample.expected.value)
    parts = []
    for there, of_pilot in ((pilot & sample.free, False), (pilot & (since >= 0), True)):
        if not there.any():
            continue
        times, codes = np.unique(since[there], return_inverse=True)
        label = np.full(there.shape, -1)
        label[there] = codes.reshape(-1)
        sets = Sets(label, len(times))
        found = found_in(sample.expected, sets, ratio if of_pilot else None)
        uncertainty, tau2 = rule.uncertainty(found.contributions)
        family = Family(found, uncertainty, tau2, sample.per, level, ratio if of_pilot else 1.0, False)
        observed = found.observed * family.unit
        half = family.scale * uncertainty.half(level)
        raw = np.where(counts.weights > 0, counts.y / np.where(counts.weights > 0, counts.weights, 1), 0)
        expected = found.expected * family.unit
        parts.append(
            pd.DataFrame(
                {
                    "since": times,
                    "observed": observed,
                    "expected": expected,
                    "low": np.fmax(expected - half, 0.0) if rule.refused is None else np.nan,
                    "high": expected + half if rule.refused is None else np.nan,
                    "events": sets.totals(raw),
                    "units": sets.totals(np.ones_like(raw)),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True).sort_values("since", ignore_index=True)
    panel, starts = sample.panel, np.unique(sample.sample.start[~counts.never])
    if len(starts) == 1 and len(frame) == len(sample.sample.ordinals):
        ordinals = (frame["since"].to_numpy() + int(starts[0])).tolist()
        named = [(panel.frequency.iso(o), panel.frequency.label(o)) for o in ordinals]
    else:
        named = [("", event_label(int(e), panel.frequency.noun)) for e in frame["since"]]
    frame.insert(0, "period", [when for when, _ in named])
    frame.insert(1, "label", [text for _, text in named])
    return frame


def event_label(since: int, noun: str) -> str:
    """A time since the start in words."""
    if since < 0:
        return f"{-since} {noun}{'s' if since < -1 else ''} before"
    return "first" if since == 0 else f"{since} {noun}{'s' if since > 1 else ''} on"


def comparison_rows(sample: CountSample) -> list[dict[str, Any]]:
    """The comparison units' own rate in each period."""
    counts, panel = sample.counts, sample.panel
    rows = []
    y, people = counts.y[counts.never].sum(axis=0), counts.people[counts.never].sum(axis=0)
    for k, ordinal in enumerate(sample.sample.ordinals):
        mean = float(y[k] / people[k] * sample.per) if people[k] > 0 else float("nan")
        label = panel.frequency.label(int(ordinal))
        rows.append({"period": panel.frequency.iso(int(ordinal)), "label": label, "mean": mean})
    return rows


def placebo(sample: CountSample, path: Path, main: Family) -> dict[str, Any]:
    """What each comparison place would have shown with the start of the one pilot place, as rates."""
    others = ~sample.counts.place_pilot
    contributions = main.found.contributions
    rate = float(main.unit[0] * main.found.expected[0])
    names = [sample.sample.place_names[k] for k in np.flatnonzero(others)]
    out: dict[str, Any] = {
        "units": names,
        "estimates": serialise.plain(rate * np.expm1(contributions.drift[0])),
    }
    if path.family is None:
        return out
    paths = (
        path.family.found.contributions.drift * path.family.scale[path.family.found.contributions.row, None]
    )
    return {
        **out,
        "event_time": [int(t) for t in path.times],
        "paths": serialise.plain(paths.T),
    }
