use std::{fs, io, path::PathBuf, time::Duration};

use thiserror::Error;

/// What a process has used, as Linux tells it (proc(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Usage {
    /// In user mode and in the kernel, of all its threads. Counted in ticks of usually 10 ms.
    pub(in crate::bench) cpu: Duration,
    /// Resident memory in bytes. What the kernel keeps for its sockets is not part of it.
    pub(in crate::bench) resident: u64,
}

/// Why it is not known.
#[derive(Debug, Error)]
pub(in crate::bench) enum UsageError {
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} has no {what}")]
    Missing { path: PathBuf, what: &'static str },
}

impl Usage {
    /// Of the process with that number, so far.
    pub(in crate::bench) fn of(process: u32) -> Result<Self, UsageError> {
        let read = |name: &str| {
            let path = PathBuf::from(format!("/proc/{process}/{name}"));
            match fs::read_to_string(&path) {
                Ok(text) => Ok((path, text)),
                Err(source) => Err(UsageError::Read { path, source }),
            }
        };
        let (path, stat) = read("stat")?;
        let ticks = ticks(&stat).ok_or(UsageError::Missing { path, what: "processor time" })?;
        let cpu = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        let (path, status) = read("status")?;
        let resident = resident(&status).ok_or(UsageError::Missing { path, what: "resident memory" })?;
        Ok(Self { cpu, resident })
    }
}

/// `utime` and `stime`, the 14th and 15th field. The second is the name in brackets, with whatever it contains.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read_whatever_the_name() {
        let stat = "1234 (a) b (c) 9 9 9 9) S 1 1234 1234 0 -1 4194560 100 0 0 0 250 31 7 8 20 0 5 0 999";
        assert_eq!(ticks(stat), Some(281));
        assert_eq!(ticks("1234 (x) S 1 2"), None);
        assert_eq!(ticks(""), None);
        let status = "Name:\tVmRSS: 7\nVmPeak:\t  9 kB\nVmRSS:\t   12345 kB\nThreads:\t1\n";
        assert_eq!(resident(status), Some(12_345 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
        assert_eq!(resident("VmRSS:\t12 MB\n"), None);
    }

    #[test]
    fn this_process_uses_something() {
        let before = Usage::of(std::process::id()).unwrap();
        assert!(before.resident > 100 << 10);
        let start = std::time::Instant::now();
        let mut sum = 0_u64;
        while start.elapsed() < Duration::from_millis(100) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(Usage::of(std::process::id()).unwrap().cpu > before.cpu);
        assert!(Usage::of(u32::MAX).is_err());
    }
}
