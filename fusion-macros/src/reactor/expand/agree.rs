//! What must agree with contracts that stand elsewhere.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Expansion, ours};
use crate::deps::ast::Target;
use crate::deps::expand::{ascribed, ascribed_imports, known};
use crate::root::ours_at;
use crate::signature::{Param, argument_of};

impl Expansion<'_> {
    /// Compares the signature with that of the contract which it implements, each part under its own type.
    pub(super) fn same_as(&self, contract: &TokenStream) -> TokenStream {
        let root = &self.contract.root;
        let params = self.handler.payload().enumerate().map(|(place, Param { ty, .. })| {
            let span = ours_at(ty.span());
            let root = root.at(span);
            quote_spanned!(span=> #root::same_parameter::<#contract, #place, #ty>();)
        });
        let count = self.handler.payload().count();
        let at_close = ours_at(self.function.sig.paren_token.span.close());
        let at_reply = self.handler.reply.value().map_or(at_close, |ty| ours_at(ty.span()));
        let (root_at_close, root_at_reply) = (root.at(at_close), root.at(at_reply));
        let reply =
            self.handler.reply.value().map_or_else(|| quote_spanned!(at_reply=> ()), |ty| quote!(#ty));
        let count = quote_spanned!(at_close=> #root_at_close::same_count::<#contract, #count>());
        let reply = quote_spanned!(at_reply=> #root_at_reply::same_reply::<#contract, #reply>());
        quote_spanned!(ours()=> const _: () = { #(#params)* #reply; #count; };)
    }

    /// Requires that the topic of `to` takes what is sent there, if anything declares that topic.
    pub(super) fn sent(&self) -> Option<TokenStream> {
        let root = &self.contract.root;
        let (to, value) = (self.options.to.get()?, self.handler.reply.value()?);
        let value = argument_of(value, "Option").unwrap_or(value);
        let span = ours_at(value.span());
        let root_at_value = root.at(span);
        Some(match to {
            Target::Contract(_) => {
                let topic = known(to, root);
                quote_spanned!(span=> const _: () = #root_at_value::takes::<#value, _>(#topic);)
            }
            // What autoref finds is no `const fn`. A `match`, as `Lowering::with_topics` has it.
            Target::Topic(topic) => {
                let probe = ascribed(topic, &quote_spanned!(span=> ()), root);
                let imports = ascribed_imports(root);
                quote_spanned!(span=> const _: fn() = || {
                    #imports
                    match #probe { topic => #root_at_value::takes::<#value, _>(topic) }
                };)
            }
        })
    }
}
