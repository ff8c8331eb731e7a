"""Sites fitted, pooled and told: the average in the units of the outcome, and every site beside it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact import serialise
from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.pooling import Pooled, pool
from ucimpact.methods.multi_site_choices import SiteChoices
from ucimpact.methods.multi_site_series import SiteEffect, effect_of, frame_of
from ucimpact.methods.multi_site_sites import LEAST_SITES, Sites
from ucimpact.methods.series_fit import as_counts, as_share

DIFFER = 0.10
FEW = 5
"""Sites under which how much they differ is next to unknown."""

CARRIES = 0.5
"""Share of the weight from which one site leads the average."""

WORDS = {
    "modified": "REML between sites, Hartung-Knapp interval never narrower than the ordinary one",
    "knapp-hartung": "Hartung-Knapp interval",
    "normal": "normal interval",
}


def estimate_of(method: SiteChoices, panel: Panel, sites: Sites, warnings: tuple[str, ...]) -> Estimate:
    """The estimate of sites that can be used.

    Raises
    ------
    EstimationError
        Where fewer than three sites give a finite effect.
    """
    found, failed = _effects(method, sites)
    if len(found) < LEAST_SITES:
        named = "; ".join(f"{row['site']} ({row['reason']})" for row in failed)
        raise EstimationError(f"{len(found)} sites gave an effect, and {LEAST_SITES} are the least: {named}")
    if failed:
        named = "; ".join(f"{row['site']} ({row['reason']})" for row in failed)
        warnings += (f"{len(failed)} sites gave no effect and are left out: {named}.",)
    found.sort(key=lambda one: (one.estimate, one.site.name))
    pooled = pool(
        np.array([one.estimate for one in found]),
        np.array([one.std_error for one in found]) ** 2,
        estimator=method.pooling,
        adjust=method.interval,
    )
    told = Told(method=method, scale=sites.scale, found=found, pooled=pooled)
    starts = sorted({one.site.start for one in found})
    frequency = panel.frequency
    noun = frequency.noun
    left_out = [*sites.left_out, *({"n": 1, "reason": f"{r['site']}: {r['reason']}"} for r in failed)]
    periods = int(sum(one.site.told.sum() for one in found))
    return Estimate(
        method="multi-site-its",
        estimand="mean effect over sites like these",
        outcome=method.outcome,
        effects=effects_frame(told.rows()),
        influence=told.influence(),
        sampling_units=tuple(one.site.name for one in found),
        counterfactual=frame_of(found, one_start=len(starts) == 1, noun=noun, level=method.level),
        counts=panel.counts()
        | {
            "pilot_units": len(found),
            "pilot_periods": periods,
            "sites": len(found),
            "sites_refused": len(sites.refused) + len(failed),
            "left_out": left_out,
        },
        warnings=warnings + tuple(told.care()),
        spec={f.name: serialise.plain(getattr(method, f.name)) for f in fields(method)},
        draws_from=f"{WORDS[method.interval]}, t on {pooled.df:.0f} degrees of freedom"
        if np.isfinite(pooled.df)
        else WORDS[method.interval],
        extras=serialise.plain(
            {
                "noun": noun,
                "compared": False,
                "scale_pooled": sites.scale,
                "starts": [
                    {
                        "start": frequency.iso(start),
                        "label": frequency.label(start),
                        "units": sum(one.site.start == start for one in found),
                    }
                    for start in starts
                ],
                "observed": told.seen,
                "before": int(np.median([one.site.design.before.sum() for one in found])),
                "after": int(np.median([one.site.design.after.sum() for one in found])),
                "season": told.season(),
                **told.account(),
            }
        ),
    )


def _effects(method: SiteChoices, sites: Sites) -> tuple[list[SiteEffect], list[dict[str, str]]]:
    found, failed = [], []
    for site in sites.used:
        try:
            one = effect_of(site, scale=sites.scale, level=method.level)
        except EstimationError as error:
            failed.append({"site": site.name, "reason": str(error)})
            continue
        if np.isfinite(one.estimate) and np.isfinite(one.std_error) and one.std_error > 0:
            found.append(one)
        else:
            reason = "what was expected is not above 0" if sites.scale == "log" else "its range has no width"
            failed.append({"site": site.name, "reason": reason})
    return found, failed


class Told:
    """A pooled effect in the units of the outcome.

    Parameters
    ----------
    method : SiteChoices
    scale : {"log", "identity"}
    found : list of SiteEffect
        In the order of ``pooled``.
    pooled : Pooled
    """

    def __init__(self, *, method: SiteChoices, scale: str, found: list[SiteEffect], pooled: Pooled) -> None:
        self.method, self.scale, self.found, self.pooled = method, scale, found, pooled
        self.people = float(sum(one.site.people[one.site.told].sum() for one in found))
        self.events = float(sum(one.site.events[one.site.told].sum() for one in found))
        low, high = pooled.limits(method.level)[0]
        self.head = _row(pooled.estimate, pooled.std_error, pooled.df, float(pooled.p_values[0]), low, high)

    @property
    def seen(self) -> float:
        """What was observed with the pilot, in units of the outcome."""
        return self.events / self.people

    def rows(self) -> list[dict[str, Any]]:
        """``att``, ``cumulative``, ``relative``, ``prediction``, then the sites from the least effect up."""
        low, high = self.pooled.prediction(self.method.level)
        reach = {**self.head, "conf_low": low, "conf_high": high, "p_value": np.nan, "statistic": np.nan}
        reach |= {"std_error": float(np.hypot(np.sqrt(self.pooled.tau2), self.pooled.std_error))}
        reach |= {"df": self.pooled.residual_df - 1.0}
        rows = [
            self._in_units(self.head, "att", self.seen),
            self._in_units(self.head, "cumulative", self.events, times=self.people),
            self._share(self.head),
        ]
        rows.append(self._in_units(reach, "prediction", self.seen))
        if self.scale == "log":
            rows.append({"term": "log_average", **self.head})
        for one, weight in zip(self.found, self.pooled.weights, strict=True):
            alone = _row(one.estimate, one.std_error, one.df, np.nan, one.low, one.high)
            seen = float(one.site.events[one.site.told].sum() / one.site.people[one.site.told].sum())
            rows.append(
                self._in_units(alone, "site", seen) | {"group": one.site.name, "weight": float(weight)}
            )
        return rows

    def _in_units(
        self, row: dict[str, Any], term: str, seen: float, times: float | None = None
    ) -> dict[str, Any]:
        if self.scale == "log":
            return as_counts(row, seen, term)
        times = 1.0 if times is None else times
        scaled = {name: row[name] * times for name in ("estimate", "std_error", "conf_low", "conf_high")}
        return {**row, **scaled, "term": term}

    def _share(self, row: dict[str, Any]) -> dict[str, Any]:
        """The effect as a share of what was expected."""
        if self.scale == "log":
            return as_share(row)
        values = {name: row[name] for name in ("conf_low", "estimate", "conf_high")}
        if self.seen - max(values.values()) <= 0 or self.seen < 0:
            return {"term": "relative", "estimate": np.nan}
        share = {name: value / (self.seen - value) for name, value in values.items()}
        error = row["std_error"] * self.seen / (self.seen - row["estimate"]) ** 2
        return {**row, **share, "std_error": error, "term": "relative"}

    def influence(self) -> np.ndarray:
        """What each site adds to the average, shape (n_sites, 1)."""
        moved = self.pooled.weights * (self.pooled.y - self.pooled.estimate)
        slope = self.seen * np.exp(-self.pooled.estimate) if self.scale == "log" else 1.0
        return np.asarray(slope * moved)[:, None]

    def account(self) -> dict[str, Any]:
        """Everything about the pooling, on the scale on which sites were pooled."""
        pooled, level = self.pooled, self.method.level
        low, high = pooled.tau2_limits(level)
        reach = pooled.prediction(level)
        every = zip(self.found, pooled.weights, strict=True)
        try:
            z, p = pooled.egger()
            small: dict[str, Any] | None = {"statistic": z, "p_value": p}
        except EstimationError:
            small = None
        return {
            "sites": [
                {
                    "site": one.site.name,
                    "start": one.site.series.frequency.label(one.site.start),
                    "estimate": one.estimate,
                    "low": one.low,
                    "high": one.high,
                    "weight": float(weight),
                    "before": int(one.site.design.before.sum()),
                    "after": int(one.site.design.after.sum()),
                    "rho": one.rho,
                    "route": one.route,
                }
                for one, weight in every
            ],
            "pooled": {
                "scale": self.scale,
                **{name: self.head[key] for name, key in NAMES.items()},
                "prediction_low": reach[0] if np.isfinite(reach[0]) else None,
                "prediction_high": reach[1] if np.isfinite(reach[1]) else None,
            },
            "heterogeneity": {
                "tau2": pooled.tau2,
                "tau2_se": pooled.tau2_se,
                "tau2_low": low,
                "tau2_high": high,
                "tau": float(np.sqrt(pooled.tau2)),
                "i2": pooled.i2,
                "h2": pooled.h2,
                "q": pooled.q,
                "q_df": pooled.residual_df,
                "q_p_value": pooled.q_p_value,
                "careful_p_value": self.careful,
                "scale": pooled.scale,
            },
            "leave_one_out": self._without(),
            "small_sites": small,
        }

    @property
    def careful(self) -> float:
        """Chance of a scatter as large, with the variance that each site's own interval stands for.

        Standard errors from a few years are too small as often as too large, and Q counts each of the former:
        with those by REML it rejects at 5% in 9% to 23% of cases without any difference.
        """
        wide = [(one.high - one.low) / 2 / float(ndtri((1 + self.method.level) / 2)) for one in self.found]
        return pool(self.pooled.y, np.square(wide), estimator="fixed").q_p_value

    def _without(self) -> list[dict[str, Any]]:
        """The average without each site in turn, on the scale of the pooling."""
        if self.pooled.k <= LEAST_SITES:
            return []
        rows = []
        for one, rest in zip(self.found, self.pooled.leave_one_out(), strict=True):
            low, high = rest.limits(self.method.level)[0]
            rows.append({"site": one.site.name, "estimate": rest.estimate, "low": low, "high": high})
        return rows

    def season(self) -> dict[str, Any]:
        """What stands for the season at the sites: that of the site with the least before its start."""
        least = min(self.found, key=lambda one: int(one.site.design.before.sum()))
        season = least.site.design.season
        told = {"name": season.name, "harmonics": season.harmonics, "why": season.why}
        return told if season.separable is None else told | {"separable": season.separable}

    def care(self) -> list[str]:
        """What the result itself says to be careful about."""
        pooled, texts = self.pooled, []
        if pooled.k < FEW:
            texts.append(
                f"{pooled.k} sites are few to show how far the effect differs from site to site, which the "
                f"likely range and the range for another site lean on."
            )
        if self.careful < DIFFER:
            texts.append(
                f"The effect differs between sites by more than chance (I squared {pooled.i2:.0%}): the "
                f"average need not hold at any one of them."
            )
        top = int(np.argmax(pooled.weights))
        if pooled.weights[top] > CARRIES:
            texts.append(
                f"{self.found[top].site.name} alone has {pooled.weights[top]:.0%} of the weight in the "
                f"average."
            )
        if len({one.site.start for one in self.found}) == 1:
            texts.append(
                "All sites start at the same date: what came to all of them then cannot be told from the "
                "pilot."
            )
        else:
            texts.append(
                "Each site is held against its own past, and none without the pilot stands beside them: a "
                "change that came to all sites at once counts as effect."
            )
        return texts


NAMES = {"estimate": "estimate", "low": "conf_low", "high": "conf_high", "p_value": "p_value", "df": "df"}


def _row(estimate: float, error: float, df: float, p_value: float, low: float, high: float) -> dict[str, Any]:
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": estimate / error if error > 0 else np.nan,
        "df": df if np.isfinite(df) else np.nan,
        "p_value": p_value,
        "conf_low": float(low),
        "conf_high": float(high),
    }
