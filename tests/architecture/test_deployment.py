"""What is shipped for deployment loads, refuses what it should, and probes."""

import importlib.util
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
import yaml
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)
from pseudo_service.config import Config, Duty, Environment, build_config, load_config
from pseudo_service.core.errors import ConfigurationInvalid
from tests.lib.services.service import RunningService

DEPLOY = Path(__file__).parents[2] / "deploy"
PRODUCTION = DEPLOY / "config" / "production.yaml"
PROBE = DEPLOY / "check_health.py"


DEPLOYMENTS = {"pseudo": "production.yaml", "linkage": "production-linkage.yaml"}
"""Each manifest, and the configuration that its config map holds."""


@pytest.fixture(scope="module", params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def manifests(deployment: str) -> dict[str, Any]:
    text = (DEPLOY / "kubernetes" / f"{deployment}.yaml").read_text()
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def production(deployment: str) -> Config:
    return load_config(DEPLOY / "config" / DEPLOYMENTS[deployment])


def test_the_laptop_s_configuration_loads() -> None:
    config = load_config(DEPLOY / "config" / "laptop.yaml")
    assert config.environment is Environment.LAPTOP
    assert config.identity.local_issuer


def test_the_production_configuration_loads(production: Config) -> None:
    assert production.environment is Environment.PRODUCTION
    assert production.key_vault.type == "azure"
    assert production.database_url.startswith("postgresql+psycopg://")
    assert production.identity.profiles
    assert not production.identity.local_issuer


@pytest.mark.parametrize(
    ("section", "key", "value", "named"),
    [
        ("key_vault", None, {"type": "local"}, "key_vault"),
        ("identity", "local_issuer", True, "identity.local_issuer"),
        ("identity", None, {}, "nobody is believed"),
        ("identifiers", "accept_test_range", True, "accept_test_range"),
        ("server", "tls", None, "server.tls"),
        ("audit", "archive_directory", None, "audit.archive_directory"),
        ("duties", None, ["ingestion", "linkage"], "under one vault identity"),
    ],
)
def test_production_refuses_what_is_for_laptops(
    section: str, key: str | None, value: object, named: str
) -> None:
    raw = yaml.safe_load(PRODUCTION.read_text())
    if key is None:
        raw[section] = value
    else:
        raw[section][key] = value
    with pytest.raises(ConfigurationInvalid, match=named):
        build_config(raw)


def test_each_deployment_has_one_duty_and_both_share_what_they_must() -> None:
    ingestion, linkage = (
        load_config(DEPLOY / "config" / name) for name in DEPLOYMENTS.values()
    )
    assert ingestion.served_duties == {Duty.INGESTION}
    assert linkage.served_duties == {Duty.LINKAGE}
    assert not linkage.identity.certificates
    for shared in ("instance", "identifiers", "archive_directory"):
        assert getattr(ingestion, shared) == getattr(linkage, shared)
    assert ingestion.identity.profiles == linkage.identity.profiles


def test_an_unknown_key_is_refused() -> None:
    raw = yaml.safe_load(PRODUCTION.read_text())
    raw["identity"]["authentication"] = "off"
    with pytest.raises(ConfigurationInvalid, match=r"identity\.authentication"):
        build_config(raw)


def test_containers_have_no_rights_to_spare(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in [*pod["initContainers"], *pod["containers"]]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= set(container["resources"])
        assert "@sha256:" in container["image"]


def test_the_configuration_finds_what_is_mounted(
    pod: dict[str, Any], production: Config
) -> None:
    (container,) = pod["containers"]
    mounts = [Path(mount["mountPath"]) for mount in container["volumeMounts"]]
    tls = production.server.tls
    assert tls is not None
    needed = [
        tls.certificate,
        tls.key,
        production.state_directory,
        production.archive_directory,
    ]
    if production.server.mtls_address is not None:
        assert tls.client_authorities is not None
        needed.append(tls.client_authorities)
    for path in needed:
        assert any(path.is_relative_to(mount) for mount in mounts), path
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_ports_are_those_of_the_configuration(
    manifests: dict[str, Any], pod: dict[str, Any], production: Config
) -> None:
    addresses = {
        "grpc": production.server.address,
        "grpc-mtls": production.server.mtls_address,
        "metrics": production.telemetry.metrics_address,
    }
    (container,) = pod["containers"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert ports == {
        name: str(address).rpartition(":")[2]
        for name, address in addresses.items()
        if address is not None
    }
    allowed = [
        str(port["port"])
        for rule in manifests["NetworkPolicy"]["spec"]["ingress"]
        for port in rule["ports"]
    ]
    assert sorted(allowed) == sorted(ports.values())


def test_there_is_time_to_drain(pod: dict[str, Any], production: Config) -> None:
    needed = production.server.limits.drain_seconds + 10
    assert pod["terminationGracePeriodSeconds"] > needed
    if Duty.LINKAGE in production.served_duties:
        return  # the unit is ingestion's
    unit = (DEPLOY / "systemd" / "pseudo.service").read_text().splitlines()
    (stop,) = [line for line in unit if line.startswith("TimeoutStopSec=")]
    assert float(stop.partition("=")[2]) > needed


def test_a_disruption_leaves_somebody(manifests: dict[str, Any]) -> None:
    least = manifests["PodDisruptionBudget"]["spec"]["minAvailable"]
    assert 1 <= least < manifests["Deployment"]["spec"]["replicas"]


def test_the_image_holds_every_package_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY ")]
    assert {"pseudo_service", "nlp_redaction", "clients/python"} <= set(copied)
    assert "deploy/check_health.py" in copied
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


@pytest.fixture(scope="module")
def probe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_health", PROBE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_probe_finds_a_service_that_serves(
    probe: ModuleType, shared_service: RunningService, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(shared_service.root_certificates)
    assert probe.main([shared_service.address, str(authority)]) == 0
    assert probe.main([shared_service.address, str(authority), "localhost"]) == 0
    assert probe.main([shared_service.address, str(authority), "other.example"]) == 1
    done = subprocess.run(
        [sys.executable, PROBE, shared_service.address, authority], check=False
    )
    assert done.returncode == 0


@pytest.fixture
def certificates(tmp_path: Path) -> TlsFiles:
    return LocalCertificates(tmp_path / "tls").ensure_server(datetime.now(UTC))


def test_the_probe_believes_no_other_authority_and_no_silence(
    probe: ModuleType, shared_service: RunningService, certificates: TlsFiles
) -> None:
    own = shared_service.root_certificates
    assert probe.is_serving(shared_service.address, own, None)
    other = certificates.authority
    assert not probe.is_serving(shared_service.address, other, None)
    assert not probe.is_serving("localhost:1", own, None)


def test_the_probe_tells_that_a_service_drains(
    probe: ModuleType, certificates: TlsFiles
) -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    credentials = grpc.ssl_server_credentials(
        [(certificates.private_key, certificates.certificate)]
    )
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        address = f"localhost:{port}"
        assert probe.is_serving(address, certificates.authority, None)
        servicer.enter_graceful_shutdown()
        assert not probe.is_serving(address, certificates.authority, None)
    finally:
        server.stop(None)
