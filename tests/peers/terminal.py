"""A real terminal: the question before an apply, and what an answer does."""

import os
import pty
import select
import tempfile
import time

from common import EXAMPLE, environment, run


def talk(permset, home, answer):
    """Runs apply on a terminal, answers its question, and returns exit code and all that was shown."""
    args = [str(permset), "--sandbox=world.json", "-f", str(EXAMPLE), "apply"]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execve(args[0], args, environment(home, TERM="xterm"))
    shown, answered, deadline = "", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data.decode(errors="replace")
        if not answered and "[y/N]" in shown:
            os.write(terminal, answer)
            answered = True
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown


def check_no_means_no(permset):
    for answer in [b"n\n", b"\n", b"\x04", b"yes please\n"]:
        with tempfile.TemporaryDirectory() as home:
            run(permset, ["sandbox", "init", "--world", "world.json"], home)
            before = open(f"{home}/world.json").read()
            code, shown = talk(permset, home, answer)
            assert code == 4 and "not approved, nothing was changed" in shown, (answer, code, shown)
            assert open(f"{home}/world.json").read() == before


def check_yes_applies_and_shows_progress(permset):
    with tempfile.TemporaryDirectory() as home:
        code, shown = talk(permset, home, b"y\n")
        assert code == 0 and "Apply these 8 changes? [y/N]" in shown, (code, shown)
        assert "converged:" in shown and "applying:" in shown, shown
