"""What was set beside what, for the impact statement: people, places or one series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact.report.cohort import is_cohort
from ucimpact.report.figures import noun_of, primary, unit_of
from ucimpact.report.groups import held, is_trials, is_weighted
from ucimpact.words import plural_of
from ucimpact.words import statement as words

METHODS = {
    "before-after": "People before and after, with nobody to compare with",
    "matched-cohort": "Matched cohort",
    "weighted-cohort": "Weighted cohort",
    "doubly-robust-cohort": "Doubly robust cohort",
    "sequential-trials": "Sequential trials",
    "did": "Difference in differences",
    "cost-did": "Difference in differences of costs",
    "count-did": "Difference in differences of counts",
    "event-study": "Event study",
    "callaway-santanna": "Difference in differences, start by start",
    "sun-abraham": "Event study, start by start",
    "imputation": "Imputation of what was to be expected",
    "its": "Interrupted time series",
    "count-its": "Interrupted time series of counts",
    "arima-its": "Interrupted time series (ARIMA)",
    "controlled-its": "Controlled interrupted time series",
    "multi-site-its": "Interrupted time series, site by site",
    "structural": "Structural time series",
}
"""What the footer calls each method."""
OWN_PAST = ("multi-site-its",)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Who was set beside whom.

    Attributes
    ----------
    who : str
        What was compared, "" where it is the people supported.
    beside, quoted : str
        With what, in the lead and in the paragraph to quote.
    later : str
        How many of those beside had it later.
    analysed : float or None
        People supported who were analysed; None for places, and where hidden.
    facts : sequence of (figure, label)
        The strip.
    more : str
        What there would have to be more of to settle an open question.
    refused : str
        What would give a range where there is none.
    """

    who: str
    beside: str
    quoted: str
    later: str
    analysed: float | None
    facts: tuple[tuple[str, str], ...]
    more: str
    refused: str


def compared(document: Mapping[str, Any]) -> Compared:
    """Of any released document."""
    if is_cohort(document):
        return _people(document)
    return _series(document) if document["data"]["kind"] == "series" else _places(document)


def price_of(document: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """Cost of each person supported and its price year."""
    cost = (document.get("valuation") or {}).get("cost") or {}
    return cost.get("per_person"), cost.get("price_year")


def _people(document: Mapping[str, Any]) -> Compared:
    """Counts of people are absent where hidden; before and after alone there is nobody beside."""
    entry = primary(document)
    counts = {**document["data"]["counts"], **(entry.get("counts") or {})}
    naive = words.is_naive(document["finding"])
    analysed = counts.get("pilot") if naive else counts.get("matched_pilot")
    similar = None if naive else counts.get("matched_comparison")
    days = (entry.get("extras") or {}).get("horizon")
    how = "trials" if is_trials(document) else "weights" if is_weighted(document) else "matching"
    beside = words.beside(similar, how=how)
    price, year = price_of(document)
    facts = words.strip(
        supported=counts.get("served" if is_trials(document) else "pilot"),
        analysed=analysed, similar=similar, how=how, days=days, price=price, price_year=year,
    )  # fmt: skip
    return Compared(
        who="",
        beside=beside,
        quoted=beside.removesuffix(" who were not supported") if how == "matching" else beside,
        later=words.had_it_later((held(document).get("trials") or {}).get("later_share"), days),
        analysed=analysed,
        facts=tuple(facts),
        more="people",
        refused=words.SETTLE_REFUSED,
    )


def _places(document: Mapping[str, Any]) -> Compared:
    """Places with the pilot beside others, or each beside its own past."""
    counts, one, period = document["data"]["counts"], unit_of(document), noun_of(document)
    many, periods = plural_of(one), plural_of(period)
    pilot, others = counts.get("pilot_units"), counts.get("comparison_units")
    own_past = str(primary(document).get("method")) in OWN_PAST
    who, beside = words.places_compared(one, many, pilot, others, own_past=own_past)
    facts = [(pilot, f"{one} with the pilot", f"{many} with the pilot")]
    if not own_past:
        facts.append((others, f"{one} beside it", f"{many} beside them"))
    facts.append((counts.get("periods"), f"{period} of records", f"{periods} of records"))
    return _not_of_people(document, who, beside, facts, many)


def _series(document: Mapping[str, Any]) -> Compared:
    """Periods from the start beside what those before made likely."""
    counts, period = document["data"]["counts"], noun_of(document)
    periods = plural_of(period)
    before, after = counts.get("before"), counts.get("after")
    controlled = str(primary(document).get("method")) == "controlled-its"
    who, beside = words.periods_compared(period, periods, before, after, controlled=controlled)
    people = ((document.get("valuation") or {}).get("cost") or {}).get("people")
    facts = [
        (people, "person supported", "people supported"),
        (before, f"{period} before the start", f"{periods} before the start"),
        (after, f"{period} from the start", f"{periods} from the start"),
    ]
    return _not_of_people(document, who, beside, facts, "places")


def _not_of_people(
    document: Mapping[str, Any], who: str, beside: str, facts: list[tuple[float | None, str, str]], more: str
) -> Compared:
    price, year = price_of(document)
    return Compared(
        who=who, beside=beside, quoted=beside, later="", analysed=None,
        facts=tuple(words.strip_of_places(facts, price, year)), more=more, refused=words.REFUSED_OF_PLACES,
    )  # fmt: skip
