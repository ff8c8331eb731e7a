"""Leagues that are not of counts per people: a mean of each person, per cent, and where more is better."""

from __future__ import annotations

import math

import pytest
from seven_pilots import EXPECTED, changed, seven

from ucimpact.league import Entry, compare


def told(entries, finding, **comparable):
    """The entries with another finding, and something else told to the league."""
    made = [changed(entry, **comparable) for entry in entries]
    for entry in made:
        entry.document["finding"].update(finding)
    return made


def test_without_people_to_count_by_the_league_is_in_per_cent():
    entries = told(seven(4), {"base": None}, estimand={"compared": "places"})
    document = compare(entries)
    first = document["pilots"][0]
    assert document["estimand"]["percent"] and document["estimand"]["base"] is None
    assert first["raw"]["est"] == pytest.approx(100 * -8.4 / EXPECTED)
    assert first["worthwhile"] == pytest.approx(100 * 4 / EXPECTED)
    assert "29% fewer emergency admissions." in document["sentences"]["lead"]


def test_a_mean_of_each_person_keeps_its_own_units():
    cost = {"base": None, "kind": "cost", "outcome": "cost of care"}
    entries = told(
        seven(4), cost, estimand={"kind": "cost", "label": "Cost of care", "outcome": "cost of care"}
    )
    document = compare(entries)
    assert not document["estimand"]["percent"]
    assert document["pilots"][0]["raw"]["est"] == -8.4
    assert (
        "£10.90 lower (cost of care)" in document["sentences"]["lead"]
        or "£11 lower" in document["sentences"]["lead"]
    )


def test_bases_are_brought_to_one():
    entries = seven(4)
    found = entries[1].document["finding"]
    found.update({name: 10 * found[name] for name in ("est", "lo", "hi", "expected", "w")}, base=1000)
    document = compare(entries)
    assert document["estimand"]["base"] == 100
    assert document["pilots"][1]["raw"]["est"] == pytest.approx(-10.9)
    assert document["pilots"][1]["worthwhile"] == pytest.approx(4)


def test_where_more_is_better_the_mirror_gives_the_same_verdicts():
    """Ratios turned over, with what there is to gain set so that every gain in pounds is the same."""
    fewer = compare(seven())
    up = []
    for entry in seven():
        own = entry.document["comparable"]
        ratio = {"log": -own["log"], "low": -own["high"], "high": -own["low"]}
        one = changed(entry, **ratio, estimand={"better": "higher"})
        found = one.document["finding"]
        for name, of in (("est", "log"), ("lo", "low"), ("hi", "high")):
            found[name] = EXPECTED * math.expm1(ratio[of])
        found["better"] = "higher"
        up.append(one)
    more = compare(up)
    assert more["leader"] == fewer["leader"]
    for one, other in zip(fewer["pilots"], more["pilots"], strict=True):
        assert other["shrunk"]["log"] == pytest.approx(-one["shrunk"]["log"])
        assert other["rank"] == one["rank"]
        assert (other["value"]["per_person"] > 0) == (one["value"]["per_person"] > 0) or abs(
            one["value"]["per_person"]
        ) < 20
    best = more["pilots"][0]
    gained = best["expected"] / 100 * 3428 * math.expm1(best["shrunk"]["log"])
    assert best["value"]["per_person"] == pytest.approx(gained, rel=0.05)
    assert "The largest rise is claimed by discharge link workers" in more["sentences"]["lead"]


def test_what_is_the_pilots_own_of_a_change_is_in_its_value_alone():
    entries = seven()
    half = [changed(entries[0], own_share=0.5, value_in_doubt=True), *entries[1:]]
    whole, part = compare(entries)["pilots"][0], compare(half)["pilots"][0]
    assert part["shrunk"] == whole["shrunk"]
    assert part["value"]["per_person"] == pytest.approx(whole["value"]["per_person"] / 2)
    assert "best guess" in part["warnings"][0]


def test_more_pilots_than_all_sets_can_be_tried_of_are_funded_too():
    entries = []
    for k in range(14):
        source = seven()[k % 7]
        document = dict(source.document)
        study = {**document["study"], "hash": str(k), "league": {"name": f"Pilot {k}", "place": f"Town {k}"}}
        document["study"] = {**study, "fingerprints": [{"sha256": str(k)}]}
        document["comparable"] = {
            **document["comparable"], "controls": {**document["comparable"]["controls"], "files": [str(k)]},
        }  # fmt: skip
        entries.append(Entry(document=document, source=str(k)))
    found = compare(entries, budget=500_000)
    assert len(found["pilots"]) == 14
    assert found["priors"][0]["funded"] == found["portfolio"]["funded"] != []
    assert found["portfolio"]["cost"] <= 500_000
