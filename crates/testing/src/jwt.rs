//! Creates JSON Web Tokens as an issuer does, without the library that the service uses.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

/// An issuer's key.
#[derive(Clone)]
pub struct Signer {
    /// The algorithm, as `alg` names it.
    pub algorithm: &'static str,
    key: Arc<Key>,
}

enum Key {
    Hmac(Vec<u8>),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    fn new(algorithm: &'static str, key: Key) -> Self {
        Self { algorithm, key: Arc::new(key) }
    }

    /// A shared secret.
    pub fn hmac(secret: &[u8]) -> Self {
        Self::new("HS256", Key::Hmac(secret.to_vec()))
    }

    /// The key of 2,048 bits that the stand-in for FCM uses too: making one takes seconds.
    pub fn rsa() -> Self {
        let key = pem::parse(include_str!("../../stand-ins/key.pem")).unwrap();
        Self::new("RS256", Key::Rsa(RsaKeyPair::from_pkcs8(key.contents()).unwrap()))
    }

    /// A new key on P-256.
    pub fn p256() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::new("ES256", Key::P256(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()))
    }

    /// A key on Ed25519 made of one byte.
    pub fn ed25519(byte: u8) -> Self {
        Self::new("EdDSA", Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).unwrap()))
    }

    /// A header that names the key.
    pub fn header(&self, kid: &str) -> Value {
        json!({ "typ": "JWT", "alg": self.algorithm, "kid": kid })
    }

    /// A token with this header and these claims, without validation.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &*self.key {
            Key::Hmac(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
            }
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Key::P256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as published, with additional members; a null removes a member.
    pub fn jwk(&self, kid: &str, more: &Value) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &*self.key {
            Key::Hmac(secret) => json!({ "kty": "oct", "k": text(secret) }),
            Key::Rsa(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Key::P256(key) => {
                // An uncompressed point: the byte 4, and both coordinates (SEC 1, section 2.3.3).
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
            Key::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref()) })
            }
        };
        let fields = jwk.as_object_mut().unwrap();
        fields.insert("alg".to_owned(), json!(self.algorithm));
        fields.insert("kid".to_owned(), json!(kid));
        fields.extend(more.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        jwk
    }

    /// An RSA key's public part in the forms in which it is written: PKCS #1 and the subject's public key info (RFC
    /// 5280, section 4.1.2.7), as DER and as PEM.
    pub fn public_forms(&self) -> [Vec<u8>; 4] {
        let Key::Rsa(key) = &*self.key else { panic!("no RSA key") };
        let pkcs1 = key.public().as_ref().to_vec();
        // The lengths of a key of 2,048 bits, and the algorithm's name.
        let beginning = b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00";
        let info = [beginning, pkcs1.as_slice()].concat();
        let pem = |tag: &str, der: &[u8]| {
            let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
            pem::encode_config(&pem::Pem::new(tag, der), lines).into_bytes()
        };
        [pem("RSA PUBLIC KEY", &pkcs1), pem("PUBLIC KEY", &info), pkcs1, info]
    }
}
