"""Sections of a report on people: who was compared with whom, and what plain before and after would claim.

They are made where ``data.kind`` is "cohort", from the released document alone. The chart of the finding
is the likely range on its axis: people have no series of months.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report import method
from ucimpact.report.figures import Figure, how_measured, may_claim, primary, source_of, toward_good
from ucimpact.report.groups import is_weighted
from ucimpact.report.phrases import count, plainly_named, stopped
from ucimpact.report.section import Note, Section
from ucimpact.report.single import Claim, Interval
from ucimpact.report.tables import Table, table
from ucimpact.words import Measure, bare, capital, joint, measure, naive_beside, number, spoken
from ucimpact.words import statement as words

WHOLE = 0.995
"""From here on a share prints as 100%, and is called all."""
CLAIMED = "Before and after would claim it all."
REFERRED = (
    "People are often referred at their worst, and most get better whatever is done. Statisticians call it "
    "regression to the mean; it is the commonest reason that pilots look better than they are."
)


def is_cohort(document: Mapping[str, Any]) -> bool:
    """Whether the document is of people, one row each."""
    return bool(document["data"].get("kind") == "cohort")


# The finding


def interval(document: Mapping[str, Any]) -> Figure | None:
    """The likely range on its axis, where there is one that may be claimed."""
    finding = document["finding"]
    if not may_claim(finding):
        return None
    told, w = finding["sentences"], finding.get("w")
    unit = "" if finding["scale"] == "log" else finding["per"]
    return Figure(
        ident="interval-chart",
        title=told.get("chart_title") or f"Difference in {finding['outcome']}",
        measure=f"Difference in {finding['outcome']} {unit}: best estimate and 95% interval".replace(
            " :", ":"
        ),
        chart=Interval(
            est=finding["est"],
            lo=finding["lo"],
            hi=finding["hi"],
            worthwhile=None if w is None else toward_good(finding) * w,
            how=how_measured(finding, []),
            unit=f"per {finding['base']:,} people" if finding.get("base") else "",
        ),
        name=told.get("alt") or f"Difference in {finding['outcome']}",
        description="The bar is the likely range and the mark on it the best estimate.",
        table=_told(document),
    )


def _told(document: Mapping[str, Any]) -> Table:
    """The numbers of the range, a row each."""
    finding, w = document["finding"], document["finding"].get("w")
    how = how_measured(finding, [finding["est"], finding["lo"], finding["hi"]])
    said = spoken(finding["est"], finding["lo"], finding["hi"], how, w)
    rows = [["Best estimate", said.difference if said.size else "0"], ["Likely range (95%)", said.range]]
    if w is not None:
        least = toward_good(finding) * w
        rows.append(["Smallest worthwhile change", spoken(least, least, least, how).difference])
    unit = "in per cent" if finding["scale"] == "log" else finding["per"]
    return table(f"Difference in {finding['outcome']}, {unit}", ["Figure", "Value"], rows, (1,))


def effect(document: Mapping[str, Any]) -> Section:
    """The finding again with its percentage, and the interval."""
    finding, told = document["finding"], document["finding"]["sentences"]
    drawn = interval(document)
    shown = ("percent", "avoided") if drawn else ("lead",)
    text = [told.get(name) or "" for name in shown] + [document["certainty"].get("line") or ""]
    reading = (
        "The mark is the best estimate. The bar is the likely range: the true difference is likely to lie "
        "somewhere on it. A ring in place of a filled mark means that no difference lies on the bar too."
    )
    paragraphs = [("How to read this", reading)]
    if finding.get("interval_note"):
        paragraphs.append(("The likely range", stopped(finding["interval_note"])))
    return Section(
        ident="effect",
        heading=f"Did {finding['outcome']} change?",
        kind="chart",
        bold=stopped(told["headline"]),
        text=(" ".join(stopped(part) for part in text if part),),
        figure=drawn,
        note=Note(name="How to read the chart", paragraphs=tuple(paragraphs)) if drawn else None,
    )


# Before and after


def naive(document: Mapping[str, Any]) -> Section | None:
    """What plain before and after would have claimed, and how much of it would have happened anyway."""
    finding = document["finding"]
    held = finding.get("naive")
    if not isinstance(held, Mapping) or not (claim := words.claimed(finding)):
        return None
    alone = words.is_naive(finding)
    text = _by_picking(held) if alone else naive_beside(finding)[1:]
    heading = "What would a simple before-and-after have claimed?"
    return Section(
        ident="naive",
        heading="How much of the change was to be expected?" if alone else heading,
        kind="chart",
        bold=claim,
        text=tuple(text),
        figure=taken_apart(document),
        note=Note(name="About regression to the mean", paragraphs=(("Why this happens", REFERRED),)),
    )


def _by_picking(held: Mapping[str, Any]) -> list[str]:
    """How much of the fall picking people at a bad time gives, where nobody stands beside them."""
    text = [words.explained_by_choice(held)]
    if (
        held.get("share_low") is not None
        and held.get("share_high") is not None
        and held["after"] < held["before"]
    ):
        text.append(
            f"The likely range of that share: {_share(held['share_low'])} to {_share(held['share_high'])}."
        )
    if held.get("model"):
        text.append(f"This is worked out from: {stopped(str(held['model']))}")
    if held.get("why"):
        text.append(stopped(str(held["why"])))
    return text


def _share(share: float) -> str:
    if share <= 0:
        return "none of it"
    return "all of it" if share >= WHOLE else f"{number(100 * share)}%"


def taken_apart(document: Mapping[str, Any]) -> Figure | None:
    """The fall as one bar, of which part would have happened anyway; None where the parts do not fit in it.

    With a comparison the part is what the finding leaves; with none it is what picking people at a bad time
    gives by itself.
    """
    finding, held = document["finding"], document["finding"]["naive"]
    alone = words.is_naive(finding)
    before, after = held.get("before"), held.get("after")
    if before is None or after is None or not before > after:
        return None
    total = before - after
    if alone:
        expected = _expected_fall(held)
        if expected is None:
            return None
        if expected >= total:
            return _nothing_left(document, total, expected)
        anyway = expected
    elif may_claim(finding) and finding["est"] < 0:
        anyway = total + finding["est"]
    else:
        return None
    if not 0 < anyway < total:
        return None
    how = measure(finding["kind"])
    whole, part, rest = (how.amount(v) for v in (total, anyway, total - anyway))
    per = f" per {finding['base']:,}" if finding.get("base") else ""
    if alone:
        inside = (f"{part} to be expected of people picked at a bad time", f"{part} to be expected anyway")
        outside = (f"{rest} not explained, and not shown to be the service", f"{rest} not explained")
        limits = _expected_range(held, how)
    else:
        inside = (
            f"{part} would have happened without {finding['subject']} too",
            f"{part} would have happened too",
        )
        outside = (f"{rest} linked to {finding['subject']}", f"{rest} linked to the service")
        span = bare(finding["lo"], finding["hi"], how, finding.get("w")) if finding["hi"] < 0 else ""
        said = spoken(finding["est"], finding["lo"], finding["hi"], how, finding.get("w"))
        limits = f"likely range {span or said.range}"
    return Figure(
        ident="naive-chart",
        title=f"Of the fall of {whole}{per}, {part} would be expected anyway",
        measure=f"Fall in {finding['outcome']}{per}, before against after",
        chart=Claim(
            total=total,
            anyway=anyway,
            head=(f"A fall of {whole}{per}.", CLAIMED),
            anyway_text=inside,
            rest_text=outside,
            range_text=limits,
            linked=not alone,
        ),
        name=f"Of a fall of {whole} in {finding['outcome']}{per}, {inside[0]}, and {outside[0]}",
        description=capital(stopped(limits)),
        source=source_of(document),
        table=_parts(document, per, whole, part, rest),
    )


def _nothing_left(document: Mapping[str, Any], total: float, fall: float) -> Figure:
    """The fall as one bar where picking people at a bad time gives all of it, or more."""
    finding, held = document["finding"], document["finding"]["naive"]
    how = measure(finding["kind"])
    per = f" per {finding['base']:,}" if finding.get("base") else ""
    whole, expected = how.amount(total), how.amount(fall)
    told = (
        f"all of it, or more: {expected} expected of people picked at a bad time",
        f"all of it: {expected} expected",
    )
    return Figure(
        ident="naive-chart",
        title=f"Of the fall of {whole}{per}, all would be expected anyway",
        measure=f"Fall in {finding['outcome']}{per}, before against after",
        chart=Claim(
            total=total,
            anyway=total,
            head=(f"A fall of {whole}{per}.", CLAIMED),
            anyway_text=told,
            rest_text=("nothing beyond that was seen", "nothing beyond that"),
            range_text=_expected_range(held, how),
            linked=False,
        ),
        name=f"Of a fall of {whole} in {finding['outcome']}{per}, {told[0]}",
        description=capital(stopped(_expected_range(held, how))),
        source=source_of(document),
        table=_parts(document, per, whole, expected, "none"),
    )


def _parts(document: Mapping[str, Any], per: str, whole: str, part: str, rest: str) -> Table:
    """The fall and its parts, a row each."""
    rows = [["Seen from before to after", whole], ["To be expected anyway", part], ["Beyond that", rest]]
    return table(f"Fall in {document['finding']['outcome']}{per}", ["Part", "Size"], rows, (1,))


def _expected_fall(held: Mapping[str, Any]) -> float | None:
    """The fall that picking people at a bad time gives by itself."""
    if held.get("fall") is not None:
        return float(held["fall"])
    return None if held.get("expected_after") is None else float(held["before"] - held["expected_after"])


def _expected_range(held: Mapping[str, Any], how: Measure) -> str:
    """The likely range of that fall; "" where there is none."""
    low, high = held.get("fall_low"), held.get("fall_high")
    if low is None or high is None:
        return ""
    return f"likely range of the expected fall {how.amount(max(low, 0.0))} to {how.amount(max(high, 0.0))}"


# The method


FAMILIES = {
    "poisson": "by a Poisson regression that allows for days of follow-up",
    "gaussian": "as means",
    "gamma": "by a regression on a logarithmic scale (gamma)",
    "two-part": "in two parts: whether there was any, and how much there was",
}


def explained(document: Mapping[str, Any]) -> tuple[str, str]:
    """How the comparison was made: a sentence, then the choices of this one."""
    entry, finding = primary(document), document["finding"]
    spec, name = entry.get("spec") or {}, entry.get("method") or ""
    first, rest = method.explained(name)
    if name not in method.OF_PEOPLE:
        return first, rest
    rows = (document["data"].get("cohort") or {}).get("balance") or ()
    labels = {row["name"]: plainly_named(row.get("label") or row["name"]) for row in rows}
    alike = [labels.get(column, plainly_named(column)) for column in spec.get("exact") or ()]
    measures = len(spec.get("covariates") or ()) + len(spec.get("measured") or ())
    told = [_trials(spec)] if name == "sequential-trials" else []
    if is_weighted(document):
        told.append(_by_weights(measures))
    elif name == "matched-cohort" or spec.get("by") == "matching":
        told += _by_matching(spec, measures)
    if alike:
        told.append(f"They had to be the same in: {joint(alike)}.")
    how = FAMILIES.get(str(spec.get("family") or "poisson"))
    if how and name != "doubly-robust-cohort":
        unit = "the people being in it more than once" if name == "sequential-trials" else "the matching"
        if name == "weighted-cohort":
            unit = "the weights"
        told.append(f"{finding['label']}: compared {how}, with a range that allows for {unit}.")
    return first, " ".join([*(text for text in told if text), rest])


def _trials(spec: Mapping[str, Any]) -> str:
    """When a trial is opened."""
    if not spec.get("trigger"):
        return f"A trial begins every {spec.get('every') or 'day'}."
    last = number(spec.get("within") or 0)
    event = plainly_named(spec["trigger"])
    return f"A trial begins on the day on which each {event} ends, and on each of the {last} days after."


def _by_weights(measures: int) -> str:
    """How people beside those supported were made to count."""
    told = "People beside them count for more the likelier they were to have it themselves"
    if not measures:
        return f"{told}."
    noun = "measure" if measures == 1 else "measures"
    return f"{told}, judged from {count(measures).lower()} recorded {noun}."


def _by_matching(spec: Mapping[str, Any], measures: int) -> list[str]:
    """How people beside those supported were picked."""
    ratio = spec.get("ratio") or 1
    others = "another who was" if ratio == 1 else f"up to {count(ratio).lower()} others who were"
    told = [f"Each person supported was matched with {others} not."]
    if measures:
        noun = "measure" if measures == 1 else "measures"
        told.append(
            f"They had to be near in the chance of being supported, judged from {count(measures).lower()} "
            f"recorded {noun}."
        )
    return told
