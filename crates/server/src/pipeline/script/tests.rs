use std::{
    fs, thread,
    time::{Duration, Instant},
};

use geocast_protocol::envelope::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::pipeline::{Action, Chain, ClientId, Filters, Member, Outcome};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, source: &str) -> PathBuf {
        let path = self.0.path().join("filter.rhai");
        fs::write(&path, source).unwrap();
        path
    }

    fn filters(&self, source: &str) -> Filters {
        Filters::named([self.write(source).to_str().unwrap()]).unwrap()
    }
}

fn run(filters: &Filters, member: &mut Member, chain: Chain<'_>) -> Outcome {
    filters.run(chain, member, Timestamp::since_epoch(Duration::from_millis(1234)))
}

/// On a thread like those that run filters.
fn say(filters: &Filters, text: &str) -> Outcome {
    let say = || run(filters, &mut Member::new(ClientId::next()), Chain::Message(&text.into()));
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(crate::pipeline::STACK);
        builder.spawn_scoped(scope, say).unwrap().join().unwrap()
    })
}

/// What a script with this function `message` sends back.
fn replies(body: &str, text: &str) -> Vec<String> {
    let outcome = say(&Folder::new().filters(&format!("fn message(ctx, msg) {{ {body} }}")), text);
    assert_eq!(outcome.failures, 0, "{body}");
    let sent = outcome.actions.into_iter().map(|action| match action {
        Action::Send(Body::Text(text)) => text,
        other => panic!("{other:?}"),
    });
    sent.collect()
}

#[test]
fn a_script_sees_its_client_and_asks_for_things() {
    assert_eq!(replies("ctx.send(msg.to_upper())", "hello"), ["HELLO"]);
    assert_eq!(replies("ctx.send(ctx.now)", ""), ["1234"]);
    assert_eq!(replies("let m = parse_json(msg); ctx.send(m.a.b + 1)", r#"{"a":{"b":7}}"#), ["8"]);
    assert_eq!(replies("ctx.send(#{a: [1, ()]}.to_json())", ""), [r#"{"a":[1,null]}"#]);
    let not_json = "try { parse_json(msg) } catch (error) { ctx.send(error) }";
    assert_eq!(replies(not_json, "where am I"), ["not JSON: expected value at line 1 column 1"]);
    let same = r#"{"a":"\u001b\"é","b":[1,2.5,1e+300,true,null],"c":{}}"#;
    assert_eq!(replies("ctx.send(parse_json(msg).to_json())", same), [same]);
    assert_eq!(
        replies("ctx.send(parse_json(msg).to_json())", "[12345678901234567890]"),
        ["[1.2345678901234567e+19]"]
    );
    let folder = Folder::new();
    let filters = folder.filters(
        "fn message(ctx, msg) { ctx.join(msg); ctx.send_to(msg, ctx.client); ctx.leave(msg); ctx.broadcast(1.5); \
         ctx.publish(\"news\", msg); ctx.stdout(msg); ctx.send(blob(2, 7)); }",
    );
    let mut member = Member::new(ClientId::next());
    let id = member.client().unwrap().to_string();
    let outcome = run(&filters, &mut member, Chain::Message(&"a".into()));
    let group: crate::pipeline::Group = "a".parse().unwrap();
    assert_eq!(
        outcome.actions,
        [
            Action::Join(group.clone()),
            Action::SendToGroup(group.clone(), id.into()),
            Action::Leave(group),
            Action::Broadcast("1.5".into()),
            Action::Publish("news".parse().unwrap(), "a".into()),
            Action::Print("a".into()),
            Action::Send(vec![7, 7].into()),
        ]
    );
    let prints = folder.filters("fn message(ctx, msg) { ctx.stdout(msg) }");
    assert_eq!(say(&prints, "\u{1b}[2J\u{202e}ok").actions, [Action::Print("�[2J�ok".into())]);
}

#[test]
fn each_function_is_called_on_its_occasion() {
    let folder = Folder::new();
    let filters = folder.filters(
        "fn data(ctx, bytes) { ctx.stdout(bytes.len) }\nfn disconnect(ctx) { ctx.broadcast(\"gone\") }\n\
         fn consumer(ctx, channel, item) { ctx.broadcast(channel + item) }",
    );
    let (mut member, channel) = (Member::new(ClientId::next()), "news".parse().unwrap());
    for (chain, expected) in [
        (Chain::Data(b"abc"), vec![Action::Print("3".into())]),
        (Chain::Message(&"abc".into()), vec![]),
        (Chain::Disconnect, vec![Action::Broadcast("gone".into())]),
        (Chain::Consumer(&channel, &"!".into()), vec![Action::Broadcast("news!".into())]),
    ] {
        assert_eq!(run(&filters, &mut member, chain).actions, expected, "{chain:?}");
    }
}

#[test]
fn state_is_kept_for_each_client() {
    let folder = Folder::new();
    let filters = folder.filters(
        "fn message(ctx, msg) { ctx.state.n = (ctx.state.n ?? 0) + 1; ctx.send(ctx.state.n); \
         if msg == \"bad\" { throw msg } if msg == \"big\" { ctx.state.big = \"x\"; ctx.state.big.pad(20000, 'x') } }",
    );
    let mut member = Member::new(ClientId::next());
    let mut say = |text: &str| run(&filters, &mut member, Chain::Message(&text.into()));
    assert_eq!(say("").actions, [Action::Send("1".into())]);
    assert_eq!(say("").actions, [Action::Send("2".into())]);
    let thrown = say("bad");
    assert_eq!((thrown.actions, thrown.failures), (vec![], 1));
    assert_eq!(say("").actions, [Action::Send("3".into())], "what a failed call did is undone");
    let big = say("big");
    assert_eq!((big.actions, big.failures), (vec![], 1));
    assert_eq!(say("").actions, [Action::Send("4".into())]);
}

#[test]
fn what_a_script_wants_too_much_of_it_does_not_get() {
    let folder = Folder::new();
    for body in [
        "loop {}",
        "let s = \"x\"; loop { s += s; }",
        "let a = []; loop { a.push(\"0123456789abcdef\"); }",
        "let m = #{}; let i = 0; loop { m[i.to_string()] = i; i += 1; }",
        "let b = blob(1000000000, 0);",
        "let s = \"\"; s.pad(1000000000, 'x');",
        "let a = []; a.pad(1000000000, 0);",
        "let s = \"\"; s.pad(60000, 'x'); loop { let t = s; t.replace(\"x\", \"yy\"); }",
        "let s = \"\"; s.pad(60000, 'x'); loop { ctx.send(s); }",
        "loop { ctx.send(\"\"); }",
        "message(ctx, msg)",
        "sleep(10)",
        "sleep(10.0)",
        "parse_json(msg)",
        "let m = #{}; m.m = m; loop { m.m = m; }",
        "let m = #{}; loop { m = #{ m: m }; }",
        "let a = []; loop { a = [a]; }",
        "let a = []; a.pad(3000, 1); a.filter(|x| { let b = []; b.pad(3000, 1); b.filter(|y| false); false })",
        "let z = 1; let a = []; a.pad(60000, 1); a.drain(|x| { let b = []; b.pad(60000, 1); b.filter(|y| false); false })",
        "let s = \"\"; s.pad(40000, 'x'); let t = s; t.replace(\"x\", s);",
        "let s = \"\"; s.pad(40000, 'x'); let t = s; t.replace(\"\", s);",
        "let s = \"\"; s.pad(40000, 'x'); let t = s; t.replace('x', s);",
        "let s = \"\"; s.pad(40000, 'x'); s.replace('x', 'é');",
        "ctx.state.me = ctx;",
        "ctx.state.me = [#{ me: [ctx] }];",
    ] {
        let filters = folder.filters(&format!("fn message(ctx, msg) {{ {body} }}"));
        let began = Instant::now();
        let outcome = say(&filters, &"[".repeat(16_000));
        assert_eq!((outcome.actions.len(), outcome.failures), (0, 1), "{body}");
        assert!(outcome.computed < Duration::from_secs(2), "{body}: {:?}", outcome.computed);
        assert!(outcome.computed <= began.elapsed(), "{body}");
    }
}

/// The language's own is replaced for its bounds.
#[test]
fn what_is_replaced_is_what_the_language_replaces() {
    for (call, text, expected) in [
        (r#""l", "LL""#, "hello", "heLLLLo"),
        (r#""ll", 'é'"#, "hello", "heéo"),
        ("'l', \"\"", "hello", "heo"),
        ("'l', '🚂'", "hello", "he🚂🚂o"),
        (r#""", "-""#, "ab", "-a-b-"),
        (r#""", "-""#, "", ""),
        (r#""x", "y""#, "ab", "ab"),
    ] {
        assert_eq!(replies(&format!("msg.replace({call}); ctx.send(msg)"), text), [expected], "{call}");
    }
}

#[test]
fn what_scripts_compute_is_said() {
    let folder = Folder::new();
    let filters =
        folder.filters("fn message(ctx, msg) { let a = []; a.pad(60000, 1); let b = a; loop { a == b; } }");
    let computed = say(&filters, "").computed;
    assert!(computed >= Duration::from_millis(100), "{computed:?}");
    let mut member = Member::new(ClientId::next());
    let quick = folder.filters("fn message(ctx, msg) {}");
    let computed = run(&quick, &mut member, Chain::Message(&"".into())).computed;
    assert!(computed > Duration::ZERO && computed < Duration::from_millis(100), "{computed:?}");
}

#[test]
fn what_is_no_script_is_refused_with_its_place() {
    let folder = Folder::new();
    for (source, expected) in [
        ("fn message(ctx, msg) {\n  ctx.send(\n}", "line 3, position 1: "),
        ("fn message(ctx, msg) { eval(msg) }", "line 1, position "),
        ("fn message(ctx, msg) { print(msg) }", "line 1, position "),
        ("fn message(ctx, msg) { import \"a\" as b; }", "line 1, position "),
        ("fn message(ctx, msg) { Fn(msg).call() }", "line 1, position "),
        ("fn message(ctx, msg) { let f = |x| x; f.curry(f); }", "line 1, position "),
        ("fn message(ctx) {}", "its function `message` has 1 parameters instead of 2"),
        ("fn massage(ctx, msg) {}", "it defines none of data(ctx, bytes)"),
        ("", "it defines none of "),
    ] {
        let error = Script::load(&folder.write(source)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{source}: {error}");
    }
    let path = folder.write("");
    fs::write(&path, [b' ', 0xff]).unwrap();
    assert_eq!(Script::load(&path).unwrap_err().to_string(), "it is not UTF-8 from byte 1 on");
    fs::write(&path, vec![b' '; Script::MOST_BYTES + 1]).unwrap();
    assert!(matches!(Script::load(&path), Err(ScriptError::TooLong)));
}

/// Opening a pipe waits for whoever writes into it.
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = Folder::new();
    let filters = folder.filters("fn message(ctx, msg) { ctx.send(1) }");
    let path = folder.write("");
    fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    filters.refresh();
    assert_eq!(say(&filters, "").actions, [Action::Send("1".into())]);
    assert_eq!(Script::load(&path).unwrap_err().to_string(), "it cannot be read: it is no file");
}

#[test]
fn a_change_is_taken_up_if_it_is_one_for_the_better() {
    let folder = Folder::new();
    let filters = folder.filters("fn message(ctx, msg) { ctx.send(1) }");
    let answer = || say(&filters, "").actions;
    folder.write("fn message(ctx, msg) { ctx.send(2) }");
    assert_eq!(answer(), [Action::Send("1".into())], "not before it is looked at");
    filters.refresh();
    assert_eq!(answer(), [Action::Send("2".into())]);
    let path = folder.write("fn message(ctx, msg) { ctx.send( }");
    filters.refresh();
    assert_eq!(answer(), [Action::Send("2".into())], "the old one stays");
    fs::remove_file(&path).unwrap();
    filters.refresh();
    assert_eq!(answer(), [Action::Send("2".into())]);
    folder.write("fn message(ctx, msg) { ctx.send(3) }");
    filters.refresh();
    assert_eq!(answer(), [Action::Send("3".into())]);
}
