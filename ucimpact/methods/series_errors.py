"""The ways in which a study may have the errors of a series hang together, and what speaks against some.

``Reml()`` is the default. The others are there because other programs and papers use them: a study that is
to be compared with one of those can set its number beside theirs. Most give ranges that are too narrow
(:data:`HELD`).
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from ucimpact.data.series import Series
from ucimpact.inference.arma import Arma, Ml
from ucimpact.inference.newey_west import Hac, NeweyWest
from ucimpact.inference.prais_winsten import PraisWinsten
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign

SeriesErrors = Reml | Ols | Ml | Arma | PraisWinsten | NeweyWest | Hac
HELD: dict[type, tuple[str, int]] = {
    Ols: ("Least squares takes the errors for independent", 65),
    Ml: ("Maximum likelihood takes what carries over for less than it is", 84),
    PraisWinsten: ("Prais and Winsten take what carries over for less than it is, and as known", 80),
    NeweyWest: ("Newey and West's covariance is too small in series like this", 75),
    Hac: ("Andrews' covariance is too small in series like this", 71),
}
"""What is wrong with a choice, and the per cent of its 95% ranges of the total that held: 48 months,
two waves, errors AR(1) with rho 0.6 (1,500 series; 250 for ``Ml``)."""

WAY_OUT = 'Leave errors out (errors = "Reml"), and give this one beside it'
LONG_ENOUGH_FOR_HAC = 50
PERIODS_PER_PARAMETER = 20


def unknown_errors(errors: object) -> list[str]:
    """What is wrong with a choice that is none of these."""
    known = get_args(SeriesErrors)
    if isinstance(errors, known):
        return []
    names = [f"{choice.__name__}()" for choice in known]
    return [f"errors must be {', '.join(names[:-1])} or {names[-1]}"]


def on_errors(series: Series, design: SegmentedDesign, errors: SeriesErrors) -> list[Finding]:
    """What speaks against a choice of errors, before anything is fitted."""
    noun, used = series.frequency.noun, int(design.used.sum())
    robust = isinstance(errors, (NeweyWest, Hac))
    if robust and (np.count_nonzero(design.effect, axis=0) == 1).any():
        text = (
            f"{type(errors).__name__} cannot measure a change that lasts one {noun}: it has no residual there"
        )
        return [Finding("refuse", text, 'Choose errors = "Reml"')]
    found = []
    kind = Ml if isinstance(errors, Arma) and errors.method == "ml" else type(errors)
    if kind in HELD:
        why, held = HELD[kind]
        short = f", and {used} {noun}s are under {LONG_ENOUGH_FOR_HAC}" if used < LONG_ENOUGH_FOR_HAC else ""
        text = (
            f"{why}{short if robust else ''}: the range is too narrow where errors carry over. Of its 95% "
            f"ranges of a total, {held}% held the truth (48 months, autocorrelation 0.6)"
        )
        found.append(Finding("warn", text, WAY_OUT))
    if isinstance(errors, Arma) and used < PERIODS_PER_PARAMETER * (errors.p + errors.q):
        text = (
            f"ARMA({errors.p}, {errors.q}) errors have {errors.p + errors.q} parameters, and {used} {noun}s "
            f"are few to fit them by: {PERIODS_PER_PARAMETER} for each are a rule of thumb"
        )
        found.append(Finding("warn", text, WAY_OUT))
    return found
