"""Problems, and one run of one of them in a process of its own.

A child process imports what it needs, reads the problem's data, answers a small version of the problem once,
so that what is only paid the first time (imports, compiled code) is paid by all before the clock starts, and
then answers the problem. The clock is CPU time of the process, user and system, all threads and children;
from the table as a user has it to the estimate. Peak memory is of the whole process from its start, imports
and data too; beside it stands what it held before the timed call.

Problems whose name says "cold" have no small version: imports are inside their clock.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TIMEOUT = 900
LEAST_MB = 10.0
"""Memory added below this is not compared."""

Data = Mapping[str, np.ndarray]
Answer = dict[str, float]
"""``answer``; a runner that times itself gives ``cpu`` and ``peak`` (MB) too."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One package's way to the answer.

    Attributes
    ----------
    who : str
    run : callable
        From the problem's data to a number, or to an :data:`Answer` where it times itself.
    package : str
    there : callable, optional
        Whether it can be run; the package is asked for unless this is given.
    most : int
        Runs at most, for a slow one.
    """

    who: str
    run: Callable[[Data], float | Answer]
    package: str = "ucimpact"
    there: Callable[[], bool] | None = None
    most: int = 5

    @property
    def ready(self) -> bool:
        """Whether it can be run on this machine."""
        return self.there() if self.there else find_spec(self.package) is not None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Data, and the packages that answer the same question of them.

    Attributes
    ----------
    name : str
        For ``--only``.
    title : str
    make : callable
        The data, as named arrays.
    small : callable, optional
        Data of a small version, to warm up on; without one nothing is warmed up.
    runners : tuple of Runner
        Ours first.
    agree_to : float
        How far from ours an answer may be; farther is said in the table.
    targets : mapping
        ``{"cpu": (peer, ratio)}``, ``{"peak": (peer, ratio)}`` or ``{"seconds": limit}``.
    """

    name: str
    title: str
    make: Callable[[], Data]
    runners: tuple[Runner, ...]
    small: Callable[[], Data] | None = None
    agree_to: float = np.inf
    targets: Mapping[str, Any] | None = None

    def runner(self, who: str) -> Runner:
        """By name."""
        return next(runner for runner in self.runners if runner.who == who)


# -- in the child ------------------------------------------------------------------------------


def child(problem: Problem, who: str, folder: Path) -> dict[str, float]:
    """Warm up, then answer once under the clock."""
    warnings.simplefilter("ignore")
    runner = problem.runner(who)
    if problem.small:
        runner.run(_read(folder / "small.npz"))
    data = _read(folder / "data.npz")
    before, began = _peak(), _cpu()
    answer = runner.run(data)
    measured = {"cpu": _cpu() - began, "peak": _peak(), "before": before}
    if problem.small is None:
        measured["cpu"] = _cpu()
    return measured | (answer if isinstance(answer, dict) else {"answer": float(answer)})


def _read(path: Path) -> Data:
    with np.load(path, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.process_time() + used[1].ru_utime + used[1].ru_stime


def _peak() -> float:
    """Most memory held so far by this process, in MB.

    Linux hands a new process its parent's ``ru_maxrss``, so the kernel's own mark is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists() and (mark := re.search(r"VmHWM:\s+(\d+)", status.read_text())):
        return int(mark[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


# -- in the parent -----------------------------------------------------------------------------


def run(problem: Problem, runs: int) -> list[dict[str, Any]]:
    """Medians of the runs of everyone who is there, turn and turn about; ours first."""
    ready = [runner for runner in problem.runners if runner.ready]
    if not any(runner.package == "ucimpact" for runner in ready):
        return []
    found: dict[str, list[dict[str, float]]] = {runner.who: [] for runner in ready}
    with tempfile.TemporaryDirectory() as folder:
        _save(Path(folder) / "data.npz", problem.make())
        if problem.small:
            _save(Path(folder) / "small.npz", problem.small())
        for turn in range(runs):
            for runner in ready:
                if turn < runner.most:
                    found[runner.who].append(_in_a_process(problem.name, runner.who, folder))
    return [_row(problem, runner, found) for runner in ready]


def _save(path: Path, data: Data) -> None:
    np.savez(path, **dict(data))


def _in_a_process(name: str, who: str, folder: str) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 (this interpreter, on this module)
        [sys.executable, "-m", "benchmarks.speed.child", name, who, folder],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=TIMEOUT,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise RuntimeError(f"{name}, {who}: {done.stderr[-800:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _row(problem: Problem, runner: Runner, found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians, ratios of ours to theirs, and whether targets are met."""
    median = {
        who: {k: float(np.median([r[k] for r in runs])) for k in runs[0]} for who, runs in found.items()
    }
    ours, mine = median[problem.runners[0].who], median[runner.who]
    row: dict[str, Any] = {"problem": problem.name, "who": runner.who, "runs": len(found[runner.who]), **mine}
    if runner is not problem.runners[0]:
        row["cpu ratio"], row["peak ratio"] = (ours[k] / mine[k] for k in ("cpu", "peak"))
        added = [m["peak"] - m.get("before", np.nan) for m in (ours, mine)]
        if added[1] > LEAST_MB:
            row["added ratio"] = added[0] / added[1]
        row["agrees"] = bool(abs(ours["answer"] - mine["answer"]) <= problem.agree_to)
    row["ok"] = _ok(problem, runner, median)
    return row


def _ok(problem: Problem, runner: Runner, median: dict[str, dict[str, float]]) -> str:
    """What was asked of this row: "" where nothing."""
    ours, first = median[problem.runners[0].who], runner is problem.runners[0]
    said = []
    for what, asked in (problem.targets or {}).items():
        if what == "seconds" and first:
            said.append((ours["cpu"] <= asked, f"at most {asked:g} s"))
        elif what != "seconds" and asked[0] == runner.who:
            name = {"cpu": "CPU", "peak": "memory"}[what]
            said.append((ours[what] <= asked[1] * median[runner.who][what], f"{name} at most {asked[1]:g}"))
    return "; ".join(f"{'met' if good else 'MISSED'}: {text}" for good, text in said)
