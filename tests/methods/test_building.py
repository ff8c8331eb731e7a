"""A method from its name and options, every problem at once."""

import datetime as dt
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest

from ucimpact import methods
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.errors import UsageError
from ucimpact.inference.covariance import CR1, CR2, CR3
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.timeseries import Ols
from ucimpact.methods import METHODS, build
from ucimpact.methods.building import described, problems
from ucimpact.methods.series_changes import Change


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A method with a field of every sort.

    Parameters
    ----------
    outcome : str
        What is analysed.
    names : tuple of str, default ()
        Columns,
        on two lines.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    names: tuple[str, ...] = ()
    log: bool = False
    lags: int | None = None
    level: float = 0.95
    shape: Literal["line", "curve"] = "line"
    cov: Auto | CR1 | CR2 | CR3 = field(default_factory=Auto)

    def __post_init__(self) -> None:
        if self.level > 1:
            raise ValueError("Toy: level = 2 is above 1")


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", {"toy": Toy, "its": METHODS["its"]})


def test_options_become_fields(toy):
    made = build("toy", {"names": ["a", "b"], "log": True, "lags": 3, "level": 1, "cov": "cr2"}, outcome="y")
    assert made == Toy(outcome="y", names=("a", "b"), log=True, lags=3, level=1, cov=CR2())


@pytest.mark.parametrize(("written", "choice"), [("auto", Auto), ("CR1", CR1), ("Cr3", CR3)])
def test_a_choice_is_written_as_its_name(written, choice):
    assert isinstance(build("did", {"cov": written}, outcome="y").cov, choice)
    assert build("its", {"errors": "ols"}, outcome="y").errors == Ols()
    assert build("did", {"cov": choice()}, outcome="y").cov == choice()


def test_every_problem_is_listed_with_its_way_out(toy):
    wrong = {"outcome": "y", "lgo": True, "log": 1, "lags": 2.5, "level": "high", "names": ["a", 2],
             "shape": "crve", "cov": "CR22"}  # fmt: skip
    told = dict(problems("toy", wrong))
    assert told == {
        "outcome": "the outcome stands in [[outcome]]. Take it out here",
        "lgo": "this method has no such field. Did you mean `log`?",
        "log": "expects true or false, found 1",
        "lags": "expects a whole number, found 2.5",
        "level": "expects a number, found 'high'",
        "names": "expects a list of text in quotation marks, as in [...], found ['a', 2]",
        "shape": 'expects one of "line", "curve", found \'crve\'',
        "cov": 'one of "Auto", "CR1", "CR2", "CR3", found \'CR22\'. Did you mean `CR2`?',
    }
    with pytest.raises(UsageError) as caught:
        build("toy", wrong, outcome="y")
    assert all(text in str(caught.value) for text in told.values())


def test_a_list_of_tables_becomes_parts():
    tables = [{"start": "2017-04", "name": "new definition", "shape": "level"}, Change(start="2018-01")]
    made = build("its", {"changes": tables}, outcome="y")
    assert made.changes == (Change(start="2017-04", name="new definition", shape="level"), tables[1])
    assert (
        build("its", {"changes": [{"start": dt.date(2017, 4, 1)}]}, outcome="y").changes[0].start
        == "2017-04-01"
    )


def test_every_problem_of_a_table_is_listed_by_its_number_and_name():
    tables = [{"strat": "2017-04", "ramp": "long"}, {"start": "2017-04", "shape": "setp"}, "2018-01"]
    shapes = "level, slope, level-slope, pulse, temporary, ramp"
    assert problems("its", {"changes": tables}) == [
        (("changes", 0, "strat"), "table 1: there is no entry `strat`. Did you mean `start`?"),
        (("changes", 0, "ramp"), "table 1: `ramp` expects a whole number, found 'long'"),
        (("changes", 0), "table 1: `start` is missing"),
        (("changes", 1, "shape"), f'table 2: shape = "setp" is not known; choose one of: {shapes}'),
        (("changes", 2), "table 3: expects entries such as start, name, shape, until, ramp, found '2018-01'"),
    ]
    with pytest.raises(UsageError, match=r"  changes: table 1: `start` is missing\n"):
        build("its", {"changes": tables}, outcome="y")
    assert problems("its", {"changes": {"start": "2017-04"}}) == [
        ("changes", "expects tables, each headed [[method.changes]], found {'start': '2017-04'}")
    ]


def test_fields_of_a_base_are_described_and_the_methods_own_words_stand():
    told = {name: text for name, _, text in described(METHODS["its"])[1]}
    assert told["season"].startswith('"none", "fourier-1"')
    assert told["errors"].startswith("Reml(); or, for comparison")


def test_each_wrong_choice_is_a_problem_of_its_own_at_its_own_field():
    """Beside options that are wrong in themselves, and without what follows only from those."""
    wrong = {"phase_in": 3, "phase": "rampp", "shape": "temprary", "season": "fourier-3", "level": 2.0}
    told = problems("its", wrong)
    assert {key: text.split(" is ")[0] for key, text in told} == {
        "phase": 'phase = "rampp"',
        "shape": 'shape = "temprary"',
        "season": 'season = "fourier-3"',
        "level": "level = 2.0",
    }
    assert len(told) == 4
    both = problems("its", {"shape": "temporary", "until": 2.5, "trend": "curved", "level": "high"})
    assert [key for key, _ in both] == ["until", "level", "trend"]
    assert [key for key, _ in problems("did", {"lags": -1, "level": 3.0})] == ["lags", "level"]


def test_true_is_no_number(toy):
    assert [key for key, _ in problems("toy", {"level": True, "lags": True})] == ["level", "lags"]


def test_what_the_method_itself_refuses_is_told_at_its_field(toy):
    assert problems("toy", {"level": 2.0}) == [("level", "level = 2 is above 1")]
    with pytest.raises(UsageError, match="above 1"):
        build("toy", {"level": 2.0}, outcome="y")


def test_a_method_that_is_not_there_is_told_with_those_that_are():
    assert problems("di", {})[0][1] == 'there is no method "di". Did you mean `did`?'
    assert f"There are: {', '.join(METHODS)}" in problems("regression", {})[0][1]


def test_a_method_for_other_data_is_told_with_the_one_that_fits():
    (told,) = problems("did", {}, "series")
    fitting = " or ".join(key for key, method in METHODS.items() if method.takes is Series)
    assert told == (
        "name",
        f'"did" works on a panel and the data are a series. Use {fitting}, or bring the data as kind = "panel"',
    )
    assert problems("its", {}, "series") == []
    assert METHODS["its"].takes is Series


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_and_each_of_its_fields_are(name):
    first, fields = described(METHODS[name])
    assert first.endswith(".")
    for field_name, default, text in fields:
        assert text, f"{name}.{field_name} is not described"
        assert default


def test_defaults_are_written_as_in_a_study_file(toy):
    first, fields = described(Toy)
    assert first == "A method with a field of every sort."
    assert fields[0] == ("names", "(none)", "Columns, on two lines.")
    assert [default for _, default, _ in fields[1:]] == ["false", "(none)", "0.95", '"line"', '"Auto"']


def test_a_single_name_may_stand_alone_where_a_list_of_names_is_wanted(toy):
    assert build("toy", {"names": "a"}, outcome="y").names == ("a",)
    assert [key for key, _ in problems("toy", {"names": 3})] == ["names"]
    assert [key for key, _ in problems("its", {"season_profile": "cold"})] == ["season_profile"]


@pytest.mark.parametrize("name", METHODS)
def test_what_is_told_of_fields_has_no_marks_of_a_page_and_names_the_choices(name):
    told = {field_name: text for field_name, _, text in described(METHODS[name])[1]}
    assert not [text for text in told.values() if "`" in text or "this page" in text or ":mod:" in text]
    choices = {
        "controlled-its": {
            "form": ("difference", "ratio", "regression"),
            "family": ("gaussian", "quasi-poisson"),
        },
        "multi-site-its": {"interval": ("modified", "knapp-hartung", "normal")},
        "callaway-santanna": {"control_group": ("never-treated", "not-yet-treated")},
    }
    for key, known in choices.get(name, {}).items():
        assert all(f'"{choice}"' in told[key] for choice in known), told[key]
