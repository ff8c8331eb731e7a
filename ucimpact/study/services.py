"""Kinds of service, and what each is usually judged by: what a study begins with."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ucimpact.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Service:
    """What one kind of service is usually judged by.

    Attributes
    ----------
    title, pilot, subject : str
        The service; what is done; how a sentence names it.
    kind : str
        ``"panel"`` where some places have it and others do not, ``"series"`` where one area has it,
        ``"cohort"`` where the file is a list of people.
    place : str
        Column of places, for a panel.
    given_to : str
        Column of the places the service was given to as a whole; empty where that is ``place``.
    aim, label, column : str
        The main outcome: in the question, as a label, as a column.
    second : tuple of str
        Label and column of another outcome.
    people, population : str
        Those it is for: in a sentence, and the column that counts them (empty in a cohort).
    events : tuple of str
        In a cohort with a second table, the kinds of events of the two outcomes; the list then holds people
        without the service too. Without it nobody is compared: it can only say what was before and after.
    clock : str
        In a cohort without events, the day on which the clock starts.
    days : int
        In a cohort, days for which outcomes are counted; without events, before the clock starts as many.
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
    population: str = ""
    place: str = ""
    given_to: str = ""
    events: tuple[str, ...] = ()
    clock: str = ""
    days: int = 0


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
    "clinical-hub": Service(
        title="Clinical hub",
        pilot="A front door by telephone, day and night, with nurses, GPs and pharmacists",
        subject="the clinical hub",
        kind="panel",
        place="area",
        aim="reduce attendances at A&E",
        label="A&E attendances",
        column="ae_attendances",
        second=("Emergency admissions", "emergency_admissions"),
        people="residents",
        population="residents",
    ),
    "winter-fund": Service(
        title="Winter discharge money",
        pilot="Money for home care and short stays in care homes, for one winter",
        subject="the winter discharge money",
        kind="panel",
        place="area",
        aim="reduce the days that people wait in hospital for care outside it",
        label="Delayed days",
        column="delayed_days",
        second=("Emergency readmissions", "emergency_readmissions"),
        people="residents aged 65 or over",
        population="residents",
    ),
    "community-redesign": Service(
        title="Community redesign",
        pilot="Money moved to community nurses, therapists and carers, one neighbourhood after another",
        subject="the community redesign",
        kind="panel",
        place="neighbourhood",
        aim="reduce emergency admissions of people aged 65 or over",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("A&E attendances", "ae_attendances"),
        people="residents aged 65 or over",
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
    "soft-landing": Service(
        title="Soft landing after hospital",
        pilot="Visits at home by a support worker, the first within two weeks of discharge",
        subject="soft landing",
        kind="cohort",
        aim="reduce emergency admissions in the 90 days after the first visit",
        label="Emergency admissions",
        column="admissions",
        second=("A&E attendances", "ae_attendances"),
        people="people leaving hospital",
        events=("emergency admission", "A&E attendance"),
        days=90,
    ),
    "befriending": Service(
        title="Befriending",
        pilot="Weekly visits by a volunteer",
        subject="befriending",
        kind="cohort",
        aim="reduce emergency admissions of the people it visited",
        label="Emergency admissions",
        column="admissions",
        second=("A&E attendances", "ae_attendances"),
        people="clients",
        clock="first_visit",
        days=180,
    ),
    "discharge-planning": Service(
        title="Planning ahead with people at risk",
        pilot="A visit by a nurse and a care navigator, a written plan, and a named person to ring",
        subject="planning ahead",
        kind="cohort",
        aim="reduce emergency admissions in the 180 days after the first visit",
        label="Emergency admissions",
        column="admissions",
        second=("A&E attendances", "ae_attendances"),
        people="people on the risk list",
        events=("emergency admission", "A&E attendance"),
        days=180,
    ),
    "palliative-inreach": Service(
        title="Palliative in-reach",
        pilot="A specialist nurse and night sitters who go to people at home, from first visit to end",
        subject="palliative in-reach",
        kind="cohort",
        aim="reduce emergency admissions in the 180 days after the first visit",
        label="Emergency admissions",
        column="admissions",
        second=("A&E attendances", "ae_attendances"),
        people="people on the supportive care register",
        events=("emergency admission", "A&E attendance"),
        days=180,
    ),
    "delayed-transfers": Service(
        title="Discharge to assess",
        pilot="People who are well enough go home first and are assessed there",
        subject="discharge to assess",
        kind="series",
        aim="reduce days of delayed transfer from hospital",
        label="Delayed days",
        column="delayed_days",
        second=("Emergency readmissions", "emergency_readmissions"),
        people="residents aged 65 or over",
        population="residents",
    ),
    "self-care": Service(
        title="Self-care and mutual aid",
        pilot="A weekly meeting led by its members, with a course on living with a long illness",
        subject="the self-care group",
        kind="cohort",
        aim="reduce emergency admissions of its members",
        label="Emergency admissions",
        column="admissions",
        second=("A&E attendances", "ae_attendances"),
        people="members",
        clock="first_meeting",
        days=180,
    ),
    "vanguard-kpis": Service(
        title="New models of care",
        pilot="Community teams around groups of practices, from one site to the next",
        subject="the new model of care",
        kind="panel",
        place="site",
        aim="reduce emergency admissions",
        label="Emergency admissions",
        column="emergency_admissions",
        second=("A&E attendances", "ae_attendances"),
        people="residents",
        population="residents",
    ),
}

SAME = {"acute-visiting-staggered": "acute-visiting"}
"""Examples whose service goes by another name."""
LEAGUES = ("challenge-fund",)
"""Examples of several pilots, each of which has a study of its own."""


def service_named(name: str) -> Service:
    """The service of a name with hyphens, underscores or blanks, as here or as its example is called.

    Raises
    ------
    UsageError
        Naming those there are.
    """
    key = "-".join(name.lower().replace("_", " ").replace("-", " ").split())
    key = SAME.get(key, key)
    if key in SERVICES:
        return SERVICES[key]
    listed = f"There are: {', '.join(SERVICES)}"
    if key in LEAGUES:
        raise UsageError(f'"{name}" is a league of pilots: begin a study for each. {listed}')
    near = difflib.get_close_matches(key, SERVICES, 1, 0.6)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    raise UsageError(f'there is no service "{name}".{hint} {listed}')
