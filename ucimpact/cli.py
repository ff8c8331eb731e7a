"""The commands. Each reads what it is given, says what it did, and leaves with a code that says how it went.

Codes: 0 done, 1 an error of ours, 2 the command or the study file, 3 the data, 4 a design that cannot
answer, 5 small numbers. Messages go to stderr and never hold a traceback: its locals could be records.
"""

from __future__ import annotations

import functools
import json
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ucimpact
from ucimpact.errors import ImpactError, UsageError

if TYPE_CHECKING:
    from ucimpact.data.cohort import Cohort
    from ucimpact.data.histories import Histories
    from ucimpact.data.panel import Panel
    from ucimpact.data.series import Series
    from ucimpact.study import Records, Study

OUT = Path("out")
WIDTH = 100

app = typer.Typer(
    name="ucimpact",
    help="Did a health-service pilot change admissions and costs, by how much, and how sure are we?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)

StudyFile = Annotated[Path, typer.Argument(help="The study file, or its folder.", show_default=False)]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the report.")]


def main() -> None:
    """The console command ``ucimpact``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that cannot write "£" still gets the rest
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as any command: a reader that has gone is no error
    app()


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ucimpact {ucimpact.__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error of ours.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    ctx.obj = debug


def answering(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose errors become one message and a code."""

    @functools.wraps(command)
    def answered(_ctx: typer.Context, **named: Any) -> None:
        try:
            command(_ctx, **named)
        except (typer.Exit, typer.Abort):
            raise
        except ImpactError as error:
            _say_error(str(error))
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            _say_error(
                f"Something went wrong inside ucimpact ({type(error).__name__}). That is our mistake. "
                "Run it again as `ucimpact --debug ...` and send us what it says"
            )
            if _ctx.obj:
                typer.echo(_frames(error), err=True)
            raise typer.Exit(1) from None

    return answered


def _frames(error: BaseException | None) -> str:
    """A traceback without the words of its errors, which can be a cell: "could not convert 'Ada'"."""
    told = []
    while error is not None:
        told.append(f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}")
        error = error.__cause__ or error.__context__
    return "Traceback, without the values\n" + "\nwhich came of\n".join(told)


def _say_error(message: str) -> None:
    """One message on stderr, without the control characters a file could smuggle to a terminal."""
    shown = "".join(c for c in message if c == "\n" or c.isprintable())
    typer.echo(shown + ("" if shown.endswith((".", "?")) else "."), err=True)


# -- commands ----------------------------------------------------------------------------


@app.command()
@answering
def demo(
    _ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Which example.")] = "acute_visiting",
    out: OutFolder = OUT,
) -> None:
    """Run a built-in example and say where the report is."""
    from ucimpact.data.examples import folder
    from ucimpact.league import is_league

    if is_league(folder(name)):
        _compare([folder(name)], out)
    else:
        _evaluate(folder(name) / "study.toml", out)


@app.command()
@answering
def run(
    _ctx: typer.Context,
    study: StudyFile,
    out: OutFolder = OUT,
    theme: Annotated[
        str, typer.Option("--theme", help="Colours of the reports: neutral, or nhs for an NHS body.")
    ] = "neutral",
    word: Annotated[
        bool, typer.Option("--docx", help="Write a Word copy of the commissioner's paper too.")
    ] = False,
) -> None:
    """Answer a study's question and write the reports."""
    from ucimpact.publish import can_write

    can_write(theme, word=word)
    _evaluate(study, out, theme, word=word)


@app.command()
@answering
def compare(
    _ctx: typer.Context,
    pilots: Annotated[
        list[Path],
        typer.Argument(
            help="Evaluations (evaluation.json or its folder) or studies; or one league.toml.",
            show_default=False,
        ),
    ],
    budget: Annotated[
        float | None, typer.Option("--budget", help="Pounds for one year of the pilots.", show_default=False)
    ] = None,
    out: OutFolder = OUT,
    theme: Annotated[str, typer.Option("--theme", help="Colours of the page: neutral or nhs.")] = "neutral",
) -> None:
    """Compare pilots that answer one question, allowing for luck, and say which to fund."""
    _compare(pilots, out, budget, theme)


@app.command()
@answering
def check(_ctx: typer.Context, study: StudyFile) -> None:
    """Read a study and its data, list every problem and which designs are open; run nothing."""
    from ucimpact.evaluation import refuse_others
    from ucimpact.evaluation.robust import told
    from ucimpact.study import read_records

    read = _read(study)
    refuse_others(read)
    records = read_records(read)
    asked = _asked(read, records)
    _say_records(read, records)
    _say_designs(read, *asked)
    for line in told(read, records):
        typer.echo(f"\n{line}")
    typer.echo(f"\nReady. Next: ucimpact run {study}")


@app.command()
@answering
def plan(
    _ctx: typer.Context,
    study: StudyFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for plan.html and plan.csv as well.", show_default=False),
    ] = None,
) -> None:
    """Say how many people, places or months it takes: from the file of before the pilot, or from its plan.

    The plan is the table of that name in the study file. Places and one series need none: what they were
    like before the pilot is learnt from the data file.
    """
    from ucimpact.plan import make, write

    read = _read(study, with_data=False)
    with _progress() as progress:
        found = make(read, progress=progress)
    typer.echo(found.text())
    if out is not None:
        for path in write(found, read, out):
            typer.echo(f"Wrote {path}")


@app.command()
@answering
def lock(
    _ctx: typer.Context,
    study: StudyFile,
    again: Annotated[
        bool, typer.Option("--again", help="Lock a plan that was changed; the earlier one is kept.")
    ] = False,
) -> None:
    """Fix the plan of a study before the data are seen, so that the report can say whether it was kept.

    Writes study.lock.json beside study.toml: what was declared, when, and whether outcome data were there.
    """
    from ucimpact.evaluation.document import now
    from ucimpact.study.lock import lock as write_lock
    from ucimpact.words.lock import locked_now

    path, entry = write_lock(_read_plan(study), when=now(), version=ucimpact.__version__, again=again)
    for line in locked_now(path.name, entry["data"]["state"]):
        typer.echo(_wrapped(line))
    typer.echo(f"SHA-256 of the plan: {entry['hash']}")


@app.command()
@answering
def init(
    _ctx: typer.Context,
    service: Annotated[
        str, typer.Argument(help="Kind of service, such as acute-visiting.", show_default=False)
    ],
    into: Annotated[Path, typer.Option("--into", help="Folder to write in.")] = Path(),
) -> None:
    """Write a commented study file and a workbook to fill in, for a kind of service."""
    from ucimpact.study.starting import begin

    written = begin(service, into)
    typer.echo("\n".join(f"Wrote {path}" for path in written))
    typer.echo(f"Fill in both, then: ucimpact check {written[0]}")


@app.command()
@answering
def methods(
    _ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One method, such as its.", show_default=False)] = None,
) -> None:
    """List the methods and what each needs, or one of them."""
    from ucimpact.methods import METHODS
    from ucimpact.methods.building import name_problem

    if name is not None and (wrong := name_problem(name)):
        raise UsageError(wrong)
    wanted = [name] if name is not None else list(METHODS)
    typer.echo("\n\n".join(_method(each, METHODS[each]) for each in wanted))


# -- reading and running -----------------------------------------------------------------


def _read(path: Path, *, with_data: bool = True) -> Study:
    from ucimpact.evaluation import judge, refuse_values
    from ucimpact.study import read_study

    study = read_study(path, judge=judge, with_data=with_data)
    refuse_values(study)
    return study


def _read_plan(path: Path) -> Study:
    """The study of a plan, whose data need not be there yet."""
    from ucimpact.study.source import has_file

    study = _read(path, with_data=False)
    return _read(path) if has_file(study.data, study.folder) else study


def _evaluate(path: Path, out: Path, theme: str = "neutral", *, word: bool = False) -> None:
    from ucimpact.evaluation import evaluate
    from ucimpact.publish import save

    study = _read(path)
    with _progress() as progress:
        written = save(evaluate(study, progress=progress), out, theme=theme, word=word)
    released = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    said = released["finding"]["sentences"]
    for sentence in (said["headline"], said["lead"], said["certainty_line"]):
        typer.echo(_wrapped(sentence if sentence.endswith(".") else f"{sentence}."))
    typer.echo(f"Report: {written[0]}")
    reports = [path.name for path in written[1:] if path.suffix in (".html", ".docx")]
    typer.echo(
        _wrapped(f"Beside it: {', '.join(reports)}, evaluation.json, disclosure_log.json and tables/.")
    )


def _compare(pilots: list[Path], out: Path, budget: float | None = None, theme: str = "neutral") -> None:
    from ucimpact.evaluation import evaluate
    from ucimpact.league import compare, gather, gather_declared, is_league
    from ucimpact.publish import can_write, released_document, save_league
    from ucimpact.study.league_file import read_league

    can_write(theme)
    if budget is not None and not 0 < budget < float("inf"):
        raise UsageError(f"--budget is an amount in pounds above 0; {budget:g} is not")

    def evaluated(path: Path) -> dict[str, Any]:
        study = _read(path)
        typer.echo(f"Evaluating {path}")
        with _progress() as progress:
            return released_document(evaluate(study, progress=progress))

    declared = None
    if len(pilots) == 1 and is_league(pilots[0]):
        declared = read_league(pilots[0])
        entries = gather_declared(declared, evaluated)
    elif len(pilots) < 2:
        raise UsageError("name two evaluations or studies to compare, or one league.toml")
    else:
        entries = gather(pilots, evaluated)
    document = compare(entries, declared, budget=budget)
    written = save_league(document, out, theme=theme)
    said, decision = document["sentences"], document["decision"]
    spoken = [said[name] for name in ("headline", "lead", "second")]
    for sentence in (*spoken, decision["verdict"], decision["because"]):
        typer.echo(_wrapped(sentence if sentence.endswith(".") else f"{sentence}."))
    for pilot in document["pilots"]:
        typer.echo(_wrapped(f"{pilot['title']}: {pilot['verdict']['text']}.", "  "))
    for row in document["left_out"]:
        typer.echo(_wrapped(row["why"], "  "))
    typer.echo(f"Report: {written[0]}")


def _quiet(*_: object) -> None:
    """Tell nobody."""


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda what, done, steps: bar.update(task, description=what, completed=done, total=steps)


# -- what is said ------------------------------------------------------------------------


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _say_records(study: Study, records: Records) -> None:
    data = records.data
    counts = data.counts()
    typer.echo(study.title)
    used = counts["rows"] if "rows" in counts else counts["people"]
    typer.echo(f"{records.rows_read:,} rows read, {used:,} used")
    for row in records.left_out:
        typer.echo(f"  left out: {row['n']:,} {row['reason']}")
    for column, n in records.missing.items():
        typer.echo(f"  empty: {n:,} cell{'s' if n > 1 else ''} of `{column}`")
    for note in records.coercions:
        typer.echo(f"  {note}")
    for far in records.far:
        typer.echo(_wrapped(f"warning: {far}", "  "))
    typer.echo(_who(records))


def _who(records: Records) -> str:
    """The groups and the time that were read, in a line."""
    from ucimpact.data.cohort import Cohort
    from ucimpact.data.histories import Histories

    data = records.data
    counts = data.counts()
    if isinstance(data, Histories):
        people = f"{counts['people']:,} people, {counts['served']:,} of them with the service"
        return f"{people}; {counts['events']:,} events"
    if isinstance(data, Cohort):
        people = f"{counts['persons']:,} people"
        if counts["rows"] != counts["persons"]:
            people += f" in {counts['rows']:,} rows"
        groups = f"{counts['pilot']:,} with the service and {counts['comparison']:,} without"
        told = f"{people}: {groups}" if counts["comparison"] else f"{people}, all with the service"
        return told if data.horizon is None else f"{told}; followed for up to {data.horizon:,.0f} days"
    noun, labels = data.frequency.noun, data.labels()
    span = f"{counts['periods']} {noun}s, {labels[0]} to {labels[-1]}"
    if "units" not in counts:
        return f"{span}: {counts['before']} before the start, {counts['after']} from it on"
    who = f"{counts['pilot_units']} pilot and {counts['comparison_units']} comparison units"
    places = f" in {counts['places']} places" if counts["places"] != counts["units"] else ""
    return f"{who}{places}, {span}"


Asked = tuple[
    "Panel | Series | Cohort | Histories", str, dict[str, dict[str, Any]], "tuple[Panel | Series, str] | None"
]
"""Data and outcome as they are analysed, the fields of methods as the study sets them, and the same data for
methods of counts."""


def _asked(study: Study, records: Records) -> Asked:
    from ucimpact.data.cohort import Cohort
    from ucimpact.data.histories import Histories
    from ucimpact.data.series import Series
    from ucimpact.design import OF_COUNTS
    from ucimpact.evaluation import prepare
    from ucimpact.evaluation.people import NAIVE, options_of, seen_by
    from ucimpact.evaluation.trials import trial_options
    from ucimpact.methods import METHODS

    name, outcome, data = study.method.name, study.primary, records.data
    fields = dict(study.method.options)
    if isinstance(data, Histories):
        return data, outcome.column, {name: trial_options(study, outcome, name, fields)}, None
    if isinstance(data, Cohort):
        options = {name: options_of(study, outcome, name, fields)}
        if outcome.before is not None and study.data.before_days is not None:
            options.setdefault(NAIVE, options_of(study, outcome, NAIVE, {}))
        return seen_by(outcome, data), outcome.column, options, None
    options = {name: fields}
    if study.data.kind == "series" and study.data.covid is not None:
        for of_series in (key for key, method in METHODS.items() if method.takes is Series):
            options.setdefault(of_series, {}).setdefault("covid", study.data.covid)
    prepared = prepare(data, outcome)
    counted = prepare(data, outcome, method=OF_COUNTS[0])
    return prepared.data, prepared.column, options, (counted.data, counted.column)


def _say_designs(
    study: Study,
    data: Panel | Series | Cohort | Histories,
    column: str,
    options: dict[str, dict[str, Any]],
    counted: tuple[Panel | Series, str] | None,
) -> None:
    """Which methods could answer; then raises the refusals of the one that is declared."""
    from ucimpact.data.histories import Histories
    from ucimpact.design import open_designs
    from ucimpact.methods import build
    from ucimpact.methods.design_finding import enforce

    designs = open_designs(data, column, options=options, counted=counted)
    typer.echo("\nDesigns")
    alike: dict[tuple[str, ...], list[str]] = {}
    for design in designs:
        declared = ", as declared" if design.method == study.method.name else ""
        note = f" ({design.note})" if design.note else ""
        said = f"{'open' if design.is_open else 'not open'}{declared}{note}"
        alike.setdefault((said, *map(str, design.findings)), []).append(design.method)
    for (said, *found), methods in alike.items():
        typer.echo(_wrapped(f"{', '.join(methods)}: {said}", "  "))
        for text in found:
            typer.echo(_wrapped(text, "    "))
    enforce(next(design.findings for design in designs if design.method == study.method.name))
    if isinstance(data, Histories):  # whether there are trials, and a score, is seen by making them
        build(study.method.name, options[study.method.name], outcome=column).emulation(data)


def _method(name: str, method: Any) -> str:
    """A method's key, what it does and needs, and its fields, from its own docstring and annotations."""
    from ucimpact.methods.building import described

    needs = {
        "Panel": 'one row a place and period (kind = "panel")',
        "Series": 'one row a period (kind = "series")',
        "Cohort": 'one row a person (kind = "cohort")',
        "Histories": 'one row a person, and a table of dated events (kind = "cohort", [data.events])',
    }
    first, fields = described(method)
    lines = [_wrapped(f"{name}: {first}"), f"  needs {needs[method.takes.__name__]}"]
    for field, default, text in fields:
        lines += [f"  {field} = {default}", _wrapped(text, "      ")]
    return "\n".join(lines)
