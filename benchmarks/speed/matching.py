"""Matching two million people, beside R's MatchIt where it is installed and two packages of Python.

The clock runs over the propensity score, the matching, the audit of every set and balance before and
after. 1:1 within practice x age band x sex and a caliper of 0.2 standard deviations, unless the title says
otherwise. The peers audit nothing.
"""

# ruff: noqa: S603 (the program run is R's own)
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.speed.board import ONE_THREAD, Answer, Data, Problem, Runner

COVARIATES = 12
PRACTICES, AGE_BANDS = 400, 8
CALIPER = 0.2

MATCHIT = f"""
args <- commandArgs(TRUE)
n <- as.numeric(args[2])
at <- file(args[1], "rb")
d <- as.data.frame(matrix(readBin(at, "numeric", n * {COVARIATES}, size = 4), n))
d$treated <- readBin(at, "integer", n)
d$stratum <- readBin(at, "integer", n)
close(at)
begun <- proc.time()
m <- MatchIt::matchit(reformulate(names(d)[1:{COVARIATES}], "treated"), d, link = "linear.logit",
                      exact = ~stratum, caliper = {CALIPER})
s <- summary(m)
took <- proc.time() - begun
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat(sum(took[c("user.self", "sys.self")]), as.numeric(gsub("[^0-9]", "", peak)) / 1024,
    sum(m$weights[d$treated == 1] > 0))
"""


def people(pilot: int, comparison: int) -> Data:
    """Covariates (float32), who had the service, and practice x age band x sex."""
    rng = np.random.default_rng(1)
    n = pilot + comparison
    x = np.empty((n, COVARIATES), dtype=np.float32)
    for number in range(COVARIATES):
        x[:, number] = rng.standard_normal(n, dtype=np.float32) if number % 3 else rng.poisson(1.0, n)
    leaning = x @ rng.normal(0, 0.2, COVARIATES).astype(np.float32) + rng.gumbel(size=n).astype(np.float32)
    treated = np.zeros(n, dtype=bool)
    treated[np.argpartition(-leaning, pilot)[:pilot]] = True
    practice = rng.integers(0, PRACTICES, n, dtype=np.int32)
    band, sex = rng.integers(0, AGE_BANDS, n, dtype=np.int32), rng.integers(0, 2, n, dtype=np.int32)
    return {"x": x, "treated": treated, "strata": (practice * AGE_BANDS + band) * 2 + sex}


@dataclass(frozen=True, kw_only=True)
class Task:
    """One way of matching.

    Attributes
    ----------
    name, words : str
        For the problem's name and its title.
    ratio : int
    strata, mahalanobis : bool
        Within practice x age band x sex; nearest in nine covariates at once, within the caliper on the logit.
    """

    name: str
    words: str = ""
    ratio: int = 1
    strata: bool = True
    mahalanobis: bool = False


ONE_TO_ONE = Task(name="")
NEAREST_OF = 9
"""Covariates of the Mahalanobis distance."""


def our_matching(task: Task, data: Data) -> float:
    """The number of sets."""
    from ucimpact.inference import balance, pairing, propensity

    x, treated = data["x"], data["treated"]
    strata = data["strata"] if task.strata else None
    score = propensity.fit(x, treated)
    caliper = CALIPER * float(score.linear.std())
    columns, inverse = (
        pairing.mahalanobis_scale(x[:, :NEAREST_OF], treated) if task.mahalanobis else (None, None)
    )
    rules = {"strata": strata, "caliper": caliper, "ratio": task.ratio}
    sets = pairing.nearest(score.linear, treated, covariates=columns, inverse_cov=inverse, **rules)
    pairing.audit(sets, score.linear, treated, **rules)
    names = [f"x{number}" for number in range(COVARIATES)]
    was = balance.max_smd(balance.table(x, names, treated))
    now = balance.max_smd(balance.table(x, names, treated, sets.weights(len(treated))))
    assert now < was
    return len(sets.treated)


def _frame(data: Data) -> tuple[pd.DataFrame, list[str]]:
    names = [f"x{number}" for number in range(COVARIATES)]
    frame = pd.DataFrame({name: data["x"][:, at].astype(float) for at, name in enumerate(names)})
    return frame.assign(treated=data["treated"].astype(int), stratum=data["strata"]), names


def cohortmatch(task: Task, data: Data) -> float:
    """The same rules in its words."""
    from cohortmatch import match

    frame, names = _frame(data)
    found = match(
        frame,
        treatment="treated",
        covariates=names,
        distance="mahalanobis" if task.mahalanobis else "logit",
        caliper=CALIPER,
        caliper_metric="logit",
        ratio=task.ratio,
        exact="stratum" if task.strata else None,
        m_order="largest",
    )
    return float(found.pairs.iloc[:, 0].nunique())


def pymatchit(task: Task, data: Data) -> float:
    """The same rules in its words, which are those of R."""
    from pymatchit import MatchIt

    frame, names = _frame(data)
    found = MatchIt(
        frame,
        link="linear.logit",
        caliper=CALIPER,
        ratio=task.ratio,
        exact="stratum" if task.strata else None,
        mahvars=names[:NEAREST_OF] if task.mahalanobis else None,
    )
    found.fit(f"treated ~ {' + '.join(names)}")
    weights = np.asarray(found.weights)
    return float((weights[data["treated"]] > 0).sum())


def matchit(data: Data) -> Answer:
    """R times itself: its clock and its peak, without the start of R."""
    rscript = str(shutil.which("Rscript"))
    x, treated, strata = (data[name] for name in ("x", "treated", "strata"))
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "people.bin", Path(folder) / "run.R"
        table.write_bytes(x.T.tobytes() + treated.astype(np.int32).tobytes() + strata.tobytes())
        script.write_text(MATCHIT)
        run = subprocess.run(
            [rscript, str(script), str(table), str(len(treated))],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | ONE_THREAD,
        )
    cpu, peak, sets = run.stdout.split()[-3:]
    return {"cpu": float(cpu), "peak": float(peak), "answer": float(sets)}


def has_matchit() -> bool:
    """Whether R and MatchIt are installed."""
    rscript = shutil.which("Rscript")
    asked = "quit(status = !requireNamespace('MatchIt', quietly = TRUE))"
    return bool(rscript) and not subprocess.run([str(rscript), "-e", asked], check=False).returncode


def matching_problem(task: Task, pilot: int, comparison: int, peers: tuple[Runner, ...]) -> Problem:
    """Sets differ a little: ties are broken otherwise."""
    how = f": {task.words}" if task.words else ""
    return Problem(
        name=f"matching-{(pilot + comparison) // 1000}k{task.name}",
        title=f"Match {pilot:,} of {pilot + comparison:,} people, {COVARIATES} covariates{how}",
        make=partial(people, pilot, comparison),
        small=partial(people, 500, 20_000),
        runners=(Runner(who="ucimpact", run=partial(our_matching, task)), *peers),
        agree_to=0.01 * pilot,
        targets={"seconds": LIMITS[task.name]} if (pilot, comparison) == LARGE else None,
    )


def _peer(who: str, run: Callable[[Task, Data], float], task: Task, package: str) -> Runner:
    return Runner(who=who, run=partial(run, task), package=package, most=1)


SMALL, LARGE = (5_000, 200_000), (50_000, 2_000_000)
TASKS = (
    ONE_TO_ONE,
    Task(name="-1to3", words="three each", ratio=3),
    Task(name="-open", words="without strata", strata=False),
    Task(name="-nine", words="nearest in nine at once", mahalanobis=True),
)
LIMITS = {"": 6.0, "-1to3": 7.0, "-open": 8.0, "-nine": 9.0}
"""CPU seconds asked for at two million."""
R = Runner(who="R MatchIt", run=matchit, there=has_matchit, most=1)

PROBLEMS = (
    *(
        matching_problem(
            task,
            *SMALL,
            (
                *((R,) if task is ONE_TO_ONE else ()),
                _peer("cohortmatch", cohortmatch, task, "cohortmatch"),
                *((_peer("pymatchit-causal", pymatchit, task, "pymatchit"),) if task.strata else ()),
            ),
        )
        for task in TASKS
    ),
    *(
        matching_problem(
            task,
            *LARGE,
            (R,)
            if task is ONE_TO_ONE
            else ()
            if task.strata
            else (_peer("cohortmatch", cohortmatch, task, "cohortmatch"),),
        )
        for task in TASKS
    ),
    matching_problem(ONE_TO_ONE, LARGE[0], 2 * LARGE[1], ()),
)
"""Beside two million the peers are left out that had not answered in 300 s of a smaller trial."""
