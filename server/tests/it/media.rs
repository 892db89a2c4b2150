//! Picture files and picture uploads over HTTP.

use haat_shared::media::BYTES_MAX;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::program::*;

/// The URL of a picture on a page.
async fn picture_on(shopper: &Shopper, page: &str) -> String {
    let (_, html) = shopper.get(page).await;
    let at = html.find("/media/media_").expect("a picture");
    let address: String = html[at..].chars().take_while(|c| !matches!(c, ' ' | '"')).collect();
    assert!(address.ends_with(".webp") || address.ends_with(".jpg"), "{address}");
    address
}

async fn signed_in(program: &Program, email: &str) -> Shopper {
    let shopper = Shopper::new(program);
    let form = [("email", email), ("password", "market-day-2026"), ("next", "/account")];
    assert_eq!(shopper.post("/sign-in", &form).await, "/account");
    shopper
}

/// A photo of 640 × 480 pixels.
fn photo() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = image::RgbImage::from_fn(640, 480, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    pixels.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// Uploads a file as a browser's form does. Returns the status and the response.
async fn send(program: &Program, shopper: &Shopper, shop: &str, field: &str, bytes: &[u8]) -> (u16, Value) {
    send_to(program, shopper, &format!("/seller/{shop}/media"), field, bytes).await
}

async fn send_to(
    program: &Program,
    shopper: &Shopper,
    path: &str,
    field: &str,
    bytes: &[u8],
) -> (u16, Value) {
    let head = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\nA lamp\r\n--edge\r\nContent-Disposition: \
         form-data; name=\"{field}\"; filename=\"../../etc/lamp.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, b"\r\n--edge--\r\n"].concat();
    let request = shopper.client.post(program.at(path));
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge").body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

/// Drawing the pictures takes longer than both.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_shown_whole_and_served_for_good() {
    let program = Program::with_pictures(On::Sqlite).await;
    files_are_served_for_good(&program).await;
    pages_show_pictures_whole(&program).await;
    program.close();
}

async fn files_are_served_for_good(program: &Program) {
    let shopper = Shopper::new(program);
    let address = picture_on(&shopper, "/shops/meena-crafts").await;
    let small = format!("{}-320", address.rsplit_once('-').unwrap().0);
    for (end, mime, begins) in [("webp", "image/webp", &b"RIFF"[..]), ("jpg", "image/jpeg", b"\xFF\xD8\xFF")]
    {
        let url = program.at(&format!("{small}.{end}"));
        let response = shopper.client.get(&url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header(header::CONTENT_TYPE), mime);
        assert_eq!(header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(response.headers().get(header::SET_COOKIE).is_none());
        let tag = header(header::ETAG);
        assert!(response.bytes().await.unwrap().starts_with(begins));
        for (known, status) in [(tag.as_str(), StatusCode::NOT_MODIFIED), ("\"another\"", StatusCode::OK)] {
            let again = shopper.client.get(&url).header(header::IF_NONE_MATCH, known).send().await.unwrap();
            assert_eq!(again.status(), status, "{known}");
            assert_eq!(again.headers().get(header::ETAG).unwrap().to_str().unwrap(), tag);
        }
    }
    for missing in [
        format!("{small}.png"),
        format!("{small}.webp.br"),
        small.replace("-320", "-321.webp"),
        "/media/media_00000000000000000000000001-320.webp".into(),
        "/media/".into(),
        "/media/..%2F..%2Fhaat.db".into(),
        "/media/%2e%2e/haat.db".into(),
        "/media/..%5Chaat.db".into(),
        "/media/%00".into(),
        "/media/%ff".into(),
    ] {
        let status = shopper.get(&missing).await.0;
        assert!(status == StatusCode::NOT_FOUND || status == StatusCode::BAD_REQUEST, "{missing}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_send_pictures_and_nobody_else() {
    on_both(async |on| {
        let program = Program::serve(on).await;
        let owner = signed_in(&program, "meena@haat.example").await;
        let stranger = signed_in(&program, "delta@haat.example").await;
        let guest = Shopper::new(&program);
        let shopper = Shopper::new(&program);
        let form = [("name", "Asha"), ("email", "asha@example.com"), ("password", "long enough")];
        shopper.post("/sign-up", &form).await;

        let picture = photo();
        // Larger than any other route accepts, with trailing data.
        let big = [&picture[..], &vec![b'x'; 1_000_000]].concat();
        let (status, answer) = send(&program, &owner, "meena-crafts", "picture", &big).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["width"], 640);
        let made = format!("/media/{}-320.webp", answer["id"].as_str().unwrap());
        let file = guest.client.get(program.at(&made)).send().await.unwrap();
        assert_eq!(file.status(), StatusCode::OK, "{made}");
        let again = send(&program, &owner, "meena-crafts", "picture", &big).await;
        assert_eq!(again, (201, answer.clone()), "uploaded twice, stored once");

        let moves = include_bytes!("../../gateways/fixtures/animated.webp");
        for _ in 0..2 {
            let (status, answer) = send(&program, &owner, "meena-crafts", "picture", moves).await;
            assert_eq!((status, &answer["animated"]), (201, &Value::from(true)), "{answer}");
        }
        assert_eq!(answer.get("animated"), None);

        for (who, client, status, code) in [
            ("a guest", &guest, 401, "sign_in_needed"),
            ("a shopper", &shopper, 404, "not_found"),
            ("another shop's owner", &stranger, 404, "not_found"),
        ] {
            // The answer comes before the file has been read. A long one could still be on its way then.
            let refused = send(&program, client, "meena-crafts", "picture", b"x").await;
            assert_eq!(refused, (status, Value::from(code)), "{who}");
        }
        assert_eq!(send(&program, &owner, "no-such-shop", "picture", b"x").await.0, 404);
        let heavy = vec![0xFF; BYTES_MAX + 1];
        for (what, field, bytes, code) in [
            ("a GIF", "picture", &b"GIF89a"[..], "not_a_picture"),
            ("a program", "picture", b"\x7FELF", "not_a_picture"),
            ("a HEIC", "picture", include_bytes!("../../gateways/fixtures/phone.heic"), "picture_heic"),
            ("an SVG", "picture", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "not_a_picture"),
            ("half a picture", "picture", &picture[..picture.len() / 2], "picture_broken"),
            ("too much", "picture", &heavy, "picture_too_heavy"),
            ("nothing", "picture", b"", "missing"),
            ("another field", "photo", &picture, "missing"),
        ] {
            let (status, answer) = send(&program, &owner, "meena-crafts", field, bytes).await;
            let said = &answer["invalid"][0]["code"];
            let name = said.as_object().and_then(|limit| limit.keys().next()).map(String::as_str);
            assert_eq!((status, said.as_str().or(name)), (422, Some(code)), "{what}");
            assert_eq!(answer["invalid"][0]["field"], "picture");
        }
        let logo = "/seller/meena-crafts/media?purpose=logo";
        let heavy = vec![0xFF; 5 * 1024 * 1024];
        let (status, answer) = send_to(&program, &owner, logo, "picture", &heavy).await;
        let limit = json!({"picture_too_heavy": 4 * 1024 * 1024});
        assert_eq!((status, &answer["invalid"][0]["code"]), (422, &limit));
        let (status, answer) = send_to(&program, &owner, logo, "picture", &picture).await;
        assert_eq!((status, &answer["width"]), (201, &json!(640)), "{answer}");
        for other in ["avatar", "category_picture", "nothing"] {
            let path = format!("/seller/meena-crafts/media?purpose={other}");
            let (status, answer) = send_to(&program, &owner, &path, "picture", b"x").await;
            assert_eq!((status, &answer["invalid"][0]["field"]), (422, &Value::from("purpose")), "{other}");
        }
        let plain = owner.try_post("/seller/meena-crafts/media", &[("picture", "x")]).await.unwrap();
        assert_eq!(plain.status(), StatusCode::UNPROCESSABLE_ENTITY, "not a form with files");
        let foreign = owner.client.post(program.at("/seller/meena-crafts/media"));
        let foreign = foreign.header("sec-fetch-site", "cross-site").send().await.unwrap();
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
        program.close();
    })
    .await;
}

/// The complete markup of a picture without scripts: both formats, dimensions to reserve space, its colour.
async fn pages_show_pictures_whole(program: &Program) {
    let shopper = Shopper::new(program);
    let slugs = shopper.slugs("/shops/meena-crafts", 99).await;
    let slug = slugs.iter().find(|s| s.starts_with("set-of-six")).unwrap();
    let (_, page) = shopper.get(&format!("/p/{slug}")).await;
    for part in [
        "type=\"image/webp\"",
        "960w",
        "width=\"960\"",
        "height=\"960\"",
        "fetchpriority=\"high\"",
        "loading=\"lazy\"",
        "<rect width=\"100%\" height=\"100%\" fill=\"#",
        "role=\"radiogroup\"",
        "alt=\"Set of six tea cups\"",
        "aria-label=\"Image 2 of 2\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(" style="), "the policy forbids it");
    shopper.add(&shopper.variant_at(slug).await, "1").await;
    let (_, cart) = shopper.get("/cart").await;
    assert!(cart.contains("sizes=\"88px\""));
    let checkout = shopper.post("/checkout", &[]).await;
    assert!(shopper.get(&checkout).await.1.contains("sizes=\"48px\""));
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    assert!(shopper.get(&purchase).await.1.contains("sizes=\"48px\""));
}
