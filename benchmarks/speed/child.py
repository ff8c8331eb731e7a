"""One run of one problem: ``python -m benchmarks.speed.child PROBLEM WHO FOLDER``. Prints JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

from benchmarks.speed.board import child
from benchmarks.speed.problems import PROBLEMS

if __name__ == "__main__":
    name, who, folder = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        measured = child(PROBLEMS[name], who, Path(folder))
    print(json.dumps(measured))
