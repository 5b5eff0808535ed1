//! What stands behind `<-`

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, ExprPath, Lit, Path, Result, Token, token};

use super::names;
use crate::deps::ast::{How, Injection};

pub(super) fn read(input: ParseStream<'_>) -> Result<Injection> {
    if input.peek(Lit) {
        let message = "expected the name of a node after `<-`; a comparison needs a space: `x < -1`";
        return Err(input.error(message));
    }
    match function(input) {
        Some(path) if input.peek(token::Paren) => {
            let content;
            syn::parenthesized!(content in input);
            let written = written(&path);
            let names = in_parentheses(&content, &written);
            // What is left over would be syn's error otherwise.
            content.parse::<TokenStream>()?;
            let how = match written.as_str() {
                "cons" => How::Cons,
                "conj" => How::Conj,
                _ => How::Function(path),
            };
            Ok(Injection { how, names: names? })
        }
        Some(path) => {
            let message = format!("`{0}` needs the nodes to inject: write `<- {0}(one)`", written(&path));
            Err(Error::new_spanned(path, message))
        }
        None => {
            let names = names(input, "<-")?;
            if let (Some(last), true) = (names.last(), input.peek(token::Paren)) {
                let message = format!("a function is an injection of its own: write `<- {last}(..)`");
                return Err(Error::new_spanned(last, message));
            }
            Ok(Injection { how: How::Conj, names })
        }
    }
}

/// A path that can only be meant as a function: with parentheses behind it, of several segments, `cons` or
/// `conj`.
fn function(input: ParseStream<'_>) -> Option<Path> {
    let ahead = input.fork();
    let path = ahead.parse::<ExprPath>().ok().filter(|path| path.qself.is_none())?.path;
    let builtin = ["cons", "conj"].iter().any(|word| path.is_ident(word));
    if !ahead.peek(token::Paren) && path.get_ident().is_some() && !builtin {
        return None;
    }
    input.parse::<ExprPath>().ok().map(|path| path.path)
}

fn in_parentheses(input: ParseStream<'_>, function: &str) -> Result<Vec<proc_macro2::Ident>> {
    let behind = format!("{function}(");
    let mut found = vec![super::name(input, &behind)?];
    while !input.is_empty() {
        if !input.peek(Token![,]) {
            return Err(input.error("expected `,` between the names of nodes"));
        }
        input.parse::<Token![,]>()?;
        if !input.is_empty() {
            found.push(super::name(input, ",")?);
        }
    }
    Ok(found)
}

/// A path as in the source, without its type arguments.
fn written(path: &Path) -> String {
    let leading = path.leading_colon.map_or("", |_| "::");
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    format!("{leading}{}", segments.join("::"))
}
