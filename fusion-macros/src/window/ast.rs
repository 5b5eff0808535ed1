//! What a `window!` says, as data.

use proc_macro2::Ident;
use syn::{Expr, ExprClosure, Lit, Member};

use crate::deps::ast::{Target, key};

/// The sources of a window. If the report has errors, some may be missing.
#[derive(Default)]
pub(crate) struct Sources {
    /// In source order.
    pub(crate) sources: Vec<Source>,
    /// The names of all sources, those that are missing in `sources` too.
    pub(crate) declared: Vec<Ident>,
    /// There may be more, whose names could not be read.
    pub(crate) unnamed: bool,
    /// The names of those in a second `window!`, or behind a comma.
    pub(crate) elsewhere: Vec<Ident>,
}

/// `name: target | target by key at key`
pub(crate) struct Source {
    /// As written: `r#type` stays raw. Compare with [`Source::key`].
    pub(crate) name: Ident,
    /// At least one.
    pub(crate) targets: Vec<Target>,
    pub(crate) by: Key,
    pub(crate) at: Option<Key>,
}

/// What is taken of a record.
pub(crate) enum Key {
    /// `car.id`, or `0.id` of a tuple; at least one.
    Fields(Vec<Member>),
    /// `|record| ..`
    Closure(Box<ExprClosure>),
}

impl Source {
    /// The name to compare and to show: without `r#`.
    pub(crate) fn key(&self) -> String {
        key(&self.name)
    }
}

impl Sources {
    /// All topics, each with its source, in the order of `WindowSpec::topics`.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&Source, &Target)> {
        self.sources.iter().flat_map(|source| source.targets.iter().map(move |target| (source, target)))
    }

    /// Whether a source has this name.
    pub(crate) fn has(&self, name: &Ident) -> bool {
        self.declared.iter().chain(&self.elsewhere).any(|declared| key(declared) == key(name))
    }

    /// Of a second `window!`, only the names count: parameters may have them.
    pub(crate) fn also(&mut self, second: Sources) {
        self.elsewhere.extend(second.declared);
        self.unnamed |= second.unnamed;
    }
}

impl Key {
    /// An expression as a key: a closure, or a field of a field. Looks through the invisible group in which `$e:expr`
    /// arrives.
    pub(crate) fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Closure(closure) => Some(Key::Closure(closure.clone().into())),
            Expr::Group(group) => Self::of(&group.expr),
            _ => fields(expr).map(Key::Fields),
        }
    }
}

fn fields(expr: &Expr) -> Option<Vec<Member>> {
    match expr {
        Expr::Group(group) => fields(&group.expr),
        Expr::Path(path) if path.qself.is_none() => Some(vec![Member::Named(path.path.get_ident()?.clone())]),
        Expr::Field(field) => {
            let mut base = fields(&field.base)?;
            base.push(field.member.clone());
            Some(base)
        }
        Expr::Lit(lit) => indices(&lit.lit),
        _ => None,
    }
}

/// `0`, and `0.1`, which Rust takes for a number with a fraction.
fn indices(lit: &Lit) -> Option<Vec<Member>> {
    let (digits, span) = match lit {
        Lit::Int(int) if int.suffix().is_empty() => (int.to_string(), int.span()),
        Lit::Float(float) if float.suffix().is_empty() => (float.to_string(), float.span()),
        _ => return None,
    };
    let index = |digits: &str| Some(Member::Unnamed(syn::Index { index: digits.parse().ok()?, span }));
    digits.split('.').map(index).collect()
}
