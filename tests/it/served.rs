//! `permset sandbox serve` as a process: what it prints, what it answers over a socket, how it ends, and what a kill leaves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use permset::sandbox::{Request, Sandbox, World, starter};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::cli::{Cli, code, stderr, stdout};

/// A served world, killed when it is dropped.
pub struct Served {
    process: Child,
    pub address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn serve(cli: &Cli, more: &[&str]) -> Served {
    let mut args = vec!["sandbox", "serve", "--world", "world.json"];
    args.extend(more);
    let mut process = cli.prepare(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let exported: Vec<String> = lines.map_while(Result::ok).take(5).collect();
    let address = exported[0]
        .strip_prefix("export AWS_ENDPOINT_URL=http://")
        .unwrap_or_else(|| panic!("{exported:?}"))
        .to_owned();
    let rest = [
        "AWS_ACCESS_KEY_ID=111111111111",
        "AWS_SECRET_ACCESS_KEY=sandbox",
        "AWS_REGION=eu-central-1",
        "AWS_DEFAULT_REGION=eu-central-1",
    ];
    assert_eq!(exported[1..], rest.map(|line| format!("export {line}")));
    Served { process, address }
}

impl Served {
    /// Sends bytes on a new connection and returns all that comes back until it is closed.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // It may be closed before all is sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn send(&self, head: &str, body: &[u8]) -> String {
        let mut request = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len()).into_bytes();
        request.extend(body);
        self.raw(&request)
    }

    fn call(&self, target: &str, body: &Value) -> String {
        let address = &self.address;
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.1\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=111111111111/20260101/eu-central-1/sso/aws4_request, Signature=0"
        );
        self.send(&head, body.to_string().as_bytes())
    }

    fn create(&self, name: &str) -> String {
        self.call(
            "SWBExternalService.CreatePermissionSet",
            &json!({"InstanceArn": "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd", "Name": name}),
        )
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

fn sets(cli: &Cli) -> usize {
    let world: World = serde_json::from_str(&cli.read("world.json")).unwrap();
    world.permission_sets.len()
}

#[test]
fn an_answer_has_the_headers_of_aws() {
    let cli = Cli::new();
    let served = serve(&cli, &[]);
    let answer = served.call("SWBExternalService.ListInstances", &json!({}));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("content-type: application/x-amz-json-1.1\r\n") && answer.contains("x-amzn-requestid: "),
        "{answer}"
    );
    let answer = served.call("SWBExternalService.Nonsense", &json!({}));
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("x-amzn-errortype: UnknownOperationException\r\n"),
        "{answer}"
    );
    let answer = served.call("SWBExternalService.ListInstances", &json!([]));
    assert!(answer.contains("SerializationException"), "{answer}");
}

#[test]
fn requests_that_aws_would_not_read_are_refused() {
    let cli = Cli::new();
    let served = serve(&cli, &[]);
    let large = vec![b'x'; 1024 * 1024 + 1];
    assert!(served.send("POST / HTTP/1.1\r\nhost: localhost", &large).starts_with("HTTP/1.1 413 "));
    assert!(served.raw(b"nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert!(
        served
            .send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain", b"{}")
            .contains("<UnknownOperationException/>")
    );
    // The name of a page whose owner had it resolve to this machine.
    for host in ["evil.example.com", "127.0.0.1.example.com", "10.0.0.1"] {
        assert!(served.send(&format!("POST / HTTP/1.1\r\nhost: {host}"), b"{}").starts_with("HTTP/1.1 403 "), "{host}");
    }
    assert!(served.send("GET /_sandbox/nothing HTTP/1.1\r\nhost: [::1]:80", b"").starts_with("HTTP/1.1 404 "));
    assert!(served.send("POST /_sandbox/faults HTTP/1.1\r\nhost: localhost", b"{}").starts_with("HTTP/1.1 400 "));
}

#[test]
fn it_listens_on_loopback_only_and_where_it_can() {
    let cli = Cli::new();
    for address in ["0.0.0.0:0", "10.0.0.1:80", "[::]:0"] {
        let output = cli.command(&["sandbox", "serve", "--world", "world.json", "--listen", address]);
        assert_eq!(code(&output), 64, "{}", stderr(&output));
        assert!(stderr(&output).contains("is not on loopback"), "{}", stderr(&output));
    }
    let malformed = cli.command(&["sandbox", "serve", "--listen", "here"]);
    assert!(stderr(&malformed).contains("such as 127.0.0.1:8080"), "{}", stderr(&malformed));
    let served = serve(&cli, &["--listen", "localhost:0"]);
    let taken = cli.command(&["sandbox", "serve", "--world", "other.json", "--listen", &served.address]);
    assert_eq!(code(&taken), 1);
    assert!(stderr(&taken).contains("cannot listen on"), "{}", stderr(&taken));
    let twice = cli.command(&["sandbox", "serve", "--world", "world.json"]);
    assert!(stderr(&twice).contains("in use by another process"), "{}", stderr(&twice));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_cleanly_and_the_world_is_saved() {
    for signal in ["-INT", "-TERM"] {
        let cli = Cli::new();
        let mut served = serve(&cli, &[]);
        served.create("Made");
        served.signal(signal);
        assert_eq!(served.process.wait().unwrap().code(), Some(0));
        assert_eq!((sets(&cli), cli.path("world.json.journal").exists()), (4, false));
        let mut said = String::new();
        served.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.ends_with("sandbox: stopped after 1 calls, the world is in world.json\n"), "{said}");
    }
}

// What was answered is there, also after kill -9.
#[test]
fn a_kill_loses_nothing_that_was_answered() {
    let cli = Cli::new();
    let mut served = serve(&cli, &["--no-throttle"]);
    for number in 0..5 {
        assert!(served.create(&format!("Made{number}")).starts_with("HTTP/1.1 200"));
    }
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    assert_eq!(sets(&cli), 3);
    let shown = cli.command(&["sandbox", "show", "--world", "world.json"]);
    assert!(stdout(&shown).contains("\n8 permission sets\n"), "{}", stdout(&shown));
    assert_eq!(sets(&cli), 8);
}

#[test]
fn the_world_the_log_and_the_faults_are_reached_while_it_serves() {
    let cli = Cli::new();
    let served = serve(&cli, &[]);
    let world = ["--world", "world.json"];
    let run = |args: &[&str]| cli.command(&[&["sandbox"], args, &world].concat());
    let added = run(&["fault", "add", "--on", "CreatePermissionSet", "--error", "AccessDeniedException"]);
    assert_eq!(
        (code(&added), stdout(&added)),
        (0, "  1  refuse with AccessDeniedException, on CreatePermissionSet; hit 0 of 0 calls, 1 at most\n".to_owned())
    );
    assert!(served.create("Made").contains("AccessDeniedException"));
    assert!(served.create("Made").starts_with("HTTP/1.1 200"));
    assert!(stdout(&run(&["fault", "list"])).contains("hit 1 of 1 calls"));
    assert!(stdout(&run(&["show"])).contains("    Made "));
    let log = stdout(&run(&["log"]));
    assert!(log.contains("AccessDeniedException (fault: error)  arn:aws:iam::111111111111:user/sandbox\n"), "{log}");
    assert!(log.contains("      2  sso-admin.CreatePermissionSet\n"), "{log}");
    let log: Value = serde_json::from_str(&stdout(&run(&["log", "--format", "json", "--last", "1"]))).unwrap();
    assert_eq!(
        (&log["calls"][0]["outcome"], &log["calls"][1], &log["counts"]["sso-admin.CreatePermissionSet"]),
        (&json!("ok"), &Value::Null, &json!(2))
    );
    assert_eq!(stdout(&run(&["fault", "clear"])), "no faults\n");
    assert!(stderr(&run(&["reset"])).contains("in use by another process"));
}

#[test]
fn faults_are_kept_in_a_world_that_nobody_serves() {
    let cli = Cli::with_example();
    let run = |args: &[&str]| cli.command(&[&["sandbox", "fault"], args, &["--world", "world.json"]].concat());
    cli.write(
        "edit.json",
        r#"[{"operation": "identitystore.DeleteGroup", "input": {"IdentityStoreId": "d-00aa11bb22", "GroupId": "x"}}]"#,
    );
    for args in [
        &["--throttle", "--on", "reads", "--every", "5", "--forever"][..],
        &["--conflict", "--on", "writes", "--nth", "2", "--times", "3"],
        &[
            "--job-fails",
            "no such role",
            "--on",
            "jobs",
            "--account",
            "215665149509",
            "--permission-set",
            "AdministratorAccess",
            "--principal",
            "jitsi-admins",
        ],
        &["--job-takes", "3", "--on", "jobs"],
        &["--delay", "0.5", "--on", "*", "--chance", "0.25"],
        &["--drop", "before", "--on", "CreatePermissionSet"],
        &["--drop", "after", "--on", "CreatePermissionSet"],
        &["--truncate", "10", "--on", "sso-admin.List*"],
        &["--edit", "edit.json", "--on", "ListGroups"],
    ] {
        let added = run(&[&["add"], args].concat());
        assert_eq!(code(&added), 0, "{}", stderr(&added));
    }
    crate::support::assert_golden(&stdout(&run(&["list"])), &crate::support::tests_dir("cli/sandbox-fault-list.txt"));
    assert_eq!(Sandbox::open(&cli.path("world.json"), World::default).unwrap().faults().len(), 9);
    for (args, expected) in [
        (&["add", "--on", "reads"][..], "required"),
        (&["add", "--throttle", "--conflict", "--on", "reads"], "cannot be used with"),
        (&["add", "--throttle", "--on", "reads", "--chance", "2"], "a number from 0 to 1"),
        (&["add", "--delay", "-1", "--on", "reads"], "unexpected argument"),
        (&["add", "--throttle", "--on", "reads", "--nth", "0"], "0 is not in"),
        (&["add", "--edit", "nowhere.json", "--on", "reads"], "cannot read `nowhere.json`"),
    ] {
        assert!(stderr(&run(args)).contains(expected), "{args:?}: {}", stderr(&run(args)));
    }
    let nowhere = cli.command(&["sandbox", "fault", "list", "--world", "nowhere.json"]);
    assert!(stderr(&nowhere).contains("there is no world in `nowhere.json`"));
    let unserved = cli.command(&["sandbox", "log", "--world", "world.json"]);
    assert!(stderr(&unserved).contains("is not being served"));
}

#[test]
fn a_fault_breaks_the_connection() {
    let cli = Cli::new();
    let served = serve(&cli, &[]);
    for (args, expected) in [(&["--drop", "after"][..], ""), (&["--truncate", "5"], "HTTP/1.1 200 OK")] {
        let add = [&["sandbox", "fault", "add", "--world", "world.json", "--on", "ListInstances"], args].concat();
        assert_eq!(code(&cli.command(&add)), 0);
        let answer = served.call("SWBExternalService.ListInstances", &json!({}));
        assert!(answer.starts_with(expected) && !answer.contains("}"), "{answer}");
        assert_eq!(answer.is_empty(), expected.is_empty(), "{answer}");
    }
}

#[test]
fn when_serving_calls_are_limited_unless_told_otherwise() {
    let cli = Cli::new();
    for (flags, limited) in [(&[][..], true), (&["--no-throttle"], false)] {
        let served = serve(&cli, flags);
        let refused = (0..60)
            .filter(|_| served.call("SWBExternalService.ListInstances", &json!({})).contains("Rate exceeded"))
            .count();
        assert_eq!(refused > 0, limited, "{refused}");
    }
}

fn arbitrary_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("SWBExternalService.CreatePermissionSet".to_owned()),
        Just("SWBExternalService.PutInlinePolicyToPermissionSet".to_owned()),
        Just("SWBExternalService.ListPermissionSets".to_owned()),
        Just("AWSIdentityStore.CreateUser".to_owned()),
        Just("AWSIdentityStore.UpdateUser".to_owned()),
        Just("AWSOrganizationsV20161128.CreateAccount".to_owned()),
        Just("AWS4-HMAC-SHA256 Credential=111111111111/1/eu-central-1/sso/aws4_request".to_owned()),
        Just("application/x-amz-json-1.1".to_owned()),
        Just("/authorize".to_owned()),
        Just("/token".to_owned()),
        Just("/federation/credentials".to_owned()),
        Just("role_name=a&account_id=%ff%00&&=".to_owned()),
        any::<String>(),
    ]
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        Just(json!("arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd")),
        Just(json!("d-00aa11bb22")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            Just("InstanceArn".to_owned()),
            Just("IdentityStoreId".to_owned()),
            Just("Name".to_owned()),
            Just("Tags".to_owned()),
            Just("Operations".to_owned()),
            Just("NextToken".to_owned()),
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    // No panic, no hang, and always an answer of HTTP, whatever is sent.
    #[test]
    fn whatever_is_sent_is_answered(
        texts in prop::collection::vec(arbitrary_text(), 7),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), arbitrary_json().prop_map(|it| it.to_string().into_bytes())],
        given in any::<[bool; 4]>(),
        post in any::<bool>(),
    ) {
        let sandbox = Sandbox::new(starter::starter());
        let maybe = |index: usize| given[index % 4].then_some(texts[index].as_str());
        let request = Request {
            method: if post { "POST" } else { "GET" },
            path: &texts[0],
            query: &texts[1],
            host: maybe(2),
            target: maybe(3),
            content_type: maybe(4),
            authorization: maybe(5),
            bearer: maybe(6),
            body: &body,
        };
        let answer = sandbox.answer(&request);
        prop_assert!((200..=500).contains(&answer.status));
        prop_assert_eq!(answer.request_id.len(), 36);
        let answer = sandbox.handle(&texts[3], &body);
        prop_assert!([200, 400, 404, 500].contains(&answer.status));
    }
}

// 20 calls a second for everybody together (Identity Center user guide, quotas): somebody else's must not starve.
#[test]
fn an_apply_keeps_to_the_allowance() {
    let cli = Cli::new();
    let accounts: Vec<Value> =
        (0..30).map(|n| json!({"id": format!("3000000000{n:02}"), "name": format!("a{n}")})).collect();
    let world = json!({"accounts": accounts, "users": [{"user_name": "ann@example.com"}]});
    cli.write("world.json", world.to_string());
    cli.write(
        "access.yaml",
        "version: 1\nscope: { accounts: ['*'] }\npermission_sets: { Ops: {} }\n\
         assignments: [{ permission_sets: [Ops], accounts: ['*'], users: [ann@example.com] }]\n",
    );
    let served = serve(&cli, &["--job-seconds", "0.5"]);
    let url = format!("http://{}", served.address);
    let mut apply = cli.prepare(&["--endpoint-url", &url, "-q", "apply", "--auto-approve"]);
    apply.env("AWS_ACCESS_KEY_ID", "111111111111").env("AWS_SECRET_ACCESS_KEY", "sandbox");
    let applied = apply.env("AWS_REGION", "eu-central-1").output().unwrap();
    assert_eq!(code(&applied), 0, "{}", stderr(&applied));
    let log = cli.command(&["sandbox", "log", "--world", "world.json", "--last", "5000", "--format", "json"]);
    let log: Value = serde_json::from_str(&stdout(&log)).unwrap();
    let calls = log["calls"].as_array().unwrap();
    let of = |outcome: &str| calls.iter().filter(|call| call["outcome"] == outcome).count();
    assert!(calls.len() > 80, "{}", calls.len());
    assert!(of("ThrottlingException") * 100 <= calls.len(), "{} of {}", of("ThrottlingException"), calls.len());
    // In any second, what the bucket holds and what flows in.
    let mut times: Vec<f64> = calls
        .iter()
        .filter(|call| call["operation"].as_str().unwrap().starts_with("sso-admin."))
        .map(|call| call["at"].as_f64().unwrap())
        .collect();
    times.sort_by(f64::total_cmp);
    let busiest = (0..times.len()).map(|at| times[at..].partition_point(|time| *time < times[at] + 1.0)).max();
    assert!(busiest.unwrap_or(0) <= 19 + 10 + 2, "{busiest:?} calls in one second");
}
