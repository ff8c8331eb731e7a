"""The examples whose data are people and dated events: their services, names and files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ucimpact.data.simulate import HOUSES, TOWNS
from ucimpact.data.simulate_histories import CONTACT, NURSE, HistoriesDraw, ServiceHistories
from ucimpact.data.simulate_services import SERVICES as DESIGNS
from ucimpact.data.simulate_truth import LAST_COST, PLACE

COPIES = 80
RECENT = 400
"""Days before the service from which contacts and nurse visits are held: the community's records begin later."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One example.

    Attributes
    ----------
    design : ServiceHistories
    horizon : int
        Days of follow-up for which the truth is told.
    prefix : str
        Of the names of people.
    left_out : tuple of str
        Parts of the truth that say nothing here.
    """

    design: ServiceHistories
    horizon: int
    prefix: str
    left_out: tuple[str, ...] = ()

    def draw(self, seed: int) -> HistoriesDraw:
        """The data of a seed with the truth, under the names of this example."""
        return _drawn(self, seed)

    def drawn(self, seed: int) -> HistoriesDraw:
        """The same, made anew."""
        made = self.design.draw(seed, copies=COPIES, horizon=self.horizon)
        began = pd.Timestamp(self.design.first) - pd.Timedelta(days=RECENT)
        late = made.events["Kind"].isin((CONTACT, NURSE)) & (made.events["Date"] < began)
        events = made.events[~late].reset_index(drop=True)
        if PLACE in self.left_out:
            events = events[events["Kind"] != "death in hospital"].drop(columns="Last 30 days")
        table = made.table.assign(Practice=self._practices(made.table["Practice"]))
        truth = {name: values for name, values in made.truth.items() if name not in self.left_out}
        return HistoriesDraw(
            table=self._named(table), truth=truth, events=self._named(events), visited=made.visited
        )

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(Person=self.prefix + table["Person"].str[1:])

    def _practices(self, codes: pd.Series) -> np.ndarray:
        place = codes.str.split().str[1].astype(int).to_numpy() - 1
        names = [
            f"{TOWNS[at % len(TOWNS)]} {HOUSES[at % len(HOUSES)]}" for at in range(self.design.practices)
        ]
        return np.array(names, dtype=object)[place]


@cache
def _drawn(service: Service, seed: int) -> HistoriesDraw:
    """Three services, each drawn once however often it is asked for."""
    return service.drawn(seed)


PREFIX = {"soft_landing": "SL", "discharge_planning": "DP", "palliative_inreach": "PI"}
LEFT_OUT = {
    "soft_landing": (PLACE, LAST_COST),
    "discharge_planning": (PLACE, LAST_COST),
    "palliative_inreach": ("before_after",),
}
SERVICES = {
    name: Service(design=design, horizon=horizon, prefix=PREFIX[name], left_out=LEFT_OUT[name])
    for name, (design, horizon) in DESIGNS.items()
}

TRUTH = (
    "By potential outcomes of the people visited: each lives the days after the first visit {copies} times with it and "
    "without it, with the same illness, the same death and the same luck. `ratio` in the design multiplies the rate "
    "of every emergency admission after the first visit; stays, prices, deaths, injuries and contacts are not touched. "
    "The outcomes are against care as usual, in which some are visited later: `att` is for a person (of what is "
    "counted, over {horizon} days at risk), `per_100` for 100 people, `cumulative` for all of them, `relative` a share of "
    "what was expected. A yes or no is a share of the people whose whole window is seen. `ratios` are those of "
    "admissions by the question asked."
)
BEFORE_AFTER = " `before_after` is the people visited: admissions a person in the {horizon} days before the first visit and expected after."


def about(name: str) -> str:
    """What the truth file says of itself."""
    service = SERVICES[name]
    text = TRUTH + ("" if "before_after" in service.left_out else BEFORE_AFTER)
    return text.format(copies=COPIES, horizon=service.horizon)
