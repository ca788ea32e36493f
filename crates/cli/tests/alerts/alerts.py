"""Holds alert rules, dashboard, the configuration in docs/metrics.md and what servers show to Prometheus' own tool.

usage: alerts.py GEOCAST PROMTOOL
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from cases import CASES

ROOT = Path(__file__).parents[4]
RULES = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/geocast.json"
PAGE = ROOT / "docs/metrics.md"
# What Grafana puts in.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}
# A sample: its name, its labels, its value.
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
# How long a server may take to start, on a machine that has much else to do.
PATIENCE = 60


class Promtool:
    def __init__(self, program, folder):
        self.program, self.folder = program, Path(folder)

    def asked(self, *arguments, text=None):
        """Whether it agrees, and what it says."""
        run = subprocess.run([self.program, *arguments], input=text, capture_output=True, text=True)
        return run.returncode == 0, run.stdout + run.stderr

    def agrees(self, *arguments, text=None):
        agrees, said = self.asked(*arguments, text=text)
        assert agrees, f"promtool {' '.join(map(str, arguments))}:\n{said}"
        return said

    def written(self, name, value):
        """A file for it: what is JSON is YAML."""
        path = self.folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path


def expressions(value):
    """All of a dashboard, wherever they stand."""
    if isinstance(value, dict) and isinstance(value.get("expr"), str):
        yield value["expr"]
    if isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from expressions(member)


def recorded(dashboard):
    """The expressions of a dashboard as rules, so that they are looked at as rules are."""
    rules = []
    for number, expression in enumerate(expressions(dashboard)):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert "$" not in expression, f"a variable that nobody puts in: {expression}"
        rules.append({"record": f"panel:{number}", "expr": expression})
    assert len(rules) > 40, f"{len(rules)} expressions in the dashboard"
    return {"groups": [{"name": "dashboard", "rules": rules}]}


class Server:
    """A server with metrics on a port of their own."""

    def __init__(self, geocast, folder, name, *arguments):
        self.log = Path(folder, f"{name}.log")
        command = [geocast, "serve", "--port", "0", "--metrics", "0", "--log-format", "human", *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)
        self.metrics = self.said(r"  metrics +(http://\S+/metrics)\n")

    def said(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(pattern, self.log.read_text()):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"{pattern} was not said:\n{self.log.read_text()}")

    def shown(self, accepted="text/plain"):
        request = urllib.request.Request(self.metrics, headers={"Accept": accepted})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.headers["content-type"].startswith(accepted), answer.headers["content-type"]
            return answer.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Redis:
    def __init__(self, folder):
        self.socket = Path(folder, "redis")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL,
        )
        while not self.socket.exists():
            assert self.process.poll() is None, "Redis has ended"
            time.sleep(0.05)

    def __enter__(self):
        return f"unix://{self.socket}"

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def samples(text):
    for line in text.splitlines():
        if not line.startswith("#"):
            found = SAMPLE.fullmatch(line)
            assert found, line
            yield found.groups("")


def open_metrics(promtool, text):
    """What Prometheus asks for, by its own reader, which wants to know when that was."""
    stamped = "".join(line if line.startswith("#") else f"{line.rstrip()} {time.time():.0f}\n" for line in text.splitlines(True))
    promtool.agrees("tsdb", "create-blocks-from", "openmetrics", promtool.written("openmetrics", stamped), promtool.folder / "blocks")


def labelled(series, instance):
    """As Prometheus has it: with the instance and the job, unless a series names another."""
    name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})?", series).groups("")
    job = "" if 'job="' in labels else ',job="geocast"'
    return f'{name}{{instance="{instance}"{job}{"," if labels else ""}{labels}}}'


def label_names(labels):
    return frozenset(re.findall(r'(\w+)="', labels)) - {"job"}


def test_of(alert, case):
    """That an alert is silent, and then told of the one that is ill."""
    series = [
        {"series": labelled(name, instance), "values": values}
        for instance, shown in case.series.items()
        for name, values in shown.items()
    ]
    severity = re.search(rf"alert: {alert}\n(?:.*\n)*?          severity: (\w+)\n", RULES.read_text())[1]
    expected = {
        "exp_labels": case.labels | {"instance": "ill", "severity": severity},
        "exp_annotations": {"summary": case.summary},
    }
    return {
        "name": alert,
        "interval": "15s",
        "input_series": series,
        "alert_rule_test": [
            {"alertname": alert, "eval_time": case.silent, "exp_alerts": []},
            {"alertname": alert, "eval_time": case.fires, "exp_alerts": [expected]},
        ],
    }


def well(shown, alerts):
    """That nothing is told of servers that go on as they are: what they show, again and again."""
    series = [
        {"series": labelled(f"{name}{{{labels}}}", instance), "values": f"{value}x120"}
        for instance, text in shown.items()
        for name, labels, value in samples(text)
    ]
    series += [{"series": labelled("up", instance), "values": "1x120"} for instance in shown]
    return {
        "name": "servers that are well",
        "interval": "15s",
        "input_series": series,
        "alert_rule_test": [{"alertname": alert, "eval_time": "29m", "exp_alerts": []} for alert in alerts],
    }


def configuration(promtool):
    """The example of the page, with what it names beside it."""
    text = re.search(r"^```yaml\n(scrape_configs:.*?|rule_files:.*?)^```", PAGE.read_text(), re.M | re.S)[1]
    assert "job_name: geocast\n" in text, "the alerts know the job by its name"
    here = text.replace("/etc/prometheus/", f"{promtool.folder}/")
    for name in re.findall(r"/etc/prometheus/([\w.-]+)", text):
        promtool.written(name, RULES.read_text() if name.endswith(".yml") else "sesame")
    said = promtool.agrees("check", "config", "--lint=all", "--lint-fatal", promtool.written("prometheus.yml", here))
    assert f"{len(CASES)} rules" in said, f"the rules are not found from there: {said}"


def main(geocast, program):
    with tempfile.TemporaryDirectory() as folder, Redis(folder) as redis:
        promtool = Promtool(program, folder)
        promtool.agrees("check", "rules", "--lint=all", "--lint-fatal", RULES)
        dashboard = promtool.written("dashboard.yml", recorded(json.loads(DASHBOARD.read_text())))
        promtool.agrees("check", "rules", "--lint=all", "--lint-fatal", dashboard)
        configuration(promtool)

        servers = {"embedded": ["--dev-tls", "--history", "*=10"], "redis": ["--redis", redis, "--channels", "*"]}
        shown = {}
        for name, arguments in servers.items():
            with Server(geocast, folder, name, *arguments) as server:
                shown[name] = server.shown()
                open_metrics(promtool, server.shown("application/openmetrics-text"))
            promtool.agrees("check", "metrics", text=shown[name])

        alerts = re.findall(r"- alert: (\w+)\n", RULES.read_text())
        assert alerts == list(CASES), f"each alert has its case, in the same order: {set(alerts) ^ set(CASES)}"
        # What is made up here looks like what servers show.
        known = {(name, label_names(labels)) for text in shown.values() for name, labels, _ in samples(text)} | {("up", frozenset())}
        made_up = {
            (series.split("{")[0], label_names(series)) for case in CASES.values() for shows in case.series.values() for series in shows
        }
        later = {("geocast_reload_failures", frozenset())}
        assert made_up - later <= known, f"no server shows {made_up - later - known}"
        tests = [test_of(alert, case) for alert, case in CASES.items()] + [well(shown, alerts)]
        file = {"rule_files": [str(RULES), str(dashboard)], "evaluation_interval": "15s", "tests": tests}
        promtool.agrees("test", "rules", promtool.written("tests.yml", file))
        # The tool sees what it is for.
        blunt = promtool.written("blunt.yml", RULES.read_text().replace(" > 30\n", " > 31\n"))
        agrees, said = promtool.asked("test", "rules", promtool.written("tests.yml", file | {"rule_files": [str(blunt), str(dashboard)]}))
        assert not agrees and "GeocastStoreDeaf" in said, f"a rule that has become blunt is not seen: {said}"
    print(f"alerts: {len(alerts)} alerts fire when they are to, and Prometheus takes what servers show, {len(known)} kinds of samples")


if __name__ == "__main__":
    main(*sys.argv[1:])
