//! The alert rules, read as the part of YAML that they are written in.

/// A rule.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub(crate) alert: String,
    pub(crate) expr: String,
    pub(crate) severity: String,
    pub(crate) summary: String,
}

/// All rules of a file.
///
/// # Panics
///
/// A line has no place in such a file, or a rule lacks something.
pub(crate) fn read(text: &str) -> Vec<Rule> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut rules = Vec::<Rule>::new();
    // Where a line belongs: for as long as lines are indented so far.
    let mut section = "";
    for line in lines {
        let indentation = line.len() - line.trim_start().len();
        let (key, value) = line.trim_start().split_once(':').unwrap_or_else(|| panic!("{line}"));
        let value = value.trim();
        match (indentation, key) {
            (0, "groups") | (4, "rules") => assert!(value.is_empty(), "{line}"),
            (2, "- name") => assert_eq!(value, "geocast"),
            (6, "- alert") => rules.push(Rule { alert: value.to_owned(), ..Rule::default() }),
            (8, key) => {
                let rule = rules.last_mut().unwrap_or_else(|| panic!("{line}"));
                section = "";
                match key {
                    "expr" => {
                        // What has this in it would be something else in YAML.
                        assert!(!value.contains(" #") && !value.contains(": "), "{line}");
                        value.clone_into(&mut rule.expr);
                    }
                    "for" => assert!(is_duration(value), "{line}"),
                    "labels" | "annotations" if value.is_empty() => section = key,
                    _ => panic!("{line}"),
                }
            }
            (10, key) => {
                let rule = rules.last_mut().unwrap_or_else(|| panic!("{line}"));
                match (section, key) {
                    ("labels", "severity") => value.clone_into(&mut rule.severity),
                    ("annotations", "summary") => {
                        let text = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                        let text = text.filter(|text| !text.contains(['"', '\\']));
                        text.unwrap_or_else(|| panic!("{line}")).clone_into(&mut rule.summary);
                    }
                    _ => panic!("{line}"),
                }
            }
            _ => panic!("{line}"),
        }
    }
    for rule in &rules {
        assert!(["critical", "warning"].contains(&&*rule.severity), "{rule:?}");
        assert!(!rule.expr.is_empty() && rule.summary.contains("{{ $labels.instance }}"), "{rule:?}");
    }
    rules
}

fn is_duration(text: &str) -> bool {
    let number = text.strip_suffix(['s', 'm', 'h']);
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}
