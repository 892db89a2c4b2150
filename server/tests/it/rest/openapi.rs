//! The documentation of the REST API.

use haat_shared::routes::REST;

use super::Robot;
use crate::program::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_documented_without_anything_from_elsewhere() {
    let program = Program::serve(On::Sqlite).await;
    let robot = Robot::new(&program);
    let document = robot.get(&program.at("/api/openapi.json")).await.is(200);
    assert_eq!(document.text("/openapi"), "3.1.0");
    let response = robot.client.get(program.at("/api/docs")).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    let page = response.text().await.unwrap();
    for route in REST {
        assert!(page.contains(&format!("<code>{} {}</code>", route.method, route.path)), "{}", route.path);
    }
    for code in
        ["not_found", "idempotency_key_missing", "precondition_failed", "out_of_stock", "rate_limited"]
    {
        assert!(page.contains(&format!("id=\"{code}\"")), "{code}");
    }
    for outside in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    program.close();
}
