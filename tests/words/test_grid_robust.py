"""Every sentence of other choices, many questions, another design, a lock and places, read back."""

from __future__ import annotations

import itertools
import math
import re

import reader
from reading import COUNT, count, listed, read, told_count
from test_grid import Tally

from ucimpact import words
from ucimpact.words import league, lock, robust, statement, value

# --- other choices, many questions, another design, and a lock ------------------------------------------------


def test_how_many_analyses_agree():
    tally = Tally()
    for tried in (1, 2, 3, 9, 48, 1_204):
        some = range(tried + 1) if tried < 10 else (0, 1, 2, 17, tried - 1, tried)
        for same, outside in itertools.product(some, some):
            text = robust.curve_answer(same, tried, outside)
            if tried == 1:
                m = read(
                    r"The one other analysis points the (?P<way>same|other) way; (?P<out>its range holds|it leaves) our result.*\.",
                    text,
                )
                faults = (
                    []
                    if (m["way"] == "same") == (same == 1) and (m["out"] == "it leaves") == (outside == 1)
                    else ["one"]
                )
            else:
                m = read(
                    r"(?:All (?P<all>[\d,]+)|(?P<k>[\d,]+) of (?P<n>[\d,]+)) analyses point the same way; (?P<out>none|[\d,]+) (?P<s>leaves?) "
                    r"our result outside\.",
                    text,
                )
                got = (
                    count(m["k"] or m["all"]),
                    count(m["n"] or m["all"]),
                    0 if m["out"] == "none" else count(m["out"]),
                )
                faults = [] if got == (same, tried, outside) else [f"counts: {got}"]
                faults += [] if (m["s"] == "leaves") == (outside < 2) else ["plural"]
            tally.add(text, faults)
        for clear in some:
            text = robust.curve_clear(clear, tried)
            if tried > 1:
                m = read(
                    r"(?P<k>No range of theirs|Every range|[\d,]+ of their ranges) leaves? out no change\.",
                    text,
                )
                k = {"No range of theirs": 0, "Every range": tried}.get(m["k"])
                faults = [] if (count(m["k"].split()[0]) if k is None else k) == clear else ["counts"]
            else:
                faults = [] if ("leaves out" in text) == (clear == 1) else ["one"]
            tally.add(text, faults)
    tally.clean(230)


def test_which_findings_stand_and_what_another_design_says():
    tally = Tally()
    labels = ("Falls", "A&E attendances", "Bed days", "Deaths", "Emergency admissions", "GP visits")
    inside = {
        label: label if label.startswith(("A&E", "GP")) else label[0].lower() + label[1:] for label in labels
    }
    for asked in (2, 3, 6):
        subsets = [s for k in range(min(asked, 4) + 1) for s in itertools.combinations(labels[:asked], k)]
        for alone in subsets:
            for together in (s for s in subsets if set(s) <= set(alone)):
                text = robust.multiplicity_answer(list(alone), list(together), asked)
                said = {name for name in labels if inside[name] in text}
                faults = []
                if not alone:
                    faults += [] if re.match(r"Neither|None", text) and not said else ["none"]
                elif len(together) == asked:
                    faults += [] if re.match(r"Both|All", text) and not said else ["all"]
                else:
                    stands, _, falls = text.partition("; ") if together else ("", "", text)
                    named = [{name for name in labels if inside[name] in part} for part in (stands, falls)]
                    faults += (
                        [] if named == [set(together), set(alone) - set(together)] else [f"names: {named}"]
                    )
                tally.add(text, faults)
    kinds = (robust.AGREE, robust.CONFLICT, robust.UNCLEAR)
    for n in range(1, 6):
        for verdicts in itertools.product(kinds, repeat=n):
            text = robust.triangulation_answer(verdicts)
            say = (r"agrees?\b", r"finds? the opposite", r"cannot tell|neither confirms? nor contradicts?")
            faults = [
                f"{kind}: {verdicts}"
                for kind, form in zip(kinds, say, strict=True)
                if bool(re.search(form, text)) != (kind in verdicts)
            ]
            if n > 1 and len(set(verdicts)) > 1:
                m = read(rf"Of (?P<n>{COUNT}) other designs (?P<told>.+)\.", text)
                told = [count(part.split()[0]) for part in listed(m["told"])]
                faults += told_count(m["n"], n) + (
                    [] if told == [verdicts.count(k) for k in kinds if k in verdicts] else ["counts"]
                )
            tally.add(text, faults)
    whens = {"before": "before the", "there": "when the", "late": "after the pilot", "undated": "on a day"}
    for timing, changed, other in itertools.product(whens, range(13), (0, 2)):
        text = lock.planned_answer("3 May 2025", timing, changed=changed, other=other)
        m = read(
            r"(?P<answer>[^:]+): the plan locked on 3 May 2025, (?P<when>before the|when the|after the pilot|on a day)"
            r"[a-z ]+, was (?P<after>made after the fact\. It was )?(?:kept|changed only in what does not bear on it|"
            r"changed (?:since )?in (?P<n>\w+) places? that bears? on the main answer)\.",
            text,
        )
        none = "No plan was locked before the outcome data"
        faults = [] if m["when"] == whens[timing] else ["when"]
        faults += [] if bool(m["after"]) == (timing in ("late", "undated")) else ["after the fact"]
        faults += [] if (m["answer"] == none) == bool(m["after"]) else ["none"]
        faults += [] if m["after"] or (m["answer"] == "No") == (changed > 0) else ["kept"]
        faults += [] if (count(m["n"]) if m["n"] else 0) == changed else ["count"]
        tally.add(text, faults)
    for state in lock.STATES:
        text = " ".join(lock.locked_now("study.lock", state))
        tally.add(text, [] if ("does not count" in text) == (state in ("there", "unknown")) else ["state"])
    tally.clean(700)


def test_whom_the_statement_of_places_sets_beside_whom():
    """The parts of the statement that are for places and for one series."""
    tally = Tally()
    for pilot, comparison, own in itertools.product(
        (None, 1.0, 2.0, 12.0, 13.0, 1_204.0), (None, 1.0, 28.0, 3_450.0), (True, False)
    ):
        who, beside = statement.places_compared("practice", "practices", pilot, comparison, own_past=own)
        text = statement.compared(None, beside, who=who)
        m = read(
            rf"We compared (?:(?P<a>{COUNT}|[\d,]+|the|some) )?pilot practice(?P<as>s?) with (?:(?:(?P<b>{COUNT}|[\d,]+|the|some) )?other practice(?P<bs>s?)|"
            r"(?P<past>its own past|their own past))\.",
            text,
        )
        faults = [f"count: {m['a']}"] if pilot and count(m["a"]) != pilot else []
        faults += [] if bool(m["as"]) == (pilot != 1) else ["plural"]
        faults += (
            []
            if bool(m["past"]) == own and (not own or (m["past"] == "its own past") == (pilot == 1))
            else ["past"]
        )
        if not own:
            faults += [f"count: {m['b']}"] if comparison and count(m["b"]) != comparison else []
            faults += [] if bool(m["bs"]) == (comparison != 1) else ["plural"]
        tally.add(text, faults)
    for after, before, controlled in itertools.product((1.0, 12.0, 40.0), (2.0, 24.0), (True, False)):
        who, beside = statement.periods_compared("month", "months", before, after, controlled=controlled)
        text = statement.compared(None, beside, who=who)
        m = read(
            rf"We compared the (?P<a>{COUNT}) months? from the start with what the (?P<b>{COUNT}) months? before made likely"
            r"(?P<c>, and with places that did not have it)?\.",
            text,
        )
        faults = [] if (count(m["a"]), count(m["b"])) == (after, before) else ["counts"]
        tally.add(text, faults + ([] if bool(m["c"]) == controlled else ["controls"]))
    for analysed, later in itertools.product((None, 12.0, 3_450.0), (0.0, 0.004, 0.2, 0.996)):
        text = statement.compared(analysed, "28 other people", statement.had_it_later(later, 30.0))
        m = read(
            r"We compared (?:(?P<n>[\d,]+) people|the people) we supported with 28 other people\."
            r"(?: About (?P<p>\d+)% of those had it within the 30 days after\.)?",
            text,
        )
        faults = [] if (count(m["n"]) if m["n"] else None) == analysed else ["count"]
        told = int(m["p"]) if m["p"] else 0
        faults += [] if told == (reader.away_from_zero(100 * later) if later >= 0.005 else 0) else ["share"]
        tally.add(text, faults)
    tally.clean(70)


def test_no_number_is_lost_to_infinity():
    for x in (math.nan, math.inf):
        for write in (lambda x: value.prices(x, None, None) or words.per_person(x), league.sceptical_text):
            try:
                text = write(x)
            except ValueError:
                continue
            raise AssertionError(f"{x} was written: {text}")
