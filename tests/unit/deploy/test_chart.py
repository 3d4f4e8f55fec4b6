"""What the Helm chart carries of the code is current."""

import json

import yaml
from jsonschema import Draft7Validator

from deploy import access_page, chart
from schemas.access import SERVICES
from tests.support.compose import containers

VALUES = yaml.safe_load((chart.CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((chart.CHART / "values.schema.json").read_text("utf-8"))


def test_topics_and_rights_are_current() -> None:
    assert chart.FILE.read_text("utf-8") == chart.text()
    assert json.loads(chart.text()) == chart.document()


def test_the_page_of_rights_is_current() -> None:
    assert access_page.PAGE.read_text("utf-8") == access_page.page()


def test_the_values_are_as_their_schema_says_and_all_are_named_there() -> None:
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(VALUES)] == []
    assert {*SCHEMA["properties"]} - {"global"} == {*VALUES}
    for name, part in SCHEMA["properties"].items():
        if part.get("additionalProperties") is False and name != "keda":
            assert {*part["properties"]} == {*VALUES[name]}, name


def test_every_service_has_values_and_its_memory_is_that_of_compose() -> None:
    assert {name.replace("_", "-") for name in SERVICES} | {"archive", "audit"} == {*VALUES["services"]}
    units = {"Mi": "M", "Gi": "G"}
    ours = {name.replace("_", "-"): each for name, each in containers().items()}
    for name, each in VALUES["services"].items():
        memory = each["resources"]["limits"]["memory"]
        limits = ours[name].spec["deploy"]["resources"]["limits"]
        assert limits["memory"] == f"{memory[:-2]}{units[memory[-2:]]}"
