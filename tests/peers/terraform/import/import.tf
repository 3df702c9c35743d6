# Laid beside example/main.tf: takes over what permset has made of access.yaml.example.

data "aws_ssoadmin_permission_set" "made" {
  for_each     = toset(["AdministratorAccess", "JitsiPlatformAccess"])
  instance_arn = local.instance
  name         = each.value
}

locals {
  administrator = data.aws_ssoadmin_permission_set.made["AdministratorAccess"].arn
  platform      = data.aws_ssoadmin_permission_set.made["JitsiPlatformAccess"].arn
  # Of the same keys as local.assignments, which cannot be used here: it knows the sets only when they are imported.
  made = {
    admins    = "${data.aws_identitystore_group.all["jitsi-admins"].group_id},GROUP,${local.hosting},AWS_ACCOUNT,${local.administrator}"
    operators = "${data.aws_identitystore_group.all["jitsi-operators"].group_id},GROUP,${local.hosting},AWS_ACCOUNT,${local.platform}"
    alice     = "${data.aws_identitystore_user.alice.user_id},USER,${local.hosting},AWS_ACCOUNT,${local.platform}"
    auditors  = "${data.aws_identitystore_group.all["auditors"].group_id},GROUP,${local.hosting},AWS_ACCOUNT,${data.aws_ssoadmin_permission_set.read_only.arn}"
  }
}

import {
  to = aws_ssoadmin_permission_set.administrator
  id = "${local.administrator},${local.instance}"
}

import {
  to = aws_ssoadmin_managed_policy_attachment.administrator
  id = "arn:aws:iam::aws:policy/AdministratorAccess,${local.administrator},${local.instance}"
}

import {
  to = aws_ssoadmin_permission_set.platform
  id = "${local.platform},${local.instance}"
}

import {
  to = aws_ssoadmin_permission_set_inline_policy.platform
  id = "${local.platform},${local.instance}"
}

import {
  for_each = local.made
  to       = aws_ssoadmin_account_assignment.all[each.key]
  id       = "${each.value},${local.instance}"
}
