"""The study file and the columns of people with a table of dated events, to begin a study with."""

from __future__ import annotations

import datetime as dt

from ucimpact.study.template import Column

PEOPLE_SHEET, EVENTS_SHEET = "people", "events"


def sheets(example: str, kinds: tuple[str, str]) -> dict[str, list[Column]]:
    """The columns of both sheets; ``kinds`` are the kinds of events that the outcomes count."""
    admission, second = kinds
    return {
        PEOPLE_SHEET: [
            Column("person", "A number of your own, in both sheets; never an NHS number or a name", example),
            Column("registered", "Day since when the records hold them; empty = always", dt.date(2019, 6, 1)),
            Column("first_visit", "Day of the first visit; empty = never visited", dt.date(2024, 4, 5)),
            Column("died", "Day of death; empty = alive", dt.date(2025, 1, 20)),
            Column("left", "Day on which they left the area; empty = still there", dt.date(2025, 1, 20)),
            Column("practice", "Their practice", "North Street"),
            Column("sex", "F or M", "F"),
            Column("age", "In years, in the middle of the records", 81),
            Column("long_term_conditions", "How many, in the middle of the records", 3),
        ],
        EVENTS_SHEET: [
            Column("person", "The same number as in the sheet of people", example),
            Column(
                "kind", f"{admission}, {second}, contact; as many kinds as you have, one name each", admission
            ),
            Column("date", "Its day; of a stay, the day of admission", dt.date(2024, 3, 28)),
            Column("discharged", "Of a stay, the day of discharge; else empty", dt.date(2024, 4, 3)),
        ],
    }


def data_text(file: str, days: int) -> str:
    """``[data]`` and ``[data.events]``."""
    return f"""\
kind = "cohort"               # no value of a person is ever shown
source = "{file}"
sheet = "{PEOPLE_SHEET}"              # one row a person: those without the service too, from the same lists
person = "person"
service_start = "first_visit" # empty = never
died = "died"
left = "left"
registered = "registered"
cluster = "practice"
follow_up_days = {days}
# window = {{ from = 2023-04-01, to = 2024-12-31 }}  # take the # away: fix the days before looking

[data.events]
sheet = "{EVENTS_SHEET}"              # one row an event, of everybody in the other sheet
date = "date"
end = "discharged"
kind = "kind"
from = 2021-04-01             # put the first and the last day for which the events are complete:
to = 2025-03-31               # two years before the service began, and {days} days after the last visit
"""


def counted(kind: str, days: int) -> str:
    """How an outcome is counted, under its column."""
    return f'\ncounted = {{ event = "{kind}", days = [0, {days}] }}'


def control_text(admission: str, days: int) -> str:
    """Outcomes that the service cannot have changed."""
    return f"""
[[outcome]]                   # what the service cannot have changed: were those compared alike?
column = "deaths"
label = "Deaths"
kind = "binary"
counted = {{ event = "death", days = [0, {days}] }}
negative_control = "deaths"

[[outcome]]                   # from before, and left out of what people are made alike in
column = "admissions_two_years_before"
label = "Emergency admissions two years before"
kind = "count"
counted = {{ event = "{admission}", days = [-730, -365] }}
negative_control = "before"
"""


def method_text(admission: str, listed: str) -> str:
    """``[method]``: a trial on each day on which a first visit could have been made."""
    before = "".join(
        f'\n[[method.measured]]\nevent = "{admission}"\ndays = [{first}, {last}]\nat = "trigger"\n'
        for first, last in ((-30, 0), (-90, -30), (-365, -90))
    )
    return f"""\
name = "sequential-trials"  {listed}
trigger = "{admission}"  # each discharge opens a trial a day ...
within = 14                   # ... for a fortnight: the latest day after discharge for a first visit
covariates = ["age", "long_term_conditions"]
{before}
[[method.measured]]           # what makes staff pick up the phone, up to the day itself
event = "contact"
days = [-7, 0]"""
