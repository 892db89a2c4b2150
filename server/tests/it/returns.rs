//! A request for a return with pictures, as a browser without JavaScript sends it.

use reqwest::{StatusCode, header};

use crate::{program::*, rest::png};

/// Sends a form with files; returns the redirect's target.
async fn send(shopper: &Shopper, url: &str, fields: Fields<'_>, files: &[Vec<u8>]) -> String {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for file in files {
        body.extend_from_slice(
            b"--edge\r\nContent-Disposition: form-data; name=\"pictures\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n",
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let request = shopper.client.post(url).header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    location(&response)
}

/// The URL of a picture on a page.
fn picture_on(page: &str) -> String {
    let at = page.find("/images/media_").expect("a picture");
    let begin = page[..at].rfind('"').unwrap() + 1;
    page[begin..].split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_asked_for_with_pictures() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let variant = shopper.variant("meena-crafts", 0).await;
    let purchase = shopper.buy_by_card(&[variant]).await;
    let number = purchase.trim_start_matches("/purchases/").split('?').next().unwrap().to_owned();
    let order = format!("{number}-1");
    let meena = Shopper::new(&program);
    let form = [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    meena.post("/sign-in", &form).await;
    let at_shop = format!("/seller/meena-crafts/orders/{order}");
    let parcel =
        [("action", "ship"), ("carrier", "India Post"), ("tracking_number", "RX1"), ("tracking_url", "")];
    meena.post(&at_shop, &[("action", "confirm")]).await;
    meena.post(&at_shop, &parcel).await;
    meena.post(&at_shop, &[("action", "deliver")]).await;
    let key = purchase.split("key=").nth(1).unwrap_or_default().split('&').next().unwrap().to_owned();
    let url = program.at(&format!("/purchases/{number}/returns"));
    let fields = |reason| {
        vec![
            ("key", key.as_str()),
            ("order", order.as_str()),
            ("action", "return"),
            ("once", "0"),
            ("line.0", "1"),
            ("reason", reason),
            ("note", "Chipped"),
        ]
    };
    // Without a reason, it is shown again; the picture is kept.
    let again = send(&shopper, &url, &fields(""), &[png(40)]).await;
    assert!(again.contains("draft="), "{again}");
    let (_, page) = shopper.get(&again).await;
    let kept = page
        .split("name=\"kept\" value=\"")
        .nth(1)
        .expect("a field")
        .split('"')
        .next()
        .unwrap()
        .trim()
        .to_owned();
    assert!(kept.starts_with("media_"), "{kept}");
    // Something else than a picture is refused at its field.
    let again = send(&shopper, &url, &fields("damaged"), &[b"GIF89a".to_vec()]).await;
    assert!(again.contains("draft="), "{again}");
    let mut fields = fields("damaged");
    fields.push(("kept", kept.as_str()));
    let done = send(&shopper, &url, &fields, &[png(50)]).await;
    assert!(done.contains("done=return"), "{done}");
    let (_, page) = shopper.get(&purchase).await;
    assert_eq!(page.matches("class=\"return-pictures\"").count(), 1);
    let picture = picture_on(&page);
    assert!(picture.contains(&format!("/purchases/{number}/images/")), "{picture}");
    let seen = shopper.client.get(program.at(&picture)).send().await.unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
    assert!(seen.headers()[header::CACHE_CONTROL].to_str().unwrap().starts_with("private"));
    // Only by the purchase's link, and by its shop.
    let (stranger, file) =
        (Shopper::new(&program), picture.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned());
    for path in [
        picture.split('?').next().unwrap().to_owned(),
        format!("/media/{file}"),
        format!("{at_shop}/images/{file}"),
    ] {
        let (status, _) = stranger.get(&path).await;
        assert_ne!(status, StatusCode::OK, "{path}");
    }
    let (status, page) = meena.get(&at_shop).await;
    assert_eq!((status, page.matches("class=\"return-pictures\"").count()), (StatusCode::OK, 1));
    let seen = meena.client.get(program.at(&picture_on(&page))).send().await.unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
}
