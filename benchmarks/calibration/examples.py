"""The examples made again with other seeds: does the interval that the report leads with hold the truth?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate import PracticePanel
from ucimpact.data.simulate_series import CrisisResponse, DelayedTransfers, VanguardSites
from ucimpact.data.simulate_staggered import StaggeredPractices
from ucimpact.evaluation import prepare
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
        ),
    ),
)
