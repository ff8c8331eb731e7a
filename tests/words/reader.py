"""Read a finished sentence back: sign, size, range, strength of the verb, what is claimed and what is denied.

Written from the page of words alone and apart from the code that writes the sentences: nothing of the package
is imported, so an error in the writer is not repeated here. A sentence outside the grammar is `Unreadable`;
so is one with words left over. Numbers come back signed, with fewer and lower negative, and remember to how
many places they were printed, so that a test can ask whether a number is its input "to its own rounding".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\N{MINUS SIGN}"
DOWN = ("fewer", "lower")
UP = ("more", "higher")
LEVELS = ("very low", "low", "moderate", "high")
COUNTS = {"no": 0, "one": 1, "two": 2, "three": 3}
PHRASES = {
    "people were not chosen by lot": "A",
    "places were not chosen by lot": "A",
    "there is nothing to compare with": "A",
    "a check is in doubt or fails": "K",
    "a check is in doubt": "K",
    "a check fails": "K",
    "few places had the pilot": "F",
    "the series is short": "S",
    "the range is wide": "P1",
    "the range is very wide": "P2",
    "other analyses point the other way": "N",
    "the result depends on the dates chosen": "W",
    "what was measured is not quite what was asked": "D",
}

NUMBER = r"(?:[Uu]nder |[Oo]ver |just under |just over )?[\u2212-]?£?[\u2212-]?\d+(?:,\d{3})*(?:\.\d+)?p?"
WAY = r"fewer|more|lower|higher"
RANGE = rf"(?:no change|{NUMBER})%?(?: (?:{WAY}))? to (?:no change|{NUMBER})%?(?: (?:{WAY}))?"


class Unreadable(ValueError):
    """The text is not one that the page of words allows."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A printed number: its signed value, the places it was printed to, and what stands before it.

    `bound` is "under", "over", "just under" or "just over"; of a size, so "just under 4 fewer" is -3.96.
    """

    value: float
    decimals: int = 0
    bound: str = ""

    @property
    def place(self) -> float:
        """Where the print stands on the line: "under 0.1" and "just under 4" stand before 0.1 and 4."""
        nudge = {"under": -abs(self.value) / 2, "just under": -0.025, "just over": 0.025, "over": 0.025}
        size = abs(self.value) + nudge.get(self.bound, 0.0)
        return -size if self.value < 0 else size

    def signed(self, sign: int) -> Number:
        return replace(self, value=sign * self.value)

    def is_rounding_of(self, x: float, step: float | None = None) -> bool:
        """Whether `x`, rounded half away from zero to `step` (default: the places printed), gives this."""
        if self.bound and (x < 0) != (self.value < 0):
            return False
        short = abs(self.value) - abs(x)
        if self.bound == "under":
            return 0 < short < abs(self.value)
        if self.bound == "over":
            return short < 0
        if self.bound == "just under":
            return 0 < short <= 0.05
        if self.bound == "just over":
            return 0 < -short <= 0.05
        return self.value == away_from_zero(x, 10.0**-self.decimals if step is None else step)


def away_from_zero(x: float, step: float = 1.0) -> float:
    """`x` to the nearest multiple of `step`, halves away from zero; 1e-9 of float dust is not a half."""
    unit = Decimal(repr(step)) if step < 1 else Decimal(int(step))
    clean = Decimal(repr(x)).quantize(Decimal("1e-9"), rounding=ROUND_HALF_UP)
    return float((clean / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * unit) + 0.0


@dataclass(frozen=True, kw_only=True)
class Range:
    """The ends in the order printed, each signed; `words` are the directions printed."""

    first: Number
    second: Number
    words: tuple[str, ...]

    @property
    def low(self) -> Number:
        return min(self.first, self.second, key=lambda n: n.place)

    @property
    def high(self) -> Number:
        return max(self.first, self.second, key=lambda n: n.place)

    def in_order(self) -> bool:
        """Same side of 0: the smaller first and one word. Across 0: fewer first, and both words."""
        if self.first.value < 0 < self.second.value:
            return len(self.words) == 2
        if self.first.value > 0 > self.second.value:
            return False
        if self.first.value < 0 == self.second.value:
            return len(self.words) == 1  # "12 fewer to no change"
        return len(self.words) <= 1 and abs(self.first.place) < abs(self.second.place)

    def holds(self, number: Number) -> bool:
        return self.low.place <= number.place <= self.high.place


@dataclass(frozen=True, kw_only=True)
class Headline:
    """`kind` is effect, little, could not tell, very uncertain, not sound or no range."""

    kind: str
    outcome: str
    subject: str = ""
    direction: int = 0
    modal: str = ""
    singular: bool | None = None
    amount: str = ""
    pay: str = ""
    unlikely: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Lead:
    outcome: str
    base: int | None
    who: str
    when: str
    size: Number
    range: Range
    per: str = ""
    expected: Number | None = None
    observed: Number | None = None
    without: str = ""
    not_evidence: bool = False


@dataclass(frozen=True, kw_only=True)
class Cell:
    size: Number
    range: Range
    outcome: str = ""
    base: int | None = None


@dataclass(frozen=True, kw_only=True)
class Title:
    """Which parts the likely range has: `side` is -1 below zero, 1 above, 0 where it holds no difference."""

    side: int
    claim: str


@dataclass(frozen=True, kw_only=True)
class Percent:
    size: Number
    range: Range
    times: bool = False


@dataclass(frozen=True, kw_only=True)
class Avoided:
    outcome: str
    range: Range
    size: Number | None = None
    modal: str = ""
    when: str = ""
    past: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    event: str
    size: Number | None = None
    range: Range | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    direction: int
    size: Number
    base: int | None
    missed: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Gate:
    column: str
    value: Number
    range: Range
    chance: Number


@dataclass(frozen=True, kw_only=True)
class Verdict:
    verdict: str
    price: float | None = None
    agreed: bool = False
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    cost: int
    text: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Because:
    size: str = ""
    value: float | None = None
    price: float | None = None
    chance: Number | None = None
    rule: Number | None = None
    rest: str = ""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """The verdict moves to `to` once the price rises past, or falls to, `price`; or for another `cause`."""

    to: str
    cause: str
    price: float | None = None
    rises: bool = False


def match(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text)
    if found is None:
        raise Unreadable(text)
    return found


def number(text: str) -> Number:
    """A number as printed: "5", "0.3", "1,204", "under 0.1", "−£3,400", "79p"."""
    bound = ""
    lower = text.lower()
    for word in ("just under", "just over", "under", "over"):
        if lower.startswith(word + " "):
            bound, text = word, text[len(word) + 1 :]
    digits = text.replace("£", "")
    if digits.startswith("-"):
        raise Unreadable(f"a hyphen stands for minus in {text!r}")
    sign = -1 if digits.startswith(MINUS) else 1
    digits = digits.lstrip(MINUS)
    pence = digits.endswith("p")
    digits = digits.rstrip("p")
    whole, _, fraction = digits.partition(".")
    if not re.fullmatch(r"\d{1,3}(,\d{3})*|\d{1,3}", whole):
        raise Unreadable(f"thousands without commas in {text!r}")
    value = sign * float(whole.replace(",", "") + "." + (fraction or "0"))
    return Number(value=value / 100 if pence else value, decimals=2 if pence else len(fraction), bound=bound)


def way(word: str | None) -> int:
    """-1 for fewer and lower, 1 for more and higher, and for no word."""
    return -1 if word in DOWN else 1


def read_range(text: str) -> Range:
    """A range: "1 to 10 fewer", "8 fewer to 6 more", "£2,320 to £32,860", "no change to 5 fewer"."""
    m = match(rf"(no change|{NUMBER})%?(?: ({WAY}))? to (no change|{NUMBER})%?(?: ({WAY}))?", text)
    a, first_word, b, second_word = m.groups()
    ends = []
    for end, word in ((a, first_word or second_word), (b, second_word or first_word)):
        ends.append(Number(value=0.0) if end == "no change" else number(end).signed(way(word)))
    words = tuple(word for word in (first_word, second_word) if word)
    return Range(first=ends[0], second=ends[1], words=words)


def base_of(text: str | None) -> int | None:
    return None if text is None else int(number(text).value)


def read_headline(text: str) -> Headline:
    """The headline, whichever of its six kinds it is."""
    if m := re.fullmatch(r"We cannot give a likely range for (?P<outcome>.+?): (?P<reason>.+)", text):
        return Headline(kind="no range", **m.groupdict())
    changed = r"(?P<subject>.+?) changed (?P<outcome>[^;]+?)"
    if m := re.fullmatch(rf"We cannot say whether {changed}: the comparison is not sound", text):
        return Headline(kind="not sound", **m.groupdict())
    unlikely = r"(?:; a worthwhile (?P<unlikely>fall|rise) is unlikely)?"
    if m := re.fullmatch(rf"We could not tell whether {changed}{unlikely}", text):
        return Headline(kind="could not tell", **{k: v or "" for k, v in m.groupdict().items()})
    if m := re.fullmatch(rf"It is very uncertain whether {changed}", text):
        return Headline(kind="very uncertain", **m.groupdict())
    if text.startswith(("We ", "It is ")):
        raise Unreadable(text)
    verb = r"(?P<subject>.+?) (?:(?P<modal>may|probably) )?"
    little = rf"{verb}(?P<verb>makes?) little or no difference to (?P<outcome>[^,;]+)"
    if m := re.fullmatch(little, text):
        parts = m.groupdict()
        return Headline(
            kind="little",
            subject=parts["subject"],
            outcome=parts["outcome"],
            modal=parts["modal"] or "plain",
            singular=singular(parts["modal"], parts["verb"]),
        )
    m = match(
        rf"{verb}(?P<verb>reduces?|increases?) (?P<outcome>[^,;]+?)"
        r"(?P<amount> by a worthwhile amount|, but by less than is worthwhile"
        r"|, but we cannot tell whether by a worthwhile amount"
        r"|, perhaps by an amount that matters| by an amount that matters| slightly)?"
        r"(?:, (?P<pay>and will probably|and may|but probably not by enough to"
        r"|but very probably not by enough to) repay today\u2019s price)?",
        text,
    )
    parts = m.groupdict()
    return Headline(
        kind="effect",
        subject=parts["subject"],
        outcome=parts["outcome"],
        direction=-1 if parts["verb"].startswith("reduce") else 1,
        modal=parts["modal"] or "plain",
        singular=singular(parts["modal"], parts["verb"]),
        amount=AMOUNTS[parts["amount"] or ""],
        pay=PAYS[parts["pay"] or ""],
    )


AMOUNTS = {
    "": "",
    " by a worthwhile amount": "worthwhile",
    ", but by less than is worthwhile": "less than worthwhile",
    ", but we cannot tell whether by a worthwhile amount": "not known",
    ", perhaps by an amount that matters": "perhaps matters",
    " by an amount that matters": "matters",
    " slightly": "slightly",
}
PAYS = {
    "": "",
    "and will probably": "will probably",
    "and may": "may",
    "but probably not by enough to": "probably not",
    "but very probably not by enough to": "very probably not",
}


def singular(modal: str | None, verb: str) -> bool | None:
    """Whether the verb is singular; "may" hides it, and so must leave the verb bare."""
    if modal == "may":
        if verb.endswith("s"):
            raise Unreadable(f"may {verb}")
        return None
    return verb.endswith("s")


WHAT = r"(?P<outcome>(?:(?! per \d).)+?)"
PER = r"(?: per (?P<base>[\d,]+)(?P<who> [^(,;]+?)??|(?P<per> (?:a|each) (?:day|week|month|quarter|year)[^(,;]*?))?"
WHEN = r"(?P<when>,? over [^(;]+?|, [^(;]+?)?"
NONE = r"no change|no difference|what was expected"


def read_lead(text: str) -> Lead:
    """The lead, off 0 ("About 5 fewer ...") or not ("People we supported had 35.7 ...").

    Costs, scores and durations read "A fall of about £40 in hospital costs ..." and "Hospital costs stood
    at £960 ...".
    """
    unclear = " expected. That is " in text
    m = _clear(text) if not unclear else _unclear(text)
    parts = {
        "n": None,
        "way": None,
        "noun": None,
        "without": None,
        "who": None,
        "evidence": None,
        **m.groupdict(),
    }
    direction = way(parts["way"]) if parts["way"] else FALL.get(parts["noun"] or "", 1)
    return Lead(
        outcome=parts["outcome"],
        base=base_of(parts["base"]),
        who=(parts["who"] or "").strip(),
        when=parts["when"] or "",
        per=(parts["per"] or "").strip(),
        size=number(parts["n"]).signed(direction) if parts["n"] else Number(value=0.0),
        range=read_range(parts["range"]),
        expected=number(parts["e"]) if parts["e"] else None,
        observed=number(parts["o"]) if parts["o"] else None,
        without=parts["without"] or "",
        not_evidence=bool(parts["evidence"]),
    )


def _clear(text: str) -> re.Match[str]:
    size = (
        rf"(?:(?:About )?(?P<n>{NUMBER}) (?P<way>{WAY})|About as many|About the same)"
        if text.startswith(("About ", "Under "))
        else rf"A (?P<noun>fall|rise) of (?:about )?(?P<n>{NUMBER}) in"
    )
    return match(
        rf"{size} {WHAT}{PER}{WHEN}(?: as expected)? \(likely range (?P<range>{RANGE})\)\."
        rf"(?: (?P<e>{NUMBER}) (?:were|was) expected(?: without (?P<without>.+?))?; (?P<o>{NUMBER})"
        r" (?:happened|was seen)\.)?",
        text,
    )


def _unclear(text: str) -> re.Match[str]:
    had = (
        rf"There were (?P<o>{NUMBER}) {WHAT}{PER}"
        if text.startswith("There were ")
        else rf"{WHAT} stood at (?P<o>{NUMBER}){PER}"
        if " stood at " in text
        else rf"(?P<who>.+?) had (?P<o>{NUMBER}) {WHAT}{PER.replace('(?P<who> [^(,;]+?)??', '')}"
    )
    return match(
        rf"{had}{WHEN}; (?P<e>{NUMBER}) (?:were|was) expected\. "
        rf"That is (?:(?:about )?(?P<n>{NUMBER}) (?P<way>{WAY})|{NONE})"
        rf", but the truth could be anything from (?P<range>{RANGE})\."
        r"(?P<evidence> This is not evidence that the service makes no difference\.)?",
        text,
    )


def read_size(text: str) -> Number:
    """A size with its direction: "5.3 fewer", "under 0.1 more", "no change"."""
    if text in ("no change", "no difference"):
        return Number(value=0.0)
    m = match(rf"({NUMBER})%? ({WAY})", text)
    return number(m[1]).signed(way(m[2]))


def read_cell(text: str) -> Cell:
    """A table cell: the size, and the range on its own line (a new line, or "; " in running text)."""
    m = match(rf"(?P<size>.+?)(?:; |\n)(?P<range>{RANGE})", text)
    return Cell(size=read_size(m["size"]), range=read_range(m["range"]))


def read_alt(text: str) -> Cell:
    """The text alternative of a picture of one effect."""
    m = match(
        rf"Difference in (?P<outcome>.+?)(?: per (?P<base>[\d,]+) [^:]+?|(?P<per> (?:a|each) [^:]+?))?: best estimate (?P<size>.+?), "
        rf"likely range (?P<range>{RANGE})",
        text,
    )
    return Cell(
        size=read_size(m["size"]),
        range=read_range(m["range"]),
        outcome=m["outcome"],
        base=base_of(m["base"]),
    )


BELOW = {"below": -1, "above": 1}
FALL = {"fall": -1, "rise": 1}


def read_title(text: str) -> Title:
    """The title of the main chart.

    `claim` is one of: all worth having, mostly worth having, mostly too small, none worth having, no matter
    (nothing that matters either way), could be worthwhile, could be either, no worthwhile, none matters,
    part matters, all matters; empty where no worthwhile effect was agreed.
    """
    if text == "The whole likely range is worth having":
        return Title(side=0, claim="all worth having")
    if m := re.fullmatch("The whole likely range is a (fall|rise) large enough to matter", text):
        return Title(side=FALL[m[1]], claim="all matters")
    if m := re.fullmatch("The likely range lies (below|above) zero(.*)", text):
        return Title(side=BELOW[m[1]], claim=LIES[m[2]] if m[2] in LIES else fail(text))
    m = match("The likely range covers (.+)", text)
    said = m[1]
    if said == "no difference":
        return Title(side=0, claim="")
    if re.fullmatch("no difference, and no (?:fall or rise|rise or fall) that matters", said):
        return Title(side=0, claim="no matter")
    if m := re.fullmatch("a worthwhile (fall|rise) and no difference", said):
        return Title(side=FALL[m[1]], claim="could be worthwhile")
    if (m := re.fullmatch("a worthwhile (fall|rise), no difference and a (fall|rise)", said)) and m[1] != m[
        2
    ]:
        return Title(side=FALL[m[1]], claim="could be either")
    m = match("no difference and a (fall|rise), but no worthwhile (fall|rise)", said)
    if m[1] == m[2]:
        raise Unreadable(text)
    return Title(side=FALL[m[1]], claim="no worthwhile")


LIES = {
    "": "",
    ", and most of it is worth having": "mostly worth having",
    ", but most of it is too small to be worth having": "mostly too small",
    ", but none of it is worth having": "none worth having",
    ", but none of it is large enough to matter": "none matters",
    ", and part of it is large enough to matter": "part matters",
}


def fail(text: str) -> str:
    raise Unreadable(text)


def read_percent(text: str) -> Percent:
    """The relative effect: "14% fewer (likely range 2% to 26% fewer)", or "2.4 times as many (...)"."""
    if m := re.fullmatch(
        rf"({NUMBER}) times as (?:many|much|high|long) \(({NUMBER}) to ({NUMBER}) times\)", text
    ):
        ends = Range(first=number(m[2]), second=number(m[3]), words=())
        return Percent(size=number(m[1]), range=ends, times=True)
    m = match(rf"(.+?) \(likely range ({RANGE})\)", text)
    if re.search(r"\d(?!%|[\d,.])", text):
        raise Unreadable(f"a number without its per cent sign in {text!r}")
    return Percent(size=read_size(m[1]), range=read_range(m[2]))


def read_avoided(text: str) -> Avoided:
    """How many events were avoided or gained, or (harm) how many more or fewer, or that this cannot be said.

    `past` is "avoided", "gained" or, for a harm, empty.
    """
    if m := re.fullmatch(
        rf"We cannot say how many (?:(?P<harm>{WAY}) )?(?P<outcome>.+?) (?:(?:were|was) (?P<past>avoided|gained)|there were)"
        rf"(?P<when> [^:]+?)?: (?:certainty is very low, and )?the range runs from (?P<range>{RANGE})\.",
        text,
    ):
        if bool(m["harm"]) == bool(m["past"]):
            raise Unreadable(text)
        return Avoided(
            outcome=m["outcome"],
            range=read_range(m["range"]),
            when=(m["when"] or "").strip(),
            past=m["past"] or "",
        )
    if m := re.fullmatch(
        rf"(?:About )?(?P<n>{NUMBER}) (?P<outcome>.+?) (?P<modal>may have been|were probably|were) (?P<past>avoided|gained)"
        rf"(?P<when> [^(]+?)? \(likely range (?P<range>{RANGE}|{NUMBER})\)\.",
        text,
    ):
        sign = -1 if m["past"] == "avoided" else 1
        ends = read_range(m["range"])
        return Avoided(
            outcome=m["outcome"],
            range=replace(ends, first=ends.first.signed(sign), second=ends.second.signed(sign)),
            size=number(m["n"]).signed(sign),
            modal=MODALS[m["modal"]],
            when=(m["when"] or "").strip(),
            past=m["past"],
        )
    m = match(
        rf"There (?P<modal>may have been|were probably|were) (?:about )?(?P<n>{NUMBER}) (?P<way>{WAY}) (?P<outcome>.+?)"
        rf"(?P<when> (?:in|over) [^(]+?)? \(likely range (?P<range>{RANGE})\)\.",
        text,
    )
    return Avoided(
        outcome=m["outcome"],
        range=read_range(m["range"]),
        size=number(m["n"]).signed(way(m["way"])),
        modal=MODALS[m["modal"]],
        when=(m["when"] or "").strip(),
    )


MODALS = {"may have been": "may", "were probably": "probably", "were": "plain"}


def read_cost(text: str) -> Cost:
    """The cost of one event avoided, or why there is none."""
    none = "not defined|there is none"
    if m := re.fullmatch(rf"Cost per (?P<event>.+?) avoided: (?:{none}), because (?P<reason>.+)\.", text):
        return Cost(event=m["event"], reason=m["reason"])
    m = match(
        rf"Cost per (?P<event>.+?) avoided: (?P<n>£{NUMBER}) \(likely range (?P<range>£{NUMBER} to £{NUMBER})\)\.",
        text,
    )
    return Cost(event=m["event"], size=number(m["n"]), range=read_range(m["range"]))


def read_certainty(text: str) -> tuple[str, tuple[str, ...]]:
    """The level, and the step that each phrase stands for, in one sentence or more."""
    m = match(rf"Certainty is ({'|'.join(LEVELS)})(?:: (.+))?\.", text)
    left, codes = m[2] or "", []
    while left:
        left = left[0].lower() + left[1:]
        known = [phrase for phrase in PHRASES if left.startswith(phrase)]
        if not known:
            raise Unreadable(text)
        longest = max(known, key=len)
        codes.append(PHRASES[longest])
        left = re.sub(r"^(?:, and |, |[.] (?=[A-Z]))", "", left[len(longest) :])
    return m[1], tuple(codes)


def read_found(text: str) -> Found:
    """The smallest effect this evaluation could have found, and whether a worthwhile one could be missed."""
    m = match(
        rf"This evaluation could have found a (fall|rise) of ({NUMBER})(?: per ([\d,]+)| (?:a|each) [a-z ]+?)?%? or more, four times in five\."
        rf"(?: A (fall|rise) of ({NUMBER}) could have been missed\.)?",
        text,
    )
    if m[4] and m[4] != m[1]:
        raise Unreadable(text)
    return Found(
        direction=FALL[m[1]],
        size=number(m[2]),
        base=base_of(m[3]),
        missed=number(m[5]) if m[5] else None,
    )


def read_gate(text: str) -> Gate:
    """A value in one of the three columns, its range, and the chance that it exceeds the cost."""
    m = match(
        rf"(?P<n>{NUMBER}) of (?P<column>.+?) \(likely range (?P<range>{NUMBER} to {NUMBER})\)"
        rf"; chance that it exceeds the cost: (?P<chance>{NUMBER})%",
        text,
    )
    return Gate(
        column=m["column"],
        value=number(m["n"]),
        range=read_range(m["range"]),
        chance=number(m["chance"]),
    )


VERDICTS = ("Mainstream", "Extend with evaluation", "Extend if cheaper", "Stop at this price")
NO_PRICE = "Stop: no price would repay it"


def read_verdict(text: str) -> Verdict:
    """The verdict with the price it asks for, if any (`agreed`: "at a price to be agreed")."""
    if m := re.fullmatch(r"Cannot say yet: (.+)", text):
        return Verdict(verdict="Cannot say yet", missing=m[1])
    if text == NO_PRICE:
        return Verdict(verdict=VERDICTS[-1], missing="any price")
    m = match(
        rf"({'|'.join(VERDICTS)}|Extend for \d+ months, with evaluation)(?:(?:, at|:) (?:(£{NUMBER})(?: a person)? or less|(?:at )?(a price to be agreed)))?",
        text,
    )
    name = "Extend with evaluation" if m[1].startswith("Extend for") else m[1]
    return Verdict(verdict=name, price=number(m[2]).value if m[2] else None, agreed=bool(m[3]))


def read_step(text: str) -> Step:
    """One line of the certainty table: what it costs (a step back is +1) and the numbers in it."""
    m = match(r"(No|One|Two|Three) steps? (down|back)(?::|,) (.+)\.", text)
    cost = COUNTS[m[1].lower()] * (-1 if m[2] == "down" else 1)
    found = tuple(number(n).value for n in re.findall(r"\d[\d,]*\d(?:\.\d+)?|\d(?:\.\d+)?", m[3]))
    return Step(cost=cost, text=m[3], numbers=found)


def read_because(text: str) -> Because:
    """Why the verdict: the chance against the rule, or the value against the price."""
    if m := re.fullmatch(
        rf"(?P<p>{NUMBER})% chance of being worth (?P<price>£{NUMBER}) a person"
        rf"; the rule asks for (?P<rule>\d+)%, and (?:the checks hold|no key check stands against it)\.",
        text,
        re.IGNORECASE,
    ):
        return Because(chance=number(m["p"]), price=number(m["price"]).value, rule=number(m["rule"]))
    m = match(
        rf"(?P<size>.+?), worth (?P<value>{NUMBER})(?: a person)? against (?P<price>{NUMBER})(?P<rest>[.,;: ].*)",
        text,
    )
    return Because(
        size=m["size"],
        value=number(m["value"]).value,
        price=number(m["price"]).value,
        rest=m["rest"].strip(" .,;"),
    )


def read_switches(text: str) -> tuple[Switch, ...]:
    """What would change the verdict: each printed switch with the verdict it leads to, in brackets."""
    if re.fullmatch("it is bought for something else, and judged on that[.]", text):
        return ()
    match(
        r"(?:(?:, or |, )?[^()]+? \([^()]+\))+(?:, or it is bought for something else, and judged on that)?\.",
        text,
    )
    found: list[Switch] = []
    for m in re.finditer(r"(?:, or |, )?([^()]+?) \(([^()]+)\)", text):
        cause, to = m.groups()
        if to not in BRACKETS:
            raise Unreadable(text)
        if price := re.fullmatch(rf"(?:the price (?:rose above|passed|fell to) )?(£{NUMBER})", cause):
            bare = cause.startswith("£")
            rises = (bool(found) and found[-1].rises) if bare else "fell" not in cause
            found.append(Switch(to=to, cause=cause, price=number(price[1]).value, rises=rises))
        elif price := re.fullmatch(rf"a price of (£{NUMBER}) or less is agreed", cause):
            found.append(Switch(to=to, cause=cause, price=number(price[1]).value))
        else:
            found.append(Switch(to=to, cause=cause))
    return tuple(found)


BRACKETS = ("mainstream", "extend", "only if cheaper", "stop")
