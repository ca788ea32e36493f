//! Numbers as people read them: few digits, and a unit.

/// Bytes.
pub(super) fn bytes(number: f64) -> String {
    let mut number = number;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if number < 1024.0 {
            return format!("{} {unit}", digits(number, unit == "B"));
        }
        number /= 1024.0;
    }
    format!("{} TiB", digits(number, false))
}

/// So many a second; a dash where it is not known.
pub(super) fn rate(number: Option<f64>) -> String {
    match number {
        None => "–".to_owned(),
        Some(number) if number < 1_000.0 => digits(number, number.fract() == 0.0),
        Some(number) => grouped(number.round() as u64),
    }
}

/// With a space between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time of the length that matters: its two largest units.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 0.001 {
        return format!("{} µs", (seconds * 1e6).round());
    }
    if seconds < 1.0 {
        return format!("{} ms", digits(seconds * 1000.0, false));
    }
    let whole = seconds as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400);
    match whole {
        0..60 => format!("{} s", digits(seconds, seconds >= 10.0)),
        60..3600 => format!("{minutes} min {} s", whole % 60),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// The time of day (UTC) of a moment in milliseconds since 1970.
pub(super) fn clock(millis: f64) -> String {
    let seconds = (millis / 1000.0) as u64 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Three digits, or whole ones.
fn digits(number: f64, is_whole: bool) -> String {
    match number {
        _ if is_whole => format!("{number:.0}"),
        number if number < 9.95 => format!("{number:.1}"),
        number => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_a_unit() {
        for (number, expected) in [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1536.0, "1.5 KiB"),
            (30_000_000.0, "29 MiB"),
            (5e13, "45 TiB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
        for (number, expected) in [
            (Some(0.0), "0"),
            (Some(0.25), "0.2"),
            (Some(33.4), "33"),
            (Some(34_201.4), "34 201"),
            (None, "–"),
        ] {
            assert_eq!(rate(number), expected);
        }
        for (seconds, expected) in [
            (0.0004, "400 µs"),
            (0.0012, "1.2 ms"),
            (4.25, "4.2 s"),
            (59.9, "60 s"),
            (133.0, "2 min 13 s"),
            (8_000.0, "2 h 13 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(time(seconds), expected);
        }
        assert_eq!(clock(1_763_752_984_500.0), "19:23:04");
        assert_eq!([grouped(7), grouped(1_000), grouped(1_234_567)], ["7", "1 000", "1 234 567"]);
    }
}
