//! What an access file may look like: the form that people write, and the JSON Schema made from it.
//!
//! The doc comments below are what editors show while somebody types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

use crate::desired::decode::{Decode, Kept, Named, form};
use crate::desired::yaml::{Kind, Node};
use crate::model::{Finding, Located};

type Text = Located<String>;

form! {
    /// Who may do what, where: the access file of permset, version 1.
    AccessForm = "the access file" {
        /// The version of this format: 1.
        #[schemars(with = "u32", range(min = 1, max = 1))]
        version: Kept<Text>,
        /// Who owns the permission sets of this file. Written on each of them as the tag `permset:owner`; a permission set that carries another owner's tag is refused.
        #[schemars(length(min = 1, max = 256))]
        owner: Option<Text>,
        /// Which Identity Center. Without it: the only instance of the Region.
        instance: Option<InstanceForm>,
        /// Where this file is the whole truth about account assignments. Nothing outside is ever touched.
        scope: Kept<ScopeForm>,
        /// Short names for accounts. Every other name is looked up in AWS Organizations.
        accounts: Option<Named<AccountIdForm>>,
        /// The permission sets that this file declares, by name.
        permission_sets: Option<Named<PermissionSetForm>>,
        /// Who gets which permission set in which account.
        assignments: Option<Vec<AssignmentForm>>,
        /// What apply does only with somebody's consent, and what it never does.
        guards: Option<GuardsForm>,
        /// Live assignments that are left alone, though they are in scope: those of just-in-time tools, or of principals that no longer exist.
        ignore: Option<Vec<IgnoreForm>>,
    }

    /// Which Identity Center instance, and where.
    InstanceForm at place = "instance" {
        /// Its ARN.
        #[schemars(regex(pattern = r"^arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[a-zA-Z0-9.-]{16}$"))]
        arn: Option<Text>,
        /// Its home Region, such as `eu-central-1`.
        region: Option<Text>,
    }

    /// Where this file decides about account assignments.
    ScopeForm at place = "scope" {
        /// The accounts, by name, short name or id; `"*"` means all active accounts of the organization.
        accounts: Kept<Vec<Text>>,
        /// `declared` (the default): assignments of the permission sets of this file. `all`: assignments of every permission set.
        #[schemars(with = "Option<ScopeSetsForm>")]
        permission_sets: Option<Text>,
    }

    /// A permission set: owned whole, unless its definition is external. What is not written here is removed.
    PermissionSetForm = "a permission set" {
        /// `external`: somebody else decides what it contains (AWS Control Tower, for example); this file only assigns it.
        #[schemars(with = "Option<ExternalForm>")]
        definition: Option<Text>,
        /// What it is for: 1 to 700 characters of Latin script.
        #[schemars(length(min = 1, max = 700))]
        description: Option<Text>,
        /// How long a session lasts, 1 to 12 hours, such as `4h`, `90m`, `1h30m` or `PT4H`. Default: `1h`.
        session_duration: Option<Text>,
        /// Where the AWS console opens.
        #[schemars(length(min = 1, max = 240))]
        relay_state: Option<Text>,
        /// Tags of the permission set.
        tags: Option<Named<Text>>,
        /// AWS managed policies: a name as in `AdministratorAccess` or `job-function/ViewOnlyAccess`, or the full ARN.
        aws_managed_policies: Option<Vec<Text>>,
        /// Policies that must exist in every account under this name and path.
        customer_managed_policies: Option<Vec<CustomerManagedForm>>,
        /// A policy of its own, in YAML, or as a text in JSON.
        #[schemars(with = "Option<PolicyForm>")]
        inline_policy: Option<Node>,
        /// A file with the inline policy, in JSON or YAML, beside the access file or in a folder below.
        inline_policy_file: Option<Text>,
        /// The upper limit of what all the policies can allow.
        permissions_boundary: Option<BoundaryForm>,
        /// What it was called before. AWS renames no permission set: this one is created and assigned, then the assignments of the former one in scope are revoked, and it is deleted.
        previously: Option<Vec<Text>>,
    }

    /// A policy that each account keeps itself.
    CustomerManagedForm = "a customer managed policy" {
        /// Its name.
        #[schemars(length(min = 1, max = 128))]
        name: Text,
        /// Its path; default `/`.
        path: Option<Text>,
    }

    /// A permissions boundary: exactly one of the two.
    BoundaryForm at place = "a permissions boundary" {
        /// An AWS managed policy, by name or ARN.
        aws_managed: Option<Text>,
        /// A policy that each account keeps itself.
        customer_managed: Option<CustomerManagedForm>,
    }

    /// What apply does only with somebody's consent, and what it never does.
    GuardsForm = "guards" {
        /// How many assignments one apply may take away without `--allow mass-deletion`. Either limit refuses.
        max_deletions: Option<MaxDeletionsForm>,
        /// Permission sets that are never changed, assigned or revoked, also where the scope covers all.
        protect: Option<Vec<Text>>,
        /// Grants that must be there after every apply: the way back in.
        required: Option<Vec<RequiredForm>>,
    }

    /// The limits of what one apply may take away.
    MaxDeletionsForm at place = "max_deletions" {
        /// So many assignments; default 10.
        count: Option<Text>,
        /// This share of the assignments that the file decides about, such as `30%`, the default. Three or fewer are never too large a share.
        share: Option<Text>,
    }

    /// A grant that must be there: exactly one of group and user.
    RequiredForm at place = "a required grant" {
        /// The group, by display name.
        group: Option<Text>,
        /// The user, by user name or e-mail address.
        user: Option<Text>,
        /// The permission set, by name; it must be declared.
        permission_set: Text,
        /// The account, by name, short name or id.
        account: Text,
    }

    /// The lists multiply out: every principal gets every permission set in every account.
    AssignmentForm at place = "an assignment" {
        /// The permission sets, by name; each must be declared.
        permission_sets: Kept<Vec<Text>>,
        /// The accounts, by name, short name or id; `"*"` means all active accounts of the organization.
        accounts: Kept<Vec<Text>>,
        /// Accounts taken out again.
        except_accounts: Option<Vec<Text>>,
        /// The groups, by display name.
        groups: Option<Vec<Text>>,
        /// The users, by user name or e-mail address.
        users: Option<Vec<Text>>,
        /// Until when: a day, which counts to its end in UTC, as in `2027-01-31`, or a time as in `2027-01-31T18:00:00Z`. After it the line grants nothing, so apply revokes.
        expires: Option<Text>,
        /// Why; for readers only.
        reason: Option<Text>,
    }

    /// What matches everything that is written here is left alone; `*` in a name stands for any characters.
    IgnoreForm at place = "an ignored assignment" {
        /// Groups, by display name.
        groups: Option<OneOrMany>,
        /// Users, by user name.
        users: Option<OneOrMany>,
        /// Groups and users by their ids: the only way to name one that no longer exists.
        principal_ids: Option<OneOrMany>,
        /// Permission sets, by name.
        permission_sets: Option<OneOrMany>,
        /// Accounts, by name, short name or id.
        accounts: Option<OneOrMany>,
    }
}

/// One text, or a list of them.
#[derive(Debug)]
pub(super) struct OneOrMany(pub(super) Vec<Text>);

impl Decode for OneOrMany {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        match node.kind {
            Kind::List(_) => Vec::decode(node, findings).map(Self),
            _ => Text::decode(node, findings).map(|text| Self(vec![text])),
        }
    }
}

/// An account id is text, and a number without quotes is taken as text.
pub(super) type AccountIdForm = Text;

macro_rules! forwarded_schema {
    ($($type:ident<$inner:ident> => $target:ty),+ $(,)?) => {$(
        impl<$inner: JsonSchema> JsonSchema for $type<$inner> {
            fn schema_name() -> Cow<'static, str> {
                <$target>::schema_name()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$target>::json_schema(generator)
            }
            fn inline_schema() -> bool {
                <$target>::inline_schema()
            }
        }
    )+};
}

forwarded_schema!(Kept<T> => T, Named<T> => BTreeMap<String, T>);

macro_rules! written_schema {
    ($($type:ty = $schema:tt),+ $(,)?) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
            fn inline_schema() -> bool {
                true
            }
        }
    )+};
}

struct ScopeSetsForm;
struct ExternalForm;
struct PolicyForm;

written_schema! {
    // Without quotes YAML may make a number or a boolean of a text; permset reads it as it is spelled.
    Text = {"type": ["string", "number", "boolean"]},
    OneOrMany = {"anyOf": [{"type": ["string", "number", "boolean"]}, {"type": "array", "items": {"type": ["string", "number", "boolean"]}}]},
    ScopeSetsForm = {"enum": ["declared", "all"]},
    ExternalForm = {"const": "external"},
    PolicyForm = {"type": ["object", "string"]},
}

/// Returns the JSON Schema (draft 2020-12) of the access file.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<AccessForm>();
    schema.insert("title".to_owned(), "permset access file, version 1".into());
    let mut schema = schema.to_value();
    refuse_null(&mut schema);
    schema
}

/// A field that may be left out is not one that may be left empty: `groups:` with nothing behind it is an error.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for list in ["type", "enum", "anyOf"] {
                if let Some(Value::Array(choices)) = map.get_mut(list) {
                    choices.retain(|choice| {
                        *choice != "null" && !choice.is_null() && choice.get("type") != Some(&"null".into())
                    });
                    if let ("type", [only]) = (list, choices.as_slice()) {
                        let only = only.clone();
                        map.insert(list.to_owned(), only);
                    }
                }
            }
            map.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
