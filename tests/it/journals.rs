//! The journal of an apply, and what a later run makes of one that was cut short.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use permset::apply::journal::{self, Begin, Entry, Found, JOURNAL_VERSION, Journal, Line, Purpose};
use permset::apply::recover::{Ending, recover};
use permset::apply::{self, ApplyReport, CutShort, Failure, Outcome, Terms};
use permset::aws::{Access, Aws, Settled};
use permset::model::DesiredState;
use permset::plan::Plan;
use permset::sandbox::{Sandbox, starter};
use tokio::time::Instant;

use crate::served::serve;
use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::run;
use crate::support::tap::{Verdict, is_write, tapped};

fn begin(plan: &Plan) -> Begin {
    Begin {
        format_version: JOURNAL_VERSION,
        permset: "0".to_owned(),
        caller: "arn:aws:iam::111111111111:user/sandbox".to_owned(),
        instance: plan.instance.arn.as_str().to_owned(),
        region: plan.instance.region.clone(),
        endpoint: None,
        file: "access.yaml".to_owned(),
        file_digest: String::new(),
        plan_digest: plan.digest(),
        consents: Vec::new(),
        changes: Vec::new(),
    }
}

fn example() -> DesiredState {
    run::desired(&crate::support::tests_dir("../access.yaml.example"))
}

fn interrupted(folder: &Path) -> Vec<journal::Interrupted> {
    journal::interrupted(folder, Purpose::TakeUp).unwrap().interrupted
}

async fn applied(aws: &Aws, plan: &Plan, terms: &Terms<'_>) -> ApplyReport {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    apply::apply(aws, plan, terms, stop, |_| {}).await
}

fn lines(path: &Path) -> Vec<Line> {
    journal::read(&std::fs::read_to_string(path).unwrap()).unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_request_is_on_disk_before_it_is_sent_and_its_answer_before_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(starter::starter());
    let plan = run::plan(&run::aws(&sandbox).await, &example()).await.1;
    let journal = Journal::create(dir.path(), begin(&plan)).unwrap();
    let (path, seen) = (journal.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    let (read, count) = (path.clone(), seen.clone());
    let client = tapped(&sandbox, move |operation| {
        if is_write(operation) {
            count.fetch_add(1, Ordering::Relaxed);
            let lines = lines(&read);
            let written = lines.iter().any(|line| {
                let Entry::Request { number, operation: written, .. } = &line.entry else { return false };
                let answered =
                    lines.iter().any(|it| matches!(&it.entry, Entry::Answer { number: n, .. } if n == number));
                written == operation && !answered
            });
            assert!(written, "{operation} was sent before it was written down");
        }
        Verdict::Pass
    });
    let aws = run::connect(client, Access::ReadWrite).await;
    let report = applied(&aws, &plan, &Terms { journal: Some(&journal), until: None }).await;
    assert!(report.outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{report:#?}");
    let lines = lines(&path);
    let of = |test: fn(&Entry) -> bool| lines.iter().filter(|line| test(&line.entry)).count();
    assert_eq!(of(|entry| matches!(entry, Entry::Request { .. })), seen.load(Ordering::Relaxed));
    assert_eq!(of(|entry| matches!(entry, Entry::Answer { error: None, request_id: Some(_), .. })), 11);
    // Five assignments and one provisioning are asynchronous.
    assert_eq!(of(|entry| matches!(entry, Entry::Answer { follow: Some(_), .. })), 6);
    assert_eq!(of(|entry| matches!(entry, Entry::Settled { .. })), 6);
    assert_eq!(of(|entry| matches!(entry, Entry::Outcome { .. })), plan.steps.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_before_the_next_request() {
    let sandbox = Sandbox::new(starter::starter());
    let aws = run::aws(&sandbox).await;
    let plan = run::plan(&aws, &example()).await.1;
    let before = sandbox.world();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let journal = Journal::on(full, "/dev/full");
    let report = applied(&aws, &plan, &Terms { journal: Some(&journal), until: None }).await;
    assert!(matches!(report.cut_short, Some(CutShort::Journal(_))), "{report:#?}");
    let untouched = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_) | Outcome::Failed(Failure::Journal(_)));
    assert!(report.outcomes.iter().all(untouched), "{report:#?}");
    assert_eq!(sandbox.world(), before);
}

/// Applies the example with jobs of half a minute and leaves after five seconds.
async fn out_of_time(dir: &Path) -> (Sandbox, Aws, Plan, ApplyReport, PathBuf) {
    let sandbox = Sandbox::new(starter::starter());
    sandbox.edit(|world| world.settings.job_seconds = Some(30.0));
    let aws = run::aws(&sandbox).await;
    let plan = run::plan(&aws, &example()).await.1;
    let journal = Journal::create(dir, begin(&plan)).unwrap();
    let until = Some(Instant::now() + Duration::from_secs(5));
    let report = applied(&aws, &plan, &Terms { journal: Some(&journal), until }).await;
    let path = journal.path().to_owned();
    (sandbox, aws, plan, report, path)
}

#[tokio::test(start_paused = true)]
async fn after_its_time_a_run_names_what_is_in_flight_and_the_next_one_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, aws, plan, report, path) = out_of_time(dir.path()).await;
    assert_eq!(report.cut_short, Some(CutShort::OutOfTime));
    assert!(report.leaves_in_flight());
    let left = report.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Unknown(Failure::OutOfTime(requests)) => Some(requests),
        _ => None,
    });
    let left: Vec<&String> = left.flatten().collect();
    assert_eq!(left.len(), 2, "{report:#?}");
    assert!(left.iter().all(|request| request.contains(", request ")), "{left:#?}");

    // A run that is killed leaves a torn line.
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"time\":\"2026-");
    std::fs::write(&path, &text).unwrap();
    let [one] = <[_; 1]>::try_from(interrupted(dir.path())).unwrap();
    assert_eq!(one.in_flight.len(), 2);
    assert!(interrupted(dir.path()).is_empty(), "it is locked by whoever takes it up");
    let recovered = recover(&aws, &plan.instance, &one, "arn:aws:iam::111111111111:user/next").await;
    assert!(recovered.iter().all(|one| one.end == Ending::Settled(Settled::Succeeded)), "{recovered:#?}");
    drop(one);
    assert!(interrupted(dir.path()).is_empty(), "it is closed");
    assert!(matches!(lines(&path).last().unwrap().entry, Entry::Closed { succeeded: 2, failed: 0, unknown: 0 }));
    // What it had begun is there, so the next plan has that much less to do.
    let left = run::plan(&run::aws(&sandbox).await, &example()).await.1;
    assert_eq!(left.steps.len(), plan.steps.len() - 4, "{:#?}", left.steps);
}

#[tokio::test(start_paused = true)]
async fn what_aws_has_forgotten_is_said_to_be_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, aws, plan, _, path) = out_of_time(dir.path()).await;
    sandbox.edit(|world| world.jobs.clear());
    let [one] = <[_; 1]>::try_from(interrupted(dir.path())).unwrap();
    let recovered = recover(&aws, &plan.instance, &one, "arn").await;
    assert!(recovered.iter().all(|one| matches!(one.end, Ending::Unknown(_))), "{recovered:#?}");
    assert!(matches!(lines(&path).last().unwrap().entry, Entry::Closed { unknown: 2, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_journal_of_a_run_that_lives_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(starter::starter());
    let plan = run::plan(&run::aws(&sandbox).await, &example()).await.1;
    let journal = Journal::create(dir.path(), begin(&plan)).unwrap();
    assert!(interrupted(dir.path()).is_empty());
    drop(journal);
    assert_eq!(interrupted(dir.path()).len(), 1);
    std::fs::write(dir.path().join("journal-foreign.jsonl"), "something else\n").unwrap();
    assert_eq!(interrupted(dir.path()).len(), 1);
    // One that is a journal and cannot be read is told of, and keeps nobody from the others.
    let path = dir.path().join("journal-newer.jsonl");
    std::fs::write(&path, "{\"time\":\"x\",\"event\":\"begin\",\"format_version\":9}\n").unwrap();
    std::fs::create_dir(dir.path().join("journal-folder.jsonl")).unwrap();
    let Found { interrupted: found, unreadable } = journal::interrupted(dir.path(), Purpose::Mention).unwrap();
    assert_eq!((found.len(), unreadable.len()), (1, 2), "{unreadable:#?}");
    drop(found);
    assert!(interrupted(&dir.path().join("nowhere")).is_empty());
}

/// Counts calls by operation while the example is applied.
async fn polls(jobs: f64, settings: impl Fn(&mut permset::sandbox::World)) -> (Vec<(String, usize)>, ApplyReport) {
    let text = "version: 1\nscope: { accounts: ['*'] }\npermission_sets: { Ops: {} }\nassignments:\n  - { permission_sets: [Ops], accounts: ['*'], users: [alice@example.com] }\n";
    let mut world = starter::starter();
    world.accounts.extend((0..40).map(|n| {
        serde_json::from_value(serde_json::json!({"id": format!("3000000000{n:02}"), "name": format!("a{n}")})).unwrap()
    }));
    world.settings.job_seconds = Some(jobs);
    settings(&mut world);
    let sandbox = Sandbox::new(world);
    let seen = Arc::new(Mutex::new(std::collections::BTreeMap::new()));
    let count = seen.clone();
    let client = tapped(&sandbox, move |operation| {
        if operation.contains("Status") {
            *count.lock().unwrap().entry(operation.to_owned()).or_insert(0) += 1;
        }
        Verdict::Pass
    });
    let desired = run::desired_from(text);
    let aws = run::connect(client, Access::ReadWrite).await;
    let plan = run::plan(&aws, &desired).await.1;
    let report = applied(&aws, &plan, &Terms::default()).await;
    let seen = seen.lock().unwrap().clone();
    (seen.into_iter().collect(), report)
}

#[tokio::test(start_paused = true)]
async fn many_requests_are_followed_with_few_calls() {
    let (seen, report) = polls(8.0, |_| {}).await;
    assert!(report.outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    let of = |name: &str| seen.iter().find(|(operation, _)| operation == name).map_or(0, |(_, count)| *count);
    let requests = report.outcomes.len() - 1;
    let (lists, asked) = (of("ListAccountAssignmentCreationStatus"), of("DescribeAccountAssignmentCreationStatus"));
    // Five rounds of ten jobs, each looked at some ten times: one page for all ten, one call for each at its end, and now and
    // then one for each that the list calls open.
    assert!(lists <= 60 && asked <= requests * 4, "{lists} lists, {asked} single questions for {requests} requests");
    assert!(lists > 0);
}

#[tokio::test(start_paused = true)]
async fn where_lists_cannot_be_read_or_lag_each_request_is_asked_for() {
    let denied = |world: &mut permset::sandbox::World| {
        let fault = serde_json::json!({"on": "sso-admin.List*Status", "times": null, "effect": {"error": {"code": "AccessDeniedException"}}});
        world.faults.push(serde_json::from_value(fault).unwrap());
    };
    let (seen, report) = polls(2.0, denied).await;
    assert!(report.outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{report:#?}");
    let lists: usize = seen.iter().filter(|(operation, _)| operation.starts_with("List")).map(|(_, count)| count).sum();
    assert_eq!(lists, 1, "{seen:#?}");
    let (_, report) = polls(2.0, |world| world.settings.read_lag_seconds = 5.0).await;
    assert!(report.outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{report:#?}");
}

/// The environment that a served sandbox prints.
fn with_keys(command: &mut std::process::Command) -> &mut std::process::Command {
    command
        .env("AWS_ACCESS_KEY_ID", "111111111111")
        .env("AWS_SECRET_ACCESS_KEY", "sandbox")
        .env("AWS_REGION", "eu-central-1")
}

fn only_journal(cli: &Cli) -> Option<PathBuf> {
    let entries = std::fs::read_dir(cli.path("log")).ok()?.map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
}

#[test]
fn killed_in_the_middle_the_next_apply_says_what_became_of_it() {
    let cli = Cli::with_example();
    let served = serve(&cli, &["--job-seconds", "1", "--no-throttle"]);
    let url = format!("http://{}", served.address);
    let args = ["--endpoint-url", &url, "-q", "apply", "--auto-approve", "--journal", "log"];
    let mut killed = with_keys(&mut cli.prepare(&args)).spawn().unwrap();
    let followed = || {
        let text = only_journal(&cli).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        text.contains("\"kind\":")
    };
    while !followed() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let path = only_journal(&cli).unwrap();
    let shown = cli.command(&["show", path.to_str().unwrap()]);
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    assert!(stdout(&shown).starts_with("apply of 20"), "{}", stdout(&shown));
    assert!(stdout(&shown).contains("accepted, works on it as "), "{}", stdout(&shown));
    assert!(stdout(&shown).contains("it has no end: the run was cut short"), "{}", stdout(&shown));

    let again = with_keys(&mut cli.prepare(&args)).output().unwrap();
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    let said = stderr(&again);
    assert!(said.contains("notice: the apply of 20") && said.contains("was cut short with "), "{said}");
    assert!(said.contains("  done    ") || said.contains("  unknown "), "{said}");
    assert!(stdout(&again).contains("converged: observed again"), "{}", stdout(&again));
    let shown = stdout(&cli.command(&["show", path.to_str().unwrap()]));
    assert!(shown.contains("taken up by arn:aws:iam::111111111111:user/sandbox"), "{shown}");
    assert!(shown.contains("closed: of the requests that were in flight "), "{shown}");
    // Everything is told: a third run has nothing to say.
    let third = with_keys(&mut cli.prepare(&args)).output().unwrap();
    assert_eq!((code(&third), stderr(&third)), (0, String::new()));
}

#[test]
fn a_disk_that_fills_up_is_no_reason_to_go_on_blindly() {
    let cli = Cli::with_example();
    let served = serve(&cli, &["--job-seconds", "0", "--no-throttle"]);
    let url = format!("http://{}", served.address);
    let program = env!("CARGO_BIN_EXE_permset");
    // A limit on the size of files does as a full disk; without the trap the signal would end the process.
    let limited = |blocks: u32, rest: &str| {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {program} --endpoint-url {url} -q apply --auto-approve --journal log {rest}"
        );
        let program = cli.prepare(&[]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).current_dir(cli.dir.path()).env_clear();
        command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
        with_keys(&mut command).output().unwrap()
    };
    let none = limited(1, "");
    assert_eq!(code(&none), 1, "{}", stderr(&none));
    assert!(stderr(&none).contains("cannot write the journal in `log`, nothing was changed"), "{}", stderr(&none));
    std::fs::remove_dir_all(cli.path("log")).unwrap();
    let writes = || {
        let log = cli.command(&["sandbox", "log", "--world", "world.json", "--last", "1000", "--format", "json"]);
        let log: serde_json::Value = serde_json::from_str(&stdout(&log)).unwrap();
        let calls = log["calls"].as_array().unwrap();
        let is_write = |call: &&serde_json::Value| {
            let operation = call["operation"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
            is_write(&operation)
        };
        calls.iter().filter(is_write).count()
    };
    assert_eq!(writes(), 0);
    let some = limited(16, "");
    assert_eq!(code(&some), 5, "{}{}", stdout(&some), stderr(&some));
    assert!(stderr(&some).contains("the journal cannot be written, so nothing more was started"), "{}", stderr(&some));
    assert!(
        stderr(&some).contains("hint: make room, or name another folder with `--journal DIR`"),
        "{}",
        stderr(&some)
    );
    let text = std::fs::read_to_string(only_journal(&cli).unwrap()).unwrap();
    let written = text.lines().filter(|line| line.contains("\"event\":\"request\"") && line.ends_with('}')).count();
    assert!(writes() > 0 && writes() <= written, "{} writes, {written} written down", writes());
}

#[test]
fn time_runs_out() {
    let cli = Cli::with_example();
    let world = cli.read("world.json").replace("\"job_seconds\": 0.0", "\"job_seconds\": 60.0");
    cli.write("world.json", world);
    let output = cli.command(&["--sandbox=world.json", "-q", "apply", "--auto-approve", "--timeout", "2s"]);
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("the time given with --timeout is over"), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("no time was left, still in flight: CreateAccountAssignment, request "), "{said}");
    assert!(said.contains("skipped revoke") && said.contains("no time was left"), "{said}");
    // A plan only mentions it.
    let plan = cli.command(&["--sandbox=world.json", "-q", "plan"]);
    assert!(stderr(&plan).contains("; the next apply asks what became of it"), "{}", stderr(&plan));
    assert_eq!(code(&cli.command(&["apply", "--timeout", "soon"])), 64);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_is_not_called_refused_and_stays_open() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(starter::starter());
    let plan = run::plan(&run::aws(&sandbox).await, &example()).await.1;
    let journal = Journal::create(dir.path(), begin(&plan)).unwrap();
    let path = journal.path().to_owned();
    let client =
        tapped(
            &sandbox,
            |operation| {
                if operation == "CreateAccountAssignment" { Verdict::LoseRequest } else { Verdict::Pass }
            },
        );
    let aws = run::connect(client, Access::ReadWrite).await;
    applied(&aws, &plan, &Terms { journal: Some(&journal), until: None }).await;
    let written = lines(&path);
    let lost =
        written.iter().filter(|line| matches!(line.entry, Entry::Answer { answered: false, error: Some(_), .. }));
    assert_eq!(lost.count(), 3, "{written:#?}");
    // Up to the moment before something is said of the change, it is in flight.
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text.find("\"answered\":false").unwrap();
    let end = at + text[at..].find('\n').unwrap() + 1;
    drop(journal);
    std::fs::write(&path, &text[..end]).unwrap();
    let [one] = <[_; 1]>::try_from(interrupted(dir.path())).unwrap();
    assert!(one.in_flight.iter().any(|request| request.operation == "CreateAccountAssignment"), "{:#?}", one.in_flight);
    let mut shown = String::new();
    permset::report::journal::write_text(&mut shown, &one.begin, &written).unwrap();
    let shown = anstream::adapter::strip_str(&shown).to_string();
    assert!(shown.contains(" no answer: CreateAccountAssignment failed"), "{shown}");
    assert!(!shown.contains("refused"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_after_its_time_and_what_was_not_sent_is_not_called_sent() {
    let sandbox = Sandbox::new(starter::starter());
    let aws = run::aws(&sandbox).await;
    let plan = run::plan(&aws, &example()).await.1;
    let before = sandbox.world();
    let report = applied(&aws, &plan, &Terms { journal: None, until: Some(Instant::now()) }).await;
    assert!(report.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Skipped(_))), "{report:#?}");
    assert!(!report.leaves_in_flight());
    assert_eq!(sandbox.world(), before);

    // Ten are in flight, AWS takes no more; the others wait for room, and were not sent.
    let mut world = starter::starter();
    world.accounts.extend((0..20).map(|n| {
        serde_json::from_value(serde_json::json!({"id": format!("3000000000{n:02}"), "name": format!("a{n}")})).unwrap()
    }));
    world.settings.job_seconds = Some(60.0);
    let sandbox = Sandbox::new(world);
    let desired = run::desired_from(
        "version: 1\nscope: { accounts: ['*'] }\npermission_sets: { Ops: {} }\nassignments:\n  - { permission_sets: [Ops], accounts: ['*'], users: [alice@example.com] }\n",
    );
    let aws = run::aws(&sandbox).await;
    let plan = run::plan(&aws, &desired).await.1;
    let until = Some(Instant::now() + Duration::from_secs(5));
    let report = applied(&aws, &plan, &Terms { journal: None, until }).await;
    assert_eq!(report.counts().unknown, 10, "{report:#?}");
    assert!(report.leaves_in_flight());
}

#[test]
fn a_hint_repeats_what_was_given() {
    let cli = Cli::with_example();
    let access = cli.read("access.yaml");
    let head = access.split("\nassignments:").next().unwrap().to_owned();
    cli.write("access.yaml", head);
    let args = ["--sandbox=world.json", "-q", "apply", "--journal", "j", "--allow", "take-over"];
    let output = cli.command(&args);
    let hint =
        "`permset --sandbox=world.json apply --journal j --allow take-over --allow control-tower --allow nothing-left`";
    assert!(stderr(&output).contains(hint), "{}", stderr(&output));
}
