"""Difference-in-differences with few pilots: common and staggered starts, Gaussian and counts.

What is asked: with nothing planted, how often is p below 0.05? With an effect, how often is it found,
and how often does the interval hold it? The earlier cells, of 40 and 12 units with other lists, stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.calibration import peers
from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from benchmarks.calibration.headlines import headline
from benchmarks.calibration.panels import Drawn, Lists, Pilots
from ucimpact.data.simulate import Sizes, gaussian_panel
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods import METHODS, build

DRAWS = 1_000

DEALINGS = 499
"""Of staggered starts, in place of 9,999: as exact, a little less power, and 20 times faster."""

FEW = ((30, 1), (30, 2), (30, 3), (30, 6), (30, 10), (12, 1), (12, 2), (12, 3))
EXTREME = ((30, 1), (30, 3), (30, 6), (12, 2))
"""With the pilot in the smallest or the largest units."""
TOO_FEW_OTHERS = (12, 10)
ALL_LISTS: tuple[Lists, ...] = ("equal", "random", "smallest", "largest")
FALSE_POSITIVES = Target(measure="false positives", high=0.07)
REFUSED = Target(measure="refused", low=1.0)
COVERED = Target(measure="coverage", low=0.92, high=0.98, terms=("rate ratio", "events avoided"))

Terms = dict[str, tuple[str, str]]
"""What a record is called: the term of the estimate, and of the truth."""

ATT: Terms = {"att": ("att", "att")}
COUNTS: Terms = {"rate ratio": ("rate_ratio", "ratio"), "events avoided": ("cumulative", "cumulative")}


# -- reading a draw ----------------------------------------------------------------------------


def ours(name: str, column: str, terms: Terms, drawn: Drawn) -> Iterator[Record]:
    """What a method of the register finds without an effect and with the planted one."""
    options = {} if name == "did" else {"cov": Auto(permutations=DEALINGS)}
    method = build(name, options, outcome=column)
    without, planted = (None if panel is None else headline(method, panel) for panel in drawn.panels)
    for term, (row, truth) in terms.items():
        effect = without.effect(row)
        record: Record = {"term": term, **_nothing_planted(effect["p_value"])}
        rule = without.extras.get("rule", {})
        record["procedure"] = rule.get("procedure")
        record["reason"] = rule.get("refused") if record["refused"] else None
        record["width"] = effect["conf_high"] - effect["conf_low"]
        if planted is not None:
            found = planted.effect(row)
            answer = (found["estimate"], found["p_value"], found["conf_low"], found["conf_high"])
            record |= _planted(answer, drawn.truth[truth])
        yield record


def theirs(
    fit: Callable[[pd.DataFrame], peers.Answer], term: str, truth: str, drawn: Drawn
) -> Iterator[Record]:
    """The same of a peer."""
    record: Record = {"term": term}
    _, _, p, low, high = fit(_with_rate(drawn.without))
    record |= _nothing_planted(p) | {"width": high - low}
    if record["refused"]:
        record["reason"] = "no p-value"
    if drawn.planted is not None:
        estimate, _, p, low, high = fit(_with_rate(drawn.planted))
        value = drawn.truth[truth]
        record |= _planted((estimate, p, low, high), math.log(value) if truth == "ratio" else value)
    yield record


def _nothing_planted(p: float) -> Record:
    refused = not p >= 0
    return {"refused": refused, "false positives": math.nan if refused else float(p < 0.05)}


def _planted(answer: tuple[float, float, float, float], truth: float) -> Record:
    estimate, p, low, high = answer
    if not p >= 0:
        return {"bias": estimate - truth}
    return {"bias": estimate - truth, "power": float(p < 0.05), "coverage": float(low <= truth <= high)}


def _with_rate(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(rate=1000 * table["events"] / table["size"]) if "events" in table else table


def _of_register(name: str, column: str, terms: Terms = ATT, most: int | None = None) -> tuple[Method, ...]:
    """A method of ours, where this version has it."""
    label = f"{name} on the rate" if column == "rate" else name
    read = partial(ours, name, column, terms)
    return (Method(name=label, read=read, most=most),) if name in METHODS else ()


def _peer(
    package: str, kind: str, fit: Callable[[pd.DataFrame], peers.Answer], most: int, truth: str = "att"
) -> Method:
    term = {"att": "att", "ratio": "rate ratio", "events": "events"}[truth]
    module = package.replace("-", "_")
    return Method(name=f"{package} {kind}", read=partial(theirs, fit, term, truth), package=module, most=most)


# -- cells -------------------------------------------------------------------------------------


def cells(
    outcome: str, *, staggered: bool, lists: tuple[Lists, ...], methods: tuple[Method, ...], every: int
) -> tuple[Cell, ...]:
    """One for each number of pilots and kind of lists, and the one that must be refused."""
    makes = partial(Pilots, outcome=outcome, staggered=staggered, planted_every=every)
    few = [
        makes(units=units, pilots=pilots, lists=kind)
        for kind in lists
        for units, pilots in (EXTREME if kind in ("smallest", "largest") else FEW)
    ]
    made = [_cell(process, methods, (FALSE_POSITIVES,)) for process in few]
    units, pilots = TOO_FEW_OTHERS
    return (*made, _cell(makes(units=units, pilots=pilots), methods, (REFUSED,)))


def _cell(process: Pilots, methods: tuple[Method, ...], targets: tuple[Target, ...]) -> Cell:
    return Cell(name=process.name, process=process, methods=methods, draws=DRAWS, targets=targets)


COMMON = (
    *_of_register("did", "y"),
    _peer("diff-diff", "TWFE", peers.diff_diff_twfe, 200),
    _peer("diff-diff", "CS", peers.diff_diff_cs, 200),
    _peer("pyfixest", "feols", peers.pyfixest_feols, 100),
    _peer("csdid", "CS", peers.csdid_cs, 20),
)
COMMON_COUNTS = (
    *_of_register("count-did", "events", COUNTS),
    *_of_register("did", "rate", most=500),
    _peer("diff-diff", "TWFE on the rate", peers.diff_diff_twfe, 200),
    _peer("diff-diff", "Poisson", peers.diff_diff_poisson, 100, "events"),
    _peer("pyfixest", "fepois", peers.pyfixest_fepois, 100, "ratio"),
)
STAGGERED = (
    *_of_register("callaway-santanna", "y"),
    *_of_register("imputation", "y"),
    *_of_register("sun-abraham", "y", most=60),  # without covariates its average is callaway-santanna's
    _peer("diff-diff", "CS", peers.diff_diff_cs, 200),
    _peer("diff-diff", "imputation", peers.diff_diff_imputation, 100),
    _peer("diff-diff", "SA", peers.diff_diff_sun_abraham, 40),
    _peer("pyfixest", "feols", peers.pyfixest_feols, 100),
    _peer("csdid", "CS", peers.csdid_cs, 20),
)
STAGGERED_COUNTS = (
    *_of_register("count-did", "events", COUNTS),
    *_of_register("callaway-santanna", "rate", most=200),
    _peer("diff-diff", "CS on the rate", peers.diff_diff_cs, 200),
    _peer("diff-diff", "Poisson", peers.diff_diff_poisson, 100, "events"),
    _peer("pyfixest", "fepois", peers.pyfixest_fepois, 100, "ratio"),
)

EIGHT_OF_FORTY = tuple(
    _cell(
        Pilots(units=40, pilots=8, lists=kind, outcome="counts", staggered=True),
        STAGGERED_COUNTS,
        (FALSE_POSITIVES, COVERED),
    )
    for kind in ("equal", "random")
)


# -- the earlier cells -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EarlierPanel:
    """Lists of 300 to 6,000 and a drift that comes all at once: the cells that first settled the rule."""

    units: int
    pilots: int
    lists: Sizes

    def draw(self, seed: int) -> Drawn:
        """The draw of a seed, without and with the effect that a pooled t would find half the time."""
        rng = np.random.default_rng([self.units, self.pilots, len(self.lists), seed])
        table = gaussian_panel(
            rng, units=self.units, pilots=self.pilots, sizes=self.lists, ar=AR, drift=DRIFT
        )
        effect = stated_effect(self.units, self.pilots)
        running = (table["start"] > 0) & (table["period"] >= table["start"])
        table = table.assign(running=running.astype(float))
        return Drawn(table, table.assign(y=table["y"] + effect * table["running"]), {"att": effect})


DRIFT, AR, BEFORE, AFTER = 0.5, 0.5, 12, 12


def stated_effect(units: int, pilots: int) -> float:
    """The effect that a pooled t would find half the time in :class:`EarlierPanel`, with equal lists."""
    month = np.arange(BEFORE + AFTER)
    weight = np.where(month < BEFORE, -1 / BEFORE, 1 / AFTER)
    noise = weight @ AR ** np.abs(month[:, None] - month) @ weight
    return 1.96 * math.sqrt((DRIFT**2 + noise) * (1 / pilots + 1 / (units - pilots)))


EARLIER = tuple(
    Cell(
        name=f"{pilots} of {units}, {kind} lists (300 to 6,000)",
        process=EarlierPanel(units=units, pilots=pilots, lists=kind),
        methods=COMMON[:1],
        draws=DRAWS,
        targets=(FALSE_POSITIVES,),
    )
    for kind in ("equal", "unequal")
    for units, pilots in ((40, 1), (40, 3), (40, 6), (40, 20), (12, 1), (12, 2), (12, 3))
)

ABOUT: dict[str, Any] = {
    "common": "Twelve months before and twelve after, AR(1) 0.5, a lasting drift in each unit.",
    "staggered": "Starts from month 9 to 17 of 24, each pilot its own where possible, AR(1) 0.5 and a drift.",
    "counts": "Eight events per 1,000 people a month, variance 1.3 times the mean, AR(1) shocks (sd 10%) "
    "and a drift (sd 5% a year); the planted effect is 25% fewer.",
}
TARGET = "false positives 7% or fewer, or a refusal"

FAMILIES = (
    Family(
        name="did",
        title=f"One start, Gaussian ({TARGET})",
        about=ABOUT["common"],
        cells=cells("gaussian", staggered=False, lists=ALL_LISTS, methods=COMMON, every=4) + EARLIER,
        layout="by method",
    ),
    Family(
        name="did-counts",
        title=f"One start, counts ({TARGET})",
        about=ABOUT["counts"],
        cells=cells("counts", staggered=False, lists=ALL_LISTS, methods=COMMON_COUNTS, every=4),
        layout="by method",
    ),
    Family(
        name="did-staggered",
        title=f"Staggered starts, Gaussian ({TARGET})",
        about=ABOUT["staggered"],
        cells=cells("gaussian", staggered=True, lists=("equal", "random"), methods=STAGGERED, every=4),
        layout="by method",
    ),
    Family(
        name="did-staggered-counts",
        title=f"Staggered starts, counts ({TARGET}; 8 of 40: rate ratio and events covered in 92% to 98%)",
        about=f"{ABOUT['staggered']} {ABOUT['counts']}",
        cells=EIGHT_OF_FORTY
        + cells("counts", staggered=True, lists=("equal", "random"), methods=STAGGERED_COUNTS, every=4),
        layout="by method",
    ),
)
