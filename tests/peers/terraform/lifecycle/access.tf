# One permission set with everything that one can hold, assigned to a group in a new account and to a user in one that was
# there before; one without anything.

variable "description" {
  type = string
}

variable "session_duration" {
  type = string
}

variable "relay_state" {
  type    = string
  default = null
}

variable "tags" {
  type = map(string)
}

variable "actions" {
  type = list(string)
}

variable "aws_managed" {
  type = set(string)
}

variable "customer_managed" {
  type = map(string) # name to path
}

variable "aws_boundary" {
  type    = string
  default = null
}

variable "customer_boundary" {
  type    = object({ name = string, path = string })
  default = null
}

variable "assigned_user" {
  type = string # "first" or "second"
}

variable "attributes" {
  type = map(string) # key to source
}

resource "aws_ssoadmin_permission_set" "full" {
  instance_arn     = local.instance
  name             = "tf-Full"
  description      = var.description
  session_duration = var.session_duration
  relay_state      = var.relay_state
  tags             = var.tags
}

resource "aws_ssoadmin_permission_set" "bare" {
  instance_arn = local.instance
  name         = "tf-Bare"
}

resource "aws_ssoadmin_permission_set_inline_policy" "full" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.full.arn
  inline_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Work", Effect = "Allow", Action = var.actions, Resource = "*" }]
  })
}

resource "aws_ssoadmin_managed_policy_attachment" "full" {
  for_each           = var.aws_managed
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.full.arn
  managed_policy_arn = each.value
}

resource "aws_ssoadmin_customer_managed_policy_attachment" "full" {
  for_each           = var.customer_managed
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.full.arn
  customer_managed_policy_reference {
    name = each.key
    path = each.value
  }
}

resource "aws_ssoadmin_permissions_boundary_attachment" "full" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.full.arn
  permissions_boundary {
    managed_policy_arn = var.aws_boundary
    dynamic "customer_managed_policy_reference" {
      for_each = var.customer_boundary[*]
      content {
        name = customer_managed_policy_reference.value.name
        path = customer_managed_policy_reference.value.path
      }
    }
  }
}

# In the order of the provider's manual: first the policies, then who gets them.
resource "aws_ssoadmin_account_assignment" "group" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.full.arn
  principal_type     = "GROUP"
  principal_id       = aws_identitystore_group.team.group_id
  target_type        = "AWS_ACCOUNT"
  target_id          = aws_organizations_account.video.id
  depends_on         = [aws_ssoadmin_managed_policy_attachment.full, aws_ssoadmin_permission_set_inline_policy.full]
}

resource "aws_ssoadmin_account_assignment" "user" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.bare.arn
  principal_type     = "USER"
  principal_id       = aws_identitystore_user.people[var.assigned_user].user_id
  target_type        = "AWS_ACCOUNT"
  target_id          = local.hosting
}

resource "aws_ssoadmin_instance_access_control_attributes" "this" {
  instance_arn = local.instance
  dynamic "attribute" {
    for_each = var.attributes
    content {
      key = attribute.key
      value {
        source = [attribute.value]
      }
    }
  }
}
