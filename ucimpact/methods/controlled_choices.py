"""What a series is held against, and in which form."""

from __future__ import annotations

from dataclasses import dataclass

from ucimpact.methods.control_series import Controls
from ucimpact.methods.series_choices import SeriesChoices

FORMS = ("difference", "ratio", "regression")
COUNTS = "quasi-poisson"


@dataclass(frozen=True, kw_only=True)
class ControlChoices(SeriesChoices):
    """A series before and after a date, and its control.

    Parameters
    ----------
    controls : tuple of str
        Columns of the same table: an area, or a service, that had everything but the pilot. Several are
        taken together.
    control_populations : tuple of str, default ()
        The people of each control, in the order of ``controls``; the control is then told per person, like
        the outcome.
    form : {"difference", "ratio", "regression"}, default "difference"
        How the two are compared: ``"difference"`` takes the control from the pilot's series, ``"ratio"``
        divides by it, ``"regression"`` puts both in one regression.
    family : {"gaussian", "quasi-poisson"}, default "gaussian"
        For the regression: measurements, or whole numbers with the people at risk as offset.
    """

    controls: tuple[str, ...] = ()
    control_populations: tuple[str, ...] = ()
    form: str = "difference"
    family: str = "gaussian"

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        for name, known in (("form", FORMS), ("family", ("gaussian", COUNTS))):
            if getattr(self, name) not in known:
                value = getattr(self, name)
                wrong.append(f'{name} = "{value}" is not known; choose one of: {", ".join(known)}')
        if self.family == COUNTS and self.form != "regression":
            wrong.append(
                f'family = "{COUNTS}" belongs to form = "regression"; take it out or change the form'
            )
        return wrong

    @property
    def control(self) -> Controls:
        """The columns that make up the control."""
        return Controls(
            outcome=self.outcome, columns=tuple(self.controls), populations=tuple(self.control_populations)
        )
