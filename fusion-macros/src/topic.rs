//! Topic names: Kafka's rule for them, and the number that stands for a name in types.

use proc_macro2::Literal;
use syn::LitStr;

use crate::report::Report;

/// What Kafka allows in length, in bytes; every allowed character is one byte.
const LONGEST: usize = 249;

/// Reports a name that Kafka would refuse, under the literal. (1 to 249 of `[A-Za-z0-9._-]`, and neither `.`
/// nor `..`.)
pub(crate) fn check_name(topic: &LitStr, report: &mut Report) {
    if let Err(message) = legal(&topic.value()) {
        report.error(topic, message);
    } else if !topic.suffix().is_empty() {
        report.error(topic, format!("a topic takes no suffix: write `\"{}\"`", topic.value()));
    }
}

/// Whether [`check_name`] has nothing to say.
pub(crate) fn is_legal(topic: &LitStr) -> bool {
    topic.suffix().is_empty() && legal(&topic.value()).is_ok()
}

/// Whether a text can be a part of a topic's name.
pub(crate) fn is_legal_part(text: &str) -> bool {
    legal(text).is_ok()
}

fn legal(name: &str) -> Result<(), String> {
    let stranger = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')));
    match (name, stranger) {
        ("", _) => Err("a topic's name cannot be empty".to_owned()),
        ("." | "..", _) => Err(format!("`{name}` cannot be a topic's name: Kafka reserves it")),
        (_, Some(c)) => Err(format!(
            "a topic's name cannot contain `{}`: use letters, digits, `.`, `_` and `-`",
            c.escape_debug()
        )),
        _ if name.len() > LONGEST => {
            Err(format!("a topic's name has at most {LONGEST} characters, this one has {}", name.len()))
        }
        _ => Ok(()),
    }
}

/// The number that stands for a topic in `TopicId<..>`: FNV-1a with 128 bits over the name's bytes.
///
/// It must never change, because crates that were expanded by different versions of this macro meet in one
/// build. It needs no finaliser, since nothing ever looks at a part of it: names are equal or not. FNV's prime
/// is 2^88 + 315: each step multiplies a difference in the lower 88 bits by 315, of which the next byte can
/// take back 255 at most, so that names of up to ten bytes and equal length never meet, and longer ones collide
/// as rarely as 128 bits can.
pub(crate) fn topic_id(name: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = (1 << 88) + 0x13b;
    name.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// [`topic_id`] as a token, in hexadecimal, with the span of the literal it comes from.
pub(crate) fn topic_id_literal(topic: &LitStr) -> Literal {
    let text = format!("0x{:032x}u128", topic_id(&topic.value()));
    let mut literal: Literal = text.parse().expect("hexadecimal digits and a suffix are a literal");
    literal.set_span(topic.span());
    literal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::HashMap;

    use super::*;

    fn check(source: &str) -> Vec<(String, String)> {
        let mut report = Report::new();
        check_name(&syn::parse_str(source).unwrap(), &mut report);
        report.shown()
    }

    #[test]
    fn names_that_kafka_takes() {
        let longest = format!("\"{}\"", "x".repeat(249));
        for source in
            ["\"add\"", "\"a\"", "\"...\"", "\"-\"", "\"A.b_c-9\"", "r#\"raw\"#", "\"\\x61\"", &longest]
        {
            assert_eq!(check(source), [], "{source}");
        }
    }

    #[test]
    fn names_that_kafka_refuses() {
        let too_long = format!("\"{}\"", "x".repeat(250));
        for (source, message) in [
            ("\"\"", "a topic's name cannot be empty"),
            ("\".\"", "`.` cannot be a topic's name: Kafka reserves it"),
            ("\"..\"", "`..` cannot be a topic's name: Kafka reserves it"),
            ("\"orders/new\"", "a topic's name cannot contain `/`: use letters, digits, `.`, `_` and `-`"),
            ("\"grün\"", "a topic's name cannot contain `ü`: use letters, digits, `.`, `_` and `-`"),
            ("\"a b\\n\"", "a topic's name cannot contain ` `: use letters, digits, `.`, `_` and `-`"),
            ("\"a\\n\"", "a topic's name cannot contain `\\n`: use letters, digits, `.`, `_` and `-`"),
            (&too_long, "a topic's name has at most 249 characters, this one has 250"),
            ("\"add\"s", "a topic takes no suffix: write `\"add\"`"),
        ] {
            assert_eq!(check(source), [(source.into(), message.into())]);
        }
    }

    /// Crates that were expanded by different versions meet in one build: these may never change.
    #[test]
    fn the_numbers_of_topics_never_change() {
        for (name, id) in [
            ("", 0x6c62272e07bb014262b821756295c58d),
            ("a", 0xd228cb696f1a8caf78912b704e4a8964),
            ("foobar", 0x343e1662793c64bf6f0d3597ba446f18),
            ("add", 0xa68d621eed8b5822836dbc7977a75c0c),
            ("orders.v1", 0x1410206f6205db4997e2bf8f96e99a73),
        ] {
            assert_eq!(topic_id(name), id, "{name}: {:#x}", topic_id(name));
        }
    }

    #[test]
    fn the_token_is_hexadecimal_and_lies_at_the_literal() {
        let topic: LitStr = syn::parse_str("\"foobar\"").unwrap();
        let literal = topic_id_literal(&topic);
        assert_eq!(literal.to_string(), "0x343e1662793c64bf6f0d3597ba446f18u128");
        assert_eq!(literal.span().source_text().unwrap(), "\"foobar\"");
    }

    proptest! {
        #[test]
        fn different_names_have_different_numbers(
            names in proptest::collection::hash_set("[a-c.]{1,12}|[A-Za-z0-9._-]{1,60}", 0..60)
        ) {
            let mut seen = HashMap::new();
            for name in &names {
                prop_assert_eq!(seen.insert(topic_id(name), name), None);
            }
        }
    }
}
