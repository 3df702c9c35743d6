//! Whether a permission set allows an action, as far as its policies can be read.

use crate::model::policy::{Document, Effect, Selection, covers};
use crate::model::{AwsManagedPolicy, Boundary, Definition, Policy};

/// Whether an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowed {
    /// On everything, without conditions.
    Yes,
    /// On some resources, or under conditions.
    Partly,
    /// A policy whose text is not known may or may not allow it.
    Unknown,
    /// No.
    No,
}

/// What one policy says.
#[derive(Clone, Copy, Default)]
struct Says {
    allows: bool,
    allows_partly: bool,
    denies: bool,
    denies_partly: bool,
}

/// Returns whether a permission set allows an action such as `ecs:UpdateService`. Policies of the account, of resources and of the
/// organization are not looked at: they can take away from this, and resources can give more.
pub fn allowed(definition: &Definition, action: &str) -> Allowed {
    let mut says = Says::default();
    let mut unknown = !definition.customer_managed_policies.is_empty();
    for policy in &definition.aws_managed_policies {
        match known(policy, action) {
            Some(known) => says = says.and(known),
            None => unknown = true,
        }
    }
    if let Some(policy) = &definition.inline_policy {
        match policy.document() {
            Some(document) => says = says.and(read(document, action)),
            None => unknown = true,
        }
    }
    if says.denies {
        return Allowed::No;
    }
    let verdict = match says {
        Says { allows: true, denies_partly: false, .. } => Allowed::Yes,
        Says { allows: true, .. } | Says { allows_partly: true, .. } => Allowed::Partly,
        _ if unknown => Allowed::Unknown,
        _ => Allowed::No,
    };
    // What is not known may deny, too.
    let verdict = if unknown && verdict != Allowed::No { Allowed::Unknown } else { verdict };
    within(definition.permissions_boundary.as_ref(), action, verdict)
}

/// A boundary only takes away.
fn within(boundary: Option<&Boundary>, action: &str, verdict: Allowed) -> Allowed {
    let Some(boundary) = boundary.filter(|_| verdict != Allowed::No) else { return verdict };
    let says = match boundary {
        Boundary::Aws(policy) => known(policy, action),
        Boundary::Customer(_) => None,
    };
    match says {
        Some(Says { allows: true, denies: false, .. }) => verdict,
        Some(Says { denies: true, .. } | Says { allows: false, allows_partly: false, .. }) => Allowed::No,
        Some(_) => verdict.max(Allowed::Partly),
        None => Allowed::Unknown,
    }
}

impl Says {
    fn and(self, other: Self) -> Self {
        Self {
            allows: self.allows || other.allows,
            allows_partly: self.allows_partly || other.allows_partly,
            denies: self.denies || other.denies,
            denies_partly: self.denies_partly || other.denies_partly,
        }
    }
}

fn read(document: &Document, action: &str) -> Says {
    let action = action.to_lowercase();
    let mut says = Says::default();
    for statement in &document.statements {
        let listed = statement.actions.patterns().iter().any(|pattern| covers(&pattern.to_lowercase(), &action));
        let about = listed == matches!(statement.actions, Selection::Only(_));
        if !about {
            continue;
        }
        let everywhere = matches!(&statement.resources, Selection::Only(all) if all.iter().any(|it| it == "*"));
        match (statement.effect, everywhere && statement.conditions.is_empty()) {
            (Effect::Allow, true) => says.allows = true,
            (Effect::Allow, false) => says.allows_partly = true,
            (Effect::Deny, true) => says.denies = true,
            (Effect::Deny, false) => says.denies_partly = true,
        }
    }
    says
}

/// What those AWS managed policies say that are short and old enough to be known for certain (AWS managed policy reference guide):
/// AWS adds to others every week.
fn known(policy: &AwsManagedPolicy, action: &str) -> Option<Says> {
    let service = action.split(':').next().unwrap_or_default().to_lowercase();
    match policy.as_str() {
        "AdministratorAccess" => Some(Says { allows: true, ..Says::default() }),
        // `NotAction` of these three, and a few of their reading actions besides, which may become more.
        "PowerUserAccess" if !["iam", "organizations", "account"].contains(&service.as_str()) => {
            Some(Says { allows: true, ..Says::default() })
        }
        "AWSDenyAll" => Some(Says { denies: true, ..Says::default() }),
        _ => None,
    }
}

/// Returns whether a text is the name of one action, as in `ecs:UpdateService`.
pub fn is_action(text: &str) -> bool {
    let name =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    text.split_once(':').is_some_and(|(service, action)| name(service) && name(action))
}

/// Returns whether a policy by itself allows an action; for tests of what policies say.
pub fn allowed_by(policy: &Policy, action: &str) -> Allowed {
    allowed(&Definition { inline_policy: Some(policy.clone()), ..Definition::default() }, action)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Allowed, allowed, allowed_by};
    use crate::model::{AwsManagedPolicy, Boundary, Definition, Policy};

    fn inline(statements: &Value, action: &str) -> Allowed {
        allowed_by(&Policy::from_live(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()), action)
    }

    #[test]
    fn statements_are_read_as_iam_reads_them() {
        let all = |action: Value| json!([{"Effect": "Allow", "Action": action, "Resource": "*"}]);
        assert_eq!(inline(&all(json!("ECS:update*")), "ecs:UpdateService"), Allowed::Yes);
        assert_eq!(inline(&all(json!("*")), "ecs:UpdateService"), Allowed::Yes);
        assert_eq!(inline(&all(json!("ecs:Update")), "ecs:UpdateService"), Allowed::No);
        let not = json!([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}]);
        assert_eq!((inline(&not, "iam:PassRole"), inline(&not, "s3:GetObject")), (Allowed::No, Allowed::Yes));
        let some = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"}]);
        assert_eq!(inline(&some, "s3:GetObject"), Allowed::Partly);
        let denied = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]);
        assert_eq!((inline(&denied, "s3:GetObject"), inline(&denied, "ecs:RunTask")), (Allowed::No, Allowed::Yes));
        let partly = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}]);
        assert_eq!(inline(&partly, "s3:GetObject"), Allowed::Partly);
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let with = |name: &str| Definition {
            aws_managed_policies: AwsManagedPolicy::parse(name).into_iter().collect(),
            ..Definition::default()
        };
        assert_eq!(allowed(&with("AdministratorAccess"), "iam:PassRole"), Allowed::Yes);
        assert_eq!(allowed(&with("PowerUserAccess"), "ec2:RunInstances"), Allowed::Yes);
        assert_eq!(allowed(&with("PowerUserAccess"), "iam:PassRole"), Allowed::Unknown);
        assert_eq!(allowed(&with("ReadOnlyAccess"), "ec2:RunInstances"), Allowed::Unknown);
        assert_eq!(allowed(&Definition::default(), "ec2:RunInstances"), Allowed::No);
        let bound = |name: &str| Definition {
            permissions_boundary: AwsManagedPolicy::parse(name).map(Boundary::Aws),
            ..with("AdministratorAccess")
        };
        assert_eq!(allowed(&bound("PowerUserAccess"), "ec2:RunInstances"), Allowed::Yes);
        assert_eq!(allowed(&bound("PowerUserAccess"), "iam:PassRole"), Allowed::Unknown);
        assert_eq!(allowed(&bound("AWSDenyAll"), "ec2:RunInstances"), Allowed::No);
        let customer = crate::model::CustomerManagedPolicy { path: "/".to_owned(), name: "Deny".to_owned() };
        let beside = Definition { customer_managed_policies: [customer].into(), ..with("AdministratorAccess") };
        assert_eq!(allowed(&beside, "ec2:RunInstances"), Allowed::Unknown, "it may deny");
        let unreadable = Definition { inline_policy: Some(Policy::from_live("{")), ..Definition::default() };
        assert_eq!(allowed(&unreadable, "ec2:RunInstances"), Allowed::Unknown);
    }
}
