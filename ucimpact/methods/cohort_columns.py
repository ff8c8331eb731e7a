"""The people whom a weighting can use, and their covariates as columns of numbers.

Columns of words (``kinds``) become a column of 1 and 0 for each kind. People of a kind that the other group
has nobody of have no counterpart, whatever their weight: they are left out and counted, not weighed towards
people who are not there. The same goes for people whose outcome is empty: were they weighed and then left
out, those who remain would no longer be alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.cohort import MISSING, Cohort

Array = np.ndarray

MANY = 500_000
"""From this many people covariates are held in single precision; every sum is in double."""

SHOWN = 10
"""A kind with fewer pilot or comparison people is balanced and not shown: a mean of few tells of each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Everybody who can be weighed.

    Attributes
    ----------
    cohort : Cohort
    known : array of bool
        By row of the cohort, whether the outcome is known.
    row : array (n,)
        Their rows of the cohort.
    treated : array (n,) of bool
    x : array (n, k)
        The covariates, then a column for each kind but the commonest.
    names : tuple of str
        Of those columns, as an error tells them.
    covariates, kinds : tuple of str
    left_out, lost : list of dict
        Rows that something was empty for; pilot people without anybody of their kind: ``n, pilot, reason``.
    """

    cohort: Cohort
    known: Array
    row: Array
    treated: Array
    x: Array
    names: tuple[str, ...]
    covariates: tuple[str, ...]
    kinds: tuple[str, ...]
    left_out: list[dict[str, Any]]
    lost: list[dict[str, Any]]

    @classmethod
    def of(
        cls, cohort: Cohort, covariates: Sequence[str], kinds: Sequence[str], known: Array | None = None
    ) -> Columns:
        known = np.ones(len(cohort.table), dtype=bool) if known is None else known
        keep, left_out = np.ones(len(cohort.table), dtype=bool), []
        empty = [(name, cohort.codes(name) == MISSING) for name in kinds]
        empty += [(name, np.isnan(cohort.values(name))) for name in covariates]
        told = [(f"`{name}` was empty, so nobody could be weighed by it", lacking) for name, lacking in empty]
        for reason, lacking in [*told, ("the outcome was empty", ~known)]:
            if number := int((keep & lacking).sum()):
                pilot = int((keep & lacking & cohort.is_pilot).sum())
                left_out.append({"n": number, "pilot": pilot, "reason": reason})
            keep &= ~lacking
        lost = []
        for name in kinds:
            pilots, others = _alone(cohort, name, keep)
            if alone := int(pilots.sum()):
                lost.append({"n": alone, "reason": f"nobody else was alike in `{name}`"})
            if number := int(others.sum()):
                reason = f"nobody with the service was alike in `{name}`"
                left_out.append({"n": number, "pilot": 0, "reason": reason})
            keep &= ~(pilots | others)
        row = np.flatnonzero(keep)
        kept = cls(
            cohort=cohort,
            known=known,
            row=row,
            treated=cohort.is_pilot[row],
            x=np.empty((len(row), 0)),
            names=(),
            covariates=tuple(covariates),
            kinds=tuple(kinds),
            left_out=left_out,
            lost=lost,
        )
        return kept._filled()

    def where(self, keep: Array) -> Columns:
        """Those marked True, with the kinds that are left."""
        part = Columns(**{**self.__dict__, "row": self.row[keep], "treated": self.treated[keep]})
        return part._filled()

    def _filled(self) -> Columns:
        columns = [self.cohort.values(name)[self.row] for name in self.covariates]
        names = [f"the covariate `{name}`" for name in self.covariates]
        for name in self.kinds:
            codes = np.unique(self.cohort.codes(name)[self.row], return_inverse=True)[1].reshape(-1)
            commonest = int(np.bincount(codes).argmax()) if len(codes) else 0
            others = [code for code in range(int(codes.max(initial=0)) + 1) if code != commonest]
            columns += [codes == code for code in others]
            names += [f"a kind of `{name}`"] * len(others)
        x = np.empty((len(self.row), len(columns)), dtype=np.float32 if len(self.row) > MANY else np.float64)
        for place, column in enumerate(columns):
            x[:, place] = column
        return Columns(**{**self.__dict__, "x": x, "names": tuple(names)})

    def shown(self) -> tuple[list[str], Array]:
        """What is shown of how alike people are: covariates, kinds, and use before that is known for all."""
        columns = [self.cohort.values(name)[self.row] for name in self.covariates]
        names = list(self.covariates)
        for name in self.kinds:
            codes = self.cohort.codes(name)[self.row]
            cells = self.cohort.table[name].to_numpy()[self.row]
            for code in np.unique(codes):
                if min((codes == code)[arm].sum() for arm in (self.treated, ~self.treated)) >= SHOWN:
                    columns.append((codes == code).astype(float))
                    names.append(f"{name}: {cells[int(np.argmax(codes == code))]}")
        for name in self.cohort.before:
            if name not in (*self.covariates, *self.kinds):
                values = self.cohort.values(name)[self.row]
                if np.isfinite(values).all():
                    columns.append(values)
                    names.append(name)
        return names, np.column_stack(columns) if columns else np.empty((len(self.row), 0))


def _alone(cohort: Cohort, name: str, keep: Array) -> tuple[Array, Array]:
    """Pilot and comparison people of a kind that the other group has nobody of."""
    codes = np.maximum(cohort.codes(name), 0)
    number = int(codes.max(initial=0)) + 1
    pilot = np.bincount(codes[keep & cohort.is_pilot], minlength=number) > 0
    others = np.bincount(codes[keep & ~cohort.is_pilot], minlength=number) > 0
    return keep & cohort.is_pilot & ~others[codes], keep & ~cohort.is_pilot & ~pilot[codes]
