"""Terraform and its AWS provider against `permset sandbox serve`: everything that they make, read, change and destroy there.

The configurations are in the folder of the same name. What Terraform says of itself is not believed: boto3 looks as well.
"""

import atexit
import functools
import json
import pathlib
import shutil
import subprocess
import tempfile

import boto3

from common import EXAMPLE, environment, find_terraform_plugins, run, serve

HERE = pathlib.Path(__file__).resolve().parent / "terraform"
PARALLELISM = "-parallelism=20"
# Where the waiting is not what is checked: the provider polls late anyway, but fewer of its writes collide.
FAST = ("--no-throttle", "--job-seconds", "0.2")
HOSTING = "jitsi-hosting"


# ---------------------------------------------------------------- Terraform, hermetically


if not shutil.which("terraform"):
    raise ImportError("no terraform")
try:
    _, PLUGINS = find_terraform_plugins()
except FileNotFoundError as error:
    raise ImportError(error) from None


def call(folder, *args, env=None, expect=(0,)):
    """Runs Terraform in `folder`; nothing of this machine's configuration is seen, and nothing is asked of the network."""
    settings = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_CLI_CONFIG_FILE": folder / "terraform.rc"}
    (folder / "terraform.rc").touch()
    done = subprocess.run(
        ["terraform", *args], cwd=folder, env=environment(folder, **settings, **(env or {})), capture_output=True, text=True,
        timeout=240, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    shown = f"terraform {' '.join(args)}: exit code {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}"
    assert done.returncode in expect, shown
    return done


@functools.cache
def initialised():
    """A folder after `terraform init`, made once for all checks."""
    folder = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(HERE / "provider.tf", folder)
    call(folder, "init", "-no-color", f"-plugin-dir={PLUGINS}")
    return folder


class Configuration:
    """The files of some folders of `terraform/`, in a folder of their own, for one served sandbox."""

    def __init__(self, home, env, *names, **more):
        self.folder = pathlib.Path(home) / "terraform"
        self.env = env | more
        shutil.copytree(initialised(), self.folder, symlinks=True)
        for name in names:
            shutil.copytree(HERE / name, self.folder, dirs_exist_ok=True)

    def apply(self, *options):
        return call(self.folder, "apply", "-auto-approve", "-no-color", PARALLELISM, *options, env=self.env)

    def assert_converged(self, after, *options):
        planned = call(self.folder, "plan", "-detailed-exitcode", "-no-color", PARALLELISM, *options, env=self.env, expect=(0, 2))
        assert planned.returncode == 0, f"after {after}, a plan still finds something to change:\n{planned.stdout}"

    def destroy(self, *options):
        call(self.folder, "destroy", "-auto-approve", "-no-color", PARALLELISM, *options, env=self.env)
        left = json.loads((self.folder / "terraform.tfstate").read_text())["resources"]
        assert left == [], f"Terraform still holds {[(row['type'], row['name']) for row in left]}"

    def outputs(self):
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}


# ---------------------------------------------------------------- the sandbox


def make_world(permset, home, *options):
    world = pathlib.Path(home) / "world.json"
    made = run(permset, ["sandbox", "init", "--world", str(world), *options], home)
    assert made.returncode == 0, f"no world was made: {made.stdout} {made.stderr}"
    return world


def add_fault(permset, world, effect, **fields):
    """Adds one fault to a world that nobody serves yet."""
    options = [word for name, value in fields.items() for word in (f"--{name}", str(value))]
    added = run(permset, ["sandbox", "fault", "add", f"--{effect}", "--world", str(world), *options], world.parent)
    assert added.returncode == 0, f"the fault {effect} {fields} was not taken: {added.stdout} {added.stderr}"


# ---------------------------------------------------------------- what boto3 sees


class Seen:
    """Everything of a served sandbox that Terraform could have touched, by name, as plain values that compare."""

    def __init__(self, env):
        keys = {"aws_access_key_id": env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"]}

        def client(service):
            return boto3.client(service, endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"], **keys)

        self.admin, self.store, self.organizations = map(client, ("sso-admin", "identitystore", "organizations"))
        (instance,) = self.admin.list_instances()["Instances"]
        self.instance, self.store_id = instance["InstanceArn"], instance["IdentityStoreId"]
        self.read_organization()
        self.read_store()
        self.read_sets()
        try:
            configuration = self.admin.describe_instance_access_control_attribute_configuration(InstanceArn=self.instance)
            rows = configuration["InstanceAccessControlAttributeConfiguration"]["AccessControlAttributes"]
            self.attributes = {row["Key"]: row["Value"]["Source"] for row in rows}
        except self.admin.exceptions.ResourceNotFoundException:
            self.attributes = {}

    @staticmethod
    def rows(client, operation, key, **where):
        return [row for page in client.get_paginator(operation).paginate(**where) for row in page.get(key, [])]

    def tags(self, resource):
        rows = self.rows(self.organizations, "list_tags_for_resource", "Tags", ResourceId=resource)
        return {row["Key"]: row["Value"] for row in rows}

    def read_organization(self):
        """Accounts that are closed stay listed for a while; they count as gone."""
        self.units, self.accounts, self.account_names = {}, {}, {}

        def descend(parent, path):
            for row in self.rows(self.organizations, "list_accounts_for_parent", "Accounts", ParentId=parent):
                self.account_names[row["Id"]] = row["Name"]
                if row.get("State", row["Status"]) == "ACTIVE":
                    self.accounts[row["Name"]] = (path, row["Email"], self.tags(row["Id"]))
            key = "OrganizationalUnits"
            for row in self.rows(self.organizations, "list_organizational_units_for_parent", key, ParentId=parent):
                self.units[f"{path}/{row['Name']}"] = self.tags(row["Id"])
                descend(row["Id"], f"{path}/{row['Name']}")

        (root,) = self.organizations.list_roots()["Roots"]
        descend(root["Id"], "")

    def read_store(self):
        users = self.rows(self.store, "list_users", "Users", IdentityStoreId=self.store_id)
        groups = self.rows(self.store, "list_groups", "Groups", IdentityStoreId=self.store_id)
        self.principals = {row["UserId"]: row["UserName"] for row in users}
        self.principals |= {row["GroupId"]: row["DisplayName"] for row in groups}
        self.users = {
            row["UserName"]: (
                row["DisplayName"],
                row.get("Name", {}).get("GivenName"),
                row.get("Name", {}).get("FamilyName"),
                [email["Value"] for email in row.get("Emails", [])],
                row.get("Title"),
            )
            for row in users
        }
        self.groups = {row["DisplayName"]: row.get("Description") for row in groups}
        self.members = {
            (group["DisplayName"], self.principals[row["MemberId"]["UserId"]])
            for group in groups
            for row in self.rows(
                self.store, "list_group_memberships", "GroupMemberships", IdentityStoreId=self.store_id, GroupId=group["GroupId"]
            )
        }

    def read_sets(self):
        self.sets, self.assignments = {}, set()
        for arn in self.rows(self.admin, "list_permission_sets", "PermissionSets", InstanceArn=self.instance):
            self.read_set({"InstanceArn": self.instance, "PermissionSetArn": arn})

    def read_set(self, where):
        described = self.admin.describe_permission_set(**where)["PermissionSet"]
        tags = self.rows(self.admin, "list_tags_for_resource", "Tags", InstanceArn=self.instance, ResourceArn=where["PermissionSetArn"])
        aws = self.rows(self.admin, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **where)
        listing = "list_customer_managed_policy_references_in_permission_set"
        customer = self.rows(self.admin, listing, "CustomerManagedPolicyReferences", **where)
        inline = self.admin.get_inline_policy_for_permission_set(**where).get("InlinePolicy")
        try:
            boundary = self.admin.get_permissions_boundary_for_permission_set(**where)["PermissionsBoundary"]
        except self.admin.exceptions.ResourceNotFoundException:
            boundary = None
        provisioning = "list_accounts_for_provisioned_permission_set"
        stale = self.rows(
            self.admin, provisioning, "AccountIds", ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED", **where
        )
        self.sets[described["Name"]] = {
            "description": described.get("Description"),
            "session_duration": described["SessionDuration"],
            "relay_state": described.get("RelayState"),
            "tags": {row["Key"]: row["Value"] for row in tags},
            "aws_managed": sorted(row["Arn"].removeprefix("arn:aws:iam::aws:policy/") for row in aws),
            "customer_managed": sorted(row.get("Path", "/") + row["Name"] for row in customer),
            "inline": json.loads(inline) if inline else None,
            "boundary": boundary,
            "stale": sorted(stale),
        }
        for account in self.rows(self.admin, provisioning, "AccountIds", **where):
            for row in self.rows(self.admin, "list_account_assignments", "AccountAssignments", AccountId=account, **where):
                principal = self.principals.get(row["PrincipalId"], "gone")
                self.assignments.add((self.account_names[account], described["Name"], row["PrincipalType"], principal))

    def beyond(self, before):
        """What is there now and was not, or not so, before."""
        more = {}
        for kind in ("sets", "users", "groups", "units", "accounts", "attributes"):
            now, then = getattr(self, kind), getattr(before, kind)
            more[kind] = {name: value for name, value in now.items() if then.get(name) != value}
        for kind in ("members", "assignments"):
            more[kind] = getattr(self, kind) - getattr(before, kind)
        return {kind: what for kind, what in more.items() if what}


BARE = {
    "description": None,
    "session_duration": "PT1H",
    "relay_state": None,
    "tags": {},
    "aws_managed": [],
    "customer_managed": [],
    "inline": None,
    "boundary": None,
    "stale": [],
}


def assert_same(found, expected, what):
    for key in sorted(found.keys() | expected.keys()):
        got, want = found.get(key), expected.get(key)
        assert got == want, f"{what}: {key}\n     found {got}\n  expected {want}"


# ---------------------------------------------------------------- 1. life cycle


def policy(*actions):
    return {"Version": "2012-10-17", "Statement": [{"Sid": "Work", "Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


FIRST = {
    "sets": {
        "tf-Bare": BARE,
        "tf-Full": BARE
        | {
            "description": "Everything that a permission set can hold",
            "session_duration": "PT2H",
            "relay_state": "https://eu-central-1.console.aws.amazon.com/ecs/v2",
            "tags": {"cost-center": "video", "stage": "first"},
            "aws_managed": ["ReadOnlyAccess", "job-function/ViewOnlyAccess"],
            "customer_managed": ["/team/TeamBaseline"],
            "inline": policy("ecs:*", "logs:Get*"),
            "boundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
        },
    },
    "assignments": {("tf-video", "tf-Full", "GROUP", "tf-team"), (HOSTING, "tf-Bare", "USER", "tf-first")},
    "users": {
        "tf-first": ("The first", "First", "Terraform", ["first@example.com"], "Engineer"),
        "tf-second": ("The second", "Second", "Terraform", ["second@example.com"], None),
    },
    "groups": {"tf-team": "At first"},
    "members": {("tf-team", "tf-first")},
    "units": {"/tf-first": {"made-by": "terraform"}, "/tf-first/tf-inner": {}},
    "accounts": {"tf-video": ("/tf-first/tf-inner", "tf-video@example.com", {"stage": "first"})},
    "attributes": {"department": ["${path:enterprise.department}"]},
}
SECOND = {
    "sets": {
        "tf-Bare": BARE,
        "tf-Full": BARE
        | {
            "description": "Everything, and changed",
            "session_duration": "PT4H",
            "tags": {"owner": "video", "stage": "second"},
            "aws_managed": ["ReadOnlyAccess", "SecurityAudit"],
            "customer_managed": ["/TeamBaseline"],
            "inline": policy("ecs:*"),
            "boundary": {"CustomerManagedPolicyReference": {"Name": "TeamBoundary", "Path": "/team/"}},
        },
    },
    "assignments": {("tf-video", "tf-Full", "GROUP", "tf-team"), (HOSTING, "tf-Bare", "USER", "tf-second")},
    "users": {
        "tf-first": ("Nobody's first", "First", "Terraform", ["other@example.com"], None),
        "tf-second": ("The second", "Second", "Terraform", ["second@example.com"], "Operator"),
    },
    "groups": {"tf-team": "And then"},
    "members": {("tf-team", "tf-second")},
    "units": {"/tf-second": {"made-by": "terraform"}, "/tf-second/tf-inner": {}},
    "accounts": {"tf-video": ("", "tf-video@example.com", {"owner": "video"})},
    "attributes": {"department": ["${path:enterprise.costCenter}"], "email": ["${path:email}"]},
}


def expected_outputs(before, stage):
    """What the data sources must show when `stage` was added to what was there before."""
    (unit,) = {path.split("/")[1] for path in stage["units"]}
    full, user, account = stage["sets"]["tf-Full"], stage["users"]["tf-first"], stage["accounts"]["tf-video"]
    within = ["tf-video"] if account[0] else []
    found_set = ["tf-Full", full["description"], full["session_duration"], full["relay_state"] or "", full["tags"]]
    return {
        "caller": "111111111111",
        "management": "111111111111",
        "permission_set_count": len(before.sets) + 2,
        "permission_set": {"name": found_set, "arn": found_set},
        "user": {how: ["tf-first", user[0], user[3][0]] for how in ("name", "email", "id")},
        "users": sorted([*before.users, "tf-first", "tf-second"]),
        "group": {how: ["tf-team", stage["groups"]["tf-team"]] for how in ("name", "id")},
        "groups": sorted([*before.groups, "tf-team"]),
        "members": [user for _, user in stage["members"]],
        "accounts": sorted([*before.account_names.values(), "tf-video"]),
        "units_of_root": sorted([path.strip("/") for path in before.units if path.count("/") == 1] + [unit]),
        "unit_by_name_is_outer": True,
        "accounts_of_inner": within,
        "accounts_below_outer": within,
        "units_below_root": sorted([path.rsplit("/", 1)[1] for path in before.units] + [unit, "tf-inner"]),
        "account_tags": account[2],
    }


def check_terraform_makes_changes_and_destroys_everything(permset):
    with tempfile.TemporaryDirectory() as home:
        with serve(permset, make_world(permset, home), *FAST) as env:
            before = Seen(env)
            terraform = Configuration(home, env, "lifecycle")
            for name, stage in (("first", FIRST), ("second", SECOND)):
                variables = f"-var-file={name}.tfvars"
                terraform.apply(variables)
                assert_same(Seen(env).beyond(before), stage, f"boto3 after the {name} apply")
                assert_same(terraform.outputs(), expected_outputs(before, stage), f"the data sources after the {name} apply")
                terraform.assert_converged(f"the {name} apply", variables)
            terraform.destroy(variables)
            after = Seen(env)
            assert_same(after.beyond(before), {}, "boto3 after destroy, what is left")
            assert_same(before.beyond(after), {}, "boto3 after destroy, what is missing")


# ---------------------------------------------------------------- 2. throttling and conflicts


def check_terraform_gets_through_throttling_and_conflicts(permset):
    with tempfile.TemporaryDirectory() as home:
        world = make_world(permset, home)
        # Not one call several times: the provider doubles its patience with every failure of the same call.
        add_fault(permset, world, "conflict", on="writes", nth=2, every=3, times=3)
        add_fault(permset, world, "throttle", on="*", nth=5, every=5, times=1000)
        log = pathlib.Path(home) / "provider.log"
        with serve(permset, world, "--job-seconds", "0.5") as env:
            terraform = Configuration(home, env, "conflicts", TF_LOG_PROVIDER="DEBUG", TF_LOG_PATH=log)
            terraform.apply()
            logged = log.read_text(errors="replace")
            for error in ("ThrottlingException", "ConflictException"):
                assert error in logged, f"the provider never saw a {error}, so this check showed nothing"
            terraform.env = env
            terraform.assert_converged("an apply with throttling and conflicts")
            seen = Seen(env)
            statement = {"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}
            busy = BARE | {
                "aws_managed": ["ReadOnlyAccess", "SecurityAudit"],
                "inline": {"Version": "2012-10-17", "Statement": [statement]},
            }
            # What an assignment provisions, the set as it is when the job begins or when it ends, nobody has written down:
            # one that is made while policies are attached may leave its account behind.
            assert seen.sets.get("tf-Busy", {}) | {"stale": []} == busy, seen.sets
            got = {row for row in seen.assignments if row[1] == "tf-Busy"}
            assert got == {(HOSTING, "tf-Busy", "GROUP", name) for name in ("jitsi-operators", "auditors")}, got


# ---------------------------------------------------------------- 3. permset and Terraform agree


def permset_on(permset, env, home, *args):
    return run(permset, ["-f", str(EXAMPLE), *args], home, **env)


def check_permset_finds_nothing_to_do_after_terraform(permset):
    with tempfile.TemporaryDirectory() as home:
        with serve(permset, make_world(permset, home, "--from", str(EXAMPLE)), *FAST) as env:
            first = permset_on(permset, env, home, "plan", "--detailed-exitcode")
            assert first.returncode == 2, f"the world already is as declared: {first.stdout} {first.stderr}"
            terraform = Configuration(home, env, "example")
            terraform.apply()
            planned = permset_on(permset, env, home, "plan", "--detailed-exitcode")
            shown = f"permset plan: exit code {planned.returncode}\n{planned.stdout}\n{planned.stderr}"
            assert planned.returncode == 0, f"what Terraform made is not what permset takes the access file to mean: {shown}"


def check_terraform_imports_what_permset_applied(permset):
    with tempfile.TemporaryDirectory() as home:
        with serve(permset, make_world(permset, home, "--from", str(EXAMPLE)), *FAST) as env:
            applied = permset_on(permset, env, home, "apply", "--auto-approve")
            assert applied.returncode == 0, f"permset apply: {applied.stdout}\n{applied.stderr}"
            terraform = Configuration(home, env, "example", "import")
            imported = terraform.apply()
            summary = "Resources: 8 imported, 0 added, 0 changed, 0 destroyed."
            assert summary in imported.stdout, f"Terraform would have it otherwise than permset made it:\n{imported.stdout}"
            terraform.assert_converged("the import")
