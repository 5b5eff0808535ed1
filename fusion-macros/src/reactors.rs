//! `reactors![add, services::sum]`

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Path, Token, token};

use crate::report::Report;
use crate::root::{Root, ours_at};

/// A list as a type, behind a constant that checks it.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let root = Root::take(input)?;
        let paths = Punctuated::<Path, Token![,]>::parse_terminated_with(input, |input| {
            let place = input.span();
            let message = "expected the path of a reactor, such as `services::add`";
            let path = input.call(Path::parse_mod_style).map_err(|_| syn::Error::new(place, message))?;
            match input.peek(token::Paren) {
                true => Err(input.error("a reactor is named here and not called: remove the `(..)`")),
                false => Ok(path),
            }
        })?;
        Ok((root, paths.into_iter().collect::<Vec<_>>()))
    };
    match read.parse2(input) {
        Ok((root, paths)) => {
            let mut report = Report::new();
            check_twice(&paths, &mut report);
            match report.is_empty() {
                true => list(&root, &paths),
                false => report.into_compile_errors(),
            }
        }
        Err(error) => error.into_compile_error(),
    }
}

/// The type would say that two reactors have one name, and to rename one.
fn check_twice(paths: &[Path], report: &mut Report) {
    let mut seen = HashSet::new();
    for path in paths {
        if !seen.insert(path.to_token_stream().to_string()) {
            report.error(path, "this reactor is in the list already: remove it");
        }
    }
}

fn list(root: &Root, paths: &[Path]) -> TokenStream {
    let ours = Span::mixed_site();
    let links = paths.iter().map(|path| {
        let root = root.at(ours_at(path.span()));
        quote_spanned!(ours_at(path.span())=> <#path as #root::Listed<_>>::LINK)
    });
    let list = paths
        .iter()
        .rev()
        .fold(quote_spanned!(ours=> ()), |rest, path| quote_spanned!(ours=> (#path, #rest)));
    quote_spanned!(ours=> {
        // An item, since `cargo check` does not evaluate inline constants.
        const _: () = #root::check_reactors(&[#(#links),*]);
        #root::set::<#list>()
    })
}
