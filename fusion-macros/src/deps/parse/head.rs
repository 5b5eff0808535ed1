//! `name: target(args)`

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseBuffer, ParseStream};
use syn::{Error, Expr, Lit, Path, Result, Token, token};

use crate::deps::ast::{Arg, Expression, Target};
use crate::deps::cut;
use crate::report::Report;

pub(super) struct Head {
    pub(super) name: Ident,
    pub(super) target: Target,
    pub(super) paren: token::Paren,
    pub(super) args: Vec<Arg>,
}

/// A mistake in the arguments is reported and does not keep the clauses from being read.
pub(super) fn read(input: ParseStream<'_>, declared: &mut Vec<Ident>, report: &mut Report) -> Result<Head> {
    let name = name(input)?;
    declared.push(name.clone());
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(Error::new(input.span(), format!("expected `:` after the node's name `{name}`")));
    }
    input.parse::<Token![:]>()?;
    let target = target(input)?;
    if !input.peek(token::Paren) {
        let message = format!("expected `(`: the arguments of `{name}` stand in parentheses");
        return Err(Error::new(input.span(), message));
    }
    let content;
    let paren = syn::parenthesized!(content in input);
    let mut args = Vec::new();
    if let Err(error) = read_args(&content, &mut args) {
        report.add(error);
    }
    // What is left over would be syn's error otherwise.
    content.parse::<TokenStream>()?;
    Ok(Head { name, target, paren, args })
}

fn name(input: ParseStream<'_>) -> Result<Ident> {
    if input.peek(Token![#]) {
        return Err(input.error("a node takes no attribute and no `///`: comment it with `//`"));
    }
    input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), "expected a node such as `one: \"add\"(1, 2)`"))
}

pub(crate) fn target(input: ParseStream<'_>) -> Result<Target> {
    let expected = "expected a topic such as \"add\", or the path of a contract";
    if input.peek(Lit) {
        return match input.parse()? {
            Lit::Str(topic) => Ok(Target::Topic(topic)),
            other => Err(Error::new(other.span(), expected)),
        };
    }
    let place = input.span();
    let path = Path::parse_mod_style(input).map_err(|_| Error::new(place, expected))?;
    if input.peek(Token![!]) {
        return Err(input.error("a topic cannot be computed: write it as a literal, such as \"add\""));
    }
    if input.peek(Token![<]) {
        return Err(input.error("a contract takes no type arguments"));
    }
    Ok(Target::Contract(path))
}

fn read_args(input: &ParseBuffer<'_>, args: &mut Vec<Arg>) -> Result<()> {
    if let Some(arrow) = cut::first_injection(input.fork().parse()?) {
        let message = "`<-` stands behind the closing parenthesis; a comparison needs a space: `x < -1`";
        return Err(Error::new(arrow, message));
    }
    while !input.is_empty() {
        args.push(arg(input)?);
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `,` between arguments"));
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(())
}

fn arg(input: &ParseBuffer<'_>) -> Result<Arg> {
    if input.peek(Token![,]) {
        return Err(input.error("expected an argument before this `,`"));
    }
    let mut spread: Option<Token![..]> = None;
    // `..=` has no list behind it: it is Rust's.
    if input.peek(Token![..]) && !input.peek(Token![..=]) && !input.peek(Token![...]) {
        let dots: Token![..] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            let message = "`..` spreads a list into arguments: write it behind, such as `..order.items`";
            return Err(Error::new_spanned(dots, message));
        }
        spread = Some(dots);
    }
    let value: Expr = input.parse()?;
    Ok(Arg { spread, value: Expression::from(value) })
}
