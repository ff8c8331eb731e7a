"""The page of a league from its document alone: the numbers of every row, the refusals, and what is never said."""

from __future__ import annotations

import copy
import math
import random
import re

import leagues
import pytest
from test_render import Page

from ucimpact.report.funnel import Point, average, in_words
from ucimpact.report.league import league
from ucimpact.report.league_answer import lines
from ucimpact.report.league_parts import LeagueSection, field_of
from ucimpact.report.render import render_league
from ucimpact.words import CLAIMS, LEVELS, VERDICTS, breaks, unquoted
from ucimpact.words import league_page as said
from ucimpact.words.numbers import few

NAMES = list(leagues.LEAGUES)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: render_league(make()) for name, make in leagues.LEAGUES.items()}


def section(name: str, ident: str) -> LeagueSection:
    made = league(leagues.LEAGUES[name]()).sections
    found = next(part for part in made if part.ident == ident)
    assert isinstance(found, LeagueSection)
    return found


def idents(name: str) -> list[str]:
    return [part.ident for part in league(leagues.LEAGUES[name]()).sections]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_sound_runs_nothing_and_fetches_nothing(pages, name):
    page = Page(pages[name])
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    linked = {v for _, attrs in page.tags for k, v in attrs.items() if k == "href" and v and v[0] == "#"}
    named = {n for _, attrs in page.tags for n in (attrs.get("aria-labelledby") or "").split()}
    assert linked <= {f"#{ident}" for ident in page.ids} and named <= set(page.ids)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert "http://" not in pages[name] and "https://" not in pages[name] and "url(http" not in pages[name]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in pages[name]


@pytest.mark.parametrize("name", ["challenge", "fifty"])
def test_the_same_document_gives_the_same_bytes_and_is_left_as_it_was(pages, name):
    document = leagues.LEAGUES[name]()
    before = copy.deepcopy(document)
    assert render_league(document) == pages[name]
    assert document == before


@pytest.mark.parametrize("name", NAMES)
def test_no_word_that_must_not_be_said(pages, name):
    prose = unquoted(Page(pages[name]).words())
    assert [found for found in breaks(prose) if "words:" not in found] == []
    assert "Two separate corrections" not in prose


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_of_a_section_is_short_enough(name):
    for part in league(leagues.LEAGUES[name]()).sections:
        notes = part.note.paragraphs if part.note else ()
        for text in (part.bold, *part.text, part.closing, *(text for _, text in notes)):
            assert [found for found in breaks(unquoted(text)) if "words:" in found] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_first_screen_has_the_four_answers_of_the_document(pages, name):
    document = leagues.LEAGUES[name]()
    text = " ".join(Page(pages[name]).words().split()).replace("\u2060", "")
    text = text[: text.index("In this report")]
    told = document["sentences"]
    assert told["headline"] in text and told["second"] in text
    assert told["lead"].replace(" ", "") in text.replace(" ", "")
    for answer in (document["decision"]["verdict"], document["decision"]["because"]):
        assert answer in text
    assert "How sure are we? Certainty is" in text and "What to do next" in text


def test_each_row_holds_the_numbers_of_its_pilot_and_draws_them_where_they_are():
    made = section("challenge", "luck")
    assert [row.place for row in made.pilots] == [
        "Harle", "Oldcastle", "Merebridge", "Westow", "Saltby", "Penmarsh", "Thornham"
    ]  # fmt: skip
    first = made.pilots[0]
    assert (first.people, first.raw, first.raw_range) == ("880", "8.4 fewer", "3.3 to 13.5 fewer")
    assert (first.row.difference, first.row.range) == ("5.6 fewer", "1.7 to 10.6 fewer")
    # values from -12 (Oldcastle) to 7.4 (Thornham as measured), room of 8% on both sides
    low, high = -12.0 - 0.08 * 19.4, 7.4 + 0.08 * 19.4

    def at(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.1f}%"

    assert (first.raw_at, first.row.dot, made.zero) == (at(-8.4), at(-5.6), at(0.0))
    assert first.row.bar_left == at(-10.6) and first.worthwhile == at(-4.0)
    assert [row.row.answer for row in made.pilots] == ["fell"] * 4 + ["unsure"] * 3


def test_a_raw_result_far_out_is_not_drawn_on_the_edge_but_said():
    document = leagues.challenge()
    document["pilots"][4]["raw"].update(est=-37.0, lo=-37.9, hi=-20.0)
    made = next(part for part in league(document).sections if part.ident == "luck")
    assert isinstance(made, LeagueSection)
    assert [row.raw_at == "" for row in made.pilots] == [False, True] + [False] * 5
    assert "One raw result runs off the scale" in " ".join(made.text)


def test_the_corrected_range_has_no_number_and_no_dot(pages):
    measured, shrunk, corrected = section("challenge", "winner").readings
    assert (measured.difference, shrunk.difference) == ("10.9 fewer", "5.1 fewer")
    assert corrected.difference == "20.5 fewer to 6.2 more" and corrected.dot == "" and corrected.bar_left
    assert corrected.label == "Found without assuming the pilots are alike"
    drawn = pages["challenge"].split('id="winner"')[1].split("</section>")[0]
    assert drawn.count('class="dot"') == 2 and drawn.count('class="bar"') == 3
    main, appendix = pages["challenge"].split('id="appendix"')
    assert "5.0 fewer" not in main and "5.0 fewer" in appendix
    assert "Its claim should be cut by about half." in section("challenge", "winner").bold


def test_the_largest_share_need_not_be_the_most_events():
    document = leagues.challenge()
    document["pilots"][1]["raw"]["est"] = -11.5
    made = next(part for part in league(document).sections if part.ident == "winner")
    assert made.bold.startswith("As a share of what was expected, Oldcastle has the most favourable result")


def test_without_a_corrected_range_the_winner_has_two_readings():
    document = leagues.challenge()
    document["pilots"][4]["hybrid"] = None
    made = next(part for part in league(document).sections if part.ident == "winner")
    assert isinstance(made, LeagueSection)
    assert len(made.readings) == 2 and said.HYBRID_NOTE not in made.text


def test_the_bars_of_ranks_cover_the_places_that_the_data_allow():
    made = section("challenge", "rank")
    row = made.ranks[-1]
    assert (row.name, row.places, row.best) == ("Thornham", "2 to 7", "4%")
    assert row.left == f"{100 / 7 + 1:.1f}%" and row.width == f"{600 / 7 - 2:.1f}%"
    assert made.bold == "No. Six of the seven could be first, and all seven could be last."
    assert [tick.text for tick in made.ticks] == list("1234567")
    assert [tick.text for tick in section("twelve", "rank").ticks] == ["1", "5", "10"]
    assert [tick.text for tick in section("fifty", "rank").ticks] == ["1", "10", "20", "30", "40", "50"]


def test_the_money_adds_the_sceptical_figure_and_what_raw_results_would_claim():
    made = section("challenge", "budget")
    assert made.bold == "To Westow, Harle and Saltby."
    assert leagues.challenge()["portfolio"]["text"] in made.text and said.WITHIN in made.text
    first = made.money[0]
    assert (first.name, first.funded) == ("Westow", "funded")
    assert first.cells == (
        "£99,000", "£190,400", "£91,400", "−\u2060£92,700 to £268,800", "85%", "£8,000", "84", "71"
    )  # fmt: skip
    assert made.total is not None
    assert made.total.cells[:5] == ("£291,100", "£413,800", "£122,700", "−\u2060£144,600 to £399,800", "81%")
    assert len(made.head) == 1 + len(first.cells) == 1 + len(made.total.cells)


def test_a_pilot_at_part_of_its_size_says_so():
    document = leagues.challenge()
    document["pilots"][0]["scale"] = 0.6
    made = next(part for part in league(document).sections if part.ident == "budget")
    assert isinstance(made, LeagueSection)
    assert made.money[0].funded == "funded at 60% of its size"


def test_without_a_budget_nothing_is_left_unspent():
    made = section("no budget", "budget")
    assert said.WITHOUT_LIMIT in made.text and made.total is not None
    assert [head for head, _ in league(leagues.no_budget()).answer.box.rows] == [
        "Because",
        "This would change if",
    ]


def test_without_prices_there_is_no_set_and_no_claim_of_one():
    made = section("no prices", "budget")
    assert made.bold == "Each by its own decision." and made.total is None
    assert "In the best set, of 100" not in made.head
    assert {text for row in made.money for text in row.cells} == {"not worked out"}
    believed = next(p for p in league(leagues.no_prices()).sections if p.ident == "belief")
    assert believed.tables[0].head == ("Belief beforehand", "Oldcastle: change", "Likely range")


def test_with_none_funded_the_page_says_none():
    made = section("none funded", "budget")
    assert made.bold == "To none of them." and made.total is None


def test_changes_in_per_cent_are_said_to_be_shares():
    made = section("shares", "luck")
    assert made.measured == (
        "Change in emergency admissions as a share of what was expected over 90 days, with 95% interval"
    )
    assert made.pilots[0].row.difference == "6% fewer"
    last = league(leagues.shares()).sections[-1]
    assert last.kind == "tables" and said.NO_FILE in last.text[0]
    how = next(part for part in league(leagues.shares()).sections if part.ident == "how")
    assert how.items == ("The studies ask for different chances, so 80% was taken.",)


def test_a_figure_that_is_missing_is_named_and_never_blank():
    made = section("unpriced", "budget")
    row = next(row for row in made.money if row.name == "Penmarsh")
    assert set(row.cells) == {"not worked out"}
    field = field_of(leagues.unpriced())
    last = lines(field)[-1]
    assert last.tag.name == "Cannot say yet"
    assert (
        "".join(text for text, _ in last.parts)
        == "Falls follow-up, Penmarsh. Not known yet: a price per person."
    )


def test_of_two_pilots_the_reasons_say_that_their_own_reports_decide():
    note = leagues.two()["notes"][0]
    parts = {part.ident: part for part in league(leagues.two()).sections}
    assert note in parts["why"].text and note not in parts["how"].items
    assert parts["sure"].text == (said.CERTAINTY_OF_TWO,)


def test_what_may_be_absent_may_be_absent():
    document = leagues.challenge()
    for name in ("leader", "portfolio", "priors", "left_out", "covariance", "spread", "funnel", "notes"):
        del document[name]
    document["league"] = {name: document["league"][name] for name in ("title", "example")} | {
        "rule": {"chance": 0.8}
    }
    kept = ("outcome", "kind", "better")
    document["estimand"] = {name: document["estimand"][name] for name in kept}
    kept = ("id", "name", "raw", "shrunk", "rank", "claim", "level", "steps", "verdict")
    document["pilots"] = [{name: p[name] for name in kept} for p in document["pilots"]]
    document["sentences"] = {"headline": "A headline"}
    document["decision"] = {"verdict": "Decide nothing yet"}
    page = Page(render_league(document))
    assert page.open == []
    prose = page.words()
    assert [found for found in breaks(unquoted(prose)) if "words:" not in found] == []
    assert "A headline" in prose and "Carer support calls" in prose and "not worked out" in prose
    idents = {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
    assert idents == {"luck", "rank", "funnel", "budget", "why", "sure", "own", "how", "appendix"}


def test_what_all_lack_is_said_once():
    (line,) = lines(field_of(leagues.no_prices()))
    text = "".join(text for text, _ in line.parts)
    assert text.endswith(" others. Not known yet: a price per person.") and text.count("price") == 1


def test_sections_that_have_nothing_to_say_are_absent():
    assert "left" not in idents("challenge") and "left" in idents("two")
    assert "shared" not in idents("challenge") and "shared" in idents("bounds")
    assert "funnel" in idents("challenge") and "funnel" not in idents("two")
    shared = next(part for part in league(leagues.bounds()).sections if part.ident == "shared")
    assert [row[3] for row in shared.tables[0].rows] == ["Westow, Harle and Saltby", "Westow and Harle"]
    assert len(shared.tables) == 1


def test_a_verdict_that_cannot_be_given_says_what_would_give_it():
    document = leagues.unpriced()
    document["pilots"][6]["would_change"] = []
    made = next(part for part in league(document).sections if part.ident == "why")
    assert isinstance(made, LeagueSection)
    last = made.reasons[-1]
    assert (last.because, last.would_change) == ("Not known yet: a price per person.", "it is known.")


def test_verdicts_that_turn_on_what_is_shared_stand_under_both_bounds():
    document = leagues.bounds()
    rows = document["covariance"]["bounds"]["rows"]
    for row, name in zip(rows, ("Mainstream", "Extend with evaluation"), strict=True):
        row["verdicts"] = {p["id"]: "Stop at this price" for p in document["pilots"]} | {"westow": name}
    shared = next(part for part in league(document).sections if part.ident == "shared")
    verdicts = shared.tables[1]
    assert verdicts.head == ("Pilot", "Errors not linked (0)", "Errors linked by half (0.5)")
    assert ("Westow", "Mainstream", "Extend with evaluation") in verdicts.rows
    assert ("Harle", "Stop at this price", "Stop at this price") in verdicts.rows


@pytest.mark.parametrize("name", NAMES)
def test_every_pilot_is_in_a_line_of_the_first_screen_or_counted_there(name):
    document = leagues.LEAGUES[name]()
    field = field_of(document)
    for line in lines(field):
        under = [p for p in document["pilots"] if p["verdict"]["name"] == line.tag.name]
        text = "".join(text for text, _ in line.parts)
        shown = sum(field.full[p["id"]].casefold() in text.casefold() for p in under)
        others = re.search(r"and ([\w]+) others?\b", text)
        words = {few(n): n for n in range(60)}
        assert shown >= 1
        if not others:
            assert shown == len(under)
        else:
            bold = sum(strong for _, strong in line.parts)
            assert bold + words[others[1]] == len(under)


def test_the_lines_of_the_seven_are_those_of_the_rule():
    told = ["".join(text for text, _ in line.parts) for line in lines(field_of(leagues.challenge()))]
    assert told == [
        "Carer support calls, Westow. 85% chance of being worth £60 a person; the rule asks for 80%, and the "
        "checks hold.",
        "Crisis sitting service, Harle (63%) and welcome-home volunteers, Saltby (55%). A second year of "
        "evidence is worth £14,000 and £16,000, and costs £6,000 each.",
        "Soft-landing visits, Merebridge. Worth about £148 a person here; the price is £230. Its own report, "
        "read alone, says £182.",
        "Discharge link workers, Oldcastle; meals and medicines, Thornham and falls follow-up, Penmarsh. "
        "Chances of being worth the price: 16%, 8% and 3%.",
    ]


def test_a_price_to_agree_stands_in_the_line_and_what_bars_a_good_chance():
    document = leagues.challenge()
    harle, penmarsh = document["pilots"][1], document["pilots"][6]
    harle["verdict"]["row"] = 2
    penmarsh["verdict"] = {
        "row": 4, "name": "Extend if cheaper", "text": "Extend if cheaper: £54 a person or less"
    }  # fmt: skip
    told = {line.tag.name: "".join(t for t, _ in line.parts) for line in lines(field_of(document))}
    assert told["Extend with evaluation"].endswith(
        "For one of them a second year of evidence is worth £16,000, and costs £6,000. Certainty, or a "
        "check in doubt, keeps one of them from being mainstreamed."
    )
    assert told["Extend if cheaper"] == (
        "Soft-landing visits, Merebridge (£148 a person or less, price £230) and falls follow-up, Penmarsh "
        "(£54 a person or less, price £210)."
    )
    penmarsh["verdict"], merebridge = {"row": 6, "name": "Stop at this price"}, document["pilots"][3]
    merebridge["value"]["per_person"] = 250.0  # worth more than its price
    told = {line.tag.name: "".join(t for t, _ in line.parts) for line in lines(field_of(document))}
    asked = "Asked: £148 a person or less."
    assert told["Extend if cheaper"] == f"Soft-landing visits, Merebridge. {asked} {merebridge['because']}"


def test_own_reports_stand_beside_the_league():
    made = next(part for part in league(leagues.challenge()).sections if part.ident == "own")
    row = next(row for row in made.tables[0].rows if row[0] == "Merebridge")
    assert row[1:] == (
        "5.3 fewer (0.7 to 9.9 fewer)", "4.3 fewer (0.8 to 8.2 fewer)", "Extend with evaluation",
        "Extend if cheaper",
        "Worth about £148 a person here; the price is £230. Its own report, read alone, says £182.",
    )  # fmt: skip
    assert made.bold == "For five of the seven, the verdict is another here than in the own report."


def test_a_longer_wording_of_the_same_verdict_is_no_other_verdict():
    document = leagues.challenge()
    for p in document["pilots"]:
        p["own"]["verdict"] = p["verdict"]["name"]
    document["pilots"][1]["own"]["verdict"] = (
        "Extend for 12 months, with evaluation, at £180 a person or less"
    )
    made = next(part for part in league(document).sections if part.ident == "own")
    assert made.bold == "Nowhere: each pilot has the same verdict in both."
    document["pilots"][1]["own"]["verdict"] = "Extend if cheaper: £180 a person or less"
    made = next(part for part in league(document).sections if part.ident == "own")
    assert made.bold.startswith("For one of the seven")


def test_more_is_better_puts_the_longest_stay_first_and_speaks_of_more():
    made = section("more is better", "luck")
    assert made.pilots[0].place == "Harle" and made.pilots[0].row.difference == "5.6 higher"
    assert made.bold == "Three may have increased days at home; for four we cannot tell."
    assert "cut by about half" in section("more is better", "winner").bold


def test_names_cannot_break_out_of_the_page():
    document = leagues.challenge()
    document["pilots"][0].update(name="<script>alert(1)</script>", place='"><b>')
    document["league"]["title"] = "}</style><script>2</script>"
    text = render_league(document)
    assert "<script" not in text and Page(text).open == []


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([("B", "low")] * 2, "Two may have reduced admissions."),
        ([("W+", "moderate"), ("X", "low")], "One probably reduced admissions; for one we cannot tell."),
        ([("B", "high")], "One reduced admissions."),
        ([("B", "very low"), ("U", "low")], "We cannot tell for any pilot: neither can be said to have changed "
         "admissions."),
        ([("B", "low"), ("H", "low"), ("N", "low")], "One may have reduced admissions, one may have increased "
         "and one may have made little or no difference."),
    ],
)  # fmt: skip
def test_how_many_changed_it(kinds, told):
    assert said.changed(kinds, "admissions") == told


NUMBERS = {few(n): n for n in range(60)}


def numbers_in(text: str) -> list[int]:
    """Numbers of pilots in a sentence, read back from its words."""
    return [NUMBERS[word] for word in re.findall(r"[a-z0-9]+", text.lower()) if word in NUMBERS]


@pytest.mark.parametrize("seed", range(40))
def test_sentences_that_count_pilots_lose_none_and_say_nothing_forbidden(seed):
    draw = random.Random(seed)
    n = draw.randint(2, 20)
    kinds = [(draw.choice(CLAIMS), draw.choice(LEVELS)) for _ in range(n)]
    told = said.changed(
        kinds, "emergency admissions of people aged 65 or over", draw.choice(["lower", "higher"])
    )
    if not told.startswith("We cannot tell for any pilot"):
        assert sum(numbers_in(told.replace("65", ""))) == n
    levels = said.certainties([level for _, level in kinds], by_lot=False, wide=draw.randint(0, n))
    verdicts = said.verdicts_tally([draw.choice(VERDICTS) for _ in range(n)])
    assert sum(numbers_in(verdicts)) == n
    if "all" not in levels and "both" not in levels:
        assert sum(numbers_in(levels.split(":")[0])) == n
    places = said.ranks_answer(draw.randint(1, n), draw.randint(1, n), n)
    differ = said.verdicts_differ(draw.randint(0, n), n)
    values = [draw.lognormvariate(8, 2) for _ in range(n)]
    money = said.worth_of_evidence(values, draw.choice([None, 6000.0]), of=n + draw.randint(0, 3))
    shares = said.chance_told([draw.random() for _ in range(n)], 0.8)
    for text in (told, levels, verdicts, places, differ, money, shares):
        assert breaks(text) == [] and text[0].isupper() and text[-1] == "." and "  " not in text


@pytest.mark.parametrize(
    ("raw", "shrunk", "told"),
    [
        (10.9, 5.1, "Its claim should be cut by about half."),
        (10.0, 9.8, "The claim stands nearly as it was measured."),
        (10.0, 2.5, "Its claim should be cut by about three quarters."),
        (10.0, -1.0, "Once luck is allowed for, nothing of the claim is left."),
        (-1.0, 0.5, "Even the most favourable result points to harm."),
    ],
)
def test_how_much_of_the_claim_goes(raw, shrunk, told):
    assert said.claim_cut(raw, shrunk) == told


def test_chances_and_shares_in_words():
    assert said.chances([0.16]) == "16%" and said.chances([0.08, 0.16, 0.03]) == "16%, 8% and 3%"
    assert said.chances([0.5, 0.1, 0.2, 0.004]) == "from under 1% to 50%"
    assert [said.of_hundred(v) for v in (0.0, 0.001, 0.665, 0.999, 1.0)] == [
        "0",
        "under 1",
        "67",
        "over 99",
        "100",
    ]
    assert said.certainties(["low"] * 7) == "Certainty is low for all seven."
    assert said.certainties(["low", "very low"], by_lot=False, wide=1) == (
        "Certainty is low for one pilot and very low for one: no pilot chose its people by lot, and one "
        "has a wide range."
    )


def test_the_worth_of_evidence_in_words():
    assert said.worth_of_evidence([14_300, 16_000], 6_000) == (
        "A second year of evidence is worth £14,000 and £16,000, and costs £6,000 each."
    )
    assert said.worth_of_evidence([9_000, 27_000], 6_000, of=3).startswith("For two of them a second year")
    assert said.worth_of_evidence([1_000, 2_000, 3_000, 4_000], None) == (
        "A second year of evidence is worth between £1,000 and £4,000 each."
    )
    assert [said.evidence(v) for v in (0.08, 99.0, 640.0)] == ["under £100", "under £100", "£1,000"]


def test_pilots_with_different_worthwhile_falls_have_a_mark_each():
    document = leagues.challenge()
    document["pilots"][4]["worthwhile"] = 3.0
    parts = {part.ident: part for part in league(document).sections}
    luck, winner = parts["luck"], parts["winner"]
    assert isinstance(luck, LeagueSection) and isinstance(winner, LeagueSection)
    assert ("d", "Smallest worthwhile fall of each pilot") in luck.key
    assert ("d", "Smallest worthwhile fall, 3 fewer") in winner.key
    assert luck.pilots[1].worthwhile != luck.pilots[0].worthwhile == luck.pilots[2].worthwhile


def test_the_average_of_a_funnel_by_hand():
    points = [Point(name="a", log=-0.2, error=0.1), Point(name="b", log=0.1, error=0.2)]
    assert average(points) == pytest.approx((-0.2 * 100 + 0.1 * 25) / 125)
    assert in_words(math.log(0.91), "fewer", "more") == "9% fewer"
    assert in_words(math.log(1.5), "fewer", "more") == "50% more"
    assert in_words(0.001, "fewer", "more") == "under 1%"


def test_the_funnel_says_who_lies_outside_and_whose_the_largest_claim_is():
    made = next(part for part in league(leagues.challenge()).sections if part.ident == "funnel")
    assert made.bold == "One of the seven lies beyond what luck alone would spread about one common effect."
    assert (
        made.figure is not None
        and made.figure.title == "The largest claim comes from the least certain pilot"
    )
    assert made.figure.table is not None
    assert made.figure.table.rows[0][0] == "Oldcastle" and made.figure.table.rows[0][1] == "29% fewer"


def test_who_would_pay_and_is_not_funded_stands_beside_the_money():
    document = leagues.challenge()
    told = "Harle is not funded, though expected to be worth £29,300 a year more than it costs"
    document["portfolio"]["beyond"] = {"ids": ["harle"], "cost": 140_800.0, "net": 29_300.0, "text": told}
    made = next(part for part in league(document).sections if part.ident == "budget")
    assert isinstance(made, LeagueSection) and made.more == (f"{told}.",)
    drawn = render_league(document).split('id="budget"')[1].split("</section>")[0]
    assert drawn.index(told) < drawn.index("<table")
    assert section("challenge", "budget").more == ()


def test_a_pilot_worth_its_price_and_short_of_the_rule_says_at_what_price_it_would_do():
    document = leagues.challenge()
    harle = next(p for p in document["pilots"] if p["id"] == "harle")
    harle["verdict"] = {
        "row": 4,
        "name": "Extend if cheaper",
        "text": "Extend if cheaper: £120 a person or less",
    }
    merebridge = next(p for p in document["pilots"] if p["id"] == "merebridge")
    merebridge["verdict"] = {"row": 6, "name": "Stop at this price", "text": "Stop at this price"}
    line = next(line for line in league(document).answer.lines if line.tag.name == "Extend if cheaper")
    assert "".join(text for text, _ in line.parts).startswith(
        "Crisis sitting service, Harle. Asked: £120 a person or less. About 6 fewer per 100"
    )


def test_an_own_report_that_stops_at_any_price_is_not_said_to_differ():
    document = leagues.two()
    for p in document["pilots"]:
        p["own"]["verdict"] = "Stop: no price would repay it"
        p["verdict"] = {"row": 6, "name": "Stop at this price", "text": "Stop at this price"}
    made = next(part for part in league(document).sections if part.ident == "own")
    assert made.bold == "Nowhere: each pilot has the same verdict in both."
