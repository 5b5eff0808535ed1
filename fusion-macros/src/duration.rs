//! Durations as the DSL writes them: `500ms`, `30s`, `1.5m`, `2h`.

use std::time::Duration;

use proc_macro2::Span;
use syn::parse::ParseStream;

/// A duration and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) value: Duration,
    pub(crate) span: Span,
}

/// Whether `0s` has a meaning where the duration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    Refused,
    Allowed,
}

/// Reads one duration: a base-10 integer or decimal with the suffix `ms`, `s`, `m` or `h`.
pub(crate) fn parse(input: ParseStream<'_>, zero: Zero) -> syn::Result<Time> {
    let _ = (input, zero);
    unimplemented!()
}

/// How messages write a duration: as the DSL would, with the largest unit that needs no fraction.
pub(crate) fn show(value: Duration) -> String {
    let _ = value;
    unimplemented!()
}
