use super::*;
use crate::Limits;

#[test]
fn a_session_keeps_the_limits_that_it_began_with() {
    let start = Instant::now();
    let rules = rules(|settings| {
        settings.limits.subscriptions = 1;
        settings.limits.command_burst = 3;
        settings.limits.buffer = (1000, 10);
    });
    let mut former = session_at(Arc::clone(&rules), start);
    let wanted =
        Limits { subscriptions: 2, command_burst: 4, buffer: (2000, 10), depth: 1, ..Limits::default() };
    rules.limits.replace(rules.settings.limits.following(&wanted));
    assert_eq!(rules.limits.current().depth, Limits::default().depth, "it is not followed");
    let mut later = session_at(Arc::clone(&rules), start);
    let commands = ["SUB map1", "SUB map2", "BUFFER 2000 5"];
    for (session, effects, resumes) in [
        (&mut former, ["error too_many_subscriptions", "error buffer_too_large"].as_slice(), Some(50)),
        (&mut later, &["buffer 2000 5", "subscribe map2"], None),
    ] {
        commands.iter().for_each(|command| drop(receive(session, Message::Text(command), start)));
        let settled: Vec<String> = session.settle().iter().map(short).collect();
        for effect in effects {
            assert!(settled.contains(&(*effect).to_owned()), "{effect} is not among {settled:?}");
        }
        assert_eq!(session.resumes(start), resumes.map(|wait| start + Duration::from_millis(wait)));
    }
}
