"""Every sentence of the tables of a league, read back by patterns written apart."""

from __future__ import annotations

import itertools
import random
import re

import reader
from reading import (
    CHANCES,
    COUNT,
    LEVELS,
    NAMES,
    POUNDS,
    N,
    P,
    chance,
    count,
    listed,
    pounds,
    read,
    same,
    told_count,
)
from test_grid import Tally

from ucimpact import words
from ucimpact.words import league, league_page, league_shared

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
    linked = itertools.product(
        (*league_shared.SHARED,), (1, 2, 4), (7, 9), (False, True), (0.004, 0.707, 0.996, 1.0)
    )
    for kind, groups, n, apart, kept in linked:
        told = [(kind, [NAMES[g % 7], NAMES[(g + 1) % 7]]) for g in range(groups)]
        text = league_shared.shared(told, n, apart=apart, kept=kept)
        faults = [] if groups > 3 else [
            f"names: {names}" for _, names in told if f"{names[0]} and {names[1]} share a comparison." not in text
        ]  # fmt: skip
        if groups > 3:  # a chain of four pairs has five pilots
            m = read(
                rf"(?P<n>{COUNT}) of the (?P<of>{COUNT}) share a comparison with some of the others\..+", text
            )
            faults += told_count(m["n"], 5) + told_count(m["of"], n)
        faults += [] if ("taken to be apart" in text) == apart else ["apart"]
        part = re.search(rf"each is taken at (?P<p>{P}) of it", text)
        faults += [] if (part is None) == (kept >= 0.995) else ["what is kept of the links"]
        tally.add(text, faults + (chance(part["p"], kept) if part else []))
    for names in (NAMES[:0], NAMES[:1], NAMES[:3], [name + " and the villages around" for name in NAMES]):
        text = league_shared.bounds_differ(list(names))
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


def test_the_small_sentences_of_the_page():
    tally = Tally()
    for v, price, own in itertools.product(POUNDS, (37.0, 230.0), (None, *POUNDS)):
        text = league_page.cheaper(v, price, own)
        m = read(
            r"Worth about (?P<v>\S+|under 1p) a person here; the price is (?P<p>\S+)\.(?: Its own report, read alone, says (?P<o>\S+?|under 1p)\.)?",
            text,
        )
        faults = pounds(m["v"], v, 1) + pounds(m["p"], price, 1)
        tally.add(
            text,
            faults
            + (
                pounds(m["o"], own, 1) if m["o"] else [] if own is None or round(own) == round(v) else ["own"]
            ),
        )
    for of, n in ((size, k) for size in (2, 3, 7, 13) for k in range(size + 1)):
        text = league_page.barred(n, of)
        if n:
            m = read(
                rf"Certainty, or a check in doubt, keeps (?P<n>both|all|{COUNT}) of them from being mainstreamed\.",
                text,
            )
            said = of if m["n"] in ("both", "all") else count(m["n"])
            tally.add(text, [] if said == n else [f"count: {n} told as {said}"])
        if n:
            text = league_page.funnel_title(n, of)
            told = (
                "the least"
                if "from the least" in text
                else "one of the less"
                if "less certain" in text
                else "neither"
            )
            wanted = "the least" if n == 1 else "one of the less" if n <= of / 2 else "neither"
            tally.add(text, [] if told == wanted else [f"place: {n} of {of}"])
    for share_ in (0.0, 0.001, 0.004, 0.005, 0.25, 0.655, 0.995, 0.9999, 1.0):
        told, whole = league_page.of_hundred(share_), reader.away_from_zero(100 * share_)
        wanted = (
            "under 1"
            if share_ and not whole
            else "over 99"
            if whole == 100 and share_ < 1
            else f"{whole:.0f}"
        )
        tally.add(told, [] if told == wanted else [f"share: {share_} told as {told}"])
    for p, n in itertools.product(CHANCES[2:], (2, 7, 13)):
        text = league_page.best_adds(p, n)
        m = read(
            rf"The chances of being best add to 100% over the (?P<n>{COUNT}) \(to rounding\)\. The highest(?: is (?P<a>{P})|, (?P<b>{P}), is far from sure)\.",
            text,
        )
        faults = told_count(m["n"], n) + chance(m["a"] or m["b"], p)
        tally.add(text, faults + ([] if bool(m["b"]) == (p < 0.6) else ["sure"]))
    for names in (NAMES[:k] for k in range(5)):
        text = league_page.funded(list(names))
        tally.add(
            text,
            []
            if (text == "To none of them." and not names) or listed(text[3:-1]) == list(names)
            else ["names"],
        )
    for n, over, compared in itertools.product(
        (2, 3, 13), ("90 days", "the 12 months from the start"), league.COMPARED
    ):
        text = league.estimand_sentence(n, "falls", over, "people over 75", compared)
        m = read(
            rf"(?P<n>Both|All {COUNT}) measured falls over (?P<o>.+?), for people over 75, with (?P<c>.+)\.",
            text,
        )
        said = 2 if m["n"] == "Both" else count(m["n"].split()[1])
        tally.add(
            text, [] if (said, m["o"], m["c"]) == (n, over, league.COMPARED[compared]) else ["estimand"]
        )
    for n, k, column in ((m, i, c) for m in (2, 7, 13) for i in range(m + 1) for c in ("cash", "economic")):
        text = league.cash_clause(n, k, column)
        found = re.search(rf"(None|Only {COUNT}) of the ({COUNT}) releases? cash", text)
        if column == "cash" or k == n:
            faults = [] if found is None else ["cash"]
        else:
            faults = told_count(found[2], n) + (
                [] if (0 if found[1] == "None" else count(found[1][5:])) == k else ["cash"]
            )
        tally.add(text, faults)
    for labels in ((), ("Falls",), ("Falls", "A&E attendances", "Bed days")):
        text = league.others_text([{"label": label} for label in labels])
        if labels:
            m = read(
                r"Its own report also values (?P<who>.+?); a league counts the main outcome alone\.", text
            )
            told = [part[:1].upper() + part[1:] for part in listed(m["who"])]
            tally.add(text, [] if told == list(labels) else ["labels"])
    tally.clean(400)
