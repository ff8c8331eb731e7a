r"""Made-up members of a self-care and mutual aid group, who have only themselves to be compared with.

Member :math:`i` has a lasting wellbeing :math:`w_i` and a lasting need :math:`\lambda_i` of the GP, the
lower the one the higher the other. They come in a bad spell: the practice refers people with many
contacts, and nobody goes to a first meeting on a good day.

.. math::
   n_i \sim \text{Poisson}(\lambda_i) \;\text{ given }\; n_i \ge c, \qquad
   s_{i0} = w_i - d_i + e_{i0}, \qquad s_{i1} = w_i + \gamma + e_{i1}, \qquad
   n_{i1} \sim \text{Poisson}(\lambda_i)

with the dip :math:`d_i` of the first meeting, which passes by itself, an answer's own luck :math:`e`,
and :math:`\gamma` that the group adds. Contacts are not changed. Answers are whole numbers on the
scale's range.

The truth says what a before-after comparison is expected to show, and how much of that the group did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.data.simulate import floats
from ucimpact.data.simulate_people import PeopleDraw

LOW, HIGH = 7, 35
"""The range of the short Warwick-Edinburgh scale."""
SCORE, CONTACTS = "Wellbeing after", "GP contacts after"


@dataclass(frozen=True, kw_only=True)
class SelfCare:
    """Members of one group: wellbeing at the first meeting and after six months, and contacts with the GP.

    Parameters
    ----------
    members : int, default 46
    wellbeing, spread : float, default 21.0, 3.5
        Mean and standard deviation of lasting wellbeing.
    dip : float, default 1.6
        Mean of how far wellbeing lies below that at the first meeting; exponential.
    luck : float, default 2.0
        Standard deviation of one answer.
    gain : float, default 0.8
        What the group adds to the score.
    contacts, shape : float, default 2.6, 1.2
        Mean GP contacts in 180 days among those it chose from, and the shape of their gamma.
    at_least : int, default 4
        Contacts in the 180 days before that the referral asks for.
    """

    members: int = 46
    wellbeing: float = 21.0
    spread: float = 3.5
    dip: float = 1.6
    luck: float = 2.0
    gain: float = 0.8
    contacts: float = 2.6
    shape: float = 1.2
    at_least: int = 4

    def draw(self, seed: int) -> PeopleDraw:
        """The data set of a seed: the same seed, the same bytes."""
        for_choice, for_people, for_after = np.random.default_rng(seed).spawn(3)
        n = self.members
        asked = for_choice.gamma(self.shape, self.contacts / self.shape, 200 * n)
        counted = for_choice.poisson(asked)
        chosen = np.flatnonzero(counted >= self.at_least)[:n]
        rates, before = asked[chosen], counted[chosen]
        lasting = self.wellbeing + self.spread * for_people.standard_normal(n)
        lasting -= 0.4 * (rates - rates.mean())
        dip = for_people.exponential(self.dip, n)
        first = _answer(lasting - dip + self.luck * for_people.standard_normal(n))
        began = np.datetime64("2024-09-02") + 7 * np.sort(for_people.integers(0, 34, n))
        second = _answer(lasting + self.gain + self.luck * for_after.standard_normal(n))
        after = for_after.poisson(rates)
        table = pd.DataFrame(
            {
                "Member": [f"SC{code:03d}" for code in 100 + for_people.permutation(n)],
                "First meeting": began,
                "Age": np.clip(np.round(for_people.normal(63, 12, n)), 24, 92).astype(int),
                "Wellbeing before": first,
                SCORE: second,
                "GP contacts before": before,
                CONTACTS: after,
            }
        )
        expected = _answer_mean(lasting + self.gain, self.luck)
        without = _answer_mean(lasting, self.luck)
        started = _answer_mean(lasting - dip, self.luck)
        seen = float((expected - started).mean())
        truth = {
            SCORE: floats(
                {
                    "att": (expected - without).mean(),
                    "before_after": seen,
                    "share_without_group": (without - started).mean() / seen,
                }
            ),
            CONTACTS: floats(
                {
                    "att": 0.0,
                    "before_after": rates.mean() - before.mean(),
                    "expected_after": rates.mean(),
                    "share_without_group": 1.0,
                }
            ),
        }
        potential = {
            SCORE: np.column_stack([without, expected]),
            CONTACTS: np.column_stack([rates, rates]),
        }
        return PeopleDraw(table=table, truth=truth, potential=potential)


def _answer(score: np.ndarray) -> np.ndarray:
    """Whole numbers on the scale."""
    return np.asarray(np.clip(np.round(score), LOW, HIGH).astype(int))


def _answer_mean(score: np.ndarray, luck: float) -> np.ndarray:
    """The mean answer of somebody who feels so, over the luck of one answer."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    answers = np.clip(np.round(score[:, None] + luck * nodes), LOW, HIGH)
    mean: np.ndarray = answers @ (weights / weights.sum())
    return mean
