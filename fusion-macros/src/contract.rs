//! `#[contract]`, and the contract that `#[reactor]` makes beside its function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Signature};

use crate::alias;
use crate::deps::ast::{Target, key};
use crate::function::{Body, Function};
use crate::options::{Kind, Options};
use crate::report::Report;
use crate::root::{Root, ours_at};
use crate::signature::{Handler, Named, Reply};
use crate::topic::topic_id_literal;

/// `#[contract(topic = "add")] pub fn add(numbers: Vec<i64>) -> i64;`
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let options = Options::read(options, Kind::Contract, &mut report);
    let function = match Function::read(item, "#[contract]") {
        Ok(function) => function,
        Err(error) => {
            report.add(error);
            return report.into_compile_errors();
        }
    };
    check_body(&function, &mut report);
    let handler = Handler::read(&function.sig, Named::default(), Kind::Contract, &mut report);
    let contract = Contract::new(&function, &handler, &options);
    let (ty, impls, aliases) = (contract.ty(&[]), contract.impls(), alias::refuse(&handler, &contract.root));
    let cfgs = function.cfgs();
    let errors = report.into_compile_errors();
    quote_spanned!(Span::mixed_site()=> #ty #(#cfgs)* const _: () = { #impls #aliases }; #errors)
}

fn check_body(function: &Function, report: &mut Report) {
    if let Body::Block(block) = &function.body {
        let message = "a contract has no body: write `;`, or `#[reactor]` if this answers the topic";
        report.error_at(block.span_open(), message);
    }
}

/// The type that stands for a topic, and what is implemented for it.
pub(crate) struct Contract<'a> {
    pub(crate) name: Ident,
    pub(crate) root: Root,
    function: &'a Function,
    handler: &'a Handler,
    options: &'a Options,
}

impl<'a> Contract<'a> {
    pub(crate) fn new(function: &'a Function, handler: &'a Handler, options: &'a Options) -> Self {
        let name = options.contract.get().unwrap_or(&function.sig.ident).clone();
        Self { name, root: Root::new(options.root.get()), function, handler, options }
    }

    /// The type itself. It has braces: a unit struct would be a value of the function's name too.
    pub(crate) fn ty(&self, allowed: &[&str]) -> TokenStream {
        let Self { name, function: Function { vis, .. }, .. } = self;
        let attrs = self.function.shared_attrs();
        let allowed = allowed.iter().map(|lint| format_ident!("{lint}"));
        quote_spanned!(Span::mixed_site()=>
            #(#attrs)*
            #[allow(non_camel_case_types, dead_code #(, #allowed)*)]
            #vis struct #name {}
        )
    }

    /// `Contract`, `Answers` and `Declared`.
    pub(crate) fn impls(&self) -> TokenStream {
        let contract = self.contract_for(&self.name, None);
        let declared = self.options.declared().map(|topic| declared(&self.name, topic, &self.root));
        quote!(#contract #declared)
    }

    /// The same for a reactor. The topic leads to a twin, which only has the same name: what `Declared` names is
    /// in use, to rustc, and so is whatever that implements, down to the function. As it is, a reactor that was
    /// left out of `reactors![..]` is reported as unused.
    pub(crate) fn impls_apart(&self, depth: Option<&TokenStream>) -> TokenStream {
        let Self { name, root, function: Function { vis, .. }, .. } = self;
        let own = self.contract_for(name, depth);
        let twin = self.options.declared().map(|topic| {
            let declared = declared(name, topic, root);
            let depth = depth.map(|_| known_to_end(name, topic, root));
            quote_spanned!(self.at_name()=>
                const _: () = {
                    #[allow(non_camel_case_types, missing_docs, unreachable_pub)]
                    #vis struct #name {}
                    #own
                    #declared
                    #depth
                };
            )
        });
        quote!(#own #twin)
    }

    /// A signature that was not understood accepts any arguments, so that those who ask this topic have no errors
    /// of their own.
    fn contract_for(&self, name: &Ident, depth: Option<&TokenStream>) -> TokenStream {
        let Self { root, handler, .. } = self;
        let at_name = self.at_name();
        let topic = self.options.topic.get();
        let topic = match topic {
            Some(Target::Topic(topic)) => quote!(#topic),
            _ => quote_spanned!(at_name=> ""),
        };
        let envelope = self
            .options
            .json
            .get()
            .map(|()| quote_spanned!(at_name=> const ENVELOPE: #root::Envelope = #root::Envelope::Json;));
        let at_topic = self.options.declared().map_or(at_name, |topic| ours_at(topic.span()));
        let depth = depth.map(|depth| quote_spanned!(at_topic=> const WAITS_FOR_ANSWERS: usize = #depth;));
        let (params, least) = match handler.params_understood {
            true => (self.params(), handler.least()),
            false => (quote_spanned!(at_name=> #root::Untyped), 0),
        };
        let reply = handler.reply.value().map_or_else(|| quote_spanned!(at_name=> ()), |ty| quote!(#ty));
        let answers = (!matches!(handler.reply, Reply::Event)).then(|| {
            quote_spanned!(at_name=> #[automatically_derived] #[diagnostic::do_not_recommend] impl #root::Answers for #name {})
        });
        quote_spanned!(at_name=>
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl #root::Contract for #name {
                const TOPIC: &'static str = #topic;
                #envelope
                #depth
                type Params = #params;
                type Reply = #reply;
                type Least = #root::Least<Self, #least>;
            }
            #answers
        )
    }

    /// The parameters as a type: a tuple, or `List<T>`.
    fn params(&self) -> TokenStream {
        let root = &self.root;
        match self.handler.list() {
            Some(item) => quote_spanned!(Span::mixed_site()=> #root::List<#item>),
            None => {
                tuple(&self.handler.payload().map(|param| &param.ty).collect::<Vec<_>>(), &self.function.sig)
            }
        }
    }

    fn at_name(&self) -> Span {
        ours_at(self.function.sig.ident.span())
    }
}

/// `(A, B,)`. What is wrong with one of several is shown under the whole signature's `(..)`, with its name.
pub(crate) fn tuple(types: &[impl ToTokens], sig: &Signature) -> TokenStream {
    let span = match types {
        [only] => only.span(),
        _ => sig.paren_token.span.join(),
    };
    quote_spanned!(ours_at(span)=> (#(#types,)*))
}

/// The topic's name leads to the contract. The function that follows asks for that lead, so that a second
/// declaration is an ambiguity right there, and not only where somebody asks the topic.
fn declared(name: &Ident, topic: &LitStr, root: &Root) -> TokenStream {
    let span = ours_at(topic.span());
    let id = topic_id_literal(topic);
    let words: String =
        topic.value().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let only = format_ident!("only_one_contract_may_declare_{words}", span = span);
    let root = root.at(span);
    quote_spanned!(span=>
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #root::Declared<#name> for #root::TopicId<#id> {
            type Contract = #name;
        }
        const fn #only<M>() where #root::TopicId<#id>: #root::Declared<M> {}
        const _: () = #only();
    )
}

/// Computes the depth, which is what makes rustc find circles: otherwise nobody might.
fn known_to_end(name: &Ident, topic: &LitStr, root: &Root) -> TokenStream {
    let span = ours_at(topic.span());
    let root = root.at(span);
    quote_spanned!(span=> const _: usize = <#name as #root::Contract>::WAITS_FOR_ANSWERS;)
}

/// How the reactor or contract is called, without `r#`.
pub(crate) fn plain_name(function: &Function) -> String {
    key(&function.sig.ident)
}
