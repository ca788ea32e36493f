/// A time in seconds since 1970, for people: `2026-11-21 19:30:00 UTC`.
pub(super) fn date(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "out of range it is the end of time, which is right")]
    let seconds = seconds.floor().clamp(0.0, LATEST) as i64;
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March here, so that the day that is left out sometimes is the last: 719 468 days before 1970 began year 0.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", time / 3600, time / 60 % 60, time % 60)
}

/// The end of the year 9999.
const LATEST: f64 = 253_402_300_799.0;

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (seconds, expected) in [
            (0.0, "1970-01-01 00:00:00 UTC"),
            (951_782_400.0, "2000-02-29 00:00:00 UTC"),
            (1_800_000_000.9, "2027-01-15 08:00:00 UTC"),
            (4_107_542_399.0, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400.0, "2100-03-01 00:00:00 UTC"),
            (-5.0, "1970-01-01 00:00:00 UTC"),
            (1e300, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds), expected, "{seconds}");
        }
    }
}
