"""HonestDiD on estimates: R's numbers again, the printed ranges kept, and what cannot be said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.data.panel import Panel
from ucimpact.data.simulate import PracticePanel, gaussian_panel
from ucimpact.diagnostics.honest_did import HonestDiD, HonestResult, _reached, auto_stretch, event_path
from ucimpact.errors import EstimationError, UsageError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.covariance import CR1
from ucimpact.inference.staggered import Analytic
from ucimpact.methods import METHODS
from ucimpact.methods.did import DifferenceInDifferences

KINDS = ("relative-magnitudes", "smoothness", "both")


def estimate_of(
    times: list[int],
    values: list[float],
    cov: np.ndarray,
    *,
    widen: float = 1.0,
    reference: int = -1,
    df: float = np.nan,
    extras: dict[str, Any] | None = None,
) -> Estimate:
    """An estimate with a path, whose printed ranges are ``widen`` times the normal ones."""
    half = 1.959963984540054 * widen * np.sqrt(np.diag(cov))
    rows = [{"term": "att", "estimate": values[-1], "conf_low": values[-1] - 1, "conf_high": values[-1] + 1}]
    rows += [
        {
            "term": "event",
            "estimate": v,
            "std_error": h,
            "conf_low": v - h,
            "conf_high": v + h,
            "event_time": t,
            "df": df,
        }
        for t, v, h in zip(times, values, half, strict=True)
    ]
    full = np.full((len(rows), len(rows)), np.nan)
    full[1:, 1:] = cov
    return Estimate(
        method="made-up",
        estimand="ATT",
        outcome="y",
        effects=effects_frame(rows),
        cov=full,
        extras={"noun": "month", "reference": {"event_time": reference}, **(extras or {})},
    )


def golden_estimate(shared: Path, file: str) -> tuple[Estimate, dict[str, Any]]:
    cases = golden(shared / f"reference/golden/{file}.json")
    given = cases["first_input"]
    pre, post = (int(np.ravel(given[name])[0]) for name in ("numPrePeriods", "numPostPeriods"))
    times = [*range(-pre - 1, -1), *range(post)]
    return estimate_of(times, list(np.ravel(given["betahat"])), np.array(given["sigma"])), cases


@pytest.mark.parametrize("file", ["honestdid_bc", "honestdid_mpdta"])
@pytest.mark.parametrize("which", ["first", "average"])
def test_an_estimate_gives_the_ranges_of_r(shared: Path, file: str, which: str) -> None:
    made, cases = golden_estimate(shared, file)
    expected = cases[f"{which}_rm"]
    bounds = tuple(row["Mbar"] for row in expected)
    found = HonestDiD(bounds=bounds, target=which).of(made)
    first = cases[f"{which}_original"][0]
    assert found.original["conf_low"] == pytest.approx(first["lb"][0], rel=1e-9)
    step = 40 * found.original["std_error"] / 999
    for row, theirs in zip(found.rows, expected, strict=True):
        assert -2 * step < row["conf_low"] - theirs["lb"] < step
        beyond = abs(theirs["ub"]) > 19.99 * found.original["std_error"]  # where R's grid ends
        assert (
            (row["conf_high"] > theirs["ub"])
            if beyond
            else (-step < row["conf_high"] - theirs["ub"] < 2 * step)
        )
    smooth = cases[f"{which}_sd_flci"]
    bends = HonestDiD(kind="smoothness", bounds=tuple(r["M"] for r in smooth), target=which).of(made)
    for row, theirs in zip(bends.rows, smooth, strict=True):
        length = theirs["ub"] - theirs["lb"]
        assert row["conf_low"] == pytest.approx(theirs["lb"], abs=1.3e-3 * length)
        assert row["conf_high"] == pytest.approx(theirs["ub"], abs=1.3e-3 * length)


def test_the_finding_of_r_breaks_between_its_bounds(shared: Path) -> None:
    """R's range for the first period leaves out 0 at 1.5 times the worst and holds it at 2."""
    made, _ = golden_estimate(shared, "honestdid_bc")
    found = HonestDiD(target="first").of(made)
    assert found.breakdown is not None and 1.5 < found.breakdown < 2
    assert [row["holds"] for row in found.rows] == [True, True, True, False]
    tenths = int(10 * found.breakdown) / 10
    assert found.sentence == (
        f"The finding survives a violation up to {tenths} times the worst seen before the pilot."
    )
    average, _ = golden_estimate(shared, "honestdid_bc")
    less = HonestDiD().of(average)
    assert less.breakdown is not None and 0.5 < less.breakdown < 1
    assert f"up to {int(10 * less.breakdown) / 10} of the worst" in less.sentence


# -- on fitted panels --------------------------------------------------------------------


def practices(seed: int = 0, **options: Any) -> Panel:
    made = PracticePanel(**options).draw(seed)
    panel = Panel(
        made.table, unit="practice", period="month", start="joined", population="list_size", cluster="town"
    )
    return panel.weighted_by_people().with_rate("emergency_admissions", per=1000, name="rate")


DID = DifferenceInDifferences(outcome="rate")


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_fit_is_enough(kind: Any) -> None:
    made = DID.fit(practices())
    for target in ("average", "first"):
        for together in (1, "auto"):
            found = HonestDiD(kind=kind, target=target, together=together).of(made)
            low, high = found.original["conf_low"], found.original["conf_high"]
            assert low < found.original["estimate"] < high
            widths = [row["conf_high"] - row["conf_low"] for row in found.rows]
            assert all(np.diff(widths) > 0)
            assert HonestResult.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_normal_ranges_become_the_printed_ones() -> None:
    made = DID.fit(practices())
    path, notes = event_path(made)
    rows = made.path()
    half = 1.959963984540054 * np.sqrt(np.diag(path.cov))
    np.testing.assert_allclose(path.estimate - half, rows["conf_low"], rtol=1e-9)
    assert "multiplied by up to" in notes[0]
    first = HonestDiD(target="first").of(made)
    printed = rows[rows["event_time"] == 0].iloc[0]
    assert first.original["conf_low"] == pytest.approx(printed["conf_low"])


def test_an_uneven_range_is_widened_to_its_longer_side() -> None:
    made = estimate_of([-3, -2, 0], [0.1, 0.0, 2.0], np.eye(3) * 0.04)
    effects = made.effects.copy()
    effects.loc[3, "conf_high"] += 1.0
    path, _ = event_path(Estimate(**{**vars(made), "effects": effects}))
    assert np.sqrt(path.cov[2, 2]) * 1.959963984540054 == pytest.approx(0.2 * 1.959963984540054 + 1.0)
    assert path.cov[0, 0] == 0.04


def test_eighteen_months_each_way_take_seconds() -> None:
    made = DID.fit(practices(units=60, pilots=20, months=36, before=18))
    began = time.process_time()
    for kind in KINDS:
        HonestDiD(kind=kind).of(made)
        HonestDiD(kind=kind, together="auto").of(made)
    assert time.process_time() - began < 5


def test_three_stretches_lie_before_the_start() -> None:
    made = DID.fit(practices(units=60, pilots=20, months=36, before=18))
    path, _ = event_path(made)
    assert auto_stretch(path) == 6
    found = HonestDiD(together="auto").of(made)
    assert (found.together, found.before, found.after) == (6, 2, 3)
    assert any("6 months are taken together" in note for note in found.notes)
    monthly = HonestDiD().of(made)
    assert found.breakdown is not None and monthly.breakdown is not None
    assert found.breakdown > monthly.breakdown  # a month's luck, added up over the pilot, is no yardstick


def test_pooling_gives_each_period_of_the_pilot_its_weight() -> None:
    cov = np.eye(9) * 0.01 + 0.01
    made = estimate_of([*range(-6, -1), *range(4)], [0.0] * 5 + [1.0, 2.0, 3.0, 10.0], cov)
    found = HonestDiD(together=3).of(made)  # months 0 to 2, then month 3 alone
    assert found.original["estimate"] == pytest.approx(4.0 - 0.0)


def test_pooled_periods_count_as_they_do_in_the_target() -> None:
    cov = np.eye(9) * 0.01 + 0.01
    made = estimate_of([*range(-6, -1), *range(4)], [0.0] * 5 + [1.0, 2.0, 3.0, 10.0], cov)
    found = HonestDiD(target=(0.5, 0.25, 0.25, 0.0), together=3).of(made)
    assert found.original["estimate"] == pytest.approx(0.5 + 0.5 + 0.75)
    assert HonestDiD(target="first", together=3).of(made).original["estimate"] == pytest.approx(1.0)
    with pytest.raises(UsageError, match="both signs"):
        HonestDiD(target=(1.0, -1.0, 0.0, 0.0), together=3).of(made)


def staggered() -> Panel:
    rng = np.random.default_rng(5)
    units, periods = 60, 30
    start = np.repeat([13, 19, 25, 0], 15)
    t = np.arange(1, periods + 1)
    since = t - np.where(start > 0, start, 99)[:, None]
    y = 10 + rng.normal(size=(units, 1)) + rng.normal(size=(units, periods)) - 2.0 * (since >= 0)
    y = np.where(since >= 0, y - 0.1 * since, y)
    people = 1000
    return Panel(
        pd.DataFrame(
            {
                "unit": np.repeat(np.arange(units), periods),
                "period": np.tile(t, units),
                "start": np.repeat(start, periods),
                "people": people,
                "y": y.reshape(-1),
                "events": rng.poisson(np.clip(5 * y, 1, None)).reshape(-1),
            }
        ),
        population="people",
    )


@pytest.mark.parametrize("name", ["callaway-santanna", "sun-abraham", "event-study", "count-did"])
def test_every_method_for_staggered_starts_has_an_answer_by_default(name: str) -> None:
    method = METHODS[name](outcome="events" if name == "count-did" else "y")
    made = method.fit(staggered())
    for kind in KINDS:
        found = HonestDiD(kind=kind, target="headline", together="auto").of(made)
        assert np.isfinite([found.original["conf_low"], *(row["conf_low"] for row in found.rows)]).all()
    assert found.together == 4 and found.before == 2  # twelve leads that all three starts have


def test_two_paths_measured_from_different_times_are_no_single_path() -> None:
    """Imputed effects are measured from all that was seen before, the leads from one period."""
    made = METHODS["imputation"](outcome="y").fit(staggered())
    with pytest.raises(EstimationError, match=r"no single path\. Use CallawaySantAnna"):
        HonestDiD().of(made)


@pytest.mark.parametrize("name", ["callaway-santanna", "sun-abraham"])
def test_the_headline_is_the_path_weighed_by_who_had_reached_it(name: str) -> None:
    made = METHODS[name](outcome="y").fit(staggered())
    found = HonestDiD(target="headline").of(made)
    assert found.original["estimate"] == pytest.approx(made.headline["estimate"], rel=1e-9)
    average = HonestDiD().of(made)
    assert average.original["estimate"] == pytest.approx(made.effect("dynamic_average")["estimate"], rel=1e-9)


@pytest.mark.parametrize("name", ["callaway-santanna", "sun-abraham"])
def test_a_period_that_is_absent_does_not_move_the_weights_of_the_others(name: str) -> None:
    panel = staggered()
    gap = panel.starts[0] + 1
    panel = panel.where(panel.ordinals[panel.period_codes] != gap)
    made = METHODS[name](outcome="y").fit(panel)
    path, _ = event_path(made)
    units: dict[int, int] = {}
    for start in panel.starts:
        for ordinal in panel.ordinals[panel.ordinals >= start]:
            since = int(ordinal) - start
            units[since] = units.get(since, 0) + int((panel.start_ordinals == start).sum())
    total = sum(units.values())
    assert _reached(made, path) == pytest.approx({since: n / total for since, n in units.items()})
    found = HonestDiD(target="headline").of(made)
    assert found.original["estimate"] == pytest.approx(made.headline["estimate"], rel=1e-9)


def test_two_way_event_study_on_real_data_gives_the_ranges_of_r(shared: Path) -> None:
    """From the data to R's intervals; the covariance is that of R fixest, with which R's were made."""
    table = pd.read_csv(shared / "reference/data/mpdta.csv")
    panel = Panel(table, unit="countyreal", period="year", start="first.treat")
    made = METHODS["event-study"](outcome="lemp", cov=Analytic()).fit(panel)
    cases = golden(shared / "reference/golden/honestdid_mpdta.json")
    path, _ = event_path(made)
    np.testing.assert_allclose(path.estimate, np.ravel(cases["first_input"]["betahat"]), rtol=1e-8)
    np.testing.assert_allclose(path.cov, cases["first_input"]["sigma"], rtol=1e-6)
    for which in ("first", "average"):
        rows = cases[f"{which}_rm"]
        found = HonestDiD(bounds=tuple(r["Mbar"] for r in rows), target=which).of(made)
        step = 40 * found.original["std_error"] / 999
        for row, theirs in zip(found.rows, rows, strict=True):
            assert abs(row["conf_low"] - theirs["lb"]) < 2 * step
            assert abs(row["conf_high"] - theirs["ub"]) < 2 * step


def test_a_range_that_holds_no_change_has_no_breakdown() -> None:
    made = estimate_of([-3, -2, 0, 1], [0.0, 0.0, 0.1, 0.1], np.eye(4))
    found = HonestDiD().of(made)
    assert found.breakdown is None and "nothing to explain away" in found.sentence


def test_a_planted_drift_is_what_the_breakdown_tells() -> None:
    """Drift as large after as before: the range that allows it holds the truth, the plain one does not."""
    rng = np.random.default_rng(3)
    times = [*range(-7, -1), *range(4)]
    drift = 0.5 * (np.array(times) + 1.0)
    cov = (np.eye(10) + 1) * 0.01
    values = list(rng.multivariate_normal(drift, cov))
    made = estimate_of(times, values, cov)
    found = HonestDiD(bounds=(1.0,)).of(made)
    assert found.original["conf_low"] > 0  # a finding out of nothing
    assert found.rows[0]["conf_low"] <= 0
    assert found.breakdown is not None and found.breakdown < 1
    line = HonestDiD(kind="smoothness", bounds=(0.0,)).of(made)
    assert line.rows[0]["conf_low"] <= 0 and line.breakdown == 0
    assert (
        line.sentence == "The finding does not survive if the drift seen before the pilot went on as it was."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_weights_by_event_time_and_in_order_are_alike(kind: Any) -> None:
    made = estimate_of([-4, -3, -2, 0, 1], [0.1, -0.1, 0.2, 2.0, 3.0], np.eye(5) * 0.01 + 0.01)
    by_name = HonestDiD(kind=kind, target={0: 0.25, 1: 0.75}, bounds=(0.3,)).of(made)
    in_order = HonestDiD(kind=kind, target=(0.25, 0.75), bounds=(0.3,)).of(made)
    assert by_name.rows == in_order.rows
    assert by_name.original["estimate"] == pytest.approx(2.75)


def test_effects_of_anticipation_are_no_drift() -> None:
    """Measured from two months before: the month before the start is after the reference, and not averaged."""
    made = estimate_of([-4, -3, -1, 0, 1], [0.0, 0.0, 0.7, 2.0, 3.0], np.eye(5) * 0.01, reference=-2)
    found = HonestDiD().of(made)
    assert (found.before, found.after) == (2, 3)
    assert found.original["estimate"] == pytest.approx(2.5)
    assert HonestDiD(target="first").of(made).original["estimate"] == pytest.approx(2.0)


def test_leads_that_some_starts_lack_are_left_out_of_the_stretches() -> None:
    times = [*range(-13, -1), *range(3)]
    cov = np.eye(15) * 0.01 + 0.01
    values = [5.0] * 6 + [0.0] * 6 + [1.0] * 3
    made = estimate_of(times, values, cov, extras={"pre_trend": {"leads": list(range(-7, -1))}})
    found = HonestDiD(together="auto").of(made)
    assert found.together == 2 and found.before == 2
    assert all(abs(row["identified_low"] - 1) < 1e-9 for row in found.rows)  # nothing moved in common


# -- what is said ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("relative-magnitudes", None, "already includes no change"),
        ("relative-magnitudes", 0.04, "does not survive a violation of a tenth of the worst"),
        ("relative-magnitudes", 0.89, "up to 0.8 of the worst seen before the pilot"),
        ("relative-magnitudes", 1.0, "up to 1.0 times the worst seen before the pilot"),
        ("relative-magnitudes", 10.0, "10 times the worst"),
        ("both", 0.3, "up to 0.3 of the largest bend seen"),
        ("smoothness", 0.25, "if its pace changes by up to 0.25 from one month to the next"),
    ],
)
def test_the_sentence(kind: Any, value: float | None, words: str) -> None:
    made = HonestResult(
        kind=kind,
        target="average effect over all months since the start",
        outcome="y",
        noun="month",
        together=1,
        level=0.95,
        original={"estimate": 1.0, "std_error": 0.2, "conf_low": 0.6, "conf_high": 1.4},
        rows=({"bound": 1.0, "conf_low": 0.1, "conf_high": 1.9, "holds": True},),
        breakdown=value,
        before=3,
        after=2,
    )
    assert words in made.sentence and made.sentence in made.summary()
    assert len(made.sentence.split()) <= 32
    assert list(made.table["bound"]) == [1.0]


# -- what cannot be said -----------------------------------------------------------------


def test_refusals_say_what_is_missing() -> None:
    alone = estimate_of([0, 1], [1.0, 2.0], np.eye(2))
    with pytest.raises(EstimationError, match="no drift can be seen"):
        HonestDiD().of(alone)
    varying = estimate_of([-2, -1, 0], [0.0, 0.0, 1.0], np.eye(3))
    with pytest.raises(EstimationError, match="universal base period"):
        HonestDiD().of(varying)
    before_only = estimate_of([-3, -2], [0.0, 0.0], np.eye(2))
    with pytest.raises(EstimationError, match="since the start"):
        HonestDiD().of(before_only)
    head = Estimate(method="its", estimand="ATT", outcome="y", effects=alone.effects.iloc[:1])
    with pytest.raises(EstimationError, match="its gave no effects by event time"):
        HonestDiD().of(head)


def test_a_refused_range_stays_refused() -> None:
    table = gaussian_panel(np.random.default_rng(1), units=7, pilots=3)
    made = DifferenceInDifferences(outcome="y").fit(Panel(table))
    assert made.extras["rule"]["refused"]
    with pytest.raises(EstimationError, match="comparison places"):
        HonestDiD().of(made)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "worst"},
        {"bounds": ()},
        {"bounds": (-1.0,)},
        {"target": "last"},
        {"together": 0},
        {"together": "years"},
        {"level": 1.0},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        HonestDiD(**options)


def test_weights_must_fit_the_path() -> None:
    made = estimate_of([-3, -2, 0, 1], [0.0, 0.0, 1.0, 2.0], np.eye(4))
    with pytest.raises(UsageError, match="3 weights for 2 effects"):
        HonestDiD(target=(1.0, 0.0, 0.0)).of(made)
    with pytest.raises(UsageError, match="no effect at event time 7"):
        HonestDiD(target={7: 1.0}).of(made)


def test_clustered_normal_ranges_are_left_as_they_are() -> None:
    made = DifferenceInDifferences(outcome="rate", cov=CR1()).fit(practices(units=120, pilots=40))
    _, notes = event_path(made)
    assert "1.0" in notes[0]  # t with 59 places, barely wider
