"""moto, another emulator: plan and apply over HTTP against a server that nobody here wrote.

moto has no tags of permission sets, no provisioning and no statuses, so the reading after the apply must fail, loudly: what
permset cannot see it never takes for absent.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
import moto  # noqa: F401  (to find out whether it is there)

from common import run

ACCESS = """version: 1
scope: { accounts: ["*"] }
permission_sets:
  Ops:
    session_duration: 2h
    aws_managed_policies: [ReadOnlyAccess]
    inline_policy: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "ecs:*", Resource: "*" } }
assignments:
  - { permission_sets: [Ops], accounts: ["*"], groups: [ops] }
"""


@contextlib.contextmanager
def server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=1).read()
                break
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def check_plan_and_apply_reach_another_emulator(permset):
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    with server() as url, tempfile.TemporaryDirectory() as home:

        def client(name):
            return boto3.client(
                name, endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret"
            )

        client("organizations").create_organization(FeatureSet="ALL")
        admin = client("sso-admin")
        instance = admin.list_instances()["Instances"][0]
        group = client("identitystore").create_group(IdentityStoreId=instance["IdentityStoreId"], DisplayName="ops")["GroupId"]
        with open(f"{home}/access.yaml", "w") as file:
            file.write(ACCESS)

        planned = run(permset, ["plan"], home, AWS_ENDPOINT_URL=url, **keys)
        assert planned.returncode == 0 and "2 to create" in planned.stdout, (planned.stdout, planned.stderr)
        assert admin.list_permission_sets(InstanceArn=instance["InstanceArn"])["PermissionSets"] == []

        applied = run(permset, ["apply", "--auto-approve"], home, AWS_ENDPOINT_URL=url, **keys)
        assert applied.returncode == 5 and "2 applied" in applied.stdout, (applied.stdout, applied.stderr)
        assert "could not be observed:" in applied.stderr, applied.stderr

        (arn,) = admin.list_permission_sets(InstanceArn=instance["InstanceArn"])["PermissionSets"]
        where = {"InstanceArn": instance["InstanceArn"], "PermissionSetArn": arn}
        described = admin.describe_permission_set(**where)["PermissionSet"]
        assert (described["Name"], described["SessionDuration"]) == ("Ops", "PT2H"), described
        policies = admin.list_managed_policies_in_permission_set(**where)["AttachedManagedPolicies"]
        assert [policy["Name"] for policy in policies] == ["ReadOnlyAccess"], policies
        assert "ecs:*" in admin.get_inline_policy_for_permission_set(**where)["InlinePolicy"]
        rows = admin.list_account_assignments(AccountId="123456789012", **where)["AccountAssignments"]
        assert [row["PrincipalId"] for row in rows] == [group], rows
