//! What an alias must not hide.
//!
//! (An alias of what is handed in needs no check: none of that can be read from a record.)
//!
//! The signature is read as it is written: `type Ids = Vec<i64>` would silently mean something else than
//! `Vec<i64>`. The expansion asks the type itself, in a constant, and refuses by name.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Ident, Type};

use crate::deps::ast::key;
use crate::root::{Root, ours_at};
use crate::signature::{Handler, Param, Reply, plain};

/// Types of the prelude and of every day, which hide nothing, and those that are handed in.
const KNOWN: [&str; 31] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize", "String", "Vec", "Option", "Result", "Box", "Arc", "HashMap", "BTreeMap", "Value",
    "Uuid", "State", "Context", "Key", "Headers", "Window",
];

/// One constant per type that may hide something.
pub(crate) fn refuse(handler: &Handler, root: &Root) -> TokenStream {
    let mut checks = TokenStream::new();
    let mut check = |ty: &Type, constant: &str, message: &str| {
        if let Some(name) = alias(ty) {
            let span = ours_at(ty.span());
            let (root, constant) = (root.at(span), Ident::new(constant, span));
            let message = format!("`{name}` hides {message}");
            checks.extend(quote_spanned!(span=>
                const _: () = #root::refuse(#root::Is::<#ty>::#constant, #message);
            ));
        }
    };
    let payload: Vec<&Param> = handler.payload().collect();
    if let [only] = payload[..] {
        check(&only.ty, "LIST", "a `Vec`: write `Vec<..>`, so that it is seen that the topic takes a list");
    }
    if let Some(last) = payload.iter().rfind(|param| !param.is_option()) {
        check(
            &last.ty,
            "OPTION",
            "an `Option`: write `Option<..>`, so that it is seen that it may be left out",
        );
    }
    for param in handler.hand_ins() {
        check(&param.ty, "STATE", "a `State`: write `State<..>`, so that the app is checked to have it");
    }
    if let Reply::Value(ty) = &handler.reply {
        check(ty, "RESULT", "a `Result`: write `Result<..>`, so that errors become error replies");
    }
    if !checks.is_empty() {
        checks.extend(quote_spanned!(ours_at(Span::call_site())=> use #root::Plain as _;));
    }
    checks
}

/// The name of a type that may be an alias.
fn alias(ty: &Type) -> Option<String> {
    let Type::Path(path) = plain(ty) else { return None };
    let segments: Vec<String> = path.path.segments.iter().map(|segment| key(&segment.ident)).collect();
    let known = path.qself.is_some() || segments.last().is_some_and(|last| KNOWN.contains(&last.as_str()));
    (!known).then(|| segments.join("::"))
}
