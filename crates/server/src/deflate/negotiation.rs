use axum::http::{HeaderMap, HeaderValue, header};

use super::{
    Compression, Deflate, LARGEST_WINDOW, SMALLEST_WINDOW,
    offer::{Offer, Parameter, offers},
};

/// What is agreed upon with a client that sent this header of a handshake, and the field that tells it so: the first
/// offer that can be met (RFC 7692 §5.1). Without one there is no compression.
pub(crate) fn negotiate(compression: Compression, headers: &HeaderMap) -> Option<(Deflate, HeaderValue)> {
    let Compression::Deflate { threshold } = compression else { return None };
    let fields = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let fields = fields.filter_map(|field| field.to_str().ok());
    let window = fields.flat_map(offers).flatten().find_map(|offer| Window::of(&offer))?;
    Some((Deflate { window: window.bits(), threshold }, window.agreement()))
}

/// How far back compressed messages refer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    /// The client does not care.
    Any,
    /// The client wants no more than this.
    Limited(u8),
}

impl Window {
    /// What an offer leads to if all of it is understood, said once, and can be met (RFC 7692 §7.1).
    fn of(offer: &Offer<'_>) -> Option<Self> {
        if offer.extension != NAME {
            return None;
        }
        let mut window = Self::Any;
        for (position, parameter) in offer.parameters.iter().enumerate() {
            if offer.parameters[..position].iter().any(|(name, _)| *name == parameter.0) {
                return None;
            }
            match parameter {
                // Both sides begin anew with each message in any case.
                (SERVER_NO_TAKEOVER | CLIENT_NO_TAKEOVER, None) => {}
                // A hint to the server, of which it needs not make use: what comes is read whatever its window.
                (CLIENT_WINDOW, None) => {}
                (CLIENT_WINDOW, Some(_)) => drop(bits(parameter)?),
                (SERVER_WINDOW, Some(_)) => window = Self::Limited(bits(parameter)?),
                _ => return None,
            }
        }
        (window.bits() >= SMALLEST_WINDOW).then_some(window)
    }

    fn bits(self) -> u8 {
        match self {
            Self::Any => LARGEST_WINDOW,
            Self::Limited(bits) => bits,
        }
    }

    fn agreement(self) -> HeaderValue {
        match self {
            Self::Any => HeaderValue::from_static(AGREEMENT),
            Self::Limited(bits) => HeaderValue::try_from(format!("{AGREEMENT}; {SERVER_WINDOW}={bits}"))
                .expect("a token and a number are visible ASCII"),
        }
    }
}

/// 8 to 15, in decimal without leading zeros (RFC 7692 §7.1.2).
fn bits(parameter: &Parameter<'_>) -> Option<u8> {
    let value = parameter.1?;
    let bits = value.parse().ok().filter(|bits| (8..=LARGEST_WINDOW).contains(bits))?;
    value.starts_with(|digit: char| ('1'..='9').contains(&digit)).then_some(bits)
}

const NAME: &str = "permessage-deflate";
const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";
const AGREEMENT: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[&'static str], expected: Option<(u8, &str)>) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(field));
        }
        let agreed = negotiate(Compression::Deflate { threshold: 7 }, &headers);
        let expected = expected.map(|(window, more)| {
            let field = HeaderValue::try_from(format!("{AGREEMENT}{more}")).unwrap();
            (Deflate { window, threshold: 7 }, field)
        });
        assert_eq!(agreed, expected, "{fields:?}");
        assert_eq!(negotiate(Compression::Off, &headers), None);
    }

    #[test]
    fn legal_offers_are_accepted() {
        let plain = Some((15, ""));
        check(&["permessage-deflate"], plain);
        check(&["permessage-deflate; client_max_window_bits"], plain);
        check(&["permessage-deflate; client_max_window_bits=8"], plain);
        check(&["permessage-deflate; server_no_context_takeover; client_no_context_takeover"], plain);
        check(&["permessage-deflate; server_max_window_bits=15"], Some((15, "; server_max_window_bits=15")));
        check(&["permessage-deflate; server_max_window_bits=9"], Some((9, "; server_max_window_bits=9")));
        check(
            &["permessage-deflate;server_max_window_bits=\"12\";client_max_window_bits"],
            Some((12, "; server_max_window_bits=12")),
        );
    }

    #[test]
    fn what_cannot_be_met_is_declined() {
        check(&[], None);
        check(&["x-webkit-deflate-frame"], None);
        for parameter in [
            "server_max_window_bits",
            "server_max_window_bits=8",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=010",
            "server_max_window_bits=+10",
            "server_max_window_bits=ten",
            "server_max_window_bits=266",
            "client_max_window_bits=7",
            "client_max_window_bits=08",
            "client_max_window_bits=16",
            "server_no_context_takeover=1",
            "client_no_context_takeover=true",
            "mode=fast",
            "Server_No_Context_Takeover",
            "client_max_window_bits; client_max_window_bits",
            "client_max_window_bits=9; client_max_window_bits=9",
            "server_no_context_takeover; server_no_context_takeover",
        ] {
            let offer: &'static str = format!("permessage-deflate; {parameter}").leak();
            check(&[offer], None);
            check(&[offer, "permessage-deflate"], Some((15, "")));
        }
    }

    #[test]
    fn the_first_offer_that_can_be_met_is_accepted() {
        let small = Some((10, "; server_max_window_bits=10"));
        check(&["foo, permessage-deflate; server_max_window_bits=10, permessage-deflate"], small);
        check(
            &["permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10"],
            small,
        );
        check(&["foo", "bar;a=b", "permessage-deflate; server_max_window_bits=10"], small);
        check(&["permessage-deflate;;, permessage-deflate"], Some((15, "")));
    }
}
