//! permset: who may do what, where, as code.

pub mod apply;
pub mod aws;
pub mod desired;
pub mod model;
pub mod observed;
pub mod plan;
pub mod report;
pub mod sandbox;
