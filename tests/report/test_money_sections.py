"""The sections beside the money: what they hold, in one column at a time, and what they leave out."""

from __future__ import annotations

import copy
from typing import Any

import cohorts
import pytest

from tests.economics.test_ahead import PAYERS, QALY
from tests.economics.test_beside import OWN, RANGED, worth
from ucimpact import words
from ucimpact.disclosure.people import valuation_of_people
from ucimpact.report.money import money
from ucimpact.report.money import worth as first_screen
from ucimpact.report.money_beside import beside_money
from ucimpact.report.money_budget import budget
from ucimpact.report.money_payers import _inside, payers
from ucimpact.report.money_sure import decide_money
from ucimpact.report.render import render
from ucimpact.report.section import Section
from ucimpact.study import Budget, Cost, Mix, Share

COST = Cost(
    per_person=230.0, people=1240.0, price_year="2024/25", set_up=30_000.0, volunteer_hours=1800.0,
    volunteer_hour=14.0, area_cost_factor=1.05,
)  # fmt: skip
VISITS = cohorts.visits()


def document(**valuation: Any) -> dict[str, Any]:
    """The visits, with everything that a study can say of money."""
    made = copy.deepcopy(VISITS)
    value = worth(
        cost=COST, told={"economic": Mix.of(RANGED), "marginal": Share(low=0.3, high=0.5)}, attribution=OWN,
        budget=Budget(years=3, people=(400, 800, 1200), inflation=0.02), payers=PAYERS, qaly=QALY,
    )  # fmt: skip
    made["valuation"] = value.to_dict() | valuation
    return made


WHOLE = document()


def sections() -> list[Section]:
    found = [money(WHOLE), *beside_money(WHOLE)]
    assert None not in found
    return [section for section in found if section is not None]


def test_all_stand_on_the_page_once_and_in_their_order():
    page = render(WHOLE)
    places = [page.index(f'<section id="{ident}"') for ident in ("money", "budget", "payers", "decide-money")]
    assert places == sorted(places)
    assert page.count('id="chance-chart') > 0
    assert beside_money(VISITS) == (None, None, None)


def test_no_sentence_breaks_a_rule_and_none_holds_two_kinds():
    for section in sections():
        notes = [text for _, text in section.note.paragraphs] if section.note else []
        text = " ".join([section.bold, *section.text, section.closing, *notes])
        assert words.breaks(text) == []
        for sentence in words.split_sentences(text):
            assert sum(kind in sentence for kind in words.COLUMNS) < 2


def test_no_table_holds_two_kinds_and_none_a_blank():
    for section in sections():
        for made in section.tables:
            whole = " ".join([made.caption, *made.head]).lower()
            assert sum(kind in whole for kind in words.COLUMNS) < 2
            if made.caption.startswith("How the full economic"):
                continue  # sums leave their first columns empty
            assert all(all(row) for row in made.rows), made.caption


def test_the_first_screen_says_whose_the_change_is():
    shown = first_screen(WHOLE)
    assert shown is not None
    assert "75% of the change is counted (it may be 60% to 90%)." in shown.notes


def test_the_rows_of_the_value_add_up_to_it():
    valuation = WHOLE["valuation"]
    table = next(t for t in sections()[0].tables if t.caption.startswith("How the full economic"))
    rows = {row[0]: row[-1] for row in table.rows}
    whole = valuation["attribution"]["whole"]
    assert rows["Emergency admissions"] == words.money(whole)
    assert rows["Other services’ share, 25%"] == words.money(-0.25 * whole)
    assert rows["Full economic value"] == words.money(0.75 * whole)


def test_the_note_says_why_an_admission_is_worth_what_it_is():
    note = sections()[0].note
    assert note is not None
    told = dict(note.paragraphs)
    assert told["Why £3,520 an emergency admission"].startswith(
        "45% of the emergency admissions avoided would"
    )
    assert "30% to 60% are short stays" in told["Why £3,520 an emergency admission"]
    assert "a virtual ward ran beside it" in told["Whose change it is"]
    mean = document()
    mean["valuation"] = worth(told={"economic": "non-elective-admission"}).to_dict()
    plain = money(mean)
    assert plain is not None and plain.note is not None
    assert words.money(66 * 826) in dict(plain.note.paragraphs)["What an average hides"]


def test_the_years_ahead_are_the_documents():
    section, found = budget(WHOLE), WHOLE["valuation"]["budget"]
    assert section is not None
    first, *_ = section.tables
    assert first.caption == "Full economic value, year by year, in 2024/25 prices"
    assert [row[1] for row in first.rows] == ["400", "800", "1,200", "2,400", "2,400"]
    assert first.rows[3][2] == words.money(found["total"]["cost"])
    assert first.rows[4][2] == words.money(found["total"]["cost_discounted"])
    late = found["total"]["columns_discounted"]["economic"]["low"] - found["total"]["cost_discounted"]
    assert words.money(late) in section.text[0].replace("\u2060", "")
    less = found["total"]["columns_discounted"]["economic"]
    told = f"worth {words.money(less['value'])} (likely range {words.money_range(less['low'], less['high'])}), later years"
    assert told in section.text[0].replace("\u2060", "")  # the net beside it is of the same figures
    assert less["value"] < 0.99 * found["total"]["columns"]["economic"]["value"]
    assert [table.caption.split(",")[0] for table in section.tables] == [
        "Full economic value",
        "Capacity released",
    ]
    assert "£30,000 that the pilot spent on starting is not spent again" in section.closing


def test_who_pays_and_gains_is_in_the_column_that_decides_first():
    section = payers(WHOLE)
    assert section is not None
    parties, matrix, capacity = section.tables
    assert [row[0] for row in parties.rows] == ["ICB", "Council", "Trust"]
    assert parties.rows[0][3] == "none"
    assert matrix.head[1:] == ("had by Trust", "had by Council")
    assert _inside("The hospital trust") == "the hospital trust" and _inside("Theale") == "Theale"
    assert "capacity released" in capacity.caption
    one = copy.deepcopy(WHOLE)
    one["valuation"]["payers"]["matrix"] = one["valuation"]["payers"]["matrix"][:1]
    alone = payers(one)
    assert alone is not None and len(alone.tables) == 2


def test_the_chances_are_those_of_the_document_with_today_among_them():
    section, found = decide_money(WHOLE), WHOLE["valuation"]["curve"]
    assert section is not None and section.figure is not None and section.figure.table is not None
    assert words.chance(found["at_price"]) in section.bold
    assert [row[1] for row in section.figure.table.rows] == [words.chance(p) for p in found["chance"]]
    assert section.figure.table.head == ("Price a person", "Full economic value", "Freed in the short run")
    assert len(section.figure.chart.series) <= 4
    assert section.figure.download is not None


def test_the_rows_of_what_moves_the_answer_are_widest_first_and_read_as_short_or_over():
    section = decide_money(WHOLE)
    assert section is not None and section.rows is not None
    rows = section.rows.groups[0].rows
    inputs = WHOLE["valuation"]["inputs"]
    assert [row.label for row in rows] == [words.capital(row["label"]) for row in inputs]
    assert rows[0].range.endswith("over") and "short to" in rows[0].range and rows[0].answer == "unsure"
    assert {row.answer for row in rows[1:]} == {"fell"}
    assert section.rows.fewer == "Short of the price throughout"
    switches = section.tables[0]
    assert switches.rows[0][2] == "1.8 times what was found"
    assert "at no possible value" in [row[2] for row in switches.rows]


def test_an_input_that_would_have_to_go_the_other_way_says_so():
    rows = copy.deepcopy(WHOLE["valuation"]["inputs"])
    rows[0]["switch"] = -0.5
    section = decide_money(document(inputs=rows))
    assert section is not None
    assert section.tables[0].rows[0][2] == "only if it had gone the other way"


def test_a_year_of_full_health_is_there_only_where_the_study_brings_it():
    section = decide_money(WHOLE)
    assert section is not None
    health = section.tables[-1]
    assert health.caption.startswith("With health counted") and len(health.rows) == 4
    assert "A published trial" in health.caption
    without = decide_money(document(qaly=None))
    assert without is not None
    assert not any(table.caption.startswith("With health") for table in without.tables)


def test_pounds_of_people_leave_to_three_figures_and_costs_as_they_are():
    released = valuation_of_people(WHOLE["valuation"])
    for name in ("columns", "inputs", "curve", "known", "short_run", "attribution", "haircut", "qaly"):
        assert all(value == float(f"{value:.3g}") for value in broken(released[name])), name
    years, parties = released["budget"], released["payers"]
    assert years["total"]["cost_discounted"] == WHOLE["valuation"]["budget"]["total"]["cost_discounted"]
    modelled = [row["columns"] for row in years["rows"]] + [years["total"]["columns"], years["chance"]]
    modelled += [parties["gains"], parties["matrix"], released["evpi"], released["evsi"]]
    assert all(value == float(f"{value:.3g}") for value in broken(modelled))
    assert all(section is not None for section in beside_money({**WHOLE, "valuation": released}))


def broken(value: Any) -> list[float]:
    """Every number inside that is not whole."""
    if isinstance(value, dict):
        return [n for entry in value.values() for n in broken(entry)]
    if isinstance(value, list):
        return [n for entry in value for n in broken(entry)]
    return [value] if isinstance(value, float) and not value.is_integer() else []


@pytest.mark.parametrize("missing", ["curve", "columns"])
def test_without_a_value_against_a_price_there_is_no_section(missing):
    assert decide_money(document(**{missing: {}})) is None
