"""From an estimate to the numbers a reader meets, to how sure they are, and to sentences.

``units`` turns an effect into natural units, ``numbers`` says what may be claimed, ``grading`` how sure,
``phrasing`` in which words.
"""

from ucimpact.finding.grading import certainty
from ucimpact.finding.numbers import finding, mid_sentence, percent_of, pilot_groups
from ucimpact.finding.phrasing import phrase
from ucimpact.finding.units import (
    Units,
    is_staggered,
    unit_noun,
    units_of,
    worthwhile_in,
)
from ucimpact.finding.worthwhile import worthwhile_of

__all__ = [
    "Units",
    "certainty",
    "finding",
    "is_staggered",
    "mid_sentence",
    "percent_of",
    "phrase",
    "pilot_groups",
    "unit_noun",
    "units_of",
    "worthwhile_in",
    "worthwhile_of",
]
