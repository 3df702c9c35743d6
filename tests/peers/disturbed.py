"""Disturbances: others change the world while permset is at work, and permset itself is killed in the middle.

The AWS CLI edits during an apply and between plan and apply, two permsets apply at once, Terraform takes turns with permset, and
an apply is killed. Everybody is a process of its own, and all talk to one served world. What permset says of it is not believed: the
world is looked at as well.
"""

import concurrent.futures
import contextlib
import json
import pathlib
import subprocess
import tempfile
import time

from aws_cli import NAMES, aws
from aws_cli import shown as shown_call
from common import EXAMPLE, environment, run, serve
from terraform import FAST, Configuration, Seen, call, make_world

HOSTING = "jitsi-hosting"
# What the example declares: who has what in the only account of its scope, and the sets whose definition it owns.
DECLARED = [
    (HOSTING, "AWSReadOnlyAccess", "GROUP", "auditors"),
    (HOSTING, "AdministratorAccess", "GROUP", "jitsi-admins"),
    (HOSTING, "JitsiPlatformAccess", "GROUP", "jitsi-operators"),
    (HOSTING, "JitsiPlatformAccess", "USER", "alice@example.com"),
]
OWNED = {
    "AdministratorAccess": {
        "description": "Full access for the people who run the platform",
        "session_duration": "PT4H",
        "tags": {"permset:owner": "jitsi-platform"},
        "aws_managed_policies": ["AdministratorAccess"],
        "inline_actions": [],
    },
    "JitsiPlatformAccess": {
        "description": "Day-to-day operation of the Jitsi video platform",
        "session_duration": "PT8H",
        "relay_state": "https://eu-central-1.console.aws.amazon.com/ecs/v2",
        "tags": {"cost-center": "video", "permset:owner": "jitsi-platform"},
        "aws_managed_policies": [],
        "inline_actions": sorted(
            "ecs:* ec2:* elasticloadbalancing:* ssm:* s3:* logs:* cloudwatch:* servicediscovery:* iam:PassRole".split()
        ),
    },
}
# Long enough for others to come in between: an apply of the example to the starter world takes six seconds with it.
SLOW = ("--job-seconds", "1")


# ---------------------------------------------------------------- a served world, seen from beside


class World:
    """A served world in a folder of its own, and the processes that work on it."""

    def __init__(self, permset, home, env):
        self.permset, self.home, self.env = permset, pathlib.Path(home), env

    def run(self, *args):
        return run(self.permset, ["-f", str(EXAMPLE), *args], self.home, **self.env)

    def apply(self, *options):
        return self.run("apply", "--auto-approve", *options)

    def sandbox(self, *args):
        done = run(self.permset, ["sandbox", *args, "--world", "world.json", "--format", "json"], self.home)
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)

    def calls(self):
        return self.sandbox("log", "--last", "10000")["calls"]

    def writes(self):
        """How many calls of each kind could have changed something."""
        counts = self.sandbox("log", "--last", "1")["counts"]
        return {name: count for name, count in counts.items() if not name.split(".")[1].startswith(("List", "Describe", "Get"))}

    def look(self):
        """The live world, in the two parts that matter to the file: what it decides about, and everything else."""
        world = self.sandbox("show")
        sets = {row["id"]: row for row in world["permission_sets"]}
        accounts = {row["id"]: row["name"] for row in world["accounts"]}
        principals = {row["id"]: row.get("user_name") or row["display_name"] for row in world["users"] + world["groups"]}
        assignments = sorted(
            (
                accounts[row["account_id"]],
                sets[row["permission_set_id"]]["name"],
                row["principal_type"],
                principals.get(row["principal_id"], "gone"),
            )
            for row in world["assignments"]
        )
        inside, outside = {"assignments": []}, {"assignments": []}
        for row in assignments:
            declared = row[0] == HOSTING and row[1] in (*OWNED, "AWSReadOnlyAccess")
            (inside if declared else outside)["assignments"].append(row)
        for row in sets.values():
            part = inside if row["name"] in OWNED else outside
            assert row["name"] not in part, f"there are two permission sets {row['name']}"
            part[row["name"]] = definition(row) if part is inside else row
        for name in ("accounts", "users", "groups", "memberships", "instance", "organization"):
            outside[name] = world[name]
        return inside, outside

    def differences(self):
        """Where the world is not as the example declares, each as a text."""
        inside, _ = self.look()
        expected = OWNED | {"assignments": DECLARED}
        found = [f"{name} is {inside.get(name)}" for name, value in expected.items() if name == "assignments" and inside[name] != value]
        for name, value in OWNED.items():
            live = inside.get(name, {})
            wrong = {key: one for key, one in live.items() if value.get(key) != one} if live else "missing"
            found += [f"{name}: {wrong}"] if wrong or live.keys() < value.keys() else []
        return found

    def assert_converged(self, after):
        """One more apply may be needed; then nothing differs, whoever looks."""
        done = self.apply()
        assert done.returncode == 0, f"the apply after {after}: {told(done)}"
        assert not self.differences(), f"the apply after {after} left {self.differences()}\n{told(done)}"
        drift = self.run("drift")
        assert drift.returncode == 0, f"drift after {after}: {told(drift)}"
        return done

    def somebody(self, typed, **names):
        """The AWS CLI makes a call, again while AWS is busy, and returns when that call has had its effect."""
        words = typed.format(**NAMES, **names).split()
        at = ["--instance-arn", NAMES["instance"]] if words[0] == "sso-admin" else ["--identity-store-id", NAMES["store"]]
        deadline = time.monotonic() + 60
        while True:
            done = aws(self.home, self.env, *words, *at)
            if done.returncode == 0 or "ConflictException" not in done.stderr or time.monotonic() > deadline:
                break
        assert done.returncode == 0, shown_call(done)
        status = next(iter(json.loads(done.stdout or "{}").values()), {})
        if isinstance(status, dict) and status.get("Status") == "IN_PROGRESS":
            self.wait_for(status["RequestId"])

    def wait_for(self, request):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            (job,) = [job for job in self.sandbox("show")["jobs"] if job["request_id"] == request]
            if job["status"] != "IN_PROGRESS":
                assert job["status"] == "SUCCEEDED", job
                return
            time.sleep(0.05)
        raise AssertionError(f"the request {request} does not end")


def definition(row):
    """What a file can say of a permission set, and the accounts that run an older version of it."""
    kept = {key: value for key, value in row.items() if key not in ("id", "name", "created", "version", "provisioned", "inline_policy")}
    kept["aws_managed_policies"] = sorted(arn.removeprefix("arn:aws:iam::aws:policy/") for arn in row.get("aws_managed_policies", []))
    statements = json.loads(row.get("inline_policy") or "{}").get("Statement", [])
    kept["inline_actions"] = sorted(action for statement in statements for action in statement["Action"])
    stale = [account for account, it in row.get("provisioned", {}).items() if it["version"] != row["version"]]
    return kept | ({"stale": stale} if stale else {})


@contextlib.contextmanager
def served(permset, *flags):
    with tempfile.TemporaryDirectory() as home, serve(permset, f"{home}/world.json", *flags) as env:
        yield World(permset, home, env)


def told(done):
    return f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


def side_by_side(act, cases, workers=None):
    """Plays all cases, and shows every complaint with its case."""

    def complaint(case):
        try:
            act(case)
        except AssertionError as error:
            return f"{case}: {error}"
        return None

    with concurrent.futures.ThreadPoolExecutor(workers or len(cases)) as pool:
        complaints = [one for one in pool.map(complaint, cases) if one]
    assert not complaints, "\n\n".join(complaints)


class Apply:
    """An apply under way."""

    def __init__(self, world, *options):
        self.errors = tempfile.TemporaryFile("w+")
        command = [str(world.permset), "-f", str(EXAMPLE), "apply", "--auto-approve", *options]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": self.errors}
        self.process = subprocess.Popen(command, cwd=world.home, env=environment(world.home, **world.env), text=True, **streams)
        self.stdout = ""

    def reads(self, *words):
        """Reads on until a line has all of these words."""
        for line in self.process.stdout:
            self.stdout += line
            if all(word in line for word in words):
                return
        raise AssertionError(f"it never said {words}: {told(self.end())}")

    def end(self):
        """Waits until it has ended, and returns what `run` would."""
        self.stdout += self.process.stdout.read()
        self.process.wait(timeout=120)
        self.process.stdout.close()
        self.errors.seek(0)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, self.stdout, self.errors.read())


# ---------------------------------------------------------------- 1. somebody edits during an apply

ADMINISTRATOR = "--permission-set-arn {administrator}"
IN_HOSTING = "--target-type AWS_ACCOUNT --target-id {hosting} --permission-set-arn"
# When somebody comes in, by what permset has just done, and what they do. The last one mostly comes too late to be seen.
MEANWHILE = {
    "a policy attached to a set just edited": (
        "change permission set AdministratorAccess",
        f"sso-admin attach-managed-policy-to-permission-set {ADMINISTRATOR} --managed-policy-arn {{iam}}/IAMFullAccess",
    ),
    "the policy detached from a set just provisioned": (
        "provision AdministratorAccess",
        f"sso-admin detach-managed-policy-from-permission-set {ADMINISTRATOR} --managed-policy-arn {{iam}}/AdministratorAccess",
    ),
    "the session duration of a set just edited": (
        "change permission set AdministratorAccess",
        f"sso-admin update-permission-set {ADMINISTRATOR} --session-duration PT12H",
    ),
    "an assignment that is not declared": (
        "create permission set JitsiPlatformAccess",
        f"sso-admin create-account-assignment {IN_HOSTING} {{read_only}} --principal-type USER --principal-id {{bob}}",
    ),
    "an assignment that is not declared, where permset assigns": (
        "assign JitsiPlatformAccess",
        f"sso-admin create-account-assignment {IN_HOSTING} {{jitsi}} --principal-type USER --principal-id {{bob}}",
    ),
    "an assignment just made deleted": (
        "for user alice@example.com",
        f"sso-admin delete-account-assignment {IN_HOSTING} {{jitsi}} --principal-type USER --principal-id {{alice}}",
    ),
    "an assignment just revoked made again": (
        "for user dana@example.com",
        f"sso-admin create-account-assignment {IN_HOSTING} {{administrator}} --principal-type USER --principal-id {{dana}}",
    ),
}


def ids(world):
    """What the starter world's people are, and the ARN of the set that permset makes."""
    live = world.sandbox("show")
    users = {row["user_name"].split("@")[0]: row["id"] for row in live["users"]}
    jitsi = [row["id"] for row in live["permission_sets"] if row["name"] == "JitsiPlatformAccess"]
    return users | {"jitsi": f"{NAMES['sets']}/{jitsi[0]}" if jitsi else "", "groups": {row["display_name"]: row["id"] for row in live["groups"]}}


def disturb(permset, case):
    after, typed = MEANWHILE[case]
    with served(permset, *SLOW) as world:
        _, before = world.look()
        apply = Apply(world)
        apply.reads("  done ", after)
        world.somebody(typed, **ids(world))
        edited = time.time()
        done = apply.end()
        observed = max(one["at"] for one in world.calls() if one["operation"] == "sso-admin.ListPermissionSets")
        differences, (_, outside) = world.differences(), world.look()[1:]
        assert outside == before, f"what is not in the file's scope has changed: {before}\n{outside}"
        assert done.returncode in (0, 5), told(done)
        if done.returncode == 0:
            assert "converged: observed again: nothing is left to do" in done.stdout, told(done)
            assert edited > observed or not differences, f"left and not told: {differences}\n{told(done)}"
        else:
            assert "incomplete: observed again: " in done.stdout and " left\n" in done.stdout, told(done)
            assert differences, f"told to be left, and is not: {told(done)}"
        assert edited < observed or case == list(MEANWHILE)[-1], "it came too late to be seen, so this check showed nothing"
        world.assert_converged(case)
        assert world.look()[1] == before, f"what is not in the file's scope has changed: {before}"


def check_cli_edits_during_apply(permset):
    side_by_side(lambda case: disturb(permset, case), list(MEANWHILE))


# ---------------------------------------------------------------- 2. two at once


def both_apply(permset, offset):
    with served(permset, *SLOW) as world:
        _, before = world.look()
        first = Apply(world, "--journal", "first")
        time.sleep(offset)
        second = Apply(world, "--journal", "second")
        for done in (first.end(), second.end()):
            assert done.returncode in (0, 5), told(done)
            words = "converged:" if done.returncode == 0 else "incomplete:"
            assert words in done.stdout or "nothing to do" in done.stdout, told(done)
        assert_asked_once(world)
        third = world.assert_converged("two at once")
        if "plan: nothing to do" not in third.stdout:
            assert "plan: nothing to do" in world.assert_converged("a third").stdout, told(third)
        assert world.look()[1] == before, f"what is not in the file's scope has changed: {before}"


def assert_asked_once(world):
    """Each of the two asked for each assignment once at most: what AWS was busy with was waited out, and not done again."""
    for folder in ("first", "second"):
        lines = [json.loads(line) for file in (world.home / folder).glob("*.jsonl") for line in file.read_text().splitlines()]
        kept = {line["number"] for line in lines if line["event"] == "answer" and not line["error"]}
        asked = [line["subject"] for line in lines if line["event"] == "request" and line["number"] in kept and "Assignment" in line["operation"]]
        assert len(asked) == len(set(asked)), f"{folder} asked twice: {asked}"
    work = [job["work"]["create_assignment"] for job in world.sandbox("show")["jobs"] if "create_assignment" in job["work"] and job["status"] == "SUCCEEDED"]
    print("jobs", len(work), "distinct", len({json.dumps(one) for one in work}))


def check_two_applies_at_once(permset):
    side_by_side(lambda offset: both_apply(permset, offset), [0, 0.05, 0.4, 1.1, 2.3])
