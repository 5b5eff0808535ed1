//! The user's function, as it was written.

use std::collections::HashSet;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Meta, Pat, Result, Signature, Token, Visibility, parse_quote, token};

/// A function with its body as tokens, which nobody here looks into; a contract has none.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
    /// Parameters that the graph reads: no use of them in the body is no mistake then.
    pub(crate) read_by_graph: HashSet<String>,
}

pub(crate) enum Body {
    Block(Group),
    None(Token![;]),
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let body =
            if input.peek(Token![;]) { Body::None(input.parse()?) } else { Body::Block(block(input)?) };
        Ok(Self { attrs, vis, sig, body, read_by_graph: HashSet::new() })
    }
}

fn block(input: ParseStream<'_>) -> Result<Group> {
    if !input.peek(token::Brace) {
        return Err(input.error("expected the body of the function"));
    }
    input.parse()
}

impl Function {
    /// Reads the item under an attribute. `Err` says what the attribute belongs on.
    pub(crate) fn read(item: TokenStream, attribute: &str) -> Result<Self> {
        syn::parse2::<Self>(item.clone()).map_err(|error| match item.into_iter().find(is_fn) {
            Some(_) => error,
            None => {
                syn::Error::new(error.span(), format!("`{attribute}` stands on a function: `async fn ..`"))
            }
        })
    }

    /// The attributes that hold for what is put beside the function as well: documentation and `#[cfg]`.
    pub(crate) fn shared_attrs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| ["doc", "cfg"].iter().any(|name| attr.path().is_ident(name)))
    }

    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }
}

/// `#[payload]` or `#[hand_in]`, which say what a parameter is and are no attributes to rustc.
pub(crate) fn is_marker(attr: &Attribute) -> bool {
    matches!(&attr.meta, Meta::Path(path) if path.is_ident("payload") || path.is_ident("hand_in"))
}

/// The function without our markers on its parameters.
impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, read_by_graph } = self;
        let mut sig = sig.clone();
        for input in &mut sig.inputs {
            if let FnArg::Typed(input) = input {
                input.attrs.retain(|attr| !is_marker(attr));
                if matches!(&*input.pat, Pat::Ident(name) if read_by_graph.contains(&name.ident.to_string()))
                {
                    input.attrs.push(parse_quote!(#[allow(unused_variables)]));
                }
            }
        }
        let body = match body {
            Body::Block(block) => block.to_token_stream(),
            Body::None(semicolon) => semicolon.to_token_stream(),
        };
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

/// All names in these tokens, at any depth.
pub(crate) fn names_in(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => names_in(group.stream(), names),
            _ => {}
        }
    }
}

fn is_fn(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == "fn")
}
