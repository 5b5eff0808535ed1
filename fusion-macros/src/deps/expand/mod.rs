//! From an analysed graph to Rust.
//!
//! Per node `one` there is a topic `t_one`, a slot `s_one` for its outcome, and a future `n_one` that waits for
//! the slots it needs, builds the arguments, asks, and writes its slot. All futures are joined in one, each
//! behind those it needs. See `fusion-runtime/tests/graph.rs` for one graph as it comes out.

mod arguments;
mod expression;
mod target;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use self::expression::{ends, parenthesized};
use self::target::contract;
pub(crate) use self::target::{ascribed, ascribed_imports, contract_for_sure, known, topic_name};
use super::Analysed;
use super::ast::{Each, Node, Target, Use};
use crate::root::{Root, ours_at};

/// Expands one graph.
pub(crate) struct Lowering<'a> {
    pub(crate) graph: &'a Analysed,
    pub(crate) root: &'a Root,
}

impl Lowering<'_> {
    fn nodes(&self) -> &[Node] {
        &self.graph.dag.nodes
    }

    /// What the rest calls methods of. Methods that are chosen by autoref must be in scope.
    pub(crate) fn imports(&self) -> TokenStream {
        let root = self.root;
        let mut imports = TokenStream::new();
        let injects = |node: &Node| !node.injections.is_empty();
        if self.nodes().iter().any(|node| injects(node) || node.expressions().any(|e| !e.uses.is_empty())) {
            imports.extend(quote_spanned!(ours()=> use #root::{SeenByCopy as _, SeenByRef as _};));
        }
        if self.nodes().iter().any(|node| node.reply.is_some()) {
            imports.extend(ascribed_imports(root));
        }
        if self
            .nodes()
            .iter()
            .any(|node| node.each.is_some() || node.args.iter().any(|arg| arg.spread.is_some()))
        {
            imports.extend(quote_spanned!(ours()=> use #root::{ItemsByCopy as _, ItemsByRef as _};));
        }
        imports
    }

    /// `match .. { t_one => match .. { t_two => { let s_one = ..; let s_two = ..; body } } }`.
    ///
    /// It is no `let`, since in a `match` on something of a type that is private to another module rustc looks no
    /// further, and with a `let` it finds the same type in every expression that follows.
    pub(crate) fn with_topics(&self, body: &TokenStream) -> TokenStream {
        let slots = self.nodes().iter().map(|node| self.slot(node));
        let body = quote_spanned!(ours()=> { #(#slots)* #body });
        self.nodes().iter().rev().fold(body, |body, node| {
            let (asked, topic) = (self.asked(node), topic(node));
            quote_spanned!(ours()=> match #asked { #topic => #body })
        })
    }

    fn slot(&self, node: &Node) -> TokenStream {
        let (topic, slot, name) = (topic(node), slot(node), node.key());
        let kind = match (&node.condition, &node.each, &node.otherwise) {
            (None, None, _) | (Some(_), None, Some(_)) => "one",
            (Some(_), None, None) => "maybe",
            (None, Some(_), _) => "each",
            (Some(_), Some(_), _) => "maybe_each",
        };
        let kind = Ident::new(kind, ours());
        quote_spanned!(ours()=> let #slot = #topic.#kind(#name);)
    }

    /// The topic, once it is known that it answers, and what. Everything that can be wrong with it is wrong with
    /// the literal or path, so all tokens are there.
    fn asked(&self, node: &Node) -> TokenStream {
        let span = ours_at(node.target.span());
        let topic = match (&node.target, &node.reply) {
            (Target::Topic(topic), Some(reply)) => ascribed(topic, &reply.to_token_stream(), self.root),
            (target, _) => known(target, self.root),
        };
        let topic = match &node.reply {
            Some(reply) => quote_spanned!(ours_at(reply.span())=> #topic.answers::<#reply>()),
            None => topic,
        };
        quote_spanned!(span=> #topic.asked())
    }

    /// The block in which all nodes run. Its value is the outcome of the run.
    pub(crate) fn run(&self) -> TokenStream {
        let ordered = || self.graph.order.iter().map(|index| (*index, &self.nodes()[*index]));
        let futures = ordered().map(|(index, node)| self.future(index, node));
        let names: Vec<Ident> = ordered().map(|(_, node)| future(node)).collect();
        let joined = self.joined(&names);
        quote_spanned!(ours()=> {
            #(#futures)*
            #joined.await
        })
    }

    /// `join(join(a, b), join(c, d))`: nested as little as can be, and still in order from left to right.
    fn joined(&self, names: &[Ident]) -> TokenStream {
        let root = self.root;
        match names {
            [only] => only.to_token_stream(),
            _ => {
                let (first, second) = names.split_at(names.len().div_ceil(2));
                let (first, second) = (self.joined(first), self.joined(second));
                quote_spanned!(ours()=> #root::join(#first, #second))
            }
        }
    }

    fn future(&self, index: usize, node: &Node) -> TokenStream {
        let root = self.root;
        let (name, slot) = (future(node), slot(node));
        let (bindings, injected) = self.inputs(index, node);
        let outcome = self.outcome(node, &self.request(index, node, &injected));
        quote_spanned!(ours_at(node.target.span())=>
            let #name = #root::node(&#slot, async {
                #bindings
                #outcome
            });
        )
    }

    /// Waits for everything that the node needs. Answers that expressions use get the names by which they use
    /// them; the names of those that are injected are returned, in the order of the `<-`s.
    fn inputs(&self, index: usize, node: &Node) -> (TokenStream, Vec<Ident>) {
        let (root, mut bindings) = (self.root, TokenStream::new());
        let mut unbound = self.graph.needs[index].clone();
        // Two uses of one node are bound twice: the same letters may be two names, if one comes out of a macro.
        for Use { name, node: needed } in node.expressions().flat_map(|expression| &expression.uses) {
            unbound.retain(|index| index != needed);
            let slot = slot(&self.nodes()[*needed]);
            bindings.extend(quote_spanned!(ours()=>
                #[allow(unused_variables)]
                let #name = (&&#root::Seen(#slot.get().await?)).seen();
            ));
        }
        let mut injected = Vec::new();
        for name in node.injections.iter().flat_map(|injection| &injection.names) {
            let needed = self.nodes().iter().position(|node| node.key() == super::ast::key(name));
            let Some(needed) = needed else { continue };
            unbound.retain(|index| *index != needed);
            let (slot, answer) = (
                slot(&self.nodes()[needed]),
                Ident::new(&format!("i_{}", injected.len()), ours_at(name.span())),
            );
            bindings
                .extend(quote_spanned!(ours()=> let #answer = (&&#root::Seen(#slot.get().await?)).seen();));
            injected.push(answer);
        }
        for after in unbound {
            let slot = slot(&self.nodes()[after]);
            bindings.extend(quote_spanned!(ours()=> #slot.get().await?;));
        }
        (bindings, injected)
    }

    /// Statements that build the arguments in `args`, and the expression that asks.
    fn request(&self, index: usize, node: &Node, injected: &[Ident]) -> (TokenStream, TokenStream) {
        let topic = topic(node);
        let args = self.arguments(node, injected);
        let mut terms = self.terms(index, node);
        if node.each.is_some() {
            terms.extend(quote_spanned!(ours()=> .item(n)));
        }
        let span = ours_at(node.target.span());
        let ask = quote_spanned!(span=> caller.ask(#topic, args, #terms));
        (quote_spanned!(ours()=> let mut args = caller.args(); #args), ask)
    }

    fn terms(&self, index: usize, node: &Node) -> TokenStream {
        let (slot, index) = (slot(node), Literal::u32_unsuffixed(index.try_into().unwrap_or(u32::MAX)));
        let within = node.within.map(|time| {
            // Rounded up, or a time below a millisecond would be none.
            let millis = Literal::u64_unsuffixed(time.value.as_nanos().div_ceil(1_000_000) as u64);
            quote_spanned!(ours()=> .within(#millis))
        });
        let retry = node.retry.map(|times| {
            let times = Literal::u32_unsuffixed(times);
            quote_spanned!(ours()=> .retry(#times))
        });
        quote_spanned!(ours()=> #slot.terms(#index)#within #retry)
    }

    fn outcome(&self, node: &Node, (args, ask): &(TokenStream, TokenStream)) -> TokenStream {
        let (root, at_target) = (self.root, ours_at(node.target.span()));
        let otherwise = node.otherwise.as_ref().map(|otherwise| &otherwise.expr);
        let asked = match (&node.each, otherwise) {
            (Some(each), None) => self.each(each, args, ask),
            (Some(each), Some(otherwise)) => self.each_or(each, (args, ask), otherwise, at_target),
            (None, _) => quote_spanned!(at_target=> #args #ask.await),
        };
        let condition = node.condition.as_ref().map(|condition| parenthesized(&condition.expr));
        match (condition, &node.each, otherwise) {
            (None, None, Some(otherwise)) => {
                quote_spanned!(ours()=> #root::or({ #asked }, || #otherwise))
            }
            (None, ..) => asked,
            (Some(condition), None, Some(otherwise)) => quote_spanned!(ours()=>
                let asked = if #condition { #root::Some({ #asked }) } else { #root::None };
                #root::or_if(asked, || #otherwise)
            ),
            (Some(condition), ..) => quote_spanned!(ours()=>
                if #condition { #root::some({ #asked }) } else { #root::none() }
            ),
        }
    }

    fn each(&self, Each { pat, items }: &Each, args: &TokenStream, ask: &TokenStream) -> TokenStream {
        let (span, items) = (ends(&items.expr).0, self.items(items));
        let root = self.root.at(span);
        quote_spanned!(span=> #root::each(#items, |n, #pat| { #args #ask }).await)
    }

    /// An async closure only where `else` needs one: the other way has a level less.
    fn each_or(
        &self,
        Each { pat, items }: &Each,
        (args, ask): (&TokenStream, &TokenStream),
        otherwise: &Expr,
        at_target: Span,
    ) -> TokenStream {
        let (span, items) = (ends(&items.expr).0, self.items(items));
        let root = self.root.at(span);
        let asked = quote_spanned!(at_target=> #ask.await);
        quote_spanned!(span=>
            #root::each(#items, async |n, #pat| #root::or({ #args #asked }, || #otherwise)).await
        )
    }

    /// One more than the depth of the deepest topic that is asked; one with `-> T` may be nobody's.
    ///
    /// Each is computed in a generic function: constants that stand in the open are evaluated by a lint before, and
    /// rustc's path of a circle becomes twice as long.
    pub(crate) fn depth(&self) -> TokenStream {
        let root = self.root;
        let depths =
            self.nodes().iter().filter(|node| node.reply.is_none() || node.target.path().is_some()).map(
                |node| {
                    let (span, contract) = (ours_at(node.target.span()), contract(&node.target, root));
                    let root = root.at(span);
                    quote_spanned!(span=> {
                        const fn depth<L: #root::Of>() -> usize { <L::Contract as #root::Contract>::WAITS_FOR_ANSWERS }
                        depth::<<#contract as #root::Contract>::Least>()
                    })
                },
            );
        let deepest = depths.reduce(|a, b| quote_spanned!(ours()=> #root::deeper(#a, #b)));
        deepest.map_or_else(|| quote_spanned!(ours()=> 1), |deepest| quote_spanned!(ours()=> 1 + #deepest))
    }

    /// The names of all topics that are asked.
    pub(crate) fn asks(&self) -> TokenStream {
        let names = self.nodes().iter().map(|node| topic_name(&node.target, self.root));
        quote_spanned!(ours()=> &[#(#names),*])
    }
}

fn ours() -> Span {
    Span::mixed_site()
}

/// It lies at the target, where rustc says that its type is private to another module.
fn topic(node: &Node) -> Ident {
    format_ident!("t_{}", node.key(), span = ours_at(node.target.span()))
}

pub(crate) fn slot(node: &Node) -> Ident {
    format_ident!("s_{}", node.key(), span = ours())
}

fn future(node: &Node) -> Ident {
    format_ident!("n_{}", node.key(), span = ours())
}
