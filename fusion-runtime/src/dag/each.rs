//! `for`: one request per item, all at the same time.

use std::future::Future;

use futures_util::stream::{FuturesOrdered, StreamExt};

use super::{CallError, Stored};

/// Asks for every item and collects the answers in the items' order. The first failure cancels the rest.
pub async fn each<I, F, A, T>(items: I, mut ask: F) -> Result<Stored<Vec<T>>, CallError>
where
    I: IntoIterator,
    F: FnMut(u32, I::Item) -> A,
    A: Future<Output = Result<Stored<T>, CallError>>,
{
    let mut pending: FuturesOrdered<A> = items.into_iter().zip(0..).map(|(item, n)| ask(n, item)).collect();
    let mut stored = Stored::otherwise(Vec::with_capacity(pending.len()));
    while let Some(outcome) = pending.next().await {
        let mut answer = outcome?;
        stored.value.push(answer.value);
        stored.sent.push(answer.sent.pop().flatten());
    }
    Ok(stored)
}
