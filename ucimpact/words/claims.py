"""What an interval allows to be claimed: ten claims, a partition of every interval.

With ``g`` the benefit (``-est`` where lower is better, else ``est``), ``gl <= gh`` its 95% limits and
``w > 0`` the smallest worthwhile effect, fixed before the data were seen:

.. math::
   W^+:\\ g_l \\ge w \\quad B:\\ 0 < g_l < w \\le g_h \\quad b:\\ 0 < g_l,\\ g_h < w \\quad
   N:\\ -w < g_l \\le 0 \\le g_h < w \\quad U:\\ -w < g_l \\le 0,\\ g_h \\ge w

``W-, H, h`` mirror ``W+, B, b``; ``V`` mirrors ``U``; ``X`` is the rest, where both a worthwhile benefit
and a harm that matters are possible. A limit of exactly 0 includes no change. With no ``w`` an interval
off 0 is ``B`` or ``H`` and every other is ``X``: nothing is said of size.
"""

from __future__ import annotations

import math

BENEFIT = ("W+", "B", "b")
HARM = ("h", "H", "W-")
UNCLEAR = ("U", "V", "X")
CLAIMS = ("W+", "B", "b", "N", "U", "X", "V", "h", "H", "W-")

TRIVIAL, SMALL, MODERATE = 1, 2, 4
"""Size words begin and end at these multiples of the smallest worthwhile effect (a judgement)."""


def benefit(est: float, lo: float, hi: float, better: str = "lower") -> tuple[float, float, float]:
    """``g, gl, gh``: the effect and its limits, positive where they are to the good."""
    if better not in ("lower", "higher"):
        raise ValueError(f'better is "lower" or "higher"; this is {better!r}')
    return (-est, -hi, -lo) if better == "lower" else (est, lo, hi)


def claim(est: float, lo: float, hi: float, w: float | None = None, better: str = "lower") -> str:
    """The code of the one claim that an interval allows.

    Parameters
    ----------
    est, lo, hi : float
        Effect and 95% limits, negative = fewer.
    w : float, optional
        Smallest worthwhile effect in the same units; None where none was agreed.
    better : {"lower", "higher"}
    """
    if not (math.isfinite(lo) and math.isfinite(hi) and lo <= hi):
        raise ValueError(f"a claim needs two finite limits in order; these are {lo} and {hi}")
    _, low, high = benefit(est, lo, hi, better)
    if w is None:
        return "B" if low > 0 else "H" if high < 0 else "X"
    if not w > 0:
        raise ValueError(f"the smallest worthwhile effect is above 0; this is {w}")
    if low > 0:
        return "W+" if low >= w else "B" if high >= w else "b"
    if high < 0:
        return "W-" if high <= -w else "H" if low <= -w else "h"
    if low > -w:
        return "N" if high < w else "U"
    return "V" if high < w else "X"


def size_word(code: str, est: float, w: float | None) -> str:
    """ "trivial", "small", "moderate" or "large", for tables; "size unclear" where the range is wide."""
    if w is None:
        return ""
    if code in ("B", "H", *UNCLEAR):
        return "size unclear"
    times = abs(est) / w
    if times < TRIVIAL:
        return "trivial"
    return "small" if times < SMALL else "moderate" if times < MODERATE else "large"


def good_change(better: str = "lower") -> str:
    """The noun for a change to the good: "fall" where lower is better."""
    return "fall" if better == "lower" else "rise"


def bad_change(better: str = "lower") -> str:
    """The noun for a change to the bad."""
    return "rise" if better == "lower" else "fall"
