/// A text in lines of at most `width` characters, but for a word that is longer alone. It breaks at spaces, and nothing else of it is
/// changed: there may be names in it.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lines_go_on_below() {
        let text = ["word"; 40].join(" ");
        let lines = wrapped(&text, 80);
        assert!(lines.len() == 3 && lines.iter().all(|line| line.len() <= 80), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(wrapped(&"x".repeat(200), 80), ["x".repeat(200)]);
    }

    #[test]
    fn names_stay_as_they_are() {
        assert_eq!(wrapped("the hash `a  b`", 80), ["the hash `a  b`"]);
    }
}
