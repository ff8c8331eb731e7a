"""A page in a real browser with the network off: what it says, what it asks for, what stands where.

Needs a Chromium on this machine, and axe-core to judge accessibility: ``UCIMPACT_AXE`` names its file, or
``make axe`` installs it. What is not there is skipped, and says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ONE_PAGE = ("board.html", "impact-statement.html")
REPORTS = ("report.html", *ONE_PAGE, "appendix.html")


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def axe_file() -> Path | None:
    named = os.environ.get("UCIMPACT_AXE")
    path = Path(named) if named else HERE / "report" / "node_modules" / "axe-core" / "axe.min.js"
    return path if path.is_file() else None


class Opened:
    """A page opened without a network, with everything it said and asked for."""

    def __init__(self, browser: Any, file: Path, size: dict[str, int], **options: Any) -> None:
        self.context = browser.new_context(viewport=size, **options)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def violations(browser: Any, path: Path, size: dict[str, int]) -> list[Any]:
    """What the accessibility judge finds in a page with all of its parts open."""
    axe = axe_file()
    if axe is None:
        pytest.skip("axe-core is not installed: set UCIMPACT_AXE, or run `make axe`")
    with Opened(browser, path, size, bypass_csp=True) as opened:
        opened.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        opened.page.add_script_tag(path=str(axe))
        script = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        found: list[Any] = opened.page.evaluate(script)
        return found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def texts_of(pdf: Path) -> list[str]:
    """The text of each printed page."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not on this machine")
    done = subprocess.run([tool, "-layout", str(pdf), "-"], capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


ABOVE = """() => [...document.querySelectorAll('h1, h2, p, li, dd, td, th')].filter(e => {
    const b = e.getBoundingClientRect(); return b.height && b.bottom <= 900 && b.left >= 0;
}).map(e => e.textContent.trim()).join('\\n')"""


def answers(page: Any, document: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the four answers stand above 900 pixels of a page 1,280 wide.

    What happened is the headline; how sure, a level below its question; worth it or not, pounds or why not;
    what next, the verdict.
    """
    above = page.evaluate(ABOVE)
    level, verdict = document["certainty"]["level"], document["decision"]["verdict"].rstrip(".")
    return {
        "what happened": document["finding"]["sentences"]["headline"] in above,
        "how sure": bool(re.search(rf"How sure are we\?\n[^?]*\b{level}\b", above, re.I)),
        "worth it": bool(re.search(r"Is it worth the money\?\n[^?]*(£|not worked out)", above)),
        "what next": bool(re.search(rf"What to do next\n[^?]*{re.escape(verdict)}", above)),
    }


def looked_at(browser: Any, folder: Path, document: Mapping[str, Any]) -> dict[str, int]:
    """Open the four reports of a folder on screen, phone and paper; how many pages each prints."""
    printed = {}
    for name in REPORTS:
        with Opened(browser, folder / name, WIDE) as opened:
            missing = [what for what, there in answers(opened.page, document).items() if not there]
            assert not missing, (name, missing)
            opened.page.set_viewport_size(PHONE)
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
            if name != "appendix.html":
                pdf = folder / f"{name}.pdf"
                opened.page.pdf(path=str(pdf), prefer_css_page_size=True)
                printed[name] = len(texts_of(pdf))
            assert opened.said == [] and opened.asked == [(folder / name).as_uri()], name
    assert all(printed[name] == 1 for name in ONE_PAGE), printed
    assert 2 <= printed["report.html"] <= 5, printed
    return printed
