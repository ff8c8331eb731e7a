"""One SELECT in a DuckDB that can read the study's folders and nothing else.

The query may join, add and subtract files. The database it runs in lives in memory, loads no
extension, reaches no network, sees no Python variable, and is locked to the study's own folder and
the folders that the study names; its settings cannot be changed back. A statement that is not a
SELECT is refused before it runs, because one that writes would be allowed to write there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ucimpact.errors import DataError, Problem, UsageError

if TYPE_CHECKING:
    import duckdb

SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
ACCOUNT_LINES = 3
ONE_SELECT = "Write one SELECT; WITH ... SELECT is one statement"


@contextlib.contextmanager
def locked(folders: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that reads these folders (and what lies in them) and nothing else."""
    import duckdb

    names = ", ".join(quoted(str(folder.resolve())) for folder in folders)
    with duckdb.connect(":memory:", config=dict(SETTINGS)) as connection:
        connection.execute("SET temp_directory = ''")
        connection.execute(f"SET allowed_directories = [{names}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def quoted(text: str) -> str:
    """Text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def select(
    sql: str, *, folder: Path, folders: Sequence[Path], name: str, show: bool = True
) -> tuple[list[str], list[Any]]:
    """The columns and rows of one SELECT.

    Parameters
    ----------
    sql : str
        The statement; a file without a folder is looked for in ``folder``.
    folder, folders : Path
        The study's folder, and the others it names.
    name : str
        The file the query came from, for messages.
    show : bool
        False where rows are people: DuckDB's own words may hold a value, and are then left out.

    Raises
    ------
    UsageError
        For anything but one SELECT.
    DataError
        For a query that does not run, in DuckDB's words.
    """
    import duckdb

    # DuckDB checks a relative name against the working folder, not against file_search_path.
    with locked([folder, *folders]) as connection, contextlib.chdir(folder):
        try:
            statements = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise UsageError(f"{name} is not SQL that DuckDB reads: {_words(error)}") from None
        kinds = [statement.type.name for statement in statements]
        if kinds != ["SELECT"]:
            found = " and ".join(kinds) if kinds else "nothing"
            raise UsageError(f"{name} must hold one SELECT; it holds {found}. {ONE_SELECT}.")
        try:
            result = connection.execute(statements[0])
            columns = [str(column[0]) for column in result.description]
            return columns, result.fetchall()
        except duckdb.Error as error:
            raise DataError(_problem(error, name, show)) from None


def parquet(path: Path) -> tuple[list[str], list[Any]]:
    """The columns and rows of a Parquet file.

    Raises
    ------
    DataError
        Where it is not one.
    """
    import duckdb

    with locked([path.parent]) as connection:
        try:
            result = connection.execute(f"SELECT * FROM read_parquet({quoted(str(path.resolve()))})")  # noqa: S608  quoted
            return [str(column[0]) for column in result.description], result.fetchall()
        except duckdb.Error:
            what = "this is not a Parquet file that can be read"
            raise DataError(Problem(what, "Export it again, or use CSV", file=path.name)) from None


def files_named(sql: str, folder: Path, folders: Sequence[Path] = ()) -> list[Path]:
    """The files of these folders that text in a query names, by name or pattern, each once."""
    import duckdb

    tokens = duckdb.tokenize(sql)
    ends = [start for start, _ in tokens[1:]] + [len(sql)]
    found: dict[Path, None] = {}
    for (start, kind), end in zip(tokens, ends, strict=True):
        text = sql[start:end].strip()
        if kind.name != "string_const" or not text.startswith("'"):
            continue
        named = Path(text.strip("'").replace("''", "'"))
        for home in (folder, *folders):
            with contextlib.suppress(ValueError, OSError, NotImplementedError):
                pattern = named.relative_to(home) if named.is_absolute() else named
                matches = sorted(home.glob(str(pattern)))
                found.update((path.resolve(), None) for path in matches if path.is_file())
            if not named.is_absolute():
                break
    return list(found)


def _words(error: Exception) -> str:
    """DuckDB's account, without its name for the error and its advice."""
    account = str(error).strip().split("\n\n")[0].splitlines()[:ACCOUNT_LINES]
    return re.sub(r"^[A-Za-z ]+ Error: ", "", "; ".join(account)).rstrip(".!")


def _problem(error: Exception, name: str, show: bool) -> Problem:
    barred = re.search(r'Cannot access \w+ "(.*?)" - file system operations', str(error))
    if barred:
        return Problem(
            f"the query may not read {barred[1]}",
            "It reads the study's folder and those in [data] folders only: add the folder there",
            file=name,
        )
    words = f": {_words(error)}" if show else f" ({type(error).__name__})"
    return Problem(f"the query does not run{words}", "Correct the query", file=name)
