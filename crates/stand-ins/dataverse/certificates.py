"""The authority, the server's TLS certificate, and the certificate with which an application signs in."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def issue(name, key, issuer, issuer_key, extensions):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def usage(*names):
    every = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"]
    every += ["key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: name in names for name in every}), True


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(folder):
    """Writes ca.pem, server.pem and client.pem, and returns the application's certificate."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = issue(
        name("Authority of the stand-in"),
        authority,
        name("Authority of the stand-in"),
        authority,
        [(x509.BasicConstraints(ca=True, path_length=0), True), usage("key_cert_sign", "crl_sign")],
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    leaf = issue(
        name("localhost"),
        server,
        root.subject,
        authority,
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            usage("digital_signature"),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName(names), False),
        ],
    )
    client = rsa.generate_private_key(65537, 2048)
    certificate = issue(
        name("application"), client, name("application"), client, [usage("digital_signature")]
    )
    shown = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(shown))
    (folder / "server.pem").write_bytes(pem(server) + leaf.public_bytes(shown))
    (folder / "client.pem").write_bytes(pem(client) + certificate.public_bytes(shown))
    return certificate
