#!/usr/bin/env python3
"""Instructions that permset's own work takes, counted by valgrind: the same on a busy machine as on an idle one.

    python3 benches/counts.py [--permset PATH] [--write] [--require]

Makes an estate of 12,000 assignments (200 permission sets, 500 accounts), takes a snapshot of it, and counts what reading the access
file, loading the snapshot, planning and printing take. `benches/counts.json` is the budget: a count more than 15 % above it fails,
`--write` makes it anew. Where valgrind is missing, this says so and skips; with --require that is a failure.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUDGET = HERE / "counts.json"
# Compilers differ, and so do hash seeds, a little; a loop within a loop does not hide in this.
SLACK = 1.15

sys.path.insert(0, str(HERE / "peers"))
from estate import SIZES, estate  # noqa: E402

PLAN = ["-q", "plan", "--observed", "observed.permset"]
EVERYTHING = ["-q", "plan", "--observed", "empty.permset"]
COMMANDS = {
    "start: --version": ["--version"],
    "parse and lower: validate": ["-q", "validate"],
    "load, diff, guard: plan, nothing to do": PLAN,
    "the same, one change": ["-f", "changed.yaml", *PLAN],
    "order and text: plan, everything to make": EVERYTHING,
    "order and JSON": [*EVERYTHING, "--format", "json"],
    "order and Markdown": [*EVERYTHING, "--format", "markdown"],
    "facts and saving: plan --out": [*EVERYTHING, "--out", "plan.permset"],
}


def environment(folder):
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1"}


def prepare(permset, folder):
    """Writes the access files, and snapshots of the estate with everything and with nothing in it."""
    declared = estate(SIZES["large"])
    (folder / "access.yaml").write_text(declared.access_file())
    (folder / "changed.yaml").write_text(declared.changed().access_file())
    for name, filled in [("observed", True), ("empty", False)]:
        world = folder / f"{name}.json"
        world.write_text(json.dumps(declared.world(filled)))
        command = [permset, "-q", f"--sandbox={world}", "observe", "--out", f"{name}.permset"]
        subprocess.run(command, cwd=folder, env=environment(folder), check=True, stdout=subprocess.DEVNULL)


def instructions(permset, args, folder):
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", permset, *args]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert done.returncode == 0 and counted, f"{args}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    return int(counted[1].replace(",", ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--permset", default=HERE.parent / "target" / "release" / "permset", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="make the budget anew")
    parser.add_argument("--require", action="store_true", help="a missing valgrind is a failure")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        print("counts: skipped: no valgrind")
        return 1 if args.require else 0
    permset = args.permset.resolve()
    budget = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
    counts, over = {}, []
    print("| millions of instructions | now | budget | |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prepare(permset, folder)
        for name, command in COMMANDS.items():
            counts[name] = instructions(permset, command, folder)
            limit = budget.get(name)
            share = f"{counts[name] / limit:.2f}" if limit else ""
            print(f"| {name} | {counts[name] / 1e6:,.0f} | {(limit or 0) / 1e6:,.0f} | {share} |", flush=True)
            if limit and counts[name] > limit * SLACK:
                over.append(name)
    if args.write:
        BUDGET.write_text(json.dumps(counts, indent=2) + "\n")
    elif over or set(budget) != set(counts):
        print(f"counts: over budget: {', '.join(over) or 'the budget is of other commands: run with --write'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
