"""The sections of money after the first: who pays, the years ahead, and how sure it all is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ucimpact.report.money_budget import budget
from ucimpact.report.money_payers import payers
from ucimpact.report.money_sure import decide_money
from ucimpact.report.section import Section


def beside_money(document: Mapping[str, Any]) -> tuple[Section | None, ...]:
    """Those of them that the document has the numbers for, in the order of the page."""
    return budget(document), payers(document), decide_money(document)
