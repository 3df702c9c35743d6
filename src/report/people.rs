//! The people behind a change, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{People, PeopleOf, Principal, PrincipalId, PrincipalKind, Shown};
use crate::report::words::Detail;

/// How many people are named before the others are only counted.
const NAMED: usize = 5;

/// Says whom the steps of a row give or take something. Somebody who gains in one account and has it in another gains.
pub(super) fn details(people: &People, steps: &[usize], who: &Principal, full: bool) -> Vec<Detail> {
    let effects: Vec<&PeopleOf> = steps.iter().filter_map(|step| people.by_step.get(step)).collect();
    if effects.is_empty() {
        return Vec::new();
    }
    let mut details = Vec::new();
    let gain = named(effects.iter().flat_map(|effect| &effect.gain).map(|it| (it, None)));
    let lose = named(effects.iter().flat_map(|effect| &effect.lose).map(|it| (it, None)));
    // Whoever gains or loses it in one account is not told again as somebody who has or keeps it in another.
    let but = |list: fn(&PeopleOf) -> &Vec<(Principal, Principal)>, others: fn(&PeopleOf) -> &Vec<Principal>| {
        let others: BTreeSet<&PrincipalId> =
            effects.iter().flat_map(|effect| others(effect)).map(|it| &it.id).collect();
        let rest = effects.iter().flat_map(|effect| list(effect)).filter(|(it, _)| !others.contains(&it.id));
        named(rest.map(|(it, through)| (it, Some(through))))
    };
    let have = but(|effect| &effect.have, |effect| &effect.gain);
    let keep = but(|effect| &effect.keep, |effect| &effect.lose);
    let nobody = [&gain, &lose, &have, &keep].iter().all(|list| list.is_empty());
    for (label, list) in
        [("gain access", &gain), ("have it already", &have), ("lose access", &lose), ("keep it", &keep)]
    {
        // That a user gains or loses what the line says they do need not be said twice.
        let said = who.kind == PrincipalKind::User && ["gain access", "lose access"].contains(&label);
        if !list.is_empty() && !said {
            details.push(Detail { label, text: text(list, full) });
        }
    }
    if nobody {
        details.push(Detail { label: "people", text: "nobody: the group has no members".to_owned() });
    }
    details
}

/// Names people, each once.
fn named<'a>(people: impl Iterator<Item = (&'a Principal, Option<&'a Principal>)>) -> Vec<String> {
    let mut names: BTreeMap<&str, Option<&Principal>> = BTreeMap::new();
    for (person, through) in people {
        names.entry(person.name.as_deref().unwrap_or(person.id.as_str())).or_insert(through);
    }
    let words = |(name, through): (&str, Option<&Principal>)| {
        let through = through.map(|it| match it.kind {
            PrincipalKind::Group => {
                format!(" through group {}", Shown(it.name.as_deref().unwrap_or(it.id.as_str())))
            }
            PrincipalKind::User => " by an assignment of their own".to_owned(),
        });
        format!("{}{}", Shown(name), through.unwrap_or_default())
    };
    names.into_iter().map(words).collect()
}

fn text(list: &[String], full: bool) -> String {
    let shown = if full || list.len() <= NAMED + 1 { list.len() } else { NAMED };
    let names: Vec<&str> = list.iter().take(shown).map(String::as_str).collect();
    let more = if shown < list.len() { format!(" and {} more", list.len() - shown) } else { String::new() };
    let count = if list.len() > 1 { format!("{}: ", list.len()) } else { String::new() };
    format!("{count}{}{more}", names.join(", "))
}

/// Returns `2 gain something, 1 loses something`.
pub(super) fn summary(people: &People) -> Option<String> {
    let verb = |n: usize, one: &str, more: &str| match n {
        0 => None,
        1 => Some(format!("1 {one} something")),
        n => Some(format!("{n} {more} something")),
    };
    let parts = [verb(people.gain, "gains", "gain"), verb(people.lose, "loses", "lose")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
