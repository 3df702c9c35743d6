//! A person's own machine: the shared AWS config file, the cache of `aws sso login`, and the portal behind it.

pub mod config;
