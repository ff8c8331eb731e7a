"""Pilots that would be expected to pay and are not funded, and what buying them too would add.

The rule asks for a chance, not for an expectation alone, so a pilot may be worth more than its price on
average and still be left out. Whoever decides is told who, by what, and what it costs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ucimpact.league.funding import Funded
from ucimpact.league.reading import Reading
from ucimpact.league.verdicts import EVIDENCE, SHORT_OF_THE_RULE, Judged
from ucimpact.words import league_beyond as said


def beyond(
    main: Reading, doubtful: Reading, funded: Funded, judged: Sequence[Judged]
) -> dict[str, Any] | None:
    """What buying those too would be expected to add; None where there are none.

    Parameters
    ----------
    main, doubtful : Reading
        As shown, and if such services are believed to change little on average.
    funded : Funded
    judged : sequence of Judged
    """
    short = _short(main, funded, judged)
    if not short:
        return None
    cost, one = float(main.stakes.cost[short].sum()), short[0] if len(short) == 1 else None
    evaluation = main.rules.another_year_costs
    highest = max(float(main.chance[k]) for k in short)
    text = said.beyond_text(
        _told(main, short),
        rule=main.rules.chance,
        cost=cost,
        net=funded.net,
        sceptical=float(doubtful.net[short].sum()),
        evidence=None if one is None or evaluation is None else (float(main.evsi[one]), evaluation),
        unspent=funded.unspent,
        less_sure=any(judged[k].made.row == EVIDENCE and main.chance[k] < highest for k in funded.chosen),
    )
    return {
        "ids": [main.pilots[k].id for k in short],
        "cost": cost,
        "net": float(main.net[short].sum()),
        "text": text,
    }


def also_expected(main: Reading, funded: Funded, judged: Sequence[Judged]) -> str:
    """The same in one sentence; empty where there are none."""
    short = _short(main, funded, judged)
    return said.also(_told(main, short), main.rules.chance) if short else ""


def _short(main: Reading, funded: Funded, judged: Sequence[Judged]) -> list[int]:
    """Places of those pilots, the largest net first."""
    found = [
        k
        for k in main.priced
        if judged[k].made.row == SHORT_OF_THE_RULE and main.net[k] > 0 and k not in funded.chosen
    ]
    return sorted(found, key=lambda k: -main.net[k])


def _told(main: Reading, short: Sequence[int]) -> list[said.Short]:
    return [(main.pilots[k].short, float(main.net[k]), float(main.chance[k])) for k in short]
