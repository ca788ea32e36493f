use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From when until when a certificate is valid (RFC 5280 §4.1.2.5), in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    from: i64,
    until: i64,
}

impl Validity {
    /// Reads it off a certificate in DER; nothing if that is otherwise built than certificates are.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let mut certificate = content(&mut &*certificate, SEQUENCE)?;
        let mut signed = content(&mut certificate, SEQUENCE)?;
        if signed.first() == Some(&VERSION) {
            content(&mut signed, VERSION)?;
        }
        content(&mut signed, INTEGER)?;
        // The algorithm of the signature and the name of the issuer.
        content(&mut signed, SEQUENCE)?;
        content(&mut signed, SEQUENCE)?;
        let mut validity = content(&mut signed, SEQUENCE)?;
        Some(Self { from: time(&mut validity)?, until: time(&mut validity)? })
    }

    /// When it ends; the epoch, where it ended before.
    pub(super) fn until(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(self.until).unwrap_or_default())
    }

    /// What an operator has to know of it, if there is something.
    pub(super) fn trouble(self, now: SystemTime) -> Option<String> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let days = |seconds: i64| seconds / DAY;
        if now > self.until {
            Some(format!("has expired {} days ago: clients refuse it", days(now - self.until)))
        } else if now < self.from {
            Some(format!("is not valid before {} days from now: clients refuse it", days(self.from - now)))
        } else if self.until - now < SOON {
            Some(format!("expires in {} days", days(self.until - now)))
        } else {
            None
        }
    }
}

/// Takes an element of this kind and returns what is in it (X.690 §8.1).
fn content<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, content) = element(rest)?;
    (found == tag).then_some(content)
}

fn element<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], behind) = rest.split_first_chunk()?;
    let (length, behind) = match first {
        0..=0x7f => (usize::from(first), behind),
        0x81..=0x83 => {
            let (length, behind) = behind.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), behind)
        }
        _ => return None,
    };
    let (content, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some((tag, content))
}

/// `YYMMDDHHMMSSZ`, of the years 1950 to 2049, or the same with four digits for the year.
fn time(rest: &mut &[u8]) -> Option<i64> {
    let (tag, text) = element(rest)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let digits = match tag {
        UTC_TIME if text.len() == 12 => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = number(8, 10)? * 3600 + number(10, 12)? * 60 + number(12, 14)?;
    Some(days(year, month, day) * DAY + seconds)
}

/// Days from the epoch to a day of the Gregorian calendar. Years are counted from March, so that the day that some have
/// more comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in five months, from March on; and 719 468 from the first of March of the year 0 to the epoch.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// `[0]`, which certificates of version 1 do not have.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const DAY: i64 = 24 * 60 * 60;

/// Who renews certificates by program does so a month before.
const SOON: i64 = 7 * DAY;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(from: i32, until: i32) -> Vec<u8> {
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(from, 2, 28);
        parameters.not_after = date_time_ymd(until, 3, 1);
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2024, 2, 29), 19_782),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
    }

    #[test]
    fn what_is_out_of_date_is_said() {
        let at = |year, month, day| UNIX_EPOCH + Duration::from_secs((days(year, month, day) * DAY) as u64);
        for (from, until) in [(1999, 2024), (1999, 2051), (2052, 2060)] {
            let validity = Validity::of(&certificate(from, until)).unwrap();
            let said = |now| validity.trouble(now).unwrap_or_default();
            let (from, until) = (i64::from(from), i64::from(until));
            assert_eq!(said(at(until, 3, 3)), "has expired 2 days ago: clients refuse it");
            assert_eq!(
                said(at(until, 2, 27)),
                format!("expires in {} days", if until % 4 == 0 { 3 } else { 2 })
            );
            assert_eq!(said(at(until - 1, 3, 1)), "");
            assert_eq!(said(at(from, 2, 28)), "");
            assert_eq!(said(at(from, 2, 26)), "is not valid before 2 days from now: clients refuse it");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_validity() {
        let sound = certificate(2020, 2030);
        for length in 0..sound.len() {
            assert_eq!(Validity::of(&sound[..length]), None, "{length}");
        }
        for broken in [&b""[..], b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", b"\x30\x00"] {
            assert_eq!(Validity::of(broken), None);
        }
    }
}
