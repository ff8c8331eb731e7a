"""Money on the page: three kinds side by side, no sentence with two of them, and no blank where none is known."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import cohorts
import pytest

from ucimpact import words
from ucimpact.report.money import money, worth
from ucimpact.report.render import render

DOCUMENTS = {name: getattr(cohorts, name)() for name in ("visits", "volunteers", "frailty")}


def changed(name: str = "visits", **parts: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENTS[name])
    document["valuation"] |= parts
    return document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_three_columns_in_their_order(name):
    shown = worth(DOCUMENTS[name])
    heads = [column.head.lower() for column in shown.columns]
    assert heads == list(words.COLUMNS)
    assert shown.columns[0].value == "£0" and shown.columns[0].value_note == words.NO_CASH
    assert shown.columns[1].value.endswith(" bed days") and "a bed day" in shown.columns[1].chance_note
    assert all(column.chance for column in shown.columns)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_sentence_holds_two_kinds_and_none_breaks_the_rules(name):
    section = money(DOCUMENTS[name])
    text = " ".join([section.bold, *section.text, section.closing, *(t for _, t in section.note.paragraphs)])
    assert words.breaks(text) == []
    for sentence in words.split_sentences(text):
        assert sum(kind in sentence for kind in words.COLUMNS) < 2


def test_a_value_above_the_price_pays_and_one_below_names_its_price():
    document = changed()
    each = document["valuation"]["columns"]["economic"]["per_person"]
    for price, wanted in ((each / 2, f"pays, at any price up to {words.per_person(each)}"),
                          (each * 2, f"A price of {words.per_person(each)} a person, or an effect 2 times as large.")):  # fmt: skip
        cost = {**document["valuation"]["cost"], "per_person": price}
        assert wanted in money(changed(cost=cost)).bold
    assert "50% of the effect" in money(changed(cost={**cost, "per_person": each / 2})).text[0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_pilot_that_cost_nothing_has_a_page(name):
    cost = {**DOCUMENTS[name]["valuation"]["cost"], "total": 0.0, "fixed": 0.0, "per_person": 0.0}
    section = money(changed(name, cost=cost))
    text = " ".join(section.text)
    assert "Each £1 bought" not in text and "% of the effect" not in text
    if name != "frailty":
        assert section.bold == "It cost nothing, so any value repays it."


def test_a_rise_is_worth_no_price():
    assert money(DOCUMENTS["frailty"]).bold.startswith("No price")


def test_the_made_up_table_ends_in_the_net_and_holds_one_kind_alone():
    document = DOCUMENTS["visits"]
    rows = {row[0]: row for row in money(document).tables[0].rows}
    total = document["valuation"]["columns"]["economic"]["value"]
    assert rows["Full economic value"][-1] == words.money(total)
    assert rows["Net"][-1] == words.money(total - document["valuation"]["cost"]["total"])
    capacity = words.money(document["valuation"]["columns"]["capacity"]["value"])
    assert capacity not in itertools.chain(*rows.values())


def test_a_hidden_number_of_events_says_so():
    document = changed()
    document["valuation"]["outcomes"][0]["change"] = None
    assert money(document).tables[0].rows[0][1] == "hidden"


def test_what_is_not_worked_out_says_why_and_what_it_cost():
    document = changed(columns={}, not_worked_out="there is no likely range")
    assert money(document) is None
    shown = worth(document)
    assert shown.columns == () and shown.spent.startswith("£")
    page = render(document)
    assert "Its worth is not worked out: there is no likely range." in page


def test_a_column_that_no_outcome_declares_is_not_blank():
    document = changed()
    del document["valuation"]["columns"]["capacity"]
    shown = worth(document).columns[1]
    assert (shown.value, shown.value_note) == ("Not worked out", "no outcome declares it")


def test_without_a_declared_value_there_is_no_block():
    document = changed(columns={}, not_worked_out=None)
    assert worth(document) is None and money(document) is None
    document["valuation"] = None
    assert worth(document) is None and money(document) is None


def test_a_minus_stays_with_its_pounds():
    assert "−£" not in money(DOCUMENTS["frailty"]).text[0]
    assert "−\u2060£" in money(DOCUMENTS["frailty"]).text[0]


def test_the_page_holds_the_columns_once_and_in_order():
    page = render(DOCUMENTS["visits"])
    places = [
        page.index(f'<th scope="col">{head}')
        for head in ("Cash released", "Capacity released", "Full economic")
    ]
    assert places == sorted(places)
    assert "What would make it pay?" in page


def test_the_price_of_other_people_than_the_headline_counts_by_is_named_with_what_was_found():
    document = changed()
    finding, held = document["finding"], document["valuation"]
    finding["column"] = held["outcomes"][0]["column"] = "Emergency admissions"
    finding |= {"base": 100, "est": -1.4}
    held["cost"]["people"] = 18000
    held["outcomes"][0]["change"] = -3012.8
    made = money(document).tables[-1]
    assert made.caption.endswith("for every 100 of the 18,000 people whom the pilot’s cost is for")
    assert made.head[2:] == ("Fewer needed per 100 of them", "Found per 100 of them")
    assert all(row[3] == "16.7 fewer" for row in made.rows)
    held["outcomes"][0]["change"] = -0.014 * 18000
    assert money(document).tables[-1].head[2:] == ("Fewer needed per 100 people",)


def test_a_change_says_whose_it_is_where_the_cost_is_for_others_than_those_analysed():
    document = changed()
    people = document["valuation"]["cost"]["people"]
    document["finding"]["people_analysed"] = people
    assert money(document).tables[0].head[0] == "Activity, whole pilot"
    document["finding"]["people_analysed"] = people - 9
    told = f"Activity, the {people:,.0f} people whom the cost is for"
    assert money(document).tables[0].head[0] == told


def test_a_value_of_other_outcomes_than_the_headline_says_whose_it_is():
    document = changed()
    assert "alone" not in worth(document).notes and " on " not in money(document).bold
    document["finding"]["column"] = "deaths in hospital"
    label = words.numbers.mid_sentence(document["valuation"]["outcomes"][0]["label"])
    assert worth(document).notes.startswith(f"The value is of {label} alone. ")
    price = 2 * document["valuation"]["columns"]["economic"]["per_person"]
    document["valuation"]["cost"]["per_person"] = price
    assert f"or an effect on {label} 2 times as large." in money(document).bold
