"""Matching two million people, beside R's MatchIt where it is installed.

The clock runs over the propensity score, the matching, the audit of every set and balance before and
after, for both. 1:1 within practice x age band x sex and a caliper of 0.2 standard deviations.
"""

# ruff: noqa: S603 (the program run is R's own)
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.speed.board import ONE_THREAD, Answer, Data, Problem, Runner

SIZES = ((5_000, 200_000), (50_000, 2_000_000))
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


def our_matching(data: Data) -> float:
    """The number of sets."""
    from ucimpact.inference import balance, pairing, propensity

    x, treated, strata = (data[name] for name in ("x", "treated", "strata"))
    score = propensity.fit(x, treated)
    caliper = CALIPER * float(score.linear.std())
    sets = pairing.nearest(score.linear, treated, strata=strata, caliper=caliper)
    pairing.audit(sets, score.linear, treated, strata=strata, caliper=caliper)
    names = [f"x{number}" for number in range(COVARIATES)]
    was = balance.max_smd(balance.table(x, names, treated))
    now = balance.max_smd(balance.table(x, names, treated, sets.weights(len(treated))))
    assert now < was
    return len(sets.treated)


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


def matching_problem(pilot: int, comparison: int) -> Problem:
    """Sets differ a little: ties are broken otherwise."""
    return Problem(
        name=f"matching-{(pilot + comparison) // 1000}k",
        title=f"Match {pilot:,} of {pilot + comparison:,} people, {COVARIATES} covariates",
        make=partial(people, pilot, comparison),
        small=partial(people, 500, 20_000),
        runners=(
            Runner(who="ucimpact", run=our_matching),
            Runner(who="R MatchIt", run=matchit, there=has_matchit, most=1),
        ),
        agree_to=0.01 * pilot,
    )


PROBLEMS = tuple(matching_problem(*size) for size in SIZES)
