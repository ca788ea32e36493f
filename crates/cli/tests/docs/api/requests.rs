use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use super::described;
use crate::{
    geocast::{Running, stdout},
    schemas::all_faults,
};

/// A request and the status that it is answered with.
pub(super) type Asked<'a> = (&'a str, &'a str, &'a [&'a str], &'a str, u16);

/// What was asked for and answered, beside what is described of it.
pub(super) struct Traffic {
    openapi: Value,
    /// Operation and status.
    answered: BTreeSet<(String, String)>,
    /// Of the objects in answers of an operation with a status, whose members the description names there.
    members: BTreeMap<(String, String), BTreeSet<String>>,
    /// Each answer with its schema.
    pairs: Vec<(Value, Value)>,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            openapi: described("openapi"),
            answered: BTreeSet::new(),
            members: BTreeMap::new(),
            pairs: Vec::new(),
        }
    }

    /// Asks a server, one after the other. An operation is written as `put /api/state/{channel}/{key}`; where no other path is given,
    /// the channel is `test` and the key `7`.
    pub(super) fn ask(&mut self, server: &Running, requests: &[Asked<'_>]) {
        for (operation, path, headers, body, status) in requests {
            let (method, template) = operation.split_once(' ').expect("a method and a path");
            let usual = template.replace("{channel}", "test").replace("{name}", "test").replace("{key}", "7");
            let path = if path.is_empty() { &usual } else { *path };
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--write-out", "\n%{http_code} %{content_type}"]);
            curl.args(["--request", &method.to_uppercase(), "--data", body]);
            for header in *headers {
                curl.args(["--header", header]);
            }
            let output =
                curl.arg(format!("http://{}{path}", server.address())).output().expect("there is curl");
            let said = stdout(&output);
            let (text, outcome) = said.rsplit_once('\n').expect("a status");
            let (answered, kind) = outcome.split_once(' ').expect("a type");
            assert_eq!(answered, status.to_string(), "{operation} {path}: {said}");
            let response = &self.openapi["paths"][template][method]["responses"][answered];
            assert!(response.is_object(), "{operation} {path} is answered by {said}, which is not described");
            let kind = kind.split(';').next().unwrap_or_default();
            let mut schema = response["content"][kind]["schema"].clone();
            assert!(schema.is_object(), "{operation} {path}: {kind} of {answered} is not described");
            let case = ((*operation).to_owned(), answered.to_owned());
            let value = serde_json::from_str(text).unwrap_or_else(|_no_json| Value::from(text));
            if schema["properties"].is_object() {
                let members = value.as_object().into_iter().flat_map(|members| members.keys().cloned());
                self.members.entry(case.clone()).or_default().extend(members);
            }
            schema["components"] = self.openapi["components"].clone();
            self.pairs.push((schema, value));
            self.answered.insert(case);
        }
    }

    /// What was answered at last.
    pub(super) fn last(&self) -> &Value {
        &self.pairs.last().expect("something was asked for").1
    }

    /// That all was as described, and that all that is described was to be seen, but for these operations with a status.
    pub(super) fn is_all_there_is(&self, but_for: &[(&str, &str)]) {
        let paths = self.openapi["paths"].as_object().expect("a table").iter();
        let operations = paths.flat_map(|(path, item)| {
            let item =
                item.as_object().expect("a table").iter().filter(|(method, _)| *method != "parameters");
            item.map(move |(method, operation)| (format!("{method} {path}"), &operation["responses"]))
        });
        let (mut described, mut members) = (BTreeSet::new(), BTreeMap::new());
        for (operation, responses) in operations {
            for (status, response) in responses.as_object().expect("a table") {
                let case = (operation.clone(), status.clone());
                let schema = &response["content"]["application/json"]["schema"];
                if let Some(properties) = schema["properties"].as_object() {
                    members.insert(case.clone(), properties.keys().cloned().collect());
                }
                described.insert(case);
            }
        }
        let but_for =
            but_for.iter().map(|(operation, status)| ((*operation).to_owned(), (*status).to_owned()));
        let seen: BTreeSet<_> = self.answered.iter().cloned().chain(but_for.clone()).collect();
        assert_eq!(seen, described, "what was answered, and what is described");
        assert!(but_for.clone().all(|case| !self.answered.contains(&case)), "some can be brought about");
        assert_eq!(self.members, members, "the members of answers, and those that are described");
        assert_eq!(all_faults(&self.pairs), "");
    }
}

/// Has a server do what the publish key `key` allows.
pub(super) fn carry_out(server: &Running, method: &str, path: &str, header: &str, body: &str) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--show-error", "--header", "Authorization: Bearer key"]);
    curl.args(["--header", header, "--request", method, "--data-binary", body]);
    let output = curl.arg(format!("http://{}{path}", server.address())).output().expect("there is curl");
    assert!(output.status.success(), "{method} {path}: {output:?}");
}
