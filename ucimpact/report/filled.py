"""What these reports already say of each item of a reporting guideline, from the released document.

A function gives the text for a name that ``checklists.toml`` uses, "" where the document does not hold it.
Nothing is guessed: what only the author knows (approval, funding, background) has no function here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact import words
from ucimpact.report.cohort import explained as explained_of_people
from ucimpact.report.cohort import is_cohort
from ucimpact.report.compared import METHODS, compared
from ucimpact.report.figures import may_claim, noun_of, primary
from ucimpact.report.groups import check_text, held, is_trials, is_weighted
from ucimpact.report.method import explained
from ucimpact.report.phrases import day, plainly_named, quoted, stopped
from ucimpact.words import capital, joint, number
from ucimpact.words.brief import analyses_line, checks_line, worth_line
from ucimpact.words.lock import when_locked
from ucimpact.words.statement import is_naive

Document = Mapping[str, Any]
Fill = Callable[[Document], str]
MOST_NAMED = 12
"""Measures named one by one; of more the first stand and the number of the rest."""


def _design(document: Document) -> str:
    name = METHODS.get(str(primary(document).get("method")), "")
    if is_trials(document):
        return f"{name}: a target trial emulated with records, one trial each {_every(document)}."
    return f"{name}." if name else ""


def _every(document: Document) -> str:
    return str((primary(document).get("spec") or {}).get("every") or "day")


def _always(text: str) -> Fill:
    """What holds of every study."""
    return lambda _: text


def _study(name: str) -> Fill:
    return lambda document: stopped(str(document["study"].get(name) or ""))


def _files(document: Document) -> str:
    files = [str(row["file"]) for row in document["study"]["fingerprints"]]
    return f"Files read: {joint(files)}." if files else ""


def _setting(document: Document) -> str:
    window = document["data"].get("window") or ()
    dates = f"{capital(' to '.join(map(str, window)))}." if window else ""
    start = str(document["data"].get("start") or "")
    return " ".join(
        part
        for part in (stopped(document["study"]["population"]), dates, f"Start: {start}." if start else "")
        if part
    )


def _strategies(document: Document) -> str:
    study = document["study"]
    return " ".join(
        f"{name}: {stopped(study[key])}"
        for name, key in (("Pilot", "pilot"), ("Comparison", "comparator"))
        if study.get(key)
    )


def _ideal_lot(document: Document) -> str:
    return "By lot, person by person, known to people and staff." if is_cohort(document) else ""


def _assignment(document: Document) -> str:
    step = next((s for s in document["certainty"]["steps"] if s["code"].startswith("A")), None)
    told = stopped(capital(step["text"])) if step else ""
    if not is_cohort(document) or is_naive(document["finding"]):
        return told
    how = "by weights" if is_weighted(document) else "by matching"
    return f"{told} The groups were made alike {how}."


def _follow_up(document: Document) -> str:
    days = (primary(document).get("extras") or {}).get("horizon")
    if days:
        day0 = "the day of each trial" if is_trials(document) else "the start"
        return f"From {day0} for up to {number(days)} days, or to death or the end of the records."
    counts, noun = document["data"]["counts"], noun_of(document)
    if counts.get("before") and counts.get("after"):
        before, after = number(counts["before"]), number(counts["after"])
        return f"{before} {noun}s before a start and {after} from it, at most."
    return ""


def _outcomes(document: Document) -> str:
    names = [document["finding"]["outcome"]]
    names += [words.numbers.mid_sentence(e["label"]) for e in document["estimates"] if e["role"] == "outcome"]
    return f"Main outcome: {names[0]}." + (f" Others: {joint(names[1:])}." if names[1:] else "")


def _contrast(document: Document) -> str:
    finding, entry = document["finding"], primary(document)
    of = "those who had the pilot" if entry.get("estimand") == "ATT" else str(entry.get("estimand") or "")
    if not of or is_naive(finding):
        return ""
    scale = "in per cent" if finding["scale"] == "log" else finding["per"]
    return f"Difference in {finding['outcome']}, {scale}: average effect among {of}."


def _assumptions(document: Document) -> str:
    return f"{checks_line(document['checks'])} Each is told with its answer."


def _adjusted(document: Document) -> str:
    rows = (document["data"].get("cohort") or {}).get("balance") or ()
    names = [plainly_named(row.get("label") or row["name"]) for row in rows]
    if not names:
        spec = primary(document).get("spec") or {}
        names = [plainly_named(name) for name in (spec.get("covariates") or spec.get("adjust") or ())]
    if not names:
        return ""
    more = f" and {number(len(names) - MOST_NAMED)} more" if len(names) > MOST_NAMED else ""
    shown = names[:MOST_NAMED]
    return f"Allowed for: {', '.join(shown)}{more}." if more else f"Allowed for: {joint(shown)}."


def _analysis(document: Document) -> str:
    if is_cohort(document):
        return explained_of_people(document)[0]
    return explained(str(primary(document).get("method") or ""), noun_of(document))[0]


def _procedure(document: Document) -> str:
    text = document["finding"].get("procedure") or (primary(document).get("extras") or {}).get(
        "rule", {}
    ).get("procedure")
    return f"Range: {stopped(str(text))}" if text else ""


def _clock(document: Document) -> str:
    return quoted(check_text(document, "clock"))


def _check(name: str) -> Fill:
    return lambda document: quoted(
        next((capital(check["text"]) for check in document["checks"] if check["name"] == name), "")
    )


def _flow(document: Document) -> str:
    rows = held(document).get("flow") or document["data"]["flow"]
    kept = [row for row in rows if row["kind"] != "out"]
    told = [f"{'hidden' if row['n'] is None else _n(row['n'])} {row['text']}" for row in kept]
    return f"{'; '.join(told)}." if told else ""


def _n(value: Any) -> str:
    return value if isinstance(value, str) else number(value)


def _baseline(document: Document) -> str:
    rows = held(document).get("balance") or ()
    return f"{number(len(rows))} measures, before and after the groups were made alike." if rows else ""


def _missing(document: Document) -> str:
    rows = document["data"]["left_out"]
    if not rows:
        return "No row was left out for a missing or impossible value."
    told = [f"{'some' if row['n'] is None else _n(row['n'])} for “{row['reason']}”" for row in rows]
    return f"Left out: {'; '.join(told)}."


def _cleaning(document: Document) -> str:
    told = [quoted(str(text)) for text in document["data"].get("coercions") or ()]
    return stopped(capital("; ".join(told))) if told else "Every cell was read as it stands."


def _events(document: Document) -> str:
    finding = document["finding"]
    if is_naive(finding):
        return stopped(finding["sentences"].get("lead") or "")
    if not may_claim(finding) or None in (finding.get("observed"), finding.get("expected")):
        return ""
    how = words.measure(finding["kind"], decimals=1)
    observed, expected = how.amount(finding["observed"]), how.amount(finding["expected"])
    return f"{observed} observed and {expected} expected, {finding['per']}."


def _effect(document: Document) -> str:
    finding = document["finding"]
    if not may_claim(finding):
        return stopped(finding["sentences"]["headline"])
    how = words.measure(finding["kind"], decimals=1, percent=finding["scale"] == "log")
    said = words.spoken(finding["est"], finding["lo"], finding["hi"], how, finding.get("w"))
    size = said.difference if said.size else "0"
    return f"{capital(finding['outcome'])}: {size} {finding['per']} (95% interval {said.range})."


def _others(document: Document) -> str:
    entries = [e for e in document["estimates"] if e["role"] in ("sensitivity", "dates")]
    return analyses_line(document["finding"], entries, may_claim(document["finding"]))


def _subgroups(document: Document) -> str:
    sets = held(document).get("subgroups") or ()
    return f"Groups compared by: {joint([str(row['label']) for row in sets])}." if sets else ""


def _interpretation(document: Document) -> str:
    decided = document["decision"]
    told = stopped(decided["verdict"])
    return f"{told} {stopped(decided['because'])}" if decided.get("because") else told


def _finding(document: Document) -> str:
    line = stopped(document["certainty"].get("line") or "")
    return f"{stopped(document['finding']['sentences']['headline'])} {line}".strip()


def _limits(document: Document) -> str:
    return " ".join(stopped(text) for text in document["finding"].get("limits") or ())


def _steps(document: Document) -> str:
    return " ".join(
        f"{step['head']} {stopped(step['text'])}"
        for step in document["certainty"]["steps"]
        if step.get("cost", 0) > 0
    )


def _size(document: Document) -> str:
    told = document["finding"]["sentences"].get("found")
    who = compared(document)
    first = stopped(f"All that the records hold: {who.who}") if who.who else "All whom the records hold."
    return f"{first} {told}" if told else first


def _worthwhile(document: Document) -> str:
    finding = document["finding"]
    if finding.get("w") is None:
        return ""
    how = words.measure(finding["kind"], decimals=1, percent=finding["scale"] == "log")
    return f"Smallest worthwhile change, as declared: {how.amount(finding['w'])} {finding['per']}."


def _sharing(document: Document) -> str:
    return (
        f"The study file is printed in full; ucimpact {document['version']} and seed {document['seed']} give "
        "the same numbers. Who may have the data is for you to say."
    )


def _locked(document: Document) -> str:
    planned = (document.get("robust") or {}).get("planned") or {}
    if planned.get("locked") not in ("before", "after"):
        return ""
    on = day(planned["when"])
    told = f"The plan was locked on {on}, {planned['locked']} the outcome data were seen"
    if planned.get("timing") in ("late", "undated"):
        told = f"The plan was {when_locked(on, planned['timing'])}"
    return f"{told}, and was changed since." if planned.get("changed") else f"{told}."


def _elsewhere(document: Document) -> str:
    said = document["finding"].get("cannot_say") or ()
    return next((text for text in said if "elsewhere" in text), "")


# Money


def _valuation(document: Document) -> Mapping[str, Any]:
    return document.get("valuation") or {}


def _money_title(document: Document) -> str:
    return f"“{document['study']['title']}”: value of what changed against what the pilot cost."


def _worth(document: Document) -> str:
    return worth_line(_valuation(document), document["decision"])


def _horizon(document: Document) -> str:
    years = (_valuation(document).get("budget") or {}).get("years")
    after = f" Then {number(len(years) if isinstance(years, list) else years)} years ahead." if years else ""
    return f"{_follow_up(document)} Costs are of the same time.{after}".strip()


def _discount(document: Document) -> str:
    rate = (_valuation(document).get("budget") or {}).get("discount")
    if rate:
        return f"Later years count {100 * float(rate):.3g}% less a year."
    return "No discounting: costs and value are of the time of the pilot."


def _cost(document: Document) -> str:
    return stopped((document["decision"].get("cost") or {}).get("text") or "")


def _sources(document: Document) -> str:
    return " ".join(stopped(str(text)) for text in _valuation(document).get("sources") or ())


def _prices(document: Document) -> str:
    year = (_valuation(document).get("cost") or {}).get("price_year")
    return f"Pounds sterling, in {year} prices." if year else ""


def _net(document: Document) -> str:
    net = _valuation(document).get("net")
    return words.net(net["low"], net["high"]) if net else ""


ALWAYS = {
    "ideal_assumptions": "A lot makes the groups alike; all are followed; no one changes another’s outcome.",
    "perspective": "The NHS: cash released, capacity released and full economic value, each in a column of "
    "its own and never added. What the pilot cost is set against each.",
    "values": "Events are valued by what the NHS pays for one. Health itself has a value only where "
    "quality-adjusted life years are supplied.",
    "model": "No decision model: value follows from the effect as estimated and a price for each event.",
    "money_method": "The draws of the effect are multiplied by prices; nothing is carried further than what "
    "is said of years ahead.",
    "money_uncertainty": "The same draws give the range of the effect, of the value and the chance that it "
    "exceeds the cost.",
}
FILLED: Mapping[str, Fill] = {
    **{name: _always(text) for name, text in ALWAYS.items()},
    "design": _design, "files": _files, "setting": _setting, "question": _study("question"),
    "population": _study("population"), "strategies": _strategies, "ideal_lot": _ideal_lot,
    "assignment": _assignment, "follow_up": _follow_up, "outcomes": _outcomes, "contrast": _contrast,
    "assumptions": _assumptions, "adjusted": _adjusted,
    "analysis": _analysis, "procedure": _procedure, "clock": _clock, "coding": _check("same_coding"),
    "unmeasured": _check("unmeasured"), "flow": _flow, "baseline": _baseline, "missing": _missing,
    "cleaning": _cleaning, "events": _events, "effect": _effect, "others": _others, "subgroups": _subgroups,
    "interpretation": _interpretation, "finding": _finding, "limits": _limits, "steps": _steps, "size": _size,
    "worthwhile": _worthwhile, "sharing": _sharing, "locked": _locked,
    "elsewhere": _elsewhere, "money_title": _money_title, "worth": _worth,
    "horizon": _horizon, "discount": _discount, "cost": _cost, "sources": _sources,
    "prices": _prices,
    "net": _net,
}  # fmt: skip
"""The text for each name of ``checklists.toml``."""


def filled(names: Sequence[str], document: Document) -> str:
    """The texts of several names in one; "" where the document does not hold the first of them."""
    texts = [FILLED[name](document).strip() for name in names]
    return " ".join(text for text in texts if text) if texts and texts[0] else ""
