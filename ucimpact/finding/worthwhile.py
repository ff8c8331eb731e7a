r"""The smallest worthwhile effect where it is what would repay the pilot's price.

With :math:`C` what the pilot cost for :math:`n` people and :math:`u` what one event is worth in the column
that decides, the break-even is

.. math:: w = \frac{C / n}{u}

events a person, or :math:`C / u` events over the whole pilot where places are analysed. It is fixed by the
study file alone, before any effect is known. Other outcomes with a value do not lower it: this is what the
main outcome would have to do by itself.
"""

from __future__ import annotations

from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.economics.prices import worth_of_one
from ucimpact.economics.valuation import spent
from ucimpact.errors import UsageError
from ucimpact.finding.units import Units, worthwhile_in
from ucimpact.study import DecisionRule, Outcome, Study


def worthwhile_of(
    study: Study, outcome: Outcome, data: Panel | Series | Cohort, units: Units
) -> float | None:
    """The smallest worthwhile effect in headline units, positive; None where none was agreed.

    Raises
    ------
    UsageError
        For a number of events, or a break-even, where the analysis is of ratios; for a break-even without
        what it needs.
    """
    agreed = outcome.worthwhile
    if agreed is None or agreed.form != "break-even":
        return worthwhile_in(outcome, units)
    if units.events_per_unit is None:
        raise UsageError(
            f"worthwhile of {outcome.label}: a break-even is a number of events, and this analysis gives "
            "none. Agree a share of what is expected, such as worthwhile = -0.05"
        )
    people = None
    if isinstance(data, Cohort):
        people = abs(units.events_per_unit) * units.factor
    return worthwhile_in(outcome, units, events_to_repay(study, outcome, people))


def events_to_repay(study: Study, outcome: Outcome, people: float | None = None) -> float:
    """How many events over the pilot would repay what it cost.

    Parameters
    ----------
    people : float, optional
        People analysed, where rows are people: the price is of each of them.

    Raises
    ------
    UsageError
        Where the study gives no price, no number of people to share it among, or no value of an event.
    """
    cost = spent(study.cost, people)
    column = (study.decision or DecisionRule()).value_counted
    each = worth_of_one(study, outcome, column)
    lacking = [] if each > 0 else [f"what one event is worth ({column}), above £0"]
    if not cost or not cost["total"] or (people and not cost["people"]):
        lacking.insert(0, "a price: [cost] with people")
    if cost is None or lacking:
        raise UsageError(f'worthwhile = "break-even" of {outcome.label} needs {" and ".join(lacking)}')
    total = float(cost["total"])
    return total / each if not people else total / float(cost["people"]) * people / each
