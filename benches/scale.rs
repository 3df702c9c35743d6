//! The largest worlds, without AWS: `cargo bench --bench scale`.
//!
//! Makes snapshots of 10,000, 100,000 and 1,000,000 assignments with the access files that declare them, and runs the real program
//! on each: `validate`, `plan --observed` when nothing is to be done, when one line changed, and when everything is to be made.
//! Prints seconds (the best of three) and peak memory. Folders for `perf` and the like: `cargo bench --bench scale -- FOLDER`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "it reports to a person"
)]

mod estate;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use estate::{HELD_BY, IN_ACCOUNTS, SIZES, make};

fn main() {
    let named = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let kept = tempfile::tempdir().unwrap();
    let folder = named.unwrap_or_else(|| kept.path().to_owned());
    let start = best(&folder, &["--version"]);
    println!("--version: {:.1} ms, {} MiB", start.seconds * 1000.0, start.mebibytes);
    println!("| assignments | snapshot | lines | validate | nothing to do | one line changed | all to make |");
    println!("|---|---|---|---|---|---|---|");
    for size in SIZES {
        let assignments = size.sets * IN_ACCOUNTS * HELD_BY;
        let folder = folder.join(assignments.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        make(&folder, &size);
        let mebibytes = std::fs::metadata(folder.join("observed.permset")).unwrap().len() as f64 / 1_048_576.0;
        let lines = std::fs::read_to_string(folder.join("access.yaml")).unwrap().lines().count();
        let plan = |file: &str, observed: &str| best(&folder, &["-q", "-f", file, "plan", "--observed", observed]);
        let (validate, same) = (best(&folder, &["-q", "validate"]), plan("access.yaml", "observed.permset"));
        let (one, all) = (plan("one.yaml", "observed.permset"), plan("access.yaml", "empty.permset"));
        println!("| {} | {mebibytes:.1} MiB | {lines} | {validate} | {same} | {one} | {all} |", assignments);
    }
}

/// What a run took.
struct Took {
    seconds: f64,
    mebibytes: u64,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} s, {} MiB", self.seconds, self.mebibytes)
    }
}

fn best(folder: &Path, args: &[&str]) -> Took {
    let runs = (0..3).map(|_| run(folder, args));
    runs.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap()
}

fn run(folder: &Path, args: &[&str]) -> Took {
    let output = std::fs::File::create(folder.join("output.txt")).unwrap();
    let begun = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_permset"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output)
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        peak = peak.max(resident(process.id()));
        std::thread::sleep(Duration::from_millis(1));
    };
    if !status.success() {
        panic!("{args:?}: {status}");
    }
    Took { seconds: begun.elapsed().as_secs_f64(), mebibytes: peak }
}

/// The most that a process has held so far, in MiB; 0 where the system does not tell.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}
