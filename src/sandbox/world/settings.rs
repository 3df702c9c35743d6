//! The part of the world file that says how the sandbox behaves where AWS leaves room, is unknown, or is to be made harder.
//!
//! Shapes only, as in the rest of the file form.

use serde::{Deserialize, Serialize};

/// The switches of the sandbox. Where AWS's behaviour is not documented, the default is the likelier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an asynchronous job stays IN_PROGRESS; `null` is 1 second, and 3 when serving other programs.
    pub job_seconds: Option<f64>,
    /// How long a write of a permission set takes, while another one on the same set is in conflict with it (tf#19215); `null` is no
    /// time, and a twentieth of a second when serving other programs.
    pub write_seconds: Option<f64>,
    /// How many finished jobs are remembered. AWS documents no retention.
    pub finished_jobs: usize,
    /// Default and cap of a page of sso-admin and identitystore, 1 to 100. AWS documents no default.
    pub page_size: usize,
    /// The same for organizations, 1 to 20.
    pub organizations_page_size: usize,
    /// Whether pages are cut short at random, though more items follow, as AWS may always do.
    pub short_pages: bool,
    /// Whether now and then a page is empty though it carries a token, as those of organizations may be.
    pub empty_pages: bool,
    /// Unknown: whether an empty list is left out of the answer of ListPermissionSetsProvisionedToAccount.
    pub omit_empty_lists: bool,
    /// Unknown: whether GetInlinePolicyForPermissionSet leaves the policy out when there is none, rather than answer an empty text.
    pub omit_empty_inline_policy: bool,
    /// How long after a change lists and descriptions still show what was before. Each change within it keeps a copy of
    /// the world, so this is for small ones.
    pub read_lag_seconds: f64,
    /// How long a permission set still counts as in use after its last assignment went.
    pub deletion_lingers_seconds: f64,
    /// Whether calls are limited by rate; `null` does so when serving other programs, and not in process.
    pub throttle: Option<bool>,
    /// Calls a second of sso-admin together, and of identitystore together.
    pub calls_per_second: f64,
    /// Unknown: whether sso-admin and identitystore share one allowance.
    pub identitystore_shares_rate: bool,
    /// Unknown: calls a second of each operation of organizations; of ListRoots it is one.
    pub organizations_calls_per_second: f64,
    /// How many changes of permission sets and assignments CloudTrail remembers.
    pub trail_events: usize,
    /// How long it takes until CloudTrail tells of a change; with AWS up to 15 minutes.
    pub trail_delay_seconds: f64,
    /// The epoch second at which the clock starts; `null` takes the machine's time.
    pub epoch: Option<f64>,
    /// Whether access keys that the world does not know are the management account's, or nobody's.
    pub unknown_keys: UnknownKeys,
    /// The name of the user whom a browser signs in when it does not say; `null` is the first that is enabled.
    pub sign_in_as: Option<String>,
    /// Unknown: whether ListAccountAssignmentsForPrincipal of a user shows the rows of the user's groups.
    pub group_rows_for_users: bool,
    /// Unknown: whether a delegated administrator may call ListAccountAssignmentsForPrincipal.
    pub delegated_lists_by_principal: bool,
    /// Unknown: whether ListAccountAssignmentsForPrincipal shows what a principal left behind that no longer exists.
    pub rows_of_deleted_principals: bool,
    /// Unknown: on what one asynchronous request is in conflict with another.
    pub conflicts: Conflicts,
    /// Unknown: whether assigning to a principal or in an account that does not exist fails late, or is refused at once.
    pub unknown_assignee: UnknownAssignee,
    /// Unknown: whether the assignment of a principal that no longer exists can be deleted (it failed in 2021, tf#19341).
    pub orphans_can_be_revoked: bool,
    /// Unknown: whether provisioning everywhere updates the accounts that work when one does not.
    pub provisions_partially: bool,
    /// Unknown: whether an update that sends no description clears it.
    pub update_clears_description: bool,
    /// Unknown: whether policies and durations come back as they were sent, or in one spelling.
    pub echo: Echo,
    /// Unknown: whether an instance that does not exist is not found, or access to it is denied.
    pub unknown_instance: UnknownInstance,
    /// Unknown: the HTTP status of internal errors.
    pub internal_error_status: u16,
    /// Unknown: whether CreateAccountAssignment brings a stale permission set up to date in the account.
    pub create_refreshes_stale: bool,
    /// Unknown: whether deletions count among the ten open assignment requests.
    pub deletions_are_open_jobs: bool,
    /// Unknown: what DeleteAccountAssignment answers when there is no such assignment.
    pub delete_missing_assignment: Missing,
    /// Unknown: whether names of permission sets that differ by case only are different.
    pub names_differ_by_case: bool,
    /// Unknown: whether an edit of the description alone makes provisioned accounts stale.
    pub description_makes_stale: bool,
    /// Unknown: what DeletePermissionsBoundaryFromPermissionSet answers when there is none.
    pub delete_missing_boundary: Missing,
    /// Unknown: what DescribeInstanceAccessControlAttributeConfiguration answers when there is none.
    pub describe_missing_attributes: Missing,
    /// Unknown: whether a session duration outside 1 to 12 hours is accepted if it has the model's form.
    pub any_session_duration: bool,
    /// Whether accounts and organizational units say their paths, as the newest organizations does.
    pub paths: bool,
    /// Whether ListUsers and ListGroups take filters, which newer Regions refuse.
    pub filters: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            job_seconds: None,
            write_seconds: None,
            finished_jobs: 10_000,
            page_size: 100,
            organizations_page_size: 20,
            short_pages: false,
            empty_pages: false,
            omit_empty_lists: false,
            omit_empty_inline_policy: false,
            read_lag_seconds: 0.0,
            deletion_lingers_seconds: 0.0,
            throttle: None,
            calls_per_second: 20.0,
            identitystore_shares_rate: false,
            organizations_calls_per_second: 10.0,
            trail_events: 1_000,
            trail_delay_seconds: 0.0,
            epoch: None,
            unknown_keys: UnknownKeys::Management,
            sign_in_as: None,
            group_rows_for_users: true,
            delegated_lists_by_principal: false,
            rows_of_deleted_principals: true,
            conflicts: Conflicts::Pair,
            unknown_assignee: UnknownAssignee::FailsLate,
            orphans_can_be_revoked: true,
            provisions_partially: true,
            update_clears_description: true,
            echo: Echo::Verbatim,
            unknown_instance: UnknownInstance::NotFound,
            internal_error_status: 500,
            create_refreshes_stale: true,
            deletions_are_open_jobs: true,
            delete_missing_assignment: Missing::NotFound,
            names_differ_by_case: true,
            description_makes_stale: true,
            delete_missing_boundary: Missing::NotFound,
            describe_missing_attributes: Missing::NotFound,
            any_session_duration: false,
            paths: true,
            filters: true,
        }
    }
}

/// What asking for or deleting something that is not there comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// ResourceNotFoundException at once.
    NotFound,
    /// It succeeds.
    Succeeds,
}

/// Whose an access key is that the world does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownKeys {
    /// The management account's.
    Management,
    /// Nobody's: the call is refused.
    Refused,
}

/// On what asynchronous requests are in conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflicts {
    /// On one permission set in one account.
    Pair,
    /// On one account.
    Account,
    /// On one permission set.
    Set,
}

/// What assigning to or in something that does not exist comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAssignee {
    /// The request begins, and ends FAILED.
    FailsLate,
    /// ResourceNotFoundException at once.
    Refused,
}

/// How policies and durations come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// To the letter.
    Verbatim,
    /// Policies without white space, durations in hours and minutes.
    Normalized,
}

/// What naming an instance that does not exist comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownInstance {
    /// ResourceNotFoundException, where the operation has it.
    NotFound,
    /// AccessDeniedException.
    Denied,
}
