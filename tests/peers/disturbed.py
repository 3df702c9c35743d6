"""Disturbances: others change the world while permset is at work, and permset itself is killed in the middle.

The AWS CLI edits during an apply and between plan and apply, two permsets apply at once, Terraform takes turns with permset, and
an apply is killed. Everybody is a process of its own, and all talk to one served world. What permset says of that world is not
believed: it is looked at from beside.
"""

import concurrent.futures
import contextlib
import json
import pathlib
import subprocess
import tempfile
import time
import traceback

from aws_cli import NAMES, aws, shown
from common import EXAMPLE, environment, run, serve
from terraform import BARE, FAST, HOSTING, Configuration, Seen, assert_same, call, make_world

# What the example declares: who has what in the only account of its scope, and the sets that it owns whole.
DECLARED = [
    (HOSTING, "AWSReadOnlyAccess", "GROUP", "auditors"),
    (HOSTING, "AdministratorAccess", "GROUP", "jitsi-admins"),
    (HOSTING, "JitsiPlatformAccess", "GROUP", "jitsi-operators"),
    (HOSTING, "JitsiPlatformAccess", "USER", "alice@example.com"),
]
ACTIONS = "ecs:* ec2:* elasticloadbalancing:* ssm:* s3:* logs:* cloudwatch:* servicediscovery:* iam:PassRole"
OWNED = {
    "AdministratorAccess": {
        "description": "Full access for the people who run the platform",
        "session_duration": "PT4H",
        "tags": {"permset:owner": "jitsi-platform"},
        "aws_managed_policies": ["AdministratorAccess"],
    },
    "JitsiPlatformAccess": {
        "description": "Day-to-day operation of the Jitsi video platform",
        "session_duration": "PT8H",
        "relay_state": "https://eu-central-1.console.aws.amazon.com/ecs/v2",
        "tags": {"cost-center": "video", "permset:owner": "jitsi-platform"},
        "inline_policy": sorted(ACTIONS.split()),
    },
}
# Long enough for others to come in between: an apply of the example to the starter world takes four seconds with it.
SLOW = ("--job-seconds", "0.5")


# ---------------------------------------------------------------- a served world, seen from beside


class World:
    """A served world in a folder of its own, where everybody who works on it starts."""

    def __init__(self, permset, home, env):
        self.permset, self.home, self.env = permset, pathlib.Path(home), env
        _, self.outside = self.look()

    def run(self, *args):
        return run(self.permset, ["-f", str(EXAMPLE), *args], self.home, **self.env)

    def sandbox(self, *args):
        done = run(self.permset, ["sandbox", *args, "--world", "world.json", "--format", "json"], self.home)
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)

    def fault(self, *args):
        done = run(self.permset, ["sandbox", "fault", *args, "--world", "world.json"], self.home)
        assert done.returncode == 0, told(done)

    def writes(self):
        """How often each operation was called that could change something."""
        counts = self.sandbox("log")["counts"]
        return {name: count for name, count in counts.items() if not name.split(".")[1].startswith(("List", "Describe", "Get"))}

    def look(self):
        """The world in two parts: what the example decides about, and everything else."""
        world = self.sandbox("show")
        sets = {row["id"]: row["name"] for row in world["permission_sets"]}
        accounts = {row["id"]: row["name"] for row in world["accounts"]}
        principals = {row["id"]: row.get("user_name") or row["display_name"] for row in world["users"] + world["groups"]}
        parts = ({"assignments": []}, {"assignments": []})
        for row in world["assignments"]:
            account, name = accounts[row["account_id"]], sets[row["permission_set_id"]]
            declared = account == HOSTING and name in {declared[1] for declared in DECLARED}
            who = (row["principal_type"], principals.get(row["principal_id"], "gone"))
            parts[0 if declared else 1]["assignments"].append((account, name, *who))
        for row in world["permission_sets"]:
            part, seen = (parts[0], definition(row)) if row["name"] in OWNED else (parts[1], row)
            assert row["name"] not in part, f"there are two permission sets {row['name']}"
            part[row["name"]] = seen
        for part in parts:
            part["assignments"].sort()
        rest = ("accounts", "users", "groups", "memberships", "instance", "organization")
        return parts[0], parts[1] | {name: world[name] for name in rest}

    def differences(self):
        """What is not as the example declares."""
        inside, _ = self.look()
        expected = OWNED | {"assignments": DECLARED}
        return {name: inside.get(name, "missing") for name, value in expected.items() if inside.get(name) != value}

    def assert_rest_untouched(self):
        assert_same(self.look()[1], self.outside, "what the file does not decide about")

    def assert_next_apply_converges(self, after, *options):
        done = self.run("apply", "--auto-approve", *options)
        assert done.returncode == 0, f"the apply after {after}: {told(done)}"
        assert not self.differences(), f"the apply after {after} leaves {self.differences()}\n{told(done)}"
        drift = self.run("drift")
        assert drift.returncode == 0, f"drift after {after}: {told(drift)}"
        self.assert_rest_untouched()
        return done

    def names(self):
        """The names of the script of calls, with the people of the starter world and the set that permset makes."""
        world = self.sandbox("show")
        people = {row["user_name"].removesuffix("@example.com"): row["id"] for row in world["users"]}
        groups = {row["display_name"]: row["id"] for row in world["groups"]}
        sets = {row["name"]: f"{NAMES['sets']}/{row['id']}" for row in world["permission_sets"]}
        return NAMES | people | {"groups": groups, "jitsi": sets.get("JitsiPlatformAccess")}

    def somebody(self, typed):
        """The AWS CLI makes a call, again while AWS is busy; returns when the call has had its effect."""
        words = typed.format(**self.names()).split()
        at = ["--instance-arn", NAMES["instance"]] if words[0] == "sso-admin" else ["--identity-store-id", NAMES["store"]]
        done, deadline = None, time.monotonic() + 60
        while not done or ("(ConflictException)" in done.stderr and time.monotonic() < deadline):
            done = aws(self.home, self.env, *words, *at)
        assert done.returncode == 0, shown(done)
        status = next(iter(json.loads(done.stdout or "{}").values()), None)
        while isinstance(status, dict) and status.get("Status", "SUCCEEDED") != "SUCCEEDED":
            assert status["Status"] == "IN_PROGRESS" and time.monotonic() < deadline, f"{shown(done)}\n{status}"
            time.sleep(0.05)
            (job,) = [job for job in self.sandbox("show")["jobs"] if job["request_id"] == status["RequestId"]]
            status["Status"] = job["status"]


def definition(row):
    """What a file can say of a permission set, and the accounts that run an older version of it."""
    seen = {key: value for key, value in row.items() if key not in ("id", "name", "created", "version", "provisioned")}
    if "aws_managed_policies" in seen:
        seen["aws_managed_policies"] = sorted(arn.removeprefix(f"{NAMES['iam']}/") for arn in seen["aws_managed_policies"])
    if "inline_policy" in seen:
        seen["inline_policy"] = sorted(json.loads(seen["inline_policy"])["Statement"][0]["Action"])
    stale = [account for account, at in row.get("provisioned", {}).items() if at["version"] != row["version"]]
    return seen | ({"stale": stale} if stale else {})


@contextlib.contextmanager
def served(permset, *flags):
    with tempfile.TemporaryDirectory() as home, serve(permset, f"{home}/world.json", *flags) as env:
        yield World(permset, home, env)


def told(done):
    return f"permset: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


def side_by_side(play, cases):
    """Plays all cases at once, each in a world of its own, and shows every complaint with its case."""

    def complaint(case):
        try:
            play(case)
        except Exception:  # a failing case must not keep the others from being told
            return f"{case}: {traceback.format_exc()}"
        return None

    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        complaints = [one for one in pool.map(complaint, cases) if one]
    assert not complaints, "\n\n".join(complaints)


class Apply:
    """An apply that is under way."""

    def __init__(self, world, *options):
        self.stdout, self.stderr = "", tempfile.TemporaryFile("w+")
        command = [str(world.permset), "-f", str(EXAMPLE), "apply", "--auto-approve", *options]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": self.stderr}
        self.process = subprocess.Popen(command, cwd=world.home, env=environment(world.home, **world.env), text=True, **streams)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()

    def says(self, *words):
        """Waits until it says a line with all of these words."""
        for line in self.process.stdout:
            self.stdout += line
            if all(word in line for word in words):
                return
        raise AssertionError(f"it never said {words}: {told(self.end())}")

    def end(self):
        """Waits until it ends, and returns what `run` would."""
        self.stdout += self.process.stdout.read()
        code = self.process.wait(timeout=120)
        self.stderr.seek(0)
        return subprocess.CompletedProcess(self.process.args, code, self.stdout, self.stderr.read())


# ---------------------------------------------------------------- 1. somebody edits during an apply

ADMINISTRATOR = "--permission-set-arn {administrator}"
USER_IN_HOSTING = "--target-type AWS_ACCOUNT --target-id {hosting} --principal-type USER --principal-id"
# What permset has just done when somebody comes in, and what they do.
MEANWHILE = {
    "a policy attached to a set just edited": (
        "change permission set AdministratorAccess",
        f"sso-admin attach-managed-policy-to-permission-set {ADMINISTRATOR} --managed-policy-arn {{iam}}/IAMFullAccess",
    ),
    "the session duration of a set just edited": (
        "change permission set AdministratorAccess",
        f"sso-admin update-permission-set {ADMINISTRATOR} --session-duration PT12H",
    ),
    "a policy detached from a set just provisioned": (
        "provision AdministratorAccess",
        f"sso-admin detach-managed-policy-from-permission-set {ADMINISTRATOR} --managed-policy-arn {{iam}}/AdministratorAccess",
    ),
    "an assignment that is not declared": (
        "for user alice@example.com",
        f"sso-admin create-account-assignment {USER_IN_HOSTING} {{bob}} --permission-set-arn {{jitsi}}",
    ),
    "an assignment that is not declared, of a set of AWS Control Tower": (
        "create permission set JitsiPlatformAccess",
        f"sso-admin create-account-assignment {USER_IN_HOSTING} {{bob}} --permission-set-arn {{read_only}}",
    ),
    "an assignment that is not declared, while permset works on its set there": (
        "change permission set AdministratorAccess",
        f"sso-admin create-account-assignment {USER_IN_HOSTING} {{bob}} {ADMINISTRATOR}",
    ),
    "an assignment just made is deleted": (
        "for user alice@example.com",
        f"sso-admin delete-account-assignment {USER_IN_HOSTING} {{alice}} --permission-set-arn {{jitsi}}",
    ),
    "an assignment just revoked is made again": (
        "for user dana@example.com",
        f"sso-admin create-account-assignment {USER_IN_HOSTING} {{dana}} {ADMINISTRATOR}",
    ),
}
# After all that permset changes, and mostly after its last look: then nothing can be told, and nothing is.
LATE = "an assignment just revoked is made again"


def edit_during_apply(permset, case):
    after, typed = MEANWHILE[case]
    # AWS is busy with something else when permset comes to its last change, until the edit is made: so that is never too late.
    held = ["--on", "DeleteAccountAssignment", "--principal", "dana@example.com", "--conflict", "--forever"]
    with served(permset, *SLOW) as world:
        if case != LATE:
            world.fault("add", *held)
        with Apply(world) as apply:
            apply.says("  done ", after)
            world.somebody(typed)
            edited = time.time()
            if case != LATE:
                world.fault("clear")
            done = apply.end()
        calls = world.sandbox("log", "--last", "10000")["calls"]
        last_look = max(one["at"] for one in calls if one["operation"] == "sso-admin.ListPermissionSets")
        in_time, left = edited < last_look, world.differences()
        assert in_time or case == LATE, "permset looked for the last time before, so this check showed nothing"
        if done.returncode == 0:
            assert "\nconverged: observed again: nothing is left to do\n" in done.stdout, told(done)
            assert not (in_time and left), f"it does not tell of {left}\n{told(done)}"
        else:
            assert done.returncode == 5 and "\nincomplete: observed again: " in done.stdout, told(done)
            assert left, f"it tells of changes that are left, and none is\n{told(done)}"
        world.assert_rest_untouched()
        # What belongs to AWS Control Tower is taken away with consent only.
        world.assert_next_apply_converges(case, *(["--allow", "control-tower"] if "Control Tower" in case else []))


def check_cli_edits_during_apply(permset):
    side_by_side(lambda case: edit_during_apply(permset, case), list(MEANWHILE))


# ---------------------------------------------------------------- 2. two applies at once


def apply_twice(permset, offset):
    with served(permset, *SLOW) as world:
        with Apply(world, "--journal", "first") as first:
            time.sleep(offset)
            with Apply(world, "--journal", "second") as second:
                ended = [first.end(), second.end()]
        for done in ended:
            assert done.returncode in (0, 5), told(done)
            # A slow second one may find that all is done.
            good = ("\nconverged: observed again: nothing is left to do\n", "plan: nothing to do, ")
            assert any(words in done.stdout for words in (good if done.returncode == 0 else ["\nincomplete: observed again: "])), told(done)
        for folder in ("first", "second"):
            asked = [request for request in accepted(world.home / folder) if "AccountAssignment" in request]
            assert len(asked) == len(set(asked)), f"the {folder} one asked twice for the same: {asked}"
        if 0 in [done.returncode for done in ended]:
            # Whoever looked last saw everything in place; the other one may have seen it while it was under way.
            assert not world.differences(), world.differences()
        last = world.assert_next_apply_converges("two at once")
        if not last.stdout.startswith("plan: nothing to do, "):
            last = world.assert_next_apply_converges("a third")
        assert last.stdout.startswith("plan: nothing to do, "), told(last)


def journal(folder):
    """The lines of the only journal in a folder; none, if nothing was to be changed."""
    files = list(folder.glob("journal-*.jsonl"))
    assert len(files) <= 1, files
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def accepted(folder):
    """The requests of a journal that AWS took."""
    lines = journal(folder)
    numbers = {line["number"] for line in lines if line["event"] == "answer" and not line["error"]}
    return [request_of(line) for line in lines if line["event"] == "request" and line["number"] in numbers]


def request_of(line):
    return f"{line['operation']} for {line['subject']}"


def check_two_applies_at_once(permset):
    side_by_side(lambda offset: apply_twice(permset, offset), [0, 0.05, 0.3, 0.8, 1.5])


# ---------------------------------------------------------------- 3. somebody edits between plan and apply

# What somebody does when the plan is saved, and what apply says of it; nothing, if the plan does not rest on it.
BETWEEN = {
    f"sso-admin attach-managed-policy-to-permission-set {ADMINISTRATOR} --managed-policy-arn {{iam}}/IAMFullAccess": (
        "permission set AdministratorAccess was edited: managed policies + IAMFullAccess"
    ),
    f"sso-admin provision-permission-set {ADMINISTRATOR} --target-type AWS_ACCOUNT --target-id {{hosting}}": (
        "215665149509 had an older version of AdministratorAccess, and has the newest version of AdministratorAccess"
    ),
    "sso-admin create-permission-set --name JitsiPlatformAccess": (
        "permission set JitsiPlatformAccess was to be created, and is there now"
    ),
    f"sso-admin create-account-assignment {USER_IN_HOSTING} {{bob}} {ADMINISTRATOR}": (
        "assigned meanwhile: AdministratorAccess in 215665149509 for user "
    ),
    f"sso-admin delete-account-assignment {USER_IN_HOSTING} {{dana}} {ADMINISTRATOR}": (
        "revoked meanwhile: AdministratorAccess in 215665149509 for user dana@example.com"
    ),
    "identitystore delete-group --group-id {groups[jitsi-operators]}": "was `jitsi-operators`, and is deleted",
    "sso-admin update-permission-set --permission-set-arn {billing} --session-duration PT2H": None,
    "identitystore create-group --display-name night-shift": None,
}


def edit_before_apply(permset, typed):
    moved = BETWEEN[typed]
    with served(permset, "--job-seconds", "0.2") as world:
        planned = world.run("plan", "--out", "plan.permset")
        assert planned.returncode == 0, told(planned)
        world.somebody(typed)
        before, writes = world.look(), world.writes()
        done = world.run("apply", "plan.permset")
        if moved:
            said = [line for line in done.stderr.splitlines() if line.startswith("moved: ")]
            assert done.returncode == 4 and any(moved in line for line in said), f"{moved} is not told\n{told(done)}"
            assert world.writes() == writes, f"it was refused and written: {world.writes()}, before {writes}"
            assert world.look() == before, f"it was refused and is another world: {world.look()}, before {before}"
        else:
            assert done.returncode == 0 and "moved: " not in done.stderr, told(done)
            assert not world.differences(), f"{world.differences()}\n{told(done)}"
            assert_same(world.look()[1], before[1], "what the file does not decide about")


def check_cli_between_plan_and_apply(permset):
    side_by_side(lambda typed: edit_before_apply(permset, typed), list(BETWEEN))


# ---------------------------------------------------------------- 4. Terraform and permset take turns

TURNS = """
data "aws_identitystore_group" "operators" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = "jitsi-operators"
    }
  }
}

resource "aws_ssoadmin_permission_set" "turns" {
  instance_arn     = local.instance
  name             = "tf-Turns"
  session_duration = "PT2H"
}

resource "aws_ssoadmin_managed_policy_attachment" "turns" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.turns.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_ssoadmin_account_assignment" "turns" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.turns.arn
  principal_type     = "GROUP"
  principal_id       = data.aws_identitystore_group.operators.group_id
  target_type        = "AWS_ACCOUNT"
  target_id          = "215665149509"
}
"""
ALIKE = """version: 1
scope: { accounts: [jitsi-hosting] }
permission_sets:
  tf-Turns: { session_duration: 2h, aws_managed_policies: [ReadOnlyAccess] }
assignments:
  - { permission_sets: [tf-Turns], accounts: [jitsi-hosting], groups: [jitsi-operators] }
"""
OTHERWISE = """version: 1
owner: turns
scope: { accounts: [jitsi-hosting] }
permission_sets:
  tf-Turns: { session_duration: 2h, aws_managed_policies: [SecurityAudit] }
assignments:
  - { permission_sets: [tf-Turns], accounts: [jitsi-hosting], users: [alice@example.com] }
"""


def assert_named(text, *words):
    missing = [word for word in words if word not in text]
    assert not missing, f"{missing} is not seen:\n{text}"


def check_terraform_takes_turns(permset):
    """Both hold one permission set and want it otherwise: each sees what the other did, changes it back, and breaks nothing."""
    with tempfile.TemporaryDirectory() as home, serve(permset, make_world(permset, home), *FAST) as env:

        def on(text, *args, expect=0):
            (pathlib.Path(home) / "access.yaml").write_text(text)
            done = run(permset, args, home, **env)
            assert done.returncode == expect, f"{args}: expected {expect}, {told(done)}"
            return done.stdout

        def planned(expect):
            return call(terraform.folder, "plan", "-detailed-exitcode", "-no-color", env=env, expect=(expect,)).stdout

        terraform = Configuration(home, env)
        (terraform.folder / "main.tf").write_text(TURNS)
        before = Seen(env)
        terraform.apply()
        # permset adopts the set by its name, and has it its own way.
        on(OTHERWISE, "apply", "--auto-approve")
        on(OTHERWISE, "drift")
        changed = {
            "sets": {
                "tf-Turns": BARE | {"session_duration": "PT2H", "tags": {"permset:owner": "turns"}, "aws_managed": ["SecurityAudit"]}
            },
            "assignments": {(HOSTING, "tf-Turns", "USER", "alice@example.com")},
        }
        assert_same(Seen(env).beyond(before), changed, "boto3 after permset's turn")
        resources = [f"aws_ssoadmin_{kind}.turns will be created" for kind in ("managed_policy_attachment", "account_assignment")]
        assert_named(planned(2), '- "permset:owner" = "turns"', *resources)
        terraform.apply()
        assert_named(on(OTHERWISE, "drift", expect=2), "tf-Turns", "+ permset:owner=turns", "- ReadOnlyAccess", "group jitsi-operators")
        on(OTHERWISE, "apply", "--auto-approve")
        on(OTHERWISE, "drift")
        assert_same(Seen(env).beyond(before), changed, "boto3 after permset's second turn")
        # A file that wants what Terraform wants ends it: nothing is left of either that the other would change.
        on(ALIKE, "apply", "--auto-approve", "--allow", "take-over")
        planned(0)
        alike = {
            "sets": {"tf-Turns": BARE | {"session_duration": "PT2H", "aws_managed": ["ReadOnlyAccess"]}},
            "assignments": {(HOSTING, "tf-Turns", "GROUP", "jitsi-operators")},
        }
        after = Seen(env)
        assert_same(after.beyond(before), alike, "boto3 in the end")
        assert_same(before.beyond(after), {}, "boto3 in the end, what is missing")


# ---------------------------------------------------------------- 5. an apply is killed


def in_flight(lines):
    """The requests that a journal leaves open."""
    requests = {line["number"]: request_of(line) for line in lines if line["event"] == "request"}
    for line in lines:
        if line["event"] == "settled" or (line["event"] == "answer" and not line["follow"]):
            del requests[line["number"]]
    return list(requests.values())


def kill_after(permset, writes):
    with served(permset, *SLOW) as world:
        with Apply(world) as apply:
            while sum(world.writes().values()) < writes:
                assert apply.process.poll() is None, told(apply.end())
            apply.process.kill()
            killed = apply.end()
        assert killed.returncode == -9, told(killed)
        left = in_flight(journal(world.home / ".permset"))
        done = world.assert_next_apply_converges(f"a kill after {writes} writes")
        assert f"was cut short with {len(left)} request" in done.stderr, f"{left} were in flight\n{told(done)}"
        ends = [line.strip().partition(" ") for line in done.stderr.splitlines()]
        for request in left:
            (end,) = [end for end, _, rest in ends if rest.strip().startswith(request)]
            assert end in ("done", "failed", "unknown"), f"what became of {request}?\n{told(done)}"
        seen = sorted(row for row in Seen(world.env).assignments if row[0] == HOSTING)
        assert seen == DECLARED, f"boto3 sees {seen}"


def check_killed_apply(permset):
    side_by_side(lambda writes: kill_after(permset, writes), [*range(1, 9), 10])
