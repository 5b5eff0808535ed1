//! What tests of reactors need: reactors and graphs without a broker, and hand-ins to call a handler with.
//!
//! A handler is a function, so most tests just call it; [`context`] and [`sent`] make the parameters that only fusion
//! can make otherwise. [`Tester`] runs a reactor with its graph, in this process and without a broker, and answers its
//! requests from closures, or by other reactors.
//!
//! ```
//! use fusion::{prelude::*, testing::Tester};
//!
//! #[contract(topic = "price")]
//! fn price(article: String) -> u64;
//!
//! #[reactor(topic = "offer", deps! < price: "price"(article) >)]
//! async fn offer(article: String, price: u64) -> String {
//!     format!("{article} for {price}")
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let tester = Tester::new().answer::<price>(|article| article.len() as u64);
//! assert_eq!(tester.run::<offer>(("tea",)).await.unwrap(), "tea for 3");
//! assert_eq!(tester.asked::<price>(), ["tea"]);
//! # }
//! ```

mod arguments;
mod doubles;
mod run;
mod tester;
mod values;

pub use arguments::Arguments;
pub use run::TestRun;
pub use tester::Tester;
pub use values::{ContextBuilder, SentBuilder, context, sent};
