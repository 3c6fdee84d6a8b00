//! Sign-in with a browser, with a real OpenID Connect provider and real e-mail.

mod codes;
mod configuration;
mod floods;
mod links;
mod partners;
mod proof;
mod provider;
mod providers;
mod sessions;
mod setup;
mod step_up;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command};
use std::sync::OnceLock;

use certvakt_testing::jwt::Signer;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::harness::{NOON, TestDatabase, succeed};
use crate::service::Service;
use crate::stand_in::{MailServer, listen, write_config};

const WORLD: &str = concat!(
    include_str!("../../../../supabase/tests/fixtures/world.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql")
);
const SECRET: &str = "a secret of the tests, of forty bytes...";
const PUBLIC: &str = "https://certvakt.example";
const HOME: &str = "/sign-in";

/// A running provider, which ends when this value is dropped.
struct Provider {
    _process: (Child, ChildStdin),
    issuer: String,
    _folder: tempfile::TempDir,
}

impl Provider {
    /// The provider of all tests that do not stop it. It ends with this process.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Provider> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        static MODULES: OnceLock<PathBuf> = OnceLock::new();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let modules = MODULES.get_or_init(|| {
            let tools = succeed(Command::new(format!("{root}/scripts/install-tools")).arg("provider"));
            PathBuf::from(tools.trim()).join("provider/node_modules")
        });
        // Node looks up modules in the folder of the importing file.
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("provider.mjs"), include_str!("sign_in/provider/provider.mjs"))
            .unwrap();
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        let mut command = Command::new("node");
        command.arg(folder.path().join("provider.mjs"));
        command
            .args(["login", "other", "vipps", "bankid"].map(|id| format!("{PUBLIC}/sign-in/callback/{id}")));
        let (process, listening) = listen(command.stderr(std::process::Stdio::null()));
        Self { _process: process, issuer: listening["issuer"].as_str().unwrap().to_owned(), _folder: folder }
    }
}

/// The service on the test data of two organisations, with a provider and a mail server.
pub struct TestService {
    pub database: TestDatabase,
    pub mail: MailServer,
    issuer: String,
    service: Service,
    folder: tempfile::TempDir,
}

impl TestService {
    /// Starts it with additional settings in `[sign_in]`, and with the provider, unless they have one.
    pub async fn start(more: &str) -> Self {
        Self::start_with(Provider::shared(), more).await
    }

    async fn start_with(provider: &Provider, more: &str) -> Self {
        let database = TestDatabase::rehearsal().await;
        database.execute(WORLD).await;
        Self::on(database, provider, more)
    }

    /// Restarts it with a worker that sends notices by e-mail.
    pub fn mailing(self) -> Self {
        let config = std::fs::read_to_string(self.folder.path().join("certvakt.toml")).unwrap();
        let config = config.replace("channels = [\"file\"]", "channels = [\"email\"]\npoll_seconds = 1");
        assert!(config.contains("poll_seconds"));
        drop(self.service);
        let service = Service::start(&self.database, &write_config(self.folder.path(), &config), NOON);
        Self { service, ..self }
    }

    /// Starts it on a database with other data.
    pub fn on_other(database: TestDatabase, more: &str) -> Self {
        Self::on(database, Provider::shared(), more)
    }

    /// Starts it on a database.
    fn on(database: TestDatabase, provider: &Provider, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mail = MailServer::start(None);
        let service = Self::serve(&database, &mail, &provider.issuer, &folder, more);
        Self { database, mail, issuer: provider.issuer.clone(), service, folder }
    }

    /// Restarts the service with other settings.
    pub fn again(self, more: &str) -> Self {
        drop(self.service);
        let service = Self::serve(&self.database, &self.mail, &self.issuer, &self.folder, more);
        Self { service, ..self }
    }

    fn serve(
        database: &TestDatabase,
        mail: &MailServer,
        issuer: &str,
        folder: &tempfile::TempDir,
        more: &str,
    ) -> Service {
        let secret = folder.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let links = if more.contains("links") { "" } else { "links = true\n" };
        let provider = if more.contains("[[sign_in.providers]]") {
            String::new()
        } else {
            client("login", "certvakt", issuer, &secret)
        };
        let config = format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n[delivery]\nchannels = [\"file\"]\n\
             [email]\nserver = \"smtp://127.0.0.1:{}\"\nfrom = \"Varsel <varsel@example.org>\"\n\
             [auth]\nissuer = \"https://issuer.example\"\naudience = \"authenticated\"\nalgorithm = \"HS256\"\n\
             secret_file = \"{secret}\"\n\
             [sign_in]\npublic_url = \"{PUBLIC}\"\n{links}{more}{provider}",
            mail.port,
            secret = secret.display(),
        );
        Service::start(database, &write_config(folder.path(), &config), NOON)
    }

    /// The configuration of a client at the provider.
    fn client(&self, client_id: &str) -> String {
        client("login", client_id, &self.issuer, &self.folder.path().join("secret"))
    }

    /// Links a login at the provider to a person of the test data.
    pub async fn known(&self, login: &str) {
        self.database
            .execute(&format!(
                "insert into certvakt.identities (issuer, subject, person_id)
                 select '{}', subject, person_id from certvakt.identities where subject = '{login}'",
                self.issuer
            ))
            .await;
    }

    /// Sends a request of an app with a token for a person of the test data.
    async fn ask(&self, who: &str, method: Method, path: &str) -> (u16, Value) {
        self.send(who, json!({}), method, path, None).await
    }

    /// The same, with additional claims in the token, and a body.
    pub async fn send(
        &self,
        who: &str,
        more: Value,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let expires: u64 = 4_102_444_800;
        let mut claims =
            json!({ "iss": "https://issuer.example", "sub": who, "aud": "authenticated", "exp": expires });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let signer = Signer::hmac(SECRET.as_bytes());
        let url = format!("http://{}/api/v1{path}", self.service.address());
        let mut request =
            certvakt_engine::outbound::client(std::time::Duration::from_secs(30)).request(method, url);
        if who != "nobody" {
            request = request.bearer_auth(signer.sign(&signer.header("one"), &claims));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn sessions(&self) -> i64 {
        self.database.value("select count(*) from certvakt.sessions").await
    }

    pub fn browser(&self) -> Browser {
        Browser::of(&self.service)
    }
}

/// The configuration of a provider.
fn client(id: &str, client_id: &str, issuer: &str, secret: &Path) -> String {
    format!(
        "[[sign_in.providers]]\nid = \"{id}\"\nlabel = {{ nb = \"Logg inn hos {id}\", en = \"Sign in at {id}\" }}\n\
         issuer = \"{issuer}\"\nclient_id = \"{client_id}\"\nclient_secret_file = \"{}\"\n",
        secret.display()
    )
}

/// A browser, which reaches the service at its public address, as behind a proxy.
pub struct Browser {
    client: reqwest::Client,
    service: String,
    pub language: &'static str,
    /// The headers of every request.
    pub headers: Vec<(&'static str, String)>,
    /// The cookies by host and name.
    cookies: HashMap<String, String>,
    /// All `Set-Cookie` headers that it received.
    set: Vec<String>,
}

/// A response, with its URL.
pub struct Answer {
    pub status: u16,
    pub url: String,
    pub location: Option<String>,
    pub headers: reqwest::header::HeaderMap,
    /// The body, and as text.
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Browser {
    fn of(service: &Service) -> Self {
        Self {
            client: certvakt_engine::outbound::client(std::time::Duration::from_secs(30)),
            service: format!("http://{}", service.address()),
            language: "nb",
            headers: Vec::new(),
            cookies: HashMap::new(),
            set: Vec::new(),
        }
    }

    /// Continues a session.
    pub fn with_session(mut self, secret: &str) -> Self {
        self.cookies.insert("certvakt.example __Host-certvakt".to_owned(), secret.to_owned());
        self
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, form).await
    }

    pub async fn send(&mut self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let is_post = method == Method::POST;
        self.exchange(method, path, |request| if is_post { request.form(form) } else { request }).await
    }

    /// Sends a form with a file (RFC 7578).
    pub async fn upload(&mut self, path: &str, form: &[(&str, &str)], name: &str, file: &[u8]) -> Answer {
        let mut body = Vec::new();
        for (field, value) in form {
            let part =
                format!("--part\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--part\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--part--\r\n");
        let content_type = "multipart/form-data; boundary=part";
        self.exchange(Method::POST, path, |request| request.header("content-type", content_type).body(body))
            .await
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        with_body: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let url = Url::parse(PUBLIC).unwrap().join(path).unwrap();
        let host = url.authority().to_owned();
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter_map(|(name, value)| Some(format!("{}={value}", name.strip_prefix(&format!("{host} "))?)))
            .collect();
        let reached = url.as_str().replacen(PUBLIC, &self.service, 1);
        let mut request = self.client.request(method, reached).header("accept-language", self.language);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let answer = with_body(request).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap().to_owned();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(&format!("{host} {name}")),
                _ => self.cookies.insert(format!("{host} {name}"), value.to_owned()),
            };
            self.set.push(cookie);
        }
        let location = headers.get("location").map(|to| url.join(to.to_str().unwrap()).unwrap().to_string());
        let bytes = answer.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status, url: url.to_string(), location, headers, bytes, text }
    }

    /// Follows redirects to the end.
    async fn follow(&mut self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        self.follow_until(method, path, form, "nowhere").await
    }

    /// Follows redirects to the end, or to a URL with this prefix, which it does not request.
    async fn follow_until(&mut self, method: Method, path: &str, form: &[(&str, &str)], end: &str) -> Answer {
        let mut answer = self.send(method, path, form).await;
        while let Some(to) = answer.location.take() {
            if to.starts_with(end) {
                return Answer { url: to, ..answer };
            }
            answer = self.send(Method::GET, &to, &[]).await;
        }
        answer
    }

    /// Signs in at the provider, and accepts its prompts.
    pub async fn sign_in(&mut self, path: &str, login: &str) -> Answer {
        self.through(path, login, "nowhere").await
    }

    /// The same, up to a URL with this prefix.
    async fn sign_in_until(&mut self, path: &str, login: &str, end: &str) -> String {
        let answer = self.through(path, login, end).await;
        assert!(answer.url.starts_with(end), "{} {}", answer.url, answer.text);
        answer.url
    }

    async fn through(&mut self, path: &str, login: &str, end: &str) -> Answer {
        let mut answer = self.follow_until(Method::GET, path, &[], end).await;
        while answer.text.contains("name=\"prompt\"") {
            let action = between(&answer.text, "action=\"", "\"");
            let prompt = between(&answer.text, "name=\"prompt\" value=\"", "\"");
            let form = [("prompt", &*prompt), ("login", login), ("password", "any")];
            answer = self.follow_until(Method::POST, &action, &form, end).await;
        }
        answer
    }
}

pub fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap().to_owned()
}

fn lines_of(text: &str, what: &str) -> usize {
    text.lines().filter(|line| line.contains(what)).count()
}
