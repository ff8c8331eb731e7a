"""The board as tables: every measure in ``results.csv``, and the page ``docs/calibration.md``.

A run replaces the rows of each cell it ran, as soon as it is done, so that methods in one row were read from
the same draws in one run. What was run when, with which versions, is in ``runs.json``.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.calibration.board import SHARES, TEXTS, Family

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "calibration.md"
PACKAGES = ("ucimpact", "numpy", "scipy", "pandas")
PEERS = ("diff-diff", "pyfixest", "csdid", "statsmodels", "causalpy", "bsts-causalimpact")
MANY = 16
"""Methods beyond which their draws are told together."""
DIGITS = {"value": "%.6g", "mc_error": "%.3g"}

INTRO = """\
# Calibration

Made by `make calibrate`; do not edit. Data are made with a known truth, many times over, and every method
reads the same draws. A nominal 5% test should be wrong in 5% of draws with nothing planted (**false
positives**), and a 95% interval should hold the planted effect in 95% (**coverage**). **Power** is how often
the planted effect is found. **Refused** is the share of draws in which a method gives no p-value, with its
reason; the other measures are of the draws in which it does. A figure in brackets is the Monte Carlo error: a
true 5% lies within two of them nearly always.

Targets are for ours, where they read every draw. Below 3% is allowed where power is printed: few pilots hold
little information, and some procedures pay for safety with power. Peers (`make peers`) run with the defaults
of their pages: errors clustered by unit, or the analytic errors of the estimator, on as many draws as time
allows. Everything measured, width and CPU time too, is in `benchmarks/calibration/results.csv`.
"""


def write(families: Iterable[Family], table: pd.DataFrame, note: dict[str, Any]) -> None:
    """Results of one cell, what was run, and the page, with what earlier runs left of other cells."""
    results, earlier = HERE / "results.csv", HERE / "runs.json"
    family, cell = table.loc[0, ["family", "cell"]]
    whole, runs = table.assign(date=note["date"]), {}
    for column, form in DIGITS.items():
        whole[column] = [float(form % value) for value in whole[column]]
    if results.exists():
        old = pd.read_csv(results, keep_default_na=False, na_values={"value": "", "mc_error": ""})
        old = old[(old["family"] != family) | (old["cell"] != cell)]
        whole = pd.concat([old, whole], ignore_index=True)
        runs = json.loads(earlier.read_text(encoding="utf-8"))
    runs[family] = note
    whole.to_csv(results, index=False, lineterminator="\n")
    earlier.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(families, whole, runs), encoding="utf-8")


def reached(family: str, cell: str) -> bool:
    """Whether an earlier run has left rows of this cell."""
    results = HERE / "results.csv"
    if not results.exists():
        return False
    held = pd.read_csv(results, usecols=["family", "cell"])
    return bool(((held["family"] == family) & (held["cell"] == cell)).any())


def run_note(draws: int | None) -> dict[str, Any]:
    """When and with what."""
    note: dict[str, Any] = {"date": date.today().isoformat(), "python": platform.python_version()}
    note["versions"] = {name: found for name in (*PACKAGES, *PEERS) if (found := _version(name))}
    return note | ({"draws": draws} if draws else {})


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# -- the page ----------------------------------------------------------------------------------


def page(families: Iterable[Family], results: pd.DataFrame, runs: dict[str, Any]) -> str:
    """Markdown: for each family its tables, the reasons of refusals and what missed."""
    parts, absent = [INTRO], []
    for family in families:
        rows = results[results["family"] == family.name]
        left = [cell.name for cell in family.cells if cell.name not in set(rows["cell"])]
        if left:
            absent.append(f"{family.name}: {len(left)} of {len(family.cells)}")
        if not len(rows):
            continue
        parts += [f"## {family.title}\n", f"{family.about}\n", _when(runs[family.name], rows)]
        parts += LAYOUTS[family.layout](family, rows)
        parts += [*_refusals(rows), _misses(rows)]
    if absent:
        parts.append(f"Cells that no run has reached yet: {'; '.join(absent)}.\n")
    return "\n".join(parts)


def _when(run: dict[str, Any], rows: pd.DataFrame) -> str:
    draws = rows[rows["measure"] == "cpu"].groupby(["package", "method"], sort=False)["draws"].max()
    told = "; ".join(f"{method} {number:,}" for (_, method), number in draws.items())
    if len(draws) > MANY:
        told = f"up to {draws.mode()[0]:,}"
    versions = ", ".join(f"{name} {found}" for name, found in run["versions"].items())
    dates = sorted(set(rows["date"]))
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"*{when}; Python {run['python']}, {versions}. Draws a cell: {told}.*\n"


def _by_method(family: Family, rows: pd.DataFrame) -> Iterator[str]:
    yield "False positives, %:\n"
    yield _pivot(family, rows, lambda at: _percent(at, "false positives"))
    yield "Coverage and power at the planted effect, %:\n"
    yield _pivot(family, rows, lambda at: " / ".join(_percent(at, m) for m in ("coverage", "power")))
    yield "Bias (estimate less what was planted):\n"
    yield _pivot(family, rows, lambda at: _number(at, "bias"))


def _pivot(family: Family, rows: pd.DataFrame, told: Any) -> str:
    """Cells down, methods across."""
    effects = list(rows.loc[rows["term"] != "", ["method", "term"]].drop_duplicates().itertuples(index=False))
    terms = rows[rows["term"] != ""].groupby("method")["term"].nunique()
    heads = [m if terms[m] == 1 else f"{m}, {t}" for m, t in effects]
    lines = [f"| cell | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    by = {key: part.set_index("measure") for key, part in rows.groupby(["cell", "method", "term"])}
    for cell in family.cells:
        keys = [(cell.name, m, t) if (cell.name, m, t) in by else (cell.name, m, "") for m, t in effects]
        if any(key in by for key in keys):
            told_of = [told(by[key]) if key in by else "" for key in keys]
            lines.append(f"| {cell.name} | {' | '.join(told_of)} |")
    return "\n".join(lines) + "\n"


def _by_term(_: Family, rows: pd.DataFrame) -> Iterator[str]:
    shown = [m for m in rows["measure"].unique() if m not in ("cpu", "reason", "procedure")]
    lines = [f"| cell | effect | {' | '.join(shown)} |", "|---" * (len(shown) + 2) + "|"]
    for (cell, term), part in rows.groupby(["cell", "term"], sort=False):
        at = part.set_index("measure")
        told = [_percent(at, m) + "%" if m in SHARES else _number(at, m) for m in shown]
        lines.append(f"| {cell} | {term} | {' | '.join(told)} |")
    yield "\n".join(lines) + "\n"


def _methods_across(family: Family, rows: pd.DataFrame) -> Iterator[str]:
    """A row a cell and effect: the coverage of each method, then what only ours says of itself."""
    ours = {method.name for cell in family.cells for method in cell.methods if method.ours}
    extra = [m for m in ("warned", "coverage unwarned") if m in set(rows["measure"])]
    heads = list(dict.fromkeys(rows["method"]))
    lines = [
        f"| cell | effect | {' | '.join([*heads, *extra])} |",
        "|---" * (2 + len(heads) + len(extra)) + "|",
    ]
    by = {key: part.set_index("measure") for key, part in rows.groupby(["cell", "term", "method"])}
    for cell, term in rows[rows["term"] != ""].drop_duplicates(["cell", "term"])[["cell", "term"]].to_numpy():
        told = [_percent(by[cell, term, m], "coverage") if (cell, term, m) in by else "" for m in heads]
        own = next(by[cell, term, m] for m in heads if m in ours and (cell, term, m) in by)
        told += [_percent(own, measure) for measure in extra]
        lines.append(f"| {cell} | {term} | {' | '.join(told)} |")
    yield "Coverage of a nominal 95%, %:\n"
    yield "\n".join(lines) + "\n"


def _by_answer(family: Family, rows: pd.DataFrame) -> Iterator[str]:
    """A table a cell: a row for each method and effect, with the ratio that its mean log ratio is."""
    told = {"ratio": "ratio", "bias": "bias (log)", "SE over SD": "SE / SD"}
    for cell in family.cells:
        own = rows[rows["cell"] == cell.name]
        shares = [measure for measure in SHARES if measure in set(own["measure"])]
        lines = [
            f"| method | effect | {' | '.join([*told.values(), *shares])} |",
            "|---" * (2 + len(told) + len(shares)) + "|",
        ]
        for (method, term), part in own.groupby(["method", "term"], sort=False):
            at = part.set_index("measure")
            shown = [_number(at, measure) for measure in ("bias", "SE over SD")]
            shown = [_ratio(at), *shown, *(_percent(at, measure) for measure in shares)]
            lines.append(f"| {method} | {term} | {' | '.join(shown)} |")
        if len(own):
            yield f"### {cell.name}\n"
            yield "\n".join(lines) + "\n"


def _by_question(family: Family, rows: pd.DataFrame) -> Iterator[str]:
    """A table an effect: cells down, methods across, every measure of the effect in each."""
    for term in dict.fromkeys(rows["term"]):
        own = rows[(rows["term"] == term) & ~rows["measure"].isin(["cpu", *TEXTS])]
        measures, methods = list(dict.fromkeys(own["measure"])), list(dict.fromkeys(own["method"]))
        lines = [f"| cell | {' | '.join(methods)} |", "|---" * (1 + len(methods)) + "|"]
        by = {key: part.set_index("measure") for key, part in own.groupby(["cell", "method"])}
        for cell in (cell.name for cell in family.cells if cell.name in set(own["cell"])):
            told = [
                " / ".join(_either(by[cell, method], measure) for measure in measures)
                if (cell, method) in by
                else ""
                for method in methods
            ]
            lines.append(f"| {cell} | {' | '.join(told)} |")
        shown = (f"{measure}, %" if measure in SHARES else measure for measure in measures)
        yield f"{term.capitalize()} ({' / '.join(shown)}):\n"
        yield "\n".join(lines) + "\n"


def _either(at: pd.DataFrame, measure: str) -> str:
    """A share in per cent, and anything else to the decimal that its size deserves."""
    if measure in SHARES or measure not in at.index:
        return _percent(at, measure)
    value, mc = at.loc[measure, ["value", "mc_error"]]
    places = 0 if abs(value) >= 30 else 1
    told = f"{value:.{places}f}" if math.isnan(mc) else f"{value:.{places}f} ({mc:.{places}f})"
    return f"**{told}**" if at.loc[measure, "ok"] == "NO" else told


LAYOUTS = {
    "by term": _by_term,
    "by method": _by_method,
    "methods across": _methods_across,
    "by answer": _by_answer,
    "by question": _by_question,
}


def _ratio(at: pd.DataFrame) -> str:
    if "log ratio" not in at.index:
        return "–"
    value, mc = at.loc["log ratio", ["value", "mc_error"]]
    return f"{math.exp(value):.3f} ({math.exp(value) * mc:.3f})"


def _percent(at: pd.DataFrame, measure: str) -> str:
    if measure not in at.index:
        return "refused" if "refused" in at.index and at.loc["refused", "value"] == 1 else "–"
    value, mc = at.loc[measure, ["value", "mc_error"]]
    told = f"{100 * value:.1f} ({100 * mc:.1f})"
    return f"**{told}**" if at.loc[measure, "ok"] == "NO" else told


def _number(at: pd.DataFrame, measure: str) -> str:
    if measure not in at.index:
        return "–"
    value, mc = at.loc[measure, ["value", "mc_error"]]
    told = f"{value:.2g}" if math.isnan(mc) else f"{value:.2g} ({mc:.1g})"
    return f"**{told}**" if at.loc[measure, "ok"] == "NO" else told


def _refusals(rows: pd.DataFrame) -> Iterator[str]:
    """Why, once for each reason."""
    refused = rows[(rows["measure"] == "refused") & (rows["value"] > 0)]
    reasons = rows[rows["measure"] == "reason"].set_index(["cell", "method", "term"])["text"]
    said: dict[str, list[str]] = {}
    for row in refused.itertuples():
        why = reasons.get((row.cell, row.method, row.term), "no p-value")
        share = "" if row.value == 1 else f" ({100 * row.value:.0f}%)"
        where = said.setdefault(f"{row.method}: {why}", [])
        if f"{row.cell}{share}" not in where:
            where.append(f"{row.cell}{share}")
    if said:
        yield "Refused:\n"
        yield "\n".join(f"- {why} In: {'; '.join(where)}." for why, where in said.items()) + "\n"


def _misses(rows: pd.DataFrame) -> str:
    missed = rows[rows["ok"] == "NO"]
    asked = rows[rows["ok"] != ""]
    if not len(missed):
        return f"All {len(asked)} targets are met.\n" if len(asked) else ""
    told = "; ".join(
        f"{row.cell}, {row.method}, {row.term}: {row.measure} {row.value:.3f} ({row.mc_error:.3f})"
        for row in missed.itertuples()
    )
    return f"**Missed, {len(missed)} of {len(asked)} targets** (bold above): {told}.\n"
