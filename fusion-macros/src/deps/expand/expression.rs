//! The user's expressions among our tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

use crate::root::ours_at;

/// A path, or fields and elements of one.
pub(super) fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => is_place(&index.expr),
        Expr::Group(group) => is_place(&group.expr),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

/// `&(expr)`, from the expression's first token to its last, so that rustc's caret is under all of it.
pub(super) fn borrowed(expr: &Expr) -> TokenStream {
    let (first, _) = ends(expr);
    let parens = parenthesized(expr);
    quote_spanned!(first=> &#parens)
}

pub(super) fn parenthesized(expr: &Expr) -> TokenTree {
    let (_, last) = ends(expr);
    let mut group = Group::new(Delimiter::Parenthesis, expr.to_token_stream());
    group.set_span(last);
    TokenTree::Group(group)
}

/// Our spans at the first and at the last token.
pub(super) fn ends(expr: &Expr) -> (Span, Span) {
    let mut tokens = expr.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    (ours_at(first), ours_at(last))
}
