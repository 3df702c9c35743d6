# Three writers at once on one permission set, each of which provisions it, and two assignments: what collides by itself.

data "aws_organizations_organization" "this" {}

data "aws_identitystore_group" "operators" {
  for_each          = toset(["jitsi-operators", "auditors"])
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = each.value
    }
  }
}

resource "aws_ssoadmin_permission_set" "busy" {
  instance_arn = local.instance
  name         = "tf-Busy"
}

resource "aws_ssoadmin_permission_set_inline_policy" "busy" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.busy.arn
  inline_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:List*", Resource = "*" }]
  })
}

resource "aws_ssoadmin_managed_policy_attachment" "busy" {
  for_each           = toset(["ReadOnlyAccess", "SecurityAudit"])
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.busy.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

# On purpose without depends_on: created while the policies are attached and provisioned.
resource "aws_ssoadmin_account_assignment" "busy" {
  for_each           = data.aws_identitystore_group.operators
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.busy.arn
  principal_type     = "GROUP"
  principal_id       = each.value.group_id
  target_type        = "AWS_ACCOUNT"
  target_id          = one([for account in data.aws_organizations_organization.this.accounts : account.id if account.name == "jitsi-hosting"])
}
