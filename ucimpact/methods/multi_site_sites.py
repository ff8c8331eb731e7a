"""Which pilot units of a panel can be sites, and why the others cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.calendar import SEASONS
from ucimpact.data.panel import Panel
from ucimpact.errors import DataError, DesignError
from ucimpact.methods import series_findings
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.multi_site_choices import SiteChoices
from ucimpact.methods.multi_site_series import Site, is_counted, rows_of, shared_season, site_of
from ucimpact.methods.series_refusals import choice_refusals

LEAST_SITES = 3
NAMED = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """The sites of a panel.

    Attributes
    ----------
    used : list of Site
    refused : list of ``{"site", "reason"}``
    never : int
        Units that never start.
    scale : {"log", "identity"}
        What is pooled.
    findings : list of Finding
    """

    used: list[Site]
    refused: list[dict[str, str]]
    never: int
    scale: str
    findings: list[Finding]

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Units that are not used, with the reason."""
        out: list[dict[str, Any]] = []
        if self.never:
            out.append({"n": self.never, "reason": "units that never start: each site is its own past"})
        out += [{"n": 1, "reason": f"{row['site']}: {row['reason']}"} for row in self.refused]
        return out


def lay_out(method: SiteChoices, panel: Panel) -> Sites:
    """The sites of a panel, and what speaks against them."""
    values = panel.values(method.outcome)
    scale = scale_of(method, panel)
    never = int((~panel.pilot_units).sum())
    findings = _of_the_whole(method, panel, values, scale)
    if findings:
        return Sites(used=[], refused=[], never=never, scale=scale, findings=findings)
    shared = shared_season(panel, method) if method.shared_season else None
    used, refused, cautions = [], [], []
    rows = rows_of(panel)
    for code in np.flatnonzero(panel.pilot_units):
        site, found = _one(method, panel, int(code), rows[code], shared)
        against = [finding for finding in found if finding.level == "refuse"]
        if site is None or against:
            refused.append({"site": panel.units[code], "reason": "; ".join(f.text for f in against)})
        else:
            used.append(site)
            cautions += [(site.name, finding) for finding in found]
    findings = gathered(cautions, len(used))
    if len(used) < LEAST_SITES:
        findings = [_too_few(len(used), refused)]
    elif refused:
        named = "; ".join(f"{row['site']} ({row['reason']})" for row in refused[:NAMED])
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        text = f"{len(refused)} of {len(used) + len(refused)} sites are left out: {named}{more}"
        findings.insert(0, Finding("warn", text))
    return Sites(used=used, refused=refused, never=never, scale=scale, findings=findings)


def scale_of(method: SiteChoices, panel: Panel) -> str:
    """``"log"`` for ratios, ``"identity"`` for differences."""
    if method.scale != "auto":
        return "log" if method.scale == "ratio" else "identity"
    if method.outcome in panel.rates:
        return "log"
    return "log" if is_counted(panel.values(method.outcome)) else "identity"


def _of_the_whole(method: SiteChoices, panel: Panel, values: np.ndarray, scale: str) -> list[Finding]:
    """What no site could mend."""
    if not panel.pilot_units.any():
        return [Finding("refuse", "no unit starts the pilot", "Give each site its own start")]
    found = []
    if panel.frequency.kind not in SEASONS:
        text = f"these are {panel.frequency.noun}s, with a weekly pattern that is not modelled"
        found.append(Finding("refuse", text, "Add the days up to weeks"))
    elif method.shared_season and not SEASONS[panel.frequency.kind][1:]:
        text = f"{panel.frequency.noun}s have no season that sites could share"
        found.append(Finding("refuse", text, "Take shared_season out"))
    if scale == "log" and (values[np.isfinite(values)] < 0).any():
        text = f"{method.outcome} falls below 0, and a ratio needs more than 0"
        found.append(Finding("refuse", text, 'Choose scale = "natural"'))
    return found


def _one(
    method: SiteChoices, panel: Panel, code: int, rows: np.ndarray, shared: np.ndarray | None
) -> tuple[Site | None, list[Finding]]:
    """One unit as a site, or what stands against it."""
    if panel.stopped[code]:
        return None, [Finding("refuse", "its pilot stops within the data")]
    try:
        site = site_of(panel, code, rows, method, shared)
    except DataError as error:
        return None, [Finding("refuse", "; ".join(str(problem) for problem in error.problems[:NAMED]))]
    except DesignError as error:
        return None, [Finding("refuse", str(error))]
    found = choice_refusals(site.series, method)
    if not found:
        found = series_findings.refusals(site.series, site.design, method)
    if not any(finding.level == "refuse" for finding in found):
        found = [*found, *series_findings.cautions(site.series, site.design, method)]
    return site, found


def gathered(cautions: list[tuple[str, Finding]], sites: int) -> list[Finding]:
    """Cautions of the same kind as one, with how many sites it touches and the first as the example."""
    kinds: dict[str, list[tuple[str, Finding]]] = {}
    for name, finding in cautions:
        kinds.setdefault(NUMBER.sub("#", finding.text), []).append((name, finding))
    out = []
    for touched in kinds.values():
        name, first = touched[0]
        if all(finding.text == first.text for _, finding in touched) and len(touched) == sites:
            out.append(Finding("warn", f"at every site: {first.text}", first.way_out))
            continue
        where = f"at {name}" if len(touched) == 1 else f"at {len(touched)} of {sites} sites"
        out.append(Finding("warn", f"{where}: {_spanned([f.text for _, f in touched])}", first.way_out))
    return out


NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def _spanned(texts: list[str]) -> str:
    """Texts that differ in nothing but numbers as one, with the least and the greatest of each number."""
    found = [NUMBER.findall(text) for text in texts]
    numbers = iter(zip(*found, strict=True))

    def span(_: re.Match[str]) -> str:
        each = sorted(set(next(numbers)), key=lambda text: float(text.replace(",", "")))
        return each[0] if len(each) == 1 else f"{each[0]} to {each[-1]}"

    return NUMBER.sub(span, texts[0])


def _too_few(used: int, refused: list[dict[str, str]]) -> Finding:
    text = f"{LEAST_SITES} sites are the least that can be pooled; {used} can be used"
    if refused:
        named = "; ".join(f"{row['site']} ({row['reason']})" for row in refused[:NAMED])
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        text = f"{text}. Left out: {named}{more}"
    return Finding("refuse", text, "Bring more sites or longer series, or analyse one series with its")
