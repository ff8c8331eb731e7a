"""The board page, one A4: the whole first screen, whether it holds up, and what nobody can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact.report.answer import Answer, answer
from ucimpact.report.editions import BOARD, elsewhere
from ucimpact.report.figures import effects, may_claim
from ucimpact.report.phrases import css_string, day, stopped, tidy
from ucimpact.words.brief import analyses_line, checks_line, worse_line
from ucimpact.words.statement import is_naive

MOST_NOT = 3
"""Sentences under "You cannot say": a board needs those that come first, and the paper has all."""
LONG_PAGE, PICTURED = 1600, 250
"""Letters beyond which the page is set smaller in print to stay on one A4 page; what squares take of them."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """The page, as finished strings."""

    title: str
    example: bool
    margin: str
    kicker: tuple[str, str]
    answer: Answer
    robust: tuple[str, ...]
    cannot: tuple[str, ...]
    small: bool
    footer: str


def board(document: Mapping[str, Any]) -> Board:
    """What the page shows of a released document."""
    document = tidy(document)
    study, finding = document["study"], document["finding"]
    first = answer(document)
    robust = robustness(document)
    cannot = tuple((finding.get("cannot_say") or ())[:MOST_NOT])
    return Board(
        title=f"{finding['sentences']['headline']} – {study['title']} – board page",
        example=bool(study["example"]),
        margin=css_string("Example with invented numbers" if study["example"] else study["title"]),
        kicker=(f"{BOARD.name}: {stopped(study['title'])}", _about(document)),
        answer=first,
        robust=robust,
        cannot=cannot,
        small=_letters(first, robust, cannot) > LONG_PAGE,
        footer=_footer(document),
    )


def robustness(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Whether it holds up: the checks, other analyses of the question, and what else went the wrong way."""
    finding = document["finding"]
    others = [entry for entry in document["estimates"] if entry["role"] in ("sensitivity", "dates")]
    lines = (
        checks_line(document["checks"]),
        analyses_line(finding, others, may_claim(finding)),
        worse(document),
    )
    return tuple(line for line in lines if line)


def worse(document: Mapping[str, Any]) -> str:
    """The other outcomes that went the wrong way, where the comparison can be used."""
    if is_naive(document["finding"]) or document["finding"].get("key_fail"):
        return ""
    told = []
    for entry in document["estimates"]:
        row = next(iter(effects(entry, "relative")), None) if entry["role"] == "outcome" else None
        if row is not None and not entry.get("refused"):
            shares = {"est": row["estimate"], "lo": row["conf_low"], "hi": row["conf_high"]}
            about = {"kind": entry.get("kind", "count"), "better": entry.get("better", "lower")}
            told.append({"label": entry["label"], **about, **shares})
    return worse_line(told)


def _about(document: Mapping[str, Any]) -> str:
    """Who it is about, and the day of the report."""
    return " ".join(
        stopped(text) for text in (document["study"]["population"], f"Report of {day(document['created'])}")
    )


def _footer(document: Mapping[str, Any]) -> str:
    told = ["Example with invented numbers."] if document["study"]["example"] else []
    return " ".join([*told, "Likely range: a 95% interval.", elsewhere(BOARD)])


def _letters(first: Answer, robust: tuple[str, ...], cannot: tuple[str, ...]) -> int:
    """Letters on the page, near enough to tell a full one."""
    texts = [first.headline, *(part for part, _ in first.lead), *first.extra, *robust, *cannot, first.found]
    texts += [first.decision.because, *first.decision.next_steps, *first.decision.would_change]
    texts.append(first.decision.league)
    texts += [text for step in first.certainty.steps for text in step] + [
        first.worth.notes,
        first.question[1],
    ]
    pictured = first.picture is not None and bool(first.picture.strips)
    return sum(map(len, texts)) + PICTURED * pictured
