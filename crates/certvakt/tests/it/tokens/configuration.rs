//! The section `[auth]`, its secret, and the clock.

use super::*;

#[tokio::test]
async fn the_real_time_decides_when_none_is_given() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let now = Utc::now().timestamp();
    for (exp, expected) in
        [(now + 600, Ok(identity())), (now - 600, Err(TokenError::Invalid("it has expired")))]
    {
        let mut claims = claims();
        claims["exp"] = json!(exp);
        assert_eq!(
            verifier.verify(&signer.sign(&signer.header(""), &claims)).await.map(|login| login.identity),
            expected
        );
    }
}

#[tokio::test]
async fn a_secret_is_long_enough_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let token = signed_by(&Signer::hmac(SECRET), "");
    let text = std::str::from_utf8(SECRET).unwrap();
    for (contents, expected) in [
        (text.to_owned(), Ok(identity())),
        (format!("{text}\n"), Ok(identity())),
        (format!("{text}\r\n"), Ok(identity())),
        (format!("{text} "), Err(WRONG_SIGNATURE)),
        (format!("{text}\n\n"), Err(WRONG_SIGNATURE)),
    ] {
        let secret_file = write(folder.path(), "secret", contents.as_bytes());
        let config = AuthConfig { secret_file, ..auth(TokenAlgorithm::Hs256) };
        let verifier = Verifier::new(&config).unwrap();
        assert_eq!(
            verifier.verify_at(&token, at(0)).await.map(|login| login.identity),
            expected,
            "{contents:?}"
        );
        let shown = format!("{config:?} {verifier:?}");
        assert!(!shown.contains("thirty") && !shown.contains("116, 104"), "{shown}");
    }
    for (contents, expected) in [
        (Some(format!("{}\n", &text[..31])), "auth.secret_file has fewer than 32 bytes"),
        (Some(String::new()), "auth.secret_file has fewer than 32 bytes"),
        (None, "cannot read auth.secret_file (entity not found)"),
    ] {
        let secret_file = match contents {
            Some(contents) => write(folder.path(), "secret", contents.as_bytes()),
            None => folder.path().join("absent"),
        };
        let error = Verifier::new(&AuthConfig { secret_file, ..auth(TokenAlgorithm::Hs256) }).unwrap_err();
        assert_eq!(error.code(), "config-contradiction");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?}").contains("thirty"), "{error:?}");
    }
}

#[test]
fn a_section_that_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let who = format!("issuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n");
    let with = |more: &str| format!("[auth]\n{who}{more}");
    let url = "jwks_url = \"https://project.example.org/jwks.json\"\n";
    let file = "secret_file = \"/etc/certvakt/secret\"\n";
    for good in [
        String::new(),
        "[auth]\n".to_owned(),
        with(url),
        with(&format!("algorithm = \"RS256\"\n{url}")),
        with(&format!("algorithm = \"EdDSA\"\n{url}")),
        with(&format!("algorithm = \"HS256\"\n{file}")),
        with("jwks_url = \"http://127.0.0.1:8000/jwks.json\"\n"),
        with("jwks_url = \"http://[::1]/jwks.json\"\n"),
    ] {
        let config = Config::read(&write_config(folder.path(), &good)).unwrap();
        assert_eq!(config.auth.is_off(), !good.contains("issuer"), "{good}");
    }
    for (wrong, expected) in [
        (format!("[auth]\n{url}"), "auth.issuer is missing"),
        (format!("[auth]\naudience = \"{AUDIENCE}\"\n{url}"), "auth.issuer is missing"),
        (format!("[auth]\nissuer = \"{ISSUER}\"\n{url}"), "auth.audience is missing"),
        (with(""), "needs auth.jwks_url"),
        (with(file), "needs auth.jwks_url instead of auth.secret_file"),
        (with(&format!("algorithm = \"RS256\"\n{file}")), "needs auth.jwks_url instead of auth.secret_file"),
        (with("algorithm = \"HS256\"\n"), "HS256 needs auth.secret_file"),
        (with(&format!("algorithm = \"HS256\"\n{url}")), "needs auth.secret_file instead of auth.jwks_url"),
        (with(&format!("{url}{file}")), "are both set"),
        (with("jwks_url = \"project.example.org\"\n"), "auth.jwks_url is not a valid URL"),
        (with("jwks_url = \"http://project.example.org/\"\n"), "must start with https://"),
        (with("jwks_url = \"file:///etc/passwd\"\n"), "must start with https://"),
        (with("algorithm = \"none\"\n"), "line 4"),
        (with("algorithm = \"HS512\"\n"), "line 4"),
        (with("algorithms = [\"RS256\"]\n"), "did you mean 'algorithm'?"),
        (with("secret = \"abc\"\n"), "did you mean 'secret_file'?"),
    ] {
        let error = Config::read(&write_config(folder.path(), &wrong)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.lines().count() == 1, "{wrong}: {error}");
    }
    assert!(Verifier::new(&AuthConfig::default()).is_err(), "a section that is off verifies nothing");
}
