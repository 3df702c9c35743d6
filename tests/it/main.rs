//! One binary for all integration tests: it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected shall fail where it stands"
)]

mod sandbox_facts;
