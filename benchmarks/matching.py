"""Matching two million people: CPU and memory of one run, beside R's MatchIt where it is installed.

Each run is a process of its own, so that its peak memory is its own. The clock runs over the propensity
score, the matching, the audit of every set and balance before and after; people are simulated before it
starts. One thread, as everywhere in these benchmarks: others would only spin. Alone:

    python benchmarks/matching.py 50000 2000000
"""

# ruff: noqa: S603 (the programs run are Python's and R's own)
from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIZES = ((5_000, 200_000), (50_000, 2_000_000))
COVARIATES = 12
PRACTICES, AGE_BANDS = 400, 8
CALIPER = 0.2
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

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


def people(pilot: int, comparison: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    return x, treated, (practice * AGE_BANDS + band) * 2 + sex


def ours(pilot: int, comparison: int) -> dict[str, float]:
    """One run in this process."""
    from ucimpact.inference import balance, pairing, propensity

    x, treated, strata = people(pilot, comparison)
    before, began = peak_mb(), time.process_time()
    score = propensity.fit(x, treated)
    caliper = CALIPER * float(score.linear.std())
    sets = pairing.nearest(score.linear, treated, strata=strata, caliper=caliper)
    pairing.audit(sets, score.linear, treated, strata=strata, caliper=caliper)
    names = [f"x{number}" for number in range(COVARIATES)]
    was = balance.max_smd(balance.table(x, names, treated))
    now = balance.max_smd(balance.table(x, names, treated, sets.weights(len(treated))))
    return {
        "cpu": time.process_time() - began,
        "peak": peak_mb(),
        "data": before,
        "sets": len(sets.treated),
        "smd_before": was,
        "smd": now,
    }


def theirs(pilot: int, comparison: int) -> dict[str, float] | None:
    """One run of MatchIt, or None where it is not installed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    there = subprocess.run(
        [rscript, "-e", "quit(status = !requireNamespace('MatchIt', quietly = TRUE))"], check=False
    )
    if there.returncode:
        return None
    x, treated, strata = people(pilot, comparison)
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "people.bin", Path(folder) / "run.R"
        data.write_bytes(x.T.tobytes() + treated.astype(np.int32).tobytes() + strata.tobytes())
        script.write_text(MATCHIT)
        run = subprocess.run(
            [rscript, str(script), str(data), str(len(treated))],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | ONE_THREAD,
        )
    cpu, peak, sets = run.stdout.split()[-3:]
    return {"cpu": float(cpu), "peak": float(peak), "sets": float(sets)}


def peak_mb() -> float:
    """Most memory this process has held."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+)", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(pilot: int, comparison: int) -> dict[str, Any]:
    """One line of the table."""
    root = Path(__file__).resolve().parents[1]
    run = subprocess.run(
        [sys.executable, __file__, str(pilot), str(comparison)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
    )
    us: dict[str, float] = json.loads(run.stdout)
    peer = theirs(pilot, comparison)
    return {
        "problem": f"match {pilot:,} of {pilot + comparison:,}",
        "ours (s)": us["cpu"],
        "ours (MB)": us["peak"],
        "people (MB)": us["data"],
        "sets": us["sets"],
        "SMD before": us["smd_before"],
        "SMD": us["smd"],
        "MatchIt (s)": "not installed" if peer is None else f"{peer['cpu']:.2f}",
        "MatchIt (MB)": "" if peer is None else f"{peer['peak']:.0f}",
        "ratio": "" if peer is None else f"{us['cpu'] / peer['cpu']:.3f}",
    }


def table() -> list[dict[str, Any]]:
    """A line for each size, so that growth shows."""
    return [in_a_process(*size) for size in SIZES]


if __name__ == "__main__":
    print(json.dumps(ours(int(sys.argv[1]), int(sys.argv[2]))))
