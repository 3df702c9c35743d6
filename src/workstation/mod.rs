//! A person's own machine: the shared AWS config file, the cache of `aws sso login`, and the portal behind it.
//!
//! [`config`] reads and edits the file without loss, [`files`] finds and writes it, [`profiles`] makes its sections from names,
//! [`sign_in`] reads what the AWS CLI keeps of a sign-in, and [`checkup`] follows the chain from a profile to a role.

pub mod checkup;
pub mod config;
pub mod files;
pub mod profiles;
pub mod sign_in;
