//! The staff of shops: invitations, roles, and who keeps what.

use haat_engine::{
    Caller, Engine, accounts, accounts::deactivation, audit, bus::Topic, dispatch, ledger,
    notifications::mailbox, orders, shops, staff,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    id::kinds::{InvitationId, UserId},
    orders::ListOrders,
    permissions::Role,
    staff::{INVITATIONS_MAX, InvitationForm, InvitationState},
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DAY_MS: i64 = 24 * 3_600_000;

fn to(name: &str, role: &str) -> InvitationForm {
    InvitationForm { email: format!("{name}@haat.example"), role: role.into() }
}

fn id_of(caller: &Caller) -> UserId {
    caller.user_id().unwrap()
}

/// The recipient, subject and link of the latest email.
async fn latest_mail(market: &Market) -> (String, String, InvitationId, String) {
    let engine = &market.engine;
    dispatch::drain(engine).await.unwrap();
    let mail = mailbox::latest(&engine.db).await.unwrap().remove(0);
    let mail = mailbox::find(&engine.db, mail.id).await.unwrap();
    let (id, token) = link_in(&mail.text);
    (mail.to.clone(), mail.subject.clone(), id.parse().unwrap(), token.to_owned())
}

/// Invites someone who has an account, who accepts. Returns them.
async fn join(market: &Market, owner: &Caller, name: &str, role: &str) -> Caller {
    let engine = &market.engine;
    let user = market.signed_up(&Caller::guest(), name).await;
    let id = staff::invite(engine, owner, MEENA, &to(name, role)).await.unwrap();
    let (_, _, link, token) = latest_mail(market).await;
    assert_eq!(link, id);
    assert_eq!(staff::accept(engine, &user, id, &token).await.unwrap(), MEENA);
    market.owner(name).await
}

async fn roles(engine: &Engine, owner: &Caller) -> Vec<(String, Role)> {
    let team = staff::team(engine, owner, MEENA).await.unwrap();
    team.members.into_iter().map(|of| (of.name, of.role)).collect()
}

fn named(expected: &[(&str, Role)]) -> Vec<(String, Role)> {
    expected.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect()
}

async fn sees_orders(engine: &Engine, caller: &Caller) -> Result<()> {
    orders::seller_list(engine, caller, MEENA, ListOrders::default()).await.map(drop)
}

both! {
    async fn an_invitation_is_accepted_once_by_whom_it_is_for(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let ravi = market.signed_up(&Caller::guest(), "ravi").await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let form = InvitationForm { email: " Ravi@HAAT.example ".into(), role: "fulfilment".into() };
        let id = staff::invite(engine, &meena, MEENA, &form).await.unwrap();
        let (recipient, subject, link, token) = latest_mail(market).await;
        assert_eq!((recipient.as_str(), subject.as_str()), ("Ravi@haat.example", "invited by meena crafts for fulfilment"));
        assert_eq!(link, id);
        let team = staff::team(engine, &meena, MEENA).await.unwrap();
        assert_eq!(team.own, id_of(&meena));
        let pending: Vec<_> = team.invitations.iter().map(|of| (of.email.as_str(), of.role, of.expired)).collect();
        assert_eq!(pending, [("Ravi@haat.example", Role::Fulfilment, false)]);

        let page = async |caller: &Caller| staff::invitation(engine, caller, id, &token).await.unwrap().unwrap();
        let guest = page(&Caller::guest()).await;
        assert_eq!((guest.shop.as_str(), guest.state, guest.yours, guest.signed_in.as_str()),
            ("meena crafts", InvitationState::Pending, false, ""));
        let other = page(&asha).await;
        assert_eq!((other.yours, other.signed_in.as_str()), (false, "asha@haat.example"));
        assert!(page(&ravi).await.yours);
        assert_eq!(staff::invitation(engine, &ravi, id, "forged").await, Ok(None));

        assert_eq!(staff::accept(engine, &Caller::guest(), id, &token).await, Err(Error::SignInNeeded));
        assert_eq!(staff::accept(engine, &asha, id, &token).await, Err(Error::NotFound), "it is for someone else");
        assert_eq!(staff::accept(engine, &ravi, id, "forged").await, Err(Error::NotFound));
        assert_eq!(sees_orders(engine, &ravi).await, Err(Error::NotFound));
        let twice = [0, 1].map(|_| {
            let (engine, ravi, token) = (engine.clone(), ravi.clone(), token.clone());
            async move { staff::accept(&engine, &ravi, id, &token).await }
        });
        let done = at_once(twice.into()).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert!(done.contains(&Err(Error::NotFound)), "{done:?}");
        assert_eq!(page(&ravi).await.state, InvitationState::Accepted);

        let ravi = market.owner("ravi").await;
        assert_eq!(sees_orders(engine, &ravi).await, Ok(()));
        assert_eq!(ledger::balance(engine, &ravi, MEENA, "").await.map(drop), Err(Error::Denied));
        assert_eq!(shops::settings(engine, &ravi, MEENA).await.map(drop), Err(Error::Denied));
        assert_eq!(staff::team(engine, &ravi, MEENA).await.map(drop), Err(Error::Denied));
        for refused in [
            staff::invite(engine, &ravi, MEENA, &to("asha", "owner")).await.map(drop),
            staff::change_role(engine, &ravi, MEENA, id_of(&ravi), Role::Owner).await,
            staff::remove(engine, &ravi, MEENA, id_of(&meena)).await,
            staff::resend(engine, &ravi, MEENA, id).await,
            staff::withdraw(engine, &ravi, MEENA, id).await,
        ] {
            assert_eq!(refused, Err(Error::Denied));
        }
        for refused in [
            staff::invite(engine, &asha, MEENA, &to("asha", "owner")).await.map(drop),
            staff::leave(engine, &asha, MEENA).await,
        ] {
            assert_eq!(refused, Err(Error::NotFound), "to others there is no such shop");
        }
        assert_eq!(staff::leave(engine, &Caller::guest(), MEENA).await, Err(Error::SignInNeeded));
        assert_eq!(roles(engine, &meena).await, named(&[("meena-crafts", Role::Owner), ("ravi", Role::Fulfilment)]));
    }

    async fn who_is_invited_is_checked_and_counted(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let at = |field: &str, code| Err(Error::field(field, code));
        let own = InvitationForm { email: "MEENA-crafts@haat.example".into(), role: "support".into() };
        assert_eq!(staff::invite(engine, &meena, MEENA, &own).await, at("email", FieldCode::NotUnique));
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("", "support")).await, at("email", FieldCode::NotEmail));
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("ravi", "boss")).await, at("role", FieldCode::NotAChoice));
        // Inviting an address again changes the role, and sends the email again.
        let first = staff::invite(engine, &meena, MEENA, &to("ravi", "support")).await.unwrap();
        let again = InvitationForm { email: "RAVI@haat.example".into(), role: "manager".into() };
        assert_eq!(staff::invite(engine, &meena, MEENA, &again).await, Ok(first));
        let team = staff::team(engine, &meena, MEENA).await.unwrap();
        assert_eq!(team.invitations.iter().map(|of| (of.id, of.role)).collect::<Vec<_>>(), [(first, Role::Manager)]);
        dispatch::drain(engine).await.unwrap();
        assert_eq!(mailbox::latest(&engine.db).await.unwrap().len(), 2);
        // A mailbox gets three an hour, with whatever tag.
        let tagged = to("ravi+shop", "support");
        let third = staff::invite(engine, &meena, MEENA, &tagged).await.unwrap();
        let limited = Err(Error::RateLimited { retry_after_s: 3_600 });
        assert_eq!(staff::resend(engine, &meena, MEENA, first).await, limited);
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("ravi", "owner")).await.map(drop), limited);
        let team = staff::team(engine, &meena, MEENA).await.unwrap();
        assert_eq!(team.invitations.iter().find(|of| of.id == first).unwrap().role, Role::Manager, "nothing is changed");
        staff::withdraw(engine, &meena, MEENA, third).await.unwrap();
        market.clock.advance_ms(DAY_MS);
        for n in 1..INVITATIONS_MAX {
            staff::invite(engine, &meena, MEENA, &to(&format!("friend{n}"), "support")).await.unwrap();
        }
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("asha", "support")).await, at("email", FieldCode::TooMany));
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("ravi", "support")).await, Ok(first), "it is one of them");
        // A shop sends 30 an hour.
        market.clock.advance_ms(8 * DAY_MS);
        let mut sent = 0;
        let refused = loop {
            match staff::invite(engine, &meena, MEENA, &to(&format!("other{sent}"), "support")).await {
                Ok(id) => staff::withdraw(engine, &meena, MEENA, id).await.unwrap(),
                Err(error) => break error,
            }
            sent += 1;
        };
        assert_eq!((refused, sent), (Error::RateLimited { retry_after_s: 3_600 }, 30));
    }

    async fn invitations_expire_and_are_withdrawn(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let ravi = market.signed_up(&Caller::guest(), "ravi").await;
        let id = staff::invite(engine, &meena, MEENA, &to("ravi", "support")).await.unwrap();
        let (_, _, _, token) = latest_mail(market).await;
        let state = async || staff::invitation(engine, &ravi, id, &token).await.unwrap().map(|page| page.state);
        market.clock.advance_ms(7 * DAY_MS);
        assert_eq!(state().await, Some(InvitationState::Expired));
        assert_eq!(staff::accept(engine, &ravi, id, &token).await, Err(Error::NotFound));
        assert!(staff::team(engine, &meena, MEENA).await.unwrap().invitations[0].expired);
        // Sent again, it is valid again.
        staff::resend(engine, &meena, MEENA, id).await.unwrap();
        assert_eq!(latest_mail(market).await.2, id);
        assert_eq!(state().await, Some(InvitationState::Pending));
        staff::withdraw(engine, &meena, MEENA, id).await.unwrap();
        assert_eq!(state().await, Some(InvitationState::Withdrawn));
        assert_eq!(staff::accept(engine, &ravi, id, &token).await, Err(Error::NotFound));
        for gone in [staff::withdraw(engine, &meena, MEENA, id).await, staff::resend(engine, &meena, MEENA, id).await] {
            assert_eq!(gone, Err(Error::NotFound));
        }
        // Of another shop's invitation nobody knows.
        let delta = market.owner("delta-electronics").await;
        let theirs = staff::invite(engine, &delta, "delta-electronics", &to("ravi", "support")).await.unwrap();
        assert_eq!(staff::withdraw(engine, &meena, MEENA, theirs).await, Err(Error::NotFound));
        dispatch::drain(engine).await.unwrap();
        // After a month, nothing is left of it.
        market.clock.advance_ms(36 * DAY_MS);
        accounts::purge(engine).await.unwrap();
        assert_eq!(state().await, Some(InvitationState::Withdrawn));
        market.clock.advance_ms(2 * DAY_MS);
        accounts::purge(engine).await.unwrap();
        assert_eq!(state().await, None);
        assert!(staff::team(engine, &delta, "delta-electronics").await.unwrap().invitations.is_empty());
    }

    async fn whoever_is_removed_is_out_at_once(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let ravi = join(market, &meena, "ravi", "manager").await;
        let asha = join(market, &meena, "asha", "support").await;
        // A session that was open before.
        let form = haat_shared::accounts::SignIn { email: "ravi@haat.example".into(), password: PASSWORD.into() };
        let session = accounts::sign_in(engine, &Caller::guest(), form).await.unwrap();
        let now = async || accounts::caller(engine, Some(&session), None).await.unwrap();
        market.clock.advance_ms(10);
        let mut sockets = engine.bus.subscribe(Topic::Inbox);
        staff::change_role(engine, &meena, MEENA, id_of(&ravi), Role::Fulfilment).await.unwrap();
        assert_eq!(sockets.next().await.as_deref(), Some(&*id_of(&ravi).to_string()), "sockets look at what they may read");
        assert_eq!(now().await.user().unwrap().shops[0].role, Role::Fulfilment);
        // The same role again changes nothing.
        staff::change_role(engine, &meena, MEENA, id_of(&ravi), Role::Fulfilment).await.unwrap();
        assert_eq!(sees_orders(engine, &now().await).await, Ok(()));
        market.clock.advance_ms(10);
        staff::remove(engine, &meena, MEENA, id_of(&ravi)).await.unwrap();
        assert_eq!(sees_orders(engine, &now().await).await, Err(Error::NotFound));
        assert_eq!(staff::remove(engine, &meena, MEENA, id_of(&ravi)).await, Err(Error::NotFound));
        let unknown = staff::change_role(engine, &meena, MEENA, id_of(&ravi), Role::Owner).await;
        assert_eq!(unknown, Err(Error::NotFound));
        market.clock.advance_ms(10);
        staff::leave(engine, &asha, MEENA).await.unwrap();
        assert_eq!(sees_orders(engine, &market.owner("asha").await).await, Err(Error::NotFound));
        assert_eq!(staff::leave(engine, &asha, MEENA).await, Err(Error::NotFound));
        let audited = audit::list(engine, &Caller::system(), "").await.unwrap().items;
        let audited: Vec<_> = audited
            .iter()
            .filter(|row| row.action.starts_with("staff::"))
            .map(|row| (row.action.as_str(), row.note.as_str(), row.user_email.as_deref().unwrap()))
            .collect();
        let (meena, ravi, asha) = ("meena-crafts@haat.example", "ravi@haat.example", "asha@haat.example");
        assert_eq!(audited, [
            ("staff::leave", "meena-crafts support asha@haat.example", asha),
            ("staff::remove", "meena-crafts fulfilment ravi@haat.example", meena),
            ("staff::change_role", "meena-crafts manager>fulfilment ravi@haat.example", meena),
            ("staff::accept", "meena-crafts support asha@haat.example", asha),
            ("staff::invite", "meena-crafts support", meena),
            ("staff::accept", "meena-crafts manager ravi@haat.example", ravi),
            ("staff::invite", "meena-crafts manager", meena),
        ]);
        let mails = mailbox::latest(&engine.db).await.unwrap();
        assert_eq!(mails.iter().map(|mail| mail.recipient.as_str()).collect::<Vec<_>>(), [asha, ravi]);
    }

    async fn the_last_owner_of_a_shop_stays(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let own = id_of(&meena);
        let last = || Err(Conflict::LastOwner.into());
        assert_eq!(staff::leave(engine, &meena, MEENA).await, last());
        assert_eq!(staff::remove(engine, &meena, MEENA, own).await, last());
        assert_eq!(staff::change_role(engine, &meena, MEENA, own, Role::Manager).await, last());
        let ravi = join(market, &meena, "ravi", "manager").await;
        assert_eq!(staff::leave(engine, &meena, MEENA).await, last(), "a manager is no owner");
        staff::change_role(engine, &meena, MEENA, id_of(&ravi), Role::Owner).await.unwrap();
        // An owner who can't sign in doesn't count.
        deactivation::deactivate(engine, &Caller::system(), id_of(&ravi), "Spam").await.unwrap();
        assert_eq!(staff::leave(engine, &meena, MEENA).await, last());
        deactivation::activate(engine, &Caller::system(), id_of(&ravi)).await.unwrap();
        staff::change_role(engine, &meena, MEENA, own, Role::Support).await.unwrap();
        // What she may no longer do, she may no longer do with what was read before.
        let stale = staff::change_role(engine, &meena, MEENA, id_of(&ravi), Role::Support).await;
        assert_eq!(stale, Err(Error::Denied));
        assert_eq!(staff::invite(engine, &meena, MEENA, &to("asha", "owner")).await, Err(Error::Denied));
        let ravi = market.owner("ravi").await;
        assert_eq!(staff::leave(engine, &ravi, MEENA).await, last());
        assert_eq!(roles(engine, &ravi).await, named(&[("ravi", Role::Owner), ("meena-crafts", Role::Support)]));
    }

    async fn two_owners_of_a_shop_cannot_remove_each_other(market) {
        let engine = &market.engine;
        let meena = market.owner(MEENA).await;
        let mut ravi = join(market, &meena, "ravi", "owner").await;
        for round in 0..6 {
            let both = [meena.clone(), ravi.clone()];
            let go = |by: usize| {
                let (engine, caller, other) = (engine.clone(), both[by].clone(), id_of(&both[1 - by]));
                async move {
                    match round % 3 {
                        0 => staff::change_role(&engine, &caller, MEENA, other, Role::Manager).await,
                        1 => staff::remove(&engine, &caller, MEENA, other).await,
                        _ => staff::leave(&engine, &caller, MEENA).await,
                    }
                }
            };
            let done = at_once(vec![go(0), go(1)]).await;
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{round}: {done:?}");
            let refused = done.iter().find_map(|done| done.as_ref().err()).unwrap();
            assert!([Error::Denied, Conflict::LastOwner.into()].contains(refused), "{round}: {refused:?}");
            // Whoever is left makes the other one an owner again.
            let (left, gone) = if done[0].is_ok() == (round % 3 == 2) { (1, 0) } else { (0, 1) };
            let (left, gone) = (&both[left], &both[gone]);
            assert_eq!(roles(engine, left).await.iter().filter(|(_, role)| *role == Role::Owner).count(), 1, "{round}");
            if round % 3 == 0 {
                staff::change_role(engine, left, MEENA, id_of(gone), Role::Owner).await.unwrap();
            } else {
                market.clock.advance_ms(DAY_MS);
                let name = if id_of(gone) == id_of(&meena) { MEENA } else { "ravi" };
                let id = staff::invite(engine, left, MEENA, &to(name, "owner")).await.unwrap();
                let (_, _, _, token) = latest_mail(market).await;
                staff::accept(engine, gone, id, &token).await.unwrap();
            }
            ravi = market.owner("ravi").await;
        }
    }
}
