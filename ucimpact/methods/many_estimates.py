"""The effects of many series, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ucimpact import serialise
from ucimpact.errors import UsageError
from ucimpact.inference.many_effects import (
    OVERDISPERSION,
    any_false,
    false_discovery,
    funnel_spread,
    shrink,
)
from ucimpact.methods.its_many_effects import NUMBERS

SHOWN = ("term", *NUMBERS, "event_time", "route", "warnings")
"""Columns of the effects after those that tell series apart."""

ROWS_SHOWN = 20
"""Series that a notebook shows."""

FUNNEL_LEVELS = (0.95, 0.998)
FUNNEL_POINTS = 100


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ManyEstimates:
    """What was found for each of many series.

    Attributes
    ----------
    effects : DataFrame
        One row a series and term: the columns that tell series apart, ``term, estimate, std_error, df,
        p_value, conf_low, conf_high, route, warnings``. ``df`` is empty where no single t gave the
        limits; ``std_error`` is then half their width over the normal quantile. ``route`` names the
        procedure, ``warnings`` is the number of cautions for that series.
    by : tuple of str
        The columns that tell series apart.
    refused : DataFrame
        Series without an answer: those columns and ``reason``.
    cautions : DataFrame
        ``caution, series``: what the design of some series calls for, and how many they are.
    level : float
        Coverage of the limits.
    spec : dict
        The method's choices.
    counts : dict
        Series in the table, fitted and refused.
    """

    effects: pd.DataFrame
    by: tuple[str, ...]
    refused: pd.DataFrame
    cautions: pd.DataFrame
    level: float
    spec: dict[str, Any]
    counts: dict[str, int]

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        lines = html.escape(self.summary()).replace("\n", "<br>")
        headline = self.effects if not self.terms else self.effects[self.effects["term"] == self.terms[0]]
        table = headline.to_html(
            index=False, max_rows=ROWS_SHOWN, float_format=lambda v: f"{v:.4g}", na_rep=""
        )
        return f"<p>{lines}</p>{table}"

    @property
    def terms(self) -> list[str]:
        """The effects there are, the headline first."""
        return [str(term) for term in self.effects["term"].cat.categories]

    def to_frame(self) -> pd.DataFrame:
        """A copy of :attr:`effects`."""
        return self.effects.copy()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        names = ("by", "level", "spec", "counts", "cautions", "refused", "effects")
        return {name: serialise.plain(getattr(self, name)) for name in names}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ManyEstimates:
        """The result that :meth:`to_dict` wrote."""
        by = tuple(plain["by"])
        columns = {"effects": (*by, *SHOWN), "refused": (*by, "reason"), "cautions": ("caution", "series")}
        tables: dict[str, pd.DataFrame] = {}
        for name, wanted in columns.items():
            found = serialise.frame(list(plain[name]), wanted)
            assert found is not None  # a list is never None
            tables[name] = found
        effects = tables["effects"]
        for name in ("term", "route"):
            effects[name] = pd.Categorical(effects[name], categories=effects[name].unique())
        return cls(
            effects=effects,
            by=by,
            refused=tables["refused"],
            cautions=tables["cautions"],
            level=plain["level"],
            spec=plain["spec"],
            counts=plain["counts"],
        )

    def reasons(self) -> pd.Series:
        """How many series were refused, by reason, most first."""
        return self.refused["reason"].value_counts()

    def summary(self) -> str:
        """A few lines for a person."""
        lines = [f"{self.counts['fitted']:,} of {self.counts['series']:,} series have an answer."]
        lines += [f"  {count:,} refused: {reason}" for reason, count in self.reasons().items()]
        lines += [f"  {n:,} need care: {text}" for text, n in self.cautions.itertuples(index=False)]
        return "\n".join(lines)

    def of(self, term: str | None = None, event_time: float | None = None) -> pd.DataFrame:
        """The rows of one term, the headline if none is named, where there is a number and a range.

        Parameters
        ----------
        term : str, optional
        event_time : float, optional
            Periods since the start, for effects in one period (``effect_at``).

        Raises
        ------
        UsageError
            Naming the terms, or the periods, there are.
        """
        if not self.terms:
            raise UsageError("no series has an answer; see reasons() for why")
        term = self.terms[0] if term is None else term
        if term not in self.terms:
            raise UsageError(f"no effect {term!r}; there are: {', '.join(self.terms)}")
        rows = self.effects.loc[self.effects["term"] == term]
        times = sorted(rows["event_time"].dropna().unique())
        if times and event_time not in times:
            there = ", ".join(f"{time:g}" for time in times)
            raise UsageError(f"{term} is an effect in one period: give event_time, one of: {there}")
        if times:
            rows = rows.loc[rows["event_time"] == event_time]
        known = np.isfinite(rows["estimate"]) & np.isfinite(rows["conf_low"]) & np.isfinite(rows["conf_high"])
        kept: pd.DataFrame = rows.loc[known & (rows["conf_high"] > rows["conf_low"])]
        return kept.reset_index(drop=True)

    def adjusted(self, term: str | None = None, event_time: float | None = None) -> pd.DataFrame:
        """The rows of one term with ``q_value`` (share of false findings) and ``p_holm``, least first.

        Both are over all series that have the term. Effects that are 0 in truth are expected to make up
        a tenth of those with ``q_value`` under 0.1; ``p_holm`` guards against any at all.
        """
        rows = self.of(term, event_time)
        p_values = rows["p_value"].to_numpy()
        rows = rows.assign(q_value=false_discovery(p_values), p_holm=any_false(p_values))
        return rows.sort_values("p_value", kind="stable").reset_index(drop=True)

    def shrunken(self, term: str | None = None, event_time: float | None = None) -> pd.DataFrame:
        """Each effect in the light of all: drawn to their average, the less sure the more.

        The rows of one term with ``shrunken, shrunken_error, shrunken_low, shrunken_high`` and ``kept``, the
        share of its distance from the average that is kept. The average, its standard error and the
        variance between effects are in ``attrs``: ``mean, mean_error, tau2``. Series are taken as
        independent, and the outcome as one with the same unit throughout: choose ``relative`` where sizes
        differ.

        Raises
        ------
        EstimationError
            For fewer than three series.
        """
        rows = self.of(term, event_time)
        found = shrink(rows["estimate"].to_numpy(), self._errors(rows))
        half = ndtri((1 + self.level) / 2) * found.std_errors
        rows = rows.assign(
            shrunken=found.effects,
            shrunken_error=found.std_errors,
            shrunken_low=found.effects - half,
            shrunken_high=found.effects + half,
            kept=found.kept,
        )
        rows.attrs = {"mean": found.mean, "mean_error": found.mean_error, "tau2": found.tau2}
        return rows

    def funnel(
        self, term: str | None = None, event_time: float | None = None, *, overdispersion: str = "additive"
    ) -> Funnel:
        """Each effect against what chance, and ordinary difference between series, allow at its precision.

        Parameters
        ----------
        term, event_time : str, float, optional
            As in :meth:`of`.
        overdispersion : {"additive", "multiplicative", "none"}
            How limits are widened where effects differ more than chance allows: by a variance added to
            all, by a factor, or not.

        Raises
        ------
        UsageError
            For another ``overdispersion``, or a term without a series.
        """
        if overdispersion not in OVERDISPERSION:
            choices = ", ".join(OVERDISPERSION)
            raise UsageError(f'overdispersion = "{overdispersion}" is not known; choose one of: {choices}')
        rows = self.of(term, event_time)
        if not len(rows):
            raise UsageError("no series has this effect: there is nothing to draw")
        estimate, error = rows["estimate"].to_numpy(), self._errors(rows)
        spread = funnel_spread(estimate, error, overdispersion=overdispersion)
        z = (estimate - spread.centre) / spread.allowed(error)
        points = rows[[*self.by, "term", "estimate"]].assign(funnel_error=error, z=z)
        for level in FUNNEL_LEVELS:
            points[f"outside_{_per_cent(level)}"] = np.abs(z) > ndtri((1 + level) / 2)
        along = np.linspace(0, float(error.max()), FUNNEL_POINTS)
        limits = pd.DataFrame({"funnel_error": along})
        for level in FUNNEL_LEVELS:
            half = ndtri((1 + level) / 2) * spread.allowed(along)
            limits[f"low_{_per_cent(level)}"] = spread.centre - half
            limits[f"high_{_per_cent(level)}"] = spread.centre + half
        return Funnel(
            centre=spread.centre,
            dispersion=spread.dispersion,
            tau2=spread.tau2,
            factor=spread.factor,
            points=points,
            limits=limits,
        )

    def _errors(self, rows: pd.DataFrame) -> np.ndarray:
        """Half the width of each range over the normal quantile: one scale for every procedure."""
        width = (rows["conf_high"] - rows["conf_low"]).to_numpy()
        return np.asarray(width / 2 / ndtri((1 + self.level) / 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Funnel:
    """What a funnel plot shows, as data.

    Attributes
    ----------
    centre : float
        The average effect, weighted by precision.
    dispersion : float
        1 where chance explains how far effects lie apart.
    tau2, factor : float
        What was added to each variance, and what it was multiplied by.
    points : DataFrame
        One row a series: ``estimate, funnel_error, z, outside_95, outside_99_8``.
    limits : DataFrame
        ``funnel_error, low_95, high_95, low_99_8, high_99_8``, from precise to vague.
    """

    centre: float
    dispersion: float
    tau2: float
    factor: float
    points: pd.DataFrame
    limits: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        names = ("centre", "dispersion", "tau2", "factor", "points", "limits")
        return {name: serialise.plain(getattr(self, name)) for name in names}


def _per_cent(level: float) -> str:
    return f"{100 * level:g}".replace(".", "_")
