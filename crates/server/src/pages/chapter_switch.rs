//! The switch between all chapters of a person and one, which several pages share. The URL has the choice.

use certvakt_base::i18n::line;
use certvakt_store::caller::{self, Chapter};
use certvakt_store::{CallerTx, StoreError};
use uuid::Uuid;

use super::link::link;
use crate::html::layout::Layout;

/// The chapter of a query; `None` for all. An id that cannot be one finds nothing, as an unknown one does.
pub(super) fn chosen(chapter: &str) -> Option<Uuid> {
    (!chapter.is_empty()).then(|| chapter.parse().unwrap_or(Uuid::nil()))
}

/// The chapter of a form, which the page after it shows again; empty for all.
pub(super) fn of_form(chapter: &str) -> String {
    chapter.parse().map(|id: Uuid| id.to_string()).unwrap_or_default()
}

/// The ids and names of chapters.
pub(super) fn named(chapters: &[Chapter]) -> Vec<(Uuid, String)> {
    chapters.iter().map(|one| (one.id, one.name.clone())).collect()
}

/// Lets the menu keep the chosen chapter, if there are several.
pub(super) fn keep(layout: &mut Layout, chapters: &[(Uuid, String)], chapter: Option<Uuid>) {
    let is_known = |id: &Uuid| chapters.len() > 1 && chapters.iter().any(|(one, _)| one == id);
    layout.chapter = chapter.filter(is_known);
}

/// Lets a form that a page with the switch leads to keep the chosen chapter.
pub(super) async fn keep_known(
    tx: &mut CallerTx,
    layout: &mut Layout,
    chapter: &str,
) -> Result<(), StoreError> {
    if !chapter.is_empty() {
        keep(layout, &named(&caller::chapters(tx).await?), chosen(chapter));
    }
    Ok(())
}

/// The chapters to choose from, all of them first, with their links, and whether each is shown; empty if there is only one.
/// The menu keeps the chosen one.
pub(super) fn switch(
    layout: &mut Layout,
    path: &str,
    chapters: &[(Uuid, String)],
    chapter: Option<Uuid>,
) -> Vec<(String, String, bool)> {
    keep(layout, chapters, chapter);
    if chapters.len() < 2 {
        return Vec::new();
    }
    let all = (layout.text.say("today-all-chapters"), path.to_owned(), chapter.is_none());
    let each = chapters
        .iter()
        .map(|(id, name)| (line(name), link(path, &[("chapter", &id.to_string())]), chapter == Some(*id)));
    std::iter::once(all).chain(each).collect()
}
