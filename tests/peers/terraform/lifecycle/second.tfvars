description      = "Everything, and changed"
session_duration = "PT4H"
tags             = { stage = "second", owner = "video" }
actions          = ["ecs:*"]
aws_managed = [
  "arn:aws:iam::aws:policy/ReadOnlyAccess",
  "arn:aws:iam::aws:policy/SecurityAudit",
]
customer_managed  = { TeamBaseline = "/" }
customer_boundary = { name = "TeamBoundary", path = "/team/" }
assigned_user     = "second"
attributes        = { department = "$${path:enterprise.costCenter}", email = "$${path:email}" }
people            = { first = { display_name = "Nobody's first", email = "other@example.com" }, second = { display_name = "The second", email = "second@example.com", title = "Operator" } }
group_description = "And then"
member            = "second"
unit              = "tf-second"
account_in_unit   = false
account_tags      = { owner = "video" }
