mod redis;

use std::{fs, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use geocast_server::{
    AbsentClientReference, AxisOrder, ChannelNames, Compression, DataSettings, ForwardedHeader, JsonEncoding,
    KeyFile, Limits, OriginPolicy, Overflow, RateLimit, Secret, Settings, StoreSettings, Timeouts,
    TokenSettings, pipeline::Filters,
};

use crate::{
    arguments::{
        AxisOrderOption, ClientReferenceOption, DialectOptions, FilterOptions, ForwardedHeaderOption,
        LimitOptions, MetricsOptions, OperatorOptions, Options, OverflowOption, StoreOptions, TimeoutOptions,
        TokenOptions, TrackingOptions,
    },
    config::ConfigError,
    logging::LogSettings,
    serve::Listening,
};

/// What was configured, understood: all that is needed to start a server.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) listening: Listening,
    pub(crate) log: LogSettings,
    pub(crate) settings: Settings,
}

impl TryFrom<Options> for Launch {
    type Error = ConfigError;

    fn try_from(options: Options) -> Result<Self, ConfigError> {
        let Options {
            host,
            port,
            listen,
            workers,
            config: _read_before,
            log,
            log_format,
            metrics: MetricsOptions { metrics, metrics_token_file },
            operator: OperatorOptions { operator_token_file },
            redis: redis_url,
            store,
            channels,
            channel_crs,
            viewport_channels,
            publish_key,
            publish_key_file,
            allow_origin,
            insecure_any_origin,
            trusted_proxies,
            forwarded_header,
            text_paths,
            path_projections,
            bbox_keyword,
            client_reference,
            axis_order,
            tokens,
            dialects,
            tracking,
            filters,
            deflate,
            deflate_threshold,
            limits,
            timeouts,
            redis_options,
        } = options;
        let mut settings = Settings::default();
        if let Some(url) = redis_url {
            settings.store = StoreSettings::Redis(redis::settings(url, redis_options)?);
        }
        apply_store(&mut settings, store)?;
        settings.channels = channels;
        set(&mut settings.workers, workers);
        set(&mut settings.text_paths, text_paths);
        set(&mut settings.path_projections, path_projections);
        set(&mut settings.channel_crs, channel_crs);
        set(&mut settings.bbox_keywords, bbox_keyword);
        set(&mut settings.viewport_channels, viewport_channels);
        settings.origins = match insecure_any_origin {
            Some(true) => OriginPolicy::InsecureAny,
            Some(false) | None => OriginPolicy::Listed(allow_origin.unwrap_or_default()),
        };
        set(&mut settings.trusted_proxies.proxies, trusted_proxies);
        set(&mut settings.trusted_proxies.header, forwarded_header.map(Into::into));
        let key_file = publish_key_file.map(|path| secret_in("publish_key_file", &path)).transpose()?;
        settings.publish_key = publish_key.map(Secret::new).or(key_file);
        settings.metrics_token =
            metrics_token_file.map(|path| secret_in("metrics_token_file", &path)).transpose()?;
        settings.operator_token =
            operator_token_file.map(|path| secret_in("operator_token_file", &path)).transpose()?;
        settings.tokens = token_settings(tokens)?;
        apply_dialects(&mut settings, dialects)?;
        let TrackingOptions { track_key, stale_after } = tracking;
        set(&mut settings.track_keys, track_key);
        set(&mut settings.stale_after, stale_after);
        apply_filters(&mut settings, filters)?;
        let filtered_port = (!settings.filters.is_empty() && listen.usock.is_none()).then_some(FILTERED_PORT);
        set(&mut settings.absent_client_reference, client_reference.map(Into::into));
        set(&mut settings.axis_order, axis_order.map(Into::into));
        if deflate == Some(true) {
            let threshold = deflate_threshold.unwrap_or(Compression::THRESHOLD);
            settings.compression = Compression::Deflate { threshold };
        }
        apply_limits(&mut settings.limits, limits);
        apply_timeouts(&mut settings.timeouts, timeouts);
        Ok(Self {
            listening: Listening::new(host, port.or(filtered_port), listen)?.with_metrics(metrics),
            log: LogSettings::new(log, log_format.unwrap_or_default()),
            settings,
        })
    }
}

fn apply_store(settings: &mut Settings, options: StoreOptions) -> Result<(), ConfigError> {
    let StoreOptions { data, flush_interval, history, presence } = options;
    settings.presence = presence;
    set(&mut settings.history, history);
    match (data, flush_interval) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(ConfigError::Lacking { given: "flush_interval", other: "data" }),
        (Some(folder), flush_interval) => {
            let mut kept = DataSettings::new(folder);
            set(&mut kept.flush_interval, flush_interval);
            settings.store = StoreSettings::Kept(kept);
            Ok(())
        }
    }
}

fn apply_filters(settings: &mut Settings, options: FilterOptions) -> Result<(), ConfigError> {
    let FilterOptions { filters, redis_channels } = options;
    settings.filters = Filters::named(filters.unwrap_or_default())?;
    let listens = settings.filters.names().any(|name| LISTENERS.contains(&name));
    let global = || listens.then(|| vec![GLOBAL.parse().expect("a channel's name")]);
    set(&mut settings.pipeline_channels, redis_channels.or_else(global));
    Ok(())
}

fn apply_dialects(settings: &mut Settings, options: DialectOptions) -> Result<(), ConfigError> {
    let DialectOptions { watch, url_prefix, fold_channel_names, encode_json_twice, rohrpost_handler } =
        options;
    settings.watch = watch;
    set(&mut settings.url_prefix, url_prefix);
    let names = |folds| if folds { ChannelNames::Folded } else { ChannelNames::AsWritten };
    set(&mut settings.channel_names, fold_channel_names.map(names));
    let encoding = |twice| if twice { JsonEncoding::Twice } else { JsonEncoding::Once };
    set(&mut settings.json_encoding, encode_json_twice.map(encoding));
    for handler in rohrpost_handler.into_iter().flatten() {
        settings.request_handlers.push(Arc::new(handler));
    }
    Ok(settings.check_handlers()?)
}

/// Tokens are in use where there are keys. They are read here as well, so that a wrong file is a wrong configuration.
fn token_settings(options: TokenOptions) -> Result<Option<TokenSettings>, ConfigError> {
    let TokenOptions { jwt_key_file, jwks_file, jwt_issuer, jwt_audience, jwt_channels } = options;
    let keys: Vec<KeyFile> =
        jwt_key_file.map(KeyFile::Secret).into_iter().chain(jwks_file.map(KeyFile::Jwks)).collect();
    if keys.is_empty() {
        let idle = [
            ("jwt_issuer", jwt_issuer.is_some()),
            ("jwt_audience", jwt_audience.is_some()),
            ("jwt_channels", jwt_channels.is_some()),
        ];
        return match idle.into_iter().find(|(_, given)| *given) {
            Some((given, _)) => Err(ConfigError::Lacking { given, other: "jwks_file` or `jwt_key_file" }),
            None => Ok(None),
        };
    }
    let mut settings = TokenSettings::new(keys);
    settings.issuer = jwt_issuer;
    settings.audience = jwt_audience;
    settings.channels = jwt_channels;
    settings.check()?;
    Ok(Some(settings))
}

fn apply_limits(limits: &mut Limits, options: LimitOptions) {
    let LimitOptions {
        max_connections,
        max_plain_connections,
        max_address_connections,
        address_rate,
        address_burst,
        accept_rate,
        token_rate,
        token_burst,
        max_message,
        max_publication,
        outbox_bytes,
        overflow,
        max_subscriptions,
        commands_per_second,
        command_burst,
        max_depth,
        max_vertices,
        max_transforms,
        max_in_flight,
        max_embedded_state,
        max_history,
        max_tracked_keys,
        max_tracked_state,
        max_presence,
        max_buffer_time,
        max_buffer_count,
        max_handled,
    } = options;
    set(&mut limits.connections, max_connections.map(NonZeroUsize::get));
    set(&mut limits.plain_connections, max_plain_connections.map(NonZeroUsize::get));
    set(&mut limits.address_connections, max_address_connections.map(NonZeroUsize::new));
    if let Some(rate) = &mut limits.address_rate {
        set(&mut rate.per_second, address_rate);
        set(&mut rate.burst, address_burst);
    }
    limits.address_rate.take_if(|rate| rate.per_second == 0);
    limits.accept_rate = accept_rate.map(|rate| RateLimit { per_second: rate, burst: rate });
    limits.token_rate = token_rate.map(|rate| {
        let burst = token_burst.unwrap_or_else(|| rate.saturating_mul(2));
        RateLimit { per_second: rate, burst }
    });
    set(&mut limits.message, max_message);
    set(&mut limits.publication, max_publication);
    set(&mut limits.outbox, outbox_bytes);
    set(&mut limits.overflow, overflow.map(Into::into));
    set(&mut limits.subscriptions, max_subscriptions);
    set(&mut limits.commands_per_second, commands_per_second);
    set(&mut limits.command_burst, command_burst);
    set(&mut limits.depth, max_depth);
    set(&mut limits.vertices, max_vertices);
    set(&mut limits.transforms, max_transforms);
    set(&mut limits.in_flight, max_in_flight);
    set(&mut limits.embedded_state, max_embedded_state);
    set(&mut limits.history, max_history);
    set(&mut limits.tracked_keys, max_tracked_keys.map(NonZeroUsize::get));
    set(&mut limits.tracked_bytes, max_tracked_state);
    set(&mut limits.presence, max_presence.map(NonZeroUsize::get));
    set(&mut limits.buffer.0, max_buffer_time.map(milliseconds));
    set(&mut limits.buffer.1, max_buffer_count);
    set(&mut limits.handled, max_handled);
}

fn apply_timeouts(timeouts: &mut Timeouts, options: TimeoutOptions) {
    let TimeoutOptions {
        ping_interval,
        pong_timeout,
        write_timeout,
        close_timeout,
        header_timeout,
        request_timeout,
        drain_delay,
        drain_timeout,
        drain_spread,
        settle_time,
        hold_time,
        handler_timeout,
        presence_grace,
    } = options;
    set(&mut timeouts.ping, ping_interval);
    set(&mut timeouts.pong, pong_timeout);
    set(&mut timeouts.write, write_timeout);
    set(&mut timeouts.close, close_timeout);
    set(&mut timeouts.header, header_timeout);
    set(&mut timeouts.request, request_timeout);
    set(&mut timeouts.drain_delay, drain_delay);
    set(&mut timeouts.drain, drain_timeout);
    set(&mut timeouts.drain_spread, drain_spread);
    set(&mut timeouts.settle, settle_time);
    set(&mut timeouts.hold, hold_time);
    set(&mut timeouts.handler, handler_timeout);
    set(&mut timeouts.presence_grace, presence_grace);
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *setting = value;
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// What a file holds, without the line break that editors put at its end.
fn secret_in(option: &'static str, path: &Path) -> Result<Secret, ConfigError> {
    let mut secret =
        fs::read(path).map_err(|source| ConfigError::NamedFile { option, path: path.to_owned(), source })?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() {
        Err(ConfigError::EmptyFile { option, path: path.to_owned() })
    } else {
        Ok(Secret::new(secret))
    }
}

impl From<ForwardedHeaderOption> for ForwardedHeader {
    fn from(option: ForwardedHeaderOption) -> Self {
        match option {
            ForwardedHeaderOption::XForwardedFor => Self::XForwardedFor,
            ForwardedHeaderOption::Forwarded => Self::Forwarded,
        }
    }
}

impl From<OverflowOption> for Overflow {
    fn from(option: OverflowOption) -> Self {
        match option {
            OverflowOption::Close => Self::Close,
            OverflowOption::DropOldest => Self::DropOldest,
            OverflowOption::Latest => Self::Latest,
        }
    }
}

impl From<ClientReferenceOption> for AbsentClientReference {
    fn from(option: ClientReferenceOption) -> Self {
        match option {
            ClientReferenceOption::Null => Self::Null,
            ClientReferenceOption::Empty => Self::Empty,
        }
    }
}

impl From<AxisOrderOption> for AxisOrder {
    fn from(option: AxisOrderOption) -> Self {
        match option {
            AxisOrderOption::Xy => Self::Xy,
            AxisOrderOption::Authority => Self::Authority,
        }
    }
}

/// The port of the reference that filters come from.
const FILTERED_PORT: u16 = 9000;
/// The channel that it listens to unless others are named.
const GLOBAL: &str = "global";
/// Its filters that would have nothing to do without a channel.
const LISTENERS: [&str; 2] = ["broadcast_pubsub", "stdout_pubsub"];

#[cfg(test)]
mod tests;
