//! Who is asked, as a type and as a name.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Path};

use crate::deps::ast::Target;
use crate::root::{Root, ours_at};
use crate::topic::topic_id_literal;

impl Target {
    pub(crate) fn span(&self) -> Span {
        match self {
            Target::Topic(topic) => topic.span(),
            Target::Contract(path) => path.span(),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Target::Topic(_) => None,
            Target::Contract(path) => Some(path),
        }
    }
}

/// The contract as a type. The same tokens in the graph and in `WAITS_FOR_ANSWERS`, so that rustc shows one error for both.
pub(super) fn contract(target: &Target, root: &Root) -> TokenStream {
    let span = ours_at(target.span());
    let root = root.at(span);
    match target {
        Target::Topic(topic) => {
            let id = topic_id_literal(topic);
            quote_spanned!(span=> <#root::TopicId<#id> as #root::Declared<_>>::Contract)
        }
        Target::Contract(path) => path.to_token_stream(),
    }
}

/// The same once more, for what a path that leads to no contract must not be reported for again.
pub(crate) fn contract_for_sure(target: &Target, root: &Root) -> TokenStream {
    let (contract, span) = (contract(target, root), target.span());
    let root = root.at(span);
    quote_spanned!(span=> <<#contract as #root::Contract>::Least as #root::Of>::Contract)
}

/// The topic, known by its contract.
pub(crate) fn known(target: &Target, root: &Root) -> TokenStream {
    let (contract, span) = (contract(target, root), ours_at(target.span()));
    let root = root.at(span);
    quote_spanned!(span=> #root::topic::<<#contract as #root::Contract>::Least>())
}

/// The topic, known by its contract if anything declares it, and by what it is said to answer if nothing does.
pub(crate) fn ascribed(topic: &LitStr, reply: &TokenStream, root: &Root) -> TokenStream {
    let (id, span) = (topic_id_literal(topic), ours_at(topic.span()));
    let root = root.at(span);
    let probe =
        quote_spanned!(span=> (&&#root::Ascribed::<#id, #reply>::new(#root::TopicId, #topic)).topic());
    // What is borrowed ends with the block: it is not kept while the graph runs.
    quote_spanned!(span=> { #probe })
}

/// What [`ascribed`] calls methods of.
pub(crate) fn ascribed_imports(root: &Root) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> use #root::{AscribedDeclared as _, AscribedUndeclared as _};)
}

/// The topic's name as a value.
pub(crate) fn topic_name(target: &Target, root: &Root) -> TokenStream {
    match target {
        Target::Topic(topic) => topic.to_token_stream(),
        Target::Contract(_) => {
            let (contract, span) = (contract(target, root), ours_at(target.span()));
            let root = root.at(span);
            quote_spanned!(span=> <#contract as #root::Contract>::TOPIC)
        }
    }
}
