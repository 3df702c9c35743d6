//! ISO-8601 durations as the model's pattern admits them, which has a look-ahead that no regular expression here can have.

/// The seconds of an ISO-8601 duration as the model's pattern admits it; a year is taken as 365 days, a month as 30.
pub(super) fn seconds(text: &str) -> Option<f64> {
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

fn some(text: &str, accepts: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(accepts)
}
