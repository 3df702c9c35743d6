//! A hundred thousand changes: told so that somebody reads them, whole when asked for, and short enough for GitHub.

use std::collections::{BTreeMap, BTreeSet};

use permset::model::{
    AccountId, AccountName, AccountRef, Assignment, IdentityStoreId, Instance, InstanceArn, PermissionSetName,
    Principal, PrincipalId, PrincipalKind, Reading, SessionDuration,
};
use permset::plan::{Change, LeftAlone, Plan, Refusal, Step};
use permset::report::plan::{Options, write_markdown, write_text};

const SETS: usize = 20;
const ACCOUNTS: usize = 500;
const GROUPS: usize = 10;

fn account(number: usize) -> AccountRef {
    let id = AccountId::parse(&format!("{number:012}")).unwrap();
    AccountRef { id, name: Some(AccountName::new(format!("account-{number}"))) }
}

/// Each group gets each permission set in each account; in account 7 they lose it, and the role goes.
fn plan() -> Plan {
    let mut steps = Vec::new();
    for set in 0..SETS {
        for number in 0..ACCOUNTS {
            for group in 0..GROUPS {
                let assignment = Assignment {
                    permission_set: PermissionSetName::parse(&format!("Set{set}")).unwrap(),
                    account: account(number),
                    principal: Principal {
                        kind: PrincipalKind::Group,
                        name: Some(format!("group-{group}")),
                        id: PrincipalId::new(format!("id-{group}")),
                    },
                };
                let sessions_last = Some(SessionDuration::DEFAULT);
                let change = match number {
                    7 => Change::Revoke { assignment, sessions_last, role_goes: true },
                    _ => Change::Assign(assignment),
                };
                let (needs, needs_any, after) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
                steps.push(Step { change, needs, needs_any, after });
            }
        }
    }
    let left_behind = |number| Refusal::LeftBehind {
        permission_set: PermissionSetName::parse(&format!("Old{number}")).unwrap(),
        assignments: Vec::new(),
        roles: vec![account(number)],
    };
    Plan {
        instance: Instance {
            arn: InstanceArn::parse("arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd").unwrap(),
            identity_store: IdentityStoreId::new("d-00aa11bb22"),
            region: "eu-central-1".to_owned(),
            owner: None,
        },
        owner: None,
        steps,
        arns: BTreeMap::new(),
        refusals: (0..2_000).map(left_behind).collect(),
        left_alone: LeftAlone {
            inactive: (0..5_000).map(|number| (account(number), "SUSPENDED".to_owned())).collect(),
            ..LeftAlone::default()
        },
    }
}

fn options(reading: &Reading, full: bool) -> Options<'_> {
    Options { file: "access.yaml", reading, full, unmanaged: false, allowed: &[], people: None }
}

#[test]
fn what_differs_by_the_account_only_is_one_row_and_everything_is_shown_when_asked_for() {
    let (plan, reading) = (plan(), Reading::default());
    let text = |full| {
        let mut text = String::new();
        write_text(&mut text, &plan, &options(&reading, full)).unwrap();
        text
    };
    let rows =
        |text: &str, mark: char| text.lines().filter(|line| line.starts_with(&format!("  {mark} assignment"))).count();
    let folded = anstream_free(&text(false));
    assert!(folded.starts_with("plan: 100000 changes"), "{}", &folded[..200]);
    assert_eq!((rows(&folded, '+'), rows(&folded, '-')), (SETS * GROUPS, SETS * GROUPS));
    assert!(folded.contains(
        "  + assignment      group group-3   Set0    499 accounts: 000000000000 (account-0), 000000000001 (account-1), \
         000000000002 (account-2), 000000000003 (account-3) and 495 more\n"
    ));
    assert!(folded.contains("\n  99800 assignments are told by principal; --full lists each\n"));
    let full = anstream_free(&text(true));
    assert_eq!((rows(&full, '+'), rows(&full, '-')), (SETS * (ACCOUNTS - 1) * GROUPS, SETS * GROUPS));
}

/// Without the escape sequences of styles.
fn anstream_free(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_comment_stays_within_the_limit_and_says_what_it_leaves_out() {
    let (plan, reading) = (plan(), Reading::default());
    for full in [false, true] {
        let mut comment = String::new();
        write_markdown(&mut comment, &plan, &options(&reading, full)).unwrap();
        assert!(comment.chars().count() <= 65_536, "{}", comment.chars().count());
        assert_eq!(comment.contains("<sub>99800 assignments are told by principal; --full lists each</sub>"), !full);
        // Every change, refusal and account is either there or counted.
        let number = |noun: &str| -> usize {
            let rest = comment.lines().find(|line| line.starts_with("… and ") && line.contains(noun));
            rest.map_or(0, |line| line.split_whitespace().nth(2).unwrap().parse().unwrap())
        };
        let rows = comment.lines().filter(|line| line.starts_with("| `"));
        let told: usize = rows
            .map(|row| {
                row.split_once(" accounts:").map_or(1, |(head, _)| head.rsplit('`').next().unwrap().parse().unwrap())
            })
            .sum();
        assert_eq!(told + number("change"), 100_000);
        assert_eq!(comment.matches(":no_entry:").count() + number("refusal"), 2_000);
        assert_eq!(comment.matches(":warning:").count() + number("account"), 5_000);
    }
}
