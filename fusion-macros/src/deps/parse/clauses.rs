//! What stands behind the arguments of a node, in the one order of the grammar

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitInt, Pat, Result, Token, Type};

use crate::deps::ast::{Each, Expression, Injection};
use crate::deps::cut::CLAUSES;
use crate::duration::{self, Time, Zero};
use crate::report::{Report, did_you_mean};

/// What was read of a node's clauses, and how far in the grammar's order that went.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) reply: Option<Type>,
    pub(super) injections: Vec<Injection>,
    pub(super) after: Vec<Ident>,
    pub(super) condition: Option<Expression>,
    pub(super) each: Option<Each>,
    pub(super) within: Option<Time>,
    pub(super) retry: Option<u32>,
    pub(super) otherwise: Option<Expression>,
    seen: Vec<&'static str>,
}

const REPLY: &str = "->";
pub(super) const INJECTION: &str = "<-";

/// The grammar's order, and the place of each clause in words.
const ORDER: [(&str, &str); 8] = [
    (REPLY, "`->` comes right behind the arguments, before `<-`"),
    (INJECTION, "`<-` comes after `->` and before `after`; a comparison needs a space: `x < -1`"),
    ("after", "`after` comes after `<-` and before `if`"),
    ("if", "`if` comes after `after` and before `for`"),
    ("for", "`for` comes after `if` and before `within`"),
    ("within", "`within` comes after `for` and before `retry`"),
    ("retry", "`retry` comes after `within` and before `else`"),
    ("else", "`else` comes last, after `retry`"),
];

impl Clauses {
    /// Reads clauses to the end of the piece, or to the first mistake.
    pub(super) fn read(&mut self, input: ParseStream<'_>, declared: &mut Vec<Ident>, report: &mut Report) {
        while !input.is_empty() {
            let Some(clause) = next(input) else {
                return report.add(self.stranger(input, declared));
            };
            self.place(clause, input.span(), report);
            if let Err(error) = self.clause(clause, input) {
                report.add(error);
                // Neither has words in it, so the next word of the grammar is a clause.
                if !matches!(clause, "within" | "retry") {
                    return;
                }
                while !input.is_empty() && next(input).is_none() {
                    let _skipped = input.parse::<TokenTree>();
                }
            }
        }
    }

    /// Reports a clause that stands behind a later one, or is there a second time. It is read all the same.
    pub(super) fn place(&mut self, clause: &'static str, span: Span, report: &mut Report) {
        if clause != INJECTION && self.seen.contains(&clause) {
            let remedy = if clause == "after" { ": write `after one, two`" } else { ": keep one of them" };
            report.error_at(span, format!("this node has a second `{clause}`{remedy}"));
        } else if self.seen.iter().any(|seen| rank(seen) > rank(clause)) {
            let words = ORDER.iter().find(|(name, _)| *name == clause).map_or("", |(_, words)| words);
            report.error_at(span, words);
        }
        self.seen.push(clause);
    }

    fn clause(&mut self, clause: &'static str, input: ParseStream<'_>) -> Result<()> {
        match clause {
            REPLY => drop(input.parse::<Token![->]>()?),
            _ => drop(input.call(Ident::parse_any)?),
        }
        match clause {
            REPLY if input.is_empty() => {
                return Err(Error::new(input.span(), "expected the type of the answer after `->`"));
            }
            REPLY => self.reply = Some(input.parse()?),
            "after" => self.after.extend(super::names(input, clause)?),
            "if" => self.condition = Some(expression(input, clause)?),
            "for" => self.each = Some(each(input)?),
            "within" => self.within = Some(duration::parse(input, Zero::Refused)?),
            "retry" => self.retry = Some(retry(input)?),
            _ => self.otherwise = Some(expression(input, clause)?),
        }
        Ok(())
    }

    /// The error for tokens that start no clause.
    fn stranger(&self, input: ParseStream<'_>, declared: &mut Vec<Ident>) -> Error {
        let ahead = input.fork();
        if let Ok(word) = ahead.call(Ident::parse_any) {
            if ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
                // The node is not read, but its name is known.
                declared.push(word.clone());
                return Error::new(word.span(), format!("expected `;` before the node `{word}`"));
            }
            if let Some(clause) = did_you_mean(&word.to_string(), CLAUSES) {
                return Error::new(word.span(), format!("unexpected `{word}`, did you mean `{clause}`?"));
            }
        }
        if input.peek(Token![,]) {
            return input.error("unexpected `,`: nodes are separated by `;`");
        }
        let found = match input.fork().parse::<TokenTree>() {
            Ok(TokenTree::Group(group)) => group.to_string().chars().take(1).collect(),
            Ok(token) => token.to_string(),
            Err(_) => String::new(),
        };
        let last = self.seen.iter().filter_map(|seen| rank(seen)).max();
        let repeats = |clause: &str| clause == INJECTION && rank(clause) == last;
        let next: Vec<String> = ORDER
            .iter()
            .filter(|(clause, _)| rank(clause) > last || repeats(clause))
            .map(|(clause, _)| format!("`{clause}`, "))
            .collect();
        let next = next.concat();
        let next = next.strip_suffix(", ").map_or_else(String::new, |next| format!("{next} or "));
        Error::new(input.span(), format!("unexpected `{found}`: expected {next}`;`"))
    }
}

fn rank(clause: &str) -> Option<usize> {
    ORDER.iter().position(|(name, _)| *name == clause)
}

/// The clause that starts here.
fn next(input: ParseStream<'_>) -> Option<&'static str> {
    if input.peek(Token![->]) {
        return Some(REPLY);
    }
    let (word, _) = input.cursor().ident()?;
    CLAUSES.into_iter().find(|clause| word == clause)
}

fn expression(input: ParseStream<'_>, behind: &str) -> Result<Expression> {
    if input.is_empty() {
        return Err(Error::new(input.span(), format!("expected an expression after `{behind}`")));
    }
    input.parse::<Expr>().map(Expression::from)
}

fn each(input: ParseStream<'_>) -> Result<Each> {
    if input.is_empty() {
        return Err(Error::new(input.span(), "expected `for item in items`"));
    }
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    if !input.peek(Token![in]) {
        return Err(Error::new(input.span(), "expected `in` after the pattern of `for`"));
    }
    input.parse::<Token![in]>()?;
    Ok(Each { pat, items: expression(input, "in")? })
}

fn retry(input: ParseStream<'_>) -> Result<u32> {
    let expected = "expected a whole number, such as `retry 3`";
    let place = input.span();
    let literal: LitInt = input.parse().map_err(|_| Error::new(place, expected))?;
    let span = literal.span();
    let written = literal.token().to_string();
    if !literal.suffix().is_empty() || !written.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return Err(Error::new(span, expected));
    }
    literal.base10_parse().map_err(|_| Error::new(span, format!("`retry` is at most {}", u32::MAX)))
}
