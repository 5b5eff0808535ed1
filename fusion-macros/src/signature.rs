//! What a signature says: which parameters are payload, which answers of nodes, which handed in, and what is
//! answered.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, Pat, PatType, PathArguments, PathSegment, ReturnType,
    Safety, Signature, Type,
};

use crate::deps::ast::{Dag, key};
use crate::function::is_marker;
use crate::options::Kind;
use crate::report::{Report, did_you_mean};
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

/// The types that are handed in unless `#[payload]` overrules it.
const HAND_INS: [&str; 5] = ["State", "Context", "Key", "Headers", "Window"];

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
        let role = role(input, name.as_ref(), named, report);
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
        if role != Role::Node {
            let statics = if role == Role::HandIn { Static::IsOwned } else { Static::IsBorrowed };
            check_type(&ty, "a parameter", statics, report);
        }
        Self { role, name, ty }
    }

    pub(crate) fn is_option(&self) -> bool {
        argument_of(&self.ty, "Option").is_some()
    }
}

fn role(input: &PatType, name: Option<&Ident>, named: Named<'_>, report: &mut Report) -> Role {
    let (markers, others): (Vec<&Attribute>, Vec<&Attribute>) =
        input.attrs.iter().partition(|attr| is_marker(attr));
    if let Some(cfg) = others.iter().find(|attr| attr.path().is_ident("cfg")) {
        report.error(
            cfg,
            "parameters cannot depend on `#[cfg]`: write two functions, each with its own `#[cfg]`",
        );
    }
    if let [_, second, ..] = markers[..] {
        report.error(second, "a parameter is either payload or handed in: keep one of the two attributes");
    }
    let is_node =
        |name: &Ident| named.dag.is_some_and(|dag| dag.declared.iter().any(|node| key(node) == key(name)));
    if let Some(sources) = named.sources {
        return role_in_window(input, name, markers.first(), sources, name.is_some_and(is_node), report);
    }
    match (markers.first(), name.is_some_and(is_node)) {
        (Some(marker), _) if marker.path().is_ident("payload") => Role::Payload,
        (Some(_), false) => Role::HandIn,
        (Some(marker), true) => {
            report
                .error(marker, "this parameter takes the answer of the node of its name: rename one of them");
            Role::HandIn
        }
        (None, true) => Role::Node,
        (None, false) if is_hand_in(&input.ty, &HAND_INS) => Role::HandIn,
        (None, false) => Role::Payload,
    }
}

/// There is no payload: many records are gathered.
fn role_in_window(
    input: &PatType,
    name: Option<&Ident>,
    marker: Option<&&Attribute>,
    sources: &Sources,
    is_node: bool,
    report: &mut Report,
) -> Role {
    let is_source = name.is_some_and(|name| sources.has(name));
    match marker {
        Some(marker) if marker.path().is_ident("payload") => {
            report.error(marker, "a window has no payload: it gathers many records, and a source has them");
            return Role::HandIn;
        }
        Some(marker) if is_source => {
            report.error(
                marker,
                "this parameter takes what the source of its name gathers: rename one of them",
            );
            return Role::Source;
        }
        Some(marker) if is_node => {
            report
                .error(marker, "this parameter takes the answer of the node of its name: rename one of them");
            return Role::Node;
        }
        Some(_) => return Role::HandIn,
        None if is_source => return Role::Source,
        None if is_node => return Role::Node,
        None => {}
    }
    if is_hand_in(&input.ty, &["Headers"]) {
        report.error(&input.ty, "a window has no headers: it gathers many records, and each has its own");
    } else if !is_hand_in(&input.ty, &HAND_INS) && !sources.unnamed {
        let names: Vec<String> = sources.declared.iter().map(key).collect();
        let text = name.map(key);
        let meant = text.as_ref().and_then(|text| did_you_mean(text, names.iter().map(String::as_str)));
        let remedy = match meant {
            Some(meant) => format!(", did you mean the source `{meant}`?"),
            None => ": name it like one, or mark it with `#[hand_in]`".to_owned(),
        };
        let what = text.map_or_else(|| "this parameter".to_owned(), |text| format!("`{text}`"));
        report.error(&input.pat, format!("{what} is no source, no node, and not handed in{remedy}"));
    }
    Role::HandIn
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

/// What `&'static T` is: bytes that come and go never are `'static`, what an app hands in may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Static {
    IsBorrowed,
    IsOwned,
}

/// Values are read from bytes and written to bytes, so they own what they are made of.
fn check_type(ty: &Type, what: &str, statics: Static, report: &mut Report) {
    let mut borrows = Borrows { statics, found: None };
    borrows.visit_type(ty);
    match borrows.found {
        Some((span, Found::Impl)) => {
            let message = format!("{what} has one type, not `impl ..`: write the type, or `Box<..>` of one");
            report.error_at(span, message);
        }
        Some((span, Found::Borrow(remedy))) => {
            report.error_at(span, format!("{what} cannot be borrowed: {remedy}"));
        }
        None => {}
    }
}

/// The first thing in a type that is not owned.
struct Borrows {
    statics: Static,
    found: Option<(Span, Found)>,
}

enum Found {
    Impl,
    Borrow(String),
}

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        let is_static = reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
        if is_static && self.statics == Static::IsOwned {
            return visit::visit_type_reference(self, reference);
        }
        let elem = plain(&reference.elem);
        let mut owned = match elem {
            Type::Slice(slice) => format!("write `Vec<{}>`", shown(&slice.elem)),
            Type::Path(path) if path.path.is_ident("str") => "write `String`".to_owned(),
            other => format!("write `{}`", shown(other)),
        };
        if self.statics == Static::IsOwned {
            owned += &format!(", or `&'static {}`", shown(elem));
        }
        self.found.get_or_insert((reference.and_token.span, Found::Borrow(owned)));
    }

    // What a function takes and gives is not kept, and `for<'a>` stands before functions only.
    fn visit_bound_lifetimes(&mut self, _: &'ast syn::BoundLifetimes) {}

    fn visit_type_fn_ptr(&mut self, function: &'ast syn::TypeFnPtr) {
        if self.statics == Static::IsBorrowed {
            visit::visit_type_fn_ptr(self, function);
        }
    }

    fn visit_parenthesized_generic_arguments(&mut self, function: &'ast syn::ParenthesizedGenericArguments) {
        if self.statics == Static::IsBorrowed {
            visit::visit_parenthesized_generic_arguments(self, function);
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.found.get_or_insert((ty.impl_token.span, Found::Impl));
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        if lifetime.ident != "static" {
            self.found
                .get_or_insert((lifetime.span(), Found::Borrow("use a type without a lifetime".to_owned())));
        }
    }

    fn visit_type(&mut self, ty: &'ast Type) {
        if self.found.is_none() {
            visit::visit_type(self, ty);
        }
    }
}

fn shown(ty: &Type) -> String {
    let text = quote::quote!(#ty).to_string();
    text.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}

/// Looks through parentheses, and through the invisible groups in which `$t:ty` arrives.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        other => other,
    }
}

pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match plain(ty) {
        Type::Path(ty) => ty.path.segments.last(),
        _ => None,
    }
}

/// The first type argument of a path that ends in `name`: `i64` of `Vec<i64>`, of `std::io::Result<i64>`.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is_hand_in(ty: &Type, names: &[&str]) -> bool {
    last_segment(ty).is_some_and(|segment| names.iter().any(|name| segment.ident.unraw() == name))
}
