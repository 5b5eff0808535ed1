//! The source under each error and its message: carets are tested together with words.

mod check;
mod cut;
mod garbage;
mod graph;
mod names;
mod parse;
mod printed;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use super::ast::Dag;
use super::cut::Body;
use super::{Analysed, Surroundings, analyse, parse as phase};
use crate::report::Report;

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap()
}

/// As `macro_rules!` passes on what matched `$x:expr`, `$x:literal` or `$x:ty`.
fn invisible(source: &str) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::None, tokens(source))).into()
}

fn read_tokens(tokens: TokenStream, report: &mut Report) -> Dag {
    match Body::inside(tokens, Span::call_site()) {
        Ok(body) => phase::dag(body, report),
        Err(error) => {
            report.add(error);
            Dag { nodes: Vec::new(), declared: Vec::new() }
        }
    }
}

/// A graph without mistakes.
fn right(source: &str) -> Analysed {
    let mut report = Report::new();
    let dag = read_tokens(tokens(source), &mut report);
    let analysed = analyse(dag, &Surroundings::default(), &mut report);
    analysed.unwrap_or_else(|| panic!("{source}: {:?}", report.shown()))
}

fn report(source: &str, around: &Surroundings) -> Report {
    let mut report = Report::new();
    let dag = read_tokens(tokens(source), &mut report);
    let analysed = analyse(dag, around, &mut report);
    assert_eq!(analysed.is_none(), !report.is_empty());
    report
}

fn wrong(source: &str) -> Vec<(String, String)> {
    report(source, &Surroundings::default()).shown()
}

/// Each source has one mistake.
fn each_wrong(cases: &[(&str, &str, &str)]) {
    for (source, caret, message) in cases {
        assert_eq!(wrong(source), [((*caret).to_owned(), (*message).to_owned())], "{source}");
    }
}
