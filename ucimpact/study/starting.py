"""A commented study file and a workbook to fill in, to begin a study of a kind of service with.

What is written passes ``ucimpact check`` as soon as rows stand under the header. The workbook has one
example row, which is left out when it is read, and a sheet that says what each column holds.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ucimpact.errors import UsageError
from ucimpact.study import starting_histories
from ucimpact.study.services import Service, service_named
from ucimpact.study.template import Column, workbook

STUDY_FILE = "study.toml"
EXAMPLE = "EXAMPLE: take this row out"
SHEET = "data"
METHODS = {"panel": "did", "series": "its"}

PLAN = {
    "cohort": """\
[plan]
base = 38                     # events per 100 people over the follow-up, without the service
ratio = 3                     # people without the service for each with it
people_per_month = 45         # whom the service will take on
""",
    "panel": """\
[plan]
base = 60                     # events a place and month, without the pilot
pilot_places = 4
comparison_places = 8
months_before = 12
months_after = 12
change_sd = 0.08              # how far places drift apart from one year to the next, as a share
""",
    "series": """\
[plan]
base = 60                     # events a month, without the pilot
months_before = 24
months_after = 12
month_sd = 0.08               # how far months stray beyond counting, as a share
autocorrelation = 0.3         # how like one month's straying is to the next month's
""",
}
"""What a plan needs to be told, with numbers to be replaced."""


def begin(name: str, folder: Path) -> list[Path]:
    """Write the study file and the data file of a service into a folder.

    Parameters
    ----------
    name : str
        A key of :data:`~ucimpact.study.services.SERVICES`, or the name of an example.
    folder : Path
        Made if it is not there.

    Raises
    ------
    UsageError
        For a service that is not known, or a file that is there already; nothing is written then.
    """
    service = service_named(name)
    files = {
        folder / STUDY_FILE: study_text(service).encode(),
        folder / _data_file(service): workbook(sheets_of(service)),
    }
    there = [path for path in files if path.exists()]
    if there:
        listed = " and ".join(str(path) for path in there)
        raise UsageError(
            f"{listed} is there already, and is not written over. Name another folder with --into"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    return list(files)


def sheets_of(service: Service) -> dict[str, list[Column]]:
    """The columns of each sheet of the data file, each with what it holds and an example of it."""
    if service.events:
        return starting_histories.sheets(EXAMPLE, (service.events[0], service.events[1]))
    if service.kind == "cohort":
        return {SHEET: _columns_of_people(service)}
    return {SHEET: _columns_of_months(service)}


def _columns_of_months(service: Service) -> list[Column]:
    month = Column("month", "First day of the month, one form throughout", dt.date(2024, 4, 1))
    counts = [
        Column(service.column, f"{service.label} in the month; 0 where there were none", 112),
        Column(service.second[1], f"{service.second[0]} in the month; 0 where there were none", 305),
    ]
    people = Column(service.population, f"{service.people.capitalize()} in that month", 4120)
    if service.kind == "series":
        marked = Column("area", "Name of the area, the same in each row", EXAMPLE)
        return [marked, month, people, *counts]
    place = service.place.replace("_", " ")
    places = [Column(service.place, f"Name or code of the {place}", EXAMPLE)]
    if service.given_to:
        places.append(Column(service.given_to, f"The {service.given_to} it belongs to", "Eastvale"))
    joined = Column(
        "joined",
        f"First month in which the {place} had the service, in each of its rows; empty if it never had it",
        dt.date(2025, 1, 1),
    )
    return [*places, month, joined, people, *counts]


def _columns_of_people(service: Service) -> list[Column]:
    days, start = service.days, service.clock.replace("_", " ")
    clock = Column(service.clock, f"Day of {start}, on which the clock starts", dt.date(2024, 4, 5))
    followed = Column(
        "days_followed", f"Days for which the person could be followed, {days} unless they died or left", days
    )
    counts = []
    for label, column, before, after in (
        (service.label, service.column, 2, 1),
        (service.second[0], service.second[1], 3, 1),
    ):
        counts += [
            Column(f"{column}_before", f"{label} in the {days} days before; 0 where there were none", before),
            Column(f"{column}_after", f"{label} in the {days} days after; 0 where there were none", after),
        ]
    return [
        Column("client", "A number of your own; never an NHS number or a name", EXAMPLE),
        clock,
        followed,
        *counts,
    ]


def study_text(service: Service) -> str:
    """The study file, with a comment wherever something is to be filled in."""
    data = {"panel": _panel, "series": _series, "cohort": _cohort}[service.kind](service)
    columns = [service.column, service.second[1]]
    more = ["", ""]
    if service.events:
        more = [starting_histories.counted(kind, service.days) for kind in service.events]
    elif service.kind == "cohort":
        more = [f'\nbefore = "{column}_before"' for column in columns]
        columns = [f"{column}_after" for column in columns]
    return f'''\
# A study of one pilot. Change what stands in quotation marks, fill {_data_file(service)}, then:
#
{_plan_line(service)}#     ucimpact check study.toml     lists every problem, and which designs are open
#     ucimpact run study.toml       writes out/report.html
#
schema = 1

[study]
title = "{service.title}, NAME OF THE PLACE"
question = "Did the service {service.aim}?"
pilot = "{service.pilot}"
population = "{service.people.capitalize()} of NAME OF THE PLACES"
comparator = "{_comparator(service)}"
by = "WHO IS ANSWERABLE FOR THIS REPORT"
subject = "{service.subject}"
people = "{service.people}"

[data]
{data}
[[outcome]]
column = "{columns[0]}"
label = "{service.label}"{more[0]}
kind = "count"                # count | cost | binary | score | duration
better = "lower"
primary = true                # one outcome decides the answer: choose it before looking
worthwhile = -0.05            # the smallest change worth having, here 5% fewer: agree it before looking

[[outcome]]
column = "{columns[1]}"
label = "{service.second[0]}"{more[1]}
kind = "count"
better = "lower"
{_control(service)}
[method]
{_method(service)}

[context]
allocation = "chosen"         # chosen | lot: were {_given_to(service)} of the pilot chosen, or drawn by lot?
# coding = "unchanged"        # take the # away if the outcome was coded alike throughout
events_logged = false         # true once somebody has looked for other changes near the start and listed all
# [[context.event]]           # one table for each
# date = 2024-07-01
# what = "A new front door at the hospital"
# same_outcome = true

[release]
profile = "hes2018"           # counts of 1 to 7 are hidden; "none" only for open data about organisations
seed = 1
{_plan(service)}'''


def _plan_line(service: Service) -> str:
    if service.kind not in PLAN:
        return ""
    return "#     ucimpact plan study.toml      before there are records, once [plan] below is filled in\n"


def _plan(service: Service) -> str:
    """The table for a plan, commented out: its numbers are nobody's."""
    if service.kind not in PLAN:
        return ""
    return "\n" + "".join(f"# {line}\n" for line in PLAN[service.kind].splitlines())


def _data_file(service: Service) -> str:
    return {"panel": f"{service.place}s.xlsx", "series": "months.xlsx", "cohort": "people.xlsx"}[service.kind]


def _one(place: str) -> str:
    """The noun with its article."""
    return f"{'an' if place[0] in 'aeiou' else 'a'} {place}"


def _given_to(service: Service) -> str:
    return "the people" if service.kind == "cohort" else "the places"


def _comparator(service: Service) -> str:
    if service.kind == "panel":
        return f"{service.place.replace('_', ' ').capitalize()}s nearby without the service"
    if service.kind == "series":
        return "What the years before would have led us to expect"
    if service.events:
        return "People as long out of hospital on the same day and not visited, made alike"
    return f"None: the same people in the {service.days} days before"


def _control(service: Service) -> str:
    return starting_histories.control_text(service.events[0], service.days) if service.events else ""


def _method(service: Service) -> str:
    listed = "  # ucimpact methods lists them"
    if service.kind != "cohort":
        return f'name = "{METHODS[service.kind]}"                {listed}'
    if service.events:
        return starting_histories.method_text(service.events[0], listed)
    return 'name = "before-after"         # says what may and may not be claimed without a comparison'


def _panel(service: Service) -> str:
    place = service.place.replace("_", " ")
    lines = [
        f'kind = "panel"                # one row {_one(place)} and month, those without the service too',
        f'source = "{_data_file(service)}"',
        f'sheet = "{SHEET}"',
        f'unit = "{service.place}"',
        'period = "month"              # 2023-04, 01/04/2023 or April 2023, one form throughout',
        'start = "joined"              # its first month with the service, in each row; empty = never',
        f'population = "{service.population}"',
    ]
    if service.given_to:
        given = f'places = "{service.given_to}"'
        lines.append(f"{given:<30}# given to whole {service.given_to}s; take the line out if not")
    lines += [
        "# window = { from = 2022-04-01, to = 2024-03-31 }  # take the # away: fix the months before looking",
        '# covid = "drop"              # drop | none: needed if March 2020 to June 2021 are inside',
    ]
    return "\n".join(lines) + "\n"


def _series(service: Service) -> str:
    return f'''\
kind = "series"               # one row a month for the whole area
source = "months.xlsx"
sheet = "{SHEET}"
period = "month"              # 2023-04, 01/04/2023 or April 2023, one form throughout
start = 2024-07-01            # the first month with the service: put yours
population = "{service.population}"
# window = {{ from = 2021-07-01, to = 2026-06-30 }}  # take the # away: fix the months before looking
# covid = "dummy"             # drop | dummy | segment | none: needed if March 2020 to June 2021 are inside
'''


def _cohort(service: Service) -> str:
    if service.events:
        return starting_histories.data_text(_data_file(service), service.days)
    return f'''\
kind = "cohort"               # one row a person; no value of a person is ever shown
source = "{_data_file(service)}"
sheet = "{SHEET}"
person = "client"             # no pilot column: everybody in the list had the service
index_date = "{service.clock}"    # the clock starts here
follow_up = "days_followed"   # cut short by death or leaving
follow_up_days = {service.days}
before_days = {service.days}
chosen = {{ column = "{service.column}_before", at_least = 1 }}  # how people were picked; 0 = not by this
'''
