//! What a parameter is for: payload, the answer of a node, what a source gathered, or handed in.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Attribute, Member, PatType, Type};

use super::owned::owned;
use super::types::{argument_of, last_segment, plain};
use super::{Named, Role};
use crate::deps::ast::key;
use crate::function::is_marker;
use crate::report::{Report, did_you_mean};
use crate::window::ast::{Key, Sources};

/// The types that are handed in unless `#[payload]` overrules it.
const HAND_INS: [&str; 5] = ["State", "Context", "Key", "Headers", "Window"];

pub(super) fn role(input: &PatType, name: Option<&Ident>, named: Named<'_>, report: &mut Report) -> Role {
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
    } else if let Some((span, remedy)) = wrapped(&input.ty) {
        report.error_at(span, remedy);
    } else if !is_hand_in(&input.ty, &HAND_INS) && !sources.unnamed {
        let names: Vec<String> = sources.declared.iter().map(key).collect();
        let text = name.map(key);
        let meant = text.as_ref().and_then(|text| did_you_mean(text, names.iter().map(String::as_str)));
        let remedy = match meant {
            Some(meant) => format!(", did you mean the source `{meant}`?"),
            None if text.as_ref().is_some_and(|text| is_key(text, sources)) => {
                format!(": the window's key is handed in as `Key<{}>`", owned(&input.ty))
            }
            None => format!(
                ": name it like one, take what the app provides as `State<{}>`, or mark it with `#[hand_in]`",
                owned(&input.ty)
            ),
        };
        let what = text.map_or_else(|| "this parameter".to_owned(), |text| format!("`{text}`"));
        report.error(&input.pat, format!("{what} is no source, no node, and not handed in{remedy}"));
    }
    Role::HandIn
}

/// What to say of a type that is handed in, behind a reference or in an `Option`.
fn wrapped(ty: &Type) -> Option<(Span, String)> {
    if let Type::Reference(reference) = plain(ty) {
        let is_ours = is_hand_in(&reference.elem, &HAND_INS);
        let remedy = format!("a parameter cannot be borrowed: write `{}`", owned(&reference.elem));
        return is_ours.then_some((reference.and_token.span, remedy));
    }
    let handed_in = argument_of(ty, "Option").filter(|inner| is_hand_in(inner, &HAND_INS))?;
    let remedy = format!("this is handed in to every run of a window: write `{}`", owned(handed_in));
    Some((last_segment(ty)?.ident.span(), remedy))
}

/// Whether it is named like the field that is the key.
fn is_key(name: &str, sources: &Sources) -> bool {
    sources.sources.iter().any(|source| match &source.by {
        Key::Fields(fields) => {
            fields.last().is_some_and(|field| matches!(field, Member::Named(field) if key(field) == name))
        }
        Key::Closure(_) => false,
    })
}

pub(super) fn is_hand_in(ty: &Type, names: &[&str]) -> bool {
    last_segment(ty).is_some_and(|segment| names.iter().any(|name| segment.ident.unraw() == name))
}
