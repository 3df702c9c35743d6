//! Every folder of `tests/scenarios`: an access file and a world, and golden files of all that permset says and does.
//!
//! A new test is a new folder with `access.yaml` and `world.json`; `SNAPSHOTS=overwrite cargo test` writes the rest.

use std::fmt::Write as _;
use std::path::Path;

use anstream::adapter::strip_str;
use permset::apply::{self, Event};
use permset::model::{Finding, Reading, Severity};
use permset::plan::{self, Plan};
use permset::report;
use permset::report::json::{DriftJson, PlanJson};
use permset::report::plan::Options;
use permset::sandbox::{Sandbox, World};

use crate::support::{assert_golden, folders, run};

#[tokio::test(start_paused = true)]
async fn every_folder_is_as_recorded() {
    for folder in folders("scenarios") {
        scenario(&folder).await;
    }
}

async fn scenario(folder: &Path) {
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let aws = run::aws(&sandbox).await;
    let desired = run::desired(&folder.join("access.yaml"));
    let (observed, plan, findings) = run::plan(&aws, &desired).await;

    assert_golden(&texts(&plan, &observed.reading, &findings), &folder.join("plan.txt"));
    let json = serde_json::to_string_pretty(&PlanJson::new(&plan, &observed.reading, None)).unwrap();
    assert_golden(&format!("{json}\n"), &folder.join("plan.json"));
    let options = options(&observed.reading, false);
    let mut markdown = String::new();
    report::plan::write_markdown(&mut markdown, &plan, &options).unwrap();
    assert_golden(&markdown, &folder.join("plan.md"));

    let drift = plan::drift(&plan, &desired, &observed);
    let mut text = String::new();
    report::drift::write_text(&mut text, &drift, &options).unwrap();
    assert_golden(&strip_str(&text).to_string(), &folder.join("drift.txt"));
    let json = serde_json::to_string_pretty(&DriftJson::new(&drift, &observed.reading)).unwrap();
    assert_golden(&format!("{json}\n"), &folder.join("drift.json"));

    let before = sandbox.calls();
    let text = applied(&aws, &plan, &desired).await;
    let mut calls: Vec<String> = sandbox
        .calls()
        .into_iter()
        .map(|(operation, count)| (count - before.get(&operation).copied().unwrap_or_default(), operation))
        .filter(|(count, operation)| *count > 0 && writes(operation))
        .map(|(count, operation)| format!("{count:>4} {operation}"))
        .collect();
    calls.insert(0, "writes:".to_owned());
    assert_golden(&format!("{text}\n{}\n", calls.join("\n")), &folder.join("apply.txt"));
    assert_golden(&after(&sandbox.world()), &folder.join("after.json"));
}

fn writes(operation: &str) -> bool {
    !["List", "Describe", "Get"].iter().any(|verb| operation.contains(&format!(".{verb}")))
}

fn options(reading: &Reading, full: bool) -> Options<'_> {
    Options { file: "access.yaml", reading, full, unmanaged: false, allowed: &[], people: None }
}

/// The plan, with and without the text of policies where that differs, and the warnings beside it.
fn texts(plan: &Plan, reading: &Reading, findings: &[Finding]) -> String {
    let render = |full| {
        let mut text = String::new();
        report::plan::write_text(&mut text, plan, &options(reading, full)).unwrap();
        strip_str(&text).to_string()
    };
    let (short, full) = (render(false), render(true));
    let mut text = short.clone();
    if full != short {
        write!(text, "\n===== with --full\n{full}").unwrap();
    }
    for finding in findings {
        assert_eq!(finding.severity, Severity::Warning);
        writeln!(text, "\nwarning: {}", finding.message).unwrap();
    }
    text
}

/// Every outcome in the order of the plan, the summary, and what is left.
async fn applied(aws: &permset::aws::Aws, plan: &Plan, desired: &permset::model::DesiredState) -> String {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let mut begun = Vec::new();
    let report = apply::apply(aws, plan, &apply::Terms::default(), stop, |event| {
        if let Event::Started(index) = event {
            begun.push(index);
        }
    })
    .await;
    let mut text = String::new();
    for (index, outcome) in report.outcomes.iter().enumerate() {
        report::apply::write_outcome(&mut text, plan, index, outcome).unwrap();
    }
    let (_, left, _) = run::plan(aws, desired).await;
    report::apply::write_summary(&mut text, &report, Some(left.steps.len()), "what to do next").unwrap();
    writeln!(text, "begun in this order: {begun:?}").unwrap();
    strip_str(&text).to_string()
}

/// What the world means in the end, without what only the sandbox's bookkeeping needs.
fn after(world: &World) -> String {
    let value = serde_json::to_value(world).unwrap();
    let pick = |key: &str| value.get(key).cloned().unwrap_or_default();
    let picked = serde_json::json!({"permission_sets": pick("permission_sets"), "assignments": pick("assignments")});
    serde_json::to_string_pretty(&picked).unwrap() + "\n"
}
