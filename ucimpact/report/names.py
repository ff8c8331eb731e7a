"""What methods, effects, rules and the columns of tables are called in a report.

A key that has no name here is printed by its own.
"""

from __future__ import annotations

from typing import Any

METHOD = {
    "did": (
        "We set the change in the pilot against the change elsewhere.",
        "For each unit, and each period, the comparison units show what else was going on. What the pilot "
        "did beyond that is taken as the pilot’s effect, if without it both would have moved in parallel.",
    ),
    "its": (
        "We carried the past forward and looked at the gap.",
        "The level, slope and season before the pilot were carried on into the {noun}s with it. The gap "
        "between that line and what happened is taken as the pilot’s effect, if nothing else changed at the "
        "same time.",
    ),
    "callaway-santanna": (
        "We set the change in the units of each start against the change in units without the pilot.",
        "Each start is compared by itself, with units that never start or have not started yet, from the "
        "last period before it. Units that already have the pilot never serve as a comparison. The "
        "differences are then averaged, and are the pilot’s effect if without it all would have moved in "
        "parallel.",
    ),
    "imputation": (
        "We worked out what each pilot unit would have seen without the pilot, from all that was seen "
        "without it.",
        "The level of each unit and the ups and downs that all share are taken from where and when the "
        "pilot did not run. What happened beyond them is the pilot’s effect, if without it all would have "
        "moved in parallel throughout.",
    ),
    "sun-abraham": (
        "We followed the units of each start on a path of their own, and averaged the paths.",
        "Each path is held against units that never start. The differences are the pilot’s effect if "
        "without it all would have moved in parallel.",
    ),
    "event-study": (
        "We followed the gap between pilot and comparison by time since the start, all starts as one.",
        "Where units start at different times this compares some of them with others that already have the "
        "pilot. It is shown beside the other methods, not in their stead.",
    ),
    "count-did": (
        "We counted, and set the change in the units of each start against the change elsewhere, as ratios.",
        "The number of people at risk stands beside each count, so lists may grow and shrink. Each start "
        "has an effect of its own in each period. What happened is held against what ratios without the "
        "pilot foretell; the difference is its effect, if without it all would have moved by the same "
        "ratio.",
    ),
    "cost-did": (
        "We set the change in cost in the units of each start against the change elsewhere, as ratios.",
        "What happened is held against what ratios without the pilot foretell; the difference is its "
        "effect, if without it all would have moved by the same ratio.",
    ),
    "count-its": (
        "We carried the past forward as counts and looked at the ratio.",
        "The level, trend and season before the pilot were carried on into the {noun}s with it, as "
        "ratios, with the number of people beside each count. What happened beyond them is taken as the "
        "pilot’s effect, if nothing else changed at the same time.",
    ),
    "controlled-its": (
        "We carried the past forward, and took out what changed elsewhere at the same time.",
        "The level, slope and season before the pilot were carried on into the {noun}s with it, here and in "
        "a series without the pilot. A change that came to both is no effect; what happened here beyond it "
        "is taken as the pilot’s effect, if without it both would have moved alike.",
    ),
    "arima-its": (
        "We carried the past forward with a model of how one {noun} hangs on those before it.",
        "What the pilot changed is a step or a line on top of that model. It is taken as the pilot’s effect, "
        "if nothing else changed at the same time.",
    ),
    "structural": (
        "We foretold the {noun}s with the pilot from those before it and from series without it.",
        "A level that drifts and the other series, chosen by how well they foretold the {noun}s before, "
        "say what would have happened. The gap is taken as the pilot’s effect, if the other series were "
        "not touched by it and nothing else changed at the same time.",
    ),
    "multi-site-its": (
        "We carried the past of each site forward, and added up the gaps.",
        "The level, trend and season of each site before its own start were carried on. The gaps are "
        "added up over the sites, so a large site counts for more; their average over sites stands beside "
        "the total. They are taken as the pilot’s effect, if nothing else changed at the sites when they "
        "started.",
    ),
    "matched-cohort": (
        "We tried to copy the trial that nobody could run.",
        "What was recorded is alike in the two groups; what was not recorded may still differ.",
    ),
    "weighted-cohort": (
        "We tried to copy the trial that nobody could run, by letting some people count for more.",
        "People without the service count for more the more they are like those with it, until the two "
        "groups are alike in what was recorded. What was not recorded may still differ.",
    ),
    "doubly-robust-cohort": (
        "We tried to copy the trial that nobody could run, in two ways at once.",
        "The chance of being supported and the course without the service were each learnt from what was "
        "recorded, on other people than those they are used for. The result is right if either is. What was "
        "not recorded may still differ.",
    ),
    "sequential-trials": (
        "We tried to copy a trial that begins anew every day.",
        "Each person is set, on the very day on which the service began, beside people for whom it could "
        "have begun that day and did not. Everybody’s clock starts there, and what is alike is measured up "
        "to that day. What was not recorded may still differ.",
    ),
    "before-after": (
        "We looked at the same people before and after, and had nobody to compare them with.",
        "So the change holds everything that happened to them, not only the service. People who are picked "
        "at a bad time mostly get better; how much of the change that explains stands beside it.",
    ),
}
PEOPLE = {
    "att": "Difference for each person supported",
    "cumulative": "Difference in all, among those analysed",
    "relative": "Change as a share of what was expected",
    "rate_ratio": "Ratio of rates",
    "rate_difference": "Difference for each 1,000 person-years",
    "mean_difference": "Difference of means",
}
"""Names of effects where rows are people."""
TERMS = {
    "att": "Average effect of the pilot, in each unit and period",
    "cumulative": "Total over the pilot so far",
    "relative": "Change as a share of what was expected",
    "average": "Average effect in each period with the pilot",
    "level_change": "Step in the first period of the pilot",
    "slope_change": "Change of slope, each period",
    "log_level_change": "Step in the first period of the pilot, as a log ratio",
    "log_slope_change": "Change of slope, each period, as a log ratio",
    "log_average": "Average effect, as a log ratio",
    "cumulative_realised": "Total over the pilot so far, with the luck of the {noun}s themselves",
    "site_average": "Average over sites like these, each counting by how sure it is",
    "log_site_average": "Average over sites like these, as a log ratio",
    "prediction": "Effect to expect at another site like these",
    "rate_ratio": "Ratio of what happened to what was expected",
    "rate_difference": "Difference of rates",
    "mean_difference": "Difference of means",
    "avoided": "Number of events over the pilot so far",
    "dynamic_average": "Average over times since the start, each alike, measured from the period before it",
    "group_average": "Average over units, each counting alike however long it had the pilot",
    "calendar_average": "Average over calendar periods, each counting alike",
}
RULE = {
    "reason": "Why this one",
    "n1": "Pilot places",
    "n0": "Comparison places",
    "places": "Places",
    "sizes_alike": "Sizes alike",
    "size_ratio": "Largest size over smallest",
    "variance_flag": "Pilot unusually changeable before the start",
    "flag_ratio": "Variance of the pilot before the start, over that of the others",
    "breakdown_ratio": "How many times as changeable as the others the pilot may be, before the range "
    "reaches no change",
    "smallest_p": "Smallest p-value that choosing other places could give",
    "permutations": "Other choices of pilot places tried",
    "df": "Degrees of freedom",
}
SERIES_METHODS = ("its", "count-its", "controlled-its", "arima-its", "structural")
"""Methods whose account is that of one series."""
SERIES = {
    "n": "Periods used",
    "before": "Periods before the start that count",
    "after": "Periods over which the effect is taken",
    "rho": "Carry-over from one period to the next (autocorrelation)",
}
SEASONS = {
    "none": "no season",
    "fourier-1": "one yearly wave",
    "fourier-2": "a yearly and a half-yearly wave",
    "month": "a level for each month of the year",
    "quarter": "a level for each quarter of the year",
    "borrowed": "borrowed from other series",
    "profile": "as stated beforehand",
}
"""Seasons, where the document does not say why this one."""
COUNTS = {
    "rows": "Rows used",
    "units": "Units",
    "pilot_units": "Pilot units",
    "comparison_units": "Comparison units",
    "places": "Places",
    "pilot_places": "Places with the pilot",
    "pilot_periods": "Rows with the pilot running",
    "silent_units": "Units without a single event",
    "periods": "Periods",
    "before": "Periods before the start",
    "after": "Periods with the pilot",
    "used": "Periods used",
    "before_used": "Used before the start",
    "after_used": "Used with the pilot",
    "events": "Events counted",
    "persons": "Different people",
    "pilot": "People supported",
    "comparison": "People to choose from",
    "matched_pilot": "Supported and matched",
    "matched_comparison": "Similar people matched",
    "weighted_comparison": "People counted beside them",
    "starts": "Starts of the service in a trial",
    "comparison_rows": "Comparison rows of all trials",
    "served": "People with the service at any time",
    "discharges": "Discharges",
    "person_days": "Person-days on which somebody could start",
    "sets": "Matched sets",
    "events_pilot": "Events among those supported",
    "events_comparison": "Events among similar people",
    "analysed": "People analysed",
    "people": "Different people analysed",
    "events_before": "Events before",
    "events_after": "Events after",
}
DISTANCES = {
    "logit": "the chance of being supported, on the logit scale",
    "score": "the chance of being supported",
    "mahalanobis": "all measures together (Mahalanobis)",
    "robust-mahalanobis": "the ranks of all measures together (robust Mahalanobis)",
}
MATCHING = {
    "distance": "How near two people are is judged by",
    "caliper": "Furthest apart that a match may be (standard deviations)",
    "ratio": "Most similar people for each person supported",
    "replace": "A similar person may be used more than once",
    "order": "Order in which people are matched",
    "family": "Model of the outcome",
    "adjust": "Adjusted for the same measures after matching",
    "matching": "How people are put together",
    "by": "People are compared by",
    "estimand": "About whom",
    "weights": "How people are weighed",
    "trigger": "What opens a trial",
    "within": "Last day on which the service may begin",
    "every": "Length of a trial",
    "lookback": "Days of records needed before",
    "horizon": "Days of follow-up",
    "question": "Compared with",
    "reuse_within_day": "Sets of one day that a similar person may serve",
    "cluster_by": "Evidence is counted by",
    "season": "Time of year taken into account",
}
ROUTES = {
    "kenward-roger": "REML with the Kenward-Roger correction",
    "rho-averaged": "t averaged over the autocorrelation",
    "second-order": "t averaged over what the last two {noun}s carry over",
    "mixture": "t averaged over what one {noun} carries over to the next and over how far counts scatter by "
    "chance",
    "arma-reml": "REML with ARMA errors and the Kenward-Roger correction",
    "arma-ml": "maximum likelihood with the Kenward-Roger correction",
    "prais-winsten": "Prais-Winsten, what carries over taken as known",
    "newey-west": "least squares with Newey-West errors",
    "hac": "least squares with Andrews' errors",
}


CHECK_COLUMNS = {
    "event_time": "Time since the start",
    "gap": "Gap",
    "low": "Low",
    "high": "High",
    "conf_low": "95% low",
    "conf_high": "95% high",
    "p_value": "p-value",
    "bound": "Drift, in multiples of the worst seen before",
    "holds": "Leaves out no change",
    "identified_low": "Low, without chance",
    "identified_high": "High, without chance",
    "seen": "Chance of being seen",
    "adds": "Adds to the result",
    "one_by_one": "Seen if each is tested by itself",
    "per": "Period",
    "ruled_out_above": "Larger ones are ruled out above",
    "effect": "Effect",
    "effect_low": "Effect, 95% low",
    "effect_high": "Effect, 95% high",
    "effect_p_value": "Effect, p-value",
    "slope_unit": "Slope is in",
    "slope": "Drift in each period",
    "slope_at_middle": "Drift by the middle of the pilot",
    "scale": "Moving alike",
    "label": "Dates",
    "drift": "Drift in each period",
    "slope_low": "Drift, 95% low",
    "slope_high": "Drift, 95% high",
    "relative": "As a share",
    "periods_earlier": "Periods earlier",
    "pilot": "Had the pilot",
    "change": "Moves the result by",
    "share": "Share of the uncertainty",
    "smd": "Difference (standard deviations)",
    "phase_in": "Phase-in",
    "covid": "March 2020 to June 2021",
    "declared": "As declared",
    "fits": "Fits",
    "left_out": "Left out",
    "f": "F of a break there",
}
"""What the columns of a check's table are called; one that is not here goes by its own key."""
CHECK_COLUMNS_OF_PEOPLE = {
    "label": "Measure",
    "name": "Measure",
    "smd_before": "Apart before, in standard deviations",
    "smd": "Apart after, in standard deviations",
    "strong": "Says much of what happens later",
    "month": "Month before the start",
    "pilot": "With the service",
    "comparison": "Compared with",
    "reach": "Counted",
    "ratio": "Times the others",
    "low": "Likely range, from",
    "high": "Likely range, to",
    "events_pilot": "How often, with the service",
    "events_comparison": "How often, compared with",
    "why": "Why not worked out",
    "note": "What differs",
    "site": "Site",
    "n_pilot": "People with the service",
    "n_comparison": "People compared with",
    "max_smd": "Furthest apart, in standard deviations",
    "worst": "On",
    "reason": "Why",
    "n": "People",
}
"""The same for checks of people."""
NOT_FOR_READERS = ("log_ratio", "std_error", "z", "column")
"""Columns of checks of people that say again, for a calculation, what stands beside them."""
CHECK_CELLS: dict[tuple[str, Any], str] = {
    ("scale", "log"): "in per cent",
    ("scale", "level"): "in numbers",
    ("reach", "deaths"): "deaths",
    ("reach", "before"): "before the service",
    ("reach", "after"): "after its start",
}
"""Cells that are told in words."""
