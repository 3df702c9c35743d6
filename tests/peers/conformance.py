"""The sandbox against AWS's own service models, as botocore ships them: boto3 leads a life in `permset sandbox serve`.

    python3 tests/peers/conformance.py [--permset PATH | --endpoint URL] [--only a|b|c|self]

A. Every raw answer of every operation is what the output shape says, every error one that the operation has.
B. Before the first successful call of an operation, each constraint of its input is violated alone: refused, and nothing changed.
C. The operations of sso-admin that the sandbox does not play answer as AWS would when there is nothing, never as unknown ones.
The self-check holds the violations of B against the checker of A, without any server.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import socket
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import boto3
import botocore.session
import regex
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

import common
from shapes import UUID, faults, sample, violations

# "It is possible for an empty inline policy to be returned", says the documentation of an output whose shape admits none.
DOCUMENTED = {("GetInlinePolicyForPermissionSet", "min"), ("GetInlinePolicyForPermissionSet", "pattern")}

if tuple(int(part) for part in boto3.__version__.split(".")[:2]) < (1, 44):
    raise ImportError(f"boto3 {boto3.__version__} has older service models; 1.44 or newer is needed")

OPERATIONS = {
    "sso-admin": """ListInstances DescribeInstance CreatePermissionSet DescribePermissionSet UpdatePermissionSet DeletePermissionSet
        ListPermissionSets AttachManagedPolicyToPermissionSet DetachManagedPolicyFromPermissionSet
        ListManagedPoliciesInPermissionSet AttachCustomerManagedPolicyReferenceToPermissionSet
        DetachCustomerManagedPolicyReferenceFromPermissionSet ListCustomerManagedPolicyReferencesInPermissionSet
        PutInlinePolicyToPermissionSet GetInlinePolicyForPermissionSet DeleteInlinePolicyFromPermissionSet
        PutPermissionsBoundaryToPermissionSet GetPermissionsBoundaryForPermissionSet DeletePermissionsBoundaryFromPermissionSet
        TagResource UntagResource ListTagsForResource CreateAccountAssignment DeleteAccountAssignment
        DescribeAccountAssignmentCreationStatus DescribeAccountAssignmentDeletionStatus ListAccountAssignmentCreationStatus
        ListAccountAssignmentDeletionStatus ListAccountAssignments ListAccountAssignmentsForPrincipal ProvisionPermissionSet
        DescribePermissionSetProvisioningStatus ListPermissionSetProvisioningStatus ListAccountsForProvisionedPermissionSet
        ListPermissionSetsProvisionedToAccount CreateInstanceAccessControlAttributeConfiguration
        UpdateInstanceAccessControlAttributeConfiguration DescribeInstanceAccessControlAttributeConfiguration
        DeleteInstanceAccessControlAttributeConfiguration""".split(),
    "identitystore": """CreateGroup CreateGroupMembership CreateUser DeleteGroup DeleteGroupMembership DeleteUser DescribeGroup
        DescribeGroupMembership DescribeUser GetGroupId GetGroupMembershipId GetUserId IsMemberInGroups ListGroupMemberships
        ListGroupMembershipsForMember ListGroups ListUsers UpdateGroup UpdateUser""".split(),
    "organizations": """DescribeOrganization ListAccounts DescribeAccount ListRoots ListOrganizationalUnitsForParent
        ListAccountsForParent ListChildren ListParents DescribeOrganizationalUnit CreateOrganizationalUnit UpdateOrganizationalUnit
        DeleteOrganizationalUnit ListTagsForResource TagResource UntagResource CreateAccount DescribeCreateAccountStatus
        ListCreateAccountStatus MoveAccount CloseAccount RemoveAccountFromOrganization ListDelegatedAdministrators
        ListDelegatedServicesForAccount RegisterDelegatedAdministrator DeregisterDelegatedAdministrator
        ListAWSServiceAccessForOrganization EnableAWSServiceAccess DisableAWSServiceAccess""".split(),
    "sts": ["GetCallerIdentity"],
    "sso": ["ListAccounts", "ListAccountRoles", "GetRoleCredentials", "Logout"],
    "sso-oidc": ["RegisterClient", "StartDeviceAuthorization", "CreateToken"],
}
CONSTRAINED = ["sso-admin", "identitystore", "organizations"]
JOBS = ("AccountAssignmentCreation", "AccountAssignmentDeletion", "PermissionSetProvisioning")
READS = ("Describe", "List", "Get", "IsMember")
# Errors of any AWS JSON service, in no model [Common Errors, API references].
COMMON_ERRORS = {"ValidationException", "SerializationException", "AccessDeniedException", "ThrottlingException", "InternalFailure"}
# GetRoleCredentials of a role that the user does not hold (aws-sam-cli#2129); the model has no such error.
UNMODELLED = {("sso", "GetRoleCredentials"): {"ForbiddenException"}}
CONTENT_TYPES = {"json": "application/x-amz-json-1.1", "rest-json": "application/json", "query": "text/xml"}
# ---- The client -----------------------------------------------------------------------------------------------------------


class Peer:
    """boto3 with an eye on the raw answers; with `violate` it tries all the wrong requests before the first right one."""

    def __init__(self, variables, violate=False):
        self.variables, self.violate, self.violated = variables, violate, set()
        self.counts, self.failures = collections.defaultdict(collections.Counter), collections.Counter()
        self.session = botocore.session.get_session()
        self.models = {service: self.session.get_service_model(service) for service in OPERATIONS}
        self.region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "eu-central-1"
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        self.keys = [variables.get(name) for name in names]
        # botocore leaves Nagle's algorithm on, which costs 40 ms a call on a connection that is kept open.
        self.http = URLLib3Session(socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
        self.clients, self.patience = {}, 20
        for service in OPERATIONS:
            client = boto3.client(
                service,
                endpoint_url=variables["AWS_ENDPOINT_URL"],
                region_name=self.region,
                aws_access_key_id=self.keys[0],
                aws_secret_access_key=self.keys[1],
                aws_session_token=self.keys[2],
                config=Config(retries={"total_max_attempts": 1}),
            )
            client.meta.events.register("before-send.*", lambda request, **_: self.http.send(request))
            client.meta.events.register("before-parse.*", lambda service=service, **event: self.seen(service, **event))
            self.clients[service] = client

    def fail(self, service, operation, check, what):
        self.failures[f"{service} {operation}: {check}: {what}"] += 1

    def seen(self, service, operation_model, response_dict, **_):
        answer = response_dict["status_code"], response_dict["headers"], response_dict["body"]
        self.check(service, operation_model, *answer)

    def check(self, service, operation, status, headers, body):
        """Holds a raw answer against the model."""
        protocol, note = self.models[service].metadata["protocol"], lambda check, what: self.fail(service, operation.name, check, what)
        good = status < 300
        self.counts[service, operation.name]["responses" if good else "errors"] += 1
        if not regex.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("x-amzn-requestid") or ""):
            note("request id", f"{headers.get('x-amzn-requestid')!r} is no UUID")
        content = (headers.get("content-type") or "").split(";")[0]
        if content != CONTENT_TYPES[protocol] and body:
            note("content type", repr(content))
        if protocol == "query":
            return self.check_xml(operation, body, note)
        try:
            value = json.loads(body or b"{}")
        except ValueError:
            return note("body", f"no JSON: {body[:80]!r}")
        if not isinstance(value, dict):
            return note("body", f"no object: {body[:80]!r}")
        if good and operation.output_shape:
            for constraint, text in faults(operation.output_shape, value):
                if (operation.name, constraint) not in DOCUMENTED:
                    note(f"output {constraint}", text)
        elif good and value:
            note("output", f"members where there is no output: {list(value)}")
        elif not good:
            self.check_error(service, operation, protocol, status, headers, value, note)

    def check_error(self, service, operation, protocol, status, headers, value, note):
        bare = lambda name: (name or "").split("#")[-1].split(":")[0]
        code, header = bare(value.get("__type")), bare(headers.get("x-amzn-errortype"))
        if code != header and (protocol == "json" or code):
            note("error", f"__type {code!r}, header {header!r}")
        code = code or header
        modelled = {shape.metadata.get("error", {}).get("code", shape.name): shape for shape in operation.error_shapes}
        # A modelled error of the service may still not be one of this operation.
        if code not in modelled and code not in COMMON_ERRORS | UNMODELLED.get((service, operation.name), set()):
            return note("error", f"{code!r} is none of {sorted(modelled)}: {value}")
        shape = modelled.get(code)
        wanted = 400 if protocol == "json" else (shape.metadata.get("error", {}).get("httpStatusCode", 400) if shape else 403)
        if status != wanted:
            note("error", f"{code} has status {status}, not {wanted}")
        if value.get("RequestId") not in (None, headers.get("x-amzn-requestid")):
            note("error", f"{code}: RequestId is not that of the header")
        if shape:
            for constraint, text in faults(shape, value, extra={"__type"}):
                note(f"error {code} {constraint}", text)
        elif value.keys() - {"__type", "Message", "message"}:
            note("error", f"{code} with {sorted(value)}")

    def check_xml(self, operation, body, note):
        try:
            root = xml.etree.ElementTree.fromstring(body)
        except xml.etree.ElementTree.ParseError as error:
            return note("body", f"no XML: {error}")
        space, name = root.tag.rstrip("}").rpartition("}")[0] + "}", operation.name
        if root.tag != f"{space}{name}Response" or root.find(f"{space}ResponseMetadata/{space}RequestId") is None:
            return note("body", f"{root.tag}, or no RequestId")
        result = root.find(f"{space}{operation.output_shape.serialization.get('resultWrapper', name + 'Result')}")
        value = {child.tag.removeprefix(space): child.text for child in result if len(child) == 0}
        for constraint, text in faults(operation.output_shape, value):
            note(f"output {constraint}", text)

    def call(self, service, operation, expect=None, **members):
        """One call; `expect` is an error code, "*" for any error, None for success, or a tuple of these."""
        expect = expect if isinstance(expect, tuple) else (expect,)
        if self.violate and None in expect and service in CONSTRAINED and (service, operation) not in self.violated:
            self.violated.add((service, operation))
            self.refusals(service, operation, members)
        code, answer = None, {}
        try:
            answer = getattr(self.clients[service], xform_name(operation))(**members)
        except ClientError as error:
            code = error.response["Error"]["Code"]
        except Exception as error:
            self.fail(service, operation, "client", f"{type(error).__name__}: {error}")
            return {}
        if code not in expect and not (code and "*" in expect):
            self.fail(service, operation, "expected", f"{code} instead of {expect} for {str(members)[:200]}")
        return answer

    def pages(self, service, operation, key, size=1, **members):
        """All items, read page by page; a strange token is refused."""
        style = ("nextToken", "maxResults") if service == "sso" else ("NextToken", "MaxResults")
        items, more, count = [], {}, 0
        while count < 60:
            answer, count = self.call(service, operation, **members, **more, **{style[1]: size}), count + 1
            page = answer.get(key, [])
            if len(page) > size:
                self.fail(service, operation, "pages", f"{len(page)} items for {style[1]} {size}")
            items += page
            if not answer.get(style[0]):
                break
            more = {style[0]: answer[style[0]]}
        whole = self.call(service, operation, **members).get(key, [])
        if items != whole:
            self.fail(service, operation, "pages", f"{len(items)} items in {count} pages, {len(whole)} at once")
        if len(items) > size and count < 2:
            self.fail(service, operation, "pages", f"one page for {len(items)} items")
        self.call(service, operation, "*", **members, **{style[0]: "bogus"})
        return whole

    def post(self, service, operation, members):
        """A signed request that no client has looked at; the raw answer."""
        metadata = self.models[service].metadata
        target = f"{metadata['targetPrefix']}.{operation}"
        headers = {"Content-Type": CONTENT_TYPES["json"], "X-Amz-Target": target}
        request = AWSRequest("POST", self.variables["AWS_ENDPOINT_URL"].rstrip("/") + "/", headers, json.dumps(members).encode())
        signing = metadata.get("signingName", metadata["endpointPrefix"])
        SigV4Auth(Credentials(*self.keys), signing, self.region).add_auth(request)
        answer = self.http.send(request.prepare())
        return answer.status_code, answer.headers, answer.content

    def refusals(self, service, operation, members):
        """Violates each constraint of the input alone; the call that follows proves that the rest of it was right."""
        model = self.models[service].operation_model(operation)
        if not model.input_shape:
            return
        write = not operation.startswith(READS)
        before = self.world() if write else None
        for constraint, path, bad in violations(model.input_shape, members):
            status, headers, body = self.post(service, operation, bad)
            self.counts[service, operation]["constraints"] += 1
            self.check(service, model, status, headers, body)
            wanted = ["InvalidInputException"] if service == "organizations" else ["ValidationException"]
            if constraint == "type":
                wanted = ["SerializationException"] + (wanted if service == "organizations" else [])
            with contextlib.suppress(ValueError):
                body = json.loads(body).get("__type", body)
            if status < 400 or str(body).split("#")[-1] not in wanted:
                sent = json.dumps(bad)
                self.fail(service, operation, f"{constraint} of {path}", f"answered {status} {str(body)[:100]} to {sent[:160]}")
        if write and (after := self.world()) != before:
            changed = [key for key in after.keys() | before.keys() if after.get(key) != before.get(key)]
            self.fail(service, operation, "refused requests changed the world", changed[:3])

    def world(self):
        """Everything that can be read, once no job is open."""
        seen = {}

        def read(service, operation, key=None, /, **members):
            body = json.loads(self.post(service, operation, members)[2] or b"{}")
            body.pop("RequestId", None)
            seen[f"{operation} {members}"] = body
            return body.get(key, []) if key else body

        instance = read("sso-admin", "ListInstances", "Instances")[0]
        where, store = {"InstanceArn": instance["InstanceArn"]}, {"IdentityStoreId": instance["IdentityStoreId"]}
        self.settle(where)
        for job in JOBS:
            read("sso-admin", f"List{job}Status", **where)
        read("organizations", "ListCreateAccountStatus")
        read("sso-admin", "DescribeInstanceAccessControlAttributeConfiguration", **where)
        read("sso-admin", "ListTagsForResource", **where, ResourceArn=where["InstanceArn"])
        accounts = read("organizations", "ListAccounts", "Accounts")
        for arn in read("sso-admin", "ListPermissionSets", "PermissionSets", **where):
            this = where | {"PermissionSetArn": arn}
            for operation in OPERATIONS["sso-admin"]:
                if regex.fullmatch("(Describe|Get.*For|List.*(In|For.*d))PermissionSet", operation):
                    read("sso-admin", operation, **this)
            read("sso-admin", "ListTagsForResource", **where, ResourceArn=arn)
            for account in accounts:
                read("sso-admin", "ListAccountAssignments", **this, AccountId=account["Id"])
        read("identitystore", "ListUsers", **store)
        for group in read("identitystore", "ListGroups", "Groups", **store):
            read("identitystore", "ListGroupMemberships", **store, GroupId=group["GroupId"])
        parents = [root["Id"] for root in read("organizations", "ListRoots", "Roots")]
        for parent in parents:
            read("organizations", "ListAccountsForParent", ParentId=parent)
            parents += [unit["Id"] for unit in read("organizations", "ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent)]
        for resource in parents + [account["Id"] for account in accounts]:
            read("organizations", "ListTagsForResource", ResourceId=resource)
        read("organizations", "ListAWSServiceAccessForOrganization")
        for administrator in read("organizations", "ListDelegatedAdministrators", "DelegatedAdministrators"):
            read("organizations", "ListDelegatedServicesForAccount", AccountId=administrator["Id"])
        return seen

    def settle(self, where):
        """Waits until no job is open."""
        waiting = [("sso-admin", f"List{job}Status", where | {"Filter": {"Status": "IN_PROGRESS"}}) for job in JOBS]
        waiting.append(("organizations", "ListCreateAccountStatus", {"States": ["IN_PROGRESS"]}))
        deadline = time.monotonic() + self.patience
        while waiting and time.monotonic() < deadline:
            body = self.post(*waiting[0])[2]
            if b"IN_PROGRESS" in body:
                time.sleep(0.1)
            else:
                waiting.pop(0)
        if waiting:
            self.fail(waiting[0][0], waiting[0][1], "settle", f"still IN_PROGRESS after {self.patience} seconds")
            self.patience = 0

    def finish(self, title):
        """Prints the table, then all failures at once."""
        kinds = ["responses", "errors"] + (["constraints"] if self.violate else [])
        print(f"{title} (boto3 {boto3.__version__}): " + ", ".join(f"{sum(row[kind] for row in self.counts.values())} {kind}" for kind in kinds))
        for service, operations in OPERATIONS.items():
            for operation in operations:
                row = self.counts[service, operation]
                remark = ""
                if self.violate and service in CONSTRAINED and not row["constraints"]:
                    shape = self.models[service].operation_model(operation).input_shape
                    remark = "  (no input, hence no constraints)" if not shape else ""
                    if shape:
                        self.fail(service, operation, "coverage", "no constraint was tried")
                if not row["responses"]:
                    self.fail(service, operation, "coverage", "never succeeded")
                print(f"  {service:14}{operation:60}" + "".join(f"{row[kind]:5} {kind[0]}" for kind in kinds) + remark)
        self.judge()

    def judge(self):
        lines = [f"{line} ({times} times)" if times > 1 else line for line, times in self.failures.items()]
        assert not lines, f"{len(lines)} failures:\n" + "\n".join(lines)


# ---- The life -------------------------------------------------------------------------------------------------------------


def live(peer):
    """Creates, reads in every state, lists in pages, deletes. A section that breaks off does not keep the others from running."""
    context = {}
    for section in (organization, principals, permission_sets, policies, tags_and_attributes, assignments, portal, farewell):
        try:
            section(peer, context)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in reversed(where) if frame.filename == __file__), 0)
            peer.fail("the life", section.__name__, "broke off", f"line {line}: {type(error).__name__}: {error}")


def organization(peer, context):
    call = lambda operation, expect=None, **members: peer.call("organizations", operation, expect, **members)
    pages = lambda operation, key, **members: peer.pages("organizations", operation, key, **members)
    peer.call("sts", "GetCallerIdentity")
    management = call("DescribeOrganization")["Organization"]["MasterAccountId"]
    accounts = [account for account in pages("ListAccounts", "Accounts") if account["Status"] == "ACTIVE"]
    context["accounts"] = [account["Id"] for account in accounts if account["Id"] != management]
    call("DescribeAccount", AccountId=management)
    call("DescribeAccount", "AccountNotFoundException", AccountId="999999999999")
    root = pages("ListRoots", "Roots")[0]["Id"]
    units = [call("CreateOrganizationalUnit", ParentId=root, Name=name)["OrganizationalUnit"]["Id"] for name in ("Blue", "Green")]
    inner = call("CreateOrganizationalUnit", ParentId=units[0], Name="Inner", Tags=[{"Key": "team", "Value": "video"}])
    inner = inner["OrganizationalUnit"]["Id"]
    call("CreateOrganizationalUnit", "DuplicateOrganizationalUnitException", ParentId=root, Name="Blue")
    call("CreateOrganizationalUnit", "ParentNotFoundException", ParentId=units[0][:-8] + "00000000", Name="Nowhere")
    call("UpdateOrganizationalUnit", OrganizationalUnitId=units[1], Name="Teal")
    call("UpdateOrganizationalUnit", "DuplicateOrganizationalUnitException", OrganizationalUnitId=units[1], Name="Blue")
    call("DescribeOrganizationalUnit", OrganizationalUnitId=inner)
    call("DescribeOrganizationalUnit", "OrganizationalUnitNotFoundException", OrganizationalUnitId=units[0][:-8] + "00000000")
    pages("ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=root)
    for operation in ("ListOrganizationalUnitsForParent", "ListAccountsForParent"):
        call(operation, "ParentNotFoundException", ParentId=units[0][:-8] + "00000000")

    made = []
    for number in range(3):
        members = {"Email": f"made{number}@example.com", "AccountName": f"made {number}"}
        if number:
            members |= {"RoleName": "Admin", "IamUserAccessToBilling": "DENY", "Tags": [{"Key": "made", "Value": ""}]}
        made.append(call("CreateAccount", **members)["CreateAccountStatus"]["Id"])
        call("DescribeCreateAccountStatus", CreateAccountRequestId=made[-1])
    pages("ListCreateAccountStatus", "CreateAccountStatuses")
    pages("ListCreateAccountStatus", "CreateAccountStatuses", States=["SUCCEEDED", "FAILED"])
    call("DescribeCreateAccountStatus", "CreateAccountStatusNotFoundException", CreateAccountRequestId="car-00000000000000000000000000000000")
    states = [wait(peer, "organizations", "DescribeCreateAccountStatus", "CreateAccountStatus", CreateAccountRequestId=it) for it in made]
    made = [state["AccountId"] for state in states]
    for account in made[:2]:
        call("MoveAccount", AccountId=account, SourceParentId=root, DestinationParentId=inner)
    call("MoveAccount", "SourceParentNotFoundException", AccountId=made[0], SourceParentId=root + "0", DestinationParentId=root)
    call("MoveAccount", "*", AccountId="999999999999", SourceParentId=root, DestinationParentId=inner)
    pages("ListAccountsForParent", "Accounts", ParentId=inner)
    pages("ListChildren", "Children", ParentId=inner, ChildType="ACCOUNT")
    pages("ListChildren", "Children", ParentId=root, ChildType="ORGANIZATIONAL_UNIT")
    for child in (made[0], inner):
        peer.call("organizations", "ListParents", ChildId=child)
    call("ListParents", "ChildNotFoundException", ChildId="999999999999")
    for resource in (made[0], inner, root):
        call("TagResource", ResourceId=resource, Tags=[{"Key": "team", "Value": "video"}, {"Key": "ä b", "Value": ""}])
        call("ListTagsForResource", ResourceId=resource)
        call("UntagResource", ResourceId=resource, TagKeys=["ä b"])
    for operation, more in (("TagResource", {"Tags": []}), ("UntagResource", {"TagKeys": ["a"]}), ("ListTagsForResource", {})):
        call(operation, ("TargetNotFoundException", "InvalidInputException"), ResourceId="999999999999", **more)
    call("DeleteOrganizationalUnit", "OrganizationalUnitNotEmptyException", OrganizationalUnitId=units[0])

    for principal in ("config.amazonaws.com", "sso.amazonaws.com"):
        call("EnableAWSServiceAccess", ServicePrincipal=principal)
    pages("ListAWSServiceAccessForOrganization", "EnabledServicePrincipals")
    sso = {"ServicePrincipal": "sso.amazonaws.com"}
    call("RegisterDelegatedAdministrator", AccountId=made[0], **sso)
    call("RegisterDelegatedAdministrator", ("AccountAlreadyRegisteredException", "ConstraintViolationException"), AccountId=made[0], **sso)
    call("RegisterDelegatedAdministrator", "AccountNotFoundException", AccountId="999999999999", **sso)
    pages("ListDelegatedAdministrators", "DelegatedAdministrators")
    pages("ListDelegatedServicesForAccount", "DelegatedServices", AccountId=made[0])
    call("DeregisterDelegatedAdministrator", AccountId=made[0], **sso)
    for operation, more in (("DeregisterDelegatedAdministrator", sso), ("ListDelegatedServicesForAccount", {})):
        call(operation, "AccountNotRegisteredException", AccountId=made[0], **more)
    call("DisableAWSServiceAccess", ServicePrincipal="config.amazonaws.com")

    call("CloseAccount", AccountId=made[1])
    call("CloseAccount", ("AccountAlreadyClosedException", "ConflictException"), AccountId=made[1])
    call("CloseAccount", "AccountNotFoundException", AccountId="999999999999")
    # It takes its time too; what it does must not be taken for the effect of a refused call.
    while peer.call("organizations", "DescribeAccount", AccountId=made[1])["Account"]["State"] == "PENDING_CLOSURE":
        time.sleep(0.1)
    for operation in ("ListAccounts", "ListAccountsForParent"):
        call(operation, **({"ParentId": inner} if "Parent" in operation else {}))
    call("RemoveAccountFromOrganization", AccountId=made[2])
    call("RemoveAccountFromOrganization", "MasterCannotLeaveOrganizationException", AccountId=management)
    call("RemoveAccountFromOrganization", "AccountNotFoundException", AccountId=made[2])
    call("DeleteOrganizationalUnit", OrganizationalUnitId=units[1])
    call("DeleteOrganizationalUnit", "OrganizationalUnitNotFoundException", OrganizationalUnitId=units[1])


def wait(peer, service, operation, key, **members):
    """Reads the status of a job until it has ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = peer.call(service, operation, **members).get(key, {})
        if (status.get("Status") or status.get("State")) != "IN_PROGRESS":
            return status
        time.sleep(0.1)
    raise TimeoutError(f"{operation} stays IN_PROGRESS")


def principals(peer, context):
    instance = peer.pages("sso-admin", "ListInstances", "Instances")[0]
    context["where"] = {"InstanceArn": instance["InstanceArn"]}
    context["store"] = store = {"IdentityStoreId": instance["IdentityStoreId"]}
    call = lambda operation, expect=None, **members: peer.call("identitystore", operation, expect, **store, **members)
    pages = lambda operation, key, **members: peer.pages("identitystore", operation, key, **store, **members)
    unique = lambda path, value: {"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}}
    groups = [call("CreateGroup", DisplayName=f"Gruppe ü {number}", Description="for the proof")["GroupId"] for number in range(3)]
    call("CreateGroup", "ConflictException", DisplayName="Gruppe ü 0")
    person = lambda name: {"UserName": name, "DisplayName": "Con Formance", "Name": {"GivenName": "Con", "FamilyName": "Formance"}}
    full = {"Emails": [{"Value": "con@example.com", "Type": "work", "Primary": True}], "NickName": "Con", "Title": "Dr", "Locale": "de-DE"}
    full |= {"PhoneNumbers": [{"Value": "+49 30 1", "Type": "work"}], "Addresses": [{"Locality": "Berlin"}], "Timezone": "Europe/Berlin"}
    users = [call("CreateUser", **person("con@example.com"), **full)["UserId"], call("CreateUser", **person("plain"))["UserId"]]
    context |= {"groups": groups, "users": users, "user_name": "con@example.com"}
    call("CreateUser", "ConflictException", **person("plain"))
    call("CreateUser", "ValidationException", UserName="nameless")
    for user in users:
        call("DescribeUser", UserId=user)
    call("DescribeUser", "ResourceNotFoundException", UserId=UUID)
    call("DescribeGroup", GroupId=groups[0])
    call("DescribeGroup", "ResourceNotFoundException", GroupId=UUID)
    call("GetUserId", **unique("userName", "plain"))
    call("GetUserId", **unique("emails.value", "con@example.com"))
    call("GetUserId", "ResourceNotFoundException", **unique("userName", "nobody"))
    call("GetUserId", "ResourceNotFoundException", AlternateIdentifier={"ExternalId": {"Issuer": "idp", "Id": "nobody"}})
    call("GetUserId", "ValidationException", **unique("title", "Dr"))
    call("GetGroupId", **unique("displayName", "Gruppe ü 0"))
    call("GetGroupId", "ResourceNotFoundException", **unique("displayName", "nobody"))
    pages("ListUsers", "Users")
    pages("ListGroups", "Groups")
    call("ListUsers", Filters=[{"AttributePath": "UserName", "AttributeValue": "plain"}])
    call("ListGroups", Filters=[{"AttributePath": "DisplayName", "AttributeValue": "Gruppe ü 1"}])
    for operation in ("ListUsers", "ListGroups"):
        peer.call("identitystore", operation, "*", IdentityStoreId="d-0000000000")

    member = {"MemberId": {"UserId": users[0]}}
    rows = [call("CreateGroupMembership", GroupId=group, **member)["MembershipId"] for group in groups[:2]]
    call("CreateGroupMembership", GroupId=groups[0], MemberId={"UserId": users[1]})
    call("CreateGroupMembership", "ConflictException", GroupId=groups[0], **member)
    call("CreateGroupMembership", "ResourceNotFoundException", GroupId=UUID, **member)
    call("DescribeGroupMembership", MembershipId=rows[0])
    call("DescribeGroupMembership", "ResourceNotFoundException", MembershipId=UUID)
    call("GetGroupMembershipId", GroupId=groups[0], **member)
    call("GetGroupMembershipId", "ResourceNotFoundException", GroupId=groups[2], **member)
    pages("ListGroupMemberships", "GroupMemberships", GroupId=groups[0])
    pages("ListGroupMembershipsForMember", "GroupMemberships", **member)
    call("ListGroupMemberships", "ResourceNotFoundException", GroupId=UUID)
    held = call("IsMemberInGroups", GroupIds=groups, **member)["Results"]
    if [row["MembershipExists"] for row in held] != [True, True, False]:
        peer.fail("identitystore", "IsMemberInGroups", "meaning", held)
    call("DeleteGroupMembership", MembershipId=rows[1])
    call("DeleteGroupMembership", (None, "ResourceNotFoundException"), MembershipId=rows[1])

    change = lambda **values: {"Operations": [{"AttributePath": path.replace("_", "."), "AttributeValue": value} for path, value in values.items()]}
    call("UpdateGroup", GroupId=groups[1], **change(displayName="renamed", description="anew"))
    call("UpdateGroup", GroupId=groups[1], Operations=[{"AttributePath": "description"}])
    call("UpdateGroup", "ConflictException", GroupId=groups[1], **change(displayName="Gruppe ü 0"))
    call("UpdateGroup", "ResourceNotFoundException", GroupId=UUID, **change(displayName="x"))
    email = [{"Value": "plain@example.com", "Type": "work", "Primary": True}]
    call("UpdateUser", UserId=users[1], **change(displayName="Plain", name_givenName="Pla", emails=email))
    call("UpdateUser", "ResourceNotFoundException", UserId=UUID, **change(displayName="x"))
    revision = call("DescribeUser", UserId=users[1]).get("Revision")
    call("DescribeGroup", GroupId=groups[1])
    if revision and "Revision" in peer.models["identitystore"].operation_model("UpdateUser").input_shape.members:
        call("UpdateUser", UserId=users[1], Revision=revision, **change(displayName="Plainer"))
        call("UpdateUser", "ConflictException", UserId=users[1], Revision=revision, **change(displayName="Plainest"))


def permission_sets(peer, context):
    where = context["where"]
    call = lambda operation, expect=None, **members: peer.call("sso-admin", operation, expect, **where, **members)
    call("DescribeInstance")
    stranger = "arn:aws:sso:::instance/ssoins-ffffffffffffffff"
    for operation in ("DescribeInstance", "ListPermissionSets"):
        peer.call("sso-admin", operation, "*", InstanceArn=stranger)
    full = {"Description": "für alle", "SessionDuration": "PT2H30M", "RelayState": "https://console.aws.amazon.com/ecs"}
    sets = [call("CreatePermissionSet", Name="Full", **full, Tags=[{"Key": "team", "Value": "video"}]), call("CreatePermissionSet", Name="Bare")]
    context["sets"] = sets = [answer["PermissionSet"]["PermissionSetArn"] for answer in sets]
    call("CreatePermissionSet", "ConflictException", Name="Bare")
    call("CreatePermissionSet", "ValidationException", Name="TooLong", SessionDuration="PT13H")
    for arn in sets:
        call("DescribePermissionSet", PermissionSetArn=arn)
    call("UpdatePermissionSet", PermissionSetArn=sets[1], **full)
    call("DescribePermissionSet", PermissionSetArn=sets[1])
    call("UpdatePermissionSet", PermissionSetArn=sets[1])
    call("DescribePermissionSet", PermissionSetArn=sets[1])
    peer.pages("sso-admin", "ListPermissionSets", "PermissionSets", **where)
    # Whatever takes a permission set knows when there is none.
    context["nowhere"] = nowhere = sets[0][:-16] + "f" * 16
    model = peer.models["sso-admin"]
    for operation in OPERATIONS["sso-admin"]:
        shape = model.operation_model(operation).input_shape
        if "PermissionSetArn" in shape.members and operation != "CreatePermissionSet":
            peer.call("sso-admin", operation, "ResourceNotFoundException", **sample(shape) | where | {"PermissionSetArn": nowhere})
        if "ResourceArn" in shape.members:
            peer.call("sso-admin", operation, "ResourceNotFoundException", **sample(shape) | where | {"ResourceArn": nowhere})


def policies(peer, context):
    this = context["where"] | {"PermissionSetArn": context["sets"][0]}
    call = lambda operation, expect=None, **members: peer.call("sso-admin", operation, expect, **this, **members)
    managed = [f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "job-function/ViewOnlyAccess", "SecurityAudit")]
    references = [{"Name": "guard"}, {"Name": "guard", "Path": "/team/"}, {"Name": "other"}]
    rows = [("ManagedPolicyToPermissionSet", "ManagedPolicyFromPermissionSet", "ManagedPolicyArn", managed),
            ("CustomerManagedPolicyReferenceToPermissionSet", "CustomerManagedPolicyReferenceFromPermissionSet",
             "CustomerManagedPolicyReference", references)]  # fmt: skip
    for attach, detach, member, values in rows:
        for value in values:
            call(f"Attach{attach}", **{member: value})
        call(f"Attach{attach}", "ConflictException", **{member: values[0]})
        call(f"Detach{detach}", **{member: values[2]})
        call(f"Detach{detach}", "ResourceNotFoundException", **{member: values[2]})
    peer.pages("sso-admin", "ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies", **this)
    peer.pages("sso-admin", "ListCustomerManagedPolicyReferencesInPermissionSet", "CustomerManagedPolicyReferences", **this)
    for listing in ("ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet"):
        peer.call("sso-admin", listing, **this | {"PermissionSetArn": context["sets"][1]})

    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}, indent=1)
    call("GetInlinePolicyForPermissionSet")
    call("DeleteInlinePolicyFromPermissionSet")
    call("PutInlinePolicyToPermissionSet", InlinePolicy=document)
    call("PutInlinePolicyToPermissionSet", "ValidationException", InlinePolicy="{")
    call("GetInlinePolicyForPermissionSet")
    call("GetPermissionsBoundaryForPermissionSet", "ResourceNotFoundException")
    call("DeletePermissionsBoundaryFromPermissionSet", (None, "ResourceNotFoundException"))
    for boundary in ({"ManagedPolicyArn": managed[0]}, {"CustomerManagedPolicyReference": references[0]}, {"CustomerManagedPolicyReference": references[1]}):
        call("PutPermissionsBoundaryToPermissionSet", PermissionsBoundary=boundary)
        call("GetPermissionsBoundaryForPermissionSet")
    call("DeletePermissionsBoundaryFromPermissionSet")
    # A policy that no account has would keep the set from being provisioned.
    for reference in references[:2]:
        call("DetachCustomerManagedPolicyReferenceFromPermissionSet", CustomerManagedPolicyReference=reference)


def tags_and_attributes(peer, context):
    where = context["where"]
    call = lambda operation, expect=None, **members: peer.call("sso-admin", operation, expect, **where, **members)
    for arn in (context["sets"][0], where["InstanceArn"]):
        call("TagResource", ResourceArn=arn, Tags=[{"Key": "a", "Value": ""}, {"Key": "ä b", "Value": "c"}])
        call("ListTagsForResource", ResourceArn=arn)
        call("UntagResource", ResourceArn=arn, TagKeys=["a", "never there"])
        call("ListTagsForResource", ResourceArn=arn)
    call("ListTagsForResource", ResourceArn=context["sets"][1])

    suffix, member = "InstanceAccessControlAttributeConfiguration", "InstanceAccessControlAttributeConfiguration"
    source = lambda *keys: {member: {"AccessControlAttributes": [{"Key": key, "Value": {"Source": ["${path:userName}"]}} for key in keys]}}
    call(f"Describe{suffix}", "ResourceNotFoundException")
    for operation, more in (("Update", source("a")), ("Delete", {})):
        call(operation + suffix, "ResourceNotFoundException", **more)
    call(f"Create{suffix}", **source("team"))
    call(f"Create{suffix}", "ConflictException", **source("team"))
    call(f"Describe{suffix}")
    call(f"Update{suffix}", **source("team", "cost center"))
    call(f"Describe{suffix}")
    call(f"Delete{suffix}")


def assignments(peer, context):
    where, (first, second), accounts = context["where"], context["sets"], context["accounts"]
    call = lambda operation, expect=None, **members: peer.call("sso-admin", operation, expect, **where, **members)
    pages = lambda operation, key, **members: peer.pages("sso-admin", operation, key, **where, **members)
    row = lambda arn, account, kind, principal: {
        "PermissionSetArn": arn, "TargetId": account, "TargetType": "AWS_ACCOUNT", "PrincipalType": kind, "PrincipalId": principal,
    }  # fmt: skip
    user, group = context["users"][0], context["groups"][0]
    context["rows"] = rows = [row(first, accounts[0], "USER", user), row(first, accounts[1], "USER", user)]
    rows += [row(second, accounts[0], "USER", user), row(first, accounts[0], "GROUP", group)]
    call("ListAccountAssignments", AccountId=accounts[0], PermissionSetArn=first)
    call("ListAccountsForProvisionedPermissionSet", PermissionSetArn=first)
    for number, members in enumerate(rows + [row(first, accounts[0], "GROUP", UUID)]):
        # Nobody has documented whether an unknown principal is refused or makes a job that fails.
        answer = call("CreateAccountAssignment", (None, "ResourceNotFoundException") if number == len(rows) else None, **members)
        status = answer.get("AccountAssignmentCreationStatus", {})
        if number == 0:
            call("CreateAccountAssignment", "ConflictException", **members)
            call("ListAccountAssignmentCreationStatus", Filter={"Status": "IN_PROGRESS"})
        if status:
            ask = {"AccountAssignmentCreationRequestId": status["RequestId"]}
            end = wait(peer, "sso-admin", "DescribeAccountAssignmentCreationStatus", "AccountAssignmentCreationStatus", **where, **ask)
            if end["Status"] != ("FAILED" if number == len(rows) else "SUCCEEDED"):
                peer.fail("sso-admin", "CreateAccountAssignment", "job", end)
    pages("ListAccountAssignmentCreationStatus", "AccountAssignmentsCreationStatus")
    call("ListAccountAssignmentCreationStatus", Filter={"Status": "FAILED"})
    pages("ListAccountAssignments", "AccountAssignments", AccountId=accounts[0], PermissionSetArn=first)
    pages("ListAccountAssignmentsForPrincipal", "AccountAssignments", PrincipalType="USER", PrincipalId=user)
    call("ListAccountAssignmentsForPrincipal", PrincipalType="GROUP", PrincipalId=group, Filter={"AccountId": accounts[0]})

    call("UpdatePermissionSet", PermissionSetArn=first, SessionDuration="PT4H")
    for status in ("LATEST_PERMISSION_SET_NOT_PROVISIONED", "LATEST_PERMISSION_SET_PROVISIONED"):
        pages("ListAccountsForProvisionedPermissionSet", "AccountIds", PermissionSetArn=first, ProvisioningStatus=status)
        pages("ListPermissionSetsProvisionedToAccount", "PermissionSets", AccountId=accounts[0], ProvisioningStatus=status)
    for target in ({"TargetType": "AWS_ACCOUNT", "TargetId": accounts[0]}, {"TargetType": "ALL_PROVISIONED_ACCOUNTS"}):
        job = call("ProvisionPermissionSet", PermissionSetArn=first, **target)["PermissionSetProvisioningStatus"]
        call("ListPermissionSetProvisioningStatus", Filter={"Status": "IN_PROGRESS"})
        ask = {"ProvisionPermissionSetRequestId": job["RequestId"]}
        wait(peer, "sso-admin", "DescribePermissionSetProvisioningStatus", "PermissionSetProvisioningStatus", **where, **ask)
    call("ProvisionPermissionSet", "ValidationException", PermissionSetArn=first, TargetType="AWS_ACCOUNT")
    pages("ListPermissionSetProvisioningStatus", "PermissionSetsProvisioningStatus")
    pages("ListAccountsForProvisionedPermissionSet", "AccountIds", PermissionSetArn=first)
    pages("ListPermissionSetsProvisionedToAccount", "PermissionSets", AccountId=accounts[0])
    for job, member in zip(JOBS, (*JOBS[:2], "ProvisionPermissionSet"), strict=True):
        call(f"Describe{job}Status", "ResourceNotFoundException", **{f"{member}RequestId": UUID})
    call("DeletePermissionSet", "ConflictException", PermissionSetArn=first)


def portal(peer, context):
    oidc = lambda operation, expect=None, **members: peer.call("sso-oidc", operation, expect, **members)
    client = oidc("RegisterClient", clientName="permset", clientType="public", scopes=["sso:account:access"])
    ids = {"clientId": client["clientId"], "clientSecret": client["clientSecret"]}
    start = f"https://{context['store']['IdentityStoreId']}.awsapps.com/start"
    oidc("StartDeviceAuthorization", "*", clientId="nobody", clientSecret="wrong", startUrl=start)
    device = oidc("StartDeviceAuthorization", **ids, startUrl=start)
    grant = {"grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": device["deviceCode"]}
    oidc("CreateToken", "AuthorizationPendingException", **ids, **grant)
    oidc("CreateToken", "*", **ids, **grant | {"deviceCode": "wrong"})
    oidc("CreateToken", "*", **ids, **grant | {"grantType": "wrong"})
    oidc("CreateToken", "*", clientId="nobody", clientSecret="wrong", **grant)
    page = device["verificationUriComplete"]
    page += ("&" if "?" in page else "?") + urllib.parse.urlencode({"user": context["user_name"]})
    with urllib.request.urlopen(page, timeout=10) as answer:
        answer.read()
    token, tries = {}, 0
    while "accessToken" not in token and tries < 4:  # the server may tell an impatient client to slow down
        time.sleep(device.get("interval", 5) if tries else 0)
        token, tries = oidc("CreateToken", (None, "SlowDownException"), **ids, **grant), tries + 1
    access = {"accessToken": token["accessToken"]}
    accounts = peer.pages("sso", "ListAccounts", "accountList", **access)
    account = {"accountId": context["accounts"][0]}
    roles = peer.pages("sso", "ListAccountRoles", "roleList", **access, **account)
    if (len(accounts), {role["roleName"] for role in roles}) != (2, {"Full", "Bare"}):
        peer.fail("sso", "ListAccountRoles", "meaning", (accounts, roles))
    peer.call("sso", "GetRoleCredentials", **access, **account, roleName="Full")
    peer.call("sso", "GetRoleCredentials", ("ForbiddenException", "ResourceNotFoundException"), **access, **account, roleName="NotMine")
    peer.call("sso", "ListAccounts", "UnauthorizedException", accessToken="wrong")
    peer.call("sso", "Logout", **access)
    for operation, more in (("ListAccounts", {}), ("ListAccountRoles", account), ("GetRoleCredentials", account | {"roleName": "Full"})):
        peer.call("sso", operation, "UnauthorizedException", **access, **more)


def farewell(peer, context):
    where, store = context["where"], context["store"]
    call = lambda operation, expect=None, **members: peer.call("sso-admin", operation, expect, **where, **members)
    for members in context["rows"]:
        job = call("DeleteAccountAssignment", **members)["AccountAssignmentDeletionStatus"]
        call("ListAccountAssignmentDeletionStatus", Filter={"Status": "IN_PROGRESS"})
        ask = {"AccountAssignmentDeletionRequestId": job["RequestId"]}
        wait(peer, "sso-admin", "DescribeAccountAssignmentDeletionStatus", "AccountAssignmentDeletionStatus", **where, **ask)
    call("DeleteAccountAssignment", (None, "ResourceNotFoundException"), **context["rows"][0])
    peer.settle(where)
    peer.pages("sso-admin", "ListAccountAssignmentDeletionStatus", "AccountAssignmentsDeletionStatus", **where)
    for arn in context["sets"]:
        call("DeletePermissionSet", PermissionSetArn=arn)
        call("DeletePermissionSet", "ResourceNotFoundException", PermissionSetArn=arn)
    for operation, member, ids in (("DeleteUser", "UserId", context["users"]), ("DeleteGroup", "GroupId", context["groups"])):
        for one in ids:
            peer.call("identitystore", operation, **store, **{member: one})
        peer.call("identitystore", operation, (None, "ResourceNotFoundException"), **store, **{member: ids[0]})


# ---- The checks -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sandbox(permset):
    with tempfile.TemporaryDirectory() as home:
        world = pathlib.Path(home) / "world.json"
        made = common.run(permset, ["sandbox", "init", "--world", world], home)
        assert made.returncode == 0, made.stderr
        with common.serve(permset, world, "--no-throttle", "--job-seconds", "1") as variables:
            yield variables


def every_answer(variables):
    peer = Peer(variables)
    live(peer)
    peer.finish("every answer against its output shape")


def every_constraint(variables):
    peer = Peer(variables, violate=True)
    live(peer)
    peer.finish("every constraint of every input")


def other_operations(variables):
    peer = Peer(variables)
    model = peer.models["sso-admin"]
    arn = json.loads(peer.post("sso-admin", "ListInstances", {})[2])["Instances"][0]["InstanceArn"]
    others = [name for name in model.operation_names if name not in OPERATIONS["sso-admin"]]
    for name in others:
        operation = model.operation_model(name)
        members = sample(operation.input_shape)
        members |= {"InstanceArn": arn} if "InstanceArn" in members else {}
        status, headers, body = peer.post("sso-admin", name, members)
        peer.check("sso-admin", operation, status, headers, body)
        if status < 300 and (not name.startswith("List") or any(json.loads(body or b"{}").values())):
            peer.fail("sso-admin", name, "other operations", f"neither an error nor an empty list: {body[:120]!r}")
    print(f"the other {len(others)} operations of sso-admin: {sum(row['errors'] for row in peer.counts.values())} answered with an error")
    peer.judge()


def check_the_violations_violate_one_constraint_each(_permset=None):
    session, tried, wrong = botocore.session.get_session(), 0, []
    for service in CONSTRAINED:
        model = session.get_service_model(service)
        for name in OPERATIONS[service]:
            shape = model.operation_model(name).input_shape
            if not shape:
                continue
            right = sample(shape)
            wrong += [f"{service} {name}: the sample: {fault}" for fault in faults(shape, right)]
            for constraint, path, bad in violations(shape, right):
                tried += 1
                found = list(faults(shape, bad))
                # Too short or too long is often an odd pattern, too; that cannot be helped. All must be about one member.
                allowed = {"min": {"min", "pattern"}, "max": {"max", "pattern"}}.get(constraint, {constraint})
                kinds, places = {kind for kind, _ in found}, {text.split(":")[0] for _, text in found}
                if constraint not in kinds or kinds - allowed or len(places) != 1:
                    wrong.append(f"{service} {name}: {constraint} of {path}: {json.dumps(bad)[:120]}: {found}")
    print(f"{tried} violations")
    assert not wrong, "\n".join(wrong)


def check_every_answer_is_what_the_service_models_say(permset):
    with sandbox(permset) as variables:
        every_answer(variables)


def check_every_constraint_of_the_service_models_is_enforced(permset):
    with sandbox(permset) as variables:
        every_constraint(variables)


def check_the_other_operations_of_sso_admin_are_known(permset):
    with sandbox(permset) as variables:
        other_operations(variables)


def main():
    parser = argparse.ArgumentParser(description="The sandbox against the service models of botocore.")
    parser.add_argument("--permset", default=common.ROOT / "target" / "debug" / "permset", type=pathlib.Path)
    parser.add_argument("--endpoint", help="a server that runs already, instead of permset's own")
    parser.add_argument("--only", choices=["a", "b", "c", "self"])
    args = parser.parse_args()
    result = 0
    for name, check in {"self": None, "a": every_answer, "b": every_constraint, "c": other_operations}.items():
        if args.only not in (None, name):
            continue
        try:
            if check is None:
                check_the_violations_violate_one_constraint_each()
            elif args.endpoint:
                check({"AWS_ENDPOINT_URL": args.endpoint, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"})
            else:
                with sandbox(args.permset.resolve()) as variables:
                    check(variables)
        except AssertionError as error:
            print(error)
            result = 1
    return result


if __name__ == "__main__":
    sys.exit(main())
