"""What a study of people says of its groups, key by key: only what is named here leaves the building.

A share of so many people is a count of people. So every share, rate and running total is worked out again
from its count as it may be shown: a curve moves in steps of the rule and begins where it has left the small
numbers behind, and its band moves with it. An effect in a group goes where the group is a handful or where
it happened to a handful in it. A key that is not known here is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ucimpact.disclosure.alike import balance, in_fives, lost
from ucimpact.disclosure.counts import HIDDEN, Log, coarse, coarsely, few, nearest, rounded_in

ARMS = ("pilot", "comparison")
OF_THE_OUTCOME = ("incidence", "cumulative_count", "subgroups", "trials", "controls", "bias", "sensitivity")
"""Keys from which a number of events that is hidden could be worked out again."""


def released(cohort: Mapping[str, Any], counts: Mapping[str, Any], log: Log) -> dict[str, Any]:
    """The groups of a study of people as they may be shown.

    Parameters
    ----------
    cohort : mapping
        ``document["data"]["cohort"]``.
    counts : mapping
        Counts of the data, not yet rounded.
    """
    kept: dict[str, Any] = {name: cohort.get(name) for name in ("max_smd", "horizon")}
    kept["balance"] = balance(cohort.get("balance") or (), counts, log)
    kept["lost"] = lost(cohort.get("lost") or {}, kept["balance"], log)
    hide = Hide(counts, log)
    events = [name for name in ("events_pilot", "events_comparison") if counts.get(name)]
    unsaid = any(HIDDEN[0] <= round(counts[name]) <= HIDDEN[1] for name in events)
    for name, made in KEYS.items():
        if not cohort.get(name):
            continue
        if unsaid and name in OF_THE_OUTCOME:
            log.hidden.append(f"{name.replace('_', ' ')}: too few had it")
            continue
        kept[name] = made(cohort[name], hide)
    if (cohort.get("controls") or {}).get("pooled") and not (kept.get("controls") or {}).get("pooled"):
        kept.pop("bias", None)  # each is the pool, told in another way
        if "sensitivity" in kept:
            kept["sensitivity"].pop("bias_analysis", None)
    if _few_by_the_end(cohort.get("incidence") or {}, hide):
        for row in (kept.get("trials") or {}).get("alternatives") or ():
            if row["label"].startswith("Over "):
                row |= dict.fromkeys(("ratio", "low", "high"))
                log.hidden.append("trials: a shorter follow-up")
    return kept


def _few_by_the_end(incidence: Mapping[str, Any], hide: Hide) -> bool:
    """Whether a handful had it within the days of the curve: a ratio of those days beside it counts them."""
    rows, n = incidence.get("rows") or (), incidence.get("n_pilot") or hide.people["pilot"]
    share = rows[-1].get("pilot") if rows else None
    return share is not None and bool(n) and HIDDEN[0] <= round(share * float(n or 0)) <= HIDDEN[1]


class Hide:
    """The rule at work on the groups of one study.

    Parameters
    ----------
    counts : mapping
        ``matched_pilot`` or ``pilot``, and ``matched_comparison`` or ``comparison``: people of each arm.
    log : Log
    """

    def __init__(self, counts: Mapping[str, Any], log: Log) -> None:
        self.log = log
        self.people: dict[str, float | None] = {
            arm: counts.get(f"matched_{arm}") or counts.get(arm) for arm in ARMS
        }

    def counted(self, row: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
        """A row with its counts as they may be shown, and the names of those hidden."""
        names = [
            name for name in row if is_count(name) and not isinstance(row[name], (str, list, tuple, dict))
        ]
        made = {**row, **{name: self.log.count(row[name], f"{where}: {name}") for name in names}}
        return made, [name for name in names if made[name] is None and row[name]]


def is_count(name: str) -> bool:
    """Whether a field of this name counts people or what happened to them."""
    return name in COUNTS or name.startswith(("n_", "events_", "deaths_"))


COUNTS = (
    *("n", "of", "events", "deaths", "people", "rows", "sets", "pairs", "discordant", "concordant"),
    *("discharges", "person_days", "served", "placed", "trimmed"),
)


# Who was compared


def _by_site(rows: Sequence[Mapping[str, Any]], hide: Hide) -> list[dict[str, Any]]:
    """How alike the groups are at each site; nothing of a site with a handful of either."""
    told = _rows(rows, hide, "balance by site", lambda row: row["site"])
    return [
        {**row, "max_smd": None if row.get("max_smd") is None else round(row["max_smd"], 2)} for row in told
    ]


def _rows(
    rows: Sequence[Mapping[str, Any]], hide: Hide, where: str, name: Callable[[Mapping[str, Any]], Any]
) -> list[dict[str, Any]]:
    """Rows with their counts as they may be shown, and none of the figures beside a hidden one."""
    out = []
    for row in rows:
        made, hidden = hide.counted(row, f"{where}, {name(row)}")
        if hidden:
            made |= {key: None for key in made if isinstance(row[key], float) and not is_count(key)}
            made |= {key: None for key in ("worst",) if key in made}
        out.append(coarsely(made))
    return out


def _overlap(overlap: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """How far the two groups overlap; not the share outside where it is of a handful."""
    made = {name: overlap.get(name) for name in ("coefficient", "outside")}
    if few(made["outside"], hide.people["pilot"]):
        hide.log.hidden.append("overlap: people outside")
        made["outside"] = None
    return dict(coarsely(made))


def flow(rows: Sequence[Mapping[str, Any]], log: Log) -> list[dict[str, Any]]:
    """Steps from the records to the analysis, with no number of people in their words either."""
    out = []
    for row in rows:
        text = rounded_in(row["text"])
        out.append({**row, "n": log.count(row["n"], f"flow: {text}"), "text": text})
    return out


def _weights(weights: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    made, _ = hide.counted(weights, "weights")
    ess = weights.get("ess")
    return dict(coarsely(made | {"ess": None if ess is None else nearest(ess)}))


# What happened to them


def _trajectory(trajectory: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Rates month by month, each worked out again from its count; one without a count is not shown."""
    rows = []
    for row in trajectory.get("rows") or ():
        made: dict[str, Any] = {"month": row["month"]}
        for arm in (*ARMS, "others"):
            if arm not in row:
                continue
            events, rate = row.get(f"events_{arm}"), row[arm]
            shown = hide.log.count(events, f"trajectory: {arm}, months with few")
            made[f"events_{arm}"] = shown
            known = shown is not None and rate is not None
            made[arm] = coarse(rate * shown / events if events else rate) if known else None
        rows.append(made)
    return {**{name: trajectory[name] for name in ("per", "event") if name in trajectory}, "rows": rows}


def _incidence(incidence: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Shares with the event by day, in steps of five people; the difference is that of the last day."""
    people = {arm: incidence.get(f"n_{arm}") or hide.people[arm] for arm in ARMS}
    given = {name: incidence[name] for name in ("event", "horizon", "per") if name in incidence}
    counts, _ = hide.counted({k: v for k, v in incidence.items() if is_count(k)}, "incidence")
    rows = _in_steps(incidence.get("rows") or (), people, 1.0, hide, "incidence", ("", "death_"))
    made: dict[str, Any] = {**given, **counts, "rows": rows}
    difference = incidence.get("difference")
    if difference and rows and None not in (rows[-1].get("pilot"), rows[-1].get("comparison")):
        shown = rows[-1]["pilot"] - rows[-1]["comparison"]
        moved = shown - difference["estimate"]
        made["difference"] = {"estimate": coarse(shown)} | {
            name: coarse(difference[name] + moved)
            for name in ("conf_low", "conf_high")
            if difference.get(name) is not None
        }
    return made


def _cumulative_count(count: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Mean numbers by day per so many people, in steps of five events."""
    people = {arm: count.get(f"n_{arm}") or hide.people[arm] for arm in ARMS}
    per = float(count.get("per") or 100)
    given = {name: count[name] for name in ("event", "horizon", "per") if name in count}
    counts, _ = hide.counted({k: v for k, v in count.items() if is_count(k)}, "cumulative count")
    rows = _in_steps(count.get("rows") or (), people, per, hide, "cumulative count", ("",))
    return {**given, **counts, "rows": rows}


def _in_steps(
    rows: Sequence[Mapping[str, Any]],
    people: Mapping[str, float | None],
    per: float,
    hide: Hide,
    where: str,
    prefixes: Sequence[str],
) -> list[dict[str, Any]]:
    """Running totals by day, each put to the nearest five of its arm, with its band at the same grain."""
    out = []
    for row in rows:
        made: dict[str, Any] = {"day": row["day"]}
        for arm in ARMS:
            for prefix in prefixes:
                name, n = f"{prefix}{arm}", people[arm]
                if name not in row:
                    continue
                value = row[name]
                counted = None if value is None or not n else value * n / per
                shown = hide.log.count(counted, f"{where}: {name.replace('_', ' ')}, days with few so far")
                ends = {end: row[end] for end in (f"{name}_low", f"{name}_high") if end in row}
                if shown is None or not n:
                    made |= dict.fromkeys([name, *ends])
                    continue
                made[name] = coarse(shown * per / n)
                made |= {
                    end: None if v is None else coarse(nearest(v * n / per) * per / n)
                    for end, v in ends.items()
                }
        out.append(made)
    return out


def _subgroups(blocks: Sequence[Mapping[str, Any]], hide: Hide) -> list[dict[str, Any]]:
    """Effects by group; where one group is a handful, what compares the groups goes too."""
    out = []
    for block in blocks:
        rows = _rows(block["rows"], hide, f"subgroups: {block['label']}", lambda row: row["group"])
        hidden = any(
            row["estimate"] is None and raw["estimate"] is not None
            for row, raw in zip(rows, block["rows"], strict=True)
        )
        p = block.get("p_interaction")
        out.append(
            {**block, "rows": rows, "p_interaction": None if hidden or p is None else float(f"{p:.2g}")}
        )
    return out


def _trials(trials: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """The trials that were put together: counts rounded, days with a handful told together or not at all."""
    made: dict[str, Any] = _any(
        {name: value for name, value in trials.items() if name != "delays"}, hide, "trials"
    )
    made["delays"] = _delays(trials.get("delays") or (), hide)
    if trials.get("mean_delay") is not None:
        made["mean_delay"] = round(in_fives(trials["mean_delay"], hide.people["pilot"]) or 0.0, 1)
    if few(trials.get("later_share"), hide.people["comparison"]):
        hide.log.hidden.append("trials: share served later")
        made |= {"later_share": None, "later": ""}
    return made


def _delays(rows: Sequence[Mapping[str, Any]], hide: Hide) -> list[dict[str, Any]]:
    """People by the day on which the service began; the last days together once each is of a handful."""
    ordered = sorted(rows, key=lambda row: row["day"])
    first = len(ordered)
    while first and 0 <= ordered[first - 1]["n"] <= HIDDEN[1]:
        first -= 1
    tail = ordered[first:]
    out = [
        {"day": row["day"], "n": hide.log.count(row["n"], f"delays: day {row['day']}")}
        for row in ordered[:first]
    ]
    if tail:
        n = hide.log.count(sum(row["n"] for row in tail), f"delays: from day {tail[0]['day']}")
        out.append({"day": tail[0]["day"], "to": tail[-1]["day"], "n": n})
    return out


# What else was asked


def _told(value: Any) -> Any:
    """Sentences without numbers of people, broken numbers to three figures."""
    if isinstance(value, str):
        return rounded_in(value)
    if isinstance(value, Mapping):
        return {name: _told(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(entry) for entry in value]
    return coarsely(value)


def _any(value: Any, hide: Hide, where: str = "") -> Any:
    """Whatever it is: counts rounded or hidden with the figures beside them, the rest coarse."""
    if isinstance(value, Mapping):
        made, hidden = hide.counted(
            {k: v for k, v in value.items() if not isinstance(v, (Mapping, list))}, where
        )
        if hidden:
            made |= {key: None for key in made if isinstance(value[key], float) and not is_count(key)}
        nested = {k: v for k, v in value.items() if isinstance(v, (Mapping, list))}
        return _told(made) | {
            name: _any(entry, hide, f"{where} {name}".strip()) for name, entry in nested.items()
        }
    if isinstance(value, (list, tuple)):
        return [_any(entry, hide, where) for entry in value]
    return _told(value)


def _controls(controls: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Outcomes that the service cannot change; their pool too coarse to give a hidden one of them back.

    A pooled ratio is a weighted mean of the others, and its weights are their errors. Beside the rows that
    are shown, it would give the ratio and the error of the one that is not.
    """
    made: dict[str, Any] = _any(controls, hide, "controls")
    full, pooled = controls.get("rows") or (), controls.get("pooled")
    both = zip(made.get("rows") or (), full, strict=True)
    known = [row["ratio"] is None for row, raw in both if raw["ratio"] is not None]
    if not pooled or not any(known):
        return made
    weights = list(pooled.get("weights") or ())
    of_hidden = [abs(weight) for weight, hidden in zip(weights, known, strict=False) if hidden]
    if len(weights) != len(known) or sum(of_hidden) > HARDLY:
        hide.log.hidden.append("controls taken together")
        return {**made, "pooled": None}
    made["pooled"] = {
        **{name: value for name, value in made["pooled"].items() if name != "weights"},
        **{name: round(made["pooled"][name], digits) for name, digits in POOLED.items()},
    }
    return made


HARDLY = 0.05
"""Share of a pool below which a part of it cannot be told from two places of the whole."""
POOLED = {"log_ratio": 2, "std_error": 2, "z": 1}
"""Places to which a pooled ratio is told where one of its parts is hidden."""

KEYS: dict[str, Callable[[Any, Hide], Any]] = {
    "balance_by_site": _by_site,
    "overlap": _overlap,
    "trajectory": _trajectory,
    "incidence": _incidence,
    "cumulative_count": _cumulative_count,
    "flow": lambda value, hide: flow(value, hide.log),
    "weights": _weights,
    "subgroups": _subgroups,
    "trials": _trials,
    "controls": _controls,
    "bias": lambda value, hide: _any(value, hide, "bias"),
    "sensitivity": lambda value, hide: _any(value, hide, "sensitivity"),
}
"""What each key of a cohort is turned into."""
