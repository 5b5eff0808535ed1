//! What is gathered: the struct, the enum of its items, and what the kind of window asks of both.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::{Names, kind, ours};
use crate::signature::argument_of;
use crate::window::settings::Settings;

impl Names<'_> {
    /// The struct, the enum, and what the kind of window asks of them.
    pub(super) fn types(&self, settings: &Settings) -> TokenStream {
        let Self { root, sources, gathered, item } = self;
        let mut fields = TokenStream::new();
        let mut variants = TokenStream::new();
        let mut adds = TokenStream::new();
        let mut defaults = TokenStream::new();
        for source in sources {
            let (name, span, ty, read_as) =
                (source.name(), source.span(), source.gatherer(), source.item(root));
            let at = root.at(span);
            fields.extend(quote_spanned!(span=> #name: <#ty as #at::window::Gathers>::Held,));
            variants.extend(quote_spanned!(span=> #name(#read_as),));
            adds.extend(quote_spanned!(span=>
                #item::#name(item) => <#ty as #at::window::Gathers>::add(&mut self.#name, item, place, cx),
            ));
            defaults.extend(quote_spanned!(span=> #name: ::core::default::Default::default(),));
        }
        let (aliases, copies, merges) = (self.aliases(), self.copies(settings), self.merges(settings));
        quote_spanned!(ours()=>
            #aliases
            #[allow(non_camel_case_types, missing_docs)]
            pub struct #gathered { #fields }
            #[allow(non_camel_case_types, missing_docs)]
            pub enum #item { #variants }
            #[automatically_derived]
            impl ::core::default::Default for #gathered {
                fn default() -> Self {
                    Self { #defaults }
                }
            }
            #[automatically_derived]
            impl #root::window::Gathered for #gathered {
                type Item = #item;
                fn add(&mut self, item: #item, place: &#root::window::Place, cx: &#root::window::Context) {
                    match item { #adds }
                }
            }
            #copies
            #merges
        )
    }

    /// What gathers for each parameter: its type, or what stands for it if that cannot gather.
    fn aliases(&self) -> TokenStream {
        let root = self.root;
        let aliases = self.sources.iter().map(|source| {
            let (name, span, ty) = (source.gatherer(), source.span(), source.ty);
            let root = root.at(span);
            quote_spanned!(span=>
                #[allow(non_camel_case_types)]
                type #name = <#root::window::Parameter<{ #root::window::Taker::<#ty>::GATHERS }>
                    as #root::window::Of<#ty>>::Gatherer;
            )
        });
        quote_spanned!(ours()=> #[allow(unused_imports)] use #root::window::GathersNot as _; #(#aliases)*)
    }

    /// Of windows that overlap, the items.
    fn copies(&self, settings: &Settings) -> Option<TokenStream> {
        let (root, item) = (self.root, &self.item);
        kind(settings).overlaps.then(|| {
            let arms = self.sources.iter().map(|source| {
                let (name, span, ty) = (source.name(), source.span(), source.gatherer());
                let root = root.at(span);
                quote_spanned!(span=> #item::#name(item) => #item::#name(<#ty as #root::window::Overlaps>::copy(item)),)
            });
            quote_spanned!(ours()=>
                #[automatically_derived]
                    impl ::core::clone::Clone for #item {
                    fn clone(&self) -> Self {
                        match self { #(#arms)* }
                    }
                }
            )
        })
    }

    /// Of sessions.
    fn merges(&self, settings: &Settings) -> Option<TokenStream> {
        let (root, gathered) = (self.root, &self.gathered);
        settings.session.get().map(|_| {
            let merges = self.sources.iter().map(|source| {
                let (name, span, ty) = (source.name(), source.span(), source.gatherer());
                let root = root.at(span);
                quote_spanned!(span=> <#ty as #root::window::Joins>::merge(&mut self.#name, other.#name);)
            });
            quote_spanned!(ours()=>
                #[automatically_derived]
                    impl #root::window::Merged for #gathered {
                    fn merge(&mut self, other: Self) {
                        #(#merges)*
                    }
                }
            )
        })
    }

    /// `WindowReactor::copy`: by autoref, or asked for, if updates need it or further attempts that somebody counts on.
    /// A `Vec` or an `Option` of windows that overlap is not asked for: its records are `Clone`, or an error already.
    pub(super) fn copy(&self, settings: &Settings, retry: Option<u32>) -> TokenStream {
        let Self { root, gathered, .. } = self;
        let needed = settings.updates.get() == Some(&true) || retry.is_some_and(|retry| retry > 0);
        let overlaps = kind(settings).overlaps;
        let is_read = |ty| ["Vec", "Option"].iter().any(|name| argument_of(ty, name).is_some());
        let is_asked_for = |ty| needed && !(overlaps && is_read(ty));
        let fields = self.sources.iter().map(|source| {
            let (name, span, ty) = (source.name(), source.span(), source.gatherer());
            let root = root.at(span);
            match is_asked_for(source.ty) {
                true => quote_spanned!(span=> #name: <#ty as #root::window::Repeats>::copy(&gathered.#name),),
                false => quote_spanned!(span=> #name: (&&#root::window::Copied(&gathered.#name)).copy()?,),
            }
        });
        let imports = (!self.sources.iter().all(|source| is_asked_for(source.ty)))
            .then(|| quote_spanned!(ours()=> use #root::window::{CopiedClone as _, CopiedNot as _};));
        quote_spanned!(ours()=>
            fn copy(gathered: &#gathered) -> ::core::option::Option<#gathered> {
                #imports
                #root::Some(#gathered { #(#fields)* })
            }
        )
    }
}
