"""Stacks that run and are changed: what each setting does to them, and what holds at every step on the way."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stack.settings.changes import CHANGES, Effect
from stack.settings.config import settings
from tests.stack.awsx_network import deployed
from tests.stack.engine import Step, refused, up
from tests.stack.recording import Recording, Resource
from tests.stack.transitions import CANARY, CERTIFICATE, HTTPS, TRANSITIONS, Settings

Prod = Callable[[Settings], Recording]

SERVICE = "aws:ecs/service:Service"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
POLICY = "aws:iam/rolePolicy:RolePolicy"
GROUP = "aws:lb/targetGroup:TargetGroup"
VPC = "aws:ec2/vpc:Vpc"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
OLD = " (old)"

ONE_SETTING = [(name, before, after) for name, (before, after) in TRANSITIONS.items()]
ELSEWHERE: list[tuple[str, Settings, Settings]] = [
    ("another name", HTTPS, {**HTTPS, "domain_name": "houses.example.com"}),
    ("HTTPS with a certificate", {}, {"domain_name": "api.example.com", "certificate_arn": CERTIFICATE}),
    ("HTTPS, from canary", {**HTTPS, **CANARY}, HTTPS),
    ("a gateway per zone", {"nat": "single"}, {"nat": "per_az"}),
]
BOTH_WAYS = [
    pytest.param(start, end, id=f"{name} {direction}")
    for name, before, after in [*ONE_SETTING, *ELSEWHERE]
    for direction, start, end in (("there", before, after), ("back", after, before))
]


def effect(prod: Prod, before: Settings, after: Settings) -> tuple[Effect, bool]:
    """What a change does, and whether only a protected stack refuses it."""
    steps = up(prod(before), prod(after))
    if not refused(steps, prod(before)) and not moves(steps):
        return _effect(steps), False
    open_ones = prod({"protected": "false", **before}), prod({"protected": "false", **after})
    steps = up(*open_ones)
    if refused(steps, open_ones[0]) or moves(steps):
        return Effect.REFUSED, False
    return _effect(steps), True


def moves(steps: list[Step]) -> bool:
    """Whether a load balancer would have to leave its network: AWS refuses it subnets of another."""
    stays = any((step.does, step.resource.type) == ("update", BALANCER) for step in steps)
    return stays and any(step.does != "update" and step.resource.type == VPC for step in steps)


def _effect(steps: list[Step]) -> Effect:
    service = [step for step in steps if step.resource.type == SERVICE]
    if any(step.does in ("create", "replace") for step in service):
        return Effect.NEW_SERVICE
    # Whether a service may be deleted with tasks in it is Pulumi's own note.
    if any(step.does == "update" and step.changed - {"forceDelete"} for step in service):
        return Effect.ROLLOUT
    return Effect.IN_PLACE if any(step.resource.custom for step in steps) else Effect.NOTHING


def test_every_setting_is_in_the_table() -> None:
    """A new setting needs a row, and here a stack before and after it is changed."""
    assert list(CHANGES) == list(TRANSITIONS) == list(settings())


@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_change_does_what_the_table_says(prod: Prod, name: str) -> None:
    """In both directions; what only a protected stack refuses is told apart."""
    before, after = TRANSITIONS[name]
    row = CHANGES[name]
    assert effect(prod, before, after) == (row.there, "there" in row.protected)
    assert effect(prod, after, before) == (row.back, "back" in row.protected)


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
def test_no_two_listeners_meet_on_a_port(prod: Prod, before: Settings, after: Settings) -> None:
    """AWS refuses a second listener on a port, even for the moment until the first one goes."""
    for state in states(prod(before), prod(after)):
        two = any(resource.type == BALANCER and urn.endswith(OLD) for urn, resource in state.items())
        listeners = [(urn, resource) for urn, resource in state.items() if resource.type == LISTENER]
        # With the load balancer its listeners are others too: the old ones stand at the old one, of the same ARN here.
        ports = [
            (resource.inputs["loadBalancerArn"], two and urn.endswith(OLD), resource.inputs["port"])
            for urn, resource in listeners
        ]
        assert len(set(ports)) == len(ports)


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
def test_tasks_keep_their_rights_until_others_have_taken_over(prod: Prod, before: Settings, after: Settings) -> None:
    """What the running revision may do, it may do until the service is steady with the new one; so ECS can go back."""
    needed = rights(deployed(prod(before)))
    state = {resource.urn: resource for resource in deployed(prod(before))}
    for step in up(prod(before), prod(after)):
        if step.resource.type == SERVICE and step.does != "delete":
            break
        apply(state, step)
        assert needed <= rights(state.values()), f"{step.does} {step.resource.urn}"
    assert rights(deployed(prod(after))) >= rights(state.values()) - needed


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
def test_new_tasks_have_their_rights_before_they_start(prod: Prod, before: Settings, after: Settings) -> None:
    """The service is changed after everything that the new revision may do."""
    state = {resource.urn: resource for resource in deployed(prod(before))}
    for step in up(prod(before), prod(after)):
        if step.resource.type == SERVICE and step.does != "delete":
            assert rights(deployed(prod(after))) <= rights(state.values())
        apply(state, step)


def test_narrower_rights_come_after_the_rollout(prod: Prod) -> None:
    """Another image, no secret, another bucket: the old policy is not changed, and goes when the service is steady."""
    for name in ("image_uri", "api_keys_secret", "model_bucket"):
        for before, after in (TRANSITIONS[name], TRANSITIONS[name][::-1]):
            steps = [(step.does, step.resource.type) for step in up(prod(before), prod(after))]
            assert ("update", POLICY) not in steps
            order = [steps.index(("create", POLICY)), steps.index(("update", SERVICE)), steps.index(("delete", POLICY))]
            assert order == sorted(order), name


def states(before: Recording, after: Recording) -> Iterator[dict[str, Resource]]:
    """What is there after each step of an update."""
    state = {resource.urn: resource for resource in deployed(before)}
    for step in up(before, after):
        apply(state, step)
        yield dict(state)


def apply(state: dict[str, Resource], step: Step) -> None:
    """Take one step. A replaced resource stays, under a key of its own, until it is deleted."""
    urn = step.resource.urn
    if step.does == "delete":
        del state[f"{urn}{OLD}" if f"{urn}{OLD}" in state else urn]
    else:
        if step.does == "replace":
            state[f"{urn}{OLD}"] = state[urn]
        state[urn] = step.resource


def rights(resources: Any) -> set[tuple[str, str]]:
    """The policies' texts by role, of the service: a run that scores has begun with its own."""
    policies = [resource for resource in resources if resource.type == POLICY and "-score" not in resource.name]
    return {(policy.inputs["role"], policy.inputs["policy"]) for policy in policies}


def test_from_rolling_to_canary_nobody_is_without_tasks(prod: Prod) -> None:
    """The new service runs, in the group that its rule sends everything to, before the rolling one's rule and it go."""
    steps = up(prod({}), prod(CANARY))
    assert order(steps, ("create", RULE), ("create", SERVICE), ("delete", RULE), ("delete", SERVICE))


def test_from_canary_to_rolling_nobody_is_without_tasks(prod: Prod) -> None:
    """The traffic leaves the canary's rule, which may send all to its own group, before the service in there goes."""
    steps = up(prod(CANARY), prod({}))
    assert order(steps, ("create", SERVICE), ("create", RULE), ("delete", SERVICE), ("delete", RULE))
    (created,) = [step.resource for step in steps if (step.does, step.resource.type) == ("create", RULE)]
    (deleted,) = [step.resource for step in steps if (step.does, step.resource.type) == ("delete", RULE)]
    assert created.inputs["priority"] < deleted.inputs["priority"]
    (service,) = [step.resource for step in steps if (step.does, step.resource.type) == ("create", SERVICE)]
    (balancer,) = service.inputs["loadBalancers"]
    assert created.inputs["actions"][0]["forward"]["targetGroups"] == [{"arn": balancer["targetGroupArn"], "weight": 1}]


def test_https_answers_before_http_sends_there(prod: Prod) -> None:
    """Listener and DNS record stand before port 80 redirects; on the way back it forwards before they go."""
    there = up(prod({}), prod(HTTPS))
    assert order(there, ("create", "aws:route53/record:Record"), ("update", LISTENER))
    assert order(there, ("create", LISTENER), ("update", LISTENER))
    back = up(prod(HTTPS), prod({}))
    assert order(back, ("update", LISTENER), ("delete", LISTENER))


def order(steps: list[Step], *expected: tuple[str, str]) -> bool:
    """Whether these come in this order, and each once or all of them before the next."""
    found = [(step.does, step.resource.type) for step in steps]
    places = [[place for place, step in enumerate(found) if step == wanted] for wanted in expected]
    return all(places) and all(first[-1] < second[0] for first, second in itertools.pairwise(places))


def test_another_share_of_spot_is_a_rollout_of_the_same_service(prod: Prod) -> None:
    """The provider takes it with a forced deployment only, and could not drop a launch type without another service."""
    before, after = TRANSITIONS["spot_percent"]
    (step,) = [step for step in up(prod(before), prod(after)) if step.resource.type == SERVICE]
    assert (step.does, set(step.changed)) == ("update", {"capacityProviderStrategies"})
    for recording in (prod(before), prod(after)):
        service = recording.one(SERVICE)
        assert service.inputs["forceNewDeployment"] is True
        assert "launchType" not in service.inputs
        asked = {share["capacityProvider"] for share in service.inputs["capacityProviderStrategies"]}
        (offered,) = recording.all("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders")
        assert asked <= set(offered.inputs["capacityProviders"])


def test_another_load_balancer_has_another_target_group(prod: Prod) -> None:
    """AWS lets no group be behind two: a new one stands before the new listener, and the old one goes last."""
    for before, after in (TRANSITIONS["internal"], TRANSITIONS["internal"][::-1]):
        steps = up(prod(before), prod(after))
        assert order(steps, ("replace", BALANCER), ("replace", LISTENER), ("update", SERVICE), ("delete", BALANCER))
        assert order(steps, ("replace", GROUP), ("replace", LISTENER), ("delete", LISTENER), ("delete", GROUP))


def test_another_key_is_another_repository_with_the_image_in_it(prod: Prod) -> None:
    """AWS changes no repository's encryption: image and tasks follow to the new one before the old one goes."""
    steps = up(prod({}), prod(TRANSITIONS["kms_key_arn"][1]))
    repository = "aws:ecr/repository:Repository"
    assert order(steps, ("replace", repository), ("update", "docker:index/image:Image"), ("update", SERVICE))
    assert order(steps, ("update", SERVICE), ("delete", repository))


def test_a_gateway_per_zone_comes_without_deleting_anything(prod: Prod) -> None:
    """So a protected stack may have it at any time."""
    steps = up(prod({"nat": "single"}), prod({"nat": "per_az"}))
    assert {step.does for step in steps} == {"create", "update"}


def test_another_name_is_refused_while_protected(prod: Prod) -> None:
    """The certificate and the record of the old one would go."""
    steps = up(prod(HTTPS), prod({**HTTPS, "domain_name": "houses.example.com"}))
    types = {resource.type for resource in refused(steps, prod(HTTPS))}
    assert types >= {"aws:acm/certificate:Certificate", "aws:route53/record:Record"}


def test_canary_and_https_are_changed_one_after_the_other(prod: Prod) -> None:
    """ECS holds on to the rule that it was given: another listener makes another rule, which ECS would not learn of."""
    steps = up(prod(CANARY), prod({**CANARY, **HTTPS}))
    assert ("replace", RULE) in [(step.does, step.resource.type) for step in steps]
    assert not [step for step in steps if step.resource.type == SERVICE]
    assert "go back to rolling ones first" in CHANGES["domain_name"].note
