//! The few styles that are used. Each only underlines what the text says already.

use std::fmt::{self, Display, Formatter};

use anstyle::{AnsiColor, Style};

/// Text in a style.
#[derive(Clone, Copy, Debug)]
pub struct Styled<T>(Style, T);

impl<T: Display> Display for Styled<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0, self.1, self.0.render_reset())
    }
}

macro_rules! styles {
    ($($(#[$doc:meta])* $name:ident = $style:expr;)+) => {$(
        $(#[$doc])*
        pub fn $name<T: Display>(text: T) -> Styled<T> {
            Styled($style, text)
        }
    )+};
}

styles! {
    /// Something comes into being.
    added = AnsiColor::Green.on_default();
    /// Something goes away.
    removed = AnsiColor::Red.on_default();
    /// Something changes.
    changed = AnsiColor::Yellow.on_default();
    /// Something is brought up to date.
    provisioned = AnsiColor::Cyan.on_default();
    /// A heading.
    heading = Style::new().bold();
    /// Something that matters less.
    faint = Style::new().dimmed();
    /// An error's first word.
    error = AnsiColor::Red.on_default().bold();
    /// A warning's first word.
    warning = AnsiColor::Yellow.on_default().bold();
    /// A hint's first word.
    hint = AnsiColor::Cyan.on_default().bold();
    /// Good news.
    success = AnsiColor::Green.on_default().bold();
}
