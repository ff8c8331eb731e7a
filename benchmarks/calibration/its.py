"""Interrupted time series of Gaussian months and of counts, by the methods' defaults and by peers' ways.

What is asked: how often does a nominal 95% interval hold what was planted? Under errors of a higher order
than the default fits, how often does it where the estimate says nothing against itself?
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.calibration import series_peers as peers
from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from benchmarks.calibration.series import CountMonths, Drawn, GaussianMonths
from ucimpact.methods import build

DRAWS = 1_000
COUNT_DRAWS = 400
RHOS = (-0.2, 0.0, 0.3, 0.6, 0.8)
TERMS = ("level_change", "slope_change", "average", "cumulative")
LOG_TERMS = ("log_level_change", "log_slope_change", "log_average")


def ours(drawn: Drawn) -> Iterator[Record]:
    """Whether each interval of the default holds what was planted, and whether the estimate warns of it."""
    estimate = build("its", {}, outcome="y").fit(drawn.series)
    warned = any("still has a pattern" in text for text in estimate.warnings)
    for term, value in drawn.truth.items():
        effect = estimate.effect(term)
        held = bool(effect["conf_low"] <= value <= effect["conf_high"])
        record: Record = {"term": term, "coverage": held, "warned": warned}
        record["width"] = effect["conf_high"] - effect["conf_low"]
        record["bias"] = effect["estimate"] - value
        if not warned:
            record["coverage unwarned"] = held
        yield record


def our_counts(drawn: Drawn) -> Iterator[Record]:
    """Whether each interval of the default for counts holds what was planted."""
    estimate = build("count-its", {}, outcome="y").brief(drawn.series)
    for term, value in drawn.truth.items():
        effect = estimate.effect(term)
        held = bool(effect["conf_low"] <= value <= effect["conf_high"])
        width = effect["conf_high"] - effect["conf_low"]
        yield {"term": term, "coverage": held, "width": width, "bias": effect["estimate"] - value}


GAUSSIAN = (
    Method(name="its", read=ours),
    Method(name="OLS", read=peers.least_squares, package="statsmodels"),
    Method(name="OLS, Newey-West", read=peers.newey_west, package="statsmodels"),
    Method(name="GLSAR", read=peers.glsar, package="statsmodels"),
    Method(name="SARIMAX", read=peers.sarimax, package="statsmodels", most=100),
    Method(name="CausalPy", read=peers.causalpy, package="causalpy", most=200),
)
COUNTED = (
    Method(name="count-its", read=our_counts),
    Method(name="quasi-Poisson", read=peers.quasi_poisson, package="statsmodels"),
    Method(name="Poisson, Newey-West", read=peers.poisson_newey_west, package="statsmodels"),
)


def _gaussian(months: int, rho: float) -> Cell:
    low, high = (0.91, 0.98) if months < 48 else (0.93, 0.975)
    return Cell(
        name=f"{months} months, AR(1) {rho:g}",
        process=GaussianMonths(months=months, rho=rho),
        methods=GAUSSIAN,
        draws=DRAWS,
        targets=(
            Target(measure="coverage", low=low, high=high, terms=TERMS),
            Target(measure="warned", high=0.10),
        ),
    )


def _wrong_order(months: int, law: str, rho: float) -> Cell:
    said = {"ar2": "AR(2), neighbours", "noise": "AR(1) plus 40% noise,"}[law]
    return Cell(
        name=f"{months} months, {said} {rho:g}",
        process=GaussianMonths(months=months, rho=rho, law=law),
        methods=GAUSSIAN,
        draws=DRAWS,
        targets=(Target(measure="coverage unwarned", low=0.91, terms=TERMS),),
    )


def _counts(months: int, mean: float, dispersion: float, rho: float) -> Cell:
    targets = (Target(measure="coverage", low=0.90, high=0.99, terms=LOG_TERMS),) if months >= 48 else ()
    return Cell(
        name=f"{months} months, mean {mean:g}, dispersion {dispersion:g}, AR(1) {rho:g}",
        process=CountMonths(months=months, mean=mean, dispersion=dispersion, rho=rho),
        methods=COUNTED,
        draws=COUNT_DRAWS,
        targets=targets,
    )


FAMILIES = (
    Family(
        name="its",
        title="Interrupted time series, Gaussian (covered: 24 months 91% to 98%, from 48 93% to 97.5%)",
        about="A rising line with errors of standard deviation 1, a level and a slope change; 60% of the "
        "months lie before. Under AR(1) at most 10% may be warned; under AR(2) and AR(1) plus noise 91% are "
        "to be covered where nothing is said against the interval.",
        cells=tuple(_gaussian(months, rho) for months in (24, 48, 96, 192) for rho in RHOS)
        + tuple(
            _wrong_order(months, law, rho)
            for law in ("ar2", "noise")
            for months in (48, 96, 192)
            for rho in (0.3, 0.6)
        ),
        layout="methods across",
    ),
    Family(
        name="its-counts",
        title="Interrupted time series, counts (covered in 90% to 99% from 48 months)",
        about="Counts of a list that grows, with a latent AR(1) log rate of standard deviation 0.1, a winter "
        "from 48 months on, a level change of -0.1 and a slope change of -0.05 a year on the log scale. "
        "log_average is the log ratio of the totals after the start.",
        cells=tuple(
            _counts(months, mean, dispersion, rho)
            for months in (24, 48, 96, 192)
            for mean in (5, 20, 200)
            for dispersion in (1, 3)
            for rho in RHOS
        ),
        layout="methods across",
    ),
)
