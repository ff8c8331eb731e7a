"""The matched picture of sequential trials, for whatever reads people and not events."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ucimpact.data.cohort import Cohort
from ucimpact.methods.sequential_trials_emulation import Emulation

Array = np.ndarray
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Trials:
    """Those who start and the people beside them.

    Attributes
    ----------
    emulation : Emulation
    place : array (m,) of int
        Row of the emulation of each line of the cohort.
    set, treated, weight : array (m,)
    """

    emulation: Emulation
    place: Array
    set: Array
    treated: Array
    weight: Array

    @property
    def cohort_person(self) -> Array:
        """Row of the table of people of each line."""
        return np.asarray(self.emulation.rows.person[self.place])

    @property
    def cohort_day(self) -> Array:
        """Time zero of each line, in days since 1970."""
        return np.asarray(self.emulation.rows.day[self.place])

    @cached_property
    def cohort(self) -> Cohort:
        """One line a start or matched comparison row, with days at risk within the horizon."""
        e, place = self.emulation, self.place
        index = [EPOCH + dt.timedelta(days=int(day)) for day in self.cohort_day]
        columns: dict[str, object] = {
            "person": self.cohort_person,
            "set": self.set,
            "pilot": self.treated.astype(int),
            "index_date": index,
            "service_start": [day if own else None for day, own in zip(index, self.treated, strict=True)],
            "follow_up": e.at_risk[place],
            "weight": self.weight,
        }
        if e.histories.clusters is not None:
            columns["cluster"] = e.histories.clusters[self.cohort_person]
        columns |= {f"{name}": e.x[place, k] for k, name in enumerate(e.names) if name not in columns}
        return Cohort(
            pd.DataFrame(columns),
            person="person",
            pilot="pilot",
            index_date="index_date",
            service_start="service_start",
            follow_up="follow_up",
            horizon=float(e.plan.opening.horizon),
            cluster="cluster" if "cluster" in columns else None,
        )


def trials_of(emulation: Emulation) -> Trials:
    """The matched lines of an emulation."""
    members = emulation.sets.members()
    place = members["row"].to_numpy()
    return Trials(
        emulation,
        place,
        members["set"].to_numpy(),
        members["treated"].to_numpy(),
        members["weight"].to_numpy(),
    )
