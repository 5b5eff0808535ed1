//! The tokens of one window.
//!
//! Beside the function `approve` and its type there are, inside of a `const _`, the struct `gathered_by_approve` with
//! what each source holds, and the enum `item_of_approve` with a variant for each, both by the sources' names.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use super::ast::{Key, Source, Sources};
use super::settings::{MaxOpen, Settings};
use crate::contract::plain_name;
use crate::deps::ast::{Target, key};
use crate::deps::expand::{Lowering, topic_name};
use crate::reactor::Expansion;
use crate::root::{Root, ours_at};
use crate::signature::{Param, Role, argument_of};
use crate::topic::topic_id_literal;

/// A source and the type of its parameter.
struct Gathering<'a> {
    source: &'a Source,
    ty: &'a Type,
}

impl Gathering<'_> {
    /// Where rustc should blame the parameter.
    fn span(&self) -> Span {
        ours_at(self.ty.span())
    }

    /// `<Vec<Trigger> as Gathers>::Item`
    fn item(&self, root: &Root) -> TokenStream {
        let (ty, span) = (self.ty, self.span());
        let root = root.at(span);
        quote_spanned!(span=> <#ty as #root::window::Gathers>::Item)
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
            sources: sources.sources.iter().filter_map(|source| self.gathering(source)).collect(),
            gathered: format_ident!("gathered_by_{name}", span = ours()),
            item: format_ident!("item_of_{name}", span = ours()),
        };
        let settings = &self.options.settings;
        let (types, reactor) = (names.types(settings), self.window_reactor(&names, graph));
        quote_spanned!(ours()=> #types #reactor)
    }

    fn gathering<'a>(&'a self, source: &'a Source) -> Option<Gathering<'a>> {
        Some(Gathering { source, ty: &self.taker_of(source)?.ty })
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
        let (run, bounds) = (self.run_window(names, graph), names.bounds(settings));
        quote_spanned!(self.at_name()=>
            #[automatically_derived]
            #[allow(trivial_bounds)]
            impl #root::window::WindowReactor for #reactor #bounds {
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

    /// Each record of a topic as an item of its source; then its key and its time.
    fn read(&self, names: &Names<'_>) -> TokenStream {
        let Names { root, item, .. } = names;
        let topics: Vec<TokenStream> =
            names.topics().map(|(source, target)| topic(source, target, root)).collect();
        let imports = names
            .topics()
            .any(|(_, target)| matches!(target, Target::Topic(_)))
            .then(|| quote_spanned!(ours()=> use #root::{AscribedDeclared as _, AscribedUndeclared as _};));
        let bound = topics.iter().enumerate().map(|(place, topic)| {
            let name = topic_variable(place);
            quote_spanned!(ours()=> let #name = #topic;)
        });
        let agree = names.agree();
        let arms = names.topics().enumerate().map(|(place, (source, _))| {
            let (variant, span, topic) = (source.name(), source.span(), topic_variable(place));
            let (place, root, ty) = (Literal::usize_unsuffixed(place), root.at(span), source.item(root));
            let mut topic = topic;
            topic.set_span(span);
            let read = quote_spanned!(span=> #root::window::read::<_, #ty>(#topic, value));
            quote_spanned!(ours()=> #place => #item::#variant(#read?),)
        });
        let (declared, key, keys, bytes) = self.keys(names);
        let time = match names.sources.iter().all(|source| source.source.at.is_some()) {
            true => quote_spanned!(ours()=> _),
            false => quote_spanned!(ours()=> time),
        };
        quote_spanned!(ours()=>
            fn read(
                topic: usize,
                value: #root::window::Unread<'_>,
                #time: ::core::option::Option<i64>,
            ) -> #root::Result<#root::window::Read<Self>, #root::Failure> {
                #imports
                use #root::window::{TakerKnown as _, TakerUnknown as _};
                #(#bound)*
                #agree
                let item = match topic {
                    #(#arms)*
                    topic => return #root::Err(#root::window::stranger(topic)),
                };
                #key
                #declared
                let (key, time) = match &item { #keys };
                let key = #bytes;
                #root::Ok(#root::window::Read { item, key, time })
            }
        )
    }

    /// Variables for what closures give, the type of keys, the key and time of each source, and the key's bytes.
    fn keys(&self, names: &Names<'_>) -> (TokenStream, TokenStream, TokenStream, TokenStream) {
        let (root, enumeration) = (names.root, &names.item);
        let taken = self.handler.hand_ins().find_map(|param| argument_of(&param.ty, "Key"));
        let mut variables = TokenStream::new();
        let mut arms = TokenStream::new();
        for (place, source) in names.sources.iter().enumerate() {
            let (variant, span) = (source.name(), key_span(&source.source.by));
            let at_key = root.at(span);
            let (given, variable) =
                (of_item(&source.source.by, root), format_ident!("v_{place}", span = ours()));
            let value = match &source.source.by {
                Key::Fields(_) => given,
                Key::Closure(_) => {
                    variables.extend(quote_spanned!(ours()=> let #variable;));
                    quote_spanned!(span=> { #variable = #given; &#variable })
                }
            };
            let first = (place == 0 && taken.is_none()).then(|| {
                quote_spanned!(span=>
                    {
                        use #at_key::window::{KeyedAlways as _, KeyedMaybe as _};
                        kind.is((&&#at_key::window::Keyed(key)).ty());
                    }
                )
            });
            let time = source.source.at.as_ref().map_or_else(
                || quote_spanned!(ours()=> time),
                |at| {
                    let span = key_span(at);
                    let (at_time, value) = (root.at(span), of_item(at, root));
                    let value = match at {
                        Key::Fields(_) => value,
                        Key::Closure(_) => quote_spanned!(span=> &#value),
                    };
                    quote_spanned!(span=> #at_time::window::millis(#value))
                },
            );
            let key = quote_spanned!(span=> kind.of(key));
            arms.extend(quote_spanned!(ours()=>
                #enumeration::#variant(item) => {
                    let key = #value;
                    #first
                    (#key, #time)
                }
            ));
        }
        let span = match (taken, names.sources.first()) {
            (Some(taken), _) => ours_at(taken.span()),
            (None, Some(first)) => key_span(&first.source.by),
            (None, None) => ours(),
        };
        let at = root.at(span);
        let kind = taken.map_or_else(|| quote_spanned!(span=> _), ToTokens::to_token_stream);
        let kind = quote_spanned!(span=> let kind = #at::window::KeyType::<#kind>::new(););
        (variables, kind, arms, quote_spanned!(span=> kind.bytes(key)))
    }

    /// `WindowReactor::run`.
    fn run_window(&self, names: &Names<'_>, graph: Option<&Lowering<'_>>) -> TokenStream {
        let root = names.root;
        let body = self.body(graph, |variables| {
            let params = self.handler.params.iter().zip(variables).filter(|(param, _)| param.role == Role::Source);
            params
                .map(|(param, variable)| {
                    let (ty, span) = (&param.ty, ours_at(param.ty.span()));
                    let (root, field) = (root.at(span), field(param));
                    quote_spanned!(span=> let #variable = <#ty as #root::window::Gathers>::hand_over(gathered.#field);)
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

    /// The topics of a source have one type of records, which its parameter gathers.
    fn agree(&self) -> TokenStream {
        let root = self.root;
        let mut place = 0;
        let mut checks = TokenStream::new();
        for source in &self.sources {
            let (span, ty, first) = (source.span(), source.ty, topic_variable(place));
            let at_type = root.at(span);
            checks.extend(quote_spanned!(span=>
                let records = #at_type::window::records(#first);
                (&&#at_type::window::Taker::<#ty>::new()).gathers(&records);
            ));
            place += 1;
            for target in &source.source.targets[1..] {
                let (span, topic) = (ours_at(target.span()), topic_variable(place));
                let root = root.at(span);
                checks.extend(quote_spanned!(span=> records.also(#root::window::records(#topic));));
                place += 1;
            }
        }
        checks
    }

    /// What is asked of the parameters, in front of everything that is made of them: so a mistake is one error, and not
    /// one for each place where it matters.
    fn bounds(&self, settings: &Settings) -> TokenStream {
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
    fn types(&self, settings: &Settings) -> TokenStream {
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

    /// `WindowReactor::copy`: by autoref, or asked for, if updates need it.
    fn copy(&self, settings: &Settings) -> TokenStream {
        let Self { root, gathered, .. } = self;
        let updates = settings.updates.get() == Some(&true);
        let fields = self.sources.iter().map(|source| {
            let (name, span, ty) = (source.name(), source.span(), source.ty);
            let root = root.at(span);
            match updates {
                true => quote_spanned!(span=> #name: <#ty as #root::window::Repeats>::copy(&gathered.#name),),
                false => quote_spanned!(span=> #name: (&&#root::window::Copied(&gathered.#name)).copy()?,),
            }
        });
        let imports = (!updates)
            .then(|| quote_spanned!(ours()=> use #root::window::{CopiedClone as _, CopiedNot as _};));
        quote_spanned!(ours()=>
            fn copy(gathered: &#gathered) -> ::core::option::Option<#gathered> {
                #imports
                #root::Some(#gathered { #(#fields)* })
            }
        )
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

/// The topic as a value of its contract, or of one that has the parameter's type if nothing declares it.
fn topic(source: &Gathering<'_>, target: &Target, root: &Root) -> TokenStream {
    let span = ours_at(target.span());
    let at = root.at(span);
    match target {
        Target::Topic(topic) => {
            let (id, item) = (topic_id_literal(topic), source.item(root));
            quote_spanned!(span=> (&&#at::Ascribed::<#id, #item>::new(#at::TopicId, #topic)).topic())
        }
        Target::Contract(path) => {
            quote_spanned!(span=> #at::topic::<<#path as #at::Contract>::Least>())
        }
    }
}

fn topic_variable(place: usize) -> Ident {
    format_ident!("t_{place}", span = ours())
}

/// What is taken of `item`: a reference to a field, or what a closure gives.
fn of_item(key: &Key, root: &Root) -> TokenStream {
    let span = key_span(key);
    match key {
        Key::Fields(fields) => quote_spanned!(span=> &item #(.#fields)*),
        Key::Closure(closure) => {
            let root = root.at(span);
            quote_spanned!(span=> #root::window::of(item, #closure))
        }
    }
}

fn key_span(key: &Key) -> Span {
    match key {
        Key::Fields(fields) => ours_at(fields.last().map_or_else(Span::call_site, Spanned::span)),
        Key::Closure(closure) => ours_at(closure.body.span()),
    }
}

/// The field of a parameter.
fn field(param: &Param) -> Ident {
    let mut name = param.name.clone().unwrap_or_else(|| Ident::new("missing", ours()));
    name.set_span(ours());
    name
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
