"""The worked examples of certainty, every step of it and every verdict, each from records to document.

Each study is evaluated whole. Where a step hangs on one more fact (a lock, a declared analysis, a proxy), the
grade is asked again with the facts that the evaluation itself handed to it and that one changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.robust_study import STUDY, practices, written
from tests.small_study import SERIES, edited, series_table, write
from ucimpact import finding as findings
from ucimpact.decision import decide
from ucimpact.economics.prices import worth_of_one
from ucimpact.errors import UsageError
from ucimpact.evaluation import Evaluation, evaluate, judge, places
from ucimpact.study import Cost, DecisionRule, Value, read_study
from ucimpact.study.lock import lock
from ucimpact.study.money import Mainstream

WHEN = "2021-06-01T09:00:00+00:00"


class Asked:
    """An evaluation, with what it asked of the grade and of the valuation."""

    def __init__(self, folder: Any, text: str, table: pd.DataFrame, *, locked: bool = False) -> None:
        path = written(folder, text=text, table=table)
        if locked:
            (folder / "practices.csv").rename(folder / "later.csv")
            lock(read_study(path, judge=judge, with_data=False), when=WHEN, version="1")
            (folder / "later.csv").rename(folder / "practices.csv")
        self.study = read_study(path, judge=judge)
        self.graded: tuple[Any, ...] = ()
        self.pairs: Any = None
        with pytest.MonkeyPatch.context() as patch:
            grade, valued = findings.certainty, places.valued

            def grading(*given: Any, **named: Any) -> Any:
                self.graded, self.named = given, named
                return grade(*given, **named)

            def valuing(study: Any, found: Any, pairs: Any, **named: Any) -> Any:
                self.pairs = pairs
                return valued(study, found, pairs, **named)

            patch.setattr(findings, "certainty", grading)
            patch.setattr(places, "valued", valuing)
            self.evaluation: Evaluation = evaluate(self.study)

    @property
    def found(self) -> dict[str, Any]:
        return self.evaluation.finding

    @property
    def steps(self) -> str:
        return steps(self.evaluation.certainty)

    @property
    def level(self) -> str:
        return str(self.evaluation.certainty["level"])

    def again(
        self, *, study: Any = None, found: Any = None, beside: Any = None, dates: Any = None, **named: Any
    ) -> Any:
        """The grade with one fact changed."""
        own, data, estimate, held, checks, sensitivity, moved = self.graded
        return findings.certainty(
            study or own, data, estimate, {**held, **(found or {})}, checks,
            sensitivity if beside is None else beside, moved if dates is None else dates, **{**self.named, **named},
        )  # fmt: skip


def steps(certainty: Any) -> str:
    """The steps that cost or earn, e.g. "A2 F1"."""
    return " ".join(f"{step['code']}{abs(step['cost'])}" for step in certainty["steps"] if step["cost"])


def headline(asked: Asked) -> str:
    return str(asked.found["sentences"]["headline"])


# -- one place beside twenty others ------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "robust_enough", "level", "said"),
    [
        (-0.015, False, "very low", "It is very uncertain whether"),
        (-0.06, True, "low", "The pilot may reduce"),
    ],
)
def test_one_trust_beside_twenty_others(tmp_path, effect, robust_enough, level, said):
    table = practices(effect=effect, units=21, pilots=1, before=12, seed=5)
    asked = Asked(tmp_path, STUDY, table)
    assert asked.found["one_place"] and (asked.found["breakdown"] >= 2) == robust_enough
    assert (asked.steps, asked.level) == ("A2" if robust_enough else "A2 F1", level)
    assert headline(asked).startswith(said)


# -- eight of forty practices, from two starts, in six towns -----------------------------

STAGGERED = edited(
    STUDY,
    ("worthwhile = -0.05", "worthwhile = -0.1"),
    ('population = "list_size"\n', 'population = "list_size"\nplaces = "town"\n'),
    ('name = "did"', 'name = "count-did"'),
)


@pytest.fixture(scope="module")
def staggered(tmp_path_factory) -> Asked:
    table = practices(units=40, before=18, seed=6, late=4)
    return Asked(tmp_path_factory.mktemp("staggered"), STAGGERED, table, locked=True)


def test_eight_of_forty_practices_earn_a_step_back(staggered):
    assert staggered.found["n1"] == 6 and len(staggered.evaluation.data["starts"]) == 2
    assert (staggered.steps, staggered.level) == ("A2 back1", "moderate")
    assert headline(staggered).startswith("The pilot probably reduces emergency admissions")
    assert staggered.evaluation.certainty["steps"][-1]["text"].startswith("every check holds")
    without = staggered.again(locked=False)
    assert (steps(without), without["level"]) == ("A2", "low")


def test_a_lot_and_a_locked_plan_are_high_and_without_the_lock_moderate(staggered):
    drawn = replace(staggered.study, context=replace(staggered.study.context, allocation="lot"))
    assert staggered.again(study=drawn)["level"] == "high"
    assert staggered.again(study=drawn)["line"] == "Certainty is high: places were chosen by lot."
    unlocked = staggered.again(study=drawn, locked=False)
    assert unlocked["level"] == "moderate" and "not locked" in unlocked["line"]
    changed = staggered.again(study=drawn, plan_changed=True)
    assert (steps(changed), changed["level"]) == ("W1", "moderate")


def test_each_other_step_is_taken_for_its_reason(staggered):
    est, lo, hi = (staggered.found[name] for name in ("est", "lo", "hi"))
    w = staggered.found["w"]
    turned = staggered.again(beside=[(w, -w, 3 * w)])
    assert steps(turned) == "A2 N1"
    assert steps(staggered.again(beside=[(est, lo, hi)])) == "A2 back1"
    assert steps(staggered.again(dates=[(-est, lo, hi)])) == "A2 W1"
    assert "the plan was changed" in staggered.again(plan_changed=True)["line"]
    assert steps(staggered.again(found={"proxy": True})) == "A2 D1"
    for claim, limits, cost in (
        ("U", (-3 * w, 0.5 * w), "P1"),
        ("X", (-3 * w, 3 * w), "P2"),
        ("B", (-6 * w, -0.1 * w), "P1"),
    ):
        wide = {"claim": claim, "lo": limits[0], "hi": limits[1], "est": sum(limits) / 2}
        assert cost in steps(staggered.again(found=wide, dates=[]))
    assert steps(staggered.again(found={"n0": 9})) == "A2 F1"


# -- one series --------------------------------------------------------------------------


def series_with(effect: float, before: int = 36, after: int = 12) -> pd.DataFrame:
    table = series_table(before + after)
    counts = table["admissions"].astype(float) * 10
    counts[before:] *= 1 + effect
    return table.assign(admissions=counts.round().astype(int).astype(str))


@pytest.mark.parametrize(
    ("before", "after", "found", "level"), [(36, 12, "A2", "low"), (36, 9, "A2 S1", "very low")]
)
def test_a_series_of_one_place_stays_low(tmp_path, before, after, found, level):
    text = edited(SERIES, ('kind = "count"\n', 'kind = "count"\nworthwhile = -0.05\n'))
    path = write(tmp_path, text=text, table=series_with(-0.12, before, after))
    evaluation = evaluate(read_study(path, judge=judge))
    assert (steps(evaluation.certainty), evaluation.certainty["level"]) == (found, level)
    if level == "low":
        assert evaluation.certainty["steps"][-1]["text"].endswith("one place never exceeds low.")
        assert " may reduce " in evaluation.finding["sentences"]["headline"]


# -- people ------------------------------------------------------------------------------

COHORT = edited(
    STUDY,
    ('kind = "panel"\nsource = "practices.csv"\nunit = "practice"\nperiod = "month"\nstart = "joined"\npopulation = "list_size"\n',
     'kind = "cohort"\nsource = "practices.csv"\nperson = "person"\npilot = "visited"\nindex_date = "day"\n'
     'service_start = "began"\nfollow_up_days = 90\ncluster = "town"\n'),
    ('name = "did"\n', 'name = "weighted-cohort"\ncovariates = ["age", "before"]\n'),
    ("worthwhile = -0.05", "worthwhile = { per = -4, base = 100 }"),
    ('[[outcome]]\ncolumn = "attendances"\nlabel = "A&E attendances"\nkind = "count"\n',
     "".join(f'[[outcome]]\ncolumn = "c{k}"\nlabel = "Control {k}"\nkind = "count"\nnegative_control = {which}\n'
             for k, which in enumerate(["true", "true", "true", '"before"']))),
    ('profile = "none"', 'profile = "hes2018"'),
)  # fmt: skip


def people(n: int = 16_000, ratio: float = 0.8, bias: float = 1.0) -> pd.DataFrame:
    """People with a hidden need, a quarter of them visited; ``bias`` is in what visits cannot change."""
    rng = np.random.default_rng(1)
    need, visited = rng.gamma(4, 0.25, n), rng.random(n) < 0.25
    table = pd.DataFrame(
        {"person": np.arange(n), "visited": visited.astype(int), "age": rng.normal(78, 6, n).round()}
    )
    table = table.assign(
        before=rng.poisson(2 * need), day="2024-05-01", began=np.where(visited, "2024-05-01", "")
    )
    table = table.assign(
        town=rng.integers(0, 40, n), admissions=rng.poisson(0.38 * need * np.where(visited, ratio, 1))
    )
    return table.assign(**{f"c{k}": rng.poisson(2 * need * np.where(visited, bias, 1)) for k in range(4)})


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Asked:
    return Asked(tmp_path_factory.mktemp("cohort"), COHORT, people(), locked=True)


def test_a_cohort_whose_negative_controls_hold(cohort):
    assert cohort.found["percent"]["ratio"] == pytest.approx(0.8, abs=0.04) and cohort.found["claim"] == "W+"
    assert (cohort.steps, cohort.level) == ("A2 back1", "moderate")
    assert headline(cohort) == "The pilot probably reduces emergency admissions by a worthwhile amount"


def test_what_was_asked_and_what_was_measured(cohort):
    for key, value, said in (
        ("linked", 0.79, "79% with linked records"),
        ("asked_days", 180.0, "a follow-up shorter than the question"),
        ("eligible", 100_000, "of those eligible"),
    ):
        narrower = cohort.again(study=replace(cohort.study, data=replace(cohort.study.data, **{key: value})))
        assert steps(narrower) == "A2 D1" and any(said in step["text"] for step in narrower["steps"])
    for key, value in (("linked", 0.8), ("asked_days", 90.0), ("eligible", 1_000)):
        enough = cohort.again(study=replace(cohort.study, data=replace(cohort.study.data, **{key: value})))
        assert steps(enough) == "A2 back1"


def test_a_large_effect_that_no_other_analysis_shrinks_earns_a_step_back(cohort):
    """Not locked, so by the third route: the limit is twice what is worthwhile, and E at it at least 2."""
    est, lo, hi = (cohort.found[name] for name in ("est", "lo", "hi"))
    own, data, estimate, *rest = cohort.graded
    strong = replace(estimate, extras={**estimate.extras, "e_value": {"limit": 2.4}})
    found = {**rest[0], "w": abs(hi) / 2.1}

    def graded(beside: Any) -> Any:
        return findings.certainty(own, data, strong, found, rest[1], beside, [], locked=False)

    back = graded([(est, lo, hi)])
    assert (steps(back), back["level"]) == ("A2 back1", "moderate")
    assert back["steps"][-1]["text"].startswith("the effect is large")
    assert steps(graded([])) == "A2"  # nothing beside it could have shrunk it
    assert steps(graded([(0.3 * est, 2 * lo, 0.1 * hi)])) == "A2"


def test_controls_that_leave_room_for_a_bias_as_large_as_the_effect_cap_it_at_low(cohort):
    own, data, estimate, *rest = cohort.graded
    room = {"pooled": {"log_ratio": 0.05, "std_error": 0.02}}
    wide = replace(estimate, extras={**estimate.extras, "controls": room})
    capped = findings.certainty(own, data, wide, *rest, locked=True)
    assert capped["level"] == "low" and capped["steps"][-1]["head"] == "At most low:"
    assert "room for a bias as large as the effect" in capped["line"]


def test_the_same_cohort_whose_negative_controls_fail(tmp_path):
    failing = Asked(tmp_path, COHORT, people(n=6_000, bias=1.2), locked=True)
    assert (failing.steps, failing.level) == ("A2 K1", "very low")
    assert (
        headline(failing)
        == "We cannot say whether the pilot changed emergency admissions: the comparison is not sound"
    )
    assert failing.evaluation.decision["row"] == 0


ALONE = edited(
    COHORT,
    ('name = "weighted-cohort"\ncovariates = ["age", "before"]\n', 'name = "before-after"\n'),
    ('pilot = "visited"\n', "before_days = 90\n"),
    (
        'label = "Emergency admissions"\nkind = "count"\n',
        'label = "Emergency admissions"\nkind = "count"\nbefore = "before"\n',
    ),
)


def test_before_and_after_alone(tmp_path):
    text = ALONE[: ALONE.index('[[outcome]]\ncolumn = "c0"')] + ALONE[ALONE.index("[method]") :]
    table = people(n=800).query("visited == 1")
    asked = Asked(tmp_path, text, table)
    assert (asked.steps, asked.level) == ("A3", "very low")
    assert asked.evaluation.certainty["line"] == "Certainty is very low: there is nothing to compare with."
    assert asked.found["claim"] is None and asked.evaluation.decision["row"] == 0


# -- every verdict -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Asked:
    table = practices(effect=-0.06, before=12, scale=2, seed=8, units=24)
    text = edited(STUDY, ('kind = "count"\nprimary', 'kind = "count"\nvalue = { economic = 500 }\nprimary'))
    return Asked(tmp_path_factory.mktemp("plain"), text, table)


def verdict(
    asked: Asked,
    share: float,
    *,
    costs: float | None = None,
    rule: float = 0.8,
    level: str = "low",
    **found: Any,
) -> Any:
    """The decision at a price that is a share of the value, in pounds a person."""
    held = {**asked.found, **found}
    base = replace(asked.study, cost=Cost(fixed=1.0, people=1_000, price_year="2024/25"))
    worth = places.valued(base, held, asked.pairs)
    value = worth.deciding["value"] if worth is not None and worth.deciding else 1.0
    decision = DecisionRule(
        mainstream_if=Mainstream(chance_worth_its_cost=rule, min_certainty=level), another_year_costs=costs
    )
    study = replace(
        base, cost=Cost(fixed=share * value, people=1_000, price_year="2024/25"), decision=decision
    )
    checks = [check.to_dict() for check in asked.evaluation.checks]
    return decide(study, held, asked.evaluation.certainty, checks, places.valued(study, held, asked.pairs))


@pytest.mark.parametrize(
    ("given", "row", "text"),
    [
        ({"share": 0.1}, 1, "Mainstream"),
        ({"share": 0.1, "level": "moderate"}, 2, "Extend with evaluation"),
        ({"share": 0.95, "costs": 1.0}, 3, "Extend with evaluation"),
        ({"share": 1.05, "costs": 1.0}, 3, "Extend with evaluation, at"),
        ({"share": 0.95}, 4, "Extend if cheaper"),
        ({"share": 1.5}, 5, "Extend if cheaper"),
        ({"share": 2.5}, 6, "Stop at this price"),
        ({"share": 0.5, "key_fail": True}, 0, "Cannot say yet: a comparison that passes its checks"),
    ],
)
def test_every_verdict_is_reached_from_a_document(plain, given, row, text):
    assert plain.found["claim"] in ("W+", "B") and plain.level == "low"
    made = verdict(plain, **given)
    assert made["row"] == row and made["verdict"].startswith(text)


def test_without_a_price_nothing_can_be_said_yet(plain):
    assert plain.evaluation.decision["row"] == 0
    assert "price per person" in plain.evaluation.decision["verdict"]


# -- worth having by what would repay it -------------------------------------------------

BREAK_EVEN = edited(
    STUDY,
    ("worthwhile = -0.05", 'worthwhile = "break-even"\nvalue = { economic = 500 }'),
    ("[context]", '[cost]\nfixed = 400000\npeople = 2000\nprice_year = "2024/25"\n\n[context]'),
)


def test_a_break_even_is_the_price_over_the_worth_of_one_event(tmp_path, plain):
    study = read_study(written(tmp_path, text=BREAK_EVEN, table=practices(units=2, pilots=1)), judge=judge)
    assert study.primary.worthwhile.form == "break-even"
    assert worth_of_one(study, study.primary, "economic") == 500
    data = plain.graded[1]
    per_unit = 2.5  # events over the pilot for each unit of the headline
    units = findings.Units(
        factor=10.0, term="att", base=100, per="", when="", chart_per="", observed=1.0, expected=1.0,
        observed_events=None, events_per_unit=per_unit,
    )  # fmt: skip
    assert findings.worthwhile_of(study, study.primary, data, units) == pytest.approx(
        400_000 / 500 / per_unit
    )
    richer = replace(
        study, outcomes=(replace(study.primary, value=Value(economic=1000.0)), *study.outcomes[1:])
    )
    assert findings.worthwhile_of(richer, richer.primary, data, units) == pytest.approx(400 / per_unit)


def test_a_break_even_of_people_is_a_change_per_person(cohort):
    """£200 a person over £500 an event: 40 for every 100 people, however many of those paid for were analysed."""
    primary = replace(
        cohort.study.primary, worthwhile=read_worthwhile("break-even"), value=Value(economic=500.0)
    )
    study = replace(
        cohort.study, outcomes=(primary,), cost=Cost(fixed=400_000, people=2_000, price_year="2024/25")
    )
    data, estimate = cohort.graded[1:3]
    units = findings.units_of(estimate, data, None, cohort.study, cohort.study.primary)
    assert units.base == 100
    assert findings.worthwhile_of(study, primary, data, units) == pytest.approx(40.0)
    for broken in (replace(study, cost=None), replace(study, outcomes=(replace(primary, value=None),))):
        with pytest.raises(UsageError, match=r"break-even.* needs"):
            findings.worthwhile_of(broken, broken.primary, data, units)


def read_worthwhile(text: str) -> Any:
    from ucimpact.study import Worthwhile

    return Worthwhile(change=0.0, form=text)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (("[cost]\nfixed = 400000\npeople = 2000\n", "[decision]\n"), "needs a [cost]"),
        (("value = { economic = 500 }", "value = { cash = 500 }"), "value = { economic = ... }"),
        (('kind = "count"\nprimary', 'kind = "cost"\nprimary'), "is for a count of events"),
    ],
)
def test_a_break_even_says_what_it_lacks(tmp_path, edit, told):
    text = edited(BREAK_EVEN, edit)
    text = text.replace('[decision]\nprice_year = "2024/25"\n', "")
    with pytest.raises(UsageError) as caught:
        read_study(written(tmp_path, text=text, table=practices(units=2, pilots=1)), judge=judge)
    assert told in str(caught.value)
