"""Sentences from numbers: headline, lead, table cell, alternative text, chart title, and what could be found.

Each is a function of the effect, its limits, the smallest worthwhile effect and the certainty, and of
nothing else, so that words cannot contradict numbers. The verb carries the certainty (reduces, probably
reduces, may reduce) and is used only where the likely range leaves out no change; the number carries
the size, never an adjective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words.claims import BENEFIT, HARM, UNCLEAR, bad_change, claim, good_change
from ucimpact.words.numbers import (
    COUNTED,
    bare,
    capital,
    likely,
    measure,
    number,
    plainly,
    rounded,
    sits_on_a_limit,
    spoken,
)

LEVELS = ("very low", "low", "moderate", "high")
LONG_REASON = 84
"""Letters beyond which the reason why there is no range is said below the headline alone."""
REPAYS, MAY_REPAY, HARDLY_REPAYS = 0.8, 0.5, 0.2
"""Chances of being worth today's price at which the price clause changes (a judgement)."""
POWER = 2.8
"""Standard errors of an effect that is found four times in five at the usual 5%: 1.96 + 0.84."""

SMALL = 100
"""A score or a duration below this is not said in whole numbers: 4.5 days are neither 4 nor 5."""

NOT_EVIDENCE = "This is not evidence that the service makes no difference."
NO_WORTHWHILE = "Nobody agreed, before the data were seen, how large a change would be worth having."
RATIOS_ONLY = "This analysis is of ratios, so it gives per cent and no numbers avoided."
NOT_SOUND = "The comparison is not sound, so no figure is given for the change."
UNSOUND = {
    "pre_trend": "Pilot and comparison were moving apart before the pilot began.",
    "balance": "The two groups were not alike at the start.",
    "trajectory": "The two groups went different ways before the start.",
    "negative_controls": "Outcomes that the pilot cannot change changed too.",
    "agreement": "Weighting and matching give different answers.",
}
"""What a failed check means, for those whose own text is an account of a test."""


def rank(level: str) -> int:
    """0 for very low to 3 for high."""
    if level not in LEVELS:
        raise ValueError(f"certainty is one of {', '.join(LEVELS)}; this is {level!r}")
    return LEVELS.index(level)


def headline(
    *,
    subject: str,
    outcome: str,
    est: float | None = None,
    lo: float | None = None,
    hi: float | None = None,
    w: float | None = None,
    level: str = "very low",
    better: str = "lower",
    plural: bool = True,
    pay: float | None = None,
    key_fail: bool = False,
    refused: str | None = None,
) -> str:
    """The finding as one line without a full stop.

    Parameters
    ----------
    subject, outcome : str
        "soft-landing visits", "emergency admissions"; lower case, as in mid-sentence.
    est, lo, hi, w : float
        Effect, limits and smallest worthwhile effect in the same units, negative = fewer.
    level : str
        The certainty.
    plural : bool
        Whether the subject takes a plural verb.
    pay : float, optional
        Chance that the value exceeds today's price, in the column that decides.
    key_fail : bool
        A check on which the comparison rests fails.
    refused : str, optional
        Why there is no likely range; a long reason is left to the lead.
    """
    if refused is not None:
        said = f"We cannot give a likely range for {outcome}"
        return said if len(refused) > LONG_REASON else f"{said}: {refused}"
    if key_fail:
        return f"We cannot say whether {subject} changed {outcome}: the comparison is not sound"
    if est is None or lo is None or hi is None:
        raise ValueError("a headline needs an effect and its limits, or the reason why there are none")
    code = claim(est, lo, hi, w, better)
    if code in UNCLEAR:
        text = f"We could not tell whether {subject} changed {outcome}"
        return f"{text}; a worthwhile {good_change(better)} is unlikely" if code == "V" else text
    if level == "very low":
        return f"It is very uncertain whether {subject} changed {outcome}"
    if code == "N":
        return f"{capital(subject)} {_verb('make', level, plural)} little or no difference to {outcome}"
    falls = (code in HARM) == (better == "higher")
    verb = _verb("reduce" if falls else "increase", level, plural)
    return f"{capital(subject)} {verb} {outcome}{_ending(code, w, pay)}"


def _verb(verb: str, level: str, plural: bool) -> str:
    if rank(level) == 1:
        return f"may {verb}"
    said = verb if plural else f"{verb}s"
    return f"probably {said}" if rank(level) == 2 else said


def _ending(code: str, w: float | None, pay: float | None) -> str:
    if code in HARM:
        endings = {
            "h": " slightly",
            "H": ", perhaps by an amount that matters",
            "W-": " by an amount that matters",
        }
        return endings[code] if w is not None else ""
    if code == "W+":
        return " by a worthwhile amount" + (_price_clause(pay) if pay is not None and pay < MAY_REPAY else "")
    if code == "b":
        return ", but by less than is worthwhile"
    if pay is not None:
        return _price_clause(pay)
    return ", but we cannot tell whether by a worthwhile amount" if w is not None else ""


def _price_clause(pay: float) -> str:
    if pay >= REPAYS:
        return ", and will probably repay today’s price"
    if pay >= MAY_REPAY:
        return ", and may repay today’s price"
    likely_not = "probably" if pay >= HARDLY_REPAYS else "very probably"
    return f", but {likely_not} not by enough to repay today’s price"


def unsound(checks: Sequence[Mapping[str, Any]]) -> str:
    """The first sentences where checks fail: that no figure is given, and what is wrong, in plain words.

    Parameters
    ----------
    checks : sequence of mapping
        Those that fail, with ``name`` and ``text``. A text that names what happened stands as it is.
    """
    return " ".join([NOT_SOUND, *(UNSOUND.get(check["name"], check["text"]) for check in checks)])


def season_confounded(*, subject: str, outcome: str) -> str:
    """The headline where the change came after one winter only, and effect and season are one."""
    reason = "one winter before the change cannot separate season from effect"
    return f"We could not tell whether {subject} changed {outcome}: {reason}"


def lead(
    *,
    outcome: str,
    est: float,
    lo: float,
    hi: float,
    base: int | None = None,
    who: str = "people supported",
    when: str = "",
    per: str = "",
    w: float | None = None,
    expected: float | None = None,
    observed: float | None = None,
    without: str | None = None,
    kind: str = "count",
) -> str:
    """The first sentences under a headline whose range leaves out no change.

    Parameters
    ----------
    base, who, when : int, str, str
        "per 100 people supported, over 90 days"; ``when`` brings its comma. With no base, ``per``
        names the unit of a total instead: "a month".
    expected, observed : float, optional
        In the same units; the second sentence is left out without them.
    without : str, optional
        "the visits", in "38 were expected without the visits".
    """
    how = measure(kind)
    said = spoken(est, lo, hi, how, w)
    unit = _unit(base, who, when, per)
    if not said.size:
        first = f"About as many {outcome}{unit} as expected (likely range {said.range})."
    elif kind in COUNTED:
        first = f"{capital(said.about)} {outcome}{unit} (likely range {said.range})."
    else:
        noun = "fall" if est < 0 else "rise"
        size = said.about.removesuffix(f" {said.word}")
        first = f"A {noun} of {size} in {outcome}{unit} (likely range {said.range})."
    if expected is None or observed is None:
        return first
    fine = sits_on_a_limit(est, lo, hi, how, w)
    return f"{first} {_expected(expected, observed, without, kind, est, fine=fine)}"


def _expected(
    expected: float, observed: float, without: str | None, kind: str, est: float, *, fine: bool = False
) -> str:
    """What was expected and what happened, to a decimal where whole numbers would not differ as they do.

    ``fine``: to a decimal, as the estimate before it is.
    """
    small = kind in ("score", "duration") and max(abs(expected), abs(observed)) < SMALL
    if kind in COUNTED and max(abs(expected), abs(observed)) < SMALL:
        small = rounded(observed) - rounded(expected) != rounded(est)
    how = measure(kind, decimals=1 if small or fine else 0)
    wanted, seen = how.amount(expected), how.amount(observed)
    were = "were" if kind in COUNTED and wanted != "1" else "was"
    unless = f" without {without}" if without else ""
    happened = "happened" if kind in COUNTED else "was seen"
    return f"{capital(wanted)} {were} expected{unless}; {seen} {happened}."


def possible(lo: float, expected: float | None, kind: str) -> float:
    """A lower limit as it is said: of what is counted no more can be gone than was expected."""
    if expected is None or expected <= 0 or kind not in COUNTED:
        return lo
    return max(lo, -expected)


def _unit(base: int | None, who: str, when: str, per: str) -> str:
    if base is None:
        return f" {per}{when}" if per else when
    return f" per {base:,} {who}{when}"


def lead_unclear(
    *,
    outcome: str,
    est: float,
    lo: float,
    hi: float,
    observed: float,
    expected: float,
    base: int | None = None,
    who: str = "people supported",
    when: str = "",
    per: str = "",
    w: float | None = None,
    kind: str = "count",
) -> str:
    """The first sentences where the range includes no change; :data:`NOT_EVIDENCE` goes after it."""
    places = 0 if base is None and max(abs(observed), abs(expected)) >= 100 else 1
    table = measure(kind, decimals=places)
    seen, wanted = table.amount(observed), table.amount(expected)
    over = when.removeprefix(",")
    if kind not in COUNTED:
        of = _unit(base, who, over, per)
        first = f"{capital(outcome)} stood at {seen}{of}; {wanted} was expected."
    elif base is None:
        first = f"There were {seen} {outcome}{_unit(None, who, over, per)}; {wanted} were expected."
    else:
        first = f"{capital(who)} had {seen} {outcome} per {base:,}{over}; {wanted} were expected."
    said = spoken(est, lo, hi, measure(kind), w)
    about = f"That is {said.about}" if said.size else "That is what was expected"
    return f"{first} {about}, but the truth could be anything from {_from(said.range)}."


def _from(text: str) -> str:
    """A range as it goes after "anything from"."""
    return text if " to " in text else f"0 to {text}"


def lead_percent(
    *,
    outcome: str,
    est: float,
    lo: float,
    hi: float,
    when: str = "",
    w: float | None = None,
    kind: str = "count",
) -> str:
    """The first sentences for a model of ratios: per cent of the typical value, and no numbers.

    ``est, lo, hi`` and ``w`` are per cent: -14 is 14% fewer.
    """
    said = spoken(est, lo, hi, measure(kind, percent=True), w)
    if lo <= 0 <= hi:
        best = f"{said.difference} than expected" if said.size else "what was expected"
        return (
            f"The best estimate for {outcome}{when.removeprefix(',')} is {best}, "
            f"but the truth could be anything from {_from(said.range)}. {TYPICAL}"
        )
    if kind in COUNTED:
        first = f"{capital(said.about)} {outcome} than expected{when}"
    else:
        first = f"{capital(outcome)} stood {said.about} than expected{when}"
    return f"{first} (likely range {said.range}). {TYPICAL}"


TYPICAL = "This is per cent of the typical value."


def cell(
    est: float,
    lo: float,
    hi: float,
    *,
    w: float | None = None,
    kind: str = "count",
    decimals: int = 1,
    percent: bool = False,
) -> str:
    """ "5.3 fewer; 0.7 to 9.9 fewer"; the halves go on lines of their own."""
    return "; ".join(cell_lines(est, lo, hi, w=w, kind=kind, decimals=decimals, percent=percent))


def cell_lines(
    est: float,
    lo: float,
    hi: float,
    *,
    w: float | None = None,
    kind: str = "count",
    decimals: int = 1,
    percent: bool = False,
) -> tuple[str, str]:
    """The difference and its range, for two lines of a table's cell."""
    said = spoken(est, lo, hi, measure(kind, decimals=decimals, percent=percent), w)
    return said.difference, said.range


def alt(
    outcome: str,
    base: int | None,
    est: float,
    lo: float,
    hi: float,
    *,
    who: str = "people",
    per: str = "",
    w: float | None = None,
    kind: str = "count",
    decimals: int = 1,
    percent: bool = False,
) -> str:
    """The text alternative of a chart of one difference."""
    best, range_ = cell_lines(est, lo, hi, w=w, kind=kind, decimals=decimals, percent=percent)
    unit = "" if percent else _unit(base, who, "", per)
    return f"Difference in {outcome}{unit}: best estimate {best}, likely range {range_}"


def title(est: float, lo: float, hi: float, w: float | None = None, better: str = "lower") -> str:
    """What to see in a chart of the interval."""
    code = claim(est, lo, hi, w, better)
    good, bad = good_change(better), bad_change(better)
    gains, harms = ("below", "above") if better == "lower" else ("above", "below")
    if w is None:
        return _title_without_size(code, lo, hi, gains, harms)
    if code == "B":
        rest = "most of it is worth having" if abs(est) >= w else "most of it is too small to be worth having"
        return f"The likely range lies {gains} zero, {'and' if abs(est) >= w else 'but'} {rest}"
    return {
        "W+": "The whole likely range is worth having",
        "b": f"The likely range lies {gains} zero, but none of it is worth having",
        "N": "The likely range covers no difference, and no fall or rise that matters",
        "U": f"The likely range covers a worthwhile {good} and no difference",
        "X": f"The likely range covers a worthwhile {good}, no difference and a {bad}",
        "V": f"The likely range covers no difference and a {bad}, but no worthwhile {good}",
        "h": f"The likely range lies {harms} zero, but none of it is large enough to matter",
        "H": f"The likely range lies {harms} zero, and part of it is large enough to matter",
        "W-": f"The whole likely range is a {bad} large enough to matter",
    }[code]


def _title_without_size(code: str, lo: float, hi: float, gains: str, harms: str) -> str:
    if code != "X":
        return f"The likely range lies {gains if code == 'B' else harms} zero"
    if lo == 0 or hi == 0:
        return f"The likely range covers a {'fall' if lo < 0 else 'rise'} and no difference"
    return "The likely range covers a fall, no difference and a rise"


def percent(ratio: float, lo: float, hi: float, kind: str = "count") -> str:
    """A ratio as a difference in per cent; above 2, as times as many.

    ``lo, hi`` are the limits of the ratio.
    """
    if ratio > 2:
        best, low, high = (measure(decimals=1).amount(value) for value in (ratio, lo, hi))
        if low == high:
            low, high = number(lo, 2), number(hi, 2)
        many = "many" if kind in COUNTED else "high"
        return f"{best} times as {many} ({low} to {high} times)"
    change, least, most = (100 * (value - 1) for value in (ratio, lo, hi))
    said = spoken(change, least, most, measure(kind, percent=True))
    return f"{said.difference} (likely range {said.range})"


def avoided(
    est: float,
    lo: float,
    hi: float,
    outcome: str,
    level: str,
    claim_code: str,
    when: str = "",
    *,
    better: str = "lower",
    kind: str = "count",
) -> str:
    """How many events the pilot changed in all; only a benefit of a count better lower is "avoided".

    Parameters
    ----------
    est, lo, hi : float
        Events avoided, positive = fewer, from an effect with an interval of its own; never a sum of limits.
    claim_code : str
        The claim of the headline.
    when : str
        "in the year".
    """
    how = measure(kind)
    harm, time = claim_code in HARM, f" {when}" if when else ""
    past = "avoided" if better == "lower" else "gained"
    word = how.more if (better == "lower") == harm else how.fewer
    low, high = -hi, -lo
    if claim_code in ("N", *UNCLEAR) or rank(level) == 0:
        which = f"{word} {outcome} there were" if harm else f"{outcome} were {past}"
        if claim_code in BENEFIT:
            return (
                f"We cannot say how many {which}: certainty is very low, and the range runs from "
                f"{likely(low, high, how)}."
            )
        return f"We cannot say how many {which}: the range runs from {likely(low, high, how)}."
    said = spoken(-est, low, high, how)
    were = ("", "may have been", "were probably", "were")[rank(level)]
    if harm:
        return f"There {were} {said.about} {outcome}{time} (likely range {said.range})."
    if kind == "binary" and better == "lower":  # nobody says of deaths in hospital that deaths were avoided
        return f"There {were} {said.about} {outcome}{time} (likely range {bare(low, high, how)})."
    about = capital(said.about.removesuffix(f" {said.word}"))
    modal = ("", f"may have been {past}", f"were probably {past}", f"were {past}")[rank(level)]
    return f"{about} {outcome} {modal}{time} (likely range {bare(low, high, how)})."


def found(
    se: float,
    w: float | None,
    base: int | None = None,
    *,
    better: str = "lower",
    kind: str = "count",
    per: str = "",
    percent: bool = False,
) -> str:
    """The smallest effect that would have been found four times in five: 2.8 standard errors."""
    how = measure(kind, percent=percent)
    smallest = POWER * se
    noun = good_change(better)
    unit = "" if percent else f" per {base:,}" if base is not None else f" {per}" if per else ""
    size = _size(smallest, how.before, how.after)
    text = f"This evaluation could have found a {noun} of {size}{unit} or more, four times in five."
    if w is None or smallest <= w:
        return text
    return f"{text} A {noun} of {_size(w, how.before, how.after)} could have been missed."


def _size(value: float, before: str, after: str) -> str:
    """One decimal at most, none above 100: "6.6", "4", "1,240"."""
    shown = number(value) if value >= 100 else plainly(value)
    if shown.startswith("under "):
        return f"under {before}{shown.removeprefix('under ')}{after}"
    return f"{before}{shown}{after}"


def settles(se: float, w: float) -> float:
    """How many times the evidence of one evaluation finds an effect of ``w`` four times in five."""
    return (POWER * se / w) ** 2
