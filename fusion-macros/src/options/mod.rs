//! What stands in the parentheses of `#[reactor(..)]` and `#[contract(..)]`.
//!
//! `options := [ option { "," option } [","] ]`, where an option is `name = value`, a flag, `deps! < .. >` or
//! `window! < .. >`. A mistake in one option is reported and leaves the others readable.

mod names;
mod values;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Lit, LitStr, Path, Result, Token};

use crate::deps::ast::{Dag, Target};
use crate::deps::cut::Body;
use crate::deps::parse;
use crate::duration::{self, Time, Zero};
use crate::report::Report;
use crate::topic;
use crate::window::{self, ast::Sources, settings::Settings};

use self::names::{meant, sample, unknown};
use self::values::{concurrency, literal, order, root, type_name};
pub(crate) use self::values::{equals, number, one_of, target};

/// Which attribute it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Reactor,
    Contract,
}

/// The options of one attribute; those that only a reactor takes stay empty for a contract.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) topic: Once<Target>,
    pub(crate) name: Once<LitStr>,
    pub(crate) contract: Once<Ident>,
    pub(crate) to: Once<Target>,
    pub(crate) within: Once<Time>,
    pub(crate) retry: Once<u32>,
    pub(crate) order: Once<Order>,
    pub(crate) concurrency: Once<usize>,
    /// `envelope = json`, the only one that is ever written.
    pub(crate) json: Once<()>,
    pub(crate) root: Once<Path>,
    pub(crate) deps: Once<Dag>,
    pub(crate) window: Once<Sources>,
    /// Those that only windows have.
    pub(crate) settings: Settings,
    /// The names of all that were written, in their order, also of those that could not be read.
    written: Vec<Ident>,
    /// What was probably meant by those that are unknown.
    meant: Vec<&'static str>,
    /// A `<` without its `>` took all that stands behind it: whatever is missing may be there.
    unclosed: bool,
}

/// An option that may be given once; it remembers where.
pub(crate) struct Once<T> {
    given: Option<(Ident, T)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Order {
    Key,
    Partition,
    None,
}

impl Options {
    /// Reads all options, and checks what each value says by itself and what contradicts what.
    pub(crate) fn read(tokens: TokenStream, kind: Kind, report: &mut Report) -> Self {
        let mut options = Self::default();
        let errors = report.len();
        let windowed = is_windowed(&tokens);
        let mut misspelt = None;
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = options.option(input, kind, windowed, &mut misspelt, report) {
                    report.add(error);
                    skip(input)?;
                }
                if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            report.add(error);
        }
        // What belongs to a window has no errors of its own then.
        if let (Some(name), false) = (misspelt, windowed || options.was_written("topic")) {
            options.window.set(name, Sources { unnamed: true, ..Sources::default() }, report);
        }
        // Parameters may be named like its nodes.
        if let (None, Some(sources)) = (options.deps.get(), options.window.get_mut()) {
            sources.unnamed |= options.written.iter().any(|written| written == "deps");
        }
        // An option that could not be read may have been the topic.
        let complete = report.len() == errors;
        if complete {
            options.check_topic(kind, report);
        }
        match options.window.name() {
            Some(_) => window::check::options(&options, complete, report),
            None if complete => options.check_settings(report),
            None => {}
        }
        options.check_topic_names(report);
        options.check_envelope(report);
        options
    }

    fn option(
        &mut self,
        input: ParseStream<'_>,
        kind: Kind,
        windowed: bool,
        misspelt: &mut Option<Ident>,
        report: &mut Report,
    ) -> Result<()> {
        let name = input.call(Ident::parse_any).map_err(|error| not_an_option(&error, input))?;
        let macro_like = input.peek(Token![!]);
        let text = if macro_like { format!("{name}!") } else { name.to_string() };
        if !kind.options().contains(&text.as_str()) {
            let error = unknown(&name, &text, kind, windowed);
            match meant(&text, kind, windowed) {
                Some("window!") => *misspelt = Some(name),
                Some(meant) => self.meant.push(meant),
                None => {}
            }
            if macro_like {
                // Commas of its own would look like the ends of options.
                input.parse::<Token![!]>()?;
                let _skipped = Body::take(input, "");
            }
            return Err(error);
        }
        self.written.push(name.clone());
        if text == "window!" {
            input.parse::<Token![!]>()?;
            // Known to be there, even if it cannot be read.
            let sources = match Body::take(input, window::parse::EXPECTED) {
                Ok(body) => window::parse::sources(body, report),
                Err(error) => {
                    report.add(error);
                    self.unclosed |= input.is_empty();
                    skip(input)?;
                    Sources { unnamed: true, ..Sources::default() }
                }
            };
            match self.window.get_mut() {
                Some(first) => {
                    report.error(&name, "a second `window!`: one window has all sources");
                    first.also(sources);
                }
                None => self.window.set(name, sources, report),
            }
        } else if macro_like {
            input.parse::<Token![!]>()?;
            let body =
                Body::take(input, parse::EXPECTED).inspect_err(|_| self.unclosed |= input.is_empty())?;
            let dag = parse::dag(body, report);
            if self.deps.get().is_some() {
                report.error(&name, "a second `deps!`: one graph has all nodes");
            } else {
                self.deps.set(name, dag, report);
            }
        } else if window::settings::OPTIONS.contains(&text.as_str()) {
            self.settings.read(name, &text, input, report)?;
        } else {
            equals(&name, sample(&text), input)?;
            self.value(name, &text, input, report)?;
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        let error = input.error("expected `,` before the next option");
        match begins_option(input) {
            true => report.add(error),
            false => return Err(error),
        }
        Ok(())
    }

    fn value(&mut self, name: Ident, text: &str, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        match text {
            "topic" => self.topic.set(name, target(input)?, report),
            "to" => self.to.set(name, target(input)?, report),
            "name" => {
                self.name.set(name, literal(input, "expected a text, such as `name = \"billing\"`")?, report)
            }
            "contract" => self.contract.set(name, type_name(input)?, report),
            "within" => self.within.set(name, duration::parse(input, Zero::Refused)?, report),
            "retry" => self.retry.set(name, number(input, "a whole number, such as `retry = 3`")?, report),
            "order" => self.order.set(name, order(input)?, report),
            "concurrency" => self.concurrency.set(name, concurrency(input)?, report),
            "envelope" => {
                one_of(input, "envelope", &["json"])?;
                self.json.set(name, (), report);
            }
            _ => self.root.set(name, root(input)?, report),
        }
        Ok(())
    }

    fn check_topic(&self, kind: Kind, report: &mut Report) {
        let missing = match kind {
            Kind::Reactor if self.settings.given().next().is_some() => {
                "a window gathers from topics: write `#[reactor(window! < orders: \"..\" by id >, ..)]`"
            }
            Kind::Reactor => "a reactor serves a topic: write `#[reactor(topic = \"..\")]`",
            Kind::Contract => "a contract has a topic: write `#[contract(topic = \"..\")]`",
        };
        match (self.topic.get(), kind) {
            (None, _) if self.window.name().is_some() => {}
            (None, _) => report.error_at(Span::call_site(), missing),
            (Some(Target::Contract(path)), Kind::Contract) => {
                report.error(path, "a contract names its topic: write it as a literal");
            }
            (Some(_), _) => {}
        }
        if let (Some(topic), Some(window)) = (self.topic.name(), self.window.name()) {
            report.error(
                self.later(topic, window),
                "a reactor has either `topic` or `window!`: remove one of them",
            );
        }
    }

    /// Only windows have these.
    fn check_settings(&self, report: &mut Report) {
        let mut names: Vec<&Ident> = self.settings.given().filter(|_| self.topic.name().is_some()).collect();
        self.in_order(&mut names);
        // Who writes one of them means a window, and so the others: that is one mistake.
        if let Some(first) = names.first() {
            let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let belong = if names.len() == 1 { "belongs" } else { "belong" };
            report.error(
                first,
                format!("{listed} {belong} to windows: write `window! < .. >` in place of `topic`, or remove what has no meaning here"),
            );
        }
    }

    fn place(&self, name: &Ident) -> Option<usize> {
        self.written.iter().position(|written| written == name)
    }

    /// The one of two options that was written later: where a conflict is reported.
    pub(crate) fn later<'a>(&self, a: &'a Ident, b: &'a Ident) -> &'a Ident {
        if self.place(a) > self.place(b) { a } else { b }
    }

    /// The names in the order in which they were written.
    pub(crate) fn in_order(&self, names: &mut [&Ident]) {
        names.sort_by_key(|name| self.place(name));
    }

    /// Whether an option was written, or may have been, as something that could not be read.
    pub(crate) fn was_written(&self, option: &str) -> bool {
        let is_meant = self.unclosed || self.meant.contains(&option);
        is_meant || self.written.iter().any(|written| written == option)
    }

    fn check_topic_names(&self, report: &mut Report) {
        for target in [&self.topic, &self.to] {
            if let Some(Target::Topic(topic)) = target.get() {
                topic::check_name(topic, report);
            }
        }
    }

    /// A reactor that implements a contract takes over how requests to it travel.
    fn check_envelope(&self, report: &mut Report) {
        if let (Some(envelope), Some(Target::Contract(_))) = (self.json.name(), self.topic.get()) {
            report.error(
                envelope,
                "the contract that `topic` names says how requests travel: remove `envelope`",
            );
        }
    }

    /// The topic, if it is a literal that can be declared.
    pub(crate) fn declared(&self) -> Option<&LitStr> {
        match self.topic.get() {
            Some(Target::Topic(topic)) if topic::is_legal(topic) => Some(topic),
            _ => None,
        }
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { given: None }
    }
}

impl<T> Once<T> {
    pub(crate) fn set(&mut self, name: Ident, value: T, report: &mut Report) {
        match &self.given {
            Some(_) => report.error(&name, format!("a second `{name}`: keep one of them")),
            None => self.given = Some((name, value)),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.given.as_ref().map(|(_, value)| value)
    }

    fn get_mut(&mut self) -> Option<&mut T> {
        self.given.as_mut().map(|(_, value)| value)
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        self.given.take().map(|(_, value)| value)
    }

    /// The option's name, as it was written.
    pub(crate) fn name(&self) -> Option<&Ident> {
        self.given.as_ref().map(|(name, _)| name)
    }
}

/// Leaves the input at the `,` before the next option, or at the end.
pub(crate) fn skip(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn not_an_option(error: &Error, input: ParseStream<'_>) -> Error {
    match input.peek(Lit) {
        true => Error::new(error.span(), "expected an option: a topic is written `topic = \"..\"`"),
        false => Error::new(error.span(), "expected an option, such as `topic = \"..\"`"),
    }
}

/// Whether an option stands here that can be read: a name and its `=`, or a macro.
fn begins_option(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok()
        && (ahead.peek(Token![=]) && !ahead.peek(Token![==])
            || ahead.peek(Token![!]) && !ahead.peek(Token![!=]))
}

/// Whether `window!` is among these options.
fn is_windowed(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.windows(2).any(|pair| match pair {
        [TokenTree::Ident(name), TokenTree::Punct(mark)] => name == "window" && mark.as_char() == '!',
        _ => false,
    })
}
