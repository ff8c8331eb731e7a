"""People and events counted by hand, against a slow count of random histories, and what is refused."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.histories import Histories
from ucimpact.errors import DataError, UsageError

D = dt.date
DAY = (D(2023, 1, 1) - D(1970, 1, 1)).days
"""1 January 2023."""


def people(**columns):
    table = {
        "person": ["a", "b", "c"],
        "first_visit": [D(2023, 1, 20), None, None],
        "died": [None, D(2023, 2, 10), None],
        "left": [None, None, D(2023, 3, 1)],
        "age": [70, 80, 90],
        "practice": ["p", "q", "p"],
    }
    return pd.DataFrame({**table, **columns})


EVENTS = [
    ("a", D(2023, 1, 1), "stay", D(2023, 1, 4), 300.0),
    ("a", D(2023, 1, 10), "stay", D(2023, 1, 10), 100.0),
    ("a", D(2023, 1, 10), "contact", None, np.nan),
    ("b", D(2023, 2, 5), "stay", None, 500.0),
    ("c", D(2023, 2, 20), "contact", None, np.nan),
    ("c", D(2023, 3, 31), "contact", None, np.nan),  # after c had left
]


def events(rows=EVENTS):
    return pd.DataFrame(rows, columns=["person", "date", "kind", "end", "cost"])


def histories(people_table=None, events_table=None, **options):
    given = {"person": "person", "service_start": "first_visit", "end": "end", "died": "died", "left": "left"}
    return Histories(
        people() if people_table is None else people_table,
        events() if events_table is None else events_table,
        **{**given, **options},
    )


def day(month, of_month):
    return DAY + (D(2023, month, of_month) - D(2023, 1, 1)).days


# -- by hand -------------------------------------------------------------------------------


def test_what_each_person_is():
    h = histories(cluster="practice")
    assert h.n == 3
    assert h.kinds == ("contact", "stay")
    assert (h.first_day, h.last_day) == (day(1, 1), day(3, 31))
    np.testing.assert_array_equal(h.start, [day(1, 20), np.nan, np.nan])
    np.testing.assert_array_equal(h.death, [np.nan, day(2, 10), np.nan])
    np.testing.assert_array_equal(h.leave, [np.nan, np.nan, day(3, 1)])
    assert np.isnan(h.enter).all()
    np.testing.assert_array_equal(h.values("age"), [70, 80, 90])
    np.testing.assert_array_equal(h.clusters, [0, 1, 0])
    assert h.counts() == {"people": 3, "events": 5, "served": 1}


def test_stays_stand_by_person_and_day_and_one_that_goes_on_ends_with_the_death():
    h = histories(events_table=events(EVENTS[::-1]))
    stays = h.stays("stay")
    assert list(stays.person) == [0, 0, 1]
    assert list(stays.day) == [day(1, 1), day(1, 10), day(2, 5)]
    assert list(stays.end) == [day(1, 4), day(1, 10), day(2, 10)]
    assert list(stays.row) == [5, 4, 2]
    contacts = h.stays("contact")
    assert list(contacts.end) == list(contacts.day)  # no contact has an end, so none has a length


def test_a_stay_that_nobody_saw_the_end_of_reaches_past_the_last_day():
    h = histories(people(died=[None] * 3))
    assert h.stays("stay").end[2] == h.last_day + 1


def test_a_window_is_half_open_and_counted_from_the_end_of_the_day():
    h = histories()
    at, one = np.array([day(1, 10)]), np.array([0])
    assert h.measure("stay", one, at, -30, 0) == 2  # the tenth itself belongs to the days before
    assert h.measure("stay", one, at, -9, 0) == 1  # the first of January is nine days before
    assert h.measure("stay", one, at, -10, 0) == 2
    assert h.measure("stay", one, at, 0, 90) == 0
    assert h.measure("stay", one, at - 1, 0, 1) == 1
    assert h.measure("stay", one, at, -30, 0, value="cost") == 400


def test_what_lies_after_leaving_or_the_last_day_is_not_counted():
    h = histories()
    assert h.measure("contact", np.array([2]), np.array([day(2, 1)]), 0, 90) == 1
    assert "fewer than 8 events after the person had left, left out" in h.notes
    cut = histories(last=D(2023, 1, 9))
    assert cut.measure("stay", np.array([0, 1]), np.array([DAY, DAY]), -1, 90).tolist() == [1, 0]
    assert cut.last_day == day(1, 9)


def test_nights_are_those_that_lie_inside_the_window_whenever_the_stay_began():
    h = histories()

    def nights(first, last):
        return h.measure("stay", np.array([0]), np.array([day(1, 2)]), first, last, value="bed days")

    assert nights(-30, 90) == 3  # of the 1st, 2nd and 3rd; one of the tenth has none
    assert nights(0, 90) == 1
    assert nights(-1, 0) == 1
    assert nights(-30, 0) == 2
    b = h.measure("stay", np.array([1]), np.array([day(2, 6)]), 0, 90, value="bed days")
    assert b == 3  # the 7th, 8th and 9th; death on the tenth


TRANSFERS = [
    ("a", D(2023, 1, 1), "stay", D(2023, 1, 4), 10.0),
    ("a", D(2023, 1, 4), "stay", D(2023, 1, 9), 20.0),  # the transfer, on the day the first ended
    ("a", D(2023, 1, 6), "stay", D(2023, 1, 7), 40.0),  # a ward within it
    ("a", D(2023, 1, 10), "stay", D(2023, 1, 12), 80.0),  # a day later: another stay
    ("b", D(2023, 1, 4), "stay", D(2023, 1, 5), 1.0),  # somebody else
    ("a", D(2023, 1, 5), "other stay", D(2023, 1, 11), 5.0),  # another kind
    ("a", D(2023, 1, 1), "contact", None, 1.0),
    ("a", D(2023, 1, 1), "contact", None, 1.0),
]


def test_rows_of_a_kind_that_overlap_or_touch_are_one_stay():
    h = histories(events_table=events(TRANSFERS), last=D(2023, 3, 31))
    one, before = np.array([0]), np.array([DAY - 1])

    def got(event, first, last, value=None):
        return h.measure(event, one, before, first, last, value=value).item()

    assert got("stay", 0, 90) == 2 and got("other stay", 0, 90) == 1
    assert got("stay", 0, 90, "bed days") == 8 + 2
    assert got("stay", 3, 90) == 1  # the transfer is no admission
    assert got("contact", 0, 90) == 2  # what has no length is never joined
    assert got("stay", 0, 90, "cost") == 150  # of the rows
    assert got("stay", 3, 5, "cost") == 20  # each on its own day
    stays = h.stays("stay")
    assert stays.person.tolist() == [0, 0, 1] and stays.row.tolist() == [0, 3, 4]
    assert stays.day.tolist() == [DAY, day(1, 10), day(1, 4)]
    assert stays.end.tolist() == [day(1, 9), day(1, 12), day(1, 5)]
    assert h.first_after("stay", one, np.array([DAY])).tolist() == [day(1, 10)]
    at = np.array([day(1, 8), day(1, 9), day(1, 10)])
    assert h.inside("stay", np.zeros(3, dtype=int), at).tolist() == [True, False, True]
    told = "fewer than 8 stays that began before another of the same kind had ended or on the day it did"
    assert f"{told}, joined to it as one" in h.notes
    assert h.where(np.array([True, False, False])).stays("stay").end.tolist() == [day(1, 9), day(1, 12)]


def test_as_many_rows_as_were_joined_are_told():
    rows = [("a", D(2023, 1, of_month), "stay", D(2023, 1, of_month + 1), 0.0) for of_month in range(1, 11)]
    h = histories(events_table=events(rows))
    assert h.measure("stay", np.array([0]), np.array([DAY - 1]), 0, 31) == 1
    told = "9 stays that began before another of the same kind had ended or on the day it did"
    assert f"{told}, joined to it as one" in h.notes


def test_one_end_that_was_not_written_down_does_not_hide_the_later_stays():
    rows = [
        ("a", D(2023, 1, 1), "stay", None, 0.0),
        ("a", D(2023, 1, 11), "stay", D(2023, 1, 13), 0.0),
        ("a", D(2023, 2, 1), "stay", None, 0.0),
        ("a", D(2023, 2, 1), "stay", D(2023, 2, 3), 0.0),
    ]
    h = histories(events_table=events(rows), last=D(2023, 3, 31))
    stays = h.stays("stay")
    assert stays.day.tolist() == [DAY, day(1, 11), day(2, 1)]
    assert stays.end.tolist() == [day(1, 11), day(1, 13), day(2, 3)]
    until = "fewer than 8 stays without an end, taken to go on until the next of that kind began"
    assert until in h.notes and not any("last of the records" in note for note in h.notes)


def test_days_at_home_are_in_no_stay_of_any_kind():
    h = histories(events_table=events(TRANSFERS), last=D(2023, 3, 31))
    for kind in ("stay", "other stay"):
        home = h.measure(kind, np.array([0]), np.array([DAY - 1]), 0, 31, value="days at home")
        assert home == 31 - 11  # in one bed or another from the 1st to the 12th
    some = h.where(np.array([False, True, False]))
    assert some.measure("stay", np.array([0]), np.array([DAY - 1]), 0, 31, value="days at home") == 30
    with pytest.raises(DataError, match="so it has no nights"):
        h.measure("contact", np.array([0]), np.array([DAY - 1]), 0, 31, value="days at home")


def test_days_at_home_are_the_evenings_alive_and_in_no_stay():
    h = histories()

    def at_home(who, at, last):
        return h.measure("stay", np.array([who]), np.array([at]), 0, last, value="days at home").item()

    assert at_home(0, day(1, 1), 10) == 8  # all but the 2nd and 3rd
    assert at_home(1, day(2, 1), 30) == 3  # the 2nd to 4th; in hospital from the 5th, and dead on the tenth
    assert at_home(1, day(2, 10), 10) == 0
    assert at_home(2, day(2, 1), 28) == 28
    assert np.isnan(at_home(2, day(2, 1), 29))  # left on the first of March
    assert np.isnan(at_home(0, day(3, 1), 31))  # the records end on the 31st


def test_deaths_are_events_too():
    h = histories()
    who, at = np.array([0, 1, 1, 1]), np.array([day(2, 1), day(2, 1), day(2, 10), day(2, 9)])
    assert h.measure("death", who, at, 0, 30).tolist() == [0, 1, 0, 1]
    assert histories(last=D(2023, 2, 9)).measure("death", who, at, 0, 30).sum() == 0


def test_the_first_event_after_a_day():
    h = histories()
    who, at = np.array([0, 0, 0, 1, 2]), np.array([DAY, day(1, 9), day(1, 10), DAY, DAY])
    np.testing.assert_array_equal(
        h.first_after("stay", who, at), [day(1, 10), day(1, 10), np.nan, day(2, 5), np.nan]
    )
    np.testing.assert_array_equal(h.first_after("death", who, at), [np.nan] * 3 + [day(2, 10), np.nan])
    on_the_day = np.array([day(2, 9), day(2, 10)])
    np.testing.assert_array_equal(h.first_after("death", np.array([1, 1]), on_the_day), [day(2, 10), np.nan])


def test_nobody_is_inside_on_the_last_day_of_a_stay():
    h = histories()
    at = np.array([DAY - 1, DAY, day(1, 3), day(1, 4), day(1, 10)])
    assert h.inside("stay", np.zeros(5, dtype=int), at).tolist() == [False, True, True, False, False]


def test_days_at_risk_end_with_death_leaving_or_the_records():
    h = histories()
    at = np.array([day(1, 31)] * 3)
    assert h.at_risk(np.arange(3), at, 90).tolist() == [59, 10, 29]
    assert h.at_risk(np.arange(3), at, 7).tolist() == [7, 7, 7]
    assert h.at_risk(np.arange(3), at + 40, 7).tolist() == [7, 0, 0]


# -- properties ----------------------------------------------------------------------------


def random_tables(seed, n=60, m=500):
    draw = np.random.default_rng(seed)
    day = draw.integers(0, 400, m)
    kind = draw.choice(["stay", "contact"], m)
    length = np.where((kind == "stay") & (draw.random(m) < 0.9), draw.integers(0, 20, m), np.nan)
    died = np.where(draw.random(n) < 0.2, draw.integers(100, 450, n), np.nan)
    left = np.where(draw.random(n) < 0.2, draw.integers(100, 450, n), np.nan)
    persons = draw.permutation(1000)[:n]
    table = pd.DataFrame({"person": persons, "first_visit": np.nan, "died": died, "left": left})
    rows = pd.DataFrame(
        {
            "person": draw.choice(persons, m),
            "date": day.astype(float),
            "kind": kind,
            "end": day + length,
            "cost": draw.integers(0, 1000, m).astype(float),
        }
    )
    return table, rows


def slow_joined(rows, last_day):
    """The stays of one person and kind by marking days; a stay without an end goes on until the next."""
    rows = sorted(rows, key=lambda e: (e["date"], e["end"] == e["end"]))
    stays = []
    for i, e in enumerate(rows):
        end, unseen = e["end"], e["end"] != e["end"]
        if unseen:
            end = rows[i + 1]["date"] if i + 1 < len(rows) else last_day + 1
        if stays and e["date"] <= stays[-1]["known"]:
            stays[-1]["end"] = max(stays[-1]["end"], end)
        else:
            stays.append({**e, "end": end, "known": e["date"]})
        stays[-1]["known"] = max(stays[-1]["known"], e["date"] if unseen else end)
    return stays


def slow(table, rows, event, row, day, first, last, value, last_day):
    """The same by looking at each event."""
    who = table.iloc[row]
    total = 0.0
    own = rows[(rows["person"] == who["person"]) & (rows["kind"] == event)].to_dict("records")
    last_seen = min(x for x in (who["died"], who["left"], last_day) if x == x)
    own = [e for e in own if e["date"] <= last_seen]
    if event == "stay" and value != "cost":
        own = slow_joined(own, last_day)
    for e in own:
        stops = min(x for x in (who["died"], who["left"], last_day) if x == x)
        if e["date"] > stops:
            continue
        if value in ("bed days", "days at home"):
            end = last_day + 1 if e["end"] != e["end"] else e["end"]
            end = min(end, who["died"]) if who["died"] == who["died"] else end
            nights = [t for t in range(int(e["date"]), int(max(end, e["date"]))) if t <= stops]
            total += sum(day + first < t <= day + last for t in nights)
        elif day + first < e["date"] <= day + last:
            total += e["cost"] if value == "cost" else 1
    if value == "days at home":
        stops = min(x for x in (who["left"], last_day) if x == x)
        if who["died"] <= stops:
            return sum(t < who["died"] for t in range(day + first + 1, day + last + 1)) - total
        return last - first - total if stops >= day + last else np.nan
    return total


@pytest.mark.parametrize(
    "event, value",
    [("stay", None), ("stay", "bed days"), ("stay", "days at home"), ("stay", "cost"), ("contact", "cost")],
)
def test_every_window_is_what_a_slow_count_gives(event, value):
    for seed in range(4):
        table, rows = random_tables(seed)
        h = histories(table, rows, last=D(1970, 1, 1) + dt.timedelta(days=380))
        draw = np.random.default_rng(seed + 100)
        person, day = draw.integers(0, 60, 60), draw.integers(-50, 500, 60)
        for first, last in ((0, 90), (-30, 0), (-365, -90), (5, 5), (-1000, 1000)):
            found = h.measure(event, person, day, first, last, value=value)
            hand = [
                slow(table, rows, event, p, d, first, last, value, 380)
                for p, d in zip(person, day, strict=True)
            ]
            np.testing.assert_array_equal(found, hand)


def test_windows_that_meet_share_nothing_and_lose_nothing():
    table, rows = random_tables(9)
    h = histories(table, rows)
    person, day = np.repeat(np.arange(60), 5), np.tile([0, 100, 200, 300, 390], 60)
    for value in (None, "cost", "bed days"):
        parts = [
            h.measure("stay", person, day, a, b, value=value) for a, b in ((-90, -30), (-30, 0), (0, 45))
        ]
        whole = h.measure("stay", person, day, -90, 45, value=value)
        np.testing.assert_allclose(sum(parts), whole)


def test_first_after_is_the_first_day_on_which_the_count_grows():
    table, rows = random_tables(3)
    h = histories(table, rows)
    person, day = np.repeat(np.arange(60), 4), np.tile([-10, 50, 200, 380], 60)
    found = h.first_after("stay", person, day)
    none = np.isnan(found)
    assert none.any() and not none.all()
    assert not h.measure("stay", person[none], day[none], 0, 1000).any()
    until = (found - day)[~none]
    assert (h.measure("stay", person[~none], day[~none], 0, until - 1) == 0).all()
    assert (h.measure("stay", person[~none], day[~none], 0, until) > 0).all()


def test_the_order_of_rows_changes_nothing():
    table, rows = random_tables(5)
    shuffled = histories(table.sample(frac=1, random_state=1), rows.sample(frac=1, random_state=2))
    place = pd.Index(shuffled.people["person"]).get_indexer(table["person"])
    h, day = histories(table, rows), np.full(60, 200)
    for value in (None, "bed days", "cost"):
        given = h.measure("stay", np.arange(60), day, -100, 100, value=value)
        np.testing.assert_allclose(shuffled.measure("stay", place, day, -100, 100, value=value), given)


def test_some_people_keep_their_events_and_the_days_of_the_records():
    table, rows = random_tables(6)
    h = histories(table, rows, cluster=None)
    keep = np.arange(60) % 3 == 0
    some = h.where(keep)
    assert some.n == 20 and (some.first_day, some.last_day) == (h.first_day, h.last_day)
    who = np.flatnonzero(keep)
    for value in (None, "bed days", "cost"):
        np.testing.assert_allclose(
            some.measure("stay", np.arange(20), np.full(20, 150), -100, 200, value=value),
            h.measure("stay", who, np.full(20, 150), -100, 200, value=value),
        )
    stays = some.stays("stay")
    known = some.events.loc[stays.row]
    assert (known["person"].to_numpy() == some.people["person"].to_numpy()[stays.person]).all()
    assert (known["date"].to_numpy() == stays.day).all()
    np.testing.assert_array_equal(some.death, h.death[keep])


def test_the_tables_given_are_not_changed():
    table, rows = random_tables(7)
    before = table.copy(), rows.copy()
    h = histories(table, rows)
    h.measure("stay", np.arange(60), np.full(60, 200), -365, 0, value="bed days")
    h.people.loc[:, "died"] = 1.0
    h.events.loc[:, "cost"] = 1.0
    pd.testing.assert_frame_equal(table, before[0])
    pd.testing.assert_frame_equal(rows, before[1])


def test_numbers_of_people_may_be_numbers_in_one_table_and_text_in_the_other():
    table, rows = random_tables(8)
    text = rows.assign(person=rows["person"].astype(str))
    floats = table.assign(person=table["person"].astype(float).astype(object))
    given = histories(table, rows).measure("stay", np.arange(60), np.full(60, 200), -100, 100)
    found = histories(floats, text).measure("stay", np.arange(60), np.full(60, 200), -100, 100)
    np.testing.assert_array_equal(found, given)


# -- what is refused -----------------------------------------------------------------------


def test_every_problem_of_both_tables_is_listed_at_once_and_no_value_is_shown():
    table = people(
        person=["SECRETMAN", "SECRETMAN", "c"],
        first_visit=["31/31/2023", D(2023, 3, 1), None],
        practice=["p", None, "p"],
    )
    rows = [
        ("SECRETMAN", D(2023, 1, 1), "stay", D(2022, 12, 30), 1.0),
        ("WHOISTHIS", D(2023, 1, 1), "stay", None, 1.0),
        ("c", None, "stay", None, 1.0),
        ("c", "99/99/2023", None, None, 1.0),
        (None, D(2023, 1, 1), "stay", None, 1.0),
    ]
    with pytest.raises(DataError) as caught:
        histories(table, events(rows), cluster="practice")
    told = [(p.file, p.row, p.column) for p in caught.value.problems]
    assert told == [
        ("people", 2, "first_visit"),
        ("people", 3, "person"),
        ("people", 3, "practice"),
        ("events", 3, "person"),
        ("events", 6, "person"),
        ("events", 5, "date"),
        ("events", 4, "date"),
        ("events", 5, "kind"),
        ("events", 2, "end"),
        ("people", 3, "first_visit"),
    ]
    for value in ("SECRET", "WHOISTHIS", "31/31", "99/99", "2022"):
        assert value not in str(caught.value)


def test_columns_that_are_not_there_are_listed_for_both_tables():
    with pytest.raises(DataError) as caught:
        histories(died="dead", kind="sort", end="discharged")
    assert [(p.file, p.column) for p in caught.value.problems] == [
        ("people", "dead"),
        ("events", "sort"),
        ("events", "discharged"),
    ]


def test_tables_of_different_people_are_one_problem():
    with pytest.raises(DataError, match=r"1 problem.*\n.*no event is of anybody"):
        histories(events_table=events([(9, D(2023, 1, day), "stay", None, 1.0) for day in range(1, 20)]))


@pytest.mark.parametrize(
    "columns, said",
    [
        ({"first_visit": [None, D(2023, 2, 11), None]}, "the service begins after the death"),
        ({"left": [D(2022, 1, 1), None, None]}, "left before being registered"),
        ({"died": [D(2022, 1, 1), None, None], "first_visit": None}, "registered after the death"),
    ],
)
def test_days_that_cannot_follow_one_another_are_refused(columns, said):
    table = people(**columns).assign(registered=D(2022, 6, 1))
    with pytest.raises(DataError, match=said):
        histories(table, registered="registered")


def test_records_that_end_before_they_begin_are_refused():
    with pytest.raises(DataError, match="end before they begin"):
        histories(first=D(2023, 5, 1), last=D(2023, 4, 1))


def test_a_clock_starts_within_the_records():
    h = histories(index_from=D(2022, 6, 1), index_to=D(2023, 2, 1))
    assert (h.index_first, h.index_last) == (day(1, 1), day(2, 1))
    other = h.indexed(D(2023, 1, 5), None)
    assert (other.index_first, other.index_last) == (day(1, 5), day(3, 31))
    with pytest.raises(DataError, match="no day on which a clock may start"):
        h.indexed(D(2023, 6, 1), None)


def test_a_kind_that_does_not_exist_is_refused_and_kinds_of_few_are_not_named():
    with pytest.raises(DataError) as caught:
        histories().measure("stays", np.array([0]), np.array([DAY]), 0, 90)
    assert "contact" not in str(caught.value) and "Did you mean" not in str(caught.value)
    table, rows = random_tables(1)
    with pytest.raises(DataError, match='Did you mean "stay"'):
        histories(table, rows).measure("stays", np.array([0]), np.array([DAY]), 0, 90)


def test_a_sum_without_a_number_is_refused_with_the_rows():
    with pytest.raises(DataError) as caught:
        histories().measure("contact", np.array([0]), np.array([DAY]), 0, 90, value="cost")
    assert [p.row for p in caught.value.problems] == [4, 6]
    spoilt = events().astype({"cost": object})
    spoilt.loc[3, "cost"] = "SECRET"
    with pytest.raises(DataError, match="not a number") as caught:
        histories(events_table=spoilt).measure("stay", np.array([0]), np.array([DAY]), 0, 90, value="cost")
    assert [p.row for p in caught.value.problems] == [5] and "SECRET" not in str(caught.value)
    with pytest.raises(DataError, match="no such column"):
        histories().measure("contact", np.array([0]), np.array([DAY]), 0, 90, value="price")


def test_nights_of_what_has_no_length_are_refused():
    with pytest.raises(DataError, match="has an end, so it has no nights"):
        histories().measure("contact", np.array([0]), np.array([DAY]), 0, 90, value="bed days")


def test_windows_that_end_before_they_begin_and_values_of_deaths_are_refused():
    with pytest.raises(UsageError, match="ends before it begins"):
        histories().measure("stay", np.array([0]), np.array([DAY]), 0, -90)
    with pytest.raises(UsageError, match="no value"):
        histories().measure("death", np.array([0]), np.array([DAY]), 0, 90, value="cost")


def test_what_was_left_out_or_read_with_care_is_noted_with_its_number():
    rows = [
        *EVENTS,
        EVENTS[2],  # once more
        EVENTS[1],  # a stay once more
        ("b", D(2023, 2, 12), "contact", None, np.nan),  # after the death
        ("b", D(2023, 2, 7), "stay", D(2023, 2, 14), 1.0),  # within the one that goes on, and past the death
        ("a", D(2022, 1, 1), "contact", None, np.nan),  # before the first day
    ]
    h = histories(events_table=events(rows), first=D(2023, 1, 1), last=D(2023, 3, 30))
    assert h.notes == (
        "fewer than 8 events after the death of the person, left out",
        "fewer than 8 events after the person had left, left out",
        "fewer than 8 stays with an end after the death of the person, ended there",
        "fewer than 8 events before the first day of the records, kept",
        "fewer than 8 stays without an end, taken to go on until the next of that kind began",
        "fewer than 8 stays that began before another of the same kind had ended or on the day it did, "
        "joined to it as one",
        "fewer than 8 events alike in every column to one above, counted twice",
        "fewer than 8 stays alike in every column to one above, whose values are summed twice",
    )


def test_services_outside_the_records_are_noted_and_few_are_not_counted():
    table, rows = random_tables(4)
    served = table.assign(first_visit=np.where(np.arange(60) < 9, -5.0, 5.0), registered=2.0)
    served.loc[59, "first_visit"] = 900.0
    served.loc[:30, "registered"] = 500.0
    notes = histories(served.assign(died=np.nan, left=np.nan), rows, registered="registered").notes
    assert "9 people with the service before the first day of the records" in notes
    assert "fewer than 8 people with the service after the last day of the records" in notes
    assert "31 people registered after the last day of the records" in notes
