"""Every problem, by name."""

from __future__ import annotations

from benchmarks.speed import (
    many_problems,
    matching,
    panel_problems,
    people_problems,
    series_problems,
    whole_problems,
)
from benchmarks.speed.board import Problem

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for part in (
        panel_problems,
        whole_problems,
        series_problems,
        many_problems,
        matching,
        people_problems,
    )
    for problem in part.PROBLEMS
}
