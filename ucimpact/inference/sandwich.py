r"""Robust covariances: sums of squares of what each row, or each cluster of rows, adds to an estimate.

Whatever the estimate, its rows add up to it in the end: row :math:`i` adds its *influence* :math:`u_i`,
and :math:`\sum_i u_i u_i'` is a covariance that holds whatever the variance of the outcome is. Rows that go
together are summed first, :math:`u_g = \sum_{i \in g} u_i`.

===== ==================================== ========================================
name  clusters                             factor
===== ==================================== ========================================
HC0   every row its own                    1
HC1   every row its own                    n/(n-K)
CR0   given                                1
CR1   given                                G/(G-1) x (n-1)/(n-K)
===== ==================================== ========================================

CR1 is ``vcovCL(type = "HC1")`` of the R package sandwich. Two-way clustering adds the two variances and
takes off that of the groups where both agree, each with its own factor [1]_; if that leaves a negative
variance somewhere, its negative part is taken as 0.

References
----------
.. [1] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway clustering.
   *Journal of Business & Economic Statistics* 29(2), 238-249, eq. 2.11 and section 2.3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
Kind = Literal["HC0", "HC1", "CR0", "CR1"]
Clusters = Array | tuple[Array, Array]


def sandwich(
    influence: Array, clusters: Clusters | None = None, kind: Kind = "HC1", parameters: int = 0
) -> Array:
    """Covariance of whatever has these influences, by the conventions at the top.

    Parameters
    ----------
    influence : array (n_rows, n_effects)
    clusters : array (n_rows,) or two such arrays, optional
    kind : {"HC0", "HC1", "CR0", "CR1"}
    parameters : int
        K of the table: columns of the model that the rows were fitted with.
    """
    n = len(influence)
    if (clusters is None) != (kind in ("HC0", "HC1")):
        raise ValueError(f"{kind} needs {'no ' if kind in ('HC0', 'HC1') else ''}clusters")
    if clusters is None:
        return np.asarray(influence.T @ influence * (n / (n - parameters) if kind == "HC1" else 1.0))
    if not isinstance(clusters, tuple):
        return _one_way(influence, clusters, kind, parameters)
    first, second = clusters
    both = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)[1].reshape(-1)
    cov = _one_way(influence, first, kind, parameters) + _one_way(influence, second, kind, parameters)
    cov = cov - _one_way(influence, both, kind, parameters)
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    return cov if values[0] >= 0 else np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _one_way(influence: Array, clusters: Array, kind: Kind, parameters: int) -> Array:
    n = len(influence)
    codes = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    groups = int(codes.max()) + 1
    if groups < 2:
        raise EstimationError("a variance between clusters needs 2 clusters or more; there is 1")
    sums = np.zeros((groups, influence.shape[1]))
    np.add.at(sums, codes, influence)
    factor = groups / (groups - 1) * (n - 1) / (n - parameters) if kind == "CR1" else 1.0
    return np.asarray(factor * sums.T @ sums)
