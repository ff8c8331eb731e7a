"""Funds of several pilots: what is said of the one that looks best, of their places, and of what to fund.

Every fund is read by the functions that a league is made of, and beside them by what is usually done: the
result as measured, a point estimate of the spread, chances from results drawn again, and money to whatever
came out on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.calibration.board import Cell, Family, Method, Record, Target
from benchmarks.calibration.funds import TRUTHS, YEARS, Fund, Funds, Sharing, Truth
from ucimpact.decision.funding import Rule, fund, keep
from ucimpact.decision.information import expected, noise_of, update
from ucimpact.decision.portfolio import ALL_SETS, best_set
from ucimpact.inference.plug_in import plug_in
from ucimpact.inference.rank_sets import rank_sets
from ucimpact.inference.shrinkage import Prior, Shrunk, chances, shrink
from ucimpact.inference.winners import hybrid

Array = np.ndarray

DRAWS, DRAWS_SHARED = 1_000, 500
FEWER = {4: 300, 12: 300, 50: 200}
"""Funds a cell, where they are not of seven pilots."""

Z = 1.959964
POINT, THOUSAND = 100.0, 1e-3
LEADER, PLACES, FIRST = "the pilot that looks best", "places", "the chance of being best"
MONEY, BEST_SET = "money", "the best set"
ACCOUNTS, ACCOUNTS_OF_MANY = 400, 2
"""Likely accounts of the truth drawn for a fund, and for one with too many pilots to try every set."""
RANK_DRAWS = 2_000


# -- the pilot that looks best -----------------------------------------------------------------


def as_measured(drawn: Fund) -> Iterator[Record]:
    """The largest result and its own interval."""
    k = int(drawn.measured.argmax())
    yield _told(drawn, k, drawn.measured[k], Z * drawn.std_error[k])


def point_spread(drawn: Fund) -> Iterator[Record]:
    """Shrunken with the spread at its REML estimate, as if it were known."""
    k = int(drawn.measured.argmax())
    found = plug_in(drawn.measured, drawn.cov, how="REML")
    yield _told(drawn, k, found.mean[k], Z * found.sd[k])


def shrunken(drawn: Fund) -> Iterator[Record]:
    """The number that a league shows, with its interval."""
    k = int(drawn.measured.argmax())
    found = shrink(drawn.measured, drawn.cov)
    low, high = found.interval()
    yield _within(drawn, k, found.mean[k], low[k], high[k])


def corrected(drawn: Fund) -> Iterator[Record]:
    """The interval that a league gives beside it."""
    k = int(drawn.measured.argmax())
    found = hybrid(drawn.measured, drawn.cov, seed=drawn.seed)
    yield _within(drawn, k, found.estimate, found.low, found.high)


def _told(drawn: Fund, k: int, number: float, half: float) -> Record:
    return _within(drawn, k, number, number - half, number + half)


def _within(drawn: Fund, k: int, number: float, low: float, high: float) -> Record:
    true = drawn.truth[k]
    return {
        "term": LEADER,
        "bias": POINT * (number - true),
        "coverage": bool(low <= true <= high),
        "width": POINT * (high - low),
    }


# -- places ------------------------------------------------------------------------------------


def places(drawn: Fund) -> Iterator[Record]:
    """Whether every place that each pilot truly could hold is within its set, all at once."""
    found = rank_sets(drawn.measured, drawn.cov, draws=RANK_DRAWS, seed=drawn.seed)
    yield _places(drawn, found.low, found.high)


def apart(drawn: Fund) -> Iterator[Record]:
    """Places read off intervals: one pilot above another where the two do not overlap."""
    half = Z * drawn.std_error
    above = (drawn.measured - half)[:, None] > (drawn.measured + half)[None, :]
    yield _places(drawn, 1 + above.sum(axis=0), len(half) - above.sum(axis=1))


def in_order(drawn: Fund) -> Iterator[Record]:
    """Places read off the results: first is first."""
    place = 1 + (-drawn.measured).argsort().argsort()
    yield _places(drawn, place, place)


def _places(drawn: Fund, low: Array, high: Array) -> Record:
    more = drawn.truth[:, None] > drawn.truth[None, :]
    first, last = 1 + more.sum(axis=0), len(more) - more.sum(axis=1)
    return {
        "term": PLACES,
        "coverage": bool(((low <= first) & (last <= high)).all()),
        "places": float((high - low + 1).mean()),
        "could be first": float((low == 1).sum()),
    }


# -- chances -----------------------------------------------------------------------------------


def posterior_chance(drawn: Fund) -> Record:
    """The largest chance of being best, and whether that pilot is."""
    return _first(drawn, shrink(drawn.measured, drawn.cov).draws(ACCOUNTS * 5, seed=drawn.seed))


def drawn_again(drawn: Fund) -> Record:
    """The same where the results are drawn again about themselves."""
    rng = np.random.default_rng([drawn.seed, 3])
    luck = rng.standard_normal((ACCOUNTS * 5, len(drawn.truth)))
    return _first(drawn, drawn.measured + luck @ np.linalg.cholesky(drawn.cov).T)


def _first(drawn: Fund, draws: Array) -> Record:
    share = chances(draws)
    best = drawn.truth == drawn.truth.max()
    return {"term": FIRST, "said": share.max(), "true": best[share.argmax()] / best.sum()}


def alone(read: Callable[[Fund], Record], drawn: Fund) -> Iterator[Record]:
    """One record of a fund."""
    yield read(drawn)


# -- money -------------------------------------------------------------------------------------


def by_rule(
    drawn: Fund, rule: Rule | None = None, prior: Prior | None = None, years: int = YEARS
) -> Iterator[Record]:
    """The league's rule: a second year where it pays, then kept or stopped on what both years say.

    What is worth less than its price is offered its second year at a lower one, so no money goes to it here.
    """
    rule = rule or Rule()
    belief = shrink(drawn.measured, drawn.held, prior)
    many = len(drawn.truth) > ALL_SETS
    found = fund(
        [str(k) for k in range(len(drawn.truth))],
        belief,
        drawn.stakes,
        noise_of(drawn.std_error),
        belief.draws(ACCOUNTS_OF_MANY if many else ACCOUNTS, seed=drawn.seed),
        budget=drawn.budget,
        rule=rule,
        years=years,
        allowed=list(expected(belief, drawn.stakes) >= 0),
    )
    chosen = found.portfolio.chosen > 0
    extended = chosen & (np.array(found.weighed.kind) == "extend")
    claimed = float(found.weighed.worth[chosen].sum())
    yield _money(drawn, _realised(drawn, belief, chosen, extended, rule), claimed)
    if not many:
        truly = best_set(drawn.stakes.net(drawn.truth), drawn.stakes.cost, drawn.budget)
        for k in np.flatnonzero(chosen):
            yield {"term": BEST_SET, "said": found.portfolio.in_best[k], "true": bool(truly[k])}


def _realised(drawn: Fund, belief: Shrunk, chosen: Array, extended: Array, rule: Rule) -> float:
    """Pounds over the years, with the second year's results as they would have come in."""
    net = drawn.stakes.net(drawn.truth)
    value = YEARS * net[chosen & ~extended].sum()
    again = np.flatnonzero(extended)
    if len(again):
        held = drawn.held[np.ix_(again, again)]
        kept = keep(update(belief, again, drawn.second_year(again), held), drawn.stakes, rule)[again]
        value += net[again].sum() + (YEARS - 1) * net[again][kept].sum()
        value -= rule.another_year_costs * len(again)
    return float(value)


def unshared(drawn: Fund) -> Iterator[Record]:
    """The rule where nobody says that the pilots share what they are compared with."""
    for record in by_rule(replace(drawn, assumed=np.diag(np.diag(drawn.cov)))):
        if record["term"] == MONEY:
            yield record


def by_mean(drawn: Fund) -> Iterator[Record]:
    """The set with the largest expected net benefit, for all the years."""
    belief = shrink(drawn.measured, drawn.cov)
    worth = expected(belief, drawn.stakes)
    yield _for_good(drawn, worth, best_set(worth, drawn.stakes.cost, drawn.budget))


def by_set(drawn: Fund) -> Iterator[Record]:
    """The set whose results as measured claim most."""
    worth = drawn.stakes.net(drawn.measured)
    yield _for_good(drawn, worth, best_set(worth, drawn.stakes.cost, drawn.budget))


def by_stars(drawn: Fund) -> Iterator[Record]:
    """Of those whose interval leaves out no change, the set whose results claim most."""
    worth = drawn.stakes.net(drawn.measured)
    worth = np.where(drawn.measured > Z * drawn.std_error, worth, -1.0)
    yield _for_good(drawn, worth, best_set(worth, drawn.stakes.cost, drawn.budget))


def by_winner(drawn: Fund, *, net: bool) -> Iterator[Record]:
    """The one with the largest result, or with the largest net benefit as measured."""
    worth = drawn.stakes.net(drawn.measured)
    winner = int((worth if net else drawn.measured).argmax())
    yield _for_good(drawn, worth, np.arange(len(worth)) == winner)


def knowing(drawn: Fund) -> Iterator[Record]:
    """What could be had if the truth were known."""
    worth = drawn.stakes.net(drawn.truth)
    yield _for_good(drawn, worth, best_set(worth, drawn.stakes.cost, drawn.budget))


def _for_good(drawn: Fund, claims: Array, funded: Array) -> Record:
    value = YEARS * float(drawn.stakes.net(drawn.truth)[funded].sum())
    return _money(drawn, value, YEARS * float(claims[funded].sum()))


def _money(drawn: Fund, value: float, claimed: float) -> Record:
    """In thousands; what it is above the two naive winners is of the same fund."""
    net, raw = drawn.stakes.net(drawn.truth), drawn.stakes.net(drawn.measured)
    by_effect, by_net = (YEARS * net[winner.argmax()] for winner in (drawn.measured, raw))
    return {
        "term": MONEY,
        "value": THOUSAND * value,
        "claimed": THOUSAND * claimed,
        "loses": value < 0,
        "over the winner": THOUSAND * (value - by_effect),
        "over the winner by net": THOUSAND * (value - by_net),
    }


# -- cells -------------------------------------------------------------------------------------


def _naive(name: str, read: Callable[[Fund], Iterable[Record]]) -> Method:
    return Method(name=name, read=read, package="numpy")


METHODS = (
    Method(name="shrunken", read=shrunken),
    Method(name="hybrid", read=corrected),
    _naive("as measured", as_measured),
    _naive("spread at its REML estimate", point_spread),
    Method(name="rank sets", read=places),
    _naive("intervals apart", apart),
    _naive("in order of results", in_order),
    Method(name="posterior", read=partial(alone, posterior_chance)),
    _naive("results drawn again", partial(alone, drawn_again)),
    Method(name="the rule", read=by_rule),
    _naive("the rule, doubting prior", partial(by_rule, prior=Prior(mean_sd=0.05))),
    _naive("the rule, looking two years on", partial(by_rule, years=2)),
    _naive("no second year", partial(by_rule, rule=Rule(floor=1.0))),
    _naive("largest posterior mean", by_mean),
    _naive("winner by result", partial(by_winner, net=False)),
    _naive("winner by net benefit", partial(by_winner, net=True)),
    _naive("best set as measured", by_set),
    _naive("all that leave out no change", by_stars),
    _naive("truth known", knowing),
)

SHARED_METHODS = (*METHODS, _naive("the rule, sharing not said", unshared))

OF_TABLE: dict[Truth, float] = {"null": -34.0, "re05": -10.0, "re10": 169.0, "two": 183.0}
"""What the rule left, in thousands over five years, in the trials by which it was chosen."""

TARGETS = (
    Target(measure="bias", low=-3.0, high=3.0, terms=(LEADER,), methods=("shrunken",), beyond=2),
    Target(measure="coverage", low=0.93, high=0.99, terms=(LEADER,), methods=("shrunken",), beyond=2),
    Target(measure="coverage", low=0.93, high=0.97, terms=(LEADER,), methods=("hybrid",), beyond=2),
    Target(measure="coverage", low=0.95, terms=(PLACES,), methods=("rank sets",), beyond=2),
    Target(measure="over the winner", low=0.0, terms=(MONEY,), methods=("the rule",)),
)


def _cell(truth: Truth, pilots: int = 7, sharing: Sharing = "none") -> Cell:
    process = Funds(truth=truth, pilots=pilots, sharing=sharing)
    at_least = Target(
        measure="value", low=OF_TABLE[truth], terms=(MONEY,), methods=("the rule",), beyond=2 * math.sqrt(2)
    )
    in_table = pilots == 7 and sharing == "none"
    return Cell(
        name=process.name,
        process=process,
        methods=METHODS if sharing == "none" else SHARED_METHODS,
        draws=FEWER.get(pilots, DRAWS if sharing == "none" else DRAWS_SHARED),
        targets=(*TARGETS, at_least) if in_table else TARGETS,
    )


SHARINGS: tuple[Sharing, ...] = ("none", "half", "one arm")

ABOUT = """\
Seven pilots unless said, with standard errors of 0.06 to 0.25 on the log scale and 400 to 1,650 people. A
point is 0.01 of the log rate ratio, about 1% fewer admissions. Money is thousands of pounds over five years
with a budget of 400,000 a year (in proportion for other numbers of pilots): what a choice really left, what
it claimed, how often it lost, and how much more than one pilot for good: the one with the largest result, or
with the largest net benefit as measured. Under *The best set* stands how often a funded pilot was said to
belong to the set that is best if the truth is known, and how often it did. A share or a bias may pass its
bound by two Monte Carlo errors, and money by two of the difference of two runs. The shrunken number, the
hybrid interval, the rank sets, the posterior chances and the rule are the functions of `ucimpact compare`;
the rest is what is usually done. In plain words: [league_trials.md](league_trials.md)."""

FAMILIES = (
    Family(
        name="league",
        title="Funds of several pilots (the one that looks best: bias within 3 points, covered in 93% to "
        "99%; hybrid 93% to 97%; places 95% or more; money: no less than where the rule was chosen)",
        about=ABOUT,
        cells=tuple(_cell(truth, sharing=sharing) for sharing in SHARINGS for truth in TRUTHS)
        + tuple(_cell(truth, pilots) for pilots in FEWER for truth in TRUTHS),
        layout="by question",
    ),
)
