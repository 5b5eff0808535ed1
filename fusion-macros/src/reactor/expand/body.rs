//! One run: the parameters, the graph, the call of the handler.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::{Expansion, ours};
use crate::deps::ast::key;
use crate::deps::expand::{Lowering, slot};
use crate::root::ours_at;
use crate::signature::{Param, Reply, Role, last_segment};

impl Expansion<'_> {
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

    pub(super) fn pattern(&self, role: Role, names: &[Ident]) -> TokenStream {
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
