r"""A season from elsewhere, where the series itself has too few years before the start to show one.

**From other series of the same table.** Each is divided by its own mean and the results are averaged, which
leaves one path with what the others share. It is fitted with a trend, a level and a slope change of its own
at the pilot's start (so that nothing that happened there then counts as season) and the waves of the year
:math:`F`, with errors that carry over. The profile :math:`\hat s = F\hat\gamma` enters as one column; its
coefficient is fitted.

Fitted and not fixed at the mean level: over 18 + 12, 15 + 9 and 12 + 12 months, one to eight other series and
autocorrelations of 0 and 0.5, both held at least 93% of the time, but where the own season was 0.6 of the
others' a fixed one made the range for the change at the start half as wide again. Where they were alike
the two were as wide as each other.

**Its own uncertainty.** With :math:`B = (X'\Omega X)^{-1}X'\Omega` and
:math:`V = \operatorname{cov}(\hat\gamma)` the coefficients move by
:math:`\hat c\,BF(\gamma - \hat\gamma)`, which adds to the variance of an effect :math:`a'b`

.. math:: \hat c^2\, a'BF\,V\,F'B'a

and every range is widened by the square root of what that makes of its variance.

**Stated.** Twelve numbers of other years (four for quarters) are taken as known.

What neither can know is whether this series has the season of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from ucimpact.data.calendar import BY_ITSELF, Season, covid_periods, season_columns
from ucimpact.data.series import Series
from ucimpact.inference.fitted_series import FittedSeries
from ucimpact.inference.timeseries import Reml
from ucimpact.methods.design_finding import Finding

if TYPE_CHECKING:
    from ucimpact.methods.its_design import SegmentedDesign
    from ucimpact.methods.series_choices import SegmentedChoices

BORROWED = "season of others"
"""The column of a season from elsewhere among those of the regression."""

PARTS = {"month": 12, "quarter": 4}
"""Numbers in a stated profile."""

YEARS = 2
"""Years in all that the other series have to hold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """A season relative to the mean level: 0.08 is 8% above it.

    Attributes
    ----------
    path : array (n,)
        The season in each period.
    waves : array (n, q)
        What it is made of.
    cov : array (q, q)
        Covariance of the coefficients of the waves.
    season : Season
        What stands for the season, in words.
    """

    path: np.ndarray
    waves: np.ndarray
    cov: np.ndarray
    season: Season

    def adds(self, design: SegmentedDesign, fit: FittedSeries, contrasts: np.ndarray) -> np.ndarray:
        """What not knowing the profile adds to the variance of each contrast, shape (m,)."""
        columns, waves = (fit.whitened(values, design.used) for values in (design.named, self.waves))
        moved = np.linalg.lstsq(columns, waves, rcond=None)[0]
        toward = np.atleast_2d(contrasts)[:, : len(moved)] @ moved
        size = float(fit.coef[design.names.index(BORROWED)])
        return np.asarray(size**2 * ((toward @ self.cov) * toward).sum(axis=1))


def profile(series: Series, choices: SegmentedChoices) -> Profile | None:
    """The season from elsewhere that the choices ask for, or None."""
    if choices.season_from:
        return _from_others(series, choices.season_from)
    if choices.season_profile:
        return _stated(series, choices.season_profile)
    return None


def _from_others(series: Series, columns: Sequence[str]) -> Profile:
    path, known = _shared_path(series, columns)
    waves = np.column_stack(list(_waves(series).values()))
    since, after = series.since, (series.since >= 0).astype(float)
    own = np.column_stack([np.ones(len(since)), since, after, after * since])
    holes = np.eye(len(since))[:, ~known]
    fit = Reml().of(np.where(known, path, 1.0), np.column_stack([waves, own, holes]))
    q = waves.shape[1]
    gamma = fit.coef[:q]
    return Profile(
        path=waves @ gamma,
        waves=waves,
        cov=fit.adjusted_cov[:q, :q],
        season=Season(
            name="borrowed",
            harmonics=0,
            why=f"The season is that of {_listed(columns)}, as large here as this series says.",
            separable=True,
        ),
    )


def _shared_path(series: Series, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the other series, each over its own mean, and the periods in which all are known."""
    values = np.column_stack([series.values(column) for column in columns])
    known = np.isfinite(values).all(axis=1) & ~covid_periods(series.frequency, series.ordinals)
    if not known.any():
        return np.ones(len(values)), known
    return np.asarray((values / values[known].mean(axis=0)).mean(axis=1)), known


def _waves(series: Series) -> dict[str, np.ndarray]:
    return season_columns(series.frequency, series.ordinals, BY_ITSELF.get(series.frequency.kind, "none"))


def _stated(series: Series, numbers: Sequence[float]) -> Profile:
    relative = np.asarray(numbers, dtype=float) / np.mean(numbers) - 1
    path = relative[series.ordinals % len(relative)]
    return Profile(
        path=path,
        waves=np.empty((len(path), 0)),
        cov=np.empty((0, 0)),
        season=Season(
            name="stated",
            harmonics=0,
            why="The season is that which the study states, as large here as this series says.",
            separable=True,
        ),
    )


def season_refusals(series: Series, choices: SegmentedChoices) -> list[Finding]:
    """Why no season can be had from elsewhere."""
    frequency, noun = series.frequency, series.frequency.noun
    found = []
    if choices.season_from and frequency.kind not in BY_ITSELF:
        text = f"season_from: a series of {noun}s has no season to borrow"
        return [Finding("refuse", text, "Take season_from out")]
    if choices.season_profile and len(choices.season_profile) != PARTS.get(frequency.kind):
        wanted = PARTS.get(frequency.kind)
        text = f"season_profile holds {len(choices.season_profile)} numbers for a series of {noun}s"
        way_out = f"Give {wanted}, one for each {noun} of the year" if wanted else "Take it out"
        found.append(Finding("refuse", text, way_out))
    for column in choices.season_from:
        if column == choices.outcome:
            text = f"season_from holds {column}, which is the outcome itself"
            found.append(Finding("refuse", text, "Name other series"))
        elif not _mean(series.values(column)) > 0:
            text = f"{column}, whose season is borrowed, has no mean above 0 to set it against"
            found.append(Finding("refuse", text, "Name series of counts or rates"))
    if not choices.season_from or found:
        return found
    known = int(_shared_path(series, choices.season_from)[1].sum())
    least = int(YEARS * (frequency.per_year or 0))
    if known < least:
        text = (
            f"{known} {noun}s with a value of {_listed(choices.season_from)}, without March 2020 to June "
            f"2021, cannot show their season: two years ({least}) are the least"
        )
        found.append(Finding("refuse", text, "Name series that are longer, or state a season_profile"))
    return found


def season_cautions(choices: SegmentedChoices) -> list[Finding]:
    """What a season from elsewhere takes for granted."""
    if choices.season_from:
        text = (
            f"the season is borrowed from {_listed(choices.season_from)}: the answer holds if this series "
            f"rises and falls through the year as they do"
        )
        found = [Finding("warn", text)]
        if not choices.widens_for_season:
            text = "the range takes the borrowed season as known, and so is somewhat too narrow"
            found.append(Finding("warn", text, "its widens its ranges for it"))
        return found
    if choices.season_profile:
        text = "the season is stated by the study and taken as known: what is wrong with it is in no range"
        return [Finding("warn", text)]
    return []


def widened(row: Mapping[str, Any], adds: float, *, df: int, level: float) -> dict[str, Any]:
    """An effect whose variance is larger by ``adds``; ``df`` stands in where the row has no single t."""
    error = float(row.get("std_error", np.nan))
    if not adds > 0 or not error > 0:
        return dict(row)
    larger = float(np.sqrt(1 + adds / error**2))
    estimate, own_df = float(row["estimate"]), float(row["df"])
    low, high = (estimate + larger * (float(row[name]) - estimate) for name in ("conf_low", "conf_high"))
    toward = estimate - low if estimate > 0 else high - estimate
    nu = own_df if np.isfinite(own_df) else float(df)
    t = abs(estimate) / toward * float(stdtrit(nu, (1 + level) / 2))
    return {
        **row,
        "std_error": error * larger if np.isfinite(own_df) else (high - low) / 2 / ndtri((1 + level) / 2),
        "statistic": float(row["statistic"]) / larger,
        "p_value": 2 * float(stdtr(nu, -t)),
        "conf_low": low,
        "conf_high": high,
    }


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
