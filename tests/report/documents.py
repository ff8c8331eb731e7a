"""Evaluation documents to render: plain values as evaluation.json holds them, from small simulations.

``practices``: 12 of 40 practices, a benefit of unknown size. ``trust``: one trust of 127 on the log scale.
``hub``: one monthly series that could not tell. ``winter``: weekly, refused, because one winter cannot
part season from effect. ``hostile``: names that try to become markup or formulas. ``waves``: the example
whose practices join one after another.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable
from functools import cache

import numpy as np
from cohorts import COHORTS
from parts import NAMES, Document, analysis, check, estimate, months, row, whole

from ucimpact import serialise
from ucimpact.words import plainly

STUDY_TEXT = """\
schema = 1

[study]
title = "Acute visiting service, Eastvale"
question = "Did visits by the acute visiting service reduce emergency admissions of people aged 65 or over?"
pilot = "Same-day home visits by paramedic practitioners, on request of the GP"
population = "Registered patients aged 65+ of 40 practices"
comparator = "28 practices in the same county without the service"
by = "Eastvale integrated care team"

[data]
kind = "panel"
source = "practices.csv"
unit = "practice"
period = "month"
start = "joined"
population = "list_size"
window = { from = 2021-04-01, to = 2023-03-31 }

[[outcome]]
column = "emergency_admissions"
label = "Emergency admissions"
kind = "count"
better = "lower"
primary = true
worthwhile = -0.05

[method]
name = "did"

[release]
profile = "hes2018"
seed = 1
example = true
"""


def practices() -> Document:
    """Twelve of forty practices start together: about 2 fewer per 100, worthwhile or not unknown."""
    rng = np.random.default_rng(22)
    periods = months(4, 24, 2021)
    month = np.arange(24)
    size = np.exp(rng.normal(math.log(1500), 0.35, 40))
    level = rng.normal(28.0, 3.0, 40)
    season = 1.6 * np.cos(2 * np.pi * (month - 9) / 12)
    drift = rng.normal(0, 0.35, 40)
    mean = level[:, None] + season + drift[:, None] * (month >= 12)
    mean[:12, 12:] *= 0.94
    rate = mean + rng.normal(0, 1, (40, 24)) * np.sqrt(28 / size * 1000)[:, None]
    return _panel(
        rate, periods, start=12, pilots=12, factor=1.2,
        base=100, per="per 100 registered patients over 12 months", when=", over 12 months",
    )  # fmt: skip


def _panel(rate: np.ndarray, periods: list[tuple[str, str]], *, start: int, pilots: int, factor: float, base: int,
           per: str, when: str) -> Document:  # fmt: skip
    change = rate[:, start:].mean(1) - rate[:, :start].mean(1)
    own, other = change[:pilots], change[pilots:]
    att = own.mean() - other.mean()
    se = math.sqrt(own.var(ddof=1) / len(own) + other.var(ddof=1) / len(other))
    df, t = 19.4, 2.09
    gap = rate[:pilots].mean(0) - rate[pilots:].mean(0)
    gap = gap - gap[start - 1]
    noise = rate - rate.mean(0) - change.mean()
    gap_se = np.sqrt(2 * noise.var(axis=0).mean() * (1 / pilots + 1 / len(other)) / 1.9)
    events = []
    for k, (iso, _) in enumerate(periods):
        if k == start - 1:
            continue
        b = float(gap[k])
        events.append(
            row("event", b, gap_se, df, b - t * gap_se, b + t * gap_se, event_time=k - start, period=iso,
                conf_low_simultaneous=b - 3.1 * gap_se, conf_high_simultaneous=b + 3.1 * gap_se)
        )  # fmt: skip
    observed = rate[:pilots].mean(0)
    counterfactual = []
    for k, (iso, label) in enumerate(periods):
        b = float(gap[k]) if k != start - 1 else 0.0
        half = 0.0 if k == start - 1 else t * gap_se
        expected = observed[k] - b
        counterfactual.append(
            {"period": iso, "label": label, "since": k - start, "observed": observed[k], "expected": expected,
             "low": expected - half, "high": expected + half}
        )  # fmt: skip
    after = observed[start:].mean()
    lo, hi = att - t * se, att + t * se
    est, low, high = (factor * v for v in (att, lo, hi))
    expected, happened, w = factor * (after - att), factor * after, 0.05 * factor * (after - att)
    relative = [v / (after - att) for v in (att, lo, hi)]
    effects = [
        row("att", att, se, df, lo, hi),
        row("cumulative", att * 216, se * 216, df, lo * 216, hi * 216),
        row("relative", relative[0], None, df, relative[1], relative[2]),
        *events,
    ]
    main = analysis(
        "primary", "Main analysis", est, low, high,
        **estimate(
            method="did", outcome="emergency_admissions per 1,000", effects=effects, counterfactual=counterfactual,
            counts={"left_out": []}, draws_from="t on 19.4 degrees of freedom",
            warnings=["Three practices changed their list by more than a fifth; the rate allows for it."],
            extras={
                "comparison": [
                    {"period": iso, "label": label, "mean": float(m)}
                    for (iso, label), m in zip(periods, rate[pilots:].mean(0), strict=True)
                ],
                "rule": {
                    "procedure": "CR2 with Bell-McCaffrey degrees of freedom",
                    "reason": "12 pilot and 28 comparison practices are enough for their own spread to be measured",
                    "n1": 12, "n0": 28, "places": 40, "size_ratio": 3.9, "flag_ratio": 1.1, "variance_flag": False,
                    "sizes_alike": False, "df": 19.4, "breakdown_ratio": None, "smallest_p": None,
                },
                "noun": "month",
            },
        ),
    )  # fmt: skip
    sensitivity = [
        analysis("sensitivity", "On the log scale", est * 1.06, low * 1.05, high * 1.1, note="on the log scale"),
        analysis("sensitivity", "Practices in the same town as a pilot left out", est * 0.82, est * 0.82 - 1.8, est * 0.82 + 1.8),
        analysis("sensitivity", "Weighted by list size", est * 0.93, low * 0.95, high * 0.8),
        analysis("sensitivity", "From April 2019", None, None, None,
                 refused="The file begins in April 2021: 24 months are not there"),
    ]  # fmt: skip
    dates = [
        analysis(
            "dates",
            f"{k} month{'s' if k > 1 else ''} {end}",
            est * f,
            est * f - 1.65 - 0.05 * k,
            est * f + 1.65 + 0.05 * k,
        )
        for end in ("later to begin", "fewer at the end")
        for k, f in ((1, 1.02), (2, 0.97), (3, 1.08))
    ]
    others = [
        analysis("outcome", "A&E attendances", -0.4, -2.9, 2.1, note="per 100 registered patients over 12 months",
                 **estimate(outcome="ae per 1,000", effects=[row("att", -0.3, 1.0, 19.0, -2.4, 1.8),
                                                             row("relative", -0.008, None, 19.0, -0.06, 0.044)])),
        analysis("outcome", "GP contacts", 40.0, 6.0, 74.0, note="per 100 registered patients over 12 months",
                 **estimate(outcome="gp per 1,000", effects=[row("att", 3.0, 1.3, 19.0, 0.4, 5.6),
                                                             row("relative", 0.056, None, 19.0, 0.008, 0.104)])),
        analysis("outcome", "Ambulance journeys", None, None, None,
                 refused="Refused: 9 of 40 practices have no journeys recorded before October 2021"),
    ]  # fmt: skip
    unit = ((high - low) / 2 + 0.8416 * factor * se) / 2.8
    about, word = f"{abs(est):.0f} fewer", "emergency admissions"
    span = f"{abs(high):.1f} to {abs(low):.1f} fewer"
    finding = {
        "outcome": word, "label": "Emergency admissions", "column": "emergency_admissions", "kind": "count",
        "better": "lower", "subject": "the acute visiting service", "plural": False, "people": "registered patients",
        "base": base, "when": when, "per": per, "chart_per": "per 1,000 registered patients a month",
        "est": est, "lo": low, "hi": high, "se": factor * se, "found_se": unit, "expected": expected, "observed": happened, "w": w,
        "claim": "B", "level": "low", "key_fail": False, "confounded": False, "refused": None, "scale": "identity",
        "percent": {"ratio": 1 + relative[0], "lo": 1 + relative[1], "hi": 1 + relative[2]},
        "avoided": {"est": -216 * att, "lo": -216 * hi, "hi": -216 * lo},
        "procedure": "The likely range comes from how much the practices differ among themselves (CR2, 19.4 degrees of freedom).",
        "interval_note": "Likely range is a 95% interval: of 100 such ranges, 95 would hold the true value.",
        "smallest_p": None, "breakdown": None,
        "sentences": {
            "headline": "The acute visiting service may reduce emergency admissions, but we cannot tell whether by a worthwhile amount",
            "lead": f"About {about} {word} per 100 registered patients, over 12 months (likely range {span}). "
                    f"{expected:.0f} were expected without the pilot; {happened:.0f} happened.",
            "extra": [],
            "percent": f"That is {-100 * relative[0]:.0f}% fewer (likely range {-100 * relative[2]:.0f}% to {-100 * relative[1]:.0f}% fewer)",
            "avoided": f"About {-216 * att:.0f} emergency admissions may have been avoided over 12 months (likely range {-216 * hi:.0f} to {-216 * lo:.0f}).",
            "found": f"This evaluation could have found a fall of {plainly(2.8 * unit)} per 100 or more, four times in five. A fall of {plainly(w)} could have been missed.",
            "chart_title": "The likely range lies below zero, and most of it is worth having",
            "alt": f"Difference in {word} per 100 registered patients: best estimate {abs(est):.1f} fewer, likely range {span}",
            "certainty_line": "Certainty is low: people were not chosen by lot.",
        },
        "can_say": [
            f"“Practices with the service had about {about} emergency admissions per 100 patients than expected.”",
            f"“The true figure is likely to lie between {abs(high):.1f} and {abs(low):.1f} fewer per 100.”",
        ],
        "cannot_say": [
            "“The service cut admissions by 11%.” Much of that fall happened in practices without it too.",
            "“It will work the same elsewhere.” One county, one provider, one year.",
        ],
        "limits": ["Practices chose to join. Those that did may differ in ways that records miss.",
                   "Twelve months are too few to see whether the change lasts."],
    }  # fmt: skip
    certainty = {
        "level": "low",
        "line": "Certainty is low: people were not chosen by lot.",
        "steps": [
            {"code": "A", "cost": 2, "head": "Two steps down:",
             "text": "practices were not chosen by lot. Those supported may have been different in ways records miss."},
            {"code": "P0", "cost": 0, "head": "No step down:",
             "text": "the range leaves out no change, though it cannot tell a small fall from a large one."},
            {"code": "N", "cost": 0, "head": "No step down:", "text": "3 analyses point the same way."},
            {"code": "back", "cost": 0, "head": "None back:", "text": "nobody logged other local changes."},
        ],
    }  # fmt: skip
    decision = {
        "verdict": "Cannot say yet: what a visit costs",
        "because": "The service may help, but no price and no value for an admission have been worked out.",
        "would_change": ["a price is named (then its worth can be weighed)",
                         "a second year narrows the range to one side of a worthwhile fall"],
        "cost": {"text": "£120,000 over the window, in 2024/25 prices; recorded, and not yet weighed."},
    }  # fmt: skip
    checks = [
        check("pre_trend", "Did pilot and comparison move together before the pilot?", "cannot tell",
              "Before the pilot the two differed by amounts that chance alone would give in 61 of 100 comparisons. "
              "The months are too unsteady to rule out a gap as large as a worthwhile effect.",
              table=[{"event_time": e["event_time"], "gap": e["estimate"], "low": e["conf_low_simultaneous"],
                      "high": e["conf_high_simultaneous"]} for e in events if e["event_time"] < -1]),
        check("other_change", "Did anything else change at the same time?", "cannot tell",
              "No log of other local changes was kept or supplied."),
        check("same_coding", "Was the outcome counted in the same way throughout?", "holds",
              "Codes and completeness are unchanged through the window."),
        check("unmeasured", "Could something unrecorded explain the result?", "cannot tell",
              "How far the pilot places would have had to drift away from the others was not worked out."),
        check("as_changeable", "Was the pilot as steady from month to month as the others?", "holds",
              "Before the pilot its variance from month to month was 1.1 times that of the others; more than twice would be a warning.",
              counted=False),
        check("dates", "Does the result depend on the dates chosen?", "doubtful",
              "1 of 6 shifts of up to three periods gives an answer outside the range.", counted=False),
    ]  # fmt: skip
    data = {
        "kind": "panel", "rows_are": "people", "frequency": "month", "unit_noun": "practice", "window": ["April 2021", "March 2023"],
        "start": "April 2022",
        "counts": {"rows": 960, "units": 40, "pilot_units": 12, "comparison_units": 28, "places": 40,
                   "pilot_places": 12, "periods": 24, "events": 25480},
        "flow": [
            {"kind": "in", "n": 1056, "text": "rows read, 44 practices over 24 months"},
            {"kind": "out", "n": 72, "text": "three practices closed inside the window"},
            {"kind": "out", "n": None, "text": "months without a list size"},
            {"kind": "end", "n": 960, "text": "rows analysed: 12 pilot and 28 comparison practices over 24 months"},
        ],
        "left_out": [{"n": 72, "reason": "three practices closed inside the window"},
                     {"n": None, "reason": "months without a list size"}],
        "coercions": ["joined: read as day/month/year", "list_size: 4 numbers with thousands commas"],
    }  # fmt: skip
    study = {
        "title": "Acute visiting service, Eastvale",
        "question": "Did visits by the acute visiting service reduce emergency admissions of people aged 65 or over?",
        "pilot": "Same-day home visits by paramedic practitioners, on request of the GP",
        "population": "Registered patients aged 65+ of 40 practices",
        "comparator": "28 practices in the same county without the service", "by": "Eastvale integrated care team",
        "subject": "the acute visiting service", "plural": False, "people": "registered patients", "example": True,
        "text": STUDY_TEXT, "unused": ["[cost] fixed", "[[outcome]] value"], "method": "did",
        "fingerprints": [{"file": "practices.csv", "sha256": hashlib.sha256(b"practices").hexdigest(), "rows": 1056, "columns": 6}],
    }  # fmt: skip
    released = {
        "profile": "hes2018",
        "suppressed": 1,
        "rounded": 52,
        "log": ["flow: months without a list size"],
    }
    return whole(
        study, finding, certainty, decision, [main, *others, *sensitivity, *dates], checks, data, released
    )


def trust() -> Document:
    """One trust of 127 on the log scale: per cent only, with every other trust's path beside it."""
    rng = np.random.default_rng(1)
    periods = months(7, 24, 2016)
    month = np.arange(24)
    others_n = 126
    size = np.exp(rng.normal(math.log(8000), 0.5, others_n + 1))
    size[0] = 4200
    season = 0.05 * np.cos(2 * np.pi * (month - 6) / 12)
    log = np.log(size)[:, None] + season + rng.normal(0, 0.02, (others_n + 1, 24))
    log += np.cumsum(
        rng.normal(0, 0.012, (others_n + 1, 24)) * rng.choice([1, 1, 1, 3], (others_n + 1, 1)), axis=1
    )
    log[0, 12:] -= 0.15
    change = log[:, 12:].mean(1) - log[:, :12].mean(1)
    att = change[0] - change[1:].mean()
    sd = change[1:].std(ddof=1)
    se = sd * math.sqrt(1 + 1 / others_n)
    lo, hi = att - 1.98 * se, att + 1.98 * se
    centred = log - log[:, [11]]
    sums = centred[1:].sum(0)
    paths = [(centred[j] - (sums - centred[j]) / (others_n - 1)).tolist() for j in range(1, others_n + 1)]
    estimates = [float(change[j] - np.delete(change[1:], j - 1).mean()) for j in range(1, others_n + 1)]
    own = centred[0] - sums / others_n
    step_sd = (centred[1:] - sums / others_n).std(axis=0)
    events, counterfactual = [], []
    for k, (iso, label) in enumerate(periods):
        b, s = float(own[k]), float(step_sd[k])
        if k != 11:
            events.append(
                row("event", b, s, 125.0, b - 1.98 * s, b + 1.98 * s, event_time=k - 12, period=iso,
                    conf_low_simultaneous=b - 2.9 * s, conf_high_simultaneous=b + 2.9 * s)
            )  # fmt: skip
        seen = math.exp(log[0, k])
        counterfactual.append(
            {"period": iso, "label": label, "since": k - 12, "observed": seen, "expected": seen * math.exp(-b),
             "low": seen * math.exp(-b - 1.98 * s), "high": seen * math.exp(-b + 1.98 * s)}
        )  # fmt: skip
    est, low, high = (100 * math.expm1(v) for v in (att, lo, hi))
    larger = sum(abs(v) >= abs(att) for v in estimates)
    half = (high - low) / 2
    unit = (half + 0.8416 * half / 1.96) / 2.8
    main = analysis(
        "primary", "Main analysis", est, low, high,
        **estimate(
            outcome="attendances", scale="log", counterfactual=counterfactual,
            effects=[row("att", att, se, 125.0, lo, hi), row("relative", est / 100, None, 125.0, low / 100, high / 100), *events],
            draws_from="t on 125 degrees of freedom with the spread of the 126 other trusts",
            extras={
                "comparison": [{"period": iso, "label": label, "mean": float(np.exp(log[1:, k]).mean())}
                               for k, (iso, label) in enumerate(periods)],
                "rule": {"procedure": "pooled t", "reason": "one pilot trust: its own spread cannot be measured",
                         "n1": 1, "n0": 126, "places": 127, "sizes_alike": False, "size_ratio": 9.8, "flag_ratio": 0.7,
                         "variance_flag": False, "breakdown_ratio": 1.2, "smallest_p": 1 / 127, "permutations": 127, "df": 125.0},
                "placebo": {"event_time": [k - 12 for k in range(24)], "units": [f"R{j:02X}" for j in range(1, 127)],
                            "paths": paths, "estimates": estimates},
            },
        ),
    )  # fmt: skip
    sens = analysis(
        "sensitivity", "July 2016 to March 2019", est * 0.9, low * 0.95, high + 1.0, note="the whole file"
    )
    size_text = f"{abs(est):.0f}% fewer (likely range {abs(high):.0f}% to {abs(low):.0f}% fewer)"
    finding = {
        "outcome": "A&E attendances", "label": "A&E attendances", "column": "attendances", "kind": "count",
        "better": "lower", "subject": "the overnight closure", "plural": False, "people": "people", "base": None,
        "when": "", "per": "%", "chart_per": "a month", "est": est, "lo": low, "hi": high, "se": None, "found_se": unit,
        "expected": None, "observed": None, "w": 5.0, "claim": "B", "level": "very low", "key_fail": False, "confounded": False, "refused": None,
        "scale": "log", "percent": {"ratio": 1 + est / 100, "lo": 1 + low / 100, "hi": 1 + high / 100}, "avoided": None,
        "procedure": "One pilot trust is set against the spread of the 126 others (pooled t, 125 degrees of freedom).",
        "interval_note": "It assumes that the pilot trust is by nature as changeable as the others.",
        "smallest_p": 1 / 127, "breakdown": 1.2,
        "sentences": {
            "headline": "It is very uncertain whether the overnight closure changed A&E attendances",
            "lead": f"About {size_text}, in the typical month.",
            "extra": ["This analysis is of ratios, so it gives per cent and no numbers avoided."],
            "percent": "", "avoided": "",
            "found": f"This evaluation could have found a fall of {plainly(2.8 * unit)}% or more, four times in five. A fall of 5% could have been missed.",
            "chart_title": "The likely range lies below zero, and most of it is worth having",
            "alt": f"Difference in A&E attendances: best estimate {size_text}",
            "certainty_line": "Certainty is very low: the trust was not chosen by lot, and few places had the pilot.",
        },
        "can_say": [f"“Attendances were about {size_text.split(' (')[0]} than the other trusts would suggest.”"],
        "cannot_say": ["“The closure had no effect on other trusts.” They were not looked at here."],
        "limits": ["One trust can show what happened there, not what the same closure would do elsewhere.",
                   "Anything else that changed in that trust in the same months is part of the figure."],
    }  # fmt: skip
    certainty = {
        "level": "very low", "line": "Certainty is very low: the trust was not chosen by lot, and few places had the pilot.",
        "steps": [
            {"code": "A", "cost": 2, "head": "Two steps down:", "text": "the trust was not chosen by lot. It may have been different in ways records miss."},
            {"code": "F", "cost": 1, "head": "One step down:", "text": "1 pilot place and 126 others. The finding stands only if the pilot place is by nature less than 1.2 times as changeable."},
            {"code": "N", "cost": 0, "head": "No step down:", "text": "1 analysis points the same way."},
        ],
    }  # fmt: skip
    checks = [
        check("pre_trend", "Did pilot and comparison move together before the pilot?", "cannot tell",
              "Before the pilot the two differed by amounts that chance alone would give in 38 of 100 comparisons. "
              "The months are too unsteady to rule out a gap as large as a worthwhile effect."),
        check("other_change", "Did anything else change at the same time?", "holds", "The log of local events names no other change within 6 months of the start."),
        check("placebo_units", "Do places without the pilot show changes as large?", "holds",
              f"{larger} of 126 places without the pilot show a change at least as large, up or down.", counted=False),
    ]  # fmt: skip
    data = {
        "kind": "panel", "rows_are": "organisations", "frequency": "month", "window": ["July 2016", "June 2018"],
        "start": "July 2017",
        "counts": {"rows": 3048, "units": 127, "pilot_units": 1, "comparison_units": 126, "places": 127, "pilot_places": 1, "periods": 24},
        "flow": [{"kind": "in", "n": "4,680", "text": "rows read"}, {"kind": "out", "n": "1,632", "text": "outside the window, or neighbours of the closed trust"},
                 {"kind": "end", "n": "3,048", "text": "rows analysed: 1 pilot and 126 comparison trusts over 24 months"}],
        "left_out": [], "coercions": [],
    }  # fmt: skip
    study = {
        "title": "Overnight closure of one A&E department", "question": "Did the overnight closure change attendances?",
        "pilot": "Closed from 22:00 to 08:00 from 4 July 2017", "population": "Type 1 departments of 127 trusts",
        "comparator": "126 trusts that did not close", "by": "A regional analysis team", "subject": "the overnight closure",
        "plural": False, "people": "people", "example": False, "unused": [], "method": "did",
        "fingerprints": [{"file": "trust_month.csv", "sha256": hashlib.sha256(b"trust").hexdigest(), "rows": 4680, "columns": 7}],
    }  # fmt: skip
    decision = {
        "verdict": "Cannot say yet: price and value are missing",
        "because": "Fewer attendances at this trust may have moved to its neighbours, which were not analysed.",
        "would_change": ["the neighbours’ attendances are analysed together with this trust’s"], "cost": None,
    }  # fmt: skip
    return whole(study, finding, certainty, decision, [main, sens], checks, data)


def hub() -> Document:
    """A monthly series with two winters and more before: could not tell."""
    rng = np.random.default_rng(3)
    periods = months(4, 48, 2019)
    month = np.arange(48)
    noise = np.zeros(48)
    for k in range(1, 48):
        noise[k] = 0.4 * noise[k - 1] + rng.normal(0, 0.32)
    line = 9.2 + 0.012 * month + 0.9 * np.cos(2 * np.pi * (month - 9) / 12)
    seen = line + noise - 0.15 * (month >= 36)
    half = 0.25 + 0.035 * np.clip(month - 34, 0, None)
    counterfactual = [
        {"period": iso, "label": label, "since": k - 36, "observed": float(seen[k]), "expected": float(line[k]),
         "low": float(line[k] - half[k]), "high": float(line[k] + half[k])}
        for k, (iso, label) in enumerate(periods)
    ]  # fmt: skip
    average = float((seen - line)[36:].mean())
    lo, hi, se = average - 0.62, average + 0.62, 0.28
    expected, happened = float(line[36:].mean()), float(seen[36:].mean())
    fakes = [
        {"period": periods[k][0], "label": periods[k][1], "start": periods[k][1], "level_change": float(v),
         "conf_low": float(v) - 0.8, "conf_high": float(v) + 0.8, "average": float(v) / 2}
        for k, v in zip(range(6, 31), rng.normal(0, 0.35, 25), strict=True)
    ]  # fmt: skip
    main = analysis(
        "primary", "Main analysis", average, lo, hi,
        **estimate(
            method="its", estimand="average effect after the start", outcome="admissions per 1,000", counterfactual=counterfactual,
            effects=[row("average", average, se, 11.2, lo, hi), row("level_change", -0.22, 0.31, 14.0, -0.88, 0.44),
                     row("slope_change", 0.012, 0.05, 9.1, -0.1, 0.12), row("cumulative", average * 2400, se * 2400, 11.2, lo * 2400, hi * 2400),
                     row("relative", average / expected, None, 11.2, lo / expected, hi / expected)],
            draws_from="REML AR(1), Kenward-Roger, 11.2 degrees of freedom",
            warnings=["The pandemic months from March 2020 to June 2021 are inside the window and have a column each."],
            extras={
                "rho": 0.41, "n": 48, "before": 36, "after": 12, "df": {"average": 11.2, "level_change": 14.0},
                "season": {"name": "fourier-2", "harmonics": 2, "why": "36 months before the start hold each time of year three times", "separable": True},
                "residuals": rng.normal(0, 0.3, 47).tolist(), "ljung_box": {"statistic": 9.31, "lags": 12, "p_value": 0.676},
                "route": {"average": "kenward-roger", "level_change": "kenward-roger", "slope_change": "rho-averaged"},
                "as_ar1": {"average": {"conf_low": lo - 0.1, "conf_high": hi + 0.12}, "level_change": {"conf_low": -0.95, "conf_high": 0.5}},
                "placebo_dates": fakes,
            },
        ),
    )  # fmt: skip
    sensitivity = [
        analysis("sensitivity", "One harmonic for the season", average + 0.06, lo + 0.02, hi + 0.1),
        analysis("sensitivity", "Three months to build up, left out", average - 0.1, lo - 0.2, hi - 0.05),
    ]
    span = f"{abs(lo):.1f} fewer to {hi:.1f} more"
    unit = 200 * ((hi - lo) / 2 + 0.8416 * se) / 2.8
    finding = {
        "outcome": "emergency admissions", "label": "Emergency admissions", "column": "admissions", "kind": "count",
        "better": "lower", "subject": "the clinical hub", "plural": False, "people": "residents", "base": None, "when": "",
        "per": "a month", "chart_per": "per 1,000 residents a month", "est": average * 200, "lo": lo * 200, "hi": hi * 200,
        "se": se * 200, "found_se": unit, "expected": expected * 200, "observed": happened * 200, "w": 0.05 * expected * 200, "claim": "U",
        "level": "very low", "key_fail": False, "confounded": False, "refused": None, "scale": "identity",
        "percent": {"ratio": 1 + average / expected, "lo": 1 + lo / expected, "hi": 1 + hi / expected}, "avoided": None,
        "procedure": "The range allows for season, slope and the carry-over from one month to the next (REML AR(1), Kenward-Roger).",
        "interval_note": "Likely range is a 95% interval, explained here once.", "smallest_p": None, "breakdown": None,
        "sentences": {
            "headline": "We could not tell whether the clinical hub changed emergency admissions",
            "lead": f"The area had {happened * 200:,.0f} emergency admissions a month; {expected * 200:,.0f} were expected. "
                    f"That is about {abs(average) * 200:.0f} fewer, but the truth could be anything from {abs(lo) * 200:.0f} fewer to {hi * 200:.0f} more.",
            "extra": ["This is not evidence that the service makes no difference."],
            "percent": f"That is {-100 * average / expected:.0f}% fewer (likely range {-100 * lo / expected:.0f}% fewer to {100 * hi / expected:.0f}% more)",
            "avoided": f"We cannot say how many emergency admissions were avoided: the range runs from {-lo * 2400:,.0f} fewer to {hi * 2400:,.0f} more.",
            "found": f"This evaluation could have found a fall of {plainly(2.8 * unit)} a month or more, four times in five. A fall of {plainly(0.05 * expected * 200)} could have been missed.",
            "chart_title": "The likely range covers a worthwhile fall and no difference",
            "alt": f"Difference in emergency admissions per 1,000 residents a month: best estimate {abs(average):.1f} fewer, likely range {span}",
            "certainty_line": "Certainty is very low: there was nothing chosen by lot, and the range is wide.",
        },
        "can_say": ["“The series does not settle whether the hub changed admissions.”"],
        "cannot_say": ["“The hub made no difference.” The range holds a worthwhile fall."],
        "limits": ["There is one series and nothing beside it. Anything else that changed in the same month looks like the hub."],
    }  # fmt: skip
    for entry in (main, *sensitivity):
        for name in ("est", "lo", "hi"):
            entry[name] *= 200
    certainty = {
        "level": "very low", "line": "Certainty is very low: the area was not chosen by lot, and the range is wide.",
        "steps": [
            {"code": "A", "cost": 2, "head": "Two steps down:", "text": "the area was not chosen by lot. It may have been different in ways records miss."},
            {"code": "K", "cost": 0, "head": "No step down, but none back:", "text": "whether the outcome was counted in the same way throughout is in doubt."},
            {"code": "P1", "cost": 1, "head": "One step down:", "text": f"the range runs from {abs(lo) * 200:.0f} fewer to {hi * 200:.0f} more."},
            {"code": "N", "cost": 0, "head": "No step down:", "text": "2 analyses point the same way."},
        ],
    }  # fmt: skip
    checks = [
        check("season", "Can the time of year be told from the effect?", "holds", "36 months before the start hold each time of year three times."),
        check("other_change", "Did anything else change at the same time?", "fails", "A same-day emergency care unit opened on 1 April 2022. It acts on the same outcome from the same month, so the two cannot be told apart."),
        check("same_coding", "Was the outcome counted in the same way throughout?", "doubtful", "A zero-day stay was coded as an admission from October 2021; both readings are given."),
        check("residuals", "Is what the model leaves over free of pattern?", "holds", "After season, trend and carry-over from one period to the next, no pattern was found.", counted=False),
        check("placebo_dates", "Do dates on which nothing happened show changes as large?", "doubtful",
              "13 of 25 earlier dates, on which nothing happened, show a step at least as large.", counted=False),
    ]  # fmt: skip
    data = {
        "kind": "series", "rows_are": "organisations", "frequency": "month", "window": ["April 2019", "March 2023"], "start": "April 2022",
        "counts": {"rows": 48, "periods": 48, "before": 36, "after": 12},
        "flow": [{"kind": "in", "n": 48, "text": "rows read"}, {"kind": "end", "n": 48, "text": "months analysed: 36 before the start and 12 after"}],
        "left_out": [], "coercions": ["month: read as “April 2019”"],
    }  # fmt: skip
    study = {
        "title": "Clinical hub, Northmoor", "question": "Did the hub change emergency admissions?", "pilot": "A clinical hub for urgent calls",
        "population": "200,000 residents of Northmoor", "comparator": "", "by": "Northmoor system board", "subject": "the clinical hub",
        "plural": False, "people": "residents", "example": True, "unused": [], "method": "its",
        "fingerprints": [{"file": "northmoor.xlsx", "sha256": hashlib.sha256(b"hub").hexdigest(), "rows": 48, "columns": 3}],
    }  # fmt: skip
    decision = {
        "verdict": "Cannot say yet: a likely range on one side of no change",
        "because": "We could not tell if emergency admissions changed.",
        "next_steps": ["Go on counting while the hub continues, so that the range narrows.",
                       "Ask for more places before more months: one place cannot tell the hub from local events."],
        "would_change": ["another year narrows the range", "a similar area without a hub is set beside it"], "cost": None,
    }  # fmt: skip
    return whole(study, finding, certainty, decision, [main, *sensitivity], checks, data)


def winter() -> Document:
    """Weekly, one winter before the change: refused, with no likely range and no sensitivity analysis."""
    rng = np.random.default_rng(8)
    weeks = np.arange(60)
    seen = 13600 + 650 * np.cos(2 * np.pi * (weeks - 40) / 52.18) + rng.normal(0, 120, 60)
    first = 738611  # 31 March 2023 less 52 weeks, as a day number
    import datetime as dt

    periods = [dt.date.fromordinal(first - 175 + 7 * int(k)) for k in weeks]
    counterfactual = [
        {"period": day.isoformat(), "label": f"week from {day.day} {NAMES[day.month - 1]} {day.year}", "since": int(k) - 30,
         "observed": float(seen[k]) if k != 44 else None, "expected": None, "low": None, "high": None}
        for k, day in enumerate(periods)
    ]  # fmt: skip
    years = [{"years": 1, "start": "week from 20 December 2023", "percent": -0.025, "low": None, "high": None},
             {"years": 2, "start": "week from 18 December 2024", "percent": 0.036, "low": None, "high": None}]  # fmt: skip
    reason = "one winter before the change cannot separate season from effect"
    main = analysis(
        "primary", "Main analysis", None, None, None,
        **estimate(method="its", estimand="average effect after the start", outcome="still_in_hospital", counterfactual=counterfactual,
                   effects=[row("average", -2900.0, None, None, None, None)],
                   warnings=["One area ends on 31 August 2023; the 41 that go on throughout are used."],
                   extras={"season": {"name": "none", "harmonics": 0, "why": "30 weeks before the start hold no time of year twice", "separable": False},
                           "before": 30, "after": 30, "n": 60, "rho": None, "ljung_box": {"statistic": None, "lags": None, "p_value": None}}),
    )  # fmt: skip
    finding = {
        "outcome": "people fit to leave and still in hospital", "label": "People fit to leave and still in hospital", "column": "still_in_hospital",
        "kind": "count", "better": "lower", "subject": "the discharge funds", "plural": True, "people": "people", "base": None,
        "when": "", "per": "a day", "chart_per": "a day, mean of the week", "est": None, "lo": None, "hi": None, "se": None, "found_se": None,
        "expected": None, "observed": None, "w": None, "claim": None, "level": "very low", "key_fail": True, "confounded": True, "refused": reason,
        "scale": "identity", "percent": None, "avoided": None, "procedure": "", "interval_note": "", "smallest_p": None, "breakdown": None,
        "sentences": {
            "headline": f"We cannot give a likely range for people fit to leave and still in hospital: {reason}",
            "lead": "The funds began in the week in which the number falls in every year.",
            "extra": ["Nobody agreed, before the data were seen, how large a change would be worth having."],
            "percent": "", "avoided": "", "found": "", "chart_title": "", "alt": "", "certainty_line": "",
        },
        "can_say": [], "cannot_say": ["“The funds cut the number by a fifth.” The same weeks of other years fall too."], "limits": [],
    }  # fmt: skip
    certainty = {
        "level": "very low", "line": "Certainty is very low: a check fails.",
        "steps": [
            {"code": "A", "cost": 2, "head": "Two steps down:", "text": "places were not chosen by lot."},
            {"code": "K", "cost": 1, "head": "One step down:", "text": "Can the time of year be told from the effect? It fails."},
        ],
    }  # fmt: skip
    checks = [
        check("season", "Can the time of year be told from the effect?", "fails", "30 weeks before the start hold one winter only."),
        check("placebo_years", "Does the same break in other years show a change as large?", "cannot tell",
              "With the break moved: one year later (week from 20 December 2023): 2.5% fewer; 2 years later (week from 18 December 2024): 3.6% more. Too few years to judge by.",
              table=years, counted=False),
    ]  # fmt: skip
    data = {
        "kind": "series", "rows_are": "organisations", "frequency": "week", "window": [counterfactual[0]["label"], counterfactual[-1]["label"]],
        "start": counterfactual[30]["label"], "counts": {"rows": 60, "periods": 60, "before": 30, "after": 30},
        "flow": [{"kind": "in", "n": 51727, "text": "rows read"}, {"kind": "end", "n": 60, "text": "weeks analysed: 30 before the start and 30 after"}],
        "left_out": [], "coercions": [],
    }  # fmt: skip
    study = {
        "title": "Discharge funds, England", "question": "Did the funds change the number still in hospital?", "pilot": "The discharge funds of one winter",
        "population": "All acute trusts in 41 areas", "comparator": "", "by": "", "subject": "the discharge funds", "plural": True,
        "people": "people", "example": False, "unused": [], "method": "its",
        "fingerprints": [{"file": "nctr_daily.csv", "sha256": hashlib.sha256(b"a").hexdigest(), "rows": 51727, "columns": ["icb22_code", "date", "n"]},
                         {"file": "discharges_daily.csv", "sha256": hashlib.sha256(b"b").hexdigest(), "rows": 51727, "columns": 5}],
    }  # fmt: skip
    decision = {
        "verdict": "Cannot say yet: a likely range",
        "because": f"We cannot tell: {reason}.",
        "would_change": [],
        "cost": None,
    }
    return whole(study, finding, certainty, decision, [main], checks, data)


HOSTILE = (
    "<script>alert(1)</script>",
    "=1+1",
    '"><img src=x onerror=alert(1)>',
    "$x^2$ </style><b>",
    "Leicester & Rutland\u202e",
)


def hostile() -> Document:
    """The practices again, with every name and text a trap."""
    document = copy.deepcopy(practices())
    script, formula, image, style, place = HOSTILE
    study, finding = document["study"], document["finding"]
    study.update(
        title=style,
        pilot=script,
        population=image,
        comparator=formula,
        by=place,
        people=script,
        text=f"x = '{style}'\n{script}",
    )
    study["fingerprints"][0]["file"] = formula
    study["unused"] = [image]
    finding.update(
        label=script, outcome=script, column=formula, chart_per=f"per {image}", per=f"per 100 {place}"
    )
    finding["sentences"].update(
        headline=script, lead=f"About 2 fewer {script} {image}", alt=image, chart_title=style, found=script
    )
    finding["can_say"] = [script]
    document["decision"].update(verdict=script, because=image)
    document["estimates"][0]["outcome"] = script
    for entry in document["estimates"]:
        entry["label"] = f"{entry['label']} {script}"
    for k, line in enumerate(document["estimates"][0]["counterfactual"]):
        line["label"] = f"{formula} {k}"
        line["period"] = f"{formula} {k}"
    for k, line in enumerate(document["estimates"][0]["extras"]["comparison"]):
        line["period"] = f"{formula} {k}"
    document["checks"][0]["table"][0][script] = image
    document["data"]["frequency"] = style
    document["data"]["window"] = [formula, script]
    document["data"]["flow"][0]["text"] = image
    return document


@cache
def _waves() -> Document:
    from ucimpact.data.examples import folder
    from ucimpact.evaluation import evaluate
    from ucimpact.study import read_study

    return serialise.plain(evaluate(read_study(folder("acute_visiting_staggered") / "study.toml")).to_dict())


def waves() -> Document:
    """The example of practices that join one after another, as it is evaluated."""
    return copy.deepcopy(_waves())


DOCUMENTS: dict[str, Callable[[], Document]] = {
    "waves": waves,
    "practices": practices,
    "trust": trust,
    "hub": hub,
    "winter": winter,
    "hostile": hostile,
    **COHORTS,
}
