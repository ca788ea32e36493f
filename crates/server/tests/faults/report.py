"""What came of the scenarios: lines for people, and the table of docs/reliability.md."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path


@dataclass(frozen=True)
class Row:
    scenario: object
    measured: list
    faults: list
    seconds: float

    @property
    def is_good(self):
        return not self.faults

    def line(self):
        """For the terminal."""
        verdict = "ok    " if self.is_good else "FAILED"
        said = "".join(f"\n       fault: {fault}" for fault in self.faults)
        return f"{verdict} {self.scenario.theme}: {self.scenario.name} ({self.seconds:.0f} s): {'; '.join(self.measured)}{said}"

    def cells(self):
        scenario, verdict = self.scenario, "as expected" if self.is_good else "**fault**: " + "; ".join(self.faults)
        return [f"{scenario.theme}: {scenario.name}", scenario.injected, scenario.expected, "; ".join(self.measured), verdict]


def table(rows):
    """Of scenarios, in Markdown."""
    return markdown([["Scenario", "Injected", "Expected", "Measured", "Verdict"], *(row.cells() for row in rows)])


def markdown(lines):
    """A table: lines of cells, of which the first is its head."""
    head, *rest = lines
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in [head, ["---"] * len(head), *rest])


def write(path, name, rows, seconds, said):
    """Puts the table between the markers of that name in a document, below the circumstances that are said."""
    said = f"{len(rows)} scenarios in {seconds / 60:.0f} min, {sum(not row.is_good for row in rows)} failed. {said}"
    put(path, name, f"{said}\n\n{table(rows)}")


def put(path, name, text):
    """Puts text between `<!-- name: begin -->` and `<!-- name: end -->`."""
    document = Path(path).read_text()
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    Path(path).write_text(f"{before}{begin}{text}\n{end}{after}")


def circumstances(binary):
    """When, where and what, to be asked at the beginning."""
    folder = Path(__file__).parent
    run = lambda *words: subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout.strip()
    # The last one that changed the server, whatever else was committed since.
    commit, changed = run("git", "log", "-1", "--format=%h", "--", ":/*.rs", ":/Cargo.lock"), run("git", "status", "--porcelain", "--", ":/*.rs")
    profile = "release" if "release" in str(binary) else "debug"
    redis = run("redis-server", "--version").split("v=")[1].split()[0]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, Redis {redis}, Python {platform.python_version()}"
    day = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"Code of commit {commit}{' with changes' if changed else ''}, {profile} build, {machine}, {day}."
