//! The options of `#[reactor(window! ..)]` that no other reactor has.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, LitInt, Result, Token, token};

use crate::deps::ast::Target;
use crate::duration::{self, Time, Zero};
use crate::options::{Once, equals, number, one_of, skip, target};
use crate::report::{Report, did_you_mean};

/// All of them.
pub(crate) const OPTIONS: [&str; 14] = [
    "tumbling",
    "hopping",
    "sliding",
    "session",
    "advance",
    "longest",
    "grace",
    "complete",
    "emit",
    "idle",
    "max_future",
    "late",
    "copartitioned",
    "max_open",
];

/// What they say.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) tumbling: Once<Time>,
    pub(crate) hopping: Once<Time>,
    pub(crate) sliding: Once<Time>,
    pub(crate) session: Once<Time>,
    pub(crate) advance: Once<Time>,
    pub(crate) longest: Once<Time>,
    pub(crate) grace: Once<Time>,
    /// `complete = all`, the only one there is.
    pub(crate) complete: Once<()>,
    /// `emit = updates`; `false` for `final`.
    pub(crate) updates: Once<bool>,
    /// `None` for `never`.
    pub(crate) idle: Once<Option<Time>>,
    pub(crate) max_future: Once<Option<Time>>,
    pub(crate) late: Once<Target>,
    pub(crate) copartitioned: Once<()>,
    pub(crate) max_open: Once<MaxOpen>,
}

/// `max_open(keys = .., bytes = ..)`
#[derive(Clone, Copy, Default)]
pub(crate) struct MaxOpen {
    pub(crate) keys: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

impl Settings {
    /// Reads what stands behind the name of an option.
    pub(crate) fn read(
        &mut self,
        name: Ident,
        text: &str,
        input: ParseStream<'_>,
        report: &mut Report,
    ) -> Result<()> {
        match text {
            "copartitioned" => {
                if !input.is_empty() && !input.peek(Token![,]) && !input.peek(syn::Ident) {
                    return Err(input.error("`copartitioned` has no value: write only the word"));
                }
                self.copartitioned.set(name, (), report);
                return Ok(());
            }
            "max_open" => {
                let bounds = max_open(&name, input, report)?;
                self.max_open.set(name, bounds, report);
                return Ok(());
            }
            _ => {}
        }
        equals(&name, sample(text), input)?;
        match text {
            "tumbling" => self.tumbling.set(name, duration::parse(input, Zero::Refused)?, report),
            "hopping" => self.hopping.set(name, duration::parse(input, Zero::Refused)?, report),
            "sliding" => self.sliding.set(name, duration::parse(input, Zero::Refused)?, report),
            "session" => self.session.set(name, duration::parse(input, Zero::Refused)?, report),
            "advance" => self.advance.set(name, duration::parse(input, Zero::Refused)?, report),
            "longest" => self.longest.set(name, duration::parse(input, Zero::Refused)?, report),
            "grace" => self.grace.set(name, duration::parse(input, Zero::Allowed)?, report),
            "complete" => {
                one_of(input, "complete", &["all"])?;
                self.complete.set(name, (), report);
            }
            "emit" => {
                self.updates.set(name, one_of(input, "emit", &["final", "updates"])? == 1, report);
            }
            "idle" => self.idle.set(name, or_never(input, text)?, report),
            "max_future" => self.max_future.set(name, or_never(input, text)?, report),
            _ => self.late.set(name, target(input)?, report),
        }
        Ok(())
    }

    /// The kinds that are given.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&Ident, &Time)> {
        [&self.tumbling, &self.hopping, &self.sliding, &self.session]
            .into_iter()
            .filter_map(|kind| Some((kind.name()?, kind.get()?)))
    }

    /// The names of all that are given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Ident> {
        let times = self.times().map(|(name, _)| name);
        let never =
            [&self.idle, &self.max_future].into_iter().filter(|once| matches!(once.get(), Some(None)));
        let others = [
            self.complete.name(),
            self.updates.name(),
            self.late.name(),
            self.copartitioned.name(),
            self.max_open.name(),
        ];
        times.chain(never.filter_map(Once::name)).chain(others.into_iter().flatten())
    }

    /// All durations that are given.
    pub(crate) fn times(&self) -> impl Iterator<Item = (&Ident, &Time)> {
        let sizes = [&self.advance, &self.longest, &self.grace].into_iter();
        let sizes = sizes.filter_map(|time| Some((time.name()?, time.get()?)));
        let limits = [&self.idle, &self.max_future].into_iter();
        let limits = limits.filter_map(|time| Some((time.name()?, time.get()?.as_ref()?)));
        self.kinds().chain(sizes).chain(limits)
    }
}

/// How an option is written.
pub(crate) fn sample(option: &str) -> &'static str {
    match option {
        "tumbling" => "tumbling = 30s",
        "hopping" => "hopping = 30s",
        "sliding" => "sliding = 30s",
        "session" => "session = 5m",
        "advance" => "advance = 10s",
        "longest" => "longest = 1h",
        "grace" => "grace = 2s",
        "complete" => "complete = all",
        "emit" => "emit = updates",
        "idle" => "idle = 10s",
        "max_future" => "max_future = 5m",
        "late" => "late = \"..\"",
        "copartitioned" => "copartitioned",
        _ => "max_open(keys = 100_000)",
    }
}

fn or_never(input: ParseStream<'_>, option: &str) -> Result<Option<Time>> {
    if input.peek(syn::Ident::peek_any) {
        one_of(input, option, &["never"]).map_err(|error| {
            Error::new(error.span(), format!("`{option}` is a duration such as `10s`, or `never`"))
        })?;
        return Ok(None);
    }
    duration::parse(input, Zero::Refused).map(Some)
}

fn max_open(name: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<MaxOpen> {
    let error = |sample| {
        Error::new(name.span(), format!("`max_open` bounds keys, bytes or both: write `max_open({sample})`"))
    };
    if !input.peek(token::Paren) {
        return Err(error("keys = 100_000, bytes = 64_000_000"));
    }
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(error("keys = 100_000"));
    }
    let mut bounds = [("keys", None), ("bytes", None)];
    while !content.is_empty() {
        if let Err(error) = bound(&content, &mut bounds) {
            report.add(error);
            skip(&content)?;
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    let [(_, keys), (_, bytes)] = bounds.map(|(name, bound)| (name, bound.flatten()));
    Ok(MaxOpen { keys, bytes })
}

/// Reads `keys = 100_000`. Of one that was written, `Some(None)` says that its number could not be read.
fn bound(input: ParseStream<'_>, bounds: &mut [(&str, Option<Option<u64>>)]) -> Result<()> {
    let place = input.span();
    let expected = || Error::new(place, "expected `keys = ..` or `bytes = ..`");
    let name = input.call(Ident::parse_any).map_err(|_| expected())?;
    let Some((_, bound)) = bounds.iter_mut().find(|(known, _)| name == known) else {
        let meant = did_you_mean(&name.to_string(), ["keys", "bytes"]);
        return Err(meant.map_or_else(expected, |meant| {
            Error::new(place, format!("unknown bound `{name}`, did you mean `{meant}`?"))
        }));
    };
    if bound.is_some() {
        return Err(Error::new(place, format!("a second `{name}`: keep one of them")));
    }
    *bound = Some(None);
    equals(&name, &format!("{name} = 100_000"), input)?;
    let place = input.span();
    let unit = input.fork().parse::<LitInt>().is_ok_and(|literal| !literal.suffix().is_empty());
    let expected =
        if unit { "a whole number without a unit" } else { "a whole number, such as `64_000_000`" };
    match number(input, expected)? {
        0 => return Err(Error::new(place, "at least 1, or no window could be open")),
        number => *bound = Some(Some(number)),
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error("expected `,` before the next bound"))
}
