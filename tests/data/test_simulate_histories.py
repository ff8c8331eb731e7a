"""Histories are made as the file says: a bad moment, a visit by chance among the recorded, truth by living again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.histories import Histories
from ucimpact.data.simulate_courses import NEVER, Course
from ucimpact.data.simulate_histories import CONTACT, EMERGENCY, INJURY, NURSE, ServiceHistories

SMALL = ServiceHistories(people=1500)


def histories(design: ServiceHistories, seed: int) -> Histories:
    return design.draw(seed).histories()


@pytest.fixture(scope="module")
def whole() -> Histories:
    return histories(ServiceHistories(), 1)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    def written(seed):
        draw = SMALL.draw(seed, copies=2)
        return draw.table.to_csv() + draw.events.to_csv() + str(draw.truth)

    assert written(1) == written(1)
    assert written(1) != written(2)


def test_a_planted_yes_or_no_is_a_share_of_people_seen_for_the_whole_window():
    made = replace(SMALL, entry="any day", uptake=0.02, after=100, ratio=0.5, deaths=0.002, ending=4.0).draw(
        4, copies=2, horizon=90
    )
    table = made.table.set_index("Person")
    first, left, died = (pd.to_datetime(table[name]) for name in ("First visit", "Left", "Died"))
    last = pd.Timestamp("2022-04-01") + pd.Timedelta(days=730 + 100 - 1)
    for name, days in (("Died in hospital", 90), ("Admitted within 30 days", 30)):
        until = first + pd.Timedelta(days=days)
        within = first.notna() & (first >= "2022-04-01") & (until <= last)
        whole = within & ~((left < until) & ~(died <= left))
        assert whole.sum() < within.sum() or days == 30
        told = made.truth[name]
        assert told["cumulative"] / told["att"] == pytest.approx(whole.sum(), abs=1e-6)


def test_living_again_leaves_the_tables_as_they_were():
    plain, with_truth = SMALL.draw(3), SMALL.draw(3, copies=3)
    pd.testing.assert_frame_equal(plain.table, with_truth.table)
    pd.testing.assert_frame_equal(plain.events, with_truth.events)


def test_the_size_is_that_of_the_service_that_was_studied(whole):
    """About 3,750 discharges of 2,400 people, 750 visited, 15.5 and 10.4 readmissions per 100 and 30 days."""
    first = int(pd.Timestamp("2022-04-01").timestamp() // 86400)
    stays = whole.stays(EMERGENCY)
    out = (stays.end >= first) & (stays.end < first + 730)
    out &= ~(whole.death[stays.person] <= stays.end)
    person, day = stays.person[out], stays.end[out]
    assert 3300 < out.sum() < 4300
    assert 2000 < whole.n < 2600
    assert 650 < np.isfinite(whole.start).sum() < 900
    rate = {
        days: 3000
        * whole.measure(EMERGENCY, person, day, 0, days).sum()
        / whole.at_risk(person, day, days).sum()
        for days in (30, 90)
    }
    assert rate[30] == pytest.approx(15.5, abs=2.5)
    assert rate[90] == pytest.approx(10.4, abs=1.6)
    assert whole.measure("death", person, day, 0, 30).mean() == pytest.approx(0.02, abs=0.008)


def test_an_admission_is_a_bad_moment_that_wears_off(whole):
    stays = whole.stays(EMERGENCY)
    inside = (stays.day > whole.first_day + 200) & (stays.end < whole.last_day - 200)
    person, day = stays.person[inside], stays.end[inside]
    months = [whole.measure(EMERGENCY, person, day, 30 * at, 30 * at + 30).mean() for at in range(4)]
    assert months[0] > 1.5 * months[1] > 1.5 * months[3]
    for kind in (CONTACT, NURSE):
        month = [whole.measure(kind, person, day, 30 * at, 30 * at + 30).mean() for at in (0, 4)]
        assert month[0] > 1.2 * month[1]
    injuries = [whole.measure(INJURY, person, day, 60 * at, 60 * at + 60).mean() for at in (0, 2)]
    assert injuries[0] == pytest.approx(injuries[1], rel=0.35)


@pytest.mark.parametrize("delay", [1.1, 2.3, 6.3])
def test_first_visits_come_on_days_0_to_14_and_as_late_as_asked(delay):
    made = histories(ServiceHistories(delay=delay), 2)
    stays = made.stays(EMERGENCY)
    visited = np.flatnonzero(np.isfinite(made.start))
    key = stays.person * 10**6 + stays.end
    last = stays.end[np.searchsorted(key, visited * 10**6 + made.start[visited], side="right") - 1]
    days = made.start[visited] - last
    assert days.min() >= 0
    assert days.max() <= 14
    assert days.mean() == pytest.approx(delay, abs=0.3)
    assert not made.inside(EMERGENCY, visited, made.start[visited]).any()
    assert made.measure(EMERGENCY, visited, made.start[visited].astype(int), -1, 0).sum() <= (days == 0).sum()


def test_nobody_is_visited_or_admitted_after_death_or_leaving(whole):
    end = np.fmin(whole.death, whole.leave)
    assert not (whole.start > end).any()
    assert np.isfinite(whole.leave).sum() > 20
    assert np.isfinite(whole.enter).sum() > 20
    assert whole.notes == () or all("after" not in note for note in whole.notes)


def test_hidden_choosing_takes_people_in_a_worse_moment_or_a_better_one():
    """How ill those visited are on the day of the visit, by how much what no record shows decides."""
    gap = {}
    for hidden in (0.0, 0.6, -0.6):
        told = []
        for seed in (1, 2, 3):
            design = ServiceHistories(hidden=hidden)
            streams = np.random.default_rng(seed).spawn(5)
            known = design._people(streams[0])
            ill = design._illness(streams[0], streams[1], known)
            course = Course.of_all(ill, design._visits(streams[0], known), design.stay)
            course.run(streams[2], ill.days)
            visited = course.visited < NEVER
            told.append(ill.acute[course.visited[visited], np.flatnonzero(visited)].mean())
        gap[hidden] = np.mean(told)
    assert gap[0.6] > gap[0.0] + 0.1 > gap[-0.6] + 0.2


@pytest.mark.parametrize("ratio", [1.0, 0.85])
def test_the_truth_is_nothing_where_nothing_is_done_and_is_diluted_where_others_are_visited_later(ratio):
    parts = [ServiceHistories(ratio=ratio, people=4000).draw(seed, copies=8).truth for seed in range(1, 7)]
    ratios = {name: np.mean([part["ratios"][name] for part in parts]) for name in parts[0]["ratios"]}
    if ratio == 1.0:
        assert ratios == {"usual-care": 1.0, "this-stay": 1.0, "never": 1.0}
        assert all(part[name]["cumulative"] == 0 for part in parts for name in part if "att" in part[name])
        return
    assert ratios["usual-care"] == pytest.approx(0.89, abs=0.012)
    assert ratios["this-stay"] == pytest.approx(0.875, abs=0.012)
    assert ratios["never"] == pytest.approx(0.866, abs=0.012)
    assert ratios["usual-care"] > ratios["this-stay"] > ratios["never"] > 0.85
    one = parts[0]["Emergency admissions"]
    assert one["per_100"] == pytest.approx(100 * one["att"])
    assert one["cumulative"] == pytest.approx(one["att"] * parts[0]["people"]["followed"])
    assert one["relative"] == pytest.approx(parts[0]["ratios"]["usual-care"] - 1)


def test_what_happened_is_what_living_again_expects():
    """Admissions of the visited in the ninety days after, seen and expected with the visit, over some draws."""
    seen = with_it = 0.0
    for seed in range(1, 9):
        design = replace(SMALL, people=3000, ratio=0.7)
        draw = design.draw(seed, copies=10)
        made = draw.histories()
        visited = np.flatnonzero(np.isfinite(made.start))
        seen += made.measure(EMERGENCY, visited, made.start[visited].astype(int), 0, 90).sum()
        effect = draw.truth["Emergency admissions"]
        with_it += effect["cumulative"] * (1 + 1 / effect["relative"])
    assert seen == pytest.approx(with_it, abs=3 * np.sqrt(1.5 * seen))


def test_a_service_without_a_trigger_begins_on_any_day_and_more_often_after_a_bad_month():
    made = histories(ServiceHistories(entry="any day", people=1500, uptake=0.02, month=1.5), 1)
    visited = np.flatnonzero(np.isfinite(made.start))
    day = made.start[visited].astype(int)
    before = made.measure(EMERGENCY, visited, day, -30, 0).mean()
    year = made.measure(EMERGENCY, visited, day, -365, -30).mean() * 30 / 335
    assert len(visited) > 100
    assert before > 2 * year


def test_the_time_before_death_is_one_of_admissions_where_it_is_asked_for():
    ended = {}
    for ending in (0.0, 3.0):
        design = ServiceHistories(entry="any day", people=1500, deaths=0.0008, ending=ending, rate=0.0005)
        draw = design.draw(1)
        made = draw.histories()
        dead = np.flatnonzero(np.isfinite(made.death))
        ended[ending] = made.measure(EMERGENCY, dead, made.death[dead].astype(int), -30, 0).mean()
        places = made.measure("death in hospital", dead, made.death[dead].astype(int), -1, 0)
        own = draw.events["Last 30 days"]
        assert 0 < places.mean() < 1
        assert own.sum() == pytest.approx(
            made.measure(EMERGENCY, dead, made.death[dead].astype(int), -31, 0, value="Last 30 days").sum()
            + draw.events.loc[draw.events["Kind"] != EMERGENCY, "Last 30 days"].sum()
        )
    assert ended[3.0] > 2 * ended[0.0]
