use std::collections::BTreeMap;

/// Names that begin alike, under a pattern for all of them: `vehicle:17`, `vehicle:18` and so on under `vehicle:*`. Names that are
/// alike in few cases stay by themselves.
pub(super) fn grouped<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Vec<&'a str>> {
    let mut alike: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let end = name.find(SEPARATORS).map(|at| at + 1).filter(|&end| end < name.len());
        alike.entry(end.map_or(name, |end| &name[..end])).or_default().push(name);
    }
    for (beginning, names) in alike {
        if names.len() >= MANY {
            groups.insert(format!("{beginning}*"), names);
        } else {
            names.into_iter().for_each(|name| groups.entry(name.to_owned()).or_default().push(name));
        }
    }
    groups
}

/// So many names with one beginning are told as one.
const MANY: usize = 4;
const SEPARATORS: [char; 6] = [':', '/', '.', '_', '-', '|'];

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn names_that_are_alike_are_told_as_one() {
        let names = ["v:1", "v:2", "v:3", "v:4", "news", "news:", "a_b", "a_c"];
        let groups: Vec<_> = grouped(names).into_iter().map(|(name, names)| (name, names.len())).collect();
        let expected = [("a_b", 1), ("a_c", 1), ("news", 1), ("news:", 1), ("v:*", 4)];
        assert_eq!(groups, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
