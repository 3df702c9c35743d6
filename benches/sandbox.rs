//! The served sandbox under load: `cargo bench --bench sandbox`.
//!
//! Makes a world of 10,000 accounts, 2,000 permission sets, 200,000 assignments and 20,000 users, serves it with the real program,
//! and prints how long the start takes, what memory it needs, what a page of each list costs, how many calls a second it answers
//! over 1, 64 and 1,000 connections, and whether half a million calls, some of them writes, make it grow.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "it reports to a person"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use permset::sandbox::world::{Account, Assignment, Group, Membership, PermissionSet, PrincipalType, Settings, User};
use permset::sandbox::{Sandbox, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ACCOUNTS: usize = 10_000;
const SETS: usize = 2_000;
const ASSIGNMENTS: usize = 200_000;
const USERS: usize = 20_000;
const GROUPS: usize = 2_000;
const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd";
const STORE: &str = "d-00aa11bb22";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    Sandbox::make(&path, world()).unwrap();
    let size = std::fs::metadata(&path).unwrap().len() / 1_048_576;
    println!(
        "world: {ACCOUNTS} accounts, {SETS} permission sets, {ASSIGNMENTS} assignments, {USERS} users; {size} MiB of JSON"
    );

    let (served, started) = Served::start(&path);
    println!("start: {:.2} s until it answers; resident {} MiB", started.as_secs_f64(), served.resident());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        pages(&served).await;
        for connections in [1, 64, 1_000] {
            let (calls, took) = flood(&served, connections, 50_000, false).await;
            println!("throughput: {connections:>5} connections, {calls} calls: {:>6.0} calls/s", calls as f64 / took.as_secs_f64());
        }
        let before = served.resident();
        let (calls, took) = flood(&served, 64, 100_000, true).await;
        let between = served.resident();
        let (more, then) = flood(&served, 64, 400_000, true).await;
        let total = calls + more;
        println!(
            "endurance: {total} calls, each twentieth a write, {:.0} calls/s; resident {before} MiB, after {calls} calls {between} MiB, at the end {} MiB",
            total as f64 / (took + then).as_secs_f64(),
            served.resident()
        );
    });
}

fn world() -> World {
    let account = |number: usize| format!("{:012}", 100_000_000_000 + number);
    let principal = |kind: usize, number: usize| format!("{kind:08x}-0000-7000-8000-{number:012x}");
    let set = |number: usize| format!("ps-{number:016x}");
    let accounts =
        (0..ACCOUNTS).map(|it| Account { id: account(it), name: format!("account-{it}"), ..Account::default() });
    let users = (0..USERS).map(|it| User {
        id: principal(1, it),
        user_name: format!("user{it}@example.com"),
        ..User::default()
    });
    let groups =
        (0..GROUPS).map(|it| Group { id: principal(2, it), display_name: format!("group-{it}"), ..Group::default() });
    let memberships = (0..USERS).map(|it| Membership {
        group_id: principal(2, it % GROUPS),
        user_id: principal(1, it),
        ..Membership::default()
    });
    let sets = (0..SETS).map(|it| PermissionSet { id: set(it), ..PermissionSet::named(&format!("Set{it}")) });
    let assignments = (0..ASSIGNMENTS).map(|it| Assignment {
        account_id: account((it * 7) % ACCOUNTS),
        permission_set_id: set((it / 5) % SETS),
        principal_type: PrincipalType::Group,
        // One group has a quarter of all, so that there is one long list of each kind.
        principal_id: principal(2, if it % 4 == 0 { 0 } else { it % GROUPS }),
    });
    World {
        settings: Settings { job_seconds: Some(0.5), write_seconds: Some(0.0), ..Settings::default() },
        accounts: accounts.collect(),
        users: users.collect(),
        groups: groups.collect(),
        memberships: memberships.collect(),
        permission_sets: sets.collect(),
        assignments: assignments.collect(),
        ..World::default()
    }
}

/// The real program, serving.
struct Served {
    process: Child,
    address: String,
}

impl Served {
    fn start(world: &Path) -> (Self, Duration) {
        let begun = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_permset"))
            .args(["-q", "sandbox", "serve", "--no-throttle", "--world"])
            .arg(world)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().to_owned();
        (Self { process, address }, begun.elapsed())
    }

    /// In MiB; 0 where the system does not tell.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Connection {
    stream: tokio::io::BufReader<TcpStream>,
    address: String,
}

impl Connection {
    async fn open(served: &Served) -> Self {
        let stream = TcpStream::connect(&served.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: tokio::io::BufReader::new(stream), address: served.address.clone() }
    }

    /// Status and body.
    async fn call(&mut self, target: &str, body: &Value) -> (u16, Vec<u8>) {
        let (address, body) = (&self.address, body.to_string());
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.1\r\nauthorization: \
             AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/sso/aws4_request, Signature=0\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length) = (0, 0);
        let mut line = String::new();
        while self.stream.read_line(&mut line).await.unwrap() > 2 {
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await.unwrap();
        (status, answer)
    }
}

fn lists() -> Vec<(&'static str, Value)> {
    let set = format!("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-{:016x}", 0);
    let group = format!("{:08x}-0000-7000-8000-{:012x}", 2, 0);
    let account = "100000000000";
    vec![
        ("SWBExternalService.ListPermissionSets", json!({"InstanceArn": INSTANCE})),
        (
            "SWBExternalService.ListAccountsForProvisionedPermissionSet",
            json!({"InstanceArn": INSTANCE, "PermissionSetArn": set}),
        ),
        (
            "SWBExternalService.ListPermissionSetsProvisionedToAccount",
            json!({"InstanceArn": INSTANCE, "AccountId": account}),
        ),
        (
            "SWBExternalService.ListAccountAssignments",
            json!({"InstanceArn": INSTANCE, "PermissionSetArn": set, "AccountId": account}),
        ),
        (
            "SWBExternalService.ListAccountAssignmentsForPrincipal",
            json!({"InstanceArn": INSTANCE, "PrincipalType": "GROUP", "PrincipalId": group}),
        ),
        ("SWBExternalService.ListAccountAssignmentCreationStatus", json!({"InstanceArn": INSTANCE})),
        ("AWSIdentityStore.ListUsers", json!({"IdentityStoreId": STORE})),
        ("AWSIdentityStore.ListGroups", json!({"IdentityStoreId": STORE})),
        ("AWSIdentityStore.ListGroupMemberships", json!({"IdentityStoreId": STORE, "GroupId": group})),
        ("AWSOrganizationsV20161128.ListAccounts", json!({})),
        ("AWSOrganizationsV20161128.ListAccountsForParent", json!({"ParentId": "ROOT"})),
    ]
}

/// Reads each list to its end and prints what a page takes: the median and the slowest of them.
async fn pages(served: &Served) {
    let mut connection = Connection::open(served).await;
    let (_, roots) = connection.call("AWSOrganizationsV20161128.ListRoots", &json!({})).await;
    let root = serde_json::from_slice::<Value>(&roots).unwrap()["Roots"][0]["Id"].clone();
    for (target, mut body) in lists() {
        if body.get("ParentId").is_some() {
            body["ParentId"] = root.clone();
        }
        let mut times = Vec::new();
        loop {
            let begun = Instant::now();
            let (status, answer) = connection.call(target, &body).await;
            times.push(begun.elapsed());
            if status != 200 {
                panic!("{target}: {status} {}", String::from_utf8_lossy(&answer));
            }
            match serde_json::from_slice::<Value>(&answer).unwrap().get("NextToken") {
                Some(token) => body["NextToken"] = token.clone(),
                None => break,
            }
        }
        times.sort();
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        let name = target.rsplit('.').next().unwrap();
        println!("page: {name:<42} {:>5} pages, median {median:>9.1?}, slowest {slowest:>9.1?}", times.len());
    }
}

/// Calls over many connections at once, reads of all kinds; with `writes`, each twentieth call changes a description.
async fn flood(served: &Served, connections: usize, calls: usize, writes: bool) -> (usize, Duration) {
    let set = |number: usize| format!("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-{:016x}", number % SETS);
    let next = Arc::new(AtomicUsize::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(served).await);
    }
    let begun = Instant::now();
    let local = tokio::task::LocalSet::new();
    for mut connection in open {
        let next = next.clone();
        local.spawn_local(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return;
                }
                let instance = json!({"InstanceArn": INSTANCE, "PermissionSetArn": set(number)});
                let (status, answer) = match number % 4 {
                    _ if writes && number.is_multiple_of(20) => {
                        let mut body = instance;
                        body["Description"] = json!(format!("changed by call {number}"));
                        connection.call("SWBExternalService.UpdatePermissionSet", &body).await
                    }
                    0 => connection.call("SWBExternalService.DescribePermissionSet", &instance).await,
                    1 => {
                        let mut body = instance;
                        body["AccountId"] = json!(format!("{:012}", 100_000_000_000 + (number * 7) % ACCOUNTS));
                        connection.call("SWBExternalService.ListAccountAssignments", &body).await
                    }
                    2 => {
                        let attribute = json!({"AttributePath": "displayName", "AttributeValue": format!("group-{}", number % GROUPS)});
                        let body = json!({"IdentityStoreId": STORE, "AlternateIdentifier": {"UniqueAttribute": attribute}});
                        connection.call("AWSIdentityStore.GetGroupId", &body).await
                    }
                    _ => connection.call("SWBExternalService.GetInlinePolicyForPermissionSet", &instance).await,
                };
                if status != 200 {
                    panic!("{status} {}", String::from_utf8_lossy(&answer));
                }
            }
        });
    }
    local.await;
    (calls, begun.elapsed())
}
