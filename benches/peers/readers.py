#!/usr/bin/env python3
"""Reading an Identity Center in full: permset beside aws-sso-util and IAMbic.

    python3 -m venv DIR && DIR/bin/pip install aws-sso-util iambic-core
    python3 benches/peers/readers.py --venv DIR [--size small …] [--permset PATH] [--json FILE]

Each reads its own copy of a world that holds the estate of a size, served by `permset sandbox serve` with its limits of rate. Calls
and throttled answers are those that the sandbox logged, time is the wall's, memory is the largest sum of what is resident over the
processes of a tool. What was read is held against the estate, so none can be fast by reading less than it says: for permset,
everything that the access file declares; for aws-sso-util, who has which permission set where, by name; for IAMbic, the same and
the policies, session durations and tags. Prints tables in Markdown.

A tool that is neither in `--venv` nor in PATH is named and skipped; `--require` makes that a failure.
"""

import argparse
import collections
import csv
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from estate import REGION, SIZES, estate
from terraform import PAUSE, ROOT, environment, measure, run, served, tell

# After so many seconds a tool is stopped.
LIMIT = 1800
ORGANIZATION = "o-exampleorgid"
DETAILS = "permission sets, their policies and tags, users, groups, assignments"

# IAMbic's import of Identity Center, by the functions that `iambic import` goes through.
IAMBIC_IMPORT = """
import asyncio, pathlib, uuid

import boto3

from iambic.plugins.v0_1_0.aws import models

assumed = []


async def session(boto3_session, assume_role_arn, region_name, **_):
    assumed.append(assume_role_arn)
    return boto3.Session(region_name=region_name)


assert models.create_assume_role_session, "this version assumes roles in another way"
models.create_assume_role_session = session

from iambic.config.dynamic_config import load_config
from iambic.core.iambic_enum import Command
from iambic.core.models import ExecutionMessage
from iambic.core.template_generation import get_existing_template_map
from iambic.plugins.v0_1_0.aws.handlers import import_identity_center_resources


async def main():
    config = (await load_config("iambic_config.yaml")).aws
    existing = await get_existing_template_map(
        repo_dir=".", template_type="AWS::IdentityCenter.*", template_map=config.template_map, nested=True
    )
    message = ExecutionMessage(execution_id=str(uuid.uuid4()), command=Command.IMPORT, provider_type="aws")
    await import_identity_center_resources(message, config, ".", existing_template_map=existing)
    pathlib.Path("assumed").write_text("".join(f"{role}\\n" for role in assumed))


asyncio.run(main())
"""

IAMBIC_NOTE = (
    "IAMbic's import of Identity Center runs by its own functions, with one replaced. The command `iambic import` does not get to an "
    "emulator: before it reads anything it assumes a role in each account at `https://sts.<region>.amazonaws.com`, an address that "
    "stands in its source and that `AWS_ENDPOINT_URL` does not change; and it always reads the policies of Organizations and IAM as "
    "well, which the sandbox refuses. So its sessions are made here without AssumeRole, and those calls"
)


@dataclasses.dataclass
class Read:
    """How a tool read an estate."""

    tool: str
    reads: str
    cell: object  # as in terraform.py
    missing: int  # how much of what it says it reads is not in what it wrote, or is there and should not be
    assumed: int = 0  # roles that it would have assumed

    @property
    def complete(self):
        return self.cell.exit_code == 0 and not self.missing


# ---------------------------------------------------------------- the readers


class Permset:
    """What `plan` reads to find nothing to do, and what `observe` does, which asks about every pair."""

    def __init__(self, program, command):
        self.program, self.command, self.name = program, command, f"permset {command}"
        self.reads = DETAILS
        self.version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def prepare(self, folder, declared):
        (folder / "access.yaml").write_text(declared.access_file())
        more = ["--detailed-exitcode"] if self.command == "plan" else ["--out", "observed.permset"]
        return [self.program, "-q", *self.command.split(), *more]

    def missing(self, folder, declared):
        """permset itself tells, from what was saved; a plan with anything to do has ended with another exit code already."""
        if self.command == "plan":
            return 0
        planned = run(self.program, ["-q", "plan", "--detailed-exitcode", "--observed", "observed.permset"], folder)
        return int(planned.returncode != 0)


class SsoUtil:
    """`aws-sso-util admin assignments`: a line for each, with names for everything."""

    name = "aws-sso-util"
    reads = "assignments, names of their permission sets, accounts, users and groups"

    def __init__(self, find):
        self.program = find("aws-sso-util")
        self.version = version(self.program, "aws-sso-util")

    def prepare(self, folder, declared):
        return [self.program, "admin", "assignments"]

    def missing(self, folder, declared):
        with open(folder / "out", newline="") as lines:
            rows = [(row["permission_set_name"], row["target_name"], row["principal_name"]) for row in csv.DictReader(lines)]
        return differences(rows, declared.assignments)


class Iambic:
    """The import of Identity Center into templates."""

    name = "IAMbic"
    reads = f"{DETAILS}, tags of accounts"

    def __init__(self, find):
        # Its functions are called by the Python that it is installed in.
        self.program = pathlib.Path(find("iambic")).resolve().parent / "python"
        self.version = version(find("iambic"), "iambic-core")

    def prepare(self, folder, declared):
        owner = declared.account_ids["management"]
        account = {"account_id": owner, "account_name": "management", "org_id": ORGANIZATION, "default_region": REGION}
        organization = {"org_id": ORGANIZATION, "org_account_id": owner, "default_region": REGION}
        organization |= {"hub_role_arn": f"arn:aws:iam::{owner}:role/IambicHubRole", "identity_center": {"region": REGION}}
        account |= {"spoke_role_arn": f"arn:aws:iam::{owner}:role/IambicSpokeRole"}
        # JSON is YAML too, but IAMbic finds its configuration by the beginning of a line.
        aws = json.dumps({"organizations": [organization], "accounts": [account]})
        (folder / "iambic_config.yaml").write_text(f"template_type: NOQ::Core::Config\nversion: '1'\naws: {aws}\n")
        return [self.program, "-c", IAMBIC_IMPORT]

    def missing(self, folder, declared):
        """By the files that it keeps of what it read, from which it makes its templates."""
        accounts = {identity: name for name, identity in declared.account_ids.items()}
        groups = {identity: name for name, identity in declared.group_ids.items()}
        rows, parts = [], []
        for file in (folder / ".iambic").rglob("permission_set/*.json"):
            if file.name == "output.json":  # all of them once more
                continue
            held = json.loads(file.read_text())
            parts.append(
                (
                    held["Name"],
                    held.get("Description"),
                    held.get("SessionDuration"),
                    tuple(sorted(policy["Arn"] for policy in held.get("AttachedManagedPolicies", []))),
                    held.get("InlinePolicy"),
                    tuple((tag["Key"], tag["Value"]) for tag in held.get("Tags", [])),
                )
            )
            for group, assigned in held["assignments"]["group"].items():
                rows += [(held["Name"], accounts[account], groups[group]) for account in assigned["accounts"]]
        wanted = [
            (
                held["name"],
                held["description"],
                held["session_duration"],
                tuple(sorted(held["aws_managed_policies"])),
                held["inline_policy"],
                tuple(held["tags"].items()),
            )
            for held in declared.world(filled=True)["permission_sets"]
        ]
        written = len(list((folder / "resources").rglob("*.yaml")))
        return differences(rows, declared.assignments) + differences(parts, wanted) + abs(written - len(wanted))

    def assumed(self, folder):
        return len((folder / "assumed").read_text().split())


def differences(there, wanted):
    there, wanted = collections.Counter(there), collections.Counter(wanted)
    return ((there - wanted) + (wanted - there)).total()


def version(program, package):
    """The version of a package beside the program that it brought, and of what it calls AWS with."""
    python = pathlib.Path(program).resolve().parent / "python"
    ask = f"from importlib.metadata import version as v; print(v('{package}'), 'with botocore', v('botocore'))"
    return subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def readers(permset, venv):
    """The readers that are there, and what is said of the others."""

    def find(program):
        found = shutil.which(program, path=str(venv / "bin")) if venv else shutil.which(program)
        if not found:
            raise FileNotFoundError(f"no {program} in {'--venv' if venv else 'PATH'}")
        return found

    there, skipped = [Permset(permset, "plan")], []
    observe = subprocess.run([permset, "observe", "--help"], capture_output=True, text=True)
    if observe.returncode == 0:
        there.append(Permset(permset, "observe"))
    for make in (SsoUtil, Iambic):
        try:
            there.append(make(find))
        except FileNotFoundError as error:
            skipped.append(f"{make.name}: {error}")
        except subprocess.CalledProcessError as error:
            skipped.append(f"{make.name}: it does not start: {error.stderr.strip().rpartition(chr(10))[2]}")
    return there, skipped


# ---------------------------------------------------------------- measuring


def read(reader, permset, declared):
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home).resolve()
        # In a folder of its own, so that no tool takes it for its own file.
        world = folder / "served" / "world.json"
        world.parent.mkdir()
        world.write_text(json.dumps(declared.world(filled=True)))
        command = reader.prepare(folder, declared)
        with served(permset, world, 3) as (env, log):
            time.sleep(PAUSE)
            cell = measure(command, folder, environment(folder, **env), log, LIMIT)
        missing = reader.missing(folder, declared) if cell.exit_code == 0 else None
        done = Read(reader.name, reader.reads, cell, missing)
        if done.complete and isinstance(reader, Iambic):
            done.assumed = reader.assumed(folder)
        outcome = "" if done.complete else f"; exit code {cell.exit_code}, {missing} differences from what is there"
        tell(f"{declared.size.name}: {reader.name}: {cell.calls} calls, {cell.throttled} throttled, {cell.seconds} s{outcome}")
        if not done.complete:
            tell((folder / "err").read_text(errors="replace")[-2000:] or (folder / "out").read_text(errors="replace")[-2000:])
        return done


# ---------------------------------------------------------------- what is printed


def report(there, skipped, estates, done):
    yield f"Versions: {'; '.join(sorted({f'{reader.name.split()[0]} {reader.version}' for reader in there}))}."
    yield from (f"\nSkipped: {reason}." for reason in skipped)
    yield ""
    for name, declared in estates.items():
        sizes = declared.describe()
        yield (
            f"- **{name}**: {sizes['permission_sets']:,} permission sets, {sizes['accounts']:,} accounts, {sizes['groups']:,} groups, "
            f"{sizes['assignments']:,} assignments on {sizes['pairs']:,} pairs of permission set and account"
        )
    yield "\n| size | tool | reads | calls | throttled | s | MiB |"
    yield "|---|---|---|--:|--:|--:|--:|"
    for (name, tool), held in done.items():
        cell = held.cell
        failed = "" if held.complete else " (failed)"
        numbers = [f"{cell.calls:,}", f"{cell.throttled:,}", f"{cell.seconds:.1f}", f"{cell.peak_mib:,.0f}"]
        yield f"| {name} | {tool}{failed} | {held.reads} | {' | '.join(numbers)} |"
    yield "\nCalls include those that were throttled."
    assumed = ", ".join(f"{held.assumed} for {name}" for (name, _), held in done.items() if held.assumed)
    if assumed:
        yield f"\n{IAMBIC_NOTE} ({assumed}) come on top."
    for name in estates:
        columns = {tool: held.cell.operations for (size, tool), held in done.items() if size == name}
        operations = sorted({operation for calls in columns.values() for operation in calls})
        yield f"\n| {name}: calls by operation | {' | '.join(columns)} |"
        yield f"|---|{'--:|' * len(columns)}"
        for operation in operations:
            row = [f"{calls[operation]:,}" if operation in calls else "–" for calls in columns.values()]
            yield f"| {operation} | {' | '.join(row)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", nargs="+", choices=SIZES, default=["small"])
    parser.add_argument("--density", type=int, default=2, help="groups that share a permission set in an account")
    parser.add_argument("--permset", type=pathlib.Path, default=ROOT / "target" / "release" / "permset")
    parser.add_argument("--venv", type=pathlib.Path, help="where the tools are installed, if not in PATH")
    parser.add_argument("--json", type=pathlib.Path, help="a file for everything that was measured")
    parser.add_argument("--require", action="store_true", help="a missing tool is a failure")
    args = parser.parse_args()
    permset = args.permset.resolve()
    there, skipped = readers(permset, args.venv and args.venv.resolve())
    estates = {name: estate(SIZES[name], args.density) for name in args.size}
    done = {(name, reader.name): read(reader, permset, declared) for name, declared in estates.items() for reader in there}
    print("\n".join(report(there, skipped, estates, done)))
    if args.json:
        rows = [{"size": name} | dataclasses.asdict(held) for (name, _), held in done.items()]
        args.json.write_text(json.dumps({"format_version": 1, "skipped": skipped, "runs": rows}, indent=1) + "\n")
    failed = [f"{name}: {tool}" for (name, tool), held in done.items() if not held.complete]
    for problem in failed:
        print(f"FAILED: {problem} did not read what is there")
    return 1 if failed or (skipped and args.require) else 0


if __name__ == "__main__":
    sys.exit(main())
