//! The fakes as a program, for browsers and demos: `haat-fakes PROVIDER PORT WEBHOOK_URL`, or several of these.

use haat_fakes::{common::Books, common::Fake, paypal::PayPal, razorpay::Razorpay, stripe::Stripe};

fn deliver<B: Books>(fake: &Fake<B>, webhook: &str) {
    fake.webhooks_to(webhook);
    fake.deliver_automatically();
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || "usage: haat-fakes {stripe|paypal|razorpay PORT WEBHOOK_URL}…".to_owned();
    let (fakes, rest) = arguments.as_chunks();
    if fakes.is_empty() || !rest.is_empty() {
        return Err(usage());
    }
    for [provider, port, webhook] in fakes {
        let port = port.parse().map_err(|_| usage())?;
        match provider.as_str() {
            "stripe" => deliver(&Stripe::start("sk_test_fake", "whsec_fake", port).await, webhook),
            "paypal" => deliver(&PayPal::start("app", "hush", "1WEBHOOK", port).await, webhook),
            "razorpay" => {
                deliver(&Razorpay::start("rzp_test_fake", "hush", "webhook-hush", port).await, webhook)
            }
            _ => return Err(usage()),
        }
    }
    std::future::pending().await
}
