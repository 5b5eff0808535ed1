//! The language of `deps!`: from tokens to a graph that is known to be right.
//!
//! [`cut`] finds where a declaration and its nodes end, [`parse`] reads them, [`names`] finds which answers an
//! expression uses, [`graph`] orders the nodes, [`check`] has one function per rule, with [`flow`] for what cannot
//! stand in an expression. A reactor calls [`parse::dag`] early, because its parameters are told apart by the
//! nodes' names, and [`analyse`] once it knows its options and parameters.

use std::time::Duration;

use proc_macro2::Ident;

use self::ast::{Dag, Target};
use crate::report::Report;

pub(crate) mod ast;
mod check;
pub(crate) mod cut;
pub(crate) mod expand;
pub(crate) mod expression;
mod flow;
mod graph;
mod names;
pub(crate) mod parse;
#[cfg(test)]
mod tests;

/// What the checks must know of the place where a graph stands. A `deps!` expression has the default: nothing.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// How others ask the reactor itself: its own topic and contract.
    pub(crate) own: Vec<Target>,
    /// The parameters that take the payload, or a part of it.
    pub(crate) payload: Vec<Ident>,
    /// The time that one run has, graph included.
    pub(crate) within: Option<Duration>,
}

/// A graph without mistakes.
pub(crate) struct Analysed {
    pub(crate) dag: Dag,
    /// Per node: the indices of the nodes whose answers or ends it waits for, each once, in source order.
    pub(crate) needs: Vec<Vec<usize>>,
    /// All nodes' indices, each behind what it needs, otherwise in source order.
    pub(crate) order: Vec<usize>,
}

/// Names, graph, checks. `None` if `report` has an error, found here or before.
pub(crate) fn analyse(mut dag: Dag, around: &Surroundings, report: &mut Report) -> Option<Analysed> {
    names::resolve(&mut dag);
    let needs = graph::needs(&dag);
    check::all(&dag, &needs, around, report);
    let order = graph::order(&needs).filter(|_| report.is_empty())?;
    Some(Analysed { dag, needs, order })
}
