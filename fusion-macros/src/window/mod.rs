//! The language of `window!`: which topics a handler gathers from, by which key.
//!
//! [`parse`] reads the sources, [`settings`] the options that only windows have, [`check`] has one function per rule,
//! and [`expand`] writes what runs.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod parse;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
