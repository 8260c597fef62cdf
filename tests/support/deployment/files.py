"""The files in `deploy/`, as the tests read them."""

import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
RULES = DEPLOY / "monitoring" / "openbooking-rules.yml"
DASHBOARD = DEPLOY / "monitoring" / "openbooking-dashboard.json"


def deploy_files() -> list[Path]:
    """Return all files in `deploy/`, except secrets and backups that somebody has put there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "deploy"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines()]


def read_yaml(path: Path) -> Any:
    """Return the only document of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_manifests(folder: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects in the files of a folder of `deploy/`."""
    files = sorted((DEPLOY / folder).glob("*.yaml"))
    found = [made for file in files for made in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    return [made for made in found if made["kind"] != "Kustomization"]


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the specification of the Pods of each Deployment, Job and CronJob, by the kind."""
    found = {}
    for made in manifests:
        spec = made.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found[made["kind"]] = spec["template"]["spec"]
    return found


def unit_values(unit: Path, name: str) -> list[str]:
    """Return the values of a directive of a systemd unit."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]
