use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use thiserror::Error;

use super::{answer::Refusal, router::nothing_here};
use crate::operator::{Desk, Question};

/// What was asked makes no sense.
#[derive(Debug, Error, PartialEq, Eq)]
enum QuestionError {
    #[error("`after` is the id of a connection, not `{0}`")]
    After(String),
    #[error("`limit` is a number up to {most}, not `{0}`", most = Question::MOST_CLIENTS)]
    Limit(String),
    #[error("there is `after` and `limit`, but no `{0}`")]
    Unknown(String),
}

/// `GET /api/operator?after=ID&limit=NUMBER`: how the server is, for operators.
pub(super) async fn show(
    State(desk): State<Desk>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    match desk.node().access.is_operator(&headers) {
        Some(true) => {}
        Some(false) => {
            let message = "this is for operators, who present their token as `Authorization: Bearer TOKEN`";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "operator_token", message));
        }
        None => return Err(nothing_here()),
    }
    let question = question(uri.query().unwrap_or_default())
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "bad_query", error.to_string()))?;
    let report = desk.answer(question).await.map_err(|error| {
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_questions", error.to_string())
    })?;
    let fields = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let text = serde_json::to_vec(&report).expect("numbers, texts and lists have a form in JSON");
    Ok((fields, text).into_response())
}

fn question(query: &str) -> Result<Question, QuestionError> {
    let mut question = Question::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let excerpt = || value.chars().take(40).flat_map(char::escape_debug).collect();
        match &*name {
            "after" => {
                question.after = value.parse().map_err(|_no_number| QuestionError::After(excerpt()))?
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| *limit <= Question::MOST_CLIENTS);
                question.limit = limit.ok_or_else(|| QuestionError::Limit(excerpt()))?;
            }
            _ => {
                let name = name.chars().take(40).flat_map(char::escape_debug).collect();
                return Err(QuestionError::Unknown(name));
            }
        }
    }
    Ok(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_asked_for_by_their_beginning_and_their_length() {
        let page = |after, limit| Ok(Question { after, limit });
        for (query, expected) in [
            ("", Ok(Question::default())),
            ("after=12", page(12, 100)),
            ("limit=1000&after=0", page(0, 1000)),
            ("limit=0", page(0, 0)),
            ("limit=1001", Err(QuestionError::Limit("1001".to_owned()))),
            ("limit=", Err(QuestionError::Limit(String::new()))),
            ("after=-1", Err(QuestionError::After("-1".to_owned()))),
            ("token=secret", Err(QuestionError::Unknown("token".to_owned()))),
        ] {
            assert_eq!(question(query), expected, "{query}");
        }
    }
}
