//! Ctrl-C, SIGTERM and SIGHUP: once to finish what is under way, twice to stop at once.

use std::io::{self, Write as _};

use tokio::sync::watch;

use crate::cli::exit::Exit;

/// Listens from this moment on; the receiver turns true at the first signal. The second ends the process, with `left` as
/// the last words: what is left, and where that stands.
///
/// # Errors
/// If the system does not let us listen: applying without would mean to be killed half-way.
pub(super) fn listen(left: String) -> io::Result<watch::Receiver<bool>> {
    let mut signals = Signals::new()?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        signals.next().await;
        say("stopping: nothing new is started, what is under way is waited for (once more to stop at once)");
        // Nobody listens any more: the work is done, and the process is about to end.
        let _ = sender.send(true);
        signals.next().await;
        say(&left);
        std::process::exit(i32::from(Exit::Interrupted as u8));
    });
    Ok(receiver)
}

/// Listens from this moment on; what is returned is ready at the first signal.
///
/// # Errors
/// If the system does not let us listen.
pub(super) fn first() -> io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new()?;
    Ok(async move { signals.next().await })
}

/// Says something right away, below whatever stands on the terminal; with stderr gone there is nobody to tell.
fn say(what: &str) {
    let _ = writeln!(io::stderr().lock(), "\n{what}");
}

/// Ctrl-C, SIGTERM (a CI job that is cancelled) and SIGHUP (a connection that is lost).
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// Registers at once: a handler that is only made when its task first runs would miss an early Ctrl-C.
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let [interrupt, terminate, hangup] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Ok(Self([signal(interrupt)?, signal(terminate)?, signal(hangup)?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
