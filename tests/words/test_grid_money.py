"""Every sentence of the money of one pilot, read back by patterns written apart."""

from __future__ import annotations

import itertools
import re

from reading import CHANCES, LEVELS, POUNDS, N, P, S, chance, money, money_range, pounds, read, share
from test_grid import Tally

from ucimpact import words
from ucimpact.words import value

# --- money in one report ----------------------------------------------------------------------------------


def test_money_of_one_pilot():
    tally = Tally()
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


def test_shares_prices_and_who_gains():
    tally = Tally()
    ends = (0.004, 0.3, 0.6, 0.996)
    for (low, best, high), write in itertools.product(
        itertools.combinations_with_replacement(ends, 3),
        (value.attributed, lambda b, lo, hi, _: value.own_share(b, lo, hi)),
    ):
        text = write(best, low, high, "a virtual ward ran beside it.")
        if text.startswith("Other"):
            m = read(
                rf"Other services worked on the same people: (?P<b>{S}) of the change is counted(?: \(it may be (?P<l>{S}) to (?P<h>{S})\))?\.",
                text,
            )
        else:
            m = read(
                rf"(?:Between (?P<l>{S}) and (?P<h>{S})|(?P<one>(?:U|u)?\S*{S})) of the change is taken to be the pilot’s own"
                rf"(?:, and (?P<b>{S}) is counted)?\. The reason given: a virtual ward ran beside it\.",
                text,
            )
        faults = (
            share(m["l"], low) + share(m["h"], high) if m["l"] else [] if low == high else ["a range is lost"]
        )
        faults += (
            share(m["b"], best) if m["b"] else share(m["one"], low) if m.get("one") else ["the share is lost"]
        )
        tally.add(text, faults)
    for price, running, volunteers in itertools.product((37.0, 254.2), (None, 30.0, 230.0), (None, 274.5)):
        text = value.prices(price, running, volunteers)
        if running is None and volunteers is None:
            assert text == ""
            continue
        m = read(
            rf"(?:The price of (?P<p>{N}) a person holds what was spent once on starting; once running it is (?P<r>{N})\. ?)?"
            rf"(?:With volunteers’ time at what a paid person would cost it is (?P<v>{N}); nobody pays that part, so it does not decide\.)?",
            text,
        )
        faults = (
            pounds(m["p"], price, 1) + pounds(m["r"], running, 1)
            if running
            else []
            if not m["p"]
            else ["running"]
        )
        tally.add(
            text,
            faults + (pounds(m["v"], volunteers, 1) if volunteers else [] if not m["v"] else ["volunteers"]),
        )
    for perfect, second in itertools.product(POUNDS[6:], (None, *POUNDS[6:])):
        text = value.knowing(perfect, second)
        m = read(
            rf"(?:A second year of evidence is worth about (?P<s>{N})\. )?Knowing the truth would be worth (?P<p>{N}) to the people of one year, "
            r"and no evaluation can be worth more to them\.",
            text,
        )
        faults = pounds(m["p"], perfect, 1_000, 100, 10, 1)
        tally.add(
            text,
            faults
            + (pounds(m["s"], second, 1_000, 100, 10, 1) if second else [] if not m["s"] else ["second"]),
        )
    for low, high, a, b in itertools.product((0.3, 0.004), (0.6, 0.996), (826.4, 5_419.0), (37.0, 4_041.1)):
        text = value.mix_range("short stays", low, high, a, b)
        m = read(
            rf"If (?P<l>{S}) to (?P<h>{S}) are short stays, one is worth (?P<a>{N}) to (?P<b>{N})\.", text
        )
        faults = (
            share(m["l"], low)
            + share(m["h"], high)
            + pounds(m["a"], min(a, b), 1)
            + pounds(m["b"], max(a, b), 1)
        )
        tally.add(text, faults)
    for one, mean, v in itertools.product((826.0, 96.0), (2_711.0,), POUNDS):
        head = (
            rf"(?P<m>{N}) is the average of all emergency admissions, and those avoided are usually short stays\. "
            rf"At (?P<o>{N}) each "
        )
        text = value.usually("emergency admissions", "short stays", one, mean, v, row=3 * v, whole=v)
        m = read(head + r"the value would be (?P<v>\S+?|under 1p)\.", text)
        tally.add(text, pounds(m["m"], mean, 1) + pounds(m["o"], one, 1) + money(m["v"], v))
        text = value.usually("emergency admissions", "short stays", one, mean, v, row=3 * v, whole=v + 9_000)
        m = read(
            head
            + r"the (?P<r>\S+|under 1p) counted for them would be (?P<v>\S+|under 1p), and the whole value "
            r"(?P<w>\S+)\.",
            text,
        )
        faults = money(m["r"], 3 * v) + money(m["v"], v) + money(m["w"], v + 9_000)
        tally.add(text, pounds(m["m"], mean, 1) + pounds(m["o"], one, 1) + faults)
    for column, v, p in itertools.product(words.COLUMNS, POUNDS, CHANCES[:4]):
        for less in (False, True):
            text = value.ahead(column, v, v - 9_000, v + 9_000, less=less)
            end = ", later years counted less as well" if less else ""
            m = read(
                r"In (?P<c>.+?) they would be worth (?P<v>\S+|under 1p) \(likely range (?P<r>.+?)\)"
                + end
                + r"\.",
                text,
            )
            faults = money(m["v"], v) + money_range(m["r"], v - 9_000, v + 9_000)
            tally.add(text, faults + ([] if m["c"] == column else ["column"]))
        text = value.ahead_chance(p)
        tally.add(
            text,
            chance(
                read(rf"The chance that they are worth more than they cost is (?P<p>{P})\.", text)["p"], p
            ),
        )
    parties = ("The ICB", "the council", "Ashby Hospice")
    for pays, gains in itertools.product(((1.0,), (0.6, 0.4), (0.5, 0.3, 0.2)), repeat=2):
        text = value.gainers(
            list(zip(parties, pays, strict=False)), list(zip(parties, gains, strict=False)), "cash released"
        )
        head, _, rest = text.partition(" of the cost. Of the cash released ")
        inside = [name[:1].lower() + name[1:] if name.startswith("The") else name for name in parties]
        paid = re.findall(r"(?:^|, | and )(.+?) pays (\d+%)", head)
        gained = [(m[2], m[1]) for m in re.finditer(r"(\d+%)(?: is)? with (.+?)(?=, \d| and \d|\.$)", rest)]
        wanted = [
            [(name, f"{100 * x:.0f}%") for name, x in zip(inside, part, strict=False)]
            for part in (pays, gains)
        ]
        paid = [(name[:1].lower() + name[1:] if name.startswith("The") else name, x) for name, x in paid]
        tally.add(text, [] if [paid, gained] == wanted else [f"parties: {paid} {gained}"])
    tally.clean(230)
