//! The text constraints of the service models: lengths, patterns and the characters they admit.
//!
//! Each constant is one string shape of the botocore models (sso-admin 2020-07-20, identitystore 2020-06-15, organizations
//! 2016-11-28); `pattern` is quoted in error messages, `accepts` decides. No request is known here.

/// The constraints of one string shape. Lengths count characters, as the models do.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) pattern: &'static str,
    pub(super) accepts: fn(&str) -> bool,
}

impl Text {
    /// Whether length and pattern both hold.
    pub(super) fn holds(&self, text: &str) -> bool {
        let length = text.chars().count();
        (self.min..=self.max).contains(&length) && (self.accepts)(text)
    }
}

const fn text(min: usize, max: usize, pattern: &'static str, accepts: fn(&str) -> bool) -> Text {
    Text { min, max, pattern, accepts }
}

pub(super) static INSTANCE_ARN: Text =
    text(10, 1224, r"arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}", |it| {
        after_partition(it, ":sso:::instance/").is_some_and(is_instance_id)
    });
pub(super) static PERMISSION_SET_ARN: Text = text(
    10,
    1224,
    r"arn:aws(-[a-z]{1,5}){0,3}:sso:::permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}",
    |it| {
        after_partition(it, ":sso:::permissionSet/")
            .and_then(|rest| rest.split_once('/'))
            .is_some_and(|(instance, set)| is_instance_id(instance) && is_permission_set_id(set))
    },
);
pub(super) static TAGGABLE_ARN: Text = text(
    10,
    2048,
    r"arn:aws(-[a-z]{1,5}){0,3}:sso::(\d{12}){0,1}:(instance|permissionSet|application|trustedTokenIssuer)/.*",
    |it| {
        after_partition(it, ":sso::").and_then(|rest| rest.split_once(':')).is_some_and(|(account, resource)| {
            (account.is_empty() || is_account_id(account))
                && resource.split_once('/').is_some_and(|(kind, _)| {
                    matches!(kind, "instance" | "permissionSet" | "application" | "trustedTokenIssuer")
                })
        })
    },
);
pub(super) static PERMISSION_SET_NAME: Text = text(1, 32, r"[\w+=,.@-]+", is_name);
pub(super) static DESCRIPTION: Text = text(1, 700, r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", |it| {
    it.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7E}' | '\u{A1}'..='\u{FF}'))
});
pub(super) static SESSION_DURATION: Text = text(
    1,
    100,
    r"(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    |it| duration_seconds(it).is_some(),
);
pub(super) static RELAY_STATE: Text = text(1, 240, r#"[a-zA-Z0-9&$@#\\\/%?=~\-_'"|!:,.;*+\[\]\ \(\)\{\}]+"#, |it| {
    some(it, |c| c.is_ascii_alphanumeric() || r#"&$@#\/%?=~-_'"|!:,.;*+[] (){}"#.contains(c))
});
pub(super) static INLINE_POLICY: Text = text(1, 32768, r"[\u0009\u000A\u000D\u0020-\u00FF]+", |it| {
    some(it, |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FF}'))
});
pub(super) static MANAGED_POLICY_ARN: Text = text(
    20,
    2048,
    r"arn:aws(-[a-z]{1,5}){0,3}:iam::aws:policy((/[A-Za-z0-9\.,\+@=_-]+)*)/([A-Za-z0-9\.,\+=@_-]+)",
    |it| {
        after_partition(it, ":iam::aws:policy/")
            .is_some_and(|path| path.split('/').all(|part| some(part, is_path_char)))
    },
);
pub(super) static POLICY_NAME: Text = text(1, 128, r"[\w+=,.@-]+", is_name);
pub(super) static POLICY_PATH: Text = text(1, 512, r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", |it| match it.strip_prefix('/') {
    Some("") => true,
    Some(rest) => rest.strip_suffix('/').is_some_and(|parts| parts.split('/').all(|part| some(part, is_path_char))),
    None => false,
});
pub(super) static ACCOUNT_ID: Text = text(12, 12, r"\d{12}", is_account_id);
pub(super) static PRINCIPAL_ID: Text = text(
    1,
    47,
    r"([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
    is_principal_id,
);
pub(super) static REQUEST_ID: Text =
    text(36, 36, r"\b[0-9a-f]{8}\b-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-\b[0-9a-f]{12}\b", |it| {
        is_uuid(it) && !it.bytes().any(|b| b.is_ascii_uppercase())
    });
pub(super) static SSO_TOKEN: Text =
    text(0, 2048, r"[-a-zA-Z0-9+=/_]*", |it| it.chars().all(|c| c.is_ascii_alphanumeric() || "-+=/_".contains(c)));
pub(super) static TAG_KEY: Text = text(1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", is_tag);
pub(super) static TAG_VALUE: Text = text(0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", is_tag);

pub(super) static IDENTITY_STORE_ID: Text = text(
    1,
    93,
    r"(arn:aws(-[a-z]{1,5}){0,3}:identitystore::\d{12}:identitystore/)?(d-[0-9a-f]{10}|[0-9a-f]{8}\b-[0-9a-f]{4}\b-[0-9a-f]{4}\b-[0-9a-f]{4}\b-[0-9a-f]{12})",
    |it| {
        let id = match after_partition(it, ":identitystore::") {
            Some(rest) => {
                rest.split_once(":identitystore/").filter(|(account, _)| is_account_id(account)).map(|(_, id)| id)
            }
            None => Some(it),
        };
        id.is_some_and(|id| is_store_id(id) || (is_uuid(id) && !id.bytes().any(|b| b.is_ascii_uppercase())))
    },
);
pub(super) static RESOURCE_ID: Text = text(
    1,
    100,
    r"(arn:aws(-[a-z]{1,5}){0,3}:identitystore:::(user|group|membership)/)?([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}",
    |it| match after_partition(it, ":identitystore:::") {
        Some(rest) => rest
            .split_once('/')
            .is_some_and(|(kind, id)| matches!(kind, "user" | "group" | "membership") && is_principal_id(id)),
        None => is_principal_id(it),
    },
);
pub(super) static STORE_TOKEN: Text =
    text(1, 65535, r"[-a-zA-Z0-9+=/:_]*", |it| it.chars().all(|c| c.is_ascii_alphanumeric() || "-+=/:_".contains(c)));
pub(super) static USER_NAME: Text = text(1, 128, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |it| some(it, is_printed));
pub(super) static GROUP_NAME: Text = text(1, 1024, r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r  　]+", |it| some(it, is_prose));
pub(super) static PROSE: Text = text(1, 1024, r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r  　]+", |it| some(it, is_prose));
pub(super) static ATTRIBUTE_PATH: Text = text(1, 255, r"\p{L}+(?:\.\p{L}+){0,2}", |it| {
    it.split('.').count() <= 3 && it.split('.').all(|part| some(part, char::is_alphabetic))
});
pub(super) static ISSUER: Text = text(1, 100, r"(?!(?i)(arn|aws):).{1,100}", |it| {
    let name = it.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
    !matches!(name.as_deref(), Some("arn" | "aws"))
});
pub(super) static EXTERNAL_ID: Text = text(1, 256, r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r  　]+", |it| some(it, is_prose));
pub(super) static ORGANIZATIONS_TOKEN: Text = text(0, 100_000, r"[\s\S]*", |_| true);

/// The seconds of an ISO-8601 duration as the model's pattern admits it; a year is taken as 365 days, a month as 30.
pub(super) fn duration_seconds(text: &str) -> Option<f64> {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let text = text.strip_prefix('P')?;
    let first = text.strip_prefix('T').unwrap_or(text);
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let days = fields(date, &[('Y', 365.0), ('M', 30.0), ('D', 1.0), ('W', 7.0)])?;
    let seconds = fields(time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
    Some(sign * (days * 86_400.0 + seconds))
}

// Numbers with designators in the order of `units`, each at most once; D and W exclude each other, a fraction only before S.
fn fields(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut units = units.iter();
    let mut sum = 0.0;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at_checked(end)?;
        let mut letters = rest.chars();
        let letter = letters.next()?;
        let (_, worth) = units.find(|(unit, _)| *unit == letter)?;
        if letter == 'D' {
            // Takes W off the list.
            units.next();
        }
        let whole = number.bytes().all(|b| b.is_ascii_digit());
        let fraction = number
            .split_once('.')
            .is_some_and(|(a, b)| some(a, |c| c.is_ascii_digit()) && some(b, |c| c.is_ascii_digit()));
        if number.is_empty() || !(whole || (letter == 'S' && fraction)) {
            return None;
        }
        sum += number.parse::<f64>().ok()? * worth;
        text = letters.as_str();
    }
    Some(sum)
}

/// What follows `arn:aws(-[a-z]{1,5}){0,3}` and then `middle`.
fn after_partition<'a>(arn: &'a str, middle: &str) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws")?;
    let (parts, _) = rest.split_once(':')?;
    let mut words = parts.split('-');
    let fits = words.next() == Some("")
        && parts.matches('-').count() <= 3
        && words.all(|word| (1..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()));
    rest.strip_prefix(parts).filter(|_| fits)?.strip_prefix(middle)
}

fn some(text: &str, accepts: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(accepts)
}

fn hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    lengths.into_iter().all(|length| parts.next().is_some_and(|part| hex(part, length))) && parts.next().is_none()
}

fn is_principal_id(text: &str) -> bool {
    let bare = text.split_once('-').and_then(|(first, rest)| {
        let older = hex(first, 10) && !first.bytes().any(|b| b.is_ascii_uppercase());
        older.then_some(rest)
    });
    is_uuid(bare.unwrap_or(text))
}

pub(super) fn is_store_id(text: &str) -> bool {
    text.strip_prefix("d-").is_some_and(|id| hex(id, 10) && !id.bytes().any(|b| b.is_ascii_uppercase()))
}

fn is_instance_id(text: &str) -> bool {
    let bare = text.strip_prefix("sso").unwrap_or(text);
    bare.strip_prefix("ins-")
        .is_some_and(|id| id.len() == 16 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)))
}

pub(super) fn is_permission_set_id(text: &str) -> bool {
    text.strip_prefix("ps-")
        .is_some_and(|id| id.len() == 16 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-./".contains(c)))
}

pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    some(text, |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

fn is_path_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".,+@=_-".contains(c)
}

// \p{L}, \p{Z} and \p{N} by the tables of the standard library, which are a little wider (combining letters count as letters).
fn is_tag(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_alphabetic() || c.is_numeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
    })
}

// \p{L}\p{M}\p{S}\p{N}\p{P} by exclusion: no control, no blank, no invisible format character.
fn is_printed(c: char) -> bool {
    let format = matches!(
        c,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
    );
    !c.is_control() && !c.is_whitespace() && !format
}

fn is_prose(c: char) -> bool {
    is_printed(c) || matches!(c, '\t' | '\n' | '\r' | ' ' | '\u{A0}' | '\u{3000}')
}
