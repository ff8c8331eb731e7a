"""Procedures asked for by name: what each says, where it refuses, and that the rule's estimate stays."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.methods.test_did import table
from ucimpact.data.panel import Panel
from ucimpact.errors import DesignError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.inference.conley_taber import ConleyTaber
from ucimpact.inference.ferman_pinto import FermanPinto
from ucimpact.inference.ibragimov_muller import IbragimovMuller
from ucimpact.inference.named import Ended
from ucimpact.inference.permutation_of_t import Randomisation
from ucimpact.inference.wild import WildBootstrap
from ucimpact.methods import build
from ucimpact.methods.did import DifferenceInDifferences

CHOICES = [
    WildBootstrap(draws=499),
    WildBootstrap(weights="rademacher", draws=499),
    ConleyTaber(draws=499),
    FermanPinto(draws=499),
    IbragimovMuller(),
    Randomisation(draws=499),
    Randomisation(statistic="coefficient", draws=499),
]


def fit(cov: Any, data: pd.DataFrame, **roles: Any) -> Estimate:
    return DifferenceInDifferences(outcome="y", cov=cov).fit(Panel(data, **roles))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return table(units=16, pilots=6, effect=1.0)


@pytest.mark.parametrize("cov", CHOICES, ids=str)
def test_a_named_procedure_has_the_rules_estimate_and_says_what_it_is(cov: Any, data: pd.DataFrame) -> None:
    ours, rule = fit(cov, data), DifferenceInDifferences(outcome="y").fit(Panel(data))
    assert ours.headline["estimate"] == rule.headline["estimate"]
    head = ours.headline
    assert head["conf_low"] < head["estimate"] < head["conf_high"]
    assert (head["p_value"] <= 0.05) == (not head["conf_low"] <= 0 <= head["conf_high"])
    assert ours.extras["rule"]["reason"] == "asked for"
    assert ours.spec["cov"]["kind"] == type(cov).__name__
    path = ours.path()
    assert (path["conf_low_simultaneous"] <= path["conf_low"] + 1e-12).all()
    assert (path["conf_high_simultaneous"] >= path["conf_high"] - 1e-12).all()
    text = json.dumps(ours.to_dict(), allow_nan=False)
    assert json.dumps(Estimate.from_dict(json.loads(text)).to_dict(), allow_nan=False) == text


@pytest.mark.parametrize(
    ("cov", "words", "least"),
    [
        (WildBootstrap(), "wild cluster bootstrap with the null imposed, 9,999 draws of webb weights", 1e-4),
        (WildBootstrap(weights="rademacher"), "9,999 draws of rademacher weights", 1e-4),
        (ConleyTaber(), "Conley and Taber's test", 1e-4),
        (FermanPinto(), "Ferman and Pinto's test: .* 1,999 draws", 1 / 2000),
        (IbragimovMuller(), "two-sample t on 5 degrees of freedom", None),
        (Randomisation(), "permutation of the t, all 8,008 reassignments", 1 / 8008),
        (Randomisation(statistic="coefficient"), "permutation of the coefficient, all 8,008", 1 / 8008),
    ],
    ids=str,
)
def test_the_estimate_says_what_was_drawn_and_the_smallest_p_value(
    cov: Any, words: str, least: float | None, data: pd.DataFrame
) -> None:
    found = fit(cov, data)
    assert pytest.approx(least) == found.extras["rule"]["procedure_smallest_p"]

    assert re.search(words, found.draws_from)
    if least is not None:
        assert f"no p-value below {least:.2g}" in found.draws_from


@pytest.mark.parametrize(
    "name", ["WildBootstrap", "conleytaber", "FermanPinto", "IbragimovMuller", "Randomisation"]
)
def test_a_study_file_names_them(name: str) -> None:
    made = build("did", {"cov": name}, outcome="y")
    assert type(made.cov).__name__.lower() == name.lower()


def test_a_procedure_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"give Auto\(\), CR1\(\), .* or Randomisation\(\)"):
        DifferenceInDifferences(outcome="y", cov="bootstrap")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cov", "units", "pilots", "text"),
    [
        (IbragimovMuller(), 12, 1, "needs two pilot places or more: a lone one shows no spread"),
        (Randomisation(), 30, 1, "a lone pilot place"),
        (
            Randomisation(statistic="coefficient"),
            12,
            1,
            r"cannot give a p-value below 0.0833.*no 95% interval",
        ),
        (WildBootstrap(weights="rademacher"), 5, 2, "cannot give a p-value below 0.0625"),
        (ConleyTaber(), 6, 2, "needs 5 comparison places or more, and there are 4"),
        (FermanPinto(), 6, 2, "needs 5 comparison places or more, and there are 4"),
    ],
    ids=str,
)
def test_places_it_cannot_work_with_are_refused_with_the_way_out(
    cov: Any, units: int, pilots: int, text: str
) -> None:
    with pytest.raises(DesignError, match=f"(?s){text}.*Auto"):
        fit(cov, table(units=units, pilots=pilots))


@pytest.mark.parametrize(
    ("cov", "pilots", "text"),
    [
        (WildBootstrap(draws=99), 3, "below four it hardly ever finds anything"),
        (ConleyTaber(draws=99), 6, "fewer than 100 comparison places it refuses too often"),
        (FermanPinto(draws=99), 3, "differ by list size alone"),
        (IbragimovMuller(), 3, "little power"),
        (Randomisation(draws=99), 3, "less power than the rule"),
        (Randomisation(statistic="coefficient", draws=99), 3, "supposes that all places are alike"),
        (WildBootstrap(draws=99), 6, None),
        (Randomisation(draws=99), 6, None),
        (IbragimovMuller(), 6, None),
    ],
    ids=str,
)
def test_where_its_false_positives_or_power_were_bad_it_warns(
    cov: Any, pilots: int, text: str | None
) -> None:
    warnings = fit(cov, table(units=16, pilots=pilots)).warnings
    named = [w for w in warnings if type(cov).__name__ in w]
    assert len(named) == (text is not None)
    assert text is None or (text in named[0] and "Compare Auto()" in named[0])


@pytest.mark.parametrize("cov", [*CHOICES], ids=str)
def test_names_and_order_of_units_make_no_difference(cov: Any, data: pd.DataFrame) -> None:
    units = sorted(data["unit"].unique(), reverse=True)
    renamed = data.assign(unit=data["unit"].map({unit: f"x{k:03d}" for k, unit in enumerate(units)}))
    one, two = fit(cov, data).headline, fit(cov, renamed.sample(frac=1, random_state=2)).headline
    for name in ("estimate", "p_value", "conf_low", "conf_high"):
        assert one[name] == pytest.approx(two[name], rel=1e-6)


@pytest.mark.parametrize("cov", [*CHOICES], ids=str)
def test_seeds_give_the_same_numbers_again(cov: Any, data: pd.DataFrame) -> None:
    assert fit(cov, data).to_dict() == fit(cov, data).to_dict()


def test_places_that_hold_both_kinds_of_unit_are_refused_by_what_works_on_places(data: pd.DataFrame) -> None:
    mixed = data.assign(place=data["unit"].str[-1])
    with pytest.raises(DesignError, match="places hold both pilot and comparison units"):
        fit(ConleyTaber(), mixed, cluster="place")
    assert np.isfinite(fit(WildBootstrap(draws=199), mixed, cluster="place").headline["conf_low"])


def test_gaps_weights_and_covariates_are_borne() -> None:
    rng = np.random.default_rng(3)
    made = table(units=20, pilots=7)
    made = made.assign(w=rng.uniform(0.5, 2, len(made)), x=rng.normal(size=len(made)))
    made = made[rng.random(len(made)) > 0.1]
    for cov in CHOICES:
        did = DifferenceInDifferences(outcome="y", covariates=("x",), cov=cov)
        head = did.fit(Panel(made, weight="w")).headline
        assert head["conf_low"] < head["estimate"] < head["conf_high"]


def test_few_places_with_covariates_are_warned_about() -> None:
    made = table(units=16, pilots=3).assign(x=np.random.default_rng(2).normal(size=192))
    did = DifferenceInDifferences(outcome="y", covariates=("x",), cov=IbragimovMuller())
    assert any("this range was never measured" in text for text in did.fit(Panel(made)).warnings)


def test_an_interval_without_an_end_is_no_interval(
    data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ucimpact.inference.studentised.Studentised.interval", lambda *_: (-np.inf, 3.0))
    found = fit(WildBootstrap(draws=99), data)
    assert np.isnan(found.headline["conf_low"]) and np.isfinite(found.headline["p_value"])
    assert found.extras["rule"]["refused"].startswith("No likely range can be had: with so few places")
    assert Ended(WildBootstrap()).procedure == WildBootstrap()
