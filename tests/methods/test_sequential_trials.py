"""Trials by hand, one clock for both arms, and what is refused with the size of its error."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.histories import Histories
from ucimpact.errors import DesignError, UsageError
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.sequential_trials_sample import followed
from ucimpact.methods.sequential_trials_table import Opening, intervals, rows_of
from ucimpact.study.declare import Counted

ZERO = dt.date(2023, 1, 1)
STAY = "emergency admission"


def day(n: float | None) -> dt.date | None:
    return None if n is None else ZERO + dt.timedelta(days=int(n))


def histories(people: list[dict], stays: list[tuple], contacts: list[tuple] = (), **roles) -> Histories:
    """People by number; stays as (person, first day, last day), contacts as (person, day)."""
    table = pd.DataFrame({name: [row.get(name) for row in people] for name in ("id", "age", "place")})
    for name in ("start", "died", "left", "since"):
        table[name] = pd.to_datetime([day(row.get(name)) for row in people])
    events = pd.DataFrame(
        [(p, day(a), STAY, day(b)) for p, a, b in stays]
        + [(p, day(a), "contact", None) for p, a in contacts],
        columns=["id", "date", "kind", "end"],
    )
    events["end"] = pd.to_datetime(events["end"])
    names = {"person": "id", "service_start": "start", "died": "died", "left": "left", "registered": "since"}
    ends = {"first": day(0), "last": day(400)}
    return Histories(table, events, end="end", **{**names, **ends, **roles})


def opened(**fields) -> Opening:
    plain = {"trigger": STAY, "within": 5, "every": "day", "lookback": 10, "at_home": True, "horizon": 30}
    return Opening(**{**plain, "seed": 1, **fields})


def days_of(rows, person: int) -> list[int]:
    origin = (ZERO - dt.date(1970, 1, 1)).days
    return sorted((rows.day[rows.person == person] - origin).tolist())


def test_who_is_in_which_trial_by_hand():
    people = [
        {"id": "visited", "start": 103},
        {"id": "never"},
        {"id": "back in hospital"},
        {"id": "died", "died": 102},
        {"id": "left", "left": 101},
        {"id": "new", "since": 93},
        {"id": "before", "start": 99},
        {"id": "others", "start": 200},
    ]
    stays = [(row["id"], 95, 100) for row in people] + [("back in hospital", 103, 108), ("others", 198, 199)]
    rows = rows_of(histories(people, stays), opened())
    # At the end of which days could each begin: 0 to 5 days after day 100.
    assert days_of(rows, 0) == [100, 101, 102, 103]
    assert days_of(rows, 1) == [100, 101, 102, 103, 104, 105]
    assert days_of(rows, 2) == [100, 101, 102, 108, 109, 110, 111, 112, 113]
    assert days_of(rows, 3) == [100, 101]
    assert days_of(rows, 4) == [100]
    assert days_of(rows, 5) == [102, 103, 104, 105]  # day 93 begins the ten days that end with day 102
    assert days_of(rows, 6) == []
    assert days_of(rows, 7) == [100, 101, 102, 103, 104, 105, 199, 200]
    begun = {
        (int(p), int(d)) for p, d in zip(rows.person[rows.treated], rows.trial[rows.treated], strict=True)
    }
    assert begun == {(0, 3), (7, 1)}


def test_stays_that_touch_are_one():
    people = [{"id": "moved"}, {"id": "seen", "start": 100}]
    stays = [("moved", 80, 90), ("moved", 90, 95), ("moved", 93, 94), ("seen", 90, 99), ("seen", 200, 201)]
    rows = rows_of(histories(people, stays), opened(within=20))
    assert days_of(rows, 0) == [
        100
    ]  # discharged on day 95; day 100 is the only one on which anybody is visited
    own = rows.unit[rows.person == 0][0]
    assert rows.closed[own] - rows.opened[own] == 15
    people.append({"id": "early", "start": 94})
    rows = rows_of(histories(people, [*stays, ("early", 80, 93)]), opened(within=20))
    assert days_of(rows, 0)[0] == 95


def test_calendar_trials_by_hand():
    people = [{"id": "a", "start": 100}, {"id": "b"}, {"id": "c", "start": 130}, {"id": "d", "died": 115}]
    h = histories(people, [("b", 98, 101)])
    rows = rows_of(h, opened(trigger=None))
    assert days_of(rows, 0) == [100]
    assert days_of(rows, 1) == [130]  # in hospital on day 100
    assert days_of(rows, 2) == [100, 130]
    assert days_of(rows, 3) == [100]
    away = rows_of(h, opened(trigger=None, at_home=False))
    assert days_of(away, 1) == [100, 130]


def test_months_begin_and_end_with_the_calendar():
    people = [{"id": "a", "start": 100}, {"id": "b"}]
    h = histories(people, [("b", 50, 51)])
    starts, ends = intervals(h, "month")
    origin = (ZERO - dt.date(1970, 1, 1)).days
    assert (starts[:3] - origin).tolist() == [0, 31, 59]
    assert (ends[:3] - origin).tolist() == [30, 58, 89]
    assert (ends - origin).max() <= 400
    starts, ends = intervals(h, "week")
    assert {dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + int(d)).weekday() for d in starts} == {0}
    assert (ends - starts == 6).all()
    rows = rows_of(h, opened(trigger=None, every="month"))
    # Day 100 is 11 April: time zero is its end, what is known is known by the end of March.
    assert days_of(rows, 0) == [119]
    assert (rows.known - origin).tolist() == [89, 89]


def test_nobody_admitted_within_the_interval_is_in_either_arm():
    people = [{"id": "a", "start": 100}, {"id": "b"}, {"id": "c"}]
    h = histories(people, [("b", 95, 97)])
    rows = rows_of(h, opened(trigger=None, every="month"))
    assert set(rows.person.tolist()) == {0, 2}


def test_a_window_of_the_study_counts_discharges_within_it():
    people = [{"id": "a", "start": 101}, {"id": "b"}, {"id": "c", "start": 202}]
    stays = [(name, 90, 100) for name in "abc"] + [(name, 190, 200) for name in "bc"]
    whole = rows_of(histories(people, stays), opened())
    part = rows_of(histories(people, stays, index_from=day(150), index_to=day(300)), opened())
    assert whole.treated.sum() == 2 and part.treated.sum() == 1
    assert days_of(part, 1) == [200, 201, 202] and days_of(part, 0) == []


# -- a service of made-up people -------------------------------------------------------------


def service(seed: int = 1, n: int = 400, places: int = 4, **roles) -> Histories:
    """People discharged once or twice; the old are visited and readmitted more often."""
    rng = np.random.default_rng(seed)
    people, stays, contacts = [], [], []
    for k in range(n):
        age = int(rng.integers(60, 95))
        row = {"id": f"p{k:03d}", "age": age, "place": f"place {k % places}"}
        out = int(rng.integers(60, 250))
        stays.append((row["id"], out - int(rng.integers(1, 9)), out))
        if rng.random() < 0.15 + 0.01 * (age - 60):
            row["start"] = out + int(rng.geometric(0.4)) - 1
        back = out + 1 + int(rng.exponential(60))
        if "start" in row and row["start"] >= back:
            del row["start"]
        if back < 390 and rng.random() < 0.4 + 0.01 * (age - 60):
            stays.append((row["id"], back, back + 4))
            if "start" not in row and rng.random() < 0.3:
                row["start"] = back + 3 + int(rng.geometric(0.4))
        contacts += [(row["id"], int(d)) for d in rng.integers(0, 399, rng.poisson(3))]
        people.append(row)
    return histories(people, stays, contacts, **roles)


def method(**fields) -> SequentialTrials:
    plain = {
        "outcome": "Admissions",
        "counted": Counted(event=STAY, days=(0, 30)),
        "trigger": STAY,
        "within": 5,
        "covariates": ("age",),
        "measured": (
            Measured(event=STAY, days=(-50, 0), at="trigger"),
            Measured(event="contact", days=(-50, 0)),
        ),
        "lookback": 50,
        "horizon": 30,
    }
    return SequentialTrials(**{**plain, **fields})


@pytest.fixture(scope="module")
def made() -> Histories:
    return service()


def test_the_ratio_is_of_weighted_rates(made):
    estimate = method().fit(made)
    emulation = method().emulation(made)
    rows, weight = emulation.rows, emulation.weight
    y = made.measure(STAY, rows.person, rows.day, 0, 30)
    t = made.at_risk(rows.person, rows.day, 30)
    one, none = (
        np.sum((weight * y)[arm]) / np.sum((weight * t)[arm]) for arm in (rows.treated, ~rows.treated)
    )
    assert estimate.effect("rate_ratio")["estimate"] == pytest.approx(one / none, rel=1e-9)

    log = np.where(rows.treated, (y - one * t) / (weight * y)[rows.treated].sum(), 0)
    log -= np.where(rows.treated, 0, weight * (y - none * t) / (weight * y)[~rows.treated].sum())
    used = weight > 0
    sums = np.bincount(np.unique(rows.person[used], return_inverse=True)[1], log[used])
    n, g = int(used.sum()), len(sums)
    variance = (sums**2).sum() * g / (g - 1) * (n - 1) / (n - 2)
    assert estimate.effect("rate_ratio")["std_error"] == pytest.approx(
        one / none * np.sqrt(variance), rel=1e-9
    )


def test_no_comparison_row_has_begun_or_been_admitted_by_its_day(made):
    rows = method().emulation(made).rows
    start = made.start[rows.person]
    assert not (start[~rows.treated] <= rows.day[~rows.treated]).any()
    assert (start[rows.treated] == rows.day[rows.treated]).all()
    since = rows.closed[rows.unit]
    assert (made.measure(STAY, rows.person, rows.day, since - rows.day, 0) == 0).all()
    assert not made.inside(STAY, rows.person, rows.day).any()


def test_every_start_is_treated_once_and_beside_people_of_its_day(made):
    emulation = method(by="matching").emulation(made)
    rows, sets = emulation.rows, emulation.sets
    assert len(np.unique(rows.person[rows.treated])) == rows.treated.sum()
    of_set, pilot, control = sets.pairs()
    assert (rows.trial[pilot] == rows.trial[control]).all()
    assert (
        np.abs(emulation.hazard.linear[pilot] - emulation.hazard.linear[control]).max() <= emulation.caliper
    )
    uses = pd.Series(control).value_counts()
    assert uses.max() == 1 and (sets.found <= 3).all()
    weight = emulation.matched
    np.testing.assert_allclose(np.bincount(of_set, weight[control], len(sets.treated)), 1.0)


def test_comparison_within_kinds(made):
    for by in ("weights", "matching"):
        emulation = method(exact="place", by=by).emulation(made)
        place = made.codes("place")[emulation.rows.person]
        weight, treated = emulation.weights(by), emulation.rows.treated
        np.testing.assert_allclose(
            np.bincount(place[treated & (weight > 0)]), np.bincount(place[~treated], weight[~treated])
        )


def test_all_outcomes_stand_on_the_same_trials(made):
    one = method()
    other = method(outcome="Contacts", counted=Counted(event="contact", days=(0, 20)), adjust=True)
    assert one.emulation(made) is other.emulation(made)
    assert one.fit(made).sampling_units == other.fit(made).sampling_units
    assert one.emulation(made) is not method(ratio=1).emulation(made)


def test_people_followed_until_they_start_by_hand():
    """Three people of one day; two are left when one is visited on day 2, and stand in for the third."""
    h = service(3)
    m = method(question="this-stay")
    emulation = m.emulation(h)
    rows, chance = emulation.rows, emulation.hazard.chance
    every = np.arange(len(rows.day))
    found = followed(emulation, m.counting, every, "this-stay", whole=False)
    k = int(
        np.flatnonzero(~rows.treated & (rows.trial == 0) & (h.at_risk(rows.person, rows.day, 30) == 30))[0]
    )
    own = (rows.unit == rows.unit[k]) & (rows.day > rows.day[k])
    days, rest = rows.day[own], 1 - chance[own]
    stop = rows.day[k] + 30
    if (begun := rows.treated & (rows.unit == rows.unit[k])).any():
        stop = int(rows.day[begun][0])
    time = sum(1 / np.prod(rest[days < t]) for t in range(int(rows.day[k]) + 1, int(stop) + 1))
    assert found.days[k] == pytest.approx(time, rel=1e-12)
    treated = np.flatnonzero(rows.treated)
    np.testing.assert_allclose(found.days[treated], h.at_risk(rows.person[treated], rows.day[treated], 30))


def test_questions_differ_only_for_comparison_rows(made):
    ratios = {
        q: method(question=q).fit(made).effect("rate_ratio")["estimate"]
        for q in ("usual-care", "this-stay", "never")
    }
    assert len(set(ratios.values())) == 3
    assert max(ratios.values()) / min(ratios.values()) < 1.2


def test_people_are_the_evidence_however_many_rows_they_have(made):
    estimate = method().fit(made)
    assert estimate.influence.shape == (len(estimate.sampling_units), len(estimate.effects))
    n = len(estimate.sampling_units)
    sums = estimate.influence.T @ estimate.influence
    place = estimate.effects["term"].tolist().index("att")
    assert estimate.effects["std_error"][place] ** 2 == pytest.approx(sums[place, place], rel=3 / n + 0.01)


def test_few_events_widen_the_interval():
    few, many = method().fit(service(2, 200)), method().fit(service(2, 2500))
    assert np.isfinite(few.extras["df"]) and few.extras["df"] < 400
    assert not np.isfinite(many.extras["df"])
    row = few.effect("att")
    assert row["conf_high"] - row["conf_low"] > 2 * 1.96 * row["std_error"]


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"later": "exclude"}, "58%"),
        ({"controls_pool": "never-served"}, "a third"),
        ({"later": "censor"}, "7%"),
        ({"question": "this-stay", "trigger": None}, "needs a trigger"),
        ({"every": "month"}, "Leave one of the two out"),
        ({"counted": Counted(event=STAY, days=(-30, 30))}, "straddle"),
        ({"covariates": ("Admissions",)}, "is the outcome"),
        ({"by": "guessing"}, "matching"),
    ],
)
def test_fields_that_are_refused(fields, said):
    with pytest.raises(UsageError, match=said):
        method(**fields)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"trigger": "planned admission"}, "no events of the kind"),
        ({"covariates": ("place",)}, "holds words"),
        ({"covariates": ("start",)}, "says who had the service"),
        ({"covariates": (), "measured": ()}, "othing is named"),
        ({"lookback": 20}, "reaches 50 days back"),
        ({"within": 0, "lookback": 390, "measured": ()}, "nobody begins the service"),
        ({"counted": Counted(event="transfers", days=(0, 30))}, "no events of the kind 'transfers'"),
        ({"question": "never", "family": "gaussian"}, "have sums of fewer days"),
        ({"cluster_by": "cluster"}, "no column of clusters"),
        ({"counted": Counted(event=STAY, days=(0, 1200))}, "up to day 1,200, and nobody who had"),
    ],
)
def test_data_that_are_refused(made, fields, said):
    with pytest.raises(DesignError, match=said):
        method(**fields).fit(made)


def test_a_window_may_be_as_long_as_the_longest_record_and_no_longer(made):
    longest = int(made.last_day - np.nanmin(made.start))
    told = {}
    for last in (longest, longest + 1):
        asked = method(counted=Counted(event=STAY, days=(0, last)))
        told[last] = asked.check_design(made)
    assert [f.level for f in told[longest] if "up to day" in f.text or "under half" in f.text] == ["warn"]
    refused = [f for f in told[longest + 1] if f.level == "refuse"]
    assert len(refused) == 1 and refused[0].way_out.startswith(f"Count up to day {longest:,} or fewer")


def test_whoever_died_was_followed_to_the_end(made):
    """Half is held against records that end, not against lives that do."""
    asked = method(counted=Counted(event=STAY, days=(0, int(made.last_day - np.nanmin(made.start)))))
    died = np.where(np.isfinite(made.start), made.start + 1, np.nan)
    ends = pd.Timestamp("1970-01-01") + pd.to_timedelta(pd.Series(died, index=made.people.index), unit="D")
    dead = replace(made, people=made.people.assign(gone=ends), died="gone")
    assert any("under half" in f.text for f in asked.check_design(made))
    assert not any("under half" in f.text for f in asked.check_design(dead))


def test_twelve_months_alone_are_told(made):
    told = method(measured=()).fit(made).warnings
    assert any("a bad last month is not seen" in text for text in told)
    assert not any("a bad last month" in text for text in method().fit(made).warnings)


# -- everybody against nobody ----------------------------------------------------------------


def clones_by_hand(emulation, histories, last: int, natural: bool = False) -> dict[str, float]:
    """Every discharge cloned to every start day, day by day, as the definition says."""
    rows, within = emulation.rows, emulation.plan.opening.within
    delays = np.bincount(rows.trial[rows.treated], minlength=within + 1) / rows.treated.sum()
    sums = {"y1": 0.0, "t1": 0.0, "y0": 0.0, "t0": 0.0}
    for k in np.flatnonzero(rows.trial == 0):
        own = np.flatnonzero(rows.unit == rows.unit[k])
        h = dict(zip(rows.trial[own].tolist(), emulation.hazard.chance[own].tolist(), strict=True))
        began = next((int(rows.trial[r]) for r in own if rows.treated[r]), None)
        end = max(h) + 1 if began is None and max(h) < within else None
        person, day = rows.person[[k]], rows.day[[k]]
        for a in range(1, last + 1):
            if histories.at_risk(person, day, a)[0] < a:
                break
            event = histories.measure(STAY, person, day + a - 1, 0, 1)[0]
            kept = np.prod([1 - h.get(u, 0.0) for u in range(a)])
            if began is None or began >= a:
                sums["y0"] += event / kept
                sums["t0"] += 1 / kept
            if natural:
                over = a > within and (end is None or began is not None)
                weight = 1.0 if not over or (began is not None and began < within) else 0.0
                if over and began == within:
                    weight = 1 / h[within]
                sums["y1"] += weight * event
                sums["t1"] += weight
                continue
            for start, chance in enumerate(delays):
                if end is not None and start >= end and a >= end:
                    weight = chance / kept  # readmitted before the drawn day: nothing more is asked
                elif start >= a:
                    weight = chance / kept if began is None or began >= a else 0.0
                else:
                    on_time = began == start
                    before = np.prod([1 - h.get(u, 0.0) for u in range(start)])
                    weight = chance / (before * h[start]) if on_time else 0.0
                sums["y1"] += weight * event
                sums["t1"] += weight
    return sums


def test_a_strategy_is_every_discharge_cloned_to_every_start_day():
    h = service(5, 400)
    m = method(question="strategy", counted=Counted(event=STAY, days=(0, 12)), within=3)
    sample, y, _ = m.sample(m.emulation(h))
    hand = clones_by_hand(m.emulation(h), h, 12)
    one = sample.treated
    found = {
        "y1": y[one].sum(),
        "t1": sample.days[one].sum(),
        "y0": y[~one].sum(),
        "t0": sample.days[~one].sum(),
    }
    for key, value in hand.items():
        assert found[key] == pytest.approx(value, rel=1e-9), key
    estimate = m.fit(h)
    assert estimate.estimand == "ATE" and "cumulative" not in set(estimate.effects["term"])
    ratio = (hand["y1"] / hand["t1"]) / (hand["y0"] / hand["t0"])
    assert estimate.effect("rate_ratio")["estimate"] == pytest.approx(ratio, rel=1e-6)


def test_natural_grace_by_hand_and_refused_where_few_start(monkeypatch):
    h = service(5, 400)
    m = method(question="strategy", counted=Counted(event=STAY, days=(0, 12)), within=3, grace="natural")
    with pytest.raises(DesignError, match=r'followed by the service within 3 days.*grace = "random"'):
        m.fit(h)
    monkeypatch.setattr("ucimpact.methods.sequential_trials_strategy.HALF", 0.0)
    monkeypatch.setattr("ucimpact.inference.trial_weights.LARGEST", 1.0)
    sample, y, _ = m.sample(m.emulation(h))
    hand = clones_by_hand(m.emulation(h), h, 12, natural=True)
    assert y[sample.treated].sum() == pytest.approx(hand["y1"], rel=1e-9)
    assert sample.days[sample.treated].sum() == pytest.approx(hand["t1"], rel=1e-9)
    with pytest.raises(UsageError, match="belongs to question"):
        method(grace="natural")


def test_a_strategy_needs_a_discharge_and_matches_nobody():
    with pytest.raises(UsageError, match="needs a trigger"):
        method(question="strategy", trigger=None)
    with pytest.raises(UsageError, match="nobody to match"):
        method(question="strategy", by="matching")


def test_a_draw_of_comparison_rows_gives_nearly_the_same(made, monkeypatch):
    whole = method().fit(made, pictures=False)
    monkeypatch.setattr("ucimpact.methods.sequential_trials_table.MANY", 1000)
    again = service()  # the trials of the other are kept
    drawn = method().emulation(again)
    assert drawn.everybody.rate == pytest.approx(1000 / drawn.everybody.eligible)
    assert drawn.everybody.treated.sum() == method().emulation(made).everybody.treated.sum()
    assert len(drawn.everybody.day) == pytest.approx(1000, rel=0.25)
    one, other = (m.effect("rate_ratio") for m in (whole, method().fit(again, pictures=False)))
    assert np.log(other["estimate"] / one["estimate"]) == pytest.approx(
        0, abs=one["std_error"] / one["estimate"]
    )
    assert any("one in" in step["text"] for step in method().fit(again, pictures=False).extras["flow"])
    with pytest.raises(DesignError, match="only a sample is kept"):
        method(question="never").fit(again)


def test_histories_take_their_trials_with_them():
    import gc
    import weakref

    h = service(9, 120)
    method().emulation(h)
    gone = weakref.ref(h)
    del h
    gc.collect()
    assert gone() is None


def test_rows_may_come_in_any_order(made):
    shuffled = Histories(
        made.people.sample(frac=1, random_state=3),
        made.events.sample(frac=1, random_state=4),
        person="id",
        service_start="start",
        died="died",
        left="left",
        registered="since",
        end="end",
        first=day(0),
        last=day(400),
    )
    for by in ("weights", "matching"):
        one, other = (method(by=by).fit(h, pictures=False).effects for h in (made, shuffled))
        numbers = ["estimate", "std_error", "conf_low", "conf_high"]
        np.testing.assert_allclose(other[numbers], one[numbers], rtol=1e-7 if by == "weights" else 0.1)


def test_practices_with_a_level_of_their_own():
    h = service(4, 600, cluster="place")
    emulation = method().emulation(h)
    assert emulation.by_group
    place, treated = h.clusters[emulation.rows.person], emulation.rows.treated
    started = np.bincount(place, emulation.hazard.chance)
    np.testing.assert_allclose(started, np.bincount(place[treated]), rtol=1e-6)
    few = service(4, 600, places=300, cluster="place")
    assert not method().emulation(few).by_group
    assert any("level of its own" in text for text in method().fit(few).warnings)
    by = method(cluster_by="cluster").fit(h)
    assert by.extras["rule"]["reason"] == "place" and np.isfinite(by.extras["df"])


class Share:
    """A learner that knows but one thing: how often anybody starts by the first column."""

    def get_params(self, **_) -> dict:
        return {}

    def fit(self, x, y):
        self.middle = np.median(x[:, 0])
        self.shares = [y[x[:, 0] <= self.middle].mean(), y[x[:, 0] > self.middle].mean()]
        return self

    def predict_proba(self, x):
        found = np.where(x[:, 0] <= self.middle, *self.shares)
        return np.column_stack([1 - found, found])


def test_any_classifier_may_learn_the_hazard(made):
    own = Share()
    estimate = method(learner=own).fit(made, pictures=False)
    assert estimate.spec["learner"] == "Share"
    emulation = method(learner=own).emulation(made)
    assert len(np.unique(emulation.hazard.chance.round(9))) <= 10  # two shares in each of five parts
    plain = method().fit(made, pictures=False).effect("rate_ratio")
    assert estimate.effect("rate_ratio")["estimate"] != plain["estimate"]
    assert abs(np.log(estimate.effect("rate_ratio")["estimate"] / plain["estimate"])) < 0.2
    with pytest.raises(UsageError, match="predict_proba"):
        method(learner="oracle")


def test_who_began_the_service_in_no_trial_is_told():
    people = [
        {"id": "on time", "start": 101},
        {"id": "inside", "start": 97},
        {"id": "late", "start": 150},
        {"id": "never there", "start": 120},
        *({"id": f"n{k}"} for k in range(5)),
    ]
    stays = [(row["id"], 95, 100) for row in people if row["id"] != "never there"]
    h = histories([{**row, "age": 70 + (k + 4) % 9} for k, row in enumerate(people)], stays)
    emulation = method(lookback=10, measured=()).emulation(h)
    told = {row["reason"]: row["n"] for row in emulation.elsewhere}
    assert told == {"in hospital on that day": 1, "not within 5 days after a discharge": 2}


def test_an_empty_outcome_is_left_out_and_counted(made, monkeypatch):
    whole, measure = method().fit(made, pictures=False), Histories.measure
    unknown = int(made.start[np.isfinite(made.start)].min())

    def partly(self, event, person, at, first, last, *, value=None):
        found = measure(self, event, person, at, first, last, value=value)
        return np.where((self.start[person] == unknown) & (np.asarray(last) == 30), np.nan, found)

    monkeypatch.setattr(Histories, "measure", partly)
    part = method().fit(made, pictures=False)
    gone = int((made.start == unknown).sum())
    assert part.counts["matched_pilot"] == whole.counts["matched_pilot"] - gone
    assert part.extras["lost"]["reasons"][-1] == {
        "n": gone,
        "reason": "the outcome was not seen for long enough",
    }
    assert np.isfinite(part.effect("rate_ratio")["estimate"])


def test_what_lies_before_is_the_same_for_every_question(made):
    before = Counted(event="contact", days=(-50, -20))
    ratios = [
        method(counted=before, question=q).fit(made).effect("rate_ratio")["estimate"]
        for q in ("usual-care", "this-stay", "never")
    ]
    assert len(set(ratios)) == 1
    rows, weight = method().emulation(made).rows, method().emulation(made).weight
    y = made.measure("contact", rows.person, rows.day, -50, -20)
    one, none = (np.average(y[arm], weights=weight[arm]) for arm in (rows.treated, ~rows.treated))
    assert ratios[0] == pytest.approx(one / none, rel=1e-6)


@pytest.mark.parametrize("question", ["this-stay", "never"])
def test_weights_that_say_too_little_give_no_answer(made, monkeypatch, question):
    method(question=question).fit(made, pictures=False)
    monkeypatch.setattr("ucimpact.inference.trial_weights.LARGEST", 1e-4)
    with pytest.raises(DesignError, match=r"has no answer in these data: one row carries .* Ask question"):
        method(question=question).fit(made, pictures=False)
