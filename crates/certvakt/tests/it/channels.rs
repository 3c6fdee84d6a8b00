//! The rules of every channel: one suite, which runs for each channel on its real provider or a stand-in.

use std::time::Duration;

use certvakt_base::i18n::Locale;
use certvakt_engine::config::{ChannelName, Config};
use certvakt_engine::delivery::channels::{self, Address, Channel, Outcome};
use certvakt_engine::delivery::wording::Wording;
use certvakt_engine::delivery::{Notice, text};
use certvakt_rules::Stage;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::stand_in::{MailServer, StandIn, lines};

const EVERY: [ChannelName; 3] = [ChannelName::Fcm, ChannelName::Email, ChannelName::File];

/// A channel and the provider behind it.
struct Provider {
    name: ChannelName,
    fcm: StandIn,
    mail: MailServer,
}

/// A notice as the provider accepted it.
struct Taken {
    /// The text on a lock screen or in a list of e-mails.
    shown: String,
    /// The value that identifies repeats.
    identity: String,
    /// All of it.
    whole: String,
}

impl Provider {
    fn start(name: ChannelName) -> Self {
        Self { name, fcm: StandIn::start(), mail: MailServer::start(None) }
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.delivery.channels = vec![self.name];
        config.delivery.timeout_seconds = 5;
        match self.name {
            ChannelName::Fcm => {
                config.fcm.endpoint.clone_from(&self.fcm.address);
                config.fcm.service_account_file = self.fcm.service_account();
            }
            ChannelName::Email => {
                config.email.server = format!("smtp://127.0.0.1:{}", self.mail.port);
                "Varsel <varsel@example.org>".clone_into(&mut config.email.from);
            }
            ChannelName::File => config.file.path = self.file(),
        }
        config
    }

    fn file(&self) -> std::path::PathBuf {
        self.fcm.folder.path().join("notices.jsonl")
    }

    fn channel(&self) -> Box<dyn Channel> {
        channels::configured(&self.config()).unwrap().remove(0)
    }

    /// An address whose prefix selects the stand-in's behaviour.
    fn address(&self, behaviour: &str) -> Address {
        let contact = match self.name {
            ChannelName::Fcm => format!("{behaviour}-1"),
            ChannelName::Email => format!("{behaviour}-1@example.org"),
            ChannelName::File => String::new(),
        };
        Address { person_id: Uuid::from_u128(7), contact }
    }

    fn taken(&self) -> Vec<Taken> {
        let taken = match self.name {
            ChannelName::Fcm => self.fcm.messages(),
            ChannelName::Email => self.mail.mails(),
            ChannelName::File => lines(&self.file()),
        };
        taken
            .into_iter()
            .map(|one| {
                let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                let (shown, identity) = match self.name {
                    ChannelName::Fcm => (
                        one["message"]["notification"].to_string(),
                        text(&one["message"]["android"]["collapse_key"]),
                    ),
                    ChannelName::Email => (
                        text(&one["headers"]["subject"])
                            + &text(&one["headers"]["from"])
                            + &text(&one["parts"][0]["text"]).lines().take(4).collect::<String>(),
                        text(&one["headers"]["message-id"]),
                    ),
                    ChannelName::File => {
                        (text(&one["title"]) + &text(&one["body"]), text(&one["idempotency_key"]))
                    }
                };
                Taken { shown, identity, whole: one.to_string() }
            })
            .collect()
    }
}

fn notice() -> Notice<'static> {
    Notice {
        certification_id: Uuid::from_u128(1),
        stage: Stage::Warning(30),
        last_valid_day: "2026-12-31".parse().unwrap(),
        days_left: 28,
        idempotency_key: "a",
        locale: Locale::Nb,
        recipient_name: Some("Åse Ødegård"),
        organisation: "Hørselslaget",
        certification: "Likeperson",
        chapter: "Lokallaget",
        wording: None,
        names_certification: false,
    }
}

#[tokio::test]
async fn a_sent_notice_reveals_nothing_about_its_subject() {
    for name in EVERY {
        let provider = Provider::start(name);
        let (channel, to) = (provider.channel(), provider.address("ok"));
        for locale in [Locale::Nb, Locale::En] {
            for names_certification in [false, true] {
                let notice = Notice { locale, names_certification, ..notice() };
                let outcome = channel.send(&notice, &to).await;
                let Ok(Outcome::Delivered { reference }) = outcome else { panic!("{name:?}: {outcome:?}") };
                assert!((1..=200).contains(&reference.len()), "{reference}");
                let shown = provider.taken().pop().unwrap().shown;
                assert!(!shown.is_empty());
                for word in ["Hørselslaget", "Likeperson"] {
                    assert_eq!(shown.contains(word), names_certification, "{name:?} {word}: {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_repeat_is_recognised_and_another_certification_is_not_taken_for_it() {
    for name in EVERY {
        let provider = Provider::start(name);
        let (channel, to) = (provider.channel(), provider.address("ok"));
        let other = Notice { certification_id: Uuid::from_u128(2), idempotency_key: "b", ..notice() };
        // The days left may have changed between the two.
        for notice in [notice(), Notice { days_left: 27, ..notice() }, other] {
            channel.send(&notice, &to).await.unwrap();
        }
        let identities: Vec<String> = provider.taken().into_iter().map(|taken| taken.identity).collect();
        assert_eq!(identities[0], identities[1], "{name:?}");
        assert_ne!(identities[0], identities[2], "{name:?}");
    }
}

#[tokio::test]
async fn names_are_only_text() {
    for name in EVERY {
        let provider = Provider::start(name);
        let hostile =
            "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> \u{202e} {{ 7 * 7 }} $name \"'";
        let notice = Notice {
            recipient_name: Some(hostile),
            organisation: hostile,
            certification: &(hostile.to_owned() + &"y".repeat(10_000)),
            names_certification: true,
            ..notice()
        };
        let outcome = provider.channel().send(&notice, &provider.address("ok")).await;
        assert!(matches!(outcome, Ok(Outcome::Delivered { .. })), "{name:?}: {outcome:?}");
        let taken = provider.taken();
        assert_eq!(taken.len(), 1);
        assert!(taken[0].whole.len() < 20_000, "{name:?}: {}", taken[0].whole.len());
        if name == ChannelName::Email {
            let mail = &provider.mail.mails()[0];
            assert!(mail["headers"]["bcc"].is_null());
            assert_eq!(mail["to"], serde_json::json!(["ok-1@example.org"]));
            assert!(!mail["parts"][1]["text"].as_str().unwrap().contains("<script>"));
        }
    }
}

#[tokio::test]
async fn the_preview_of_an_email_is_what_is_sent() {
    let provider = Provider::start(ChannelName::Email);
    let wording = Wording::parse("{remaining}\n<i>\n\n{chapter}").unwrap();
    for wording in [None, Some(&wording)] {
        let notice = Notice { wording, ..notice() };
        let shown = channels::preview(&notice).unwrap();
        assert_eq!(shown.plain.contains("Lokallaget"), wording.is_some(), "{shown:?}");
        provider.channel().send(&notice, &provider.address("ok")).await.unwrap();
        let mail = provider.mail.mails().pop().unwrap();
        let part = |part: usize| mail["parts"][part]["text"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(part(0).trim_end(), shown.plain.trim_end());
        assert!(part(1).contains(shown.html.trim()), "{} in {}", shown.html, part(1));
        assert!(part(1).contains(&shown.footer));
        assert_eq!(mail["headers"]["subject"], shown.subject);
    }
}

#[tokio::test]
async fn a_provider_that_is_away_or_silent_is_tried_later_and_in_time() {
    // A server that accepts connections without a response, and a closed port.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for name in EVERY {
        let provider = Provider::start(name);
        for place in [silent.local_addr().unwrap(), closed] {
            let mut config = provider.config();
            config.delivery.timeout_seconds = 1;
            config.fcm.endpoint = format!("http://{place}");
            config.email.server = format!("smtp://{place}");
            config.file.path = provider.file().join("no folder");
            if name == ChannelName::File {
                std::fs::write(provider.file(), "").unwrap();
            }
            let channel = channels::configured(&config).unwrap().remove(0);
            let (notice, to) = (notice(), provider.address("ok"));
            let outcome = tokio::time::timeout(Duration::from_secs(30), channel.send(&notice, &to)).await;
            let outcome = outcome.expect("an end to waiting");
            assert!(matches!(outcome, Ok(Outcome::Retry { .. })), "{name:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn no_secret_and_no_address_is_recorded() {
    for name in EVERY {
        let provider = Provider::start(name);
        let channel = provider.channel();
        let key = std::fs::read_to_string(provider.fcm.service_account()).unwrap();
        for behaviour in ["ok", "unknown", "gone", "later", "quota", "refused", "mismatch", "drop"] {
            let to = provider.address(behaviour);
            let said = format!("{:?} {channel:?}", channel.send(&notice(), &to).await);
            assert!(to.contact.is_empty() || !said.contains(&to.contact), "{name:?}: {said}");
            assert!(
                !said.contains("PRIVATE KEY") && !said.contains("Åse") && !said.contains("Hørsel"),
                "{said}"
            );
            assert!(key.contains("PRIVATE KEY"));
        }
    }
}

#[tokio::test]
async fn a_calendar_file_is_valid_with_any_name() {
    let provider = Provider::start(ChannelName::Email);
    let channel = provider.channel();
    // All lengths of a line around the first folds, and characters that must be escaped.
    for length in 0..100 {
        let certification = format!("Ærlig, \\ \"å\"; {}", "ø".repeat(length));
        let notice = Notice {
            certification: &certification,
            organisation: "Laget\r\nBEGIN:VEVENT",
            names_certification: true,
            ..notice()
        };
        channel.send(&notice, &provider.address("ok")).await.unwrap();
    }
    let mails = provider.mail.mails();
    assert_eq!(mails.len(), 100);
    for (length, mail) in mails.iter().enumerate() {
        let file = mail["parts"][2]["text"].as_str().unwrap();
        // Python's parser changes line ends.
        let file = file.replace("\r\n", "\n").replace('\n', "\r\n");
        let event = crate::calendar::read(&file);
        assert_eq!(event["UID"], format!("{}@certvakt", Uuid::from_u128(1)));
        assert!(event["SUMMARY"].starts_with("Siste dag: Ærlig, \\ \"å\"; "), "{event:?}");
        assert!(event["SUMMARY"].contains(&"ø".repeat(length.min(90))), "{event:?}");
    }
}

#[tokio::test]
async fn a_dead_address_is_given_up() {
    for (name, behaviour) in [(ChannelName::Fcm, "gone"), (ChannelName::Email, "unknown")] {
        let provider = Provider::start(name);
        let outcome = provider.channel().send(&notice(), &provider.address(behaviour)).await;
        assert!(matches!(outcome, Ok(Outcome::GiveUp { .. })), "{name:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_check_signs_in_and_sends_nothing() {
    for name in EVERY {
        let provider = Provider::start(name);
        assert_eq!(provider.channel().check().await, Ok(()), "{name:?}");
        assert!(provider.taken().is_empty());
        // A closed port is reported in time.
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut config = provider.config();
        config.email.server = format!("smtp://{closed}");
        config.file.path = provider.fcm.folder.path().join("no folder/notices.jsonl");
        let account = std::fs::read_to_string(provider.fcm.service_account()).unwrap();
        let account = account.replace(&provider.fcm.address, &format!("http://{closed}"));
        std::fs::write(provider.fcm.service_account(), account).unwrap();
        let channel = channels::configured(&config).unwrap().remove(0);
        assert!(channel.check().await.is_err(), "{name:?}");
    }
}

#[tokio::test]
async fn an_unknown_service_account_stops_the_channel() {
    let provider = Provider::start(ChannelName::Fcm);
    let account = std::fs::read_to_string(provider.fcm.service_account()).unwrap();
    let mut account: serde_json::Value = serde_json::from_str(&account).unwrap();
    account["client_email"] = "somebody-else@example.org".into();
    std::fs::write(provider.fcm.service_account(), account.to_string()).unwrap();
    let channel = provider.channel();
    let stopped = channel.send(&notice(), &provider.address("ok")).await.unwrap_err();
    assert!(stopped.reason.contains("the token endpoint rejected the service account"), "{stopped}");
    assert_eq!(channel.check().await, Err(stopped.reason));
    assert!(provider.taken().is_empty());
}

#[test]
fn a_file_that_would_wait_for_its_reader_is_refused() {
    let mut config = Config::default();
    config.delivery.channels = vec![ChannelName::File];
    config.file.path = "/dev/null".into();
    let said = channels::configured(&config).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("file.path is not a regular file"), "{said}");
}

#[test]
fn what_people_read() {
    let mut shown = String::new();
    for locale in [Locale::Nb, Locale::En] {
        for (stage, days_left) in [
            (Stage::Warning(90), 90),
            (Stage::Warning(7), 1),
            (Stage::Warning(7), 0),
            (Stage::Expired, -1),
            (Stage::Expired, -12),
        ] {
            for names_certification in [false, true] {
                let notice = Notice { locale, stage, days_left, names_certification, ..notice() };
                let (push, mail) = (text::push(&notice), text::mail(&notice));
                shown += &format!(
                    "== {locale:?} {stage}, {days_left} days, {}\npush: {}\n      {}\nmail: {}\n",
                    if names_certification { "named" } else { "neutral" },
                    push.title,
                    push.body,
                    [
                        mail.subject,
                        mail.preheader,
                        mail.greeting,
                        mail.paragraphs.concat().join("\n      "),
                        mail.calendar,
                        mail.footer
                    ]
                    .join("\n      "),
                );
            }
        }
    }
    insta::assert_snapshot!(shown);
}
