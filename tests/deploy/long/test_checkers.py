"""Checkers of others accept the files: promtool, kubectl with the schemas of Kubernetes, Compose, Hadolint, Caddy."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from support.deployment.files import COMPOSE, DASHBOARD, DEPLOY, ROOT, RULES

# `make deployment` installs Hadolint and kubernetes-validate there.
CHECKERS = ROOT / "build/checkers/bin"
# The oldest and the newest version of Kubernetes whose schemas the manifests must fit.
KUBERNETES_VERSIONS = ("1.31", "1.37")


def run(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alerts_fire_when_they_should() -> None:
    run("promtool", "check", "rules", RULES)
    run("promtool", "test", "rules", ROOT / "tests/deploy/openbooking-rules-test.yml")
    run("promtool", "check", "config", "--syntax-only", DEPLOY / "monitoring/prometheus.yml")


def test_prometheus_understands_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions)
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    run("promtool", "check", "rules", file)


@pytest.mark.parametrize("folder", ["kubernetes", "kubernetes/migration"])
def test_manifests_fit_the_schemas_of_kubernetes(folder: str, tmp_path: Path) -> None:
    manifests = run("kubectl", "kustomize", DEPLOY / folder)
    file = tmp_path / "all.yaml"
    file.write_text(manifests, encoding="utf-8")
    for version in KUBERNETES_VERSIONS:
        run(CHECKERS / "kubernetes-validate", "--strict", "--kubernetes-version", version, file)


def test_kustomize_names_the_image_and_the_script_of_the_backup() -> None:
    made: list[Any] = list(yaml.safe_load_all(run("kubectl", "kustomize", DEPLOY / "kubernetes")))
    by_kind = {each["kind"]: each for each in made}
    assert {each["metadata"].get("namespace", "openbooking") for each in made} == {"openbooking"}
    (server,) = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert server["image"].startswith("registry.example.com/openbooking:")
    volumes = by_kind["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    (script,) = [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
    (contents,) = [each["data"] for each in made if each["metadata"]["name"] == script]
    assert contents["openbooking-backup"] == (DEPLOY / "backup/openbooking-backup").read_text(encoding="utf-8")


def test_compose_understands_its_file() -> None:
    # docker-compose 1.29 reads the file by its schema without a Docker daemon.
    made = yaml.safe_load(run("docker-compose", "--file", COMPOSE, "config", BOOKING_HOST="booking.example.com"))
    assert {"booking-1", "booking-2", "database", "proxy"} <= made["services"].keys()
    without = subprocess.run(["docker-compose", "--file", COMPOSE, "config"], capture_output=True, check=False)
    assert b"set it in the file .env" in without.stderr


def test_hadolint_accepts_the_containerfile() -> None:
    run(CHECKERS / "hadolint", DEPLOY / "container/Containerfile")


def test_caddy_understands_its_file_and_finds_it_formatted() -> None:
    run("caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "proxy/Caddyfile")
    assert run("caddy", "fmt", DEPLOY / "proxy/Caddyfile") == (DEPLOY / "proxy/Caddyfile").read_text(encoding="utf-8")
