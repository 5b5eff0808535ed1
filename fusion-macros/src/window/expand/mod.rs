//! The tokens of one window.
//!
//! Beside the function `approve` and its type there are, inside of a `const _`, the struct `gathered_by_approve` with
//! what each source holds, and the enum `item_of_approve` with a variant for each, both by the sources' names.

mod read;
mod types;

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use super::ast::{Source, Sources};
use super::settings::{MaxOpen, Settings};
use crate::contract::plain_name;
use crate::deps::ast::{Target, key};
use crate::deps::expand::{Lowering, topic_name};
use crate::reactor::Expansion;
use crate::root::{Root, ours_at};
use crate::signature::{Param, Role};

/// A source and the type of its parameter.
struct Gathering<'a> {
    source: &'a Source,
    ty: &'a Type,
    /// The function's name.
    of: &'a str,
}

impl Gathering<'_> {
    /// Where rustc should blame the parameter.
    fn span(&self) -> Span {
        ours_at(self.ty.span())
    }

    /// The alias of what gathers for the parameter.
    fn gatherer(&self) -> Ident {
        format_ident!("{}_gathered_by_{}", self.source.key(), self.of, span = self.span())
    }

    /// `<triggers_gathered_by_approve as Gathers>::Item`
    fn item(&self, root: &Root) -> TokenStream {
        let (ty, span) = (self.gatherer(), self.span());
        let root = root.at(span);
        quote_spanned!(span=> <#ty as #root::window::Gathers>::Item)
    }

    /// Whether it is this parameter that takes what the source gathers.
    fn takes(&self, param: &Param) -> bool {
        param.role == Role::Source && param.name.as_ref().is_some_and(|name| key(name) == self.source.key())
    }

    /// The name of the field and of the variant.
    fn name(&self) -> Ident {
        let mut name = self.source.name.clone();
        name.set_span(ours());
        name
    }
}

/// What the methods below share.
struct Names<'a> {
    root: &'a Root,
    sources: Vec<Gathering<'a>>,
    gathered: Ident,
    item: Ident,
}

impl Expansion<'_> {
    /// What is gathered, and the window.
    pub(crate) fn window(&self, sources: &Sources, graph: Option<&Lowering<'_>>) -> TokenStream {
        let name = plain_name(self.function);
        let names = Names {
            root: &self.contract.root,
            sources: sources.sources.iter().filter_map(|source| self.gathering(source, &name)).collect(),
            gathered: format_ident!("gathered_by_{name}", span = ours()),
            item: format_ident!("item_of_{name}", span = ours()),
        };
        let settings = &self.options.settings;
        let (types, reactor) = (names.types(settings), self.window_reactor(&names, graph));
        quote_spanned!(ours()=> #types #reactor)
    }

    fn gathering<'a>(&'a self, source: &'a Source, of: &'a str) -> Option<Gathering<'a>> {
        Some(Gathering { source, ty: &self.taker_of(source)?.ty, of })
    }

    fn taker_of(&self, source: &Source) -> Option<&Param> {
        self.handler
            .of(Role::Source)
            .find(|param| param.name.as_ref().is_some_and(|name| key(name) == source.key()))
    }

    fn window_reactor(&self, names: &Names<'_>, graph: Option<&Lowering<'_>>) -> TokenStream {
        let (reactor, settings) = (&self.contract.name, &self.options.settings);
        let Names { root, gathered, .. } = names;
        let strategy = Ident::new(kind(settings).strategy, ours());
        let (hand_ins, value, needs) = (self.hand_ins(graph), self.value(), self.needs());
        let (spec, read, copy) = (self.window_spec(names, graph), self.read(names), names.copy(settings));
        let (run, produced) = (self.run_window(names, graph), self.produced());
        quote_spanned!(self.at_name()=>
            #[automatically_derived]
            impl #root::window::WindowReactor for #reactor {
                type Gathered = #gathered;
                type Strategy = #root::window::#strategy;
                type HandIns = #hand_ins;
                type Value = #value;
                type Needs = #needs;
                #spec
                #read
                #copy
                #run
            }
            #[automatically_derived]
            impl #root::Produces for #reactor {
                type Produced = #produced;
            }
        )
    }

    /// What the attribute says, on top of the defaults.
    fn window_spec(&self, names: &Names<'_>, graph: Option<&Lowering<'_>>) -> TokenStream {
        let (root, settings) = (names.root, &self.options.settings);
        let name = self.options.name.get().map_or_else(|| plain_name(self.function), LitStr::value);
        let topics = names.topics().map(|(_, target)| topic_name(target, root));
        let mut fields = Vec::new();
        let mut field = |name: &str, value: TokenStream| {
            let name = Ident::new(name, ours());
            fields.push(quote_spanned!(ours()=> #name: #value,));
        };
        if settings.complete.get().is_some() {
            field("complete", quote_spanned!(ours()=> true));
        }
        if settings.updates.get() == Some(&true) {
            field("emit", quote_spanned!(ours()=> #root::window::Emit::Updates));
        }
        for (name, time) in [("idle", &settings.idle), ("max_future", &settings.max_future)] {
            if let Some(time) = time.get() {
                let time = time.map(|time| millis(time.value));
                field(name, some(root, time));
            }
        }
        if let Some(late) = settings.late.get() {
            field("late", some(root, Some(topic_name(late, root))));
        }
        if settings.copartitioned.get().is_some() {
            field("copartitioned", quote_spanned!(ours()=> true));
        }
        if let Some(MaxOpen { keys, bytes }) = settings.max_open.get() {
            let bound = |bound: &Option<u64>| some(root, bound.map(|bound| bound.to_token_stream()));
            let (keys, bytes) = (bound(keys), bound(bytes));
            field("max_open", quote_spanned!(ours()=> #root::window::MaxOpen { keys: #keys, bytes: #bytes }));
        }
        for (name, value) in self.common(graph) {
            field(name, value);
        }
        let (kind, grace) =
            (kind(settings).tokens(root), settings.grace.get().map_or(Duration::ZERO, |time| time.value));
        let grace = millis(grace);
        quote_spanned!(ours()=>
            const SPEC: #root::window::WindowSpec = #root::window::WindowSpec {
                #(#fields)*
                ..#root::window::WindowSpec::new(#name, &[#(#topics),*], #kind, #grace)
            };
        )
    }

    /// `WindowReactor::run`.
    fn run_window(&self, names: &Names<'_>, graph: Option<&Lowering<'_>>) -> TokenStream {
        let root = names.root;
        let body = self.body(graph, |variables| {
            let params = self.handler.params.iter().zip(variables);
            params
                .filter_map(|(param, variable)| {
                    let source = names.sources.iter().find(|source| source.takes(param))?;
                    let (ty, span, field, gatherer) =
                        (source.ty, source.span(), source.name(), source.gatherer());
                    let root = root.at(span);
                    Some(quote_spanned!(span=> let #variable = #root::window::Gives::<#ty>::give(
                        <#gatherer as #root::window::Gathers>::hand_over(gathered.#field)
                    );))
                })
                .collect()
        });
        let at_name = self.at_name();
        let future = quote_spanned!(at_name=>
            impl ::core::future::Future<Output = #root::Result<Self::Value, #root::Failure>> + ::core::marker::Send + 'static
        );
        quote_spanned!(at_name=>
            fn run(gathered: Self::Gathered, hand_ins: Self::HandIns) -> #future { #body }
        )
    }

    /// What stands for a window with mistakes, so that `reactors![..]` has no errors of its own.
    pub(crate) fn window_stub(&self) -> TokenStream {
        let (root, name, called) = (&self.contract.root, &self.contract.name, plain_name(self.function));
        quote_spanned!(self.at_name()=>
            #[automatically_derived]
            impl #root::window::WindowReactor for #name {
                type Gathered = ();
                type Strategy = #root::window::Tumbling;
                type HandIns = ();
                type Value = ();
                type Needs = ();
                const SPEC: #root::window::WindowSpec = #root::window::WindowSpec::new(
                    #called,
                    &[],
                    #root::window::Kind::Tumbling { size: ::core::time::Duration::from_millis(1) },
                    ::core::time::Duration::ZERO,
                );
                fn read(
                    topic: usize,
                    _: #root::window::Unread<'_>,
                    _: ::core::option::Option<i64>,
                ) -> #root::Result<#root::window::Read<Self>, #root::Failure> {
                    #root::Err(#root::window::stranger(topic))
                }
                fn copy(_: &()) -> ::core::option::Option<()> {
                    #root::None
                }
                fn run(_: (), _: ()) -> impl ::core::future::Future<Output = #root::Result<(), #root::Failure>> + ::core::marker::Send + 'static {
                    ::core::future::pending()
                }
            }
            #[automatically_derived]
            impl #root::Produces for #name {
                type Produced = ();
            }
        )
    }
}

impl Names<'_> {
    /// All topics, in the order of `WindowSpec::topics`.
    fn topics(&self) -> impl Iterator<Item = (&Gathering<'_>, &Target)> {
        self.sources
            .iter()
            .flat_map(|source| source.source.targets.iter().map(move |target| (source, target)))
    }
}

/// A kind of window.
struct Kind {
    strategy: &'static str,
    overlaps: bool,
    fields: Vec<(&'static str, Duration)>,
}

fn kind(settings: &Settings) -> Kind {
    let value = |time: Option<&crate::duration::Time>| time.map_or(Duration::ZERO, |time| time.value);
    let Settings { tumbling, hopping, sliding, session, advance, longest, .. } = settings;
    if let Some(size) = hopping.get() {
        let fields = vec![("size", size.value), ("advance", value(advance.get()))];
        Kind { strategy: "Hopping", overlaps: true, fields }
    } else if let Some(size) = sliding.get() {
        Kind { strategy: "Sliding", overlaps: true, fields: vec![("size", size.value)] }
    } else if let Some(gap) = session.get() {
        let fields = vec![("gap", gap.value), ("longest", value(longest.get()))];
        Kind { strategy: "Sessions", overlaps: false, fields }
    } else {
        Kind { strategy: "Tumbling", overlaps: false, fields: vec![("size", value(tumbling.get()))] }
    }
}

impl Kind {
    fn tokens(&self, root: &Root) -> TokenStream {
        let variant = match self.strategy {
            "Sessions" => "Session",
            strategy => strategy,
        };
        let variant = Ident::new(variant, ours());
        let fields = self.fields.iter().map(|(name, value)| {
            let (name, value) = (Ident::new(name, ours()), millis(*value));
            quote_spanned!(ours()=> #name: #value)
        });
        quote_spanned!(ours()=> #root::window::Kind::#variant { #(#fields),* })
    }
}

fn millis(value: Duration) -> TokenStream {
    let millis = Literal::u64_unsuffixed(u64::try_from(value.as_millis()).unwrap_or(u64::MAX));
    quote_spanned!(ours()=> ::core::time::Duration::from_millis(#millis))
}

fn some(root: &Root, value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote_spanned!(ours()=> #root::Some(#value)),
        None => quote_spanned!(ours()=> #root::None),
    }
}

fn ours() -> Span {
    Span::mixed_site()
}
