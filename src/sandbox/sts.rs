//! `sts`, as far as everybody needs it: GetCallerIdentity, in the Query protocol with its XML.
//!
//! Source: botocore model 2011-06-15.

use super::caller::Caller;
use super::state::State;
use super::wire::{Answer, AwsError, Request, escaped, is_media, pairs};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Answers a request of the Query protocol; `None` if it is none.
pub(super) fn answer(state: &State, request: &Request<'_>, request_id: &str) -> Option<(&'static str, String, Answer)> {
    let form = request.content_type.is_some_and(|it| is_media(it, "application/x-www-form-urlencoded"));
    let body = if form { std::str::from_utf8(request.body).unwrap_or_default() } else { "" };
    let action = pairs(request.query).chain(pairs(body)).find(|(name, _)| name == "Action").map(|(_, value)| value)?;
    if action != "GetCallerIdentity" {
        // Other services of this protocol come here too when one endpoint stands for all.
        let mut parameters = pairs(request.query).chain(pairs(body));
        let version = parameters.find(|(name, _)| name == "Version").map(|(_, value)| value).unwrap_or_default();
        let message = format!("Could not find operation {action} for version {version}");
        return Some(("unknown", String::new(), refusal("InvalidAction", &message, 400, request_id)));
    }
    Some(match Caller::signed(state, request.authorization) {
        Ok(caller) => ("sts.GetCallerIdentity", caller.arn.clone(), identity(&caller, request_id)),
        Err(error) => ("sts.GetCallerIdentity", String::new(), unsigned(&error, request_id)),
    })
}

fn identity(caller: &Caller, request_id: &str) -> Answer {
    let (arn, user_id, account) = (escaped(&caller.arn), escaped(&caller.user_id), escaped(&caller.account));
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    \
         <UserId>{user_id}</UserId>\n    <Account>{account}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    );
    Answer::new(200, request_id.to_owned(), "text/xml", body)
}

// The Query services have older names for these, and a status that says what they are [common errors, STS API reference].
fn unsigned(error: &AwsError, request_id: &str) -> Answer {
    let code = match &*error.code {
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "ExpiredTokenException" => "ExpiredToken",
        _ => "InvalidClientTokenId",
    };
    refusal(code, &error.message, 403, request_id)
}

fn refusal(code: &'static str, message: &str, status: u16, request_id: &str) -> Answer {
    let message = escaped(message);
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>{code}</Code>\n    \
         <Message>{message}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
    );
    Answer::new(status, request_id.to_owned(), "text/xml", body).refused(code)
}
