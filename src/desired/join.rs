//! Several files read as one document: what stands once, what adds up, and both places where something stands twice.

use crate::desired::yaml::{Key, Kind, Node};
use crate::model::{Finding, Place, Shown, Sources};

/// Puts the documents of a folder together.
///
/// `accounts`, `permission_sets`, `assignments` and `ignore` add up; everything else stands in exactly one of them.
pub(super) fn join(roots: Vec<Node>, sources: &Sources, findings: &mut Vec<Finding>) -> Node {
    let mut whole = Node { place: roots.first().map_or(Place::default(), |root| root.place), kind: Kind::Map(vec![]) };
    for root in roots {
        match (root.kind, &mut whole.kind) {
            // A file in which everything is commented out.
            (Kind::Null, _) => {}
            (Kind::Map(entries), Kind::Map(joined)) => {
                for (key, value) in entries {
                    add(joined, key, value, sources, findings);
                }
            }
            _ => {
                findings.push(Finding::error(root.place, "expected a mapping: every file of the folder is part of it"))
            }
        }
    }
    whole
}

type Entries = Vec<(Key, Node)>;

fn add(joined: &mut Entries, key: Key, value: Node, sources: &Sources, findings: &mut Vec<Finding>) {
    let Some((first, there)) = joined.iter_mut().find(|(there, _)| there.text == key.text) else {
        joined.push((key, value));
        return;
    };
    match (key.text.as_str(), &mut there.kind, value.kind) {
        ("assignments" | "ignore", Kind::List(there), Kind::List(more)) => there.extend(more),
        ("accounts" | "permission_sets", Kind::Map(there), Kind::Map(more)) => {
            for (key, value) in more {
                match there.iter().find(|(first, _)| first.text == key.text) {
                    Some((first, _)) => findings.push(twice(first, &key, sources)),
                    None => there.push((key, value)),
                }
            }
        }
        _ => findings.push(twice(first, &key, sources)),
    }
}

fn twice(first: &Key, again: &Key, sources: &Sources) -> Finding {
    let place = sources.position(first.place).map(|it| format!("{}:{}", Shown(it.path), it.line)).unwrap_or_default();
    let message = format!("`{}` stands in {place} already", Shown(&again.text));
    Finding::error(again.place, message).hint("the files of a folder are one document: keep one of the two")
}
