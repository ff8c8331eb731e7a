"""What sequential trials refuse, with the size of the error that it would have made, and what needs care.

The figures are those of made-up services with known truth (40 practices, 750 first visits, a service that
does nothing): :doc:`docs/methods/sequential_trials.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ucimpact.data.histories import DAYS_AT_HOME, DEATH, Histories
from ucimpact.methods.cohort_findings import many_to_one, nothing_named, number_findings
from ucimpact.methods.design_finding import Finding

if TYPE_CHECKING:
    from ucimpact.methods.sequential_trials_asked import Asked

Question = Literal["usual-care", "this-stay", "never", "strategy"]

SHORT = 90
"""Without a window shorter than this, a bad last month is not seen."""
FEW = 20
"""Fewer starts than this give no likely range to be trusted."""
SEEN = 0.5
"""Share of those who start that should be followed to the end of what is counted."""


def field_problems(method: Asked) -> list[str | None]:
    """What is wrong with the fields that choose people by what became of them."""
    counted, question = method.counting, method.question
    found = [_later(method)]
    if method.controls_pool != "all":
        found.append(
            f'controls_pool = {method.controls_pool!r}: give "all". People never served are those with few '
            "later stays, so a service that does nothing would seem to raise the outcome by a third. Whether "
            "somebody is a comparison person is judged on the trial day alone"
        )
    if counted.days[0] < 0 < counted.days[1]:
        found.append(
            "counted: the days straddle time zero. Count days after it, or for a negative control before it"
        )
    if question != "usual-care" and counted.days[0] > 0:
        found.append(f"question = {question!r}: people are followed from time zero, so count from day 0")
    if question in ("this-stay", "strategy") and not method.trigger:
        found.append(f'question = {question!r} needs a trigger: without one there is no stay. Give "never"')
    if method.grace != "random" and question != "strategy":
        found.append(f"grace = {method.grace!r} belongs to question = 'strategy'. Leave it out")
    if question == "strategy" and method.by == "matching":
        found.append(
            "question = 'strategy': every discharge stands on both sides, so there is nobody to match"
        )
    if method.trigger is not None and method.every != "day":
        found.append(
            f"every = {method.every!r}: trials from a discharge are of days. Leave one of the two out"
        )
    return found


def _later(method: Asked) -> str | None:
    if method.later == "keep":
        return None
    if method.later == "exclude":
        return (
            "later = 'exclude': comparison people who start later may not be left out. They are those with "
            "later stays, so a service that does nothing would seem to raise the outcome by 58%. Keep them, "
            "or ask "
            'question = "this-stay" or "never", which follow them until they start, with weights'
        )
    if method.later != "censor":
        return f'later = {method.later!r}: give "keep" or "censor"'
    if method.question == "usual-care":
        return (
            "later = 'censor': to end the follow-up of those who start later is another question. Give "
            "question = "
            '"this-stay" or "never", which censor with weights (without weights the result is 7% too high)'
        )
    return None


def design_findings(histories: Histories, method: Asked) -> list[Finding]:
    """Whether trials can be made of these histories."""
    found = []
    if not np.isfinite(histories.start).any():
        return [
            Finding("refuse", "nobody in these data had the service", "Fill in the day on which it began")
        ]
    kinds = {*histories.kinds, DEATH}
    wanted = [(what.event, "measured") for what in method.measured]
    if method.trigger is not None:
        wanted.append((method.trigger, "the trigger"))
    for event, role in wanted:
        if event not in kinds or (role == "the trigger" and event == DEATH):
            found.append(
                Finding(
                    "refuse",
                    f"there are no events of the kind {event!r} ({role})",
                    "Name a kind that there is",
                )
            )
    for what in method.measured:
        if what.at == "trigger" and method.trigger is None:
            found.append(
                Finding(
                    "refuse",
                    f"`{what.name}` is counted from a trigger, and there is none",
                    "Name the trigger",
                )
            )
        if -what.days[0] > method.lookback:
            found.append(
                Finding(
                    "refuse",
                    f"`{what.name}` reaches {-what.days[0]:,} days back, and {method.lookback:,} days of "
                    "records are asked for",
                    f"Set lookback = {-what.days[0]}, or measure fewer days",
                )
            )
    found += _column_findings(histories, method)
    if not (method.covariates or method.measured or method.exact):
        way_out = (
            "Name covariates, and measured events over the days before, such as [-30, 0] and [-365, -30]"
        )
        found.append(nothing_named("on which people", way_out))
    elif not any(what.days[1] - what.days[0] < SHORT for what in method.measured):
        found.append(
            Finding(
                "warn",
                "no use of care is measured over fewer than 90 days, so a bad last month is not seen: a "
                "service that does nothing came out 6-8% too high with twelve months alone",
                "Measure the last 30 days too, such as days = [-30, 0]",
            )
        )
    found += many_to_one(method.ratio, "rows are sought for each start", " (10 were 2% out)")
    if method.cluster_by == "cluster" and histories.cluster is None:
        found.append(
            Finding(
                "refuse", 'cluster_by = "cluster", and no column of clusters is named', "Name it in the data"
            )
        )
    return found


def _column_findings(histories: Histories, method: Asked) -> list[Finding]:
    found = []
    roles = {
        histories.service_start: "says who had the service",
        histories.died: "was only known later",
        histories.left: "was only known later",
        histories.person: "tells people apart",
    }
    for name in (*method.covariates, *method.exact, *method.subgroups):
        if name in roles and name is not None:
            found.append(Finding("refuse", f"`{name}` {roles[name]}, so nobody can be compared on it"))
            continue
        if name not in method.covariates:
            histories.codes(name)  # an absent column is told with those that there are
            continue
        found += number_findings(name, histories.values, histories.people.columns, "compare within it")
    return found


def outcome_findings(histories: Histories, method: Asked) -> list[Finding]:
    """Whether the outcome can be counted and analysed by the family."""
    counted = method.counting
    if counted.event not in {*histories.kinds, DEATH}:
        return [
            Finding(
                "refuse",
                f"there are no events of the kind {counted.event!r} to count for `{method.outcome}`",
                "Name a kind that there is, or say what is counted",
            )
        ]
    if counted.event == DEATH and histories.died is None:
        return [
            Finding(
                "refuse", "deaths are to be counted, and no column of deaths is named", "Name it in the data"
            )
        ]
    long = _too_long(histories, counted.days[1])
    found = [] if long is None else [long]
    if counted.value == DAYS_AT_HOME and (method.per_day or method.question != "usual-care"):
        found.append(
            Finding(
                "refuse",
                "days at home are a sum of the whole window, and days at risk end with death: over those a "
                "service after which more people die would seem to change nothing",
                'Use family = "gaussian" and question = "usual-care"',
            )
        )
    elif method.family not in ("poisson", "negative-binomial") and method.question != "usual-care":
        found.append(
            Finding(
                "refuse",
                f"family {method.family} compares sums per person, and people followed to a start "
                "have sums of fewer days",
                'Use family = "poisson", which is right for the mean of any amount and knows days at risk',
            )
        )
    return found


def _too_long(histories: Histories, last: int) -> Finding | None:
    """A window that nobody, or few, were followed to the end of."""
    start = histories.start
    own = (start >= histories.index_first) & (start <= histories.index_last)
    if last <= 0 or not own.any():
        return None
    longest = int(histories.last_day - start[own].min())
    if last > longest:
        return Finding(
            "refuse",
            f"the outcome is counted up to day {last:,}, and nobody who had the service has records of more "
            f"than {longest:,} days after it began",
            f"Count up to day {longest:,} or fewer, or bring longer records",
        )
    end = np.fmin(histories.leave, histories.last_day)
    whole = float((np.where(histories.death <= end, np.inf, end) - start >= last)[own].mean())
    if whole < SEEN:
        return Finding(
            "warn",
            f"under half of those who had the service were followed to day {last:,} or died before it, so "
            "the rest of the window is taken to be like what was seen of it",
            "Count fewer days, or wait for longer records",
        )
    return None


def unanswered(question: str, why: str) -> str:
    """Why a question that cuts follow-up is not answered by these data."""
    way_out = (
        'Ask question = "usual-care", or "this-stay", whose weights do not multiply over later stays'
        if question == "never"
        else 'Ask question = "usual-care", and say how many of the people beside them had the service later'
    )
    return f"The question {question!r} has no answer in these data: {why}. {way_out}."


def too_many(question: str, rows: int) -> str:
    """Why a question that follows people from day to day is not answered of a sample of days."""
    return (
        f"the question {question!r} follows people from day to day, and of {rows:,} person-days only a "
        "sample is "
        'kept. Ask question = "usual-care", or bring one region or a shorter time'
    )
