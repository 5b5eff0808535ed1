//! A pipeline inside a web server: one route asks two topics and answers, the other sends an event and says where it
//! was written.
//!
//! `cargo run --example http_api` starts on a free port, calls both routes once, prints what they answered and stops.
//! `cargo run --example http_api serve` goes on until Ctrl-C, on port 3000, or on the address given behind it.

use std::{error::Error, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    http::StatusCode,
    routing::{get, post},
};
use fusion::{Code, Position, prelude::*};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What an article costs, in cents.
#[reactor(topic = "price_of")]
fn price_of(article: String) -> Result<u64, Failure> {
    match &*article {
        "tea" => Ok(450),
        "cup" => Ok(900),
        _ => Err(Failure::new("no_such_article", format!("we do not sell {article}")).not_retryable()),
    }
}

#[reactor(topic = "times")]
fn times(price: u64, count: u64) -> Option<u64> {
    price.checked_mul(count)
}

#[derive(Debug, Serialize, Deserialize)]
struct Purchase {
    article: String,
    count: u64,
}

/// Handles what was bought. It has no `->`: nobody waits for it.
#[reactor(topic = "purchases")]
fn purchases(bought: Purchase, cx: Context) {
    println!("the reactor: {} of {}, from {}", bought.count, bought.article, cx.topic());
}

#[derive(Serialize)]
struct Quote {
    price: u64,
    total: Option<u64>,
}

/// `GET /quotes/tea/3`: the answers of two topics, of which the second needs the first.
async fn quote(
    Shared(pipeline): Shared<Pipeline>,
    Path((article, count)): Path<(String, u64)>,
) -> Result<Json<Quote>, (StatusCode, String)> {
    let graph = deps! { price: "price_of"(article); total: "times"(count) <- cons(price) };
    let answers = pipeline.run(graph).await.map_err(refused)?;
    Ok(Json(Quote { price: answers.price, total: answers.total }))
}

/// `POST /purchases`: accepted as soon as it is written.
async fn buy(
    Shared(pipeline): Shared<Pipeline>,
    Json(bought): Json<Purchase>,
) -> Result<(StatusCode, Json<Position>), (StatusCode, String)> {
    let key = bought.article.clone();
    match pipeline.send::<purchases>((bought,)).key(&key).await {
        Ok(position) => Ok((StatusCode::ACCEPTED, Json(position))),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// What the web is told when a request has no answer.
fn refused(error: CallError) -> (StatusCode, String) {
    let status = match error.code() {
        Code::Other(code) if &**code == "no_such_article" => StatusCode::NOT_FOUND,
        Code::Timeout | Code::Deadline => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    (status, error.message().to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let serve = arguments.next().as_deref() == Some("serve");
    let address = match (serve, arguments.next()) {
        (true, address) => address.unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
        (false, _) => "127.0.0.1:0".to_owned(),
    };

    let config = Config::from_env_or_embedded()?;
    let app =
        App::new("web-shop", config.clone()).reactors(reactors![price_of, times, purchases]).start().await?;
    let pipeline = Pipeline::connect("http-api", config).await?;

    let routes = Router::new()
        .route("/quotes/{article}/{count}", get(quote))
        .route("/purchases", post(buy))
        .with_state(pipeline.clone());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());
    if serve {
        tokio::signal::ctrl_c().await?;
    } else {
        let mut handled = app.results::<purchases>();
        call(address, "GET", "/quotes/tea/3", "").await?;
        call(address, "GET", "/quotes/moon/1", "").await?;
        call(address, "POST", "/purchases", r#"{"article":"tea","count":3}"#).await?;
        // On a shared cluster another instance may have got it.
        let _ = tokio::time::timeout(Duration::from_secs(10), handled.next()).await;
    }
    let _ = stop.send(());
    server.await??;

    pipeline.close().await?;
    app.shutdown().await?;
    Ok(())
}

/// One HTTP request, by hand: what came back is printed.
async fn call(
    address: std::net::SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> Result<(), Box<dyn Error>> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let status = response.lines().next().unwrap_or_default();
    let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    println!("{method} {path}\n  {status}\n  {body}");
    Ok(())
}
