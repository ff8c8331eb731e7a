"""Write the data and the planted truth of both examples again: ``make examples``."""

import json
from pathlib import Path

from ucimpact.data.simulate import Draw, MonthlySeries, PracticePanel

EXAMPLES = Path(__file__).parents[2] / "examples"
SEED = 1
MADE = {
    "acute_visiting": (PracticePanel(), "practices.csv"),
    "crisis_response": (MonthlySeries(), "months.csv"),
}
ABOUT = (
    "The difference between the expected rates with and without the pilot, in the units in which the report's "
    "first analysis works: per 1,000 people a month; `cumulative` is in events, `relative` a share of what was "
    "expected, `log_att` the log of the ratio."
)


def texts(name: str) -> dict[str, str]:
    """The files of an example that its generator makes, by name."""
    design, csv = MADE[name]
    draw: Draw = design.draw(SEED)
    truth = {"seed": SEED, "design": repr(design), "about": ABOUT, "truth": draw.truth}
    return {
        csv: draw.table.to_csv(index=False, lineterminator="\n"),
        "truth.json": json.dumps(truth, indent=2) + "\n",
    }


if __name__ == "__main__":
    for example in MADE:
        for file, text in texts(example).items():
            (EXAMPLES / example / file).write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote examples/{example}/{file}")
