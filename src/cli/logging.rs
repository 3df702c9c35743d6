//! The log: to stderr, as loud as was asked for.

use std::io::{self, IsTerminal as _};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::args::{Color, Global, LogFormat};

/// Sets up the log for the whole process. A second call changes nothing.
pub(super) fn init(global: &Global) {
    let ours = match (global.quiet, global.verbose) {
        (true, _) => Level::ERROR,
        (false, 0) => Level::WARN,
        (false, 1) => Level::DEBUG,
        (false, _) => Level::TRACE,
    };
    let mut filter = Targets::new().with_target("permset", ours);
    if global.verbose > 1 {
        // Not below: at TRACE the SDK would log whole requests.
        filter = filter.with_default(Level::DEBUG);
    }
    let color = match global.color {
        Color::Auto => io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        Color::Always => true,
        Color::Never => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let started = match global.log_format {
        LogFormat::Text => registry.with(layer.with_ansi(color)).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    // Only a second call in one process can fail, and then the log is set up already.
    drop(started);
}
