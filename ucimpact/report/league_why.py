"""Why each decision, how sure of each pilot, what its own report says, who was left out, how it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report.league_parts import (
    NOT_WORKED_OUT,
    Field,
    LeagueSection,
    ReasonRow,
    joined,
    tag_of,
    told,
    worth,
)
from ucimpact.report.method import Facts, figure
from ucimpact.report.phrases import stopped
from ucimpact.report.section import Note, Section
from ucimpact.report.tables import Table, table
from ucimpact.words import VERDICTS, capital, chance, money, number, per_person
from ucimpact.words import league_page as said
from ucimpact.words.numbers import mid_sentence

GOVERNS = 3
"""Fewer pilots than this are decided on by their own reports."""
UNSEEN = "What this cannot tell you"


def why(field: Field) -> LeagueSection:
    """Every decision with its reason and what would change it, in the order of the verdicts."""
    order = sorted(
        field.pilots, key=lambda p: (said.order(p["verdict"]["name"]), -(worth(p, "chance") or 0.0))
    )
    notes = _notes(field) if field.n < GOVERNS else ()
    rows = tuple(
        ReasonRow(
            name=p["name"], place=p.get("place") or "", tag=tag_of(p), price=_asked(p),
            because=_reason(p),
            would_change=_change_of(p),
            others=stopped(p.get("others") or ""),
        )
        for p in order
    )  # fmt: skip
    return LeagueSection(
        ident="why", heading="Why each decision, and what would change it", kind="why",
        caption="Decision, reason and what would change it, for each pilot", reasons=rows,
        bold=said.verdicts_tally([p["verdict"]["name"] for p in order]),
        text=(said.rule_told(field.document["league"]["rule"]), *notes),
    )  # fmt: skip


def _notes(field: Field) -> tuple[str, ...]:
    """What the league says of itself: of two pilots, that their own reports decide."""
    return tuple(stopped(text) for text in field.document.get("notes") or ())


def _asked(p: Mapping[str, Any]) -> str:
    """What the verdict says beyond its name."""
    text = str(p["verdict"].get("text") or "").removeprefix(p["verdict"]["name"]).lstrip(",: ")
    return capital(text)


def _change_of(p: Mapping[str, Any]) -> str:
    given = stopped(told(p.get("would_change")))
    return given or (said.WHEN_KNOWN if p["verdict"]["row"] == 0 else said.NO_SWITCH)


def _reason(p: Mapping[str, Any]) -> str:
    reason = stopped(told(p.get("because")))
    return reason or said.NOT_KNOWN.format(mid_sentence(_asked(p)) or "what it is worth")


def sure(field: Field) -> Section:
    """Certainty of each pilot in the league, with every step."""
    rows = []
    for p in field.pilots:
        steps = " ".join(f"{step['head']} {stopped(step['text'])}" for step in p["steps"])
        allowed = capital(said.ALLOWED[p["claim"]])
        rows.append([field.short[p["id"]], capital(p["level"]), allowed, steps or "No step down."])
    levels = [p["level"] for p in field.pilots]
    head = ["Pilot", "Certainty", "What the range allows", "Steps"]
    return Section(
        ident="sure", heading="How sure are we of each pilot?", kind="tables",
        bold=said.certainties(levels),
        text=(said.CERTAINTY_IN_A_LEAGUE if field.n >= GOVERNS else said.CERTAINTY_OF_TWO,),
        tables=(table("Certainty of each pilot, step by step", head, rows, ()),),
    )  # fmt: skip


def own(field: Field) -> Section:
    """What each pilot's own report says beside what the league says, and which governs what."""
    head = ["Pilot", "Change, own report", "Change, league", "Verdict, own report", "Verdict, league"]
    head.append("Worth in both")
    rows = []
    for p in field.pilots:
        held = p.get("own") or {}
        rows.append([
            field.short[p["id"]], _change(field, held), _change(field, p["shrunk"]),
            held.get("verdict") or NOT_WORKED_OUT, p["verdict"]["name"],
            joined(stopped(p.get("governs") or "")) or "No price was set against its worth.",
        ])  # fmt: skip
    alone = [_kind((p.get("own") or {}).get("verdict") or "") for p in field.pilots]
    differ = sum(text != p["verdict"]["name"] for text, p in zip(alone, field.pilots, strict=True))
    return Section(
        ident="own", heading="Where do the pilots’ own reports say otherwise?", kind="tables",
        bold=said.verdicts_differ(differ, field.n), text=(said.READ_ALONE,),
        tables=(table("Own report and league, pilot by pilot", head, rows, ()),),
    )  # fmt: skip


def _kind(text: str) -> str:
    """The verdict that a text begins with; an own report words it with months and a price."""
    if text.startswith("Extend for"):
        return VERDICTS[2]
    if text.startswith("Stop"):
        return VERDICTS[4]
    return next((name for name in VERDICTS if text.startswith(name)), text)


def _change(field: Field, values: Mapping[str, Any]) -> str:
    difference, spread = field.change(values)
    return f"{difference} ({spread})" if spread else difference


def left_out(field: Field) -> Section | None:
    """Pilots that were not compared, with the reason for each."""
    rows = tuple((row["name"], stopped(row["why"])) for row in field.document.get("left_out") or ())
    if not rows:
        return None
    return Section(ident="left", heading="Which pilots were left out, and why?", kind="data", facts=rows)


def how(field: Field) -> LeagueSection:
    """The method in words, what was chosen, and what a league cannot tell."""
    document = field.document
    linked = document.get("covariance") or {}
    text = [stopped(field.estimand.get("sentence") or ""), said.DRAWN_TOGETHER, said.PLACES, said.CORRECTED]
    if linked.get("how") == "none shared":
        text.append(stopped(linked.get("text") or ""))
    warnings = list(_notes(field)) if field.n >= GOVERNS else []
    warnings += [
        f"{field.short[p['id']]}: {stopped(text)}" for p in field.pilots for text in p.get("warnings") or ()
    ]
    return LeagueSection(
        ident="how", heading="How it was done", kind="how", bold="Only like was compared with like.",
        text=tuple(part for part in text if part), facts=_facts(field), items=tuple(warnings),
        note=Note(name=UNSEEN, paragraphs=((UNSEEN, f"{capital(field.outcome)} {said.ONE_OUTCOME}"),)),
    )  # fmt: skip


def _facts(field: Field) -> Facts:
    league, estimand = field.document["league"], field.estimand
    rule, facts = league["rule"], []
    if estimand.get("unit_value") is not None:
        year = estimand.get("price_year")
        in_prices = f", in {year} prices" if year else ""
        facts.append(
            (f"Worth of one event of {field.outcome}", f"{per_person(estimand['unit_value'])}{in_prices}")
        )
    if league.get("budget") is not None:
        facts.append(("Budget for one more year", money(league["budget"])))
    if league.get("another_year_costs") is not None:
        facts.append(("Another year of evidence costs, a pilot", money(league["another_year_costs"])))
    facts.append(("Chance of being worth its price that mainstreaming asks for", chance(rule["chance"])))
    if rule.get("floor") is not None:
        facts.append(("The least chance at which extending is considered", chance(rule["floor"])))
    if rule.get("keep") is not None:
        facts.append(("Chance at which an extended pilot would be kept", chance(rule["keep"])))
    if rule.get("min_certainty"):
        facts.append(("Certainty that mainstreaming asks for", capital(rule["min_certainty"])))
    spread = field.document.get("spread") or {}
    if spread.get("chance_matters") is not None:
        name = "Chance that the pilots differ by more than half of what is worthwhile"
        facts.append((name, chance(spread["chance_matters"])))
    return tuple(facts)


def appendix(field: Field) -> Section:
    """The numbers as they were analysed, on the scale of logarithms, and the specification."""
    document, league = field.document, field.document["league"]
    closing = (
        f"The same specification, reports and version give the same numbers. Seed {document['seed']}. "
        f"Schema {document['schema']}. Report written by ucimpact {document['version']}."
    )
    spec = league.get("text") or ""
    return Section(
        ident="appendix", heading="Appendix: the analysis in full", kind="appendix" if spec else "tables",
        tables=tuple(made for made in (_analysed(field), _corrected(field)) if made is not None),
        spec=spec, hash=league.get("hash") or "", closing=closing, text=(f"{said.NO_FILE} {closing}",),
    )  # fmt: skip


def _analysed(field: Field) -> Table:
    rows = []
    for p in field.pilots:
        raw, shrunk = p["raw"], p["shrunk"]
        freedom = raw.get("df")
        rows.append([
            field.short[p["id"]], capital((p.get("method") or "not named").replace("-", " ")),
            figure(raw["log"]), figure(raw["std_error"]),
            "many" if freedom is None else number(freedom), figure(raw["used_se"]), figure(shrunk["log"]),
            figure(shrunk["sd"]),
        ])  # fmt: skip
    head = ["Pilot", "Method", "Log ratio", "Standard error", "Degrees of freedom", "Standard error used",
            "Log ratio allowing for luck", "Its standard deviation"]  # fmt: skip
    caption = f"As analysed: logarithms of the ratio of {field.outcome}, with the pilot to without"
    return table(caption, head, rows, range(2, 8))


def _corrected(field: Field) -> Table | None:
    """The median of the corrected range, which stands nowhere else."""
    leader = field.document.get("leader")
    hybrid = field.of(leader).get("hybrid") if leader else None
    if not leader or not hybrid or hybrid.get("est") is None:
        return None
    difference, spread = field.change(hybrid)
    rows = [[field.short[leader], difference, spread]]
    return table(said.HYBRID_TABLE, ["Pilot", "Its middle, a poor number", "Range"], rows, ())
