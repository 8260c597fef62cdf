"""The containers of the image, of compose and of Kubernetes are confined, are checked, and stop in time."""

import re
from typing import Any

import pytest

from openbooking.settings import Settings
from openbooking.web.api.monitoring import Monitoring
from support.deployment.files import COMPOSE, DEPLOY, pods, read_manifests, read_yaml

CONTAINERFILE = (DEPLOY / "container/Containerfile").read_text(encoding="utf-8")
OUR_USER = 10001
SECONDS_TO_FINISH = 10
TEMPORARY = "/tmp"  # noqa: S108 - the folder in the container
MANIFESTS = [*read_manifests("kubernetes"), *read_manifests("kubernetes/migration"), *read_manifests("backup")]
PODS = pods(MANIFESTS)
SERVICES: dict[str, dict[str, Any]] = read_yaml(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if name.startswith("booking")}


def of_kind(kind: str) -> dict[str, Any]:
    (made,) = [made for made in MANIFESTS if made["kind"] == kind]
    return dict(made)


def health_paths() -> set[str]:
    """Return the paths of the health endpoints of the server."""

    class OfSystem:
        settings = Settings()

    routes = Monitoring(OfSystem(), None).routes()  # type: ignore[arg-type]
    return {route.path for route in routes}


def test_the_image_runs_as_a_user_without_rights() -> None:
    users = re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE)
    assert users == [f"{OUR_USER}:{OUR_USER}"]
    assert CONTAINERFILE.index("USER") > CONTAINERFILE.index("useradd")


def test_the_image_installs_pinned_packages_and_our_wheel() -> None:
    installs = re.findall(r"pip install (?:.*\\\n)?.*", CONTAINERFILE)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert {"--no-deps", "--no-index"} <= set(installs[1].split())


def test_health_checks_ask_endpoints_that_exist() -> None:
    container = PODS["Deployment"]["containers"][0]
    probes = [container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert [probe["path"] for probe in probes] == ["/healthz", "/readyz", "/healthz"]
    assert {probe["port"] for probe in probes} == {port["name"] for port in container["ports"]}
    caddyfile = (DEPLOY / "proxy/Caddyfile").read_text(encoding="utf-8")
    checks = [CONTAINERFILE, caddyfile, *(service["healthcheck"]["test"][-1] for service in OURS.values())]
    named = [path for check in checks for path in re.findall(r"/(?:healthz|readyz)\b", check)]
    assert named == ["/healthz", "/readyz", "/readyz", "/readyz"]
    assert health_paths() == {"/healthz", "/readyz"}


@pytest.mark.parametrize("kind", PODS)
def test_pods_are_restricted(kind: str) -> None:
    """Kubernetes refuses other Pods in the namespace, by the standard `restricted`."""
    pod = PODS[kind]
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": OUR_USER,
        "runAsGroup": OUR_USER,
        "fsGroup": OUR_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert TEMPORARY in {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_services_select_the_pods_of_the_deployment() -> None:
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        of_kind("Deployment")["spec"]["selector"]["matchLabels"],
        of_kind("Service")["spec"]["selector"],
        of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ]
    assert [selector for selector in selectors if selector != labels] == []
    (path,) = of_kind("Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == of_kind("Service")["metadata"]["name"]


def test_pods_stop_after_the_drain_which_outlasts_the_readiness_probe() -> None:
    (settings,) = [made["data"] for made in MANIFESTS if made["kind"] == "ConfigMap"]
    drain = int(settings["OPENBOOKING_DRAIN_SECONDS"])
    probe = PODS["Deployment"]["containers"][0]["readinessProbe"]
    assert drain > probe["periodSeconds"] * probe["failureThreshold"]
    assert PODS["Deployment"]["terminationGracePeriodSeconds"] > drain + SECONDS_TO_FINISH


def test_an_update_keeps_all_servers_until_their_successors_are_ready() -> None:
    assert of_kind("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("name", OURS)
def test_services_of_compose_are_confined_and_stop_in_time(name: str) -> None:
    service = OURS[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(mount.startswith(TEMPORARY) for mount in service["tmpfs"])
    seconds = int(service["stop_grace_period"].removesuffix("s"))
    assert seconds > int(service["environment"]["OPENBOOKING_DRAIN_SECONDS"]) + SECONDS_TO_FINISH


def test_compose_has_two_servers_which_only_the_proxy_reaches() -> None:
    assert len(OURS) == 2
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert {service["environment"]["OPENBOOKING_TRUSTED_PROXIES"] for service in OURS.values()} == {address}
    servers = SERVICES["proxy"]["environment"]["BOOKING_SERVERS"].split()
    assert servers == [f"{name}:8000" for name in OURS]


def test_secrets_of_compose_exist_where_they_are_read() -> None:
    made = read_yaml(COMPOSE)["secrets"]
    for service in SERVICES.values():
        read = {value.rpartition("/")[2] for value in service.get("environment", {}).values() if "/secrets/" in value}
        assert read <= set(service.get("secrets", ()))
        assert set(service.get("secrets", ())) <= set(made)
