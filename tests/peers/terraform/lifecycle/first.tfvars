description      = "Everything that a permission set can hold"
session_duration = "PT2H"
relay_state      = "https://eu-central-1.console.aws.amazon.com/ecs/v2"
tags             = { cost-center = "video", stage = "first" }
actions          = ["ecs:*", "logs:Get*"]
aws_managed = [
  "arn:aws:iam::aws:policy/ReadOnlyAccess",
  "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
]
customer_managed  = { TeamBaseline = "/team/" }
aws_boundary      = "arn:aws:iam::aws:policy/PowerUserAccess"
assigned_user     = "first"
attributes        = { department = "$${path:enterprise.department}" }
people            = { first = { display_name = "The first", email = "first@example.com", title = "Engineer" }, second = { display_name = "The second", email = "second@example.com" } }
group_description = "At first"
member            = "first"
unit              = "tf-first"
account_in_unit   = true
account_tags      = { stage = "first" }
