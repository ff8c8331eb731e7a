"""Examples drawn again as the files they are: written, read by their study file, and evaluated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration.board import Cell, Method, Record, Target
from ucimpact.data.cohort import Cohort
from ucimpact.data.simulate_fund import PILOTS, ChallengeFund
from ucimpact.data.simulate_hub import ClinicalHub
from ucimpact.data.simulate_redesign import CommunityRedesign
from ucimpact.data.simulate_self_care import SelfCare
from ucimpact.data.simulate_winter import WinterFund
from ucimpact.estimate import Estimate
from ucimpact.evaluation import prepare
from ucimpact.evaluation.comparable import log_ratio
from ucimpact.evaluation.people import options_of
from ucimpact.inference.shrinkage import shared_arm, shrink
from ucimpact.inference.winners import hybrid
from ucimpact.methods import build
from ucimpact.study import Study, read_records, read_study

EXAMPLES = Path(__file__).parents[2] / "examples"
MADE: dict[str, tuple[Any, str]] = {
    "clinical_hub": (ClinicalHub(), "areas.csv"),
    "winter_fund": (WinterFund(), "areas.csv"),
    "community_redesign": (CommunityRedesign(), "neighbourhoods.csv"),
    "self_care": (SelfCare(), "members.csv"),
}
FIRST_AREA = "delayed_days, Alderquillshire"
Drawn = tuple[Study, Any, dict[str, float], tuple[tuple[str, str, str], ...]]
"""Study, records, truth, and of each effect its name on the board, its term, and its name in the truth."""

PLACES = (("headline", "att", "att"), ("cumulative", "cumulative", "cumulative"), ("relative",) * 3)
SERIES = (("headline", "relative", "relative"), ("cumulative", "cumulative", "cumulative"))
PERSON = (("headline", "att", "before_after"),)
CLIENTS = (("headline", "att", "att"), ("relative",) * 3)
ASKED: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "clinical_hub/study": ("ae_attendances", PLACES),
    "clinical_hub/beside_neighbours": ("ae_attendances", SERIES),
    "winter_fund/study": ("delayed_days", PLACES),
    "winter_fund/one_area": (FIRST_AREA, SERIES),
    "community_redesign/study": ("emergency_admissions", PLACES),
    "community_redesign/full_shift": ("emergency_admissions, full", PLACES),
    "community_redesign/half_shift": ("emergency_admissions, half", PLACES),
    "community_redesign/after_lag": ("emergency_admissions, after half a year", PLACES),
    "self_care/study": ("Wellbeing after", PERSON),
}
"""By study file: which truth its primary outcome has, and what of it is looked at."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """An example whose data are written as a file and read again by a study file of it."""

    name: str

    def draw(self, seed: int) -> Drawn:
        """Study, records and truth."""
        folder, file = self.name.split("/")
        design, source = MADE[folder]
        told, asked = ASKED[self.name]
        drawn = design.draw(seed)
        with tempfile.TemporaryDirectory() as place:
            study = _placed(EXAMPLES / folder, f"{file}.toml", Path(place))
            drawn.table.to_csv(Path(place) / source, index=False, date_format="%Y-%m-%d")
            asked_of = read_study(study)
            data = read_records(asked_of).data
        return asked_of, data, drawn.truth[told], asked


@dataclass(frozen=True, kw_only=True)
class OfFund:
    """One pilot of the challenge fund, its people drawn again."""

    pilot: str

    def draw(self, seed: int) -> Drawn:
        """Study, records and truth."""
        drawn = ChallengeFund().draw(seed)
        with tempfile.TemporaryDirectory() as place:
            study = _placed(EXAMPLES / "challenge_fund" / self.pilot, "study.toml", Path(place))
            drawn.tables[self.pilot].to_csv(Path(place) / "people.csv", index=False, date_format="%Y-%m-%d")
            asked_of = read_study(study)
            data = read_records(asked_of).data
        return asked_of, data, drawn.truth[self.pilot], CLIENTS


@dataclass(frozen=True, kw_only=True)
class WholeFund:
    """The challenge fund, the people of all seven pilots drawn again."""

    def draw(self, seed: int) -> tuple[list[tuple[Study, Any]], np.ndarray]:
        """Studies with their records, and the log ratios that were planted."""
        drawn = ChallengeFund().draw(seed)
        told = []
        with tempfile.TemporaryDirectory() as place:
            for pilot, table in drawn.tables.items():
                here = Path(place) / pilot
                here.mkdir()
                study = _placed(EXAMPLES / "challenge_fund" / pilot, "study.toml", here)
                table.to_csv(here / "people.csv", index=False, date_format="%Y-%m-%d")
                asked_of = read_study(study)
                told.append((asked_of, read_records(asked_of).data))
        return told, np.array([drawn.truth[pilot]["log_ratio"] for pilot in PILOTS])


def read_fund(drawn: tuple[list[tuple[Study, Any]], np.ndarray]) -> Iterator[Record]:
    """What a league says of the pilot with the largest result, and what that result says of itself."""
    studies, truth = drawn
    estimates = [_estimate(study, data) for study, data in studies]
    told = [log_ratio(estimate) for estimate in estimates]
    y, error = (np.array([row[key] for row in told], dtype=float) for key in ("log", "used_se"))
    arms = np.array([estimate.extras["comparison_log_variance"] for estimate in estimates])
    pools = [(study.league and study.league.controls) or study.title for study, _ in studies]
    cov = shared_arm(error, np.minimum(arms, error**2), pool=pools)
    k, benefit = int(y.argmin()), -truth
    shrunk = shrink(-y, cov)
    low, high = shrunk.interval(0.95)
    corrected = hybrid(-y, cov, seed=1)
    for term, mean, ends in (
        ("headline", shrunk.mean[k], (low[k], high[k])),
        ("corrected for being picked", corrected.estimate, (corrected.low, corrected.high)),
        ("as measured", -y[k], (-y[k] - 1.96 * error[k], -y[k] + 1.96 * error[k])),
    ):
        held = bool(ends[0] <= benefit[k] <= ends[1])
        yield {"term": term, "coverage": held, "bias": float(mean - benefit[k])}
    ends = np.asarray(low) <= benefit, benefit <= np.asarray(high)
    yield {"term": "all seven", "coverage": float((ends[0] & ends[1]).mean())}


def _placed(folder: Path, file: str, place: Path) -> Path:
    """The study file and every file of SQL of an example, copied to where its data will stand."""
    for found in (folder / file, *folder.glob("*.sql")):
        shutil.copy(found, place / found.name)
    return place / file


def read(drawn: Drawn) -> Iterator[Record]:
    """Whether each interval holds the truth, by the steps that an evaluation takes."""
    study, data, truth, asked = drawn
    estimate = _estimate(study, data)
    for told, term, planted in asked:
        effect = estimate.effect(term)
        held = bool(effect["conf_low"] <= truth[planted] <= effect["conf_high"])
        yield {"term": told, "coverage": held, "bias": effect["estimate"] - truth[planted]}


def _estimate(study: Study, data: Any) -> Estimate:
    """The main analysis of a study."""
    outcome, name, options = study.primary, study.method.name, dict(study.method.options)
    found: Estimate
    if isinstance(data, Cohort):
        found = build(name, options_of(study, outcome, name, options), outcome=outcome.column).fit(data)
        return found
    prepared = prepare(data, outcome, method=name)
    method = build(name, options, outcome=prepared.column)
    found = getattr(method, "brief", method.fit)(prepared.data)
    return found


def cells() -> tuple[Cell, ...]:
    """A cell for each study file of these examples, and one for each pilot of the fund."""
    whole = Cell(
        name="",
        process=Written(name="clinical_hub/study"),
        methods=(Method(name="as its study says", read=read),),
        draws=200,
        targets=(Target(measure="coverage", low=0.92, terms=("headline",)),),
    )
    files = [
        replace(whole, name=name.removesuffix("/study").replace("/", ": "), process=Written(name=name))
        for name in ASKED
    ]
    pilots = [replace(whole, name=f"challenge_fund: {name}", process=OfFund(pilot=name)) for name in PILOTS]
    fund = replace(
        whole,
        name="challenge_fund: the league",
        process=WholeFund(),
        methods=(Method(name="the pilot that looks best", read=read_fund),),
    )
    return (*files, *pilots, fund)
