r"""Subclassification: a few sets of everybody, cut by the score.

The score is cut at the quantiles of the pilot people, so each subclass has about as many of them. Five
subclasses take away about 90% of the bias that the score could [1]_; within one, people still differ, which
is for the outcome model to see to.

Conventions (those of the R package MatchIt, ``method = "subclass"``, for the ATT): quantiles by linear
interpolation, a score on a cut belongs to the subclass above it. A subclass that lacks people of one side is
joined to its neighbour (MatchIt moves people instead).

References
----------
.. [1] Rosenbaum, P. R. and Rubin, D. B. (1984). Reducing bias in observational studies using
   subclassification on the propensity score. *Journal of the American Statistical Association* 79(387),
   516-524.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.grouped_sets import Groups

Array = np.ndarray


def score_cuts(distance: Array, treated: Array, number: int) -> Array:
    """The cuts that give every subclass people of both sides, as near to ``number`` subclasses as can be."""
    cuts = np.unique(np.quantile(distance[treated], np.arange(1, number) / number))
    while len(cuts):
        stretch = np.searchsorted(cuts, distance, side="right")
        pilot, others = (np.bincount(stretch[arm], minlength=len(cuts) + 1) for arm in (treated, ~treated))
        lacking = np.flatnonzero((pilot == 0) | (others == 0))
        if not len(lacking):
            break
        # The lowest joins the one above, any other the one below.
        cuts = np.delete(cuts, max(int(lacking[0]) - 1, 0))
    return np.asarray(cuts)


def subclasses(distance: Array, treated: Array, cuts: Array, strata: Array | None) -> Groups:
    """Everybody in the subclass (and stratum) of the score; sets with people of one side are left out."""
    stretch = np.searchsorted(cuts, distance, side="right")
    if strata is not None:
        codes = np.unique(strata, return_inverse=True)[1].reshape(-1)
        stretch = codes * (len(cuts) + 1) + stretch
    return Groups.of(stretch, np.asarray(treated, dtype=bool))
