//! A sandbox that another process serves: what it can be asked, and told, from here.

use std::collections::BTreeMap;
use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::calls::Call;
use super::store;
use super::world::{Fault, World};

/// A served sandbox.
#[derive(Debug)]
pub struct Remote {
    address: String,
}

/// Why a served sandbox could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It cannot be reached, or breaks off.
    #[error("the sandbox on {address} does not answer: {what}")]
    Silent {
        /// Where it should be.
        address: String,
        /// What went wrong.
        what: String,
    },
    /// It does not do what it was asked.
    #[error("the sandbox refuses: {0}")]
    Refused(String),
}

/// What was called.
#[derive(Debug, Default, Deserialize)]
pub struct Calls {
    /// By operation.
    pub counts: BTreeMap<String, u64>,
    /// The latest calls, oldest first.
    pub calls: Vec<Call>,
}

impl Remote {
    /// The sandbox that serves a world file right now, if one does.
    #[must_use]
    pub fn serving(world: &Path) -> Option<Self> {
        store::served_at(world).map(|address| Self { address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its counters and its log.
    ///
    /// # Errors
    ///
    /// When it does not answer, as all of these.
    pub async fn calls(&self) -> Result<Calls, RemoteError> {
        self.ask("GET", "calls", Vec::new()).await
    }

    /// Its world.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn world(&self) -> Result<World, RemoteError> {
        self.ask("GET", "world", Vec::new()).await
    }

    /// Its faults.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn faults(&self) -> Result<Vec<Fault>, RemoteError> {
        self.ask("GET", "faults", Vec::new()).await
    }

    /// Adds a fault and gives back all that there are.
    ///
    /// # Errors
    ///
    /// When it does not answer, or does not take the fault.
    pub async fn add_fault(&self, fault: &Fault) -> Result<Vec<Fault>, RemoteError> {
        let body = serde_json::to_vec(fault).map_err(|error| self.failed(&error))?;
        self.ask("POST", "faults", body).await
    }

    /// Removes all faults.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn clear_faults(&self) -> Result<Vec<Fault>, RemoteError> {
        self.ask("DELETE", "faults", Vec::new()).await
    }

    fn failed(&self, what: &dyn std::fmt::Display) -> RemoteError {
        RemoteError::Silent { address: self.address.clone(), what: what.to_string() }
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, room: &str, body: Vec<u8>) -> Result<T, RemoteError> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| self.failed(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.failed(&error))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("/_sandbox/{room}"))
            .header("host", &self.address)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.failed(&error))?;
        let asked = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
        };
        // The connection would go on to wait for another request.
        let driver = tokio::spawn(connection);
        let answer = asked.await;
        driver.abort();
        let (status, body) = answer.map_err(|error| self.failed(&error))?;
        if !status.is_success() {
            return Err(RemoteError::Refused(String::from_utf8_lossy(&body).trim().to_owned()));
        }
        serde_json::from_slice(&body).map_err(|error| self.failed(&error))
    }
}
