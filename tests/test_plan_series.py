"""A plan for one series: whole fits one by one, what a file teaches, sentences, and what is refused."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import SERIES, series_table
from ucimpact import cli, words
from ucimpact.data.periods import parse_periods
from ucimpact.data.series import Series
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.inference.series_power import Law, SeriesPower, learnt
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.its_ranges import Ranges
from ucimpact.plan import make
from ucimpact.plan.series_judge import judged
from ucimpact.study import read_study

AGREED = SERIES.replace('kind = "count"\n', 'kind = "count"\nworthwhile = -0.1\n')
PLAN = "\n[plan]\nbase = 60\nmonths_before = 24\nmonths_after = 12\n"
DRAWS = 60
"""Few: sentences and sizes are looked at, not decimals."""


@pytest.fixture
def whole_table():
    """Asked for by a test that looks at the table as people see it."""


@pytest.fixture(autouse=True)
def small_table(request, monkeypatch):
    if "whole_table" not in request.fixturenames:
        module = importlib.import_module("ucimpact.plan.series")
        monkeypatch.setattr(module, "YEARS_BEFORE", (3.0,))
        monkeypatch.setattr(module, "YEARS_AFTER", (2.0,))


def planned(folder, text=AGREED + PLAN, *edits, table=None, draws=DRAWS):
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    if table is not None:
        table.to_csv(folder / "months.csv", index=False)
    return make(read_study(folder, with_data=False), draws=draws)


def months(n, first="2030-01"):
    return pd.period_range(first, periods=n, freq="M").astype(str)


def judge_of(before, after, base, **fields):
    parsed = parse_periods(pd.Series(["2030-01"]))
    method = InterruptedTimeSeries(outcome="y", **fields)
    return judged(
        method, parsed.frequency, int(parsed.ordinals[0]) + before, before=before, after=after, base=base
    )


def power_of(before, after, law, *, draws=1000, sign=-1, **fields):
    judge = judge_of(before, after, law.base, **fields)
    return SeriesPower(law=law, profile=judge.profile, judge=judge, sign=sign, draws=draws, seed=1)


# -- the law -------------------------------------------------------------------------------


def test_series_are_drawn_by_their_law():
    """Mean, variance (phi m + (v m)^2), and the correlation of one month with the next beyond counting."""
    law = Law(base=80, sd=0.2, rho=0.6, dispersion=2.0)
    y = law.draw(np.zeros(40), 20_000, np.random.default_rng(1))
    assert y.mean() == pytest.approx(80, rel=0.01)
    assert y.var() == pytest.approx(2 * 80 + 16**2, rel=0.03)
    beyond = np.mean((y[:, 1:] - 80) * (y[:, :-1] - 80)) / 16**2
    assert beyond == pytest.approx(0.6, abs=0.03)


def test_a_change_is_a_share_of_what_is_expected():
    law = Law(base=50, sd=0.0, rho=0.0)
    y = law.draw(np.r_[np.zeros(5), np.full(5, -0.4)], 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(y.mean(axis=0), np.r_[np.full(5, 50), np.full(5, 30)], rtol=0.01)


def test_what_is_no_count_has_no_counting_noise():
    y = Law(base=50, sd=0.1, rho=0.5, counted=False).draw(np.zeros(30), 20_000, np.random.default_rng(1))
    assert y.std() == pytest.approx(5, rel=0.02)


# -- against whole fits --------------------------------------------------------------------


def one_by_one(before, after, base, sd, rho, share, draws, **fields):
    """Chance by another simulator, and the evaluation's own fit and range series by series."""
    rng, method = np.random.default_rng(99), InterruptedTimeSeries(outcome="y", **fields)
    n, found = before + after, 0
    month = months(n)
    spread = np.sqrt(np.log(1 + sd**2))
    for _ in range(draws):
        z = rng.normal()
        y = []
        for t in range(n):
            z = z if t == 0 else rho * z + np.sqrt(1 - rho**2) * rng.normal()
            rate = base * np.exp(spread * z - spread**2 / 2) * (1 - share * (t >= before))
            y.append(rng.poisson(rate))
        series = Series(pd.DataFrame({"period": month, "y": np.array(y, dtype=float)}), start=month[before])
        design = method.design(series)
        fit, average = method.errors.of(design.y, design.x), design.contrasts()["average"]
        ranges = Ranges.of(fit, average, used=n, level=0.95)
        found += ranges.row("average", average)["conf_high"] < 0
    return found / draws


@pytest.mark.parametrize(
    ("before", "after", "base", "rho", "share", "fields"),
    [
        (24, 12, 100, 0.3, 0.35, {}),
        (36, 12, 300, 0.0, 0.12, {}),
        (36, 24, 150, 0.5, 0.15, {"shape": "level"}),
        (18, 12, 40, 0.3, 0.5, {"season": "none"}),
    ],
)
def test_the_chance_is_that_of_whole_fits_of_other_draws(before, after, base, rho, share, fields):
    law = Law(base=base, sd=0.06, rho=rho)
    chance = power_of(before, after, law, **fields).chance(share)
    brute = one_by_one(before, after, base, 0.06, rho, share, 250, **fields)
    assert 0.2 < chance < 0.98  # a cell that could show a difference
    assert chance == pytest.approx(brute, abs=3 * np.sqrt(0.25 / 250 + 0.25 / 1000))


def test_a_drawn_series_has_the_limits_of_its_own_fit():
    law, month = Law(base=80, sd=0.1, rho=0.4), months(48)
    y = law.draw(np.zeros(48), 4, np.random.default_rng(3))
    limits = judge_of(36, 12, 80).limits(y)
    for k in range(4):
        series = Series(pd.DataFrame({"period": month, "y": y[k]}), start=month[36])
        row = InterruptedTimeSeries(outcome="y").fit(series).headline
        np.testing.assert_allclose(limits[k], [row["conf_low"], row["conf_high"]], rtol=1e-6)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_smallest_change_is_found_as_often_as_asked(sign):
    power = power_of(36, 12, Law(base=200, sd=0.05, rho=0.3), draws=600, sign=sign)
    for chance in (0.5, 0.8):
        share, error = power.smallest(chance)
        assert 0 < error < 0.02
        assert power.chance(share) == pytest.approx(chance, abs=0.03)


def test_where_nothing_happens_few_are_found():
    rate = power_of(36, 12, Law(base=200, sd=0.05, rho=0.3), draws=2000).false_positives
    assert rate == pytest.approx(0.05, abs=0.02)


def test_no_fall_is_found_where_all_of_them_are_too_small():
    share, _ = power_of(12, 6, Law(base=1.5, sd=0.2, rho=0.5), draws=300).smallest(0.8)
    assert share == np.inf


# -- what a file teaches -------------------------------------------------------------------


def test_the_law_of_a_long_series_is_learnt():
    law = Law(base=400, sd=0.15, rho=0.5)
    y = law.draw(np.zeros(600), 1, np.random.default_rng(4))[0]
    x = np.column_stack([np.ones(600), np.arange(600)])
    found = learnt(y, x, dispersion=1.0, counted=True)
    assert found.base == pytest.approx(400, rel=0.05)
    assert found.sd == pytest.approx(0.15, rel=0.15)
    assert found.rho == pytest.approx(0.5, abs=0.1)
    assert found.rho_low < found.rho < found.rho_high
    assert found.sd < found.sd_high < 0.2


def test_counting_alone_says_nothing_of_its_correlation():
    y = Law(base=50, sd=0.0, rho=0.0).draw(np.zeros(300), 1, np.random.default_rng(4))[0]
    found = learnt(y, np.ones((300, 1)), dispersion=1.0, counted=True)
    assert found.sd < 0.06 < 0.06 + found.sd_high
    assert np.isnan(found.rho)


def test_a_plan_from_a_file_says_what_it_learnt_and_how_little(tmp_path):
    found = planned(tmp_path, AGREED, table=series_table())
    told = " ".join(found.taken)
    assert "From the 36 months July 2021 to June 2024, before the pilot" in told
    assert "learnt from the file" in told and "so short a file cannot rule that out" in told
    assert "With 36 months before and 12 months after" in found.answer  # as the file has them


def test_what_is_declared_goes_before_the_file(tmp_path):
    text = AGREED + "\n[plan]\nmonth_sd = 0.2\nautocorrelation = 0.5\nmonths_after = 6\n"
    found = planned(tmp_path, text, table=series_table())
    told = " ".join(found.taken)
    assert "Months stray by 20% beyond counting (standard deviation; as declared)" in told
    assert "300 a month on average" in told
    assert "36 months before and 6 months after" in found.answer


def test_people_and_the_days_of_a_month_do_not_count_as_straying(tmp_path):
    table = series_table().astype({"admissions": float})
    days = pd.PeriodIndex(table["month"], freq="M").days_in_month.to_numpy()
    growing = np.linspace(50_000, 100_000, len(table)).round()
    noise = np.random.default_rng(1).normal(0, 0.02, len(table))
    table["residents"] = growing
    table["admissions"] = (growing * days / 8000 * (1 + noise)).round()
    text = AGREED.replace("start = 2024-07-01", 'start = 2024-07-01\npopulation = "residents"')
    found = planned(tmp_path, text, table=table)
    line = next(line for line in found.taken if line.startswith("Months stray"))
    assert float(line.split("by ")[1].split("%")[0]) < 3.5


def test_pandemic_months_end_the_stretch(tmp_path):
    table = series_table(60)
    table["month"] = pd.period_range("2019-07", periods=60, freq="M").astype(str)
    text = AGREED.replace("start = 2024-07-01", 'start = 2024-07-01\ncovid = "drop"')
    told = " ".join(planned(tmp_path, text, table=table).taken)
    assert "From the 36 months July 2021 to June 2024" in told


def test_a_pilot_still_to_come_has_the_whole_file_before_it(tmp_path):
    text = AGREED.replace("start = 2024-07-01", "start = 2025-09-01")
    found = planned(tmp_path, text, table=series_table())
    assert "48 months before and 12 months after" in found.answer


def test_a_cell_that_cannot_be_read_is_named(tmp_path):
    table = series_table()
    table.loc[3, "admissions"] = "many"
    with pytest.raises(DataError, match="admissions"):
        planned(tmp_path, AGREED, table=table)


def test_a_short_file_without_a_plan_is_told_what_to_write(tmp_path):
    with pytest.raises(UsageError, match=r"12 in a row before the start") as caught:
        planned(tmp_path, AGREED.replace("2024-07-01", "2022-07-01"), table=series_table())
    written = str(caught.value)
    written = written[written.index("[plan]") :].removesuffix("Then plan again.")
    assert planned(tmp_path, AGREED + "\n" + written).rows


# -- the page ------------------------------------------------------------------------------


def test_a_year_and_a_year_at_a_low_volume_is_called_too_little(tmp_path):
    found = planned(tmp_path, AGREED + PLAN, ("base = 60", "base = 15"), ("before = 24", "before = 12"))
    assert "out of reach" in found.answer
    assert "too little to go by" in found.answer
    assert "No length will do, up to 120 months before and 60 months after" in found.answer
    assert "No length in the table finds the fall of 10% worth having." in found.key
    assert any("few for a line with even errors" in line for line in found.taken)


def test_a_large_area_is_within_reach_and_not_called_too_little(tmp_path):
    edits = [("base = 60", "base = 2000\nmonth_sd = 0.02"), ("before = 24", "before = 48")]
    found = planned(tmp_path, AGREED + PLAN, *edits)
    assert "within reach" in found.answer and "out of reach" not in found.answer
    assert "too little" not in found.answer
    assert "* finds the fall of 10% worth having" in found.key


def test_the_way_out_is_told_in_months(tmp_path):
    edits = [("base = 60", "base = 500\nmonth_sd = 0.03\nautocorrelation = 0.0")]
    found = planned(tmp_path, AGREED + PLAN, *edits, draws=400)
    assert "out of reach." in found.answer and "It is within reach with" in found.answer
    assert "more months before it" in found.answer


@pytest.mark.usefixtures("whole_table")
def test_more_months_before_show_smaller_changes(tmp_path):
    found = planned(tmp_path, draws=200)
    cells = np.array([[float(c.rstrip(" *").rstrip("%")) for c in row[1:]] for row in found.rows])
    assert [row[0] for row in found.rows] == ["12", "24", "36", "60"]
    assert found.head == ("Months before", *(f"{m} months after" for m in (6, 12, 24, 36)))
    assert (np.diff(cells[:, 1]) < 0).all()


def test_a_step_alone_is_found_sooner_and_that_is_told(tmp_path):
    found = planned(tmp_path)
    note = next(line for line in found.notes if 'shape = "level"' in line)
    step = float(note.split("fall of ")[1].split("%")[0])
    whole = float(found.answer.split("A fall of ")[1].split("%")[0])
    assert step < whole
    as_level = planned(tmp_path, AGREED.replace('name = "its"', 'name = "its"\nshape = "level"') + PLAN)
    assert not any('shape = "level"' in line for line in as_level.notes)
    assert float(as_level.answer.split("A fall of ")[1].split("%")[0]) == pytest.approx(step, abs=4)


def test_sentences_keep_to_the_words_of_the_house(tmp_path):
    for base, table in ((15, None), (2000, None), (60, series_table())):
        plan = AGREED if table is not None else AGREED + PLAN.replace("base = 60", f"base = {base}")
        found = planned(tmp_path, plan, table=table)
        for line in (*found.taken, found.answer, *found.notes, found.key, found.caption):
            assert not words.breaks(line), line


def test_without_a_change_worth_having_the_sizes_are_told(tmp_path):
    found = planned(tmp_path, SERIES + PLAN)
    assert "would be found four times in five" in found.answer
    assert words.NO_WORTHWHILE in found.answer
    assert "too little to go by" in found.answer  # a fall of a third or more, at 60 a month
    assert not found.key


def test_a_number_of_events_worth_having_is_taken_over_the_months_after(tmp_path):
    text = AGREED.replace("worthwhile = -0.1", "worthwhile = { absolute = -72 }")
    found = planned(tmp_path, text + PLAN)
    assert "The fall of 10% worth having" in found.answer  # 72 of 60 x 12


def test_a_score_needs_no_counting(tmp_path):
    text = SERIES.replace('kind = "count"', 'kind = "score"')
    found = planned(tmp_path, text + PLAN, ("base = 60", "base = 60\nmonth_sd = 0.02"))
    assert "beyond counting" not in " ".join(found.taken)
    assert found.rows


def test_what_belongs_to_the_dates_of_the_file_is_left_out_and_said(tmp_path):
    text = AGREED.replace('name = "its"', 'name = "its"\ncalendar = ["working-days"]\nphase_in = 3')
    told = " ".join(planned(tmp_path, text + PLAN).taken)
    assert "Left out of the plan: calendar." in told


def test_the_command_prints_and_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ucimpact.plan.SERIES_DRAWS", DRAWS)
    (tmp_path / "study.toml").write_text(AGREED + PLAN)
    done = CliRunner().invoke(cli.app, ["plan", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    assert "The smallest fall in emergency admissions" in done.stdout
    table = pd.read_csv(tmp_path / "out" / "plan.csv")
    assert {"periods_before", "periods_after", "smallest_found_four_in_five_percent"} <= set(table)
    assert (table["declared"] == "yes").sum() == 1
    page = (tmp_path / "out" / "plan.html").read_text()
    assert "too little to go by" in page and "<svg" in page


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["pilot_places = 3", "ratio = 2", "change_sd = 0.1", "sd = 2"])
def test_keys_of_other_plans_are_refused(tmp_path, key):
    with pytest.raises(UsageError, match=key.split()[0]):
        planned(tmp_path, AGREED + PLAN + key + "\n")


def test_a_shape_without_a_level_is_refused(tmp_path):
    with pytest.raises(DesignError, match='Plan with shape = "level-slope"'):
        planned(tmp_path, AGREED.replace('name = "its"', 'name = "its"\nshape = "slope"') + PLAN)


def test_a_length_that_the_method_refuses_is_refused(tmp_path):
    with pytest.raises(DesignError, match="least"):
        planned(tmp_path, AGREED + PLAN, ("months_before = 24", "months_before = 2"))


def test_counts_cannot_vary_less_than_by_chance(tmp_path):
    with pytest.raises(UsageError, match="vary at least by chance"):
        planned(tmp_path, AGREED + PLAN + "dispersion = 0.5\n")


# -- counts --------------------------------------------------------------------------------

COUNTS = AGREED.replace('name = "its"', 'name = "count-its"')


def test_counts_are_judged_by_the_ratio_of_the_method_of_counts():
    parsed, month = parse_periods(pd.Series(["2030-01"])), months(48)
    method = CountITS(outcome="y", days=False)
    judge = judged(method, parsed.frequency, int(parsed.ordinals[0]) + 36, before=36, after=12, base=12)
    y = Law(base=12, sd=0.1, rho=0.3).draw(np.zeros(48), 4, np.random.default_rng(5))
    limits = judge.limits(y)
    for k in range(4):
        series = Series(pd.DataFrame({"period": month, "y": y[k]}), start=month[36])
        row = method.fit(series).effect("log_average")
        np.testing.assert_allclose(limits[k], [row["conf_low"], row["conf_high"]], atol=1e-5)
    assert judge.share(judge.moved(-0.3)) == pytest.approx(-0.3)


def test_a_plan_by_counts_finds_what_it_says(tmp_path):
    found = planned(tmp_path, COUNTS + PLAN, ("base = 60", "base = 15"), draws=200)
    assert not any("few for a line" in line for line in found.taken)
    cell = float(found.rows[-1][2].rstrip(" *").rstrip("%")) / 100
    parsed = parse_periods(pd.Series(["2030-01"]))
    law, before = Law(base=15, sd=0.08, rho=0.3), int(found.rows[-1][0])
    judge = judged(
        CountITS(outcome="y"),
        parsed.frequency,
        int(parsed.ordinals[0]) + before,
        before=before,
        after=24,
        base=15,
    )
    power = SeriesPower(law=law, profile=judge.profile, judge=judge, sign=-1, draws=300, seed=7)
    assert power.chance(cell) == pytest.approx(0.8, abs=0.1)


def test_few_a_month_are_told_what_the_method_of_counts_would_find(tmp_path):
    found = planned(tmp_path, AGREED + PLAN, ("base = 60", "base = 15"))
    assert any("Analysed as counts" in line for line in found.notes)
    assert not any("Analysed as counts" in line for line in planned(tmp_path).notes)


def test_another_change_in_the_file_is_no_straying(tmp_path):
    table = series_table().astype({"admissions": float})
    table.loc[table["month"] >= "2022-10", "admissions"] *= 0.6
    table["admissions"] = table["admissions"].round()
    change = '\n[[method.changes]]\nstart = "2022-10"\nname = "A new definition"\nshape = "level"\n'
    strays = []
    for text in (AGREED, AGREED + change):
        line = next(
            line for line in planned(tmp_path, text, table=table).taken if line.startswith("Months stray")
        )
        strays.append(float(line.split("by ")[1].split("%")[0]))
    assert strays[1] < 2 < 5 < strays[0]


@pytest.mark.parametrize("key", ["month_sd", "change_sd"])
def test_a_share_given_in_per_cent_is_refused(tmp_path, key):
    wrong = rf"`{key}`: is a share of the level, found 3\. Write 0\.03 for 3%"
    with pytest.raises(UsageError, match=wrong):
        planned(tmp_path, AGREED + PLAN + f"{key} = 3\n")
    with pytest.raises(
        UsageError, match=r"`month_sd`: is a share of the level, found 1\. Write 0\.01 for 1%"
    ):
        planned(tmp_path, AGREED + PLAN + "month_sd = 1.0\n")
