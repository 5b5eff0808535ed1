//! The tokens of one reactor.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Type};

use crate::alias;
use crate::contract::{Contract, plain_name, tuple};
use crate::deps::Analysed;
use crate::deps::ast::{Target, key};
use crate::deps::expand::{Lowering, ascribed, ascribed_imports, contract_for_sure, known, slot, topic_name};
use crate::function::{Body, Function};
use crate::options::{Options, Order};
use crate::report::Report;
use crate::root::{located, ours_at};
use crate::signature::{Handler, Param, Reply, Role, argument_of, last_segment, plain};

/// Everything that is known of a reactor.
pub(crate) struct Expansion<'a> {
    pub(crate) contract: Contract<'a>,
    pub(crate) function: &'a Function,
    pub(crate) handler: &'a Handler,
    pub(crate) options: &'a Options,
}

impl Expansion<'_> {
    /// The function, the contract, and the reactor, or a stub of it if `report` has anything.
    pub(super) fn tokens(&self, graph: Option<&Analysed>, report: Report) -> TokenStream {
        let root = &self.contract.root;
        let graph = graph.map(|graph| Lowering { graph, root });
        let fine = report.is_empty();
        let errors = report.into_compile_errors();
        let function = match self.function.body {
            Body::Block(_) => self.function(),
            // rustc would have something to say about it too.
            Body::None(_) => TokenStream::new(),
        };
        if self.function.sig.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_))) {
            // Where this stands, no types can be declared.
            return quote!(#function #errors);
        }
        let ty = self.contract.ty(&["missing_docs"]);
        let declared = match self.options.topic.get() {
            Some(target @ Target::Contract(_)) if fine => self.same_as(&contract_for_sure(target, root)),
            Some(Target::Contract(_)) => TokenStream::new(),
            // Nobody asks a window.
            None if self.options.window.get().is_some() => TokenStream::new(),
            _ => self.contract.impls_apart(graph.as_ref().map(Lowering::depth).as_ref()),
        };
        let checks = || {
            let (sent, aliases) = (self.sent(), alias::refuse(self.handler, root));
            quote!(#sent #aliases)
        };
        let (reactor, checks) = match (fine, self.options.window.get()) {
            (true, Some(sources)) => (self.window(sources, graph.as_ref()), checks()),
            (true, None) => (self.reactor(graph.as_ref()), checks()),
            (false, Some(_)) => (self.window_stub(), TokenStream::new()),
            (false, None) => (self.stub(), TokenStream::new()),
        };
        let cfgs = self.function.cfgs();
        quote_spanned!(ours()=>
            #function
            #ty
            #(#cfgs)*
            const _: () = { #declared #reactor #checks };
            #errors
        )
    }

    /// The function as it was written. Clippy would have `-> ()` removed, which here says something.
    fn function(&self) -> TokenStream {
        let function = self.function;
        let unit = self
            .handler
            .reply
            .value()
            .is_some_and(|ty| matches!(plain(ty), Type::Tuple(ty) if ty.elems.is_empty()));
        let allow = unit.then(|| quote_spanned!(ours()=> #[allow(clippy::unused_unit)]));
        quote!(#allow #function)
    }

    /// Compares the signature with that of the contract which it implements, each part under its own type.
    fn same_as(&self, contract: &TokenStream) -> TokenStream {
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
    fn sent(&self) -> Option<TokenStream> {
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

    fn reactor(&self, graph: Option<&Lowering<'_>>) -> TokenStream {
        let Contract { name, root, .. } = &self.contract;
        let contract = self.served();
        let payload =
            tuple(&self.handler.payload().map(|param| &param.ty).collect::<Vec<_>>(), &self.function.sig);
        let (hand_ins, value) = (self.hand_ins(graph), self.value());
        let (needs, spec, read, run) = (self.needs(), self.spec(graph), self.read_payload(), self.run(graph));
        quote_spanned!(self.at_name()=>
            #[automatically_derived]
            impl #root::Reactor for #name {
                type Contract = #contract;
                type Payload = #payload;
                type HandIns = #hand_ins;
                type Value = #value;
                type Needs = #needs;
                #spec
                #read
                #run
            }
            #[automatically_derived]
            impl #root::Produces for #name {
                type Produced = <Self as #root::Reactor>::Value;
            }
        )
    }

    pub(crate) fn hand_ins(&self, graph: Option<&Lowering<'_>>) -> TokenStream {
        let root = &self.contract.root;
        let types = self.handler.hand_ins().map(|Param { ty, .. }| match argument_of(ty, "Key") {
            // Only the key may be none that can be handed in.
            Some(key) => located(ty.to_token_stream(), key.span()),
            None => ty.to_token_stream(),
        });
        let hand_ins = tuple(&types.collect::<Vec<_>>(), &self.function.sig);
        match graph {
            Some(_) => quote_spanned!(ours()=> #root::Calls<#hand_ins>),
            None => hand_ins,
        }
    }

    pub(crate) fn value(&self) -> TokenStream {
        self.handler.reply.value().map_or_else(|| quote!(()), |ty| quote!(#ty))
    }

    /// What `results` gives of a window: what is sent, which `None` is not.
    pub(crate) fn produced(&self) -> TokenStream {
        let inner = |ty| argument_of(ty, "Option").unwrap_or(ty);
        self.handler.reply.value().map(inner).map_or_else(|| quote!(()), |ty| quote!(#ty))
    }

    /// The contract of the topic: of our own, or the one that `topic` names.
    fn served(&self) -> TokenStream {
        match self.options.topic.get() {
            Some(target @ Target::Contract(_)) => contract_for_sure(target, &self.contract.root),
            _ => self.contract.name.to_token_stream(),
        }
    }

    /// A constant of that contract.
    fn of_contract(&self, constant: &str) -> TokenStream {
        let span = match self.options.topic.get() {
            Some(target @ Target::Contract(_)) => target.span(),
            _ => ours(),
        };
        let (root, contract, constant) =
            (self.contract.root.at(span), self.served(), Ident::new(constant, span));
        quote_spanned!(span=> <#contract as #root::Contract>::#constant)
    }

    /// The state that the parameters take, as a list of types.
    pub(crate) fn needs(&self) -> TokenStream {
        let states: Vec<&Type> =
            self.handler.hand_ins().filter_map(|param| argument_of(&param.ty, "State")).collect();
        states
            .iter()
            .rfold(quote_spanned!(ours()=> ()), |rest, state| quote_spanned!(ours()=> (#state, #rest)))
    }

    /// What reactors with a topic and with windows have in common, as fields of their specs.
    pub(crate) fn common(&self, graph: Option<&Lowering<'_>>) -> Vec<(&'static str, TokenStream)> {
        let (root, Options { to, within, retry, .. }) = (&self.contract.root, self.options);
        let mut fields = Vec::new();
        if let Some(graph) = graph {
            fields.push(("asks", graph.asks()));
        }
        if let Some(to) = to.get() {
            let to = topic_name(to, root);
            fields.push(("to", quote_spanned!(ours()=> #root::Some(#to))));
            let optional = self.handler.reply.value().is_some_and(|ty| argument_of(ty, "Option").is_some());
            fields.push(("optional", quote!(#optional)));
        }
        if let Some(within) = within.get() {
            let nanos = u64::try_from(within.value.as_nanos()).unwrap_or(u64::MAX);
            fields.push(("within", quote_spanned!(ours()=> ::core::time::Duration::from_nanos(#nanos))));
        }
        if let Some(retry) = retry.get() {
            fields.push(("retry", quote!(#retry)));
        }
        fields
    }

    /// What the attribute says, on top of the defaults.
    fn spec(&self, graph: Option<&Lowering<'_>>) -> TokenStream {
        let Contract { root, .. } = &self.contract;
        let Options { order, concurrency, json, .. } = self.options;
        let name = self.options.name.get().map_or_else(|| plain_name(self.function), syn::LitStr::value);
        let topic = self.of_contract("TOPIC");
        let mut fields = Vec::new();
        let mut field = |name: &str, value: TokenStream| {
            let name = Ident::new(name, ours());
            fields.push(quote_spanned!(ours()=> #name: #value,));
        };
        for (name, value) in self.common(graph) {
            field(name, value);
        }
        if let Some(order) = order.get() {
            let order = match order {
                Order::Key => "Key",
                Order::Partition => "Partition",
                Order::None => "None",
            };
            let order = Ident::new(order, ours());
            field("order", quote_spanned!(ours()=> #root::Order::#order));
        }
        if let Some(concurrency) = concurrency.get() {
            field("concurrency", quote!(#concurrency));
        }
        if json.get().is_some() || matches!(self.options.topic.get(), Some(Target::Contract(_))) {
            field("envelope", self.of_contract("ENVELOPE"));
        }
        quote_spanned!(ours()=>
            const SPEC: #root::ReactorSpec = #root::ReactorSpec {
                #(#fields)*
                ..#root::ReactorSpec::new(#name, #topic)
            };
        )
    }

    /// `Reactor::read`, which names each parameter's type where it stands. (Its own parameter is no user's type: names
    /// of types know no hygiene.)
    fn read_payload(&self) -> TokenStream {
        let root = &self.contract.root;
        let types = self.handler.payload().map(|param| &param.ty);
        let (count, span) = (self.handler.payload().count(), ours());
        let read = format_ident!("read_{count}", span = span);
        let ignored = (count == 0)
            .then(|| quote_spanned!(span=> fn ignored() -> #root::Option<()> { #root::Some(()) }));
        quote_spanned!(span=>
            fn read<'de, __D: #root::Deserializer<'de>>(deserializer: __D) -> #root::Result<Self::Payload, __D::Error> {
                #root::#read::<#(#types,)* _>(deserializer)
            }
            #ignored
        )
    }

    /// `Reactor::run`. That its future is `Send` is asked of the handler, so it is spanned there.
    fn run(&self, graph: Option<&Lowering<'_>>) -> TokenStream {
        let root = &self.contract.root;
        let body = self.body(graph, |names| {
            let payload = self.pattern(Role::Payload, names);
            quote_spanned!(ours()=> let #payload = payload;)
        });
        let at_name = self.at_name();
        let future = quote_spanned!(at_name=>
            impl ::core::future::Future<Output = #root::Result<Self::Value, #root::Failure>> + ::core::marker::Send + 'static
        );
        quote_spanned!(at_name=>
            fn run(payload: Self::Payload, hand_ins: Self::HandIns) -> #future { #body }
        )
    }

    /// Graph and handler. `input` binds the parameters, by their names, that are neither answers nor handed in.
    pub(crate) fn body(
        &self,
        graph: Option<&Lowering<'_>>,
        input: impl FnOnce(&[Ident]) -> TokenStream,
    ) -> TokenStream {
        match graph {
            Some(graph) => self.with_graph(graph, input),
            None => self.without_graph(input),
        }
    }

    fn without_graph(&self, input: impl FnOnce(&[Ident]) -> TokenStream) -> TokenStream {
        let names = self.names(|_| None);
        let (input, hand_ins) = (input(&names), self.pattern(Role::HandIn, &names));
        let called = self.called(&self.function.sig.ident, names.iter().map(ToTokens::to_token_stream));
        quote_spanned!(self.at_name()=> async move {
            #input
            let #hand_ins = hand_ins;
            #called
        })
    }

    /// The parameters have the user's names here, for the expressions in the nodes. So the handler is bound before
    /// any of them, which may have the handler's name.
    fn with_graph(&self, graph: &Lowering<'_>, input: impl FnOnce(&[Ident]) -> TokenStream) -> TokenStream {
        let root = &self.contract.root;
        let (imports, run) = (graph.imports(), graph.run());
        let names = self.names(|param| param.name.clone());
        let (input, hand_ins) = (input(&names), self.pattern(Role::HandIn, &names));
        let taken = || self.handler.params.iter().filter(|param| param.role == Role::Node);
        let takers = taken().map(|param| {
            let (ty, span) = (&param.ty, ours_at(param.ty.span()));
            let (taker, slot) = (taker(param), self.slot(param, graph));
            quote_spanned!(span=> let #taker = #slot.taken_as::<#ty>();)
        });
        let arguments = self.handler.params.iter().zip(&names).map(|(param, name)| match param.role {
            Role::Node => {
                let (taker, slot) = (taker(param), self.slot(param, graph));
                quote_spanned!(ours()=> #taker.take(#slot)?)
            }
            Role::Payload | Role::HandIn | Role::Source => name.to_token_stream(),
        });
        let handler = Ident::new("handler", ours());
        let called = self.called(&handler, arguments);
        let function = &self.function.sig.ident;
        let body = graph.with_topics(&quote_spanned!(self.at_name()=>
            #(#takers)*
            #root::ran(#run)?;
            #called
        ));
        quote_spanned!(self.at_name()=>
            #imports
            async move {
                let #handler = #function;
                #input
                let #root::Calls(caller, #hand_ins) = hand_ins;
                #body
            }
        )
    }

    /// The call of the handler, as a result.
    fn called(&self, handler: &Ident, arguments: impl Iterator<Item = TokenStream>) -> TokenStream {
        let root = &self.contract.root;
        let at_name = self.at_name();
        let awaited = self.handler.is_async.then(|| quote_spanned!(at_name=> .await));
        let call = quote_spanned!(at_name=> #handler(#(#arguments),*)#awaited);
        match &self.handler.reply {
            Reply::Event | Reply::Value(_) | Reply::Unknown => quote_spanned!(at_name=> #root::Ok(#call)),
            Reply::Result { whole, .. } => {
                let span = ours_at(error_of(whole).span());
                let (outcome, root) = (Ident::new("outcome", span), root.at(span));
                quote_spanned!(span=> let #outcome = #call; #root::outcome(#outcome))
            }
        }
    }

    /// A name per parameter: the one that `named` gives, or one of ours.
    fn names(&self, named: impl Fn(&Param) -> Option<Ident>) -> Vec<Ident> {
        let params = self.handler.params.iter().enumerate();
        params
            .map(|(place, param)| named(param).unwrap_or_else(|| format_ident!("p_{place}", span = ours())))
            .collect()
    }

    fn pattern(&self, role: Role, names: &[Ident]) -> TokenStream {
        let names = self
            .handler
            .params
            .iter()
            .zip(names)
            .filter(|(param, _)| param.role == role)
            .map(|(_, name)| name);
        quote_spanned!(ours()=> (#(#names,)*))
    }

    fn slot(&self, param: &Param, graph: &Lowering<'_>) -> Ident {
        let name = param.name.as_ref().map(key).unwrap_or_default();
        let node = graph.graph.dag.nodes.iter().find(|node| node.key() == name);
        node.map_or_else(|| Ident::new("missing", ours()), slot)
    }

    fn stub(&self) -> TokenStream {
        let Contract { name, root, .. } = &self.contract;
        let (contract, topic, called) = (self.served(), self.of_contract("TOPIC"), plain_name(self.function));
        quote_spanned!(self.at_name()=>
            #[automatically_derived]
            impl #root::Reactor for #name {
                type Contract = #contract;
                type Payload = ();
                type HandIns = ();
                type Value = ();
                type Needs = ();
                const SPEC: #root::ReactorSpec = #root::ReactorSpec::new(#called, #topic);
                fn read<'de, __D: #root::Deserializer<'de>>(deserializer: __D) -> #root::Result<(), __D::Error> {
                    #root::read_0(deserializer)
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

    pub(crate) fn at_name(&self) -> Span {
        ours_at(self.function.sig.ident.span())
    }
}

fn ours() -> Span {
    Span::mixed_site()
}

fn taker(param: &Param) -> Ident {
    format_ident!("k_{}", param.name.as_ref().map(key).unwrap_or_default(), span = ours())
}

/// The `E` of `Result<T, E>`, or all of `io::Result<T>`.
fn error_of(result: &Type) -> TokenStream {
    let arguments = last_segment(result).map(|segment| &segment.arguments);
    match arguments {
        Some(syn::PathArguments::AngleBracketed(arguments)) if arguments.args.len() == 2 => {
            arguments.args[1].to_token_stream()
        }
        _ => result.to_token_stream(),
    }
}
