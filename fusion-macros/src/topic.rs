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
/// is 2^88 + 315, so the lower 88 bits alone tell any two names of up to ten bytes and equal length apart (a
/// number to the base 315 with digits of one byte), and longer ones collide as rarely as 128 bits can.
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
