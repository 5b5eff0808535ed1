//! What stands behind the `=` of an option.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Lit, LitInt, LitStr, Path, Result, Token};

use super::Order;
use crate::deps::ast::Target;
use crate::report::did_you_mean;

/// Takes the `=` behind the option `name`, and sees that there is a value.
pub(crate) fn equals(name: &Ident, sample: &str, input: ParseStream<'_>) -> Result<()> {
    let missing = |place| Error::new(place, format!("`{name}` has a value: write `{sample}`"));
    if !input.peek(Token![=]) {
        return Err(missing(name.span()));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(missing(equals.span));
    }
    Ok(())
}

pub(crate) fn target(input: ParseStream<'_>) -> Result<Target> {
    let expected = "expected a topic such as \"add\", or the path of a contract";
    if input.peek(Lit) {
        return literal(input, expected).map(Target::Topic);
    }
    let place = input.span();
    input.call(Path::parse_mod_style).map(Target::Contract).map_err(|_| Error::new(place, expected))
}

pub(super) fn literal(input: ParseStream<'_>, expected: &str) -> Result<LitStr> {
    let place = input.span();
    input.parse().map_err(|_| Error::new(place, expected))
}

pub(super) fn type_name(input: ParseStream<'_>) -> Result<Ident> {
    let place = input.span();
    input
        .parse()
        .map_err(|_| Error::new(place, "expected a name for the contract, such as `contract = AddContract`"))
}

pub(crate) fn number<N: std::str::FromStr<Err: std::fmt::Display>>(
    input: ParseStream<'_>,
    expected: &str,
) -> Result<N> {
    let place = input.span();
    let error = || Error::new(place, format!("expected {expected}"));
    let literal: LitInt = input.parse().map_err(|_| error())?;
    if !literal.suffix().is_empty() {
        return Err(error());
    }
    literal.base10_parse().map_err(|_| match literal.base10_digits().starts_with('-') {
        true => error(),
        false => Error::new(place, "this number is too large"),
    })
}

pub(super) fn concurrency(input: ParseStream<'_>) -> Result<usize> {
    let place = input.span();
    let expected = "a number of records, such as `concurrency = 64`";
    match number(input, expected)? {
        0 => Err(Error::new(place, "`concurrency` is at least 1, or no record could run")),
        records => Ok(records),
    }
}

pub(super) fn order(input: ParseStream<'_>) -> Result<Order> {
    Ok(match one_of(input, "order", &["key", "partition", "none"])? {
        0 => Order::Key,
        1 => Order::Partition,
        _ => Order::None,
    })
}

/// One of a few words: its index.
pub(crate) fn one_of(input: ParseStream<'_>, option: &str, words: &[&str]) -> Result<usize> {
    let place = input.span();
    let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let error = |message: String| Error::new(place, message);
    if let Ok(text) = input.fork().parse::<LitStr>()
        && words.iter().any(|word| text.value() == *word)
    {
        return Err(error(format!("a word, not a text: write `{option} = {}`", text.value())));
    }
    let word = input.call(Ident::parse_any).map_err(|_| match words {
        [only] => error(format!("there is only `{option} = {only}`")),
        _ => error(format!("`{option}` is one of {listed}")),
    })?;
    let found = words.iter().position(|candidate| word == candidate);
    found.ok_or_else(|| match did_you_mean(&word.to_string(), words.iter().copied()) {
        Some(meant) => error(format!("unknown `{option}` `{word}`, did you mean `{meant}`?")),
        None if words.len() == 1 => error(format!("unknown `{option}` `{word}`: there is only {listed}")),
        None => error(format!("unknown `{option}` `{word}`: there are {listed}")),
    })
}

pub(super) fn root(input: ParseStream<'_>) -> Result<Path> {
    let place = input.span();
    let message = "expected the path of fusion, such as `crate = my_framework::fusion`";
    input.call(Path::parse_mod_style).map_err(|_| Error::new(place, message))
}
