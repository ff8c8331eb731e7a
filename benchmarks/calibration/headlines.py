"""The one row that is counted, without the path: the same numbers as ``fit``, many times faster.

A staggered method hands its terms to one function that makes the Estimate; here that function is one that
looks at the first term alone. A test holds every method's headline against its ``fit``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.inference.few_clusters import Chosen
from ucimpact.inference.staggered import Terms
from ucimpact.inference.two_groups import Inferred
from ucimpact.methods.design_finding import enforce
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.staggered_sample import Sample
from ucimpact.methods.staggered_uncertainty import Method, Uncertainty


@dataclass(frozen=True)
class Headline:
    """As much of an Estimate as the board reads."""

    row: Mapping[str, Any]
    extras: Mapping[str, Any]

    def effect(self, term: str) -> Mapping[str, Any]:
        """The average effect."""
        assert term == "att", term
        return self.row


def headline(method: Any, panel: Panel) -> Any:
    """The headline of a method: by its own short way where it has one, else as above, else the whole fit."""
    if hasattr(method, "brief"):
        return method.brief(panel)
    if isinstance(method, DifferenceInDifferences):
        return _one_start(method, panel)
    if not hasattr(sys.modules[type(method).__module__], "estimate_of"):
        return method.fit(panel)
    with _first_term_only(method):
        return method.fit(panel)


@contextmanager
def _first_term_only(method: Any) -> Iterator[None]:
    with patch.object(sys.modules[type(method).__module__], "estimate_of", _first_term):
        yield


def _one_start(method: DifferenceInDifferences, panel: Panel) -> Headline:
    findings, sample = method._lay_out(panel)
    enforce(findings)
    assert sample is not None
    effect = sample.comparison.effect
    chosen = method._choose(sample, effect)
    return _told("did", chosen.procedure.infer(effect, method.level), chosen)


def _first_term(method: Method, key: str, sample: Sample, terms: Terms, **_: Any) -> Headline:
    work = Uncertainty(method, sample, terms.only(np.array([0])))
    return _told(key, work.found, work.chosen)


def _told(key: str, found: Inferred, chosen: Chosen) -> Headline:
    row = {
        "estimate": float(found.estimate[0]),
        "std_error": float(found.std_error[0]),
        "p_value": float(found.p_value[0]),
        "conf_low": float(found.low[0]),
        "conf_high": float(found.high[0]),
    }
    return Headline(row, {"method": key, "rule": {**chosen.account, "refused": chosen.refused}})
