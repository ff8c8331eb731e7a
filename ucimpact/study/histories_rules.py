"""What the keys of a study of people with dated events demand of one another."""

from __future__ import annotations

from ucimpact.data.histories import BED_DAYS, DAYS_AT_HOME, DEATH, OF_STAYS
from ucimpact.study.declare import Data, Events, Outcome

ONLY_HISTORIES = ("died", "left", "registered")
NEVER_HISTORIES = {
    "pilot": "who has the service on a day follows from service_start",
    "index_date": "the days on which clocks start are found from the events",
    "follow_up": "days at risk follow from died, left and the events",
    "before_days": "what was before is counted from the events, in [[method.measured]]",
    "chosen": "who is picked, and when, is read from the events by the method",
}

Found = list[tuple[str, str]]
"""Keys and what is wrong with each."""


def histories_rules(data: Data, events: Events) -> Found:
    """What is wrong in ``[data]`` where there is a table of events."""
    problems: Found = [
        (key, f"is not for people with a table of events: {why}. Take the key out")
        for key, why in NEVER_HISTORIES.items()
        if getattr(data, key) is not None
    ]
    if data.service_start is None:
        text = 'is missing. Add service_start = "first_visit", empty for people who never had it'
        problems.append(("service_start", text))
    given = [key for key in ("source", "sql") if getattr(events, key) is not None]
    if len(given) > 1:
        problems.append(("events", "source stands beside sql. Give one of the two"))
    if not given and events.sheet is None:
        text = 'names no file. Add source = "events.csv", or sheet = "Events" of the workbook of people'
        problems.append(("events", text))
    named = events.source if given else data.source
    if events.sheet is not None and not (named or "").lower().endswith(".xlsx"):
        problems.append(("events", "sheet: only an .xlsx file has sheets. Take the key out"))
    if not given and events.sheet is not None and events.sheet == data.sheet:
        problems.append(("events", "sheet is that of the people. Name the sheet of the events"))
    if events.first >= events.last:
        problems.append(("events", "to is not after from. Give the days between which events are complete"))
    columns = [events.date, events.kind, events.end, data.person]
    if len({column for column in columns if column}) < sum(column is not None for column in columns):
        problems.append(("events", "names one column in two roles. Each role has a column of its own"))
    return problems


def counted_rules(outcome: Outcome, data: Data | None) -> Found:
    """What is wrong with how an outcome is counted."""
    if data is None:
        return []
    counted = outcome.counted
    if data.shape != "histories":
        text = "is for people with a table of events, [data.events]. Take the key out"
        return [] if counted is None else [("counted", text)]
    if counted is None:
        text = 'is missing. Add counted = { event = "emergency admission", days = [0, 90] }'
        return [("counted", text)]
    problems: Found = []
    if outcome.before is not None:
        text = "is a column, and there is a table of events. Add the days before under [[method.measured]]"
        problems.append(("before", text))
    problems += [("counted", text) for text in (_window(outcome, data), _kind(outcome)) if text]
    if counted.event == DEATH and data.died is None:
        text = 'counts deaths, and no column says who died. Add died = "died" under [data]'
        problems.append(("counted", text))
    return problems


def _window(outcome: Outcome, data: Data) -> str:
    """What is wrong with the days over which an outcome is counted."""
    counted = outcome.counted
    assert counted is not None
    first, last = counted.days
    if first >= last:
        return f"days end ({last}) before they begin ({first}). Write days = [0, 90]"
    if outcome.negative_control == "before":
        return "" if last <= 0 else "reaches past the day itself, and is to be from before. Write [-180, 0]"
    if first < 0:
        return 'begins before the day itself. Write days = [0, 90], or negative_control = "before"'
    if data.follow_up_days is not None and last > data.follow_up_days:
        return f"reaches beyond the {data.follow_up_days:g} follow_up_days of [data]. Shorten it"
    return ""


def _kind(outcome: Outcome) -> str:
    """What is wrong between the kind of an outcome and what is counted for it."""
    counted = outcome.counted
    assert counted is not None
    if counted.event == DEATH:
        if counted.value is not None:
            return "a death has no value to sum. Take value out"
        return "" if outcome.kind == "binary" else 'a death happens or not. Write kind = "binary"'
    if counted.any and counted.value is not None:
        return "any asks whether there was one, and value sums. Give one of the two"
    if counted.any != (outcome.kind == "binary"):
        return (
            'says how many, and kind = "binary" is whether there was any. Add any = true'
            if outcome.kind == "binary"
            else f'asks whether there was any, and kind = "{outcome.kind}". Write kind = "binary"'
        )
    if counted.value == DAYS_AT_HOME and outcome.kind != "duration":
        return f'counts days, and kind = "{outcome.kind}". Write kind = "duration"'
    if outcome.kind == "cost" and counted.value in (None, *OF_STAYS):
        return 'a cost is summed from a column of events. Name it: value = "cost"'
    if outcome.kind in ("score", "duration") and counted.value is None:
        return f'kind = "{outcome.kind}" is measured, and this counts events. Write kind = "count"'
    if outcome.kind == "count" and counted.value not in (None, BED_DAYS):
        return 'sums a column, and kind = "count". Write kind = "cost", or leave value out'
    return ""
