#!/usr/bin/env python3
"""Real clients and servers that nobody here wrote, against permset.

    python3 tests/peers/run.py [--require] [--permset PATH]

A peer that is missing is named and skipped; with --require (as in CI) that is a failure. Prints `N passed, N failed, N skipped`.
"""

import argparse
import importlib
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = ["schemas", "terminal", "moto_server", "model", "conformance", "aws_cli", "everyday", "terraform", "disturbed"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--require", action="store_true", help="a missing peer is a failure")
    parser.add_argument("--permset", default=HERE.parents[1] / "target" / "debug" / "permset", type=pathlib.Path)
    args = parser.parse_args()
    sys.path.insert(0, str(HERE))
    passed = failed = skipped = 0
    for check in CHECKS:
        try:
            module = importlib.import_module(check)
        except ImportError as error:
            print(f"{check}: {'FAILED' if args.require else 'skipped'}: {error}")
            failed, skipped = (failed + 1, skipped) if args.require else (failed, skipped + 1)
            continue
        for name in [name for name in vars(module) if name.startswith("check_")]:
            try:
                getattr(module, name)(args.permset.resolve())
                print(f"{check}: {name.removeprefix('check_')}: ok")
                passed += 1
            except Exception:  # a failing check must not keep the others from running
                traceback.print_exc()
                print(f"{check}: {name.removeprefix('check_')}: FAILED")
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
