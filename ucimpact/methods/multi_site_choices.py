"""How the series of sites are fitted, and how what they show is pooled."""

from __future__ import annotations

from dataclasses import dataclass

from ucimpact.inference.pooling import ADJUSTMENTS, ESTIMATORS
from ucimpact.methods.series_choices import SegmentedChoices

SCALES = ("auto", "ratio", "natural")


@dataclass(frozen=True, kw_only=True)
class SiteChoices(SegmentedChoices):
    """The series of each of many sites, before and after its own start.

    Parameters
    ----------
    outcome : str
        Panel column in natural units.
    scale : {"auto", "ratio", "natural"}, default "auto"
        What is pooled: ratios of what was seen to what was expected, or differences in units of the outcome.
        ``"auto"`` takes ratios of counts (a rate made of counts, or whole numbers) and differences of all
        else.
    shared_season : bool, default False
        Whether the season is that of all units together, also of those that never start: for sites too short
        to show one. Its size stays each site's own.
    pooling : str, default "reml"
        How the variance between sites is found: ``"reml"``, ``"ml"``, ``"dl"``, ``"pm"``, ``"he"``, ``"sj"``,
        ``"eb"`` or ``"fixed"`` (none).
    interval : {"modified", "knapp-hartung", "normal"}, default "modified"
        How sure the average is: ``"knapp-hartung"`` widens by how far the sites lie apart and uses t,
        ``"normal"`` does not, ``"modified"`` is Knapp-Hartung that is never narrower than the variance of
        the average itself makes it.
    """

    scale: str = "auto"
    shared_season: bool = False
    pooling: str = "reml"
    interval: str = "modified"

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        choices = {"scale": SCALES, "pooling": ESTIMATORS, "interval": ADJUSTMENTS}
        wrong += [
            f'{name} = "{getattr(self, name)}" is not known; choose one of: {", ".join(known)}'
            for name, known in choices.items()
            if getattr(self, name) not in known
        ]
        if self.shared_season and self.season == "none":
            wrong.append('shared_season has no place beside season = "none"; take one of them out')
        return wrong
