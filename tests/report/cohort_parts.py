"""What a study of people says of its groups, by hand: every key that the sections of a report on people read."""

from __future__ import annotations

import math
from typing import Any

from parts import Document

from ucimpact.words import trials as trial_words

MONTHS = range(-12, 0)


def trajectory() -> Document:
    """A rise to the start in both groups, and everyone else level below."""
    rows = []
    for month in MONTHS:
        rise = math.exp(0.35 * month)
        pilot, comparison = 9.0 + 22.0 * rise, 9.2 + 21.5 * rise
        rows.append({
            "month": month, "pilot": pilot, "comparison": comparison, "others": 6.0 + 0.05 * month,
            "events_pilot": round(7.42 * pilot), "events_comparison": round(37.2 * comparison),
            "events_others": 690 + month,
        })  # fmt: skip
    return {"per": 100, "event": "Emergency admissions", "rows": rows}


def incidence(horizon: int = 30) -> Document:
    """First readmissions with death beside them, and their likely ranges."""
    rows = []
    for day in range(1, horizon + 1):
        grown = 1 - math.exp(-day / 18)
        row: Document = {"day": day}
        for arm, top, half, dead in (("pilot", 0.172, 0.028, 0.021), ("comparison", 0.2, 0.013, 0.024)):
            share = top * grown
            row |= {arm: share, f"{arm}_low": share - half * grown, f"{arm}_high": share + half * grown}
            row[f"death_{arm}"] = dead * day / horizon
        rows.append(row)
    return {
        "event": "Emergency readmission", "horizon": horizon, "rows": rows, "n_pilot": 742, "n_comparison": 3720,
        "events_pilot": 104, "events_comparison": 603, "deaths_pilot": 15, "deaths_comparison": 89,
        "difference": {"estimate": -0.0227, "conf_low": -0.051, "conf_high": 0.0056},
    }  # fmt: skip


def mean_count(horizon: int = 90) -> Document:
    """Admissions per 100 people as they add up."""
    rows = []
    for day in range(1, horizon + 1):
        grown = 1 - math.exp(-day / 55)
        row: Document = {"day": day}
        for arm, top, half in (("pilot", 40.7, 4.6), ("comparison", 47.3, 2.1)):
            row |= {arm: top * grown, f"{arm}_low": (top - half) * grown, f"{arm}_high": (top + half) * grown}
        rows.append(row)
    return {"event": "emergency admissions", "rows": rows}


def trials() -> Document:
    """Trials by day since discharge: delays, the question, and what simpler comparisons would have said."""
    delays = [171, 152, 118, 92, 71, 49, 34, 22, 14, 9, 5, 2, 3, 0, 1]
    return {
        "trigger": "Emergency discharge", "within": 14, "every": "day", "discharges": 3742, "person_days": 41208,
        "served": 748, "placed": 742, "later_share": 0.21, "mean_delay": 2.3, "estimand": "usual-care",
        "delays": [{"day": day, "n": n} for day, n in enumerate(delays)],
        "question": trial_words.question_sentence("usual-care", horizon=90),
        "immortal": {"ratio": 0.86, "text": trial_words.immortal_sentence(0.86, outcome="emergency admissions")},
        "naive": [
            {"name": "before_after", "label": "Before and after, people visited", "ratio": 0.24, "low": 0.21,
             "high": 0.28, "why": "People are visited at their worst, and get better whatever is done"},
            {"name": "unvisited", "label": "Visited against not visited", "ratio": 0.77, "low": 0.68, "high": 0.87,
             "why": "To be visited one must first stay out of hospital: the clock starts at different times"},
            {"name": "never", "label": "Against people never visited", "ratio": 1.33, "low": 1.15, "high": 1.54,
             "why": "Who is never visited is decided by later stays: those with few are over-represented"},
        ],
        "alternatives": [
            {"label": "Three similar people each", "ratio": 0.88, "low": 0.74, "high": 1.05, "note": "matched on the day"},
            {"label": "30 days", "ratio": 0.83, "low": 0.66, "high": 1.04, "note": "the same weights, a shorter time"},
            {"label": "No visit in this stay", "ratio": 0.85, "low": 0.69, "high": 1.05, "note": "a neighbouring question"},
        ],
        "agree": True,
    }  # fmt: skip


def controls() -> Document:
    """Outcomes that the service cannot change."""
    return {
        "rows": [
            _control("deaths_90d", "Deaths in 90 days", "deaths", 0.97, 0.69, 1.36, 34, 176),
            _control("injuries", "Injuries in 90 days", "after", 1.04, 0.78, 1.39, 46, 221),
            _control("old", "Admissions two years before", "before", 1.02, 0.92, 1.13, 301, 1472),
            {**_control("rare", "Burns", "after", 1.0, None, None, 0, 0), "ratio": None, "why": "it happened to nobody"},
        ],
        "pooled": {"log_ratio": 0.018, "std_error": 0.048, "z": 0.38, "weights": [0.1, 0.1, 0.8]},
    }  # fmt: skip


def _control(
    column: str, label: str, reach: str, ratio: float, low: Any, high: Any, n1: int, n0: int
) -> Document:
    return {
        "column": column, "label": label, "reach": reach, "ratio": ratio, "low": low, "high": high, "why": None,
        "log_ratio": math.log(ratio), "std_error": 0.1, "z": math.log(ratio) / 0.1, "events_pilot": n1,
        "events_comparison": n0,
    }  # fmt: skip


def subgroups() -> list[Document]:
    """Two sets of groups, of which one has a small one."""
    return [
        {"by": "age_band", "label": "Age", "p_interaction": 0.4312, "rows": [
            _group("65 to 74", 201, 71, 0.95, 0.72, 1.25), _group("75 to 84", 322, 138, 0.86, 0.7, 1.06),
            _group("85 or over", 219, 93, 0.84, 0.66, 1.07)]},
        {"by": "alone", "label": "Lives alone", "p_interaction": 0.0721, "rows": [
            _group("Yes", 340, 139, 0.74, 0.6, 0.92), _group("No", 402, 163, 1.0, 0.82, 1.22)]},
    ]  # fmt: skip


def _group(name: str, n: int, events: int, est: float, lo: float, hi: float) -> Document:
    return {
        "group": name,
        "n_pilot": n,
        "events_pilot": events,
        "estimate": est,
        "conf_low": lo,
        "conf_high": hi,
    }


def groups() -> Document:
    """Everything at once, as it stands under ``data.cohort`` beside ``balance`` and ``lost``."""
    return {
        "balance_by_site": [
            {"site": "Merebridge General", "n_pilot": 401, "n_comparison": 1988, "max_smd": 0.04, "worst": "Age"},
            {"site": "Saltby Royal", "n_pilot": 231, "n_comparison": 1145, "max_smd": 0.14, "worst": "Frailty score"},
            {"site": "Harle Infirmary", "n_pilot": 110, "n_comparison": 587, "max_smd": 0.09, "worst": "Women"},
        ],
        "overlap": {"coefficient": 0.83, "outside": 0.02},
        "trajectory": trajectory(), "incidence": incidence(), "cumulative_count": mean_count(),
        "flow": [
            {"kind": "in", "n": 3742, "text": "emergency discharges of people aged 65 or over"},
            {"kind": "out", "n": 118, "text": "less than a year of records before"},
            {"kind": "out", "n": 64, "text": "died or readmitted on the day itself"},
            {"kind": "in", "n": 3560, "text": "discharges that open trials, on 41,208 days"},
            {"kind": "out", "n": 6, "text": "visited with nobody like them on that day"},
            {"kind": "end", "n": 742, "text": "first visits, each with the people not visited on that day"},
        ],
        "weights": {"ess": 1840.0, "of": 3720, "largest_share": 0.0042, "trimmed": 0},
        "subgroups": subgroups(), "trials": trials(), "controls": controls(),
        "bias": {"not_excluded": 0.387, "ratio": 1.47,
                 "text": "A hidden difference that alone makes 47% more or a third fewer is not excluded. That is larger "
                         "than the result, so how sure we are stays low at best.",
                 "times": 4.0, "rows": [{"times": 2.0, "not_excluded": 0.1935, "ratio": 1.2135},
                                        {"times": 4.0, "not_excluded": 0.387, "ratio": 1.4726}]},
        "sensitivity": {"e_value": {"estimate": 1.6, "limit": 1.2}, "rosenbaum": {"text": "The result would stand up to "
                        "a hidden cause that made a visit 1.1 times as likely, and not to one of 1.2 times."},
                        "tipping": {"rows": [{"strength": 2.0, "comparison": 0.3, "estimate": 0.118, "limit": 0.27},
                                             {"strength": 1.2, "comparison": 0.1, "estimate": None, "limit": 0.08}]}},
    }  # fmt: skip
