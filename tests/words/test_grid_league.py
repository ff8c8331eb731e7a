"""Every sentence of the first screen of a league and of its money, read back by patterns written apart.

Counts, names, chances, pounds, ranges and verdicts come out as they went in, to their own rounding; the sign and the side
are told; nothing forbidden is said, nothing is longer than a reader can hold, and the first screen reads at grade ten. The
rules are written here again from the page of words.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import reader
from reading import (
    CHANCES,
    COUNT,
    NAMES,
    POUNDS,
    N,
    P,
    chance,
    count,
    listed,
    money,
    money_range,
    pounds,
    read,
    same,
    sample,
    told_count,
)
from test_grid import Tally, grade, printed, printed_range

from ucimpact import words
from ucimpact.words import league, league_beyond

# --- the first screen of a league -------------------------------------------------------------------------

LUCK = {"nearly all": (0.9, 1.0), "about three quarters": (0.65, 0.9), "about two thirds": (0.57, 0.75),
        "about half": (0.4, 0.6), "about a third": (0.25, 0.42), "partly": (0.1, 0.3)}  # fmt: skip
SHARES = (None, 0.0, 0.14, 0.15, 0.28, 0.3, 0.41, 0.5, 0.59, 0.62, 0.69, 0.75, 0.89, 0.9, 1.0)


def headline_faults(text: str, rows: Sequence[int], share: float | None) -> list[str]:
    first, joiner, said = re.fullmatch(r"(.+?)(?:(; |, and )the biggest claim is (.+) luck)?", text).groups()
    faults = []
    if said is None:
        faults += ["luck: not told"] if share is not None and share >= 0.15 else []
    elif share is None or not LUCK[said][0] <= share <= LUCK[said][1]:
        faults.append(f"luck: {share} told as {said}")
    if joiner and (";" in first) != (joiner == ", and "):
        faults.append("two semicolons")
    ready, second = rows.count(1), sum(row in (2, 3) for row in rows)
    if rows.count(0) == len(rows):
        return faults + told_count(
            read(rf"The (?P<n>{COUNT}) pilots cannot be told apart yet", first)["n"], len(rows)
        )
    if ready:
        m = read(rf"(?P<n>{COUNT}) pilot(?P<s> is|s are) ready to mainstream", first)
        return faults + told_count(m["n"], ready) + (["plural"] if (m["s"] == " is") != (ready == 1) else [])
    if second:
        m = read(rf"No pilot is ready to mainstream; (?P<n>{COUNT}) (?P<s>is|are) worth a second year", first)
        return faults + told_count(m["n"], second) + (["plural"] if (m["s"] == "is") != (second == 1) else [])
    wanted = "can be shown to be" if {0, 4} & {*rows} else "is"
    return faults + ([] if first == f"No pilot {wanted} worth its price yet" else [f"row: {first}"])


def test_the_headline_of_a_league():
    tally = Tally()
    every = itertools.chain.from_iterable(
        itertools.combinations_with_replacement(range(7), n) for n in (2, 3, 4, 7)
    )
    for rows, share in sample(itertools.product([*every, (6,) * 13, (1,) * 13], SHARES), 6_000):
        text = league.headline(list(rows), share)
        tally.add(text, headline_faults(text, list(rows), share))
    tally.clean(6_000)


def lead_faults(text: str, ready, raw, shrunk, corrected, better, kind, percent) -> list[str]:
    outcome = {"count": "falls", "cost": "hospital costs"}[kind]
    head = "".join(
        rf"(?P<who{k}>.+?) will probably be worth more than the price \((?P<p{k}>.+?) in 100\)\. "
        for k in range(len(ready))
    )
    if len(ready) > 2:
        head = r"Probably worth more than their price: (?P<many>.+?)\. "
    est = raw[0]
    if (est if better == "lower" else -est) >= 0:
        rest = rf"No pilot measured a change for the better in {outcome}\."
    else:
        what = f" {outcome}" if kind == "count" else rf" \({outcome}\)"
        rest = (
            rf"The largest (?P<noun>fall|rise) is claimed by link workers in Garth: (?P<n>£?{N}) (?P<way>\w+){what}"
            r" per 100 people(?:, (?P<percent>\d+)% of what was expected)?\. After allowing for "
            rf"(?:having been picked as the largest|(?P<luck>luck)), (?P<guess>no change|(?:under )?£?{N} \w+) is a better guess"
            r"(?:, and the range runs from|\. The range that allows for having been picked as the largest runs from) (?P<range>[^:]+?)"
            r"(?:: it takes nothing from the others, so the two need not agree)?\."
        )
    m = read(head + rest, text)
    faults = []
    if len(ready) > 2:
        told = listed(m["many"])
        named = [x for one in told if (x := re.fullmatch(r"(.+) \((.+%)\)", one))]
        faults += (
            []
            if [x[1] for x in named] == [name for name, _ in ready[: len(named)]]
            else [f"names: {m['many']}"]
        )
        faults += [f for x, (_, p) in zip(named, ready, strict=False) for f in chance(x[2], p)]
        if len(named) < len(ready):
            faults += told_count(told[-1].removesuffix(" more"), len(ready) - len(named))
    else:
        for k, (name, p) in enumerate(ready):
            faults += [] if m[f"who{k}"] == name[:1].upper() + name[1:] else [f"name: {m[f'who{k}']}"]
            faults += chance(m[f"p{k}"], p)
    if "noun" not in m:
        return faults
    faults += [] if (m["noun"] == "fall") == (est < 0) else ["sign: noun"]
    faults += printed(reader.number(m["n"]).signed(reader.way(m["way"])), est, "largest")
    size, found = (
        reader.read_size(m["guess"].replace("£", "")),
        reader.read_range(m["range"].replace("£", "")),
    )
    faults += printed(size, shrunk, "guess") if shrunk else []
    faults += printed_range(found, *corrected)
    faults += (
        [] if bool(m["luck"]) == (not corrected[0] <= shrunk <= corrected[1]) else ["guess outside its range"]
    )
    if percent is not None:
        faults += [] if m["percent"] == f"{reader.away_from_zero(percent):.0f}" else ["per cent"]
    return faults + ([] if bool(m["percent"]) == (percent is not None) else ["per cent: not asked for"])


def test_the_lead_of_a_league_and_that_it_reads_at_grade_ten():
    tally, hardest = Tally(), 0.0
    ready = [
        [(f"calls in {name}", p) for name, p in zip(NAMES, CHANCES[-k:], strict=False)]
        for k in (1, 2, 3, 4, 6)
    ]
    sizes = [
        (-10.9, -21.1, -0.7),
        (-3.2, -9.4, 3.0),
        (-120.0, -300.0, 60.0),
        (0.5, -2.0, 3.0),
        (12.4, 3.3, 21.5),
    ]
    after = [
        (-5.1, (-20.5, 6.2)),
        (-2.0, (-19.0, 4.0)),
        (4.4, (-2.6, 19.4)),
        (6.6, (1.4, 20.4)),
        (-0.3, (-9.0, 9.0)),
        (-5.1, (-20.5, -6.2)),
        (2.2, (3.1, 9.0)),
    ]
    for told, raw, (shrunk, corrected), better, kind, percent in sample(
        itertools.product([[], *ready], sizes, after, ("lower", "higher"), ("count", "cost"), (None, 14.4)),
        1_200,
    ):
        text = league.lead(
            ready=told, leader="link workers in Garth", how=words.measure(kind), per=" per 100 people",
            outcome={"count": "falls", "cost": "hospital costs"}[kind], raw=raw, shrunk=shrunk, corrected=corrected,
            better=better, percent_too=percent,
        )  # fmt: skip
        tally.add(text, lead_faults(text, told, raw, shrunk, corrected, better, kind, percent))
        if kind == "count":
            hardest = max(hardest, grade(league.headline([1] * len(told) + [6], 0.5) + ".", text))
    tally.clean(1_200)
    assert hardest <= 10


def test_who_can_be_called_the_best():
    tally = Tally()
    for n in (2, 3, 7, 12, 13):
        for k, p in itertools.product(range(1, n + 1), CHANCES):
            text = league.nobody_best(k, n, p, "visits in Dunvale")
            of = rf"(?P<first>any|either|{COUNT})(?: of the (?P<n>{COUNT}))? could be in first place\."
            faults = []
            if p < 0.6:
                m = read(rf"No pilot can be called the best\. On these data, {of}", text)
            elif k == 1:
                others = "the other" if n == 2 else "all the others"
                faults += (
                    [] if text == f"Visits in Dunvale is ahead of {others} on these data." else ["one first"]
                )
                m = {"first": "one", "n": ""}
            else:
                m = read(
                    rf"Visits in Dunvale is likely to be the best \((?P<p>.+?) in 100\)\. Even so, {of}", text
                )
                faults += chance(m["p"], p)
            faults += told_count(m["n"], n) if m["n"] else []
            said = n if m["first"] in ("any", "either") else count(m["first"])
            tally.add(text, faults + ([] if said == k else [f"count: {k} of {n} told as {said}"]))
    tally.clean(350)


# --- what to do with the money ----------------------------------------------------------------------------


def test_what_to_fund_and_what_it_is_worth():
    tally = Tally()
    for n, cost, budget, passed in itertools.product(
        (0, 1, 2, 7, 13), (96.0, 88_249.0), (None, 400_000.0), (0, 1, 3)
    ):
        text = league.fund_verdict(n, cost, budget, passed=passed)
        if n:
            m = read(rf"Fund (?P<n>{COUNT}) pilots?, (?P<cost>{N})(?: of the (?P<budget>{N}))?", text)
            faults = told_count(m["n"], n) + money(m["cost"], cost)
            faults += (
                money(m["budget"], budget) if budget else [] if not m["budget"] else ["a budget nobody gave"]
            )
            faults += [] if ("pilots" in text) == (n > 1) else ["plural"]
        else:
            wanted = (
                "The budget is too small for any of them" if passed else "Fund none of them at today’s prices"
            )
            faults = [] if text == wanted else [text]
        tally.add(text, faults)
    nets = [(x, x - d, x + e) for x in POUNDS for d, e in ((40_000.0, 60_000.0), (1_049.0, 9.0))]
    for n, (net, low, high), p in itertools.product((1, 2, 7), nets, CHANCES):
        text = league.fund_because(n, net, low, high, p)
        m = read(
            rf"(?P<they>It is|Together they are) worth about (?:(?P<net>{N}) (?P<side>more|less) than|what) (?:it costs|they cost) "
            rf"\(likely range (?P<range>.+?)\)\. The chance that (?:it is|they are) worth it is (?P<p>{P})\.",
            text,
        )
        faults = (
            (money(m["net"], abs(net)) if m["net"] else ["0"] if net else [])
            + money_range(m["range"], low, high)
            + chance(m["p"], p)
        )
        faults += (
            [] if m["side"] == ("less" if net < 0 else "more" if net else "") else ["sign: more or less"]
        )
        faults += (
            []
            if (m["they"] == "It is") == (n == 1) == ("it costs" in text) == ("that it is" in text)
            else ["plural"]
        )
        tally.add(text, faults)
    for passed in (0, 1, 2, 13):
        text = league.fund_because(0, 0.0, 0.0, 0.0, 0.5, passed=passed)
        faults = []
        if passed:
            m = read(
                rf"(?P<n>{COUNT}) pilots? pass(?:es)? the rule, and (?:it|each) costs more than there is\.",
                text,
            )
            faults = told_count(m["n"], passed) + ([] if ("passes" in text) == (passed == 1) else ["plural"])
        tally.add(text, faults)
    tally.clean(850)


def test_what_is_left_and_who_else_would_be_funded():
    tally = Tally()
    some = [list(NAMES[:k]) for k in (0, 1, 2, 3, 7)]
    for cheaper, left in itertools.product(some, some):
        text = league.unspent_text(cheaper, left)
        if left:
            m = read(
                r"(?P<who>.+?) (?:is|are) worth today’s price too, and would cost more than is left\.", text
            )
            faults = (
                []
                if same(listed(m["who"]), left) and (" is worth" in text) == (len(left) == 1)
                else ["names"]
            )
        else:
            m = read(
                r"No other pilot passes the rule at today’s price\. Use it to buy (?:a lower price (?:in|for) (?P<who>.+?), or )?"
                r"evidence\.",
                text,
            )
            faults = [] if same(listed(m["who"], "or"), cheaper) else ["names"]
        tally.add(text, faults)
    for left, cost, price in itertools.product(some[1:], (96.0, 88_249.0), (31.6, 1_049.0)):
        m = read(
            r"(?P<who>.+?) pass(?:es)? the rule, and cannot be bought with it\. The least dear is (?P<one>.+?), at (?P<cost>\S+)\.",
            text := league.unspent_text([], left, least=(left[-1], cost)),
        )
        faults = [] if same(listed(m["who"]), left) and m["one"] == left[-1] else ["names"]
        tally.add(text, faults + money(m["cost"], cost))
        text = league.unspent_text(left, [], price=price)
        m = re.search(rf"\((?P<p>{N}) a person would do\)", text)
        tally.add(
            text, ["price"] if (m is None) != (len(left) > 1) else pounds(m["p"], price, 1) if m else []
        )
    for out, joined in itertools.product(some, some):
        text = league.sceptical_changes(out, [name + " Green" for name in joined])
        if not out and not joined:
            assert text == ""
            continue
        gone = r"(?P<out>.+?) would not be funded" if out else "(?P<out>)"
        new = r"(?P<new>.+?) would be" if joined else "(?P<new>)"
        both = " and " if out and joined else ""
        m = read(rf"If such services are believed to change little on average, {gone}{both}{new}\.", text)
        faults = (
            []
            if same(listed(m["out"]), out) and same(listed(m["new"]), [n + " Green" for n in joined])
            else ["names"]
        )
        tally.add(text, faults)
    for dropped, added, claimed, expected in itertools.product(some, some, POUNDS, POUNDS[::3]):
        text = league.raw_text(dropped, [name + " Green" for name in added], claimed, expected)
        m = read(
            r"Choosing by the results as measured would have (?:bought the same|swapped (?P<old>.+?) for (?P<new>.+?)|"
            r"added (?P<more>.+?)|left out (?P<less>.+?))(?:,|\. It would have) claimed (?P<c>\S+|under 1p) of net value, and could expect "
            r"(?P<e>\S+|under 1p)\.",
            text,
        )
        faults = money(m["c"], claimed) + money(m["e"], expected)
        faults += [] if same(listed(m["old"] or m["less"]), dropped) else ["names left out"]
        faults += (
            [] if same(listed(m["new"] or m["more"]), [n + " Green" for n in added]) else ["names added"]
        )
        tally.add(text, faults)
    tally.clean(790)


def test_why_a_likely_pilot_is_not_funded_and_both_worths():
    tally = Tally()
    for p, price, evsi, cost in itertools.product(
        CHANCES, (37.0, 149.6), (None, 96.0, 2_700.0, 9_400.0), (None, 6_000.0)
    ):
        text = league.likely_but_short(p, price, 0.8, evsi, cost)
        m = read(
            rf"(?:A )?(?P<p>[Uu]nder 1%|[Oo]ver 99%|\d+%|95 in 100) chance of being worth (?P<price>{N}) a person; the rule asks "
            rf"for 80%\.(?: (?:What a second year of evidence would cost is not said|That is too little to buy a second "
            rf"year|A second year of evidence is worth about (?P<evsi>{N}) and costs (?P<cost>{N}))\.)",
            text,
        )
        faults = chance(m["p"].replace(" in 100", "%"), p) + pounds(m["price"], price, 1)
        if m["evsi"]:
            faults += pounds(m["evsi"], evsi, 1_000, 100, 10, 1) + money(m["cost"], cost)
            faults += [] if evsi <= cost else ["evidence: pays"]
        tally.add(text, faults)
    for here, price, own, whole in itertools.product(
        POUNDS, (37.0, 230.0), (None, *POUNDS[::2]), (True, False)
    ):
        text = league.governs(here, price, own, league=whole)
        m = read(
            r"Worth about (?P<v>\S+|under 1p) a person here; the price is (?P<price>\S+)\.(?: Its own report, read alone, says "
            r"(?P<own>\S+?|under 1p)(?P<decides>, and decides)?\.)?",
            text,
        )
        faults = pounds(m["v"], here, 1) + pounds(m["price"], price, 1)
        faults += pounds(m["own"], own, 1) if own is not None else []
        faults += [] if bool(m["decides"]) == (own is not None and not whole) else ["which decides"]
        tally.add(text, faults)
    for n, verdict, v, own in itertools.product(
        (2, 3, 13, 14), ("Mainstream", "Stop at this price (£174)"), (None, *POUNDS), (None, -65.0)
    ):
        text = league.line(n, verdict, v, own)
        m = read(
            rf"Beside (?P<n>{COUNT}) other pilots?(?:, the verdict on it is “(?P<a>.+)”\.| it is worth about (?P<v>\S+|under 1p) a "
            rf"person(?:, where this report alone says (?P<own>{N}))?\. The verdict there is “(?P<b>.+)”\.)",
            text,
        )
        faults = told_count(m["n"], n - 1) + ([] if (m["a"] or m["b"]) == verdict else ["verdict"])
        faults += pounds(m["v"], v, 1) if v is not None else []
        faults += pounds(m["own"], own, 1) if v is not None and own is not None else []
        tally.add(text, faults)
    tally.clean(500)


def test_who_is_expected_to_pay_and_is_not_funded():
    tally = Tally()
    for k, net, rule, left in itertools.product(
        (1, 2, 7), (96.0, 15_308.5, 88_249.0), (0.8, 0.95), (None, 9_000.0, 300_000.0)
    ):
        short = [(name, net * (1 + at), 0.5 + 0.03 * at) for at, name in enumerate(NAMES[:k])]
        cost, added = 16_500.0 * k, sum(row[1] for row in short)
        for sceptical, evidence, less in itertools.product(
            (-4_049.0, 10_600.0), (None, (3_999.0, 6e3)), (True, False)
        ):
            text = league_beyond.beyond_text(
                short, rule=rule, cost=cost, net=126_474.0, sceptical=sceptical, unspent=left, less_sure=less,
                evidence=evidence if k == 1 else None,
            )  # fmt: skip
            m = read(
                rf"(?P<who>.+?) (?:is|are) not funded, though expected to be worth (?P<net>{N}) a year more than (?:it costs|they "
                rf"cost)\. The chances? of that (?:is (?P<p>{P})|are (?P<each>{P}) each|run from (?P<low>{P}) to (?P<high>{P})); the "
                rf"rule asks for (?P<rule>{P})\.(?: A second year of evidence on it is worth about (?P<evsi>{N}) and costs "
                rf"(?P<paid>{N})\.)?(?P<less> A less likely pilot is funded only .+? costs\.)? Buying (?:it|them) too would cost "
                rf"(?P<cost>{N}) and be expected to add (?P<add>{N}), which makes (?P<all>{N}) in all\.(?: (?:Its|Their) cost is "
                rf"(?P<reach>within|more than) the (?P<left>{N}) left\.)? The rule guards against paying for what luck made look "
                rf"good: it takes a chance of a loss up to (?P<most>{P}), (?:here (?P<loss>{P})|larger for each of them)\. If such "
                rf"services are believed to change little on average, (?:it|they) would be expected to (?P<side>add|lose) "
                rf"(?P<doubt>{N})\.",
                text,
            )
            faults = money(m["net"], added) + money(m["add"], added) + money(m["all"], 126_474.0 + added)
            faults += money(m["cost"], cost) + money(m["doubt"], abs(sceptical)) + chance(m["rule"], rule)
            faults += chance(m["most"], 1 - rule) + ([] if same(listed(m["who"]), NAMES[:k]) else ["names"])
            faults += [] if (m["side"] == "add") == (sceptical >= 0) else ["sign"]
            faults += [] if bool(m["less"]) == less else ["less likely"]
            if k == 1:
                faults += chance(m["p"], 0.5) + chance(m["loss"], 0.5)
                faults += pounds(m["evsi"], 3_999.0, 1_000) if evidence else []
            else:
                faults += chance(m["low"], 0.5) + chance(m["high"], 0.5 + 0.03 * (k - 1))
            if left is not None:
                faults += [] if (m["reach"] == "within") == (cost <= left) else ["reach"]
            tally.add(text, faults + (money(m["left"], left) if left else ["left"] if m["left"] else []))
        text = league_beyond.also(short, rule)
        m = read(
            rf"(?P<who>.+?) would be expected to add (?P<net>{N}) a year, but (?:its chance is (?P<p>{P})|their chances (?:are {P} "
            rf"each|run from (?P<low>{P}) to (?P<high>{P}))) and the rule asks for (?P<rule>{P})\.",
            text,
        )
        faults = money(m["net"], added) + chance(m["rule"], rule) + chance(m["p"] or m["low"], 0.5)
        tally.add(text, faults + ([] if same(listed(m["who"]), NAMES[:k]) else ["names"]))
        text = league_beyond.raw_more(126_474.0 + net, 126_474.0, 99_000.0, 97_285.0)
        told = [part.rstrip(",.") for part in re.findall(N, text)]
        faults = money(told[0], net) + money(told[1], 99_000.0) + money(told[2], 97_285.0)
        tally.add(text, faults)
    tally.clean(200)
