"""The meter of regression to the mean as an estimate carries it: what picking alone would give."""

from __future__ import annotations

from typing import Any

from ucimpact.errors import EstimationError
from ucimpact.inference import regression_to_mean
from ucimpact.inference.regression_to_mean import Selection
from ucimpact.methods.before_after_rows import People

READINGS = (
    "model", "from", "expected_after", "low", "high", "fall", "fall_low", "fall_high", "share", "share_low",
    "share_high", "uncapped", "less_than_selection", "any_spread", "dispersion", "why", "why_no_share",
)  # fmt: skip
"""What a meter holds, whatever it came from; None where that could not be worked out.

``expected_after`` and ``fall`` are per person over the horizon; ``share`` lies between 0 and 1, ``uncapped``
beside it may pass 1, which ``less_than_selection`` says in a word: the fall that was seen is smaller than
picking alone would give. ``any_spread`` is the fall (``fall, low, high``) for any spread of rates.
``dispersion`` is the variance over the mean of the counts after. ``why`` says why there is no meter,
``why_no_share`` why there is one and no share.
"""


def unread(error: EstimationError) -> dict[str, Any]:
    """A meter that could not be worked out, and why."""
    why = str(error)
    return {**dict.fromkeys(READINGS), "why": f"{why[:1].upper()}{why[1:]}."}


def from_comparison(people: People, others: People, level: float) -> dict[str, Any]:
    """What comparison people at the same count before went on to have."""
    target = float(people.before.mean())
    selection = regression_to_mean.from_comparison(
        others.before, others.after, others.length, target, level=level
    )
    model = f"what {others.n:,} people without the service went on to have, at the same count before"
    return _read(people, selection, "comparison people", model, level)


def from_model(people: People, at_least: int, level: float, *, at_event: bool = False) -> dict[str, Any]:
    """What the gamma-Poisson gives from the pilot people's own counts.

    The event at which people were picked is there by the picking: it is taken off every count and off the
    mark, and comes on top of the fall.
    """
    own = int(at_event)
    if own and (without := int((people.before < 1).sum())):
        raise EstimationError(
            f"{without} of {people.n} people have no event before, so they were not picked at one"
        )
    mark = max(at_least - own, 0)
    counts = people.before - own
    if own and not mark:
        selection = regression_to_mean.at_their_rate(counts, level=level)
    else:
        selection = regression_to_mean.gamma_poisson(counts, mark, level=level)
    reading = _read(people, selection, "gamma-Poisson", _model(selection, at_least, at_event), level, own=own)
    if mark:
        names = ("fall", "low", "high")
        free = (selection.free_fall, selection.free_low, selection.free_high)
        told = zip(names, free, strict=True)
        reading["any_spread"] = {name: people.scale * (value + own) for name, value in told}
    if not selection.fits:
        reading["misfit"] = (
            "The share that picking explains takes people’s rates to follow a gamma curve, and their counts "
            "before do not look like it. Look at the fall for any spread of rates beside it."
        )
    return reading


def _model(selection: Selection, at_least: int, at_event: bool) -> str:
    picked = f"people with {at_least} or more before" if at_least else "people whatever their count before"
    if at_event:
        picked += ", picked at one of those events"
    rates = {
        "alike": "all alike, as these counts look",
        "unlike": "as unlike as can be, as these counts look",
        "": f"spread between people as a gamma (shape {selection.shape:.2g})",
    }[selection.edge]
    return f"{picked}; steady rates, {rates}"


def _read(
    people: People,
    selection: Selection,
    origin: str,
    model: str,
    level: float,
    *,
    own: int = 0,
) -> dict[str, Any]:
    """The meter per person over the horizon; ``own`` events each are there by the picking."""
    scale = people.scale
    fall, low, high = (scale * (value + own) for value in selection.fall)
    reading = {
        **dict.fromkeys(READINGS),
        "model": model,
        "from": origin,
        "expected_after": scale * selection.expected,
        "low": max(scale * selection.low, 0.0) if people.is_counted else scale * selection.low,
        "high": scale * selection.high,
        "fall": fall,
        "fall_low": low,
        "fall_high": high,
        "dispersion": people.dispersion,
    }
    seen = people.fall(level)
    if people.is_rare:
        return {**reading, "why_no_share": "There are too few events to say how large the fall was."}
    if not seen[0] > 0:
        return {**reading, "why_no_share": "There was no fall to explain."}
    if not seen[1] > 0:
        return {
            **reading,
            "why_no_share": "The fall may be no more than chance, so there is no saying what share.",
        }
    share = regression_to_mean.explained((fall, low, high), seen)
    return reading | {
        "share": _capped(share.value),
        "share_low": _capped(share.low),
        "share_high": _capped(share.high),
        "uncapped": share.value,
        "less_than_selection": share.value > 1,
    }


def _capped(share: float) -> float:
    return min(max(share, 0.0), 1.0)
