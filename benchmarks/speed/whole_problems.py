"""Whole pieces of work that only ours does: sensitivity to violations, and an evaluation with its report."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.speed.board import ROOT, Data, Problem, Runner

EXAMPLE = ROOT / "examples" / "acute_visiting_staggered"


def mpdta_file() -> Path:
    """County employment, read from the shared folder and not shipped."""
    named = os.environ.get("UCIMPACT_SHARED")
    return (Path(named) if named else ROOT.parent / "shared") / "reference" / "data" / "mpdta.csv"


def mpdta() -> Data:
    """As arrays."""
    import pandas as pd

    table = pd.read_csv(mpdta_file())
    return {name: table[name].to_numpy() for name in ("countyreal", "year", "first.treat", "lemp")}


def our_honest_did(data: Data) -> float:
    """Group-time effects, then all three bounds on a drift, for the first period and for the average."""
    import pandas as pd

    from ucimpact import Panel
    from ucimpact.diagnostics.honest_did import HonestDiD
    from ucimpact.methods import CallawaySantAnna

    panel = Panel(pd.DataFrame(dict(data)), unit="countyreal", period="year", start="first.treat")
    estimate = CallawaySantAnna(outcome="lemp").fit(panel)
    kinds, targets = ("relative-magnitudes", "smoothness", "both"), ("first", "average")
    found = [HonestDiD(kind=kind, target=target).of(estimate) for kind in kinds for target in targets]
    return float(found[0].original["estimate"])


def staggered_practices() -> Data:
    """The file of the staggered example: 60 practices x 36 months."""
    return {"csv": np.array((EXAMPLE / "practices.csv").read_text(encoding="utf-8"))}


def our_evaluation(data: Data) -> float:
    """Study file in, report out: method, sensitivity, checks, money, words, charts."""
    from ucimpact import evaluate, read_study, save

    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "practices.csv").write_text(str(data["csv"]), encoding="utf-8")
        (at / "study.toml").write_text((EXAMPLE / "study.toml").read_text(encoding="utf-8"), encoding="utf-8")
        save(evaluate(read_study(at / "study.toml")), at / "out")
        return float((at / "out" / "report.html").exists())


PROBLEMS = (
    Problem(
        name="honest-did",
        title="HonestDiD on mpdta: estimate, three kinds of bounds, first period and average, cold",
        make=mpdta,
        runners=(Runner(who="ucimpact", run=our_honest_did, there=lambda: mpdta_file().exists()),),
        targets={"seconds": 5.0},
    ),
    Problem(
        name="evaluation",
        title="Evaluation with report, 60 practices x 36 months, cold",
        make=staggered_practices,
        runners=(Runner(who="ucimpact", run=our_evaluation),),
        targets={"seconds": 8.0},
    ),
)
