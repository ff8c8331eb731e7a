"""The speed board measures a process of its own, says what missed, and needs no peer."""

import dataclasses

import numpy as np
import pytest

from benchmarks.speed.board import Problem, Runner, _row, run
from benchmarks.speed.panel_problems import staggered, together
from benchmarks.speed.problems import PROBLEMS
from benchmarks.speed.writer import machine, page


def test_a_problem_is_run_in_a_process_of_its_own():
    problem = PROBLEMS["did-40"]
    alone = dataclasses.replace(problem, runners=problem.runners[:1])
    (row,) = run(alone, 1)
    assert row["runs"] == 1
    assert 0 < row["cpu"] < 5
    assert 30 < row["before"] <= row["peak"] < 2_000
    assert row["answer"] == pytest.approx(problem.runners[0].run(problem.make()))


def test_who_is_not_installed_is_left_out_and_without_ours_nothing_is_run():
    absent = Runner(who="absent", package="no_such_package_anywhere", run=float)
    assert not absent.ready
    assert run(dataclasses.replace(PROBLEMS["did-40"], runners=(absent,)), 1) == []


def problem(**targets):
    runners = (Runner(who="ucimpact", run=float), Runner(who="peer", package="numpy", run=float))
    return Problem(name="p", title="A problem", make=dict, runners=runners, agree_to=0.1, targets=targets)


def rows(asked, ours, theirs):
    found = {"ucimpact": ours, "peer": theirs}
    return [_row(asked, runner, found) for runner in asked.runners]


def measured(*cpu, peak=100.0, answer=1.0):
    return [{"cpu": c, "peak": peak, "before": 50.0, "answer": answer} for c in cpu]


def test_medians_and_ratios_by_hand():
    asked = problem(cpu=("peer", 0.5), peak=("peer", 0.5))
    us, them = rows(asked, measured(1, 2, 9), measured(10, 2, 5, peak=150.0, answer=1.5))
    assert (us["cpu"], them["cpu"]) == (2, 5)
    assert them["cpu ratio"] == pytest.approx(0.4)
    assert them["peak ratio"] == pytest.approx(2 / 3)
    assert them["ok"] == "met: CPU at most 0.5; MISSED: memory at most 0.5"
    assert us["ok"] == ""
    assert not them["agrees"]


def test_a_limit_in_seconds_is_asked_of_ours():
    us, them = rows(problem(seconds=1.0), measured(2), measured(1))
    assert us["ok"] == "MISSED: at most 1 s"
    assert them["ok"] == ""


def test_the_page_says_what_missed_and_whose_answer_differs_and_names_no_host():
    asked = problem(seconds=1.0)
    found = rows(asked, measured(2), measured(1, answer=3.0))
    whole = {
        "machine": machine(),
        "versions": {"Python": "3"},
        "rows": [{**r, "date": "2026-01-02"} for r in found],
    }
    text = page([asked], whole)
    assert "| A problem | ucimpact | 2 |" in text
    assert "Missed: A problem (MISSED: at most 1 s)." in text
    assert "Answers that differ: A problem: peer has 3, ours 1." in text
    import socket

    assert socket.gethostname() not in text


def test_panels_are_balanced_and_some_never_start():
    for make in (staggered, together):
        data = make(50, 20)
        assert len(data["y"]) == 1000
        start = data["start"].reshape(50, 20)
        assert (start == start[:, :1]).all()
        assert 0.2 < (start == 0).mean() < 0.8
    assert len(np.unique(staggered(200, 20)["start"])) == 5
    assert len(np.unique(together(200, 20)["start"])) == 2


def test_every_problem_puts_ours_first():
    assert all(problem.runners[0].package == "ucimpact" for problem in PROBLEMS.values())
