"""Reporting guidelines: every item by its number, filled where known, "needs you" where not, chosen by design."""

from __future__ import annotations

import cohorts
import documents
import pytest

from ucimpact.report.checklists import CHECK, FIRST, HERE, NEEDS, NOWHERE, checklists, chosen, guidelines
from ucimpact.report.filled import FILLED, filled
from ucimpact.report.view import view
from ucimpact.words import breaks, unquoted

MAKERS = {
    "practices": documents.practices,
    "hub": documents.hub,
    "winter": documents.winter,
    **cohorts.COHORTS,
}
RECORD = ["1.1", "1.2", "1.3", "6.1", "6.2", "6.3", "7.1", "12.1", "12.2", "12.3", "13.1", "19.1", "22.1"]


def section(document):
    return next(made for made in view(document).sections if made.ident == "checklists")


def rows_of(document, guideline):
    return next(t.rows for t in section(document).tables if t.caption.startswith(f"{guideline}."))


def test_each_guideline_has_all_its_items():
    told = {key: guideline.numbers for key, guideline in guidelines().items()}
    assert told["target"] == [str(k) for k in range(1, 22)]
    assert told["strobe"] == [str(k) for k in range(1, 23)]
    assert told["cheers"] == [str(k) for k in range(1, 29)]
    assert told["record"] == RECORD
    parts = [item.n for item in guidelines()["target"].items]
    assert [n for n in parts if n[0] in "67"] == [f"{k}{letter}" for k in (6, 7) for letter in "abcdefgh"]


def test_every_name_in_the_file_has_a_function_and_every_function_a_name():
    named = {name for guideline in guidelines().values() for item in guideline.items for name in item.fill}
    assert named == set(FILLED)
    for guideline in guidelines().values():
        assert guideline.source and guideline.about
        for item in guideline.items:
            assert item.topic and item.asks.endswith(".")
            assert item.fill or item.needs, item.n  # what nothing fills says what the author is to write


def test_above_each_table_stands_that_its_topics_and_numbers_are_to_be_checked():
    made = section(cohorts.discharges())
    told = {table.caption.split(".")[0]: table.caption for table in made.tables}
    assert len(told) == 4 and all(CHECK in caption for caption in told.values())
    doubtful = [
        name for name, caption in told.items() if "were not compared with the published list." in caption
    ]
    assert doubtful == ["TARGET"] and "above all for TARGET" in told["TARGET"]


def test_the_guidelines_follow_from_the_design():
    def names(document):
        return [guideline.name for guideline in chosen(document)]

    assert names(cohorts.discharges()) == ["TARGET", "STROBE", "RECORD", "CHEERS 2022"]
    assert names(documents.hub())[:2] == ["STROBE", "RECORD"] and "TARGET" not in names(documents.practices())
    assert "TARGET" not in names(cohorts.befriending())  # nobody to compare with
    bare = cohorts.visits()
    del bare["valuation"]
    assert names(bare) == ["TARGET", "STROBE", "RECORD"]


@pytest.mark.parametrize("name", MAKERS)
def test_no_cell_is_empty_every_place_is_there_and_the_count_is_right(name):
    document = MAKERS[name]()
    made = section(document)
    headings = {other.heading for other in view(document).sections} | {FIRST, HERE, NOWHERE}
    for guideline, table in zip(chosen(document), made.tables, strict=True):
        assert len(table.rows) == len(guideline.items)
        for row in table.rows:
            assert all(cell.strip() for cell in row) and row[2] in headings
            assert row[3].startswith(NEEDS) == (row[2] == NOWHERE)
            assert [found for found in breaks(unquoted(row[3])) if "words:" not in found] == []
        lacking = {row[0].split()[0].rstrip("abcdefgh") for row in table.rows if row[3].startswith(NEEDS)}
        n = len(guideline.numbers)
        assert f"{guideline.name}: {n - len(lacking)} of {n} filled in" in made.bold


def test_what_only_the_author_knows_needs_the_author():
    rows = {row[0].split(" ", 1)[1]: row[3] for row in rows_of(cohorts.discharges(), "TARGET")}
    for topic in ("Background", "Rationale", "Ethics", "Funding", "Conflicts of interest"):
        assert rows[topic].startswith(f"{NEEDS}: ")
    assert rows["Registration"].startswith(NEEDS)


def test_what_is_known_is_said_from_the_document():
    document = cohorts.discharges()
    rows = {row[0].split(" ", 1)[0]: row for row in rows_of(document, "TARGET")}
    assert rows["3"][3] == document["study"]["question"]
    assert document["study"]["population"] in rows["6a"][3]
    assert rows["9"][2] == "Were the two groups alike at the start?"
    assert rows["13"][3].startswith("Emergency admissions: ") and "95% interval" in rows["13"][3]
    places = {row[0].split(" ", 1)[0]: row for row in rows_of(documents.practices(), "STROBE")}
    assert places["14"][3].startswith(NEEDS)  # no table of what the groups were like
    assert "Files read: practices.csv." in places["8"][3]


def test_a_lock_answers_where_the_plan_was_fixed():
    document = cohorts.discharges()
    sections = view(document).sections
    assert filled(("locked",), document) == ""
    document["robust"] = {"planned": {"locked": "before", "when": "2026-05-04T10:00:00+00:00"}}
    said = "The plan was locked on 4 May 2026, before the outcome data were seen."
    assert filled(("locked",), document) == said
    rows = {row[0]: row[3] for row in checklists(document, sections).tables[0].rows}
    assert rows["18 Registration"] == said
    late = {"locked": "after", "timing": "late", "when": "2026-05-04T10:00:00+00:00"}
    changed = {"locked": "before", "timing": "before", "when": "2026-05-04T10:00:00+00:00", "changed": 1}
    document["robust"] = {"planned": changed}
    assert filled(("locked",), document).endswith("before the outcome data were seen, and was changed since.")
    document["robust"] = {"planned": late}
    assert filled(("locked",), document) == "The plan was locked on 4 May 2026, after the pilot had ended."


def test_a_hidden_count_stays_hidden():
    document = cohorts.discharges()
    document["data"]["left_out"] = [{"n": None, "reason": "no day of birth"}]
    assert filled(("missing",), document) == "Left out: some for “no day of birth”."
    document["data"]["flow"] = [{"kind": "in", "n": None, "text": "rows read"}]
    document["data"]["cohort"].pop("flow", None)
    assert filled(("flow",), document) == "hidden rows read."


def test_the_section_stands_before_the_analysis_in_full():
    made = view(documents.trust()).sections
    assert [other.ident for other in made[-2:]] == ["checklists", "appendix"]
    assert checklists(documents.trust(), made).heading in [other.heading for other in made]


def test_a_line_whose_first_part_is_not_known_is_not_filled_by_the_rest():
    document = documents.practices()
    document["data"]["counts"] |= {"before": 12, "after": 12}
    assert filled(("follow_up",), document) == "12 months before a start and 12 from it, at most."
    assert filled(("baseline", "follow_up"), document) == ""
    assert filled(("follow_up", "baseline"), document) == "12 months before a start and 12 from it, at most."
