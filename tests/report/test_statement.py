"""The impact statement: the same numbers as the report, only what the finding allows, and nothing hidden."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace
from typing import Any

import cohorts
import pytest
from test_render import Page

from ucimpact.report.figures import primary
from ucimpact.report.render import render, render_statement
from ucimpact.report.single import Claim, Interval
from ucimpact.report.statement import JOINED, _set_smaller, statement
from ucimpact.words import breaks, unquoted
from ucimpact.words import statement as words

NAMES = list(cohorts.COHORTS)
LONG = (
    "Community urgent response, soft-landing visits and home-from-hospital volunteers after an emergency stay, "
    "Northmoor and Eastvale"
)


def panel(made: Any, heading: str) -> str:
    return dict(made.panels)[heading]


def text_of(page: str) -> str:
    return " ".join(Page(page).words().split())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_the_report_says(name):
    document = cohorts.COHORTS[name]()
    told, page = document["finding"]["sentences"], text_of(render_statement(document))
    report = text_of(render(document))
    for sentence in (told["headline"], *told["extra"]):
        assert sentence in page and sentence in report
    assert told["lead"].replace(" ", "") in page.replace(" ", "")
    assert document["certainty"]["line"].replace(" ", "") in page.replace(" ", "")
    assert all(item in page for item in document["finding"]["cannot_say"][:4])


@pytest.mark.parametrize("name", NAMES)
def test_no_word_that_must_not_be_said_even_in_the_paragraph_to_quote(name):
    made = statement(cohorts.COHORTS[name]())
    prose = [made.headline, made.quote, *made.can, "".join(part for part, _ in made.lead), made.footer]
    prose += [text for _, text in made.panels] + [f"{value} {label}." for value, label in made.facts]
    for text in prose:
        assert breaks(text) == []
    for item in made.cannot:
        assert [found for found in breaks(unquoted(item)) if "words:" not in found] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_tag_closes_nothing_is_fetched_and_the_bytes_are_the_same_again(name):
    document = cohorts.COHORTS[name]()
    before = copy.deepcopy(document)
    page = render_statement(document)
    parsed = Page(page)
    assert parsed.open == [] and len(parsed.ids) == len(set(parsed.ids))
    assert not {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in parsed.tags}
    assert "http://" not in page and "https://" not in page
    assert render_statement(document) == page and document == before


def test_a_benefit_shows_what_it_cost_and_gave_in_three_columns_each_in_its_own_sentence():
    made = statement(cohorts.visits())
    assert [heading for heading, _ in made.panels] == [
        "What it cost, and what it gave",
        "What would make this stronger",
    ]
    assert panel(made, "What it cost, and what it gave") == (
        "£230 a person, in 2024/25 prices. These are ways of counting one thing, never added. "
        "Cash released: £0, because the hospital contract is fixed. "
        "Capacity released: £110 a person (likely range £14 to £205). "
        "Full economic value: £144 a person (likely range £19 to £268)."
    )
    assert made.facts == (
        ("1,275", "people supported"),
        ("3,720", "similar people, not supported"),
        ("97%", "of those supported analysed"),  # 1,240 of 1,275
        ("£230", "cost a person, 2024/25 prices"),
    )
    assert isinstance(made.figure.chart, Interval) and made.figure.chart.worthwhile == -4.0


def test_the_paragraph_of_a_benefit_by_hand():
    assert statement(cohorts.visits()).quote == (
        "“Soft-landing visits after discharge, Merebridge: an evaluation compared 1,240 people supported with 3,720 "
        "similar people. There were about 5 fewer emergency admissions per 100 people supported over 90 days than "
        "expected (95% interval 1 to 10 fewer). The certainty of this evidence is low, and soft-landing visits may "
        "have contributed to the fall.”"
    )


def test_an_open_question_shows_what_would_settle_it():
    made = statement(cohorts.volunteers())
    # 540 x (2.8 x 13.8 / 3.92 / 4)^2 = 540 x 6.07
    assert panel(made, "What would settle it").startswith("About 3,280 people to find a fall of 4 per 100 ")
    assert "pooled with other services" in panel(made, "What to ask a commissioner for")
    assert "could not tell whether our volunteers changed" in made.quote
    assert made.can[-1] == (  # 100 x 95 / 2,711 = 3.5, rounded up
        "“At £95 a person, 4 fewer emergency admissions per 100 people would be enough to repay the cost, at £2,711 each.”"
    )
    assert "This is not evidence that the service makes no difference." in "".join(
        part for part, _ in made.lead
    )
    assert made.headline not in [item.strip("“”.") for item in made.can]


def test_harm_asks_for_a_cause_first_and_avoids_nothing():
    made = statement(cohorts.frailty())
    assert panel(made, "What to do first").startswith("Look for a cause of the rise in emergency admissions")
    assert "5 more emergency admissions" in made.quote
    assert "avoided" not in " ".join([made.quote, *made.can, *(text for _, text in made.panels)])
    assert f"−{JOINED}£" in panel(made, "What it cost, and what it gave")


def test_an_unsound_comparison_gives_no_figure_for_the_change():
    document = cohorts.unlike()
    made = statement(document)
    assert made.figure is None
    assert "We compared" not in "".join(part for part, _ in made.lead)
    assert made.quote.endswith("because the comparison is not sound.”")
    page = text_of(render_statement(document))
    assert "fewer" not in page and "more emergency" not in page
    assert panel(made, "What would settle it") == "Matching on what still differs between the groups."
    assert "not worked out: there is no likely range" in panel(made, "What it cost")


def test_a_refused_range_says_why_in_place_of_a_figure():
    document = cohorts.cohort_document(
        est=None, lo=None, hi=None, refused="there were fewer than 5 after the start"
    )
    made = statement(document)
    assert made.figure is None
    assert panel(made, "What would settle it") == words.SETTLE_REFUSED
    assert made.quote.endswith(
        "It could not give a likely range for emergency admissions: there were fewer than 5 after the start.”"
    )


def test_with_nobody_to_compare_with_there_is_no_finding():
    document = cohorts.befriending()
    made = statement(document)
    assert isinstance(made.figure.chart, Claim) and not made.figure.chart.linked
    assert made.quote.endswith("so this does not show what our befriending changed.”")
    assert "About 95% of that fall would be expected of people picked at a bad time." in made.quote
    page = text_of(render_statement(document))
    assert "fewer" not in page and "avoided" not in page and "compared" not in made.quote
    assert [heading for heading, _ in made.panels] == [
        "What would settle it",
        "What to ask a commissioner for",
    ]
    assert ("180 days", "of follow-up for each person") in made.facts
    assert not any("similar" in label for _, label in made.facts)


def test_hidden_counts_are_left_out_and_never_printed_as_none():
    document = cohorts.visits()
    for counts in (document["data"]["counts"], primary(document)["counts"]):
        counts.update(pilot=None, matched_pilot=None, matched_comparison=None, comparison=None)
    made = statement(document)
    assert made.facts == (
        ("90 days", "of follow-up for each person"),
        ("£230", "cost a person, 2024/25 prices"),
    )
    assert "an evaluation compared people supported with similar people." in made.quote
    assert "We compared the people we supported with similar people" in "".join(part for part, _ in made.lead)
    for page in (render_statement(document), render(document)):
        assert "None" not in text_of(page)


def test_without_a_valuation_the_cost_is_still_said():
    document = cohorts.visits()
    del document["valuation"]
    told = panel(statement(document), "What it cost, and what it gave")
    assert told == f"{document['decision']['cost']['text']} What it was worth is not worked out."
    document["decision"]["cost"] = None
    told = panel(statement(document), "What it cost, and what it gave")
    assert told == "What it cost was not declared. What it was worth is not worked out."


def test_hostile_names_come_out_as_text():
    document = cohorts.visits()
    document["study"].update(title="</style><script>alert(1)</script>", by='"><img src=x>')
    document["finding"].update(outcome="<b>x</b>", subject="<i>", per="per 100 <u>")
    document["finding"]["can_say"] = ["<script>"]
    page = render_statement(document)
    assert "<script" not in page and "<img" not in page and page.count("</style>") == 1


def test_more_text_is_set_smaller():
    document = cohorts.unlike()
    made = statement(document)
    assert not made.small and made.figure is None
    document = cohorts.volunteers()
    document["study"]["title"] = LONG
    document["finding"]["cannot_say"] = [f"“{LONG}.” {LONG}."] * 4
    assert statement(document).small


def test_a_drawing_takes_the_room_of_letters_and_four_sizes_follow_one_another():
    made = replace(
        statement(cohorts.visits()), headline="", lead=(), answers=(), can=(), cannot=(), panels=()
    )
    for letters, sizes in (
        (1700, (False, False, False)),
        (1701, (True, False, False)),
        (2401, (True, True, False)),
        (2901, (True, True, True)),
    ):
        sized = _set_smaller(replace(made, quote="x" * letters))
        assert (sized.small, sized.full, sized.tight) == sizes and made.figure is not None
    assert not _set_smaller(replace(made, quote="x" * 2000, figure=None)).small


# Sentences


def finding(**values: Any) -> dict[str, Any]:
    """A finding with what the sentences read."""
    empty = {
        "outcome": "emergency admissions", "subject": "the visits", "plural": True, "people": "people supported", "kind": "count",
        "better": "lower", "base": 100, "per": "per 100 people supported over 90 days", "est": -5.3, "lo": -9.9, "hi": -0.7,
        "w": 4.0, "level": "low", "refused": None, "key_fail": False, "found_se": 2.35, "naive": None, "scale": "identity",
    }  # fmt: skip
    return {**empty, **values}


LEVELS = ("very low", "low", "moderate", "high")
RANGES = (
    (-9, -4.5),
    (-9.9, -0.7),
    (-3, -0.5),
    (-2, 2),
    (-8, 2),
    (-8, 6),
    (-2, 6),
    (0.5, 3),
    (0.6, 9.8),
    (5, 9),
    (0, 4),
    (-4, 0),
)


@pytest.mark.parametrize(
    ("better", "kind"),
    list(itertools.product(("lower", "higher"), ("count", "binary", "cost", "score", "duration"))),
)
def test_every_finding_has_a_paragraph_that_keeps_the_rules(better, kind):
    for (lo, hi), level, w in itertools.product(RANGES, LEVELS, (4.0, None)):
        for est in (0.3 * lo + 0.7 * hi, lo, hi):
            held = finding(est=est, lo=lo, hi=hi, level=level, w=w, better=better, kind=kind)
            told = words.paragraph(held, title="Visits, Westow", analysed=310, beside=words.beside(930))
            assert breaks(told) == [], told
            assert told[0] == "“" and told[-1] == "”" and "None" not in told and ".." not in told
            assert breaks(words.settle(held, 310)) == []
            kind_of = words.outcome_of(held)
            assert ("contributed" in told or "had a part" in told) == (kind_of in ("benefit", "harm"))
            assert ("could not tell" in told) == (kind_of == "unclear")


@pytest.mark.parametrize("level", LEVELS)
def test_the_paragraph_claims_no_more_than_the_certainty(level):
    told = words.paragraph(finding(level=level), title="Visits", analysed=310, beside=words.beside(930))
    part = {"very low": "very uncertain whether the visits had a part", "low": "may have contributed",
            "moderate": "probably contributed", "high": "and the visits contributed"}[level]  # fmt: skip
    assert part in told and f"evidence is {level}" in told


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.95, "About 95% of that fall would be expected of people picked at a bad time."),
        (1.2, "All of that fall would be expected of people picked at a bad time."),
        (0.001, "Picking people at a bad time explains hardly any of that fall."),
        (-0.2, "Picking people at a bad time explains hardly any of that fall."),
        (None, "How much of that would have happened anyway cannot be told."),
    ],
)
def test_the_share_that_choice_explains(share, said):
    assert words.explained_by_choice({"before": 200.0, "after": 70.0, "share": share}) == said


def test_a_rise_has_no_share_of_a_fall():
    told = words.explained_by_choice({"before": 70.0, "after": 80.0, "share": 0.5})
    assert told == "How much of that would have happened anyway cannot be told."


def test_the_claim_of_before_and_after():
    assert words.claimed(finding(naive={"before": 141.0, "after": 32.8})) == (
        "A fall of 77%: emergency admissions per 100 people supported over 90 days went from 141.0 before to 32.8 after."
    )
    assert words.claimed(finding(naive={"before": 0.0, "after": 3.0})) == ""
    assert words.claimed(finding(naive={"before": None, "after": 3.0})) == ""
    assert words.claimed(finding(naive={"before": 1000.0, "after": 1001.0})).startswith("Next to no change: ")


def test_the_strip_never_passes_100_per_cent_nor_rounds_up_to_it():
    assert ("100%", "of those supported analysed") in words.strip(supported=1240, analysed=1245, similar=10)
    assert ("over 99%", "of those supported analysed") in words.strip(
        supported=1000, analysed=998, similar=10
    )
    assert words.strip() == []


def test_nothing_repays_what_cannot_be_avoided():
    assert words.repays(finding(kind="cost"), 95.0, 2711.0) == ""
    assert words.repays(finding(better="higher"), 95.0, 2711.0) == ""
    assert words.repays(finding(), 95.0, 0.0) == ""


def test_people_enough_are_not_asked_for_again():
    told = words.settle(finding(est=-1.0, lo=-3.0, hi=1.0, found_se=1.0), 500)
    assert told == "People enough took part. A repeat with new people would narrow the range."
    assert words.settle(finding(w=None), 500) == words.NO_SIZE


def test_two_limits_that_print_alike_go_to_pence():
    columns = {"economic": {"per_person": 2.1, "per_person_low": 1.8, "per_person_high": 2.4}}
    assert words.cost_and_value(columns, price=3.0).endswith("£2 a person (likely range £1.80 to £2.40).")


def trials(**told):
    """The page of a service whose people were compared day by day, 980 served and 940 of them compared."""
    document = cohorts.discharges()
    document["data"]["counts"] |= {"served": 980.0, "pilot": 940.0, "matched_pilot": 940.0}
    for entry in document["estimates"]:
        if entry["role"] == "primary":
            entry["counts"] = {
                **(entry.get("counts") or {}),
                "matched_pilot": 940.0,
                "matched_comparison": 3450.0,
            }
            entry["counts"] |= {"pilot": 940.0, "served": 980.0}
    document["data"]["cohort"]["trials"] |= {"later_share": 0.276, **told}
    return statement(document)


def test_people_in_trials_are_not_said_to_have_gone_without():
    made = trials()
    lead = "".join(part for part, _ in made.lead)
    told = (
        "3,450 people who had not had the service by the same day. About 28% of those had it within the 90 days "
        "after."
    )
    assert lead.startswith(f"We compared 940 people we supported with {told}")
    assert told in made.quote
    assert ("3,450", "people beside them, not yet supported") in made.facts
    page = " ".join([lead, made.quote, *(" ".join(fact) for fact in made.facts)])
    assert "similar people" not in page and "not supported" not in page
    assert "of those had it" not in "".join(part for part, _ in trials(later_share=None).lead)


def test_in_trials_the_share_analysed_is_of_all_who_were_served():
    facts = trials().facts
    assert facts[0] == ("980", "people supported")
    assert ("96%", "of those supported analysed") in facts  # 940 of 980


def test_only_people_who_were_matched_are_called_similar():
    assert words.beside(930) == "930 similar people who were not supported"
    assert words.beside(930, how="weights").startswith("930 people who were not supported, counting for more")
    assert words.beside(how="trials") == "people who had not had the service by the same day"
    assert words.had_it_later(0.004) == "" and words.had_it_later(0.31) == "About 31% of those had it later."
    with pytest.raises(ValueError, match="compared by"):
        words.beside(930, how="lot")


@pytest.mark.parametrize(
    ("method", "told"),
    [("matched-cohort", "Matched cohort;"), ("weighted-cohort", "Weighted cohort;"), ("sequential-trials", "Sequential trials;")],
)  # fmt: skip
def test_the_foot_names_the_method(method, told):
    document = cohorts.visits()
    for entry in document["estimates"]:
        entry["method"] = method
    assert told in statement(document).footer
