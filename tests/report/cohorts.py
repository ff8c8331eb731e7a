"""Evaluation documents of people-level studies, by hand: sentences from ``ucimpact.words``, numbers that agree.

``visits``: a matched cohort with a benefit. ``volunteers``: one that could not tell. ``frailty``: more
admissions than expected. ``unlike``: a comparison that does not pass its checks. ``befriending``: own
clients only, before and after. ``discharges``: trials by day since discharge, with every picture.
"""

from __future__ import annotations

import hashlib
from typing import Any

import cohort_parts
from parts import Document, analysis, check, estimate, row, whole

from ucimpact import words

HORIZON = 90
OWN_WORDS = {
    "soft-landing visits": ("Soft-landing visits after discharge, Merebridge", "Merebridge Neighbours"),
    "our volunteers": ("Welcome-home volunteers after discharge, Saltby", "Saltby Welcome Home"),
    "the frailty clinic": ("Frailty clinic, Northmoor", "Northmoor Care"),
    "the falls service": ("Falls service, Harle", "Harle Steady"),
}
COVARIATES = (
    ("age", "Age", 81.2, 77.9, 81.1, 0.41, 0.01, 1.02),
    ("woman", "Women", 0.57, 0.53, 0.572, 0.08, -0.004, None),
    ("deprived", "Most deprived fifth of areas", 0.24, 0.32, 0.243, -0.19, -0.007, None),
    ("frailty", "Frailty score", 6.4, 5.1, 6.35, 0.36, 0.02, 1.06),
    ("admissions_before", "Emergency admissions in the 90 days to discharge", 1.41, 1.215, 1.41, 0.21, 0.0, 1.01),
    ("nights", "Nights in hospital, this stay", 8.4, 6.2, 8.2, 0.27, 0.03, 1.08),
)  # fmt: skip


def balance(spoilt: bool = False) -> list[Document]:
    """Rows of the balance table; ``spoilt`` leaves one measure unlike after matching."""
    names = (
        "name", "label", "pilot", "comparison_before", "comparison", "smd_before", "smd", "variance_ratio",
    )  # fmt: skip
    rows = [{**dict(zip(names, values, strict=True)), "ks": 0.04} for values in COVARIATES]
    if spoilt:
        rows[3] |= {"comparison": 5.4, "smd": 0.31}
    return rows


def cohort_document(
    subject: str = "soft-landing visits",
    plural: bool = True,
    *,
    est: float | None = -5.3,
    lo: float | None = -9.9,
    hi: float | None = -0.7,
    w: float | None = 4.0,
    observed: float = 32.8,
    level: str = "low",
    key_fail: bool = False,
    refused: str | None = None,
    price: float = 230.0,
    supported: int = 1275,
    analysed: int = 1240,
    similar: int = 3720,
    outcome: str = "emergency admissions",
    better: str = "lower",
    kind: str = "count",
) -> Document:
    """A matched cohort per 100 people over 90 days, with money in three columns."""
    title, by = OWN_WORDS.get(subject, (f"{words.capital(subject)}, Westow", "Westow Together"))
    usable = est is not None and lo is not None and hi is not None
    code = words.claim(est, lo, hi, w, better) if usable else None
    expected = observed - est if est is not None else None
    se = (hi - lo) / 3.92 if usable else None
    per, when = f"per 100 people supported over {HORIZON} days", f", over {HORIZON} days"
    effect = {"est": est, "lo": lo, "hi": hi, "w": w}
    finding: Document = {
        "outcome": outcome, "label": words.capital(outcome), "column": "admissions_90d", "kind": kind, "better": better,
        "proxy": False, "subject": subject, "plural": plural, "people": "people supported", "base": 100, "per": per, "when": when,
        "time": "in the year", "chart_per": per, "scale": "identity", **effect, "se": se, "found_se": se, "expected": expected,
        "observed": observed, "observed_events": None, "claim": code, "level": level, "refused": refused, "key_fail": key_fail,
        "confounded": False, "percent": None, "avoided": None, "procedure": "cluster-robust t on the matched sets",
        "interval_note": words.LIKELY_RANGE, "p_value": None, "smallest_p": None, "breakdown": None, "n1": None, "n0": None,
        "one_place": False,
        "naive": {"design": "comparison", "before": 141.0, "after": observed, "change": (observed - 141.0) / 141.0,
                  "expected_after": expected, "share": None if expected is None else (141.0 - expected) / (141.0 - observed)},
    }  # fmt: skip
    checks = [
        check("balance", "Were the two groups alike at the start?", "fails" if key_fail else "holds",
              "After matching the groups still differ on frailty score, by 0.31 standard deviations." if key_fail
              else "After matching no measure differs by more than 0.03 standard deviations."),
        check("clock", "Did the clock start on the same day for both?", "holds", "Both are counted from the day of discharge."),
        check("negative_controls", "Did things change that the service cannot change?", "cannot tell",
              "Two outcomes that the service cannot change were looked at; three are needed."),
        check("other_change", "Did anything else change at the same time?", "doubtful", "A virtual ward opened, 1 October 2025. How much it did is not known."),
        check("same_coding", "Was the outcome counted in the same way throughout?", "holds", "Codes and completeness are declared unchanged over the period."),
        check("unmeasured", "Could something unrecorded explain the result?", "doubtful",
              "Something unrecorded that made both service and admission 1.6 times as likely could explain the estimate; 1.2 times would bring the range to no change."),
    ]  # fmt: skip
    if key_fail:
        finding["sentences"] = _sentences(finding, checks)
    else:
        finding["sentences"] = _sentences(finding, [])
        if (
            usable
            and code in (*words.BENEFIT, *words.HARM)
            and est is not None
            and lo is not None
            and hi is not None
        ):
            finding["avoided"] = {"est": -12.4 * est, "lo": -12.4 * hi, "hi": -12.4 * lo}
            finding["sentences"]["avoided"] = words.avoided(
                -12.4 * est,
                -12.4 * hi,
                -12.4 * lo,
                outcome,
                level,
                code,
                "in the year",
                better=better,
                kind=kind,
            )
    finding |= {"can_say": words.can_say(finding), "limits": [],
                "cannot_say": words.cannot_say({**finding, "valued": usable and not key_fail}, naive=(observed - 141.0) / 141.0)}  # fmt: skip
    relative = [v / expected for v in (est, lo, hi)] if usable and expected else None
    effects = (
        [row("att", est / 100, se / 100, 1239.0, lo / 100, hi / 100)] if usable and est is not None else []
    )
    if relative and est is not None and lo is not None and hi is not None and se is not None:
        effects += [
            row("cumulative", 12.4 * est, 12.4 * se, 1239.0, 12.4 * lo, 12.4 * hi),
            row("relative", relative[0], None, 1239.0, relative[1], relative[2]),
            row("rate_ratio", 1 + relative[0], None, 1239.0, 1 + relative[1], 1 + relative[2]),
        ]
    counts: Document = {
        "rows": 12735, "persons": 12735, "pilot": supported, "comparison": 11460, "matched_pilot": analysed,
        "matched_comparison": similar, "sets": analysed, "events_pilot": 405, "events_comparison": 1415,
    }  # fmt: skip
    main = analysis(
        "primary", "Main analysis", est, lo, hi, kind=kind,
        **estimate(
            method="matched-cohort", outcome="admissions_90d", effects=effects, counts={**counts, "left_out": []},
            draws_from="t on 1,239 degrees of freedom, errors clustered on the matched set",
            spec={"outcome": "admissions_90d", "exact": ["hospital", "month"], "covariates": [name for name, *_ in COVARIATES],
                  "distance": "logit", "caliper": 0.2, "ratio": 3, "replace": False, "family": "poisson", "adjust": True, "level": 0.95},
            extras={"observed": observed / 100, "expected": None if expected is None else expected / 100, "horizon": float(HORIZON),
                    "balance": balance(key_fail), "max_smd": 0.31 if key_fail else 0.03,
                    "audit": {"sets": analysed, "exact": 2, "caliper": 0.2, "reused": 0},
                    "e_value": {"estimate": 1.6, "limit": 1.2}, "delay": None, "df": 1239.0, "rule": {}},
        ),
    )  # fmt: skip
    lost = {
        "n": supported - analysed, "pilot": supported,
        "differ": [{"name": "age", "label": "Age", "lost": 91.4, "matched": 81.2}],
    }  # fmt: skip
    data = {
        "kind": "cohort", "rows_are": "people", "frequency": None, "window": None, "start": None,
        "counts": counts,
        "flow": [
            {"kind": "in", "n": 12770, "text": "rows read"},
            {"kind": "out", "n": 35, "text": "no hospital record found"},
            {"kind": "in", "n": supported, "text": "people supported"},
            {"kind": "out", "n": supported - analysed, "text": "nobody similar enough to compare with"},
            {"kind": "end", "n": analysed, "text": f"people analysed, with {similar:,} similar people"},
        ],
        "left_out": [{"n": 35, "reason": "no hospital record found"}],
        "coercions": ["index_date: read as day/month/year", "hospital_cost: 212 cells with £ and commas"],
        "cohort": {"balance": balance(key_fail), "lost": lost, "max_smd": 0.31 if key_fail else 0.03},
    }  # fmt: skip
    certainty = {
        "level": level,
        "line": words.certainty_line(level, ["A", "K-fails"] if key_fail else ["A", "P2"] if code == "X" else ["A"]),
        "steps": [{"code": "A", "cost": 2, "head": "Two steps down:",
                   "text": "people were not chosen by lot. Those supported may have been different in ways records miss."},
                  {"code": "P0", "cost": 0, "head": "No step down:", "text": words.step("P0").removeprefix("No step down: ")}],
    }  # fmt: skip
    verdict, because = (
        "Extend with evaluation, at £180 a person or less",
        "The range is wide. A second year of evidence is worth about £20,000 and costs £6,000.",
    )
    if not usable or key_fail:
        verdict, because = "Cannot say yet: a likely range", ""
    elif code in words.HARM:
        verdict, because = "Stop at this price", "About 5 more per 100, worth −£141 a person against £230."
    decision = {
        "verdict": verdict, "because": because,
        "next_steps": [] if usable and not key_fail and code not in words.HARM else words.next_steps(
            code, level, subject=subject, outcome=outcome, better=better, plural=plural, key_fail=key_fail, refused=refused,
            se=se, w=w, unit="per 100"),
        "would_change": ["the price rose above £180 (stop)."] if usable and not key_fail else [],
        "cost": {"text": f"The pilot cost {words.money(price * supported)}: {words.per_person(price)} for each of {supported:,} people, in 2024/25 prices."},
    }  # fmt: skip
    sensitivity = [] if not usable or est is None or lo is None or hi is None else [
        analysis("sensitivity", "One similar person each", est * 1.1, lo * 1.2, hi + 0.4),
        analysis("sensitivity", "Without adjustment after matching", est * 0.96, lo * 1.02, hi + 0.1),
    ]  # fmt: skip
    others = [] if not usable else [
        analysis("outcome", "Bed days", -60.0, -131.0, 11.0,
                 **estimate(method="matched-cohort", outcome="bed_days", effects=[row("relative", -0.1, None, 1239.0, -0.22, 0.02)])),
    ]  # fmt: skip
    document = whole(_study(title, by, subject, plural), finding, certainty, decision, [main, *others, *sensitivity],
                     checks, data, {"profile": "hes2018", "suppressed": 0, "rounded": 12, "log": []})  # fmt: skip
    document["valuation"] = _valuation(price, supported, usable and not key_fail, est, lo, hi)
    return document


def _study(title: str, by: str, subject: str, plural: bool, method: str = "matched-cohort") -> Document:
    return {
        "title": title, "question": "Did emergency admissions within 90 days of going home change?",
        "pilot": f"{words.capital(subject)} in the first weeks at home", "population": "People aged 65 or over, home after an emergency stay",
        "comparator": "People going home from the same hospitals in the same months, not supported", "by": by, "subject": subject,
        "plural": plural, "people": "people supported", "example": True, "unused": [], "method": method,
        "fingerprints": [{"file": "discharges.xlsx", "sha256": hashlib.sha256(title.encode()).hexdigest(), "rows": 12770, "columns": 18}],
    }  # fmt: skip


def _sentences(finding: Document, failing: list[Document]) -> Document:
    about = {"subject": finding["subject"], "outcome": finding["outcome"]}
    effect = {name: finding[name] for name in ("est", "lo", "hi", "w")}
    kind, better = finding["kind"], finding["better"]
    said: Document = {
        "headline": words.headline(**about, **effect, level=finding["level"], better=better, plural=finding["plural"],
                                   key_fail=finding["key_fail"], refused=finding["refused"]),
        "extra": [], "percent": None, "avoided": None, "found": None, "chart_title": None, "alt": None,
    }  # fmt: skip
    if finding["refused"] or finding["key_fail"]:
        failed = [c["text"] for c in failing if c["answer"] == "fails"]
        said["lead"] = " ".join(failed) or f"{words.capital(finding['refused'])}."
        return said
    shared = {
        name: finding[name] for name in ("outcome", "est", "lo", "hi", "w", "kind", "observed", "expected")
    }
    if finding["lo"] <= 0 <= finding["hi"]:
        when = finding["when"].removeprefix(",")
        said["lead"] = words.lead_unclear(**shared, base=100, who=finding["people"], when=when)
        said["extra"] = [words.NOT_EVIDENCE]
    else:
        said["lead"] = words.lead(
            **shared, base=100, who=finding["people"], when=finding["when"], without=finding["subject"]
        )
    said["chart_title"] = words.title(**effect, better=better)
    said["alt"] = words.alt(finding["outcome"], 100, **effect, who=finding["people"], kind=kind)
    said["found"] = words.found(finding["found_se"], finding["w"], 100, better=better, kind=kind)
    return said


def _valuation(
    price: float, people: int, usable: bool, est: float | None, lo: float | None, hi: float | None
) -> Document:
    """Money as ``Valuation.to_dict()`` gives it: one outcome, an admission at £2,711 or 6 bed days at £345."""
    cost = {
        "total": price * people,
        "fixed": 0.0,
        "per_person": price,
        "people": people,
        "price_year": "2024/25",
    }
    empty: Document = {
        "counted": "economic", "columns": {}, "outcomes": [], "cost": cost, "net": None, "per_pound": None, "cost_per_event": None,
        "break_even": None, "draws": [], "price_at_rule": None, "sd": None, "evsi": None, "sources": [], "notes": [],
        "not_worked_out": "there is no likely range",
    }  # fmt: skip
    if not usable or est is None or lo is None or hi is None:
        return empty

    def column(each: float, note: str | None = None, **more: Any) -> Document:
        best, low, high = (-each * v / 100 + 0.0 for v in (est, hi, lo))
        return {
            "value": best * people, "low": low * people, "high": high * people, "chance": 0.28 if each else 0.0,
            "per_person": best, "per_person_low": low, "per_person_high": high, "note": note, "units": None, "unit": None,
            "unit_price": None, **more,
        }  # fmt: skip

    days = [-0.06 * v * people for v in (est, hi, lo)]
    economic = column(2711.0)
    totals = [economic[name] for name in ("value", "low", "high")]
    return empty | {
        "columns": {
            "cash": column(0.0, "the hospital contract is fixed"),
            "capacity": column(2070.0, units=days[0], units_low=days[1], units_high=days[2], unit="bed day", unit_price=345.0),
            "economic": economic,
        },
        "outcomes": [{"label": "Emergency admissions", "column": "admissions_90d", "kind": "count", "change": est * people / 100,
                      "low": lo * people / 100, "high": hi * people / 100, "cash": 0.0, "capacity": -20.7 * est * people,
                      "economic": totals[0], "unit_cost": 2711.0, "item": "Emergency admission", "source": "National Cost Collection 2024/25"}],
        "net": dict(zip(("value", "low", "high"), (v - cost["total"] for v in totals), strict=True)),
        "per_pound": dict(zip(("value", "low", "high"), (v / cost["total"] for v in totals), strict=True)),
        "cost_per_event": {"defined": False, "text": "Cost per emergency admission avoided: not defined, because the likely range includes no change.",
                           "event": "emergency admission"},
        "break_even": {"price": price, "base": 100, "effect": 100 * price / 2711.0, "worth": economic["per_person"],
                       "rows": [{"label": "Full average cost of each emergency admission", "per_event": 2711.0, "events_per_100": 100 * price / 2711.0}]},
        "draws": [totals[1] + (totals[2] - totals[1]) * k / 19 - cost["total"] for k in range(20)],
        "price_at_rule": 107.0, "sd": 60.0, "evsi": 20000.0, "sources": ["Emergency admission £2,711: National Cost Collection 2024/25."],
        "notes": [words.ADDED], "not_worked_out": None,
    }  # fmt: skip


def visits() -> Document:
    """A benefit, worthwhile or not unknown."""
    return cohort_document()


def volunteers() -> Document:
    """Too few people to tell."""
    return cohort_document("our volunteers", est=-1.2, lo=-8.1, hi=5.7, observed=35.7, level="very low", price=95.0,
                           supported=540, analysed=540, similar=1620)  # fmt: skip


def frailty() -> Document:
    """More admissions than expected."""
    return cohort_document("the frailty clinic", False, est=5.2, lo=0.6, hi=9.8, observed=41.0)


def unlike() -> Document:
    """The two groups were not alike, so no figure is given."""
    return cohort_document("the falls service", False, level="very low", key_fail=True)


def discharges() -> Document:
    """Trials by day since discharge, weighted, with everything that is told of the groups."""
    document = visits()
    main = next(entry for entry in document["estimates"] if entry["role"] == "primary")
    main["method"] = "sequential-trials"
    main["spec"] = {"outcome": "admissions_90d", "trigger": "emergency discharge", "within": 14, "every": "day",
                    "by": "weights", "ratio": 3, "caliper": 0.2, "question": "usual-care", "later": "keep", "level": 0.95}  # fmt: skip
    for held in document["data"]["cohort"]["balance"]:
        held["strong"] = held["name"] in ("admissions_before", "frailty")
        held["strength"] = 0.31 if held["strong"] else 0.06
    document["data"]["cohort"].update(cohort_parts.groups())
    document["checks"].insert(1, check(
        "trajectory", "Were the two groups on the same path before?", "holds",
        "In no month before the start do the two groups differ by more than chance gives. Both rise to the discharge."))  # fmt: skip
    return document


def befriending() -> Document:
    """Own clients only, before and after: no finding, and what may honestly be said."""
    return before_after_document()


def before_after_document() -> Document:
    """People before and after they were befriended, chosen because they had just been in hospital."""
    before, after, expected_after, share = 212.0, 71.0, 78.0, 0.95
    subject, outcome = "our befriending", "emergency admissions"
    naive = {
        "design": "before-after", "before": before, "after": after, "change": (after - before) / before,
        "expected_after": expected_after, "low": 61.0, "high": 98.0, "fall": 134.0, "fall_low": 114.0, "fall_high": 151.0, "share": share, "share_low": 0.81, "share_high": 1.07,
        "from": "gamma-Poisson",
    }  # fmt: skip
    finding: Document = {
        "outcome": outcome, "label": "Emergency admissions", "column": "admissions_after", "kind": "count", "better": "lower",
        "proxy": False, "subject": subject, "plural": False, "people": "people supported", "base": 100,
        "per": "per 100 people supported over 180 days", "when": ", over 180 days", "time": "", "chart_per": "per 100 people supported over 180 days",
        "scale": "identity", "est": after - before, "lo": -163.0, "hi": -119.0, "se": 11.2, "found_se": None, "w": None,
        "expected": before, "observed": after, "observed_events": None, "claim": None, "level": "very low", "refused": None,
        "key_fail": False, "confounded": False, "percent": None, "avoided": None, "naive": naive, "procedure": "",
        "interval_note": None, "p_value": None, "smallest_p": None, "breakdown": None, "n1": None, "n0": None, "one_place": False,
        "design": "before-after",
        "sentences": {
            "headline": "We cannot tell what our befriending changed: there is nobody to compare with",
            "lead": "People we supported had 212 emergency admissions per 100 in the 180 days before and 71 in the 180 days after. "
                    "They were chosen after a bad spell, and most of that fall would be expected whatever was done.",
            "extra": [], "percent": None, "avoided": None, "found": None, "chart_title": None, "alt": None,
        },
        "can_say": ["“People we supported had 212 emergency admissions per 100 in the 180 days before, and 71 after.”",
                    "“People are referred to us at their worst, so a fall is to be expected.”"],
        "cannot_say": ["“We cut emergency admissions by 67%.” Choosing people at their worst gives about 95% of that fall.",
                       "“Our befriending had no effect.” Nobody was compared, so the question is open.",
                       "“We saved the NHS money.” Without a finding there is nothing to value."],
        "limits": [],
    }  # fmt: skip
    counts = {"rows": 310, "persons": 310, "pilot": 310, "comparison": 0, "matched_pilot": None}
    main = analysis(
        "primary", "Main analysis", after - before, -163.0, -119.0,
        **estimate(
            method="before-after", estimand="before/after change (naive)", outcome="admissions_after",
            effects=[row("att", -1.41, 0.11, 309.0, -1.63, -1.19), row("cumulative", -437.0, 34.0, 309.0, -505.0, -369.0),
                     row("relative", -0.665, None, 309.0, -0.73, -0.58)],
            counts={**counts, "left_out": []}, draws_from="robust Poisson errors by person",
            spec={"outcome": "admissions_after", "before": "admissions_before", "before_days": 180.0, "at_least": 1, "level": 0.95},
            warnings=["Nobody is compared with, so no change here is an effect of the service."],
            extras={"observed": after / 100, "expected": before / 100, "naive": True, "horizon": 180.0,
                    "regression": {"model": "gamma-Poisson, given 1 or more before", "expected_after": expected_after / 100, "low": 0.61,
                                   "high": 0.98, "share": share, "share_low": 0.81, "share_high": 1.07, "from": "gamma-Poisson"}},
        ),
    )  # fmt: skip
    certainty = {
        "level": "very low", "line": words.certainty_line("very low", ["A3"]),
        "steps": [{"code": "A", "cost": 3, "head": "Three steps down:", "text": "there is nothing to compare with."}],
    }  # fmt: skip
    data = {
        "kind": "cohort", "rows_are": "people", "frequency": None, "window": None, "start": None, "counts": counts,
        "flow": [{"kind": "in", "n": 335, "text": "rows read"}, {"kind": "out", "n": 25, "text": "no date of referral"},
                 {"kind": "end", "n": 310, "text": "people analysed, before and after"}],
        "left_out": [{"n": 25, "reason": "no date of referral"}], "coercions": [], "cohort": None,
    }  # fmt: skip
    decision = {
        "verdict": "Cannot say yet: a likely range", "because": "", "next_steps": ["Find people to compare with."],
        "would_change": [], "cost": {"text": "The pilot cost £46,500: £150 for each of 310 people, in 2024/25 prices."},
    }  # fmt: skip
    checks = [check("other_change", "Did anything else change at the same time?", "cannot tell", "No log of other local changes was kept or supplied.")]  # fmt: skip
    study = _study("Befriending, Penmarsh", "Penmarsh Friends", subject, False, "before-after")
    document = whole(study, finding, certainty, decision, [main], checks, data,
                     {"profile": "hes2018", "suppressed": 0, "rounded": 3, "log": []})  # fmt: skip
    document["valuation"] = _valuation(150.0, 310, False, None, None, None) | {
        "not_worked_out": "there is nothing to compare with"
    }
    return document


COHORTS = {
    "visits": visits,
    "volunteers": volunteers,
    "frailty": frailty,
    "unlike": unlike,
    "befriending": befriending,
    "discharges": discharges,
}
