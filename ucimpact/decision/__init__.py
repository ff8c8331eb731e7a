"""What to do: the verdict on one pilot, the worth of more evidence, and what a budget should buy."""

from ucimpact.decision.verdict import decide

__all__ = ["decide"]
