"""Who stands in a league and who is left out, each in a sentence that says in what it differs."""

from __future__ import annotations

import pytest
from seven_pilots import changed, seven

from ucimpact.errors import DesignError, UsageError
from ucimpact.league import Entry, compare
from ucimpact.league.alike import alike

FOUR = seven(4)


def odd_one(**told):
    """Four pilots, the last of them told otherwise."""
    return [*FOUR[:3], changed(FOUR[3], **told)]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (
            {"estimand": {"label": "Bed days", "outcome": "bed days"}},
            "it measured bed days, the others emergency admissions.",
        ),
        ({"estimand": {"kind": "binary"}}, "it measured a yes or no, the others a number of events."),
        (
            {"estimand": {"better": "higher"}},
            "it measured emergency admissions as better when higher, the others emergency admissions as better "
            "when lower.",
        ),
        (
            {"estimand": {"follow_up": "180 days"}},
            "it measured emergency admissions over 180 days, the others emergency admissions over 90 days.",
        ),
        (
            {"estimand": {"people": "care home residents"}},
            "it measured emergency admissions of care home residents, the others emergency admissions of people "
            "aged 65 or over.",
        ),
        (
            {"estimand": {"contrast": "average effect after the start"}},
            "it measured the average effect after the start, the others the change in those who had the service.",
        ),
        (
            {"estimand": {"compared": "places"}},
            "it measured places beside places, the others people beside people.",
        ),
        ({"counted": "cash"}, "it valued cash released, the others full economic value."),
        (
            {"unit_value": 2711.0},
            "it valued an emergency admission at £2,711 in 2024/25 prices, the others an emergency admission at "
            "£3,428 in 2024/25 prices.",
        ),
        ({"refused": "before and after alone is no comparison"}, "before and after alone is no comparison."),
    ],
)
def test_a_pilot_that_differs_is_left_out_by_a_sentence(told, why):
    parted = alike(odd_one(**told))
    start = "Carer support calls in Westow is left out: "
    assert [row["why"] for row in parted.left_out] == [start + why]
    assert [entry.source for entry in parted.kept] == [entry.source for entry in FOUR[:3]]


def test_capital_letters_and_spaces_make_no_other_question():
    told = {"estimand": {"people": "People  aged 65 or over", "label": "emergency admissions"}}
    assert len(alike(odd_one(**told)).kept) == 4


def test_a_league_may_vouch_for_other_words_of_the_same_people():
    entries = odd_one(estimand={"people": "those leaving hospital"})
    parted = alike(entries, who="people aged 65+ after a stay")
    assert len(parted.kept) == 4
    assert parted.note == (
        "The league file says that all are people aged 65+ after a stay; their own studies say “people aged 65 "
        "or over” and “those leaving hospital”."
    )


def test_prices_of_another_year_are_moved_and_said_to_be():
    from ucimpact.economics.unit_costs import inflator

    times = inflator("2023/24", "2024/25")
    entries = odd_one(unit_value=3428 / times, price_year="2023/24")
    pilots = {pilot["id"]: pilot for pilot in compare(entries)["pilots"]}
    assert pilots["westow"]["price"] == pytest.approx(60 * times)
    assert pilots["westow"]["warnings"] == ["Its prices of 2023/24 are moved to 2024/25."]
    assert pilots["harle"]["price"] == 160
    stale = alike(odd_one(price_year="1990/91"))
    assert "the price index runs from" in stale.left_out[0]["why"]


def test_fewer_than_two_are_refused_with_every_reason():
    entries = [FOUR[0], *(changed(e, refused="its comparison does not pass its checks") for e in FOUR[1:3])]
    with pytest.raises(DesignError) as refused:
        alike(entries)
    text = str(refused.value)
    assert refused.value.exit_code == 4
    assert text.startswith("A league needs 2 pilots that answer one question; 1 can be compared")
    assert "Discharge link workers in Oldcastle is left out: its comparison does not pass its checks." in text
    assert "Soft-landing visits in Merebridge is left out" in text


def test_the_same_evaluation_twice_is_refused():
    with pytest.raises(UsageError, match=r"is given twice: Harle/evaluation\.json and Harle"):
        alike([FOUR[0], FOUR[1], FOUR[0]])


def test_one_pilot_told_by_two_designs_is_refused_and_another_start_is_not():
    told = {"pilot_units": {"Ash": "2023-04-01", "Elm": "2023-04-01"}}
    twice = [changed(FOUR[0], controls=told), FOUR[1], changed(FOUR[2], controls=told)]
    with pytest.raises(UsageError, match=r"is given twice: Harle/evaluation\.json and Merebridge"):
        alike(twice)
    later = {"pilot_units": {"Ash": "2023-04-01", "Elm": "2023-05-01"}}
    assert len(alike([*twice[:2], changed(FOUR[2], controls=later)]).kept) == 3


def test_documents_that_cannot_be_read_are_refused():
    old = {**FOUR[0].document, "comparable": None}
    with pytest.raises(UsageError, match="before evaluations could be compared"):
        alike([Entry(document=old, source="old.json"), *FOUR[1:]])
    with pytest.raises(UsageError, match="is a league"):
        alike([Entry(document={"kind": "league"}, source="league.json"), *FOUR[1:]])
    with pytest.raises(UsageError, match="no evaluation that this version reads"):
        alike([Entry(document={"schema": 2}, source="x.json"), *FOUR[1:]])


def test_the_same_data_and_the_same_result_are_one_evaluation_whatever_the_study_file_says():
    entries = seven(3)
    again = changed(entries[0])
    again.document["study"]["hash"] = "another"
    with pytest.raises(UsageError, match="given twice"):
        alike([*entries, again])
    other = changed(entries[0], log=entries[0].document["comparable"]["log"] - 0.01)
    other.document["study"]["hash"] = "another"
    assert len(alike([*entries, other]).kept) == 4


def test_a_pilot_left_out_for_its_label_is_told_by_its_label():
    entries = [*seven(3)[:2], changed(seven(3)[2], estimand={"label": "Falls"})]
    why = alike(entries).left_out[0]["why"]
    assert "it measured falls, the others emergency admissions" in why
