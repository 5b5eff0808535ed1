//! What a `deps!` says, as data.
//!
//! [`parse`](super::parse) makes it and leaves every [`Expression::uses`] empty; [`names`](super::names) fills
//! them. All tokens keep their spans, those out of invisible groups too.

use proc_macro2::Ident;
use syn::{Expr, LitStr, Pat, Path, Type, token};

use crate::duration::Time;

/// A graph of requests. If the report has errors, clauses and nodes may be missing.
pub(crate) struct Dag {
    /// In source order; an index into it names a node everywhere.
    pub(crate) nodes: Vec<Node>,
    /// The names of all nodes in source order, those that are missing in `nodes` too: whoever refers to one of
    /// these has made no mistake.
    pub(crate) declared: Vec<Ident>,
}

/// `name: target(args) -> Reply <- .. after .. if .. for .. in .. within .. retry .. else ..`
pub(crate) struct Node {
    /// As written: `r#type` stays raw. Compare with [`Node::key`].
    pub(crate) name: Ident,
    pub(crate) target: Target,
    /// Around the arguments; "too few arguments" belongs under `paren.span.close()`.
    pub(crate) paren: token::Paren,
    pub(crate) args: Vec<Arg>,
    /// `-> T`, which a topic without a contract needs.
    pub(crate) reply: Option<Type>,
    /// The `<-`s, in the order in which they change the arguments.
    pub(crate) injections: Vec<Injection>,
    /// `after a, b`
    pub(crate) after: Vec<Ident>,
    /// `if ..`; does not see the pattern of `for`.
    pub(crate) condition: Option<Expression>,
    pub(crate) each: Option<Each>,
    pub(crate) within: Option<Time>,
    /// `retry 3`
    pub(crate) retry: Option<u32>,
    /// `else ..`; sees the pattern of `for`.
    pub(crate) otherwise: Option<Expression>,
}

/// Who is asked.
#[derive(Clone)]
pub(crate) enum Target {
    /// `"topic"`, a legal name; its literal is the place for everything that is wrong with the contract.
    Topic(LitStr),
    /// `path::to::contract`
    Contract(Path),
}

impl Target {
    /// Whether both are written alike, and so the same for sure.
    pub(crate) fn is(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Topic(a), Target::Topic(b)) => a.value() == b.value(),
            (Target::Contract(a), Target::Contract(b)) => segments(a) == segments(b),
            _ => false,
        }
    }
}

/// The names in a path, without the `self::` that changes nothing.
pub(crate) fn segments(path: &Path) -> Vec<String> {
    let segments = path.segments.iter().map(|segment| key(&segment.ident));
    segments.skip_while(|segment| segment == "self").collect()
}

/// One argument; with `for` its expression sees the pattern.
pub(crate) struct Arg {
    /// The `..` of `..items`, which spreads a list.
    pub(crate) spread: Option<token::DotDot>,
    pub(crate) value: Expression,
}

/// A Rust expression and the answers that it reads.
pub(crate) struct Expression {
    pub(crate) expr: Expr,
    /// The nodes whose names are free in `expr`, each once, in the order of their first uses.
    pub(crate) uses: Vec<Use>,
}

/// A node's name, used in an expression.
#[derive(Clone)]
pub(crate) struct Use {
    /// The first use: its span, and with it its hygiene, is what a binding for the expression needs. (In a
    /// format string: the literal's.)
    pub(crate) name: Ident,
    /// The index of the node.
    pub(crate) node: usize,
}

/// `<- names`, `<- cons(names)`, `<- path::to::function(names)`
pub(crate) struct Injection {
    pub(crate) how: How,
    pub(crate) names: Vec<Ident>,
}

/// What an injection does with the arguments and an answer.
pub(crate) enum How {
    /// The answer goes behind the arguments: `<- a` and `<- conj(a)`.
    Conj,
    /// The answer goes in front of the arguments.
    Cons,
    /// The function makes the new arguments: `f(args, answer)`.
    Function(Path),
}

/// `for pat in items`
pub(crate) struct Each {
    pub(crate) pat: Pat,
    /// Does not see the pattern.
    pub(crate) items: Expression,
}

impl Node {
    /// The name to compare and to show: without `r#`.
    pub(crate) fn key(&self) -> String {
        key(&self.name)
    }

    /// All expressions of the node: `if`, `for`, the arguments, `else`.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let items = self.each.iter().map(|each| &each.items);
        let args = self.args.iter().map(|arg| &arg.value);
        self.condition.iter().chain(items).chain(args).chain(&self.otherwise)
    }
}

impl From<Expr> for Expression {
    fn from(expr: Expr) -> Self {
        Self { expr, uses: Vec::new() }
    }
}

/// A name without `r#`: `r#type` and a parameter `r#type` are the node `type`.
pub(crate) fn key(name: &Ident) -> String {
    syn::ext::IdentExt::unraw(name).to_string()
}
