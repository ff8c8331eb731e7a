r"""Interrupted time series at many sites: each site against its own past, then all added up.

Stage one: the series of each pilot unit i, from its own start :math:`T_i`, has a segmented regression of its
own (:mod:`ucimpact.methods.its`) and gives one effect :math:`y_i` with variance :math:`v_i`: the average
effect in units of the outcome, or, for counts, the log of what was seen over what was expected,

.. math:: y_i = \log \sum_{t \ge T_i} \mu^1_{it} - \log \sum_{t \ge T_i} \mu^0_{it} .

Stage two: the sites that took part are added up. Of what was seen at site i, :math:`Y_i`, the pilot made
:math:`Y_i(1 - e^{-y_i})`; the sum is the headline, and over what was expected at all sites the relative
effect (:mod:`ucimpact.methods.multi_site_total`). What comes to all sites at once no number of sites averages
out: the sum of the sites as one series says how much there is of it, and the range is as much wider
(:mod:`ucimpact.methods.multi_site_shared`).

Beside it stands the average over sites. The effects are pooled with random effects,

.. math:: y_i = \mu + u_i + e_i, \qquad u_i \sim (0, \tau^2), \quad e_i \sim (0, v_i)

by REML for :math:`\tau^2` and the modified Hartung-Knapp interval, as simulation of many short series advises
[1]_ (:mod:`ucimpact.inference.pooling`). :math:`\mu` is the mean effect over sites like these, each counting
for as much as it is sure; it is *not* the sum over the sites that took part, which large sites lead. The
prediction interval says where the effect at another such site would lie. Both are made wider by what comes to
all sites, too.

A site's standard error comes from a few years and is itself uncertain. :math:`v_i` is its Kenward-Roger
variance with AR(1) errors by REML; over several sites such errors cancel, and the scatter between the sites,
which the interval of the average is measured by, makes up for what is left. Weights from
the wider interval of a site alone were tried: the pooled interval is then up to a quarter wider and errs next
to never. How often it errs is in ``docs/methods/multi_site_its.md``.

It is the pilot's effect if, without the pilot, each site would have gone on along its own line. Different
start dates help, less than it seems: what happens elsewhere at one date is then not at the start of all, but
with starts within a year the ups and downs that sites share stay half in the answer. Places that never start
are not used: with them, compare (:mod:`ucimpact.methods.callaway_santanna`,
:mod:`ucimpact.methods.count_did`). The range holds shared ups and downs such as those before the start; one
lasting change that comes to all after a common start is not seen, and counts as effect.

References
----------
.. [1] Korevaar, E. et al. (2023). Evaluation of statistical methods used to meta-analyse results from
   interrupted time series studies: a simulation study. *Research Synthesis Methods* 14(6), 882-902.
.. [2] Gebski, V. et al. (2012). Modelling interrupted time series to evaluate prevention and control of
   infection in healthcare. *Epidemiology and Infection* 140(12), 2131-2141.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ucimpact.data.panel import Panel
from ucimpact.estimate import Estimate
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.multi_site_choices import SiteChoices
from ucimpact.methods.multi_site_sites import Sites, lay_out
from ucimpact.methods.multi_site_told import estimate_of


@dataclass(frozen=True, kw_only=True)
class MultiSiteITS(SiteChoices):
    """Compare each pilot unit with its own past, add up what they show, and pool it."""

    takes: ClassVar[type] = Panel

    def check_design(self, data: Panel) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        return self._sites(data).findings

    def fit(self, data: Panel) -> Estimate:
        """Return the effect at all sites together, their average, and what these are made of.

        Raises
        ------
        DesignError
            Where fewer than three sites can answer, with what stands against each.
        """
        sites = self._sites(data)
        warnings = enforce(sites.findings)
        return estimate_of(self, data, sites, warnings)

    def _sites(self, data: Panel) -> Sites:
        need(data, Panel, "Panel(table, unit=..., period=..., start=...)")
        return lay_out(self, data)
