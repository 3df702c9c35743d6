//! Foreign text made safe to print.

use std::fmt::{self, Display, Formatter, Write as _};

/// Shows text from a file or from AWS without letting it steer the terminal.
///
/// Control characters (a terminal escape begins with one), line breaks, and the invisible characters that reorder or
/// hide text are written as Rust escapes. A display name such as `\u{1b}[2Kadmins` could otherwise rewrite the very
/// plan that a reviewer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a>(pub &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if Self::is_treacherous(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

impl Shown<'_> {
    /// Returns whether a character could steer a terminal, or hide or reorder text. All of them have at most four
    /// hexadecimal digits.
    pub fn is_treacherous(c: char) -> bool {
        c.is_control()
            || matches!(c,
                '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn escapes_what_could_steer_a_terminal() {
        assert_eq!(Shown("a\u{1b}[31mb\n\u{202e}c\u{9b}é").to_string(), "a\\u{1b}[31mb\\n\\u{202e}c\\u{9b}é");
    }
}
