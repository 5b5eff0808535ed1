//! `#[reactor]`: the function as it was written, its contract beside it, and what runs the two.

mod expand;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Path;

use self::expand::Expansion;
use crate::contract::{Contract, plain_name};
use crate::deps::ast::Target;
use crate::deps::{self, Surroundings};
use crate::function::{Body, Function, names_in};
use crate::options::{Kind, Options};
use crate::report::Report;
use crate::signature::{Handler, Reply};
use crate::topic::is_legal_part;

/// How long a run may take unless the attribute says otherwise, as `ReactorSpec::new` has it.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

/// Options, signature, graph; then the expansion, with a stub for the reactor if there was any mistake, so that
/// those who ask its topic have no errors of their own.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let mut read_by_graph = std::collections::HashSet::new();
    names_in(options.clone(), &mut read_by_graph);
    let mut options = Options::read(options, Kind::Reactor, &mut report);
    let mut function = match Function::read(item.clone(), "#[reactor]") {
        Ok(function) => function,
        Err(error) => {
            report.add(error);
            let errors = report.into_compile_errors();
            return quote_spanned!(Span::mixed_site()=> #item #errors);
        }
    };
    check_body(&function, &mut report);
    let dag = options.deps.take();
    if let Some(dag) = &dag {
        // A node's own name stands there in any case.
        for node in &dag.declared {
            read_by_graph.remove(&node.to_string());
        }
        function.read_by_graph = read_by_graph;
    }
    let handler = Handler::read(&function.sig, dag.as_ref(), Kind::Reactor, &mut report);
    check_to(&options, &handler, &mut report);
    check_name(&options, &function, &mut report);
    let around = surroundings(&options, &function, &handler);
    let graph = dag.map(|dag| deps::analyse(dag, &around, &mut report));
    let contract = Contract::new(&function, &handler, &options);
    let expansion = Expansion { contract, function: &function, handler: &handler, options: &options };
    expansion.tokens(graph.flatten().as_ref(), report)
}

fn check_body(function: &Function, report: &mut Report) {
    if let Body::None(semicolon) = &function.body {
        report.error(
            semicolon,
            "a reactor has a body: write it, or `#[contract]` if this is answered elsewhere",
        );
    }
}

fn check_to(options: &Options, handler: &Handler, report: &mut Report) {
    if let (Some(to), Reply::Event) = (options.to.name(), &handler.reply) {
        report.error(to, "`to` sends what the handler returns, and this one returns nothing: add `-> T`");
    }
}

/// Internal topics are called after the reactor.
fn check_name(options: &Options, function: &Function, report: &mut Report) {
    let rule = "use letters, digits, `.`, `_` and `-`";
    match options.name.get() {
        Some(name) if !is_legal_part(&name.value()) => {
            report.error(
                name,
                format!("topics are called after this name, so it has a topic's letters: {rule}"),
            );
        }
        None if !is_legal_part(&plain_name(function)) => {
            let message = format!("topics are called after this name: add `name = \"..\"`, and {rule} in it");
            report.error(&function.sig.ident, message);
        }
        _ => {}
    }
}

/// What the checks of the graph must know: how others ask this reactor, its payload, and its time.
fn surroundings(options: &Options, function: &Function, handler: &Handler) -> Surroundings {
    let mut own = vec![Target::Contract(Path::from(function.sig.ident.clone()))];
    own.extend(options.contract.get().map(|name| Target::Contract(Path::from(name.clone()))));
    own.extend(options.topic.get().cloned());
    Surroundings {
        own,
        payload: handler.payload().filter_map(|param| param.name.clone()).collect(),
        within: Some(options.within.get().map_or(WITHIN, |time| time.value)),
    }
}
