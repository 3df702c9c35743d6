"""What the peers share: a hermetic permset."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "access.yaml.example"


def environment(home, **more):
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    return base | {key: str(value) for key, value in more.items()}


def run(permset, args, cwd, **more):
    return subprocess.run(
        [str(permset), *args], cwd=cwd, env=environment(cwd, **more), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )
