//! Dates after which a line of the access file grants nothing.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use crate::model::{Expiry, Finding, Located, Shown};

/// How long before its end a line is mentioned.
const SOON: i64 = 14;

/// Reads the date of a line, and says if it has passed or will soon.
pub(super) fn lower(written: Located<String>, now: Timestamp, findings: &mut Vec<Finding>) -> Option<Expiry> {
    let Located { value: text, place } = written;
    let Some(end) = end(&text) else {
        let finding = Finding::error(place, format!("`{}` is no date", Shown(&text)));
        findings.push(finding.hint("write a day as in `2027-01-31`, which ends it with that day in UTC, or a time as in `2027-01-31T18:00:00+01:00`"));
        return None;
    };
    let passed = end <= now;
    if passed {
        let finding = Finding::warning(place, format!("this line expired on {text} and grants nothing"));
        findings.push(finding.hint("apply revokes what only it granted; remove the line, or give it a later date"));
    } else if end.duration_since(now).as_hours() < SOON * 24 {
        findings.push(Finding::warning(
            place,
            format!("this line expires on {text}: after that apply revokes what only it grants"),
        ));
    }
    Some(Expiry { written: text, place, passed })
}

/// The first moment at which it no longer holds: after the day, where only a day is written.
fn end(text: &str) -> Option<Timestamp> {
    // jiff reads more than one way to write a date; whoever reads the file knows this one.
    let is_day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if !is_day {
        return text.contains('T').then(|| text.parse().ok()).flatten();
    }
    let day: Date = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(day.checked_add(1.day()).ok()?.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::{end, lower};
    use crate::model::{Located, Place};

    #[test]
    fn a_day_ends_with_its_last_moment_in_utc() {
        let at = |text: &str| end(text).map(|it| it.to_string());
        assert_eq!(at("2027-01-31").as_deref(), Some("2027-02-01T00:00:00Z"));
        assert_eq!(at("2028-02-29").as_deref(), Some("2028-03-01T00:00:00Z"));
        assert_eq!(at("2027-01-31T18:00:00+01:00").as_deref(), Some("2027-01-31T17:00:00Z"));
        for wrong in
            ["", "tomorrow", "31.01.2027", "2027-02-29", "2027-1-31", "20270131", "2027-01-31T18:00:00", "9999-12-31"]
        {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_ends_within_two_weeks_is_mentioned() -> Result<(), jiff::Error> {
        for (now, passed, said) in [
            ("2027-01-17T00:00:00Z", false, None),
            ("2027-01-18T00:00:01Z", false, Some("expires on 2027-01-31")),
            ("2027-01-31T23:59:59Z", false, Some("expires on 2027-01-31")),
            ("2027-02-01T00:00:00Z", true, Some("expired on 2027-01-31")),
        ] {
            let mut findings = Vec::new();
            let expiry = lower(Located::new("2027-01-31".to_owned(), Place::default()), now.parse()?, &mut findings);
            assert_eq!(expiry.map(|it| it.passed), Some(passed), "{now}");
            let words: String = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert!(said.map_or(words.is_empty(), |said| words.contains(said)), "{now}: {words}");
        }
        Ok(())
    }
}
