"""The examples made again with other seeds: does the interval that the report leads with hold the truth?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.calibration import examples_files
from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate import PracticePanel
from ucimpact.data.simulate_series import CrisisResponse, DelayedTransfers, VanguardSites
from ucimpact.data.simulate_services import SERVICES
from ucimpact.data.simulate_staggered import StaggeredPractices
from ucimpact.evaluation import prepare
from ucimpact.evaluation.trials import trial_options
from ucimpact.methods import build
from ucimpact.study import Study, read_study

EXAMPLES = Path(__file__).parents[2] / "examples"
DESIGNS = {
    "acute_visiting": (PracticePanel(), "att"),
    "acute_visiting_staggered": (StaggeredPractices(), "att"),
    "crisis_response": (CrisisResponse(), "average"),
    "delayed_transfers": (DelayedTransfers(), "cumulative"),
    "vanguard_kpis": (VanguardSites(), "relative"),
}
"""What made each example, and the term that its report leads with."""
COLUMNS = {"list_size": "population", "practice": "unit", "month": "period", "joined": "start"}
"""What the generators call the roles that a study may call otherwise."""

Drawn = tuple[Study, Panel | Series, dict[str, float], str]


@dataclass(frozen=True, kw_only=True)
class Example:
    """The data of an example, drawn again."""

    name: str

    def draw(self, seed: int) -> Drawn:
        """The study, its data, the truth of its primary outcome and the term it leads with."""
        study = read_study(EXAMPLES / self.name / "study.toml")
        design, first = DESIGNS[self.name]
        drawn = design.draw(seed)
        roles = study.data
        primary = next(iter(drawn.truth))
        names = {made: str(getattr(roles, role)) for made, role in COLUMNS.items() if made in drawn.table}
        table = drawn.table.rename(columns={**names, primary: study.primary.column})
        given = {"period": roles.period, "start": roles.start, "population": roles.population}
        data: Panel | Series
        if study.data.kind == "series":
            data = Series(table, definition=roles.definition, **given)
        else:
            data = Panel(table, unit=roles.unit, cluster=roles.places, **given)
        return study, data, drawn.truth[primary], first


def read(drawn: Drawn) -> Iterator[Record]:
    """Whether each interval holds the truth, by the steps that an evaluation takes."""
    study, data, truth, first = drawn
    prepared = prepare(data, study.primary, method=study.method.name)
    options = dict(study.method.options)
    if isinstance(data, Series) and study.data.covid is not None:
        options.setdefault("covid", study.data.covid)
    method = build(study.method.name, options, outcome=prepared.column)
    estimate = getattr(method, "brief", method.fit)(prepared.data)
    for name, term in (("headline", first), ("cumulative", "cumulative"), ("relative", "relative")):
        effect = estimate.effect(term)
        held = bool(effect["conf_low"] <= truth[term] <= effect["conf_high"])
        yield {"term": name, "coverage": held, "bias": effect["estimate"] - truth[term]}


@cache
def planted(name: str) -> dict[str, float]:
    """What the service of an example does on average, as a share, by outcome."""
    design, horizon = SERVICES[name]
    truths = [design.draw(seed, copies=20, horizon=horizon).truth for seed in range(10_001, 10_009)]
    named = [outcome for outcome in truths[0] if "relative" in truths[0][outcome]]
    return {outcome: float(np.mean([truth[outcome]["relative"] for truth in truths])) for outcome in named}


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The people and events of an example, drawn again."""

    name: str

    def draw(self, seed: int) -> tuple[Study, Histories, str]:
        """The study, its histories and the name of the example."""
        study = read_study(EXAMPLES / self.name / "study.toml")
        drawn, roles, events = SERVICES[self.name][0].draw(seed), study.data, study.data.events
        assert events is not None
        assert roles.window is not None
        first, last = (dt.date.fromisoformat(str(end)) for end in (roles.window.first, roles.window.last))
        histories = Histories(
            drawn.table,
            drawn.events,
            person=str(roles.person),
            service_start=str(roles.service_start),
            date=events.date,
            kind=events.kind,
            end=events.end,
            died=roles.died,
            left=roles.left,
            registered=roles.registered,
            cluster=roles.cluster,
            first=events.first,
            last=events.last,
            index_from=first,
            index_to=last,
        )
        return study, histories, self.name


def read_trials(drawn: tuple[Study, Histories, str]) -> Iterator[Record]:
    """Whether the range of each outcome, as a share, holds what the service does."""
    study, histories, name = drawn
    for outcome in study.outcomes:
        if outcome.negative_control or outcome.column not in planted(name):
            continue
        options = trial_options(study, outcome, study.method.name, study.method.options)
        effect = build(study.method.name, options, outcome=outcome.column).brief(histories).effect("relative")
        truth = planted(name)[outcome.column]
        term = "headline" if outcome is study.primary else outcome.column
        held = bool(effect["conf_low"] <= truth <= effect["conf_high"])
        yield {"term": term, "coverage": held, "bias": effect["estimate"] - truth}


FAMILIES = (
    Family(
        name="examples",
        title="The examples drawn again (target: the headline covered in 92% or more)",
        about="Every step that an evaluation takes, on the example's own study file.",
        cells=tuple(
            Cell(
                name=name,
                process=Example(name=name),
                methods=(Method(name="as its study says", read=read),),
                draws=200,
                targets=(Target(measure="coverage", low=0.92, terms=("headline",)),),
            )
            for name in DESIGNS
        )
        + tuple(
            Cell(
                name=name,
                process=Trials(name=name),
                methods=(Method(name="as its study says", read=read_trials),),
                draws=200,
                targets=(Target(measure="coverage", low=0.92, terms=("headline",)),),
            )
            for name in SERVICES
        )
        + examples_files.cells(),
    ),
)
