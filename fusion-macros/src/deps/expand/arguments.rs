//! What goes into a request: the arguments as they are written, and what `<-` makes of them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::expression::{borrowed, ends, is_place};
use super::{Lowering, ours, topic};
use crate::deps::ast::{Arg, Expression, How, Injection, Node};
use crate::root::ours_at;

/// One argument of a request, before it is written down.
enum Argument<'a> {
    Written(&'a Arg),
    Injected(&'a Ident),
}

impl Lowering<'_> {
    /// What `for` and `..` go through: a place is borrowed, everything else is taken.
    pub(super) fn items(&self, items: &Expression) -> TokenStream {
        let (expr, root) = (&items.expr, self.root);
        if !is_place(expr) {
            return expr.to_token_stream();
        }
        let borrowed = borrowed(expr);
        quote_spanned!(ends(expr).0=> (&&#root::Items(#borrowed)).items())
    }

    /// Statements that put all arguments into `args`.
    pub(super) fn arguments(&self, node: &Node, injected: &[Ident]) -> TokenStream {
        let mut injected = injected.iter();
        let mut args: Vec<Argument<'_>> = node.args.iter().map(Argument::Written).collect();
        let mut injections = node.injections.iter();
        for injection in injections.by_ref() {
            match &injection.how {
                How::Conj => {
                    args.extend(injected.by_ref().take(injection.names.len()).map(Argument::Injected))
                }
                How::Cons => {
                    for answer in injected.by_ref().take(injection.names.len()) {
                        args.insert(0, Argument::Injected(answer));
                    }
                }
                How::Function(function) => {
                    let tuple = self.tuple(&args, function);
                    let tuple = injected
                        .by_ref()
                        .take(injection.names.len())
                        .fold(tuple, |tuple, answer| called(function, &tuple, answer));
                    return self.arguments_as_tuple(node, function, tuple, injections, injected);
                }
            }
        }
        self.arguments_one_by_one(node, &args)
    }

    fn arguments_one_by_one(&self, node: &Node, args: &[Argument<'_>]) -> TokenStream {
        let topic = topic(node);
        let each = args.iter().enumerate().map(|(place, arg)| match arg {
            Argument::Written(Arg { spread: Some(_), value }) => {
                let (items, span) = (self.items(value), ours_at(value.expr.span()));
                quote_spanned!(span=> #topic.spread(&mut args, #items);)
            }
            Argument::Written(Arg { spread: None, value }) => {
                let (span, value) = (ours_at(value.expr.span()), borrowed(&value.expr));
                quote_spanned!(span=> #topic.at::<#place>().put(&mut args, #value);)
            }
            Argument::Injected(answer) => {
                quote_spanned!(answer.span()=> #topic.at::<#place>().put(&mut args, &#answer);)
            }
        });
        let spread = node.args.iter().any(|arg| arg.spread.is_some());
        let count = args.len();
        let enough =
            (!spread).then(|| quote_spanned!(ours_at(node.paren.span.close())=> #topic.enough::<#count>();));
        quote_spanned!(ours()=> #(#each)* #enough)
    }

    /// `f((a, b,), one)`, and what further `<-`s put around it.
    fn arguments_as_tuple<'n>(
        &self,
        node: &Node,
        function: &Path,
        mut tuple: TokenStream,
        injections: impl Iterator<Item = &'n Injection>,
        mut injected: std::slice::Iter<'_, Ident>,
    ) -> TokenStream {
        let root = self.root;
        let mut function = function;
        for injection in injections {
            for answer in injected.by_ref().take(injection.names.len()) {
                tuple = match &injection.how {
                    How::Conj => quote_spanned!(answer.span()=> #root::Conj::conj(#tuple, #answer)),
                    How::Cons => quote_spanned!(answer.span()=> #root::Cons::cons(#tuple, #answer)),
                    How::Function(next) => called(next, &tuple, answer),
                };
            }
            if let How::Function(next) = &injection.how {
                function = next;
            }
        }
        let (topic, span) = (topic(node), ours_at(function.span()));
        quote_spanned!(span=> #topic.args(&mut args, &#tuple);)
    }

    /// The arguments so far, each by value when it is `Copy`, by reference otherwise.
    fn tuple(&self, args: &[Argument<'_>], function: &Path) -> TokenStream {
        let root = self.root;
        let args = args.iter().map(|arg| match arg {
            Argument::Written(arg) => {
                let value = borrowed(&arg.value.expr);
                quote_spanned!(ends(&arg.value.expr).0=> (&&#root::Seen(#value)).seen())
            }
            Argument::Injected(answer) => answer.to_token_stream(),
        });
        quote_spanned!(ours_at(function.span())=> (#(#args,)*))
    }
}

fn called(function: &Path, tuple: &TokenStream, answer: &Ident) -> TokenStream {
    quote_spanned!(ours_at(function.span())=> #function(#tuple, #answer))
}
