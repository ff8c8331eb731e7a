"""Money and chances in words.

Cash released, capacity released and full economic value are three kinds of value. They stand in that
order, are never added, and no sentence holds the figure of two. Money is rounded to £100, a price or
value per person to £1, a cost per event to £10, always after everything is worked out.
"""

from __future__ import annotations

from collections.abc import Sequence

from ucimpact.words.claims import BENEFIT, HARM
from ucimpact.words.numbers import MINUS, chance, exact, number, rounded

COLUMNS = ("cash released", "capacity released", "full economic value")
ADDED = "Values are worked out before rounding."
RANGES = "Ranges do not add up, because good luck in one is offset by bad luck in another."
NO_CASH = "the hospital contract is fixed"


def _to(value: float, steps: Sequence[int]) -> str:
    """Rounded to the first step that does not print 0 for what is not, then to pence."""
    for step in steps:
        if (size := rounded(abs(value) / step) * step) or not exact(value):
            return f"{MINUS if value < 0 and size else ''}£{size:,}"
    return pence(value)


def _apart(best: float, low: float, high: float) -> list[str]:
    """A cost and its limits to £10; all finer where the limits would print alike."""
    for steps in ((10, 1), (1,)):
        shown = [_to(value, steps) for value in (best, low, high)]
        if shown[1] != shown[2]:
            return shown
    return [pence(value) for value in (best, low, high)]


def money(value: float) -> str:
    """To £100: "£225,300", "−£500"; finer only where that would print £0."""
    return _to(value, (100, 10, 1))


def per_person(value: float) -> str:
    """A price or a value per person, to £1."""
    return _to(value, (1,))


def offer(value: float) -> str:
    """A price to be offered, above £1: down to £10 (to £1 below that)."""
    step = 10 if value >= 10 else 1
    return f"£{int(exact(value) // step) * step:,}"


def thousands(value: float) -> str:
    """The worth of evidence, to £1,000."""
    return _to(value, (1_000, 100, 10, 1))


def pence(value: float) -> str:
    """ "79p", "£1.57", "under 1p"."""
    size = rounded(value, 2)
    if not size and exact(value):
        return "under 1p"
    sign = MINUS if size < 0 else ""
    return f"{sign}{number(100 * float(abs(size)))}p" if abs(size) < 1 else f"{sign}£{abs(size):,}"


def money_range(lo: float, hi: float) -> str:
    """Smaller number first, minus signs printed."""
    return f"{money(lo)} to {money(hi)}"


def bought(value: float, lo: float, hi: float, price: float) -> str:
    """What £1 bought: "79p (7p to £1.57)", from the value per person and its range."""
    return f"{pence(value / price)} ({pence(lo / price)} to {pence(hi / price)})"


def net(lo: float, hi: float) -> str:
    """The likely range of value less cost."""
    return f"The net is likely to lie between {money(lo)} and {money(hi)}."


def gate(
    column: str,
    value: float,
    lo: float | None = None,
    hi: float | None = None,
    p: float | None = None,
    reason: str = NO_CASH,
) -> str:
    """One column of money: value, likely range, and the chance that it exceeds the cost.

    No cash is £0 with a reason and no range.
    """
    if not value and column == COLUMNS[0]:
        text = f"{money(value)} of {column}: {reason}"
    elif lo is None or hi is None:
        text = f"{money(value)} of {column}"
    else:
        text = f"{money(value)} of {column} (likely range {money_range(lo, hi)})"
    return text if p is None else f"{text}; chance that it exceeds the cost: {chance(p)}"


def cost_per_event(
    cost: float, est: float, lo: float, hi: float, claim_code: str, event: str = "admission"
) -> str:
    """The cost of each event avoided, only where the likely range leaves out no change.

    Parameters
    ----------
    cost : float
        Pounds, without error, so that dividing it by the limits is Fieller's interval.
    est, lo, hi : float
        Events avoided, positive = fewer.
    """
    head = f"Cost per {event} avoided:"
    if claim_code in BENEFIT and lo > 0:
        best, low, high = _apart(cost / est, cost / hi, cost / lo)
        return f"{head} {best} (likely range {low} to {high})."
    if claim_code in HARM:
        return f"{head} there is none, because the whole likely range lies on the side of harm."
    return f"{head} not defined, because the likely range includes no change."


def one_of(label: str) -> str:
    """One event of an outcome, mid-sentence: "Emergency admissions" is "emergency admission"."""
    first = label.split(" ", 1)[0]
    text = label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]
    last = text.rsplit(" ", 1)[-1]
    return text[:-1] if last.endswith("s") and not last.endswith("ss") else f"event ({text})"
