//! Which answers an expression reads: the free names in it that are names of nodes.
//!
//! Scopes are followed as rustc follows them. Where that is impossible, in the tokens of a macro call, every use
//! counts: an edge too many orders two requests that need no order, an edge too few would not compile.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Expr, Ident, Item, Lit, Pat, Stmt, UseTree};

use super::ast::{Dag, Expression, Use, key};

/// Fills in [`Expression::uses`] everywhere.
pub(super) fn resolve(dag: &mut Dag) {
    let mut nodes = HashMap::new();
    for (index, node) in dag.nodes.iter().enumerate() {
        nodes.entry(node.key()).or_insert_with(|| (index, node.name.clone()));
    }
    for node in &mut dag.nodes {
        let pattern = node.each.as_ref().map(|each| bound_by(&each.pat)).unwrap_or_default();
        let resolve = |expression: &mut Expression, scope: &HashSet<String>| {
            let mut free = Free { nodes: &nodes, scopes: vec![scope.clone()], uses: Vec::new() };
            free.visit_expr(&expression.expr);
            expression.uses = free.uses;
        };
        let outside = HashSet::new();
        node.condition.iter_mut().for_each(|condition| resolve(condition, &outside));
        node.each.iter_mut().for_each(|each| resolve(&mut each.items, &outside));
        node.args.iter_mut().for_each(|arg| resolve(&mut arg.value, &pattern));
        node.otherwise.iter_mut().for_each(|otherwise| resolve(otherwise, &pattern));
    }
}

struct Free<'a> {
    nodes: &'a HashMap<String, (usize, Ident)>,
    /// The names that each enclosing scope binds so far; the innermost is the last.
    scopes: Vec<HashSet<String>>,
    uses: Vec<Use>,
}

impl Free<'_> {
    fn used(&mut self, name: &Ident) {
        let key = key(name);
        let Some((node, _)) = self.nodes.get(&key) else { return };
        let shadowed = self.scopes.iter().any(|scope| scope.contains(&key));
        if !shadowed && self.uses.iter().all(|used| used.node != *node) {
            self.uses.push(Use { name: name.clone(), node: *node });
        }
    }

    fn within_scope(&mut self, bound: HashSet<String>, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(bound);
        visit(self);
        self.scopes.pop();
    }

    fn bind(&mut self, pat: &Pat) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(bound_by(pat));
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) if !is_elsewhere(&tokens[..at], &tokens[at + 1..]) => self.used(name),
                TokenTree::Literal(literal) => {
                    if let Lit::Str(text) = Lit::new(literal.clone()) {
                        self.format_string(&text);
                    }
                }
                _ => {}
            }
        }
    }

    fn format_string(&mut self, text: &syn::LitStr) {
        for captured in captured_by(&text.value()) {
            // The node's own spelling, since a format string has no `r#`.
            if let Some((_, name)) = self.nodes.get(&captured) {
                let mut name = name.clone();
                name.set_span(text.span());
                self.used(&name);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Free<'_> {
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let (None, Some(name)) = (&path.qself, path.path.get_ident()) {
            self.used(name);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        // `one(..)` calls a function; a closure that is an answer would be called as `(one)(..)`.
        if !matches!(*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|arg| self.visit_expr(arg));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let bound = closure.inputs.iter().flat_map(bound_by).collect();
        self.within_scope(bound, |free| free.visit_expr(&closure.body));
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        // The pattern is visited for its guard, which sees what it binds.
        self.within_scope(bound_by(&arm.pat), |free| visit::visit_arm(free, arm));
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        self.within_scope(HashSet::new(), |free| {
            free.visit_expr(&branch.cond);
            free.visit_block(&branch.then_branch);
        });
        if let Some((_, otherwise)) = &branch.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, repeat: &'ast syn::ExprWhile) {
        self.within_scope(HashSet::new(), |free| {
            free.visit_expr(&repeat.cond);
            free.visit_block(&repeat.body);
        });
    }

    fn visit_expr_for_loop(&mut self, repeat: &'ast syn::ExprForLoop) {
        self.visit_expr(&repeat.expr);
        self.within_scope(bound_by(&repeat.pat), |free| free.visit_block(&repeat.body));
    }

    /// In the condition of `if` and `while` and in a guard, where what is bound is seen by what follows.
    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.bind(&condition.pat);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        // Unlike a `let`, an item is seen by what stands before it.
        self.within_scope(block.stmts.iter().flat_map(declared_by).collect(), |free| {
            visit::visit_block(free, block);
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, otherwise)) = &init.diverge {
                self.visit_expr(otherwise);
            }
        }
        self.bind(&local.pat);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        // Items see no variables around them, except through macros, whose names belong where they are defined.
        if let Item::Macro(item) = item {
            self.visit_macro(&item.mac);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Verbatim(tokens) => self.tokens(tokens.clone()),
            expr => visit::visit_expr(self, expr),
        }
    }

    // No variable can be named in these.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_angle_bracketed_generic_arguments(&mut self, _: &'ast syn::AngleBracketedGenericArguments) {}
}

fn bound_by(pat: &Pat) -> HashSet<String> {
    struct Bound(HashSet<String>);
    impl<'ast> Visit<'ast> for Bound {
        fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
            self.0.insert(key(&pat.ident));
            visit::visit_pat_ident(self, pat);
        }
        fn visit_expr(&mut self, _: &'ast Expr) {}
    }
    let mut bound = Bound(HashSet::new());
    bound.visit_pat(pat);
    bound.0
}

/// The names of values that an item of a block declares.
fn declared_by(statement: &Stmt) -> Vec<String> {
    let Stmt::Item(item) = statement else { return Vec::new() };
    match item {
        Item::Fn(item) => vec![key(&item.sig.ident)],
        Item::Const(item) => vec![key(&item.ident)],
        Item::Static(item) => vec![key(&item.ident)],
        Item::Struct(item) if item.semi_token.is_some() => vec![key(&item.ident)],
        Item::Use(item) => imported_by(&item.tree),
        _ => Vec::new(),
    }
}

fn imported_by(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => imported_by(&path.tree),
        UseTree::Name(name) => vec![key(&name.ident)],
        UseTree::Rename(rename) => vec![key(&rename.rename)],
        UseTree::Group(group) => group.items.iter().flat_map(imported_by).collect(),
        _ => Vec::new(),
    }
}

/// Whether a name in a macro call is certainly no variable: `.one`, `::one`, `'one`, `one::`, `one(..)`, `one!`.
fn is_elsewhere(before: &[TokenTree], behind: &[TokenTree]) -> bool {
    let preceded = match before {
        // `..one` is a range.
        [.., first, second] if is(second, '.') => !is_joint(first, '.'),
        [.., first, second] if is(second, ':') => is_joint(first, ':'),
        [.., last] => is(last, '.') || is_joint(last, '\''),
        [] => false,
    };
    preceded
        || match behind {
            [first, second, ..] if is_joint(first, ':') => is(second, ':'),
            [TokenTree::Group(group), ..] => group.delimiter() == Delimiter::Parenthesis,
            // `one != two` is a comparison.
            [first, ..] => is(first, '!') && !is_joint(first, '!'),
            [] => false,
        }
}

fn is(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_joint(token: &TokenTree, char: char) -> bool {
    is(token, char) && matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint)
}

/// The names in a format string: `{one}`, `{one:?}`, and the width and precision of `{:one$.two$}`.
fn captured_by(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let (name, spec) = rest[..close].split_once(':').unwrap_or((&rest[..close], ""));
        names.push(name.trim().to_owned());
        let mut parts: Vec<&str> = spec.split('$').collect();
        // What stands behind the last `$` is no name.
        parts.pop();
        names.extend(parts.into_iter().map(|part| trailing_name(part).to_owned()));
        rest = &rest[close + 1..];
    }
    names
}

/// The `width` in `>08width`.
fn trailing_name(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    text[start..].trim_start_matches(|c: char| c.is_ascii_digit())
}
