//! The tree: the root, its organizational units, and who stands under whom.

use serde_json::{Map, Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::tags::Tags;
use super::super::wire::{AwsError, Reply};
use super::super::world::Unit;
use super::{arn, constraint, line, parent, path, tagged};

pub(super) const OPERATIONS: &[Operation] = &[
    read("ListRoots", roots),
    read("ListOrganizationalUnitsForParent", list),
    read("ListChildren", children),
    read("ListParents", parents),
    read("DescribeOrganizationalUnit", describe),
    write("CreateOrganizationalUnit", create),
    write("UpdateOrganizationalUnit", update),
    write("DeleteOrganizationalUnit", delete),
];

/// Below the root [quotas, Organizations user guide].
const MAX_DEPTH: usize = 5;
const MAX_UNITS: usize = 2_000;

fn roots(state: &State, input: Input<'_>) -> Reply {
    let id = &state.organization.root_id;
    page(
        state,
        input,
        "Roots",
        [id],
        |id| json!({"Id": id, "Arn": arn(state, "root", id), "Name": "Root", "PolicyTypes": []}),
    )
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let parent = parent(state, input)?;
    let units = state.units.values().filter(|unit| unit.parent == parent);
    page(state, input, "OrganizationalUnits", units, |unit| body(state, unit))
}

fn children(state: &State, input: Input<'_>) -> Reply {
    let parent = parent(state, input)?;
    let kind = input.text("ChildType");
    let row = |id: &String| json!({"Id": id, "Type": kind});
    match kind {
        "ACCOUNT" => {
            let found = state.accounts.values().filter(|it| it.parent == parent).map(|it| &it.id);
            page(state, input, "Children", found, row)
        }
        _ => {
            let found = state.units.values().filter(|it| it.parent == parent).map(|it| &it.id);
            page(state, input, "Children", found, row)
        }
    }
}

// Exactly one [ListParents, API reference].
fn parents(state: &State, input: Input<'_>) -> Reply {
    let id = input.text("ChildId");
    let account = state.accounts.get(id).map(|it| &it.parent);
    let parent = account.or_else(|| state.units.get(id).map(|it| &it.parent)).ok_or_else(|| {
        AwsError::new(
            "ChildNotFoundException",
            "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.",
        )
    })?;
    page(state, input, "Parents", [parent], |id| {
        let kind = if state.units.contains_key(id) { "ORGANIZATIONAL_UNIT" } else { "ROOT" };
        json!({"Id": id, "Type": kind})
    })
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    unit(state, input).map(|unit| json!({"OrganizationalUnit": body(state, unit)}))
}

fn create(state: &mut State, input: Input<'_>) -> Reply {
    let parent = parent(state, input)?.to_owned();
    let name = input.text("Name");
    let tags = tagged(input, &Tags::new())?;
    unique(state, &parent, name, None)?;
    if line(state, &parent).len() >= MAX_DEPTH {
        return Err(constraint(
            "OU_DEPTH_LIMIT_EXCEEDED",
            "You have exceeded the allowed depth of organizational units.",
        ));
    }
    if state.units.len() >= MAX_UNITS {
        return Err(constraint(
            "OU_NUMBER_LIMIT_EXCEEDED",
            "You have exceeded the allowed number of organizational units.",
        ));
    }
    let suffix = state.organization.root_id.strip_prefix("r-").unwrap_or_default().to_owned();
    let id = loop {
        let id: String = format!("ou-{suffix}-{}", state.ids.hex().chars().take(8).collect::<String>());
        if !state.units.contains_key(&id) {
            break id;
        }
    };
    let unit = Unit { id: id.clone(), name: name.to_owned(), parent, tags };
    state.units.insert(id, unit.clone());
    Ok(json!({"OrganizationalUnit": body(state, &unit)}))
}

fn update(state: &mut State, input: Input<'_>) -> Reply {
    let before = unit(state, input)?.clone();
    let name = input.maybe("Name").unwrap_or(&before.name);
    unique(state, &before.parent, name, Some(&before.id))?;
    let unit = Unit { name: name.to_owned(), ..before };
    state.units.insert(unit.id.clone(), unit.clone());
    Ok(json!({"OrganizationalUnit": body(state, &unit)}))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    let id = unit(state, input)?.id.clone();
    let holds = state.units.values().any(|it| it.parent == id) || state.accounts.values().any(|it| it.parent == id);
    if holds {
        return Err(AwsError::new(
            "OrganizationalUnitNotEmptyException",
            "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.",
        ));
    }
    state.units.remove(&id);
    Ok(json!({}))
}

fn unit<'a>(state: &'a State, input: Input<'_>) -> Result<&'a Unit, AwsError> {
    state.units.get(input.text("OrganizationalUnitId")).ok_or_else(|| {
        AwsError::new(
            "OrganizationalUnitNotFoundException",
            "We can't find an OU with the OrganizationalUnitId that you specified.",
        )
    })
}

// Names are unique under a parent, not in the tree [CreateOrganizationalUnit, API reference].
fn unique(state: &State, parent: &str, name: &str, but: Option<&str>) -> Result<(), AwsError> {
    let twin = |it: &&Unit| it.parent == parent && it.name == name && but != Some(it.id.as_str());
    match state.units.values().find(twin) {
        None => Ok(()),
        Some(_) => {
            Err(AwsError::new("DuplicateOrganizationalUnitException", "An OU with the same name already exists."))
        }
    }
}

fn body(state: &State, unit: &Unit) -> Value {
    let mut body = Map::new();
    body.insert("Id".to_owned(), json!(unit.id));
    body.insert("Arn".to_owned(), json!(arn(state, "ou", &unit.id)));
    body.insert("Name".to_owned(), json!(unit.name));
    if state.settings.paths {
        body.insert("Path".to_owned(), json!(path(state, &unit.parent, &unit.id)));
    }
    Value::Object(body)
}
