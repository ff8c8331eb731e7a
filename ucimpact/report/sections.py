"""The sections that most reports share, each a question with its answer, from an evaluation document.

Sentences about the result arrive in the document; here they get their headings, captions and how to read
them. A section whose content the document lacks is None. Sections that belong to one kind of design, or to
the money, have files of their own; :mod:`ucimpact.report.view` puts all of them in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report import cohort, course, figures, findable, intervals, method, placebos
from ucimpact.report import multiplicity as many
from ucimpact.report import planned as plans
from ucimpact.report import sites as site_chart
from ucimpact.report.charts import ObservedExpected
from ucimpact.report.figures import how_measured, noun_of, primary, toward_good
from ucimpact.report.intervals import Result
from ucimpact.report.phrases import count, first_sentence, quoted, stopped, tally
from ucimpact.report.section import CheckRow, Note, Section
from ucimpact.report.staggered_tables import by_calendar, by_start, compared, scales
from ucimpact.words import capital, counted_from, measure, number, plainly, plural_of
from ucimpact.words.statement import is_naive

ANSWERS = {
    "holds": ("Holds", "We looked, and found nothing against it."),
    "doubtful": ("Doubtful", "There is a sign of trouble that may have changed the result."),
    "fails": ("Fails", "The comparison is not sound here, and the result is not used."),
    "cannot tell": ("Cannot tell", "The data cannot answer. This is not a pass."),
}


def effect(document: Mapping[str, Any]) -> Section | None:
    """The finding again with its percentage, and the main chart."""
    finding, told = document["finding"], document["finding"]["sentences"]
    drawn = figures.observed_expected(document)
    chart = drawn.chart if drawn else None
    estimated = isinstance(chart, ObservedExpected) and any(v is not None for v in chart.expected)
    rows = primary(document).get("counterfactual") or ()
    text = [
        *(told.get(name) or "" for name in ("percent", "avoided", "starts")),
        document["certainty"].get("line") or "",
        *course.changes_told(document["data"], rows, finding["chart_per"]),
        course.not_counted_told(document["data"], rows, noun_of(document)),
    ]
    band = "The dashed line is our best account of what would have happened without the pilot."
    if isinstance(chart, ObservedExpected) and any(v is not None for v in chart.low):
        band += (
            " The shaded band shows how far that account could be out: of 100 such bands, 95 would hold the "
            "true value."
        )
    paragraphs = [("How to read this", band)]
    if told.get("starts"):
        paragraphs.append(("Time", counted_from(plural_of(figures.unit_of(document)))))
    if finding.get("interval_note"):
        paragraphs.append(("The likely range", stopped(finding["interval_note"])))
    return Section(
        ident="effect",
        heading=f"Did {finding['outcome']} change?",
        kind="chart",
        bold=stopped(told["headline"]),
        text=(" ".join(stopped(part) for part in text if part),),
        figure=drawn,
        note=Note(name="How to read the chart", paragraphs=tuple(paragraphs)) if estimated else None,
    )


def path(document: Mapping[str, Any]) -> Section | None:
    """The gap by time since the start."""
    drawn = figures.path(document)
    if drawn is None:
        return None
    noun = noun_of(document)
    bold, rest = first_sentence(_check(document, "pre_trend"))
    paragraphs = [
        (
            "How to read this",
            f"Each dot is the gap between pilot and comparison in one {noun}, less the gap in the {noun} "
            "before the start. Before the pilot the dots should lie near the line.",
        ),
        (
            "Two shades",
            f"Dark: the likely range for that {noun} alone. Pale: wide enough to hold all true gaps "
            "together, 95 times in 100. A dot is filled only if the pale band leaves out no difference.",
        ),
    ]
    return Section(
        ident="path",
        heading=f"How did the gap move, {noun} by {noun}?",
        kind="chart",
        bold=bold,
        text=(rest,) if rest else (),
        figure=drawn,
        note=Note(name="How to read the dots", paragraphs=tuple(paragraphs)),
    )


def placebo(document: Mapping[str, Any]) -> Section | None:
    """Places, or dates, on which nothing happened."""
    drawn = placebos.placebo(document)
    if drawn is not None:
        bold, rest = first_sentence(_check(document, "placebo_units"))
        reading = (
            "Each grey line is a place without the pilot, set against all the other places as if it had it. "
            "If many stray as far as the blue line, so could the pilot by chance."
        )
        heading = "Do places without the pilot show changes as large?"
    else:
        drawn = placebos.fake_starts(document)
        if drawn is None:
            return None
        bold, rest = first_sentence(_check(document, "placebo_dates"))
        reading = (
            "Each dot is the step that the same analysis finds at a date on which nothing happened; the last "
            "is the start of the pilot. Neighbours share most of their data, so they move together. The "
            "answer in bold ranks the average change from each date on, not the step at it."
        )
        heading = "Do other dates show changes as large?"
    return Section(
        ident="placebo",
        heading=heading,
        kind="chart",
        bold=bold,
        text=(rest,) if rest else (),
        figure=drawn,
        note=Note(name="How to read this chart", paragraphs=(("How to read this", reading),)),
    )


def sites(document: Mapping[str, Any]) -> Section | None:
    """Each site's own effect and their average, where every site was held against its own past."""
    drawn = site_chart.forest(document)
    if drawn is None:
        return None
    unit = figures.unit_of(document)
    bold, rest = first_sentence(_check(document, "sites_differ"))
    paragraphs: tuple[tuple[str, str], ...] = (
        (
            "How to read this",
            f"Each line is the likely range of one {unit} by itself; the larger the mark on it, the more the "
            f"{unit} weighs in the average. The black diamond is the average, as wide as its likely range.",
        ),
        (
            f"Another {unit}",
            f"The dashed line holds the effect to expect at another {unit} like these. It is as wide as the "
            "average's own range or wider, for what works on average need not work alike everywhere.",
        ),
    )
    if told := site_chart.spread(document):
        paragraphs = (*paragraphs, ("How far they differ", told))
    return Section(
        ident="sites",
        heading=f"What did each {unit} show?",
        kind="chart",
        bold=bold,
        text=(rest,) if rest else (),
        figure=drawn,
        note=Note(name="How to read the sites", paragraphs=paragraphs),
    )


def say(document: Mapping[str, Any]) -> Section | None:
    """What can be said, and what cannot."""
    finding = document["finding"]
    can, cannot = tuple(finding.get("can_say") or ()), tuple(finding.get("cannot_say") or ())
    if not can and not cannot:
        return None
    return Section(
        ident="say", heading="What you can say, and what you cannot", kind="say", items=can, cannot=cannot
    )


def limits(document: Mapping[str, Any]) -> Section | None:
    """What an evaluation of this shape can and cannot show."""
    found_limits = tuple(document["finding"].get("limits") or ())
    if not found_limits:
        return None
    return Section(
        ident="limits", heading="What are the limits of this answer?", kind="limits", items=found_limits
    )


def others(document: Mapping[str, Any]) -> Section | None:
    """The other outcomes, on one scale: change as a share of what was expected."""
    entries = [entry for entry in document["estimates"] if entry["role"] == "outcome"]
    if not entries or is_naive(document["finding"]):
        return None  # a change from before to after is no effect, and is not drawn as one
    barred = document["finding"].get("refused")
    results, refused = [], []
    for entry in (primary(document), *entries):
        label = document["finding"]["label"] if entry["role"] == "primary" else entry["label"]
        if entry["role"] == "primary" and barred:
            refused.append((label, stopped(capital(barred))))
            continue
        relative = next(iter(figures.effects(entry, "relative")), None)
        if entry.get("refused") or relative is None or relative["estimate"] is None:
            refused.append((label, stopped(entry.get("refused") or "No change was worked out")))
            continue
        low, high = relative["conf_low"], relative["conf_high"]
        results.append(
            Result(
                label=label,
                est=100 * relative["estimate"],
                lo=None if low is None else 100 * low,
                hi=None if high is None else 100 * high,
                main=entry["role"] == "primary",
            )
        )
    rows = None
    if results:
        counted = all(entry.get("kind", "count") == "count" for entry in (primary(document), *entries))
        rows = intervals.rows(
            "Change in each outcome, as a share of what was expected",
            "Outcome",
            [("", results)],
            measure("count" if counted else "score", percent=True),
        )
    return Section(
        ident="others",
        heading="What happened to the other outcomes?",
        kind="rows",
        text=(
            "Each row is the same analysis of another outcome, as a share of what was expected without the "
            "pilot. The first row is the main outcome. The rows cannot be added up.",
        ),
        rows=rows,
        refused=tuple(refused),
    )


VIOLATION = (
    "Violation",
    "A move of the pilot places against the others that the pilot did not cause. The worst before the pilot "
    "is the yardstick for those that may have come with it.",
)


def trust(document: Mapping[str, Any]) -> Section | None:
    """Every check with its answer."""
    checks, elsewhere = document["checks"], _shown_elsewhere(document)
    if not checks:
        return None
    rows = tuple(
        CheckRow(
            answer=check["answer"],
            word=ANSWERS[check["answer"]][0],
            question=check["question"],
            text=quoted(capital(check["text"])),
            table=method.check_table(
                () if check["name"] in elsewhere else check.get("table") or (),
                check["question"],
                method.unit_of_check(document, check["name"]),
                of_people=document["data"].get("kind") == "cohort",
            ),
        )
        for check in checks
    )
    given = [name for name in ANSWERS if any(check["answer"] == name for check in checks)]
    return Section(
        ident="trust",
        heading="Can the result be trusted?",
        kind="checks",
        bold=tally([check["answer"] for check in checks]),
        checks=rows,
        note=Note(
            name="What the answers mean",
            paragraphs=(
                *(ANSWERS[name] for name in given),
                *([VIOLATION] if any("violation" in check["text"] for check in checks) else []),
            ),
        ),
    )


def _shown_elsewhere(document: Mapping[str, Any]) -> set[str]:
    """Checks whose table would repeat what another section shows in full."""
    shown = set()
    if placebos.placebo(document) is None and placebos.fake_starts(document) is not None:
        shown.add("placebo_dates")
    moved = [entry for entry in document["estimates"] if entry["role"] == "dates"]
    if moved and all(entry["est"] is not None or entry.get("refused") for entry in moved):
        shown.add("dates")
    return shown


def agree(document: Mapping[str, Any]) -> Section | None:
    """The main analysis among the others of the same question, and those that were refused."""
    finding = document["finding"]
    entries = [
        entry for entry in document["estimates"] if entry["role"] in ("primary", "sensitivity", "dates")
    ]
    if len(entries) < 2:
        return None
    told = {
        role: [_result(e) for e in entries if e["role"] == role and e["est"] is not None]
        for role in ("primary", "sensitivity", "dates")
    }
    refused = tuple((e["label"], stopped(e["refused"])) for e in entries if e.get("refused"))
    noun = noun_of(document)
    w = finding.get("w")
    how = how_measured(finding, [v for e in entries for v in (e["est"], e["lo"], e["hi"])])
    rows = None
    if told["primary"] and (told["sensitivity"] or told["dates"]):
        groups = [
            ("", told["primary"] + told["sensitivity"]),
            (f"With the dates moved by a {noun} or more", told["dates"]),
        ]
        rows = intervals.rows(
            f"Analyses of the same question: {finding['outcome']} {finding['per']}",
            "Analysis",
            groups,
            how,
            worthwhile=None if w is None else toward_good(finding) * w,
            worthwhile_text="" if w is None else _smallest(finding, w),
        )
    if rows is None and not refused:
        return None
    step = next((s for s in document["certainty"]["steps"] if s["code"].rstrip("0123456789") == "N"), None)
    off = rows.off_axis if rows else 0
    text = [
        "Each row answers the same question in another way. What matters is whether they tell the same story."
    ]
    if not figures.may_claim(finding):
        text.append("None of these figures is a finding: the reason stands with the answer at the top.")
    if off:
        text.append(
            f"{count(off)} {'range runs' if off == 1 else 'ranges run'} off the scale; "
            "the row holds the numbers."
        )
    unit = "per cent" if finding["scale"] == "log" else finding["per"]
    return Section(
        ident="agree",
        heading="Do other analyses agree?",
        kind="rows",
        bold=capital(stopped(step["text"])) if step else "",
        text=(" ".join(text),),
        items=(f"Difference in {finding['outcome']}, {unit}, with 95% interval",),
        rows=rows,
        refused=refused,
    )


def _result(entry: Mapping[str, Any]) -> Result:
    return Result(
        label=entry["label"],
        detail=entry.get("note") or "",
        est=entry["est"],
        lo=entry["lo"],
        hi=entry["hi"],
        main=entry["role"] == "primary",
    )


def _smallest(finding: Mapping[str, Any], w: float) -> str:
    how = how_measured(finding, [])
    noun = "fall" if toward_good(finding) < 0 else "rise"
    size = number(w) if how.before and w >= 1 else plainly(w)
    return f"Smallest worthwhile {noun}, {how.before}{size}{how.after}"


def found(document: Mapping[str, Any]) -> Section | None:
    """What could have been found, with the curve of chances."""
    told = document["finding"]["sentences"].get("found")
    drawn = findable.power(document)
    if not told and drawn is None:
        return None
    bold, rest = first_sentence(told or "")
    more = findable.people_it_takes(document)
    reading = (
        "If the true change were as large as a point on the line, this is how often an evaluation of this "
        "size would have seen it: its likely range would have left out no change. It is worked out from the "
        "standard error."
    )
    return Section(
        ident="found",
        heading="What could this evaluation have found?",
        kind="chart",
        bold=bold,
        text=tuple(text for text in (rest, more) if text),
        figure=drawn,
        note=Note(name="How to read the curve", paragraphs=(("How to read this", reading),))
        if drawn
        else None,
    )


def how(document: Mapping[str, Any]) -> Section | None:
    """The method, why this procedure, what the model left over, and what needs care."""
    entry, finding = primary(document), document["finding"]
    if cohort.is_cohort(document):
        bold, rest = cohort.explained(document)
    else:
        name = entry.get("method") or document["study"].get("method") or ""
        bold, rest = method.explained(name, noun_of(document))
    facts = method.facts(document)
    procedure = "" if any(name == "Procedure" for name, _ in facts) else finding.get("procedure") or ""
    text = [rest, stopped(capital(procedure))]
    tables = [method.residuals(document)]
    return Section(
        ident="how",
        heading="How it was done",
        kind="method",
        bold=bold,
        text=tuple(part for part in text if part),
        facts=facts,
        tables=tuple(made for made in tables if made is not None),
        items=tuple(entry.get("warnings") or ()),
    )


def appendix(document: Mapping[str, Any]) -> Section:
    """Every effect as estimated, then the specification and its hash."""
    study = document["study"]
    tables = [
        made(document)
        for made in (
            *(method.effects_in_full, by_start, by_calendar, scales, compared),
            *(method.second_model, method.coefficients, many.chances),
        )
    ]
    return Section(
        ident="appendix",
        heading="Appendix: the analysis in full",
        kind="appendix",
        items=tuple(str(key) for key in study.get("unused") or ()),
        tables=tuple(made for made in tables if made is not None),
        spec=study["text"],
        hash=study["hash"],
        closing=(
            f"The same specification, data and version give the same numbers. Seed {document['seed']}. "
            f"Schema {document['schema']}. Report written by ucimpact {document['version']}. "
            f"{plans.in_a_line(document)}"
        ).strip(),
    )


def _check(document: Mapping[str, Any], name: str) -> str:
    return next((check["text"] for check in document["checks"] if check["name"] == name), "")
