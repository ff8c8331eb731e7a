"""The sentences of a finding, each from :mod:`ucimpact.words`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact import words
from ucimpact.finding.numbers import OF_PEOPLE
from ucimpact.words.sentences import possible, unsound


def phrase(
    found: Mapping[str, Any], grade: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The sentences of a finding, each from :mod:`ucimpact.words`."""
    if _is_naive(found):
        return _phrase_naive(found, grade)
    found = {**found, "time": _whose(found)}
    few = found["n0"] and (found["one_place"] or (found["n1"] or 0) <= words.FEW)
    return {
        "sentences": {**_sentences(found, checks), "certainty_line": grade["line"]},
        "can_say": words.can_say(found),
        "cannot_say": words.cannot_say(found, naive=_naive_change(found)),
        "limits": words.limits_of_one_place(
            found["n1"],
            found["n0"],
            found["procedure"],
            found["breakdown"],
            found["smallest_p"],
            ranged=found["lo"] is not None,
        )
        if few
        else [],
    }


def _whose(found: Mapping[str, Any]) -> str:
    """Whose total it is: of people, the number of those analysed, who may be fewer than the cost is for."""
    n = found.get("people_analysed")
    return f"among the {words.number(n)} analysed" if n and found["time"] == OF_PEOPLE else str(found["time"])


def _is_naive(found: Mapping[str, Any]) -> bool:
    """Whether before and after is all there is, with both figures to be shown."""
    naive = found["naive"]
    told = isinstance(naive, Mapping) and None not in (naive.get("before"), naive.get("after"))
    return found.get("design") == "before-after" and told


def _phrase_naive(found: Mapping[str, Any], grade: Mapping[str, Any]) -> dict[str, Any]:
    """The sentences where nobody was compared: what was counted, what picking gives, what would settle it."""
    empty = dict.fromkeys(("percent", "avoided", "found", "chart_title", "alt"))
    said = {
        **empty,
        "headline": words.naive_headline(subject=found["subject"], outcome=found["outcome"]),
        "lead": words.naive_lead(found),
        "extra": [words.naive_settles(found)],
        "certainty_line": grade["line"],
    }
    return {
        "sentences": said,
        "can_say": words.naive_can_say(found),
        "cannot_say": words.naive_cannot_say(found),
        "limits": [],
    }


def _naive_change(found: Mapping[str, Any]) -> float | None:
    """What plain before and after would claim, as a share."""
    naive = found["naive"]
    return naive.get("change") if isinstance(naive, Mapping) else naive


def _sentences(found: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    about = {"subject": found["subject"], "outcome": found["outcome"]}
    effect = {name: found[name] for name in ("est", "lo", "hi", "w")}
    kind, better, percent = found["kind"], found["better"], found["scale"] == "log"
    said: dict[str, Any] = {
        "headline": words.headline(
            **about, **effect, level=found["level"], better=better, plural=found["plural"],
            key_fail=found["key_fail"], refused=found["refused"], pay=found.get("pay"),
        ),
        "extra": [], "percent": None, "avoided": None, "found": None, "chart_title": None, "alt": None,
        "starts": _starts(found),
    }  # fmt: skip
    if found["confounded"]:
        said["headline"] = words.season_confounded(**about)
    if found["refused"] is not None or found["key_fail"]:
        failed = [c for c in checks if c["answer"] == "fails" and c["name"] in words.QUESTIONS]
        said["lead"] = unsound(failed) if found["refused"] is None else _without_range(found)
        return said
    per = "" if found["base"] else found["per"]
    said["lead"] = _in_doubt(_lead(found, per), found.get("differed"))
    unclear = found["lo"] <= 0 <= found["hi"]
    said["chart_title"] = words.title(**effect, better=better)
    said["alt"] = words.alt(
        found["outcome"], found["base"], **effect, who=found["people"], per=per, kind=kind, percent=percent,
    )  # fmt: skip
    if unclear and found["claim"] != "N":
        said["extra"].append(words.NOT_EVIDENCE)
    if percent:
        said["extra"].append(words.RATIOS_ONLY)
    if found["w"] is None:
        said["extra"].append(words.NO_WORTHWHILE)
    if found["percent"] and not percent:
        said["percent"] = f"That is {words.percent(**found['percent'], kind=kind)}."
    if found["avoided"]:
        total = found["avoided"]
        said["avoided"] = words.avoided(
            total["est"], total["lo"], total["hi"], found["outcome"], found["level"], found["claim"],
            found["time"], better=better, kind=kind,
        )  # fmt: skip
    beyond = not percent and possible(found["lo"], found["expected"], kind) > found["lo"]
    if found["found_se"] and not beyond:
        said["found"] = words.found(
            found["found_se"], found["w"], found["base"], better=better, kind=kind, per=per, percent=percent
        )
    return said


def _starts(found: Mapping[str, Any]) -> str | None:
    """When the pilot started, where it did not start everywhere at once."""
    told = found.get("starts")
    if not told or told["units"] is None:
        return None
    return words.started(told["units"], told["first"], told["last"], told["times"], plural=told["plural"])


def _without_range(found: Mapping[str, Any]) -> str:
    """Why there is no range, what would give one, and the estimate where one stands by itself."""
    told = [f"{words.capital(found['refused'])}."]
    if found.get("way_out"):
        told.append(found["way_out"] if found["way_out"].endswith(".") else f"{found['way_out']}.")
    if found.get("alone"):
        told.append(
            words.estimate_alone(
                found["outcome"],
                found["est"],
                found["base"],
                who=found["people"],
                when=found["when"],
                per=found["per"],
                kind=found["kind"],
                percent=found["scale"] == "log",
            )
        )
    return " ".join(told)


def _in_doubt(lead: str, differed: str | None) -> str:
    """The lead with what else those supported differed in, beside the number it casts doubt on."""
    if not differed:
        return lead
    head, mark, rest = lead.partition("). ")
    if not mark:
        return f"{lead} {words.capital(differed.removeprefix('but '))}."
    return f"{head}), {differed}. {rest}"


def _lead(found: Mapping[str, Any], per: str) -> str:
    """The first sentences under the headline."""
    shared = {name: found[name] for name in ("outcome", "est", "lo", "hi", "w", "kind")}
    if found["scale"] == "log":
        return words.lead_percent(**shared)
    shared["lo"] = min(possible(found["lo"], found["expected"], found["kind"]), found["est"])
    units = {"base": found["base"], "who": found["people"], "per": per}
    numbers = {"observed": found["observed"], "expected": found["expected"]}
    if found["lo"] <= 0 <= found["hi"] and None not in numbers.values():
        return words.lead_unclear(**shared, **numbers, **units, when=found["when"].removeprefix(","))
    return words.lead(**shared, **numbers, **units, when=found["when"], without=found["subject"])
