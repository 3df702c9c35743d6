//! The steps of a plan one by one, on 100,000 assignments: `cargo bench --bench library`.
//!
//! Times are those of this machine and moment; `benches/counts.py` counts instructions, which do not depend on either.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that meets the unexpected shall fail where it stands"
)]

mod estate;

use std::path::PathBuf;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use estate::{SIZES, make};
use permset::model::{DesiredState, ObservedState, Reading};
use permset::observed::Snapshot;
use permset::plan::{self, Plan, SavedPlan};
use permset::report::json::PlanJson;
use permset::report::plan::{Options, write_markdown, write_text};

fn main() {
    divan::main();
}

/// A folder with the files of the middle size.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &SIZES[1]);
    folder
});

fn path(name: &str) -> PathBuf {
    FOLDER.path().join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn desired(name: &str) -> DesiredState {
    permset::desired::load(&path(name)).unwrap().desired.unwrap()
}

fn observed(name: &str, desired: &DesiredState) -> ObservedState {
    Snapshot::parse(&text(name)).unwrap().state_for(desired, false)
}

/// A plan that makes everything, and the reading that it came from.
fn everything() -> (DesiredState, ObservedState, Plan) {
    let desired = desired("access.yaml");
    let observed = observed("empty.permset", &desired);
    let plan = plan::plan(&desired, &observed).unwrap().0;
    (desired, observed, plan)
}

#[divan::bench]
fn parse_and_lower(bencher: Bencher<'_, '_>) {
    let path = path("access.yaml");
    bencher.bench_local(|| permset::desired::load(black_box(&path)).unwrap());
}

#[divan::bench]
fn load_snapshot(bencher: Bencher<'_, '_>) {
    let text = text("observed.permset");
    bencher.bench_local(|| Snapshot::parse(black_box(&text)).unwrap());
}

#[divan::bench]
fn save_snapshot(bencher: Bencher<'_, '_>) {
    let snapshot = Snapshot::parse(&text("observed.permset")).unwrap();
    bencher.bench_local(|| black_box(&snapshot).to_text().unwrap());
}

#[divan::bench]
fn narrow_to_the_file(bencher: Bencher<'_, '_>) {
    let (desired, snapshot) = (desired("access.yaml"), Snapshot::parse(&text("observed.permset")).unwrap());
    bencher.with_inputs(|| snapshot.clone()).bench_local_values(|snapshot| snapshot.state_for(&desired, false));
}

#[divan::bench(args = ["access.yaml", "one.yaml"])]
fn resolve_diff_and_guard(bencher: Bencher<'_, '_>, file: &str) {
    let desired = desired(file);
    let observed = observed("observed.permset", &desired);
    bencher.bench_local(|| plan::plan(black_box(&desired), black_box(&observed)).unwrap());
}

#[divan::bench]
fn order_of_everything(bencher: Bencher<'_, '_>) {
    let desired = desired("access.yaml");
    let observed = observed("empty.permset", &desired);
    bencher.bench_local(|| plan::plan(black_box(&desired), black_box(&observed)).unwrap());
}

fn options(reading: &Reading, full: bool) -> Options<'_> {
    Options { file: "access.yaml", reading, full, unmanaged: false, allowed: &[], people: None }
}

#[divan::bench(args = [false, true])]
fn render_text(bencher: Bencher<'_, '_>, full: bool) {
    let (_, observed, plan) = everything();
    bencher.bench_local(|| {
        let mut out = String::new();
        write_text(&mut out, black_box(&plan), &options(&observed.reading, full)).unwrap();
        out
    });
}

#[divan::bench]
fn render_markdown(bencher: Bencher<'_, '_>) {
    let (_, observed, plan) = everything();
    bencher.bench_local(|| {
        let mut out = String::new();
        write_markdown(&mut out, black_box(&plan), &options(&observed.reading, false)).unwrap();
        out
    });
}

#[divan::bench]
fn render_json(bencher: Bencher<'_, '_>) {
    let (_, observed, plan) = everything();
    bencher.bench_local(|| serde_json::to_string(&PlanJson::new(black_box(&plan), &observed.reading, None)).unwrap());
}

#[divan::bench]
fn save_and_load_a_plan(bencher: Bencher<'_, '_>) {
    let (desired, observed, plan) = everything();
    let facts = plan::facts(&plan, &desired, &observed);
    let (made, file, file_digest) = ("2026-11-28T10:00:00Z".to_owned(), "access.yaml".to_owned(), "0".repeat(64));
    let saved = SavedPlan { made, file, file_digest, reading: observed.reading, plan, facts, people: None };
    bencher.bench_local(|| SavedPlan::parse(&black_box(&saved).to_text().unwrap()).unwrap());
}
