//! Schemas, YAML and other forms, by the Python packages of requirements.txt.

use std::{
    collections::BTreeMap,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::pages::root;

/// What a file of YAML says.
pub(crate) fn yaml(path: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(json.load(sys.stdin))), sys.stdout)";
    let said = python(script, &json!(root().join(path).display().to_string()));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a JSON Schema has against a value.
pub(crate) fn faults(schema: &Value, value: &Value) -> String {
    all_faults(&[(schema.clone(), value.clone())])
}

/// What each of some schemas has against the value beside it.
pub(crate) fn all_faults(pairs: &[(Value, Value)]) -> String {
    let script = "\
import json, sys, jsonschema
for schema, value in json.load(sys.stdin):
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    kind.check_schema(schema)
    for error in kind(schema).iter_errors(value):
        print(error.json_path, error.message, 'in', json.dumps(value)[:300])
";
    python(script, &json!(pairs))
}

/// Of schemas by name, which may refer to each other in the document that they are of, those that hold of each value. Beside it are the
/// names of those that may.
pub(crate) fn holding(
    document: &Value,
    places: &BTreeMap<String, String>,
    values: &[(Vec<&str>, Value)],
) -> Vec<Vec<String>> {
    let script = "\
import json, sys, jsonschema
document, places, values = json.load(sys.stdin)
schemas = {name: jsonschema.Draft202012Validator({'$ref': place, **document}) for name, place in places.items()}
json.dump([[name for name in names if schemas[name].is_valid(value)] for names, value in values], sys.stdout)
";
    serde_json::from_str(&python(script, &json!([document, places, values]))).expect("JSON")
}

/// What the schema of OpenAPI itself has against a description.
pub(crate) fn openapi_faults(description: &Value) -> String {
    let script = "\
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator
for error in OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors():
    print(error.message)
";
    python(script, description)
}

/// A program of the environment of requirements.txt.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = root().join("crates/cli/tests/docs/.venv/bin").join(name);
    assert!(path.exists(), "there is no {}: `make setup-test` makes it", path.display());
    path
}

fn python(script: &str, input: &Value) -> String {
    let mut command = Command::new(tool("python"));
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.to_string().as_bytes()).expect("it is read to its end, before anything is said");
    drop(stdin);
    let output = child.wait_with_output().expect("it is our child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
