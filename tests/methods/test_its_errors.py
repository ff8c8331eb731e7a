"""Errors chosen by name, from the study file to the estimate, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.data.simulate import gaussian_series
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.inference.arma import Arma, Ml
from ucimpact.inference.newey_west import Hac, NeweyWest
from ucimpact.inference.prais_winsten import PraisWinsten
from ucimpact.inference.timeseries import Ols
from ucimpact.methods import build
from ucimpact.methods.building import problems
from ucimpact.methods.its import InterruptedTimeSeries

OTHERS = [Ols(), Ml(), Arma(2, 0), Arma(1, 1, "ml"), PraisWinsten(), NeweyWest(), NeweyWest(lags=2), Hac()]


def drawn(seed: int, n: int = 60, rho: float = 0.4) -> Series:
    table = gaussian_series(np.random.default_rng(seed), n=n, rho=rho, level_change=-4.0)
    return Series(table, start=table["period"][round(0.6 * n)])


def simulated(reference: Path) -> Series:
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    months = pd.period_range("2010-01", periods=len(d), freq="M").astype(str)
    return Series(pd.DataFrame({"period": months, "y": d["rate"]}), start=months[48])


@pytest.mark.parametrize(
    ("errors", "case"),
    [
        (NeweyWest(lags=3, prewhite=False), "nw3"),
        (PraisWinsten(), "prais"),
        (Arma(1, 0), "gls_ar1"),
    ],
)
def test_a_study_gives_the_number_of_r(reference: Path, errors: Any, case: str) -> None:
    """Both count 0 in the first month after; R's standard errors are ``std_error_reml``.

    A bandwidth from the data is not here: it changes with the origin of time, which is the start for us.
    """
    values = golden(reference / "sim_its_monthly.json")[case]
    found = InterruptedTimeSeries(outcome="y", errors=errors).fit(simulated(reference))
    rows = {row["name"]: row for row in found.extras["coefficients"]}
    for ours, theirs in {"level change": "post", "slope change": "time_since"}.items():
        assert rows[ours]["estimate"] == pytest.approx(values["estimate"][theirs], rel=1e-5)
        assert rows[ours]["std_error_reml"] == pytest.approx(values["se"][theirs], rel=1e-5)
    assert found.effect("level_change")["estimate"] == pytest.approx(values["estimate"]["post"], rel=1e-5)


@pytest.mark.parametrize("errors", OTHERS, ids=str)
def test_each_gives_every_effect_and_says_what_it_did(errors: Any) -> None:
    found = InterruptedTimeSeries(outcome="y", errors=errors).fit(drawn(3))
    usual = InterruptedTimeSeries(outcome="y").fit(drawn(3))
    # A covariance alone says nothing of how a period's own luck carries over, so it gives no realised total.
    robust = isinstance(errors, (NeweyWest, Hac))
    left_out = ["cumulative_realised"] if robust else []
    assert list(found.effects["term"]) + left_out == list(usual.effects["term"])
    assert np.isfinite(found.effects[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)).all()
    assert (found.effects["conf_low"] < found.effects["estimate"]).all()
    assert found.draws_from != usual.draws_from
    again = Estimate.from_dict(found.to_dict())
    assert again.extras["errors"] == found.extras["errors"]
    pd.testing.assert_frame_equal(again.effects, found.effects)
    assert found.spec["errors"]["kind"] == type(errors).__name__


def test_the_account_holds_orders_coefficients_and_bandwidth() -> None:
    accounts = {
        str(errors): InterruptedTimeSeries(outcome="y", errors=errors).fit(drawn(4)).extras["errors"]
        for errors in (Arma(2, 1), NeweyWest(), PraisWinsten())
    }
    arma, newey_west, prais = accounts.values()
    assert arma["order"] == [2, 1] and len(arma["phi"]) == 2 and len(arma["theta"]) == 1
    assert arma["aic"] == pytest.approx(-2 * arma["loglik"] + 2 * (8 + 3 + 1))
    assert newey_west["lags"] == int(newey_west["bandwidth"]) and newey_west["prewhite"] is True
    assert len(prais["durbin_watson"]) == 2
    assert InterruptedTimeSeries(outcome="y").fit(drawn(4)).extras["errors"]["order"] == [1, 0]


def test_they_are_chosen_by_name_in_a_study_file() -> None:
    named = {
        "neweywest": NeweyWest(),
        "Hac": Hac(),
        "ml": Ml(),
        "arma": Arma(),
        "PraisWinsten": PraisWinsten(),
    }
    for name, errors in named.items():
        assert build("its", {"errors": name}, outcome="y").errors == errors
    (found,) = problems("its", {"errors": "newey"})
    assert found[0] == "errors" and '"NeweyWest"' in found[1]


def test_a_range_known_to_be_narrow_is_told_with_the_way_out() -> None:
    def told(errors: Any, n: int = 60) -> str:
        return " ".join(InterruptedTimeSeries(outcome="y", errors=errors).fit(drawn(5, n)).warnings)

    held = {Ols: 65, Ml: 84, PraisWinsten: 80, NeweyWest: 75, Hac: 71}
    for kind, per_cent in held.items():
        words = told(kind())
        assert f"too narrow where errors carry over. Of its 95% ranges of a total, {per_cent}% held" in words
        assert 'errors = "Reml"' in words and "under 50" not in words
        assert ("and 44 months are under 50" in told(kind(), 44)) == (kind in (NeweyWest, Hac))
    assert "84% held" in told(Arma(2, 0, "ml")) and "held" not in told(Arma(2, 0))
    assert "3 parameters, and 48 months are few" in told(Arma(2, 1), 48)
    assert "parameters" not in told(Arma(2, 0), 60)


def test_few_degrees_of_freedom_of_arma_errors_are_told() -> None:
    told = []
    for seed in range(6):
        found = InterruptedTimeSeries(outcome="y", errors=Arma(1, 1)).fit(drawn(seed, 40, rho=0.8))
        few = min(found.extras["df"].values()) < 5
        assert few == any("degrees of freedom to the range of" in text for text in found.warnings)
        told.append(few)
    assert any(told)


def test_newey_west_cannot_measure_a_single_month() -> None:
    method = InterruptedTimeSeries(outcome="y", shape="pulse", errors=NeweyWest())
    with pytest.raises(DesignError, match="cannot measure a change that lasts one month"):
        method.fit(drawn(6))
    InterruptedTimeSeries(outcome="y", shape="pulse", errors=PraisWinsten()).fit(drawn(6))


def test_fake_starts_do_not_hang_on_the_choice_of_errors() -> None:
    by = [
        InterruptedTimeSeries(outcome="y", errors=errors).fit(drawn(7)).extras["placebo_rank"]
        for errors in (Arma(1, 0), NeweyWest())
    ]
    assert by[0] == by[1] == InterruptedTimeSeries(outcome="y").fit(drawn(7)).extras["placebo_rank"]
