//! A reactor without its types: what a partition's worker calls.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use serde::{Deserialize, Deserializer};

use crate::{
    contract::{Contract, Envelope, Wire},
    failure::{Code, Failure},
    reactor::{HandIns, Reactor, ReactorSpec, Run, Writable},
    record::{
        codec::{Codec, CodecError, Format},
        wire,
    },
};

/// What a run leaves behind: the encoded value, if anybody wants it.
pub(crate) type Ran = Result<Option<Vec<u8>>, Failure>;

/// A run that did not end at once.
pub(crate) type Running = Pin<Box<dyn Future<Output = Ran> + Send>>;

/// A run that was started.
pub(crate) enum Started {
    Done(Ran),
    Pending(Running),
}

/// The value of a record, ready to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The payload; with fusion-clj's envelope, what is inside it.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) format: Format,
}

/// A reactor of an app, of which every partition's worker makes a [`Runner`].
pub(crate) trait AnyReactor: Send + Sync {
    fn spec(&self) -> &'static ReactorSpec;
    /// Whether it has a graph, and needs a caller.
    fn calls(&self) -> bool;
    fn runner(&self) -> Box<dyn Runner>;
}

/// Runs one reactor, one record after the other.
pub(crate) trait Runner: Send {
    /// Starts a run and polls it once, in place: what ends at once, as most handlers without a graph do, costs
    /// no allocation. `encode` says in which format its value is wanted.
    fn start(
        &mut self,
        run: &Run<'_>,
        input: Input<'_>,
        encode: Option<Format>,
        cx: &mut Context<'_>,
    ) -> Started;
}

/// The only implementation of [`AnyReactor`].
pub(crate) struct Typed<R>(std::marker::PhantomData<fn() -> R>);

impl<R> Typed<R> {
    pub(crate) const fn new() -> Self {
        Typed(std::marker::PhantomData)
    }
}

impl<R: Reactor> AnyReactor for Typed<R> {
    fn spec(&self) -> &'static ReactorSpec {
        &R::SPEC
    }

    fn calls(&self) -> bool {
        R::HandIns::CALLS
    }

    fn runner(&self) -> Box<dyn Runner> {
        typed_runner::<R, _>(R::run)
    }
}

/// Gives the handler's future a name, `F`.
fn typed_runner<R, F>(handler: fn(R::Payload, R::HandIns) -> F) -> Box<dyn Runner>
where
    R: Reactor,
    F: Future<Output = Result<R::Value, Failure>> + Send + 'static,
{
    Box::new(TypedRunner::<R, F> { handler, seat: Seat::new() })
}

struct TypedRunner<R: Reactor, F> {
    handler: fn(R::Payload, R::HandIns) -> F,
    seat: Seat<F>,
}

/// Where a run is polled first. Its place is given away with a run that does not end there.
pub(crate) struct Seat<F>(Pin<Box<Place<F>>>);

impl<F, V> Seat<F>
where
    F: Future<Output = Result<V, Failure>> + Send + 'static,
    V: Writable,
{
    pub(crate) fn new() -> Self {
        Seat(Box::pin(Place { attempt: None }))
    }

    /// Calls a handler, and polls once what it returns.
    pub(crate) fn start(
        &mut self,
        call: impl FnOnce() -> F,
        encode: Option<Format>,
        cx: &mut Context<'_>,
    ) -> Started {
        // A handler that is not `async` runs inside this call, so it may panic here already.
        let handler = match catch_unwind(AssertUnwindSafe(call)) {
            Ok(handler) => handler,
            Err(panic) => return Started::Done(Err(panicked(&*panic))),
        };
        self.0.as_mut().project().attempt.set(Some(Attempt { handler, encode }));
        match self.0.as_mut().poll(cx) {
            Poll::Ready(ran) => Started::Done(ran),
            Poll::Pending => {
                let place = std::mem::replace(&mut self.0, Box::pin(Place { attempt: None }));
                Started::Pending(place)
            }
        }
    }
}

pin_project! {
    /// Room for one run.
    struct Place<F> {
        #[pin]
        attempt: Option<Attempt<F>>,
    }

    impl<F> PinnedDrop for Place<F> {
        // A run that is given up. A panic would end the worker, and with it the whole partition.
        fn drop(this: Pin<&mut Self>) {
            let mut attempt = this.project().attempt;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| attempt.set(None))) {
                tracing::error!("{}, when it was given up", panicked(&*panic).message());
            }
        }
    }
}

pin_project! {
    struct Attempt<F> {
        #[pin]
        handler: F,
        encode: Option<Format>,
    }
}

impl<R, F> Runner for TypedRunner<R, F>
where
    R: Reactor,
    F: Future<Output = Result<R::Value, Failure>> + Send + 'static,
{
    fn start(
        &mut self,
        run: &Run<'_>,
        input: Input<'_>,
        encode: Option<Format>,
        cx: &mut Context<'_>,
    ) -> Started {
        let inputs = read::<R>(input).and_then(|payload| Ok((payload, hand_ins(run)?)));
        let (payload, hand_ins) = match inputs {
            Ok(inputs) => inputs,
            Err(failure) => return Started::Done(Err(failure)),
        };
        self.seat.start(|| (self.handler)(payload, hand_ins), encode, cx)
    }
}

impl<F, V> Future for Place<F>
where
    F: Future<Output = Result<V, Failure>>,
    V: Writable,
{
    type Output = Ran;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ran> {
        let mut attempt = self.project().attempt;
        let Some(running) = attempt.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(Failure::new(Code::Panic, "a run was polled after its end")));
        };
        let running = running.project();
        let encode = *running.encode;
        let value = match catch_unwind(AssertUnwindSafe(|| running.handler.poll(cx))) {
            Ok(poll) => ready!(poll),
            Err(panic) => Err(panicked(&*panic)),
        };
        // What a handler holds may panic when it is dropped, too.
        let dropped = catch_unwind(AssertUnwindSafe(|| attempt.set(None)));
        Poll::Ready(match (value, dropped) {
            (Ok(_), Err(panic)) => Err(panicked(&*panic)),
            (value, _) => value.and_then(|value| encode.map(|format| encoded(&value, format)).transpose()),
        })
    }
}

fn encoded<V: Writable>(value: &V, format: Format) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // The value may implement `Serialize` by hand, and that may panic.
    catch_unwind(AssertUnwindSafe(|| format.encode(value.written(), &mut bytes)))
        .map_err(|panic| panicked(&*panic))?
        .map_err(|error| Failure::new(Code::Handler, error.to_string()).not_retryable())?;
    Ok(bytes)
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    Failure::new(Code::Panic, format!("the handler panicked: {}", said(panic)))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}

/// What is handed in besides the payload. A key is read by code of the user's, too.
///
/// # Errors
/// When it cannot be read, or that panics.
pub(crate) fn hand_ins<H: HandIns>(run: &Run<'_>) -> Result<H, Failure> {
    catch_unwind(AssertUnwindSafe(|| H::hand_in(run))).unwrap_or_else(|panic| {
        Err(Failure::new(Code::Panic, format!("handing in a parameter panicked: {}", said(&*panic))))
    })
}

/// All payload parameters, through the derived `Deserialize` of none of them.
struct Parameters<R: Reactor>(R::Payload);

impl<'de, R: Reactor> Deserialize<'de> for Parameters<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::read(deserializer).map(Parameters)
    }
}

/// The payload of a record, in whichever of its forms. Types may implement `Deserialize` by hand, and that may panic.
pub(crate) fn read<R: Reactor>(input: Input<'_>) -> Result<R::Payload, Failure> {
    catch_unwind(AssertUnwindSafe(|| read_any::<R>(input))).unwrap_or_else(|panic| {
        Err(Failure::new(Code::Decode, format!("reading the record panicked: {}", said(&*panic))))
    })
}

fn read_any<R: Reactor>(input: Input<'_>) -> Result<R::Payload, Failure> {
    if let Some(payload) = R::ignored() {
        return Ok(payload);
    }
    let decode = |value| input.format.decode_value::<Parameters<R>>(value);
    let payload = decode(input.value).or_else(|error: CodecError| {
        // fusion-clj wraps the only argument in an array, too.
        type Params<R> = <<R as Reactor>::Contract as Contract>::Params;
        let one = <Params<R>>::COUNT == 1 || <Params<R>>::IS_LIST;
        let single = one && R::SPEC.envelope == Envelope::Json;
        input
            .value
            .filter(|_| single)
            .and_then(wire::only_element)
            .and_then(|only| decode(Some(only)).ok())
            .ok_or(error)
    });
    match payload {
        Ok(Parameters(payload)) => Ok(payload),
        Err(error) => Err(Failure::new(Code::Decode, error.to_string())),
    }
}
