"""A plan for one series, in words: what was taken, the cells, the answer and what to know beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact import words
from ucimpact.data.periods import Frequency
from ucimpact.finding import mid_sentence
from ucimpact.inference.power import FOUR_IN_FIVE
from ucimpact.methods import METHODS
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.plan.planned import FOUND, Curve
from ucimpact.plan.series_judge import COUNTED, Plannable, left_out_of, planned_as
from ucimpact.study import Study

if TYPE_CHECKING:
    from ucimpact.plan.series import Expected, Found, Length

AGREED = 0.05
POOR = 0.5
"""A chance of finding what is worth having under which a plan is called too small in so many words."""

LARGE = 0.25
"""A change that has to be this large to be found calls for the same, where nothing worth having is agreed."""

SMALL_COUNT = 20.0
NO_COMPARISON = (
    "This counts chance only. One series cannot tell the pilot from whatever else changed at that date, and "
    "a start after a bad spell looks like success. More months mend neither; places without the pilot do."
)


def first_enough(
    found: Iterable[Found], worthwhile: float | None, *, before: int | None = None, after: int | None = None
) -> Length | None:
    """The shortest of these lengths that finds the change worth having, with one side as given."""
    enough = [
        one.length
        for one in found
        if worthwhile is not None
        and one.four_in_five is not None
        and one.four_in_five <= worthwhile
        and before in (None, one.length.before)
        and after in (None, one.length.after)
    ]
    return min(enough, key=lambda length: (length.before + length.after, length.before), default=None)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A plan for one series as text."""

    study: Study
    expected: Expected
    method: Plannable
    frequency: Frequency
    own: Length
    before: tuple[int, ...]
    after: tuple[int, ...]
    seen: dict[Length, Found]
    longer: dict[Length, Found]
    worthwhile: float | None
    chance: float | None
    half: float | None
    beside: dict[str, float | None]
    draws: int

    @property
    def noun(self) -> str:
        """ "fall" or "rise"."""
        return "fall" if self.study.primary.better == "lower" else "rise"

    @property
    def mine(self) -> Found:
        """What the declared length could find."""
        return self.seen[self.own]

    def periods(self, n: int) -> str:
        """ "12 months"."""
        return f"{n} {self.frequency.noun}{'' if n == 1 else 's'}"

    def _at(self, before: int, after: int) -> Found:
        return next(
            found for length, found in self.seen.items() if (length.before, length.after) == (before, after)
        )

    # -- the table -----------------------------------------------------------------------

    def head(self) -> tuple[str, ...]:
        """Headings."""
        return (
            f"{words.capital(self.frequency.noun)}s before",
            *(f"{self.periods(a)} after" for a in self.after),
        )

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Cells."""
        return tuple((str(b), *(self._cell(self._at(b, a)) for a in self.after)) for b in self.before)

    def _cell(self, found: Found) -> str:
        if found.refused:
            return "too short"
        if found.four_in_five is None:
            return "none"
        mark = "" if self.worthwhile is None else " *" if found.four_in_five <= self.worthwhile else "  "
        return f"{words.plainly(100 * found.four_in_five)}%{mark}"

    def key(self) -> str:
        """What the mark in the table means."""
        if self.worthwhile is None:
            return ""
        change = f"the {self.noun} of {words.plainly(100 * self.worthwhile)}% worth having"
        if first_enough(self.seen.values(), self.worthwhile):
            return f"* finds {change}"
        return f"No length in the table finds {change}."

    # -- what was taken ------------------------------------------------------------------

    def taken(self) -> tuple[str, ...]:
        """What the plan stands on."""
        lines = [self._level(), *self._varying(), self._drawing()]
        name, planned = self.study.method.name, planned_as(self.study)
        if name != planned:
            lines.append(f'Planned as "{planned}"; the study’s own method is "{name}".')
        if issubclass(METHODS[name], SeriesChoices) and (dropped := left_out_of(self.study, planned)):
            lines.append(f"Left out of the plan: {words.joint(dropped)}.")
        law = self.expected.law
        if law.counted and law.base < SMALL_COUNT and planned != COUNTED:
            lines.append(
                f"{words.plainly(law.base)} a {self.frequency.noun} are few for a line with even errors: how "
                f"often its range errs is told below."
            )
        return tuple(lines)

    def _amount(self, value: float) -> str:
        pound = "£" if self.study.primary.kind == "cost" else ""
        return f"{pound}{words.number(value) if value >= 100 else words.plainly(value)}"

    def _level(self) -> str:
        law, past = self.expected.law, self.expected.past
        label, noun = mid_sentence(self.study.primary.label), self.frequency.noun
        if self.expected.sources["base"] == "declared" or past is None:
            each = f"a {noun}" if self.study.primary.kind in ("count", "cost") else "on average"
            return f"Expected without {self.study.subject}: {self._amount(law.base)} {label} {each}."
        span = f"{self.frequency.label(past.first)} to {self.frequency.label(past.last)}"
        return (
            f"From the {self.periods(past.periods)} {span}, before the pilot: {label} of "
            f"{self._amount(law.base)} a {noun} on average."
        )

    def _varying(self) -> list[str]:
        law, sources, past = self.expected.law, self.expected.sources, self.expected.past
        noun, learnt = self.frequency.noun, past.learnt if past else None
        whence = {"declared": "as declared", "file": "learnt from the file"}
        taken = "taken, because nothing was declared" if past is None else "taken: the file cannot tell"
        beyond = " beyond counting" if law.counted else ""
        lines = [
            f"{words.capital(noun)}s stray by {words.plainly(100 * law.sd)}%{beyond} (standard deviation; "
            f"{whence.get(sources['month_sd'], taken)}), one {noun} like the next by a correlation of "
            f"{law.rho:.2g} ({whence.get(sources['autocorrelation'], taken)})."
        ]
        if law.dispersion > 1:
            lines.append(f"Variance of counting over its mean: {words.plainly(law.dispersion)}.")
        if learnt is not None and sources["autocorrelation"] == "file":
            lines.append(
                f"{self.periods(learnt.periods)} are few to learn that correlation from: it may be anything "
                f"from {learnt.rho_low:.1f} to {learnt.rho_high:.1f}."
            )
        if learnt is not None and sources["month_sd"] == "file":
            lines.append(
                f"{words.capital(noun)}s may stray by up to {words.plainly(100 * learnt.sd_high)}%: so "
                f"short a file cannot rule that out."
            )
        return lines

    def _drawing(self) -> str:
        growing = (
            "with a lasting change of level from the start"
            if not self.method.phase_in
            else f"with a lasting change of level that is whole after {self.periods(self.method.phase_in)}"
        )
        return (
            f"Each figure comes from {words.number(self.draws)} series drawn with these numbers, {growing}, "
            f"each judged as the report will judge."
        )

    # -- the answer ----------------------------------------------------------------------

    def answer(self) -> str:
        """What the study as declared could find, and the way out."""
        length = f"{self.periods(self.own.before)} before and {self.periods(self.own.after)} after"
        half = self.half
        missed = (
            f"even a {self.noun} of nearly all would be missed more often than not."
            if half is None
            else f"a {self.noun} smaller than about {words.per_cent(100 * half)} would be missed more often "
            f"than not."
        )
        told = [
            f"With {length}, {missed}",
            words.found_four_in_five(_hundred(self.mine.four_in_five), self.noun),
        ]
        if self.worthwhile is None or self.chance is None:
            told.append(f"{words.NO_WORTHWHILE} Agree it now, as worthwhile = -0.05 in [[outcome]].")
        else:
            told.append(words.within_reach(100 * self.worthwhile, self.chance, self.noun))
        if self._is_poor():
            told.append(
                "So this is too little to go by. An evaluation of this length would most likely miss a "
                "change worth having, and finding nothing would not show that nothing happened."
            )
        if self.chance is not None and self.chance < FOUR_IN_FIVE:
            told.append(self._way_out())
        return " ".join(told)

    def _is_poor(self) -> bool:
        if self.chance is not None:
            return self.chance < POOR
        return self.mine.four_in_five is None or self.mine.four_in_five > LARGE

    def _way_out(self) -> str:
        every = [*self.seen.values(), *self.longer.values()]
        more_after = first_enough(every, self.worthwhile, before=self.own.before)
        more_before = first_enough(every, self.worthwhile, after=self.own.after)
        both = first_enough(every, self.worthwhile)
        noun = self.frequency.noun
        ways = []
        if more_after and more_after.after > self.own.after:
            ways.append(f"{more_after.after - self.own.after} more {noun}s after the start")
        if more_before and more_before.before > self.own.before:
            ways.append(f"{more_before.before - self.own.before} more {noun}s before it")
        if ways:
            return f"It is within reach with {words.joint(ways, 'or')}."
        if both:
            return (
                f"It is within reach only with more on both sides: {self.periods(both.before)} before and "
                f"{self.periods(both.after)} after."
            )
        longest = max(one.length.before for one in every), max(one.length.after for one in every)
        return (
            f"No length will do, up to {self.periods(longest[0])} before and {self.periods(longest[1])} "
            f"after. A larger area could, or places without the pilot beside it."
        )

    # -- beside it -----------------------------------------------------------------------

    def notes(self) -> tuple[str, ...]:
        """What to know beside it."""
        rate = self.mine.false_positives or 0.0
        told = [words.either_way(_hundred(self.mine.half_width)), words.false_alarms(rate)]
        if rate > AGREED + 3 * (AGREED * (1 - AGREED) / self.draws) ** 0.5:
            told.append("That is more than agreed: take the ranges for too narrow here.")
        lines = [" ".join(told)]
        step = self.beside["step"]
        if self.method.shape == "level-slope" and step is not None:
            lines.append(
                f'Were the change known to be a step that stays (shape = "level", to be fixed before '
                f"looking), a {self.noun} of {words.per_cent(100 * step)} would be found four times in five."
            )
        if "counted" in self.beside:
            counted = self.beside["counted"]
            size = (
                "no " + self.noun if counted is None else f"a {self.noun} of {words.per_cent(100 * counted)}"
            )
            lines.append(
                f'Analysed as counts (name = "{COUNTED}"), {size} would be found four times in five.'
            )
        strong, rho = self.beside["strong"], self.expected.law.rho
        if rho < 0.7:
            size = "no " + self.noun if strong is None else f"a {self.noun} of {words.per_cent(100 * strong)}"
            lines.append(
                f"Should one {self.frequency.noun} carry over more to the next (a correlation of 0.7), "
                f"{size} would be found four times in five."
            )
        errors = [found.error for found in self.seen.values() if found.error is not None]
        if errors:
            lines.append(
                f"With {words.number(self.draws)} draws sizes are right to about "
                f"{words.plainly(200 * max(errors))} points, and chances to about "
                f"{words.number(200 * (0.25 / self.draws) ** 0.5)} in 100."
            )
        if self.method.trend != "none" and self.method.shape == "level-slope":
            lines.append(
                f"More {self.frequency.noun}s after the start help less and less. The line before has to be "
                f"carried further, so an average over three years leans on it more than one over a year."
            )
        return (*lines, FOUND, NO_COMPARISON)

    def curves(self) -> tuple[Curve, ...]:
        """The table as lines over periods after the start, and over those before it."""
        period = self.frequency.noun
        worthwhile = _hundred(self.worthwhile)
        table = [[_hundred(self._at(b, a).four_in_five) for a in self.after] for b in self.before]
        over_after = Curve(
            ident="after",
            title=f"The smallest {self.noun} found, by {period}s after the start",
            axis=f"{words.capital(period)}s after the start",
            at=self.after,
            lines=tuple(
                (f"{self.periods(b)} before", tuple(row)) for b, row in zip(self.before, table, strict=True)
            ),
            own=self.before.index(self.own.before),
            worthwhile=worthwhile,
            noun=self.noun,
        )
        over_before = Curve(
            ident="before",
            title=f"The smallest {self.noun} found, by {period}s before the start",
            axis=f"{words.capital(period)}s before the start",
            at=self.before,
            lines=tuple(
                (f"{self.periods(a)} after", tuple(row[k] for row in table)) for k, a in enumerate(self.after)
            ),
            own=self.after.index(self.own.after),
            worthwhile=worthwhile,
            noun=self.noun,
        )
        return over_after, over_before


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share
