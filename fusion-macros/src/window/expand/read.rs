//! How a record becomes an item with a key and a time.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;

use super::{Gathering, Names, ours};
use crate::deps::ast::Target;
use crate::reactor::Expansion;
use crate::root::{Root, ours_at};
use crate::signature::argument_of;
use crate::topic::topic_id_literal;
use crate::window::ast::Key;

impl Expansion<'_> {
    /// Each record of a topic as an item of its source; then its key and its time.
    pub(super) fn read(&self, names: &Names<'_>) -> TokenStream {
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
        let is_closure = |key: &Key| matches!(key, Key::Closure(_));
        let closures = names.sources.iter().any(|Gathering { source, .. }| {
            is_closure(&source.by) || source.at.as_ref().is_some_and(is_closure)
        });
        // A path stands for a field here, so it cannot be written in place of a closure.
        let allow = closures.then(|| {
            quote_spanned!(ours()=> #[allow(clippy::redundant_closure, clippy::redundant_closure_for_method_calls)])
        });
        quote_spanned!(ours()=>
            #allow
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
            let (ty, at_type) = (source.ty, root.at(source.span()));
            // In this order: rustc guesses what is wrong with a record of an unknown type only if nothing is wrong before.
            let record = quote_spanned!(source.span()=>
                #at_type::window::gathers::<#ty>();
                let item = (&&#at_type::window::Taker::<#ty>::new()).record(item);
            );
            arms.extend(quote_spanned!(ours()=>
                #enumeration::#variant(item) => {
                    #record
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
        let bytes = match taken {
            Some(_) => quote_spanned!(span=> {
                use #at::window::{TakenKey as _, TakenNoKey as _};
                (&&kind).taken(key)
            }),
            None => quote_spanned!(span=> kind.bytes(key)),
        };
        (variables, kind, arms, bytes)
    }
}

impl Names<'_> {
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
