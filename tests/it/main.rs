//! One binary for all integration tests: it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected shall fail where it stands"
)]

mod architecture;
mod cli;
mod converge;
mod doctors;
mod drifts;
mod effort;
mod everyday;
mod example;
mod folders;
mod guards;
mod iam_policies;
mod imports;
mod invalid;
mod journals;
mod large_plans;
mod left_alone;
mod limits;
mod oracle;
mod people;
mod properties;
mod reading;
mod sandbox_facts;
mod saved_plans;
mod scenarios;
mod schemas;
mod second_parser;
mod served;
mod snapshots;
mod support;
mod wire;
