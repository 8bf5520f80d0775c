"""`compare doctor`: what is installed and working, what is missing, and how to fix it."""

from dataclasses import asdict
from pathlib import Path

from compare.commands import doctor_findings
from compare.commands.data import state
from compare.commands.doctor_findings import Finding
from compare.extras import EXTRAS, installed_versions, missing
from compare.folders import manifest
from compare.options.inventory import DoctorOptions
from compare.processes.cores import cores
from compare.processes.environment import cpu_name, usable_cores
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen
from shared.data.catalog import DATASETS
from shared.errors import InputError
from shared.result import Environment
from shared.storage import temporary

TIMEOUT_S = 120.0
MEMINFO = Path("/proc/meminfo")


def command(options: DoctorOptions, screen: Screen) -> int:
    """Check everything and print the findings; return the exit code, 1 if something is bad."""
    findings = [
        Finding("compare", "ok", f"{manifest.code_version()} ({manifest.code_commit() or 'no checkout'})"),
        doctor_findings.of_python(),
        Finding("processor", "ok", cpu_name()),
        doctor_findings.of_cores(cores()),
        doctor_findings.of_memory(MEMINFO.read_text() if MEMINFO.exists() else ""),
        doctor_findings.of_disk(Path("runs")),
        doctor_findings.of_disk(options.data_folder),
        *doctor_findings.of_builds(installed_versions("torch", "torchvision")),
        *_workers(screen),
        *(Finding(name, "bad", f"it cannot be used: {why}") for name, why in IMPLEMENTATIONS.absent.items()),
        *(_dataset(name, options.data_folder) for name in DATASETS),
        *_extras(),
    ]
    for finding in findings:
        mark = {"ok": "", "note": "note: ", "bad": "PROBLEM: "}[finding.state]
        screen.say(f"{finding.what}: {mark}{finding.said}")
        if finding.advice:
            screen.say(f"    {finding.advice}")
    bad = [finding.what for finding in findings if finding.state == "bad"]
    screen.say(f"Problems: {', '.join(bad)}." if bad else "No problems found.")
    screen.answer(findings=[asdict(finding) for finding in findings], bad=bad)
    return 1 if bad else 0


def _workers(screen: Screen) -> list[Finding]:
    """Start a worker of each framework, in parallel, as a study does."""
    names = {spec.package: name for name, spec in reversed(list(IMPLEMENTATIONS.items()))}  # one of each package
    findings: list[Finding] = []
    environments: dict[str, Environment] = {}
    with temporary.folder("logs") as logs:
        asked = sorted(names.values(), key=list(IMPLEMENTATIONS).index)
        with Workers(logs, None, TIMEOUT_S, screen.note, usable_cores()) as workers:
            for name, session in workers.start(asked).items():
                try:
                    environments[name] = session.wait_until_ready()
                    findings.append(doctor_findings.of_worker(name, environments[name], ""))
                except WorkerError as error:
                    findings.append(doctor_findings.of_worker(name, None, f"{error} {error.details}".strip()))
    return [*findings, *doctor_findings.of_devices(environments)]


def _dataset(name: str, data_dir: Path) -> Finding:
    """Check a data set. A missing one is not a fault; a damaged one is."""
    dataset = DATASETS[name]
    try:
        there = len(dataset.missing_files(data_dir)) < len(dataset.file_names)
        said = state(dataset, data_dir)
    except InputError as error:
        return Finding(name, "bad", str(error))
    whole = said.startswith("complete")
    return Finding(name, "ok" if whole else "bad" if there else "note", said)


def _extras() -> list[Finding]:
    return [
        Finding(f"extra {extra}", "note", f"not installed ({', '.join(lacking)})", f"pip install -e '.[{extra}]'")
        for extra in EXTRAS
        if (lacking := missing(extra))
    ]
