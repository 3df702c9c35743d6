//! A baseline: the differences that `drift` found once and that somebody accepted, each with a reason.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::desired::decode::{Kept, decode, form};
use crate::desired::source::{Reader, SourceError};
use crate::desired::{expiry, yaml};
use crate::model::{Accepted, Finding, Located, Severity, Shown, Sources};

type Text = Located<String>;

form! {
    /// Differences that are let be.
    BaselineForm = "the baseline" {
        /// The version of this format: 1.
        version: Kept<Text>,
        /// What is let be.
        accepted: Kept<Vec<AcceptedForm>>,
    }

    /// One difference.
    AcceptedForm at place = "an accepted difference" {
        /// In words, for readers.
        difference: Option<Text>,
        /// By what `drift` knows it.
        fingerprint: Kept<Text>,
        /// Why it is let be.
        reason: Kept<Text>,
        /// Until when.
        expires: Option<Text>,
    }
}

/// A baseline that was read, right or wrong.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The text, for showing findings in place.
    pub sources: Sources,
    /// Everything found.
    pub findings: Vec<Finding>,
    /// What is accepted; `None` if a finding is an error.
    pub accepted: Option<Vec<Accepted>>,
}

/// Reads a baseline.
///
/// # Errors
/// Only if it cannot be read as text.
pub fn read(path: &Path) -> Result<Baseline, SourceError> {
    Ok(read_from(Reader::open(path)?))
}

/// Reads one that is not on disk yet.
pub fn parse(path: &Path, text: &str) -> Baseline {
    read_from(Reader::of(&[(path, text)]))
}

fn read_from(reader: Reader) -> Baseline {
    let sources = reader.into_sources();
    let mut findings = Vec::new();
    let form = match yaml::parse(sources.text(0), 0) {
        Ok(root) => decode::<BaselineForm>(&root, &mut findings),
        Err(errors) => {
            findings.extend(errors);
            None
        }
    };
    let accepted = form.map(|form| lower(form, Timestamp::now(), &mut findings));
    findings.sort_by_key(|finding| finding.place);
    let usable = findings.iter().all(|finding| finding.severity != Severity::Error);
    Baseline { sources, findings, accepted: accepted.filter(|_| usable) }
}

fn lower(form: BaselineForm, now: Timestamp, findings: &mut Vec<Finding>) -> Vec<Accepted> {
    let BaselineForm { version, accepted } = form;
    if let Kept(Some(version)) = version
        && version.value != "1"
    {
        let message = format!("this program reads version 1 of a baseline, not `{}`", Shown(&version.value));
        findings.push(Finding::error(version.place, message));
    }
    let mut seen = BTreeSet::new();
    let mut lowered = Vec::new();
    for AcceptedForm { difference, fingerprint, reason, expires, place } in accepted.0.unwrap_or_default() {
        let (Kept(Some(fingerprint)), Kept(Some(reason))) = (fingerprint, reason) else { continue };
        if reason.value.trim().is_empty() {
            findings.push(Finding::error(reason.place, "every accepted difference has a reason"));
        }
        if !seen.insert(fingerprint.value.clone()) {
            findings.push(Finding::error(fingerprint.place, "this difference is accepted above already"));
        }
        // That it ends soon, or has ended, is said where the difference is told.
        let mut of_date = Vec::new();
        let expires = expires.and_then(|written| expiry::lower(written, now, &mut of_date));
        findings.extend(of_date.into_iter().filter(|finding| finding.severity == Severity::Error));
        lowered.push(Accepted {
            fingerprint: fingerprint.value,
            difference: difference.map(|text| text.value).unwrap_or_default(),
            reason: reason.value,
            expires,
            place,
        });
    }
    lowered
}
