//! The macros of fusion. Use them through the `fusion` crate, which documents them.

use proc_macro::TokenStream;

mod alias;
mod contract;
mod deps;
mod duration;
mod function;
#[cfg(test)]
mod golden;
mod options;
mod reactor;
mod reactors;
mod report;
mod root;
mod signature;
mod topic;
mod window;

/// A function that serves a topic, and the requests whose answers it needs.
#[proc_macro_attribute]
pub fn reactor(options: TokenStream, item: TokenStream) -> TokenStream {
    reactor::expand(options.into(), item.into()).into()
}

/// A topic that is served elsewhere: what it takes and what it answers.
#[proc_macro_attribute]
pub fn contract(options: TokenStream, item: TokenStream) -> TokenStream {
    contract::expand(options.into(), item.into()).into()
}

/// A graph of requests, as an expression.
#[proc_macro]
pub fn deps(nodes: TokenStream) -> TokenStream {
    deps::expression::expand(nodes.into()).into()
}

/// The reactors of one app, checked together.
#[proc_macro]
pub fn reactors(paths: TokenStream) -> TokenStream {
    reactors::expand(paths.into()).into()
}
