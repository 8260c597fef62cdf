"""The files in `deploy/` name settings, commands and hosts that exist, and the documentation names every file."""

import re
from pathlib import Path

import pytest
import typer

from openbooking.cli import app
from openbooking.settings import Settings, describe_settings
from openbooking.settings.definitions import secret_settings, settings_in_files
from support.deployment.files import DEPLOY, ROOT, deploy_files

VARIABLE = re.compile(r"OPENBOOKING_[A-Z0-9_]*[A-Z0-9]")


@pytest.mark.parametrize("file", deploy_files(), ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(file: Path) -> None:
    known = {name for name, _, _ in describe_settings(Settings())}
    known |= {f"OPENBOOKING_{name.upper()}_FILE" for name in settings_in_files()}
    assert set(VARIABLE.findall(file.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("file", deploy_files(), ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_host_is_an_example_or_this_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    hosts = re.findall(r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|uk)\b(?!/v?\d)", text)
    # Kubernetes gives its labels and kinds names like those of hosts.
    of_kubernetes = re.compile(r"(?:.+\.)?(?:kubernetes|k8s|kustomize\.config\.k8s)\.io")
    assert {host for host in hosts if not of_kubernetes.fullmatch(host)} <= {
        "booking.example.com",
        "registry.example.com",
    }


def test_no_secret_is_the_value_of_a_variable() -> None:
    for file in deploy_files():
        for name in secret_settings():
            text = file.read_text(encoding="utf-8")
            assert not re.search(rf"OPENBOOKING_{name.upper()}\s*[=:] *\S", text), file


def test_commands_exist() -> None:
    containerfile = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    job = (DEPLOY / "kubernetes" / "migration" / "job.yaml").read_text(encoding="utf-8")
    unit = (DEPLOY / "systemd" / "openbooking.service").read_text(encoding="utf-8")
    (served,) = re.findall(r'CMD \["(\w+)"\]', containerfile)
    (migrated,) = re.findall(r"args: \[(\w+)\]", job)
    (started,) = re.findall(r"ExecStart=/opt/openbooking/bin/openbooking (\w+)", unit)
    assert [served, migrated, started] == ["serve", "migrate", "serve"]
    assert {served, migrated} <= getattr(typer.main.get_command(app), "commands", {}).keys()


def test_the_index_names_every_file() -> None:
    index = (DEPLOY / "README.md").read_text(encoding="utf-8")
    named = {(DEPLOY / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index)}
    files = {file for file in deploy_files() if file.name not in ("README.md", ".gitignore")}
    assert {file for file in files if file not in named and file.parent not in named} == set()
    assert all(target.exists() for target in named)
    assert ROOT / "docs" / "how-to" / "deploy.md" in named
