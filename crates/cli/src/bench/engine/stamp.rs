use memchr::memmem;

/// What every published message carries, so that who receives it knows when it was sent and whether one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Stamp {
    /// Nanoseconds since the beginning of the run.
    pub(in crate::bench) sent: u64,
    /// Counted from 1; [`PROBE`] for what is published only to see who listens.
    pub(in crate::bench) number: u32,
}

impl Stamp {
    /// Appends it in characters that JSON does not escape and no server has a reason to change.
    pub(in crate::bench) fn write(self, out: &mut Vec<u8>) {
        let Self { sent, number } = self;
        out.extend_from_slice(MARK);
        out.extend_from_slice(format!("{sent:016x}{number:08x}").as_bytes());
    }

    fn read(digits: &[u8]) -> Option<Self> {
        let (sent, number) = digits.split_at_checked(16)?;
        Some(Self { sent: hexadecimal(sent)?, number: u32::try_from(hexadecimal(number)?).ok()? })
    }
}

/// Finds stamps.
#[derive(Debug)]
pub(in crate::bench) struct Finder(memmem::Finder<'static>);

impl Finder {
    pub(in crate::bench) fn new() -> Self {
        Self(memmem::Finder::new(MARK))
    }

    /// Every stamp of a frame's payload: servers may put several messages into one.
    pub(in crate::bench) fn each(&self, payload: &[u8], mut found: impl FnMut(Stamp)) {
        let mut rest = payload;
        while let Some(at) = self.0.find(rest) {
            rest = &rest[at + MARK.len()..];
            if let Some(stamp) = rest.get(..DIGITS).and_then(Stamp::read) {
                found(stamp);
            }
        }
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(number << 4 | u64::from(value))
    })
}

/// The number of messages that do not count.
pub(in crate::bench) const PROBE: u32 = 0;
/// Rare enough not to occur in a channel name or a coordinate.
const MARK: &[u8] = b"geocast-bench~";
const DIGITS: usize = 24;
/// How many bytes a stamp takes.
pub(in crate::bench) const STAMP: usize = MARK.len() + DIGITS;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(finder: &Finder, payload: &[u8], expected: &[Stamp]) {
        let mut found = Vec::new();
        finder.each(payload, |stamp| found.push(stamp));
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(payload));
    }

    fn message(before: &str, stamp: Stamp) -> Vec<u8> {
        let mut message = before.as_bytes().to_vec();
        stamp.write(&mut message);
        message.extend(b"\",\"pad\":\"xxx\"}");
        message
    }

    #[test]
    fn stamps_are_found_wherever_they_are() {
        let finder = Finder::new();
        let one = Stamp { sent: 1, number: 2 };
        let two = Stamp { sent: u64::MAX, number: u32::MAX };
        check(&finder, b"", &[]);
        check(&finder, b"{\"content\":null}", &[]);
        check(&finder, &message("{\"a\":\"", one), &[one]);
        check(&finder, &message("{\"a\":\"", two), &[two]);
        check(&finder, &message("elsewhere {\"a\":\"", two), &[two]);
        check(&finder, &message("", one), &[one]);
        let both = [message("[", one), message(",", two)].concat();
        check(&finder, &both, &[one, two]);
    }

    #[test]
    fn what_looks_like_a_stamp_is_none() {
        let finder = Finder::new();
        let texts = [
            "geocast-bench~",
            "geocast-bench~000000000000000100000",
            "geocast-bench~00000000000000xx00000001",
        ];
        for text in texts {
            check(&finder, text.as_bytes(), &[]);
        }
        let one = Stamp { sent: 3, number: 4 };
        check(&finder, &[b"geocast-bench~zz".to_vec(), message("", one)].concat(), &[one]);
        assert_eq!(message("", one).len(), STAMP + 14);
    }
}
