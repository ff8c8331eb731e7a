"""What each pilot changed, which places it could hold, and what is left of the largest claim.

Raw results are ticks and what is left after allowing for luck are dots: both stand in the text of the row.
The corrected range of the apparent winner is a bar without a dot, because its middle is a poor number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ucimpact.report.intervals import Result, Row, Tick, row_of, ticks_of
from ucimpact.report.league_parts import MANY, Field, LeagueSection, PilotRow, RankRow
from ucimpact.report.phrases import stopped
from ucimpact.report.scale import Axis, css
from ucimpact.report.section import Note
from ucimpact.words import UNCLEAR, capital, chance, good_change, likely, number, plainly
from ucimpact.words import league_page as said
from ucimpact.words.numbers import few

REACH = 2.0
"""Raw results this many times as far from no change as any range that allows for luck run off the axis."""
STEPS = (1, 2, 5, 10, 20, 50, 100)
MOST_PLACES = 10
"""Names of places on the axis of ranks."""
FULL = 100.0
SHORTER = 0.6
"""The shorter side of no change is at least this share of the longer, so that both are named."""


def luck(field: Field) -> LeagueSection:
    """Every pilot as measured and allowing for luck."""
    held = [v for p in field.pilots for v in (p["shrunk"]["lo"], p["shrunk"]["hi"])]
    wanted = [_worth(field, p) for p in field.pilots]
    most = REACH * max(abs(v) for v in held)
    raw = [min(max(p["raw"]["est"], -most), most) for p in field.pilots]
    axis = _axis([*held, *raw, *(w for w in wanted if w is not None)])
    rows = []
    for p, worthwhile in zip(field.pilots, wanted, strict=True):
        measured, spread = field.change(p["raw"])
        result = _result(p["name"], p["shrunk"])
        at = p["raw"]["est"]
        rows.append(
            PilotRow(
                name=p["name"], place=p.get("place") or "",
                people=number(p["people"]) if p.get("people") else "hidden",
                raw=measured, raw_range=spread, raw_at=css(axis.place(at)) if axis.holds(at) else "",
                worthwhile="" if worthwhile is None else css(axis.place(worthwhile)),
                row=row_of(result, axis, field.how, worthwhile),
            )
        )  # fmt: skip
    off = sum(not row.raw_at for row in rows)
    told = [stopped(said.TOWARDS_EACH_OTHER.format(n=few(field.n)))]
    if off:
        told.append(
            f"{capital(few(off))} raw {'result runs' if off == 1 else 'results run'} off the scale; "
            "the row holds the numbers."
        )
    if judged := _judged_by_another_range(field, rows):
        told.append(judged)
    kinds = [(p["claim"], p["level"]) for p in field.pilots]
    return LeagueSection(
        ident="luck", heading="What did each pilot change?", kind="luck",
        bold=said.changed(kinds, field.outcome, field.estimand["better"]), text=tuple(told),
        title=_luck_title(field), measured=field.measured,
        caption=f"Changes in {field.outcome} as measured and allowing for luck, {field.per}",
        key=_key([row.row for row in rows], field, field.pilots, raw=True),
        ticks=ticks_of(axis, field.how), zero=css(axis.place(0.0)), pilots=tuple(rows), whole=field.n <= MANY,
    )  # fmt: skip


def _judged_by_another_range(field: Field, rows: Sequence[PilotRow]) -> str:
    """Why the apparent winner may not be counted as its mark is drawn."""
    leader = field.document.get("leader")
    for p, row in zip(field.pilots, rows, strict=True):
        if p["id"] == leader and p.get("hybrid") and p["claim"] in UNCLEAR and row.row.answer != "unsure":
            return said.CORRECTED_JUDGES.format(name=field.short[leader])
    return ""


def _luck_title(field: Field) -> str:
    """Whether the numbers lie closer together once luck is allowed for."""
    spans = [
        max(values) - min(values)
        for values in ([p[part]["est"] for p in field.pilots] for part in ("raw", "shrunk"))
    ]
    if spans[1] < spans[0]:
        return f"Allowing for luck, the {few(field.n)} are more alike than they look"
    return f"The {few(field.n)} as measured, and allowing for luck"


def _key(
    rows: Sequence[Row], field: Field, pilots: Sequence[Mapping[str, Any]], *, raw: bool
) -> tuple[tuple[str, str], ...]:
    """Shapes with their meaning: only those that are drawn."""
    found = {row.answer for row in rows if row.dot}
    names = {"fell": ("f", field.how.fewer), "rose": ("r", field.how.more), "unsure": ("", "could not tell")}
    key = [("o", "As measured")] if raw else []
    lead = "Allowing for luck: " if raw else ""
    key += [
        (shape, f"{lead}{text}" if lead else capital(text))
        for kind, (shape, text) in names.items()
        if kind in found
    ]
    sizes = {p["worthwhile"] for p in pilots if p.get("worthwhile")}
    if sizes:
        noun = f"Smallest worthwhile {good_change(field.estimand['better'])}"
        word = field.how.word(field.towards_good)
        only = next(iter(sizes))
        size = f"{field.how.before}{plainly(only)}{field.how.after} {word}"
        key.append(("d", f"{noun}, {size}" if len(sizes) == 1 else f"{noun} of each pilot"))
    return tuple(key)


def ranks(field: Field) -> LeagueSection:
    """The places that the data allow to each pilot, and the chance of being best."""
    n, rows = field.n, []
    for p in field.pilots:
        low, high = p["rank"]["low"], p["rank"]["high"]
        room = min(1.0, 10.0 / n)
        rows.append(
            RankRow(
                name=field.short[p["id"]],
                places=number(low) if low == high else f"{number(low)} to {number(high)}",
                best=chance(p["rank"]["best"]),
                left=css(FULL * (low - 1) / n + room),
                width=css(FULL * (high - low + 1) / n - 2 * room),
            )
        )
    best = field.document["best"]
    last = sum(p["rank"]["high"] == n for p in field.pilots)
    share = sum(p["rank"]["high"] - p["rank"]["low"] + 1 for p in field.pilots) / n**2
    answer = said.ranks_answer(best["could_be_first"], last, n)
    text = ["The bars show every place each pilot could hold, with 95% confidence."]
    if not best["said"]:
        text.append(said.RANK_BARS)
    highest = max(p["rank"]["best"] for p in field.pilots)
    notes = [
        ("How to read this", f"A bar from 1 to {n} means that the data rule out no place."),
        ("The chance of being best", said.best_adds(highest, n)),
    ]
    if spread := (field.document.get("spread") or {}).get("text"):
        notes.append(("Is there anything to rank?", stopped(spread)))
    return LeagueSection(
        ident="rank", heading="Can they be ranked?", kind="ranks",
        bold=stopped(best["text"]) if best["said"] else answer, text=tuple(text),
        title=said.ranks_title(share),
        measured="Places that the data allow (95% confidence), and the chance of being best",
        caption="Places and the chance of being best", ticks=_places(n), ranks=tuple(rows),
        note=Note(name="About ranks", paragraphs=tuple(notes)), whole=n <= MANY,
    )  # fmt: skip


def _places(n: int) -> tuple[Tick, ...]:
    """Names of places on the axis: all of a few, round ones of many."""
    step = 1 if n <= MOST_PLACES else next(s for s in STEPS if n / s <= MOST_PLACES / 2)
    shown = [1, *(k for k in range(2, n + 1) if k % step == 0)] if step > 1 else list(range(1, n + 1))
    return tuple(Tick(left=css(FULL * (k - 0.5) / n), text=str(k), side="") for k in shown)


def winner(field: Field) -> LeagueSection | None:
    """The largest raw result: as measured, allowing for luck, and its range corrected for the picking."""
    ident = field.document.get("leader")
    if not ident:
        return None
    p = field.of(ident)
    sign = field.towards_good
    hybrid = p.get("hybrid")
    values = [p[part][name] for part in ("raw", "shrunk") for name in ("est", "lo", "hi")]
    values += [hybrid["lo"], hybrid["hi"]] if hybrid else []
    worthwhile = _worth(field, p)
    axis = _axis([*values, *([] if worthwhile is None else [worthwhile])])
    others = few(field.n - 1)
    beside = (
        f"Allowing for luck, with the other {others}" if field.n > 2 else "Allowing for luck, with the other"
    )
    rows = [
        row_of(_result(label, p[part]), axis, field.how, worthwhile)
        for label, part in (("As measured", "raw"), (beside, "shrunk"))
    ]
    text = [said.LUCK_WINS.format(n=few(field.n)) if field.n > 2 else ""]
    if hybrid:
        made = row_of(
            Result(label=said.WITHOUT_LIKENESS, est=hybrid["lo"], lo=hybrid["lo"], hi=hybrid["hi"]), axis,
            field.how, worthwhile,
        )  # fmt: skip
        spread = likely(hybrid["lo"], hybrid["hi"], field.how)
        rows.append(
            replace(made, difference=capital(spread), range="a range alone, no single number", dot="")
        )
        text.append(said.HYBRID_NOTE)
    name = field.short[ident]
    larger = max(sign * other["raw"]["est"] for other in field.pilots) > sign * p["raw"]["est"]
    most = f"{name} has the most favourable result of the {few(field.n)}"
    first = f"{said.MORE_IN_NUMBERS}{most}" if larger else most
    return LeagueSection(
        ident="winner", heading="What about the apparent winner?", kind="winner",
        bold=f"{first}. {said.claim_cut(sign * p['raw']['est'], sign * p['shrunk']['est'])}",
        text=tuple(part for part in text if part),
        title=f"{capital(few(len(rows)))} readings of {name}", measured=field.measured,
        caption=f"{name} as measured, allowing for luck, and with a corrected range",
        key=_key(rows, field, [p], raw=False), ticks=ticks_of(axis, field.how), zero=css(axis.place(0.0)),
        readings=tuple(rows), head=("" if worthwhile is None else css(axis.place(worthwhile)),),
    )  # fmt: skip


def _worth(field: Field, pilot: Mapping[str, Any]) -> float | None:
    """The smallest worthwhile change of a pilot, with its sign."""
    size = pilot.get("worthwhile")
    return field.towards_good * abs(size) if size else None


def _result(label: str, values: Mapping[str, Any]) -> Result:
    return Result(label=label, est=values["est"], lo=values["lo"], hi=values["hi"])


def _axis(values: Sequence[float]) -> Axis:
    """An axis that holds the values and no change, with room on both sides of it."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    low, high = min(low, -SHORTER * high), max(high, -SHORTER * low)
    room = 0.08 * (high - low or 1.0)
    return Axis(low=low - room, high=high + room)
