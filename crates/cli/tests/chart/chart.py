"""Renders the Helm chart in the ways that its values allow, and holds what comes of it to the schemas of Kubernetes and to itself; and
compose.yaml to the schema of such files.

usage: chart.py GEOCAST, the binary that is to take the configuration
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
CHART = ROOT / "deploy/helm/geocast"
COMPOSITION = HERE / ".unpacked/usr/lib/python3/dist-packages/compose/config/compose_spec.json"
# The oldest that Chart.yaml allows, and the newest that there are schemas of.
KUBERNETES = ["1.30", "1.37"]

SECRETS = {"redis": {"existingSecret": "geocast-redis", "ports": [26379, 6380]}, "publishKey": {"existingSecret": "geocast-key"}}
EVERYTHING = SECRETS | {
    "replicas": 3,
    "image": {"tag": "edge"},
    "imagePullSecrets": [{"name": "registry"}],
    "config": {"channels": ["vehicles", "news_*"], "drain_delay": "7s", "drain_timeout": "60s", "history": ["news_*=100"]},
    "preStopSeconds": 11,
    "service": {"annotations": {"example.org/a": "b"}},
    "ingress": {"enabled": True, "className": "nginx", "annotations": {"example.org/long": "3600"}, "tlsSecret": "tls"},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}],
    },
    "podAnnotations": {"example.org/c": "d"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "edge", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "geocast"}}},
    ]}},
}
OPEN = {"config": {"channels": ["vehicles"]}}
NOTHING = {name: {"enabled": False} for name in ["ingress", "podDisruptionBudget", "networkPolicy"]}
# What is set, what the release is called, and which kinds come of it.
WAYS = [
    (OPEN, "geocast", {"Deployment", "ConfigMap", "Service", "NetworkPolicy"}),
    (EVERYTHING, "edge", {"Deployment", "ConfigMap", "Service", "NetworkPolicy", "PodDisruptionBudget", "Ingress"}),
    (NOTHING | SECRETS | OPEN, "x" * 60, {"Deployment", "ConfigMap", "Service"}),
]
# What is said to who has opened nothing.
UNREADABLE = "Nobody can read anything yet"
# What is refused, by the schema of the values or by the chart.
REFUSED = [
    ({"replicas": 2}, "more than one replica needs redis.existingSecret"),
    ({"replicas": "two"}, "'two' is not of type 'integer'"),
    ({"config": {"drain_delay": "half a minute"}}, "does not match"),
]


def merged(below, above):
    """As Helm puts values over those of the chart."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: merged(below.get(key), value) for key, value in above.items()}


def render(changes, release):
    """The documents by kind, and the notes."""
    values = merged(copy.deepcopy(yaml.safe_load((CHART / "values.yaml").read_text())), changes)
    jsonschema.validate(values, json.loads((CHART / "values.schema.json").read_text()))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    given = {
        "Values": values,
        "Release": {"Name": release, "Namespace": "default", "Service": "Helm", "Revision": 1, "IsInstall": True},
        "Chart": {key[0].upper() + key[1:]: value for key, value in chart.items()},
    }
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    run = subprocess.run(["go", "run", HERE / "render.go", CHART], input=json.dumps(given), env=environment, capture_output=True, text=True)
    if run.returncode:
        raise ValueError(run.stderr)
    files = json.loads(run.stdout)
    notes = files.pop("NOTES.txt")
    documents = [document for text in files.values() for document in yaml.load_all(text, Strict) if document]
    kinds = {document["kind"]: document for document in documents}
    assert len(kinds) == len(documents), "one of each kind"
    return values, kinds, notes


class Strict(yaml.SafeLoader):
    """Of two values under one key, YAML readers take either: there must not be two."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{keys} has one twice{node.start_mark}"
        return super().construct_mapping(node, deep)


def seconds(time):
    return int(time.removesuffix("s"))


def hold(values, kinds, notes, geocast):
    """What the documents say of each other."""
    name = kinds["Deployment"]["metadata"]["name"]
    assert {document["metadata"]["name"] for document in kinds.values()} == {name} and len(name) <= 63, name
    spec = kinds["Deployment"]["spec"]
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"].items()
    for kind, selector in [
        ("Deployment", lambda spec: spec["selector"]["matchLabels"]),
        ("Service", lambda spec: spec["selector"]),
        ("PodDisruptionBudget", lambda spec: spec["selector"]["matchLabels"]),
        ("NetworkPolicy", lambda spec: spec["podSelector"]["matchLabels"]),
    ]:
        if kind in kinds:
            selected = selector(kinds[kind]["spec"]).items()
            assert selected and selected <= labels, f"{kind} selects {selected} of {labels}"

    (container,) = pod["containers"]
    config, grace = values["config"], pod["terminationGracePeriodSeconds"]
    needed = values["preStopSeconds"] + seconds(config["drain_delay"]) + seconds(config["drain_timeout"])
    assert grace > needed, f"{grace} s are less than the {needed} s of a drain"
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] == values["preStopSeconds"]
    assert container["image"].count(":") == 1 and not container["image"].endswith(":"), container["image"]
    (port,) = container["ports"]
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
        assert container[probe]["httpGet"]["port"] == port["name"], probe
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes, volumes

    (served,) = kinds["Service"]["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    if "Ingress" in kinds:
        (rule,) = kinds["Ingress"]["spec"]["rules"]
        backend = rule["http"]["paths"][0]["backend"]["service"]
        assert backend == {"name": name, "port": {"name": served["name"]}}, backend
    if "NetworkPolicy" in kinds:
        out = [port["port"] for rule in kinds["NetworkPolicy"]["spec"]["egress"] for port in rule["ports"]]
        assert (set(values["redis"]["ports"]) <= set(out)) == bool(values["redis"]["existingSecret"]), out
        assert kinds["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"] == port["name"]
    assert name in notes and UNREADABLE not in notes, notes

    # What the pod reads, by the program itself, but for the key that a secret has.
    (text,) = kinds["ConfigMap"]["data"].values()
    config = json.loads(text)
    assert config["port"] == port["containerPort"] and config["host"] == "0.0.0.0", config
    with tempfile.TemporaryDirectory() as folder:
        if key := config.get("publish_key_file"):
            mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert str(Path(key).parent) in mounted, f"{key} is not below {mounted}"
            config["publish_key_file"] = f"{folder}/key"
            Path(config["publish_key_file"]).write_text("key")
        path = Path(folder, *kinds["ConfigMap"]["data"])
        path.write_text(json.dumps(config | {"port": 0}))
        assert container["args"] == ["serve", "--config", f"/etc/geocast/{path.name}"], container["args"]
        run = subprocess.run([geocast, "check", "--config", path], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr


def composition():
    """It says what is written in a dialect (draft 2019-09) that later ones have all of."""
    compose = yaml.load((ROOT / "compose.yaml").read_text(), Strict)
    schema = jsonschema.Draft202012Validator(json.loads(COMPOSITION.read_text()))
    faults = [f"{error.json_path}: {error.message}" for error in schema.iter_errors(compose)]
    assert not faults, f"compose.yaml: {faults}"
    compose["services"]["geocast"]["cap_dorp"] = ["ALL"]
    assert not schema.is_valid(compose), "a member that there is not is not seen"


def main(geocast):
    composition()
    for changes, release, expected in WAYS:
        values, kinds, notes = render(changes, release)
        assert set(kinds) == expected, set(kinds)
        for version in KUBERNETES:
            for document in kinds.values():
                kubernetes_validate.validate(document, version, strict=True)
        hold(values, kinds, notes, geocast)
    values, kinds, notes = render({}, "geocast")
    (text,) = kinds["ConfigMap"]["data"].values()
    assert "channels" not in json.loads(text) and UNREADABLE in notes, "nothing is open to everybody unless somebody says so"
    for changes, reason in REFUSED:
        try:
            render(changes, "geocast")
        except (ValueError, jsonschema.ValidationError) as error:
            assert reason in str(error), error
        else:
            raise AssertionError(f"{changes} is not refused")
    wrong = copy.deepcopy(kinds["Deployment"])
    wrong["spec"]["replcias"] = 1
    try:
        kubernetes_validate.validate(wrong, KUBERNETES[0], strict=True)
    except kubernetes_validate.ValidationError:
        print(f"chart: {len(WAYS)} ways to install it are right by the schemas of Kubernetes {' and '.join(KUBERNETES)}, and so is compose.yaml")
    else:
        raise AssertionError("a member that there is not is not seen")


if __name__ == "__main__":
    main(sys.argv[1])
