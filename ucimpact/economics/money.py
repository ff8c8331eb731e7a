"""Three kinds of pounds that cannot be added to one another.

Cash is what a contract returns, capacity what is freed for others at its unit's price, economic value all
resource at average cost. The same avoided admission stands in all three, so a sum would count it three
times: here that sum is a ``TypeError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, order=False)
class Pounds:
    """Pounds of one kind; use :class:`Cash`, :class:`Capacity` or :class:`Economic`."""

    value: float

    def __post_init__(self) -> None:
        if type(self) is Pounds:
            raise TypeError("pounds are of a kind: Cash, Capacity or Economic")

    def _same(self, other: object) -> float:
        if type(other) is not type(self):
            raise TypeError(
                f"{type(self).__name__} and {type(other).__name__} are different kinds of value and are "
                "never added or compared"
            )
        assert isinstance(other, Pounds)
        return other.value

    def __add__(self, other: object) -> Self:
        return type(self)(self.value + self._same(other))

    def __radd__(self, other: object) -> Self:
        return self if other == 0 and isinstance(other, int) else type(self)(self._same(other) + self.value)

    def __sub__(self, other: object) -> Self:
        return type(self)(self.value - self._same(other))

    def __mul__(self, times: float) -> Self:
        if isinstance(times, Pounds):
            raise TypeError("pounds times pounds is nothing")
        return type(self)(self.value * times)

    __rmul__ = __mul__

    def __truediv__(self, parts: float) -> Self:
        if isinstance(parts, Pounds):
            raise TypeError("divide the values of two amounts of one kind, not the amounts")
        return type(self)(self.value / parts)

    def __lt__(self, other: object) -> bool:
        return self.value < self._same(other)

    def __gt__(self, other: object) -> bool:
        return self.value > self._same(other)


class Cash(Pounds):
    """What a contract would return, to be spent again."""


class Capacity(Pounds):
    """What is freed for other people, at its unit's price; nobody is paid it."""


class Economic(Pounds):
    """All resource used, at average cost, whoever bears it."""


KINDS: dict[str, type[Pounds]] = {"cash": Cash, "capacity": Capacity, "economic": Economic}
"""The kinds in the order in which they are always told."""
