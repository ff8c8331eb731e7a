"""The sizes of a study that a plan looks at, and what each could find."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ucimpact import words
from ucimpact.errors import DesignError
from ucimpact.inference.few_clusters import FEWEST_COMPARISON
from ucimpact.inference.panel_draws import Size
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.plan.past import Past
from ucimpact.study import Study

PILOTS = (1, 2, 3, 6, 10, 15, 25, 40)
"""Pilot places of the table, as far as there are places to compare with."""
MOST_ROWS = 6
YEARS = (0.5, 1.0, 1.5, 2.0)
"""After the start, of the table."""
YEARS_BEFORE = (0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one size of a study could find; shares of what is expected, None where there is none.

    Attributes
    ----------
    size : Size
    four_in_five, half : float or None
        The smallest change found with these chances.
    error : float or None
        Monte Carlo standard error of ``four_in_five``.
    worthwhile, chance : float or None
        The smallest change worth having, and the chance that it is found.
    false_positives : float
    half_width : float or None
        Half of the likely range, in the middle of the draws.
    narrowed : float
        See :class:`~ucimpact.inference.panel_past.Stretches`.
    """

    size: Size
    four_in_five: float | None
    half: float | None
    error: float | None
    worthwhile: float | None
    chance: float | None
    false_positives: float
    half_width: float | None
    narrowed: float

    @property
    def is_enough(self) -> bool:
        """Whether the smallest change worth having is found four times in five."""
        return self.chance is not None and self.chance >= FOUR_IN_FIVE


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes that are looked at: a table of pilot places by periods after, and other periods before.

    ``declared`` says whether ``own`` is what the study declares, or an example.
    """

    own: Size
    declared: bool
    places: int
    pilots: tuple[int, ...]
    after: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, study: Study, past: Past) -> Sizes:
        number, plan = past.histories.number, study.plan
        room = number - FEWEST_COMPARISON
        if room < 1:
            raise DesignError(
                f"{words.few_comparison(max(number - 1, 0), past.noun)} The file has {past.places} in all: "
                f"add the figures of {words.plural_of(past.noun)} that will not have {study.subject}"
            )
        pilot = (plan.pilot_places if plan else None) or past.pilot
        others = (plan.comparison_places if plan else None) or (number - pilot if pilot else None)
        if others is not None and others < FEWEST_COMPARISON:
            raise DesignError(
                f"{words.few_comparison(others, past.noun)} Start in fewer of the {past.places}, or add the "
                f"figures of {words.plural_of(past.noun)} that will not have {study.subject}"
            )
        after = (plan.months_after if plan else None) or past.after or past.year
        before = (plan.months_before if plan else None) or past.before or past.year
        example = max(n for n in (1, 2, 3) if n <= room)
        own = Size(pilot=pilot or example, comparison=others or number - example, before=before, after=after)
        table = [n for n in PILOTS if n <= min(room, max(number // 2, own.pilot))][:MOST_ROWS]
        pilots = tuple(sorted({*table, own.pilot}))
        spans = {max(1, round(years * past.year)) for years in YEARS}
        if after not in spans:  # in place of its neighbour, or the table grows too wide to print
            spans -= {min(sorted(spans - {past.year}), key=lambda span: abs(span - after))}
        fits = before + after <= past.histories.periods
        most = past.histories.periods - (after if fits else 0)
        earlier = {b for years in YEARS_BEFORE if (b := max(1, round(years * past.year))) <= most}
        return cls(
            own=own,
            declared=pilot is not None,
            places=number,
            pilots=pilots,
            after=tuple(sorted({*spans, own.after})),
            before=tuple(sorted({*earlier, own.before})),
        )

    def others(self, pilot: int) -> int:
        """Comparison places beside so many pilot places."""
        return self.own.comparison if pilot == self.own.pilot else self.places - pilot

    def at(self, pilot: int, after: int) -> Size:
        """A size of the table."""
        return replace(self.own, pilot=pilot, comparison=self.others(pilot), after=after)

    @property
    def all(self) -> list[Size]:
        """Each once, the table first."""
        table = [self.at(n1, m) for n1 in self.pilots for m in self.after]
        return list(dict.fromkeys([*table, *(replace(self.own, before=b) for b in self.before)]))
