//! From tokens to a [`Dag`].
//!
//! A mistake ends the reading of its piece (a node up to its first `<-`, or from one `<-` to the next) and of
//! nothing else. What was read of the node is kept, so that the rules are checked on it: what is missing adds no
//! mistake.

mod clauses;
mod head;
mod injection;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Result, Token};

use self::clauses::Clauses;
pub(crate) use self::head::target;
use super::ast::{Dag, Node};
use super::cut::{self, Body, Piece};
use crate::report::Report;

/// What stands behind `deps!` if nothing does.
pub(crate) const EXPECTED: &str =
    "expected the nodes: write `deps! < one: \"add\"(1, 2) >` or `deps! { .. }`";

/// Reads all nodes. One whose arguments cannot be found is left out.
pub(crate) fn dag(body: Body, report: &mut Report) -> Dag {
    let mut dag = Dag { nodes: Vec::new(), declared: Vec::new() };
    let pieces = cut::nodes(body.tokens);
    if pieces.is_empty() {
        report.error_at(body.span, "a graph needs at least one node, such as `one: \"add\"(1, 2)`");
    }
    for piece in pieces {
        match piece {
            Ok(piece) => node(piece, &mut dag, report),
            Err(semicolon) => report.error_at(semicolon, "expected a node before this `;`"),
        }
    }
    dag
}

fn node(piece: Piece, dag: &mut Dag, report: &mut Report) {
    let (head, injections) = cut::injections(piece);
    let mut clauses = Clauses::default();
    let head = head.parse(report, |input, report| {
        let head = head::read(input, &mut dag.declared, report).map_err(|error| report.add(error)).ok()?;
        clauses.read(input, &mut dag.declared, report);
        Some(head)
    });
    for (arrow, piece) in injections {
        piece.parse(report, |input, report| match injection::read(input) {
            Ok(injection) => {
                clauses.place(clauses::INJECTION, arrow, report);
                clauses.injections.push(injection);
                clauses.read(input, &mut dag.declared, report);
            }
            Err(error) => report.add(error),
        });
    }
    if let Some(head) = head.flatten() {
        dag.nodes.push(Node {
            name: head.name,
            target: head.target,
            paren: head.paren,
            args: head.args,
            reply: clauses.reply,
            injections: clauses.injections,
            after: clauses.after,
            condition: clauses.condition,
            each: clauses.each,
            within: clauses.within,
            retry: clauses.retry,
            otherwise: clauses.otherwise,
        });
    }
}

/// `name { "," name }`
fn names(input: ParseStream<'_>, behind: &str) -> Result<Vec<Ident>> {
    let mut names = Vec::new();
    loop {
        names.push(name(input, behind)?);
        if !input.peek(Token![,]) {
            return Ok(names);
        }
        input.parse::<Token![,]>()?;
    }
}

fn name(input: ParseStream<'_>, behind: &str) -> Result<Ident> {
    let name = input.fork().call(Ident::parse_any).ok();
    match name {
        Some(name) if !super::check::RESERVED.iter().any(|word| name == word) => {
            let name = input.call(Ident::parse_any)?;
            if input.peek(Token![.]) {
                let message =
                    "expected only a name: what is computed from an answer belongs into the arguments";
                return Err(input.error(message));
            }
            Ok(name)
        }
        _ => Err(Error::new(input.span(), format!("expected the name of a node after `{behind}`"))),
    }
}
