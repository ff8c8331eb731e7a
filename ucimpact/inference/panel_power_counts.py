r"""Draws of places whose effect is a ratio of counts: :mod:`ucimpact.inference.panel_power`, for counts.

With one start and people who do not change over time the ratio of
:mod:`ucimpact.inference.count_effects` needs two totals a place, :math:`y_{ib}` before and
:math:`y_{ia}` after:

.. math:: b = \log\frac{Y_{1a}}{Y_{1b}} - \log\frac{Y_{0a}}{Y_{0b}} ,

and with :math:`s_i` the part of a place in its group's events (those before, in the pilot), a place adds

.. math:: \psi_i = \pm\Bigl(\frac{y_{ia}}{Y_{ga}} - \frac{y_{ib}}{Y_{gb}}\Bigr), \qquad h_i = s_i, \qquad
          V_i = \kappa s_i\Bigl(\frac1{Y_{ga}} + \frac1{Y_{gb}}\Bigr),

with :math:`\kappa` of :mod:`ucimpact.inference.count_rule`, from which
:mod:`ucimpact.inference.count_places` gives every draw its range. Counts are those of a place
with its mean number of people throughout.

A plan that is longer than the file takes the counts of the longest stretch times as many periods, and
moves those after towards (or away from) what all places did together until they vary as
:mod:`ucimpact.inference.panel_past` says they should.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.inference.count_effects import Counts, Expected
from ucimpact.inference.count_places import FEWEST_EVENTS, Contributions
from ucimpact.inference.count_rule import Rule, places_before
from ucimpact.inference.few_clusters import ENOUGH, FEWEST_OWN_SPREAD, Auto, flag_of
from ucimpact.inference.linear import sum_by
from ucimpact.inference.panel_draws import LEVEL, Size
from ucimpact.inference.panel_past import Histories, fitting, narrowing

Array = np.ndarray
AT_ONCE = 2_000
"""Draws that are worked out together."""
LEAST = 1e-300
"""In place of no events at all."""


@dataclass(frozen=True, eq=False)
class Totals:
    """Counts of every stretch of the past that a plan could have been, by place.

    Attributes
    ----------
    narrowed : float
        See :class:`~ucimpact.inference.panel_past.Stretches`.
    before, after : array (n_stretches, n_places)
        Over as many periods as the plan has.
    months : array (n_stretches, n_places, n_periods)
        Period by period, as in the file.
    shown : int
        Periods of ``months`` before the start.
    """

    narrowed: float
    before: Array
    after: Array
    months: Array
    shown: int


def totals(past: Histories, before: int, after: int, *, widen: bool = True) -> Totals:
    """The totals of a past; ``widen`` makes up for drawing places with replacement."""
    assert past.events is not None
    b, a = fitting(past.periods, before, after)
    narrowed = 1.0 if b + a == before + after else narrowing(past, (before, after), (b, a))
    factor = narrowed * (np.sqrt(past.number / (past.number - 1)) if widen else 1.0)
    counts = past.outcome * past.weights[:, None]
    counts = sum_by(counts.T * (past.events.sum() / counts.sum()), past.places).T
    first = range(past.periods - b - a + 1)
    months = np.array([counts[:, s : s + b + a] for s in first])
    earlier, later = months[..., :b].sum(axis=2) * before / b, months[..., b:].sum(axis=2) * after / a
    together = earlier * (later.sum(axis=1) / np.maximum(earlier.sum(axis=1), LEAST))[:, None]
    later = np.maximum(together + factor * (later - together), 0.0)
    return Totals(narrowed, earlier, later, months, b)


@dataclass(frozen=True, eq=False)
class CountDraws:
    """Places and stretches drawn for one plan; see :class:`~ucimpact.inference.panel_draws.Draws`."""

    past: Histories
    size: Size
    parts: Totals
    start: Array
    seats: Array
    lasting: Array
    cov: Auto | str
    seed: int

    @property
    def number(self) -> int:
        """Draws."""
        return len(self.start)

    @property
    def narrowed(self) -> float:
        """Whether the plan is longer than the file: then not 1."""
        return self.parts.narrowed

    @cached_property
    def earlier(self) -> Array:
        """Events of each place before the start, shape (n_draws, n_places)."""
        return np.asarray(self.parts.before[self.start[:, None], self.seats])

    @cached_property
    def events(self) -> Array:
        """Events of each place after the start, without an effect, shape (n_draws, n_places)."""
        seen = self.parts.after[self.start[:, None], self.seats] * np.exp(self.lasting)
        return np.asarray(np.rint(seen))

    @cached_property
    def _allowed(self) -> tuple[Array, Array, Array]:
        """Relative variances of places, like ``seats``; draws that go by their own spread; counting noise."""
        few = min(self.size.pilot, self.size.comparison)
        spread, own = np.ones(self.seats.shape), np.full(self.number, few >= ENOUGH)
        noise = np.ones(self.number)
        for k in range(self.number):
            places, noise[k] = places_before(
                _expected(self.parts.months[self.start[k], self.seats[k]], self.parts.shown, self.size.mask),
                "places",
            )
            if few < ENOUGH:
                flag = flag_of(places, by_size=False)
                spread[k] = flag.spread(places)
                own[k] = flag.raised and few >= FEWEST_OWN_SPREAD
        return spread, own, noise

    @property
    def procedures(self) -> dict[str, float]:
        """Part of the draws that the rule gives to each procedure."""
        own = float(self._allowed[1].mean())
        return {name: part for name, part in (("own-spread", own), ("random-effects", 1 - own)) if part}

    def ranges(self, planted: Sequence[Array | None] = (None,)) -> tuple[Array, Array]:
        """Lower and upper end of the log ratio of each draw, shape (n_effects, n_draws); ``nan`` for none.

        ``planted`` holds arrays (n_draws, n_pilot): the change of each pilot place as a share of its events.
        """
        ends = np.full((2, len(planted), self.number), np.nan)
        spread, own, noise = self._allowed
        n1 = self.size.pilot
        few = min(n1, self.size.comparison)
        fewest = ENOUGH if few >= ENOUGH else FEWEST_OWN_SPREAD
        kind = "auto" if isinstance(self.cov, Auto) else "cr1"
        for e, share in enumerate(planted):
            after = self.events
            if share is not None:
                after = np.concatenate([after[:, :n1] * (1 + share), after[:, n1:]], axis=1)
            least = np.minimum(after[:, :n1].sum(axis=1), self.earlier[:, :n1].sum(axis=1))
            told = (
                (least >= FEWEST_EVENTS)
                & (after[:, n1:].sum(axis=1) > 0)
                & (self.earlier[:, n1:].sum(axis=1) > 0)
            )
            for mine in (False, True):
                rows = np.flatnonzero(told & (own == mine))
                for first in range(0, len(rows), AT_ONCE):
                    which = rows[first : first + AT_ONCE]
                    parts = contributions(self.earlier[which], after[which], self.size.mask, noise[which])
                    rule = Rule(kind, spread[which], mine, fewest, 1.0, "", {}, (), None)
                    half = rule.uncertainty(parts, whole=True)[0].half(LEVEL)
                    ends[:, e, which] = parts.estimate - half, parts.estimate + half
        return ends[0], ends[1]


def _expected(months: Array, before: int, pilot: Array) -> Expected:
    """What was expected of each place (n_places, n_periods) in each period, from the totals.

    Only what the noise of counting is read from is filled in.
    """
    after = np.arange(months.shape[1]) >= before
    together = np.where(after, months[~pilot].sum(axis=0), months.sum(axis=0))
    sums = [max(float(together[side].sum()), LEAST) for side in (~after, after)]
    course = together / np.where(after, sums[1], sums[0])
    own = months[:, ~after].sum(axis=1)
    others = months[~pilot]
    shares = np.array([others[:, side].sum() for side in (~after, after)]) / max(others.sum(), LEAST)
    level = np.where(pilot[:, None], own[:, None], months.sum(axis=1)[:, None] * shares[after.astype(int)])
    mean = level * course
    ones = np.ones_like(months)
    counts = Counts(months, ones, ones, (~pilot).astype(int), np.arange(len(months)), ~pilot)
    free = ~(pilot[:, None] & after)
    return Expected(
        counts=counts,
        free=free,
        value=mean,
        mean=mean,
        lift=ones,
        below=ones[:, 0],
        structure=ones,
        tilt=ones,
        shaping=~pilot,
        bread=np.zeros((0, 0)),
        residual=ones,
        moved=ones,
    )


def contributions(before: Array, after: Array, pilot: Array, noise: Array) -> Contributions:
    """Draws (n_draws, n_places) as the effects of one set of contributions.

    ``noise`` (n_draws,) multiplies the variance of counting.
    """
    groups = (pilot, ~pilot)
    b_all, a_all = (
        np.where(pilot, *(values[:, group].sum(axis=1, keepdims=True) for group in groups))
        for values in (before, after)
    )
    both = before + after
    others = both[:, ~pilot].sum(axis=1, keepdims=True)
    part = np.where(pilot, before / b_all, both / others)
    sign = np.where(pilot, 1.0, -1.0)
    estimate = np.log(a_all[:, pilot][:, 0] / b_all[:, pilot][:, 0]) - np.log(
        a_all[:, ~pilot][:, 0] / b_all[:, ~pilot][:, 0]
    )
    rest = both[:, ~pilot]
    heard = rest > 0
    mean_b, mean_a = (np.where(heard, rest * (t[:, ~pilot] / others), 1.0) for t in (b_all, a_all))
    number = len(before)
    return Contributions(
        estimate=estimate,
        added=sign * (after / a_all - before / b_all),
        size=part,
        noise=noise[:, None] * part * (1 / a_all + 1 / b_all),
        own=np.broadcast_to(pilot, before.shape),
        pilot=pilot,
        row=np.arange(number),
        share=np.ones(number),
        drift=after[:, ~pilot] / mean_a - before[:, ~pilot] / mean_b,
        drift_noise=noise[:, None] * np.where(heard, 1 / mean_a + 1 / mean_b, np.inf),
    )


def draw_counts(
    past: Histories,
    size: Size,
    cov: Auto | str,
    *,
    draws: int,
    seed: int,
    drift: float = 0.0,
    widen: bool = True,
) -> CountDraws:
    """Draw places and stretches for a plan of counts; ``drift`` is on the log scale.

    Parameters are those of :func:`~ucimpact.inference.panel_draws.draw`; any ``cov`` but ``Auto`` is CR1.
    """
    rng = np.random.default_rng([seed, size.pilot, size.comparison, size.before, size.after])
    parts = totals(past, size.before, size.after, widen=widen)
    start = rng.integers(len(parts.before), size=draws)
    seats = rng.integers(past.number, size=(draws, size.pilot + size.comparison))
    lasting = drift * rng.standard_normal(seats.shape)
    return CountDraws(past, size, parts, start, seats, lasting, cov, seed)
