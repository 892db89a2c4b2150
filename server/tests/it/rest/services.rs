//! Services and appointments over REST.

use haat_engine::clock::{instant, rfc3339};
use serde_json::{Value, json};

use super::{Answer, MEENA, PASSWORD, Robot, input, offer_service};
use crate::program::*;

/// The day in so many days: `2026-12-03`.
fn in_days(days: i64) -> String {
    let now = haat_engine::Clock::default().now_ms();
    rfc3339(now + days * 86_400_000)[..10].to_owned()
}

fn times_of(slug: &str, day: &str) -> String {
    format!("/services/{slug}/times?from={day}&days=1")
}

fn to(time: &Value) -> Value {
    json!({"provider_id": time["provider_id"], "starts_at": time["starts_at"]})
}

/// The field that is refused, and why.
fn fault(refused: &Answer) -> (String, String) {
    (refused.text("/fields/0/field"), refused.text("/fields/0/code"))
}

/// A guest finds a service, and books it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_found_and_booked_over_rest() {
    on_both(async |on| {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let slug = offer_service(&program, "Pottery lesson").await;
        let day = in_days(3);

        let listed = async |query: &str| {
            let list = guest.get(&format!("/services{query}")).await.is(200).body;
            let found = list["items"].as_array().unwrap().iter().find(|item| item["slug"] == slug).cloned();
            (found, list["towns"].clone())
        };
        let (found, towns) = listed("").await;
        let found = found.unwrap();
        assert_eq!((&found["minutes"], &found["place"]), (&json!(60), &json!("provider")));
        assert_eq!((&found["price"]["amount"], &found["towns"]), (&json!(64_900), &json!(["Nashik"])));
        assert!(towns.as_array().unwrap().contains(&json!("Nashik")), "{towns}");
        assert!(listed(&format!("?town=nashik&day={day}")).await.0.is_some());
        assert!(listed("?town=Delhi").await.0.is_none() && listed("?day=2020-01-01").await.0.is_none());
        for query in ["day=soon", "day=2026-02-30", "words=pot"] {
            let refused = guest.get(&format!("/services?{query}")).await.refuses(422, "invalid");
            assert_eq!(fault(&refused).1, "not_readable", "{query}");
        }

        let service = guest.get(&format!("/services/{slug}")).await.is(200);
        let terms = (&service.body["change_minutes"], &service.body["fee_percent"], &service.body["minutes"]);
        assert_eq!(terms, (&json!(1_440), &json!(50), &json!(60)));
        let provider = (service.text("/providers/0/name"), service.text("/providers/0/zone"));
        assert_eq!(provider, ("Asha Rao".into(), "Asia/Kolkata".into()));
        assert!(service.body["first_free"].is_string(), "{service:?}");
        guest.get("/services/nothing").await.refuses(404, "not_found");

        let free = guest.get(&times_of(&slug, &day)).await.is(200).body["items"].clone();
        let starts: Vec<&str> =
            free.as_array().unwrap().iter().map(|time| time["starts_at"].as_str().unwrap()).collect();
        assert!(starts.len() > 40 && starts.is_sorted(), "{starts:?}");
        assert!(starts.iter().all(|at| at.starts_with(&day) && at.ends_with(":00+05:30")), "{starts:?}");
        let time = free[4].clone();
        let ms = |name: &str| instant(time[name].as_str().unwrap()).unwrap();
        assert_eq!(ms("ends_at") - ms("starts_at"), 3_600_000);
        let id = service.text("/providers/0/id");
        let of_provider = format!("{}&provider_id={id}", times_of(&slug, &day));
        assert_eq!(guest.get(&of_provider).await.is(200).body["items"], free);
        assert!(guest.get(&format!("/services/{slug}/times")).await.is(200).body["items"][0].is_object());
        assert_eq!(guest.get(&times_of(&slug, "2020-01-01")).await.is(200).body["items"], json!([]));
        for (query, field, code) in [
            ("days=0", "days", "not_readable"),
            ("days=32", "days", "not_readable"),
            ("from=tomorrow", "from", "not_readable"),
            ("from=2026-12-03T10:00:00Z", "from", "not_readable"),
            ("provider_id=asha", "provider_id", "not_readable"),
            ("provider_id=prov_00000000000000000000000000", "provider_id", "not_a_choice"),
        ] {
            let refused = guest.get(&format!("/services/{slug}/times?{query}")).await.refuses(422, "invalid");
            assert_eq!(fault(&refused), (field.into(), code.into()), "{query}");
        }
        guest.get("/services/nothing/times").await.refuses(404, "not_found");

        // Into a cart: only what is offered, at a moment that is clear.
        let opened = guest.post("/carts", json!({})).await.is(201);
        let (cart, holder) = (opened.text("/id"), guest.with("haat-cart", opened.text("/token")));
        let path = format!("/carts/{cart}/appointments");
        let new = |starts_at: &str| json!({"service_slug": slug, "provider_id": id, "starts_at": starts_at});
        let start = time["starts_at"].as_str().unwrap();
        let local = &start[..19];
        for unclear in
            [local, &format!("{local}+26:00"), &format!("{local}+09:00[Asia/Kolkata]"), &day, "soon"]
        {
            let refused = holder.post(&path, new(unclear)).await.refuses(422, "invalid");
            assert_eq!(fault(&refused), ("starts_at".into(), "not_readable".into()), "{unclear}");
        }
        // The clock of Nepal says the same a quarter of an hour earlier.
        let elsewhere = format!("{local}+05:45");
        for not_free in ["2020-01-01T10:00:00+05:30", &elsewhere, "2999-01-01T10:00:00Z"] {
            holder.post(&path, new(not_free)).await.refuses(409, "time_taken");
        }
        for (field, value, status, code) in [
            ("provider_id", json!("prov_00000000000000000000000000"), 409, "time_taken"),
            ("service_slug", json!("nothing"), 404, "not_found"),
            ("quantity", json!(2), 422, "invalid"),
            ("starts_at", json!(1_700_000_000_000_i64), 422, "invalid"),
        ] {
            let mut other = new(start);
            other[field] = value;
            holder.post(&path, other).await.refuses(status, code);
        }
        guest.post(&path, new(start)).await.refuses(404, "not_found");

        // The same moment in UTC; then other times replace it.
        let again = holder.with("idempotency-key", "book");
        let utc = rfc3339(ms("starts_at"));
        let booked = again.post(&path, new(&utc)).await.is(201);
        assert_eq!(again.post(&path, new(&utc)).await.is(201).body, booked.body);
        let line = &booked.body["groups"][0]["lines"][0];
        assert_eq!(line["is_service"], true);
        assert!(line["variant_title"].as_str().unwrap().ends_with(" IST, Asha Rao"), "{line}");
        let booked = holder.post(&path, new(starts[6])).await.is(201);
        assert_eq!(booked.body["groups"][0]["lines"].as_array().unwrap().len(), 1);
        holder.post(&path, new(start)).await.is(201);

        // Whoever begins a checkout holds it.
        let checkout = holder.once("/checkouts", input(&cart)).await.is(201).text("/id");
        let opened = guest.post("/carts", json!({})).await.is(201);
        let late = guest.with("haat-cart", opened.text("/token"));
        let late_path = format!("/carts/{}/appointments", opened.text("/id"));
        late.post(&late_path, new(start)).await.refuses(409, "time_taken");
        let paid = holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
        let after = guest.get(&times_of(&slug, &day)).await.is(200).body["items"].clone();
        assert!(after.as_array().unwrap().iter().all(|free| free["starts_at"] != start), "{after}");
        let (number, key) = (paid.text("/purchase/number"), paid.text("/key"));
        let list = format!("/purchases/{number}/appointments");
        let own = guest.get(&format!("{list}?key={key}")).await.is(200);
        assert_eq!(
            (own.text("/items/0/starts_at"), &own.body["items"][0]["ends_at"]),
            (start.into(), &time["ends_at"])
        );
        assert_eq!(own.body["items"].as_array().unwrap().len(), 1);
        guest.get(&list).await.refuses(404, "not_found");
        guest.get(&format!("{list}?key=wrong")).await.refuses(404, "not_found");
        program.close();
    })
    .await;
}

/// A customer moves and cancels appointments, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn customers_move_and_cancel_appointments_over_rest() {
    on_both(async |on| {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let slug = offer_service(&program, "Pottery lesson").await;
        let form = [("name", "Asha"), ("email", "asha.k@haat.example"), ("password", PASSWORD)];
        Shopper::new(&program).post("/sign-up", &form).await;
        let asha = guest.signed_in("asha.k@haat.example").await;
        let free = guest.get(&times_of(&slug, &in_days(3))).await.is(200).body["items"].clone();

        // Paid in cash when it takes place.
        let (number, _) = asha.book(&slug, &free[4]).await;
        let (other, key) = guest.book(&slug, &free[10]).await;
        let of = asha.get(&format!("/purchases/{number}/appointments")).await.is(200);
        let id = of.text("/items/0/id");
        let path = format!("/purchases/{number}/appointments/{id}");
        let seen = asha.get(&path).await.is(200);
        assert_eq!(seen.body, of.body["items"][0]);
        let expected = json!({
            "status": "booked", "service_slug": slug, "zone": "Asia/Kolkata", "order_number": format!("{number}-1"),
            "customer_name": null, "cancellation": {"refund": null, "fee": {"amount": 0, "currency": "INR"}},
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&seen.body[name], value, "{name}");
        }

        let moving = format!("{path}/move");
        asha.post(&moving, to(&free[12])).await.refuses(400, "idempotency_key_missing");
        asha.once(&moving, to(&free[10])).await.refuses(409, "time_taken");
        let mut past = to(&free[12]);
        past["starts_at"] = json!("2020-01-01T10:00:00+05:30");
        asha.once(&moving, past).await.refuses(409, "time_taken");
        let mut unclear = to(&free[12]);
        unclear["starts_at"] = json!(&free[12]["starts_at"].as_str().unwrap()[..19]);
        assert_eq!(fault(&asha.once(&moving, unclear).await.refuses(422, "invalid")).0, "starts_at");
        let incomplete = json!({"starts_at": free[12]["starts_at"]});
        assert_eq!(fault(&asha.once(&moving, incomplete).await.refuses(422, "invalid")).0, "provider_id");
        let moves = asha.with("idempotency-key", "move");
        let moved = moves.post(&moving, to(&free[13])).await.is(200);
        assert_eq!((&moved.body["starts_at"], &moved.body["id"]), (&free[13]["starts_at"], &json!(id)));
        assert_eq!(moves.post(&moving, to(&free[13])).await.is(200).body, moved.body);
        moves.post(&moving, to(&free[16])).await.refuses(409, "key_reused");

        // Another's, at one's own purchase and at theirs.
        let others = format!("/purchases/{other}/appointments");
        let theirs = guest.get(&format!("{others}?key={key}")).await.is(200).text("/items/0/id");
        let nothing = json!({"refund": null});
        for path in [format!("/purchases/{number}/appointments/{theirs}"), format!("{others}/{theirs}")] {
            asha.get(&path).await.refuses(404, "not_found");
            asha.once(&format!("{path}/move"), to(&free[20])).await.refuses(404, "not_found");
            asha.once(&format!("{path}/cancel"), nothing.clone()).await.refuses(404, "not_found");
        }
        guest.get(&path).await.refuses(404, "not_found");
        guest.once(&format!("{others}/{theirs}/move?key={key}"), to(&free[20])).await.is(200);

        // Own ones, the latest first, page by page.
        guest.get("/appointments").await.refuses(401, "sign_in_needed");
        let (second, _) = asha.book(&slug, &free[24]).await;
        let first = asha.get("/appointments?limit=1").await.is(200);
        assert_eq!(first.text("/items/0/purchase_number"), second);
        let rest = asha.get(&format!("/appointments?limit=1&after={}", first.text("/next"))).await.is(200);
        assert_eq!((rest.text("/items/0/purchase_number"), &rest.body["next"]), (number.clone(), &Value::Null));
        for (query, code) in
            [("after=x", "bad_cursor"), ("after=1.x", "bad_cursor"), ("limit=0", "not_readable")]
        {
            let refused = asha.get(&format!("/appointments?{query}")).await.refuses(422, "invalid");
            assert_eq!(fault(&refused).1, code, "{query}");
        }

        let cancel = format!("{path}/cancel");
        let price = json!({"amount": 64_900, "currency": "INR"});
        let wrong = asha.once(&cancel, json!({"refund": price})).await.refuses(422, "invalid");
        assert_eq!(fault(&wrong), ("refund".into(), "differs".into()));
        for _ in 0..2 {
            let gone = asha.once(&cancel, nothing.clone()).await.is(200);
            assert_eq!((gone.text("/status"), &gone.body["cancellation"]), ("cancelled".into(), &Value::Null));
        }
        asha.once(&moving, to(&free[13])).await.refuses(409, "too_late");

        // Paid by card: what would be refunded is said before.
        let (holder, cart) = guest.fill_cart_with(&slug, &free[30]).await;
        let mut card = input(&cart);
        card["payment_method"] = json!("sandbox");
        let checkout = holder.once("/checkouts", card).await.is(201).text("/id");
        let pay = holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200).text("/url");
        let browser = Shopper::new(&program);
        let back = browser.post(&pay, &[("card", "4242 4242 4242 4242")]).await;
        browser.client.get(&back).send().await.unwrap();
        let done = holder.get(&format!("/checkouts/{checkout}")).await.is(200);
        let of = format!("/purchases/{}/appointments", done.text("/purchase/number"));
        let paid = holder.get(&of).await.is(200);
        assert_eq!(paid.body["items"][0]["cancellation"]["refund"], price);
        let cancel = format!("{of}/{}/cancel", paid.text("/items/0/id"));
        let wrong = holder.once(&cancel, nothing).await.refuses(422, "invalid");
        assert_eq!(fault(&wrong).0, "refund");
        let gone = holder.once(&cancel, json!({"refund": price})).await.is(200);
        assert_eq!((gone.text("/status"), &gone.body["fee"]), ("cancelled".into(), &Value::Null));
        program.close();
    })
    .await;
}

/// A shop lists, moves, cancels and marks its appointments.
#[tokio::test(flavor = "multi_thread")]
async fn shops_keep_their_appointments_over_rest() {
    on_both(async |on| {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let slug = offer_service(&program, "Pottery lesson").await;
        let meena = guest.signed_in("meena@haat.example").await;
        let delta = guest.signed_in("delta@haat.example").await;
        let day = in_days(3);
        let free = guest.get(&times_of(&slug, &day)).await.is(200).body["items"].clone();
        for at in [14, 18, 22, 26] {
            guest.book(&slug, &free[at]).await;
        }
        let list = format!("/shops/{MEENA}/appointments");
        let of_day = meena.get(&format!("{list}?day={day}")).await.is(200);
        let starts: Vec<_> =
            of_day.body["items"].as_array().unwrap().iter().map(|own| &own["starts_at"]).collect();
        assert_eq!(starts, [14, 18, 22, 26].map(|at| &free[at]["starts_at"]));
        assert_eq!((of_day.text("/day"), of_day.text("/items/0/customer_name")), (day, "Asha Rao".into()));
        assert_eq!(of_day.body["items"][0]["customer_address"], Value::Null, "it takes place at the shop");
        assert_eq!(meena.get(&list).await.is(200).body["items"], json!([]), "today");
        assert_eq!(fault(&meena.get(&format!("{list}?day=x")).await.refuses(422, "invalid")).0, "day");
        meena.get(&format!("{list}?state=booked")).await.refuses(422, "invalid");
        guest.get(&list).await.refuses(401, "sign_in_needed");
        delta.get(&list).await.refuses(404, "not_found");

        let ids: Vec<String> = (0..4).map(|at| of_day.text(&format!("/items/{at}/id"))).collect();
        let nothing = json!({"refund": null});
        for (step, body) in [
            ("move", to(&free[32])),
            ("cancel", nothing.clone()),
            ("done", json!({})),
            ("no-show", json!({})),
        ] {
            let own = format!("{list}/{}/{step}", ids[0]);
            delta.once(&own, body.clone()).await.refuses(404, "not_found");
            let foreign = format!("/shops/delta-electronics/appointments/{}/{step}", ids[0]);
            delta.once(&foreign, body.clone()).await.refuses(404, "not_found");
            meena.post(&own, body).await.refuses(400, "idempotency_key_missing");
        }
        let moved = meena.once(&format!("{list}/{}/move", ids[0]), to(&free[32])).await.is(200);
        assert_eq!(
            (&moved.body["starts_at"], moved.text("/customer_name")),
            (&free[32]["starts_at"], "Asha Rao".into())
        );
        meena.once(&format!("{list}/{}/move", ids[0]), to(&free[18])).await.refuses(409, "time_taken");
        let gone = meena.once(&format!("{list}/{}/cancel", ids[1]), nothing).await.is(200);
        assert_eq!(gone.text("/status"), "cancelled");
        meena.once(&format!("{list}/{}/done", ids[1]), json!({})).await.refuses(409, "order_moved");

        // What became of them is said once they have begun.
        for step in ["done", "no-show"] {
            meena.once(&format!("{list}/{}/{step}", ids[2]), json!({})).await.refuses(409, "order_moved");
        }
        let begun =
            "UPDATE appointments SET starts_at = starts_at - 864000000, ends_at = ends_at - 864000000";
        program.sql(begun).await;
        for (id, step, other) in [(&ids[2], "done", "no-show"), (&ids[3], "no-show", "done")] {
            for _ in 0..2 {
                meena.once(&format!("{list}/{id}/{step}"), json!({})).await.is(204);
            }
            meena.once(&format!("{list}/{id}/{other}"), json!({})).await.refuses(409, "order_moved");
        }
        meena.once(&format!("{list}/{}/move", ids[2]), to(&free[36])).await.refuses(409, "too_late");
        program.close();
    })
    .await;
}
