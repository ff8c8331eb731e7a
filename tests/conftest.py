"""Where the judges are: golden numbers that we may ship, and the shared folder beside the checkout."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.looking import QUIET, chromium, looked_at

os.environ["OPENPYXL_LXML"] = (
    "False"  # workbooks of tests and examples: the same bytes whatever is installed beside
)

settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")

HERE = Path(__file__).parent
NO_SHARED = "the shared data folder is absent: set UCIMPACT_SHARED, or lay it beside the checkout"


def shared_folder() -> Path | None:
    """The folder of data we may read and not ship, or None."""
    named = os.environ.get("UCIMPACT_SHARED")
    folder = Path(named) if named else HERE.parents[1] / "shared"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = shared_folder()
    if folder is None:
        pytest.skip(NO_SHARED)
    return folder


@pytest.fixture(scope="session")
def reference() -> Path:
    """Data and golden numbers simulated by this project."""
    return HERE / "reference"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium of this machine, started once."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Look at the four reports in a folder, on machines that have a browser."""

    def looked(folder: Path) -> None:
        if chromium() and importlib.util.find_spec("playwright"):
            document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
            looked_at(request.getfixturevalue("browser"), folder, document)

    return looked


def golden(path: Path) -> dict[str, Any]:
    """The cases of a golden file by id."""
    return {case["id"]: case["values"] for case in json.loads(path.read_text())["cases"]}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests the machine could not run, and why: a green line alone would hide it."""
    reasons = [str(report.longrepr[-1]) for report in terminalreporter.stats.get("skipped", [])]
    shared = sum(NO_SHARED in reason for reason in reasons)
    terminalreporter.write_line(
        f"Tests skipped: {len(reasons)}, {shared} of them for lack of the shared data folder."
    )
