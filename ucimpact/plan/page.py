"""The plan as a page that holds everything, and its table as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ucimpact.errors import UsageError
from ucimpact.plan.chart import drawn
from ucimpact.plan.planned import Planned
from ucimpact.report.phrases import css_string
from ucimpact.report.render import environment
from ucimpact.report.tables import Table, csv_text, table
from ucimpact.study import Study

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE, TABLE = "plan.html", "plan.csv"


def write(planned: Planned, study: Study, folder: Path) -> list[Path]:
    """Write ``plan.html`` and ``plan.csv`` to a folder, which is made if it is not there.

    Raises
    ------
    UsageError
        Where the folder is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write in")
    records = planned.records or [
        {name or "enough": cell.strip() for name, cell in zip(planned.head, row, strict=True)}
        for row in planned.rows
    ]
    files = {PAGE: page(planned, study), TABLE: csv_text(records)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in files]


def page(planned: Planned, study: Study) -> str:
    """The plan as HTML: nothing is fetched, nothing runs."""
    numbers = range(len(planned.head))
    view = {
        "title": planned.title,
        "example": study.release.example,
        "margin": css_string("Example with invented numbers" if study.release.example else study.title),
        "kicker": ("Plan.", study.question),
        "footer": f"{study.by}. Made with ucimpact plan.",
        "answer": planned.answer,
        "table": table(planned.caption, planned.head, planned.rows, list(numbers)),
        "key": planned.key,
        "beside": _beside(planned),
        "figures": [(curve.title, _marked(drawn(curve))) for curve in planned.curves],
        "taken": planned.taken,
        "notes": planned.notes,
    }
    return environment().get_template("plan.html.j2").render(view=view)


def _beside(planned: Planned) -> Table | None:
    if planned.beside is None:
        return None
    told = planned.beside
    return table(told.caption, told.head, told.rows, list(range(len(told.head))))


def _marked(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  every text in it was escaped by canvas.svg or by matplotlib
