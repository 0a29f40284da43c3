//! What is wrong with a scenario, and where.

use std::fmt;

/// A scenario that cannot be used: one sentence that names the line and, where known, the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// Line of the text, from 1.
    pub line: usize,
    /// The field as the text writes it; empty if the line names none.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ScenarioError {
    /// About the line of `text` that holds the byte `at`.
    pub(crate) fn at(text: &str, at: usize, reason: impl Into<String>) -> Self {
        let at = (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: text[..at].matches('\n').count() + 1,
            field: field_before(&text[start..], at - start),
            reason: reason.into().trim().replace('\n', ", "),
        }
    }
}

/// The key whose value stands at byte `at` of `line`, or the key that stands there.
fn field_before(line: &str, at: usize) -> String {
    let is_key = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let line = line.split('\n').next().unwrap_or_default();
    let until = match line[..at.min(line.len())].rfind('=') {
        Some(equals) => &line[..equals],
        None => line.split('=').next().unwrap_or_default(),
    };
    let key = until.trim_end().trim_end_matches(']');
    key.rsplit(|c| !is_key(c)).next().unwrap_or_default().into()
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            field,
            reason,
        } = self;
        match field.is_empty() {
            true => write!(out, "line {line}: {reason}"),
            false => write!(out, "line {line}, {field}: {reason}"),
        }
    }
}

impl std::error::Error for ScenarioError {}
