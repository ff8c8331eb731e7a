"""Unit costs as data, and how a price of one year becomes a price of another.

With :math:`r_t` the change of the NHS Cost Inflation Index into year :math:`t`, in per cent,

.. math:: p_b = p_a \\prod_{t=a+1}^{b} (1 + r_t / 100)

Each figure has its source, price year and vintage: a revised index moves a value by itself. A price
year outside the table is refused, never guessed.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ucimpact.errors import UsageError
from ucimpact.words.numbers import mid_sentence

TABLE = Path(__file__).with_name("unit_costs.toml")


@dataclass(frozen=True, kw_only=True)
class UnitCost:
    """What one unit of care costs on average.

    Attributes
    ----------
    item, label, unit : str
        Key in a study file; in words; what one is called ("bed day").
    pounds : float
        In prices of ``price_year``.
    vintage : str
        The edition of the source.
    many, usual : str
        What several are called within a sentence ("short stays"); for an average over kinds, the item that
        events avoided usually are.
    source, licence, note : str
        Where it comes from, on what terms, and what it does not say by itself.
    """

    item: str
    label: str
    unit: str
    pounds: float
    price_year: str
    vintage: str
    source: str
    licence: str
    note: str
    many: str = ""
    usual: str = ""

    @property
    def several(self) -> str:
        """What several are called within a sentence."""
        return self.many or mid_sentence(self.label)

    def in_prices_of(self, year: str) -> float:
        """Pounds in the prices of another financial year."""
        return self.pounds * inflator(self.price_year, year)

    def told(self, year: str) -> str:
        """The source in words; a cost moved between years says so."""
        if year == self.price_year:
            return f"{self.source}, in {year} prices"
        moved = "raised" if self.price_year < year else "taken back"
        return f"{self.source}; {self.price_year} figure, {moved} to {year} prices"


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def unit_costs() -> dict[str, UnitCost]:
    """Every unit cost by its item."""
    table = _table()
    found = {}
    for row in table["cost"]:
        source = table["sources"][row["source"]]
        told = {"source": source["text"], "licence": source["licence"], "note": row["note"] or source["note"]}
        found[row["item"]] = UnitCost(**{**row, **told, "pounds": float(row["pounds"])})
    return found


def unit_cost(item: str) -> UnitCost:
    """The unit cost of an item.

    Raises
    ------
    UsageError
        For an item that is not there, naming those nearest to it.
    """
    costs = unit_costs()
    if item in costs:
        return costs[item]
    near = difflib.get_close_matches(item, costs, n=3) or sorted(costs)
    raise UsageError(
        f'there is no unit cost called "{item}". Use one of: {", ".join(near)}; or give pounds, as '
        "economic = 48"
    )


@cache
def changes() -> dict[str, float]:
    """Change of the index into each financial year, in per cent, earliest first."""
    return {row["year"]: float(row["percent"]) for row in _table()["index"]["year"]}


@cache
def vintages() -> dict[str, str]:
    """Whether the index of each year is revised or provisional."""
    return {row["year"]: str(row["vintage"]) for row in _table()["index"]["year"]}


def price_years() -> list[str]:
    """The financial years between which a price can be moved, earliest first."""
    return [str(_table()["index"]["base"]), *changes()]


def inflator(of: str, to: str) -> float:
    """What a price of one financial year is multiplied by to be a price of another.

    Raises
    ------
    UsageError
        For a year outside the table.
    """
    if of == to:
        return 1.0
    years = price_years()
    for year in (of, to):
        if year not in years:
            raise UsageError(
                f"the price index runs from {years[0]} to {years[-1]}, so a price cannot be moved from {of} "
                f"to {to}. Give price_year within these years, or the pounds of each event in its prices"
            )
    first, last = sorted((years.index(of), years.index(to)))
    factor = 1.0
    for year in years[first + 1 : last + 1]:
        factor *= 1 + changes()[year] / 100
    return factor if years.index(of) <= years.index(to) else 1 / factor
