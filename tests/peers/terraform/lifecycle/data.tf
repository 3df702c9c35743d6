# Every data source beside the resources, read after them; the check looks at the outputs.

data "aws_caller_identity" "this" {}

data "aws_ssoadmin_permission_sets" "all" {
  instance_arn = local.instance
  depends_on   = [aws_ssoadmin_permission_set.full, aws_ssoadmin_permission_set.bare]
}

data "aws_ssoadmin_permission_set" "by_name" {
  instance_arn = local.instance
  name         = aws_ssoadmin_permission_set.full.name
  depends_on   = [aws_ssoadmin_permission_set.full]
}

data "aws_ssoadmin_permission_set" "by_arn" {
  instance_arn = local.instance
  arn          = aws_ssoadmin_permission_set.full.arn
  depends_on   = [aws_ssoadmin_permission_set.full]
}

data "aws_identitystore_user" "by_name" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = aws_identitystore_user.people["first"].user_name
    }
  }
  depends_on = [aws_identitystore_user.people]
}

data "aws_identitystore_user" "by_email" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "Emails.Value"
      attribute_value = var.people["first"].email
    }
  }
  depends_on = [aws_identitystore_user.people]
}

data "aws_identitystore_user" "by_id" {
  identity_store_id = local.store
  user_id           = aws_identitystore_user.people["first"].user_id
  depends_on        = [aws_identitystore_user.people]
}

data "aws_identitystore_users" "all" {
  identity_store_id = local.store
  depends_on        = [aws_identitystore_user.people]
}

data "aws_identitystore_group" "by_name" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = aws_identitystore_group.team.display_name
    }
  }
  depends_on = [aws_identitystore_group.team]
}

data "aws_identitystore_group" "by_id" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.team.group_id
  depends_on        = [aws_identitystore_group.team]
}

data "aws_identitystore_groups" "all" {
  identity_store_id = local.store
  depends_on        = [aws_identitystore_group.team]
}

data "aws_identitystore_group_memberships" "team" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.team.group_id
  depends_on        = [aws_identitystore_group_membership.team]
}

data "aws_organizations_organization" "after" {
  depends_on = [aws_organizations_account.video]
}

data "aws_organizations_organizational_units" "of_root" {
  parent_id  = local.root
  depends_on = [aws_organizations_organizational_unit.outer]
}

data "aws_organizations_organizational_unit" "outer" {
  parent_id  = local.root
  name       = aws_organizations_organizational_unit.outer.name
  depends_on = [aws_organizations_organizational_unit.outer]
}

data "aws_organizations_organizational_unit_child_accounts" "of_inner" {
  parent_id  = aws_organizations_organizational_unit.inner.id
  depends_on = [aws_organizations_account.video]
}

data "aws_organizations_organizational_unit_descendant_accounts" "of_outer" {
  parent_id  = aws_organizations_organizational_unit.outer.id
  depends_on = [aws_organizations_account.video]
}

data "aws_organizations_organizational_unit_descendant_organizational_units" "of_root" {
  parent_id  = local.root
  depends_on = [aws_organizations_organizational_unit.inner, aws_organizations_organizational_unit.outer]
}

data "aws_organizations_resource_tags" "account" {
  resource_id = aws_organizations_account.video.id
  depends_on  = [aws_organizations_account.video]
}

output "caller" {
  value = data.aws_caller_identity.this.account_id
}

output "management" {
  value = data.aws_organizations_organization.this.master_account_id
}

output "permission_set_count" {
  value = length(data.aws_ssoadmin_permission_sets.all.arns)
}

output "permission_set" {
  value = { for how, found in { name = data.aws_ssoadmin_permission_set.by_name, arn = data.aws_ssoadmin_permission_set.by_arn } :
  how => [found.name, found.description, found.session_duration, found.relay_state, found.tags] }
}

output "user" {
  value = { for how, found in {
    name  = data.aws_identitystore_user.by_name
    email = data.aws_identitystore_user.by_email
    id    = data.aws_identitystore_user.by_id
  } : how => [found.user_name, found.display_name, one(found.emails).value] }
}

output "users" {
  value = sort(data.aws_identitystore_users.all.users[*].user_name)
}

output "group" {
  value = { for how, found in { name = data.aws_identitystore_group.by_name, id = data.aws_identitystore_group.by_id } :
  how => [found.display_name, found.description] }
}

output "groups" {
  value = sort(data.aws_identitystore_groups.all.groups[*].display_name)
}

output "members" {
  value = [for row in data.aws_identitystore_group_memberships.team.group_memberships : one([
    for user in data.aws_identitystore_users.all.users : user.user_name if user.user_id == one(row.member_id[*].user_id)
  ])]
}

output "accounts" {
  value = sort(data.aws_organizations_organization.after.accounts[*].name)
}

output "units_of_root" {
  value = sort(data.aws_organizations_organizational_units.of_root.children[*].name)
}

output "unit_by_name_is_outer" {
  value = data.aws_organizations_organizational_unit.outer.arn == aws_organizations_organizational_unit.outer.arn
}

output "accounts_of_inner" {
  value = data.aws_organizations_organizational_unit_child_accounts.of_inner.accounts[*].name
}

output "accounts_below_outer" {
  value = data.aws_organizations_organizational_unit_descendant_accounts.of_outer.accounts[*].name
}

output "units_below_root" {
  value = sort(data.aws_organizations_organizational_unit_descendant_organizational_units.of_root.children[*].name)
}

output "account_tags" {
  value = data.aws_organizations_resource_tags.account.tags
}
