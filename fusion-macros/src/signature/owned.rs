//! Which types cannot be taken or answered, since they borrow.

use proc_macro2::Span;
use syn::Type;
use syn::visit::{self, Visit};

use super::types::plain;
use crate::report::Report;

/// What `&'static T` is: bytes that come and go never are `'static`, what an app hands in may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Static {
    IsBorrowed,
    IsOwned,
}

/// Values are read from bytes and written to bytes, so they own what they are made of.
pub(super) fn check_type(ty: &Type, what: &str, statics: Static, report: &mut Report) {
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
        let mut remedy = format!("write `{}`", owned(&reference.elem));
        if self.statics == Static::IsOwned {
            remedy += &format!(", or `&'static {}`", shown(plain(&reference.elem)));
        }
        self.found.get_or_insert((reference.and_token.span, Found::Borrow(remedy)));
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

/// What to write for a type, or for what a reference leads to.
pub(super) fn owned(ty: &Type) -> String {
    match plain(ty) {
        Type::Reference(reference) => owned(&reference.elem),
        Type::Slice(slice) => format!("Vec<{}>", shown(&slice.elem)),
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        other => shown(other),
    }
}

fn shown(ty: &Type) -> String {
    let text = quote::quote!(#ty).to_string();
    text.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}
