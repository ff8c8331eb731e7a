"""Sites fitted, added up, pooled and told: the total, the average over sites, and every site beside them."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ucimpact import serialise
from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.pooling import Pooled, pool
from ucimpact.methods.multi_site_choices import SiteChoices
from ucimpact.methods.multi_site_series import SiteEffect, effect_of, frame_of
from ucimpact.methods.multi_site_shared import Months, Shared, shared
from ucimpact.methods.multi_site_sites import LEAST_SITES, Sites
from ucimpact.methods.multi_site_total import Total
from ucimpact.methods.series_fit import as_counts, as_share

DIFFER = 0.10
FEW = 5
"""Sites under which how much they differ is next to unknown."""

CARRIES = 0.5
"""Share of the weight from which one site leads the average."""

WIDER = 1.25
"""Times as wide as with independent sites from which what they share is told."""

APART = 0.25
"""Share of the larger by which the sites added up and their average lie apart before it is told."""


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
        estimand="effect at the sites that took part, added up",
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
        draws_from=told.draws_from,
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
    """Sites added up, and pooled, in the units of the outcome.

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
        self.total = Total.of(found, scale)
        self.head = self._widened(
            self.total.estimate, self.total.half(method.level), self.total.df, self.alike
        )
        low, high = pooled.limits(method.level)[0]
        self.mean = self._widened(pooled.estimate, (high - low) / 2, pooled.df, self.alike_mean)

    @property
    def errors(self) -> np.ndarray:
        """Standard error of each site's effect, shape (k,)."""
        return np.asarray(np.sqrt(self.pooled.v))

    @cached_property
    def months(self) -> Months:
        """What the sites left over, in calendar time."""
        return Months.of(self.found)

    @cached_property
    def alike(self) -> Shared:
        """What the sum of the sites has in it that comes to all of them."""
        level, total = self.method.level, self.total
        return shared(self.months, total.weights, self.errors, half=total.half(level), level=level)

    @cached_property
    def alike_mean(self) -> Shared:
        """The same of the average over sites."""
        weights, level = self.pooled.weights, self.method.level
        half = float(ndtri((1 + level) / 2) * np.sqrt((weights**2) @ self.pooled.v))
        return shared(self.months, weights, self.errors, half=half, level=level)

    def _widened(self, estimate: float, half: float, df: float, more: Shared) -> dict[str, Any]:
        """A row whose squared half-width has what comes to all sites added to it."""
        half = float(np.sqrt(half**2 + more.excess))
        level = (1 + self.method.level) / 2
        error = half / float(ndtri(level) if np.isinf(df) else stdtrit(df, level))
        z = -abs(estimate) / error
        p_value = float(2 * (ndtr(z) if np.isinf(df) else stdtr(df, z)))
        return _row(estimate, error, df, p_value, estimate - half, estimate + half)

    @property
    def widened(self) -> float:
        """Times as wide as with independent sites."""
        half = self.total.half(self.method.level)
        return float(np.sqrt(1 + self.alike.excess / half**2))

    @property
    def draws_from(self) -> str:
        """How the likely range came about."""
        return (
            f"sites added up, t on {self.total.df:.0f} degrees of freedom (Satterthwaite), for what comes to "
            f"all of them {self.widened:.1f} times as wide as for independent sites"
        )

    @property
    def seen(self) -> float:
        """What was observed with the pilot, in units of the outcome."""
        return self.events / self.people

    def rows(self) -> list[dict[str, Any]]:
        """The sites added up; their average; another site; then each from the least effect up."""
        reach = dict(zip(("conf_low", "conf_high"), self.reach, strict=True))
        error = float(np.hypot(np.sqrt(self.pooled.tau2), self.mean["std_error"]))
        another = {**self.mean, **reach, "p_value": np.nan, "statistic": np.nan, "std_error": error}
        another |= {"df": self.pooled.residual_df - 1.0}
        rows = [
            self._in_units(self.head, "att", self.seen),
            self._in_units(self.head, "cumulative", self.events, times=self.people),
            self._share(self.head),
        ]
        if self.scale == "log":
            rows.append({"term": "log_average", **self.head})
            rows += [as_share(self.mean, "site_average"), {"term": "log_site_average", **self.mean}]
        else:
            rows.append({**self.mean, "term": "site_average"})
        rows.append(self._in_units(another, "prediction", self.seen))
        for one, weight in zip(self.found, self.pooled.weights, strict=True):
            alone = _row(one.estimate, one.std_error, one.df, np.nan, one.low, one.high)
            seen = float(one.site.events[one.site.told].sum() / one.site.people[one.site.told].sum())
            rows.append(
                self._in_units(alone, "site", seen) | {"group": one.site.name, "weight": float(weight)}
            )
        return rows

    @property
    def reach(self) -> tuple[float, float]:
        """Where the effect at another such site would lie, what is shared included."""
        low, high = self.pooled.prediction(self.method.level)
        half = float(np.sqrt(((high - low) / 2) ** 2 + self.alike_mean.excess))
        return self.pooled.estimate - half, self.pooled.estimate + half

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
        """What each site adds to the effect in all, shape (n_sites, 1)."""
        moved = self.total.weights * (self.pooled.y - self.total.estimate)
        slope = self.seen * np.exp(-self.total.estimate) if self.scale == "log" else 1.0
        return np.asarray(slope * moved)[:, None]

    def account(self) -> dict[str, Any]:
        """Everything about the pooling, on the scale on which sites were pooled."""
        pooled, level = self.pooled, self.method.level
        low, high = pooled.tau2_limits(level)
        reach = self.reach
        every = zip(self.found, pooled.weights, self.total.weights, strict=True)
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
                    "share": float(share),
                    "before": int(one.site.design.before.sum()),
                    "after": int(one.site.design.after.sum()),
                    "rho": one.rho,
                    "route": one.route,
                }
                for one, weight, share in every
            ],
            "total": {"scale": self.scale, **{name: self.head[key] for name, key in NAMES.items()}},
            "shared": {
                "correlation": self.months.correlation,
                "widened": self.widened,
                "variance_ratio": self.widened**2,
                "one_series_half_width": self.alike.half,
                "left_by_starts": self.alike.kappa,
            },
            "pooled": {
                "scale": self.scale,
                **{name: self.mean[key] for name, key in NAMES.items()},
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
                f"range of their average and the range for another site lean on."
            )
        if self.careful < DIFFER:
            texts.append(
                f"The effect differs between sites by more than chance (I squared {pooled.i2:.0%}): the "
                f"average need not hold at any one of them."
            )
        for weights, what in ((self.total.weights, "total"), (pooled.weights, "average over sites")):
            top = int(np.argmax(weights))
            if weights[top] > CARRIES:
                texts.append(
                    f"{self.found[top].site.name} alone has {weights[top]:.0%} of the weight in the {what}."
                )
        texts += self._apart() + self._together()
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

    def _apart(self) -> list[str]:
        """Whether the sites added up and their average say different things."""
        total, mean = self.total.estimate, self.pooled.estimate
        wide = np.array([(one.high - one.low) / 2 for one in self.found])
        chance = float(np.sqrt(((self.total.weights - self.pooled.weights) ** 2) @ wide**2))
        if abs(total - mean) <= max(chance, APART * max(abs(total), abs(mean))):
            return []
        told, other = (
            f"{np.expm1(value):.1%}" if self.scale == "log" else f"{value:.3g}" for value in (total, mean)
        )
        return [
            f"Large sites and small ones changed unlike: in all sites added up the change is {told}, on "
            f"average over sites {other}. The total is what happened at these sites; neither is the change "
            f"at a site of any size."
        ]

    def _together(self) -> list[str]:
        """Whether what comes to all sites makes the range wider."""
        if self.widened < WIDER:
            return []
        if not self.months.alike:
            return [
                f"The sites added up vary more than sites with nothing in common would: the likely range is "
                f"{self.widened:.1f} times as wide for that."
            ]
        return [
            f"The sites go up and down together (mean correlation of what is left over "
            f"{self.months.correlation:.2f}): more sites do not average that out, and the likely range is "
            f"{self.widened:.1f} times as wide as for sites with nothing in common."
        ]


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
