"""Pilots that share those they are compared with are never taken as apart without a word."""

from __future__ import annotations

import numpy as np
import pytest
from seven_pilots import changed, seven

from ucimpact.league import compare
from ucimpact.league.pilot import pilots_of
from ucimpact.league.sharing import sharing

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
    assert found.cov[0, 1] == pytest.approx(-0.02 * 0.01 + 0.03 * 0.02)
    assert (np.linalg.eigvalsh(found.cov) > 0).all()


def test_with_few_degrees_of_freedom_the_link_widens_with_the_range():
    part = {"Ash": 0.01}
    entries = [changed(entry, controls={"units": ["Ash"], "influence": part}) for entry in seven(2)]
    wider = [changed(entry, std_error=entry.document["comparable"]["used_se"] / 1.2) for entry in entries]
    assert shared(wider).cov[0, 1] == pytest.approx(shared(entries).cov[0, 1] * 1.44)


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
        both = {row["verdicts"][pilot["id"]].split(":")[0] for row in rows}
        told = pilot["verdict"]["text"]
        if len(both) > 1:
            assert told == "Cannot say yet: how far the pilots share their comparison"
            assert not pilot["funded"]
        else:
            assert told.startswith("Cannot say yet") or told.split(":")[0] in both


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
    assert found.cov[0, 1] == found.low[0, 1] == pytest.approx(0.01**2 + 0.02**2)
    assert found.cov[0, 2] == pytest.approx(0.5 * np.sqrt(found.cov[0, 0] * found.cov[2, 2]))
    assert (found.low[0, 2], found.how) == (0, "bounds")
    assert "what each comparison place added" in found.text.lower() and "worked out twice" in found.text
