"""The Helm chart: rendered, held against the schemas of Kubernetes, and against what the services are."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.chart import CHART
from deploy.launcher.secrets import make_secrets
from schemas.access import EVERYONE
from schemas.topics import TOPICS
from services.runtime.settings import parse
from tests.certificates import self_signed
from tests.support.compose import containers, known_to_no_provider
from tests.system.chart import RELEASE, Manifest, Pod, RefusedError, of_kind, pods, problems, render
from tests.system.tools import HELM, KUBERNETES
from tests.unit.deploy.test_compose import SETTINGS

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not HELM.exists(), reason="needs Go, with which `make test-system` builds Helm"),
    pytest.mark.skipif(not KUBERNETES.exists(), reason="`make test-system` could not fetch Kubernetes' schemas"),
]

BARE = (
    "strimzi.enabled=false",
    "kafka.bootstrap=k1.example:9092\\,k2.example:9093",
    "kafka.tls=false",
    "kafka.sasl=",
    "networkPolicy.kafkaTo[0].ipBlock.cidr=10.0.0.0/8",
)
FULL = (
    "keda.enabled=true",
    "ingress.enabled=true",
    "ingress.tlsSecret=tls",
    "ingress.gatewayHost=events.example",
    "ingress.consoleHost=tidegate.example",
    "console.url=https://tidegate.example",
    "control.platformUrl=https://ads.example",
    "alerting.webhookUrl=https://chat.example",
    "traces.endpoint=http://collector:4318",
    "console.oidc.issuer=https://login.example",
    "console.oidc.clientId=tidegate",
    "console.proxies[0]=10.0.0.0/8",
    "policy=name: x",
    "policyPerson=zhao",
    "kafka.prefix=risk.",
    "kafka.partitions=12",
    "image.pullSecrets[0]=registry",
    "audit.storageClass=fast",
    "nodeSelector.pool=risk",
)
FOREIGN = (*BARE[:2], "networkPolicy.kafkaTo[0].ipBlock.cidr=10.0.0.0/8", "kafka.sasl=PLAIN", "kafka.caSecret=our-ca")
WAYS = {"default": (), "full": FULL, "bare": BARE, "foreign": FOREIGN}


@pytest.fixture(scope="module", params=WAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(*WAYS[request.param])


def module(pod: Pod) -> str:
    command = pod.spec["containers"][0]["command"]
    return "services.cli" if command[0] == "tidegate" else str(command[2])


def test_it_is_what_kubernetes_takes(manifests: list[Manifest]) -> None:
    assert [problem for manifest in manifests for problem in problems(manifest)] == []
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(names) == len({*names})


def test_a_misspelt_name_would_be_found() -> None:
    for manifest in render(*FULL):
        assert problems({**manifest, "sepc": {}}), manifest["kind"]
        if manifest["kind"] in ("StatefulSet", "Deployment"):
            main = manifest["spec"]["template"]["spec"]["containers"][0]
            main["readynessProbe"] = main.pop("readinessProbe", {})
            assert any("readynessProbe" in problem for problem in problems(manifest))


def test_helm_has_nothing_to_blame() -> None:
    done = subprocess.run([HELM, "lint", "--strict", CHART], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_runs_what_compose_runs(manifests: list[Manifest]) -> None:
    lasting = {name: each for name, each in containers().items() if each.is_ours and not each.runs_once}
    found = {pod.name: pod.spec["containers"][0]["command"] for pod in pods(manifests)}
    assert {name: command for name, command in found.items() if not name.startswith("policy-")} == {
        name.replace("_", "-"): each.command for name, each in lasting.items()
    }
    assert {name for name in found if name.startswith("policy-")}, "somebody puts the policy in force"


def test_a_service_takes_its_environment_and_the_files_that_it_names(manifests: list[Manifest], tmp_path: Path) -> None:
    known_to_no_provider(make_secrets(tmp_path).folder)
    here = {path.name: path for path in tmp_path.iterdir()}
    (tmp_path / "ca.crt").write_bytes(self_signed("127.0.0.1")[0])
    (tmp_path / "password").write_text("secret")
    for pod in pods(manifests):
        files, environ = pod.files(), pod.environment()
        named = {value for value in environ.values() if value.startswith("/run/secrets/")}
        assert named == {*files}, pod.name
        for path in files:
            file = here.get(path.rpartition("/")[2], tmp_path / path.rpartition("/")[2])
            environ = {name: str(file) if value == path else value for name, value in environ.items()}
        settings = parse(SETTINGS[module(pod)], environ)
        if "TIDEGATE_INSTANCE" in environ:
            assert settings.instance == f"{pod.name}-0"
        if settings.kafka_sasl_username is not None:
            assert f"{settings.kafka_sasl_username}/password" in files.values()


def test_a_pod_can_do_little(manifests: list[Manifest]) -> None:
    """Pod Security's level `restricted`, no token of Kubernetes, nothing to write to but /tmp and what is kept."""
    for pod in pods(manifests):
        assert pod.spec["automountServiceAccountToken"] is False
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & {*pod.spec}
        assert all({"hostPath"}.isdisjoint(volume) for volume in pod.spec["volumes"])
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert "cpu" not in container["resources"]["limits"], "who is throttled loses its place in its group"
            assert not container["image"].endswith((":latest", ":"))


def test_probes_ask_for_progress(manifests: list[Manifest]) -> None:
    for pod in pods(manifests):
        main = pod.spec["containers"][0]
        if "ports" not in main:
            continue
        asked = {name: main[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        assert {name: each["path"] for name, each in asked.items()} == {
            "startup": "/healthz",
            "liveness": "/healthz",
            "readiness": "/readyz",
        }
        port = next(value for name, value in pod.environment().items() if name.endswith("_PORT"))
        assert main["ports"] == [{"name": "http", "containerPort": int(port), "protocol": "TCP"}]


def test_each_may_be_disturbed_one_at_a_time(manifests: list[Manifest]) -> None:
    lasting = of_kind(manifests, "StatefulSet", "Deployment")
    budgets = of_kind(manifests, "PodDisruptionBudget")
    assert {*budgets} == {*lasting} == {*of_kind(manifests, "ServiceAccount")}
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"] == lasting[name]["spec"]["selector"]


def test_who_is_in_a_group_has_a_name_that_stays(manifests: list[Manifest]) -> None:
    members = {name.replace("_", "-") for name, each in EVERYONE.items() if each.joins is not None}
    sets = of_kind(manifests, "StatefulSet")
    assert members | {"audit", "archive"} == {*sets}
    services = of_kind(manifests, "Service")
    assert services[RELEASE]["spec"]["clusterIP"] == "None"
    assert {each["spec"]["serviceName"] for each in sets.values()} == {RELEASE}


def test_the_console_sees_what_the_archive_keeps(manifests: list[Manifest]) -> None:
    sets, deployments = of_kind(manifests, "StatefulSet"), of_kind(manifests, "Deployment")
    claim = sets["archive"]["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]
    console = deployments["console"]["spec"]["template"]["spec"]
    (volume,) = (each for each in console["volumes"] if "persistentVolumeClaim" in each)
    assert volume["persistentVolumeClaim"]["claimName"] == f"{claim}-{sets['archive']['metadata']['name']}-0"
    (mount,) = (each for each in console["containers"][0]["volumeMounts"] if each["name"] == volume["name"])
    (folder,) = (
        each["value"] for each in console["containers"][0]["env"] if each["name"].endswith("_BACKTEST_ARCHIVE")
    )
    assert (mount["mountPath"], mount["readOnly"]) == (folder, True)
    (term,) = console["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = sets["archive"]["spec"]["template"]["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= labels.items()


def test_without_an_archive_the_console_waits_for_none() -> None:
    manifests = render("archive.enabled=false")
    assert "archive" not in of_kind(manifests, "StatefulSet")
    console = of_kind(manifests, "Deployment")["console"]["spec"]["template"]["spec"]
    assert "affinity" not in console
    assert not any("persistentVolumeClaim" in each for each in console["volumes"])


def test_no_secret_is_in_what_is_rendered(manifests: list[Manifest]) -> None:
    assert of_kind(manifests, "Secret") == {}


def test_nothing_passes_but_what_the_design_says(manifests: list[Manifest]) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    nothing = policies.pop("nothing")["spec"]
    assert nothing["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & {*nothing}
    kafka = policies.pop("kafka")["spec"]["egress"]
    assert [port["port"] for port in kafka[0]["ports"]] == [53, 53]
    assert {port["port"] for port in kafka[1]["ports"]} <= {9092, 9093}
    assert kafka[1]["to"]
    out = {name for name, each in policies.items() if "egress" in each["spec"]}
    has_provider = any(pod.environment().get("TIDEGATE_CONSOLE_OIDC_ISSUER") for pod in pods(manifests))
    assert out == {"alerting", "channel-control"} | ({"console"} if has_provider else set())
    assert {*policies} == {pod.name for pod in pods(manifests) if "ports" in pod.spec["containers"][0]}


def test_topics_and_rights_are_those_of_the_code() -> None:
    manifests = render(*FULL)
    topics = {each["spec"]["topicName"]: each["spec"] for each in of_kind(manifests, "KafkaTopic").values()}
    assert {*topics} == {f"risk.{name}" for name in TOPICS}
    for name, topic in TOPICS.items():
        spec = topics[f"risk.{name}"]
        assert spec["partitions"] == topic.partitions(12)
        assert spec["config"] == topic.required() | topic.tuning() | {"min.insync.replicas": "2"}
    for each in of_kind(manifests, "KafkaTopic").values():
        assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}, (
            "no uninstallation takes the data"
        )
    users = of_kind(manifests, "KafkaUser")
    assert {*users} == {name.replace("_", "-") for name in EVERYONE}
    for name, access in EVERYONE.items():
        acls = users[name.replace("_", "-")]["spec"]["authorization"]["acls"]
        assert [
            (each["resource"]["type"], each["resource"]["name"], each["resource"]["patternType"], each["operations"])
            for each in acls
        ] == [
            (right.resource, f"risk.{right.name}", "prefix" if right.prefixed else "literal", [*right.operations])
            for right in access.rights()
        ]


def test_workers_are_scaled_up_to_the_partitions() -> None:
    manifests = render(*FULL)
    scaled, sets = of_kind(manifests, "ScaledObject"), of_kind(manifests, "StatefulSet")
    assert {*scaled} == {name for name in sets if name == "ingest" or name.startswith("indicators-")}
    for name, each in scaled.items():
        spec: Any = each["spec"]
        assert spec["maxReplicaCount"] == 12
        assert spec["scaleTargetRef"]["name"] == sets[name]["metadata"]["name"]
        assert "replicas" not in sets[name]["spec"], "two would set it in turn"
        asked = spec["triggers"][0]["metadata"]
        assert asked["consumerGroup"] == f"risk.{EVERYONE[name].joins}"
        if name != "ingest":
            assert asked["topic"].removeprefix("risk.") in EVERYONE[name].reads


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (("kafka.partitons=3",), "partitons"),
        (("kafka.sasl=PLAIN",), "sasl"),
        (("services.audit.replicas=2",), "replicas"),
        (("strimzi.enabled=false",), "kafka.bootstrap is needed"),
        (("strimzi.enabled=false", "kafka.bootstrap=k:9092"), "networkPolicy.kafkaTo is needed"),
        (("ingress.enabled=true",), "ingress.tlsSecret is needed"),
        (("control.platformUrl=ads.example",), "platformUrl"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(values: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        render(*values)
