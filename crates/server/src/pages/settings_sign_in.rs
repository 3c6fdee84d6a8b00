//! How the people of an organisation sign in, for its administrators. The operator of the installation changes it in the
//! configuration, so the page only shows it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::config::StepUpConfig;
use uuid::Uuid;

use super::error::PageError;
use super::settings::administered;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::session::{KEPT_FOR, UNUSED_FOR};

#[derive(Template)]
#[template(path = "settings_sign_in.html")]
struct SignInPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    /// The methods, each as a sentence.
    methods: Vec<String>,
    /// What an administrator's sign-in must meet, as sentences.
    step_up: Vec<String>,
    session: String,
    /// Whom to ask for help; empty if the configuration does not say.
    help: String,
}

/// Shows the methods of signing in.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let present = administered(&mut tx, id).await?;
    tx.commit().await?;
    let text = layout.text;
    let offered = api.sign_in_methods();
    let providers = offered.providers.iter().map(|one| {
        let names = [("name", line(&text.of_provider(&one.label)).into()), ("host", one.host.clone().into())];
        text.with("sign-in-provider", &names)
    });
    let others = match (offered.has_links, offered.providers.is_empty()) {
        (true, _) => "sign-in-links",
        (false, false) => "sign-in-no-links",
        // Nobody reaches the page without a method, except in a demo.
        (false, true) => "sign-in-demo",
    };
    let lasts = [("days", KEPT_FOR.whole_days().into()), ("hours", UNUSED_FOR.whole_hours().into())];
    let shown = SignInPage {
        id,
        section: "settings-section-sign-in",
        methods: providers.chain([text.say(others)]).collect(),
        step_up: step_up(&offered.step_up, text),
        session: text.with("sign-in-session", &lasts),
        help: api.pages().help.clone(),
        layout: Layout { heading: text.named("sign-in-of-organisation", &present.name), ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The requirements of `[step_up]` as sentences.
fn step_up(config: &StepUpConfig, text: Text) -> Vec<String> {
    let age = match config.max_age_minutes {
        0 => None,
        minutes if minutes % 60 == 0 => Some(text.count("sign-in-age-hours", minutes / 60)),
        minutes => Some(text.count("sign-in-age-minutes", minutes)),
    };
    let class = (!config.acr.is_empty()).then(|| text.say("sign-in-stronger"));
    let none = config.is_off().then(|| text.say("sign-in-no-step-up"));
    age.into_iter().chain(class).chain(none).collect()
}
