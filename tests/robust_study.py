"""A panel in which the pilot did what it should, large enough that every route to certainty is open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

STUDY = """\
schema = 1

[study]
title = "Visits in Eastvale"
question = "Did the visits reduce emergency admissions?"
pilot = "Home visits on the day"
population = "Patients of 30 practices"
comparator = "22 practices without visits"
by = "Eastvale evaluation team"

[data]
kind = "panel"
source = "practices.csv"
unit = "practice"
period = "month"
start = "joined"
population = "list_size"

[[outcome]]
column = "admissions"
label = "Emergency admissions"
kind = "count"
primary = true
worthwhile = -0.05

[[outcome]]
column = "attendances"
label = "A&E attendances"
kind = "count"

[method]
name = "did"

[context]
coding = "unchanged"
events_logged = true

[release]
profile = "none"
"""


def practices(
    effect: float = -0.15,
    units: int = 30,
    pilots: int = 8,
    before: int = 36,
    after: int = 12,
    scale: float = 60,
    seed: int = 3,
    late: int = 0,
) -> pd.DataFrame:
    """Practices by months from July 2021, with a season; the first few have the pilot.

    They have it after ``before`` months, and of these the first ``late`` three months later.
    """
    rng = np.random.default_rng(seed)
    month = np.arange(before + after)
    names = pd.date_range("2021-07-01", periods=before + after, freq="MS").strftime("%Y-%m")
    rows = []
    for u in range(units):
        size = round(scale * (4000 + 150 * u))
        season = 1 + 0.08 * np.cos(2 * np.pi * month / 12)
        level = size / 25 * season * np.exp(rng.normal(0, 0.01, len(month)))
        start = before + 3 * (u < late)
        treated = (u < pilots) & (month >= start)
        rows.append(
            pd.DataFrame(
                {
                    "practice": f"Practice {u:02d}",
                    "month": names,
                    "joined": names[start] if u < pilots else "",
                    "town": f"Town {u % 6 if u < pilots else 6 + u % 12}",
                    "list_size": size,
                    "admissions": rng.poisson(level * np.where(treated, 1 + effect, 1.0)),
                    "attendances": rng.poisson(2 * level),
                    "falls": rng.poisson(level / 3),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def written(folder: Path, *added: str, table: pd.DataFrame | None = None, text: str = STUDY) -> Path:
    """The study file with more tables at its end, and its data; the path of the file."""
    (practices() if table is None else table).to_csv(folder / "practices.csv", index=False)
    path = folder / "study.toml"
    path.write_text("\n".join([text, *added]), encoding="utf-8")
    return path
