//! Profiles for what somebody may enter: stable names, one section each, and the session that they share.

use std::collections::BTreeMap;

use crate::model::{AccountRef, PermissionSetName};
use crate::workstation::config::{Block, SectionKind};

/// How profiles are made.
#[derive(Clone, Debug)]
pub struct Template {
    /// The name of each, in which `{account}`, `{account_id}` and `{permission_set}` are replaced.
    pub name: String,
    /// The name of the session that they share.
    pub session: String,
    /// Where people sign in.
    pub start_url: String,
    /// The home Region of Identity Center.
    pub sso_region: String,
    /// The Region of each profile, unless it has one.
    pub region: String,
    /// How the AWS CLI prints, unless the profile says.
    pub output: String,
}

/// Returns the sections: the session first, then the profiles by name. Where two would have one name, the id of the account is added.
///
/// # Errors
/// If the template gives a name that no profile can have.
pub fn blocks(held: &[(AccountRef, PermissionSetName)], template: &Template) -> Result<Vec<Block>, String> {
    let mut named: BTreeMap<String, Vec<&(AccountRef, PermissionSetName)>> = BTreeMap::new();
    for one in held {
        named.entry(name(template, one)).or_default().push(one);
    }
    let mut blocks = vec![session(template)];
    for (name, all) in named {
        for (account, set) in &all {
            let name = if all.len() > 1 { format!("{name}-{}-{set}", account.id) } else { name.clone() };
            blocks.push(Block {
                kind: SectionKind::Profile,
                name,
                keys: pairs([
                    ("sso_session", &template.session),
                    ("sso_account_id", account.id.as_str()),
                    ("sso_role_name", set.as_str()),
                ]),
                optional: pairs([("region", &template.region), ("output", &template.output)]),
            });
        }
    }
    match blocks.iter().find_map(|block| block.check().err()) {
        Some(why) => Err(why),
        None => Ok(blocks),
    }
}

fn session(template: &Template) -> Block {
    Block {
        kind: SectionKind::SsoSession,
        name: template.session.clone(),
        keys: pairs([
            ("sso_start_url", &template.start_url),
            ("sso_region", &template.sso_region),
            ("sso_registration_scopes", "sso:account:access"),
        ]),
        optional: Vec::new(),
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A name that needs no quotes, whatever the account is called.
fn name(template: &Template, (account, set): &(AccountRef, PermissionSetName)) -> String {
    let called = account.name.as_ref().map_or(account.id.as_str(), |name| name.as_str());
    let name = template.name.replace("{account_id}", account.id.as_str());
    let name = name.replace("{account}", &plain(called)).replace("{permission_set}", &plain(set.as_str()));
    if plain(called).is_empty() { name.replace("--", "-") } else { name }
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "_.@+=,-".contains(c) {
            plain.push(c);
        } else if !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Template, blocks};
    use crate::model::{AccountId, AccountName, AccountRef, IdError, PermissionSetName};

    fn template(name: &str) -> Template {
        let text = str::to_owned;
        Template {
            name: text(name),
            session: text("example"),
            start_url: text("https://d-00aa11bb22.awsapps.com/start"),
            sso_region: text("eu-central-1"),
            region: text("eu-central-1"),
            output: text("json"),
        }
    }

    fn held(account: &str, name: &str, set: &str) -> Result<(AccountRef, PermissionSetName), IdError> {
        let account = AccountRef { id: AccountId::parse(account)?, name: Some(AccountName::new(name)) };
        Ok((account, PermissionSetName::parse(set)?))
    }

    #[test]
    fn names_are_stable_plain_and_never_shared() -> Result<(), Box<dyn std::error::Error>> {
        let names = |held: &[_], name: &str| -> Result<Vec<String>, String> {
            Ok(blocks(held, &template(name))?.into_iter().skip(1).map(|block| block.name).collect())
        };
        let two = [held("111122223333", "Video [prod]\n", "Admin")?, held("444455556666", "Video/prod", "Admin")?];
        assert_eq!(names(&two[..1], "{account}-{permission_set}")?, ["Video-prod-Admin"]);
        assert_eq!(
            names(&two, "{account}-{permission_set}")?,
            ["Video-prod-Admin-111122223333-Admin", "Video-prod-Admin-444455556666-Admin"]
        );
        assert_eq!(names(&two, "aws.{account_id}")?, ["aws.111122223333", "aws.444455556666"]);
        assert!(names(&two, "a]b").is_err());
        Ok(())
    }
}
