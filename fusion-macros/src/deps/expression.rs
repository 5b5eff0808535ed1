//! `deps!` as an expression: an async closure from the caller to the answers.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{ParseStream, Parser};

use super::ast::Node;
use super::cut::Body;
use super::expand::{Lowering, slot};
use super::{Surroundings, analyse, parse};
use crate::report::Report;
use crate::root::Root;

/// The answers are a struct of their own, with one field per node.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let expansion =
        read(input, &mut report).map(|(root, graph)| closure(&Lowering { graph: &graph, root: &root }));
    let errors = report.into_compile_errors();
    match expansion {
        Some(expansion) if errors.is_empty() => expansion,
        // The last of them is the value, of a type that fits everywhere.
        _ => quote_spanned!(Span::mixed_site()=> { #errors }),
    }
}

fn read(input: TokenStream, report: &mut Report) -> Option<(Root, super::Analysed)> {
    let read = |input: ParseStream<'_>| {
        let root = Root::take(input)?;
        Ok((root, Body::inside(input.parse()?, Span::call_site())?))
    };
    let (root, body) = read.parse2(input).map_err(|error| report.add(error)).ok()?;
    let dag = parse::dag(body, report);
    Some((root, analyse(dag, &Surroundings::default(), report)?))
}

fn closure(lowering: &Lowering<'_>) -> TokenStream {
    let ours = Span::mixed_site();
    let root = lowering.root;
    let nodes = &lowering.graph.dag.nodes;
    let names: Vec<_> = nodes.iter().map(|node| &node.name).collect();
    let slots = nodes.iter().map(slot);
    let kinds = nodes.iter().map(|_: &Node| quote_spanned!(ours=> _));
    let (imports, run) = (lowering.imports(), lowering.run());
    let body = lowering.with_topics(&quote_spanned!(ours=>
        #run?;
        #root::Ok(Answers { #(#names: #slots.into_value()?),* })
    ));
    quote_spanned!(ours=> {
        #imports
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        pub struct Answers<#(#names),*> {
            #(pub #names: #names),*
        }
        async |caller: #root::Caller| -> #root::Result<Answers<#(#kinds),*>, #root::CallError> {
            #body
        }
    })
}
