//! The real binary in an empty folder with an empty environment.

use std::process::{Command, Output, Stdio};

/// A folder of its own for one test, and the program in it.
pub struct Cli {
    pub dir: tempfile::TempDir,
}

impl Cli {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder that holds the example and the starter world with jobs that end at once.
    pub fn with_example() -> Self {
        let cli = Self::new();
        cli.write("access.yaml", include_str!("../../../access.yaml.example"));
        cli.command(&["sandbox", "init", "--world", "world.json"]);
        let world = cli.read("world.json").replace("\"job_seconds\": null", "\"job_seconds\": 0.0");
        cli.write("world.json", &world);
        cli
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The program with arguments, not yet started.
    pub fn prepare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_permset"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            // Without it the SDK would look for the metadata service of a virtual machine.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    pub fn command(&self, args: &[&str]) -> Output {
        self.prepare(args).output().unwrap()
    }

    /// Exit code, stdout and stderr as one text, with what differs from run to run taken out.
    pub fn snapshot(&self, args: &[&str]) -> String {
        self.transcript(args, &self.command(args))
    }

    pub fn transcript(&self, args: &[&str], output: &Output) -> String {
        let mut text = format!("$ permset {}\nexit: {}\n", args.join(" "), output.status.code().unwrap_or(-1));
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                text.push_str(&format!("----- {name}\n{}", String::from_utf8_lossy(bytes)));
            }
        }
        text.replace(&self.dir.path().display().to_string(), "DIR")
    }
}

/// The exit code of a finished program.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
