"""Where the built-in examples lie: in the installed package, or in the checkout."""

from __future__ import annotations

from pathlib import Path

from ucimpact.errors import UsageError

KINDS = ("study.toml", "league.toml")
PACKAGE = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The folder that holds the examples.

    Raises
    ------
    UsageError
        Where the installation has none.
    """
    for place in (PACKAGE / "examples", PACKAGE.parent / "examples"):
        if any(place.glob("*/study.toml")):
            return place
    raise UsageError("the examples are missing from this installation. Install the package again")


def names() -> list[str]:
    """The examples there are: a folder with a study, or with a league of several."""
    return sorted({file.parent.name for kind in KINDS for file in home().glob(f"*/{kind}")})


def folder(name: str) -> Path:
    """The folder of one example, with its ``study.toml`` or ``league.toml``.

    Raises
    ------
    UsageError
        Naming the examples there are.
    """
    if name not in names():
        raise UsageError(f'there is no example "{name}"; there are: {", ".join(names())}')
    return home() / name
