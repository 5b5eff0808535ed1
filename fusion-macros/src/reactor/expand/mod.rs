//! The tokens of one reactor.

mod agree;
mod body;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Type};

use crate::alias;
use crate::contract::{Contract, plain_name, tuple};
use crate::deps::Analysed;
use crate::deps::ast::Target;
use crate::deps::expand::{Lowering, contract_for_sure, topic_name};
use crate::function::{Body, Function};
use crate::options::{Options, Order};
use crate::report::Report;
use crate::root::{located, ours_at};
use crate::signature::{Handler, Param, Role, argument_of, plain};

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
