"""What the page of a league says beside its findings: answers to its headings, and a line for each verdict.

The headline, the lead, the verdicts and their reasons come with the document; these sentences say what
its tables show. Each is a function of the numbers in those tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ucimpact.words.claims import BENEFIT, HARM
from ucimpact.words.decision import VERDICTS
from ucimpact.words.league import LUCK
from ucimpact.words.numbers import capital, chance, few, joint, rounded
from ucimpact.words.pounds import money, per_person, thousands
from ucimpact.words.sentences import LEVELS, rank

SHARES = (*LUCK[:-1], (0.18, "about a quarter"), (0.07, "about a tenth"))
"""Those of a headline, and smaller ones: a page may tell a tenth."""
LEAST = 100.0
"""Pounds of evidence below which none are named."""
FEW_CHANCES = 3
"""More chances than this are told by their ends."""
PEOPLE_BY_LOT = "no pilot chose its people by lot"

ALLOWED = {
    "W+": "a worthwhile benefit ruled in",
    "B": "a benefit; whether worthwhile is not known",
    "b": "a benefit, too small to be worthwhile",
    "N": "worthwhile change ruled out both ways",
    "U": "could not tell; worthwhile harm ruled out",
    "V": "could not tell; worthwhile benefit ruled out",
    "X": "could not tell; benefit and harm both possible",
    "h": "harm, too small to matter",
    "H": "harm; whether it matters is not known",
    "W-": "a harm that matters ruled in",
}
"""What each claim says that a range allows."""

TOWARDS_EACH_OTHER = (
    "Small pilots swing widely by luck alone, so each result is drawn towards what the {n} have in common: "
    "the less certain the result, the further it moves."
)
LUCK_WINS = "The largest of {n} results is the one most likely to have been helped by luck."
WITHOUT_LIKENESS = "Found without assuming the pilots are alike"
HYBRID_NOTE = (
    "The last range allows for the pilot having been picked as the largest, and takes nothing from the "
    "others. It answers another question than the row above it, so the two need not agree."
)
RANK_BARS = "A league table in order of results would be a table of luck."
NOT_A_PREDICTION = (
    "“In the best set in 66 of 100 likely accounts” is how often a pilot would belong to the set worth "
    "most if the truth were known. It is not how often new data would pick it again."
)
CORRECTED_JUDGES = (
    "{name} has the most favourable result, and is judged by the wider range that is corrected for that, "
    "so for it too we cannot tell."
)
FUNNEL_READING = (
    "Each mark is a pilot as measured; the lower it lies, the less certain it is. If all pilots had the "
    "same true effect, 95 of 100 marks would lie between the slanting lines: luck alone spreads the lowest "
    "ones widely."
)


def changed(kinds: Sequence[tuple[str, str]], outcome: str, better: str = "lower") -> str:
    """How many may have changed the outcome for the better, and for how many nothing can be told.

    Parameters
    ----------
    kinds : sequence of (claim, level)
        One for each pilot; a level of "very low" tells nothing.
    """
    sure = [(code, level) for code, level in kinds if level != LEVELS[0]]
    to_good = [level for code, level in sure if code in BENEFIT]
    to_bad = [level for code, level in sure if code in HARM]
    little = [level for code, level in sure if code == "N"]
    verbs = ("reduced", "increased") if better == "lower" else ("increased", "reduced")
    parts: list[str] = []
    for levels, verb in (
        (to_good, verbs[0]),
        (to_bad, verbs[1]),
        (little, "made little or no difference to"),
    ):
        if levels:
            verb, object_ = (verb, outcome) if not parts else (verb.removesuffix(" to"), "")
            parts.append(" ".join(f"{few(len(levels))} {_modal(levels)} {verb} {object_}".split()))
    open_ = len(kinds) - len(to_good) - len(to_bad) - len(little)
    if open_ == len(kinds):
        said = "neither" if open_ == 2 else f"none of the {few(open_)}"
        return f"We cannot tell for any pilot: {said} can be said to have changed {outcome}."
    said = joint(parts)
    if open_:
        said += f"; for {few(open_)} we cannot tell"
    return f"{capital(said)}."


def _modal(levels: Sequence[str]) -> str:
    """The verb's certainty: that of the least certain among them."""
    least = min(rank(level) for level in levels)
    return ("may have", "may have", "probably", "")[least]


def certainties(levels: Sequence[str], *, by_lot: bool | None = None, wide: int = 0) -> str:
    """ "Certainty is low for four pilots and very low for three: no pilot chose its people by lot."."""
    parts: list[str] = []
    for level in reversed(LEVELS):
        if n := list(levels).count(level):
            noun = "" if parts else " pilot" if n == 1 else " pilots"
            parts.append(f"{level} for {few(n)}{noun}")
    if len(parts) == 1:
        parts = [f"{levels[0]} for {'both' if len(levels) == 2 else f'all {few(len(levels))}'}"]
    reasons = [PEOPLE_BY_LOT] if by_lot is False else []
    if wide:
        whose = f"{few(wide)} {'has' if wide == 1 else 'have'}"
        if wide == len(levels):
            whose = "both have" if wide == 2 else "all have"
        reasons.append(f"{whose} a wide range")
    reason = f": {', and '.join(reasons)}" if reasons else ""
    return f"Certainty is {joint(parts)}{reason}."


def chances(values: Sequence[float]) -> str:
    """ "85%", "16%, 8% and 3%", or "from 3% to 16%" where there are many."""
    shown = [chance(p) for p in sorted(values, reverse=True)]
    if len(set(shown)) == 1:
        return shown[0] if len(shown) == 1 else f"{shown[0]} each"
    if len(shown) <= FEW_CHANCES:
        return joint(shown)
    return f"from {shown[-1]} to {shown[0]}"


def worth_of_evidence(values: Sequence[float], cost: float | None, *, of: int | None = None) -> str:
    """What a second year of evidence is worth to some pilots, of so many, and what it costs."""
    if not values:
        return ""
    shown = [evidence(value) for value in values]
    each = " each" if len(shown) > 1 else ""
    said = joint(shown)
    if len(set(shown)) == 1:
        said = f"{shown[0]}{each}"
    elif len(shown) > FEW_CHANCES:
        said = f"between {evidence(min(values))} and {evidence(max(values))} each"
    paid = "" if cost is None else f", and costs {money(cost)}{each}"
    whose = "A" if of is None or of == len(values) else f"For {few(len(values))} of them a"
    return f"{whose} second year of evidence is worth {said}{paid}."


def barred(n: int, of: int) -> str:
    """What keeps ``n`` pilots under one verdict from being mainstreamed, though their chance is enough."""
    if not n:
        return ""
    whom = ("both of them" if n == 2 else "all of them") if n == of else f"{few(n)} of them"
    return f"Certainty, or a check in doubt, keeps {whom} from being mainstreamed."


def evidence(value: float) -> str:
    """The worth of evidence to £1,000, "under £100" for next to nothing."""
    return "under £100" if value < LEAST else thousands(value)


def chance_told(values: Sequence[float], rule: float | None = None) -> str:
    """The chances that the pilots under one verdict are worth their price."""
    if not values:
        return ""
    noun = "Chance" if len(values) == 1 else "Chances"
    asked = "" if rule is None else f"; the rule asks for {chance(rule)}"
    return f"{noun} of being worth the price: {chances(values)}{asked}."


def cheaper(value: float, price: float, own: float | None = None) -> str:
    """Worth and price in the league, and the worth that the pilot's own report gave."""
    said = f"Worth about {per_person(value)} a person here; the price is {per_person(price)}."
    if own is None or per_person(own) == per_person(value):
        return said
    return f"{said} Its own report, read alone, says {per_person(own)}."


def lower_price(figure: str) -> str:
    """What is asked of a pilot that is worth its price on average and not surely enough."""
    return f"Asked: {figure.removeprefix('at ')}." if figure else ""


def claim_cut(raw: float, shrunk: float) -> str:
    """How much of the largest claim goes once luck is allowed for; sizes are benefits, plus is good."""
    if raw <= 0:
        return "Even the most favourable result points to harm."
    if shrunk <= 0:
        return "Once luck is allowed for, nothing of the claim is left."
    share = 1 - shrunk / raw
    if share < SHARES[-1][0]:
        return "The claim stands nearly as it was measured."
    told = next(name for least, name in SHARES if share >= least)
    return f"Its claim should be cut by {told}."


def funded(names: Sequence[str]) -> str:
    """Where the money goes."""
    return f"To {joint(names)}." if names else "To none of them."


def beliefs(sets: Sequence[frozenset[str]], *, chosen: bool) -> str:
    """Whether the funded set, or the leader's number alone, moves with the belief it started from."""
    if not chosen:
        return "The table shows how far the number shown for the apparent winner moves with the belief."
    others = [funded_ for funded_ in sets[1:] if funded_ != sets[0]]
    n = few(len(sets))
    if not others:
        kept = "none would be funded" if not sets[0] else "the same would be funded"
        return f"No: {kept} under each of the {n} beliefs."
    return f"Yes: under {few(len(others))} of the {n} beliefs a different set would be funded."


def funnel_title(leads: int, n: int) -> str:
    """What to see; ``leads`` is the place of the largest claim from the least certain, 1 to n."""
    if leads == 1:
        return "The largest claim comes from the least certain pilot"
    if 2 * leads <= n:
        return "The largest claim comes from one of the less certain pilots"
    return "How certain each pilot is, and what it claims"


def of_hundred(share: float) -> str:
    """ "66", "under 1", "over 99": of 100 accounts of the truth."""
    whole = rounded(100 * share)
    if share and not whole:
        return "under 1"
    if share < 1 and whole == 100:
        return "over 99"
    return f"{whole}"


def order(name: str) -> int:
    """Place of a verdict on the page: those that say least come last."""
    return len(VERDICTS) if name == VERDICTS[0] else VERDICTS.index(name)


def ranks_answer(could_be_first: int, could_be_last: int, n: int) -> str:
    """Whether an order can be given; for a league in which no pilot can be called the best."""

    def of(k: int) -> str:
        if k == n:
            return "both" if n == 2 else f"all {few(n)}"
        return f"{few(k)} of the {few(n)}"

    if could_be_first == could_be_last:
        return f"No. {capital(of(could_be_first))} could be first, and as many could be last."
    return f"No. {capital(of(could_be_first))} could be first, and {of(could_be_last)} could be last."


def ranks_title(share: float) -> str:
    """What the bars show; ``share`` is the mean share of all places that a pilot could hold."""
    if share >= 0.9:
        return "Nearly every pilot could hold nearly every place"
    return "Most pilots could hold most places" if share >= 0.6 else "Some places can be ruled out"


def best_adds(highest: float, n: int) -> str:
    """How to read the chances of being best."""
    far = ", is far from sure" if highest < 0.6 else ""
    text = f"The chances of being best add to 100% over the {few(n)} (to rounding)."
    return f"{text} The highest{'' if far else ' is'}{',' if far else ''} {chance(highest)}{far}."


BELIEFS = (
    "Each row starts from another belief about how much such services change on average, and how far they "
    "differ. The first row is the one used on this page."
)
SHARED = (
    "Yes, so their errors are linked: a bad stroke of luck in the comparison helps or harms several at once."
)
"""Leads what the document says of how they are linked."""
CERTAINTY_IN_A_LEAGUE = (
    "Certainty is worked out again with the range that allows for luck, and for the apparent winner with "
    "the corrected one; where that leaves out its number, with both together. Every other step is that of "
    "the pilot’s own report."
)
CERTAINTY_OF_TWO = "It is that of each pilot’s own report, which decides where there are only two."
READ_ALONE = (
    "A report read alone cannot know how many others were tried. It keeps its finding; where the two "
    "differ, neither is averaged with the other."
)
DRAWN_TOGETHER = (
    "Effects are drawn together on the scale of ratios, with a normal model of how pilots differ that "
    "averages over every spread the data allow. Standard errors are widened first where few places or "
    "people gave them."
)
PLACES = "Places are 95% confidence sets from all pairs of differences, which hold for all pilots at once."
CORRECTED = (
    "The corrected range of the apparent winner is a hybrid of a conditional and a simultaneous interval, "
    "and holds whatever the other pilots are like."
)
NOT_KNOWN = "Not known yet: {}."
WHEN_KNOWN = "it is known."
"""What would change a verdict that cannot be given yet."""
NO_SWITCH = "nothing was worked out."
NO_SET = "No price or no value is known, so no set of pilots was chosen."
WITHIN = (
    "Of all sets that the budget can buy and the rule allows, this one is worth most, on average over "
    "thousands of equally likely accounts of the truth."
)
WITHOUT_LIMIT = "No budget was given, so these are all that the rule allows and that are worth their price."
NO_FILE = "No league file was used."
MORE_IN_NUMBERS = "As a share of what was expected, "
ONE_OUTCOME = (
    "are one outcome. Whether people felt safer or were better looked after is not counted here. A pilot "
    "that is stopped on this page may still be worth having for something else."
)
HYBRID_TABLE = "The corrected range of the apparent winner, with its middle"


def rule_told(rule: Mapping[str, float | str | None]) -> str:
    """The rule of a fund, in a sentence or two."""
    asked = chance(float(rule["chance"] or 0))
    text = f"A pilot is mainstreamed where its chance of being worth its price is {asked} or more and its "
    text += "checks hold."
    floor = rule.get("floor")
    if floor is None:
        return text
    return (
        f"{text} It is extended where the chance is {chance(float(floor))} or more and another year of "
        "evidence is worth more than it costs. Where only a lower price would do, the decision names it."
    )


def verdicts_differ(differ: int, n: int) -> str:
    """For how many the league's verdict is not that of the pilot's own report."""
    if not differ:
        return "Nowhere: each pilot has the same verdict in both."
    whom = f"{few(differ)} of the {few(n)}"
    if differ == n:
        whom = "both" if n == 2 else f"all {few(n)}"
    return f"For {whom}, the verdict is another here than in the own report."


def outside(beyond: int, n: int) -> str:
    """How many results lie beyond what luck alone would spread about one common effect."""
    if not beyond:
        return f"None of the {few(n)} lies beyond what luck alone could spread about one common effect."
    lies = "lies" if beyond == 1 else "lie"
    return (
        f"{capital(few(beyond))} of the {few(n)} {lies} beyond what luck alone would spread about "
        "one common effect."
    )


FUNNEL_CARE = "A mark outside may be a truly different pilot, or one of the few that luck alone throws out."


def verdicts_tally(names: Sequence[str]) -> str:
    """ "One is mainstreamed, two are extended with evaluation and four are stopped at this price."."""
    done = dict(zip(VERDICTS, ("cannot be decided yet", "mainstreamed", "extended with evaluation",
                               "extended if cheaper", "stopped at this price"), strict=True))  # fmt: skip
    parts = []
    for name in sorted(VERDICTS, key=order):
        if n := list(names).count(name):
            verb = "" if name == VERDICTS[0] else "is " if n == 1 else "are "
            parts.append(f"{few(n)} {verb}{done[name]}")
    return f"{capital(joint(parts))}."
