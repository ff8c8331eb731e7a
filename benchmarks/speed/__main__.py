"""Run the board: ``make bench ARGS="--only cs-10k --runs 5"``."""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from benchmarks.speed.board import run
from benchmarks.speed.problems import PROBLEMS
from benchmarks.speed.writer import write


def main() -> int:
    """Run what was asked for; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=PROBLEMS, action="append", help="one problem; may be given again")
    parser.add_argument("--runs", type=int, default=5, help="processes a package; medians are shown")
    parser.add_argument("--dry", action="store_true", help="print and write nothing")
    asked = parser.parse_args()
    missed = False
    for name in asked.only or PROBLEMS:
        rows = run(PROBLEMS[name], asked.runs)
        if not rows:
            print(f"\n{name}: left out, something it needs is not here", flush=True)
            continue
        print(f"\n{name}: {PROBLEMS[name].title}")
        shown = pd.DataFrame(rows).drop(columns="problem").astype(object)
        print(shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"), flush=True)
        missed |= any("MISSED" in row["ok"] for row in rows)
        if not asked.dry:
            write(PROBLEMS.values(), rows)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
