//! What a signature says: which parameters are payload, which answers of nodes, which handed in, and what is
//! answered.

mod owned;
mod role;
mod types;

use proc_macro2::Ident;
use syn::{FnArg, GenericParam, Pat, PatType, ReturnType, Safety, Signature, Type};

use self::owned::{Static, check_type};
use self::role::{is_hand_in, role};
pub(crate) use self::types::{argument_of, last_segment, plain};
use crate::deps::ast::Dag;
use crate::function::is_marker;
use crate::options::Kind;
use crate::report::Report;
use crate::window::ast::Sources;

/// A signature that was understood.
pub(crate) struct Handler {
    /// In the order of the function.
    pub(crate) params: Vec<Param>,
    /// No parameter has a mistake.
    pub(crate) params_understood: bool,
    pub(crate) reply: Reply,
    pub(crate) is_async: bool,
}

pub(crate) struct Param {
    pub(crate) role: Role,
    /// `x` of `x` and of `mut x`; other patterns have no name.
    pub(crate) name: Option<Ident>,
    pub(crate) ty: Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Payload,
    /// Takes the answer of the node of its name.
    Node,
    HandIn,
    /// Takes what the source of its name gathered.
    Source,
}

/// What parameters may be named after.
#[derive(Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) dag: Option<&'a Dag>,
    /// Of a reactor with `window!`.
    pub(crate) sources: Option<&'a Sources>,
}

pub(crate) enum Reply {
    /// No `->`.
    Event,
    Value(Box<Type>),
    /// `Result<value, ..>`
    Result {
        whole: Box<Type>,
        value: Box<Type>,
    },
    /// Something that cannot be answered.
    Unknown,
}

/// How many payload parameters there can be, and how many that are handed in.
const MOST_PAYLOAD: usize = 12;
const MOST_HAND_INS: usize = 8;

impl Handler {
    /// Reads a signature. What cannot be supported is reported, each thing once.
    pub(crate) fn read(sig: &Signature, named: Named<'_>, kind: Kind, report: &mut Report) -> Self {
        check_qualifiers(sig, kind, report);
        let errors = report.len();
        check_generics(sig, report);
        let mut params = Vec::new();
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => report.error(
                    receiver.self_token,
                    "a handler is a function of its own, without `self`: take what it needs as `State<T>`",
                ),
                FnArg::Typed(input) => params.push(Param::read(input, named, kind, report)),
            }
        }
        if let Some(variadic) = &sig.variadic {
            report.error(variadic, "a list of arguments is one parameter: write `numbers: Vec<T>`");
        }
        check_count(
            &params,
            Role::Payload,
            MOST_PAYLOAD,
            "payload parameters: gather them in a struct",
            report,
        );
        check_count(
            &params,
            Role::HandIn,
            MOST_HAND_INS,
            "parameters handed in: gather them in one `State`",
            report,
        );
        let params_understood = report.len() == errors;
        let reply = Reply::read(&sig.output, kind, report);
        Self { params, params_understood, reply, is_async: sig.asyncness.is_some() }
    }

    pub(crate) fn of(&self, role: Role) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(move |param| param.role == role)
    }

    pub(crate) fn payload(&self) -> impl DoubleEndedIterator<Item = &Param> {
        self.params.iter().filter(|param| param.role == Role::Payload)
    }

    pub(crate) fn hand_ins(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.role == Role::HandIn)
    }

    /// The type of the items, if the payload is one `Vec<T>`: a list, for which callers write any number of
    /// arguments.
    pub(crate) fn list(&self) -> Option<&Type> {
        let mut payload = self.payload();
        match (payload.next(), payload.next()) {
            (Some(only), None) => argument_of(&only.ty, "Vec"),
            _ => None,
        }
    }

    /// How many arguments callers write at least: trailing `Option`s may be left out.
    pub(crate) fn least(&self) -> usize {
        match self.list() {
            Some(_) => 0,
            None => {
                self.payload().count() - self.payload().rev().take_while(|param| param.is_option()).count()
            }
        }
    }
}

impl Param {
    fn read(input: &PatType, named: Named<'_>, kind: Kind, report: &mut Report) -> Self {
        let name = match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident.clone()),
            _ => None,
        };
        let ty = (*input.ty).clone();
        let errors = report.len();
        let role = role(input, name.as_ref(), named, report);
        let understood = report.len() == errors;
        let marked = input.attrs.iter().any(is_marker);
        if role == Role::HandIn
            && kind == Kind::Reactor
            && named.sources.is_none()
            && !marked
            && is_hand_in(&ty, &["Window"])
        {
            let remedy = "remove it, or mark a type of your own with `#[payload]`";
            report.error(&ty, format!("only a handler with `window!` has a window: {remedy}"));
        }
        if role == Role::HandIn && kind == Kind::Contract {
            report.error(&ty, "a contract has payload only: what is handed in belongs to its reactor");
        }
        if role != Role::Node && understood {
            let is_read = ["Vec", "Option"].iter().any(|name| argument_of(&ty, name).is_some());
            let statics = match role {
                Role::HandIn => Static::IsOwned,
                // What a type of the user's own keeps of its records is not read.
                Role::Source if !is_read && last_segment(&ty).is_some() => Static::IsOwned,
                _ => Static::IsBorrowed,
            };
            check_type(&ty, "a parameter", statics, report);
        }
        Self { role, name, ty }
    }

    pub(crate) fn is_option(&self) -> bool {
        argument_of(&self.ty, "Option").is_some()
    }
}

impl Reply {
    fn read(output: &ReturnType, kind: Kind, report: &mut Report) -> Self {
        let ReturnType::Type(_, ty) = output else {
            return Reply::Event;
        };
        let errors = report.len();
        // An error only has to be told, so it may be a `&'static str`: what is answered must be owned.
        check_type(argument_of(ty, "Result").unwrap_or(ty), "an answer", Static::IsBorrowed, report);
        if let Type::Never(never) = &**ty {
            report.error(
                never,
                "a handler comes back: write `-> ()`, or leave it out if nobody may wait for it",
            );
        }
        if report.len() > errors {
            return Reply::Unknown;
        }
        match (argument_of(ty, "Result"), kind) {
            (Some(value), Kind::Contract) => {
                report.error(ty, "a contract says what is answered if all goes well: write only that type");
                Reply::Value(value.clone().into())
            }
            (Some(value), Kind::Reactor) => Reply::Result { whole: ty.clone(), value: value.clone().into() },
            (None, _) => Reply::Value(ty.clone()),
        }
    }

    /// What is answered, `None` for an event.
    pub(crate) fn value(&self) -> Option<&Type> {
        match self {
            Reply::Event | Reply::Unknown => None,
            Reply::Value(value) | Reply::Result { value, .. } => Some(value),
        }
    }
}

fn check_qualifiers(sig: &Signature, kind: Kind, report: &mut Report) {
    if let Some(constness) = &sig.constness {
        report.error(constness, "a handler cannot be `const`: remove it");
    }
    if let Safety::Unsafe(unsafety) = &sig.safety {
        report.error(unsafety, "a handler cannot be `unsafe`: use an `unsafe` block inside");
    }
    if let Some(abi) = &sig.abi {
        report.error(abi, "a handler cannot be `extern`: call one from inside");
    }
    if let (Some(asyncness), Kind::Contract) = (&sig.asyncness, kind) {
        report.error(asyncness, "a contract does not say how it is answered: remove `async`");
    }
}

fn check_generics(sig: &Signature, report: &mut Report) {
    for param in &sig.generics.params {
        match param {
            GenericParam::Lifetime(lifetime) => {
                report.error(&lifetime.lifetime, "nothing can be borrowed from a record: take owned types");
            }
            GenericParam::Type(ty) => {
                report.error(
                    &ty.ident,
                    "a topic has one type, so its handler cannot be generic: write the type",
                );
            }
            GenericParam::Const(constant) => {
                report.error(
                    &constant.ident,
                    "a topic has one type, so its handler cannot be generic: write the number",
                );
            }
        }
    }
    if let (Some(clause), true) = (&sig.generics.where_clause, sig.generics.params.is_empty()) {
        report.error(clause.where_token, "a handler takes no `where`: its types are known");
    }
}

fn check_count(params: &[Param], role: Role, most: usize, what: &str, report: &mut Report) {
    if let Some(surplus) = params.iter().filter(|param| param.role == role).nth(most) {
        report.error(&surplus.ty, format!("a handler has at most {most} {what}"));
    }
}
