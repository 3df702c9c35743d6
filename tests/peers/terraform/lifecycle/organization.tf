# A unit within a unit, and an account that is moved.

variable "unit" {
  type = string
}

variable "account_in_unit" {
  type = bool
}

variable "account_tags" {
  type = map(string)
}

data "aws_organizations_organization" "this" {}

locals {
  root    = one(data.aws_organizations_organization.this.roots).id
  hosting = one([for account in data.aws_organizations_organization.this.accounts : account.id if account.name == "jitsi-hosting"])
}

resource "aws_organizations_organizational_unit" "outer" {
  name      = var.unit
  parent_id = local.root
  tags      = { made-by = "terraform" }
}

resource "aws_organizations_organizational_unit" "inner" {
  name      = "tf-inner"
  parent_id = aws_organizations_organizational_unit.outer.id
}

resource "aws_organizations_account" "video" {
  name              = "tf-video"
  email             = "tf-video@example.com"
  parent_id         = var.account_in_unit ? aws_organizations_organizational_unit.inner.id : local.root
  close_on_deletion = true
  tags              = var.account_tags
}
