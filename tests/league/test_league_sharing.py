"""Pilots that share those they are compared with are never taken as apart without a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from seven_pilots import changed, seven

from ucimpact import words
from ucimpact.data.panel import Panel
from ucimpact.evaluation.comparable import influence_of
from ucimpact.league import compare
from ucimpact.league.overlap import overlaps
from ucimpact.league.pilot import pilots_of
from ucimpact.league.sharing import sharing
from ucimpact.methods import METHODS

MONTHS = ("2024-01", "2024-02")
UNKNOWN = {"arm_variance": None}


def shared(entries, pool=None):
    return sharing(pilots_of(entries, "2024/25"), pool)


def test_nothing_in_common_is_said_and_gives_a_diagonal():
    found = shared(seven(3))
    assert found.how == "none shared"
    assert np.count_nonzero(found.cov) == 3
    assert found.text.startswith("No two of the three name the same comparison")


@pytest.mark.parametrize(
    "told", [{"pool": "County list"}, {"files": ["one file"]}, {"units": ["Ash", "Elm"]}]
)
def test_a_pool_a_file_or_a_place_in_common_is_seen(told):
    entries = [changed(entry, controls=told) for entry in seven(2)] + seven(3)[2:]
    found = shared(entries)
    assert found.groups == ((0, 1),)
    assert found.cov[0, 2] == 0


def test_the_league_file_can_name_one_pool_of_all():
    assert shared(seven(3), pool="County list").groups == ((0, 1, 2),)


def test_control_arms_give_the_root_of_the_product_of_their_variances():
    arms = (0.002, 0.003)
    entries = [
        changed(entry, controls={"pool": "list", "arm_variance": arm})
        for entry, arm in zip(seven(2), arms, strict=True)
    ]
    found = shared(entries)
    assert found.how == "control arm"
    assert found.cov[0, 1] == pytest.approx(np.sqrt(arms[0] * arms[1]))


def test_influences_of_shared_places_give_the_covariance_by_hand():
    parts = ({"Ash": 0.01, "Elm": -0.02, "Oak": 0.03}, {"Elm": 0.01, "Oak": 0.02, "Yew": 0.05})
    entries = [
        changed(entry, controls={"units": list(part), "influence": part})
        for entry, part in zip(seven(2), parts, strict=True)
    ]
    found = shared(entries)
    assert found.how == "influence"
    # two of three stand in both: 1 - 1/3 - 1/3 + 2/9 of what they did together is left once the means are out
    assert found.cov[0, 1] == pytest.approx((-0.02 * 0.01 + 0.03 * 0.02) * 9 / 5)
    assert (np.linalg.eigvalsh(found.cov) > 0).all()


@pytest.mark.parametrize("told", [{"influence": {"Ash": 0.01}}, {"pool": "list", "arm_variance": 0.0001}])
def test_with_few_degrees_of_freedom_the_diagonal_alone_widens(told):
    entries = [changed(entry, controls={"units": ["Ash"], **told}) for entry in seven(2)]
    wide = [changed(entry, used_se=1.3 * entry.document["comparable"]["used_se"]) for entry in entries]
    plain, wider = shared(entries).cov, shared(wide).cov
    assert wider[0, 1] == pytest.approx(plain[0, 1]) == pytest.approx(0.0001)
    assert np.diag(wider) == pytest.approx(1.69 * np.diag(plain))


def test_what_is_not_known_is_worked_out_twice_and_both_are_told():
    entries = [changed(entry, controls={"pool": "list", **UNKNOWN}) for entry in seven()]
    found = shared(entries)
    assert (found.how, found.rho) == ("bounds", 0.5)
    assert found.cov[0, 1] == pytest.approx(0.5 * np.sqrt(found.cov[0, 0] * found.cov[1, 1]))
    assert found.low[0, 1] == 0
    document = compare(entries, budget=400_000)
    rows = document["covariance"]["bounds"]["rows"]
    assert [row["rho"] for row in rows] == [0.0, 0.5]
    assert rows[0]["leader_est"] != rows[1]["leader_est"]
    assert all(set(row["verdicts"]) == {pilot["id"] for pilot in document["pilots"]} for row in rows)
    for pilot in document["pilots"]:
        both = {row["verdicts"][pilot["id"]].split(":")[0].split(" at ")[0] for row in rows}
        told = pilot["verdict"]["text"]
        if len(both) > 1:
            assert told == "Cannot say yet: how far the pilots share their comparison"
            assert not pilot["funded"]
        else:
            assert told.startswith("Cannot say yet") or told.split(":")[0].split(" at ")[0] in both


def test_one_pilot_whose_arm_is_unknown_makes_bounds_of_the_group():
    entries = [changed(entry, controls={"pool": "list"}) for entry in seven(3)]
    assert shared(entries).how == "control arm"
    entries[1] = changed(entries[1], controls=UNKNOWN)
    assert shared(entries).how == "bounds"


CHAIN = (["x", "a"], ["a", "b"], ["b", "y"])


def test_two_that_share_nothing_are_apart_though_a_third_shares_with_both():
    arms = (0.004, 0.003, 0.002)
    entries = [
        changed(entry, controls={"files": files, "arm_variance": arm})
        for entry, files, arm in zip(seven(3), CHAIN, arms, strict=True)
    ]
    found = shared(entries)
    assert found.cov[0, 2] == 0
    assert found.cov[0, 1] == pytest.approx(np.sqrt(0.004 * 0.003))
    assert found.cov[1, 2] == pytest.approx(np.sqrt(0.003 * 0.002))
    assert (found.groups, found.kept) == (((0, 1, 2),), 1.0)
    assert found.text == (
        "Harle and Oldcastle share a comparison. Oldcastle and Merebridge share a comparison. They are taken to be "
        "held against the same people throughout, the strongest link. Two that share nothing are taken to be apart, "
        "though a third shares with both."
    )


def test_links_that_cannot_all_hold_are_weakened_by_one_factor_and_it_is_said():
    entries = [
        changed(
            entry, controls={"files": files, "arm_variance": entry.document["comparable"]["used_se"] ** 2}
        )
        for entry, files in zip(seven(3), CHAIN, strict=True)
    ]
    found = shared(entries)
    root = np.sqrt(np.diag(found.cov))
    alike = found.cov / np.outer(root, root)
    # the correlations of a chain of three, each of 1, have the least eigenvalue 1 - sqrt(2)
    assert alike[0, 1] == pytest.approx(alike[1, 2]) == pytest.approx(1 / np.sqrt(2), abs=1e-5)
    assert alike[0, 2] == 0 and np.linalg.eigvalsh(alike)[0] > 0
    assert found.kept == pytest.approx(1 / np.sqrt(2), abs=1e-5)
    assert found.text.endswith("so each is taken at 71% of it.")
    document = compare(entries)
    assert all(np.isfinite(pilot["shrunk"]["sd"]) for pilot in document["pilots"])


def test_a_pilot_that_lacks_its_influence_leaves_the_others_theirs():
    part = {"Ash": 0.01, "Elm": -0.02}
    entries = [
        changed(entry, controls={"units": ["Ash", "Elm"], "influence": part, **UNKNOWN}) for entry in seven(3)
    ]
    entries[2] = changed(entries[2], controls={"influence": None})
    found = shared(entries)
    assert found.cov[0, 1] == found.low[0, 1] == pytest.approx(2 * (0.01**2 + 0.02**2))
    assert found.cov[0, 2] == pytest.approx(0.5 * np.sqrt(found.cov[0, 0] * found.cov[2, 2]))
    assert (found.low[0, 2], found.how) == (0, "bounds")
    assert "what each place added" in found.text.lower() and "worked out twice" in found.text


def told_by(estimate, panel):
    return {
        "influence": influence_of(estimate, panel.place_names),
        "units": [name for name in panel.place_names if name.startswith("C")],
        "pilot_units": {name: "2024-02-01" for name in panel.place_names if not name.startswith("C")},
        "files": [],
    }


def test_two_dids_share_the_variance_of_the_mean_change_of_their_comparison():
    change = np.array([1.0, 4.0, -2.0, 3.0, 0.0, 6.0])
    rates, arms = {"A": (30.0, 26.0, 27.0), "B": (50.0, 40.0, 47.0)}, []
    for town, (before, *after) in rates.items():
        seen = {f"{town}{k}": (before, y) for k, y in enumerate(after)}
        seen |= {f"C{k}": (40.0, 40.0 + moved) for k, moved in enumerate(change)}
        table = pd.DataFrame(
            [(u, m, "" if u[0] == "C" else "2024-02", y) for u, two in seen.items() for m, y in zip(MONTHS, two, strict=True)],
            columns=["unit", "period", "start", "y"],
        )  # fmt: skip
        panel = Panel(table)
        arms.append(told_by(METHODS["did"](outcome="y").fit(panel), panel))
    found = shared([changed(entry, controls=told) for entry, told in zip(seven(2), arms, strict=True)])
    # by hand: squares about their mean of 2 add up to 42, so the mean of six has the variance 42 / 5 / 6;
    # 30 + 2 and 50 + 2 would have been seen without the pilot
    assert found.how == "influence"
    assert found.cov[0, 1] == pytest.approx(1.4 / (32 * 52))


def test_a_pilot_place_that_is_a_comparison_of_another_sets_the_two_against_each_other():
    one = {"P": 0.02, "Q": -0.02, "Ash": 0.01, "Elm": -0.01}
    two = {"P": -0.01, "Q": 0.01, "Ash": 0.0, "Yew": 0.005, "R": 0.03, "S": -0.03}
    told = (
        {"influence": one, "units": ["Ash", "Elm"], "pilot_units": {"P": None, "Q": None}},
        {"influence": two, "units": ["P", "Q", "Yew"], "pilot_units": {"R": None, "S": None}},
    )
    found = shared([changed(entry, controls=part) for entry, part in zip(seven(2), told, strict=True)])
    # P and Q are both of two in one, and two of three in the other: 1 - 1/2 - 1/3 + 2/6 = 1/2 is left
    assert found.cov[0, 1] == pytest.approx(2 * -(0.02 * 0.01 + 0.02 * 0.01))


PAIR = ({"pilot_units": {"Ash": "2023-04-01", "Elm": "2023-04-01"}, "until": "2024-03-01", "units": ["Oak"]},
        {"pilot_units": {"Yew": "2023-10-01"}, "until": "2024-03-01", "units": ["Ash", "Elm", "Oak"]})  # fmt: skip


def notes(*told):
    entries = [changed(entry, controls=part) for entry, part in zip(seven(2), told, strict=True)]
    return overlaps(pilots_of(entries, "2024/25"))


def test_a_comparison_place_that_had_another_pilot_is_told_with_the_way_out():
    assert notes(*PAIR) == [
        "Ash and Elm had the pilot of Harle and stand in the comparison of Oldcastle. So what Harle changed there "
        "moves both results. Leave them out of the file of Oldcastle, and run it again."
    ]
    assert (
        compare([changed(e, controls=t) for e, t in zip(seven(2), PAIR, strict=True)])["notes"][0]
        == notes(*PAIR)[0]
    )
    assert notes(PAIR[0], {**PAIR[1], "until": "2023-03-01"}) == []
    assert len(notes(PAIR[0], {**PAIR[1], "until": None})) == 1
    one = notes({**PAIR[0], "pilot_units": {"Elm": "2023-04-01", "Ash": "2024-04-01"}}, PAIR[1])
    assert one[0].startswith("Elm had the pilot of Harle and stands in") and "Leave it out" in one[0]


def test_places_with_both_pilots_are_told_and_so_is_one_file_with_as_many_people():
    second = {**PAIR[1], "pilot_units": {"Ash": "2023-06-01", "Yew": "2023-10-01"}, "units": ["Oak"]}
    assert notes(PAIR[0], second)[0].startswith("Ash had the pilot of Harle and that of Oldcastle.")
    entries = [changed(entry, analysed=400.0, controls={"files": ["one"]}) for entry in seven(2)]
    told = overlaps(pilots_of(entries, "2024/25"))
    assert told[0].startswith("Harle and Oldcastle come from one file, with as many people")
    assert overlaps(pilots_of([entries[0], changed(entries[1], analysed=405.0)], "2024/25")) == []


def test_money_is_kept_back_for_pilots_on_which_the_bounds_disagree():
    entries = [changed(entry, controls={"pool": "list", **UNKNOWN}) for entry in seven()]
    document = compare(entries, budget=400_000)
    unsure = [
        p
        for p in document["pilots"]
        if p["verdict"]["text"].endswith("how far the pilots share their comparison")
    ]
    decision, left = document["decision"], document["portfolio"]["unspent"]
    assert unsure and left > 0
    assert decision["unspent"].startswith("Nothing can be decided yet for ")
    for pilot in unsure:
        assert pilot["short"] in decision["unspent"].split(":")[0]
    cost = sum(pilot["year"]["cost"] for pilot in unsure)
    assert (f"Keep back {words.money(cost)} for " in decision["unspent"]) == (cost <= left)
    claims = [words.money(row["claim"]) for row in document["covariance"]["bounds"]["rows"]]
    told = (
        f"If the comparisons are apart, what would be funded claims {claims[0]}; if half linked, {claims[1]}."
    )
    assert (told in decision["because"]) == (claims[0] != claims[1])
    for text in decision.values():
        assert not words.breaks(text), text
