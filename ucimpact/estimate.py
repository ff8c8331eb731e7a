"""The one result that every method returns, and the frame in which effects leave a method.

An effect is a row: ``term, estimate, std_error, statistic, df, p_value, conf_low, conf_high``, then
``group, period, event_time`` where they apply, and ``conf_low_simultaneous,
conf_high_simultaneous`` where there is a path. A negative effect is fewer, or lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ucimpact import serialise

EFFECT_COLUMNS = (
    "term",
    "estimate",
    "std_error",
    "statistic",
    "df",
    "p_value",
    "conf_low",
    "conf_high",
)


AGGREGATES = {
    "simple": ("att", "cumulative", "relative"),
    "dynamic": ("dynamic_average", "event"),
    "group": ("group_average", "group"),
    "calendar": ("calendar_average", "calendar"),
}
"""Averages of effects of different starts: the term of the whole, then those of its parts."""


def effects_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Effects as a frame with the one vocabulary; absent cells are ``nan``.

    Raises
    ------
    ValueError
        For a row without a term.
    """
    extra = [name for row in rows for name in row if name not in EFFECT_COLUMNS]
    columns = [*EFFECT_COLUMNS, *dict.fromkeys(extra)]
    if any("term" not in row for row in rows):
        raise ValueError("an effect needs a term")
    return pd.DataFrame([{name: row.get(name, np.nan) for name in columns} for row in rows], columns=columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """What a method found, how sure it is, and how it came to it.

    Attributes
    ----------
    method, estimand, outcome : str
        Key of the register, e.g. ``"did"``; ``"ATT"``; the column analysed.
    scale : str
        ``"identity"`` (natural units) or ``"log"`` (ratios of typical values).
    effects : DataFrame
        One row an effect; the first is the headline.
    cov : array (n_effects, n_effects), optional
        Covariance of those effects that one procedure gave together, in the order of ``effects``;
        ``nan`` where a pair was not estimated together.
    influence : array (n_sampling_units, n_effects), optional
        Influence of each sampling unit on each effect.
    sampling_units : tuple of str
        Names of the rows of ``influence``.
    counterfactual : DataFrame, optional
        ``period, label, since, observed, expected, low, high``: what happened to the pilot and what was
        expected without it.
    counts : dict
        What was used and what was left out, with the reason, under ``left_out``.
    warnings : tuple of str
        What needs care; the report repeats each.
    spec : dict
        The analysis choices, as plain values.
    provenance : dict
        Version, seed.
    draws_from : str
        The procedure that gave the interval, in words.
    extras : dict
        Plain values that a method adds: series for a chart, diagnostics, the rule's account.
    """

    method: str
    estimand: str
    outcome: str
    effects: pd.DataFrame
    scale: str = "identity"
    cov: np.ndarray | None = None
    influence: np.ndarray | None = None
    sampling_units: tuple[str, ...] = ()
    counterfactual: pd.DataFrame | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    spec: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    draws_from: str = ""
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> dict[str, Any]:
        """The one effect a report leads with, as a mapping with the columns of ``effects``."""
        return dict(self.effects.iloc[0])

    def effect(self, term: str) -> dict[str, Any]:
        """The first effect with this term.

        Raises
        ------
        KeyError
            Naming the terms there are.
        """
        found = self.effects.index[self.effects["term"] == term]
        if not len(found):
            there = ", ".join(dict.fromkeys(self.effects["term"]))
            raise KeyError(f"no effect {term!r}; there are: {there}")
        return dict(self.effects.loc[found[0]])

    def aggregate(self, kind: str = "simple") -> Estimate:
        """One way of averaging the effects of starts and periods: the average first, then its parts.

        Parameters
        ----------
        kind : {"simple", "dynamic", "group", "calendar"}
            Over all treated unit-periods; by time since the start; by start; by period.

        Raises
        ------
        KeyError
            For an estimate that does not hold this average.
        """
        terms = AGGREGATES.get(kind)
        have = set(self.effects["term"])
        if terms is None or terms[0] not in have:
            there = ", ".join(name for name, parts in AGGREGATES.items() if parts[0] in have) or "none"
            raise KeyError(f"no average {kind!r} in this estimate; there are: {there}")
        keep = np.concatenate([np.flatnonzero(self.effects["term"] == term) for term in terms])
        part = None if self.cov is None else self.cov[np.ix_(keep, keep)]
        return replace(self, effects=self.effects.iloc[keep].reset_index(drop=True), cov=part)

    def path(self) -> pd.DataFrame:
        """The effects by event time (term ``event``), earliest first; empty where there is no path."""
        rows = self.effects[self.effects["term"] == "event"]
        return rows.sort_values("event_time").reset_index(drop=True) if len(rows) else rows

    def avoided(self) -> dict[str, Any]:
        """The number of events over the pilot so far (term ``cumulative``), with its own interval.

        Raises
        ------
        ValueError
            For an estimate of ratios, which gives per cent and no numbers avoided.
        """
        if self.scale == "log":
            raise ValueError("This analysis is of ratios, so it gives per cent and no numbers avoided.")
        return self.effect("cumulative")

    def summary(self) -> str:
        """The headline in one line, then how it was worked out, then what needs care."""
        head = self.headline
        if np.isfinite(head["conf_low"]):
            interval = f"95% interval {head['conf_low']:.4g} to {head['conf_high']:.4g}"
            if (level := self.spec.get("level", 0.95)) != 0.95:
                interval = interval.replace("95%", f"{level:.0%}")
        else:
            interval = "no interval"
        how = self.draws_from or self.method
        lines = [f"{self.estimand} on {self.outcome}: {head['estimate']:.4g} ({interval}), {how}"]
        lines += [f"Care: {text}" for text in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        import html

        table = self.effects.to_html(index=False, float_format=lambda v: f"{v:.4g}", na_rep="")
        return f"<p>{html.escape(self.summary()).replace(chr(10), '<br>')}</p>{table}"

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain values."""
        names = self.__dataclass_fields__
        return {name: serialise.plain(getattr(self, name)) for name in names}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Estimate:
        """The estimate that :meth:`to_dict` wrote."""
        values = dict(document)
        effects = serialise.frame(values.pop("effects"), EFFECT_COLUMNS)
        assert effects is not None
        for name in ("cov", "influence"):
            if values.get(name) is not None:
                values[name] = np.array(values[name], dtype=float)
        values["counterfactual"] = serialise.frame(values.get("counterfactual"))
        for name in ("sampling_units", "warnings"):
            values[name] = tuple(values.get(name, ()))
        return cls(effects=effects, **values)


DRAWS = 20_020
"""Of so many, the 2.5th and 97.5th hundredths are draws themselves, so that limits come back exactly."""


def share_units(estimates: Sequence[Estimate]) -> bool:
    """Whether all estimates say how much each of the same sampling units moved them."""
    first = estimates[0].sampling_units
    return all(e.influence is not None and len(first) and e.sampling_units == first for e in estimates)


def correlation(estimates: Sequence[Estimate], signs: Sequence[float] | None = None) -> np.ndarray:
    """Correlation of the headline effects, shape (k, k), from what the same sampling units did to each.

    Where they do not share units every pair is taken to move together in the direction of ``signs``, which
    gives the widest range of a sum with those signs.
    """
    k = len(estimates)
    toward = np.sign(np.ones(k) if signs is None else np.asarray(signs, dtype=float))
    if k > 1 and share_units(estimates):
        parts = np.stack([e.influence[:, 0] for e in estimates if e.influence is not None])
        sizes = np.sqrt((parts**2).sum(axis=1))
        if (sizes > 0).all():
            found = np.clip(parts @ parts.T / np.outer(sizes, sizes), -1.0, 1.0)
            np.fill_diagonal(found, 1.0)
            return np.asarray(found)
    return np.asarray(np.outer(toward, toward))


def joint_draws(
    estimates: Sequence[Estimate],
    n: int = DRAWS,
    seed: int = 1,
    *,
    term: str = "cumulative",
    signs: Sequence[float] | None = None,
) -> np.ndarray:
    r"""Draws of several effects together, shape (n, k), that give each printed interval back.

    The margin of each effect is a :math:`t` on the estimate's own degrees of freedom, stretched on either
    side so that its 2.5% and 97.5% points are the printed limits: with :math:`q` the quantile of the draw,

    .. math:: b + \frac{t_q}{t_{0.975}} \cdot
              \begin{cases} high - b & q > 1/2 \\ b - low & q < 1/2 \end{cases}

    The draws are stratified (:math:`q = (i + 1/2)/n`), so a chance read from them agrees with the interval,
    and joined by a Gaussian copula with :func:`correlation`. They are what a flat prior makes of the
    procedure that gave the interval, no more.

    Parameters
    ----------
    signs : sequence of float, optional
        Direction in which each effect enters a sum, for estimates on different sampling units.

    Raises
    ------
    ValueError
        For an effect without limits.
    """
    normal = np.random.default_rng(seed).standard_normal((n, len(estimates)))
    values, vectors = np.linalg.eigh(correlation(estimates, signs))
    joined = normal @ (vectors * np.sqrt(np.clip(values, 0.0, None))).T
    quantiles = (np.arange(n) + 0.5) / n
    out = np.empty((n, len(estimates)))
    for k, estimate in enumerate(estimates):
        row = estimate.effect(term)
        best, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
        if not np.isfinite([best, low, high]).all():
            raise ValueError(f"{estimate.outcome}: there are no draws of an effect without a likely range")
        df = float(row["df"]) if np.isfinite(row["df"]) and row["df"] > 0 else np.inf
        tail = 1 - (1 - float(estimate.spec.get("level", 0.95))) / 2
        unit = stdtrit(df, quantiles) / stdtrit(df, tail)
        sorted_draws = best + unit * np.where(unit > 0, high - best, best - low)
        out[np.argsort(joined[:, k], kind="stable"), k] = sorted_draws
    return out
