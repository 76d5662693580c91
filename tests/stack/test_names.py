"""What everything is called: what runs today keeps its names, and what another stack makes has that one's."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.settings.config import PROJECT
from stack.settings.groups.model import DEFAULT_MODEL
from tests.stack.recording import ROOT, Recording, Resource, record
from tests.stack.scenarios import SCENARIOS

Scenario = Callable[[str], Recording]

RECORDED: dict[str, list[str]] = json.loads((Path(__file__).parent / "names.json").read_text())
"""By scenario, the resources before `name` was a setting: type and name to Pulumi, and AWS's name where it is given."""

GIVEN = ("name", "namePrefix", "family", "dashboardName")
DNS = "aws:route53/record:Record"
NAMED_BY_CONTENT = "aws:iam/rolePolicy:RolePolicy"


def called(resource: Resource) -> str:
    """A resource as `RECORDED` has it."""
    given = [str(resource.inputs[key]) for key in GIVEN if key in resource.inputs] if resource.type != DNS else []
    return " ".join([resource.urn.split("::", 2)[2], *given])


@pytest.mark.parametrize("name", RECORDED)
def test_what_runs_keeps_its_names(scenario: Scenario, name: str) -> None:
    """Another name would be another resource to Pulumi, and the one that runs would go. New ones may come."""
    resources = scenario(name).resources
    assert set(RECORDED[name]) <= {called(resource) for resource in resources if resource.type != NAMED_BY_CONTENT}


@pytest.mark.parametrize("name", [name for name, (stack, _) in SCENARIOS.items() if stack == "prod"])
def test_every_name_begins_with_the_stacks(scenario: Scenario, name: str) -> None:
    """Two stacks in one account never meet, and rights that go by names hold."""
    for resource in scenario(name).resources:
        if resource.type not in ("pulumi:providers:aws", "pulumi:pulumi:StackReference") and resource.name != "models":
            assert re.match(r"(/ecs/|/capture/|aws-waf-logs-)?housing-prod", resource.name)


def test_the_path_alone_says_which_table() -> None:
    """One line of the program knows the shipped table's name, for a default; the project is called after it."""
    lines = [line for path in (ROOT / "stack").rglob("*.py") for line in path.read_text().splitlines()]
    lines += (ROOT / "__main__.py").read_text().splitlines()
    assert [line for line in lines if re.search(r"(?i)california|median_house", line)] == [
        f'PROJECT = "{PROJECT}"',
        f'DEFAULT_MODEL = "{DEFAULT_MODEL}"',
    ]


def test_two_models_are_two_stacks(models: str) -> None:
    """With another `name` nothing is called as before, and nothing else differs: no part of the stack knows a table."""
    housing, wine = record("dev", {}), record("dev", {"name": "wine"})

    def written(recording: Recording) -> set[str]:
        resources = (resource for resource in recording.resources if resource.custom)
        return {json.dumps([resource.name, resource.inputs], default=str) for resource in resources}

    assert not any("housing-dev" in text for text in written(wine))
    assert {text.replace("wine-dev", "housing-dev") for text in written(wine)} == written(housing)
