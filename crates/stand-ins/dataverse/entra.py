"""The token endpoint of Microsoft Entra ID for one application that signs in as itself.

By "Microsoft identity platform and the OAuth 2.0 client credentials flow", "Microsoft identity platform
application authentication certificate credentials" and "Microsoft Entra authentication and authorization
error codes".
"""

import base64
import datetime
import json
import secrets
import time
import urllib.parse
import uuid

import jwt
from cryptography.hazmat.primitives import hashes

TENANT = "tenant"
CLIENT = "11111111-1111-1111-1111-111111111111"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Denial(Exception):
    def __init__(self, status, error, code, text):
        super().__init__(text)
        self.status, self.error, self.code = status, error, code

    def body(self):
        now, trace, correlation = datetime.datetime.now(datetime.UTC), str(uuid.uuid4()), str(uuid.uuid4())
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        tail = f" Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self}{tail}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
        }


def thumbprint(certificate, algorithm):
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).decode().rstrip("=")


class Entra:
    def __init__(self, address, certificate, now):
        self.address, self.certificate, self.now = address, certificate, now
        self.secret, self.expired, self.expires_in = "correct horse", False, 3599
        self.tokens, self.seen = {}, set()

    def endpoint(self, tenant):
        return f"{self.address}/{tenant}/oauth2/v2.0/token"

    def configuration(self, tenant):
        """The metadata that `azure-identity` requests before it signs in."""
        base = f"{self.address}/{tenant}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": self.endpoint(tenant),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def known(self, authorization):
        """Whether this is the `Authorization` header of a signed-in client."""
        kind, _, token = (authorization or "").partition(" ")
        return kind == "Bearer" and self.tokens.get(token, 0) > self.now()

    def grant(self, tenant, kind, body):
        """Status and body."""
        try:
            if kind.split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
                raise Denial(400, "invalid_request", 900144, "The request body must be a form.")
            form = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
            if len(dict(form)) != len(form):
                raise Denial(400, "invalid_request", 90014, "A parameter is there more than once.")
            self.check(tenant, dict(form))
        except ValueError:
            return 400, Denial(400, "invalid_request", 900144, "The request body must be a form.").body()
        except Denial as denial:
            return denial.status, denial.body()
        token = secrets.token_urlsafe(48)
        self.tokens[token] = self.now() + self.expires_in
        return 200, {
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "ext_expires_in": self.expires_in,
            "access_token": token,
        }

    def check(self, tenant, form):
        if tenant != TENANT:
            raise Denial(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise Denial(400, "invalid_request", 900144, text)
        if form["grant_type"] != "client_credentials":
            text = "The app requested an unsupported grant type."
            raise Denial(400, "unsupported_grant_type", 70003, text)
        if form["client_id"] != CLIENT:
            text = (
                f"Application with identifier '{form['client_id']}' was not found in the directory 'tenant'."
            )
            raise Denial(400, "unauthorized_client", 700016, text)
        self.check_scope(form["scope"])
        if "client_assertion" in form and "client_secret" not in form:
            if form.get("client_assertion_type") != BEARER:
                text = "The request body must contain the following parameter: 'client_assertion_type'."
                raise Denial(400, "invalid_request", 900144, text)
            self.check_assertion(tenant, form["client_assertion"])
        elif "client_secret" in form and "client_assertion" not in form:
            self.check_secret(form["client_secret"])
        else:
            text = "The request body must contain the following parameter: 'client_assertion' or "
            text += "'client_secret'."
            raise Denial(401, "invalid_client", 7000218, text)

    def check_scope(self, scope):
        if " " in scope.strip():
            text = f"The provided request must include a 'scope' input parameter. '{scope}' is not valid."
            raise Denial(400, "invalid_scope", 70011, text)
        if not scope.endswith("/.default"):
            text = (
                f"The provided value for scope {scope} is not valid. Client credential flows must have a "
                "scope value with /.default suffixed to the resource identifier (application ID URI)."
            )
            raise Denial(400, "invalid_scope", 1002012, text)
        if scope != f"{self.address}/.default":
            text = (
                f"The resource principal named {scope.removesuffix('/.default')} was not found in the tenant."
            )
            raise Denial(400, "invalid_resource", 500011, text)

    def check_secret(self, secret):
        if not secrets.compare_digest(secret.encode(), self.secret.encode()):
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                f"secret value, not the client secret ID, for a secret added to app '{CLIENT}'."
            )
            raise Denial(401, "invalid_client", 7000215, text)
        if self.expired:
            text = f"The provided client secret keys for app '{CLIENT}' are expired."
            raise Denial(401, "invalid_client", 7000222, text)

    def check_assertion(self, tenant, assertion):
        def bad(reason, code=700027):
            return Denial(401, "invalid_client", code, f"The client assertion failed: {reason}")

        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError as error:
            raise bad(f"it is no JSON web token ({error}).") from None
        if header.get("alg") not in ("PS256", "RS256") or header.get("typ") != "JWT":
            raise bad("it must be a JWT that is signed with PS256.")
        # The document asks for PS256 and the thumbprint of SHA-256. Microsoft's own library for Python still
        # sends RS256 and the one of SHA-1 when `azure-identity` calls it, and pads it.
        strong = str(header.get("x5t#S256", "")).rstrip("=") == thumbprint(self.certificate, hashes.SHA256())
        weak = str(header.get("x5t", "")).rstrip("=") == thumbprint(self.certificate, hashes.SHA1())
        if not (strong or (weak and header["alg"] == "RS256" and "x5t#S256" not in header)):
            raise bad("The key was not found by the thumbprint of the certificate.")
        try:
            # The times are checked below, against the real time, because the client does not use the moved clock.
            claims = jwt.decode(
                assertion,
                self.certificate.public_key(),
                algorithms=[header["alg"]],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError as error:
            raise bad(f"{error}.") from None
        if claims.get("aud") != self.endpoint(tenant):
            raise bad("its audience is another than the token endpoint.", 700023)
        if claims.get("iss") != CLIENT or claims.get("sub") != CLIENT:
            raise bad("issuer and subject must be the application's id.", 700021)
        self.check_times(claims, bad)
        if not isinstance(claims.get("jti"), str) or not claims["jti"] or claims["jti"] in self.seen:
            raise bad("its 'jti' must be there, and new.")
        self.seen.add(claims["jti"])

    @staticmethod
    def check_times(claims, bad):
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if any(type(value) not in (int, float) for value in times.values()):
            raise bad("its times must be numbers.")
        # The document lists `nbf`; Microsoft's own library sends `iat` in its place.
        start = times.get("nbf", times.get("iat"))
        if "exp" not in times or start is None:
            raise bad("it must say from when and until when it is valid.")
        now = time.time()
        # Entra forgives five minutes of a clock that is wrong.
        if not (start - 300 <= now < times["exp"] + 300) or not start < times["exp"] <= now + 24 * 3600:
            raise bad(f"it is not within its valid time range: {json.dumps(times)}.", 700024)
