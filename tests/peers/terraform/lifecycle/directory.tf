# Two users, a group, and which of the two is in it.

variable "people" {
  type = map(object({ display_name = string, email = string, title = optional(string) }))
}

variable "group_description" {
  type = string
}

variable "member" {
  type = string # "first" or "second"
}

resource "aws_identitystore_user" "people" {
  for_each          = var.people
  identity_store_id = local.store
  user_name         = "tf-${each.key}"
  display_name      = each.value.display_name
  title             = each.value.title
  name {
    given_name  = title(each.key)
    family_name = "Terraform"
  }
  emails {
    value   = each.value.email
    type    = "work"
    primary = true
  }
}

resource "aws_identitystore_group" "team" {
  identity_store_id = local.store
  display_name      = "tf-team"
  description       = var.group_description
}

resource "aws_identitystore_group_membership" "team" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.team.group_id
  member_id         = aws_identitystore_user.people[var.member].user_id
}
