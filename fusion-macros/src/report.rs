//! The errors of one declaration.
//!
//! Every phase gets the same [`Report`] and adds to it instead of returning a `Result`, so that all mistakes
//! of one declaration are shown by one run of the compiler.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Collects errors; the phases pass it on.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<syn::Error>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An error under all of `tokens`.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// An error under `span`, for what is no token of its own: a closing parenthesis, a literal's span.
    pub(crate) fn error_at(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// An error that syn found.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// How many errors there are: a phase compares before and after to learn whether it found one.
    pub(crate) fn len(&self) -> usize {
        self.errors.len()
    }

    /// One `compile_error!` per error, in the order in which they were found; nothing if there is none.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// The candidate that `name` was probably meant to be: near enough for a slip of the fingers, and not so far
/// that nothing of the name would be left.
pub(crate) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let tolerance = (length.max(3) / 3).min(length.saturating_sub(1));
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
impl Report {
    /// What tests compare: the source under each error, and its message.
    pub(crate) fn shown(&self) -> Vec<(String, String)> {
        self.errors
            .iter()
            .map(|error| (error.span().source_text().unwrap_or_default(), error.to_string()))
            .collect()
    }

    /// Where each error starts: line (from 1) and column (from 0).
    pub(crate) fn places(&self) -> Vec<(usize, usize)> {
        self.errors.iter().map(|error| error.span().start()).map(|start| (start.line, start.column)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_becomes_a_compile_error() {
        let tokens: TokenStream = "one + two".parse().unwrap();
        let mut report = Report::new();
        assert!(report.is_empty());
        report.error(&tokens, "the sum");
        report.error_at(tokens.into_iter().last().unwrap().span(), format_args!("the {}", "end"));
        report.add(syn::Error::new(Span::call_site(), "here"));
        assert_eq!(report.len(), 3);
        assert_eq!(
            report.shown()[..2],
            [("one + two".into(), "the sum".into()), ("two".into(), "the end".into())]
        );
        assert_eq!(report.places()[..2], [(1, 0), (1, 6)]);
        let text = report.into_compile_errors().to_string().replace(' ', "");
        assert_eq!(text.matches("compile_error!{").count(), 3);
        assert!(text.contains("\"thesum\"") && text.contains("\"theend\"") && text.contains("\"here\""));
        assert!(Report::new().into_compile_errors().is_empty());
    }

    #[test]
    fn slips_of_the_fingers_are_understood() {
        let names = ["one", "two", "express_price", "a"];
        for (name, meant) in [
            ("oen", Some("one")),
            ("on", Some("one")),
            ("tow", Some("two")),
            ("expres_prise", Some("express_price")),
            ("price", None),
            ("b", None),
            ("three", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(name, names), meant, "{name}");
        }
    }
}
