//! The fake of Stripe as a program, for browsers: `haat-fakes PORT WEBHOOK_URL`.

#[tokio::main]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(webhook)) = (arguments.next().and_then(|port| port.parse().ok()), arguments.next())
    else {
        return Err("usage: haat-fakes PORT WEBHOOK_URL".into());
    };
    let stripe = haat_fakes::stripe::Stripe::start("sk_test_fake", "whsec_fake", port).await;
    stripe.webhooks_to(&webhook);
    stripe.deliver_automatically();
    std::future::pending().await
}
