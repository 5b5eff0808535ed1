//! `reactors![add, services::sum]`

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Path, Token};

use crate::root::{Root, ours_at};

/// A list as a type, behind a constant that checks it.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let root = Root::take(input)?;
        let paths = Punctuated::<Path, Token![,]>::parse_terminated_with(input, |input| {
            let place = input.span();
            let message = "expected the path of a reactor, such as `services::add`";
            input.call(Path::parse_mod_style).map_err(|_| syn::Error::new(place, message))
        })?;
        Ok((root, paths))
    };
    match read.parse2(input) {
        Ok((root, paths)) => list(&root, &paths.into_iter().collect::<Vec<_>>()),
        Err(error) => error.into_compile_error(),
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
