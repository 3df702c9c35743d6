"""One estate in three renderings: a world for `permset sandbox serve`, an access file for permset, a configuration for Terraform.

Everything follows from the size, so two runs see the same. The estate is what organizations of that size look like: permission
sets for teams, each given to the same few groups in a handful of accounts, two AWS managed policies in each of them and an inline
policy in three of five. Nothing is assigned in the management account.

    python3 benches/peers/estate.py --size small FOLDER [--variant declared|changed|empty]

writes all three into a folder, to look at or to play with.
"""

import argparse
import dataclasses
import functools
import json
import pathlib

OWNER = "estate"
INSTANCE = "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd"
STORE = "d-00aa11bb22"
REGION = "eu-central-1"
# One rule of the access file gives a permission set to its groups in at most so many accounts.
ACCOUNTS_IN_A_RULE = 5
MANAGED_POLICIES = [
    "ReadOnlyAccess",
    "SecurityAudit",
    "CloudWatchLogsFullAccess",
    "AmazonS3FullAccess",
    "AmazonECS_FullAccess",
    "AmazonRDSFullAccess",
    "AmazonDynamoDBFullAccess",
    "job-function/ViewOnlyAccess",
    "job-function/Billing",
    "AWSSupportAccess",
]
SERVICES = ["ecs", "ec2", "elasticloadbalancing", "ssm", "s3", "logs", "cloudwatch", "servicediscovery", "sqs", "sns"]


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of everything there is; the management account is one of the accounts."""

    name: str
    sets: int
    accounts: int
    assignments: int
    groups: int


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 5, 4, 20, 5),
        Size("small", 20, 30, 300, 25),
        Size("medium", 60, 150, 2_000, 100),
        Size("large", 200, 500, 12_000, 300),
    )
}


@dataclasses.dataclass(frozen=True)
class PermissionSet:
    name: str
    description: str
    hours: int
    managed_policies: tuple
    inline_policy: str | None  # JSON


@dataclasses.dataclass(frozen=True)
class Rule:
    """Every group gets the permission set in every account."""

    permission_set: str
    accounts: tuple
    groups: tuple


def inline_policy(actions):
    statement = {"Sid": "Work", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Estate:
    """What is desired: permission sets, and rules that say who has them where."""

    def __init__(self, size, density, sets, rules):
        self.size, self.density, self.sets, self.rules = size, density, sets, rules

    # ------------------------------------------------------------ the directory, which nobody changes

    @functools.cached_property
    def account_ids(self):
        """By name; the management account first."""
        members = {f"workload-{number:03}": f"{200_000_000_000 + number:012}" for number in range(1, self.size.accounts)}
        return {"management": "111111111111"} | members

    @functools.cached_property
    def group_ids(self):
        return {f"team-{number:03}": f"{2:08x}-0000-7000-8000-{number:012x}" for number in range(1, self.size.groups + 1)}

    # ------------------------------------------------------------ what is desired

    @property
    def inline_policies(self):
        return [held for held in self.sets if held.inline_policy]

    @property
    def attachments(self):
        return [(held, policy) for held in self.sets for policy in held.managed_policies]

    @property
    def assignments(self):
        """(permission set, account, group), in the order of the rules."""
        return [
            (rule.permission_set, account, group) for rule in self.rules for account in rule.accounts for group in rule.groups
        ]  # fmt: skip

    @property
    def pairs(self):
        return {(held, account) for held, account, _ in self.assignments}

    def describe(self):
        return {
            "permission_sets": len(self.sets),
            "managed_policies": len(self.attachments),
            "inline_policies": len(self.inline_policies),
            "accounts": len(self.account_ids),
            "groups": len(self.group_ids),
            "assignments": len(self.assignments),
            "pairs": len(self.pairs),
            "density": self.density,
        }

    # ------------------------------------------------------------ variants

    def changed(self):
        """A day's work: one assignment less, another one more, and one inline policy edited."""
        edited = self.inline_policies[0]
        policy = inline_policy([*json.loads(edited.inline_policy)["Statement"][0]["Action"], "tag:GetResources"])
        sets = [dataclasses.replace(held, inline_policy=policy) if held is edited else held for held in self.sets]
        # The last rule loses one group in its last account, which is then given the first rule's permission set.
        first, last = self.rules[0], self.rules[-1]
        *kept, account = last.accounts
        parts = [Rule(last.permission_set, tuple(kept), last.groups), Rule(last.permission_set, (account,), last.groups[1:])]
        taken = {account for held, account in self.pairs if held == first.permission_set}
        free = next(account for account in reversed(list(self.account_ids)) if account not in taken)
        added = Rule(first.permission_set, (free,), last.groups[:1])
        rules = [*self.rules[:-1], *(rule for rule in parts if rule.accounts and rule.groups), added]
        return Estate(self.size, self.density, sets, rules)

    def empty(self):
        return Estate(self.size, self.density, [], [])

    # ------------------------------------------------------------ for permset

    def access_file(self):
        """As somebody would write it: a rule for each permission set, its accounts and its groups."""
        lines = ["version: 1", f"owner: {OWNER}", 'scope: { accounts: ["*"] }']
        lines.append("permission_sets:" if self.sets else "permission_sets: {}")
        for held in self.sets:
            lines += [f"  {held.name}:", f"    description: {held.description}", f"    session_duration: {held.hours}h"]
            lines.append(f"    aws_managed_policies: [{', '.join(held.managed_policies)}]")
            if held.inline_policy:
                lines.append(f"    inline_policy: {held.inline_policy}")
        lines.append("assignments:" if self.rules else "assignments: []")
        for rule in self.rules:
            lines += [
                f"  - permission_sets: [{rule.permission_set}]",
                f"    accounts: [{', '.join(rule.accounts)}]",
                f"    groups: [{', '.join(rule.groups)}]",
            ]
        return "\n".join(lines) + "\n"

    # ------------------------------------------------------------ for the sandbox

    def set_id(self, name):
        return f"ps-{int(name[-3:]):016x}"

    def world(self, filled=False):
        """The accounts and groups, and nothing else; `filled` with all that is desired, as if it had been applied."""
        world = {
            "format_version": 1,
            "instance": {
                "arn": INSTANCE,
                "identity_store_id": STORE,
                "owner_account_id": self.account_ids["management"],
                "region": REGION,
            },
            "accounts": [{"id": identity, "name": name} for name, identity in self.account_ids.items()],
            "groups": [{"id": identity, "display_name": name} for name, identity in self.group_ids.items()],
            "users": [{"user_name": "administrator@example.com"}],
        }
        if filled:
            provisioned = {held.name: {} for held in self.sets}
            for name, account in self.pairs:
                provisioned[name][self.account_ids[account]] = {}
            world["permission_sets"] = [
                {
                    "id": self.set_id(held.name),
                    "name": held.name,
                    "description": held.description,
                    "session_duration": f"PT{held.hours}H",
                    "tags": {"permset:owner": OWNER},
                    "aws_managed_policies": [policy_arn(policy) for policy in held.managed_policies],
                    "inline_policy": held.inline_policy,
                    "provisioned": provisioned[held.name],
                }
                for held in self.sets
            ]
            world["assignments"] = [
                {
                    "account_id": self.account_ids[account],
                    "permission_set_id": self.set_id(name),
                    "principal_type": "GROUP",
                    "principal_id": self.group_ids[group],
                }
                for name, account, group in self.assignments
            ]
        return world

    # ------------------------------------------------------------ for Terraform

    def terraform(self):
        """main.tf.json as its users write it: maps, `for_each` over them, groups looked up by name, and the `depends_on` that the
        provider's manual asks for. Account ids stand in it, so that nothing has to be read for them."""
        used = sorted({group for _, _, group in self.assignments})
        assignments = {
            f"{name}/{account}/{group}": {"set": name, "account": self.account_ids[account], "group": group}
            for name, account, group in self.assignments
        }
        instance = "${local.instance}"
        set_arn = "${aws_ssoadmin_permission_set.all[each.value.set].arn}"
        return {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100"}}},
            "provider": {"aws": {"skip_metadata_api_check": True}},
            "data": {
                "aws_ssoadmin_instances": {"this": {}},
                "aws_identitystore_group": {
                    "all": {
                        "for_each": "${toset(local.groups)}",
                        "identity_store_id": "${one(data.aws_ssoadmin_instances.this.identity_store_ids)}",
                        "alternate_identifier": {
                            "unique_attribute": {"attribute_path": "DisplayName", "attribute_value": "${each.value}"}
                        },
                    }
                },
            },
            "locals": {
                "instance": "${one(data.aws_ssoadmin_instances.this.arns)}",
                "groups": used,
                "permission_sets": {held.name: {"description": held.description, "hours": held.hours} for held in self.sets},
                "managed_policies": {
                    f"{held.name}/{policy}": {"set": held.name, "arn": policy_arn(policy)} for held, policy in self.attachments
                },
                "inline_policies": {
                    held.name: {"set": held.name, "policy": json.loads(held.inline_policy)} for held in self.inline_policies
                },
                "assignments": assignments,
            },
            "resource": {
                "aws_ssoadmin_permission_set": {
                    "all": {
                        "for_each": "${local.permission_sets}",
                        "instance_arn": instance,
                        "name": "${each.key}",
                        "description": "${each.value.description}",
                        "session_duration": "PT${each.value.hours}H",
                        "tags": {"permset:owner": OWNER},
                    }
                },
                "aws_ssoadmin_managed_policy_attachment": {
                    "all": {
                        "for_each": "${local.managed_policies}",
                        "instance_arn": instance,
                        "permission_set_arn": set_arn,
                        "managed_policy_arn": "${each.value.arn}",
                    }
                },
                "aws_ssoadmin_permission_set_inline_policy": {
                    "all": {
                        "for_each": "${local.inline_policies}",
                        "instance_arn": instance,
                        "permission_set_arn": set_arn,
                        "inline_policy": "${jsonencode(each.value.policy)}",
                    }
                },
                "aws_ssoadmin_account_assignment": {
                    "all": {
                        "for_each": "${local.assignments}",
                        "instance_arn": instance,
                        "permission_set_arn": set_arn,
                        "principal_type": "GROUP",
                        "principal_id": "${data.aws_identitystore_group.all[each.value.group].group_id}",
                        "target_type": "AWS_ACCOUNT",
                        "target_id": "${each.value.account}",
                        "depends_on": [
                            "aws_ssoadmin_managed_policy_attachment.all",
                            "aws_ssoadmin_permission_set_inline_policy.all",
                        ],
                    }
                },
            },
        }

    def terraform_import(self):
        """import.tf: takes the filled world into Terraform's state without making anything."""
        prefix = INSTANCE.replace(":instance/", ":permissionSet/")
        ids = {held.name: f"{prefix}/{self.set_id(held.name)}" for held in self.sets}
        imports = {
            "aws_ssoadmin_permission_set": ("permission_sets", "${local.imported[each.key]},${local.instance}"),
            "aws_ssoadmin_managed_policy_attachment": (
                "managed_policies",
                "${each.value.arn},${local.imported[each.value.set]},${local.instance}",
            ),
            "aws_ssoadmin_permission_set_inline_policy": ("inline_policies", "${local.imported[each.key]},${local.instance}"),
            "aws_ssoadmin_account_assignment": (
                "assignments",
                "${data.aws_identitystore_group.all[each.value.group].group_id},GROUP,${each.value.account},AWS_ACCOUNT,"
                "${local.imported[each.value.set]},${local.instance}",
            ),
        }
        text = f"locals {{\n  imported = {json.dumps(ids)}\n}}\n"
        for resource, (source, identity) in imports.items():
            text += f'\nimport {{\n  for_each = local.{source}\n  to = {resource}.all[each.key]\n  id = "{identity}"\n}}\n'
        return text


def policy_arn(name):
    return f"arn:aws:iam::aws:policy/{name}"


def estate(size, density=2):
    """The estate of a size in which each permission set is given to `density` groups in each account that has it."""
    if not 1 <= density <= size.groups:
        raise ValueError(f"a density of {density} needs as many groups, of which there are {size.groups}")
    if -(-size.assignments // density) > size.sets * (size.accounts - 1):
        raise ValueError(f"with a density of {density}, {size.assignments} assignments need more permission sets or accounts")
    made = Estate(size, density, [permission_set(number) for number in range(1, size.sets + 1)], [])
    accounts, groups = [name for name in made.account_ids if name != "management"], list(made.group_ids)
    pairs, left = -(-size.assignments // density), size.assignments
    for index, held in enumerate(made.sets):
        # Evenly over the permission sets, and from another account on in each of them.
        begin, end = pairs * index // size.sets, pairs * (index + 1) // size.sets
        theirs = [accounts[pair % len(accounts)] for pair in range(begin, end)]
        for start in range(0, len(theirs), ACCOUNTS_IN_A_RULE):
            chosen = theirs[start : start + ACCOUNTS_IN_A_RULE]
            first = len(made.rules) * density
            team = tuple(groups[(first + number) % len(groups)] for number in range(density))
            made.rules.append(Rule(held.name, tuple(chosen), team))
            left -= len(chosen) * density
    if left < 0:  # the last account has fewer groups, where the density does not divide the assignments
        last = made.rules.pop()
        *kept, account = last.accounts
        parts = [Rule(last.permission_set, tuple(kept), last.groups), Rule(last.permission_set, (account,), last.groups[:left])]
        made.rules += [rule for rule in parts if rule.accounts]
    return made


def permission_set(number):
    """Three of five have an inline policy."""
    policies = (MANAGED_POLICIES[number % len(MANAGED_POLICIES)], MANAGED_POLICIES[(number * 3 + 1) % len(MANAGED_POLICIES)])
    if policies[0] == policies[1]:
        policies = (policies[0], MANAGED_POLICIES[(number + 1) % len(MANAGED_POLICIES)])
    actions = [f"{SERVICES[(number + offset) % len(SERVICES)]}:*" for offset in range(4)] if number % 5 < 3 else None
    return PermissionSet(
        name=f"Access{number:03}",
        description=f"What team {number} works with",
        hours=number % 8 + 1,
        managed_policies=policies,
        inline_policy=inline_policy(actions) if actions else None,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--density", type=int, default=2, help="groups that share a permission set in an account")
    parser.add_argument("--variant", choices=("declared", "changed", "empty"), default="declared")
    args = parser.parse_args()
    made = estate(SIZES[args.size], args.density)
    wanted = made if args.variant == "declared" else getattr(made, args.variant)()
    args.folder.mkdir(parents=True, exist_ok=True)
    (args.folder / "world.json").write_text(json.dumps(made.world(), indent=1))
    (args.folder / "access.yaml").write_text(wanted.access_file())
    (args.folder / "main.tf.json").write_text(json.dumps(wanted.terraform(), indent=1))
    print(json.dumps(wanted.describe(), indent=1))


if __name__ == "__main__":
    main()
