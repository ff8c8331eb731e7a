"""The figures of the page on trials of whole funds are those of the board."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.calibration.board import SHARES
from benchmarks.calibration.funds import TRUTHS, Funds
from benchmarks.calibration.league import FAMILIES, FIRST, LEADER, MONEY, PLACES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/league_trials.md").read_text(encoding="utf-8")
RESULTS = pd.read_csv(
    ROOT / "benchmarks/calibration/results.csv", keep_default_na=False, na_values={"value": ""}
)
VALUES = RESULTS[RESULTS["family"] == "league"].set_index(["cell", "method", "term", "measure"])["value"]

RULES = {
    "the rule": "**the rule**",
    "the rule, looking two years on": "the rule, for a decision of two years",
    "the rule, doubting prior": "the rule, with the doubting prior",
    "no second year": "mainstream at 80%, no second year",
    "largest posterior mean": "the set with the largest expected net benefit",
    "all that leave out no change": "all whose interval leaves out no change",
    "winner by net benefit": "the winner by net benefit as measured",
    "winner by result": "the winner by result",
    "best set as measured": "the best set as measured",
    "truth known": "(the truth known)",
}
TABLES = {
    LEADER: (
        {
            "as measured": "as measured",
            "spread at its REML estimate": "shrunken, spread at its REML estimate",
            "shrunken": "**shrunken, as a league shows it**",
            "hybrid": "**hybrid interval**",
        },
        ("bias", "coverage", "width"),
    ),
    PLACES: (
        {"rank sets": "**rank sets**", "intervals apart": "intervals that do not overlap", "in order of results": "the order of results"},
        ("coverage", "could be first"),
    ),
    FIRST: ({"posterior": "**posterior**", "results drawn again": "results drawn again"}, ("said", "true")),
    MONEY: (RULES, ("value", "claimed", "loses")),
}  # fmt: skip


def told(cell: str, method: str, term: str, measures: tuple[str, ...]) -> str:
    """Figures of one cell of the board, rounded as the page has them."""
    values = [VALUES[cell, method, term, measure] for measure in measures]
    places = [1 if measure in ("bias", "could be first") else 0 for measure in measures]
    shown = [
        f"{100 * value:.0f}" if measure in SHARES else f"{value:,.{n}f}"
        for measure, value, n in zip(measures, values, places, strict=True)
    ]
    return " / ".join("0" if figure == "-0" else figure for figure in shown)


def by_truth(term: str) -> list[str]:
    """A row a method, a column a truth."""
    methods, measures = TABLES[term]
    return [
        f"| {name} | {' | '.join(told(Funds(truth=t).name, method, term, measures) for t in TRUTHS)} |"
        for method, name in methods.items()
    ]


def by_sharing() -> list[str]:
    """What the rule leaves where errors are shared, with the sharing said and not said."""
    rows = {"the rule": "sharing said", "the rule, sharing not said": "sharing not said"}
    cells = {"half": "correlation 0.5", "one arm": "one control arm"}
    return [
        f"| {shown}, {name} | "
        + " | ".join(told(Funds(truth=t, sharing=s).name, m, MONEY, ("value", "loses")) for t in TRUTHS)
        + " |"
        for s, shown in cells.items()
        for m, name in rows.items()
    ]


def by_number() -> list[str]:
    """Funds of other sizes."""
    rows = []
    for k in (4, 12, 50):
        for t, name in TRUTHS.items():
            cell = Funds(truth=t, pilots=k).name
            parts = [told(cell, m, LEADER, ("bias", "coverage")) for m in ("as measured", "shrunken")]
            parts += [
                told(cell, "hybrid", LEADER, ("coverage",)),
                told(cell, "rank sets", PLACES, ("coverage",)),
            ]
            parts += [told(cell, m, MONEY, ("value",)) for m in ("the rule", "winner by result")]
            rows.append(f"| {k}, {name} | {' | '.join(parts)} |")
    return rows


@pytest.mark.parametrize(
    "rows",
    [*(partial(by_truth, term) for term in TABLES), by_sharing, by_number],
    ids=[*TABLES, "sharing", "number"],
)
def test_each_row_is_on_the_page(rows):
    assert [row for row in rows() if row not in PAGE] == []


def test_every_cell_has_been_run_and_what_missed_is_on_the_page():
    assert {cell.name for cell in FAMILIES[0].cells} <= set(VALUES.index.get_level_values("cell"))
    league = RESULTS[RESULTS["family"] == "league"]
    missed, asked = int((league["ok"] == "NO").sum()), int((league["ok"] != "").sum())
    assert f"{asked - missed} of {asked} targets" in PAGE
