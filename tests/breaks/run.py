"""Break a copy of the code fifteen ways, one at a time, and name the test that catches each: ``make break``.

A test that no fault can fail tells nothing. Each fault is an exact replacement in a scratch copy of the
checkout; where its text is no longer there the run stops and says so, and the fault has to be written again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("ucimpact", "tests", "reports", "examples", "pyproject.toml", "constraints.txt")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "node_modules", ".*")


@dataclass(frozen=True)
class Fault:
    """What is broken, how (file, text there now, text put instead), and which tests should mind."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "no period effects: the others' change is not taken off",
        (
            (
                "ucimpact/inference/comparison.py",
                "signed = np.where(self.pilot, w, -w) / total",
                "signed = np.where(self.pilot, w, 0.0) / total",
            ),
        ),
        ("tests/inference/test_comparison.py",),
    ),
    Fault(
        "no clustering: every row is a place of its own",
        (
            ("ucimpact/inference/comparison.py", "self.places[units],", "np.arange(len(units)),"),
            (
                "ucimpact/inference/comparison.py",
                "self.places,\n                w,",
                "np.arange(len(w)),\n                w,",
            ),
        ),
        ("tests/inference/test_comparison.py",),
    ),
    Fault(
        "one-sided critical value: intervals too short by a sixth",
        (
            (
                "ucimpact/inference/two_groups.py",
                "return np.asarray(stdtrit(df, (1 + level) / 2))",
                "return np.asarray(stdtrit(df, level))",
            ),
        ),
        ("tests/inference/test_few_clusters.py",),
    ),
    Fault(
        "spread of starts ignored: places of another start are as noisy as any",
        (
            (
                "ucimpact/inference/two_groups.py",
                "        spread = self.spread * contrasts.relative\n        squares = (contrasts.residuals",
                "        spread = self.spread * np.ones_like(contrasts.relative)\n        squares = (contrasts.residuals",
            ),
        ),
        ("tests/methods/test_staggered_estimate.py",),
    ),
    Fault(
        "correlation by shares: two pilot places stand for all in the test before the start",
        (
            (
                "ucimpact/inference/two_groups.py",
                "pooled = contrasts.residuals(contrasts.relative) / np.sqrt(contrasts.relative)",
                "pooled = contrasts.shares * contrasts.residuals(contrasts.relative)",
            ),
        ),
        ("tests/methods/test_staggered_estimate.py",),
    ),
    Fault(
        "list size ignored: a growing list looks like more admissions",
        (
            (
                "ucimpact/inference/count_effects.py",
                "fit = ppml(raw, used, exposure=rate_people, family=family)",
                "fit = ppml(raw, used, exposure=np.ones_like(rate_people), family=family)",
            ),
        ),
        ("tests/methods/test_count_did.py",),
    ),
    Fault(
        "season ignored: no wave of the year in the regression",
        (
            (
                "ucimpact/methods/its_design.py",
                "columns |= season_columns(series.frequency, series.ordinals, chosen.name)",
                "season_columns(series.frequency, series.ordinals, chosen.name)",
            ),
        ),
        ("tests/methods/test_its.py",),
    ),
    Fault(
        "days in the month ignored: February is a fall in counts",
        (
            (
                "ucimpact/methods/count_its_design.py",
                "exposure=exposure * lengths if choices.days else exposure",
                "exposure=exposure",
            ),
        ),
        ("tests/methods/test_count_its.py",),
    ),
    Fault(
        "chance variation of counts taken for what carries over",
        (("ucimpact/inference/mixture.py", "COUNTED = NoisePrior(b=0.7, k=2.0)", "COUNTED = NoisePrior()"),),
        ("tests/inference/test_count_series.py",),
    ),
    Fault(
        "caliper ignored: anybody of the stratum is near enough",
        (
            (
                "ucimpact/inference/searching.py",
                "        if not near <= self.caliper or near == np.inf:",
                "        if near == np.inf:",
            ),
        ),
        ("tests/inference/test_pairing.py",),
    ),
    Fault(
        "chance above the cost turned round: a loss looks like a gain",
        (
            (
                "ucimpact/economics/amounts.py",
                "return float((self.draws > cost).mean())",
                "return float((self.draws < cost).mean())",
            ),
        ),
        ("tests/economics/test_valuation.py",),
    ),
    Fault(
        "small shares shown: a handful of people could be counted from the balance table",
        (
            (
                "ucimpact/disclosure/counts.py",
                "    return any(HIDDEN[0] <= round(part * n) <= HIDDEN[1] for part in (share, 1 - share))",
                "    return False",
            ),
        ),
        ("tests/test_evaluation_people.py",),
    ),
    Fault(
        "odds left out: people who could have begun count alike, however unlikely they were to begin",
        (
            (
                "ucimpact/inference/trial_weights.py",
                "chance / np.maximum(1 - chance, np.finfo(float).tiny))",
                "np.ones(len(chance)))",
            ),
        ),
        ("tests/inference/test_trial_weights.py", "tests/methods/test_sequential_trials.py"),
    ),
    Fault(
        "the future chosen by: whoever begins later is no comparison person",
        (
            (
                "ucimpact/inference/trial_matching.py",
                "((self.begins == NEVER) | (self.begins >= day))",
                "((self.begins == NEVER) | (self.begins == day))",
            ),
        ),
        ("tests/inference/test_trial_matching.py",),
    ),
    Fault(
        "escape off: text of a data file is put into the page as it stands",
        (("ucimpact/report/render.py", "autoescape=True", "autoescape=False"),),
        ("tests/report/test_render.py",),
    ),
)


def scratch_copy(folder: Path) -> None:
    """The checkout, without what is built or hidden."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=LEFT_BEHIND)
        else:
            shutil.copy(source, folder / name)


def apply(fault: Fault, folder: Path) -> dict[Path, str]:
    """Make the replacements; what the files held before, by file."""
    before: dict[Path, str] = {}
    for name, old, new in fault.edits:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise SystemExit(f"{fault.name}: {name} holds {text.count(old)} times, and not once: {old}")
        before.setdefault(path, text)
        path.write_text(text.replace(old, new), encoding="utf-8")
    return before


def pytest(tests: tuple[str, ...], folder: Path) -> tuple[int, str]:
    """Exit code and output of a run in the copy, which must not see this checkout's package."""
    shared = os.environ.get("UCIMPACT_SHARED", str(ROOT.parent / "shared"))
    environment = {
        **os.environ,
        "UCIMPACT_SHARED": shared,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def caught_by(output: str) -> str | None:
    """The test that failed; None where the run failed for another reason, such as an import."""
    found = re.search(r"^(?:FAILED|ERROR) (\S+::\S+)", output, re.MULTILINE)
    return found[1] if found else None


def main() -> int:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        scratch_copy(folder)
        every = tuple(dict.fromkeys(test for fault in FAULTS for test in fault.tests))
        code, output = pytest(every, folder)
        if code != 0:
            print(output[-3000:])
            print("The tests do not pass on an unbroken copy, so they can catch nothing.")
            return 1
        print(f"unbroken copy: {len(every)} test files pass")
        missed = 0
        for fault in FAULTS:
            before = apply(fault, folder)
            _, output = pytest(fault.tests, folder)
            for path, text in before.items():
                path.write_text(text, encoding="utf-8")
            name = caught_by(output)
            missed += name is None
            print(
                f"{fault.name}\n    " + (f"caught by {name}" if name else f"NOT CAUGHT\n{output[-1500:]}"),
                flush=True,
            )
    print(f"{len(FAULTS) - missed} of {len(FAULTS)} faults caught, {time.perf_counter() - begun:.0f} s")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
