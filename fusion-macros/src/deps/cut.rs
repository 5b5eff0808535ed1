//! Where a graph, a node and an injection end, decided on bare tokens before syn reads any of them.
//!
//! Rust's grammar has no place for these ends: to it the closing `>` is a comparison, `<-` is a comparison with
//! a negative number, and one mistake in an expression would swallow every node behind it.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Result, Token, token};

use crate::report::Report;

/// The nodes of one declaration, without what encloses them.
pub(crate) struct Body {
    pub(crate) tokens: TokenStream,
    /// The opening `<` or bracket, or the whole macro call.
    pub(crate) span: Span,
}

impl Body {
    /// Takes what stands behind `deps!` in an attribute: `< nodes >`, `{ nodes }`, `( nodes )` or `[ nodes ]`.
    /// What follows, usually `,` and the next option, is left in `input`; nothing is, if there is no end. Of anything
    /// else `expected` is said.
    pub(crate) fn take(input: ParseStream<'_>, expected: &str) -> Result<Self> {
        if input.peek(Token![<]) && !input.peek(Token![<-]) {
            let open: Token![<] = input.parse()?;
            let ahead: Vec<TokenTree> = input.fork().parse::<TokenStream>()?.into_iter().collect();
            let end = closing(&ahead).or_else(|| closing_without_comma(&ahead));
            for _ in 0..end.map_or(ahead.len(), |end| end + 1) {
                input.parse::<TokenTree>()?;
            }
            let end = end.ok_or_else(|| unclosed(open.span))?;
            return Ok(Self { tokens: ahead.into_iter().take(end).collect(), span: open.span });
        }
        if input.peek(token::Brace) || input.peek(token::Paren) || input.peek(token::Bracket) {
            let group: Group = input.parse()?;
            return Self::inside(group.stream(), group.span_open());
        }
        Err(Error::new(input.span(), expected))
    }

    /// What stands between the brackets of `deps! { .. }`: `nodes` or `< nodes >`. `span` is where an empty one
    /// is reported.
    pub(crate) fn inside(tokens: TokenStream, span: Span) -> Result<Self> {
        let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
        if !tokens.first().is_some_and(|token| is(token, '<')) || is_arrow(&tokens, '<', '-') {
            return Ok(Self { tokens: tokens.into_iter().collect(), span });
        }
        let open = tokens.remove(0).span();
        match closing(&tokens) {
            Some(end) if end + 1 == tokens.len() => {
                tokens.pop();
                Ok(Self { tokens: tokens.into_iter().collect(), span: open })
            }
            Some(end) => Err(Error::new(tokens[end + 1].span(), "nothing can follow the closing `>`")),
            None => Err(unclosed(open)),
        }
    }
}

fn unclosed(open: Span) -> Error {
    Error::new(
        open,
        "this `<` has no closing `>`, which is the last token or stands before `,` and the next option",
    )
}

/// The words that open a clause; those of an injection and a type are no words.
pub(super) const CLAUSES: [&str; 6] = ["after", "if", "for", "within", "retry", "else"];

/// The index of the `>` that closes the graph; `tokens` start behind its `<`.
///
/// Only the angle brackets of types and turbofishes nest, since any other `<` may be a comparison. Of the `>`s
/// that remain, comparisons are the ones that are followed by an operand.
fn closing(tokens: &[TokenTree]) -> Option<usize> {
    let (mut angles, mut in_type) = (0_usize, false);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_arrow(&tokens[at..], '<', '-') {
            (angles, in_type) = (0, false);
            at += 1;
        } else if is_arrow(&tokens[at..], '-', '>') {
            in_type = true;
            at += 1;
        } else if is_arrow(&tokens[at..], '=', '>') || angles == 0 && is_arrow(&tokens[at..], '>', '=') {
            at += 1;
        } else if is(token, '<') {
            let turbofish = at > 0 && is(&tokens[at - 1], ':');
            angles += usize::from(in_type || turbofish || angles > 0);
        } else if is(token, '>') && angles > 0 {
            angles -= 1;
        } else if is(token, '>') && ends_declaration(&tokens[at + 1..]) {
            return Some(at);
        } else if is(token, ';') {
            (angles, in_type) = (0, false);
        } else if angles == 0 && ends_type(token) {
            in_type = false;
        }
        at += 1;
    }
    None
}

/// The index of the first `>` with an option right behind it, `to = ..` or `deps! ..`: of a declaration that has no
/// other end, so it is only the comma that is missing.
fn closing_without_comma(tokens: &[TokenTree]) -> Option<usize> {
    (1..tokens.len()).find(|at| match &tokens[*at..] {
        [end, TokenTree::Ident(_), mark, next, ..] if is(end, '>') && !is_joint(&tokens[at - 1], '-') => {
            is(mark, '=') && !is_joint(mark, '=')
                || is(mark, '!') && (is(next, '<') || matches!(next, TokenTree::Group(_)))
        }
        _ => false,
    })
}

/// The end of everything, or `,` and then the end or the start of an option: `to = ..`, `deps! ..`, `max_open(..)`,
/// a flag.
fn ends_declaration(rest: &[TokenTree]) -> bool {
    match rest {
        [] => true,
        [comma, rest @ ..] if is(comma, ',') => match rest {
            [] | [TokenTree::Ident(_)] => true,
            [TokenTree::Ident(_), TokenTree::Group(group), ..] => group.delimiter() == Delimiter::Parenthesis,
            // `to: ..` is a slip, and the option's to report.
            [TokenTree::Ident(_), next, ..] => {
                ['=', '!', ',', ':'].iter().any(|c| is(next, *c)) && !is_joint(next, ':')
            }
            _ => false,
        },
        _ => false,
    }
}

/// A closure's `-> Type` ends at its block, a reply type at the next clause.
fn ends_type(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => CLAUSES.iter().any(|clause| ident == clause),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// Tokens that are read together.
pub(crate) struct Piece {
    pub(super) tokens: Vec<TokenTree>,
    /// Where something is missing, if it is missing at the end.
    pub(super) end: Span,
}

impl Piece {
    fn new(tokens: Vec<TokenTree>, otherwise: Span) -> Self {
        let end = tokens.last().map_or(otherwise, end_of);
        Self { tokens, end }
    }

    /// The names in `, name:`, where it is the `;` before the next piece that is missing.
    pub(crate) fn names_behind_commas(&self) -> Vec<Ident> {
        let name = |three: &[TokenTree]| match three {
            [comma, TokenTree::Ident(name), colon]
                if is(comma, ',') && is(colon, ':') && !is_joint(colon, ':') =>
            {
                Some(name.clone())
            }
            _ => None,
        };
        self.tokens.windows(3).filter_map(name).collect()
    }

    /// Reads with syn. An unexpected end is put under the last token; syn alone would put it under the whole
    /// macro call. Whatever `parser` leaves is ignored, except in brackets inside of expressions: syn's parsers
    /// do not look at the ends of those, and it reports them only when everything is read.
    pub(crate) fn parse<T>(
        self,
        report: &mut Report,
        parser: impl FnOnce(ParseStream<'_>, &mut Report) -> T,
    ) -> Option<T> {
        let mut group = Group::new(Delimiter::Parenthesis, self.tokens.into_iter().collect());
        group.set_span(self.end);
        let errors = report.len();
        let mut result = None;
        let read = |input: ParseStream<'_>| {
            let content;
            syn::parenthesized!(content in input);
            result = Some(parser(&content, report));
            content.parse::<TokenStream>()
        };
        let read = read.parse2(TokenTree::Group(group).into());
        if let (Err(error), true) = (read, report.len() == errors) {
            report.add(error);
        }
        result
    }
}

/// Cuts at `;`. The last piece is left out if it is empty; another empty one is at fault: `Err` has its `;`.
pub(crate) fn nodes(body: TokenStream) -> Vec<std::result::Result<Piece, Span>> {
    let mut pieces = Vec::new();
    let mut tokens = Vec::new();
    for token in body {
        if !is(&token, ';') {
            tokens.push(token);
        } else if tokens.is_empty() {
            pieces.push(Err(token.span()));
        } else {
            pieces.push(Ok(Piece::new(std::mem::take(&mut tokens), token.span())));
        }
    }
    if !tokens.is_empty() {
        pieces.push(Ok(Piece::new(tokens, Span::call_site())));
    }
    pieces
}

/// Cuts a node at each joint `<-`: what stands before the first, and what stands behind each, with its `<`.
pub(super) fn injections(node: Piece) -> (Piece, Vec<(Span, Piece)>) {
    let first = first_injection(node.tokens.iter().cloned().collect()).unwrap_or(node.end);
    let mut cuts: Vec<(Span, Vec<TokenTree>)> = vec![(first, Vec::new())];
    let mut tokens = node.tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_joint(&token, '<') && tokens.next_if(|next| is(next, '-')).is_some() {
            cuts.push((token.span(), Vec::new()));
        } else if let Some((_, piece)) = cuts.last_mut() {
            piece.push(token);
        }
    }
    let mut pieces = cuts.into_iter().map(|(span, tokens)| (span, Piece::new(tokens, span)));
    let head = pieces.next().map_or_else(|| Piece::new(Vec::new(), first), |(_, head)| head);
    (head, pieces.collect())
}

/// The `<` of the first joint `<-` among tokens that are not grouped.
pub(super) fn first_injection(tokens: TokenStream) -> Option<Span> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    (0..tokens.len()).find(|at| is_arrow(&tokens[*at..], '<', '-')).map(|at| tokens[at].span())
}

fn end_of(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}

fn is(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_joint(token: &TokenTree, char: char) -> bool {
    let joint = |punct: &Punct| punct.as_char() == char && punct.spacing() == Spacing::Joint;
    matches!(token, TokenTree::Punct(punct) if joint(punct))
}

fn is_arrow(tokens: &[TokenTree], first: char, second: char) -> bool {
    matches!(tokens, [a, b, ..] if is_joint(a, first) && is(b, second))
}
