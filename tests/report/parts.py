"""Parts of evaluation documents as plain values: effects, analyses, checks, months, the whole."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

Document = dict[str, Any]
NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def months(first: int, count: int, year: int) -> list[tuple[str, str]]:
    """(iso, label) of months from ``first`` (1 to 12) of a year."""
    places = [year * 12 + first - 1 + k for k in range(count)]
    return [(f"{p // 12}-{p % 12 + 1:02d}", f"{NAMES[p % 12]} {p // 12}") for p in places]


def row(
    term: str, est: float, se: float | None, df: float | None, lo: float | None, hi: float | None, **more: Any
) -> Document:
    """One effect."""
    statistic = None if not se else est / se
    p = None if statistic is None else math.erfc(abs(statistic) / math.sqrt(2))
    return {
        "term": term, "estimate": est, "std_error": se, "statistic": statistic, "df": df, "p_value": p,
        "conf_low": lo, "conf_high": hi, "event_time": None, "period": None,
        "conf_low_simultaneous": None, "conf_high_simultaneous": None, **more,
    }  # fmt: skip


def estimate(**values: Any) -> Document:
    """An estimate as plain values, what is not given empty."""
    empty = {
        "method": "did", "estimand": "ATT", "outcome": "", "effects": [], "scale": "identity", "cov": None,
        "influence": None, "sampling_units": [], "counterfactual": None, "counts": {"left_out": []}, "warnings": [],
        "spec": {"level": 0.95}, "provenance": {}, "draws_from": "", "extras": {},
    }  # fmt: skip
    return {**empty, **values}


def analysis(
    role: str, label: str, est: float | None, lo: float | None, hi: float | None, **values: Any
) -> Document:
    """An entry of ``estimates``; without further values one that holds the headline alone."""
    own = {"role": role, "label": label, "note": "", "refused": None, "est": est, "lo": lo, "hi": hi}
    return {
        **own,
        **{k: v for k, v in values.items() if k in own},
        **{k: v for k, v in values.items() if k not in own},
    }


def check(name: str, question: str, answer: str, text: str, **more: Any) -> Document:
    """A check as plain values."""
    return {
        "name": name, "question": question, "answer": answer, "text": text, "statistic": None, "p_value": None,
        "table": [], "counted": True, **more,
    }  # fmt: skip


def whole(study: Document, finding: Document, certainty: Document, decision: Document, estimates: list[Document],
          checks: list[Document], data: Document, disclosure: Document | None = None) -> Document:  # fmt: skip
    """The document, through JSON and back, as a reader years later would hold it."""
    text = study.setdefault("text", f'schema = 1\n\n[study]\ntitle = "{study["title"]}"\n')
    study.setdefault("hash", hashlib.sha256(text.encode()).hexdigest())
    document = {
        "schema": 1, "created": "2026-08-03T09:00:00+00:00", "version": "0.1.0", "seed": 1, "study": study,
        "finding": finding, "certainty": certainty, "decision": decision, "estimates": estimates, "checks": checks,
        "data": data, "disclosure": disclosure or {"profile": "none", "suppressed": 0, "rounded": 0, "log": []},
    }  # fmt: skip
    made: Document = json.loads(json.dumps(document, allow_nan=False))
    return made
