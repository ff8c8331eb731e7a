r"""Cells, draws and what is made of them.

A cell is a process that makes data with a known truth, the methods that read each draw of it, and a
number of draws. One draw's data feed every method, so methods are compared on the same luck. Each draw
has a seed of its own: what is found does not depend on the number of processes.

A method hands back records, one for each effect (term) that it gives. A record holds measures:
``coverage``, ``false positives``, ``power`` and ``refused`` are yes or no, ``bias`` is the estimate less
the truth, ``std_error`` and ``width`` are lengths, ``reason`` is text. Over :math:`n` draws a share
:math:`p` has the Monte Carlo error :math:`\sqrt{p(1 - p)/n}` and a mean that of its spread over
:math:`\sqrt n`. A measure that a draw does not have is left out of that measure's n, so false positives
are a share of the draws in which a p-value was given, beside the share that was refused.
"""

from __future__ import annotations

import contextlib
import io
import math
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from ucimpact.errors import ImpactError

Record = dict[str, Any]
SHARES = (
    "coverage", "false positives", "power", "refused", "warned", "coverage unwarned", "said", "true", "loses",
)  # fmt: skip
Layout = Literal["by term", "by method", "methods across", "by answer", "by question"]
TEXTS = ("reason", "procedure")
CHUNKS_A_PROCESS = 8


class Process(Protocol):
    """What makes the data of a seed, with the truth planted in them."""

    def draw(self, seed: int) -> Any:
        """The same seed, the same data."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to read a draw.

    Attributes
    ----------
    name : str
        As the register or the peer calls it.
    read : callable
        Data to records. It must be a function of a module, or a partial of one: processes send it about.
    package : str
        The module that must be there for it to run.
    most : int, optional
        Draws at most, for a slow one.
    """

    name: str
    read: Callable[[Any], Iterable[Record]]
    package: str = "ucimpact"
    most: int | None = None

    @property
    def ours(self) -> bool:
        """Whether it is of this package."""
        return self.package == "ucimpact"

    @property
    def asked(self) -> bool:
        """Whether targets are for it: ours, on every draw."""
        return self.ours and self.most is None

    @property
    def there(self) -> bool:
        """Whether it can be run on this machine."""
        return find_spec(self.package) is not None


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a measure has to be, in our own methods.

    ``terms`` and ``methods`` are empty for all of them; ``beyond`` is how many Monte Carlo errors a value may
    lie outside, for a bound that the truth itself may stand on.
    """

    measure: str
    low: float = -math.inf
    high: float = math.inf
    terms: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    beyond: float = 0.0

    def asks(self, term: str, measure: str, method: str = "") -> bool:
        """Whether it says anything of this measure of this term."""
        of = (not self.terms or term in self.terms) and (not self.methods or method in self.methods)
        return measure == self.measure and of

    def met(self, value: float, error: float = 0.0, draws: int = 0) -> bool:
        """Whether a value is within; a measure without a value (all was refused) is not missed."""
        low, high = (self._room(bound, error, draws) for bound in (self.low, self.high))
        return math.isnan(value) or self.low - low <= value <= self.high + high

    def _room(self, bound: float, error: float, draws: int) -> float:
        """How far a bound may be passed; for a share, by the error that it has where the bound is true."""
        if not self.beyond or math.isinf(bound):
            return 0.0
        if self.measure in SHARES and draws:
            return self.beyond * math.sqrt(bound * (1 - bound) / draws)
        return self.beyond * error


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A process, the methods that read it, and how many draws.

    Attributes
    ----------
    name : str
        Unique within its family.
    process : Process
    methods : tuple of Method
    draws : int
    targets : tuple of Target
    """

    name: str
    process: Process
    methods: tuple[Method, ...]
    draws: int
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Family:
    """Cells that are read together.

    Attributes
    ----------
    name : str
        For ``--only``.
    title : str
        What is asked and what is the target.
    about : str
        For the page: what a draw is.
    cells : tuple of Cell
    layout : {"by term", "by method", "methods across", "by answer", "by question"}
        How the page shows it: a row a cell and effect with every measure of ours; a table a measure with
        methods and effects side by side; a row a cell and effect with the coverage of each method; a table
        a cell with a row for each method and effect; or a table an effect with methods side by side.
    """

    name: str
    title: str
    about: str
    cells: tuple[Cell, ...]
    layout: Layout = "by term"


# -- draws -------------------------------------------------------------------------------------


def read_draw(cell: Cell, seed: int) -> list[Record]:
    """What every method made of one draw."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = cell.process.draw(seed)
        found: list[Record] = []
        for method in cell.methods:
            if method.there and seed <= (method.most or seed):
                begun = time.process_time()
                records = _read(method, data)
                cpu = time.process_time() - begun
                found += [{"draw": seed, "method": method.name, "cpu": cpu, **record} for record in records]
    return found


def _read(method: Method, data: Any) -> list[Record]:
    """A method's records; where it cannot answer, why."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return list(method.read(data))
        except ImpactError as error:
            return [{"term": "", "refused": True, "reason": str(error).splitlines()[0]}]
        except Exception as error:  # a peer that falls over is a finding, and ours must not
            if method.ours:
                raise
            return [{"term": "", "refused": True, "reason": f"{type(error).__name__}: {str(error)[:80]}"}]


def read_draws(cell: Cell, draws: int, pool: Any | None = None, jobs: int = 1) -> pd.DataFrame:
    """The records of seeds 1 to ``draws``."""
    seeds = range(1, draws + 1)
    if pool is None:
        return pd.DataFrame([record for seed in seeds for record in read_draw(cell, seed)])
    size = max(1, draws // (CHUNKS_A_PROCESS * jobs))
    chunks = [(cell, seeds[at : at + size]) for at in range(0, draws, size)]
    return pd.DataFrame([record for records in pool.imap(_read_chunk, chunks) for record in records])


def _read_chunk(chunk: tuple[Cell, Sequence[int]]) -> list[Record]:
    cell, seeds = chunk
    return [record for seed in seeds for record in read_draw(cell, seed)]


@contextlib.contextmanager
def processes(jobs: int) -> Iterator[Any | None]:
    """A pool, or None where one process does it all."""
    if jobs == 1:
        yield None
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield pool


# -- what is made of them ----------------------------------------------------------------------


def summarise(cell: Cell, found: pd.DataFrame) -> pd.DataFrame:
    """One row a method, term and measure: ``value, mc_error, draws, ok`` (text under ``text``)."""
    rows: list[Record] = []
    for (name, term), part in _by_effect(found):
        method = next(m for m in cell.methods if m.name == name)
        head = {"method": name, "package": method.package, "term": term}
        for measure, value, error, n in _measures(part):
            asked = [t for t in cell.targets if method.asked and t.asks(term, measure, name)]
            ok = "" if not asked else "yes" if all(t.met(value, error, n) for t in asked) else "NO"
            rows.append({**head, "measure": measure, "value": value, "mc_error": error, "draws": n, "ok": ok})
        for measure in (text for text in TEXTS if text in part):
            said = part[measure].dropna()
            if len(said):
                rows.append({**head, "measure": measure, "draws": len(said), "text": said.mode()[0]})
    columns = ["method", "package", "term", "measure", "value", "mc_error", "draws", "ok", "text"]
    return pd.DataFrame([{"ok": "", "text": "", **row} for row in rows]).reindex(columns=columns)


def _by_effect(found: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """By method and term, in the order met; a refusal of the whole method counts for each term it gave."""
    for name, of_method in found.groupby("method", sort=False):
        refused = of_method[of_method["term"] == ""]
        terms = [term for term in of_method["term"].unique() if term] or [""]
        for term in terms:
            part = of_method[of_method["term"] == term]
            if term and len(refused):
                part = pd.concat([part, refused])
            yield (str(name), term), part


def _measures(part: pd.DataFrame) -> Iterator[tuple[str, float, float, int]]:
    """Name, value, Monte Carlo error and number of draws of each measure of one effect."""
    for measure in (c for c in part if c not in ("draw", "method", "term", *TEXTS)):
        values = part[measure].dropna().to_numpy(dtype=float)
        n = len(values)
        if not n:
            continue
        if measure in SHARES:
            yield measure, float(values.mean()), float(values.std()) / math.sqrt(n), n
        elif measure in ("width", "cpu"):
            yield measure, float(np.median(values)), math.nan, n
        else:
            spread = float(values.std(ddof=1)) if n > 1 else math.nan
            yield measure, float(values.mean()), spread / math.sqrt(n), n
    if {"bias", "std_error"} <= set(part):
        error, std_error = (part[c].dropna().to_numpy(dtype=float) for c in ("bias", "std_error"))
        n = len(error)
        if n > 2:
            spread = error.std(ddof=1)
            yield "bias in SE", error.mean() / std_error.mean(), spread / std_error.mean() / math.sqrt(n), n
            ratio = std_error.mean() / spread
            yield "SE over SD", ratio, ratio / math.sqrt(2 * (n - 1)), n
