//! What is gathered: the struct, the enum of its items, and what the kind of window asks of both.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::{Names, kind, ours};
use crate::window::settings::Settings;

impl Names<'_> {
    /// What is asked of the parameters, in front of everything that is made of them: so a mistake is one error, and not
    /// one for each place where it matters.
    pub(super) fn bounds(&self, settings: &Settings) -> TokenStream {
        let mut traits = vec!["Reads"];
        traits.extend(kind(settings).overlaps.then_some("Overlaps"));
        traits.extend(settings.session.get().map(|_| "Joins"));
        traits.extend((settings.updates.get() == Some(&true)).then_some("Repeats"));
        // Of all that do not hold for the same reason, rustc reports the last.
        traits.push("Gathers");
        let bounds = self.sources.iter().flat_map(|source| {
            let (ty, span) = (source.ty, source.span());
            let root = self.root.at(span);
            traits.iter().map(move |bound| {
                let bound = Ident::new(bound, span);
                quote_spanned!(span=> #ty: #root::window::#bound,)
            })
        });
        quote_spanned!(ours()=> where #(#bounds)*)
    }

    /// The struct, the enum, and what the kind of window asks of them.
    pub(super) fn types(&self, settings: &Settings) -> TokenStream {
        let Self { root, sources, gathered, item } = self;
        let mut fields = TokenStream::new();
        let mut variants = TokenStream::new();
        let mut adds = TokenStream::new();
        let mut defaults = TokenStream::new();
        for source in sources {
            let (name, span, ty, read_as) = (source.name(), source.span(), source.ty, source.item(root));
            let at = root.at(span);
            fields.extend(quote_spanned!(span=> #name: <#ty as #at::window::Gathers>::Held,));
            variants.extend(quote_spanned!(span=> #name(#read_as),));
            adds.extend(quote_spanned!(span=>
                #item::#name(item) => <#ty as #at::window::Gathers>::add(&mut self.#name, item, place, cx),
            ));
            defaults.extend(quote_spanned!(span=> #name: ::core::default::Default::default(),));
        }
        let (copies, merges, bounds) = (self.copies(settings), self.merges(settings), self.bounds(settings));
        quote_spanned!(ours()=>
            #[allow(non_camel_case_types, missing_docs, trivial_bounds)]
            pub struct #gathered #bounds { #fields }
            #[allow(non_camel_case_types, missing_docs, trivial_bounds)]
            pub enum #item #bounds { #variants }
            #[automatically_derived]
            #[allow(trivial_bounds)]
            impl ::core::default::Default for #gathered #bounds {
                fn default() -> Self {
                    Self { #defaults }
                }
            }
            #[automatically_derived]
            #[allow(trivial_bounds)]
            impl #root::window::Gathered for #gathered #bounds {
                type Item = #item;
                fn add(&mut self, item: #item, place: &#root::window::Place, cx: &#root::window::Context) {
                    match item { #adds }
                }
            }
            #copies
            #merges
        )
    }

    /// Of windows that overlap, the items.
    fn copies(&self, settings: &Settings) -> Option<TokenStream> {
        let (root, item, bounds) = (self.root, &self.item, self.bounds(settings));
        kind(settings).overlaps.then(|| {
            let arms = self.sources.iter().map(|source| {
                let (name, span, ty) = (source.name(), source.span(), source.ty);
                let root = root.at(span);
                quote_spanned!(span=> #item::#name(item) => #item::#name(<#ty as #root::window::Overlaps>::copy(item)),)
            });
            quote_spanned!(ours()=>
                #[automatically_derived]
                #[allow(trivial_bounds)]
                impl ::core::clone::Clone for #item #bounds {
                    fn clone(&self) -> Self {
                        match self { #(#arms)* }
                    }
                }
            )
        })
    }

    /// Of sessions.
    fn merges(&self, settings: &Settings) -> Option<TokenStream> {
        let (root, gathered, bounds) = (self.root, &self.gathered, self.bounds(settings));
        settings.session.get().map(|_| {
            let merges = self.sources.iter().map(|source| {
                let (name, span, ty) = (source.name(), source.span(), source.ty);
                let root = root.at(span);
                quote_spanned!(span=> <#ty as #root::window::Joins>::merge(&mut self.#name, other.#name);)
            });
            quote_spanned!(ours()=>
                #[automatically_derived]
                #[allow(trivial_bounds)]
                impl #root::window::Merged for #gathered #bounds {
                    fn merge(&mut self, other: Self) {
                        #(#merges)*
                    }
                }
            )
        })
    }

    /// `WindowReactor::copy`: by autoref, or asked for, if updates need it or further attempts that somebody counts on.
    pub(super) fn copy(&self, settings: &Settings, retry: Option<u32>) -> TokenStream {
        let Self { root, gathered, .. } = self;
        let needed = settings.updates.get() == Some(&true) || retry.is_some_and(|retry| retry > 0);
        let fields = self.sources.iter().map(|source| {
            let (name, span, ty) = (source.name(), source.span(), source.ty);
            let root = root.at(span);
            match needed {
                true => quote_spanned!(span=> #name: <#ty as #root::window::Repeats>::copy(&gathered.#name),),
                false => quote_spanned!(span=> #name: (&&#root::window::Copied(&gathered.#name)).copy()?,),
            }
        });
        let imports = (!needed)
            .then(|| quote_spanned!(ours()=> use #root::window::{CopiedClone as _, CopiedNot as _};));
        quote_spanned!(ours()=>
            fn copy(gathered: &#gathered) -> ::core::option::Option<#gathered> {
                #imports
                #root::Some(#gathered { #(#fields)* })
            }
        )
    }
}
