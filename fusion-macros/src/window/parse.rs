//! From tokens to [`Sources`].
//!
//! A mistake ends the reading of its source and of nothing else.

use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{BinOp, Error, Expr, ExprBinary, LitStr, Result, Token, token};

use super::ast::{Key, Source, Sources};
use crate::deps::ast::Target;
use crate::deps::cut::{self, Body};
use crate::deps::parse::target;
use crate::report::{Report, did_you_mean};

/// What stands behind `window!` if nothing does.
pub(crate) const EXPECTED: &str =
    "expected the sources: write `window! < orders: \"orders\" by id >` or `window! { .. }`";

/// Reads all sources.
pub(crate) fn sources(body: Body, report: &mut Report) -> Sources {
    let mut found = Sources::default();
    let pieces = cut::nodes(body.tokens);
    if pieces.is_empty() {
        found.unnamed = true;
        report.error_at(body.span, "a window needs at least one source, such as `orders: \"orders\" by id`");
    }
    for piece in pieces {
        match piece {
            Ok(piece) => {
                let named = found.declared.len();
                let others = piece.names_behind_commas();
                let source = piece.parse(report, |input, _| source(input, &mut found.declared));
                if let Some(Err(_)) = source {
                    found.elsewhere.extend(others);
                }
                match source {
                    Some(Ok(source)) => found.sources.push(source),
                    Some(Err(error)) => report.add(error),
                    None => {}
                }
                found.unnamed |= found.declared.len() == named;
            }
            Err(semicolon) => report.error_at(semicolon, "expected a source before this `;`"),
        }
    }
    found
}

fn source(input: ParseStream<'_>, declared: &mut Vec<Ident>) -> Result<Source> {
    if input.peek(Token![#]) {
        return Err(input.error("a source takes no attribute and no `///`: comment it with `//`"));
    }
    let name = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), "expected a source such as `orders: \"orders\" by id`"))?;
    declared.push(name.clone());
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(Error::new(input.span(), format!("expected `:` after the source's name `{name}`")));
    }
    input.parse::<Token![:]>()?;
    let targets = targets(input)?;
    word(input, "by", &["by"])?;
    let by = key(input, "by", "id")?;
    let at = match input.is_empty() {
        true => None,
        false => {
            word(input, "at", &["at"]).map_err(|_| stranger(input, declared))?;
            Some(key(input, "at", "time")?)
        }
    };
    if !input.is_empty() {
        return Err(stranger(input, declared));
    }
    Ok(Source { name, targets, by, at })
}

fn targets(input: ParseStream<'_>) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    loop {
        if is_word(input, "by") {
            return Err(
                input.error("expected a topic such as \"add\", or the path of a contract, before `by`")
            );
        }
        if input.peek(token::Paren) || input.peek(token::Bracket) {
            return Err(input.error("the topics of one source stand without brackets: `\"a\" | \"b\"`"));
        }
        targets.push(target(input)?);
        if input.peek(token::Paren) {
            return Err(input.error("a source gathers records and asks nothing: remove the `(..)`"));
        }
        let ahead = input.fork();
        let next_source =
            ahead.parse::<Token![,]>().is_ok() && ahead.peek(Ident::peek_any) && ahead.peek2(Token![:]);
        if next_source {
            return Ok(targets);
        }
        let separators = input.peek(Token![,]) || input.peek(Token![||]) || input.peek(Token![&]);
        let separators = separators || input.peek(Token![+]) || input.peek(Token![/]) || input.peek(LitStr);
        if separators || ["or", "and"].iter().any(|word| is_word(input, word)) {
            return Err(input.error("the topics of one source are separated by `|`"));
        }
        if !input.peek(Token![|]) {
            return Ok(targets);
        }
        input.parse::<Token![|]>()?;
    }
}

fn is_word(input: ParseStream<'_>, word: &str) -> bool {
    input.cursor().ident().is_some_and(|(found, _)| found == word)
}

/// Takes a word of the grammar.
fn word(input: ParseStream<'_>, word: &str, words: &[&str]) -> Result<()> {
    if is_word(input, word) {
        return input.call(Ident::parse_any).map(drop);
    }
    if word == "by" && is_word(input, "at") {
        return Err(input.error("the key stands before the time: `by id at time`"));
    }
    let found = input.cursor().ident().map(|(found, _)| found.to_string());
    match found.as_deref().and_then(|found| did_you_mean(found, words.iter().copied())) {
        Some(meant) => {
            Err(input.error(format!("unexpected `{}`, did you mean `{meant}`?", found.unwrap_or_default())))
        }
        None => Err(Error::new(
            input.span(),
            "a source has a key: write `by` and a field of its records, such as `by id`, or a closure",
        )),
    }
}

fn key(input: ParseStream<'_>, behind: &str, field: &str) -> Result<Key> {
    let expected = || {
        format!(
            "expected a field of the records such as `{behind} {field}`, or a closure: `{behind} |record| ..`"
        )
    };
    if input.is_empty() || behind == "by" && is_word(input, "at") && input.peek2(syn::Ident::peek_any) {
        return Err(Error::new(input.span(), expected()));
    }
    let first = input.cursor().ident().map(|(first, _)| first);
    let is_keyword = first.is_some() && input.fork().parse::<Ident>().is_err();
    let is_closure = input.fork().parse::<syn::ExprClosure>().is_ok() || input.peek(Token![|]);
    let expr: Expr = input.parse().map_err(|error: Error| match first {
        _ if is_closure => error,
        Some(first) if is_keyword => {
            Error::new(first.span(), format!("`{first}` is a keyword: a field of this name is `r#{first}`"))
        }
        _ => Error::new(error.span(), expected()),
    })?;
    match Key::of(&expr) {
        Some(Key::Closure(closure)) if closure.inputs.len() != 1 => {
            let message =
                format!("this closure is given the record, and nothing else: `{behind} |record| ..`");
            let bar = closure.to_token_stream().into_iter().next();
            Err(Error::new_spanned(bar, message))
        }
        Some(Key::Closure(closure)) if closure.asyncness.is_some() => {
            Err(Error::new_spanned(closure.asyncness, "a record is read at once: remove `async`"))
        }
        Some(Key::Closure(closure)) if matches!(&*closure.body, Expr::Reference(_)) => {
            Err(Error::new_spanned(
                closure.body.to_token_stream().into_iter().next(),
                format!(
                    "this closure cannot lend what it takes of the record: remove the `&` and `.clone()` it, or name the field: `{behind} {field}`"
                ),
            ))
        }
        Some(key) => Ok(key),
        None if let Expr::Binary(ExprBinary { op: op @ BinOp::BitOr(_), .. }) = &expr => Err(
            Error::new_spanned(op, "all topics of one source stand before its key: `\"a\" | \"b\" by id`"),
        ),
        None => Err(Error::new_spanned(expr, expected())),
    }
}

/// The error for tokens behind a source.
fn stranger(input: ParseStream<'_>, declared: &mut Vec<Ident>) -> Error {
    let ahead = input.fork();
    if let Ok(word) = ahead.call(Ident::parse_any) {
        if ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
            // The source is not read, but its name is known.
            declared.push(word.clone());
            return Error::new(word.span(), format!("expected `;` before the source `{word}`"));
        }
        if let Some(meant) = did_you_mean(&word.to_string(), ["at"]) {
            return Error::new(word.span(), format!("unexpected `{word}`, did you mean `{meant}`?"));
        }
    }
    if input.peek(Token![,]) {
        return input.error("unexpected `,`: sources are separated by `;`");
    }
    let found = match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) => group.to_string().chars().take(1).collect(),
        Ok(token) => token.to_string(),
        Err(_) => String::new(),
    };
    Error::new(input.span(), format!("unexpected `{found}`: expected `at` or `;`"))
}
