"""No handful of people leaves in any key of a cohort, in its tables, charts, titles or text alternatives."""

from __future__ import annotations

import copy
import json
import math
import re

import cohort_parts
import cohorts
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.disclosure import Log
from ucimpact.disclosure.cohort import KEYS, released
from ucimpact.disclosure.counts import coarsely, rounded_in
from ucimpact.disclosure.people import _of_people
from ucimpact.methods.before_after import BeforeAfter
from ucimpact.report.render import render
from ucimpact.report.view import view

COUNTS = {
    "pilot": 748, "matched_pilot": 742, "matched_comparison": 3720, "comparison": 11460, "events_pilot": 302,
    "events_comparison": 1760,
}  # fmt: skip


@pytest.fixture
def raw():
    groups = cohort_parts.groups()
    groups["balance"] = [{**row, "yes_no": row["name"] in ("woman", "deprived")} for row in cohorts.balance()]
    groups["lost"] = {"n": 6, "of": 748, "reasons": [], "differ": []}
    return groups


def shown(raw, **counts):
    log = Log()
    made = released(copy.deepcopy(raw), {**COUNTS, **counts}, log)
    return made, log


def numbers(value):
    """Every number inside, however deep."""
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, (list, tuple)):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def counted(value, out=None):
    """Every number under a name that counts people or events."""
    out = [] if out is None else out
    if isinstance(value, dict):
        for name, item in value.items():
            if (
                re.match(r"(n|of|discharges|person_days|served|placed|trimmed)$|n_|events_|deaths_", name)
                and item is not None
            ):
                out.append((name, item))
            counted(item, out)
    elif isinstance(value, list):
        for item in value:
            counted(item, out)
    return out


def test_every_count_is_rounded_and_none_is_small(raw):
    made, _ = shown(raw)
    found = counted(made)
    assert len(found) > 80
    assert all(n % 5 == 0 for _, n in found), [pair for pair in found if pair[1] % 5]


def test_what_is_not_known_here_stays_in_the_building(raw):
    raw["rows_of_everybody"] = [{"person": 7}]
    raw["trajectory"]["rows"][0]["difference"] = 1.23456
    made, _ = shown(raw)
    assert "rows_of_everybody" not in made
    assert set(made) == {"max_smd", "horizon", "balance", "lost", *KEYS}
    assert set(made["trajectory"]["rows"][0]) == {
        *("month", "pilot", "comparison", "others", "events_pilot", "events_comparison", "events_others")
    }


def test_the_full_groups_are_left_as_they_were(raw):
    before = json.dumps(raw)
    released(raw, COUNTS, Log())
    assert json.dumps(raw) == before


# Month by month


def test_a_month_with_a_handful_is_hidden_and_its_rate_with_it(raw):
    raw["trajectory"]["rows"][3].update(events_pilot=4, pilot=0.539)
    raw["trajectory"]["rows"][4].update(events_pilot=12, pilot=1.6)
    raw["trajectory"]["rows"][5].pop("events_pilot")
    rows = shown(raw)[0]["trajectory"]["rows"]
    assert rows[3]["pilot"] is rows[3]["events_pilot"] is None
    assert rows[4]["events_pilot"] == 10 and rows[4]["pilot"] == pytest.approx(1.6 * 10 / 12, abs=0.005)
    assert rows[5]["pilot"] is None  # a rate without its count cannot be judged


# Day by day


def test_a_curve_moves_in_steps_of_five_people_and_begins_beyond_seven(raw):
    made, _ = shown(raw)
    for row, full in zip(made["incidence"]["rows"], raw["incidence"]["rows"], strict=True):
        for name, n in (
            ("pilot", 742),
            ("comparison", 3720),
            ("death_pilot", 742),
            ("death_comparison", 3720),
        ):
            people = full[name] * n
            if 1 <= round(people) <= 7:
                assert row[name] is None
                continue
            steps = row[name] * n / 5
            assert (
                steps == pytest.approx(round(steps), abs=0.02 * max(steps, 1))
                and abs(5 * steps - people) < 3.5
            )
    deaths = [row["death_pilot"] for row in made["incidence"]["rows"]]
    assert deaths[0] is None and deaths[-1] is not None
    lows = {row["pilot_low"] for row in made["incidence"]["rows"]}
    assert None in lows and len(lows) < 25  # the band is no finer than the line


def test_the_difference_is_that_of_the_curves_as_they_are_shown(raw):
    made = shown(raw)[0]["incidence"]
    last, difference = made["rows"][-1], made["difference"]
    assert difference["estimate"] == pytest.approx(last["pilot"] - last["comparison"], abs=1e-4)
    width = raw["incidence"]["difference"]["conf_high"] - raw["incidence"]["difference"]["conf_low"]
    assert difference["conf_high"] - difference["conf_low"] == pytest.approx(width, abs=2e-4)
    raw["incidence"]["rows"][-1]["pilot"] = 5 / 742
    assert "difference" not in shown(raw)[0]["incidence"]


def test_days_say_nothing_where_so_few_had_it_in_all(raw):
    made, log = shown(raw, events_pilot=5)
    assert not set(made) & {
        "incidence",
        "cumulative_count",
        "subgroups",
        "trials",
        "controls",
        "bias",
        "sensitivity",
    }
    assert {"balance", "trajectory", "overlap", "flow"} <= set(made)
    assert any("too few had it" in line for line in log.hidden)


def test_means_added_up_move_in_steps_too(raw):
    rows = shown(raw)[0]["cumulative_count"]["rows"]
    for row, full in zip(rows, raw["cumulative_count"]["rows"], strict=True):
        people = full["pilot"] * 7.42
        assert (row["pilot"] is None) == (1 <= round(people) <= 7)
        if row["pilot"]:
            steps = row["pilot"] * 7.42 / 5
            assert steps == pytest.approx(round(steps), abs=0.006 * steps)


# Groups of people


def test_a_handful_in_a_group_takes_its_effect_and_the_test_between_groups(raw):
    raw["subgroups"][0]["rows"][1]["events_pilot"] = 6
    raw["subgroups"][1]["rows"][0]["n_pilot"] = 3
    made = shown(raw)[0]["subgroups"]
    hidden = made[0]["rows"][1]
    assert hidden["events_pilot"] is hidden["estimate"] is hidden["conf_low"] is hidden["conf_high"] is None
    assert made[0]["p_interaction"] is made[1]["p_interaction"] is None
    assert made[0]["rows"][0]["estimate"] == 0.95
    assert shown(cohort_parts.groups())[0]["subgroups"][0]["p_interaction"] == 0.43


def test_a_site_with_a_handful_says_nothing_of_them(raw):
    raw["balance_by_site"][2].update(n_pilot=4, max_smd=0.4321, worst="Needs an interpreter")
    row = shown(raw)[0]["balance_by_site"][2]
    assert row["n_pilot"] is row["max_smd"] is row["worst"] is None
    assert row["n_comparison"] == 585


# Who began when, who was left out


def test_the_last_days_are_told_together_and_a_lone_small_day_not_at_all(raw):
    days = shown(raw)[0]["trials"]["delays"]
    assert days[-1] == {"day": 10, "to": 14, "n": 10}  # 5 + 2 + 3 + 0 + 1
    assert [row["n"] for row in days[:3]] == [170, 150, 120]
    raw["trials"]["delays"][4]["n"] = 6
    assert shown(raw)[0]["trials"]["delays"][4]["n"] is None
    for row in raw["trials"]["delays"][10:]:
        row["n"] = 1
    assert shown(raw)[0]["trials"]["delays"][-1] == {"day": 10, "to": 14, "n": None}


def test_the_flow_hides_a_handful_in_its_words_too(raw):
    raw["flow"][1]["text"] = "less than a year of records before (3 people had none)"
    raw["flow"][2]["n"] = 7
    rows = shown(raw)[0]["flow"]
    assert rows[1] == {
        "kind": "out",
        "n": 120,
        "text": "less than a year of records before (a few people had none)",
    }
    assert rows[2]["n"] is None and rows[4]["n"] is None
    assert rows[5]["n"] == 740


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("12 people were left out (3 of them on the day they started)", "about 10 people were left out (a few of them on the day they started)"),
        ("within 14 days people had a visit", "within 14 days people had a visit"),
        ("on 41,208 days, 6 discharges had no year before", "on 41,208 days, a few discharges had no year before"),
        ("comparison rows drawn from them, one in 3.2", "comparison rows drawn from them, one in 3.2"),
    ],
)  # fmt: skip
def test_numbers_of_people_in_sentences(text, told):
    assert rounded_in(text) == told


def test_lists_within_the_trials_are_counted_too(raw):
    raw["trials"]["elsewhere"] = [
        {"n": 38, "reason": "on a day without a trial"},
        {"n": 3, "reason": "before it"},
    ]
    rows = shown(raw)[0]["trials"]["elsewhere"]
    assert rows == [{"n": 40, "reason": "on a day without a trial"}, {"n": None, "reason": "before it"}]
    assert shown(raw)[0]["trials"]["naive"][0]["ratio"] == 0.24


def test_shares_of_a_handful_go(raw):
    raw["overlap"]["outside"] = 4 / 742
    raw["trials"]["later_share"] = 5 / 3720
    raw["weights"]["trimmed"] = 3
    made, _ = shown(raw)
    assert made["overlap"]["outside"] is made["trials"]["later_share"] is made["weights"]["trimmed"] is None
    assert made["weights"]["ess"] % 5 == 0


def test_the_difference_before_matching_is_no_finer_than_five_people(raw):
    raw["balance"][1]["smd_before"] = 0.0812
    made, _ = shown(raw, pilot=100)
    step = 5 / (100 * (0.53 * 0.47) ** 0.5)
    told = made["balance"][1]["smd_before"]
    assert told / step == pytest.approx(round(told / step), abs=0.01)
    assert made["balance"][1]["pilot_before"] is None
    assert made["balance"][0]["smd_before"] == 0.41  # a mean of a measure counts nobody


def test_numbers_without_an_end_are_no_trouble():
    made = coarsely([math.inf, math.nan, 1.23456, 2.0, 3, True, "1.23456"])
    assert made[0] == math.inf and math.isnan(made[1]) and made[2:] == [1.23, 2.0, 3, True, "1.23456"]


# Controls and gauges


def test_controls_that_happened_to_a_handful_have_no_ratio(raw):
    raw["controls"]["rows"][0]["events_pilot"] = 5
    row = shown(raw)[0]["controls"]["rows"][0]
    assert (
        row["ratio"]
        is row["low"]
        is row["high"]
        is row["log_ratio"]
        is row["z"]
        is row["events_pilot"]
        is None
    )
    assert shown(raw)[0]["controls"]["rows"][1]["events_pilot"] == 45


def test_gauges_give_no_count_however_deep(raw):
    raw["sensitivity"]["rosenbaum"] |= {
        "pairs": 6,
        "gamma": 1.23456,
        "rows": [{"discordant": 3, "low": 0.01234, "high": 0.2}],
    }
    made = shown(raw)[0]["sensitivity"]["rosenbaum"]
    assert made["pairs"] is made["gamma"] is None
    assert made["rows"] == [{"discordant": None, "low": None, "high": None}]


# The page


PLANTED = ("4.4321", "0.4567", "3.3123", "Needs an interpreter", "7.1357")


def planted():
    """A document with a handful in every key, as it is before its release."""
    document = cohorts.discharges()
    groups = document["data"]["cohort"]
    groups["trajectory"]["rows"][3].update(events_pilot=4, pilot=4.4321)
    groups["balance_by_site"][2].update(n_pilot=4, max_smd=0.4567, worst="Needs an interpreter")
    groups["subgroups"][0]["rows"][1].update(events_pilot=6, estimate=3.3123, n_pilot=6)
    groups["controls"]["rows"][0].update(events_pilot=5, ratio=7.1357, low=7.1, high=7.2)
    for k, row in enumerate(groups["incidence"]["rows"]):
        row["death_pilot"] = min(k, 5) / 742
    return document


def test_a_planted_handful_is_nowhere_on_the_page():
    document = planted()
    before = render(document)
    assert all(text in before for text in ("Needs an interpreter", "614%"))
    log = Log()
    document["data"]["cohort"] = released(document["data"]["cohort"], COUNTS, log)
    document["disclosure"] = {
        "profile": "hes2018", "suppressed": len(log.hidden), "rounded": log.rounded, "log": sorted(set(log.hidden)),
    }  # fmt: skip
    page, told = render(document), json.dumps(document["data"]["cohort"])
    for text in (*PLANTED, "614%", "231% more"):
        assert text not in page and text not in told, text
    made = {s.ident: s for s in view(document).sections}
    assert "75 to 84" in dict(made["subgroups"].refused).__repr__()
    assert ("Deaths in 90 days", "Too few had it for figures to be shown.") in made["unrecorded"].refused
    assert "Too few had died" in made["first"].figure.description
    assert not any("died" in group.label.head for group in made["first"].figure.chart.groups if group.pilot)
    cells = [cell for t in made["before"].figure.table.rows for cell in t]
    assert cells.count("hidden") == 1
    assert ["Harle Infirmary", "hidden", "585", "too few to tell", ""] in [
        list(row) for t in made["groups"].tables for row in t.rows
    ]
    assert len(document["disclosure"]["log"]) < 30


def test_before_and_after_is_released_where_nothing_happened_before():
    """People near the end of life may have had none of it in the time before."""
    table = pd.DataFrame(
        {"person": range(60), "pilot": [1] * 60, "before": [0] * 60, "after": [1] * 23 + [0] * 37}
    )
    cohort = Cohort(table, person="person", pilot="pilot", before=("before",), horizon=90)
    estimate = BeforeAfter(outcome="after", before="before", before_days=90.0).fit(cohort)
    shown = {name: Log().count(value, name) for name, value in estimate.counts.items() if name != "left_out"}
    made, extras, _ = _of_people(estimate, shown)
    assert made is not None and extras["expected"] == 0.0
    assert extras["observed"] == pytest.approx(25 / 60, abs=0.001)  # 23 is shown as 25
    assert made.effect("att")["estimate"] == pytest.approx(25 / 60, abs=0.001)
