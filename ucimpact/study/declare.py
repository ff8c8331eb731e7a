"""What a study declares: the question, the data, the outcomes, the method, and what is known of the rest.

Each class is one table of a study file and each field one of its keys, so these declarations are also
what the file is checked against (:mod:`ucimpact.study.toml`). They can equally be written in Python.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ucimpact import serialise
from ucimpact.study.base import Covid, Date, Day, Declared, Number, OutcomeKind, Text, Whole, Window, YesNo
from ucimpact.study.league import InLeague
from ucimpact.study.lines import Path as KeyPath
from ucimpact.study.money import Attribution, Budget, Cost, DecisionRule, Payers, Qaly, Value
from ucimpact.study.robust import Curve, Triangulation
from ucimpact.study.worthwhile import Worthwhile, as_worthwhile

NUMBERS = ("covariates", "adjust", "controls", "control_populations", "season_from")
"""Options of a method that name columns of numbers."""
KINDS = ("exact", "antiexact", "subgroups", "kinds")
"""Options of a method that name columns of kinds."""


@dataclass(frozen=True, kw_only=True)
class Dates(Declared):
    """How dates are written, where the file could be read in two ways."""

    format: Text


@dataclass(frozen=True, kw_only=True)
class Chosen(Declared):
    """The rule by which people were picked: so many or more (``at_least``) in ``column``, a count before.

    ``at_event``: they were picked at one of the events that the column counts, such as the stay from which
    they were discharged.
    """

    column: Text
    at_least: Annotated[Whole, Field(ge=0)]
    at_event: YesNo = False


@dataclass(frozen=True, kw_only=True)
class Events(Declared):
    """The table of what happened to people, one row an event.

    Attributes
    ----------
    source, sql, sheet : str, optional
        A file of its own, or a file with one SELECT, or another sheet of the workbook of people.
    date, kind : str
        Columns: the day (of a stay, its first) and the kind in words.
    end : str, optional
        Column of the last day of a stay.
    first, last : date
        The days between which the events are complete; ``from`` and ``to`` in a study file.
    dates : Dates, optional
        How dates are written, where this table could be read in two ways.
    """

    source: Text | None = None
    sql: Text | None = None
    sheet: Text | None = None
    date: Text = "date"
    kind: Text = "kind"
    end: Text | None = None
    first: Annotated[Date, Field(alias="from")]
    last: Annotated[Date, Field(alias="to")]
    dates: Dates | None = None


@dataclass(frozen=True, kw_only=True)
class Data(Declared):
    """Where the records are and what each column is.

    Attributes
    ----------
    kind : str
        ``"panel"``: one row a place and period. ``"series"``: one row a period. ``"cohort"``: one row a
        person, whose values are never shown.
    source, sql : str, optional
        One of the two: a CSV, xlsx or Parquet file; or a file with one SELECT.
    folders : tuple of str
        Other folders that may be read, relative to the study file. ``{shared}`` is the folder of shared
        data (see :func:`ucimpact.study.places.shared_folder`).
    rows : str
        What one row of the file is about: ``"organisations"`` or ``"people"``, whose values are never
        shown.
    unit, period, start : str
        Columns; for a series ``start`` is the first pilot period itself.
    end : str, optional
        Column of the last pilot period of a unit of a panel; empty where the pilot goes on.
    definition : str, optional
        In a series, the column that says under which definition each period was counted; where it changes,
        figures before and after are not one series unless the method models the break.
    incomplete : str
        What to do with units that lack a period of the window: ``"refuse"``, ``"leave-out"`` (the whole
        unit) or ``"keep"``.
    person, pilot, index_date, service_start, follow_up, cluster : str, optional
        Columns of a cohort: who; 1 for those who had the service (absent: everybody had); the day on which
        the clock starts; the day on which the service really began; days at risk, ended by death or leaving;
        the level at which people are alike, such as a team.
    died, left, registered : str, optional
        Columns of a cohort with a table of events: the day of death, and the last and the first day on which
        a person's events would be seen.
    events : Events, optional
        The second table of a cohort: what happened to its people, from which outcomes are counted.
    follow_up_days, before_days : float, optional
        Days after the index date for which outcomes were counted; days before it for which the columns
        ``before`` of the outcomes were.
    chosen : Chosen, optional
        The rule by which people were picked, for regression to the mean.
    eligible : int, optional
        People for whom the question is asked, of whom those analysed are a part.
    linked : float, optional
        Share of people whose records could be linked, between 0 and 1.
    asked_days : float, optional
        Days over which the question is asked, where people could be followed for less.
    """

    kind: Literal["panel", "series", "cohort"]
    period: Text | None = None
    start: Day | None = None
    end: Text | None = None
    source: Text | None = None
    sql: Text | None = None
    sheet: Text | None = None
    folders: tuple[Text, ...] = ()
    rows: Literal["organisations", "people"] = "organisations"
    unit: Text | None = None
    population: Text | None = None
    weight: Text | None = None
    places: Text | None = None
    window: Window | None = None
    covid: Covid | None = None
    dates: Dates | None = None
    definition: Text | None = None
    incomplete: Literal["refuse", "leave-out", "keep"] | None = None
    person: Text | None = None
    pilot: Text | None = None
    index_date: Text | None = None
    service_start: Text | None = None
    follow_up: Text | None = None
    cluster: Text | None = None
    died: Text | None = None
    left: Text | None = None
    registered: Text | None = None
    events: Events | None = None
    follow_up_days: Annotated[Number | None, Field(gt=0)] = None
    before_days: Annotated[Number | None, Field(gt=0)] = None
    chosen: Chosen | None = None
    eligible: Annotated[Whole | None, Field(ge=0)] = None
    linked: Annotated[Number | None, Field(gt=0, le=1)] = None
    asked_days: Annotated[Number | None, Field(gt=0)] = None

    @property
    def show(self) -> bool:
        """Whether a message may show a value: never where rows are people."""
        return self.rows == "organisations" and self.kind != "cohort"

    @property
    def shape(self) -> str:
        """What methods are told they would be given: the kind, or ``"histories"`` of people with events."""
        return "histories" if self.kind == "cohort" and self.events is not None else self.kind


def _two_days(value: Any) -> Any:
    """Two whole numbers, as a tuple."""
    if isinstance(value, list | tuple) and [type(day) for day in value] == [int, int]:
        return tuple(value)
    raise ValueError("expects two whole numbers, the first and the last day, as in days = [0, 90]")


@dataclass(frozen=True)
class Counted(Declared):
    """An outcome counted from dated events over days from a day: ``(0, 90)`` are the ninety after it.

    Windows are half-open, ``(first, last]``, and counted from the end of the day, so that ``(-30, 0)`` are
    the thirty days up to and with it.

    Attributes
    ----------
    event : str
        A kind of events, or ``"death"``.
    days : tuple of int
        First and last.
    value : str, optional
        A column of events, summed in place of their number; ``"bed days"`` are the nights of stays,
        ``"days at home"`` the evenings alive and in no stay.
    any : bool, default False
        Whether there was any, in place of how many.
    """

    event: Text
    days: Annotated[tuple[int, int], BeforeValidator(_two_days)]
    value: Text | None = None
    any: YesNo = False


@dataclass(frozen=True, kw_only=True)
class Outcome(Declared):
    """One thing that was counted or measured, and which way is better.

    Attributes
    ----------
    each : str, optional
        What one figure is of, where it is not a total of its period: "on an average day" for the people
        in hospital. Sentences use it in place of "a month".
    method : str, optional
        A key of the register, where this outcome is not analysed by the study's method: pounds beside a
        method for counts. Its options are the defaults.
    before : str, optional
        In a cohort, the column of the same thing before the index date.
    counted : Counted, optional
        Where there is a table of events: what is counted from it. ``column`` is then a name of its own.
    negative_control : bool or str
        The pilot cannot have changed it; a difference is a sign that unlike people were compared.
        ``"deaths"``, which it may have changed a little, and ``"before"``, from before the index date and
        left out of the matching, are read with more care.
    """

    column: Text
    label: Text
    kind: OutcomeKind
    better: Literal["lower", "higher"] = "lower"
    primary: YesNo = False
    worthwhile: Annotated[Worthwhile | None, BeforeValidator(as_worthwhile)] = None
    proxy: YesNo = False
    each: Text | None = None
    method: Text | None = None
    before: Text | None = None
    counted: Counted | None = None
    negative_control: YesNo | Literal["deaths", "before"] = False
    value: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Method(Declared):
    """A key of the register of methods, and fields of that method as they stand in the file."""

    name: Text
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Declared):
    """The main outcome analysed again: by another method, other fields, or in another window.

    ``as_main``: its fields are those of the main method, but for those that are given; ``options`` then holds
    them all.
    """

    name: Text
    options: dict[str, Any] = field(default_factory=dict)
    as_main: YesNo = False
    note: str = ""
    window: Window | Literal["all"] | None = None


@dataclass(frozen=True, kw_only=True)
class Event(Declared):
    """Something else that changed near the pilot."""

    date: Date
    what: Text
    same_outcome: YesNo = False


@dataclass(frozen=True, kw_only=True)
class Context(Declared):
    """What only people on the spot can know. What is not declared is "cannot tell", never a pass.

    Attributes
    ----------
    allocation : str
        How the pilot places were found: ``"chosen"`` or by ``"lot"``.
    coding : str, optional
        Whether the outcome was coded alike throughout: ``"unchanged"``, ``"changed, both readings"``,
        ``"changed"``.
    events_logged : bool
        True if somebody looked for other changes and listed all they found, so that an empty list means none.
    events : tuple of Event
        In a study file, ``[[context.event]]``.
    """

    allocation: Literal["chosen", "lot"] = "chosen"
    coding: Literal["unchanged", "changed, both readings", "changed"] | None = None
    events_logged: YesNo = False
    events: Annotated[tuple[Event, ...], Field(alias="event")] = ()


@dataclass(frozen=True, kw_only=True)
class Release(Declared):
    """The small-number rule, the seed, and whether the numbers are invented."""

    profile: Literal["hes2018", "none"] = "hes2018"
    seed: Annotated[Whole, Field(ge=0)] = 1
    example: YesNo = False


@dataclass(frozen=True, kw_only=True)
class Plan(Declared):
    """What is expected before there are records, for ``ucimpact plan``.

    Attributes
    ----------
    base : float, optional
        What is expected without the pilot; it may be left out where the file of places is there to plan
        from. People: events per 100 people over the follow-up, or the mean
        per person of a cost, score or duration. Places: events a place and month. A series: what is
        expected a month.
    dispersion : float, optional
        Variance of a count over its mean.
    sd : float, optional
        Standard deviation per person of a cost, score or duration.
    ratio : float, optional
        People without the service for each with it.
    cluster_size, icc : float, optional
        People of one cluster, such as a team, and how alike two of them are (correlation).
    people_per_month : float, optional
        People whom the service will take on.
    uptake, found_match, later : float, optional
        Shares between 0 and 1: of those offered the service who take it; of those who can be matched and
        followed; of the people compared with who have the service later.
    design_effect : float, optional
        How many times the variance is what it would be if people were unlike one another, in place of
        ``cluster_size`` and ``icc``.
    pilot_places, comparison_places : int, optional
        The size of a panel.
    months_before, months_after : int, optional
        Of a panel or a series.
    change_sd, month_sd, autocorrelation : float, optional
        Standard deviation over places of lasting changes (panel), and of monthly ups and downs beyond
        counting (panel or series), both as a share of ``base``; the correlation of one month's ups and downs
        with the next.
    """

    base: Annotated[Number | None, Field(gt=0)] = None
    dispersion: Annotated[Number | None, Field(gt=0)] = None
    sd: Annotated[Number | None, Field(gt=0)] = None
    ratio: Annotated[Number | None, Field(gt=0)] = None
    cluster_size: Annotated[Number | None, Field(gt=1)] = None
    icc: Annotated[Number | None, Field(gt=0, lt=1)] = None
    people_per_month: Annotated[Number | None, Field(gt=0)] = None
    uptake: Annotated[Number | None, Field(gt=0, le=1)] = None
    found_match: Annotated[Number | None, Field(gt=0, le=1)] = None
    later: Annotated[Number | None, Field(ge=0, lt=1)] = None
    design_effect: Annotated[Number | None, Field(ge=1)] = None
    pilot_places: Annotated[Whole | None, Field(ge=1)] = None
    comparison_places: Annotated[Whole | None, Field(ge=1)] = None
    months_before: Annotated[Whole | None, Field(ge=1)] = None
    months_after: Annotated[Whole | None, Field(ge=1)] = None
    change_sd: Annotated[Number | None, Field(ge=0)] = None
    month_sd: Annotated[Number | None, Field(ge=0)] = None
    autocorrelation: Annotated[Number | None, Field(ge=0, lt=1)] = None


@dataclass(frozen=True, kw_only=True)
class About(Declared):
    """The question in words: the ``[study]`` table."""

    title: Text
    question: Text
    pilot: Text
    population: Text
    comparator: Text
    by: Text
    subject: Text = "the pilot"
    plural: YesNo = False
    people: Text = "people"


@dataclass(frozen=True, kw_only=True)
class Study(About):
    """A whole study, as declared.

    Attributes
    ----------
    outcomes : tuple of Outcome
        One of them primary.
    subject, plural, people : str, bool, str
        How sentences name the pilot ("the acute visiting service") and those it is for ("registered
        patients").
    folder : Path
        Where the study file lies; its relative paths start here.
    text, file : str
        The study file as it was read, and its name; empty for a study written in Python.
    """

    data: Data
    outcomes: tuple[Outcome, ...]
    method: Method
    sensitivity: tuple[Sensitivity, ...] = ()
    cost: Cost | None = None
    decision: DecisionRule | None = None
    context: Context = Context()
    release: Release = Release()
    plan: Plan | None = None
    league: InLeague | None = None
    attribution: Attribution | None = None
    budget: Budget | None = None
    payers: Payers | None = None
    qaly: Qaly | None = None
    curve: Curve | None = None
    triangulation: tuple[Triangulation, ...] = ()
    folder: Path = Path()
    text: str = ""
    file: str = ""

    @property
    def primary(self) -> Outcome:
        """The outcome that decides the answer."""
        return next(outcome for outcome in self.outcomes if outcome.primary)

    @property
    def hash(self) -> str:
        """SHA-256 of what is declared, whatever the layout, order and comments of the file."""
        left_out = {"folder", "text", "file", "league"}
        later = ("attribution", "budget", "payers", "qaly", "curve", "triangulation")
        left_out |= {name for name in later if not getattr(self, name)}
        declared = {
            name: serialise.plain(getattr(self, name))
            for name in sorted(self.__dataclass_fields__)
            if name not in left_out
        }
        return serialise.fingerprint(json.dumps(declared, sort_keys=True, ensure_ascii=False))

    @property
    def unused(self) -> tuple[str, ...]:
        """What is declared and recorded, and not worked out by this version, in words."""
        beside = [
            outcome.label
            for outcome in self.outcomes
            if not outcome.primary and (outcome.worthwhile is not None or outcome.proxy)
        ]
        text = f"what change would be worth having beside the main outcome ({', '.join(beside)})"
        return (text,) if beside else ()

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of numbers that a method adjusts for, matches on or compares with, each once."""
        return tuple(dict.fromkeys(column for _, column in self.named(NUMBERS)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Columns that a method takes as kinds and not as numbers, each once."""
        return tuple(dict.fromkeys(column for _, column in self.named(KINDS)))

    def named(self, keys: Sequence[str]) -> list[tuple[KeyPath, str]]:
        """Each column that a method or a sensitivity analysis names under these options, with its key."""
        found = named_in(self.method, keys)
        for at, entry in enumerate(self.sensitivity):
            found += [(("sensitivity", at, path[-1]), column) for path, column in named_in(entry, keys)]
        if self.curve is not None:
            found += [(path, column) for path, column in self.curve.columns if path[-1] in keys]
        return found


def named_in(method: Method | Sensitivity, keys: Sequence[str]) -> list[tuple[KeyPath, str]]:
    """The columns that a method's options name under these keys, each with its key."""
    found: list[tuple[KeyPath, str]] = []
    for key in keys:
        value = method.options.get(key, ())
        names = value if isinstance(value, (list, tuple)) else (value,)
        found += [(("method", key), name) for name in names if isinstance(name, str)]
    return found
