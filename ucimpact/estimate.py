"""The one result that every method returns, and the frame in which effects leave a method.

An effect is a row: ``term, estimate, std_error, statistic, df, p_value, conf_low, conf_high``, then
``group, period, event_time`` where they apply, and ``conf_low_simultaneous,
conf_high_simultaneous`` where there is a path. A negative effect is fewer, or lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

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
