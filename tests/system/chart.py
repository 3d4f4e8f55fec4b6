"""The chart as Helm renders it, and the schemas that it is held against."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from deploy.chart import CHART
from tests.support.compose import ROOT
from tests.system.tools import HELM, KUBERNETES

RELEASE: Final = "tide"
OURS: Final = ("KafkaTopic", "KafkaUser", "ScaledObject", "TriggerAuthentication")

Manifest = Mapping[str, Any]


class RefusedError(Exception):
    """Helm does not render it, and says why."""


def render(*values: str) -> list[Manifest]:
    """All manifests; `values` are those of `--set`."""
    options = [option for value in values for option in ("--set", value)]
    command = [str(HELM), "template", RELEASE, str(CHART), "--kube-version", "1.34.0", "--namespace", "risk", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(done.stderr)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """By name, without that of the release."""
    return {
        str(each["metadata"]["name"]).removeprefix(f"{RELEASE}-"): each for each in manifests if each["kind"] in kinds
    }


def problems(manifest: Manifest) -> list[str]:
    """What the schema of its kind has against it."""
    where = f"{manifest['kind']}/{manifest['metadata']['name']}"
    found = _validator(manifest["kind"], manifest["apiVersion"]).iter_errors(manifest)
    return [f"{where} {each.json_path}: {each.message}" for each in found]


@cache
def _validator(kind: str, version: str) -> Draft202012Validator:
    if kind in OURS:
        document = json.loads((ROOT / "tests/data/custom_resources.json").read_text("utf-8"))
        return Draft202012Validator({**document[kind], "definitions": document["definitions"]})
    group, _, number = version.rpartition("/")
    parts = [kind.lower(), *([group.partition(".")[0]] if group else []), number]
    schema = json.loads((KUBERNETES / f"{'-'.join(parts)}.json").read_text("utf-8"))
    return Draft202012Validator(schema, registry=_definitions())


@cache
def _definitions() -> Registry[Any]:
    """What all schemas of Kubernetes refer to."""
    contents = json.loads((KUBERNETES / "_definitions.json").read_text("utf-8"))
    known: Registry[Any] = Registry().with_resource(contents["$id"], Resource.from_contents(contents))
    return known


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod's template, of whatever makes it."""

    name: str
    spec: Mapping[str, Any]

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    def environment(self) -> dict[str, str]:
        """Of its main container; what comes from its own fields is its name."""
        main = self.spec["containers"][0]
        return {each["name"]: each.get("value", f"{self.name}-0") for each in main["env"]}

    def files(self) -> dict[str, str]:
        """The files of Secrets that are mounted: path, and `secret/key`."""
        main = self.spec["containers"][0]
        volumes = {each["name"]: each.get("secret") for each in self.spec["volumes"]}
        return {
            f"{mount['mountPath']}/{item['path']}": f"{secret['secretName']}/{item['key']}"
            for mount in main["volumeMounts"]
            if (secret := volumes.get(mount["name"])) is not None
            for item in secret["items"]
        }


def pods(manifests: list[Manifest]) -> Iterator[Pod]:
    """One of each that makes pods."""
    for name, manifest in of_kind(manifests, "StatefulSet", "Deployment", "Job").items():
        yield Pod(name, manifest["spec"]["template"]["spec"])
