//! Grants that are legal and deserve a second look.

use super::{Document, Effect, Selection, Statement, Step};

/// A grant worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The way to the element that makes it so.
    pub path: Vec<Step>,
    /// What it lets people do.
    pub message: String,
}

/// Finds grants that let somebody become more than the policy says.
pub fn risks(document: &Document) -> Vec<Risk> {
    let allows = document.statements.iter().enumerate().filter(|(_, statement)| statement.effect == Effect::Allow);
    allows.filter_map(|(index, statement)| risk(index, statement)).collect()
}

fn risk(index: usize, statement: &Statement) -> Option<Risk> {
    let at = |key: &str, item: Option<usize>, message: &str| {
        let mut path = vec![Step::Key("Statement".to_owned()), Step::Index(index), Step::Key(key.to_owned())];
        path.extend(item.map(Step::Index));
        Some(Risk { path, message: format!("{} {message}", statement.label(index)) })
    };
    let everywhere = matches!(&statement.resources, Selection::AllBut(_))
        || statement.resources.patterns().iter().any(|resource| resource == "*");
    let actions = match &statement.actions {
        Selection::AllBut(_) => {
            return at("NotAction", None, "allows every action but a few, and every action that AWS adds later");
        }
        Selection::Only(actions) => actions,
    };
    if !everywhere {
        return None;
    }
    if let Some(item) = actions.iter().position(|action| action == "*" || action == "*:*") {
        return at("Action", Some(item), "allows everything on everything");
    }
    let item = actions.iter().position(|action| passes_roles(action)).filter(|_| statement.conditions.is_empty())?;
    at(
        "Action",
        Some(item),
        "allows `iam:PassRole` on every role: whoever holds it can hand the strongest role of the account to a service",
    )
}

fn passes_roles(action: &str) -> bool {
    ["iam:passrole", "iam:pass*", "iam:*"].contains(&action.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::risks;
    use crate::model::Policy;

    fn messages(statement: &Value) -> Vec<String> {
        let policy = Policy::from_live(&json!({"Statement": [statement]}).to_string());
        policy.document().map(risks).unwrap_or_default().into_iter().map(|risk| risk.message).collect()
    }

    #[test]
    fn what_lets_people_climb_is_named() {
        assert_eq!(messages(&json!({"Effect": "Allow", "Action": "ecs:*", "Resource": "*"})), [""; 0]);
        assert_eq!(messages(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"})), [""; 0]);
        for (statement, part) in [
            (json!({"Effect": "Allow", "Action": "*", "Resource": "*"}), "everything on everything"),
            (json!({"Effect": "Allow", "Action": ["s3:*", "iam:PassRole"], "Resource": "*"}), "iam:PassRole"),
            (json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), "but a few"),
        ] {
            let found = messages(&statement);
            assert!(found.iter().any(|message| message.contains(part)), "{part}: {found:?}");
        }
        let narrow = json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/x"});
        assert_eq!(messages(&narrow), [""; 0]);
    }
}
