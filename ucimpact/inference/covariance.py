r"""Cluster-robust variances of weighted least squares, with degrees of freedom that small samples need.

For :math:`\hat\beta = M X'Wy`, :math:`M = (X'WX)^{-1}`, residuals :math:`e` and a coefficient
:math:`c'\hat\beta`, each cluster :math:`g` adds one score and the variance is the sum of their squares:

.. math:: s_g = c'M X_g'W_g A_g e_g, \qquad v = f \sum_g s_g^2 .

===== ============================================================================ =======================
name  :math:`A_g`                                                                  :math:`f`
===== ============================================================================ =======================
CR0   identity                                                                     1
CR1   identity                                                                     G/(G-1) x (n-1)/(n-K)
CR2   :math:`Q_{gg}^{+1/2}`, with :math:`Q = (I-H)(I-H)'` and :math:`H = XMX'W`    1
CR3   :math:`(I-H_{gg})^{-1}`: the estimate without each cluster in turn           1
===== ============================================================================ =======================

Conventions. CR1 does not count in K the effects that are nested in the clusters (fixest's default; the R
package clubSandwich calls it CR1S, and counts them if they are columns of X). CR2 takes independent
errors of equal variance as its working model, weighted or not (clubSandwich's default for ``lm`` with
weights, where the target matrix is the identity): under it CR2 is unbiased [1]_ [2]_. CR3 has no factor
(G-1)/G.

The degrees of freedom are those of Bell and McCaffrey (Satterthwaite's approximation under the same
working model) [1]_ [3]_: with :math:`z_g = (I-H)_g' A_g' W_g X_g M c` and :math:`P_{gh} = z_g'z_h`,

.. math:: \nu = (\operatorname{tr} P)^2 / \textstyle\sum_{gh} P_{gh}^2 .

Three more are there to set beside other software, where rows are taken to be independent or to go together
in two ways; serial correlation makes the first two far too small in a panel. With leverage :math:`h_i` and
:math:`u_i = c'M x_i w_i e_i`:

- **iid**: :math:`c'Mc \sum_i w_i e_i^2 / (n - K)`;
- **HC0** to **HC4**: :math:`f \sum_i u_i^2 / (1 - h_i)^{\delta}`, with :math:`\delta` = 0, 0, 1, 2 and
  :math:`\min(4, n h_i / K)` [4]_ [5]_; f = n/(n-K) for HC1, else 1. K counts every effect here;
- **two-way**: the variance by the first clusters, plus that by the second, less that by where both agree
  [6]_, each times its own G/(G-1) (the R package sandwich) or all times that of the fewer clusters
  (fixest, whose K leaves out effects nested in either), and all times (n-1)/(n-K).

References
----------
.. [1] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression
   with multi-stage samples. *Survey Methodology* 28(2), 169-181.
.. [2] Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance
estimation
   and hypothesis testing in fixed effects models. *Journal of Business & Economic Statistics* 36(4),
   672-683.
.. [3] Imbens, G. W. and Kolesar, M. (2016). Robust standard errors in small samples. *Review of
Economics
   and Statistics* 98(4), 701-712.
.. [4] MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance matrix
   estimators with improved finite sample properties. *J. Econometrics* 29(3), 305-325.
.. [5] Cribari-Neto, F. (2004). Asymptotic inference under heteroskedasticity of unknown form.
   *Computational Statistics & Data Analysis* 45(2), 215-233 (HC4).
.. [6] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway clustering.
   *Journal of Business & Economic Statistics* 29(2), 238-249.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
Kind = Literal["CR0", "CR1", "CR2", "CR3"]
RowKind = Literal["HC0", "HC1", "HC2", "HC3", "HC4"]
NO_EIGENVALUE = 1e-10


@dataclass(frozen=True)
class CR1:
    """The usual cluster-robust variance, t on G - 1 degrees of freedom.

    False positives at a nominal 5% were measured at 70%, 28%, 18% and 8% with 1, 2, 3 and 6 pilot units
    of 30: for comparison with other software, not for a finding.
    """


@dataclass(frozen=True)
class CR2:
    """Bell and McCaffrey's bias-reduced variance and degrees of freedom, for six places or so of each."""


@dataclass(frozen=True)
class CR3:
    """The jackknife variance with Satterthwaite degrees of freedom: cautious."""


@dataclass(frozen=True)
class Design:
    """A weighted regression laid out for its clusters.

    Attributes
    ----------
    columns : array (n_rows, n_columns)
        The regressors, with the effects ``nested`` already taken out by the same weights.
    residuals : array (n_rows,) or (n_rows, n_effects)
        One column for all effects, or one for each.
    directions : array (n_columns, n_effects)
        Each effect as a combination of the coefficients.
    clusters : array (n_rows,)
        Codes from 0.
    weights : array (n_rows,), optional
    nested : array (n_rows,), optional
        Codes of effects that were taken out and that lie within clusters (units).
    n_rows, n_parameters : int, optional
        n and K of CR1, where the rows here are already sums of rows.
    """

    columns: Array
    residuals: Array
    directions: Array
    clusters: Array
    weights: Array | None = None
    nested: Array | None = None
    n_rows: int | None = None
    n_parameters: int | None = None


@dataclass(frozen=True)
class Clustered:
    """What the clusters say.

    Attributes
    ----------
    cov : array (n_effects, n_effects)
    df : array (n_effects,)
    scores : array (n_clusters, n_effects)
    """

    cov: Array
    df: Array
    scores: Array


def cluster_covariance(design: Design, kind: Kind) -> Clustered:
    """Covariance of the effects of a design, clustered.

    Returns
    -------
    Clustered
        ``df`` is Satterthwaite's for every kind; users of CR0 and CR1 mostly take G - 1 instead.
    """
    n, p = design.columns.shape
    parts = pieces(design, kind)
    effects = design.directions.shape[1]
    df = [
        _satterthwaite(parts.own[:, e], parts.a[:, :, e], parts.b[:, :, e], parts.inner)
        for e in range(effects)
    ]
    factor, scores = 1.0, parts.scores
    if kind == "CR1":
        rows_used, parameters = design.n_rows or n, design.n_parameters or p
        factor = len(scores) / (len(scores) - 1) * (rows_used - 1) / (rows_used - parameters)
    return Clustered(factor * scores.T @ scores, np.array(df), scores)


@dataclass(frozen=True)
class Pieces:
    """What a variance of effects and its distribution are made of.

    For effects s and t and clusters g and h, :math:`z_{sg}'z_{th}` is ``own`` (where g = h) less
    ``[a, b]_gs inner [a, b]_ht'``.

    Attributes
    ----------
    scores : array (n_clusters, n_effects)
    own : array (n_clusters, n_effects) or (n_clusters, n_effects, n_effects)
        The latter for pairs of effects.
    a, b : array (n_clusters, n_columns, n_effects)
    inner : array (2 n_columns, 2 n_columns)
    working : array (n_columns, n_columns)
        Variance of the coefficients under the working model.
    """

    scores: Array
    own: Array
    a: Array
    b: Array
    inner: Array
    working: Array


def pieces(design: Design, kind: Kind, *, pairs: bool = False) -> Pieces:
    """The scores of each cluster and what their squares are distributed as."""
    x = design.columns
    n, p = x.shape
    w = np.ones(n) if design.weights is None else design.weights
    residuals = design.residuals.reshape(n, -1)
    normal = (x * w[:, None]).T @ x
    bread = np.linalg.pinv(normal, rcond=1e-13, hermitian=True)
    # L = WX less its part in the nested effects; S = X'W^2 X. Then for rows of clusters g and h
    # Q_gh = [g = h](I - P)(I - P)' - X_g M L_h' - L_g M X_h' + X_g M S M X_h',
    # where P projects on the nested effects.
    totals, nested = _nested_totals(design.nested, w)
    wx = x * w[:, None]
    l_rows = wx if nested is None else wx - (_sums(wx * w[:, None], nested, totals) / totals[:, None])[nested]
    sandwich = bread @ (wx.T @ wx) @ bread
    inward = wx @ (bread @ design.directions)

    order = np.argsort(design.clusters, kind="stable")
    codes, counts = np.unique(design.clusters, return_counts=True)
    ends = np.cumsum(counts)
    effects = design.directions.shape[1]
    scores = np.empty((len(codes), effects))
    own = np.empty((len(codes), effects, effects) if pairs else (len(codes), effects))
    a = np.empty((len(codes), p, effects))
    b = np.empty((len(codes), p, effects))
    for size in np.unique(counts):  # clusters of one size are worked together
        which = np.flatnonzero(counts == size)
        rows = order[(ends[which] - size)[:, None] + np.arange(size)]
        outer = None if nested is None else _outside_nested(rows, nested, totals, w)
        v = _adjusted(kind, inward[rows], x[rows], wx[rows], l_rows[rows], bread, sandwich, outer)
        scores[which] = (v * residuals[rows]).sum(axis=1)
        a[which] = np.einsum("gnp,gne->gpe", x[rows], v)
        b[which] = np.einsum("gnp,gne->gpe", l_rows[rows], v)
        kept = v if nested is None else _less_projection(v, rows, nested, totals, w)
        own[which] = kept.transpose(0, 2, 1) @ kept if pairs else (kept**2).sum(axis=1)
    inner = np.block([[-sandwich, bread], [bread, np.zeros_like(bread)]])
    return Pieces(scores, own, a, b, inner, sandwich)


def iid_covariance(design: Design, parameters: int | None = None) -> Array:
    """Covariance of the effects for independent errors of equal variance (over their weights).

    Parameters
    ----------
    design : Design
    parameters : int, optional
        K: by default the columns and the nested effects.
    """
    n, p = design.columns.shape
    w, bread, _ = _rows(design)
    e = design.residuals.reshape(n, -1)
    variance = (w[:, None] * e).T @ e / (n - (parameters or p + _number_nested(design)))
    return np.asarray(design.directions.T @ bread @ design.directions * variance)


def row_covariance(design: Design, kind: RowKind, parameters: int | None = None) -> Array:
    """Covariance of the effects for independent errors of unequal variances.

    Raises
    ------
    EstimationError
        HC2 to HC4 where a row is fitted exactly, whatever it is.
    """
    x = design.columns
    n, p = x.shape
    k = parameters or p + _number_nested(design)
    w, bread, influence = _rows(design)
    if kind in ("HC2", "HC3", "HC4"):
        totals, nested = _nested_totals(design.nested, w)
        leverage = w * ((x @ bread) * x).sum(axis=1)
        if nested is not None:
            leverage += w / totals[nested]
        if np.any(leverage > 1 - NO_EIGENVALUE):
            raise EstimationError(f"{kind} cannot be had: a row is fitted exactly. Use HC1.")
        power = np.minimum(4.0, n * leverage / k) if kind == "HC4" else {"HC2": 1.0, "HC3": 2.0}[kind]
        influence /= ((1 - leverage) ** (power / 2))[:, None]
    return np.asarray(influence.T @ influence) * (n / (n - k) if kind == "HC1" else 1.0)


def two_way_covariance(
    design: Design,
    second: Array,
    convention: Literal["fixest", "sandwich"] = "fixest",
    parameters: int | None = None,
) -> Array:
    """Covariance of the effects, clustered by ``design.clusters`` and by ``second`` (n_rows,).

    With ``parameters`` None K is that of the design. Student's t on one degree of freedom less than the
    fewer clusters is what both packages use. It is a difference, so a variance on its diagonal may come out
    negative where effects are many and clusters few; there is then no standard error.
    """
    n, p = design.columns.shape
    k = parameters or design.n_parameters or p
    _, _, influence = _rows(design)
    both = np.unique(np.column_stack([design.clusters, second]), axis=0, return_inverse=True)[1]
    ways = [np.unique(c, return_inverse=True)[1].reshape(-1) for c in (design.clusters, second, both)]
    groups = np.array([codes.max() + 1.0 for codes in ways])
    counted = groups if convention == "sandwich" else np.full(3, groups[:2].min())
    factors = np.array([1.0, 1.0, -1.0]) * counted / (counted - 1) * (n - 1) / (n - k)
    cov = np.zeros((influence.shape[1], influence.shape[1]))
    for codes, size, factor in zip(ways, groups, factors, strict=True):
        scores = _sums(influence, codes, np.empty(int(size)))
        cov += factor * scores.T @ scores
    return cov


def _rows(design: Design) -> tuple[Array, Array, Array]:
    """Weights, M, and what each row adds to each effect."""
    x = design.columns
    w = np.ones(len(x)) if design.weights is None else design.weights
    bread = np.linalg.pinv((x * w[:, None]).T @ x, rcond=1e-13, hermitian=True)
    loadings = (x * w[:, None]) @ (bread @ design.directions)
    return w, bread, loadings * design.residuals.reshape(len(x), -1)


def _number_nested(design: Design) -> int:
    return 0 if design.nested is None else len(np.unique(design.nested))


def _satterthwaite(own: Array, a: Array, b: Array, inner: Array) -> float:
    """tr(P)^2 / sum(P^2) for P = diag(own) - [a, b] inner [a, b]', without writing P out."""
    both = np.hstack([a, b])
    half = both @ inner
    diagonal = own - (half * both).sum(axis=1)
    cross = inner @ (both.T @ both)
    total = (own**2).sum() - 2 * (own * (half * both).sum(axis=1)).sum() + np.trace(cross @ cross)
    return float(diagonal.sum() ** 2 / total) if total > 0 else float("nan")


def _nested_totals(nested: Array | None, w: Array) -> tuple[Array, Array | None]:
    if nested is None:
        return np.ones(0), None
    codes = np.unique(nested, return_inverse=True)[1].reshape(-1)
    return np.bincount(codes, weights=w), codes


def _sums(values: Array, codes: Array, totals: Array) -> Array:
    out = np.zeros((len(totals), values.shape[1]))
    np.add.at(out, codes, values)
    return out


def _outside_nested(rows: Array, nested: Array, totals: Array, w: Array) -> Array:
    """(I - P)(I - P)' for each cluster, shape (g, n, n)."""
    same = nested[rows][:, :, None] == nested[rows][:, None, :]
    less = np.eye(rows.shape[1]) - same * (w[rows] / totals[nested[rows]])[:, None, :]
    return np.asarray(less @ less.transpose(0, 2, 1))


def _less_projection(v: Array, rows: Array, nested: Array, totals: Array, w: Array) -> Array:
    """(I - P)'v."""
    same = nested[rows][:, :, None] == nested[rows][:, None, :]
    shares = same * (w[rows] / totals[nested[rows]])[:, :, None]
    return np.asarray(v - shares @ v)


def _adjusted(
    kind: Kind,
    u: Array,
    x: Array,
    wx: Array,
    l_rows: Array,
    bread: Array,
    sandwich: Array,
    outer: Array | None,
) -> Array:
    """A_g'W_g X_g M c for clusters of one size, shape (g, n, n_effects)."""
    if kind in ("CR0", "CR1"):
        return u
    eye = np.eye(x.shape[1])
    if kind == "CR3":
        leave = eye - wx @ bread @ x.transpose(0, 2, 1)
        if np.any(np.linalg.svd(leave, compute_uv=False)[:, -1] < 1e-9):
            raise EstimationError(
                "CR3 leaves out each cluster in turn, and without one of them nothing is left to estimate "
                "from. Use Auto() or CR2()."
            )
        return np.asarray(np.linalg.solve(leave, u))
    xl = x @ bread @ l_rows.transpose(0, 2, 1)
    q = (eye if outer is None else outer) - xl - xl.transpose(0, 2, 1) + x @ sandwich @ x.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(q)
    kept = values > NO_EIGENVALUE * np.maximum(values[:, -1:], NO_EIGENVALUE)
    root = np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    return np.asarray(vectors @ (root[:, :, None] * (vectors.transpose(0, 2, 1) @ u)))
