//! Which options there are, and what is said of one that is none.

use proc_macro2::Ident;
use syn::Error;

use super::Kind;
use crate::report::did_you_mean;
use crate::window;

const REACTOR: [&str; 12] = [
    "topic",
    "window!",
    "deps!",
    "to",
    "within",
    "retry",
    "order",
    "concurrency",
    "name",
    "contract",
    "envelope",
    "crate",
];
/// What windows have in common with other reactors.
const WINDOW: [&str; 7] = ["window!", "deps!", "to", "within", "retry", "name", "crate"];
const CONTRACT: [&str; 4] = ["topic", "contract", "envelope", "crate"];

impl Kind {
    /// All options there are.
    pub(super) fn options(self) -> Vec<&'static str> {
        match self {
            Kind::Reactor => [&REACTOR[..], &window::settings::OPTIONS].concat(),
            Kind::Contract => CONTRACT.to_vec(),
        }
    }
}

/// The option that was probably meant by what is none.
pub(super) fn meant(text: &str, kind: Kind, windowed: bool) -> Option<&'static str> {
    let elsewhere = windowed.then(|| elsewhere(text)).flatten();
    elsewhere.or_else(|| did_you_mean(text, kind.options()))
}

pub(super) fn unknown(name: &Ident, text: &str, kind: Kind, windowed: bool) -> Error {
    let known = kind.options();
    let listed = || {
        let listed = match kind {
            Kind::Reactor if windowed => [&WINDOW[..], &window::settings::OPTIONS].concat(),
            Kind::Reactor => REACTOR.to_vec(),
            Kind::Contract => known.clone(),
        };
        listed.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ")
    };
    let message = match meant(text, kind, windowed) {
        _ if kind == Kind::Contract && Kind::Reactor.options().contains(&text) => {
            format!("`{text}` is for reactors: a contract has {}", listed())
        }
        Some(meant) => format!("unknown option `{text}`, did you mean `{meant}`?"),
        None => format!("unknown option `{text}`: there are {}", listed()),
    };
    Error::new(name.span(), message)
}

/// What the options of windows are called by other libraries.
fn elsewhere(text: &str) -> Option<&'static str> {
    Some(match text {
        "size" | "window_size" => "tumbling",
        "gap" | "inactivity_gap" => "session",
        "hop" | "slide" | "step" => "advance",
        "max" | "max_length" => "longest",
        "lateness" | "allowed_lateness" => "grace",
        "suppress" | "trigger" => "emit",
        "late_topic" | "side_output" => "late",
        "output" | "sink" | "into" => "to",
        _ => return None,
    })
}

/// How an option is written.
pub(super) fn sample(option: &str) -> &'static str {
    match option {
        "topic" => "topic = \"..\"",
        "to" => "to = \"..\"",
        "name" => "name = \"..\"",
        "contract" => "contract = Name",
        "within" => "within = 30s",
        "retry" => "retry = 3",
        "order" => "order = key",
        "concurrency" => "concurrency = 64",
        "envelope" => "envelope = json",
        _ => "crate = path::to::fusion",
    }
}
