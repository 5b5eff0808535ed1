//! What cannot stand in a node's expression, because the expression is moved to another place: jumps out of it,
//! `.await`, and `let` as a condition.

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lifetime, Token};

use crate::report::Report;

/// Reports what would leave `expr`. Inside of closures, `async` blocks and items it leaves only those.
pub(super) fn check(expr: &Expr, report: &mut Report) {
    Flow { report, exits: Vec::new(), in_try: false }.visit_expr(expr);
}

struct Flow<'a> {
    report: &'a mut Report,
    /// What `break` and `continue` can mean, the innermost last.
    exits: Vec<Exit>,
    in_try: bool,
}

struct Exit {
    label: Option<Lifetime>,
    /// Not a labelled block.
    is_loop: bool,
}

impl Flow<'_> {
    fn within(&mut self, label: Option<&syn::Label>, is_loop: bool, visit: impl FnOnce(&mut Self)) {
        self.exits.push(Exit { label: label.map(|label| label.name.clone()), is_loop });
        visit(self);
        self.exits.pop();
    }

    fn jump(&mut self, word: &str, token: impl quote::ToTokens, label: Option<&Lifetime>) {
        match label {
            None if !self.exits.iter().any(|target| target.is_loop) => {
                self.report.error(token, format!("`{word}` cannot leave a node: there is no loop in it"));
            }
            Some(label) if !self.exits.iter().any(|target| target.label.as_ref() == Some(label)) => {
                self.report
                    .error(label, format!("`{word}` cannot leave a node: there is no `{label}` in it"));
            }
            _ => {}
        }
    }

    /// An expression that may use `let`.
    fn condition(&mut self, expr: &Expr) {
        match expr {
            Expr::Let(condition) => self.visit_expr(&condition.expr),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
                self.condition(&both.left);
                self.condition(&both.right);
            }
            Expr::Group(group) => self.condition(&group.expr),
            other => self.visit_expr(other),
        }
    }
}

impl<'ast> Visit<'ast> for Flow<'_> {
    fn visit_expr_try(&mut self, expr: &'ast syn::ExprTry) {
        if !self.in_try {
            let message = "`?` cannot leave a node: handle the failure here, as `unwrap_or` does";
            self.report.error(expr.question_token, message);
        }
        self.visit_expr(&expr.expr);
    }

    fn visit_expr_try_block(&mut self, expr: &'ast syn::ExprTryBlock) {
        let outside = std::mem::replace(&mut self.in_try, true);
        self.visit_block(&expr.block);
        self.in_try = outside;
    }

    fn visit_expr_return(&mut self, expr: &'ast syn::ExprReturn) {
        let message = "`return` cannot leave a node: the value of the expression is what it gives";
        self.report.error(expr.return_token, message);
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        let message = "a node cannot `.await`: do it in the handler, or make it a request of its own";
        self.report.error(expr.await_token, message);
        self.visit_expr(&expr.base);
    }

    fn visit_expr_break(&mut self, expr: &'ast syn::ExprBreak) {
        self.jump("break", expr.break_token, expr.label.as_ref());
        visit::visit_expr_break(self, expr);
    }

    fn visit_expr_continue(&mut self, expr: &'ast syn::ExprContinue) {
        self.jump("continue", expr.continue_token, expr.label.as_ref());
    }

    fn visit_expr_let(&mut self, expr: &'ast syn::ExprLet) {
        let message = "`let` cannot be a condition here: write `matches!(..)`, `.is_some()` or `.is_ok()`";
        self.report.error(expr.let_token, message);
        self.visit_expr(&expr.expr);
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.condition(&expr.cond);
        self.visit_block(&expr.then_branch);
        if let Some((_, otherwise)) = &expr.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_pat_guard(&mut self, pat: &'ast syn::PatGuard) {
        self.condition(&pat.guard);
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.within(expr.label.as_ref(), true, |flow| {
            flow.condition(&expr.cond);
            flow.visit_block(&expr.body);
        });
    }

    fn visit_expr_loop(&mut self, expr: &'ast syn::ExprLoop) {
        self.within(expr.label.as_ref(), true, |flow| flow.visit_block(&expr.body));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.visit_expr(&expr.expr);
        self.within(expr.label.as_ref(), true, |flow| flow.visit_block(&expr.body));
    }

    fn visit_expr_block(&mut self, expr: &'ast syn::ExprBlock) {
        self.within(expr.label.as_ref(), false, |flow| flow.visit_block(&expr.block));
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Most macros take expressions; of the others nothing is known.
        if let Ok(args) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            args.iter().for_each(|arg| self.visit_expr(arg));
        }
    }

    // These are left by their own `return`, `?` and `break`.
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
