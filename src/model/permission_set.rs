//! What a permission set consists of, in terms that the access file and AWS share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::model::{Policy, SessionDuration, Shown};

/// The tag that says which access file owns a permission set.
pub const OWNER_TAG: &str = "permset:owner";

/// What AWS Control Tower makes and repairs (AWS Control Tower user guide, "IAM Identity Center groups and permission sets").
pub const CONTROL_TOWER_SETS: [&str; 6] = [
    "AWSAdministratorAccess",
    "AWSOrganizationsFullAccess",
    "AWSPowerUserAccess",
    "AWSReadOnlyAccess",
    "AWSServiceCatalogAdminFullAccess",
    "AWSServiceCatalogEndUserAccess",
];

/// How many AWS managed and customer managed policies a permission set can hold together (Identity Center user guide, quotas).
pub const POLICIES_PER_SET: usize = 20;

/// Everything that a permission set consists of apart from its name and where it is assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is for.
    pub description: Option<String>,
    /// How long a session lasts.
    pub session_duration: SessionDuration,
    /// Where the AWS console opens.
    pub relay_state: Option<String>,
    /// Tags of the permission set itself; those that start with `aws:` belong to AWS and are left out.
    pub tags: BTreeMap<String, String>,
    /// AWS managed policies.
    pub aws_managed_policies: BTreeSet<AwsManagedPolicy>,
    /// Customer managed policies, which must exist under this name and path in every account.
    pub customer_managed_policies: BTreeSet<CustomerManagedPolicy>,
    /// The policy of its own.
    pub inline_policy: Option<Policy>,
    /// The upper limit of what all the policies can allow.
    pub permissions_boundary: Option<Boundary>,
}

/// The three attributes that UpdatePermissionSet always replaces together: what is left out, AWS clears
/// (terraform-provider-aws#17411).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// What it is for.
    pub description: Option<String>,
    /// How long a session lasts.
    pub session_duration: SessionDuration,
    /// Where the console opens.
    pub relay_state: Option<String>,
}

impl Definition {
    /// Returns the attributes that are written in one call.
    pub fn attributes(&self) -> Attributes {
        Attributes {
            description: self.description.clone(),
            session_duration: self.session_duration,
            relay_state: self.relay_state.clone(),
        }
    }
}

impl Default for Definition {
    /// Returns what AWS makes of a permission set of which only the name is given.
    fn default() -> Self {
        Self {
            description: None,
            session_duration: SessionDuration::DEFAULT,
            relay_state: None,
            tags: BTreeMap::new(),
            aws_managed_policies: BTreeSet::new(),
            customer_managed_policies: BTreeSet::new(),
            inline_policy: None,
            permissions_boundary: None,
        }
    }
}

/// An AWS managed policy: its path and name behind `policy/`, such as `job-function/ViewOnlyAccess`.
///
/// The ARN's only other variable part is the partition, which the instance decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AwsManagedPolicy(String);

impl AwsManagedPolicy {
    /// Reads a name as in `AdministratorAccess` or `job-function/ViewOnlyAccess`, or the full ARN of an AWS managed policy.
    /// Returns `None` if the text is neither (API model: ManagedPolicyArn).
    pub fn parse(text: &str) -> Option<Self> {
        let name = match text.strip_prefix("arn:") {
            Some(rest) => rest.split_once(":iam::aws:policy/").filter(|(partition, _)| partition.starts_with("aws"))?.1,
            None => text,
        };
        let fits =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b".,+@=_-".contains(&b));
        (name.split('/').all(fits) && name.len() <= 512).then(|| Self(name.to_owned()))
    }

    /// Returns the ARN in a partition.
    pub fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy/{}", self.0)
    }

    /// Returns path and name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<AwsManagedPolicy> for String {
    fn from(policy: AwsManagedPolicy) -> Self {
        policy.0
    }
}

impl TryFrom<String> for AwsManagedPolicy {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of an AWS managed policy")
    }
}

impl Display for AwsManagedPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

/// A reference to a policy that the accounts themselves keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerManagedPolicy {
    /// Its path, `/` if it has none; begins and ends with a slash.
    pub path: String,
    /// Its name, case-sensitive.
    pub name: String,
}

impl Display for CustomerManagedPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Shown(&self.path), Shown(&self.name))
    }
}

/// A permissions boundary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Boundary {
    /// An AWS managed policy as boundary.
    Aws(AwsManagedPolicy),
    /// A policy of each account as boundary.
    Customer(CustomerManagedPolicy),
}

impl Display for Boundary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(policy) => policy.fmt(f),
            Self::Customer(policy) => policy.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AwsManagedPolicy;

    #[test]
    fn a_name_and_its_arn_are_one_policy() {
        let by_name = AwsManagedPolicy::parse("job-function/ViewOnlyAccess");
        assert_eq!(AwsManagedPolicy::parse("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"), by_name);
        assert_eq!(
            by_name.map(|p| p.arn("aws-cn")).as_deref(),
            Some("arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess")
        );
        for wrong in
            ["", "a//b", "arn:aws:iam::123456789012:policy/Mine", "has blank", "/Lead", "arn:evil:iam::aws:policy/X"]
        {
            assert_eq!(AwsManagedPolicy::parse(wrong), None, "{wrong}");
        }
    }
}
