use std::{fs, io, time::Duration};

use rustix::param::{clock_ticks_per_second, page_size};

use super::family::Family;

/// What the system says about this process, as far as it says something: Linux does, in `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Process {
    usage: Option<Usage>,
    open_files: Option<u64>,
    most_files: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Usage {
    processor: Duration,
    /// Since the epoch.
    started: Duration,
    threads: u64,
    /// In bytes.
    virtual_memory: u64,
    resident: u64,
}

impl Process {
    /// Asks, which takes long where many files are open: not for a thread that must not wait.
    pub(super) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        let booted = read("/proc/stat").and_then(|text| booted(&text));
        let usage = read("/proc/self/stat").zip(booted).and_then(|(text, booted)| {
            Usage::read(&text, booted, clock_ticks_per_second(), page_size() as u64)
        });
        let most_files = read("/proc/self/limits").and_then(|text| most_files(&text));
        Self { usage, open_files: open_files().ok(), most_files }
    }

    /// Under the names that the field has for it.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut families = Vec::new();
        if let Some(Usage { processor, started, threads, virtual_memory, resident }) = self.usage {
            families.extend([
                Family::counter(
                    "process_cpu_seconds",
                    "Processor time of all threads, in user and kernel mode.",
                )
                .is(processor.as_secs_f64()),
                Family::gauge(
                    "process_start_time_seconds",
                    "When the process started, in seconds since 1970.",
                )
                .is(started.as_secs_f64()),
                Family::gauge("process_threads", "Threads of the process.").is(threads),
                Family::gauge("process_virtual_memory_bytes", "Address space of the process.")
                    .is(virtual_memory),
                Family::gauge("process_resident_memory_bytes", "Memory that the process takes.").is(resident),
            ]);
        }
        let files = [
            ("process_open_fds", "Files and sockets that are open.", self.open_files),
            ("process_max_fds", "Files and sockets that may be open.", self.most_files),
        ];
        families.extend(
            files.into_iter().filter_map(|(name, help, value)| Some(Family::gauge(name, help).is(value?))),
        );
        families
    }
}

impl Usage {
    /// Reads `/proc/self/stat` (proc(5)): the name of the program, which may have any characters, ends at the last bracket.
    fn read(text: &str, booted: u64, ticks: u64, page: u64) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // The first of these is the third there.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let time = |count: u64| Some(Duration::from_millis(count.checked_mul(1000)?.checked_div(ticks)?));
        Some(Self {
            processor: time(field(14)? + field(15)?)?,
            started: Duration::from_secs(booted) + time(field(22)?)?,
            threads: field(20)?,
            virtual_memory: field(23)?,
            resident: field(24)?.checked_mul(page)?,
        })
    }
}

fn booted(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// The soft limit; none, if there is no number.
fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Since Linux 6.2 the size of the folder says it; before, its entries have to be counted, the one of reading it apart.
fn open_files() -> io::Result<u64> {
    let size = fs::metadata(DESCRIPTORS)?.len();
    if size > 0 {
        return Ok(size);
    }
    Ok((fs::read_dir(DESCRIPTORS)?.count() as u64).saturating_sub(1))
}

const DESCRIPTORS: &str = "/proc/self/fd";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_look_like_fields() {
        let text =
            "7 (a) 1 2) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 12 0 400 8192 3 18446744073709551615";
        let usage = Usage::read(text, 1_000, 100, 4_096);
        assert_eq!(
            usage,
            Some(Usage {
                processor: Duration::from_secs(2),
                started: Duration::from_secs(1_004),
                threads: 12,
                virtual_memory: 8_192,
                resident: 3 * 4_096
            })
        );
        for broken in
            ["", "7 (a", "7 (a) S 1 2", "7 (a) S 1 7 7 0 -1 4194560 9 0 0 0 x 50 0 0 20 0 12 0 400 8192 3"]
        {
            assert_eq!(Usage::read(broken, 1_000, 100, 4_096), None, "{broken}");
        }
    }

    #[test]
    fn limits_and_the_time_of_boot_are_found() {
        assert_eq!(booted("cpu 1 2\nbtime 1700000000\nprocesses 3\n"), Some(1_700_000_000));
        let line = "Max open files            1024                 524288               files\n";
        assert_eq!(most_files(line), Some(1024));
        assert_eq!(
            most_files("Max open files            unlimited            unlimited            files\n"),
            None
        );
        assert_eq!(most_files(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_told_of() {
        let names: Vec<&str> = Process::look().families().iter().map(|family| family.name).collect();
        assert_eq!(names.len(), 7, "{names:?}");
    }
}
