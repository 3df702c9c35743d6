//! What AWS's refusals mean and what to do about them.
//!
//! AWS's texts change without notice, so a hint is only ever added to what AWS says, which is always shown. The texts are those
//! that people met; each row of the table in the tests has its source.

use crate::apply::{AwsError, ErrorKind};

const DELEGATED: &str = "a delegated administrator can neither assign in the management account nor change what is provisioned there: \
                         apply from the management account, or keep permission sets for it in a file of their own";
const LOOKS_FIRST: &str = "run again: permset looks first, so nothing is done twice";

/// Says what to do about a call that was refused.
pub fn of_error(error: &AwsError) -> Option<String> {
    if let Some(reason) = &error.reason
        && let Some(hint) = of_kms(reason)
    {
        return Some(hint.to_owned());
    }
    let has = |part: &str| error.message.contains(part);
    let fixed = match error.kind {
        ErrorKind::AccessDenied => return Some(of_denial(&error.message)),
        ErrorKind::Quota => return Some(of_quota(&error.message)),
        ErrorKind::Conflict
            if error.is_already() && error.operation != "CreatePermissionSet" && !error.operation.is_empty() =>
        {
            "AWS says that it is so already, and does not show it: what was done a moment ago may still be on its way; run again"
        }
        ErrorKind::Conflict if error.is_already() => {
            "the name was taken after the plan was made; run again, permset looks first and adopts by name"
        }
        ErrorKind::Conflict if has("Could not delete") => {
            "AWS still counts it as in use: minutes after the last assignment went that is so, and while it is provisioned anywhere; run again later"
        }
        ErrorKind::Conflict => {
            "another change of the same thing was still going on after five minutes; see who makes it (AWS CloudTrail, sso.amazonaws.com), and run again"
        }
        ErrorKind::Throttled if has("too many requests processing") => {
            "AWS works on at most 10 assignment requests at a time, everybody's together, and somebody else's fill them; run again later"
        }
        ErrorKind::Throttled => {
            "AWS allows 20 calls a second, everybody's together, and somebody else uses them up; run again later"
        }
        ErrorKind::NotFound if has("Policy does not exist") => {
            "there is no AWS managed policy of this name: some have a path, as in `job-function/ViewOnlyAccess`"
        }
        ErrorKind::NotFound => {
            "it was deleted after the plan was made; run again, and the next plan is made from what is there"
        }
        ErrorKind::Invalid if has("non-whitespace") => {
            "an inline policy has at most 10,240 characters without white space; move statements into a customer managed policy"
        }
        ErrorKind::Invalid if has("PermissionsPolicy") || has("inlinePolicy") => {
            "AWS does not accept the inline policy; `aws accessanalyzer validate-policy --policy-type IDENTITY_POLICY` names the place"
        }
        ErrorKind::Invalid => "AWS does not accept this value, which permset let through: please report it",
        ErrorKind::NoCredentials => {
            "the credentials ran out or are not accepted: log in again, then run again; permset looks first"
        }
        ErrorKind::NotReached => LOOKS_FIRST,
        ErrorKind::Other if error.code.as_deref() == Some("InternalServerException") => {
            "a fault inside AWS, which may have done it all the same; run again: permset looks first, so nothing is done twice"
        }
        ErrorKind::NoRegion | ErrorKind::NoInstance | ErrorKind::Unreadable | ErrorKind::Other => return None,
    };
    Some(fixed.to_owned())
}

/// Encryption with a key of one's own (API model: the reasons of sso-admin's and identitystore's errors).
fn of_kms(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "KMS_AccessDeniedException" => {
            "the instance is encrypted with a KMS key that the caller may not use: `kms:Decrypt` through sso and identitystore is missing, in the key policy or for the caller"
        }
        "KMS_NotFoundException" => "the KMS key of the instance does not exist, or is in another Region",
        "KMS_ThrottlingException" => "KMS limits the calls on the key of the instance; run again later",
        "KMS_InvalidKeyUsageException" => {
            "the KMS key of the instance is not for encryption: it must be symmetric, for ENCRYPT_DECRYPT"
        }
        "KMS_InvalidStateException" => {
            "the KMS key of the instance cannot be used now: it waits for deletion or for key material"
        }
        "KMS_DisabledException" => "the KMS key of the instance is disabled: enable it in KMS",
        _ => return None,
    })
}

/// `User: … is not authorized to perform: sso:CreateAccountAssignment on resource: …` names the action.
fn of_denial(message: &str) -> String {
    let action = message.split("perform: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let plain = |action: &&str| action.bytes().all(|b| b.is_ascii_alphanumeric() || b":-".contains(&b));
    match action.filter(plain) {
        Some(action) => format!("the caller lacks `{action}`, or {DELEGATED}"),
        None => format!("the caller lacks a right (the README lists them), or {DELEGATED}"),
    }
}

/// The numbers are AWS's defaults (Identity Center user guide, quotas; IAM user guide, quotas).
fn of_quota(message: &str) -> String {
    let has = |part: &str| message.contains(part);
    let what = if has("ManagedPolicy") {
        "a permission set takes at most 20 managed policies, AWS's and customers' together"
    } else if has("PermissionSet") && has("account") {
        "an account takes a limited number of provisioned permission sets (50 at first, 500 in the newest texts; it can be raised)"
    } else if has("PermissionSet") {
        "an instance takes a limited number of permission sets (2,000 at first, 3,500 in the newest texts)"
    } else if has("ag") && has("Tag") {
        "a permission set takes at most 50 tags"
    } else {
        "a quota of AWS is exhausted"
    };
    format!("{what}; see Service Quotas, IAM Identity Center")
}

/// Reads the FailureReason of an asynchronous request.
pub(super) fn of_reason(reason: &str) -> Option<&'static str> {
    let has = |part: &str| reason.contains(part);
    if has("Access denied by IAM") || has("iam:UpdateSAMLProvider") {
        Some(
            "in the management account AWS works with the caller's own IAM rights, which must cover the AWSReservedSSO roles and the SAML provider; elsewhere, a service control policy may be in the way",
        )
    } else if has("was not found in directory") {
        Some("the user or group is gone, or was made anew under the same name; run again to see it as it is now")
    } else if has("is taking longer than usual") {
        Some(
            "the account is suspended or closed, or its role for Identity Center cannot be used: look at it in AWS Organizations",
        )
    } else if has("Assignment not found") || has("provision not found") {
        Some("the last assignment went away meanwhile; run again")
    } else if has("PoliciesPerRole") {
        Some("IAM attaches 10 managed policies to a role, 25 at most: raise the quota in each account, or use fewer")
    } else if has("RolesPerAccount") {
        Some(
            "IAM keeps 1,000 roles in an account, 5,000 at most, and each permission set needs one: raise the quota there",
        )
    } else if has("quota") || has("LimitExceeded") || has("limit") {
        Some("a quota of IAM in the account is exhausted; see Service Quotas, IAM, in that account")
    } else if has("404") && has("olicy") {
        Some("a customer managed policy must exist in the account under the same path and name before")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{of_error, of_reason};
    use crate::apply::{AwsError, ErrorKind};

    fn error(kind: ErrorKind, message: &str) -> AwsError {
        AwsError::local(kind, message)
    }

    // The texts of AWS as people met them, with where.
    #[test]
    fn each_refusal_that_is_known_has_a_way_out() {
        let known = [
            // avlcloudtechnologies/terraform-aws-sso#6
            (ErrorKind::Conflict, "PermissionSet with name X already exists.", "the name was taken after the plan"),
            // aws-iam-identity-center-extensions#111, iam-identity-center-team#513
            (ErrorKind::Conflict, "There is a conflicting operation in process.", "still going on after five minutes"),
            // terraform-provider-aws#26757
            (
                ErrorKind::Conflict,
                "Could not delete because PermissionSet has ApplicationProfile",
                "still counts it as in use",
            ),
            // moto
            (ErrorKind::NotFound, "Could not find PermissionSet with id ps-1", "deleted after the plan was made"),
            (
                ErrorKind::NotFound,
                "Policy does not exist with ARN: arn:aws:iam::aws:policy/X",
                "no AWS managed policy of this name",
            ),
            (
                ErrorKind::Quota,
                "You have exceeded AWS SSO limits. Cannot create ManagedPolicy more than 20 for id ps-1",
                "at most 20 managed policies",
            ),
            (ErrorKind::Quota, "You have exceeded AWS SSO limits. Cannot create PermissionSet more than 2000", "2,000"),
            (ErrorKind::Quota, "Something else is full", "a quota of AWS is exhausted"),
            // cloudformation-coverage-roadmap#1294, #1986
            (ErrorKind::Invalid, "Invalid PermissionsPolicy Document, nested policy", "accessanalyzer validate-policy"),
            // terraform-provider-aws#32010
            (ErrorKind::Invalid, "Value of input 'inlinePolicy' failed to satisfy constraint", "accessanalyzer"),
            // LBHackney-IT/Data-Platform#2789
            (
                ErrorKind::Invalid,
                "Current size of the non-whitespace characters present in the InlinePolicy Document is 11000 bytes which has exceeded the maximum limit of 10240 bytes",
                "at most 10,240 characters",
            ),
            (ErrorKind::Invalid, "Value of input 'relayState' failed", "please report it"),
            // terraform-provider-aws#25552
            (ErrorKind::Throttled, "Rate exceeded", "20 calls a second"),
            // aws-iam-identity-center-extensions#87
            (
                ErrorKind::Throttled,
                "There are too many requests processing. Please try again later.",
                "at most 10 assignment",
            ),
            // iam-identity-center-team#59, terraform-aws-sso-elevator#101
            (
                ErrorKind::AccessDenied,
                "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: sso:CreateAccountAssignment on resource: arn:aws:sso:::permissionSet/x",
                "the caller lacks `sso:CreateAccountAssignment`, or a delegated administrator",
            ),
            (ErrorKind::AccessDenied, "no", "the caller lacks a right"),
            (ErrorKind::NoCredentials, "The security token included in the request is expired", "log in again"),
            (ErrorKind::NotReached, "connection reset by peer", "nothing is done twice"),
        ];
        for (kind, message, words) in known {
            let hint = of_error(&error(kind, message));
            assert!(hint.as_ref().is_some_and(|hint| hint.contains(words)), "{message}: {hint:?}");
        }
        let internal = AwsError { code: Some("InternalServerException".into()), ..error(ErrorKind::Other, "") };
        assert!(of_error(&internal).is_some_and(|hint| hint.contains("a fault inside AWS")));
    }

    // The six reasons of the API model.
    #[test]
    fn each_trouble_with_a_key_has_a_way_out() {
        for (reason, words) in [
            ("KMS_AccessDeniedException", "`kms:Decrypt`"),
            ("KMS_NotFoundException", "does not exist"),
            ("KMS_ThrottlingException", "limits the calls"),
            ("KMS_InvalidKeyUsageException", "ENCRYPT_DECRYPT"),
            ("KMS_InvalidStateException", "waits for deletion"),
            ("KMS_DisabledException", "is disabled"),
        ] {
            let error = AwsError { reason: Some(reason.into()), ..error(ErrorKind::AccessDenied, "no") };
            assert!(of_error(&error).is_some_and(|hint| hint.contains(words)), "{reason}");
        }
    }

    #[test]
    fn each_failure_that_is_known_has_a_way_out() {
        let known = [
            // terraform-aws-sso-elevator#15, #21, landing-zone-accelerator-on-aws#496, terraform-provider-aws#23585
            (
                "Received a 403 status error: Access denied by IAM. Please check your policy, or wait for role propagation to complete. IAM Error: User: x is not authorized to perform: iam:UpdateSAMLProvider on resource: y",
                "the caller's own IAM rights",
            ),
            // terraform-provider-aws#35158, #33337, cloudposse/terraform-aws-sso#66
            ("Received a 404 status error: Assignment not found.", "went away meanwhile"),
            (
                "Received a 404 status error: Permission set provision not found in AWS account 123456789012.",
                "went away meanwhile",
            ),
            // terraform-provider-aws#19341
            (
                "Received a 404 status error: the USER assignee 1 was not found in directory d-0000000000",
                "the user or group is gone",
            ),
            // aws-sso-util#80
            (
                "AWS SSO is unable to complete your request at this time. Obtaining permissions to manage your AWS account '123456789012' is taking longer than usual.",
                "suspended or closed",
            ),
            // Identity Center user guide, customer managed policies
            (
                "Received a 404 status error: Not supported policy arn:aws:iam::1:policy/x.",
                "under the same path and name",
            ),
            // iam-identity-center-team#522, terraform-provider-aws#22952
            ("Cannot exceed quota for PoliciesPerRole: 10", "10 managed policies"),
            ("Cannot exceed quota for RolesPerAccount: 1000", "1,000 roles"),
            ("Received a 409 status error: LimitExceeded", "a quota of IAM"),
        ];
        for (reason, words) in known {
            assert!(of_reason(reason).is_some_and(|hint| hint.contains(words)), "{reason}: {:?}", of_reason(reason));
        }
        assert_eq!(of_reason("something new"), None);
    }
}
