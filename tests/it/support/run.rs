//! The whole way from file to converged, in this process and in virtual time.

use std::path::Path;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use permset::apply::{self, ApplyReport, Terms};
use permset::aws::{Access, Aws, Connection, Transport};
use permset::model::{DesiredState, Finding, ObservedState};
use permset::observed::{self, Request};
use permset::plan::{self, Plan};
use permset::sandbox::{Sandbox, World};

/// Reads a world file.
pub fn world(path: &Path) -> World {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads an access file that must be in order.
pub fn desired(path: &Path) -> DesiredState {
    let file = permset::desired::load(path).unwrap();
    file.desired.unwrap_or_else(|| panic!("{}: {:#?}", path.display(), file.findings))
}

/// Reads an access file from a text.
pub fn desired_from(text: &str) -> DesiredState {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.yaml");
    std::fs::write(&path, text).unwrap();
    desired(&path)
}

/// Connects to something that answers as AWS does.
pub async fn connect(client: SharedHttpClient, access: Access) -> Aws {
    let connection = Connection {
        profile: None,
        region: Some("eu-central-1".to_owned()),
        endpoint_url: None,
        transport: Transport::InProcess(client),
    };
    Aws::connect(&connection, access).await.unwrap()
}

/// Connects to a sandbox.
pub async fn aws(sandbox: &Sandbox) -> Aws {
    connect(sandbox.connector(), Access::ReadWrite).await
}

/// Observes.
pub async fn observe(aws: &Aws, desired: &DesiredState) -> ObservedState {
    observed::observe(aws, desired, &Request::default(), &|_| {}).await.unwrap()
}

/// Observes and plans.
pub async fn plan(aws: &Aws, desired: &DesiredState) -> (ObservedState, Plan, Vec<Finding>) {
    let mut observed = observe(aws, desired).await;
    match plan::plan(desired, &observed) {
        Ok((plan, findings)) => {
            let users = plan.users_in_doubt();
            observed::read_pairs(aws, desired, &mut observed, plan.pairs()).await.unwrap();
            observed::read_groups(aws, &mut observed, users).await.unwrap();
            let plan = plan::plan(desired, &observed).unwrap().0;
            (observed, plan, findings)
        }
        Err(findings) => panic!("the file does not fit: {findings:#?}"),
    }
}

/// Applies to the end, and returns the report and how many changes are left when all is observed again.
pub async fn apply(aws: &Aws, desired: &DesiredState, plan: &Plan) -> (ApplyReport, usize) {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let report = apply::apply(aws, plan, &Terms::default(), stop, |_| {}).await;
    let (_, left, _) = self::plan(aws, desired).await;
    (report, left.steps.len())
}

/// Brings a sandbox to what is desired; panics if that takes more than one go.
pub async fn converge(sandbox: &Sandbox, desired: &DesiredState) -> ApplyReport {
    let aws = aws(sandbox).await;
    let (_, plan, _) = plan(&aws, desired).await;
    let (report, left) = apply(&aws, desired, &plan).await;
    assert_eq!(left, 0, "not converged: {report:#?}");
    report
}
