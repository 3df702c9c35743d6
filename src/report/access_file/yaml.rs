//! Texts, lists and policies as YAML that any parser reads back as what they are.

use serde_json::Value;

use crate::model::Shown;

/// How wide a list may be before it gets more lines.
const WIDTH: usize = 110;

/// Returns a text as a scalar: plain where nothing could take it for something else, in double quotes elsewhere.
pub fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-./@+=() ".contains(c);
    let word = text.to_ascii_lowercase();
    // What YAML 1.1 or 1.2 takes for something else than a text.
    let is_word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&word.as_str());
    starts && text.chars().all(inside) && !text.ends_with(' ') && !is_word
}

/// Returns a text in double quotes. JSON's escapes are YAML's as well; what could steer a terminal, or is not printable in YAML's
/// eyes, is escaped in addition.
pub fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        if Shown::is_treacherous(c) || matches!(c, '\u{7f}'..='\u{a0}' | '\u{fffe}' | '\u{ffff}') {
            quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            quoted.push(c);
        }
    }
    quoted
}

/// Returns texts, scalars already, as a list in brackets; a long one gets more lines, each `indent` in.
pub fn list(scalars: &[String], indent: usize) -> String {
    let line = format!("[{}]", scalars.join(", "));
    if line.chars().count() + indent <= WIDTH {
        return line;
    }
    let mut text = String::from("[");
    let mut width = WIDTH;
    for (index, scalar) in scalars.iter().enumerate() {
        let length = scalar.chars().count() + 2;
        if width + length > WIDTH {
            text.push_str(&format!("\n{:indent$}  ", ""));
            width = indent + 2;
        } else {
            text.push(' ');
        }
        width += length;
        text.push_str(scalar);
        text.push_str(if index + 1 < scalars.len() { "," } else { "" });
    }
    text.push_str(&format!("\n{:indent$}]", ""));
    text
}

/// Returns a value in blocks, each `indent` in, beginning where a key has just ended.
pub fn block(value: &Value, indent: usize) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let entry = |(key, value): (&String, &Value)| {
                format!("\n{:indent$}{}:{}", "", scalar(key), block(value, indent + 2))
            };
            map.iter().map(entry).collect()
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            let entry = |item: &Value| {
                let inner = block(item, indent + 2);
                // The first key stands behind the dash.
                format!("\n{:indent$}- {}", "", inner.trim_start())
            };
            items.iter().map(entry).collect()
        }
        Value::Array(items) => {
            let scalars: Vec<String> = items.iter().map(bare).collect();
            format!(" {}", list(&scalars, indent))
        }
        other => format!(" {}", bare(other)),
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{block, list, scalar};
    use serde_json::json;

    #[test]
    fn only_what_is_certainly_a_text_stands_without_quotes() {
        for plain in ["jitsi-admins", "alice@example.com", "Full access (all)", "/team/", "a.b_c+d=e"] {
            assert_eq!(scalar(plain), plain);
        }
        for text in [
            "", " a", "a ", "true", "No", "null", "1e3", "012", "*", "a: b", "a #b", "- a", "[x]", "a,b", "é", "&a",
            "!t", "a:b",
        ] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        assert_eq!(scalar("\u{1b}[2J\n\u{202e}\u{85}"), r#""\u001b[2J\n\u202e\u0085""#);
    }

    #[test]
    fn long_lists_get_more_lines() {
        let names: Vec<String> = (0..30).map(|n| format!("account-{n:02}")).collect();
        let text = list(&names, 4);
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.len() <= 112), "{text}");
        assert_eq!(list(&names.iter().take(2).cloned().collect::<Vec<_>>(), 4), "[account-00, account-01]");
    }

    #[test]
    fn a_policy_stands_in_blocks() {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*", "Condition": {"Bool": {"aws:x": "true"}}}, {"Effect": "Deny"}]});
        let expected = "\n  Version: \"2012-10-17\"\n  Statement:\n    - Effect: Allow\n      Action: [\"s3:*\"]\n      Resource: \"*\"\n      \
                        Condition:\n        Bool:\n          \"aws:x\": \"true\"\n    - Effect: Deny";
        assert_eq!(block(&policy, 2), expected);
    }
}
