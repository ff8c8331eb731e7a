"""Were the two groups alike: the love plot, the groups in a table, sites, and who could not be compared.

Made from ``data.cohort``: ``balance, balance_by_site, overlap, weights, lost``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.report.figures import Figure, primary, source_of
from ucimpact.report.love import Love, Measured
from ucimpact.report.phrases import plainly_named, stopped, true_minus
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, table
from ucimpact.words import capital, joint, number

ALIKE, NEARLY = 0.10, 0.25
"""Standardised differences up to which two groups are alike, and nearly so; the same as in the check."""
MOST_DIFFERENCES = 6
"""Measures on which people without a match are described."""
MOST_DRAWN, MOST_SITES = 30, 12
"""Measures that are drawn, and sites that are listed; of more than these the least alike."""
WEIGHTED = ("weighted-cohort", "doubly-robust-cohort")


def held(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the document says of the groups."""
    return document["data"].get("cohort") or {}


def check_text(document: Mapping[str, Any], name: str) -> str:
    """The sentences of a check; "" if it was not made."""
    return next((check["text"] for check in document["checks"] if check["name"] == name), "")


def is_weighted(document: Mapping[str, Any]) -> bool:
    """Whether the groups were made comparable by weights."""
    entry = primary(document)
    by = (entry.get("spec") or {}).get("by")
    return entry.get("method") in WEIGHTED or by == "weights"


def is_trials(document: Mapping[str, Any]) -> bool:
    """Whether a person may be in it on many days."""
    return bool(primary(document).get("method") == "sequential-trials")


def everyone_else(document: Mapping[str, Any]) -> str:
    """What all who could have been compared with are called."""
    return "All who could have begun" if is_trials(document) else "Everyone else"


def groups(document: Mapping[str, Any]) -> Section | None:
    """What the two groups were like at the start, before and after matching, and who had no match."""
    cohort = held(document)
    rows = cohort.get("balance") or []
    lost = cohort.get("lost") or {}
    made = (_balance(document, rows), _by_site(cohort.get("balance_by_site") or ()), _lost(lost))
    tables = tuple(one for one in made if one is not None)
    if not tables:
        return None
    reading = (
        f"Two groups are called alike on a measure if they differ by no more than {ALIKE} of its standard "
        f"deviation, nearly alike up to {NEARLY}, and unlike beyond. The figure in brackets says how far."
    )
    paragraphs = [("What alike means", reading)]
    drawn = love(document)
    if drawn is not None:
        how = "weighting" if is_weighted(document) else "matching"
        paragraphs.insert(
            0,
            (
                "How to read this",
                f"A ring shows how far apart the groups were before {how}, the filled mark how far after. "
                "Marks should lie in the shaded strip.",
            ),
        )
        if any(row.get("strong") for row in rows):
            paragraphs.append(
                (
                    "In bold",
                    "Measures that say most of what happens to people later. Here a difference matters most.",
                )
            )
    return Section(
        ident="groups",
        heading="Were the two groups alike at the start?",
        kind="tables",
        bold=true_minus(check_text(document, "balance")),
        text=tuple(text for text in (_not_compared(lost), _overlap(cohort), _weights(cohort)) if text),
        figure=drawn,
        tables=tables,
        note=Note(name="What alike means", paragraphs=tuple(paragraphs)),
    )


# In words


def _not_compared(lost: Mapping[str, Any]) -> str:
    """Who had nobody to be compared with, and why."""
    if not lost.get("n"):
        return ""
    of = f" of {number(lost['of'])}" if lost.get("of") else ""
    why = "; ".join(
        f"{number(row['n'])}: {plainly_named(row['reason'])}"
        for row in lost.get("reasons") or ()
        if row.get("n")
    )
    said = f"{number(lost['n'])}{of} people supported had nobody like them to compare with"
    return f"{stopped(f'{said} ({why})' if why else said)} This report says nothing about them."


def _overlap(cohort: Mapping[str, Any]) -> str:
    """How far the two groups could have been one another."""
    told = cohort.get("overlap") or {}
    if told.get("coefficient") is None:
        return ""
    first = (
        "Judged by what was recorded, the chances of being supported overlap by "
        f"{number(100 * told['coefficient'])}% in the two groups"
    )
    if told.get("outside") is None:
        return f"{first}."
    outside = "none" if not told["outside"] else _per_cent(told["outside"])
    return f"{first}, and {outside} of the people supported lie outside what the others cover."


def _per_cent(share: float) -> str:
    return "under 1%" if share < 0.005 else f"{number(100 * share)}%"


def _weights(cohort: Mapping[str, Any]) -> str:
    """What the weights leave of the people compared with."""
    told = cohort.get("weights") or {}
    if told.get("ess") is None:
        return ""
    of = f", out of {number(told['of'])}" if told.get("of") else ""
    said = [f"The weights leave as much as {number(told['ess'])} people would say who all counted alike{of}"]
    if told.get("largest_share") is not None:
        share = 100 * told["largest_share"]
        said.append(f"the largest is {number(share, 1) if share >= 0.05 else 'under 0.1'}% of all")
    if told.get("trimmed"):
        said.append(f"{number(told['trimmed'])} were held back by the rule for large weights")
    return f"{'; '.join(said)}."


# The drawing


def love(document: Mapping[str, Any]) -> Figure | None:
    """How far apart the groups were on each measure, before and after."""
    rows = [row for row in held(document).get("balance") or () if row.get("smd") is not None]
    if not rows or all(row.get("smd_before") is None for row in rows):
        return None
    how = "weighting" if is_weighted(document) else "matching"
    drawn = sorted(rows, key=lambda row: -_size(row, "smd_before"))
    if len(drawn) > MOST_DRAWN:
        kept = sorted(drawn, key=lambda row: (not row.get("strong"), -_size(row, "smd")))[:MOST_DRAWN]
        drawn = [row for row in drawn if row in kept]
    chart = Love(
        rows=[
            Measured(
                name=_name(row),
                before=None if row.get("smd_before") is None else abs(row["smd_before"]),
                after=abs(row["smd"]),
                strong=bool(row.get("strong")),
            )
            for row in drawn
        ],
        alike=ALIKE,
        nearly=NEARLY,
        axis_label="difference between the groups, in standard deviations",
    )
    apart = [row for row in rows if _size(row, "smd") > ALIKE]
    worst, first = max(rows, key=lambda r: _size(r, "smd")), max(rows, key=lambda r: _size(r, "smd_before"))
    key = [("", f"Before {how}"), ("f", f"After {how}: alike")]
    if apart:
        key.append(("r", f"After {how}: not alike"))
        title = f"After {how} the groups still differ on {joint([_lower(row) for row in apart[:3]])}"
        if len(apart) > 3:
            title = f"After {how} the groups still differ on {len(apart)} of {len(rows)} measures"
    else:
        title = f"After {how} the groups are alike on every measure"
    source = source_of(document)
    if len(drawn) < len(rows):
        source += f" Drawn are the {len(drawn)} that matter most of {len(rows)}; the table holds all."
    return Figure(
        ident="love-chart",
        title=title,
        measure=f"How far apart the groups were on each measure, before and after {how}",
        chart=chart,
        name=f"How far apart the two groups were on {len(rows)} measures, before and after {how}",
        description=(
            f"Before, the largest difference was {number(_size(first, 'smd_before'), 2)} standard deviations "
            f"({_lower(first)}). After, it is {number(_size(worst, 'smd'), 2)} ({_lower(worst)})."
        ),
        source=source,
        key=tuple(key),
        table=_differences(rows, how),
    )


def _size(row: Mapping[str, Any], name: str) -> float:
    return abs(float(row.get(name) or 0.0))


def _name(row: Mapping[str, Any]) -> str:
    return capital(plainly_named(row.get("label") or row["name"]))


def _lower(row: Mapping[str, Any]) -> str:
    """The name of a measure in mid-sentence."""
    name = plainly_named(row.get("label") or row["name"])
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _differences(rows: Sequence[Mapping[str, Any]], how: str) -> Table:
    """Every difference, with the ratio of the spreads and how much a measure says of the outcome."""
    head = ["Measure", f"Before {how}", f"After {how}"]
    more = [
        (key, name)
        for key, name in (
            ("variance_ratio", "Ratio of variances, after"),
            ("ks", "Furthest apart (KS), after"),
            ("strength", "How much it says of the outcome"),
        )
        if any(row.get(key) is not None for row in rows)
    ]
    told = [
        [
            _name(row),
            *(_decimals(row.get(key)) for key in ("smd_before", "smd", *(key for key, _ in more))),
        ]
        for row in rows
    ]
    head += [name for _, name in more]
    return table("Differences in standard deviations", head, told, range(1, len(head)))


def _decimals(value: float | None) -> str:
    return "not told" if value is None else number(value, 2)


# Tables


def _balance(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Table | None:
    if not rows:
        return None
    weighted = is_weighted(document)
    counts = {**document["data"]["counts"], **(primary(document).get("counts") or {})}
    head = ["Measure"]
    names = (
        ("Supported", "matched_pilot"),
        ("Weighted", "weighted_comparison") if weighted else ("Matched", "matched_comparison"),
        (everyone_else(document), "" if is_trials(document) else "comparison"),
    )
    head += [f"{name} ({number(counts[key])})" if counts.get(key) else name for name, key in names]
    told = [
        [
            _name(row),
            *_level([row.get(name) for name in ("pilot", "comparison", "comparison_before")], row),
            _answer(row.get("smd")),
        ]
        for row in rows
    ]
    last = "After weighting" if weighted else "After matching"
    return table("The groups at the start", [*head, last], told, (1, 2, 3))


def _level(values: list[float | None], row: Mapping[str, Any]) -> list[str]:
    """Means of one measure alike in decimals; a yes or no, which has no ratio of variances, in per cent."""
    known = [abs(v) for v in values if v is not None]
    share = row.get("yes_no", row.get("variance_ratio") is None) and all(v <= 1 for v in known)
    decimals = 0 if share or max(known, default=0.0) >= 1000 else 1 if max(known, default=0.0) >= 3 else 2
    return [
        "not worked out" if v is None else f"{number(100 * v)}%" if share else number(v, decimals)
        for v in values
    ]


def _answer(smd: float | None) -> str:
    if smd is None:
        return "cannot tell"
    size = abs(smd)
    word = "alike" if size <= ALIKE else "nearly alike" if size <= NEARLY else "unlike"
    return f"{word} ({number(size, 2)})"


def _by_site(rows: Sequence[Mapping[str, Any]]) -> Table | None:
    """The sites at which the groups are least alike."""
    if len(rows) < 2:
        return None
    known = sorted(rows, key=lambda row: -1.0 if row.get("max_smd") is None else row["max_smd"], reverse=True)
    told = [
        [
            str(row["site"]),
            *("hidden" if row.get(n) is None else number(row[n]) for n in ("n_pilot", "n_comparison")),
            "too few to tell" if row.get("max_smd") is None else number(row["max_smd"], 2),
            capital(plainly_named(row.get("worst") or "")),
        ]
        for row in known[:MOST_SITES]
    ]
    caption = (
        "How alike the groups are at each site, the least alike first; small groups differ more by chance"
    )
    if len(rows) > MOST_SITES:
        caption += f" ({MOST_SITES} of {number(len(rows))})"
    return table(
        caption, ["Site", "Supported", "Beside them", "Largest difference", "It is in"], told, (1, 2, 3)
    )


def _lost(lost: Mapping[str, Any]) -> Table | None:
    rows = list(lost.get("differ") or ())[:MOST_DIFFERENCES]
    if not rows:
        return None
    told = [
        [_name(row), *_level([row.get("lost"), row.get("matched")], {"variance_ratio": 1})] for row in rows
    ]
    return table(
        "Those without a match, beside those with one (means)", ["Measure", "Without", "With"], told, (1, 2)
    )
