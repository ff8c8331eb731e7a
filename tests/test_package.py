"""What goes out with the package: names that work, words that are never said, files without addresses."""

import re
import tomllib
from pathlib import Path

import pytest

import ucimpact

ROOT = Path(__file__).parents[1]
NEVER = re.compile(
    r"\bsignificant(ly)?\b|\bproves?\b|\bno effect\b|\bsaves? (money|£)|\bno difference\b(?! that)", re.I
)
FOR_READERS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("examples/*/*.md"),
    *ROOT.glob("examples/*/*.toml"),
    *ROOT.glob("reports/**/*.html*"),
]


def test_every_public_name_can_be_had():
    assert all(getattr(ucimpact, name) is not None for name in ucimpact.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ucimpact.nothing


def test_pins_name_releases_and_no_address():
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert all(re.match(r"[a-z0-9._-]+==[\w.]+( ;.*)?$", line) for line in text.splitlines())


def test_every_dependency_is_pinned_and_every_folder_of_the_wheel_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    wanted = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    assert {re.split(r"[<>=]", name)[0] for name in wanted} <= pinned
    for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        assert any((ROOT / folder).rglob("*.*")), f"{folder} is empty"


@pytest.mark.parametrize("path", FOR_READERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_and_templates_do_not_say_what_a_report_never_says(path):
    said = NEVER.search(path.read_text(encoding="utf-8"))
    assert said is None, f"{path.name} says {said and said[0]!r}"
