//! One call: its trace, and its error in our own words. And many calls: pages.

use std::fmt::Display;
use std::future::Future;

use aws_sdk_ssoadmin::config::http::HttpResponse;
use aws_sdk_ssoadmin::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_ssoadmin::operation::RequestId;
use tokio::time::Instant;
use tracing::{debug, info};

use crate::aws::error::{AwsError, ErrorKind};
use crate::model::Shown;

/// By what AWS's support finds a request that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The request id, if AWS gave one.
    pub request_id: Option<String>,
}

impl Receipt {
    pub(super) fn of(output: &impl RequestId) -> Self {
        Self { request_id: output.request_id().map(str::to_owned) }
    }
}

/// Sends one request and says in the log what became of it.
///
/// # Errors
/// Whatever AWS or the connection said, with operation, subject and request id.
pub(super) async fn call<O, E>(
    operation: &'static str,
    subject: impl Display,
    send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
) -> Result<O, AwsError>
where
    O: RequestId,
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let subject = subject.to_string();
    let started = Instant::now();
    // The SDK's futures are large; on the heap, many of them side by side do not grow the stack.
    let answer = Box::pin(send).await;
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(output) => {
            debug!(operation, subject, request_id = output.request_id().unwrap_or("-"), milliseconds, "call");
            Ok(output)
        }
        Err(error) => {
            let error = translate(operation, subject, &error);
            let request_id = error.request_id.as_deref().unwrap_or("-");
            let code = error.code.as_deref().unwrap_or("-");
            // Not found is an answer that reading expects: the boundary of a set that has none, for example.
            if error.kind == ErrorKind::NotFound {
                debug!(operation, subject = error.subject, request_id, milliseconds, code, "call");
            } else {
                info!(target: "permset::aws", operation, subject = error.subject, request_id, milliseconds, code, error = %Shown(&error.message), "call failed");
            }
            Err(error)
        }
    }
}

fn translate<E>(operation: &'static str, subject: String, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let request_id = error.request_id().map(Box::from);
    let reason = match error {
        SdkError::ServiceError(answer) => answer.raw().body().bytes().and_then(reason_of),
        _ => None,
    };
    let (kind, code, message) = match error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().map(Box::from);
            let silent =
                || format!("HTTP {} without a reason: is this AWS, or a proxy?", answer.raw().status().as_u16());
            let message = answer.err().message().map_or_else(silent, str::to_owned);
            (code.as_deref().map_or(ErrorKind::Other, ErrorKind::of_code), code, message)
        }
        SdkError::TimeoutError(_) => (ErrorKind::NotReached, None, "no answer in time".to_owned()),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map_or_else(|| "connection failed".to_owned(), deepest);
            (ErrorKind::NotReached, None, cause)
        }
        SdkError::ResponseError(_) => {
            (ErrorKind::NotReached, None, format!("broken answer: {}", DisplayErrorContext(error)))
        }
        other => (ErrorKind::Other, None, DisplayErrorContext(other).to_string()),
    };
    AwsError { kind, operation, subject, code, message, reason, request_id }
}

/// The SDK has a method for it on each error of each operation; the wire has it in one place.
fn reason_of(body: &[u8]) -> Option<Box<str>> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("Reason")?.as_str().map(Box::from)
}

/// The last cause is the one that says what happened: `Connection refused`, not `dispatch failure`.
fn deepest(error: &(impl std::error::Error + 'static)) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A list that may go on for ever is an emulator's or AWS's mistake; a million pages are more than any quota allows.
const MOST_PAGES: usize = 1_000_000;

/// Reads all pages.
///
/// # Errors
/// The first error of any page: half a list is never an answer.
pub(super) async fn pages<T, F>(
    operation: &'static str,
    subject: impl Display,
    fetch: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), AwsError>>,
{
    pages_up_to(usize::MAX, operation, subject, fetch).await.map(Option::unwrap_or_default)
}

/// Reads all pages, or gives up with `None` when there are more than `most` items. AWS may cut any page short, even to nothing, and still have more: only the token counts, and an
/// empty one means the end as an absent one does.
///
/// # Errors
/// The first error of any page: half a list is never an answer.
pub(super) async fn pages_up_to<T, F>(
    most: usize,
    operation: &'static str,
    subject: impl Display,
    mut fetch: impl FnMut(Option<String>) -> F,
) -> Result<Option<Vec<T>>, AwsError>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), AwsError>>,
{
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let (page, next) = Box::pin(fetch(token.clone())).await?;
        items.extend(page);
        if items.len() > most {
            return Ok(None);
        }
        let next = next.filter(|next| !next.is_empty());
        match next {
            None => return Ok(Some(items)),
            Some(_) if next == token => break,
            Some(_) => token = next,
        }
    }
    Err(AwsError::unreadable(operation, subject, "the list never ends: the same page token comes again"))
}

#[cfg(test)]
mod tests {
    use super::{AwsError, ErrorKind, pages};

    async fn read(answers: Vec<(Vec<u8>, Option<&'static str>)>) -> Result<Vec<u8>, AwsError> {
        let mut answers = answers.into_iter();
        pages("ListThings", "x", |_| {
            let next = answers.next();
            async move {
                let (page, token) = next.ok_or_else(|| AwsError::local(ErrorKind::Throttled, "no more"))?;
                Ok((page, token.map(str::to_owned)))
            }
        })
        .await
    }

    #[tokio::test]
    async fn short_and_empty_pages_do_not_end_a_list() {
        let pages = vec![(vec![1], Some("a")), (vec![], Some("b")), (vec![2], Some(""))];
        assert_eq!(read(pages).await, Ok(vec![1, 2]));
    }

    #[tokio::test]
    async fn a_failed_page_fails_the_list() {
        assert_eq!(read(vec![(vec![1], Some("a"))]).await.map_err(|error| error.kind), Err(ErrorKind::Throttled));
    }

    #[tokio::test]
    async fn a_token_that_comes_again_is_an_error() {
        let answer = read(vec![(vec![1], Some("a")), (vec![1], Some("a"))]).await;
        assert_eq!(answer.map_err(|error| error.kind), Err(ErrorKind::Unreadable));
    }
}
