//! Suggestions for a misspelt name.

/// The maximum length of a compared name, in characters, and the maximum number of candidates. The cost of a
/// comparison grows with the product of the lengths, and both can come from outside.
const LONGEST_SUGGESTION: usize = 100;

const MOST_CANDIDATES: usize = 1_000;

/// The candidate nearest to an unknown name, if one is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_short = |text: &str| text.chars().nth(LONGEST_SUGGESTION).is_none();
    if !is_short(name) {
        return None;
    }
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .take(MOST_CANDIDATES)
        .filter(|candidate| is_short(candidate))
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&name, &lower)
                .max(if lower.starts_with(&name) { 0.9 } else { 0.0 });
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
