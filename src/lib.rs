//! permset: who may do what, where, as code.
//!
//! AWS IAM Identity Center decides which people get which permissions in which AWS accounts. permset brings it to what
//! an access file declares: it observes, diffs, plans and applies.
//!
//! # Architecture
//!
//! Two values meet and a third is born. A [`DesiredState`](model::DesiredState) from `access.yaml` and an
//! [`ObservedState`](model::ObservedState) from AWS go into one pure function, and a [`Plan`](plan::Plan) comes out: an
//! ordered list of typed changes that leaves nothing to decide. `apply` walks that list and knows nothing about YAML or
//! diffing. `report` turns values into text and knows nothing about AWS. "Dry run" is not a flag: it is stopping before
//! the last third.
//!
//! ```text
//! access.yaml ─ desired ──▶ DesiredState ┐
//!                                        ├─▶ plan ─▶ Plan ─▶ apply ─▶ ApplyReport ─▶ observe again, expect nothing
//! AWS | sandbox ─ observed ▶ ObservedState ┘          └─────▶ report (text, markdown, json)
//! ```
//!
//! A folder is a layer. Arrows go down only; `tests/it/architecture.rs` reads every import and fails on a breach.
//!
//! | layer | folder | may import | may not contain |
//! |---|---|---|---|
//! | 0 | [`model`]: the words | nothing | async, I/O, clock, environment, AWS SDK, YAML, printing |
//! | 1 | [`desired`]: from the access file to the desired state | model | async, AWS SDK; files are read in `source` only |
//! | 1 | [`aws`]: the only door to AWS | model | plan, desired; nobody else names the AWS SDK |
//! | 1 | [`plan`]: pure: resolve, diff, order, guard, drift, saved plans | model | async, I/O, clock, AWS SDK, text for users |
//! | 2 | [`effective`]: pure: who really reaches what, groups expanded | model, plan's changes | the same |
//! | 2 | [`observed`]: one complete reading in the fewest calls, snapshots | model, aws | plan, desired |
//! | 2 | [`apply`]: walks a plan, keeps a journal | model, plan, aws | desired, observed, rendering; files are written in `journal` only |
//! | 2 | [`workstation`]: a person's own machine: AWS config, sign-in, portal | model, aws | plan, desired |
//! | 3 | [`report`]: text, markdown, json | model, plan, effective, apply's outcomes | I/O, environment, AWS SDK |
//! | 4 | [`cli`]: one file a command | all above, the sandbox's front door | decisions about changes |
//! | beside | [`sandbox`]: an Identity Center in memory | nothing of ours | it speaks the wire form only: a witness, not an accomplice |
//!
//! # The life of a run
//!
//! `permset apply` loads the file ([`desired::load`]) and prints every finding; connects ([`aws::Aws::connect`]) to the
//! network or to the sandbox, the connector being the only difference; reads everything once
//! ([`observed::observe`]), complete or an error; compares ([`plan::plan`]); prints and asks; carries out
//! ([`apply::apply`]); reads and compares again, and expects nothing to be left. Before all of that it asks what became of the
//! requests that an earlier run left in flight ([`apply::recover`]). Of a saved plan ([`plan::SavedPlan`]) only the facts that it
//! rests on are read again ([`observed::again()`]).

pub mod apply;
pub mod aws;
pub mod cli;
pub mod desired;
pub mod effective;
pub mod model;
pub mod observed;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod workstation;
