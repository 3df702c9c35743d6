//! Session durations, compared as time: `4h`, `240m` and `PT4H` are one.

use std::fmt::{self, Display, Formatter, Write as _};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a session of a permission set lasts, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SessionDuration(u32);

/// Why a text is no session duration.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DurationError {
    /// Not a duration at all.
    #[error("a duration looks like `4h`, `90m`, `1h30m` or `PT4H`")]
    Form,
    /// Outside of what AWS accepts.
    #[error("a session lasts 1 to 12 hours, not {0}")]
    Range(String),
}

impl SessionDuration {
    /// One hour: what AWS uses when a permission set names none (CreatePermissionSet, API reference).
    pub const DEFAULT: Self = Self(3600);
    const LONGEST: u32 = 12 * 3600;

    /// Reads `4h`, `90m`, `1h30m` or the ISO 8601 form `PT4H`, and nothing else.
    ///
    /// # Errors
    /// [`DurationError::Form`], or [`DurationError::Range`] outside 1 to 12 hours (Identity Center user guide).
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let duration = Self::parse_any(text)?;
        if (Self::DEFAULT.0..=Self::LONGEST).contains(&duration.0) {
            Ok(duration)
        } else {
            Err(DurationError::Range(duration.to_string()))
        }
    }

    /// Reads a duration as AWS answers it, whatever its length.
    ///
    /// # Errors
    /// [`DurationError::Form`] if the text is no duration in hours, minutes and seconds.
    pub fn parse_any(text: &str) -> Result<Self, DurationError> {
        // The library also reads `4 hours` and `4h ago`; an access file has one way to write a thing.
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b"hmsPTHMS.".contains(&b));
        if !plain {
            return Err(DurationError::Form);
        }
        let duration: SignedDuration = text.parse().map_err(|_| DurationError::Form)?;
        u32::try_from(duration.as_secs()).map(Self).map_err(|_| DurationError::Form)
    }

    /// Returns the ISO 8601 form that the API takes, such as `PT1H30M`.
    pub fn to_iso(self) -> String {
        let mut iso = String::from("PT");
        self.write_parts(&mut iso, ["H", "M", "S"]).unwrap_or_default();
        if iso == "PT" { "PT0S".to_owned() } else { iso }
    }

    fn write_parts(self, out: &mut impl fmt::Write, units: [&str; 3]) -> fmt::Result {
        let counts = [self.0 / 3600, self.0 / 60 % 60, self.0 % 60];
        for (count, unit) in counts.into_iter().zip(units) {
            if count > 0 {
                write!(out, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl From<SessionDuration> for String {
    fn from(duration: SessionDuration) -> Self {
        duration.to_iso()
    }
}

impl TryFrom<String> for SessionDuration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        Self::parse_any(&text)
    }
}

impl Display for SessionDuration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_char('0');
        }
        self.write_parts(f, ["h", "m", "s"])
    }
}

#[cfg(test)]
mod tests {
    use super::{DurationError, SessionDuration};

    #[test]
    fn spellings_of_one_time_are_equal() {
        let four = SessionDuration::parse("4h");
        for same in ["PT4H", "240m", "PT240M", "3h60m", "14400s"] {
            assert_eq!(SessionDuration::parse(same), four, "{same}");
        }
        assert_eq!(
            SessionDuration::parse("1h30m").map(|d| (d.to_iso(), d.to_string())),
            Ok(("PT1H30M".into(), "1h30m".into()))
        );
    }

    #[test]
    fn refuses_other_forms_and_lengths() {
        for wrong in ["", "4", "4 h", "4 hours", "4h ago", "-4h", "P1D", "four", "4h\u{1b}"] {
            assert_eq!(SessionDuration::parse(wrong), Err(DurationError::Form), "{wrong}");
        }
        for outside in ["59m", "13h", "PT12H1S", "0s"] {
            assert!(matches!(SessionDuration::parse(outside), Err(DurationError::Range(_))), "{outside}");
        }
    }
}
