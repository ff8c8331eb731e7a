"""A commented study file and an empty data file, to begin a study of a kind of service with.

What is written passes ``ucimpact check`` as soon as rows stand under the header.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from ucimpact.errors import UsageError

STUDY_FILE = "study.toml"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What one kind of service is usually judged by.

    Attributes
    ----------
    title, pilot, subject : str
        The service; what is done; how a sentence names it.
    kind : str
        ``"panel"`` where some places have it and others do not, ``"series"`` where one area has it.
    place : str
        Column of places, for a panel.
    given_to : str
        Column of the places the service was given to as a whole; empty where that is ``place``.
    aim, label, column : str
        The main outcome: in the question, as a label, as a column.
    second : tuple of str
        Label and column of another outcome.
    people, population : str
        Those it is for: in a sentence, and the column that counts them.
    """

    title: str
    pilot: str
    subject: str
    kind: str
    aim: str
    label: str
    column: str
    second: tuple[str, str]
    people: str
    population: str
    place: str = ""
    given_to: str = ""


SERVICES = {
    "acute-visiting": Service(
        title="Acute visiting service",
        pilot="Same-day home visits by paramedic practitioners, at the request of the GP",
        subject="the acute visiting service",
        kind="panel",
        place="practice",
        given_to="town",
        aim="reduce emergency admissions of people aged 65 or over",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("A&E attendances", "ae_attendances"),
        people="registered patients aged 65 or over",
        population="list_size",
    ),
    "crisis-response": Service(
        title="Two-hour crisis response",
        pilot="A nurse or therapist at the door within two hours of a call, seven days a week",
        subject="the crisis response service",
        kind="series",
        aim="reduce emergency admissions of people aged 65 or over",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("A&E attendances", "ae_attendances"),
        people="residents aged 65 or over",
        population="residents",
    ),
    "care-home-support": Service(
        title="Care home support",
        pilot="A weekly round and a telephone line for the staff of care homes",
        subject="the care home support",
        kind="panel",
        place="care_home",
        aim="reduce emergency admissions of care home residents",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("Ambulance call-outs", "ambulance_callouts"),
        people="care home residents",
        population="residents",
    ),
    "virtual-ward": Service(
        title="Virtual ward",
        pilot="Care at home with daily monitoring, in place of a hospital bed",
        subject="the virtual ward",
        kind="series",
        aim="reduce emergency admissions",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("Emergency bed days", "bed_days"),
        people="residents",
        population="residents",
    ),
}


def begin(name: str, folder: Path) -> list[Path]:
    """Write the study file and the data file of a service into a folder.

    Parameters
    ----------
    name : str
        A key of :data:`SERVICES`.
    folder : Path
        Made if it is not there.

    Raises
    ------
    UsageError
        For a service that is not known, or a file that is there already; nothing is written then.
    """
    if name not in SERVICES:
        near = difflib.get_close_matches(name, SERVICES, 1, 0.6)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise UsageError(f'there is no service "{name}".{hint} There are: {", ".join(SERVICES)}')
    service = SERVICES[name]
    files = {
        folder / STUDY_FILE: study_text(service),
        folder / _data_file(service): ",".join(data_columns(service)) + "\n",
    }
    there = [path for path in files if path.exists()]
    if there:
        listed = " and ".join(str(path) for path in there)
        raise UsageError(
            f"{listed} is there already, and is not written over. Name another folder with --into"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(files)


def data_columns(service: Service) -> list[str]:
    """The header of the data file."""
    outcomes = [service.column, service.second[1]]
    if service.kind == "series":
        return ["month", service.population, *outcomes]
    places = [service.place, service.given_to] if service.given_to else [service.place]
    return [*places, "month", "joined", service.population, *outcomes]


def study_text(service: Service) -> str:
    """The study file, with a comment wherever something is to be filled in."""
    data = _panel(service) if service.kind == "panel" else _series(service)
    return f'''\
# A study of one pilot. Change what stands in quotation marks, fill {_data_file(service)}, then:
#
#     ucimpact check study.toml     lists every problem, and which designs are open
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
column = "{service.column}"
label = "{service.label}"
kind = "count"                # count | cost | binary | score | duration
better = "lower"
primary = true                # one outcome decides the answer: choose it before looking
worthwhile = -0.05            # the smallest change worth having, here 5% fewer: agree it before looking

[[outcome]]
column = "{service.second[1]}"
label = "{service.second[0]}"
kind = "count"
better = "lower"

[method]
name = "{"did" if service.kind == "panel" else "its"}"                  # ucimpact methods lists them

[context]
allocation = "chosen"         # chosen | lot: were the places of the pilot chosen, or drawn by lot?
# coding = "unchanged"        # take the # away if the outcome was coded alike throughout
events_logged = false         # true once somebody has looked for other changes near the start and listed all
# [[context.event]]           # one table for each
# date = 2024-07-01
# what = "A new front door at the hospital"
# same_outcome = true

[release]
profile = "hes2018"           # counts of 1 to 7 are hidden; "none" only for open data about organisations
seed = 1
'''


def _data_file(service: Service) -> str:
    return f"{service.place}s.csv" if service.kind == "panel" else "months.csv"


def _comparator(service: Service) -> str:
    if service.kind == "panel":
        return f"{service.place.replace('_', ' ').capitalize()}s nearby without the service"
    return "What the years before would have led us to expect"


def _panel(service: Service) -> str:
    place = service.place.replace("_", " ")
    lines = [
        f'kind = "panel"                # one row a {place} and month, those without the service too',
        f'source = "{_data_file(service)}"',
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
source = "months.csv"
period = "month"              # 2023-04, 01/04/2023 or April 2023, one form throughout
start = 2024-07-01            # the first month with the service: put yours
population = "{service.population}"
# window = {{ from = 2021-07-01, to = 2026-06-30 }}  # take the # away: fix the months before looking
# covid = "dummy"             # drop | dummy | segment | none: needed if March 2020 to June 2021 are inside
'''
