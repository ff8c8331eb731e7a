"""Places and stretches of their past drawn for one plan, and the range that the rule gives each draw.

What is drawn, and why a draw needs one number a place, stands in :mod:`ucimpact.inference.panel_power`. A
draw is judged as :func:`ucimpact.inference.few_clusters.choose` would judge it; draws that go by one
procedure are worked out together, as the effects of one set of contrasts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import Design, Kind
from ucimpact.inference.few_clusters import (
    ALIKE,
    ENOUGH,
    ENOUGH_REASSIGNMENTS,
    FEWEST_OWN_SPREAD,
    WEAK_BELOW,
    Auto,
    Places,
    flag_of,
    sizes_alike,
)
from ucimpact.inference.linear import sum_by
from ucimpact.inference.panel_own_spread import OwnSpread, Planes
from ucimpact.inference.panel_past import Histories, Stretches, stretches
from ucimpact.inference.randomisation import Permutation, number_of_choices
from ucimpact.inference.two_groups import ALL_ALIKE, PooledT, Procedure, Robust, SizeModelT, Wider, by_t

Array = np.ndarray
LEVEL = 0.95
PERMUTATIONS = 999
"""Reassignments in a draw; the evaluation itself takes more."""
AT_ONCE = 4_000_000
"""Cells of histories looked at together."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A plan: places with and without the pilot, periods before and after its start."""

    pilot: int
    comparison: int
    before: int
    after: int

    @property
    def mask(self) -> Array:
        """Which seats have the pilot, shape (n_places,)."""
        return np.arange(self.pilot + self.comparison) < self.pilot


# -- draws -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Draws:
    """Places and stretches drawn for one plan, and how the rule would treat each draw.

    Attributes
    ----------
    past, size, parts
        Histories, plan, and the stretches of that length.
    start : array (n_draws,)
        Which stretch.
    seats : array (n_draws, n_places)
        Which places, the pilot first.
    lasting : array (n_draws, n_places)
        Change that is added to each seat for good.
    cov : Auto or str
        The rule, or the name of a robust variance.
    seed : int
    """

    past: Histories
    size: Size
    parts: Stretches
    start: Array
    seats: Array
    lasting: Array
    cov: Auto | Kind
    seed: int

    @property
    def number(self) -> int:
        """Draws."""
        return len(self.start)

    @property
    def narrowed(self) -> float:
        """Whether the plan is longer than the file: then not 1."""
        return self.parts.narrowed

    def _seen(self, by_stretch: Array) -> Array:
        """Values of (n_stretches, n_places) in each draw's seats."""
        return np.asarray(by_stretch[self.start[:, None], self.seats])

    @cached_property
    def values(self) -> Array:
        """Contrast of each place without an effect, shape (n_draws, n_places)."""
        return np.asarray(self._seen(self.past.by_place(self.parts.change)) + self.lasting)

    @cached_property
    def levels(self) -> Array:
        """Mean outcome of each place after the start, shape (n_draws, n_places)."""
        return self._seen(self.past.by_place(self.parts.level))

    @cached_property
    def events(self) -> Array:
        """Events of each place after the start, shape (n_draws, n_places)."""
        assert self.parts.events is not None
        return self._seen(sum_by(self.parts.events, self.past.places))

    @cached_property
    def shares(self) -> Array:
        """Part of each place in its group, negative for comparison places."""
        mask, w = self.size.mask, self.past.place_weights[self.seats]
        total = np.where(mask, w[:, mask].sum(axis=1, keepdims=True), -w[:, ~mask].sum(axis=1, keepdims=True))
        return np.asarray(w / total)

    @cached_property
    def before(self) -> Array:
        """Variance of each place from period to period before the start, shape (n_draws, n_places)."""
        out = np.full(self.seats.shape, np.nan)
        if self.parts.before < 2:
            return out
        rows = max(1, AT_ONCE // (self.seats.shape[1] * self.parts.before))
        for k in range(0, self.number, rows):
            at = slice(k, k + rows)
            path = self.parts.early[self.start[at, None], self.seats[at]]
            w = self.past.place_weights[self.seats[at]]
            common = np.einsum("kn,knt->kt", w, path) / w.sum(axis=1, keepdims=True)
            out[at] = ((path - common[:, None, :]) ** 2).sum(axis=2) / (self.parts.before - 1)
        return out

    # -- the rule ------------------------------------------------------------------------

    @cached_property
    def _treated_as(self) -> tuple[Array, Array]:
        """Name of the procedure, shape (n_draws,), and relative variances to allow, like ``seats``."""
        names = np.full(self.number, "robust", dtype="<U24")
        spread = np.ones(self.seats.shape)
        n1, n0 = self.size.pilot, self.size.comparison
        few = min(n1, n0)
        if not isinstance(self.cov, Auto) or few >= ENOUGH:
            return names, spread
        sizes = self.past.place_sizes[self.seats]
        permute = few >= 2 and number_of_choices(n1 + n0, few) >= ENOUGH_REASSIGNMENTS
        plain = self._contrasts(self.values, self.shares, _no_design)
        for k in range(self.number):
            places = Places(self.size.mask, sizes[k], self.before[k], self.parts.before)
            alike = sizes_alike(plain.only(slice(k, k + 1)), places)
            flag = flag_of(places, by_size=not alike)
            if flag.raised and few >= FEWEST_OWN_SPREAD:
                continue
            spread[k] = flag.spread(places)
            name = "pooled" if places.size_ratio < ALIKE else "size"
            if name == "size" and n1 == 1 and n0 < WEAK_BELOW:
                name = "wider"
            names[k] = f"{name}+permutation" if permute and alike else name
        return names, spread

    @property
    def procedures(self) -> dict[str, float]:
        """Part of the draws that the rule gives to each procedure."""
        names, counts = np.unique(self._treated_as[0], return_counts=True)
        return {str(name): float(n) / self.number for name, n in zip(names, counts, strict=True)}

    def _contrasts(self, values: Array, shares: Array, design: Callable[[], Design]) -> Contrasts:
        """Draws as the effects of one set of contrasts."""
        estimate = (values * shares).sum(axis=1)
        return Contrasts(estimate, values, shares, self.size.mask, design, self.scale)

    @cached_property
    def scale(self) -> float:
        """Largest absolute outcome."""
        return float(np.abs(self.past.outcome).max())

    def ranges(self, planted: Sequence[Array | None] = (None,)) -> tuple[Array, Array]:
        """Lower and upper end of each draw's range, ``nan`` where there is none.

        Parameters
        ----------
        planted : sequence of arrays (n_draws, n_pilot)
            Effects to work out side by side: the change of each pilot place as a share of its level after,
            or None for no change.

        Returns
        -------
        low, high : array (n_effects, n_draws)
        """
        names, spread = self._treated_as
        ends = np.full((2, len(planted), self.number), np.nan)
        robust = np.flatnonzero(names == "robust")
        if isinstance(self.cov, Auto):
            for e, share in enumerate(planted):
                ends[:, e, robust] = self._own_spread(robust, share)
        else:
            for k in robust:
                ends[:, :, k] = self._robust(
                    int(k), [None if share is None else share[k] for share in planted]
                )
        for name in np.unique(names[names != "robust"]):
            which = np.flatnonzero(names == name)
            at_once = max(1, AT_ONCE // (len(which) * self.seats.shape[1]))
            for first in range(0, len(planted), at_once):
                part = planted[first : first + at_once]
                values = [
                    self._with(
                        self.values[which], self.levels[which], None if share is None else share[which]
                    )
                    for share in part
                ]
                found = self._together(str(name), np.concatenate(values), spread[which], which)
                ends[:, first : first + len(part), which] = np.array(found).reshape(2, len(part), -1)
        return ends[0], ends[1]

    def _with(self, values: Array, levels: Array, share: Array | None) -> Array:
        """Contrasts (..., n_places) with the pilot's changed by a share of their levels."""
        if share is None:
            return values
        n1 = self.size.pilot
        return np.concatenate([values[..., :n1] + share * levels[..., :n1], values[..., n1:]], axis=-1)

    def _together(self, name: str, values: Array, spread: Array, which: Array) -> tuple[Array, Array]:
        """The ranges of draws that one procedure judges; ``values`` holds them once for each effect.

        Places stand in the order of their values, as a permutation takes them one evaluation at a time.
        """
        effects = len(values) // len(which)
        sizes = self.past.place_sizes[self.seats[which]]
        shares, sizes, spread = (np.tile(rows, (effects, 1)) for rows in (self.shares[which], sizes, spread))
        order = np.lexsort((values, np.broadcast_to(~self.size.mask, values.shape)), axis=1)
        values, shares, sizes, spread = (
            np.take_along_axis(rows, order, axis=1) for rows in (values, shares, sizes, spread)
        )
        assert isinstance(self.cov, Auto)
        procedure = _procedure(name, sizes, spread, self.cov)
        found = procedure.infer(self._contrasts(values, shares, _no_design), LEVEL)
        return found.low, found.high

    @cached_property
    def _in_basis(self) -> tuple[Planes, Array, Array]:
        """The planes of places, and contrasts and levels of units in them, (2, n_stretches, n_places)."""
        planes = Planes.of(self.past)
        change, level = (
            planes.coordinates(self.past, part) for part in (self.parts.change, self.parts.level)
        )
        return planes, change, level

    def _own_spread(self, which: Array, share: Array | None) -> tuple[Array, Array]:
        """The ranges of draws by CR2, worked out together."""
        if not len(which):
            return np.empty(0), np.empty(0)
        planes, change, level = self._in_basis
        start, seats = self.start[which, None], self.seats[which]
        own = OwnSpread.of(planes, seats, self.size.mask)
        values = change[:, start, seats]
        values[0] += own.root * self.lasting[which]
        means = self._with(self.values[which], self.levels[which], None if share is None else share[which])
        if share is not None:
            n1 = self.size.pilot
            values[:, :, :n1] += share[which] * level[:, start, seats[:, :n1]]
        estimate = (means * self.shares[which]).sum(axis=1)
        error = own.error(values, means)
        error = np.where(error > ALL_ALIKE * self.scale, error, np.nan)
        found = by_t(estimate, error, own.df, LEVEL)
        return found.low, found.high

    def _robust(self, k: int, planted: Sequence[Array | None]) -> tuple[Array, Array]:
        """The ranges of one draw by the variance asked for, from its units; one for each effect."""
        assert not isinstance(self.cov, Auto)
        groups = [self.past.members[place] for place in self.seats[k]]
        clusters = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        units = np.concatenate(groups)
        w, pilot = self.past.weights[units], self.size.mask[clusters]
        shares = np.zeros((len(planted), len(groups)))
        for e, share in enumerate(planted):
            if share is not None:
                shares[e, : self.size.pilot] = share
        change = self.parts.change[self.start[k], units] + self.lasting[k, clusters]
        change = change + shares[:, clusters] * self.parts.level[self.start[k], units]
        residuals = change.T.copy()
        for group in (pilot, ~pilot):
            residuals[group] -= w[group] @ residuals[group] / w[group].sum()
        periods = self.parts.before + self.parts.after
        design = Design(
            np.column_stack([np.ones(len(units)), pilot.astype(float)]),
            residuals,
            np.tile([[0.0], [1.0]], (1, len(planted))),
            clusters,
            w,
            n_rows=len(units) * periods,
            n_parameters=periods + 1,
        )
        values = self.values[k] + shares * self.levels[k]
        weight = np.broadcast_to(self.shares[k], values.shape)
        found = Robust(self.cov).infer(self._contrasts(values, weight, lambda: design), LEVEL)
        return found.low, found.high


def _no_design() -> Design:
    raise AssertionError("draws that are worked out together have no regression")


def _procedure(name: str, sizes: Array, spread: Array, auto: Auto) -> Procedure:
    """A procedure for many draws at once: sizes and relative variances of shape (n_draws, n_places)."""
    base, _, permuted = name.partition("+")
    pooled, size = PooledT(spread), SizeModelT(sizes, spread)
    procedures: dict[str, Procedure] = {"pooled": pooled, "size": size, "wider": Wider(pooled, size)}
    procedure = procedures[base]
    if not permuted:
        return procedure
    return Wider(procedure, Permutation(min(auto.permutations, PERMUTATIONS), auto.seed))


def draw(
    past: Histories,
    size: Size,
    cov: Auto | Kind,
    *,
    draws: int,
    seed: int,
    drift: float = 0.0,
    widen: bool = True,
) -> Draws:
    """Draw places and stretches for a plan.

    Parameters
    ----------
    past : Histories
    size : Size
    cov : Auto or str
        The rule by which the evaluation will judge, or "CR1", "CR2" or "CR3".
    draws, seed : int
    drift : float
        Standard deviation, over places, of a lasting change that is added, in units of the outcome: for
        what a short file cannot show.
    widen : bool
        Whether to make up for drawing with replacement.
    """
    rng = np.random.default_rng([seed, size.pilot, size.comparison, size.before, size.after])
    parts = stretches(past, size.before, size.after, widen=widen)
    start = rng.integers(len(parts.change), size=draws)
    seats = rng.integers(past.number, size=(draws, size.pilot + size.comparison))
    lasting = drift * rng.standard_normal(seats.shape)
    return Draws(past, size, parts, start, seats, lasting, cov, seed)
