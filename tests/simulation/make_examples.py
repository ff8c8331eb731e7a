"""Write the data and the planted truth of every example again: ``make examples``."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from workbooks import Sheet, workbook

from ucimpact.data.simulate import Draw, PracticePanel
from ucimpact.data.simulate_people import Befriending, SoftLanding
from ucimpact.data.simulate_series import CrisisResponse, DelayedTransfers, VanguardSites
from ucimpact.data.simulate_staggered import StaggeredPractices

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = {
    "acute_visiting": 1,
    "acute_visiting_staggered": 1,
    "crisis_response": 1,
    "delayed_transfers": 1,
    "vanguard_kpis": 1,
    "soft_landing": 11,
    "befriending": 1,
}
"""Soft landing has a draw in which the negative controls hold: in 23 of the first 120 they are in doubt by chance."""
PLACES = {
    "acute_visiting": (PracticePanel(), "practices.csv"),
    "acute_visiting_staggered": (StaggeredPractices(), "practices.csv"),
    "crisis_response": (CrisisResponse(), "months.csv"),
    "delayed_transfers": (DelayedTransfers(), "months.csv"),
    "vanguard_kpis": (VanguardSites(), "sites.csv"),
}
PEOPLE = {
    "soft_landing": (SoftLanding(), "discharges.xlsx"),
    "befriending": (Befriending(), "clients.xlsx"),
}
MADE = {**PLACES, **PEOPLE}

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
    "soft_landing": (
        "By potential outcomes of the people served: each one's expected outcome over their own days at risk with the "
        "service less that without it. Rates of admission are multiplied by `ratio`; stays and prices are not. "
        "`att` is for a person over 90 days at risk (for a cost or a yes or no, a person), `per_100` for 100 people, `cumulative` "
        "for all of them over all their days, `relative` a share of what was expected. Deaths, injuries and what "
        "happened before are untouched. `before_after` is the people served: admissions a person in the 90 days "
        "before (the stay they were discharged from among them) and expected after."
    ),
    "befriending": (
        "Nothing was changed: each client's admissions before and after are Poisson counts of one rate. "
        "`before_after` is a client over 180 days. Clients were taken if they had two or more admissions before, and "
        "that alone explains the fall."
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
        name="Discharges",
        titles=(
            "Soft landing: emergency discharges, April to December 2024",
            "Made 14/03/2025 by the information team. All people are invented.",
        ),
        over={"Phone calls": ("Week 1", "Week 2")},
        yes_no=("Soft landing", "Lives alone", "Readmitted within 30 days", "Died within 90 days"),
        pounds=("Cost 90 days after",),
        spaced=("Lives alone", "Admissions 90 days before"),
        not_summed=("Age", "Deprivation fifth", "Frailty score", "Wellbeing score"),
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
    draw: Draw = design.draw(SEEDS[name])
    truth = {"seed": SEEDS[name], "design": repr(design), "about": ABOUT[name], "truth": draw.truth}
    made = {"truth.json": json.dumps(truth, indent=2) + "\n"}
    if name in PLACES:
        tidy = name != "acute_visiting_staggered"
        made[file] = draw.table.to_csv(index=False, lineterminator="\n") if tidy else untidy(draw.table)
    return made


def books(name: str) -> dict[str, bytes]:
    """The workbooks of an example, by name."""
    if name in PLACES:
        return {}
    design, file = PEOPLE[name]
    table = design.draw(SEEDS[name]).table
    return {file: workbook(_with_scraps(name, table), SHEETS[name])}


def _with_scraps(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Columns that a provider keeps and no study uses, with much that was never written down."""
    rng, n = np.random.default_rng([SEEDS[name], len(name)]), len(table)
    if name == "soft_landing":
        served = table["Soft landing"].to_numpy() == 1
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
