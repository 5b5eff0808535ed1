//! Where an expansion finds fusion.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Path, Token};

/// `::fusion`, or what `crate = path` says; as tokens it is the one module that expansions name.
#[derive(Clone)]
pub(crate) struct Root(TokenStream);

impl Root {
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self(path.map_or_else(|| quote_spanned!(Span::mixed_site()=> ::fusion), |path| quote!(#path)))
    }

    /// The same with the span of what is checked there, so that rustc puts its caret under it.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let root = &self.0;
        located(quote_spanned!(span=> #root::__private), span)
    }

    /// Takes `crate = path` and the `,` or `;` behind it from the start of a macro's input.
    pub(crate) fn take(input: ParseStream<'_>) -> syn::Result<Self> {
        if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
            return Ok(Self::new(None));
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let path = input.call(Path::parse_mod_style)?;
        if !input.is_empty() {
            input.parse::<Separator>()?;
        }
        Ok(Self::new(Some(&path)))
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let root = &self.0;
        tokens.extend(quote_spanned!(Span::mixed_site()=> #root::__private));
    }
}

struct Separator;

impl Parse for Separator {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else {
            input.parse::<Token![,]>()?;
        }
        Ok(Self)
    }
}

/// Our own tokens, put where the user's are that rustc should blame.
pub(crate) fn ours_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The same tokens, put where rustc should blame them.
pub(crate) fn located(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| {
            let mut token = match token {
                TokenTree::Group(group) => {
                    Group::new(group.delimiter(), located(group.stream(), span)).into()
                }
                token => token,
            };
            token.set_span(token.span().located_at(span));
            token
        })
        .collect()
}
