"""A plan from the places' own past: what is read, what is refused, the sentences, the page and the file."""

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import PANEL, edited
from ucimpact import cli, words
from ucimpact.data.examples import folder
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.inference.panel_draws import Size
from ucimpact.plan import make, write
from ucimpact.plan.chart import description
from ucimpact.plan.drawn import worthwhile_share
from ucimpact.plan.past import past_of
from ucimpact.plan.sizes import Sizes
from ucimpact.study import read_study

DRAWS = 60
STUDY = PANEL.replace('kind = "count"\n', 'kind = "count"\nworthwhile = -0.1\n')


def table(places=8, months=24, first="2022-04", joined=None, size=60.0, seed=1):
    """Practices by months in which nobody has the pilot yet; ``joined`` gives some of them a start."""
    rng = np.random.default_rng(seed)
    month = pd.period_range(first, periods=months, freq="M").astype(str)
    people = rng.integers(2_000, 4_000, places)
    own = rng.normal(0, 0.03, (places, months))
    rate = size / 3_000 * np.exp(own) * np.exp(0.1 * np.cos(np.arange(months) / 6 * np.pi))
    frame = pd.DataFrame(
        {
            "practice": np.repeat([f"Practice {k + 1:02d}" for k in range(places)], months),
            "month": np.tile(month, places),
            "list_size": np.repeat(people, months),
            "admissions": rng.poisson(people[:, None] * rate).ravel(),
        }
    )
    frame["joined"] = [(joined or {}).get(name, "") for name in frame["practice"]]
    return frame


def study_in(folder, frame, *edits, text=STUDY):
    frame.to_csv(folder / "practices.csv", index=False)
    (folder / "study.toml").write_text(edited(text, *edits), encoding="utf-8")
    return read_study(folder, with_data=False)


def planned(folder, frame, *edits, draws=DRAWS):
    return make(study_in(folder, frame, *edits), draws=draws)


def refused(folder, frame, *edits):
    with pytest.raises((UsageError, DesignError, DataError)) as caught:
        planned(folder, frame, *edits)
    return str(caught.value)


def size_of(found):
    """Cells of the table as numbers."""
    return [[float(cell.split("%")[0]) for cell in row[2:]] for row in found.rows]


# -- what is read ------------------------------------------------------------------------


def test_a_file_in_which_nobody_has_the_pilot_yet_is_planned_from(tmp_path):
    found = planned(tmp_path, table())
    assert found.head == (
        "Pilot practices",
        "Other practices",
        *(f"{m} months after" for m in (6, 12, 18, 24)),
    )
    assert [row[:2] for row in found.rows] == [("1", "7"), ("2", "6"), ("3", "5")]
    assert "From 8 practices over the 24 months before the pilot (April 2022 to March 2024)" in found.taken[0]
    assert "admissions per 1,000 people a month" in found.taken[0]
    columns = np.array(size_of(found))
    assert np.all(columns[0] > columns[1])


def test_only_the_months_before_the_first_start_are_looked_at(tmp_path):
    joined = {"Practice 01": "2023-10", "Practice 02": "2024-01"}
    frame = table(months=30, joined=joined)
    later = frame.assign(admissions=np.where(frame["month"] >= "2023-10", 9_999, frame["admissions"]))
    one, two = (planned(tmp_path, rows) for rows in (frame, later))
    assert one.text() == two.text()
    assert "over the 18 months before the pilot (April 2022 to September 2023)" in one.taken[0]


def test_starts_that_are_still_to_come_say_how_many_places_and_the_window_for_how_long(tmp_path):
    joined = {f"Practice {k:02d}": "2024-10" for k in (1, 2, 3)}
    window = "[data]\nwindow = { from = 2023-04-01, to = 2025-06-30 }\n"
    study = study_in(tmp_path, table(joined=joined), ("[data]\n", window))
    sizes = Sizes.of(study, past_of(study))
    assert sizes.own == Size(pilot=3, comparison=5, before=18, after=9)
    assert sizes.declared and 3 in sizes.pilots
    assert sizes.after == (9, 12, 18, 24)


def test_starts_that_differ_are_planned_as_one_and_other_methods_as_the_first(tmp_path):
    joined = {"Practice 01": "2024-10", "Practice 02": "2025-01"}
    edits = [('name = "did"', 'name = "callaway-santanna"')]
    found = planned(tmp_path, table(joined=joined), *edits, draws=20)
    assert "Its 2 different starts are planned as one." in found.taken
    assert found.taken[-1].startswith('Planned as "did"; the study’s own method is "callaway-santanna".')
    assert found.taken[-1].endswith("It compares with the last month before the start alone, and finds less.")
    assert not any("Planned as" in line for line in planned(tmp_path, table(), draws=20).taken)


def test_a_study_of_ratios_is_planned_by_its_own_rule(tmp_path):
    frame = table(places=16, size=200.0)
    ratio = planned(tmp_path, frame, ('name = "did"', 'name = "count-did"'), draws=200)
    rate = planned(tmp_path, frame, draws=200)
    assert not any("Planned as" in line for line in ratio.taken)
    assert ratio.text() != rate.text()
    assert size_of(ratio)[2][1] == pytest.approx(size_of(rate)[2][1], rel=0.25)


def test_the_plan_table_may_hold_sizes_alone(tmp_path):
    sizes = "[plan]\npilot_places = 2\ncomparison_places = 5\nmonths_after = 10\n"
    study = study_in(tmp_path, table(), ("[method]", f"{sizes}\n[method]"))
    own = Sizes.of(study, past_of(study)).own
    assert own == Size(pilot=2, comparison=5, before=12, after=10)
    (tmp_path / "practices.csv").unlink()
    with pytest.raises(UsageError, match="does not say what to expect"):
        make(study)


def test_how_places_vary_is_in_the_file_and_not_in_the_plan_table(tmp_path):
    full = (
        "[plan]\nbase = 60\npilot_places = 3\ncomparison_places = 5\nmonths_before = 12\nmonths_after = 12\n"
        "month_sd = 0.5\n\n[method]"
    )
    found = planned(tmp_path, table(), ("[method]", full))
    assert "How places vary is taken from the file, and not from [plan]." in found.taken
    without = planned(tmp_path, table(), ("[method]", full.replace("month_sd = 0.5", "change_sd = 0.2")))
    assert found.answer == without.answer


def test_places_are_what_the_pilot_is_given_to(tmp_path):
    frame = table(places=16)
    frame["town"] = "Town " + (frame["practice"].str[-2:].astype(int) // 2).astype(str)
    found = planned(tmp_path, frame, ('start = "joined"\n', 'start = "joined"\nplaces = "town"\n'))
    assert found.head[0] == "Pilot towns"
    assert found.taken[0].startswith("From 16 practices in 9 towns over")


def test_a_practice_without_a_figure_in_some_month_is_left_out_and_counted(tmp_path):
    frame = table()
    frame.loc[3, "admissions"] = np.nan
    found = planned(tmp_path, frame.drop(index=40))
    assert "Left out: 2 units without a figure in each of these months." in found.taken
    assert found.rows[0][:2] == ("1", "5")


def test_a_gap_and_the_pandemic_end_the_past(tmp_path):
    found = planned(tmp_path, table(months=60, first="2018-04"))
    assert "over the 21 months before the pilot (July 2021 to March 2023)" in found.taken[0]
    kept = planned(tmp_path, table(months=60, first="2018-04"), ("[data]\n", '[data]\ncovid = "none"\n'))
    assert "over the 60 months" in kept.taken[0]


def test_what_is_wrong_in_the_file_is_told_with_its_row(tmp_path):
    frame = table().astype(str)
    frame.loc[5, "admissions"] = "twelve"
    assert "row 7" in refused(tmp_path, frame)
    twice = pd.concat([table(), table().iloc[:1]])
    assert "stands 2 times" in refused(tmp_path, twice)


# -- refusals ----------------------------------------------------------------------------


def test_fewer_places_than_a_range_needs(tmp_path):
    message = refused(tmp_path, table(places=5))
    assert message.startswith(words.few_comparison(4, "practice"))
    assert "add the figures of practices that will not have the pilot" in message
    assert planned(tmp_path, table(places=6)).rows[0][:2] == ("1", "5")


def test_a_pilot_in_nearly_all_places(tmp_path):
    sizes = "[plan]\npilot_places = 5\n\n[method]"
    message = refused(tmp_path, table(), ("[method]", sizes))
    assert message.startswith(words.few_comparison(3, "practice"))
    assert "Start in fewer of the 8 practices" in message


def test_a_file_that_is_too_short(tmp_path):
    message = refused(tmp_path, table(months=4))
    assert message.startswith("The file holds 4 months in a row before the pilot, and it takes 6")
    full = (
        "[plan]\nbase = 60\npilot_places = 4\ncomparison_places = 8\nmonths_before = 12\nmonths_after = 12\n"
        "change_sd = 0.05\n\n[method]"
    )
    found = planned(tmp_path, table(months=4), ("[method]", full))
    assert "Until then [plan] is used." in found.taken[0]
    assert found.rows[0][:2] == ("4", "8") and found.records == ()


def test_an_outcome_that_never_varies(tmp_path):
    frame = table()
    frame["admissions"], frame["list_size"] = 12, 3_000
    assert "is the same" in refused(tmp_path, frame)


# -- what is said ------------------------------------------------------------------------


def test_the_answer_is_that_of_the_table(tmp_path):
    sizes = "[plan]\npilot_places = 3\nmonths_after = 12\n\n[method]"
    found = planned(tmp_path, table(), ("[method]", sizes))
    own = next(row for row in found.records if row["declared"])
    assert (own["pilot_places"], own["comparison_places"], own["periods_after"]) == (3, 5, 12)
    half, full = own["smallest_found_half_the_time_percent"], own["smallest_found_four_in_five_percent"]
    assert found.answer.startswith(
        f"With 3 practices and 12 months, a fall smaller than about {words.per_cent(half)} would be missed more "
        f"often than not. A fall of {words.per_cent(full)} would be found four times in five. The fall of 10% worth "
        f"having would be found {words.times(own['chance_worthwhile_is_found'])}: "
    )
    assert size_of(found)[2][1] == pytest.approx(full, abs=0.051)
    assert half < full and 0 < own["false_positives"] < 0.12
    for row in found.rows:
        for cell, record in zip(
            row[2:], [r for r in found.records if str(r["pilot_places"]) == row[0]], strict=False
        ):
            assert ("*" in cell) == (record["chance_worthwhile_is_found"] >= 0.8)


def test_the_way_out_is_the_smallest_size_that_is_enough(tmp_path):
    sizes = "[plan]\npilot_places = 1\nmonths_after = 6\n\n[method]"
    found = planned(tmp_path, table(places=40, size=200.0), ("[method]", sizes))
    assert ": out of reach. It is within reach with " in found.answer
    assert re.search(r"It is within reach with \d+ practices", found.answer)


def test_every_sentence_can_stand(tmp_path):
    full = "[plan]\npilot_places = 3\nmonths_after = 18\nchange_sd = 0.02\n\n[method]"
    for frame, edit in (
        (table(), ("[method]", "[method]")),
        (table(months=12), ("[method]", "[method]")),
        (table(months=12), ("[method]", full)),
        (table(places=6, size=2.0), ("[method]", "[method]")),
    ):
        found = planned(tmp_path, frame, edit, draws=100)
        for line in (*found.taken, found.answer, *found.notes, *(description(c) for c in found.curves)):
            assert not words.breaks(line), line
        assert max(map(len, found.text().splitlines())) <= 100


def test_months_beyond_the_file_are_said_to_be_supposed(tmp_path):
    short, long = planned(tmp_path, table(months=12)), planned(tmp_path, table(months=36))
    told = "The file has 12 months and the plan takes 24: beyond the file it supposes that the past repeats"
    assert any(line.startswith(told) for line in short.taken)
    assert any("should practices also drift apart" in line.lower() for line in short.notes)
    assert not any("repeats" in line or "drift apart" in line for line in (*long.taken, *long.notes[:-1]))
    assert {row["longer_than_the_file"] for row in short.records} == {"yes"}
    assert {row["longer_than_the_file"] for row in long.records} == {""}


def test_a_drift_that_is_declared_is_added_beyond_the_file(tmp_path):
    sizes = "[plan]\npilot_places = 3\n\n[method]"
    drift = "[plan]\npilot_places = 3\nchange_sd = 0.05\n\n[method]"
    still, drifting = (planned(tmp_path, table(months=12), ("[method]", text)) for text in (sizes, drift))
    assert size_of(drifting)[2][1] > 1.2 * size_of(still)[2][1]
    assert any(
        "drifts for good, by 5% (standard deviation), as [plan] declares." in line for line in drifting.taken
    )


def test_without_a_worthwhile_effect_the_plan_asks_for_one(tmp_path):
    found = planned(tmp_path, table(), ("worthwhile = -0.1\n", ""))
    assert words.NO_WORTHWHILE in found.answer and found.key == ""
    assert not any("*" in cell for row in found.rows for cell in row)


@pytest.mark.parametrize(
    "worthwhile", ["{ absolute = -1 }", "{ per = -1, base = 100 }"], ids=["events", "per people"]
)
def test_a_worthwhile_effect_over_the_pilot_is_a_share_of_what_is_expected(tmp_path, worthwhile):
    study = study_in(tmp_path, table(), ("worthwhile = -0.1", f"worthwhile = {worthwhile}"))
    past = past_of(study)
    size = Size(pilot=3, comparison=5, before=12, after=12)
    rows = table()
    rate = rows["admissions"].sum() / rows["list_size"].sum()
    expected = 12 * 100 * rate if "per" in worthwhile else 3 * 12 * rows["admissions"].mean()
    assert worthwhile_share(study, past, size) == pytest.approx(1 / expected, rel=0.01)


def test_better_higher_is_a_rise(tmp_path):
    edits = [
        ('kind = "count"', 'kind = "count"\nbetter = "higher"'),
        ("worthwhile = -0.1", "worthwhile = 0.1"),
    ]
    found = planned(tmp_path, table(), *edits)
    assert "smallest rise" in found.caption
    assert "a rise smaller than about" in found.answer


def test_costs_are_a_shift_and_logarithms_a_share_of_every_figure(tmp_path):
    frame = table()
    costs = planned(tmp_path, frame, ('kind = "count"', 'kind = "cost"'))
    assert "Changes were planted as the same amount in each practice." in costs.taken[1]
    logs = planned(tmp_path, frame, ('name = "did"', 'name = "did"\nlog = true'))
    assert "on the log scale" in logs.taken[1]
    counts = planned(tmp_path, frame)
    for other in (costs, logs):
        assert np.array(size_of(other)) == pytest.approx(np.array(size_of(counts)), rel=0.25)


def test_the_same_seed_gives_the_same_plan(tmp_path):
    frame = table()
    text = planned(tmp_path, frame, draws=30).text()
    assert planned(tmp_path, frame.sample(frac=1, random_state=1), draws=30).text() == text
    assert planned(tmp_path, frame, ("[method]", "[release]\nseed = 2\n\n[method]"), draws=30).text() != text


# -- the command, the page and the file --------------------------------------------------


def test_the_command_prints_the_plan_and_writes_page_and_table(tmp_path, monkeypatch):
    study_in(tmp_path, table())
    monkeypatch.setattr("ucimpact.plan.DRAWS", DRAWS)
    few = lambda study, **named: make(study, **{**named, "draws": 50})  # noqa: E731
    monkeypatch.setattr("ucimpact.plan.make", few)
    out = tmp_path / "out"
    done = CliRunner().invoke(cli.app, ["plan", str(tmp_path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "With 3 practices and 12 months" in done.stdout.replace("\n", " ")
    assert sorted(path.name for path in out.iterdir()) == ["plan.csv", "plan.html"]
    page = (out / "plan.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and "http" not in page.replace("http-equiv", "").replace(
        "http://www.w3.org", ""
    )
    assert "<script" not in page
    with (out / "plan.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["pilot_places"], row["periods_before"], row["periods_after"]) for row in rows}) == len(
        rows
    )
    assert len(rows) >= 12


def test_a_plan_from_figures_is_written_too(tmp_path):
    full = (
        "\n[plan]\nbase = 60\npilot_places = 4\ncomparison_places = 8\nmonths_before = 12\nmonths_after = 12\n"
        "change_sd = 0.05\n"
    )
    (tmp_path / "study.toml").write_text(STUDY + full, encoding="utf-8")
    study = read_study(tmp_path, with_data=False)
    page, numbers = write(make(study), study, tmp_path / "out")
    assert "<svg" not in page.read_text(encoding="utf-8")
    assert numbers.read_text(encoding="utf-8").startswith("Pilot places,Other places,3 months after")
    with pytest.raises(UsageError, match="is a file"):
        write(make(study), study, page)


def test_a_hostile_name_stays_text(tmp_path):
    study = study_in(tmp_path, table(), ('title = "Visits in Eastvale"', 'title = "<script>x</script>"'))
    found = make(study, draws=50)
    page = write(found, study, tmp_path / "out")[0].read_text(encoding="utf-8")
    assert "<script>x" not in page


def test_curves_hold_the_numbers_of_the_table(tmp_path):
    found = planned(tmp_path, table())
    by_months, by_places = found.curves
    assert [name for name, _ in by_months.lines] == ["1 practice", "2 practices", "3 practices"]
    shown = np.array([[round(v, 1) for v in values] for _, values in by_months.lines])
    assert shown == pytest.approx(np.array(size_of(found)), abs=0.051)
    turned = np.array([values for _, values in by_places.lines]).T
    assert turned == pytest.approx(np.array([values for _, values in by_months.lines]))
    gone = dataclasses.replace(by_months, worthwhile=None, lines=(("1 practice", (None,) * 4),))
    assert description(gone) == "Months after the start. No fall is found."


# -- the page about planning -------------------------------------------------------------


@pytest.mark.slow
def test_the_page_shows_what_is_printed_for_the_example():
    page = (Path(__file__).parents[1] / "docs" / "plan.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"```console\n(.*?)\n```", page, flags=re.DOTALL)
    study = read_study(folder("acute_visiting"), with_data=False)
    assert make(study).text() == printed
