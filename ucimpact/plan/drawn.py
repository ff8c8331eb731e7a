"""A plan for places drawn from their own past: a table over months and pilot places.

The statistics are those of :mod:`ucimpact.inference.panel_power`; here a study becomes the sizes to look
at, and what is found becomes a table, sentences and the rows of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.inference.panel_draws import Size, draw
from ucimpact.inference.panel_power import Lots, Power
from ucimpact.inference.panel_power_counts import draw_counts
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.plan import telling
from ucimpact.plan.past import Past
from ucimpact.plan.planned import Planned, caption_of
from ucimpact.plan.sizes import Found, Sizes
from ucimpact.study import Outcome, Study

DRAWS = 2_000
HALF = 0.5

Progress = Callable[[str, int, int], None]


def quiet(*_: object) -> None:
    """Tell nobody."""


def drawn(study: Study, past: Past, *, draws: int = DRAWS, progress: Progress = quiet) -> Planned:
    """The plan of a study of places whose file is there.

    Raises
    ------
    DesignError
        For fewer comparison places than any range needs.
    """
    sizes = Sizes.of(study, past)
    asked = sizes.all
    seen: dict[Size, Found] = {}
    for done, size in enumerate(asked):
        progress("Drawing", done, len(asked))
        seen[size] = _found(study, past, size, draws)
    sign = _sign(study.primary)
    noun = "fall" if sign < 0 else "rise"
    own = seen[sizes.own]
    drifting = None
    if own.narrowed != 1 and telling.drift_of(study) == 0:
        drifting = _found(study, past, sizes.own, draws, drift=telling.DRIFT).four_in_five
    return Planned(
        title=f"{study.title}: what an evaluation could find",
        taken=telling.taken(study, past, sizes, own, draws),
        caption=caption_of(study.primary, noun),
        head=(
            f"Pilot {words.plural_of(past.noun)}",
            f"Other {words.plural_of(past.noun)}",
            *(f"{telling.periods_of(past, m)} after" for m in sizes.after),
        ),
        rows=tuple(
            (str(n1), str(sizes.others(n1)), *(telling.cell(seen[sizes.at(n1, m)]) for m in sizes.after))
            for n1 in sizes.pilots
        ),
        key=telling.key(seen, sizes, noun),
        answer=telling.answer(past, sizes, seen, noun),
        notes=telling.notes(past, sizes, seen, noun, draws, drifting),
        records=tuple(_record(found, sizes) for found in seen.values()),
        curves=telling.curves(study, past, sizes, seen, noun),
    )


def _sign(outcome: Outcome) -> int:
    return -1 if outcome.better == "lower" else 1


def worthwhile_share(study: Study, past: Past, size: Size) -> float | None:
    """The smallest change worth having, as a share of what is expected."""
    outcome = study.primary
    agreed = outcome.worthwhile
    if agreed is None:
        return None
    change = abs(agreed.change)
    if agreed.form == "relative":
        return change
    if agreed.form == "absolute":
        if outcome.kind != "count":
            return change / past.per_unit
        return change / (past.per_unit * size.pilot * past.units / past.histories.number * size.after)
    assert past.rate is not None and agreed.base is not None
    return change / (past.level / past.rate.per * agreed.base * size.after)


def _found(study: Study, past: Past, size: Size, draws: int, drift: float | None = None) -> Found:
    if drift is None:
        drift = telling.drift_of(study) if size.before + size.after > past.histories.periods else 0.0
    seed = study.release.seed
    lots: Lots
    if past.form == "ratio":
        lots = draw_counts(past.histories, size, past.cov, draws=draws, seed=seed, drift=drift)
    else:
        scale = 1.0 if past.form == "log" else past.level
        lots = draw(past.histories, size, past.cov, draws=draws, seed=seed, drift=drift * scale)
    power = Power(lots, _sign(study.primary), past.form)
    worthwhile = worthwhile_share(study, past, size)
    return Found(
        size=size,
        four_in_five=_known(power.smallest(FOUR_IN_FIVE)),
        half=_known(power.smallest(HALF)),
        error=_known(power.error(FOUR_IN_FIVE)),
        worthwhile=worthwhile,
        chance=None if worthwhile is None else power.chance(worthwhile),
        false_positives=power.false_positives,
        half_width=_known(power.half_width),
        narrowed=lots.narrowed,
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _record(found: Found, sizes: Sizes) -> dict[str, Any]:
    """A row of the file."""
    size = found.size
    return {
        "pilot_places": size.pilot,
        "comparison_places": size.comparison,
        "periods_before": size.before,
        "periods_after": size.after,
        "declared": "yes" if sizes.declared and size == sizes.own else "",
        "smallest_found_four_in_five_percent": _percent(found.four_in_five),
        "monte_carlo_error_percent": _percent(found.error),
        "smallest_found_half_the_time_percent": _percent(found.half),
        "worthwhile_percent": _percent(found.worthwhile),
        "chance_worthwhile_is_found": _rounded(found.chance),
        "false_positives": _rounded(found.false_positives),
        "half_of_likely_range_percent": _percent(found.half_width),
        "longer_than_the_file": "yes" if found.narrowed != 1 else "",
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _rounded(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 4)
