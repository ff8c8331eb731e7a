"""What so few places can show, and what a likely range is, in words for a person who asks."""

from __future__ import annotations

from ucimpact.words.numbers import number, plainly

NUMERALS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
FEW = 5
"""Up to this many pilot places the range leans on the comparison places' own ups and downs."""

LIKELY_RANGE = (
    "The likely range is a 95% interval: if the study were repeated many times, 95 such ranges in 100 "
    "would hold the true value."
)
PROCEDURES = {
    "t": "It takes the pilot places to be by nature as changeable as the others.",
    "size-model": "It allows for small places swinging more than large ones.",
    "own-spread": "It takes each group of places at its own spread, so neither need be like the other.",
    "random-effects": (
        "It allows for every place drifting up or down by chance. How far places drift is taken from all of "
        "them together, and taken as known no better than they show it."
    ),
    "asked-for": "It was asked for by name, and supposes that there are many places.",
    "permutation": (
        "It holds every effect that would leave the pilot places looking no more unusual than other places "
        "chosen in their stead."
    ),
    "union": (
        "It covers two ranges: one takes the pilot places to be as changeable as the others, one comes from "
        "choosing other places in their stead. So it is cautious."
    ),
    "people": "It takes each person as one piece of evidence, however often somebody was counted.",
    "sets": "It takes people matched together as one piece of evidence, and different sets as separate ones.",
    "sites": "It adds up how unsure each site is, and on top of that what comes to all of them at once.",
    "kenward-roger": (
        "It allows for neighbouring {noun}s being alike, and for how little a short series says of how alike."
    ),
    "mixture": (
        "It averages over how alike neighbouring {noun}s may be, because the series is too short to say."
    ),
}

PLAIN = {
    "random effects of places with Poisson noise, drift integrated out": (
        "the chance in counts of this size and from how far all the places drift"
    ),
}
"""Names of procedures that only a statistician would read, as the limits tell them."""


def procedure_note(kind: str, noun: str = "month") -> str:
    """What a likely range is, and what its procedure takes for granted.

    Parameters
    ----------
    kind : str
        "t", "size-model", "own-spread" (CR2), "permutation", "union" (of t and permutation),
        "sets" (of people), "sites", "kenward-roger", "mixture" or "posterior".
    noun : str
        What a period is called.
    """
    if kind == "posterior":
        return (
            "The likely range holds the true value with 95 chances in 100, if every size of effect was "
            "equally likely beforehand."
        )
    if kind not in PROCEDURES:
        raise ValueError(f"a procedure is one of {', '.join(PROCEDURES)}, posterior; this is {kind!r}")
    return f"{LIKELY_RANGE} {PROCEDURES[kind].format(noun=noun)}"


def limits_of_one_place(
    n1: int,
    n0: int,
    procedure: str = "",
    rho: float | None = None,
    smallest_p: float | None = None,
    place: str = "place",
    *,
    ranged: bool = True,
) -> list[str]:
    """What one pilot place, or a few, can and cannot show.

    Parameters
    ----------
    n1, n0 : int
        Places with the pilot and without.
    procedure : str
        How the likely range was worked out: "a t distribution on 125 degrees of freedom".
    rho : float, optional
        Breakdown ratio; None where the range includes no change.
    smallest_p : float, optional
        The smallest p-value that choosing other places as the pilot allows.
    ranged : bool
        Whether there is a likely range to speak of.
    """
    many = NUMERALS[n1] if n1 < len(NUMERALS) else number(n1)
    pilot = f"pilot {place}" if n1 == 1 else f"pilot {place}s"
    it, they, is_ = ("it", "it", "is") if n1 == 1 else ("them", "they", "are")
    items = [
        f"{many} {pilot} can show whether {they} moved apart from {number(n0)} others by more than "
        "places move apart anyway.",
        f"{they.capitalize()} cannot show whether the pilot moved {it}, or something else at the same time"
        f"{' in that place' if n1 == 1 else ', such as a decision or a town that they share'}.",
    ]
    if n1 == 1:
        items.append(f"So certainty never exceeds low with one {pilot}.")
    if n1 <= FEW and ranged:
        alike = f"The range takes the {pilot} to be by nature as changeable as the others"
        if rho is not None and rho > 0:
            were = "was" if n1 == 1 else "were"
            items.append(
                f"{alike}; if {they} {were} {plainly(rho)} times as changeable, it would reach no change."
            )
        else:
            items.append(f"{alike}; from so few {'that' if is_ else ''} cannot be checked.")
    if smallest_p is not None:
        items.append(
            f"Choosing other places as the pilot cannot give a p-value below 1 in {number(1 / smallest_p)}, "
            "however large the effect."
        )
    if procedure and ranged:
        items.append(f"The likely range comes from {PLAIN.get(procedure, procedure)}.")
    return items
