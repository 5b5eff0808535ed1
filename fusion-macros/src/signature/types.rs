//! What a type says by the way it is written.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

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
