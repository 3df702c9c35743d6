#!/usr/bin/env python3
"""permset against Terraform: the same estate, from nothing to nothing, side by side.

    python3 benches/peers/terraform.py [--size small …] [--permset PATH] [--json FILE] [--reuse FILE …] [--budget] [--require]

Both work on a fresh copy of the same world, served by `permset sandbox serve` with its limits of rate, through four phases:
apply everything, plan with nothing to do, apply one change, take everything away. Calls and throttled answers are those that
the sandbox logged, time is the wall's, memory is the largest sum of what is resident over the processes of a tool. After each
phase the world is compared with what was desired, so neither can be fast by doing less. Prints a table in Markdown; `--json`
keeps everything, calls by operation as well.

Terraform waits at least ten seconds for each assignment, so a large estate takes it hours. A phase that would take it longer
than `--terraform-minutes` is not run: its calls follow from formulas, which are held against a smaller estate that was
measured, and its seconds from those of that estate, in proportion to the waits that it cannot avoid. Such cells begin with
`≈`. Planning and the one change are measured all the same, where they fit: the state is then made by importing a world that
holds everything already.

Without Terraform or its provider there is nothing to compare, and the benchmark says so and is skipped; `--require` makes that a
failure. `--budget` fails when permset needs more calls than Terraform in any phase, or more than 1 % of its calls are throttled.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from estate import SIZES, estate

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "peers"))

from common import environment, find_terraform_plugins, run, serve  # noqa: E402

FIRST, PLAN, CHANGE, DESTROY = PHASES = ("first apply", "plan, nothing to do", "apply one change", "destroy")
TOOLS = ("permset", "terraform")
THROTTLED = {"ThrottlingException", "TooManyRequestsException"}
IN_CONFLICT = {"ConflictException"}
ASYNCHRONOUS = {"CreateAccountAssignment", "DeleteAccountAssignment", "ProvisionPermissionSet"}
# What AWS allows: calls a second to Identity Center, and asynchronous requests that are open at once.
CALLS_A_SECOND, OPEN_REQUESTS = 20, 10
# Terraform's defaults: resources at once, and how long the provider waits before it first asks what became of a request.
PARALLELISM, ASSIGNMENT_WAIT, PROVISION_WAIT = 10, 10, 5
# So that each phase begins with all that the limits of rate save up.
PAUSE = 2
# How long somebody who is interrupted may take to end.
PATIENCE = 60
THROTTLED_SHARE = 0.01
# The sandbox remembers this many calls in full, so they have to be fetched before they are pushed out.
LOGGED, LOG_EVERY = 10_000, 20
SAMPLE_EVERY = 0.1


@dataclasses.dataclass
class Cell:
    """One phase of one tool. What could not be measured is None."""

    calls: int
    seconds: float
    estimated: bool = False
    throttled: int | None = None
    peak_mib: float | None = None
    cpu_seconds: float | None = None
    exit_code: int | None = None
    reached: bool | None = None
    least_seconds: float | None = None  # what AWS's limits alone would have made of these calls
    operations: dict = dataclasses.field(default_factory=dict)
    outcomes: dict = dataclasses.field(default_factory=dict)

    @property
    def in_conflict(self):
        return sum(self.outcomes.get(code, 0) for code in IN_CONFLICT)

    @property
    def answered(self):
        """Calls that had not to be made again."""
        return self.calls - self.throttled - self.in_conflict

    @property
    def complete(self):
        return self.exit_code == 0 and self.reached


def tell(text):
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- what was called


class CallLog:
    """All calls to a served world. The sandbox forgets the oldest, so this has to be read now and then; that it was, is checked."""

    def __init__(self, permset, world, job_seconds):
        self.permset, self.world, self.job_seconds = permset, world, job_seconds
        self.last, self.calls = 0, collections.Counter()

    def read(self):
        args = ["-q", "sandbox", "log", "--world", str(self.world), "--last", str(LOGGED), "--format", "json"]
        printed = run(self.permset, args, self.world.parent)
        assert printed.returncode == 0, f"the log of the sandbox cannot be read: {printed.stdout} {printed.stderr}"
        log = json.loads(printed.stdout)
        for call in log["calls"]:
            if call["number"] > self.last:
                assert call["number"] == self.last + 1, "the sandbox forgot calls before they were counted"
                self.last = call["number"]
                self.calls[call["operation"], call["outcome"]] += 1

    def take(self):
        """The calls since the last time, by operation and outcome."""
        self.read()
        taken, self.calls = self.calls, collections.Counter()
        return taken


# ---------------------------------------------------------------- running a tool


def resident_mib(root):
    """The resident memory of a process and of all below it; pages that they share count in each."""
    children, pages = collections.defaultdict(list), {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            process = int(stat.parent.name)
            children[int(fields[1])].append(process)
            pages[process] = int(fields[21])
    total, below = 0, [root]
    while below:
        process = below.pop()
        total += pages.get(process, 0)
        below += children[process]
    return total * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclasses.dataclass
class Ended:
    """How a process ended, and what it took with all below it."""

    exit_code: int | None  # None if it was stopped
    seconds: float
    cpu_seconds: float
    peak_mib: float


def run_to_end(command, folder, env, log, limit):
    """Runs a command to its end, or stops it after `limit` seconds. Its output goes to the files `out` and `err` of the folder."""
    usage, ended = {}, threading.Event()

    def wait():
        _, status, used = os.wait4(process.pid, 0)
        usage.update(seconds=time.monotonic() - begun, status=status, used=used)
        ended.set()

    def stop(how):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)

    with open(folder / "out", "w") as out, open(folder / "err", "w") as err:
        begun = time.monotonic()
        # With a group of its own, so that it can be stopped together with what it started.
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=wait, daemon=True).start()
    peak, read, stopping = 0.0, begun, None
    try:
        while not ended.wait(SAMPLE_EVERY):
            peak = max(peak, resident_mib(process.pid))
            now = time.monotonic()
            if now - read > LOG_EVERY:
                log.read()
                read = now
            if limit and not stopping and now - begun > limit:
                # An interrupt lets it put its affairs in order, for a while.
                stop(signal.SIGINT)
                stopping = now
            if stopping and now - stopping > PATIENCE:
                stop(signal.SIGKILL)
    finally:
        if not ended.is_set():
            stop(signal.SIGKILL)
            ended.wait()
        process.returncode = os.waitstatus_to_exitcode(usage["status"])
    used = usage["used"]
    # ru_maxrss is in KiB, except on macOS; it is all there is where there is no /proc.
    own = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    exit_code = None if stopping else process.returncode
    return Ended(exit_code, usage["seconds"], used.ru_utime + used.ru_stime, max(peak, own))


def measure(command, folder, env, log, limit=None):
    log.take()
    ended = run_to_end(command, folder, env, log, limit)
    calls = log.take()
    operations, outcomes = collections.Counter(), collections.Counter()
    limited = jobs = 0
    for (operation, outcome), count in calls.items():
        operations[operation] += count
        outcomes[outcome] += count
        service, _, name = operation.partition(".")
        limited += count if service == "sso-admin" else 0
        jobs += count if name in ASYNCHRONOUS and outcome == "ok" else 0
    # The first second's calls are given at once.
    by_calls, by_jobs = limited / CALLS_A_SECOND - 1, jobs * log.job_seconds / OPEN_REQUESTS
    return Cell(
        calls=sum(calls.values()),
        seconds=round(ended.seconds, 2),
        throttled=sum(outcomes[code] for code in THROTTLED),
        peak_mib=round(ended.peak_mib, 1),
        cpu_seconds=round(ended.cpu_seconds, 2),
        exit_code=ended.exit_code,
        least_seconds=round(max(by_calls, by_jobs, 0), 1),
        operations=dict(sorted(operations.items())),
        outcomes=dict(sorted(outcomes.items())),
    )


@contextlib.contextmanager
def served(permset, world, job_seconds, *flags):
    """Serves a world; yields the variables for its clients and the log of their calls."""
    with serve(permset, world, "--job-seconds", str(job_seconds), *flags) as env:
        yield env, CallLog(permset, world, job_seconds)


def differences(permset, world, wanted):
    """In how many permission sets, assignments and accounts left out of date a world is not what is wanted."""
    shown = run(permset, ["-q", "sandbox", "show", "--world", str(world), "--format", "json"], world.parent)
    assert shown.returncode == 0, f"the world cannot be read: {shown.stdout} {shown.stderr}"
    there = json.loads(shown.stdout)

    def rows(world):
        sets = {held["id"]: held for held in world.get("permission_sets", [])}
        for held in sets.values():
            text = held.get("inline_policy")
            yield (
                held["name"],
                held["description"],
                held["session_duration"],
                frozenset(held["aws_managed_policies"]),
                json.dumps(json.loads(text), sort_keys=True) if text else None,
                frozenset(held["tags"].items()),
            )
        for row in world.get("assignments", []):
            yield sets[row["permission_set_id"]]["name"], row["account_id"], row["principal_id"]

    roles = [(held, role) for held in there["permission_sets"] for role in held.get("provisioned", {}).values()]
    stale = sum(role["version"] != held["version"] for held, role in roles)
    return len(set(rows(there)) ^ set(rows(wanted.world(filled=True)))) + stale


def desired(declared):
    """By phase, what shall be there after it."""
    changed, empty = declared.changed(), declared.empty()
    return {FIRST: declared, PLAN: declared, CHANGE: changed, DESTROY: empty}


def finish(cell, tool, phase, declared, permset, world, folder):
    """Judges a phase that has just been measured, and says how it went."""
    missing = differences(permset, world, desired(declared)[phase])
    cell.reached = missing == 0
    outcome = "" if cell.complete else f"; exit code {cell.exit_code}, {missing} differences from what is desired"
    tell(f"{declared.size.name}: {tool}: {phase}: {cell.calls} calls, {cell.throttled} throttled, {cell.seconds} s{outcome}")
    if not cell.complete and cell.exit_code is not None:
        for name in ("out", "err"):
            tell((folder / name).read_text(errors="replace")[-2000:])


# ---------------------------------------------------------------- permset


def measure_permset(permset, declared, job_seconds):
    consents = ["--allow", "mass-deletion", "--allow", "nothing-left"]
    apply = ["apply", "--auto-approve"]
    arguments = {FIRST: apply, PLAN: ["plan", "--detailed-exitcode"], CHANGE: apply, DESTROY: apply + consents}
    cells = {}
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        world = folder / "world.json"
        world.write_text(json.dumps(declared.world()))
        with served(permset, world, job_seconds) as (env, log):
            for phase, wanted in desired(declared).items():
                (folder / "access.yaml").write_text(wanted.access_file())
                time.sleep(PAUSE)
                cells[phase] = measure([permset, "-q", *arguments[phase]], folder, environment(folder, **env), log)
                finish(cells[phase], "permset", phase, declared, permset, world, folder)
    return cells


# ---------------------------------------------------------------- Terraform


class Terraform:
    """The program and its provider: nothing of this machine's configuration is seen, and nothing is asked of the network."""

    def __init__(self):
        self.program = shutil.which("terraform")
        if not self.program:
            raise FileNotFoundError("no terraform in PATH")
        self.provider_version, self.plugins = find_terraform_plugins()
        with tempfile.TemporaryDirectory() as home:
            printed = self.quietly(pathlib.Path(home), {}, "version", "-json")
            self.version = json.loads(printed.stdout)["terraform_version"]

    def environment(self, folder, env):
        (folder / "terraform.rc").touch()
        settings = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        return environment(folder, TF_CLI_CONFIG_FILE=folder / "terraform.rc", **settings, **env)

    def quietly(self, folder, env, *args, seconds=600):
        done = subprocess.run(
            [self.program, *args], cwd=folder, env=self.environment(folder, env), capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"terraform {' '.join(args)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    @contextlib.contextmanager
    def configuration(self, declared):
        with tempfile.TemporaryDirectory() as home:
            folder = pathlib.Path(home)
            (folder / "main.tf.json").write_text(json.dumps(declared.terraform()))
            self.quietly(folder, {}, "init", "-no-color", f"-plugin-dir={self.plugins}")
            yield folder

    def measure(self, phase, folder, env, log, limit):
        arguments = {
            FIRST: ["apply", "-auto-approve"],
            PLAN: ["plan", "-detailed-exitcode"],
            CHANGE: ["apply", "-auto-approve"],
            DESTROY: ["destroy", "-auto-approve"],
        }
        command = [self.program, *arguments[phase], "-no-color"]
        return measure(command, folder, self.environment(folder, env), log, limit)


def measure_terraform(terraform, permset, declared, job_seconds, fits, limit):
    """The phases that fit into `limit` seconds, as far as that can be known before."""
    cells = {}

    def go_through(folder, world, phases):
        with served(permset, world, job_seconds) as (env, log):
            for phase in phases:
                # Destroying takes away what the state holds, so the configuration may stay.
                if phase != DESTROY:
                    (folder / "main.tf.json").write_text(json.dumps(desired(declared)[phase].terraform()))
                time.sleep(PAUSE)
                cell = terraform.measure(phase, folder, env, log, limit)
                finish(cell, "terraform", phase, declared, permset, world, folder)
                if cell.exit_code is None:
                    tell(f"{declared.size.name}: terraform: {phase}: stopped after {limit / 60:g} minutes")
                    return
                cells[phase] = cell

    if fits(FIRST):
        with terraform.configuration(declared) as folder:
            world = folder / "world.json"
            world.write_text(json.dumps(declared.world()))
            go_through(folder, world, [phase for phase in PHASES if fits(phase)])
    left = [phase for phase in (PLAN, CHANGE, DESTROY) if fits(phase)]
    if FIRST not in cells and left:
        with terraform.configuration(declared) as folder:
            world = folder / "world.json"
            world.write_text(json.dumps(declared.world(filled=True)))
            if import_everything(terraform, permset, declared, folder, world, limit):
                go_through(folder, world, left)
    return cells


def import_everything(terraform, permset, declared, folder, world, limit):
    """Makes the state of a world that holds everything; not measured, so without limits of rate."""
    tell(f"{declared.size.name}: terraform: imports what is there")
    (folder / "import.tf").write_text(declared.terraform_import())
    with serve(permset, world, "--no-throttle") as env:
        try:
            done = terraform.quietly(folder, env, "apply", "-auto-approve", "-no-color", seconds=limit)
        except subprocess.TimeoutExpired:
            tell(f"{declared.size.name}: terraform: the import takes longer than {limit / 60:g} minutes")
            return False
    (folder / "import.tf").unlink()
    assert "0 added, 0 changed, 0 destroyed" in done.stdout, f"the two renderings of the estate differ:\n{done.stdout[-4000:]}"
    return True


# ---------------------------------------------------------------- Terraform, without running it


def terraform_calls(phase, declared):
    """The calls of the AWS provider, read off its source: each resource reads, makes and deletes for itself.

    A status is asked for once, since the provider waits longer than requests take (`--job-seconds` up to 5). What is throttled
    or in conflict, and so sent again, comes on top.
    """
    sets, inline, managed = len(declared.sets), len(declared.inline_policies), len(declared.attachments)
    assignments = len(declared.assignments)
    groups = len({group for _, _, group in declared.assignments})
    # GetCallerIdentity, ListInstances, GetGroupId and DescribeGroup for each group.
    begin = 1 + 1 + 2 * groups
    # DescribePermissionSet and ListTagsForResource; a list or a get for each policy and each assignment.
    refresh = begin + 2 * sets + inline + managed + assignments
    # An assignment lists, creates, asks and lists again; a managed policy the same with its provisioning; an inline policy puts,
    # provisions, asks and gets. Deletions only delete, provision and ask.
    make = 3 * sets + 4 * inline + 5 * managed + 4 * assignments
    remove = sets + 3 * inline + 3 * managed + 2 * assignments
    # GetCallerIdentity again for each further start of the provider.
    return {
        FIRST: begin + make + 1,
        PLAN: refresh,
        CHANGE: refresh + 4 + 4 + 2 + 1,
        DESTROY: refresh + remove + 2,
    }[phase]


def terraform_seconds(phase, declared):
    """The least that its waits and the limit of calls make of a phase."""
    policies = len(declared.inline_policies) + len(declared.attachments)
    waits = (policies * PROVISION_WAIT + len(declared.assignments) * ASSIGNMENT_WAIT) / PARALLELISM
    refresh = terraform_calls(PLAN, declared) / CALLS_A_SECOND
    # One after the other, since assignments depend on policies: revoke, edit the policy, assign.
    change = ASSIGNMENT_WAIT + PROVISION_WAIT + ASSIGNMENT_WAIT
    calls = terraform_calls(phase, declared) / CALLS_A_SECOND
    return {
        FIRST: max(waits, calls),
        PLAN: refresh,
        CHANGE: refresh + change,
        DESTROY: max(refresh + waits, calls),
    }[phase]


def extrapolate(phase, declared, smaller, cell):
    """A cell from that of a smaller estate."""
    factor = terraform_seconds(phase, declared) / terraform_seconds(phase, smaller)
    return Cell(calls=terraform_calls(phase, declared), seconds=round(cell.seconds * factor), estimated=True)


# ---------------------------------------------------------------- everything


class Benchmark:
    """Results by size, tool and phase."""

    def __init__(self, args, terraform):
        self.args, self.terraform = args, terraform
        # The sizes that can have that density.
        self.estates = {}
        for name, size in SIZES.items():
            with contextlib.suppress(ValueError):
                self.estates[name] = estate(size, args.density)
        self.cells = {}  # by (size, tool)
        for file in args.reuse:
            self.reuse(json.loads(file.read_text()))

    def reuse(self, earlier):
        settings = self.settings()
        for key in ("job_seconds", "density"):
            if earlier["settings"][key] != settings[key]:
                raise SystemExit(f"an earlier run had another {key}: {earlier['settings'][key]}")
        for entry in earlier["runs"]:
            for tool in TOOLS:
                phases = {phase: Cell(**cell) for phase, cell in entry.get(tool, {}).items()}
                # What was derived is derived anew.
                measured = {phase: cell for phase, cell in phases.items() if not cell.estimated}
                if measured:
                    self.cells[entry["size"], tool] = measured

    def settings(self):
        known = self.terraform
        return {
            "job_seconds": self.args.job_seconds,
            "density": self.args.density,
            "calls_per_second": CALLS_A_SECOND,
            "processors": os.cpu_count(),
            "terraform": known.version if known else None,
            "aws_provider": known.provider_version if known else None,
        }

    def fits(self, name, phase):
        """Whether Terraform can be expected to end in time."""
        basis = self.basis(name, phase)
        seconds = extrapolate(phase, self.estates[name], *basis).seconds if basis else terraform_seconds(phase, self.estates[name])
        return seconds <= self.args.terraform_minutes * 60

    def smaller(self, name):
        """Sizes, the largest first."""
        sizes = list(self.estates)
        return sizes[: sizes.index(name)][::-1]

    def basis(self, name, phase):
        """The largest smaller estate of which Terraform's phase was measured, and how that went."""
        for other in self.smaller(name):
            cell = self.cells.get((other, "terraform"), {}).get(phase)
            if cell and not cell.estimated and cell.complete:
                return self.estates[other], cell
        return None

    def run(self):
        for name in self.args.size:
            if "permset" in self.args.tool and (name, "permset") not in self.cells:
                self.cells[name, "permset"] = measure_permset(self.args.permset, self.estates[name], self.args.job_seconds)
            if "terraform" in self.args.tool:
                self.run_terraform(name)
                self.fill_in(name)

    def run_terraform(self, name):
        if (name, "terraform") not in self.cells:
            self.cells[name, "terraform"] = measure_terraform(
                self.terraform,
                self.args.permset,
                self.estates[name],
                self.args.job_seconds,
                fits=lambda phase: self.fits(name, phase),
                limit=self.args.terraform_minutes * 60,
            )

    def fill_in(self, name):
        """Derives the phases that were not run from a smaller estate, which is measured now if need be."""
        cells = self.cells[name, "terraform"]
        for phase in PHASES:
            if phase in cells:
                continue
            if not self.basis(name, phase):
                other = next((other for other in self.smaller(name) if self.fits(other, FIRST) and self.fits(other, phase)), None)
                if other:
                    self.run_terraform(other)
            if basis := self.basis(name, phase):
                cells[phase] = extrapolate(phase, self.estates[name], *basis)
            else:
                tell(f"{name}: terraform: {phase}: not run, and no smaller estate to derive it from")
        self.cells[name, "terraform"] = {phase: cells[phase] for phase in PHASES if phase in cells}

    # ------------------------------------------------------------ what is printed

    def results(self):
        names = [name for name in self.estates if any(self.cells.get((name, tool)) for tool in TOOLS)]
        return {
            "format_version": 1,
            "settings": self.settings(),
            "runs": [
                {"size": name, "estate": self.estates[name].describe()}
                | {
                    tool: {phase: dataclasses.asdict(cell) for phase, cell in self.cells[name, tool].items()}
                    for tool in TOOLS
                    if (name, tool) in self.cells
                }
                | {"formulas": {phase: terraform_calls(phase, self.estates[name]) for phase in PHASES}}
                for name in names
            ],
        }

    def report(self):
        settings = self.settings()
        terraform = f"Terraform {settings['terraform']} with provider {settings['aws_provider']}, {PARALLELISM} resources at once; "
        yield (
            f"{terraform if self.terraform else ''}{CALLS_A_SECOND} calls a second, requests of {self.args.job_seconds:g} s, "
            f"{settings['processors']} processors."
        )
        yield ""
        for name in self.args.size:
            there = self.estates[name].describe()
            yield (
                f"- **{name}**: {there['permission_sets']:,} permission sets with {there['managed_policies']:,} managed and "
                f"{there['inline_policies']:,} inline policies, {there['accounts']:,} accounts, {there['groups']:,} groups, "
                f"{there['assignments']:,} assignments on {there['pairs']:,} pairs of permission set and account "
                f"(density {there['density']})"
            )
        yield ""
        yield "| size | phase | permset calls | s | MiB | throttled | Terraform calls | s | MiB | throttled | calls | time |"
        yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        for name in self.args.size:
            ours, theirs = (self.cells.get((name, tool), {}) for tool in TOOLS)
            for phase in PHASES:
                row = [name, phase, *columns(ours.get(phase)), *columns(theirs.get(phase))]
                row += [ratio(ours.get(phase), theirs.get(phase), key) for key in ("calls", "seconds")]
                yield f"| {' | '.join(row)} |"
        yield ""
        yield "Calls include those that were throttled. The last two columns say how many times as much Terraform takes."
        if any(cell.estimated for cells in self.cells.values() for cell in cells.values()):
            yield ""
            yield (
                "≈ not run: it would take Terraform too long. Calls follow from formulas, which are held against measured runs "
                "below, without those that would have to be repeated. Seconds are those of the largest smaller estate that was "
                f"measured, in proportion to Terraform's waits ({ASSIGNMENT_WAIT} s for an assignment, {PROVISION_WAIT} s for a "
                f"policy, {PARALLELISM} at once) and to the limit of calls."
            )
        if checks := list(self.checks()):
            yield ""
            yield "| Terraform's calls | measured | throttled | in conflict | the others | formula | |"
            yield "|---|--:|--:|--:|--:|--:|--:|"
            yield from checks

    def checks(self):
        for (name, tool), cells in sorted(self.cells.items(), key=lambda item: list(SIZES).index(item[0][0])):
            for phase, cell in cells.items() if tool == "terraform" else ():
                if not cell.estimated:
                    formula = terraform_calls(phase, self.estates[name])
                    row = [f"{number:,}" for number in (cell.calls, cell.throttled, cell.in_conflict, cell.answered, formula)]
                    yield f"| {name}: {phase} | {' | '.join(row)} | {cell.answered / formula:.1%} |"

    def failures(self):
        for name in self.args.size:
            for tool in TOOLS:
                for phase, cell in self.cells.get((name, tool), {}).items():
                    if not (cell.estimated or cell.complete):
                        yield f"{name}: {tool}: {phase}: did not do what it should"

    def beyond_budget(self):
        for name in self.args.size:
            ours, theirs = (self.cells.get((name, tool), {}) for tool in TOOLS)
            for phase, cell in ours.items():
                if phase in theirs and cell.calls > theirs[phase].calls:
                    yield f"{name}: {phase}: {cell.calls} calls, Terraform needs {theirs[phase].calls}"
            calls, throttled = (sum(getattr(cell, key) for cell in ours.values()) for key in ("calls", "throttled"))
            if throttled > calls * THROTTLED_SHARE:
                yield f"{name}: {throttled} of {calls} calls were throttled, more than {THROTTLED_SHARE:.0%}"


def columns(cell):
    if cell is None:
        return ["–"] * 4
    about = "≈ " if cell.estimated else ""
    seconds = f"{cell.seconds:.1f}" if cell.seconds < 100 else f"{cell.seconds:,.0f}"
    memory = "–" if cell.peak_mib is None else f"{cell.peak_mib:,.0f}"
    throttled = "–" if cell.throttled is None else f"{cell.throttled:,}"
    unfinished = "" if cell.estimated or cell.complete else " (failed)"
    return [f"{about}{cell.calls:,}{unfinished}", f"{about}{seconds}", memory, throttled]


def ratio(ours, theirs, key):
    if not (ours and theirs and getattr(ours, key)):
        return "–"
    return f"{'≈ ' if theirs.estimated else ''}{getattr(theirs, key) / getattr(ours, key):.1f}×"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", nargs="+", choices=SIZES, default=["small"])
    parser.add_argument("--tool", nargs="+", choices=TOOLS, default=list(TOOLS), help="only one of the two")
    parser.add_argument("--permset", type=pathlib.Path, default=ROOT / "target" / "release" / "permset")
    parser.add_argument("--json", type=pathlib.Path, help="a file for everything that was measured")
    parser.add_argument("--reuse", nargs="+", type=pathlib.Path, default=[], help="such files; what they hold is not run again")
    parser.add_argument("--job-seconds", type=float, default=3, help="how long an asynchronous request takes")
    parser.add_argument("--density", type=int, default=2, help="groups that share a permission set in an account")
    parser.add_argument("--terraform-minutes", type=float, default=20, help="what Terraform may take for one phase")
    parser.add_argument("--require", action="store_true", help="a missing Terraform is a failure")
    parser.add_argument("--budget", action="store_true", help="fail when permset needs more calls, or is throttled")
    args = parser.parse_args()
    for name in args.size:
        try:
            estate(SIZES[name], args.density)
        except ValueError as error:
            parser.error(f"{name}: {error}")
    args.permset = args.permset.resolve()
    if not args.permset.exists():
        parser.error(f"there is no {args.permset}; `cargo build --release` makes one, `--permset` names another")
    terraform = None
    if "terraform" in args.tool:
        try:
            terraform = Terraform()
        except FileNotFoundError as error:
            print(f"skipped: {error}")
            return 1 if args.require else 0
    benchmark = Benchmark(args, terraform)
    try:
        benchmark.run()
    finally:
        # Hours of measuring are not lost to what goes wrong in the end.
        if args.json:
            args.json.write_text(json.dumps(benchmark.results(), indent=1) + "\n")
    print("\n".join(benchmark.report()))
    wrong = [*benchmark.failures(), *(benchmark.beyond_budget() if args.budget else [])]
    for problem in wrong:
        print(f"FAILED: {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
