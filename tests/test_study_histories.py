"""Reading a study of people and their dated events: two tables, what is asked of them, and no value told."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pandas as pd
import pytest

from tests.small_study import VISITS
from ucimpact.data.histories import Histories
from ucimpact.errors import DataError, DesignError, ImpactError, UsageError
from ucimpact.study import Counted, read_records, read_study
from ucimpact.study.declare import Data, Events

STUDY = (
    VISITS
    + """service_start = "first_visit"
died = "died"
registered = "since"
cluster = "practice"
follow_up_days = 90
window = { from = 2024-04-01, to = 2025-01-31 }

[data.events]
source = "events.csv"
end = "discharged"
from = 2023-04-01
to = 2025-03-31

[[outcome]]
column = "Emergency admissions"
label = "Emergency admissions"
kind = "count"
counted = { event = "emergency admission", days = [0, 90] }
primary = true

[[outcome]]
column = "Bed days"
label = "Bed days"
kind = "count"
counted = { event = "emergency admission", days = [0, 90], value = "bed days" }

[[outcome]]
column = "Cost"
label = "Cost of emergency stays"
kind = "cost"
counted = { event = "emergency admission", days = [0, 90], value = "cost" }

[[outcome]]
column = "Deaths"
label = "Deaths"
kind = "binary"
counted = { event = "death", days = [0, 90] }
negative_control = "deaths"

[[outcome]]
column = "Contacts before"
label = "Community contacts before"
kind = "count"
counted = { event = "contact", days = [-180, 0] }
negative_control = "before"

[method]
name = "sequential-trials"
covariates = ["age", "alone"]
exact = ["sex"]
trigger = "emergency admission"
[[method.measured]]
event = "contact"
days = [-30, 0]
"""
)


def tables(n: int = 60, seed: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People and events as an information team would send them."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2023-04-01")

    def day(offset: int) -> str:
        return (first + pd.to_timedelta(offset, unit="D")).strftime("%d/%m/%y")

    people = pd.DataFrame(
        {
            "client": [f"Anon{k:03d}" for k in range(n)],
            "first_visit": [day(int(rng.integers(380, 600))) if k % 3 == 0 else "" for k in range(n)],
            "died": [day(729) if k % 10 == 9 else "" for k in range(n)],
            "since": [day(-1000)] * n,
            "practice": ["North", "South"] * (n // 2),
            "age": rng.integers(65, 95, n),
            "alone": ["Y", "N"] * (n // 2),
            "sex": ["F", "M", "M"] * (n // 3),
        }
    )
    rows = []
    for k in range(n):
        for at in sorted(rng.integers(0, 720, 9)):
            if rng.random() < 0.4:
                stay = int(rng.integers(0, 9))
                cost = f"£{300 + 400 * stay:,}"
                rows.append((f"Anon{k:03d}", day(int(at)), "Emergency admission", day(int(at) + stay), cost))
            else:
                rows.append((f"Anon{k:03d}", day(int(at)), "Contact", "", ""))
    rows += [("Anon000", day(0), "Contact", "", ""), ("Anon000", day(730), "Contact", "", "")]
    return people, pd.DataFrame(rows, columns=["client", "date", "kind", "discharged", "cost"])


def written(folder, people=None, events=None, text=STUDY):
    given = tables()
    (given[0] if people is None else people).to_csv(folder / "people.csv", index=False)
    (given[1] if events is None else events).to_csv(folder / "events.csv", index=False)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return read_study(folder)


def records(folder, people=None, events=None, text=STUDY):
    return read_records(written(folder, people, events, text))


def every_count(found: Histories, study) -> np.ndarray:
    """Each outcome of each person on three days, people in the order of their ages and practices."""
    who = np.arange(found.n)
    counts = [
        found.measure(o.counted.event, who, np.full(found.n, day), *o.counted.days, value=o.counted.value)
        for o in study.outcomes
        for day in (found.index_first, found.index_first + 100, found.index_last)
    ]
    return np.array(counts)


# -- what is read ----------------------------------------------------------------------------


def test_two_tables_are_read_in_their_roles(tmp_path):
    people, events = tables()
    read = records(tmp_path)
    found = read.data
    assert isinstance(found, Histories)
    assert found.counts() == {"people": 60, "events": len(events), "served": 20}
    assert found.kinds == ("contact", "emergency admission")  # as the study writes them
    assert found.has_length("emergency admission") and not found.has_length("contact")
    since = dt.date(1970, 1, 1)
    days = [since + dt.timedelta(days=day) for day in (found.first_day, found.last_day)]
    assert days == [dt.date(2023, 4, 1), dt.date(2025, 3, 31)]
    clocks = [since + dt.timedelta(days=day) for day in (found.index_first, found.index_last)]
    assert clocks == [dt.date(2024, 4, 1), dt.date(2025, 1, 31)]
    np.testing.assert_array_equal(found.values("age"), people["age"])
    assert set(found.values("alone")) == {0.0, 1.0}
    assert len(np.unique(found.codes("sex"))) == len(np.unique(found.clusters)) == 2
    costs = found.measure(
        "emergency admission", np.arange(60), np.full(60, found.first_day), -1, 999, value="cost"
    )
    spent = events["cost"].str.replace("[£,]", "", regex=True).replace("", np.nan).astype(float)
    by_person = spent.groupby(events["client"]).sum().reindex(people["client"])
    np.testing.assert_allclose(costs, by_person)
    assert read.rows_read == 60 and [f["file"] for f in read.fingerprints] == ["people.csv", "events.csv"]
    assert any("pound sign" in note for note in read.coercions)
    assert not any("Anon" in str(cell) for cell in found.people.to_numpy().ravel())


def test_another_window_moves_the_clocks_and_leaves_the_events(tmp_path):
    read = records(tmp_path)
    whole = read.within("all").data
    assert (whole.index_first, whole.index_last) == (whole.first_day, whole.last_day)
    assert whole.counts() == read.data.counts()


def test_two_sheets_of_one_workbook(tmp_path):
    people, events = tables()
    with pd.ExcelWriter(tmp_path / "both.xlsx") as book:
        people.to_excel(book, sheet_name="People", index=False)
        events.to_excel(book, sheet_name="What happened", index=False)
    text = STUDY.replace('source = "people.csv"', 'source = "both.xlsx"\nsheet = "People"')
    text = text.replace('source = "events.csv"', 'sheet = "What happened"')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    study = read_study(tmp_path)
    found = read_records(study).data
    expected = records(tmp_path).data
    np.testing.assert_array_equal(every_count(found, study), every_count(expected, study))


def test_events_by_sql(tmp_path):
    tables_in_one_form = iso(*tables())
    study = written(tmp_path, *tables_in_one_form)
    (tmp_path / "events.sql").write_text("SELECT * FROM 'events.csv' WHERE kind IS NOT NULL")
    text = STUDY.replace('source = "events.csv"', 'sql = "events.sql"')
    by_sql = written(tmp_path, *tables_in_one_form, text=text)
    found, expected = read_records(by_sql).data, read_records(study).data
    np.testing.assert_array_equal(every_count(found, study), every_count(expected, study))


# -- odd inputs that say the same ------------------------------------------------------------


def shuffled(people, events):
    return people, events.sample(frac=1, random_state=3)


def iso(people, events):
    people, events = people.copy(), events.copy()
    for table, columns in ((people, ["first_visit", "died", "since"]), (events, ["date", "discharged"])):
        for column in columns:
            read = pd.to_datetime(table[column], format="%d/%m/%y")
            table[column] = read.dt.strftime("%Y-%m-%d").fillna("")
    return people, events


def mixed_capitals(people, events):
    spelt = np.where(np.arange(len(events)) % 3 == 0, events["kind"].str.upper(), events["kind"] + "  ")
    return people, events.assign(kind=spelt)


def stays_twice(people, events):
    stays = events[events["discharged"] != ""].sample(20, random_state=1)
    return people, pd.concat([events, stays])


def with_other_columns(people, events):
    return people.assign(note="text, with a comma"), events.assign(ward="x")


def spaces_in_numbers(people, events):
    return people.assign(client=people["client"] + " "), events.assign(client=" " + events["client"])


@pytest.mark.parametrize(
    "change", [shuffled, iso, mixed_capitals, stays_twice, with_other_columns, spaces_in_numbers]
)
def test_the_same_said_otherwise_gives_the_same_counts(tmp_path, change):
    study = written(tmp_path)
    expected = every_count(read_records(study).data, study)
    assert expected.sum() > 500
    found = records(tmp_path, *change(*tables())).data
    np.testing.assert_allclose(every_count(found, study), expected)


def test_stays_that_stand_twice_are_counted_once_and_said(tmp_path):
    read = records(tmp_path, *stays_twice(*tables()))
    assert "20 stays stand twice in events.csv, alike in every column: counted once" in read.coercions


def test_ten_times_as_many_people_give_ten_times_the_counts(tmp_path):
    people, events = tables()
    many = [
        pd.concat([table.assign(client=table["client"] + f"/{k}") for k in range(10)])
        for table in (people, events)
    ]
    study = written(tmp_path)
    expected = every_count(read_records(study).data, study)
    found = every_count(records(tmp_path, *many).data, study)
    np.testing.assert_allclose(found.reshape(len(expected), 10, 60), np.stack([expected] * 10, axis=1))


def test_events_outside_the_records_are_said(tmp_path):
    people, events = tables()
    more = pd.DataFrame(
        [("Anon001", "01/01/20", "Contact", "", ""), ("Anon001", "01/05/25", "Contact", "", "")],
        columns=events.columns,
    )
    read = records(tmp_path, people, pd.concat([events, more]))
    assert "fewer than 8 events before the first day of the records, kept" in read.coercions
    assert "fewer than 8 events after the last day of the records, left out" in read.coercions


def test_a_stay_without_an_end_is_said(tmp_path):
    people, events = tables()
    events.loc[np.flatnonzero(events["discharged"] != "")[:2], "discharged"] = ""
    read = records(tmp_path, people, events)
    assert any("fewer than 8 stays without an end" in note for note in read.coercions)


def test_what_stands_in_the_costs_of_events_that_are_not_summed_does_not_matter(tmp_path):
    people, events = tables()
    contacts = events["kind"] == "Contact"
    events.loc[contacts, "cost"] = "see notes"
    study = written(tmp_path)
    expected = every_count(read_records(study).data, study)
    np.testing.assert_array_equal(every_count(records(tmp_path, people, events).data, study), expected)


def test_somebody_registered_in_52_was_so_in_1952(tmp_path):
    people, events = tables()
    people["since"] = ["14/06/52" if k < 30 else "14/06/20" for k in range(60)]
    read = records(tmp_path, people, events)
    years = read.data.enter.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    assert years.tolist() == [1952] * 30 + [2020] * 30
    assert "`since`: 30 dates more than a year after the records read a century earlier" in read.coercions
    written_out = people.assign(since=["14/06/2052"] * 60)  # of four digits it is a slip
    with pytest.raises(DataError, match="registered after the death"):
        records(tmp_path, written_out, events)


def test_rows_left_out_of_the_events_are_said_with_their_file(tmp_path):
    people, events = tables()
    total = pd.DataFrame([["Total", "", "", "", "£1,000"]], columns=events.columns)
    read = records(tmp_path, people, pd.concat([events, total]))
    assert any(note.startswith("events.csv: 1 total row") for note in read.coercions)


# -- what is refused ---------------------------------------------------------------------------


def test_problems_of_both_tables_are_listed_at_once_with_their_file_and_row(tmp_path):
    people, events = (table.astype(object) for table in tables())
    people.loc[3, "age"] = "old Zebra"
    people.loc[4, "first_visit"] = "31/02/25"
    people.loc[5, "practice"] = ""
    people.loc[6, "died"] = "01/04/23"
    people.loc[6, "first_visit"] = "01/05/24"
    events.loc[7, "client"] = "Nobody Zebra"
    events.loc[8, "date"] = ""
    events.loc[9, "date"] = "31/02/24"  # no date, which is said once
    stay = np.flatnonzero(events["discharged"] != "")[3]
    events.loc[stay, "discharged"] = "01/01/21"
    costly = np.flatnonzero(events["discharged"] != "")[5]
    events.loc[costly, "cost"] = ""
    unread = np.flatnonzero(events["discharged"] != "")[6]
    events.loc[unread, "cost"] = "Zebra"
    with pytest.raises(DataError) as caught:
        records(tmp_path, people, events)
    told = [(p.file, p.row, p.column) for p in caught.value.problems]
    assert len(told) == len(set(told))
    assert set(told) == {
        ("people.csv", 5, "age"),
        ("people.csv", 6, "first_visit"),
        ("people.csv", 7, "practice"),
        ("people.csv", 8, "first_visit"),
        ("events.csv", 9, "client"),
        ("events.csv", 10, "date"),
        ("events.csv", 11, "date"),
        ("events.csv", stay + 2, "discharged"),
        ("events.csv", costly + 2, "cost"),
        ("events.csv", unread + 2, "cost"),
    }
    text = str(caught.value)
    assert "10 problems in people.csv and events.csv" in text
    assert "in events.csv, " in text and "in people.csv, " in text and "in the table of events, " not in text
    assert "Zebra" not in text and "Anon" not in text


def test_what_is_wrong_with_a_row_is_told_by_its_line_where_stays_were_left_out(tmp_path):
    people, events = stays_twice(*tables())
    double = events.iloc[[-1]]  # once more, so that it is left out
    events = pd.concat([double, double, events, double.assign(client="Somebody else")])
    with pytest.raises(DataError) as caught:
        records(tmp_path, people, events)
    assert [(p.file, p.row) for p in caught.value.problems] == [("events.csv", len(events) + 1)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('event = "contact", days = [-180', 'event = "contacts", days = [-180', 'Did you mean "contact"'),
        ('event = "contact"\ndays = [-30', 'event = "injury"\ndays = [-30', 'no event is called "injury"'),
        ('trigger = "emergency admission"', 'trigger = "stay"', 'no event is called "stay"'),
        (
            'counted = { event = "emergency admission", days = [0, 90], value = "bed days" }',
            'counted = { event = "contact", days = [0, 90], value = "bed days" }',
            "has an end, so its nights",
        ),
        ('value = "cost"', 'value = "price"', "there is no such column in events.csv"),
        ('end = "discharged"', 'end = "discharge"', "Did you mean `discharged`"),
        ('died = "died"', 'died = "dead"', "there is no such column in people.csv"),
        ("to = 2025-03-31", "to = 2025-08-31", "no event in the last 153 days"),
        ("from = 2023-04-01", "from = 2022-04-01", "no event in the first 365 days"),
        (
            "from = 2024-04-01, to = 2025-01-31",
            "from = 2025-04-01, to = 2026-01-31",
            "no day on which a clock",
        ),
        ('column = "Cost"', 'column = "age"', "has the name of a column that the study uses"),
    ],
)
def test_what_the_events_cannot_answer_is_refused_with_the_way_out(tmp_path, old, new, said):
    assert old in STUDY
    with pytest.raises(DataError) as caught:
        records(tmp_path, text=STUDY.replace(old, new, 1))
    assert said in str(caught.value)


def test_a_month_without_any_event_is_no_month_in_which_all_were_well(tmp_path):
    people, events = tables()
    more = pd.concat([events] * 3, ignore_index=True)
    more["cost"] = np.arange(len(more), dtype=float)  # else they would be the same stays once more
    day = pd.to_datetime(more["date"], format="%d/%m/%y")
    gone = (day >= "2024-02-01") & (day < "2024-03-01")
    assert records(tmp_path, people, more).data.n == len(people)
    with pytest.raises(DataError) as caught:
        records(tmp_path, people, more[~gone])
    told = [problem for problem in caught.value.problems if "days after this one" in problem.what]
    assert len(told) == 1 and "would be expected" in told[0].what and "2024" not in str(caught.value)
    assert told[0].row is not None
    assert day[~gone].iloc[told[0].row - 2] == day[day < "2024-02-01"].max()


def test_kinds_of_which_there_are_few_are_not_named(tmp_path):
    people, events = tables()
    events.loc[5, "kind"] = "Zebra Jane"
    with pytest.raises(DataError) as caught:
        records(
            tmp_path,
            people,
            events,
            STUDY.replace('trigger = "emergency admission"', 'trigger = "Zebra Jan"'),
        )
    assert "Zebra Jane" not in str(caught.value) and "no event is called" in str(caught.value)


def test_a_list_in_which_nobody_had_the_service_is_refused(tmp_path):
    people, events = tables()
    with pytest.raises(DesignError, match="nobody had the service"):
        records(tmp_path, people.assign(first_visit=""), events)


def test_dates_that_are_month_first_are_refused_and_can_be_declared_for_one_table(tmp_path):
    people, events = tables()
    american = pd.to_datetime(events["date"], format="%d/%m/%y").dt.strftime("%m/%d/%Y")
    ends = pd.to_datetime(events["discharged"], format="%d/%m/%y").dt.strftime("%m/%d/%Y").fillna("")
    swapped = events.assign(date=american, discharged=ends)
    with pytest.raises(DataError, match="month first"):
        records(tmp_path, people, swapped)
    said = STUDY.replace('end = "discharged"', 'end = "discharged"\ndates = { format = "%m/%d/%Y" }')
    study = written(tmp_path)
    expected = every_count(read_records(study).data, study)
    found = records(tmp_path, people, swapped, said).data
    np.testing.assert_array_equal(every_count(found, study), expected)


# -- the study file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('service_start = "first_visit"\n', "", "service_start`: is missing"),
        ('died = "died"\n', "", "counts deaths, and no column says who died"),
        ('cluster = "practice"', 'cluster = "practice"\npilot = "had"', "follows from service_start"),
        ('cluster = "practice"', 'cluster = "practice"\nindex_date = "d"', "found from the events"),
        ("from = 2023-04-01\nto = 2025-03-31", "from = 2023-04-01", "`events.to`: is missing"),
        ("from = 2023-04-01\nto = 2025-03-31", "from = 2025-04-01\nto = 2024-03-31", "to is not after from"),
        ('source = "events.csv"\n', "", "names no file"),
        ('source = "events.csv"', 'source = "event.csv"', "there is no file"),
        ('source = "events.csv"', 'sheet = "Events"', "only an .xlsx file has sheets"),
        ('end = "discharged"', 'end = "date"', "one column in two roles"),
        ('end = "discharged"', 'ending = "discharged"', "no such key. Did you mean `end`"),
        ("days = [0, 90] }\nprimary", "days = [90, 0] }\nprimary", "before they begin"),
        ("days = [0, 90] }\nprimary", "days = [-90, 0] }\nprimary", "begins before the day itself"),
        ("days = [0, 90] }\nprimary", "days = [0, 180] }\nprimary", "beyond the 90 follow_up_days"),
        ("days = [0, 90] }\nprimary", "days = [0] }\nprimary", "`counted.days`: expects two whole numbers"),
        ("days = [-180, 0]", "days = [-180, 30]", "reaches past the day itself"),
        ('counted = { event = "contact", days = [-180, 0] }', "", "`counted`: is missing"),
        (
            'counted = { event = "contact", days',
            'before = "x"\ncounted = { event = "contact", days',
            "before`",
        ),
        (', value = "cost" }', " }", "a cost is summed from a column"),
        ('"bed days" }', '"days at home" }', 'counts days, and kind = "count"'),
        (', value = "bed days" }', ', value = "cost" }', 'sums a column, and kind = "count"'),
        ("days = [0, 90] }\nprimary", "days = [0, 90], any = true }\nprimary", "asks whether there was any"),
        ("days = [0, 90] }\nnegative", 'days = [0, 90], value = "cost" }\nnegative', "no value to sum"),
        ('event = "death", days', 'event = "contact", days', "Add any = true"),
    ],
)
def test_what_keys_demand_of_one_another(tmp_path, old, new, said):
    assert old in STUDY
    with pytest.raises(UsageError) as caught:
        records(tmp_path, text=STUDY.replace(old, new, 1))
    assert said in str(caught.value)


def test_keys_of_a_table_of_events_are_for_people_with_one(tmp_path):
    (tmp_path / "people.csv").write_text("client\n1\n")
    start, end = STUDY.index("[data.events]"), STUDY.index("[[outcome]]")
    with pytest.raises(UsageError) as caught:
        text = STUDY[:start] + STUDY[end:]
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        read_study(tmp_path)
    text = str(caught.value)
    assert "`died`: is for people with a table of events" in text
    assert text.count("`counted`: is for people with a table of events") == 5


def test_methods_are_asked_with_what_they_would_be_given(tmp_path):
    asked = []
    written(tmp_path)
    read_study(tmp_path, judge=lambda name, _, kind: asked.append((name, kind)) or [])
    assert asked == [("sequential-trials", "histories")]


AS_MAIN = """
[[sensitivity]]
name = "sequential-trials"
as_main = true
by = "matching"
covariates = "age"
note = "Matched"
"""


def test_a_sensitivity_analysis_may_have_the_fields_of_the_main_one(tmp_path):
    study = written(tmp_path, text=STUDY + AS_MAIN)
    (entry,) = study.sensitivity
    assert entry.options == {**study.method.options, "by": "matching", "covariates": "age"}
    assert "measured" in entry.options and "as_main" not in entry.options
    with pytest.raises(UsageError, match=r"takes the fields of \[method\], which is \"sequential-trials\""):
        written(tmp_path, text=STUDY + AS_MAIN.replace('name = "sequential-trials"', 'name = "did"'))


def test_what_is_wrong_with_the_main_method_is_not_said_again_of_what_is_as_it(tmp_path):
    written(tmp_path)

    def judge(name, options, kind):
        told = [("trigger", "is wrong")] if "trigger" in options else []
        return told + ([("by", "is wrong too")] if "by" in options else [])

    (tmp_path / "study.toml").write_text(STUDY + AS_MAIN, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_study(tmp_path, judge=judge)
    assert str(caught.value).count("is wrong") == 2


def test_declared_in_python(tmp_path):
    study = written(tmp_path)
    assert study.outcomes[1].counted == Counted("emergency admission", (0, 90), "bed days")
    day = dt.date(2023, 4, 1)
    data = Data(kind="cohort", events=Events(source="e.csv", first=day, last=day))
    assert (data.shape, Data(kind="cohort").shape, Data(kind="panel").shape) == (
        "histories",
        "cohort",
        "panel",
    )


# -- no value leaks --------------------------------------------------------------------------------

JUNK = ["SECRET Jane", "31/13/2024", "-5", "<5", "*", "", "1e400", "Yes", "19470705", "#REF!", "½", "0"]


def test_no_mess_in_any_cell_shows_a_value(tmp_path):
    """Cells at random are spoilt; what is said of them never holds what stood in a cell."""
    draw = random.Random(11)
    refused = 0
    for _ in range(40):
        both = [table.astype(object) for table in tables(12)]
        for _ in range(6):
            table = draw.choice(both)
            at, column = draw.randrange(len(table)), draw.choice(list(table.columns))
            table.loc[at, column] = draw.choice(JUNK)
        try:
            said = "\n".join(records(tmp_path, *both).coercions)
        except ImpactError as error:
            refused += 1
            said = str(error)
        for value in ("SECRET", "31/13", "1e400", "19470705", "#REF", "½", "Anon", "North"):
            assert value not in said
    assert refused > 20
