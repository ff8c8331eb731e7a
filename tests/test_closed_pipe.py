"""A reader that leaves before a command has said everything."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there are no such signals here")
def test_a_reader_that_goes_early_is_no_error_of_ours():
    """As in ``ucimpact methods | head -1``."""
    asked = [sys.executable, "-c", "from ucimpact.cli import main; main()", "methods"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None and command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == ""
    assert command.returncode == -signal.SIGPIPE
