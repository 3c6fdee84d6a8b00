//! An issuer's keys: usable keys, and invalid key sets.

use super::*;

#[tokio::test]
async fn unsuitable_keys_are_ignored() {
    let (rs, es, ed) = (Signer::rsa(), Signer::p256(), Signer::ed25519(3));
    let zeros = |count: usize| "A".repeat(count);
    // Only ones: 24 bits are four characters of base64.
    let modulus = |bits: usize| "_".repeat(bits / 6);
    for (signer, more, fits) in [
        (&rs, json!({}), true),
        (&rs, json!({ "alg": null }), true),
        (&rs, json!({ "use": "sig", "key_ops": ["verify"], "x5t": "unknown", "more": 1 }), true),
        (&rs, json!({ "use": "enc" }), false),
        (&rs, json!({ "use": "SIG" }), false),
        (&rs, json!({ "use": 1 }), false),
        (&rs, json!({ "key_ops": ["encrypt"] }), false),
        (&rs, json!({ "alg": "RS384" }), false),
        (&rs, json!({ "alg": "RSA-OAEP" }), false),
        (&rs, json!({ "kty": "EC" }), false),
        (&rs, json!({ "kty": "oct", "k": "AAAA" }), false),
        (&rs, json!({ "kty": null }), false),
        (&rs, json!({ "n": null }), false),
        (&rs, json!({ "n": "!" }), false),
        (&rs, json!({ "e": "Ag" }), false),
        (&rs, json!({ "e": "AQ" }), false),
        (&rs, json!({ "n": "" }), false),
        (&rs, json!({ "n": modulus(1032) }), false),
        (&rs, json!({ "n": modulus(2040) }), false),
        (&rs, json!({ "n": format!("AAAA{}", modulus(2040)) }), false),
        (&rs, json!({ "n": modulus(8208) }), false),
        (&es, json!({ "use": "sig" }), true),
        (&es, json!({ "crv": "P-384" }), false),
        (&es, json!({ "crv": "secp256k1" }), false),
        (&es, json!({ "crv": null }), false),
        (&es, json!({ "alg": "ES384" }), false),
        (&es, json!({ "y": null }), false),
        (&es, json!({ "y": zeros(43) }), false),
        (&es, json!({ "x": zeros(4) }), false),
        (&ed, json!({ "use": "sig" }), true),
        (&ed, json!({ "crv": "Ed448" }), false),
        (&ed, json!({ "crv": "X25519" }), false),
        (&ed, json!({ "kty": "EC" }), false),
        (&ed, json!({ "x": zeros(42) }), false),
        (&ed, json!({ "x": zeros(44) }), false),
        (&ed, json!({ "x": "" }), false),
    ] {
        let algorithm = match signer.algorithm {
            "RS256" => TokenAlgorithm::Rs256,
            "ES256" => TokenAlgorithm::Es256,
            _ => TokenAlgorithm::EdDsa,
        };
        let neighbour = match algorithm {
            TokenAlgorithm::Rs256 => rs.clone(),
            TokenAlgorithm::Es256 => Signer::p256(),
            _ => Signer::ed25519(4),
        };
        let keys = [json!("no key"), signer.jwk("one", &more), neighbour.jwk("two", &json!({}))];
        let issuer = Issuer::start(&keys).await;
        let verifier = issuer.verifier(algorithm);
        let expected = if fits { Ok(identity()) } else { Err(UNKNOWN_KEY) };
        assert_eq!(
            verifier.verify_at(&signed_by(signer, "one"), at(0)).await.map(|login| login.identity),
            expected,
            "{more}"
        );
        assert_eq!(
            verifier.verify_at(&signed_by(&neighbour, "two"), at(0)).await.map(|login| login.identity),
            Ok(identity()),
            "{more}"
        );
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_means_the_only_one() {
    let (one, two) = (Signer::p256(), Signer::p256());
    let token = one.sign(&json!({ "alg": "ES256" }), &claims());
    let other_kinds =
        [Signer::ed25519(1).jwk("three", &json!({})), two.jwk("four", &json!({ "use": "enc" }))];
    let [ed, enc] = other_kinds;
    let jwk = one.jwk("one", &json!({}));
    for (keys, expected) in [
        (vec![jwk.clone()], Ok(identity())),
        (vec![one.jwk("one", &json!({ "kid": null }))], Ok(identity())),
        (vec![ed, jwk.clone(), enc], Ok(identity())),
        (vec![jwk, two.jwk("two", &json!({}))], Err(UNKNOWN_KEY)),
        (vec![two.jwk("two", &json!({}))], Err(WRONG_SIGNATURE)),
        (vec![], Err(UNKNOWN_KEY)),
    ] {
        let issuer = Issuer::start(&keys).await;
        let verifier = issuer.verifier(TokenAlgorithm::Es256);
        assert_eq!(verifier.verify_at(&token, at(0)).await.map(|login| login.identity), expected, "{keys:?}");
    }
}

#[tokio::test]
async fn an_invalid_key_set_is_rejected() {
    let signer = Signer::ed25519(1);
    let good = json!({ "keys": [signer.jwk("one", &json!({}))] }).to_string();
    let padded = |size: usize| format!("{good}{}", " ".repeat(size - good.len()));
    for (status, body, expected) in [
        (StatusCode::OK, padded(256 * 1024), Ok(identity())),
        (StatusCode::OK, padded(256 * 1024 + 1), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, "<html>".to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, "[]".to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, r#"{"keys": {}}"#.to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::FOUND, good.clone(), Err(TokenError::KeysUnavailable)),
        (StatusCode::NOT_FOUND, good.clone(), Err(TokenError::KeysUnavailable)),
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone(), Err(TokenError::KeysUnavailable)),
    ] {
        let issuer = Issuer::start(&[]).await;
        issuer.answer(status, &body);
        let verifier = issuer.verifier(TokenAlgorithm::EdDsa);
        let said = verifier.verify_at(&signed_by(&signer, "one"), at(0)).await.map(|login| login.identity);
        assert_eq!((said, issuer.fetches()), (expected, 1), "{status} {}", &body[..body.len().min(40)]);
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = AuthConfig { jwks_url: format!("http://{nobody}/"), ..auth(TokenAlgorithm::EdDsa) };
    let verifier = Verifier::new(&config).unwrap();
    let said = verifier.verify_at(&signed_by(&signer, "one"), at(0)).await.map(|login| login.identity);
    assert_eq!(said, Err(TokenError::KeysUnavailable));
}
