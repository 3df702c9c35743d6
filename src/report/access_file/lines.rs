//! Assignments folded into few lines, which together say exactly what was given: no more, no less.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use crate::model::{AccountId, Grant, PermissionSetName, PrincipalRef};

/// A line under `assignments`: its lists multiply out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// What.
    pub permission_sets: Vec<PermissionSetName>,
    /// To whom.
    pub principals: Vec<PrincipalRef>,
    /// Where.
    pub accounts: Vec<AccountId>,
}

impl Line {
    /// How much there is to read.
    fn names(&self) -> usize {
        self.permission_sets.len() + self.principals.len() + self.accounts.len()
    }
}

/// Folds assignments: whatever has the same in common stands in one line. Of three ways to begin, that which leaves the least to
/// read is taken.
pub fn fold<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> Vec<Line> {
    let rows: Vec<_> = grants.into_iter().map(|it| (&it.permission_set, &it.principal, &it.account)).collect();
    let line = |sets: Vec<&PermissionSetName>, principals: Vec<&PrincipalRef>, accounts: Vec<&AccountId>| Line {
        permission_sets: sets.into_iter().cloned().collect(),
        principals: principals.into_iter().cloned().collect(),
        accounts: accounts.into_iter().cloned().collect(),
    };
    // Where somebody has a permission set; who has it in the same accounts; what they have there.
    let by_account = three(rows.iter().map(|(s, p, a)| ((*s, *p), *a)), |(s, p), accounts| ((s, accounts), p));
    let by_account = by_account.into_iter().map(|((sets, accounts), principals)| line(sets, principals, accounts));
    // The same, what they have before who.
    let by_set = three(rows.iter().map(|(s, p, a)| ((*p, *s), *a)), |(p, s), accounts| ((p, accounts), s));
    let by_set = by_set.into_iter().map(|((principals, accounts), sets)| line(sets, principals, accounts));
    // Who has a permission set in an account; where else the same have it; what they have there.
    let by_principal = three(rows.iter().map(|(s, p, a)| ((*s, *a), *p)), |(s, a), principals| ((s, principals), a));
    let by_principal = by_principal.into_iter().map(|((sets, principals), accounts)| line(sets, principals, accounts));
    let ways: [Vec<Line>; 3] = [by_account.collect(), by_set.collect(), by_principal.collect()];
    let least = ways.into_iter().min_by_key(|lines| (lines.iter().map(Line::names).sum::<usize>(), lines.len()));
    let mut lines = least.unwrap_or_default();
    lines.sort();
    lines
}

/// Groups three times over: the last part by the two others, the second by the first and the last together, the first by both.
#[expect(clippy::type_complexity, reason = "three lists, two of which belong together")]
fn three<'a, A, B, C>(
    rows: impl Iterator<Item = ((&'a A, &'a B), &'a C)>,
    turn: impl Fn((&'a A, &'a B), Vec<&'a C>) -> ((&'a A, Vec<&'a C>), &'a B),
) -> Vec<((Vec<&'a A>, Vec<&'a C>), Vec<&'a B>)>
where
    A: Ord + Hash,
    B: Ord + Hash,
    C: Ord + Hash,
{
    let last = grouped(rows);
    let second = grouped(last.into_iter().map(|(two, many)| turn(two, many)));
    let first = grouped(second.into_iter().map(|((first, last), second)| ((last, second), first)));
    first.into_iter().map(|((last, second), first)| ((first, last), second)).collect()
}

fn grouped<K: Eq + Hash, V: Ord>(rows: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().push(value);
    }
    let mut groups: Vec<(K, Vec<V>)> = groups.into_iter().collect();
    for (_, values) in &mut groups {
        values.sort_unstable();
    }
    groups
}

/// Sorts assignments by permission set, for a file each.
pub fn by_permission_set(grants: &BTreeSet<Grant>) -> BTreeMap<&PermissionSetName, Vec<&Grant>> {
    let mut sets: BTreeMap<&PermissionSetName, Vec<&Grant>> = BTreeMap::new();
    for grant in grants {
        sets.entry(&grant.permission_set).or_default().push(grant);
    }
    sets
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Line, fold};
    use crate::model::{AccountId, Grant, IdError, PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef};

    fn grant(set: usize, account: usize, principal: usize) -> Result<Grant, IdError> {
        Ok(Grant {
            permission_set: PermissionSetName::parse(&format!("s{set}"))?,
            account: AccountId::parse(&format!("{account:012}"))?,
            principal: PrincipalRef { kind: PrincipalKind::Group, id: PrincipalId::new(format!("p{principal}")) },
        })
    }

    fn unfolded(lines: &[Line]) -> Vec<Grant> {
        let mut grants = Vec::new();
        for Line { permission_sets, principals, accounts } in lines {
            for permission_set in permission_sets {
                for principal in principals {
                    let one = |account: &AccountId| Grant {
                        permission_set: permission_set.clone(),
                        account: account.clone(),
                        principal: principal.clone(),
                    };
                    grants.extend(accounts.iter().map(one));
                }
            }
        }
        grants
    }

    #[test]
    fn what_is_folded_unfolds_to_the_same_and_names_nothing_twice() -> Result<(), IdError> {
        let mut random = 7_u64;
        for round in 0..300_usize {
            let mut grants = BTreeSet::new();
            for _ in 0..round % 40 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let part = |shift: u32, of: usize| usize::try_from(random >> shift).map_or(0, |n| n % of);
                grants.insert(grant(part(60, 3), part(40, 5), part(20, 4))?);
            }
            let mut found = unfolded(&fold(&grants));
            found.sort();
            assert_eq!(found, grants.iter().cloned().collect::<Vec<_>>(), "{round}");
        }
        Ok(())
    }

    #[test]
    fn what_everybody_has_everywhere_is_one_line() -> Result<(), IdError> {
        let mut grants = BTreeSet::new();
        for set in 0..3 {
            for account in 0..20 {
                for principal in 0..4 {
                    grants.insert(grant(set, account, principal)?);
                }
            }
        }
        assert_eq!(fold(&grants).len(), 1);
        grants.insert(grant(9, 1, 1)?);
        assert_eq!(fold(&grants).len(), 2);
        Ok(())
    }
}
