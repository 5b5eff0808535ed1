//! `#[reactor]`: the function as it was written, its contract beside it, and what runs the two.

mod expand;

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

pub(crate) use self::expand::Expansion;
use crate::contract::{Contract, plain_name};
use crate::deps::ast::{Dag, Node, Target, key};
use crate::deps::{self, Surroundings};
use crate::function::{Body, Function, names_in};
use crate::options::{Kind, Options};
use crate::report::Report;
use crate::signature::{Handler, Named, Reply, Role};
use crate::topic::is_legal_part;
use crate::window;

/// How long a run may take unless the attribute says otherwise, as `ReactorSpec::new` has it.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

/// Options, signature, graph; then the expansion, with a stub for the reactor if there was any mistake, so that
/// those who ask its topic have no errors of their own.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::new();
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
        function.read_by_graph = read_by(dag);
    }
    let named = Named { dag: dag.as_ref(), sources: options.window.get() };
    let handler = Handler::read(&function.sig, named, Kind::Reactor, &mut report);
    if let Some(sources) = options.window.get() {
        window::check::handler(&options, sources, dag.as_ref(), &handler, &mut report);
    }
    check_to(&options, &handler, &mut report);
    check_name(&options, &function, &mut report);
    let around = surroundings(&options, dag.as_ref(), &function, &handler);
    let graph = dag.map(|dag| deps::analyse(dag, &around, &mut report));
    let contract = Contract::new(&function, &handler, &options);
    let expansion = Expansion { contract, function: &function, handler: &handler, options: &options };
    expansion.tokens(graph.flatten().as_ref(), report)
}

/// The parameters that the nodes' expressions read, among other names. One that is named like a node takes its answer.
fn read_by(dag: &Dag) -> HashSet<String> {
    let mut names = HashSet::new();
    for expression in dag.nodes.iter().flat_map(Node::expressions) {
        names_in(expression.expr.to_token_stream(), &mut names);
    }
    for node in &dag.declared {
        names.remove(&node.to_string());
    }
    names
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
    let Some(to) = options.to.get() else { return };
    let comes_back = |target: &Target| target.is(to);
    if options.topic.get().is_some_and(comes_back) {
        report.error_at(
            to.span(),
            "this is the topic that the reactor serves, and what it sends would come back for ever: name another one",
        );
    }
    if options.window.get().is_some_and(|sources| sources.topics().any(|(_, target)| comes_back(target))) {
        report.error_at(
            to.span(),
            "this window gathers from its own `to` topic, and its results would come back for ever: name another one",
        );
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
fn surroundings(
    options: &Options,
    dag: Option<&Dag>,
    function: &Function,
    handler: &Handler,
) -> Surroundings {
    let mut own = vec![Target::Contract(Path::from(function.sig.ident.clone()))];
    own.extend(options.contract.get().map(|name| Target::Contract(Path::from(name.clone()))));
    own.extend(options.topic.get().cloned());
    let sources = options.window.get();
    own.extend(sources.iter().flat_map(|sources| sources.topics()).map(|(_, target)| target.clone()));
    // Of a node that is named like a source, enough is said.
    let is_node =
        |name: &Ident| dag.is_some_and(|dag| dag.declared.iter().any(|node| key(node) == key(name)));
    let gathered = handler.of(Role::Source).filter(|param| !param.name.as_ref().is_some_and(is_node));
    Surroundings {
        own,
        payload: handler.payload().chain(gathered).filter_map(|param| param.name.clone()).collect(),
        within: Some(options.within.get().map_or(WITHIN, |time| time.value)),
    }
}
