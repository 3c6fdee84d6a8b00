//! Claims and signatures of tokens: accepted ones, and rejected ones with the reason.

use super::*;

#[tokio::test]
async fn claims_decide() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let long = "x".repeat(255);
    let too_long = "x".repeat(256);
    for (claim, value, refused) in [
        ("exp", Some(json!(START)), None),
        ("exp", Some(json!(START - 59)), None),
        ("exp", Some(json!(f64::from(1_799_999_940) + 0.5)), None),
        ("exp", Some(json!(START - 60)), Some("it has expired")),
        ("exp", Some(json!(-1)), Some("it has expired")),
        ("exp", Some(json!((START + 600).to_string())), Some("its exp is not a number")),
        ("exp", Some(Value::Null), Some("its exp is not a number")),
        ("exp", Some(json!([START + 600])), Some("it is malformed")),
        ("exp", None, Some("it has no exp")),
        ("nbf", Some(json!(START)), None),
        ("nbf", Some(json!(START + 60)), None),
        ("nbf", Some(json!(START + 61)), Some("its nbf is in the future")),
        ("nbf", Some(json!(1e300)), Some("its nbf is in the future")),
        ("nbf", Some(json!((START - 600).to_string())), Some("its nbf is not a number")),
        ("nbf", Some(Value::Null), Some("its nbf is not a number")),
        ("iss", None, Some("its iss is not auth.issuer")),
        ("iss", Some(json!(format!("{ISSUER}/"))), Some("its iss is not auth.issuer")),
        ("iss", Some(json!(ISSUER.to_uppercase())), Some("its iss is not auth.issuer")),
        ("iss", Some(json!([ISSUER])), Some("its iss is not auth.issuer")),
        ("aud", Some(json!(["another", AUDIENCE])), None),
        ("aud", None, Some("its aud is not auth.audience")),
        ("aud", Some(json!("Authenticated")), Some("its aud is not auth.audience")),
        ("aud", Some(json!([])), Some("its aud is not auth.audience")),
        ("aud", Some(json!(["another"])), Some("its aud is not auth.audience")),
        ("aud", Some(json!({ AUDIENCE: AUDIENCE })), Some("its aud is not auth.audience")),
        ("sub", Some(json!(long)), None),
        ("sub", None, Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!("")), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!(too_long)), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!("ø".repeat(128))), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!("a\u{0}b")), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!("a\n")), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!("a\u{9d}b")), Some("its sub is not a text of 1 to 255 bytes")),
        ("sub", Some(json!(7)), Some("its sub is not a text of 1 to 255 bytes")),
    ] {
        let mut claims = claims();
        let fields = claims.as_object_mut().unwrap();
        fields.remove(claim);
        fields.extend(value.clone().map(|value| (claim.to_owned(), value)));
        let token = signer.sign(&signer.header(""), &claims);
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let expected = match refused {
            None => Ok(Identity { subject, ..identity() }),
            Some(reason) => Err(TokenError::Invalid(reason)),
        };
        assert_eq!(
            verifier.verify_at(&token, at(0)).await.map(|login| login.identity),
            expected,
            "{claim} = {value:?}"
        );
    }
}

#[tokio::test]
async fn a_token_is_three_parts_of_json_and_no_longer_than_8_kib() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let good = signed_by(&signer, "");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    for (token, expected) in [
        (good.clone(), Ok(identity())),
        (String::new(), Err(MALFORMED_HEADER)),
        ("...".to_owned(), Err(MALFORMED_HEADER)),
        (format!("Bearer {good}"), Err(MALFORMED_HEADER)),
        (format!("{good}."), Err(MALFORMED_HEADER)),
        (format!("{good}.{signature}"), Err(MALFORMED_HEADER)),
        (format!("{header}.{payload}"), Err(MALFORMED_HEADER)),
        (format!("{header}.{payload}."), Err(WRONG_SIGNATURE)),
        (format!("{header}.{payload}.{}", &signature[..40]), Err(WRONG_SIGNATURE)),
        (format!("{header}.{payload}.{signature}="), Err(TokenError::Invalid("it is malformed"))),
        (format!("{header}.{}.{signature}", &payload[4..]), Err(WRONG_SIGNATURE)),
        (signer.sign(&signer.header(""), &json!([claims()])), Err(TokenError::Invalid("it is malformed"))),
        (format!("{good}{}", " ".repeat(8192)), Err(TokenError::Invalid("it is longer than 8 KiB"))),
        (signer.sign(&signer.header(&"k".repeat(8192)), &claims()), {
            Err(TokenError::Invalid("it is longer than 8 KiB"))
        }),
    ] {
        assert_eq!(verifier.verify_at(&token, at(0)).await.map(|login| login.identity), expected, "{token}");
    }
}

#[tokio::test]
async fn only_the_configured_algorithm_is_accepted() {
    let signers = [
        (TokenAlgorithm::Hs256, Signer::hmac(SECRET)),
        (TokenAlgorithm::Rs256, Signer::rsa()),
        (TokenAlgorithm::Es256, Signer::p256()),
        (TokenAlgorithm::EdDsa, Signer::ed25519(7)),
    ];
    // The set also contains the secret as a key, which must be skipped.
    let keys: Vec<Value> =
        signers.iter().map(|(_, signer)| signer.jwk("one", &json!({ "alg": null }))).collect();
    let issuer = Issuer::start(&keys).await;
    // A public key used as an HMAC secret (RFC 8725, section 2.1).
    let public_as_secrets = Signer::rsa().public_forms();
    let unsigned = "eyJhbGciOiJub25lIn0";
    for (algorithm, pinned) in &signers {
        let verifier = match algorithm {
            TokenAlgorithm::Hs256 => secret_verifier(),
            _ => issuer.verifier(*algorithm),
        };
        for (_, signer) in &signers {
            let expected =
                if signer.algorithm == pinned.algorithm { Ok(identity()) } else { Err(OTHER_ALGORITHM) };
            let token = signed_by(signer, "one");
            assert_eq!(
                verifier.verify_at(&token, at(0)).await.map(|login| login.identity),
                expected,
                "{:?} {token}",
                pinned.algorithm
            );
        }
        for secret in &public_as_secrets {
            let expected =
                if *algorithm == TokenAlgorithm::Hs256 { WRONG_SIGNATURE } else { OTHER_ALGORITHM };
            let token = signed_by(&Signer::hmac(secret), "one");
            assert_eq!(verifier.verify_at(&token, at(0)).await.map(|login| login.identity), Err(expected));
        }
        let token = signed_by(pinned, "one");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let other = pinned.sign(&pinned.header("one"), &json!({ "sub": "somebody else" }));
        let other_payload = other.split('.').nth(1).unwrap();
        for (token, expected) in [
            (format!("{unsigned}.{payload}."), MALFORMED_HEADER),
            (format!("{unsigned}.{payload}.{signature}"), MALFORMED_HEADER),
            (format!("{header}.{payload}."), WRONG_SIGNATURE),
            (format!("{header}.{other_payload}.{signature}"), WRONG_SIGNATURE),
        ] {
            assert_eq!(
                verifier.verify_at(&token, at(0)).await.map(|login| login.identity),
                Err(expected),
                "{token}"
            );
        }
    }
}

#[tokio::test]
async fn keys_in_a_header_are_ignored() {
    let (issuer_key, thief) = (Signer::p256(), Signer::p256());
    let issuer = Issuer::start(&[issuer_key.jwk("one", &json!({}))]).await;
    let thiefs_server = Issuer::start(&[thief.jwk("two", &json!({}))]).await;
    let verifier = issuer.verifier(TokenAlgorithm::Es256);
    let plain = |kid: &str, more: &Value| {
        let mut header = issuer_key.header(kid);
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header
    };
    for more in [
        json!({ "jwk": thief.jwk("two", &json!({})) }),
        json!({ "jku": thiefs_server.url }),
        json!({ "x5u": thiefs_server.url }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        let stolen = thief.sign(&plain("one", &more), &claims());
        assert_eq!(
            verifier.verify_at(&stolen, at(0)).await.map(|login| login.identity),
            Err(WRONG_SIGNATURE),
            "{more}"
        );
        let own = issuer_key.sign(&plain("one", &more), &claims());
        assert_eq!(
            verifier.verify_at(&own, at(0)).await.map(|login| login.identity),
            Ok(identity()),
            "{more}"
        );
        let elsewhere = thief.sign(&plain("two", &more), &claims());
        assert_eq!(verifier.verify_at(&elsewhere, at(0)).await.map(|login| login.identity), Err(UNKNOWN_KEY));
    }
    for (typ, is_accepted) in [
        (json!("JWT"), true),
        (json!("jwt"), true),
        (json!("at+jwt"), true),
        (json!("application/at+JWT"), true),
        (Value::Null, true),
        (json!("logout+jwt"), false),
        (json!("secevent+jwt"), false),
        (json!("application/"), false),
        (json!("applicatioñ/jwt"), false),
        (json!(""), false),
    ] {
        let token = issuer_key.sign(&plain("one", &json!({ "typ": typ })), &claims());
        let expected = TokenError::Invalid("its typ is not that of an access token");
        let expected = if is_accepted { Ok(identity()) } else { Err(expected) };
        assert_eq!(verifier.verify_at(&token, at(0)).await.map(|login| login.identity), expected, "{typ}");
    }
    for crit in [json!([]), json!(["exp"]), json!(["b64"])] {
        let token = issuer_key.sign(&plain("one", &json!({ "crit": crit })), &claims());
        let expected = Err(TokenError::Invalid("its header has crit"));
        assert_eq!(verifier.verify_at(&token, at(0)).await.map(|login| login.identity), expected);
    }
    assert_eq!((issuer.fetches(), thiefs_server.fetches()), (1, 0));
}
