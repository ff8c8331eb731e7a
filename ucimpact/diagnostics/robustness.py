"""Whether the result stands when dates, outcomes or places are changed, and on what comparisons it rests.

How to call each (none takes a step in the certainty table; every one is a
:class:`~ucimpact.diagnostics.check.Check` with ``counted=False``):

- ``placebo_starts(fit, panel, estimate)``: ``fit`` is any callable from a Panel to an Estimate, such as
  ``DifferenceInDifferences(outcome="rate").fit``; ``panel`` the panel that gave ``estimate``.
- ``placebo_outcomes([(label, estimate), ...], estimate)``: estimates of outcomes that the pilot cannot
  change, by the main method on the same panel; None where there are none.
- ``leave_one_place_out(fit, panel, estimate)``: one fit a place. A variance that needs no reassignments
  (``replace(method, cov=CR1())``) is quicker and gives the same estimates, but refuses a lone place.
- ``carried_by(estimate)``: from ``estimate.influence``; None where there is none.
- ``comparisons_used(estimate)``: from ``extras["bacon"]`` of :class:`~ucimpact.methods.EventStudy`, which may
  be fitted beside the main method; None elsewhere.
- ``scales(estimate)``: from ``extras["scales"]`` of :class:`~ucimpact.methods.CountDiD`; None elsewhere.
- ``pre_trend_power(estimate, worthwhile=...)`` and ``pre_trend_equivalence(estimate, worthwhile=...)`` are
  in :mod:`~ucimpact.diagnostics.missed_trends`.
- ``unmeasured(..., honest=HonestDiD(target="headline", together="auto").of(estimate))`` is in
  :mod:`~ucimpact.diagnostics.panel_checks` (``of`` raises EstimationError where no drift can be bounded:
  pass ``honest=None`` then).

The tables of ``leave_one_place_out`` and ``carried_by`` name places, and with their sizes the figures of a
place could be worked out again: a release under small-number rules gives them back empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.errors import DataError, DesignError, EstimationError
from ucimpact.estimate import Estimate

Fit = Callable[[Panel], Estimate]

PLACEBO_STARTS = "Do earlier dates, on which nothing happened, show a change?"
PLACEBO_OUTCOMES = "Do outcomes that the pilot cannot change show a change?"
LEAVE_ONE_OUT = "Does the result hang on one place?"
CARRIED = "Which places carry the result?"
COMPARED = "What is the two-way average made of?"
SCALES = "Did both move alike in per cent, and in numbers?"

DOUBT = 0.10
"""Chance, allowing for the number of looks, below which a placebo is a doubt (as before the pilot)."""
FEWEST_EACH_SIDE = 2
MOST_STARTS = 3
MOST_PLACES = 12
"""Places left out in turn where it is known which move the result most, and at most five times as many
where it is not."""
HALF = 0.5
FEW_PILOT = 2
"""Pilot places up to which they carry the result whatever their shares."""
FORBIDDEN = "later against earlier"
MUCH_FORBIDDEN = 0.10
"""Weight of comparisons with units that already had the pilot, above which they matter (J)."""
LISTED = 10
CANNOT = (DataError, DesignError, EstimationError)


# -- other dates -------------------------------------------------------------------------


def placebo_starts(fit: Fit, panel: Panel, estimate: Estimate, *, at_most: int = MOST_STARTS) -> Check:
    """The pilot's start moved into the time before it, the time of the pilot left out.

    Doubtful if the smallest p-value times the number of dates is under 0.10. Otherwise it holds if every
    range is narrower, to either side, than the result is large; else a change as large could have been
    missed, and it cannot tell. It misses what happened at the start itself and at no other time.

    Where each site was held against its own past none without the pilot is needed, and every date tried has
    half a year after it and leaves two years before.
    """
    rows, refused = [], ""
    alone = estimate.extras.get("compared") is False
    for back in _moves_of_sites(panel, at_most) if alone else _moves(panel, at_most):
        moved = moved_back(panel, back, alone=alone)
        try:
            if moved is not None:
                tried = fit(moved)
                rows.append({"periods_earlier": back, **_brief(tried.headline)})
                refused = refused or str((tried.extras.get("rule") or {}).get("refused") or "")
        except CANNOT:
            continue
    known = [row for row in rows if row["low"] is not None]
    noun = str(estimate.extras.get("noun", "period"))
    if not known:
        text = "There is too little time before the pilot to move its start into."
        if rows:
            why = refused.strip().rstrip(".") or "the method gives none there"
            text = f"Earlier starts were tried, and none has a likely range: {_lower(why)}."
        return _check("placebo_starts", PLACEBO_STARTS, "cannot tell", text, rows)
    answer, p, seen = _judged(known, estimate)
    away = ", ".join(str(row["periods_earlier"]) for row in known)
    dates = f"1 earlier start ({away} {noun}s before) was"
    if len(known) > 1:
        dates = f"{len(known)} earlier starts ({away} {noun}s before) were"
    text = f"With the time of the pilot left out, {dates} tried. "
    text += {
        "doubtful": f"{seen} a change though nothing happened then.",
        "holds": "None shows a change, and one as large as the result would have been seen.",
        "cannot tell": "None shows a change, but one as large as the result could have been missed.",
    }[answer]
    return _check("placebo_starts", PLACEBO_STARTS, answer, text, rows, p_value=p)


def moved_back(panel: Panel, back: int, *, alone: bool = False) -> Panel | None:
    """The panel before any pilot, as if each had started so many periods earlier.

    A unit's rows from its own start on are left out, and all rows from the last start on; so is a unit
    without two periods before its supposed start. None where no pilot unit is left or, unless each stands
    ``alone``, no other.
    """
    frequency, starts = panel.frequency, panel.start_ordinals
    pilot = panel.pilot_units
    if not pilot.any():
        return None
    early = starts - back
    too_early = pilot & (early < panel.ordinals[0] + FEWEST_EACH_SIDE)
    period = panel.ordinals[panel.period_codes]
    of_unit = panel.unit_codes
    keep = ~panel.treated & (period < np.nanmax(starts)) & ~too_early[of_unit]
    if not (keep & pilot[of_unit]).any() or not (alone or (keep & ~pilot[of_unit]).any()):
        return None
    numbered = frequency.kind == "number"
    named: dict[int, Any] = {
        int(s): int(s) if numbered else frequency.first_day(int(s)) for s in np.unique(early[pilot])
    }
    column = [named[int(early[u])] if pilot[u] else None for u in of_unit[keep]]
    table = panel.table.loc[keep].reset_index(drop=True)
    return replace(panel, table=table.assign(**{panel.start: column}), end=None)


def _moves(panel: Panel, at_most: int) -> list[int]:
    """Periods to move the start back by, spread over the time before the latest start."""
    if not panel.starts:
        return []
    room = int(panel.starts[-1] - panel.ordinals[0]) - FEWEST_EACH_SIDE
    if room < FEWEST_EACH_SIDE:
        return []
    spread = np.linspace(FEWEST_EACH_SIDE, room, at_most + 2)[1:-1]
    return sorted({round(float(move)) for move in spread})


def _moves_of_sites(panel: Panel, at_most: int) -> list[int]:
    """Periods to move back by: half a year after each earlier start, two years before the earliest."""
    per_year = panel.frequency.per_year
    if not panel.starts or per_year is None:
        return []
    least, most = round(per_year / 2), int(panel.starts[0] - panel.ordinals[0] - round(2 * per_year))
    if most < max(least, 1):
        return []
    return sorted({round(float(move)) for move in np.linspace(max(least, 1), most, at_most)})


# -- other outcomes ----------------------------------------------------------------------


def placebo_outcomes(rows: Sequence[tuple[str, Estimate]], estimate: Estimate) -> Check | None:
    """Outcomes that the pilot cannot change, by the same method.

    Doubtful if the smallest p-value times their number is under 0.10. Otherwise it holds if in each a
    change of the result's relative size would have been seen; else it cannot tell. It misses whatever
    moves the outcome and not these.
    """
    if not rows:
        return None
    told: list[dict[str, Any]] = []
    known = []
    for label, other in rows:
        row = {"outcome": label, **_brief(_relative(other) or other.headline)}
        told.append(row)
        if row["low"] is not None:
            known.append(row)
    if not known:
        text = "No outcome that the pilot cannot change has a likely range."
        return _check("placebo_outcomes", PLACEBO_OUTCOMES, "cannot tell", text, told)
    relative = _relative(estimate)
    same_scale = relative is not None and all(_relative(other) is not None for _, other in rows)
    answer, p, seen = _judged(known, estimate, against=relative if same_scale else None)
    if answer != "doubtful" and not same_scale:
        answer = "cannot tell"
    number = "1 outcome" if len(known) == 1 else f"{len(known)} outcomes"
    text = f"{number} that the pilot cannot change {'was' if len(known) == 1 else 'were'} analysed alike. "
    text += {
        "doubtful": f"{seen} a change, so something else may have differed too.",
        "holds": "None shows a change, and one of the result’s relative size would have been seen.",
        "cannot tell": "None shows a change, but one of the result’s relative size could have been missed.",
    }[answer]
    return _check("placebo_outcomes", PLACEBO_OUTCOMES, answer, text, told, p_value=p)


def _relative(estimate: Estimate) -> dict[str, Any] | None:
    """The relative effect, where there is one with a range."""
    try:
        row = estimate.effect("relative")
    except KeyError:
        return None
    return row if np.isfinite([row["conf_low"], row["conf_high"]]).all() else None


def _judged(
    rows: Sequence[Mapping[str, Any]], estimate: Estimate, against: Mapping[str, Any] | None = None
) -> tuple[Answer, float | None, str]:
    """Answer, smallest p-value times the number of looks, and how many leave out 0, in words."""
    p = [row["p_value"] for row in rows if row["p_value"] is not None]
    smallest = min(1.0, len(rows) * min(p)) if p else None
    off = sum(row["low"] > 0 or row["high"] < 0 for row in rows)
    seen = "One of them shows" if off <= 1 else f"{off} of them show"
    if smallest is not None and smallest < DOUBT:
        return "doubtful", smallest, seen
    size = abs(float((estimate.headline if against is None else against)["estimate"]))
    widest = max(max(row["high"] - row["estimate"], row["estimate"] - row["low"]) for row in rows)
    return ("holds" if widest < size else "cannot tell"), smallest, seen


# -- other places ------------------------------------------------------------------------


def leave_one_place_out(fit: Fit, panel: Panel, estimate: Estimate, *, at_most: int | None = None) -> Check:
    """The analysis without each place in turn.

    Doubtful if leaving out one place changes the sign, or takes the estimate outside the likely range of
    the whole. Cannot tell where there is no likely range, a lone pilot place, or a place without which there
    is no analysis. Of many places the ``at_most`` with the largest influence are tried (12 unless given); of
    sites that were each held against their own past, those that the result is made of.
    """
    head = estimate.headline
    whole, low, high = (float(head[name]) for name in ("estimate", "conf_low", "conf_high"))
    places = panel.cluster_codes
    names = panel.place_names
    pilot = np.bincount(places, panel.pilot_units.astype(float)) > 0
    rows: list[dict[str, Any]] = []
    refused = 0
    order, known = _order(estimate, names)
    order = [place for place in order if place in _made_of(estimate, panel)]
    limit = at_most or (MOST_PLACES if known else 5 * MOST_PLACES)
    for place in order[:limit]:
        if pilot[place] and pilot.sum() == 1:
            continue  # nothing would be left to compare
        try:
            without = float(fit(panel.where(places[panel.unit_codes] != place)).headline["estimate"])
        except CANNOT:
            refused += 1
            continue
        rows.append(
            {
                "place": names[place],
                "pilot": bool(pilot[place]),
                "estimate": without,
                "change": without - whole,
            }
        )
    rows.sort(key=lambda row: -abs(row["change"]))
    if not rows:
        text = "No place could be left out: too little would remain to compare."
        return _check("leave_one_place_out", LEAVE_ONE_OUT, "cannot tell", text, [])
    most = rows[0]
    outside = [row for row in rows if not low <= row["estimate"] <= high]
    turned = [row for row in rows if row["estimate"] * whole < 0]
    size = f"{100 * abs(most['change'] / whole):.0f}% of it" if whole else f"{abs(most['change']):.3g}"
    tried = f"{len(rows)} tried" if len(order) <= limit else f"the {len(rows)} that bring most"
    text = f"Leaving out one place at a time ({tried}) moves the result by at most {size}."
    answer: Answer = "holds"
    if turned:
        answer = "doubtful"
        text += f" Without {_counted(turned)} it would point the other way."
    elif not np.isfinite([low, high]).all():
        answer, text = "cannot tell", f"{text} There is no likely range to hold that against."
    elif outside:
        answer = "doubtful"
        text += f" Without {_counted(outside)} it would lie outside the likely range."
    elif pilot.sum() == 1:
        answer, text = "cannot tell", f"{text} The one pilot place itself cannot be left out."
    elif refused:
        which = "one place" if refused == 1 else f"any of {refused} places"
        answer, text = "cannot tell", f"{text} Without {which} too little would remain to analyse."
    else:
        text += " It stays within the likely range."
    return _check(
        "leave_one_place_out", LEAVE_ONE_OUT, answer, text, rows[:LISTED], statistic=abs(most["change"])
    )


def _made_of(estimate: Estimate, panel: Panel) -> set[int]:
    """Places that the result is made of: all, or those of the sites that were pooled."""
    pooled = {str(row["site"]) for row in estimate.extras.get("sites") or ()}
    places = panel.cluster_codes
    return {int(places[k]) for k, unit in enumerate(panel.units) if not pooled or str(unit) in pooled}


def _order(estimate: Estimate, names: Sequence[str]) -> tuple[list[int], bool]:
    """Places, the most influential first where that is known, and whether it is."""
    size = {}
    if estimate.influence is not None and len(estimate.sampling_units) == len(estimate.influence):
        size = dict(zip(estimate.sampling_units, np.abs(estimate.influence[:, 0]), strict=True))
    return sorted(range(len(names)), key=lambda k: -float(size.get(names[k], 0.0))), bool(size)


def _counted(rows: Sequence[Any]) -> str:
    return "one place" if len(rows) == 1 else f"any of {len(rows)} places"


def carried_by(estimate: Estimate) -> Check | None:
    """How much of the variance each place brings, from the influence of each.

    Doubtful if one place brings more than half: the result then rests on that place's own luck. The
    number of places that carry it is :math:`1/\\sum s_i^2` for shares :math:`s_i`. Cannot tell where one or
    two places had the pilot: all that the pilot did is theirs, whatever their shares.
    """
    if estimate.influence is None or not len(estimate.sampling_units):
        return None
    squares = np.asarray(estimate.influence, dtype=float)[:, 0] ** 2
    if not np.isfinite(squares).all() or not squares.sum() > 0:
        return None
    share = squares / squares.sum()
    order = np.argsort(-share)
    rows = [{"place": estimate.sampling_units[k], "share": float(share[k])} for k in order[:LISTED]]
    top, number = float(share[order[0]]), 1 / float((share**2).sum())
    text = (
        f"Of what makes the result uncertain one place brings {100 * top:.0f}%; it is spread as if over "
        f"{number:.0f} of {len(share)} places."
    )
    answer: Answer = "doubtful" if top > HALF else "holds"
    pilot = estimate.counts.get("pilot_places")
    if answer == "doubtful":
        text += " So that place’s own luck decides."
    elif pilot is not None and 0 < pilot <= FEW_PILOT:
        answer = "cannot tell"
        text += (
            " The one pilot place carries the whole effect."
            if pilot == 1
            else " The two pilot places carry the whole effect between them."
        )
    return _check("carried_by", CARRIED, answer, text, rows, statistic=top)


# -- what is compared --------------------------------------------------------------------


def comparisons_used(estimate: Estimate) -> Check | None:
    """Weights of the two-way average (Goodman-Bacon 2021).

    Doubtful if comparisons with units that already had the pilot weigh more than a tenth, or if without
    them the average has the other sign. Holds otherwise.
    """
    told = estimate.extras.get("bacon")
    if not isinstance(told, Mapping):
        return None
    rows = [dict(row) for row in told.get("by_kind") or ()]
    if not rows:
        text = str(told.get("why") or "The two-way average could not be taken apart.")
        return _check("comparisons_used", COMPARED, "cannot tell", text, [])
    bad = next((row for row in rows if row["kind"] == FORBIDDEN), None)
    clean = [row for row in rows if row["kind"] != FORBIDDEN]
    weight = 0.0 if bad is None else float(bad["weight"])
    left = sum(row["weight"] for row in clean)
    average = sum(row["weight"] * row["estimate"] for row in rows)
    without = sum(row["weight"] * row["estimate"] for row in clean) / left if left > 0 else float("nan")
    if weight <= 0:
        text = "Pilot units are compared with units that did not have the pilot, and with no others."
        return _check("comparisons_used", COMPARED, "holds", text, rows, statistic=0.0)
    text = f"{100 * weight:.0f}% of the two-way average compares late starters with units that had the pilot."
    turned = bool(average * without < 0)
    if turned:
        text += " Without those it points the other way."
    answer: Answer = "doubtful" if weight > MUCH_FORBIDDEN or turned else "holds"
    return _check("comparisons_used", COMPARED, answer, text, rows, statistic=weight)


def scales(estimate: Estimate) -> Check | None:
    """Parallel paths in ratios beside parallel paths in numbers.

    Both cannot hold where the two groups stand at different levels and time moves them. Doubtful if the
    paths differ (10%) on the scale of the analysis, ratios, or if the effect has another sign on the
    other. Cannot tell where a scale could not be tested. Otherwise it holds, and the text says whether
    the other scale would have done as well.
    """
    told = estimate.extras.get("scales")
    if not isinstance(told, Mapping) or not {"log", "level"} <= set(told):
        return None
    rows = [{"scale": name, **dict(told[name])} for name in ("log", "level")]
    ratios, numbers = rows
    tests = [float("nan") if row.get("p_value") is None else float(row["p_value"]) for row in rows]
    if not np.isfinite(tests).all():
        why = str(next((row["why"] for row in rows if row.get("why")), "The paths could not be tested."))
        return _check("scales", SCALES, "cannot tell", why, rows)
    shown = [f"{100 * p:.0f}" if p >= 0.01 else "fewer than 1" for p in tests]
    text = (
        f"Before the pilot the paths differed by what chance gives in {shown[0]} of 100 comparisons in per "
        f"cent, and in {shown[1]} of 100 in numbers."
    )
    signs = [np.sign(row.get("effect") or 0.0) for row in (ratios, numbers)]
    answer: Answer = "holds"
    if signs[0] * signs[1] < 0:
        answer, text = "doubtful", f"{text} The two give effects of opposite sign."
    elif tests[0] < DOUBT:
        answer = "doubtful"
        text += " The analysis supposes that they move alike in per cent."
    elif tests[1] < DOUBT:
        text += " So it matters that the analysis is in per cent."
    else:
        text += " Either would do."
    return _check("scales", SCALES, answer, text, rows, p_value=tests[0])


# -- parts -------------------------------------------------------------------------------


def _lower(text: str) -> str:
    """A reason as it goes on after a colon."""
    return text[:1].lower() + text[1:]


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    """An effect as estimate, limits and p-value; None where there is none."""
    names = {"estimate": "estimate", "low": "conf_low", "high": "conf_high", "p_value": "p_value"}
    values = {short: float(row[name]) for short, name in names.items()}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def _check(
    name: str,
    question: str,
    answer: Answer,
    text: str,
    table: list[dict[str, Any]],
    *,
    statistic: float | None = None,
    p_value: float | None = None,
) -> Check:
    return Check(
        name=name,
        question=question,
        answer=answer,
        text=text,
        statistic=statistic,
        p_value=p_value,
        table=table,
        counted=False,
    )
