"""The AWS CLI v2 against `permset sandbox serve`: a script of calls of every service, and the guide's way to sign in.

The CLI is the one that PERMSET_AWS_CLI names, or `aws` if that is a version 2. It sees a home of its own and nothing else.
"""

import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import urllib.request

from common import EXAMPLE, environment, run, serve

# ---------------------------------------------------------------- the CLI, hermetically


def find_cli():
    """The path of a CLI v2; what it says of its version is all that tells it from a v1."""
    path = os.environ.get("PERMSET_AWS_CLI") or shutil.which("aws")
    if not path:
        raise ImportError("no AWS CLI v2: PERMSET_AWS_CLI is not set, and there is no aws in PATH")
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL).stdout
    except OSError as error:
        raise ImportError(f"no AWS CLI v2: {error}") from error
    if not said.startswith("aws-cli/2."):
        raise ImportError(f"no AWS CLI v2: {path} is {said.strip() or 'something else'}")
    return os.path.abspath(path)


CLI = find_cli()


def settings(home, env):
    return environment(home, AWS_PAGER="", TZ="UTC", LC_ALL="C.UTF-8", **env)


def aws(home, env, *args):
    return subprocess.run(
        [CLI, *args], cwd=home, env=settings(home, env), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


def shown(done):
    return f"aws {shlex.join(done.args[1:])}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"


# ---------------------------------------------------------------- 1. a script of calls
#
# A call is what is typed after `aws`, perhaps after variables as in a shell, and goes on in indented lines; `admin x` and `store x`
# are `sso-admin x` and `identitystore x` with the instance and the identity store. After two blanks or below stands what is expected:
#
#     = JSON                 this output, whole: what does not matter is left out with --query
#     ! Code: words          this error of AWS, with these words in its message, and exit code 254
#     nothing                success, and no output
#
# `<name>` is the value of that name; a name without a value gets the one that is found in the output. `<>` is anything.
# The chapters run side by side, each in a starter world of its own.

SHORT = {"admin": "sso-admin {} --instance-arn <instance>", "store": "identitystore {} --identity-store-id <store>"}
ARN, TARGET = "arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd", "--target-type AWS_ACCOUNT --target-id"
STATEMENT = '{"Effect": "Allow", "Action": ["ecs:*", "iam:PassRole"], "Resource": "*"}'
# What the starter world has, and what would be long to write.
NAMES = {
    "instance": "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd",
    "store": "d-00aa11bb22",
    "sets": ARN,
    "administrator": f"{ARN}/ps-0a1b2c3d4e5f6071",
    "read_only": f"{ARN}/ps-1b2c3d4e5f607182",
    "billing": f"{ARN}/ps-2c3d4e5f60718293",
    "management": "111111111111",
    "hosting": "215665149509",
    "staging": "333333333333",
    "nobody": "00000000-0000-7000-8000-000000000000",
    "as_staging": "AWS_ACCESS_KEY_ID=333333333333",
    "iam": "arn:aws:iam::aws:policy",
    "on_set": "--permission-set-arn <set>",
    "on_administrator": f"--permission-set-arn {ARN}/ps-0a1b2c3d4e5f6071",
    "here": f"{TARGET} 215665149509 --principal-type GROUP --permission-set-arn {ARN}/ps-1b2c3d4e5f607182",
    "there": f"{TARGET} 333333333333 --principal-type GROUP --permission-set-arn {ARN}/ps-1b2c3d4e5f607182",
    "top": f"{TARGET} 111111111111 --principal-type GROUP --permission-set-arn {ARN}/ps-1b2c3d4e5f607182",
    "policy": '{"Version": "2012-10-17", "Statement": [' + STATEMENT + "]}",
    "relay": "https://eu-central-1.console.aws.amazon.com/ecs/v2?region=eu-central-1#a",
    "fay": "--user-name fay@example.com --display-name Fay --name GivenName=Fay,FamilyName=Example",
}
SCRIPT = r"""
## permission sets
sso-admin list-instances --query 'Instances[].[InstanceArn, IdentityStoreId, OwnerAccountId, Status]'
    = [["<instance>", "<store>", "<management>", "ACTIVE"]]
sso-admin list-instances --region us-east-1  = {"Instances": []}
sso-admin list-permission-sets --instance-arn arn:aws:sso:::instance/ssoins-0000000000000000
    ! ResourceNotFoundException: Could not find Instance
admin create-permission-set --name Video --description 'Für alle' --session-duration PT2H --relay-state '<relay>'
    --tags Key=stage,Value=test
    = {"PermissionSet": {"Name": "Video", "PermissionSetArn": "<video>", "Description": "Für alle", "CreatedDate": "<created>",
       "SessionDuration": "PT2H", "RelayState": "<relay>"}}
admin describe-permission-set --permission-set-arn <video>
    = {"PermissionSet": {"Name": "Video", "PermissionSetArn": "<video>", "Description": "Für alle", "CreatedDate": "<created>",
       "SessionDuration": "PT2H", "RelayState": "<relay>"}}
admin create-permission-set --name Video  ! ConflictException: PermissionSet with name Video already exists.
admin create-permission-set --name 'Not a name'
    ! ValidationException: 'name' failed to satisfy constraint: Member must satisfy regular expression pattern
admin create-permission-set --name Long --session-duration PT13H  ! ValidationException: 'sessionDuration'
sso-admin create-permission-set --cli-input-json '{"InstanceArn": "<instance>", "Name": "Bare"}'
    --query 'PermissionSet.[Name, SessionDuration, Description, PermissionSetArn]'  = ["Bare", "PT1H", null, "<bare>"]
# Five sets now: all of them in pages of two, then two in all and the rest.
admin list-permission-sets --page-size 2 --query 'length(PermissionSets)' --output text  = "2\n2\n1"
admin list-permission-sets --max-items 2  = {"PermissionSets": ["<p>", "<q>"], "NextToken": "<token>"}
admin list-permission-sets --starting-token <token> --page-size 100  = {"PermissionSets": ["<r>", "<s>", "<t>"]}
admin list-permission-sets --max-results 101  ! ValidationException: 'maxResults' failed to satisfy constraint
admin list-permission-sets --max-results 3 --next-token AAAA  ! ValidationException:
# What is left out of an update is taken away.
admin update-permission-set --permission-set-arn <bare> --description 'Now described' --session-duration PT4H
admin update-permission-set --permission-set-arn <bare> --relay-state https://example.com/
admin describe-permission-set --permission-set-arn <bare> --query 'PermissionSet.[Description, SessionDuration, RelayState]'
    = [null, "PT1H", "https://example.com/"]
admin tag-resource --resource-arn <video> --tags Key=stage,Value=late Key=owner,Value=
admin untag-resource --resource-arn <video> --tag-keys owner never
admin list-tags-for-resource --resource-arn <video>  = {"Tags": [{"Key": "stage", "Value": "late"}]}
admin delete-permission-set --permission-set-arn <bare>
admin describe-permission-set --permission-set-arn <bare>  ! ResourceNotFoundException: Could not find PermissionSet with id ps-
admin delete-permission-set --permission-set-arn <billing>  ! ConflictException: Could not delete because

## policies
admin create-permission-set --name Video --query PermissionSet.PermissionSetArn  = "<set>"
admin attach-managed-policy-to-permission-set <on_set> --managed-policy-arn <iam>/job-function/Billing
admin attach-managed-policy-to-permission-set <on_set> --managed-policy-arn <iam>/job-function/Billing
    ! ConflictException: already has a typed link attachment
admin attach-managed-policy-to-permission-set <on_set> --managed-policy-arn arn:aws:iam::<hosting>:policy/Ours
    ! ValidationException: 'managedPolicyArn' failed to satisfy constraint
admin list-managed-policies-in-permission-set <on_set>
    = {"AttachedManagedPolicies": [{"Name": "Billing", "Arn": "<iam>/job-function/Billing"}]}
admin detach-managed-policy-from-permission-set <on_set> --managed-policy-arn <iam>/job-function/Billing
admin detach-managed-policy-from-permission-set <on_set> --managed-policy-arn <iam>/job-function/Billing
    ! ResourceNotFoundException: Could not find ManagedPolicy with arn <iam>/job-function/Billing
admin attach-customer-managed-policy-reference-to-permission-set <on_set>
    --customer-managed-policy-reference Name=Base,Path=/team/
admin list-customer-managed-policy-references-in-permission-set <on_set>
    = {"CustomerManagedPolicyReferences": [{"Name": "Base", "Path": "/team/"}]}
admin get-inline-policy-for-permission-set <on_set>  = {"InlinePolicy": ""}
admin put-inline-policy-to-permission-set <on_set> --inline-policy '<policy>'
admin get-inline-policy-for-permission-set <on_set>  = {"InlinePolicy": "<policy>"}
admin put-inline-policy-to-permission-set <on_set> --inline-policy '{"Statement": 1}'
    ! ValidationException: Invalid PermissionsPolicy Document
admin delete-inline-policy-from-permission-set <on_set>
admin get-permissions-boundary-for-permission-set <on_set>  ! ResourceNotFoundException:
admin put-permissions-boundary-to-permission-set <on_set> --permissions-boundary ManagedPolicyArn=<iam>/ReadOnlyAccess
admin get-permissions-boundary-for-permission-set <on_set>  = {"PermissionsBoundary": {"ManagedPolicyArn": "<iam>/ReadOnlyAccess"}}
admin delete-permissions-boundary-from-permission-set <on_set>
admin describe-instance-access-control-attribute-configuration  ! ResourceNotFoundException: not found
admin create-instance-access-control-attribute-configuration --instance-access-control-attribute-configuration
    '{"AccessControlAttributes": [{"Key": "team", "Value": {"Source": ["${path:enterprise.department}"]}}]}'
admin describe-instance-access-control-attribute-configuration
    = {"Status": "ENABLED", "InstanceAccessControlAttributeConfiguration":
       {"AccessControlAttributes": [{"Key": "team", "Value": {"Source": ["${path:enterprise.department}"]}}]}}
admin delete-instance-access-control-attribute-configuration

## assignments
store get-group-id --alternate-identifier '{"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "jitsi-admins"}}'
    = {"GroupId": "<admins>", "IdentityStoreId": "<store>"}
store get-user-id --alternate-identifier '{"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "bob@example.com"}}'
    = {"UserId": "<bob>", "IdentityStoreId": "<store>"}
admin list-account-assignments --account-id <hosting> --permission-set-arn <read_only>
    = {"AccountAssignments": [{"AccountId": "<hosting>", "PermissionSetArn": "<read_only>", "PrincipalType": "GROUP",
       "PrincipalId": "<auditors>"}]}
admin create-account-assignment <here> --principal-id <admins>
    = {"AccountAssignmentCreationStatus": {"Status": "IN_PROGRESS", "RequestId": "<request>", "TargetId": "<hosting>",
       "TargetType": "AWS_ACCOUNT", "PermissionSetArn": "<read_only>", "PrincipalType": "GROUP", "PrincipalId": "<admins>"}}
admin describe-account-assignment-creation-status --account-assignment-creation-request-id <request>
    --query 'AccountAssignmentCreationStatus.[Status, FailureReason, PrincipalId, TargetId]'
    = ["SUCCEEDED", null, "<admins>", "<hosting>"]
admin list-account-assignment-creation-status --filter Status=SUCCEEDED
    = {"AccountAssignmentsCreationStatus": [{"Status": "SUCCEEDED", "RequestId": "<request>", "CreatedDate": "<>"}]}
admin list-account-assignments-for-principal --principal-type GROUP --principal-id <admins>
    = {"AccountAssignments": [{"AccountId": "<hosting>", "PermissionSetArn": "<read_only>", "PrincipalId": "<admins>",
       "PrincipalType": "GROUP"}]}
admin list-account-assignments-for-principal --principal-type USER --principal-id <bob> --filter AccountId=<staging>
    = {"AccountAssignments": []}
admin create-account-assignment <here> --principal-id <nobody> --query AccountAssignmentCreationStatus.RequestId  = "<failing>"
admin describe-account-assignment-creation-status --account-assignment-creation-request-id <failing>
    --query 'AccountAssignmentCreationStatus.[Status, FailureReason]'  = ["FAILED", "Received a 404 status error: <>"]
# The administrators of the starter world were changed, and one of two accounts was not provisioned since.
admin list-accounts-for-provisioned-permission-set <on_administrator>
    --provisioning-status LATEST_PERMISSION_SET_PROVISIONED  = {"AccountIds": ["<management>"]}
admin list-accounts-for-provisioned-permission-set <on_administrator>
    --provisioning-status LATEST_PERMISSION_SET_NOT_PROVISIONED  = {"AccountIds": ["<hosting>"]}
admin provision-permission-set <on_administrator> --target-type ALL_PROVISIONED_ACCOUNTS
    --query 'PermissionSetProvisioningStatus.[Status, RequestId]'  = ["IN_PROGRESS", "<provisioning>"]
admin describe-permission-set-provisioning-status --provision-permission-set-request-id <provisioning>
    --query 'PermissionSetProvisioningStatus.[Status, FailureReason]'  = ["SUCCEEDED", null]
admin list-accounts-for-provisioned-permission-set <on_administrator>
    --provisioning-status LATEST_PERMISSION_SET_NOT_PROVISIONED  = {"AccountIds": []}
admin list-permission-sets-provisioned-to-account --account-id <staging>  = {"PermissionSets": ["<read_only>"]}
admin delete-account-assignment <there> --principal-id <auditors> --query 'AccountAssignmentDeletionStatus.[Status, RequestId]'
    = ["IN_PROGRESS", "<deletion>"]
admin describe-account-assignment-deletion-status --account-assignment-deletion-request-id <deletion>
    --query AccountAssignmentDeletionStatus.Status  = "SUCCEEDED"
admin list-permission-sets-provisioned-to-account --account-id <staging> --query 'PermissionSets || `[]`'  = []

## conflicts, while a job goes on
admin create-account-assignment <here> --principal-id <nobody> --query AccountAssignmentCreationStatus.[Status,RequestId]
    = ["IN_PROGRESS", "<request>"]
admin delete-account-assignment <here> --principal-id <nobody>  ! ConflictException: There is a conflicting operation in process.
admin list-account-assignment-creation-status --filter Status=IN_PROGRESS --query AccountAssignmentsCreationStatus[].RequestId
    = ["<request>"]

## callers
sts get-caller-identity  = {"UserId": "<>", "Account": "<management>", "Arn": "arn:aws:iam::<management>:user/<>"}
<as_staging> sts get-caller-identity --query Account  = "<staging>"
AWS_ACCESS_KEY_ID=ASIAUNKNOWN000000000 sts get-caller-identity
    ! InvalidClientTokenId: The security token included in the request is invalid
<as_staging> sso-admin list-instances --query Instances[].InstanceArn  = ["<instance>"]
<as_staging> admin list-permission-sets  ! AccessDeniedException: is not authorized to perform: sso:ListPermissionSets
<as_staging> organizations list-accounts  ! AccessDeniedException: You don't have permissions to access this resource.
organizations enable-aws-service-access --service-principal sso.amazonaws.com
organizations register-delegated-administrator --account-id <staging> --service-principal sso.amazonaws.com
organizations list-delegated-administrators --service-principal sso.amazonaws.com --query 'DelegatedAdministrators[].[Id, Status]'
    = [["<staging>", "ACTIVE"]]
<as_staging> organizations list-accounts --query length(Accounts)  = 4
# A delegated administrator may not assign in the management account, nor change what is provisioned there.
<as_staging> admin create-account-assignment <top> --principal-id <nobody>
    ! AccessDeniedException: is not authorized to perform: sso:CreateAccountAssignment on resource: <sets>/ps-
<as_staging> admin update-permission-set <on_administrator> --description Mine
    ! AccessDeniedException: is not authorized to perform: sso:UpdatePermissionSet
<as_staging> admin update-permission-set --permission-set-arn <read_only> --description Ours
organizations deregister-delegated-administrator --account-id <staging> --service-principal sso.amazonaws.com
organizations list-delegated-administrators  = {"DelegatedAdministrators": []}

## identity store
store list-users --page-size 2 --query sort(Users[].UserName)
    = ["alice@example.com", "bob@example.com", "carol@example.com", "dana@example.com", "erik@example.com"]
store list-groups --max-items 3 --query '[length(Groups), type(NextToken)]'  = [3, "string"]
store create-user <fay> --emails Value=fay@example.com,Primary=true --query '[IdentityStoreId, UserId]'  = ["<store>", "<user>"]
store create-user <fay>  ! ConflictException:
store create-user --user-name gus  ! ValidationException:
store describe-user --user-id <user> --query '[UserName, DisplayName, Name.FamilyName, Emails[0].Value, IdentityStoreId]'
    = ["fay@example.com", "Fay", "Example", "fay@example.com", "<store>"]
store get-user-id --query UserId
    --alternate-identifier '{"UniqueAttribute": {"AttributePath": "emails.value", "AttributeValue": "fay@example.com"}}'  = "<user>"
store update-user --user-id <user> --operations
    '[{"AttributePath": "title", "AttributeValue": "Clerk"}, {"AttributePath": "name.familyName", "AttributeValue": "Case"}]'
store describe-user --user-id <user> --query '[Title, Name.FamilyName, Name.GivenName]'  = ["Clerk", "Case", "Fay"]
store create-group --display-name night-shift --description 'At night' --query GroupId  = "<night>"
store create-group --display-name night-shift  ! ConflictException:
store update-group --group-id <night> --operations '[{"AttributePath": "description", "AttributeValue": "Nights"}]'
store describe-group --group-id <night> --query '[GroupId, DisplayName, Description, IdentityStoreId]'
    = ["<night>", "night-shift", "Nights", "<store>"]
store create-group-membership --group-id <night> --member-id UserId=<user> --query MembershipId  = "<membership>"
store create-group-membership --group-id <night> --member-id UserId=<user>  ! ConflictException:
store list-group-memberships --group-id <night> --query GroupMemberships[].MemberId  = [{"UserId": "<user>"}]
store list-group-memberships-for-member --member-id UserId=<user> --query GroupMemberships[].GroupId  = ["<night>"]
store is-member-in-groups --member-id UserId=<user> --group-ids <night> --query 'Results[].[GroupId, MembershipExists]'
    = [["<night>", true]]
store delete-group-membership --membership-id <membership>
store describe-group-membership --membership-id <membership>  ! ResourceNotFoundException:
store delete-user --user-id <user>
store describe-user --user-id <user>  ! ResourceNotFoundException: USER not found.
store describe-user --user-id nobody
    ! ValidationException: 1 validation error detected: Value 'nobody' at 'userId' failed to satisfy constraint
identitystore list-groups --identity-store-id d-0000000000  ! ResourceNotFoundException:

## organization
organizations describe-organization --query 'Organization.[Id, MasterAccountId, FeatureSet]'  = ["<organization>", "<management>", "ALL"]
organizations list-roots --query 'Roots[].[Id, Arn, Name]'
    = [["<root>", "arn:aws:organizations::<management>:root/<organization>/<root>", "Root"]]
organizations list-accounts --query 'sort_by(Accounts, &Id)[].[Id, State]'
    = [["<management>", "ACTIVE"], ["<hosting>", "ACTIVE"], ["<staging>", "ACTIVE"], ["<old>", "SUSPENDED"]]
organizations describe-account --account-id 999999999999  ! AccountNotFoundException: You specified an account that doesn't exist.
organizations create-organizational-unit --parent-id <root> --name Video --query OrganizationalUnit.[Id,Arn,Name]
    = ["<unit>", "arn:aws:organizations::<management>:ou/<organization>/<unit>", "Video"]
organizations create-organizational-unit --parent-id <root> --name Video  ! DuplicateOrganizationalUnitException:
organizations create-organizational-unit --parent-id <unit> --name Inner --query OrganizationalUnit.Id  = "<inner>"
organizations move-account --account-id <staging> --source-parent-id <root> --destination-parent-id <inner>
organizations move-account --account-id <staging> --source-parent-id <inner> --destination-parent-id ou-0000-00000000
    ! DestinationParentNotFoundException:
organizations list-accounts-for-parent --parent-id <inner> --query Accounts[].Id  = ["<staging>"]
organizations list-parents --child-id <staging>  = {"Parents": [{"Id": "<inner>", "Type": "ORGANIZATIONAL_UNIT"}]}
organizations delete-organizational-unit --organizational-unit-id <inner>  ! OrganizationalUnitNotEmptyException:
organizations tag-resource --resource-id <staging> --tags Key=stage,Value=test Key=owner,Value=video
organizations untag-resource --resource-id <staging> --tag-keys owner
organizations list-tags-for-resource --resource-id <staging>  = {"Tags": [{"Key": "stage", "Value": "test"}]}
"""


def match(expected, got, names, where="the output"):
    """Compares, and gives each name without a value the one that is found."""
    if isinstance(expected, str) and isinstance(got, str):
        fresh = []
        pieces = [re.escape(piece) for piece in re.split(r"<\w*>", expected)]
        for name, after in zip(re.findall(r"<(\w*)>", expected), pieces[1:], strict=True):
            pieces[0] += (re.escape(names[name]) if name in names else "(.+)" if name else ".+") + after
            fresh += [name] if name and name not in names else []
        found = re.fullmatch(pieces[0], got, re.DOTALL)
        known = {name: names[name] for name in re.findall(r"<(\w+)>", expected) if name in names}
        assert found, f"{where} is {got!r}, expected {expected!r} {known or ''}"
        names |= zip(fresh, found.groups(), strict=True)
    elif isinstance(expected, dict) and isinstance(got, dict):
        assert expected.keys() == got.keys(), f"{where} has the keys {sorted(got)}, expected {sorted(expected)}"
        for key, value in expected.items():
            match(value, got[key], names, f"{where}, {key}")
    elif isinstance(expected, list) and isinstance(got, list):
        assert len(expected) == len(got), f"{where} has {len(got)} rows, expected {len(expected)}"
        for number, (one, other) in enumerate(zip(expected, got, strict=True)):
            match(one, other, names, f"{where}, row {number}")
    else:
        assert type(expected) is type(got) and expected == got, f"{where} is {got!r}, expected {expected!r}"


def filled(text, names):
    return re.sub(r"<(\w+)>", lambda found: filled(names[found[1]], names), text)


def assert_answer(call, expected, done, names):
    """What an entry of the script expects (see its beginning) is what the CLI did."""
    if expected.startswith("!"):
        code, _, words = filled(expected.removeprefix("!"), names).strip().partition(":")
        assert done.returncode == 254, "it was expected to be refused with exit code 254"
        said = re.search(r"An error occurred \((\w+)\) when calling the (\w+) operation: (.*)", done.stderr, re.DOTALL)
        assert said, "it says nothing of an error that AWS answered"
        operation = call[1].replace("-", "")
        assert (said[1], said[2].lower()) == (code, operation), f"the error is {said[1]} of {said[2]}, expected {code}"
        assert words.strip() in said[3], f"the message is {said[3].strip()!r}, expected {words.strip()!r} in it"
        return
    assert done.returncode == 0, "it was expected to succeed"
    if not expected:
        assert done.stdout.strip() == "", "no output was expected"
        return
    try:
        got = json.loads(done.stdout)
    except json.JSONDecodeError:
        got = done.stdout.strip()
    match(json.loads(expected.removeprefix("=")), got, names)


def play(permset, title, entries):
    """Makes the calls of a chapter, in a world of its own. Returns the complaint about the first that is not as expected."""
    names = dict(NAMES)
    seconds = "600" if "while a job goes on" in title else "0.1"
    with tempfile.TemporaryDirectory() as home, serve(permset, f"{home}/world.json", "--no-throttle", "--job-seconds", seconds) as env:
        for line in entries:
            typed, expected = [*re.split(r"(?:\n +|  )(?=[=!] )", line, maxsplit=1), ""][:2]
            variables, words = re.match(r"((?:[A-Z_]+=\S+ )*)(.*)", filled(typed, names), re.DOTALL).groups()
            word, rest = words.split(maxsplit=1)
            operation, _, options = rest.partition(" ")
            call = shlex.split(f"{filled(SHORT.get(word, word + ' {}'), names).format(operation)} {options}")
            done = aws(home, env | dict(pair.split("=", 1) for pair in variables.split()), *call)
            try:
                assert_answer(call, expected, done, names)
            except AssertionError as error:
                return f"{title}: {error}\n  {variables}{shown(done)}"
    return None


def check_sixty_calls_give_what_is_expected(permset):
    script = re.sub(r"(?m)^# .*\n", "", SCRIPT)
    chapters = {title: text.strip() for title, text in re.findall(r"(?ms)^## (.*?)$(.*?)(?=^## |\Z)", script)}
    entries = {title: re.split(r"\n(?=\S)", text) for title, text in chapters.items()}
    calls = sum(map(len, entries.values()))
    assert calls >= 60, f"only {calls} calls are left of the script"
    with concurrent.futures.ThreadPoolExecutor(len(entries)) as pool:
        complaints = [one for one in pool.map(lambda chapter: play(permset, *chapter), entries.items()) if one]
    assert not complaints, "\n\n".join(complaints)


# ---------------------------------------------------------------- 2. the guide's verification steps

START, ACCOUNT = "https://d-00aa11bb22.awsapps.com/start", "215665149509"
# The guide's `~/.aws/config`, with its placeholders.
PROFILE = """[profile <your-profile-name>]
sso_session = <sso-session-name>
sso_account_id = <your-aws-account-id>
sso_role_name = <permission-set-name>
region = <your-region>
output = json

[sso-session <sso-session-name>]
sso_start_url = <your-sso-start-url>
sso_region = <your-region>
sso_registration_scopes = sso:account:access
"""
# A browser that asks no proxy for the pages of this machine.
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
NO_ACCESS = "An error occurred (ForbiddenException) when calling the GetRoleCredentials operation: No access"


class Person:
    """Somebody at a computer of their own, with the guide in hand."""

    profile = "jitsi"

    def __init__(self, folder, env, user, role):
        self.home, self.user, self.role = pathlib.Path(folder) / user, user, role
        # No keys: what is not in the profile comes from the sign-in.
        self.env = {"AWS_ENDPOINT_URL": env["AWS_ENDPOINT_URL"], "BROWSER": self.home / "browser"}
        values = {
            "your-profile-name": self.profile, "sso-session-name": "example", "your-aws-account-id": ACCOUNT, "permission-set-name": role,
            "your-region": env["AWS_REGION"], "your-sso-start-url": START,
        }  # fmt: skip
        (self.home / ".aws").mkdir(parents=True)
        (self.home / ".aws" / "config").write_text(re.sub("<(.*?)>", lambda found: values[found[1]], PROFILE))
        (self.home / "browser").write_text('#!/bin/sh\nprintf "%s" "$1" >"$HOME/opening" && mv "$HOME/opening" "$HOME/opened"\n')
        (self.home / "browser").chmod(0o755)

    def aws(self, *args, expect=0):
        done = aws(self.home, self.env, *args, "--profile", self.profile)
        assert done.returncode == expect, f"{self.user}: expected exit code {expect}\n{shown(done)}"
        return done

    def login(self, *options):
        """`aws sso login`; the page that it opens, or prints if it is told not to open any, is visited as this user."""
        command = [CLI, "sso", "login", "--profile", self.profile, *options]
        opened, printed = self.home / "opened", self.home / "printed"
        opened.unlink(missing_ok=True)
        with printed.open("w") as output:
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(command, cwd=self.home, env=settings(self.home, self.env), **streams)
        try:
            url, deadline = None, time.monotonic() + 60
            while not url and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                if "--no-browser" in options:
                    urls = re.findall(r"^(http\S+)\n", printed.read_text(), re.MULTILINE)
                    url = next((one for one in urls if "authorize?" in one or "user_code=" in one), None)
                elif opened.exists():
                    url = opened.read_text()
            assert url, f"{self.user}: {shlex.join(command[1:])} names no page to sign in at:\n{printed.read_text()}"
            LOCAL.open(f"{url}&user={self.user}", timeout=30).close()
            process.wait(timeout=60)
        finally:
            process.kill()
        good = process.returncode == 0 and f"Successfully logged into Start URL: {START}" in printed.read_text()
        assert good, f"{self.user}: {shlex.join(command[1:])}: exit code {process.returncode}\n{printed.read_text()}"

    def assert_access(self):
        """Step 3 of the guide, and its expected success output."""
        identity = json.loads(self.aws("sts", "get-caller-identity").stdout)
        role = rf"AWSReservedSSO_{self.role}_[0-9a-f]{{16}}"
        arn = rf"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{re.escape(self.user)}"
        assert identity.keys() == {"UserId", "Account", "Arn"} and identity["Account"] == ACCOUNT, identity
        assert re.fullmatch(arn, identity["Arn"]), f"{identity['Arn']}, expected {arn}"
        assert re.fullmatch(rf"AROA[A-Z0-9]{{17}}:{re.escape(self.user)}", identity["UserId"]), identity["UserId"]

    def assert_no_access(self):
        done = self.aws("sts", "get-caller-identity", expect=254)
        assert NO_ACCESS in done.stderr, f"expected {NO_ACCESS!r}\n{shown(done)}"
        # The last of the guide's debugging commands finds the reason.
        debug = self.aws("sts", "get-caller-identity", "--debug", expect=254).stderr
        assert [line for line in debug.splitlines() if "forbidden" in line.lower()], debug

    def portal(self, *args):
        """`aws sso …`, which sees what the person would see in the access portal."""
        return json.loads(self.aws("sso", *args, "--access-token", self.token()).stdout)

    def token(self):
        """What the guide's debugging commands look at in `~/.aws/sso/cache`, and the token that is there."""
        files = [json.loads(file.read_text()) for file in (self.home / ".aws/sso/cache").glob("*.json")]
        (session,) = [file for file in files if "accessToken" in file]
        assert session["startUrl"] == START, f"{session['startUrl']}, expected {START}"
        for file in files:
            left = datetime.datetime.fromisoformat(file["expiresAt"]) - datetime.datetime.now(datetime.UTC)
            assert left > datetime.timedelta(minutes=5), f"{sorted(file)} expires in {left}"
        return session["accessToken"]

    # The three acts of the guide, each with the steps of its verification.

    def finds_no_access(self, *how):
        self.aws("sso", "logout")
        self.login(*how)
        self.assert_no_access()
        assert self.portal("list-accounts") == {"accountList": []}

    def finds_access(self, *how):
        self.aws("sso", "logout")
        self.login(*how)
        self.assert_access()
        (account,) = self.portal("list-accounts")["accountList"]
        assert (account["accountId"], account["accountName"]) == (ACCOUNT, "jitsi-hosting"), account
        roles = self.portal("list-account-roles", "--account-id", ACCOUNT)["roleList"]
        assert roles == [{"roleName": self.role, "accountId": ACCOUNT}], roles
        listed = self.aws("configure", "list").stdout
        for words in (r"profile\W+jitsi\b", r"access_key\W+\w+\W+sso\b", r"region\W+eu-central-1\b"):
            assert re.search(words, listed), f"{words} is not in aws configure list:\n{listed}"

    def finds_access_gone(self, *how):
        self.assert_access()  # What one holds already is good until it expires, as with AWS.
        token = self.token()
        self.aws("sso", "logout")
        left = [file.name for file in (self.home / ".aws/sso/cache").glob("*.json") if "accessToken" in file.read_text()]
        assert not left, f"a token was left in {left}"
        ended = self.aws("sso", "list-accounts", "--access-token", token, expect=254)
        assert "(UnauthorizedException)" in ended.stderr, f"the token of before still works:\n{shown(ended)}"
        self.login(*how)
        self.assert_no_access()


def apply(permset, home, env, file, *options):
    done = run(permset, ["-f", str(file), "apply", "--auto-approve", *options], home, **env)
    assert done.returncode == 0, f"permset apply: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


def check_the_guides_verification_steps(permset):
    less = EXAMPLE.read_text()
    first, last = less.index("  - permission_sets:"), less.rindex("  - permission_sets:")
    assert "AWSReadOnlyAccess" in less[last:], f"{EXAMPLE.name} was expected to end with the auditors: {less[last:]}"
    with tempfile.TemporaryDirectory() as home, serve(permset, f"{home}/world.json", "--job-seconds", "0.2") as env:
        (pathlib.Path(home) / "less.yaml").write_text(less[:first] + less[last:])
        alice = Person(home, env, "alice@example.com", "JitsiPlatformAccess")
        bob = Person(home, env, "bob@example.com", "AdministratorAccess")
        people = ((alice, ()), (bob, ("--use-device-code",)))

        def both(act, *options):
            with concurrent.futures.ThreadPoolExecutor() as pool:
                list(pool.map(lambda person: act(person[0], *person[1], *options), people))

        # The common issue: the sign-in succeeds, and nothing else does. Then its fix, and the fix undone.
        both(Person.finds_no_access)
        apply(permset, home, env, EXAMPLE)
        both(Person.finds_access, "--no-browser")
        apply(permset, home, env, pathlib.Path(home) / "less.yaml", "--allow", "required")
        both(Person.finds_access_gone)
