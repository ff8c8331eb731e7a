"""Numbers as a reader meets them: rounded last, half away from zero, and never to something untrue.

Three rules hold wherever a difference is printed. A value that is not 0 never prints as 0: one more
decimal, then "under 0.1". A limit that is not the smallest worthwhile effect never rounds onto it: one
more decimal, then "just under 4". Two limits that differ are printed as two numbers.

Signs are words: negative is fewer (or lower), positive more (or higher). Where a sign must be printed
it is U+2212.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

MINUS = "\u2212"
BASES = (100, 1_000, 10_000, 100_000)
"""Natural frequencies count by the first of these at which one event or more is expected."""
FEW = (
    "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
"""Counts that a sentence writes in letters."""
COUNTED = ("count", "binary")
"""Kinds of outcome that are fewer or more; cost, score and duration are lower or higher."""
SMALL_NUMBER = 10
MUCH_OFF = Decimal("0.1")
"""Below this size a whole number that is more than a tenth from its figure may mislead (:func:`spoken`)."""
KINDS = (*COUNTED, "cost", "score", "duration")


def exact(value: float) -> Decimal:
    """The value as a person would write it: float noise beyond 12 digits is dropped.

    Raises
    ------
    ValueError
        For a value that is not finite: it has no words.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a sentence can hold")
    return Decimal(f"{float(value):.12g}")


def rounded(value: float, decimals: int = 0, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Half away from zero, on the decimal value: 2.5 is 3, -2.5 is -3, 0.285 is 0.29."""
    quantum = Decimal(1).scaleb(-decimals)
    result = exact(value).quantize(quantum, rounding=rounding)
    return abs(result) if result == 0 else result


def number(value: float, decimals: int = 0) -> str:
    """Rounded, with thousands commas, and a true minus where there is one."""
    shown = rounded(value, decimals)
    return f"{MINUS if shown < 0 else ''}{abs(shown):,}"


def few(n: int, none: str = "none") -> str:
    """ "three" up to twelve, then "13"; ``none`` is the word for 0."""
    return none if n == 0 else FEW[n] if n < len(FEW) else number(n)


def plainly(value: float) -> str:
    """At most one decimal, none where it would be 0: "6.6", "4". Never 0 for what is not."""
    if value and not rounded(value, 1):
        return "under 0.1"
    return number(value, 1).removesuffix(".0")


def base_for(expected: float, per: float = 1) -> int:
    """The base of natural frequencies for an expected number of events among ``per`` people."""
    each = exact(expected) / exact(per)
    return next((base for base in BASES if each * base >= 1), BASES[-1])


def joint(items: Sequence[str], word: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def capital(text: str) -> str:
    """With its first letter large, the rest as it was."""
    return text[:1].upper() + text[1:]


def mid_sentence(label: str) -> str:
    """A label as it stands inside a sentence: "Emergency admissions" but "A&E attendances"."""
    first = label.split(" ", 1)[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def chance(p: float) -> str:
    """A whole per cent, "under 1%" or "over 99%"."""
    if not 0 <= p <= 1:
        raise ValueError(f"a chance lies between 0 and 1; this is {p}")
    if p < 0.01:
        return "under 1%"
    return "over 99%" if p > 0.99 else f"{number(100 * p)}%"


def dots(p: float) -> int:
    """How many of twenty dots stand for a chance."""
    return int(rounded(20 * p))


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How a difference of one kind of outcome is written.

    ``decimals`` is the ladder to climb: the first is used unless it would print something untrue.
    """

    fewer: str = "fewer"
    more: str = "more"
    before: str = ""
    after: str = ""
    decimals: tuple[int, ...] = (0, 1)

    def word(self, value: float) -> str:
        """ "fewer" or "more" (or "lower" or "higher")."""
        return self.fewer if value < 0 else self.more

    def written(self, size: Decimal) -> str:
        """A size with its sign of pounds or per cent; pence below a pound."""
        if self.before == "£" and 0 < size < 1:
            return f"{number(float(100 * size))}p"
        return f"{self.before}{size if size else 0:,}{self.after}"

    def amount(self, value: float) -> str:
        """A quantity that is no difference, such as an expected number."""
        for decimals in self.decimals:
            if (size := rounded(value, decimals)) or not value:
                return f"{MINUS if size < 0 else ''}{self.written(abs(size))}"
        return self.least

    @property
    def least(self) -> str:
        """What is printed for a value too small for the last rung."""
        return f"under {self.written(Decimal(1).scaleb(-self.decimals[-1]))}"


def measure(kind: str = "count", *, decimals: int = 0, percent: bool = False) -> Measure:
    """The measure for a kind of outcome: whole numbers, or one decimal (tables)."""
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}; this is {kind!r}")
    named = Measure() if kind in COUNTED else Measure(fewer="lower", more="higher")
    if percent:
        return replace(named, after="%")
    if kind == "cost":
        return replace(named, before="£", decimals=(0, 2))
    return replace(named, decimals=(1,)) if decimals else named


@dataclass(frozen=True)
class _End:
    """A value as it is printed; ``value`` keeps its sign and says where the print stands."""

    text: str
    value: Decimal


@dataclass(frozen=True)
class Spoken:
    """A best estimate and its range, ready for a sentence; ``range`` has its own fewer or more."""

    size: str
    word: str
    range: str

    @property
    def difference(self) -> str:
        """ "5 fewer", or "no difference" where the estimate is exactly 0."""
        return f"{self.size} {self.word}" if self.size else "no difference"

    @property
    def about(self) -> str:
        """ "about 5 fewer"; "under 0.1 fewer" is about nothing."""
        return (
            f"about {self.difference}" if self.size[:1].isdigit() or self.size[:1] == "£" else self.difference
        )


def spoken(est: float, lo: float, hi: float, how: Measure, w: float | None = None) -> Spoken:
    """An estimate with its range, the estimate printed inside the range.

    Of small numbers all three climb together where the estimate would print as a limit that it is not, both
    on one side of 0: 1.4 (1.1 to 1.8) is no "1 (1 to 2)".
    """
    if sits_on_a_limit(est, lo, hi, how, w):
        how = replace(how, decimals=how.decimals[1:])
    low, high = _ends(lo, hi, how, w)
    if not exact(est):
        return Spoken("", "", _range(low, high, how))
    sign = -1 if est < 0 else 1
    for decimals in how.decimals:
        size = rounded(abs(est), decimals)
        if size and low.value <= sign * size <= high.value:
            return Spoken(how.written(size), how.word(est), _range(low, high, how))
    if not rounded(abs(est), how.decimals[-1]):
        return Spoken(how.least, how.word(est), _range(low, high, how))
    end = min(low, high, key=lambda end: abs(end.value - exact(est)))
    return Spoken(end.text, how.word(est), _range(low, high, how))


def sits_on_a_limit(est: float, lo: float, hi: float, how: Measure, w: float | None = None) -> bool:
    """Whether a small estimate would print as a limit that it is not, more than a tenth from the figures."""
    large = lo * hi <= 0 or max(abs(lo), abs(hi), abs(est)) >= SMALL_NUMBER
    if large or how.before or how.after or len(how.decimals) < 2:
        return False
    first = how.decimals[0]
    shown = rounded(est, first)
    if not shown or any(exact(est) == exact(end) for end in (lo, hi)):
        return False
    ends = {end.value for end in _ends(lo, hi, how, w)}
    off = max(abs(rounded(v, first) - exact(v)) / abs(exact(v)) for v in (est, lo, hi) if exact(v))
    return shown in ends and off > MUCH_OFF


def likely(lo: float, hi: float, how: Measure, w: float | None = None) -> str:
    """A range: smaller first on one side of 0 ("1 to 10 fewer"), fewer first across it."""
    low, high = _ends(lo, hi, how, w)
    return _range(low, high, how)


def bare(lo: float, hi: float, how: Measure, w: float | None = None) -> str:
    """A range on one side of 0, smaller first, without its word: "9 to 123"."""
    low, high = _ends(lo, hi, how, w)
    first, last = (low, high) if lo >= 0 else (high, low)
    return first.text if first.text == last.text else f"{first.text} to {last.text}"


def limit(value: float, how: Measure, w: float | None = None) -> str:
    """One limit with its word: "8 fewer", or "no change" for exactly 0."""
    if not exact(value):
        return "no change"
    return f"{_ends(value, value, how, w)[0].text} {how.word(value)}"


def _range(low: _End, high: _End, how: Measure) -> str:
    if low.value < 0 < high.value:
        return f"{low.text} {how.fewer} to {high.text} {how.more}"
    if not low.value and not high.value:
        return "no difference"
    first, last = (low, high) if low.value >= 0 else (high, low)
    word = how.fewer if low.value < 0 else how.more
    return f"{first.text} {word}" if first.text == last.text else f"{first.text} to {last.text} {word}"


def _ends(lo: float, hi: float, how: Measure, w: float | None) -> tuple[_End, _End]:
    if lo > hi:
        raise ValueError(f"the lower limit {lo} is above the upper limit {hi}")
    for decimals in how.decimals:
        low, high = rounded(lo, decimals), rounded(hi, decimals)
        apart = low != high or exact(lo) == exact(hi)
        if apart and all(_is_true(v, r, w) for v, r in ((lo, low), (hi, high))):
            return _End(how.written(abs(low)), low), _End(how.written(abs(high)), high)
    decimals = how.decimals[-1]
    low, high = rounded(lo, decimals), rounded(hi, decimals)
    if low == high and low and exact(lo) != exact(hi):
        low, high = rounded(lo, decimals, ROUND_FLOOR), rounded(hi, decimals, ROUND_CEILING)
    return _in_words(lo, low, how, w), _in_words(hi, high, how, w)


def _is_true(value: float, shown: Decimal, w: float | None) -> bool:
    """Whether the rounded value is on the same side of 0 and of the worthwhile effect as the value."""
    if not shown and exact(value):
        return False
    if w is None:
        return True
    return _side(abs(exact(value)), exact(w)) == _side(abs(shown), exact(w))


def _side(size: Decimal, w: Decimal) -> int:
    return int(size.compare(w))


def _in_words(value: float, shown: Decimal, how: Measure, w: float | None) -> _End:
    """A limit that no rung of the ladder prints truly."""
    sign = -1 if value < 0 else 1
    if not shown and exact(value):
        return _End(how.least, sign * abs(exact(value)))
    if w is not None and abs(shown) == exact(w) != abs(exact(value)):
        side = "under" if abs(exact(value)) < exact(w) else "over"
        return _End(f"just {side} {how.written(exact(w))}", exact(value))
    return _End(how.written(abs(shown)), shown)
