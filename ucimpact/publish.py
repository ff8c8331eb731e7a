"""Write an evaluation, or a league of them, to a folder: released, rendered, and whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ucimpact import serialise
from ucimpact.disclosure import release
from ucimpact.errors import UsageError
from ucimpact.evaluation import Evaluation
from ucimpact.report.effect_units import label_of, unit_of
from ucimpact.report.tables import csv_text

OURS = (
    "report.docx",
    *(f"tables/{name}.csv" for name in ("effects", "observed_expected", "checks", "left_out")),
)
"""Files that not every run writes: one of an earlier run does not stay beside a report without it."""


def save(
    evaluation: Evaluation, folder: str | os.PathLike[str], *, theme: str = "neutral", word: bool = False
) -> list[Path]:
    """Write the four reports, ``evaluation.json``, ``tables/*.csv`` and ``disclosure_log.json``.

    ``report.html`` is the commissioner's paper, ``board.html`` the board page, ``impact-statement.html`` what
    a provider may say, and ``appendix.html`` holds everything. Small numbers are hidden first; every page is
    rendered from the document that is written. Every file is made in full before the first takes its place,
    so a run that fails leaves what was there.

    Parameters
    ----------
    evaluation : Evaluation
    folder : path
        Made if it is not there. Files of the same names are replaced, files of ours that this run does not
        write are removed, and others are left alone.
    theme : {"neutral", "nhs"}
        Colours and letters of the pages.
    word : bool, default False
        Write ``report.docx`` too, a copy of the commissioner's paper; it needs the extra ``docx``.

    Returns
    -------
    list of Path
        The files written, the report first.
    """
    from ucimpact.report.render import pages

    can_write(theme, word=word)
    if Path(folder).exists() and not Path(folder).is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write in")
    released = release(evaluation)
    document, text = _released(released)
    files: dict[str, str | bytes] = {**pages(document, theme)}
    if word:
        from ucimpact.report.docx import word_copy

        files["report.docx"] = word_copy(document)
    files |= {
        "evaluation.json": text,
        "disclosure_log.json": serialise.text_of(released.disclosure),
        **{f"tables/{name}.csv": csv_text(rows) for name, rows in tables(document).items() if rows},
    }
    return _write(Path(folder), files, OURS)


def released_document(evaluation: Evaluation) -> dict[str, Any]:
    """The document of an evaluation as it may leave the building, just as it would be written."""
    return _released(release(evaluation))[0]


def _released(released: Evaluation) -> tuple[dict[str, Any], str]:
    text = serialise.text_of(released.to_dict())
    return Evaluation.from_dict(json.loads(text)).to_dict(), text


def save_league(
    document: Mapping[str, Any], folder: str | os.PathLike[str], *, theme: str = "neutral"
) -> list[Path]:
    """Write ``league.html``, ``league.json`` and ``tables/league.csv``.

    The evaluations it is made of were released before, so nothing is hidden here. Every file is made in full
    before the first takes its place.

    Parameters
    ----------
    document : mapping
        From :func:`ucimpact.league.compare`.
    folder : path
    theme : {"neutral", "nhs"}

    Returns
    -------
    list of Path
        The files written, the page first.
    """
    from ucimpact.report.render import render_league

    if Path(folder).exists() and not Path(folder).is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write in")
    text = serialise.text_of(document)
    files: dict[str, str | bytes] = {
        "league.html": render_league(json.loads(text), theme),
        "league.json": text,
        "tables/league.csv": csv_text(league_rows(document)),
    }
    return _write(Path(folder), files, ())


def league_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a pilot: as measured, allowing for luck, its places, its worth, its verdict."""
    rows = []
    for pilot in document["pilots"]:
        value, year, corrected = (pilot[name] or {} for name in ("value", "year", "hybrid"))
        rows.append(
            {
                **{name: pilot[name] for name in ("name", "place", "people", "price")},
                **{f"measured_{name}": pilot["raw"][name] for name in ("est", "lo", "hi")},
                **{f"for_luck_{name}": pilot["shrunk"][name] for name in ("est", "lo", "hi")},
                **{f"corrected_{name}": corrected.get(name) for name in ("lo", "hi")},
                "first_place": pilot["rank"]["low"],
                "last_place": pilot["rank"]["high"],
                "chance_best": pilot["rank"]["best"],
                "value_per_person": value.get("per_person"),
                "chance_worth_its_price": value.get("chance"),
                **{f"year_{name}": year.get(name) for name in ("cost", "value", "net", "low", "high")},
                "worth_of_a_second_year": pilot["evsi"],
                "certainty": pilot["level"],
                "verdict": pilot["verdict"]["text"],
                "funded": pilot["funded"],
                "scale": pilot["scale"],
                "own_value_per_person": pilot["own"]["value"],
                "own_verdict": pilot["own"]["verdict"],
            }
        )
    return rows


def can_write(theme: str = "neutral", *, word: bool = False) -> None:
    """Refuse at once what could not be written once everything is worked out.

    Raises
    ------
    UsageError
        Where there is no such theme, or no python-docx for a Word copy.
    """
    from ucimpact.report.render import environment

    environment(theme)
    if word:
        from ucimpact.report.docx import need_docx

        need_docx()


def tables(document: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The tables of a released document, each a list of rows."""
    analyses = document["estimates"]
    effects = [
        {
            "analysis": entry["label"],
            "role": entry["role"],
            "outcome": label_of(entry, document),
            "term": row["term"],
            "unit": unit_of(entry, row, document),
            **_whole(row, ("event_time",)),
        }
        for entry in analyses
        for row in entry.get("effects") or ()
    ]
    primary: Mapping[str, Any] = next((entry for entry in analyses if entry["role"] == "primary"), {})
    checks = [
        {name: check[name] for name in ("name", "question", "answer", "text", "statistic", "p_value")}
        for check in document["checks"]
    ]
    return {
        "effects": effects,
        "observed_expected": [
            _whole(row, ("events", "units", "since")) for row in primary.get("counterfactual") or ()
        ],
        "checks": checks,
        "left_out": list(document["data"]["left_out"]),
    }


def _whole(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """A row with those of its counts that are whole written so: 241, not 241.0."""
    counts = {name: row[name] for name in names if isinstance(row.get(name), float)}
    return {**row, **{name: int(value) for name, value in counts.items() if value.is_integer()}}


def _write(folder: Path, files: Mapping[str, str | bytes], ours: Sequence[str]) -> list[Path]:
    """Write all files or none, and take away those of ours that an earlier run left.

    Raises
    ------
    UsageError
        For a folder that cannot be made or written in.
    """
    try:
        return _written(folder, files, ours)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"cannot write in {folder}: {why}. Name another folder with --out") from None


def _written(folder: Path, files: Mapping[str, str | bytes], ours: Sequence[str]) -> list[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".ucimpact-") as scratch:
        for name, text in files.items():
            made = Path(scratch) / name
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(text.encode() if isinstance(text, str) else text)
        written = []
        for name in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / name).replace(target)
            written.append(target)
    for name in ours:
        if name not in files:
            (folder / name).unlink(missing_ok=True)
    return written
