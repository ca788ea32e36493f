//! The policy against the words of its documentation, rule by rule, over random settings and tokens.

use super::*;

/// What was configured, and who asks.
#[derive(Debug, Clone)]
struct Case {
    channels: Option<String>,
    key: bool,
    bound: Option<String>,
    presented: Presented,
    token: Option<Token>,
    asked: String,
    second: u64,
}

#[derive(Debug, Clone)]
enum Presented {
    Nothing,
    Right,
    Wrong,
}

#[derive(Debug, Clone)]
struct Token {
    sub: Vec<String>,
    publish: Vec<String>,
    exp: Option<u64>,
}

impl Case {
    fn check(&self) {
        let access = with_tokens(
            settings(true, self.channels.as_deref(), self.key.then_some("k1")),
            self.bound.as_deref(),
        );
        let token = self.token.as_ref().map(|Token { sub, publish, exp }| {
            let mut claims = json!({ "channels": { "sub": sub, "pub": publish } });
            if let Some(exp) = exp {
                claims["exp"] = json!(exp);
            }
            Signer::Hs256.token(&claims)
        });
        let uri = token.map_or_else(|| "/".to_owned(), |token| format!("/?token={token}"));
        let uri = match self.presented {
            Presented::Nothing => uri,
            Presented::Right => format!("{uri}{}pwd=k1", if uri == "/" { '?' } else { '&' }),
            Presented::Wrong => format!("{uri}{}pwd=k2", if uri == "/" { '?' } else { '&' }),
        };
        let identity = identify(&access, &uri, None).expect("no token is over at the beginning");
        let channel = self.asked.parse().expect("a channel");
        let now = at(self.second);
        assert_eq!(access.reads(&identity, &channel, now).is_ok(), self.reads(), "{self:?}");
        assert_eq!(access.publishes(&identity, &channel, now).is_ok(), self.publishes(), "{self:?}");
    }

    fn reads(&self) -> bool {
        !self.is_over() && (self.is_open() || self.grants(|token| &token.sub))
    }

    fn publishes(&self) -> bool {
        let by_key = self.key && matches!(self.presented, Presented::Right) && self.is_open();
        !self.is_over() && (by_key || self.grants(|token| &token.publish))
    }

    /// With Redis no channel is open that is not named.
    fn is_open(&self) -> bool {
        self.channels
            .as_ref()
            .is_some_and(|list| list.split(',').any(|pattern| matches(pattern, &self.asked)))
    }

    fn grants(&self, patterns: impl Fn(&Token) -> &Vec<String>) -> bool {
        let named = self.token.as_ref();
        let named =
            named.is_some_and(|token| patterns(token).iter().any(|pattern| matches(pattern, &self.asked)));
        let list = self.bound.as_ref();
        named && list.is_none_or(|list| list.split(',').any(|pattern| matches(pattern, &self.asked)))
    }

    /// Thirty seconds are allowed for clocks that differ.
    fn is_over(&self) -> bool {
        self.token.as_ref().and_then(|token| token.exp).is_some_and(|exp| self.second >= exp + 30)
    }
}

/// Letter by letter: `*` for any characters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), None) => matches(&pattern[1..], ""),
        (Some('*'), Some(_)) => matches(&pattern[1..], name) || matches(pattern, &name[1..]),
        (Some('?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(a), Some(b)) => a == b && matches(&pattern[1..], &name[1..]),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn pattern() -> impl Strategy<Value = String> {
    "[ab?*]{1,3}"
}

fn list() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::collection::vec(pattern(), 1..3).prop_map(|patterns| patterns.join(",")))
}

fn token() -> impl Strategy<Value = Token> {
    let patterns = || prop::collection::vec(pattern(), 0..3);
    (patterns(), patterns(), prop::option::of(90..200_u64)).prop_map(|(sub, publish, exp)| Token {
        sub,
        publish,
        exp,
    })
}

fn presented() -> impl Strategy<Value = Presented> {
    prop_oneof![Just(Presented::Nothing), Just(Presented::Right), Just(Presented::Wrong)]
}

prop_compose! {
    fn case()(
        channels in list(),
        key in any::<bool>(),
        bound in list(),
        presented in presented(),
        token in prop::option::of(token()),
        asked in "[ab]{1,3}",
        second in 100..260_u64,
    ) -> Case {
        Case { channels, key, bound, presented, token, asked, second }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_policy_does_what_is_written(case in case()) {
        case.check();
    }
}
