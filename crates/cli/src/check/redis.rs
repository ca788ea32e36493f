use geocast_protocol::Channel;
use geocast_server::{
    LackingRight, Patterns, RedisInspector, RedisNode, RedisSettings, RedisUse, Settings, StoreError,
};

use super::findings::Findings;
use crate::unreachable::Unreachable;

/// What Redis is to be used for.
#[derive(Debug)]
pub(super) struct Wanted {
    channels: Option<Patterns>,
    watches: bool,
    publishes: bool,
}

impl Wanted {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            channels: settings.channels.clone(),
            watches: settings.watch.is_some(),
            publishes: settings.publish_key.is_some() || settings.tokens.is_some(),
        }
    }
}

/// Whether it is a master, and its user may do what is wanted.
pub(super) async fn examine(
    settings: &RedisSettings,
    wanted: &Wanted,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let url = settings.url.to_string();
    let unreachable = |error| Unreachable::redis(&url, &error);
    let mut inspector = RedisInspector::connect(settings).await.map_err(unreachable)?;
    let Some(node) = inspector.nodes().first_mut() else { return Ok(()) };
    let remark = node.nature().await.and_then(|nature| nature.remark(&settings.url));
    if let Some(remark) = remark {
        findings.useless("redis", &remark)?;
    }
    let user = node.user().await.ok();
    let user = user.as_deref().or_else(|| settings.url.user()).unwrap_or("default");
    match lacking(node, wanted).await {
        Ok(lacking) => {
            for sentence in told(&lacking, user) {
                findings.useless("rights", &sentence)?;
            }
        }
        Err(error @ StoreError::Unavailable(_)) => return Err(unreachable(error).into()),
        Err(error) => {
            findings.good("rights", &format!("what the user {user} may do cannot be asked: {error}"))?;
        }
    }
    Ok(())
}

/// What the user lacks for each pattern of channels, and, without one, for whatever channel.
async fn lacking(
    node: &mut RedisNode,
    wanted: &Wanted,
) -> Result<Vec<(Option<String>, Vec<LackingRight>)>, StoreError> {
    let mut general = RedisUse::default();
    general.watches = wanted.watches;
    let mut found = vec![(None, node.lacking(&general).await?)];
    for pattern in wanted.channels.iter().flat_map(Patterns::iter).take(MOST_PATTERNS) {
        // One of the channels that it is for; what is more than that cannot be asked.
        let Ok(channel) = pattern.replace(['*', '?'], "x").parse::<Channel>() else { continue };
        let mut reading = RedisUse::default();
        reading.channels = vec![channel];
        let known = &found[0].1;
        let lacking = node.lacking(&reading).await?.into_iter();
        let lacking = lacking.filter(|right| !known.contains(right));
        let lacking = lacking.filter(|right| wanted.publishes || !right.is_for_publishing()).collect();
        found.push((Some(pattern.to_owned()), lacking));
    }
    Ok(found)
}

fn told(found: &[(Option<String>, Vec<LackingRight>)], user: &str) -> Vec<String> {
    let lacking = found.iter().filter(|(_, rights)| !rights.is_empty());
    let sentence = |(pattern, rights): &(Option<String>, Vec<LackingRight>)| {
        let mut rules: Vec<_> = rights.iter().map(|right| right.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        let rules = rules.join(" ");
        match pattern {
            None => format!("the user {user} of Redis lacks {rules}"),
            Some(pattern) if pattern.contains(['*', '?']) => {
                format!(
                    "the user {user} of Redis may not use all channels of '{pattern}': for one of them it lacks {rules}"
                )
            }
            Some(channel) => {
                format!("the user {user} of Redis may not use the channel {channel}: it lacks {rules}")
            }
        }
    };
    lacking.map(sentence).collect()
}

/// More than anybody writes by hand.
const MOST_PATTERNS: usize = 64;
