"""The text that each fault replaces is still there, so that ``make break`` can be run at any time."""

import pytest
import run


@pytest.mark.parametrize("fault", run.FAULTS, ids=lambda fault: fault.name.split(":")[0])
def test_a_fault_finds_its_text_once_and_its_tests(fault):
    for name, old, new in fault.edits:
        assert (run.ROOT / name).read_text(encoding="utf-8").count(old) == 1
        assert new != old
    assert all((run.ROOT / test).is_file() for test in fault.tests)


def test_a_fault_whose_text_is_gone_stops_the_run(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(SystemExit, match=r"a\.py holds 0 times, and not once: y = 2"):
        run.apply(run.Fault("gone", (("a.py", "y = 2", "y = 3"),), ()), tmp_path)
    kept = run.apply(run.Fault("there", (("a.py", "x = 1", "x = 2"),), ()), tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 2\n"
    assert kept == {tmp_path / "a.py": "x = 1\n"}


def test_only_a_test_that_failed_counts_as_a_catch():
    assert run.caught_by("FAILED tests/a.py::test_b[1-x] - assert 1 == 2\n") == "tests/a.py::test_b[1-x]"
    assert run.caught_by("ERROR tests/a.py - ImportError\n") is None
