//! The pages for coordinators, administrators and mentors. A page is a file here and its template; it uses the same
//! transactions and functions as the API, so the database decides what it shows.

mod about;
mod action;
mod by_mentor;
mod candidate;
mod certification;
mod certifications;
mod certifying;
mod change;
mod chapter_switch;
mod chapters;
mod contact;
mod contact_points;
mod dates;
mod ending;
mod error;
mod explained;
mod file;
mod form;
mod handover;
mod import;
mod import_check;
mod import_columns;
mod import_number;
mod imports;
mod kept;
mod letter;
mod link;
mod list_forms;
mod list_query;
mod listing_consents;
mod merging;
mod mine;
mod moving;
mod my_calendar;
mod my_changes;
mod my_channels;
mod my_export;
mod my_listings;
mod my_notices;
mod of_app;
mod outlook;
mod paging;
mod partners;
mod put_off;
mod reach;
mod register;
mod results;
mod resumption;
mod row;
mod runs;
mod settings;
mod settings_access;
mod settings_chapters;
mod settings_data;
mod settings_new_person;
mod settings_people;
mod settings_person;
mod settings_roles;
mod settings_sign_in;
mod settings_texts;
mod settings_types;
mod settlement;
mod several;
mod three_way;
mod timeline;
mod today;
mod upload;
mod visitor;

use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::api::Api;
use crate::html::assets;
use crate::html::compression::compress;
use crate::html::errors::render_errors;
use crate::problem::ApiError;

/// The router of the pages.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/about", get(about::show))
        .merge(oneself())
        .merge(organisation())
        .merge(certifications_and_changes())
        .merge(registers())
        .merge(settings())
        .merge(people_of_settings())
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(api.database().clone(), render_errors))
        .with_state(api)
        .merge(assets::router())
        .layer(middleware::from_fn(compress))
}

/// The pages about the person who is signed in.
fn oneself() -> Router<Api> {
    Router::new()
        .route("/", get(mine::start))
        .route("/me", get(mine::show))
        .route("/me/digest", post(mine::set_digest).get(async || Redirect::to("/me")))
        .route("/me/notices", get(my_notices::show))
        .route("/me/channels", get(my_channels::show).post(my_channels::choose))
        .route("/me/phones", post(my_channels::add_phone).get(async || Redirect::to("/me/channels")))
        .route("/me/contact-points", post(my_channels::remove).get(async || Redirect::to("/me/channels")))
        .route("/me/listings", get(my_listings::show).post(my_listings::make))
        .route("/me/certifications.ics", get(my_calendar::all))
        .route("/me/certifications/{id}/calendar.ics", get(my_calendar::one))
        .route("/me/export", get(my_export::file))
        .route("/me/sessions", post(mine::end_session).get(async || Redirect::to("/me")))
        .route("/kept-form", get(kept::show).post(kept::discard))
}

/// The pages about an organisation and its chapters, nights and partners.
fn organisation() -> Router<Api> {
    Router::new()
        .route("/today", get(today::show))
        .route("/contacts", get(put_off::show))
        .route("/outlook", get(outlook::show))
        .route("/outlook.csv", get(outlook::file))
        .route("/chapters", get(chapters::show))
        .route("/chapters/{id}/moves", get(chapters::show_move).post(chapters::make_move))
        .route("/chapters/{id}/coordinators", get(handover::show).post(handover::make))
        .route("/chapters/{id}/required-mentors", post(outlook::set).get(async || Redirect::to("/outlook")))
        .route("/runs", get(runs::show))
        .route("/runs/{id}/approvals", post(runs::approve).get(async || Redirect::to("/runs")))
        .route("/runs/{id}/checks", post(runs::check).get(async || Redirect::to("/runs")))
        .route("/partners", get(partners::list))
        .route("/partners/{id}/{code}", get(partners::show))
        .route("/partners/{id}/{code}/settlements", get(settlement::show).post(settlement::make))
        .route("/partners/{id}/{code}/resumptions", get(resumption::show).post(resumption::make))
}

/// The certifications, and their changes.
fn certifications_and_changes() -> Router<Api> {
    Router::new()
        .route("/certifications.csv", get(list_forms::csv))
        .route("/certifications.xlsx", get(list_forms::workbook))
        .route("/certifications/print", get(list_forms::printed))
        .route("/certifications", get(certifications::show))
        .route("/certifications/new", get(certifying::search))
        .route("/people/{person}/certifications", get(certifying::show).post(certifying::make))
        .route("/certifications/{id}", get(certification::show))
        .route("/certifications/{id}/contacts", get(contact::show).post(contact::make))
        .route("/certifications/{id}/contacts/{contact}/undos", post(contact::undo).get(contact::lead_back))
        .route("/certifications/{id}/letter", get(letter::show))
        .route("/certifications/{id}/contact-points", get(contact_points::show).post(contact_points::make))
        .route(
            "/certifications/{id}/listing-consents",
            get(listing_consents::show).post(listing_consents::make),
        )
        .route("/certifications/{id}/listing-consents/letter", get(listing_consents::letter))
        .route("/certifications/{id}/endings", get(ending::show).post(ending::make))
        .route("/certifications/{id}/returns", post(ending::take_back).get(ending::lead_back))
        .route("/certifications/{id}/moves", get(moving::show).post(moving::make))
        .route("/certifications/{id}/merges", get(merging::show).post(merging::make))
        .route("/certifications/{id}/{action}", get(change::show).post(change::make))
        .route(
            "/changes",
            post(several::make).layer(DefaultBodyLimit::max(several::LONGEST_FORM)).get(my_changes::show),
        )
        .route("/changes/new", get(several::show))
        .route("/changes/{id}", get(results::show))
        .route("/changes/{id}/undos", post(results::make).get(results::lead_back))
}

/// The registers that are imported.
fn registers() -> Router<Api> {
    Router::new()
        .route(
            "/imports",
            post(imports::make).layer(DefaultBodyLimit::max(upload::LONGEST_UPLOAD)).get(imports::show),
        )
        .route("/imports/{id}", get(import::show))
        .route("/imports/{id}/columns", get(import_columns::show).post(import_columns::make))
        .route("/imports/{id}/readings", post(import_columns::read_again).get(import::lead_back))
        .route("/imports/numbers/{number}", get(import_number::show))
        .route("/imports/numbers/{number}/undos", post(import_number::undo).get(import_number::lead_back))
        .route("/imports/{id}/decisions", post(import_check::decide).get(import::lead_back))
        .route("/imports/{id}/confirmations", post(import_check::confirm).get(import::lead_back))
        .route("/imports/{id}/rejects.csv", get(import_check::rejects))
        .route("/imports/{id}/discards", post(import::discard).get(import::lead_back))
        .route("/imports/{id}/undos", post(import::undo).get(import::lead_back))
}

/// The settings of an organisation, except its people.
fn settings() -> Router<Api> {
    Router::new()
        .route("/settings", get(settings::list))
        .route("/settings/{id}", get(settings::show).post(settings::make))
        .route("/settings/{id}/types", get(settings_types::show).post(settings_types::make))
        .route("/settings/{id}/types/{code}", get(settings_types::show_one).post(settings_types::make_one))
        .route("/settings/{id}/chapters", get(settings_chapters::show).post(settings_chapters::make))
        .route(
            "/settings/{id}/chapters/{chapter}",
            get(settings_chapters::show_one).post(settings_chapters::make_one),
        )
        .route("/settings/{id}/sign-in", get(settings_sign_in::show))
        .route("/settings/{id}/texts", get(settings_texts::show))
        .route(
            "/settings/{id}/texts/{stage}/{language}",
            get(settings_texts::show_one).post(settings_texts::make_one),
        )
}

/// The people of an organisation, in its settings.
fn people_of_settings() -> Router<Api> {
    Router::new()
        .route("/settings/{id}/people", get(settings_people::show))
        .route("/settings/{id}/people/new", get(settings_new_person::show).post(settings_new_person::make))
        .route("/settings/{id}/people/{person}", get(settings_person::show))
        .route(
            "/settings/{id}/people/{person}/roles",
            post(settings_roles::give).get(settings_roles::lead_back),
        )
        .route(
            "/settings/{id}/people/{person}/roles/endings",
            post(settings_roles::end).get(settings_roles::lead_back),
        )
        .route(
            "/settings/{id}/people/{person}/invitations",
            post(settings_roles::invite).get(settings_roles::lead_back),
        )
        .route(
            "/settings/{id}/people/{person}/invitations/withdrawals",
            post(settings_roles::withdraw).get(settings_roles::lead_back),
        )
        .route("/settings/{id}/people/{person}/export", get(settings_data::file))
        .route("/settings/{id}/people/{person}/erasures", get(settings_data::show).post(settings_data::make))
        .route("/settings/{id}/access", get(settings_access::show))
}
