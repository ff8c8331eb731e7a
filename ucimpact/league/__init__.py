"""Several pilots that answer one question, in the light of one another.

In: released evaluations. Out: one document of plain values, from which the page of the league is drawn. On
the way those that answer another question are left out by name (:mod:`~ucimpact.league.alike`), what they
share is found (:mod:`~ucimpact.league.sharing`), luck is allowed for (:mod:`~ucimpact.league.reading`), and
each gets a verdict (:mod:`~ucimpact.league.verdicts`) before the budget is spent
(:mod:`~ucimpact.league.funding`).
"""

from ucimpact.league.document import compare
from ucimpact.league.gathering import gather, gather_declared, is_league
from ucimpact.league.pilot import Entry

__all__ = ["Entry", "compare", "gather", "gather_declared", "is_league"]
