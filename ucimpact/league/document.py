"""The document of a league: plain values from which its page is drawn, years later, without the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import ucimpact
from ucimpact import serialise, words
from ucimpact.errors import EstimationError
from ucimpact.evaluation.document import now
from ucimpact.inference.rank_sets import rank_sets
from ucimpact.inference.shrinkage import Prior, chances
from ucimpact.league.alike import Alike, alike
from ucimpact.league.beyond import also_expected, beyond
from ucimpact.league.funding import Funded, as_measured, expected_of, fund
from ucimpact.league.overlap import overlaps
from ucimpact.league.own import OwnReading
from ucimpact.league.pilot import Entry, Pilot, Scale, pilots_of, scale_of
from ucimpact.league.reading import DEFAULT, SCEPTICAL, Reading, Rules
from ucimpact.league.row import pilot_row
from ucimpact.league.sharing import Sharing, sharing
from ucimpact.league.verdicts import GOVERNS, Judged, judge, own
from ucimpact.study.league import About, League
from ucimpact.words import league as said
from ucimpact.words import league_shared as linked
from ucimpact.words.league_beyond import raw_more

TOP = 2
"""Places at the top for which a chance is printed."""
PRIORS = (
    ("As shown", DEFAULT),
    ("Nothing believed of the average", Prior(mean_sd=None)),
    ("Such services change little on average", SCEPTICAL),
    ("The pilots are more alike", Prior(spread=0.05)),
    ("The pilots are less alike", Prior(spread=0.20)),
    ("One pilot may stand out", Prior(outliers=(0.05, 0.30))),
)
"""What could be believed beforehand, and the name of each in the table of sensitivity."""


def compare(
    entries: Sequence[Entry], declared: League | None = None, *, budget: float | None = None
) -> dict[str, Any]:
    """Compare pilots, and return the document of their league.

    Parameters
    ----------
    entries : sequence of Entry
    declared : League, optional
        The league file.
    budget : float, optional
        Pounds of a year; stands before that of the file.

    Raises
    ------
    UsageError, DesignError
        For what cannot be compared, naming all of it with the way out.
    """
    about = None if declared is None else declared.about
    parted = alike(entries, who=None if about is None else about.who)
    pilots = pilots_of(parted.kept, parted.year)
    rules, note = _rules(pilots, about)
    work = _Work(
        pilots=pilots,
        parted=parted,
        about=about,
        rules=rules if budget is None else replace(rules, budget=budget),
        shared=sharing(pilots, None if about is None else about.controls),
        scale=scale_of(pilots),
        notes=[text for text in (parted.note, note, *overlaps(pilots)) if text],
    )
    document = work.document()
    document["league"] |= {
        "text": "" if declared is None else declared.text,
        "hash": "" if declared is None else declared.hash,
    }
    plain: dict[str, Any] = serialise.plain(document)
    return plain


def _rules(pilots: Sequence[Pilot], about: About | None) -> tuple[Rules, str]:
    """What is decided by: the league's own rule, else that of the studies where they agree."""
    own_rules = [pilot.comparable.get("rule") or {} for pilot in pilots]
    given = None if about is None else about.mainstream_if
    asked = {(rule.get("chance", 0.8), rule.get("min_certainty", "low")) for rule in own_rules}
    note = ""
    if given is not None:
        chance, certainty = given.chance_worth_its_cost, given.min_certainty
    elif len(asked) == 1:
        chance, certainty = next(iter(asked))
    else:
        chance, certainty = 0.8, "low"
        note = said.RULES_DIFFER
    costs = None if about is None else about.another_year_costs
    if costs is None:
        known = [
            rule["another_year_costs"] for rule in own_rules if rule.get("another_year_costs") is not None
        ]
        costs = max(known) if known else None
    base = Rules(chance=chance, min_certainty=certainty, another_year_costs=costs)
    if about is None:
        return base, note
    return (
        replace(
            base,
            keep=about.keep_if.chance_worth_its_cost,
            floor=about.extend_if.chance_worth_its_cost,
            years=about.years,
            discount=about.discount,
            budget=about.budget,
        ),
        note,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Work:
    """The steps of one league, in order."""

    pilots: list[Pilot]
    parted: Alike
    about: About | None
    rules: Rules
    shared: Sharing
    scale: Scale
    notes: list[str]

    @property
    def seed(self) -> int:
        return 1 if self.about is None else self.about.seed

    @property
    def governs(self) -> bool:
        return len(self.pilots) >= GOVERNS

    def reading(self, cov: np.ndarray, prior: Prior = DEFAULT) -> Reading:
        made = Reading if self.governs or prior is not DEFAULT else OwnReading
        return made(
            pilots=self.pilots, scale=self.scale, cov=cov, rules=self.rules, seed=self.seed, prior=prior
        )

    def judged(self, reading: Reading) -> list[Judged]:
        places = range(len(self.pilots))
        if self.governs:
            return [judge(reading, k) for k in places]
        return [own(self.pilots[k], self.rules) for k in places]

    # -- the document --------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        main = self.reading(self.shared.cov)
        judged, bounds = self._within_bounds(main)
        funded = fund(main, judged)
        doubtful = self.reading(self.shared.cov, SCEPTICAL)
        sceptical = fund(doubtful, self._under(doubtful, judged))
        ranks = self._ranks(main)
        priors = [self._prior(name, prior, main.leader, judged) for name, prior in PRIORS]
        pilots = [
            pilot_row(k, main, judged[k], funded, sceptical, ranks, governs=self.governs)
            for k in range(len(self.pilots))
        ]
        best = self._best(ranks)
        portfolio = self._portfolio(main, doubtful, funded, sceptical, judged)
        return {
            "schema": serialise.SCHEMA,
            "kind": "league",
            "created": now(),
            "version": ucimpact.__version__,
            "seed": self.seed,
            "league": self._league(),
            "estimand": self._estimand(),
            "pilots": pilots,
            "left_out": list(self.parted.left_out),
            "leader": self.pilots[main.leader].id,
            "best": best,
            "spread": self._spread(main),
            "covariance": {
                "how": self.shared.how,
                "text": self.shared.text,
                "rho": self.shared.rho,
                "bounds": bounds,
            },
            "portfolio": portfolio,
            "priors": [row for row in priors if row is not None],
            "funnel": [
                {
                    "id": pilot.id,
                    "est": row["raw"]["est"],
                    "log": row["raw"]["log"],
                    "std_error": pilot.used_se,
                }
                for pilot, row in zip(self.pilots, pilots, strict=True)
            ],
            "sentences": self._sentences(main, judged, pilots, best),
            "decision": self._decision(main, funded, sceptical, judged, bounds),
            "notes": self.notes + ([] if self.governs else [said.TWO_ONLY]),
        }

    def _league(self) -> dict[str, Any]:
        rules, about = self.rules, self.about
        authors = list(dict.fromkeys(str(pilot.document["study"]["by"]) for pilot in self.pilots))
        return {
            "title": said.title(len(self.pilots)) if about is None else about.title,
            "question": said.QUESTION if about is None else about.question,
            "by": words.joint(authors) if about is None else about.by,
            "who": self._who(),
            "example": about.example
            if about is not None
            else any(pilot.document["study"]["example"] for pilot in self.pilots),
            "budget": rules.budget,
            "years": rules.years,
            "discount": rules.discount,
            "rule": {
                "chance": rules.chance,
                "keep": rules.keep,
                "floor": rules.floor,
                "min_certainty": rules.min_certainty,
            },
            "another_year_costs": rules.another_year_costs,
        }

    def _who(self) -> str:
        if self.about is not None and self.about.who is not None:
            return self.about.who
        return str(self.pilots[0].comparable["estimand"]["people"])

    def _estimand(self) -> dict[str, Any]:
        told = self.pilots[0].comparable["estimand"]
        priced = next((pilot for pilot in self.pilots if pilot.unit_value is not None), None)
        return {
            **{name: told[name] for name in ("outcome", "label", "kind", "better", "contrast", "compared")},
            "window": told["follow_up"],
            "people": self._who(),
            "base": self.scale.base,
            "percent": self.scale.percent,
            "unit_value": None if priced is None else priced.unit_value,
            "counted": None if priced is None else priced.comparable["counted"],
            "price_year": self.parted.year,
            "sentence": said.estimand_sentence(
                len(self.pilots), str(told["outcome"]), str(told["follow_up"]), self._who(), told["compared"]
            ),
        }

    # -- all together --------------------------------------------------------------------

    def _ranks(self, main: Reading) -> dict[str, np.ndarray]:
        """Places that the data allow, with the chances of the first ones; the wider of two bounds."""
        sets = [rank_sets(main.y, self.shared.cov, seed=self.seed)]
        if self.shared.low is not None:
            sets.append(rank_sets(main.y, self.shared.low, seed=self.seed))
        top = min(TOP, len(self.pilots))
        return {
            "low": np.min([found.low for found in sets], axis=0),
            "high": np.max([found.high for found in sets], axis=0),
            "best": chances(main.draws, 1, self.seed),
            "top": chances(main.draws, top, self.seed),
        }

    def _best(self, ranks: Mapping[str, np.ndarray]) -> dict[str, Any]:
        likeliest = int(np.argmax(ranks["best"]))
        highest, first = float(ranks["best"][likeliest]), int((ranks["low"] == 1).sum())
        return {
            "said": highest >= said.CALLED_BEST,
            "id": self.pilots[likeliest].id,
            "chance": highest,
            "could_be_first": first,
            "could_be_last": int((ranks["high"] == len(self.pilots)).sum()),
            "top": min(TOP, len(self.pilots)),
            "text": said.nobody_best(first, len(self.pilots), highest, self.pilots[likeliest].called),
        }

    def _spread(self, main: Reading) -> dict[str, Any]:
        low, high = main.shrunk.spread_interval()
        shares = [
            w / e for w, e in zip(self.scale.worthwhile, self.scale.expected, strict=True) if w and 0 < w < e
        ]
        matters = None
        if shares:
            matters = main.shrunk.chance_spread_above(float(-np.log1p(-np.mean(shares))) / 2)
        est = main.shrunk.spread_mean
        return {
            "est": est,
            "lo": low,
            "hi": high,
            "chance_matters": matters,
            "text": said.spread(est, low, high, matters),
        }

    def _within_bounds(self, main: Reading) -> tuple[list[Judged], dict[str, Any] | None]:
        """Verdicts, and both bounds where it is not known how far the pilots are linked.

        Where the two give a pilot different verdicts there is none yet.
        """
        judged = self.judged(main)
        if self.shared.low is None:
            return judged, None
        apart = self.reading(self.shared.low)
        others = self.judged(apart)
        rows = [
            self._bound(0.0, apart, others, main.leader),
            self._bound(self.shared.rho or 0.0, main, judged, main.leader),
        ]
        differ = [k for k, pair in enumerate(zip(judged, others, strict=True)) if not _same(*pair)]
        unsure = words.Verdict(row=0, name=words.VERDICTS[0], text=f"{words.VERDICTS[0]}: {linked.UNSURE}")
        judged = [replace(one, made=unsure) if k in differ else one for k, one in enumerate(judged)]
        names = [self.pilots[k].short for k in differ]
        return judged, {"rows": rows, "text": linked.bounds_differ(names)}

    def _bound(self, rho: float, reading: Reading, judged: Sequence[Judged], leader: int) -> dict[str, Any]:
        row = self._row(linked.bounds_name(rho), reading, judged, leader)
        verdicts = {pilot.id: one.made.text for pilot, one in zip(self.pilots, judged, strict=True)}
        return {**row, "rho": rho, "verdicts": verdicts}

    def _row(self, name: str, reading: Reading, judged: Sequence[Judged], leader: int) -> dict[str, Any]:
        """The leader, the funded set and what it claims, in one reading."""
        low, high = (float(limits[leader]) for limits in reading.limits)
        lo, hi = self.scale.ends(low, high, leader)
        funded = fund(reading, judged, brief=True)
        return {
            "name": name,
            "leader_est": self.scale.natural(float(reading.shrunk.mean[leader]), leader),
            "leader_lo": lo,
            "leader_hi": hi,
            "funded": [self.pilots[k].id for k in funded.chosen],
            "claim": funded.net if reading.priced else None,
        }

    def _prior(self, name: str, prior: Prior, leader: int, judged: Sequence[Judged]) -> dict[str, Any] | None:
        """One line of the sensitivity to what is believed beforehand; None where it cannot be worked out."""
        reading = self.reading(self.shared.cov, prior)
        try:
            return self._row(name, reading, self._under(reading, judged), leader)
        except EstimationError:
            return None  # more pilots than a two-part prior is worked out for

    def _under(self, reading: Reading, judged: Sequence[Judged]) -> list[Judged]:
        """Verdicts in another reading; one that cannot be given for what is shared is not given there."""
        made = self.judged(reading)
        return [
            replace(new, made=old.made) if old.made.row == 0 else new
            for old, new in zip(judged, made, strict=True)
        ]

    # -- money ---------------------------------------------------------------------------

    def _portfolio(
        self,
        main: Reading,
        doubtful: Reading,
        funded: Funded,
        sceptical: Funded,
        judged: Sequence[Judged],
    ) -> dict[str, Any] | None:
        if not main.priced:
            return None
        raw = as_measured(main)
        could = float(main.net @ raw.funded)
        chosen, naive = set(funded.chosen), {int(k) for k in np.flatnonzero(raw.funded)}
        same = chosen == set(sceptical.chosen)
        net = expected_of(doubtful, funded)
        text = [
            said.raw_text(
                self._shorts(sorted(chosen - naive)),
                self._shorts(sorted(naive - chosen)),
                raw.claimed,
                could,
            )
        ]
        if chosen and chosen != naive and could > funded.net > 0:
            text.append(raw_more(could, funded.net, float(doubtful.net @ raw.funded), net))
        elif chosen:
            text.append(said.sceptical_text(net))
        return {
            "budget": self.rules.budget,
            "funded": [self.pilots[k].id for k in funded.chosen],
            "cost": funded.cost,
            "value": funded.value,
            "net": funded.net,
            "low": funded.low,
            "high": funded.high,
            "chance": funded.chance,
            "unspent": funded.unspent,
            "raw": {
                "funded": [self.pilots[k].id for k in sorted(naive)],
                "claimed": raw.claimed,
                "expected": could,
            },
            "sceptical": {
                "net": net,
                "same": same,
                "funded": [self.pilots[k].id for k in sceptical.chosen],
            },
            "beyond": beyond(main, doubtful, funded, judged),
            "text": " ".join(text),
        }

    def _shorts(self, places: Sequence[int]) -> list[str]:
        return [self.pilots[k].short for k in places]

    def _decision(
        self,
        main: Reading,
        funded: Funded,
        sceptical: Funded,
        judged: Sequence[Judged],
        bounds: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        priced = main.priced
        if not priced:
            return {"verdict": said.NO_MONEY, "because": said.NO_MONEY_WHY, "unspent": "", "would_change": ""}
        chosen = funded.chosen
        out = [k for k in chosen if k not in sceptical.chosen]
        joined = [k for k in sceptical.chosen if k not in chosen]
        passed = sum(judged[k].is_funded for k in priced)
        because = [
            said.fund_because(len(chosen), funded.net, funded.low, funded.high, funded.chance, passed=passed)
        ]
        because.append(said.sceptical_changes(self._shorts(out), self._shorts(joined)))
        unsure = [k for k in priced if judged[k].made.text.endswith(linked.UNSURE)]
        if bounds is not None and unsure:
            because.append(linked.claims_of_bounds(*(row["claim"] for row in bounds["rows"])))
        unspent = ""
        if funded.unspent is not None and funded.unspent >= 1:
            cheaper = [k for k in priced if judged[k].made.row in (3, 4, 5) and not judged[k].is_funded]
            left = [k for k in priced if judged[k].is_funded and k not in chosen]
            asked = judged[cheaper[0]].made.price if len(cheaper) == 1 else None
            first = min(left, key=lambda k: float(main.stakes.cost[k]), default=None)
            unspent = said.unspent_text(
                self._shorts(cheaper),
                self._shorts(left),
                too=also_expected(main, funded, judged),
                price=asked if asked is not None and asked >= 1 else None,
                least=None
                if chosen or first is None
                else (self.pilots[first].short, float(main.stakes.cost[first])),
            )
            held = linked.undecided(
                self._shorts(unsure), float(main.stakes.cost[unsure].sum()), funded.unspent
            )
            unspent = f"{held} {unspent}".strip()
        released = 0
        for pilot in self.pilots:
            columns = (pilot.document.get("valuation") or {}).get("columns") or {}
            released += bool((columns.get("cash") or {}).get("value"))
        counted = self.pilots[priced[0]].comparable["counted"]
        return {
            "verdict": said.fund_verdict(len(chosen), funded.cost, self.rules.budget, passed=passed),
            "because": " ".join(text for text in because if text),
            "unspent": unspent,
            "would_change": said.cash_clause(len(self.pilots), released, counted),
        }

    # -- sentences -----------------------------------------------------------------------

    def _sentences(
        self,
        main: Reading,
        judged: Sequence[Judged],
        pilots: Sequence[Mapping[str, Any]],
        best: Mapping[str, Any],
    ) -> dict[str, str]:
        k, scale = main.leader, self.scale
        leader = pilots[k]
        raw, shrunk = leader["raw"], leader["shrunk"]
        sign = -1 if scale.better == "lower" else 1
        share = said.cut(sign * raw["est"], sign * shrunk["est"])
        larger = max(sign * row["raw"]["est"] for row in pilots) > sign * raw["est"] + 1e-9
        ready = [
            (self.pilots[at].called, judged[at].chance or 0.0)
            for at, one in enumerate(judged)
            if one.made.row == 1
        ]
        return {
            "headline": said.headline([one.made.row for one in judged], share),
            "lead": said.lead(
                ready=ready,
                leader=self.pilots[k].called,
                how=scale.measure,
                per=f"{scale.per} people" if scale.base is not None else "",
                outcome=self.pilots[0].found["outcome"],
                raw=(raw["est"], raw["lo"], raw["hi"]),
                shrunk=shrunk["est"],
                corrected=(leader["hybrid"]["lo"], leader["hybrid"]["hi"]) if leader["hybrid"] else None,
                better=scale.better,
                percent_too=100 * float(np.expm1(raw["log"])) if larger and not scale.percent else None,
            ),
            "second": best["text"],
        }


def _same(one: Judged, other: Judged) -> bool:
    """Whether two verdicts are the same, whatever price they name."""
    return one.made.row == other.made.row and one.is_funded == other.is_funded
