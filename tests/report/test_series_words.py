"""What a report of a series says of its method and its fake dates: in words, in its own periods, and once."""

from __future__ import annotations

from typing import Any

import documents
import pytest

from ucimpact.report import method, names, placebos
from ucimpact.report.effect_units import unit_of
from ucimpact.report.tables import Table
from ucimpact.report.view import view


def hub(**data: Any) -> dict[str, Any]:
    made = documents.hub()
    made["data"] |= data
    return made


def main(document: dict[str, Any]) -> dict[str, Any]:
    return next(entry for entry in document["estimates"] if entry["role"] == "primary")


def part(document: dict[str, Any], ident: str) -> Any:
    return next(section for section in view(document).sections if section.ident == ident)


@pytest.mark.parametrize("name", list(names.METHOD))
def test_a_method_is_explained_in_the_periods_of_the_data(name: str) -> None:
    for noun in ("week", "quarter"):
        told = " ".join(method.explained(name, noun))
        assert "month" not in told and "{" not in told


def test_facts_of_a_series_are_in_words_and_in_its_periods() -> None:
    made = hub(frequency="week")
    entry = main(made)
    entry["method"] = "its"
    entry["extras"] |= {
        "season": {"name": "fourier-2"}, "route": {"average": "second-order", "level_change": "second-order"},
    }  # fmt: skip
    facts = dict(part(made, "how").facts)
    assert facts["Season"] == "A yearly and a half-yearly wave."
    assert facts["How every range was made"] == "t averaged over what the last two weeks carry over"
    entry["extras"]["route"] = {"average": "mixture"}
    assert (
        "what one week carries over to the next" in dict(part(made, "how").facts)["How every range was made"]
    )
    entry["extras"]["season"]["why"] = "by the rule"
    assert dict(part(made, "how").facts)["Season"] == "By the rule."


def test_the_procedure_is_told_once() -> None:
    made = hub()
    made["finding"]["procedure"] = main(made)["draws_from"] = "AR(1) errors of some kind"
    told = part(made, "how")
    gloss = " (AR(1): what is left over in one month leans on the one before)"
    assert dict(told.facts)["Procedure"] == f"AR(1) errors of some kind{gloss}"
    assert method.glossed("AR(2) errors", "week").endswith("in one week leans on the 2 before)")
    assert method.glossed("least squares", "week") == "least squares"
    assert "AR(1) errors of some kind" not in " ".join(told.text)


def appendix(document: dict[str, Any]) -> list[Table]:
    return list(part(document, "appendix").tables)


def test_a_site_in_the_appendix_has_its_name() -> None:
    made = hub()
    rows = main(made)["effects"]
    rows.append({**rows[0], "term": "site", "group": "Ashcombe"})
    assert "At Ashcombe" in [row[0] for row in appendix(made)[0].rows]


def test_what_carries_over_is_told_in_the_periods_of_the_data() -> None:
    made = hub(frequency="week")
    captions = [table.caption for table in appendix(made)]
    assert "The same effects, if only the last week carried over to the next" in captions


@pytest.mark.parametrize("term", ["log_average", "log_level_change", "log_slope_change"])
def test_a_log_ratio_is_no_rate(term: str) -> None:
    made = hub()
    assert unit_of(main(made), {"term": term}, made) == "log ratio"
    total = unit_of(main(made), {"term": "cumulative_realised"}, made)
    assert total == unit_of(main(made), {"term": "cumulative"}, made)


def with_ratios() -> dict[str, Any]:
    made = hub()
    extras = main(made)["extras"]
    for k, row in enumerate(extras["placebo_dates"]):
        row["t"] = k / 10 - 1
    extras["placebo_rank"] = {"p_value": 0.04, "t": -3.1, "enough": True, "starts": 25}
    check = next(check for check in made["checks"] if check["name"] == "placebo_dates")
    check["table"] = extras["placebo_dates"]
    return made


def test_fake_dates_stand_beside_the_pilot_with_what_they_are_ranked_by() -> None:
    figure = placebos.fake_starts(with_ratios())
    assert figure is not None and figure.table is not None
    assert figure.table.head[-1] == "Average over its standard error"
    last = figure.table.rows[-1]
    assert last[0].endswith("(the pilot)") and last[-1] == "−3.1"
    assert figure.table.rows[0][-1] == "−1.0" and len(set(map(len, figure.table.rows))) == 1


def test_a_table_that_another_section_shows_is_not_printed_twice() -> None:
    made = with_ratios()
    for check in made["checks"]:
        if check["name"] == "dates":
            check["table"] = [{"label": "a", "effect": 1.0}]
    tables = {check.question: check.table for check in part(made, "trust").checks}
    asked = {check["name"]: check["question"] for check in made["checks"]}
    assert tables[asked["placebo_dates"]] is None
    main(made)["extras"]["placebo_dates"] = []
    tables = {check.question: check.table for check in part(made, "trust").checks}
    assert tables[asked["placebo_dates"]] is not None


def test_moved_dates_are_shown_among_the_other_analyses_alone() -> None:
    made = hub()
    made["checks"].append(
        {
            "name": "dates", "question": "Does it hang on the dates?", "answer": "holds", "text": "No.",
            "table": [{"label": "1 month later to begin", "effect": 1.0}], "statistic": None, "p_value": None,
        }
    )  # fmt: skip
    moved = [entry for entry in made["estimates"] if entry["role"] == "dates"]
    made["estimates"] = [entry for entry in made["estimates"] if entry["role"] != "dates"]
    assert part(made, "trust").checks[-1].table is not None
    one = moved[0] if moved else {**made["estimates"][-1], "role": "dates", "label": "1 month later to begin"}
    made["estimates"].append(one)
    assert part(made, "trust").checks[-1].table is None
