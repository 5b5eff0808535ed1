//! The source under each error and its message: carets are tested together with words.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};

use super::ast::{Key, Source, Sources};
use super::parse;
use crate::deps::ast::Target;
use crate::deps::cut::Body;
use crate::options::{Kind, Options};
use crate::report::Report;

fn read(tokens: TokenStream) -> (Sources, Vec<(String, String)>) {
    let mut report = Report::new();
    let parser = |input: ParseStream<'_>| {
        let body = Body::take(input, parse::EXPECTED)?;
        let rest: TokenStream = input.parse()?;
        Ok((parse::sources(body, &mut report), rest))
    };
    match parser.parse2(tokens) {
        Ok((sources, _)) => (sources, report.shown()),
        Err(error) => {
            (Sources::default(), vec![(error.span().source_text().unwrap_or_default(), error.to_string())])
        }
    }
}

fn right(source: &str) -> Vec<String> {
    let (sources, errors) = read(source.parse().unwrap());
    assert_eq!(errors, [], "{source}");
    assert_eq!(sources.declared.len(), sources.sources.len());
    sources.sources.iter().map(printed).collect()
}

fn printed(source: &Source) -> String {
    let targets: Vec<String> = source
        .targets
        .iter()
        .map(|target| match target {
            Target::Topic(topic) => topic.to_token_stream().to_string(),
            Target::Contract(path) => path.to_token_stream().to_string().replace(' ', ""),
        })
        .collect();
    let key = |key: &Key| match key {
        Key::Fields(fields) => {
            fields.iter().map(|field| field.to_token_stream().to_string()).collect::<Vec<_>>().join(".")
        }
        Key::Closure(closure) => closure.to_token_stream().to_string(),
    };
    let at = source.at.as_ref().map_or_else(String::new, |at| format!(" at {}", key(at)));
    format!("{}: {} by {}{at}", source.name, targets.join(" | "), key(&source.by))
}

#[test]
fn every_construct() {
    let sources = r#"< a: "x" | services::y | crate::z by id; r#type: "w" by car.id.0 at |t| t.time; >"#;
    assert_eq!(
        right(sources),
        ["a: \"x\" | services::y | crate::z by id", "r#type: \"w\" by car.id.0 at | t | t . time"]
    );
    for enclosed in ["{ a: \"x\" by id }", "(a: \"x\" by id;)", "[< a: \"x\" by id >]", "<a:\"x\" by id>"] {
        assert_eq!(right(enclosed), ["a: \"x\" by id"], "{enclosed}");
    }
}

#[test]
fn keys() {
    for (written, key) in [
        ("0", "0"),
        ("0.1", "0.1"),
        ("0.id", "0.id"),
        ("a.0.1", "a.0.1"),
        ("time at by", "time at by"),
        ("|t| t.id", "| t | t . id"),
        ("move |t: &T| -> Option<u8> { t.id }", "move | t : & T | -> Option < u8 > { t . id }"),
        ("|t| t.a > t.b", "| t | t . a > t . b"),
        ("|&t| t as u64 at time", "| & t | t as u64 at time"),
    ] {
        assert_eq!(right(&format!("< a: \"x\" by {written} >")), [format!("a: \"x\" by {key}")], "{written}");
    }
}

/// What follows the closing `>` is left, also if there are others before it.
#[test]
fn closing() {
    for (sources, rest) in [
        ("< a: \"x\" by id >, tumbling = 30s", ", tumbling = 30s"),
        // A slip of the option's, not of the sources'.
        ("< a: \"x\" by id >, tumbling: 30s", ", tumbling : 30s"),
        ("< a: \"x\" by |t| t.a > u::B, ::C >, grace: 0s", ", grace : 0s"),
        ("< a: \"x\" by |t: Vec<u8>| t.len() >, copartitioned", ", copartitioned"),
        (
            "< a: \"x\" by |t| -> Option<Vec<u8>> { f(t) } >, copartitioned, to = \"y\"",
            ", copartitioned , to = \"y\"",
        ),
        (
            "< a: \"x\" by |t| t.get::<Id<u8>>() at |t| t.a > t.b >, max_open(keys = 1)",
            ", max_open (keys = 1)",
        ),
        (
            "< a: \"x\" by |t| if t.a >= t.b { 1 } else { 2 } >, deps! < one: \"a\"() >",
            ", deps ! < one : \"a\" () >",
        ),
        ("< a: \"x\" by |(a, b)| match a { 1 => b, _ => 2 } >", ""),
    ] {
        let parser = |input: ParseStream<'_>| {
            Body::take(input, parse::EXPECTED)?;
            input.parse::<TokenStream>()
        };
        assert_eq!(parser.parse_str(sources).unwrap().to_string(), rest, "{sources}");
    }
}

/// As `macro_rules!` passes on what matched `$x:expr` or `$x:literal`.
#[test]
fn invisible_groups_are_looked_through() {
    let group = |source: &str| {
        let tokens: TokenStream = source.parse().unwrap();
        TokenStream::from(TokenTree::Group(Group::new(Delimiter::None, tokens)))
    };
    let (topic, closure, field) = (group("\"x\""), group("|t| t.id"), group("car.time"));
    let (sources, errors) = read(quote::quote!(< a: #topic | "y" by #closure at #field >));
    assert_eq!(errors, []);
    assert_eq!(
        sources.sources.iter().map(printed).collect::<Vec<_>>(),
        ["a: \"x\" | \"y\" by | t | t . id at car.time"]
    );
}

#[test]
fn a_mistake_leaves_the_other_sources() {
    let (sources, errors) = read(r#"< a: "x" by; b: "y" by id; c "z" by id; d: "w" >"#.parse().unwrap());
    assert_eq!(sources.sources.iter().map(printed).collect::<Vec<_>>(), ["b: \"y\" by id"]);
    assert_eq!(sources.declared.len(), 4);
    assert_eq!(errors.len(), 3);
    assert!(!sources.unnamed);
    assert!(read(r#"< "x" by id >"#.parse().unwrap()).0.unnamed);
}

/// The errors of options, each as the source under it and the first words.
fn options(source: &str) -> Vec<(String, String)> {
    let mut report = Report::new();
    Options::read(source.parse().unwrap(), Kind::Reactor, &mut report);
    let words = |message: String| message.split(' ').take(3).collect::<Vec<_>>().join(" ");
    report.shown().into_iter().map(|(place, message)| (place, words(message))).collect()
}

#[test]
fn options_that_go_together() {
    for source in [
        "tumbling = 30s, grace = 0s",
        "tumbling = 30s, grace = 0s, complete = all, copartitioned, late = \"late\", to = services::x",
        "hopping = 30s, advance = 30s, grace = 1h, emit = updates, idle = never, max_future = never",
        "sliding = 1ms, grace = 1ms, emit = final, idle = 1s, max_future = 1.5s, retry = 0, within = 1s",
        "session = 1s, longest = 1s, grace = 1ms, max_open(bytes = 1, keys = 2,), name = \"x\", crate = ::fusion",
    ] {
        assert_eq!(options(&format!("window! < a: \"x\" | \"y\" by id >, {source}")), [], "{source}");
        assert_eq!(options(&format!("{source}, window! {{ a: \"x\" | \"y\" by id }}")), [], "{source}");
    }
}

#[test]
fn a_conflict_is_told_at_the_later_option() {
    let window = "window! < a: \"x\" | \"y\" by id >, grace = 0s";
    let later = |source: &str| {
        options(&format!("{window}, {source}")).into_iter().map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(later("tumbling = 1s, sliding = 1s"), ["sliding"]);
    assert_eq!(later("sliding = 1s, tumbling = 1s"), ["tumbling"]);
    assert_eq!(later("complete = all, session = 1s, longest = 2s"), ["session"]);
    assert_eq!(later("session = 1s, longest = 2s, complete = all"), ["complete"]);
    assert_eq!(later("copartitioned, sliding = 1s"), ["sliding"]);
    assert_eq!(later("tumbling = 1s, emit = updates, complete = all"), ["complete"]);
    assert_eq!(later("tumbling = 1s, complete = all, emit = updates"), ["emit"]);
    assert_eq!(later("tumbling = 1s, topic = \"z\""), ["topic"]);
    assert_eq!(later("tumbling = 1s, tumbling = 2s"), ["tumbling"]);
}

#[test]
fn what_is_missing_is_told_only_if_all_else_could_be_read() {
    assert_eq!(options("window! < a: \"x\" by id >").len(), 2);
    assert_eq!(options("window! < a: \"x\" by id >, tumbling = soon").len(), 1);
    assert_eq!(options("window! < a: \"x\" by >").len(), 1);
    assert_eq!(options("window! < a: \"x\" by id >, tumbling = 1s, grce = 0s").len(), 1);
}
