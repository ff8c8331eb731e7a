"""Run the board: ``make calibrate ARGS="--only its --draws 200"``."""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import replace
from typing import Any

import pandas as pd

from benchmarks.calibration import beside, did, examples, its, league, matched, trials
from benchmarks.calibration.board import Family, processes, read_draws, summarise
from benchmarks.calibration.writer import reached, run_note, write

FAMILIES: dict[str, Family] = {
    family.name: family
    for part in (examples, did, its, beside, matched, trials, league)
    for family in part.FAMILIES
}


def main() -> int:
    """Run what was asked for; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="make calibrate", description=__doc__)
    parser.add_argument("--only", choices=FAMILIES, action="append", help="one family; may be given again")
    parser.add_argument("--cells", default="", help="cells whose name holds this pattern")
    parser.add_argument("--draws", type=int, help="draws a cell, in place of its own; writes nothing")
    parser.add_argument("--missing", action="store_true", help="only cells that no run has reached yet")
    parser.add_argument("--ours", action="store_true", help="leave peers out; writes nothing")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", action="store_true", help="write though --draws was given")
    asked = parser.parse_args()
    missed = False
    with processes(asked.jobs) as pool:
        for name in asked.only or FAMILIES:
            family = FAMILIES[name]
            print(f"\n{name}: {family.title}", flush=True)
            for cell in family.cells:
                if not re.search(asked.cells, cell.name) or (asked.missing and reached(name, cell.name)):
                    continue
                if asked.ours:
                    cell = replace(cell, methods=tuple(m for m in cell.methods if m.asked))
                begun = time.perf_counter()
                found = read_draws(cell, asked.draws or cell.draws, pool, asked.jobs)
                if not len(found):
                    continue
                table = summarise(cell, found)
                table.insert(0, "cell", cell.name)
                table.insert(0, "family", name)
                print(f"\n{cell.name} ({time.perf_counter() - begun:,.0f} s)\n{shown(table)}", flush=True)
                missed |= bool((table["ok"] == "NO").any())
                if asked.write or not (asked.draws or asked.ours):
                    write(FAMILIES.values(), table, run_note(asked.draws))
    print("\nA target is missed." if missed else "\nEvery target is met.")
    return int(missed)


def shown(table: pd.DataFrame) -> str:
    """A row for each effect, a column for each measure: ``value (Monte Carlo error)``, ``!`` where missed."""
    lines = []
    for (method, term), part in table.groupby(["method", "term"], sort=False):
        line: dict[str, Any] = {"method": method, "term": term}
        for row in part.itertuples():
            if row.text:
                line[row.measure] = row.text[:60]
            else:
                error = "" if pd.isna(row.mc_error) else f" ({row.mc_error:.3f})"
                line[row.measure] = f"{row.value:.3f}{error}{'!' if row.ok == 'NO' else ''}"
        lines.append(line)
    return pd.DataFrame(lines).fillna("").to_string(index=False)


if __name__ == "__main__":
    sys.exit(main())
