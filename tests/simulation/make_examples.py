"""Write the data and the planted truth of every example again: ``make examples``."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from example_services import SERVICES, about
from workbooks import Sheet, workbook

from ucimpact.data.simulate import Draw, PracticePanel
from ucimpact.data.simulate_fund import PILOTS, ChallengeFund
from ucimpact.data.simulate_hub import ClinicalHub
from ucimpact.data.simulate_people import Befriending
from ucimpact.data.simulate_redesign import CommunityRedesign
from ucimpact.data.simulate_self_care import SelfCare
from ucimpact.data.simulate_series import CrisisResponse, DelayedTransfers, VanguardSites
from ucimpact.data.simulate_staggered import StaggeredPractices
from ucimpact.data.simulate_winter import WinterFund

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = {
    "acute_visiting": 1,
    "acute_visiting_staggered": 1,
    "crisis_response": 1,
    "delayed_transfers": 1,
    "vanguard_kpis": 1,
    "soft_landing": 1,
    "discharge_planning": 1,
    "palliative_inreach": 1,
    "befriending": 1,
    "clinical_hub": 1,
    "winter_fund": 1,
    "community_redesign": 1,
    "self_care": 1,
    "challenge_fund": 159,
}
PLACES = {
    "acute_visiting": (PracticePanel(), "practices.csv"),
    "acute_visiting_staggered": (StaggeredPractices(), "practices.csv"),
    "crisis_response": (CrisisResponse(), "months.csv"),
    "delayed_transfers": (DelayedTransfers(), "months.csv"),
    "vanguard_kpis": (VanguardSites(), "sites.csv"),
    "clinical_hub": (ClinicalHub(), "areas.csv"),
    "winter_fund": (WinterFund(), "areas.csv"),
    "community_redesign": (CommunityRedesign(), "neighbourhoods.csv"),
}
MEMBERS = {
    "self_care": (SelfCare(), "members.csv"),
}
"""People as a list that needs no tidying."""
FUNDS = {
    "challenge_fund": (ChallengeFund(), "people.csv"),
}
"""Several pilots, each in a folder of its own."""
PEOPLE = {
    "befriending": (Befriending(), "clients.xlsx"),
}
HISTORIES = {
    "soft_landing": (SERVICES["soft_landing"], "discharges.xlsx"),
    "discharge_planning": (SERVICES["discharge_planning"], "people.csv"),
    "palliative_inreach": (SERVICES["palliative_inreach"], "people.csv"),
}
"""People and events in two tables; the file named is that of the people, ``events.csv`` is the other."""
MADE = {**PLACES, **MEMBERS, **FUNDS, **PEOPLE, **HISTORIES}

ABOUT = {
    **dict.fromkeys(
        PLACES,
        "The difference between the expected rates with and without the pilot, in the units in which the report's "
        "first analysis works: per 1,000 people a month; `cumulative` is in events, `relative` a share of what was "
        "expected, `log_att` the log of the ratio.",
    ),
    "acute_visiting_staggered": (
        "The difference between the expected numbers with and without the service, over the practices and months in "
        "which it ran: `att` per 1,000 people a month, `att_unit` a practice and month, `cumulative` in events, "
        "`relative` a share of what was expected, `log_att` the log of the ratio. For the cost, pounds stand for events."
    ),
    "crisis_response": (
        "The difference between the expected rates with and without the service, per 1,000 people a month, over the "
        "months after the first three, in which the team was built up; `cumulative` is in events, `relative` a share "
        "of what was expected. The neighbour has no service."
    ),
    "delayed_transfers": (
        "The service multiplies the expected number of delayed days by a ratio from its first month: `log_average` is "
        "its logarithm, `relative` the share of what was expected, `cumulative` in delayed days, `average` a month. "
        "The definition that changes in April 2017 multiplies them too, and is no effect."
    ),
    "vanguard_kpis": (
        "At the twelve sites added up, each from its own start: `cumulative` is in events, `relative` a share of what "
        "was expected. `log_site_average` is the mean over sites like these of the "
        "log ratio, `site_average` the same as a share; sites differ around it with a standard deviation of 0.03. Five "
        "of the eight measures have none on average."
    ),
    **{name: about(name) for name in HISTORIES},
    "befriending": (
        "Nothing was changed: each client's admissions before and after are Poisson counts of one rate. "
        "`before_after` is a client over 180 days. Clients were taken if they had two or more admissions before, and "
        "that alone explains the fall."
    ),
    "clinical_hub": (
        "The difference between the expected numbers with and without the hub, in its own area and months: `att` per "
        "1,000 residents a month, `att_unit` a month, `cumulative` in events, `relative` a share of what was expected, "
        "`log_att` the log of the ratio. The hub moves contacts: fewer to A&E and by ambulance, more calls to 111; "
        "emergency admissions are not touched. The effect takes three months to be whole."
    ),
    "winter_fund": (
        "The difference between the expected numbers with and without the money, over the six areas and the three "
        "months that had it, and for the first of them alone: `att` per 1,000 residents aged 65 or over a month, "
        "`att_unit` an area and month, `cumulative` in days or events, `relative` a share of what was expected. "
        "Readmissions are not touched; care home admissions rise. This winter is as it comes, and what winters do is not counted."
    ),
    "community_redesign": (
        "The difference between the expected numbers with and without the money since it began to move: `att` per "
        "1,000 residents aged 65 or over a month, `att_unit` a neighbourhood and month, `cumulative` in events, "
        "`relative` a share of what was expected. Nothing happens for six months; then the effect grows for twelve, to "
        "12% fewer admissions with all of the money and 6% with half; A&E has a third of that. Also for each dose "
        "alone, and from the seventh month on."
    ),
    "self_care": (
        "`att` is what the group does: 0.8 points of wellbeing (a little more after rounding), and nothing to contacts. "
        "`before_after` is what a comparison of before and after is expected to show in these members; "
        "`share_without_group` the part of it that comes by itself, as they came at a bad time. Wellbeing is a mean on "
        "the scale of 7 to 35, contacts are a member over 180 days."
    ),
    "challenge_fund": (
        "By potential outcomes of each pilot's clients over their days at risk: `att` is for a person over 90 days, "
        "`per_100` for 100 people, `cumulative` for all of them, `relative` a share of what was expected, `log_ratio` its "
        "log. Two pilots have 15% fewer admissions, five change nothing. The seed was chosen, and so: it is the first, "
        "from 1 on, in which the two smallest pilots come first on their own results and nothing that no pilot can "
        "change (deaths, injuries) differs in any of the seven. Such funds are rare: 2 of the first 159 had both in "
        "front, 1 of them with such differences; one of the two was first in 26."
    ),
}

HEADER = {
    "practice": "Practice",
    "month": "Month",
    "joined": "Joined the service",
    "list_size": "List size",
    "emergency_admissions": "Emergency admissions",
    "ae_attendances": "A&E attendances",
    "admission_cost": "Cost of admissions",
}
ABOVE = ("Acute visiting service: practices by month, July 2021 to June 2024", "All numbers are invented.")
BELOW = ("Notes", "1. List size is everybody registered on the first of the month.")
NOT_SENT = ((17, 9), (17, 10), (41, 30))
"""Practice and month, counted from 0, for which no A&E figure came."""


def untidy(table: pd.DataFrame) -> str:
    """The table as an information team sends it: titles, months as words, days first, commas, pounds, notes."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerows([text] for text in ABOVE)
    writer.writerow([])
    writer.writerow(HEADER[name] for name in table.columns)
    months = table["month"].nunique()
    absent = {practice * months + month for practice, month in NOT_SENT}
    for at, row in enumerate(table.itertuples(index=False)):
        month = pd.Period(row.month, "M")
        joined = pd.Period(row.joined, "M").strftime("01/%m/%Y") if row.joined else ""
        attended = "" if at in absent else row.ae_attendances
        pounds = f"£{row.admission_cost:,}"
        known = (f"{row.list_size:,}", row.emergency_admissions, attended, pounds)
        writer.writerow([row.practice, month.strftime("%b-%y"), joined, *known])
    writer.writerow([])
    writer.writerows([text] for text in BELOW)
    return told.getvalue()


SHEETS = {
    "soft_landing": Sheet(
        name="People",
        titles=(
            "Soft landing: people with an emergency discharge, April 2022 to March 2024",
            "Made 14/08/2024 by the information team. All people are invented.",
        ),
        over={"Phone calls": ("Week 1", "Week 2")},
        yes_no=("Lives alone",),
        spaced=("Lives alone", "First visit"),
        not_summed=("Age", "Deprivation fifth", "Wellbeing score"),
    ),
    "befriending": Sheet(
        name="Clients 2024",
        titles=("Befriending: our clients in 2024", "All people are invented."),
        over={"Loneliness score": ("At the start", "After six months")},
        yes_no=("Lives alone",),
        pounds=("Cost 180 days before", "Cost 180 days after"),
        spaced=("First visit", "Admissions 180 days after"),
        not_summed=("Age", "At the start", "After six months"),
    ),
}


def texts(name: str) -> dict[str, str]:
    """The files of text of an example that its generator makes, by name."""
    design, file = MADE[name]
    if name in FUNDS:
        return _texts_of_fund(name)
    draw: Draw = design.draw(SEEDS[name])
    made_by = getattr(design, "design", design)
    truth = {"seed": SEEDS[name], "design": repr(made_by), "about": ABOUT[name], "truth": draw.truth}
    made = {"truth.json": json.dumps(truth, indent=2) + "\n"}
    if name in MEMBERS:
        made[file] = _csv(draw.table)
    if name in HISTORIES:
        made["events.csv"] = _csv(draw.events)
        if file.endswith(".csv"):
            made[file] = _csv(draw.table)
    if name in PLACES:
        tidy = name != "acute_visiting_staggered"
        made[file] = draw.table.to_csv(index=False, lineterminator="\n") if tidy else untidy(draw.table)
    return made


def _texts_of_fund(name: str) -> dict[str, str]:
    design, file = FUNDS[name]
    drawn = design.draw(SEEDS[name])
    planted = {"pilots": {pilot: repr(of) for pilot, of in PILOTS.items()}, "truth": drawn.truth}
    truth = {"seed": SEEDS[name], "design": repr(design), "about": ABOUT[name], **planted}
    made = {"truth.json": json.dumps(truth, indent=2) + "\n"}
    return made | {f"{pilot}/{file}": _csv(table) for pilot, table in drawn.tables.items()}


def _csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
    return text


def books(name: str) -> dict[str, bytes]:
    """The workbooks of an example, by name."""
    design, file = MADE[name]
    if not file.endswith(".xlsx"):
        return {}
    table = design.draw(SEEDS[name]).table
    return {file: workbook(_with_scraps(name, table), SHEETS[name])}


def _with_scraps(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Columns that a provider keeps and no study uses, with much that was never written down."""
    rng, n = np.random.default_rng([SEEDS[name], len(name)]), len(table)
    if name == "soft_landing":
        served = table["First visit"].notna().to_numpy()
        extra = {
            "Week 1": np.where(served, rng.integers(0, 4, n), np.nan),
            "Week 2": np.where(served & (rng.random(n) < 0.7), rng.integers(0, 3, n), np.nan),
            "Wellbeing score": np.where(rng.random(n) < 0.15, rng.integers(2, 10, n), np.nan),
        }
    else:
        start = rng.integers(5, 10, n)
        extra = {
            "At the start": start.astype(float),
            "After six months": np.where(rng.random(n) < 0.6, start - rng.integers(0, 3, n), np.nan),
        }
    return table.assign(**extra)


if __name__ == "__main__":
    for example in MADE:
        (EXAMPLES / example).mkdir(exist_ok=True)
        for file, text in texts(example).items():
            (EXAMPLES / example / file).write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote examples/{example}/{file}")
        for file, body in books(example).items():
            (EXAMPLES / example / file).write_bytes(body)
            print(f"wrote examples/{example}/{file}")
