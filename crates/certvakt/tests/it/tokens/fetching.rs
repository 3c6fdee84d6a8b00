//! Fetches of an issuer's keys: their frequency, and the requests that wait for them.

use super::*;

/// A step of a scenario: `(seconds, change, key of the token, expected result, fetches so far)`.
type Moment<'a> = (i64, Change<'a>, &'a str, Result<Identity, TokenError>, usize);

enum Change<'a> {
    Nothing,
    Publish(&'a [Value]),
    Fail,
}

async fn play(moments: &[Moment<'_>], tokens: impl Fn(&str) -> String) {
    let issuer = Issuer::start(&[]).await;
    let verifier = issuer.verifier(TokenAlgorithm::EdDsa);
    for (seconds, change, whose, expected, fetches) in moments {
        match change {
            Change::Nothing => {}
            Change::Publish(keys) => issuer.publish(keys),
            Change::Fail => issuer.fail(),
        }
        let said = verifier.verify_at(&tokens(whose), at(*seconds)).await.map(|login| login.identity);
        assert_eq!((&said, issuer.fetches()), (expected, *fetches), "{whose} at {seconds} seconds");
    }
}

#[tokio::test]
async fn keys_are_cached_refreshed_and_dropped() {
    use Change::{Fail, Nothing, Publish};

    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let (old_key, new_key) = (old.jwk("old", &json!({})), new.jwk("new", &json!({})));
    let both = [old_key.clone(), new_key.clone()];
    let (only_old, only_new) = ([old_key], [new_key]);
    let tokens = |whose: &str| if whose == "old" { signed_by(&old, "old") } else { signed_by(&new, whose) };
    let yes = || Ok(identity());
    let unavailable = || Err(TokenError::KeysUnavailable);

    // An unknown key is fetched once a minute, regardless of the result.
    play(
        &[
            (0, Publish(&only_old), "old", yes(), 1),
            (1, Nothing, "old", yes(), 1),
            (30, Publish(&both), "new", Err(UNKNOWN_KEY), 1),
            (59, Nothing, "new", Err(UNKNOWN_KEY), 1),
            (60, Nothing, "new", yes(), 2),
            (61, Nothing, "another", Err(UNKNOWN_KEY), 2),
            (119, Nothing, "a third", Err(UNKNOWN_KEY), 2),
            (120, Fail, "another", Err(UNKNOWN_KEY), 3),
            (121, Nothing, "another", Err(UNKNOWN_KEY), 3),
            (179, Nothing, "new", yes(), 3),
            (179, Nothing, "another", Err(UNKNOWN_KEY), 3),
            (180, Nothing, "another", Err(UNKNOWN_KEY), 4),
            // A revoked key is rejected as soon as the keys are fetched, for any reason.
            (239, Publish(&only_new), "old", yes(), 4),
            (240, Nothing, "another", Err(UNKNOWN_KEY), 5),
            (240, Nothing, "old", Err(UNKNOWN_KEY), 5),
            (240, Nothing, "new", yes(), 5),
        ],
        tokens,
    )
    .await;

    // Known keys are renewed after ten minutes.
    play(
        &[
            (0, Publish(&both), "old", yes(), 1),
            (599, Publish(&only_new), "old", yes(), 1),
            (600, Nothing, "old", Err(UNKNOWN_KEY), 2),
            (1_199, Nothing, "new", yes(), 2),
            (1_200, Publish(&[]), "new", Err(UNKNOWN_KEY), 3),
        ],
        tokens,
    )
    .await;

    // They last for an hour while the issuer is unavailable, which is tried once a minute.
    play(
        &[
            (0, Publish(&both), "old", yes(), 1),
            (600, Fail, "old", yes(), 2),
            (601, Nothing, "new", yes(), 2),
            (659, Nothing, "old", yes(), 2),
            (660, Nothing, "old", yes(), 3),
            (3_599, Nothing, "old", yes(), 4),
            (3_600, Nothing, "old", unavailable(), 4),
            (3_659, Publish(&both), "old", yes(), 5),
        ],
        tokens,
    )
    .await;

    // Without keys, every token is rejected.
    play(
        &[
            (0, Fail, "old", unavailable(), 1),
            (1, Publish(&both), "new", unavailable(), 1),
            (59, Nothing, "old", unavailable(), 1),
            (60, Nothing, "old", yes(), 2),
        ],
        tokens,
    )
    .await;

    // A clock that is set back by hours does not block fetches.
    play(
        &[
            (36_000, Publish(&only_old), "old", yes(), 1),
            (0, Publish(&both), "new", yes(), 2),
            (1, Nothing, "old", yes(), 2),
        ],
        tokens,
    )
    .await;
}

#[tokio::test]
async fn requests_share_a_fetch_and_known_keys_do_not_wait_for_it() {
    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let (old_key, new_key) = (old.jwk("old", &json!({})), new.jwk("new", &json!({})));
    let issuer = Issuer::start(std::slice::from_ref(&old_key)).await;
    let verifier = Arc::new(issuer.verifier(TokenAlgorithm::EdDsa));
    let verify = |token: String, seconds| {
        let verifier = Arc::clone(&verifier);
        async move { verifier.verify_at(&token, at(seconds)).await.map(|login| login.identity) }
    };

    let first = join_all((0..20).map(|_| verify(signed_by(&old, "old"), 0))).await;
    assert!(first.iter().all(|said| *said == Ok(identity())), "{first:?}");
    assert_eq!(issuer.fetches(), 1);

    let closed = issuer.shared.gate.write().await;
    issuer.publish(&[old_key, new_key]);
    let waiting = tokio::spawn(join_all((0..20).map(|_| verify(signed_by(&new, "new"), 60))));
    issuer.asked(2).await;
    for seconds in [60, 600, 3_599] {
        let said = verify(signed_by(&old, "old"), seconds).now_or_never();
        assert_eq!(said, Some(Ok(identity())), "at once, at {seconds} seconds");
    }
    drop(closed);
    let said = waiting.await.unwrap();
    assert!(said.iter().all(|said| *said == Ok(identity())), "{said:?}");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_cancelled_request_leaves_its_fetch_to_others() {
    let signer = Signer::ed25519(1);
    let issuer = Issuer::start(&[signer.jwk("one", &json!({}))]).await;
    let verifier = Arc::new(issuer.verifier(TokenAlgorithm::EdDsa));
    let closed = issuer.shared.gate.write().await;
    let (token, broken) = (signed_by(&signer, "one"), Arc::clone(&verifier));
    let request = tokio::spawn(async move { broken.verify_at(&token, at(0)).await });
    issuer.asked(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    drop(closed);
    assert_eq!(
        verifier.verify_at(&signed_by(&signer, "one"), at(1)).await.map(|login| login.identity),
        Ok(identity())
    );
    assert_eq!(issuer.fetches(), 1);
}
