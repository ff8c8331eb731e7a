"""The page ``docs/speed.md`` and ``results.json``; a run replaces the problems it ran."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.speed.board import Problem

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "speed.md"
PACKAGES = (
    "ucimpact", "numpy", "scipy", "pandas", "diff-diff", "pyfixest", "csdid", "linearmodels", "statsmodels",
)  # fmt: skip

INTRO = """\
# Speed

Made by `make bench`; do not edit. Ours and peers answer the same question of the same table, each run in a
process of its own, turn and turn about; figures are medians.

- **CPU** is seconds of processor time, user and system, all threads, from the table to the estimate. Imports
  and the first call, on a small version of the same problem, are before the clock starts, for ours and for
  peers alike. Problems called cold count everything from the start of the process.
- **Peak** is the most memory that the process held, imports and data included; **added** is how much of it
  came after the clock started.
- **Ratio** is ours over theirs: below 1, ours took less.

Peers give the estimate, its error and, where named, the path. Ours gives in the time shown the path with its
simultaneous band, the test before the start, all averages and the counterfactual too.
"""


def write(problems: Iterable[Problem], rows: list[dict[str, Any]]) -> None:
    """Results with what earlier runs left of other problems, and the page."""
    ran = {row["problem"] for row in rows}
    old = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.exists() else []
    stamp = {"date": date.today().isoformat()}
    kept = [row for row in old if row["problem"] not in ran] + [{**row, **stamp} for row in rows]
    whole = {"machine": machine(), "versions": versions(), "rows": kept}
    RESULTS.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(problems, whole), encoding="utf-8")


def page(problems: Iterable[Problem], whole: dict[str, Any]) -> str:
    """Markdown: a row for each package in each problem, and what missed."""
    lines = [
        "| problem | package | CPU, s | ratio | peak, MB | ratio | added, MB | ratio | runs | asked |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    missed, apart = [], []
    for problem in problems:
        rows = [row for row in whole["rows"] if row["problem"] == problem.name]
        for number, row in enumerate(rows):
            cpu, peak, added = (_ratio(row.get(f"{k} ratio")) for k in ("cpu", "peak", "added"))
            told = [problem.title if number == 0 else "", row["who"], f"{row['cpu']:.3g}", cpu]
            told += [f"{row['peak']:.0f}", peak, _added(row), added, str(row["runs"]), row["ok"]]
            lines.append(f"| {' | '.join(told)} |")
            if "MISSED" in row["ok"]:
                missed.append(f"{problem.title} ({row['ok']})")
            if row.get("agrees") is False:
                apart.append(
                    f"{problem.title}: {row['who']} has {row['answer']:.6g}, ours {rows[0]['answer']:.6g}"
                )
    dates = sorted({row["date"] for row in whole["rows"]})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    told_versions = ", ".join(f"{name} {found}" for name, found in whole["versions"].items())
    parts = [INTRO, f"*{when}; {whole['machine']}; {told_versions}.*\n", "\n".join(lines) + "\n"]
    parts.append("Missed: " + "; ".join(missed) + ".\n" if missed else "No target is missed.\n")
    if apart:
        parts.append("Answers that differ: " + "; ".join(apart) + ".\n")
    return "\n".join(parts)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _added(row: dict[str, Any]) -> str:
    return f"{row['peak'] - row['before']:.0f}" if "before" in row else ""


def versions() -> dict[str, str]:
    """Of everything that took part."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"Python": platform.python_version(), **found}


def machine() -> str:
    """What kind of machine, and not which."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.system()}, {model}, {os.cpu_count()} cores, {memory:.0f} GB, one thread asked of each"
