//! Who changed what, from CloudTrail's event history.
//!
//! Of the caller's account and Region, the last 90 days, two calls a second (CloudTrail user guide, "event history"). It tells of
//! what was accepted up to a quarter of an hour ago.

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use serde_json::Value;

use crate::aws::call::call;
use crate::aws::{Aws, AwsError, ErrorKind};
use crate::model::{AccountId, ChangedBy, PermissionSetArn, PrincipalId, TrailEvent};

/// The source of sso-admin's events.
const SOURCE: &str = "sso.amazonaws.com";
/// The most events of a page.
const PAGE: i32 = 50;

/// The writes that change permission sets and assignments. The source has others too: those of the portal, and older ones of the
/// console that name things otherwise.
const WRITES: [&str; 18] = [
    "AttachCustomerManagedPolicyReferenceToPermissionSet",
    "AttachManagedPolicyToPermissionSet",
    "CreateAccountAssignment",
    "CreatePermissionSet",
    "DeleteAccountAssignment",
    "DeleteInlinePolicyFromPermissionSet",
    "DeletePermissionSet",
    "DeletePermissionsBoundaryFromPermissionSet",
    "DetachCustomerManagedPolicyReferenceFromPermissionSet",
    "DetachManagedPolicyFromPermissionSet",
    "ProvisionPermissionSet",
    "PutInlinePolicyToPermissionSet",
    "PutPermissionsBoundaryToPermissionSet",
    "TagResource",
    "UntagResource",
    "UpdatePermissionSet",
    "CreateInstanceAccessControlAttributeConfiguration",
    "UpdateInstanceAccessControlAttributeConfiguration",
];

impl Aws {
    /// Reads the latest changes, newest first, until `enough` says so or `pages` pages are read. `None` if the caller may not.
    ///
    /// # Errors
    /// If a call fails for another reason.
    pub async fn changes(
        &self,
        pages: usize,
        mut enough: impl FnMut(&[TrailEvent]) -> bool,
    ) -> Result<Option<Vec<TrailEvent>>, AwsError> {
        const OP: &str = "LookupEvents";
        let mut events = Vec::new();
        let mut token = None;
        for _ in 0..pages {
            let source = LookupAttribute::builder().attribute_key(LookupAttributeKey::EventSource);
            let source = source
                .attribute_value(SOURCE)
                .build()
                .map_err(|error| AwsError::unreadable(OP, SOURCE, error.to_string()))?;
            let request = self.trail.lookup_events().lookup_attributes(source).max_results(PAGE).set_next_token(token);
            let output = match call(OP, SOURCE, request.send()).await {
                Err(error) if error.kind == ErrorKind::AccessDenied => return Ok(None),
                output => output?,
            };
            let texts = output.events.unwrap_or_default().into_iter().filter_map(|event| event.cloud_trail_event);
            events.extend(texts.filter_map(|text| event(&text)));
            token = output.next_token;
            if token.is_none() || enough(&events) {
                break;
            }
        }
        Ok(Some(events))
    }
}

/// Reads an event; `None` if it is none of ours, or was refused.
fn event(text: &str) -> Option<TrailEvent> {
    let event: Value = serde_json::from_str(text).ok()?;
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let operation = text("/eventName")?;
    if !WRITES.contains(&operation.as_str()) || text("/errorCode").is_some() {
        return None;
    }
    let set = ["permissionSetArn", "resourceArn"].iter().find_map(|name| text(&format!("/requestParameters/{name}")));
    let set = set.or_else(|| text("/responseElements/permissionSet/permissionSetArn"));
    let account = text("/requestParameters/targetId").and_then(|id| AccountId::parse(&id).ok());
    Some(TrailEvent {
        by: ChangedBy {
            who: text("/userIdentity/arn").unwrap_or_else(|| "unknown".to_owned()),
            when: text("/eventTime")?,
            operation,
        },
        permission_set: set.map(PermissionSetArn::new),
        account,
        principal: text("/requestParameters/principalId").map(PrincipalId::new),
    })
}

#[cfg(test)]
mod tests {
    use super::event;

    /// Published: an assignment made in the console (sample of 2023, shortened).
    const SAMPLE: &str = r#"{"eventVersion":"1.08","userIdentity":{"type":"Root","arn":"arn:aws:iam::111111111111:root"},
        "eventTime":"2023-04-25T19:24:49Z","eventSource":"sso.amazonaws.com","eventName":"CreateAccountAssignment",
        "requestParameters":{"instanceArn":"arn:aws:sso:::instance/ssoins-72233af8ea2d1f14","targetId":"111111111111","targetType":"AWS_ACCOUNT",
        "permissionSetArn":"arn:aws:sso:::permissionSet/ssoins-72233af8ea2d1f14/ps-ae5d1fa1f80b684e","principalType":"GROUP",
        "principalId":"34887428-4081-7042-c3c6-928d413009e7"},"readOnly":false}"#;

    #[test]
    fn published_events_are_read() {
        let found = event(SAMPLE);
        let words = found.map(|it| {
            (it.by.who, it.by.when, it.account.map(|id| id.to_string()), it.principal.map(|id| id.to_string()))
        });
        let expected = (
            "arn:aws:iam::111111111111:root".to_owned(),
            "2023-04-25T19:24:49Z".to_owned(),
            Some("111111111111".to_owned()),
            Some("34887428-4081-7042-c3c6-928d413009e7".to_owned()),
        );
        assert_eq!(words, Some(expected));
    }

    #[test]
    fn what_was_refused_or_is_no_write_is_left_out() {
        assert_eq!(event(&SAMPLE.replace("\"readOnly\":false", "\"errorCode\":\"AccessDenied\"")), None);
        assert_eq!(event(&SAMPLE.replace("CreateAccountAssignment", "ListAccounts")), None);
        assert_eq!(event("{"), None);
    }
}
