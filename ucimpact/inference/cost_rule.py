"""Which variance of a ratio of mean costs to trust: own spread where there are places enough, else none.

Chance gives costs no known variance, as it does counts, so a lone place shows nothing that could be told from
its effect, and what places drift by themselves cannot be told from a long tail.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.inference.count_effects import Expected, Found
from ucimpact.inference.count_rule import OWN_SPREAD, Rule, heard, number_of, places_before, spread_alone
from ucimpact.inference.few_clusters import ENOUGH, FEWEST_COMPARISON, OTHERWISE

NO_SPREAD = 1e-10
"""Standard error of a log ratio up to which it is rounding."""


def choose_for_costs(main: Found, expected: Expected, *, noun: str, dispersion: float) -> Rule:
    """The rule for amounts whose chance variation is not known: own spread, or nothing.

    With fewer than six places in a group the ratio of mean costs has no measured procedure.
    """
    counts, contributions = expected.counts, main.contributions
    pilot = counts.place_pilot
    n1, n0, silent = heard(contributions)
    places, _ = places_before(expected, noun)
    account: dict[str, Any] = {
        "n1": n1,
        "n0": n0,
        "places": n1 + n0,
        "silent_places": silent,
        "noun": noun,
        "size_ratio": places.size_ratio,
        "flag_ratio": float("nan"),
        "variance_flag": False,
        "breakdown_ratio": None,
        "smallest_p": None,  # a t has none
        "second_opinion": None,
        "df": None,
        "dispersion": dispersion,
        "seed": 1,
    }
    spread = np.ones(len(pilot))
    refused = None
    if n0 < FEWEST_COMPARISON:
        refused = (
            f"No p-value or likely range can be had: {number_of(n0, 'comparison', noun)}, and at least "
            f"{FEWEST_COMPARISON} are needed. {OTHERWISE}"
        )
    elif min(n1, n0) < ENOUGH:
        refused = (
            f"No p-value or likely range is given: how sure a ratio of costs is with {n1} pilot and {n0} "
            f"comparison {noun} has not been settled, and {ENOUGH} of each are needed. The difference in "
            "pounds (did, or imputation where starts differ) has a rule for few places."
        )
    alone = spread_alone(contributions, ENOUGH)
    df, error = float(alone.df[0]), float(alone.std_error[0])
    if refused is None and not (np.isfinite(df) and error > NO_SPREAD):
        refused = (
            f"No p-value or likely range can be had: the {noun} moved exactly alike, so they show no spread "
            "to judge by. Choose an outcome that varies."
        )
    if refused is not None:
        account |= {"procedure": "refused", "reason": refused}
        return Rule("refused", spread, False, ENOUGH, dispersion, "no interval", account, (refused,), refused)
    account["df"] = df
    account["procedure"] = "own-spread"
    account["reason"] = (
        f"{n1} pilot and {n0} comparison {noun}: enough of both for their own spread to be used"
    )
    return Rule("cost", spread, True, ENOUGH, dispersion, OWN_SPREAD, account, (), None)
