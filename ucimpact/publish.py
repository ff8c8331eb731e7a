"""Write an evaluation to a folder: released, rendered, and whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ucimpact import serialise
from ucimpact.disclosure import release
from ucimpact.errors import UsageError
from ucimpact.evaluation import Evaluation
from ucimpact.report.effect_units import label_of, unit_of
from ucimpact.report.tables import csv_text

TABLES = ("effects", "observed_expected", "checks", "left_out")
"""Files of ours in ``tables/``: one of an earlier run does not stay beside a report without it."""


def save(evaluation: Evaluation, folder: str | os.PathLike[str]) -> list[Path]:
    """Write ``report.html``, ``evaluation.json``, ``tables/*.csv`` and ``disclosure_log.json``.

    A study of people also gets ``impact-statement.html``: one page for the provider. Small numbers are
    hidden first; every page is rendered from the document that is written. Every file is made in full
    before the first takes its place, so a run that fails leaves what was there.

    Parameters
    ----------
    evaluation : Evaluation
    folder : path
        Made if it is not there. Files of the same names are replaced; others are left alone.

    Returns
    -------
    list of Path
        The files written, the report first.
    """
    from ucimpact.report.render import render, render_statement

    if Path(folder).exists() and not Path(folder).is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write in")
    released = release(evaluation)
    text = serialise.text_of(released.to_dict())
    document = Evaluation.from_dict(json.loads(text)).to_dict()
    pages = {"report.html": render(document)}
    if document["data"].get("kind") == "cohort":
        pages["impact-statement.html"] = render_statement(document)
    files = {
        **pages,
        "evaluation.json": text,
        "disclosure_log.json": serialise.text_of(released.disclosure),
        **{f"tables/{name}.csv": csv_text(rows) for name, rows in tables(document).items() if rows},
    }
    return _write(Path(folder), files)


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


def _write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".ucimpact-") as scratch:
        for name, text in files.items():
            made = Path(scratch) / name
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text, encoding="utf-8", newline="\n")
        written = []
        for name in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / name).replace(target)
            written.append(target)
    for name in (*(f"tables/{name}.csv" for name in TABLES), "impact-statement.html"):
        if name not in files:
            (folder / name).unlink(missing_ok=True)
    return written
