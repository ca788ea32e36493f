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

#[test]
fn a_hasty_client_waits() {
    let start = Instant::now();
    let rules = rules(|settings| settings.limits.command_burst = 2);
    let mut session = session_at(rules, start);
    for _ in 0..3 {
        receive(&mut session, Message::Text("PING"), start);
    }
    assert_eq!(session.resumes(start), Some(start + Duration::from_millis(100)));
    assert_eq!(session.resumes(start + Duration::from_millis(100)), None);
}

#[test]
fn a_batch_costs_what_its_calls_cost() {
    let start = Instant::now();
    let rules = rules(|settings| settings.limits.command_burst = 2);
    for (calls, wait) in [("[]", None), ("[0]", None), ("[0,0]", Some(50)), ("[0,0,0]", Some(100))] {
        let mut session = session_at(Arc::clone(&rules), start);
        receive(&mut session, Message::Text(calls), start);
        assert_eq!(session.resumes(start), wait.map(|wait| start + Duration::from_millis(wait)), "{calls}");
    }
}

#[test]
fn a_box_that_is_replaced_at_once_costs_nothing() {
    let start = Instant::now();
    let rules = rules(|settings| settings.limits.command_burst = 2);
    let mut session = session_at(rules, start);
    let mut look = |left: usize| {
        receive(&mut session, Message::Text(&format!("BBOX {left} 0 {} 10", left + 1)), start);
        (session.is_panning(), session.resumes(start))
    };
    for left in 0..60 {
        assert_eq!(look(left), (true, None), "after {left}");
    }
    // What has been shown has been paid for.
    session.settle();
    for (resumes, left) in [(Some(50), 1), (Some(100), 2)] {
        receive(&mut session, Message::Text(&format!("BBOX {left} 0 9 9")), start);
        assert_eq!(session.resumes(start), resumes.map(|wait| start + Duration::from_millis(wait)));
        session.settle();
    }
}
