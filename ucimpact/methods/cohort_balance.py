"""How alike people are, as the rows that a report shows, whoever was matched or weighed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.inference import balance

Array = np.ndarray

FEWEST_DESCRIBED = 10
"""Fewer lost people than this are counted and not described: a mean of few tells of each."""


def beside(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a covariate, before and after beside one another."""
    return [
        {
            "name": then["name"],
            "label": str(then["name"]).replace("_", " "),
            "pilot_before": first["pilot_mean"],
            "pilot": then["pilot_mean"],
            "comparison_before": first["comparison_mean"],
            "comparison": then["comparison_mean"],
            "smd_before": first["smd"],
            "smd": then["smd"],
            "variance_ratio_before": first["variance_ratio"],
            "variance_ratio": then["variance_ratio"],
            "ks_before": first["ks"],
            "ks": then["ks"],
        }
        for first, then in zip(before, after, strict=True)
    ]


def by_site(
    cohort: Cohort, rows: Array, names: list[str], x: Array, weights: Array
) -> list[dict[str, Any]] | None:
    """The largest difference at each of the cohort's clusters; None where it names none.

    Parameters
    ----------
    cohort : Cohort
    rows : array (n,)
        Of the cohort, of those who are compared.
    names : list of str
        Of the columns of ``x``.
    x : array (n, k)
    weights : array (n,)
    """
    if cohort.clusters is None or cohort.cluster is None:
        return None
    found, first = np.unique(cohort.clusters[rows], return_index=True)
    labels = cohort.table[cohort.cluster].to_numpy()[rows][first]
    place = np.searchsorted(found, cohort.clusters[rows])
    return balance.by_place(x, names, cohort.is_pilot[rows], weights, place, labels)


def differing(means: Iterable[tuple[str, float, float, float]]) -> list[dict[str, Any]]:
    """How lost pilot people differ from the others, the largest difference first.

    Parameters
    ----------
    means : iterable of (str, float, float, float)
        A covariate, its mean among the lost and among the others, and the standard deviation of all.
    """
    rows = [
        {
            "name": name,
            "label": name.replace("_", " "),
            "lost": float(lost),
            "matched": float(kept),
            "smd": float((lost - kept) / spread) if spread > 0 else 0.0,
        }
        for name, lost, kept, spread in means
    ]
    return sorted(rows, key=lambda row: -abs(float(str(row["smd"]))))
