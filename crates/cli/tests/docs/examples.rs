//! What `--help` gives as examples is typed, as it stands, but for places that belong to the machine.

use std::process::Command;

use crate::{
    geocast::commands,
    pages::{Block, Page},
    stage::Stage,
};

/// Examples of measuring take minutes each, and some of them need another server: `cli/bench.rs` runs others.
const NOT_TYPED: &str = "bench";

#[test]
fn examples_of_the_help_work() {
    let mut script = String::from(FURNITURE);
    let mut typed = 0;
    for path in commands().iter().filter(|path| path.first().is_none_or(|name| name != NOT_TYPED)) {
        let help = help(path, "--help");
        let examples = examples(&help);
        script += &format!("echo '# geocast {}' >&2\n", path.join(" "));
        for (_, needed) in NEEDED.iter().filter(|(name, _)| path.join(" ") == *name) {
            script += &format!("{needed}\n");
        }
        for example in examples {
            script += &format!("{}\n", elsewhere(example));
            typed += 1;
        }
    }
    assert!(typed > 25, "{typed} examples only");
    let lines = script.lines().collect();
    let mut stage = Stage::new(&[Block { line: 1, info: "sh", lines }]);
    stage.write("region.json", r#"{"max_area": 50000}"#);
    stage.write("geocast.toml", CONFIGURATION);
    stage.run(&script).unwrap_or_else(|said| panic!("{said}"));
}

/// On a terminal of 80 by 50 characters.
#[test]
fn short_help_fits_a_small_screen() {
    for path in commands() {
        let text = help(&path, "-h");
        let (lines, widest) = (text.lines().count(), text.lines().map(|line| line.chars().count()).max());
        assert!(
            lines <= 50 && widest <= Some(80),
            "geocast {} -h: {lines} lines, {widest:?} wide",
            path.join(" ")
        );
    }
}

#[test]
fn the_table_of_commands_is_what_the_help_says() {
    let page = Page::all().into_iter().find(|page| page.path.ends_with("docs/cli.md")).expect("it is there");
    let told: Vec<&str> = page.text.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = commands()
        .iter()
        .filter(|path| path.len() == 1)
        .map(|path| {
            let about = help(path, "-h");
            let about = about.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            format!("| `{}` | {about} |", path[0])
        })
        .collect();
    assert_eq!(told, expected);
}

/// The manual has a page for each command.
#[test]
fn there_is_a_page_for_each_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = geocast(&["man".into(), folder.path().display().to_string()]).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let mut pages: Vec<String> = std::fs::read_dir(folder.path())
        .expect("it is there")
        .map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let mut expected: Vec<String> = commands()
        .iter()
        .map(|path| ["geocast".to_owned()].iter().chain(path).cloned().collect::<Vec<_>>().join("-") + ".1")
        .collect();
    expected.sort();
    assert_eq!(pages, expected);
    let page = std::fs::read_to_string(folder.path().join("geocast-token-make.1")).expect("it is text");
    assert!(
        page.contains(".TH") && page.contains("key\\-file") && page.contains("geocast token make"),
        "{page}"
    );
}

/// Each shell reads its script, and bash and fish complete with it what is typed: `geocast doc`, TAB.
#[test]
fn shells_take_their_completions() {
    let folder = tempfile::tempdir().expect("a folder");
    for (shell, arguments) in [
        (
            "bash",
            "-c 'source $0; COMP_WORDS=(geocast doc); COMP_CWORD=1; _geocast geocast doc geocast; echo ${COMPREPLY[@]}'",
        ),
        ("fish", "--no-config -c 'source $argv[1]; complete -C \"geocast doc\" | string split -f 1 \\t'"),
        ("zsh", "-n"),
    ] {
        let output = geocast(&["completions".into(), shell.into()]).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        let path = folder.path().join(format!("completion.{shell}"));
        std::fs::write(&path, &output.stdout).expect("the folder is ours");
        let line = format!("exec {shell} {arguments} {}", path.display());
        let output = Command::new("sh").args(["-c", &line]).env("HOME", folder.path()).output();
        let output = output.expect("there is sh");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let expected = if shell == "zsh" { "" } else { "doctor" };
        assert!(
            output.status.success() && output.stderr.is_empty() && said == expected,
            "{shell}: {output:?}"
        );
    }
    let script = std::fs::read_to_string(folder.path().join("completion.zsh")).expect("it was written");
    assert!(script.contains("doctor"), "{script}");
}

fn geocast(words: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_geocast"));
    command.args(words).env("COLUMNS", "80").env_remove("GEOCAST_URL").env_remove("GEOCAST_TOKEN");
    command
}

fn help(path: &[String], flag: &str) -> String {
    let output = geocast(&[path, &[flag.to_owned()]].concat()).output().expect("the binary was built");
    assert!(output.status.success(), "{path:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The lines below `Examples:`.
fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.take_while(|line| !line.is_empty()).map(str::trim).collect()
}

/// The same where it harms nobody.
fn elsewhere(example: &str) -> String {
    let places = ["/etc/bash_completion.d/", "~/.zfunc/", "~/.config/fish/completions/"];
    let example = places.iter().fold(example.to_owned(), |example, place| example.replace(place, "./"));
    let example = example.replace("/usr/local/share/man/man1", "./man1");
    // A server of an earlier example has the usual port.
    if example.starts_with("geocast check ") { format!("GEOCAST_PORT=0 {example}") } else { example }
}

/// What examples take for granted, besides what the stage has.
const FURNITURE: &str = "\
openssl genpkey -algorithm ed25519 -out key.pem
geocast token make --key-file secret.txt --sub '*' > token.txt
";

/// What has to go on for the examples of a command.
const NEEDED: [(&str, &str); 4] = [
    ("get", "geocast demo"),
    ("pub", "geocast serve"),
    ("probe", "geocast serve --usock /run/geocast.sock --port 8765"),
    ("top", "echo sesame > operator.txt\ngeocast serve --operator-token-file operator.txt"),
];

/// One that is valid on its own, and speaks of a Redis.
const CONFIGURATION: &str = "\
redis = \"redis://localhost\"
channels = \"*\"
jwt_key_file = \"secret.txt\"
";
