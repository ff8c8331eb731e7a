"""What a study file declares of money: read as it stands, and refused with its line, the value and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_study import PANEL, edited, write
from ucimpact.errors import UsageError
from ucimpact.evaluation import refuse_values
from ucimpact.study import Share, read_study

VALUE = 'value = { economic = { "non-elective-short-stay" = 0.45, "non-elective-long-stay" = 0.55 }, marginal = { low = 0.3, high = 0.5 } }'
MONEY = """
[cost]
fixed = 20000
per_person = 100
people = 400
price_year = "2024/25"
set_up = 8000
ramp = 2000
volunteer_hours = 900
volunteer_hour = 14
area_cost_factor = 1.07

[attribution]
low = 0.6
high = 0.9
because = "A virtual ward ran beside it"

[budget]
years = 3
people = [400, 600, 800]
discount = 0.015

[payers]
pays = { ICB = 0.6, "Local authority" = 0.4 }
gains = { economic = { "Acute trust" = 0.7, "Local authority" = 0.3 } }

[qaly]
per_person = 0.01
low = 0.002
high = 0.02
source = "A published trial"
"""
TEXT = edited(PANEL, ('kind = "count"', f'kind = "count"\n{VALUE}')) + MONEY


def test_everything_is_read_as_it_stands(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, text=TEXT))
    refuse_values(study)
    value = study.primary.value
    assert value is not None and value.marginal == Share(low=0.3, high=0.5)
    assert [(part.item, part.share.best) for part in value.economic.parts] == [
        ("non-elective-short-stay", 0.45),
        ("non-elective-long-stay", 0.55),
    ]
    assert study.cost is not None and (study.cost.once, study.cost.volunteers) == (10_000, 12_600)
    assert study.attribution is not None and study.attribution.told.best == 0.75
    assert study.budget is not None and study.budget.people == (400, 600, 800)
    assert study.payers is not None and study.payers.gains["economic"]["Acute trust"] == 0.7
    assert study.qaly is not None and study.qaly.source == "A published trial"


def test_a_number_stays_a_number_and_keys_that_are_not_there_move_no_hash(tmp_path: Path) -> None:
    cost = '\n[cost]\nfixed = 20000\nprice_year = "2024/25"\n'
    plain = (
        edited(PANEL, ('kind = "count"', 'kind = "count"\nvalue = { economic = 2711, marginal = 0.4 }'))
        + cost
    )
    study = read_study(write(tmp_path, text=plain))
    assert study.primary.value is not None
    assert (study.primary.value.economic, study.primary.value.marginal) == (2711.0, 0.4)
    assert study.cost is not None and set(study.cost.to_dict()) == {
        "kind",
        "fixed",
        "per_person",
        "people",
        "price_year",
    }
    more = read_study(write(tmp_path, text=plain + "set_up = 0\n"))
    assert more.hash != study.hash


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('"non-elective-long-stay" = 0.55', '"non-elective-long-stay" = 0.5', "economic", ("add up to 0.95", "Write {")),
        ("0.3, high = 0.5 }", "0.6, high = 0.5 }", "marginal", ("low = 0.6 lies above high = 0.5", "marginal = 0.4")),
        ("0.3, high = 0.5 }", "0.3, high = 5 }", "marginal", ("between 0 and 1, found 5",)),
        ("area_cost_factor = 1.07", "area_cost_factor = 107", "area_cost_factor", ("found 107", "1.07 is 7% dearer")),
        ("volunteer_hour = 14\n", "", "volunteer_hour", ("is missing", "Add volunteer_hour = 14")),
        ("set_up = 8000", "set_up = -8000", "set_up", ("greater than or equal to 0, found -8000",)),
        ("low = 0.6\nhigh = 0.9", "low = 0.9\nhigh = 0.6", "low", ("lies above high: 0.9 and 0.6", "Write low = 0.6")),
        ("low = 0.6\nhigh = 0.9", "low = 0.6\nhigh = 0.9\nshare = 0.95", "share", ("lies outside 0.6 to 0.9", "0.95")),
        ('because = "A virtual ward ran beside it"\n', "", "because", ("is missing",)),
        ("people = [400, 600, 800]", "people = [400, 600]", "people", ("has 2 values for 3 years", "Give one a year")),
        ("people = [400, 600, 800]", "uptake = [0.1, 0.2, 0.3]", "eligible", ("is missing", "Add eligible = 2000")),
        ("people = [400, 600, 800]\n", "", "people", ("is missing. Add people = [400, 400, 400]",)),
        ("discount = 0.015", "uptake = [0.1, 0.2, 0.3]", "people", ("stands beside uptake", "Give one of the two")),
        ("years = 3", "years = 9", "years", ("less than or equal to 5, found 9",)),
        ("discount = 0.015", "discount = 3.5", "discount", ("less than or equal to 0.1, found 3.5",)),
        ("ICB = 0.6", "ICB = 0.5", "pays", ("adds up to 0.9, and must add up to 1", "Write pays = {")),
        ("economic = { \"Acute", "capacity = { \"Acute", "gains", ("lacks economic, the column that decides", "Add economic")),
        ("per_person = 0.01", "per_person = 0.03", "per_person", ("lies outside 0.002 to 0.02",)),
        ("per_person = 0.01\nlow = 0.002\nhigh = 0.02", "per_person = 3.5\nlow = 1\nhigh = 5", "per_person", ("found 3.5", "Write 0.01")),
        ("years = 3", "year = 3", "year", ("no such key", "Did you mean `years`?")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_the_way_out(tmp_path: Path, old, new, at, says) -> None:
    path = write(tmp_path, (old, new), text=TEXT)
    with pytest.raises(UsageError) as found:
        read_study(path)
    told = next(line for line in str(found.value).splitlines() if f"`{at}`" in line or f".{at}`" in line)
    assert told.strip().startswith("line ")
    for part in says:
        assert part in told
    lines = path.read_text().splitlines()
    number = int(told.split("line ")[1].split(",")[0])
    header = told.split(", ")[1].split(" ")[0]
    assert at in lines[number - 1] or lines[number - 1] == header or "value" in lines[number - 1]


def test_years_ahead_without_a_cost_or_a_value_are_refused(tmp_path: Path) -> None:
    text = (
        PANEL
        + '\n[budget]\nyears = 1\npeople = [400]\n\n[attribution]\nlow = 0.5\nhigh = 0.6\nbecause = "x"\n'
    )
    with pytest.raises(UsageError) as found:
        read_study(write(tmp_path, text=text))
    told = str(found.value)
    assert "[budget]: needs what the pilot cost" in told.replace("`budget`", "[budget]")
    assert told.count("needs what an event is worth") == 2


def test_an_unknown_kind_of_a_mix_is_told_with_its_line(tmp_path: Path) -> None:
    text = TEXT.replace('"non-elective-long-stay"', '"non-elective-long-stays"')
    with pytest.raises(
        UsageError, match=r"line 23, Emergency admissions, value, economic: there is no unit cost"
    ):
        refuse_values(read_study(write(tmp_path, text=text)))
