"""The manifests render, and every object fits the Kubernetes schema (offline, strict)."""

from __future__ import annotations

import copy
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from yupana.config.settings import ROOT
from yupana.core import usecase

KUBERNETES = "1.34"
Manifest = dict[str, Any]


@pytest.fixture(scope="module", params=usecase.names())
def use_case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rendered(use_case: str) -> list[Manifest]:
    return render(f"serving/{use_case}")


@pytest.fixture(scope="module")
def signer() -> list[Manifest]:
    return render("infra/signer")


def render(folder: str) -> list[Manifest]:
    tools = (["kubectl", "kustomize"], ["kustomize", "build"])
    tool = next((t for t in tools if shutil.which(t[0])), None)
    if tool is None:
        pytest.skip("neither kubectl nor kustomize is on PATH")
    process = subprocess.run(
        [*tool, str(ROOT / folder)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return list(yaml.safe_load_all(process.stdout))


def kind(rendered: list[Manifest], name: str) -> Manifest:
    return next(m for m in rendered if m["kind"] == name)


def test_every_object_fits_the_kubernetes_schema(rendered: list[Manifest]) -> None:
    assert {m["kind"] for m in rendered} == {"StatefulSet", "Service", "PersistentVolumeClaim"}
    for manifest in rendered:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_signer_fits_it_too(signer: list[Manifest]) -> None:
    assert {m["kind"] for m in signer} == {"Deployment", "PersistentVolumeClaim"}
    for manifest in signer:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_pod_serves_the_use_case(rendered: list[Manifest], use_case: str) -> None:
    pod = kind(rendered, "StatefulSet")["spec"]["template"]
    assert f"serving.{use_case}.service:" in pod["spec"]["containers"][0]["command"][-1]
    for manifest in (kind(rendered, "StatefulSet"), kind(rendered, "Service")):
        assert manifest["metadata"]["name"] == use_case
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == use_case


def test_a_misspelt_field_is_refused(rendered: list[Manifest]) -> None:
    broken = copy.deepcopy(kind(rendered, "StatefulSet"))
    container = broken["spec"]["template"]["spec"]["containers"][0]
    container["readynessProbe"] = container.pop("readinessProbe")
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_the_service_reaches_the_pods(rendered: list[Manifest]) -> None:
    """A selector or port name that matches nothing is valid to the schema, and answers nothing."""
    service, pod = kind(rendered, "Service"), kind(rendered, "StatefulSet")["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    ports = {p["name"] for c in pod["spec"]["containers"] for p in c["ports"]}
    assert {p["targetPort"] for p in service["spec"]["ports"]} <= ports


def test_containers_run_with_least_privilege(rendered: list[Manifest]) -> None:
    pod = kind(rendered, "StatefulSet")["spec"]["template"]["spec"]
    claims = {m["metadata"]["name"] for m in rendered if m["kind"] == "PersistentVolumeClaim"}
    assert pod["securityContext"]["runAsNonRoot"]
    for container in pod["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"], container["name"]
        assert not container["securityContext"]["allowPrivilegeEscalation"], container["name"]
        mounted = {v["name"] for v in container["volumeMounts"]}
        assert mounted <= {v["name"] for v in pod["volumes"]} | {"spool"}
    for volume in pod["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            assert claim["claimName"] in claims


def test_a_service_reads_what_it_answers_from_and_has_no_key(rendered: list[Manifest]) -> None:
    stateful = kind(rendered, "StatefulSet")["spec"]
    pod = stateful["template"]["spec"]
    (container,) = pod["containers"]
    assert not [v for v in pod["volumes"] if "secret" in v], "keys are the signer's"
    home = [m for m in container["volumeMounts"] if m["name"] == "home"]
    assert {m["subPath"] for m in home} == {"lake", "feast", "bentoml/models"}
    assert all(m["readOnly"] for m in home)
    assert [t["metadata"]["name"] for t in stateful["volumeClaimTemplates"]] == ["spool"]
    environment = {e["name"]: e for e in container["env"]}
    assert environment["YUPANA_SIGN_LEDGER"]["value"] == "false"
    url = environment["YUPANA_PLATFORM_URL"]["valueFrom"]["secretKeyRef"]
    assert url == {"name": "yupana-serving", "key": "platform-url"}


def test_the_signer_alone_has_the_key_and_answers_nobody(
    rendered: list[Manifest], signer: list[Manifest]
) -> None:
    pod = kind(signer, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (keys,) = [v for v in pod["volumes"] if "secret" in v]
    assert keys["secret"]["secretName"] == "yupana-ledger-key"
    assert "ports" not in container and container["command"][-2:] == ["audit", "sign"]
    environment = {e["name"]: e for e in container["env"]}
    url = environment["YUPANA_PLATFORM_URL"]["valueFrom"]["secretKeyRef"]
    assert url["name"] == "yupana-signer"
    mine = {m["metadata"]["name"] for m in signer if m["kind"] == "PersistentVolumeClaim"}
    others = {m["metadata"]["name"] for m in rendered if m["kind"] == "PersistentVolumeClaim"}
    claims = {v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"]
              if "persistentVolumeClaim" in v}  # fmt: skip
    assert claims == mine and not mine & others, "a service cannot rewrite what was signed"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsUser"] != runs_as(rendered)


def runs_as(rendered: list[Manifest]) -> int:
    pod = kind(rendered, "StatefulSet")["spec"]["template"]["spec"]
    return int(pod["securityContext"]["runAsUser"])
