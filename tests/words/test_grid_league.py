"""Every sentence of a league, of money, of other choices and of a lock, read back by patterns written apart.

What is asked of each: counts, names, chances, pounds, ranges and verdicts come out as they went in, to their
own rounding; the sign and the side are told; nothing forbidden is said, nothing is longer than a reader can
hold, and the first screen reads at grade ten. The rules are written here again from the page of words.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Iterator, Sequence

import reader
from reader import Unreadable
from test_grid import Tally, chance_faults, grade, printed, printed_range

from ucimpact import words
from ucimpact.words import league, league_page, lock, robust, statement, value

WORDS = (
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
NAMES = ("Ashby", "Bolton Road", "Cold Hill", "Dunvale", "Eskmere", "Fell End", "Garth")
CHANCES = (0.004, 0.01, 0.2, 0.499, 0.5, 0.595, 0.6, 0.799, 0.8, 0.95, 0.996)
POUNDS = (-251_340.0, -5_049.0, -49.0, -0.4, 0.0, 0.4, 37.0, 96.0, 149.6, 5_050.0, 88_249.0, 1_204_550.0)
LEVELS = ("very low", "low", "moderate", "high")
N = r"[\u2212£\d][£\d,.]*p?"
P = r"(?:under |over )?\d+%"
COUNT = f"(?:{'|'.join((*WORDS, *map(str.capitalize, WORDS)))}|\\d+)"


def read(pattern: str, text: str) -> dict[str, str]:
    """The named parts of a text that has to be of this form, whole."""
    found = re.fullmatch(pattern, text)
    if found is None:
        raise Unreadable(f"{text!r} is not of the form {pattern!r}")
    return {name: part or "" for name, part in found.groupdict().items()}


def count(text: str) -> int:
    low = text.lower()
    return WORDS.index(low) if low in WORDS else 0 if low == "no" else int(low.replace(",", ""))


def told_count(text: str, n: int) -> list[str]:
    """Words to twelve and figures from there."""
    faults = [] if count(text) == n else [f"count: {n} told as {text!r}"]
    return faults + ([] if (n <= 12) == (not text[:1].isdigit()) else [f"count: {n} written as {text!r}"])


def listed(text: str, last: str = "and") -> list[str]:
    """ "a, b and c" as three names, "five pilots" as that many without one."""
    if many := re.fullmatch(rf"({COUNT}) pilots?", text):
        return [""] * count(many[1])
    return [part for part in re.split(rf", | {last} ", text) if part]


def pounds(text: str, x: float, *steps: int) -> list[str]:
    """Pounds to the first step that does not print 0 for what is not; then "under 1p" or pence."""
    if text == "under 1p" or text.endswith("p"):
        return [] if abs(x) < 0.5 else [f"size: {x!r} printed as {text}"]
    for step in steps:
        if (size := reader.away_from_zero(x, step)) or not x:
            shown = reader.number(text).value
            return [] if shown == size else [f"size: {x!r} printed as {text}, {size} expected"]
    return [f"size: {x!r} printed as {text}"]


def money(text: str, x: float) -> list[str]:
    return pounds(text, x, 100, 10, 1)


def money_range(text: str, lo: float, hi: float) -> list[str]:
    ends = text.split(" to ")
    return money(ends[0], lo) + money(ends[1], hi) if len(ends) == 2 else [f"range: {text}"]


def chance(text: str, p: float) -> list[str]:
    return chance_faults(reader.number(text.removesuffix("%").removesuffix(" chances")), p)


def same(told: Sequence[str], names: Sequence[str]) -> bool:
    """Whether these names were told, or, of three and more, how many they are."""
    return list(told) == list(names) or (len(names) > 2 and list(told) == [""] * len(names))


def sample(cases: Iterator[tuple], most: int, seed: int = 1) -> list[tuple]:
    """Some of many cases, the same each time."""
    every = list(cases)
    return every if len(every) <= most else random.Random(seed).sample(every, most)


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
    wanted = "can be shown to be" if 0 in rows else "is"
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
            rf" per 100 people(?:, (?P<percent>\d+)% of what was expected)?\. After allowing for having been picked "
            rf"as the largest, (?P<guess>no change|(?:under )?£?{N} \w+) is a better guess, and the range runs from "
            r"(?P<range>.+?)\."
        )
    m = read(head + rest, text)
    faults = []
    if len(ready) > 2:
        told = listed(m["many"])
        named = [re.fullmatch(r"(.+) \((.+%)\)", one) for one in told if "more" not in one]
        faults += [f"names: {m['many']}"] if [x[1] for x in named] != [name for name, _ in ready[:4]] else []
        faults += [f for x, (_, p) in zip(named, ready, strict=False) for f in chance(x[2], p)]
        if len(ready) > 4:
            faults += told_count(told[-1].removesuffix(" more"), len(ready) - 4)
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


# --- the tables of the page -------------------------------------------------------------------------------


def test_how_many_changed_what():
    tally = Tally()
    kinds = list(itertools.product(("W+", "B", "b", "N", "U", "X", "V", "h", "H", "W-"), LEVELS))
    rng = random.Random(3)
    for _ in range(3_000):
        some = [rng.choice(kinds) for _ in range(rng.choice((2, 3, 5, 7, 13)))]
        better = rng.choice(("lower", "higher"))
        text = league_page.changed(some, "falls", better)
        sure = [(code, level) for code, level in some if level != "very low"]
        wanted = {
            "good": [level for code, level in sure if code in ("W+", "B", "b")],
            "bad": [level for code, level in sure if code in ("W-", "H", "h")],
            "little": [level for code, level in sure if code == "N"],
        }
        unknown = len(some) - sum(map(len, wanted.values()))
        if unknown == len(some):
            m = read(
                rf"We cannot tell for any pilot: (?:neither|none of the (?P<n>{COUNT})) can be said to have changed falls\.",
                text,
            )
            tally.add(text, told_count(m["n"] or "two", len(some)))
            continue
        verbs = {"good": "reduced", "bad": "increased", "little": "made little or no difference"}
        if better == "higher":
            verbs |= {"good": "increased", "bad": "reduced"}
        faults = []
        for kind, levels in wanted.items():
            found = re.findall(rf"({COUNT}) ?(may have|probably|) {verbs[kind]}", text)
            if len(found) != bool(levels):
                faults.append(f"count: {kind} {levels}")
            elif levels:
                modal = {"low": "may have", "moderate": "probably", "high": ""}[min(levels, key=LEVELS.index)]
                faults += told_count(found[0][0], len(levels)) + ([] if found[0][1] == modal else ["modal"])
        found = re.findall(rf"; for ({COUNT}) we cannot tell\.", text)
        faults += (
            told_count(found[0], unknown)
            if found and unknown
            else []
            if bool(found) == bool(unknown)
            else ["the rest"]
        )
        faults += [] if text.count("falls") == 1 else ["the outcome is named once"]
        tally.add(text, faults)
    tally.clean(3_000)


def test_levels_verdicts_and_places_are_counted():
    tally, rng = Tally(), random.Random(4)
    verdicts = words.decision.VERDICTS if hasattr(words, "decision") else league_page.VERDICTS
    done = {
        "mainstreamed": 1,
        "extended with evaluation": 2,
        "extended if cheaper": 3,
        "stopped at this price": 4,
    }
    for _ in range(2_000):
        n = rng.choice((2, 3, 5, 7, 13))
        levels = [rng.choice(LEVELS) for _ in range(n)]
        by_lot, wide = rng.choice((None, False, True)), rng.randint(0, n)
        text = league_page.certainties(levels, by_lot=by_lot, wide=wide)
        m = read(r"Certainty is (?P<levels>[^:]+?)(?:: (?P<why>.+))?\.", text)
        told: dict[str, int] = {}
        for level, who in re.findall(r"(very low|low|moderate|high) for (both|all \w+|\w+)", m["levels"]):
            told[level] = n if who.startswith(("both", "all")) else count(who)
        faults = [] if told == {level: levels.count(level) for level in set(levels)} else [f"levels: {told}"]
        faults += [] if ("by lot" in m["why"]) == (by_lot is False) else ["by lot"]
        whose = re.search(rf"({COUNT}|both|all) (?:has|have) a wide range", m["why"])
        said = 0 if whose is None else n if whose[1] in ("both", "all") else count(whose[1])
        tally.add(text, faults + ([] if said == wide else [f"wide: {wide} told as {said}"]))
        names = [rng.choice(verdicts) for _ in range(n)]
        text = league_page.verdicts_tally(names)
        faults = []
        for name, k in zip(verdicts, (0, *done.values()), strict=True):
            ending = "cannot be decided yet" if k == 0 else next(x for x, y in done.items() if y == k)
            found = re.findall(rf"({COUNT}) (?:is |are )?{ending}", text)
            faults += told_count(found[0], names.count(name)) if found else ["lost"] if name in names else []
        tally.add(text, faults)
    for n in (2, 3, 7, 13):
        for first, last in itertools.product(range(2, n + 1), repeat=2):
            text = league_page.ranks_answer(first, last, n)
            m = read(
                r"No\. (?P<a>.+?) could be first, and (?P<b>.+?) could be last\.",
                text,
            )
            a = n if m["a"].startswith(("Both", "All")) else count(m["a"].split(" of ")[0])
            b = (
                a
                if m["b"] == "as many"
                else n
                if m["b"].startswith(("both", "all"))
                else count(m["b"].split(" of ")[0])
            )
            tally.add(text, [] if (a, b) == (first, last) else [f"places: {(a, b)}"])
        for k in range(n + 1):
            text = league_page.outside(k, n)
            m = read(
                rf"(?P<k>{COUNT}) of the (?P<n>{COUNT}) lies? beyond what luck .+ about one common effect\.",
                text,
            )
            tally.add(text, told_count(m["k"], k) + told_count(m["n"], n))
            text = league_page.verdicts_differ(k, n)
            m = read(
                rf"(?:Nowhere: .+|For (?P<k>both|all {COUNT}|{COUNT})(?: of the (?:{COUNT}))?, the verdict is another .+)\.",
                text,
            )
            said = n if m["k"].startswith(("both", "all")) else count(m["k"]) if m["k"] else 0
            tally.add(text, [] if said == k else [f"count: {k} told as {said}"])
    tally.clean(4_200)


def test_chances_and_the_worth_of_evidence():
    tally, rng = Tally(), random.Random(5)
    for _ in range(1_500):
        values = [rng.choice(CHANCES) for _ in range(rng.randint(1, 6))]
        text = league_page.chance_told(values, rule=rng.choice((None, 0.8)))
        m = read(r"Chances? of being worth the price: (?P<told>.+?)(?:; the rule asks for 80%)?\.", text)
        shown = re.findall(P, m["told"])
        ordered, faults = sorted(values, reverse=True), []
        if m["told"].endswith("each"):
            faults += chance(shown[0], ordered[0]) + chance(shown[0], ordered[-1])
        elif m["told"].startswith("from "):
            faults += chance(shown[0], ordered[-1]) + chance(shown[1], ordered[0])
        elif len(shown) == len(ordered):
            faults += [f for text_, p in zip(shown, ordered, strict=True) for f in chance(text_, p)]
        else:
            faults.append(f"count: {len(ordered)} chances, {len(shown)} told")
        tally.add(text, faults)
        worth = [rng.choice((20.0, 99.0, 101.0, 700.0, 2_499.0, 16_000.0)) for _ in range(rng.randint(1, 5))]
        of = rng.choice((None, len(worth), len(worth) + 2))
        text = league_page.worth_of_evidence(worth, rng.choice((None, 6_000.0)), of=of)
        m = read(
            rf"(?:A|For (?P<n>{COUNT}) of them a) second year of evidence is worth (?P<told>.+?)(?:, and costs (?P<cost>{N})(?: each)?)?\.",
            text,
        )
        faults = (
            told_count(m["n"], len(worth)) if m["n"] else [] if of in (None, len(worth)) else ["of how many"]
        )
        for amount in re.findall(r"under £100|£\d+(?:,\d{3})*", m["told"]):
            near = [
                x
                for x in worth
                if (x < 100 if amount == "under £100" else not pounds(amount, x, 1_000, 100, 10, 1))
            ]
            faults += [] if near else [f"size: {amount} of nobody in {worth}"]
        tally.add(text, faults)
    tally.clean(3_000)


def test_the_claim_that_is_cut_and_the_rest_of_the_page():
    tally = Tally()
    cuts = {"nearly all": (0.9, 1), "about three quarters": (0.65, 0.9), "about two thirds": (0.57, 0.75), "about half": (0.4, 0.6),
            "about a third": (0.25, 0.42), "about a quarter": (0.17, 0.3), "about a tenth": (0.05, 0.19)}  # fmt: skip
    for k in range(-20, 131):
        raw, shrunk = 12.4, 12.4 * (1 - k / 100)
        text = league_page.claim_cut(raw, shrunk)
        m = read(
            r"(?:The claim stands nearly as it was measured|Once luck .+ nothing of the claim is left|Its claim should be cut by (?P<by>.+))\.",
            text,
        )
        faults = []
        if m["by"] and not cuts[m["by"]][0] <= k / 100 <= cuts[m["by"]][1]:
            faults.append(f"cut: {k}% told as {m['by']}")
        if ("nearly as" in text and k >= 10) or ("nothing" in text) != (shrunk <= 0):
            faults.append(f"cut: {k}% told as {text}")
        tally.add(text, faults)
    for chosen in (True, False):
        for other in range(4):
            sets = [frozenset("AB")] * (5 - other) + [frozenset("A")] * other
            text = league_page.beliefs(sets, chosen=chosen)
            said = re.search(rf"under (each|{COUNT}) of the five beliefs", text)
            if chosen:
                faults = (
                    told_count(said[1], other)
                    if other
                    else []
                    if said[1] == "each" and text.startswith("No")
                    else ["beliefs"]
                )
            else:
                faults = [] if said is None else ["beliefs"]
            tally.add(text, faults)
    for est, low, high, p in itertools.product(
        (0.0004, 0.05, 0.124), (0.0, 0.004), (0.126, 0.31), (None, *CHANCES)
    ):
        text = league.spread(est, low, high, p)
        share = r"(?:under )?\d+%"
        m = read(
            rf"The pilots’ true effects differ from their average by about (?P<e>{share}) \(likely range (?P<l>{share}) to (?P<h>{share})\)\."
            rf"(?: The chance that they differ enough to matter is (?P<p>{P})\.)?",
            text,
        )
        faults = []
        for told, x in ((m["e"], est), (m["l"], low), (m["h"], high)):
            whole = reader.away_from_zero(100 * x)
            faults += (
                []
                if told == ("under 1%" if not whole else f"{whole:.0f}%")
                else [f"size: {x} told as {told}"]
            )
        tally.add(text, faults + (chance(m["p"], p) if p is not None else []))
    for kinds in itertools.product((*league.SHARED,), (1, 2), (3, 7)):
        kind, groups, n = kinds
        told = [(kind, NAMES[2 * g : 2 * g + 2]) for g in range(groups)]
        text = league.shared(told, n)
        faults = [
            f"names: {names}"
            for _, names in told
            if f"{names[0]} and {names[1]} share a comparison." not in text
        ]
        tally.add(text, faults)
    for names in (NAMES[:0], NAMES[:1], NAMES[:3], [name + " and the villages around" for name in NAMES]):
        text = league.bounds_differ(list(names))
        m = read(
            r"(?:Both give every pilot the same verdict|For (?P<who>.+?) nothing can be decided yet: .+)\.",
            text,
        )
        tally.add(text, [] if same(listed(m["who"]), names) else ["names"])
    for rule in ({"chance": p, "floor": floor} for p in (0.7, 0.8, 0.95) for floor in (None, 0.5)):
        text = league_page.rule_told(rule)
        shown = re.findall(P, text)
        faults = chance(shown[0], rule["chance"]) + (chance(shown[1], rule["floor"]) if rule["floor"] else [])
        tally.add(text, faults + ([] if len(shown) == 1 + (rule["floor"] is not None) else ["chances"]))
    tally.clean(300)


# --- money in one report ----------------------------------------------------------------------------------


def share(text: str, x: float) -> list[str]:
    """A share in per cent: whole, or one decimal where it would read as none or all."""
    shown = text.removesuffix("%")
    if shown == "under 0.1":
        return [] if 0 < x < 0.0005 else [f"size: share {x} told as {text}"]
    whole = reader.away_from_zero(100 * x)
    close = f"{whole:.0f}" if 0 < whole < 100 or x in (0, 1) else f"{reader.away_from_zero(100 * x, 0.1):g}"
    return [] if shown == close else [f"size: share {x} told as {text}"]


def test_money_of_one_pilot():
    tally = Tally()
    S = r"(?:under )?[\d.]+%"
    for size, (low, high), v in itertools.product((0.004, 0.4, 0.996), ((None, None), (0.3, 0.5)), POUNDS):
        text = value.freed(size, low, high, v, v - 30_000, v + 40_000)
        m = read(
            rf"If (?P<s>{S})(?: \((?P<l>{S}) to (?P<h>{S})\))? of the full cost is really freed in the short run, the value is "
            rf"(?P<v>\S+|under 1p) \(likely range (?P<range>.+?)\)\.",
            text,
        )
        faults = share(m["s"], size) + money(m["v"], v) + money_range(m["range"], v - 30_000, v + 40_000)
        faults += (
            share(m["l"], low) + share(m["h"], high) if low else [] if not m["l"] else ["a range nobody gave"]
        )
        tally.add(text, faults)
    for price, at, rule, met in itertools.product((37.0, 230.0), CHANCES, (0.7, 0.8), (None, -14.0, 107.4)):
        text = value.curve(price, at, rule, met, "full economic value")
        m = read(
            rf"At (?P<price>{N}) a person the chance that the full economic value exceeds the price is (?P<p>{P}); (?:at no price is it "
            rf"(?P<no>\d+%), which the rule asks for|it is (?P<rule>\d+%), which the rule asks for, at (?P<met>{N}))\.",
            text,
        )
        faults = pounds(m["price"], price, 1) + chance(m["p"], at) + chance(m["no"] or m["rule"], rule)
        tally.add(
            text, faults + (pounds(m["met"], met, 1) if met and met > 0 else [] if m["no"] else ["no price"])
        )
    for ends, (a, b) in itertools.product(((0.6, 0.9), (0.5, 0.5)), itertools.product(POUNDS, repeat=2)):
        text = value.attributed_value(*ends, a, b)
        m = read(
            rf"(?:At (?P<l>{S}) of the change the best estimate is (?P<a>\S+|under 1p), at (?P<h>{S}) it is (?P<b>\S+|under 1p)|The best "
            r"estimate is (?P<one>\S+|under 1p))\.",
            text,
        )
        if ends[0] < ends[1]:
            tally.add(text, share(m["l"], 0.6) + share(m["h"], 0.9) + money(m["a"], a) + money(m["b"], b))
        elif a == b:
            tally.add(text, money(m["one"], a))
    for low, high in itertools.product(POUNDS, repeat=2):
        text = value.most_moved("how many are short stays", low, high)
        m = read(
            r"What moves .+?: across its range the net runs from (?P<a>\S+|under 1p) to (?P<b>\S+|under 1p) a person\.",
            text,
        )
        tally.add(text, pounds(m["a"], min(low, high), 1) + pounds(m["b"], max(low, high), 1))
        if low < high and high > 0:
            text = value.per_qaly(high / 2, low, high)
            m = read(
                r"Each quality-adjusted life year gained cost (?P<v>\S+|under 1p)(?: \(likely range (?P<r>.+?)\))?, after what was freed\.",
                text,
            )
            faults = money(m["v"], high / 2)
            faults += (
                money(m["r"].removeprefix("up to "), high) if low <= 0 else money_range(m["r"], low, high)
            )
            tally.add(text, faults)
    for years, cost, discount in itertools.product((1, 3, 5), (92_000.0, 552_049.0), (0.0, 0.035)):
        text = value.budget(years, cost, cost * 0.9, discount, 2_400.0)
        m = read(
            rf"Over (?:a year|(?P<y>\d+) years) the service would cost (?P<c>{N}) for (?P<n>[\d,]+) people(?:: (?P<d>{N}) where later years "
            r"count 3\.5% less a year)?\.",
            text,
        )
        faults = money(m["c"], cost) + ([] if int(m["y"] or 1) == years and m["n"] == "2,400" else ["counts"])
        faults += [] if bool(m["d"]) == (years > 1 and discount > 0) else ["discounted"]
        tally.add(text, faults + (money(m["d"], cost * 0.9) if m["d"] else []))
    parts = (0.004, 0.3, 0.55, 0.7)
    for a, b, code in itertools.product(parts, parts, ("W+", "B", "b", "H", "W-", "N", "U", "X", "V")):
        text = value.mix("admissions", [("short stays", a, 826.0), ("long stays", b, 5_419.0)], code)
        found = re.findall(
            rf"({S}) (?:of the admissions avoided would have been |are taken to be |would have been )?(?:short|long) stays \((£[\d,]+)\)",
            text,
        )
        faults = (
            share(found[0][0], a)
            + share(found[1][0], b)
            + [x for (_, t), w in zip(found, (826, 5_419), strict=True) for x in pounds(t, w, 1)]
        )
        said = (
            "added"
            if "admissions added" in text
            else "any"
            if "any admissions avoided" in text
            else "avoided"
        )
        wanted = "avoided" if code in ("W+", "B", "b") else "added" if code in ("h", "H", "W-") else "any"
        tally.add(text, faults + ([] if said == wanted else [f"claim: {code} told as {said}"]))
    for level, worth, price in itertools.product(LEVELS, POUNDS, (None, 37.0)):
        text = value.haircut(level, value.HAIRCUT[level], worth, price)
        m = read(
            rf"Certainty is (?P<level>{'|'.join(LEVELS)})(?:, so nothing is taken off for it|\. Taking (?P<cut>{S}) off for it leaves "
            r"(?P<w>\S+?|under 1p) a person(?P<pays>, which (?:repays|does not repay) the price)?\. A rule of thumb, no estimate: it never decides)\.",
            text,
        )
        faults = [] if m["level"] == level else ["level"]
        if m["cut"]:
            faults += share(m["cut"], value.HAIRCUT[level]) + pounds(m["w"], worth, 1)
            faults += (
                []
                if m["pays"]
                == (
                    ""
                    if price is None
                    else f", which {'repays' if worth > price else 'does not repay'} the price"
                )
                else ["repays"]
            )
        tally.add(text, faults)
    tally.clean(750)


# --- other choices, many questions, another design, and a lock ------------------------------------------------


def test_how_many_analyses_agree():
    tally = Tally()
    for tried in (1, 2, 3, 9, 48, 1_204):
        some = range(tried + 1) if tried < 10 else (0, 1, 2, 17, tried - 1, tried)
        for same, outside in itertools.product(some, some):
            text = robust.curve_answer(same, tried, outside)
            if tried == 1:
                m = read(
                    r"The one other analysis points the (?P<way>same|other) way; (?P<out>its range holds|it leaves) our result.*\.",
                    text,
                )
                faults = (
                    []
                    if (m["way"] == "same") == (same == 1) and (m["out"] == "it leaves") == (outside == 1)
                    else ["one"]
                )
            else:
                m = read(
                    r"(?:All (?P<all>[\d,]+)|(?P<k>[\d,]+) of (?P<n>[\d,]+)) analyses point the same way; (?P<out>none|[\d,]+) (?P<s>leaves?) "
                    r"our result outside\.",
                    text,
                )
                got = (
                    count(m["k"] or m["all"]),
                    count(m["n"] or m["all"]),
                    0 if m["out"] == "none" else count(m["out"]),
                )
                faults = [] if got == (same, tried, outside) else [f"counts: {got}"]
                faults += [] if (m["s"] == "leaves") == (outside < 2) else ["plural"]
            tally.add(text, faults)
        for clear in some:
            text = robust.curve_clear(clear, tried)
            if tried > 1:
                m = read(
                    r"(?P<k>No range of theirs|Every range|[\d,]+ of their ranges) leaves? out no change\.",
                    text,
                )
                k = {"No range of theirs": 0, "Every range": tried}.get(m["k"])
                faults = [] if (count(m["k"].split()[0]) if k is None else k) == clear else ["counts"]
            else:
                faults = [] if ("leaves out" in text) == (clear == 1) else ["one"]
            tally.add(text, faults)
    tally.clean(230)


def test_which_findings_stand_and_what_another_design_says():
    tally = Tally()
    labels = ("Falls", "A&E attendances", "Bed days", "Deaths", "Emergency admissions", "GP visits")
    inside = {
        label: label if label.startswith(("A&E", "GP")) else label[0].lower() + label[1:] for label in labels
    }
    for asked in (2, 3, 6):
        subsets = [s for k in range(min(asked, 4) + 1) for s in itertools.combinations(labels[:asked], k)]
        for alone in subsets:
            for together in (s for s in subsets if set(s) <= set(alone)):
                text = robust.multiplicity_answer(list(alone), list(together), asked)
                said = {name for name in labels if inside[name] in text}
                faults = []
                if not alone:
                    faults += [] if re.match(r"Neither|None", text) and not said else ["none"]
                elif len(together) == asked:
                    faults += [] if re.match(r"Both|All", text) and not said else ["all"]
                else:
                    stands, _, falls = text.partition("; ") if together else ("", "", text)
                    named = [{name for name in labels if inside[name] in part} for part in (stands, falls)]
                    faults += (
                        [] if named == [set(together), set(alone) - set(together)] else [f"names: {named}"]
                    )
                tally.add(text, faults)
    kinds = (robust.AGREE, robust.CONFLICT, robust.UNCLEAR)
    for n in range(1, 6):
        for verdicts in itertools.product(kinds, repeat=n):
            text = robust.triangulation_answer(verdicts)
            say = (r"agrees?\b", r"finds? the opposite", r"cannot tell|neither confirms? nor contradicts?")
            faults = [
                f"{kind}: {verdicts}"
                for kind, form in zip(kinds, say, strict=True)
                if bool(re.search(form, text)) != (kind in verdicts)
            ]
            if n > 1 and len(set(verdicts)) > 1:
                m = read(rf"Of (?P<n>{COUNT}) other designs (?P<told>.+)\.", text)
                told = [count(part.split()[0]) for part in listed(m["told"])]
                faults += told_count(m["n"], n) + (
                    [] if told == [verdicts.count(k) for k in kinds if k in verdicts] else ["counts"]
                )
            tally.add(text, faults)
    for before, changed, other in itertools.product((True, False), range(13), (0, 2)):
        text = lock.planned_answer("3 May 2025", before=before, changed=changed, other=other)
        m = read(
            r"(?P<yes>Yes|Yes, for the main answer|No): the plan locked on 3 May 2025, (?P<when>before|when) the outcome data were there, was "
            r"(?:kept|changed only in what does not bear on it|changed in (?P<n>\w+) places? that bears? on the main answer)\.",
            text,
        )
        faults = [] if (m["when"] == "before") == before and (m["yes"] == "No") == (changed > 0) else ["kept"]
        faults += [] if (count(m["n"]) if m["n"] else 0) == changed else ["count"]
        tally.add(text, faults)
    for state in lock.STATES:
        text = " ".join(lock.locked_now("study.lock", state))
        tally.add(text, [] if ("does not count" in text) == (state in ("there", "unknown")) else ["state"])
    tally.clean(700)


def test_whom_the_statement_of_places_sets_beside_whom():
    """The parts of the statement that are for places and for one series."""
    tally = Tally()
    for people, later, who in itertools.product(
        (None, 12.0, 3_450.0), ("", "They had it 30 days later."), ("", "12 pilot practices")
    ):
        text = statement.compared(people, "28 other practices", later, who)
        faults = [] if "28 other practices" in text and (not who or who in text) else ["who"]
        if people and not who:
            faults += [] if f"{people:,.0f}" in text else ["how many"]
        tally.add(text, faults)
    tally.clean(12)


def test_no_number_is_lost_to_infinity():
    for x in (math.nan, math.inf):
        for write in (lambda x: value.prices(x, None, None) or words.per_person(x), league.sceptical_text):
            try:
                text = write(x)
            except ValueError:
                continue
            raise AssertionError(f"{x} was written: {text}")
