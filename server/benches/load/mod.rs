//! Clients that put load on a program, each with one keep-alive connection and one request at a time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;

pub const CLIENTS: usize = 8;
pub const SECONDS: u64 = 5;

/// A keep-alive connection.
pub struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    port: u16,
}

impl Line {
    pub async fn open(port: u16) -> Self {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, port }
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Bytes {
        let mut request =
            Request::builder().method(method).uri(path).header("host", format!("localhost:{}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        body
    }

    /// Requests a path and returns the body.
    pub async fn get(&mut self, path: &str) -> Bytes {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Sends JSON with additional headers, or no body for null; returns the JSON received.
    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        serde_json::from_slice(&self.send(Method::POST, path, &all, body).await).unwrap()
    }
}

/// The CPU time that a process has used, in seconds.
fn processor_s(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name, which may contain spaces: utime and stime are the 12th and 13th, in hundredths.
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    ticks.map(|t| t.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Repeats every client's step for a while, and prints a row of the results. A step returns the number of
/// bytes received.
pub async fn measure<C, F>(
    what: &str,
    process: u32,
    clients: Vec<C>,
    step: impl Fn(C) -> F + Clone + Send + 'static,
) where
    C: Send + 'static,
    F: Future<Output = (C, usize)> + Send + 'static,
{
    let worked = processor_s(process);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let clients = clients.into_iter().map(|mut client| {
        let step = step.clone();
        tokio::spawn(async move {
            let (mut times, mut bytes) = (Vec::new(), 0);
            loop {
                let asked = Instant::now();
                if asked > until {
                    return (times, bytes);
                }
                let came;
                (client, came) = step(client).await;
                bytes += came;
                times.push(asked.elapsed());
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for client in clients {
        let (t, b) = client.await.unwrap();
        times.extend(t);
        bytes += b;
    }
    let (count, passed) = (times.len() as f64, begun.elapsed().as_secs_f64());
    times.sort();
    println!(
        "{what:<32} {:>7.0}/s  p50 {:>6.2} ms  p95 {:>6.2} ms  {:>7.0} per CPU-second  {:>7.1} kB",
        count / passed,
        percentile(&times, 50),
        percentile(&times, 95),
        count / (processor_s(process) - worked),
        bytes as f64 / count / 1e3
    );
}

/// In milliseconds.
pub fn percentile(sorted: &[Duration], of_hundred: usize) -> f64 {
    sorted[(sorted.len() - 1) * of_hundred / 100].as_secs_f64() * 1e3
}
