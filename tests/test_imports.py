"""A module imports only from its left, and importing the package loads none of the heavy six."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ucimpact
from ucimpact.methods import METHODS

PACKAGE = Path(ucimpact.__file__).parent
ORDER = (
    "errors", "serialise", "data", "study", "inference", "words", "estimate", "methods", "diagnostics", "design",
    "economics", "decision", "finding", "evaluation", "league", "disclosure", "report", "publish", "plan", "cli",
)  # fmt: skip
HEAVY = ("statsmodels", "sklearn", "linearmodels", "jinja2", "matplotlib", "duckdb")
JUDGES = ("statsmodels", "sklearn", "linearmodels")

DOOR = PACKAGE / "__init__.py"
"""Names everything and loads it when asked, so it stands outside the order."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path not in (DOOR, PACKAGE / "__main__.py"))


def named(path: Path) -> tuple[str, ...]:
    """Where a module stands below the package: ("methods", "did")."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> list[tuple[str, ...]]:
    """What a module imports of the package, wherever in the module it does so."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [tuple(name.split(".")[1:]) for name in found if name.split(".")[0] == "ucimpact"]


def layer(parts: tuple[str, ...]) -> int | None:
    """The place in ORDER; None for the package itself (its version), which stands outside."""
    return ORDER.index(parts[0]) if parts and parts[0] in ORDER else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_left(path):
    own = named(path)
    assert own[0] in ORDER, f"{own[0]} has no place in the order: give it one"
    for target in imports(path):
        place = layer(target)
        assert place is None or place <= ORDER.index(own[0]), (
            f"{'.'.join(own)} imports {'.'.join(target)}, to its right"
        )


def test_estimators_do_not_import_one_another():
    """Parts may be shared (``common_start``), and a long method may be several files; estimators stay strangers."""
    estimators = {method.__module__.split(".")[-1] for method in METHODS.values()}
    for path in (PACKAGE / "methods").glob("*.py"):
        if path.stem == "__init__":
            continue
        known = {target[1] for target in imports(path) if target[0] == "methods" and len(target) > 1}
        assert not known & (estimators - {path.stem}), f"methods.{path.stem} imports {known & estimators}"


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_none_of_the_heavy_six():
    assert not loaded_after("import ucimpact") & set(HEAVY)


def test_no_public_name_needs_another_package_of_statistics():
    loaded = loaded_after(
        "import ucimpact, ucimpact.methods\n[getattr(ucimpact, name) for name in ucimpact.__all__]"
    )
    assert "numpy" in loaded
    assert not loaded & set(JUDGES)
