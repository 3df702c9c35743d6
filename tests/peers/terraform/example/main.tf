# What access.yaml.example declares, the other way to write it.

locals {
  hosting = "215665149509"
  owner   = "jitsi-platform"
  assignments = {
    admins    = { set = aws_ssoadmin_permission_set.administrator.arn, type = "GROUP", id = data.aws_identitystore_group.all["jitsi-admins"].group_id }
    operators = { set = aws_ssoadmin_permission_set.platform.arn, type = "GROUP", id = data.aws_identitystore_group.all["jitsi-operators"].group_id }
    alice     = { set = aws_ssoadmin_permission_set.platform.arn, type = "USER", id = data.aws_identitystore_user.alice.user_id }
    auditors  = { set = data.aws_ssoadmin_permission_set.read_only.arn, type = "GROUP", id = data.aws_identitystore_group.all["auditors"].group_id }
  }
}

data "aws_identitystore_group" "all" {
  for_each          = toset(["jitsi-admins", "jitsi-operators", "auditors"])
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = each.value
    }
  }
}

data "aws_identitystore_user" "alice" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = "alice@example.com"
    }
  }
}

data "aws_ssoadmin_permission_set" "read_only" {
  instance_arn = local.instance
  name         = "AWSReadOnlyAccess"
}

resource "aws_ssoadmin_permission_set" "administrator" {
  instance_arn     = local.instance
  name             = "AdministratorAccess"
  description      = "Full access for the people who run the platform"
  session_duration = "PT4H"
  tags             = { "permset:owner" = local.owner }
}

resource "aws_ssoadmin_managed_policy_attachment" "administrator" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.administrator.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_ssoadmin_permission_set" "platform" {
  instance_arn     = local.instance
  name             = "JitsiPlatformAccess"
  description      = "Day-to-day operation of the Jitsi video platform"
  session_duration = "PT8H"
  relay_state      = "https://eu-central-1.console.aws.amazon.com/ecs/v2"
  tags             = { "permset:owner" = local.owner, cost-center = "video" }
}

resource "aws_ssoadmin_permission_set_inline_policy" "platform" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.platform.arn
  inline_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "ecs:*",
        "ec2:*",
        "elasticloadbalancing:*",
        "ssm:*",
        "s3:*",
        "logs:*",
        "cloudwatch:*",
        "servicediscovery:*",
        "iam:PassRole",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_ssoadmin_account_assignment" "all" {
  for_each           = local.assignments
  instance_arn       = local.instance
  permission_set_arn = each.value.set
  principal_type     = each.value.type
  principal_id       = each.value.id
  target_type        = "AWS_ACCOUNT"
  target_id          = local.hosting
  depends_on         = [aws_ssoadmin_managed_policy_attachment.administrator, aws_ssoadmin_permission_set_inline_policy.platform]
}
