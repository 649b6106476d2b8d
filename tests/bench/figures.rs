//! Numbers: medians, quantiles, CPU time and memory as the kernel counts them.

use std::fs;
use std::time::Duration;

/// The middle of some numbers, with the least and the greatest.
pub struct Median {
    middle: f64,
    least: f64,
    greatest: f64,
}

impl Median {
    /// Of at least one number.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { middle: sorted[sorted.len() / 2], least: sorted[0], greatest: sorted[sorted.len() - 1] }
    }

    /// The middle one.
    pub fn middle(&self) -> f64 {
        self.middle
    }
}

impl std::fmt::Display for Median {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$} ({:.digits$}-{:.digits$})", self.middle, self.least, self.greatest)
    }
}

/// A quantile of durations, microseconds.
pub fn quantile(durations: &mut [Duration], share: f64) -> f64 {
    durations.sort_unstable();
    let place = ((durations.len() - 1) as f64 * share).round() as usize;
    durations[place].as_secs_f64() * 1e6
}

/// CPU time so far of this process's threads whose names begin with one of `names`, microseconds.
pub fn cpu_us(names: &[&str]) -> f64 {
    let mut nanos = 0_u64;
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
        if names.iter().any(|wanted| name.starts_with(wanted)) {
            let times = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            nanos += times.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    nanos as f64 / 1e3
}

/// Memory of this process that is in RAM now, KiB.
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Cores and load: a number without them says little.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let build = if cfg!(debug_assertions) { "DEBUG BUILD" } else { "release build" };
    format!("{build}, {cores} cores, load average {}", load.join(" "))
}
