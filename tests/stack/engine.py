"""What Pulumi's engine does with a recorded program, in which order: its rules (`pkg/resource/deploy`), no provider.

A resource whose inputs differ is updated, or replaced if the provider says so (`replacements.py`); what refers to
something replaced, or to an image pushed anew, is changed by that. Whatever the program no longer registers is deleted
at the end, in the order in which a destroy deletes everything: dependents first, in sets that run side by side
(`ScheduleDeletes`).
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Literal

from tests.stack.awsx_network import VPC, deployed
from tests.stack.recording import Recording, Resource
from tests.stack.replacements import KEPT, replaces

IMAGE = "docker:index/image:Image"
"""Pushed anew by an update, and so called otherwise from then on."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that the engine has a provider do."""

    does: Literal["create", "update", "replace", "delete"]
    resource: Resource
    """As it is from then on; for a deletion, as it was."""
    changed: frozenset[str] = frozenset()
    """Names of the inputs that differ."""


def up(before: Recording, after: Recording) -> list[Step]:
    """The steps of `pulumi up` from one recorded program to another, in an order that Pulumi may choose."""
    old = {resource.urn: resource for resource in deployed(before)}
    new = deployed(after)
    parents = {resource.urn: resource for resource in new}
    steps: list[Step] = []
    replaced: set[str] = set()
    pushed: set[str] = set()
    for resource in new:
        if resource.urn not in old:
            steps.append(Step("create", resource))
            continue
        changed = _changed(old[resource.urn], resource, replaced | pushed)
        if (changed or replaced & set(resource.replace_with)) and resource.custom:
            replace = bool(replaced & set(resource.replace_with)) or replaces(resource.type, changed)
            if replace:
                replaced.add(resource.urn)
                # What awsx hands out are its parts' ids.
                replaced |= {above for above in _ancestors(parents, resource) if parents[above].type == VPC}
            elif resource.type == IMAGE:
                pushed.add(resource.urn)
            steps.append(Step("replace" if replace else "update", resource, changed))
    kept = parents.keys() - replaced
    gone = [resource for urn, resource in old.items() if urn not in kept]
    for together in deletions(old, gone):
        steps.extend(Step("delete", resource) for resource in together)
    return steps


def _changed(old: Resource, new: Resource, renewed: set[str]) -> frozenset[str]:
    differing = {key for key in old.inputs.keys() | new.inputs.keys() if old.inputs.get(key) != new.inputs.get(key)}
    differing |= {key for key, urns in new.property_depends_on.items() if renewed & set(urns)}
    left = KEPT.get(new.type, frozenset()) - new.inputs.keys()
    return frozenset(differing - set(new.ignore_changes) - left)


def refused(steps: Iterable[Step], before: Recording) -> list[Resource]:
    """What Pulumi will not do: replace what stays protected, or delete what was."""
    was_protected = {resource.urn for resource in deployed(before) if resource.protect}
    return [
        step.resource
        for step in steps
        if step.resource.urn in was_protected
        and (step.does == "delete" or (step.does == "replace" and step.resource.protect))
    ]


def destroy(recording: Recording) -> list[Resource]:
    """What `pulumi destroy` deletes, in order, whether with `--skip-preview` or with `--exclude-protected`.

    At a protected resource the engine reports an error and goes on, past what that depends on
    (`cancelDueToError`, `TransitiveDependenciesOf`). For this, unlike for the order, a component does not stand for
    what it holds.
    """
    resources = {resource.urn: resource for resource in deployed(recording)}
    kept: set[str] = set()
    waiting = [urn for urn, resource in resources.items() if resource.protect]
    while waiting:
        urn = waiting.pop()
        if urn not in kept:
            kept.add(urn)
            waiting.extend(_named(resources, resources[urn]))
    return [
        resource
        for together in deletions(resources, resources.values())
        for resource in together
        if resource.urn not in kept
    ]


def deletions(resources: Mapping[str, Resource], condemned: Iterable[Resource]) -> list[list[Resource]]:
    """The sets in which Pulumi deletes: those that depend on the longest chains first, each set side by side."""
    left = {resource.urn: resource for resource in condemned}
    needs = {urn: dependencies(resources, resource) for urn, resource in left.items()}
    sets: list[list[Resource]] = []
    while left:
        free = [resource for resource in left.values() if not needs[resource.urn] & left.keys()]
        assert free, f"a circle among {sorted(left)}"
        sets.append(free)
        for resource in free:
            del left[resource.urn]
    return sets[::-1]


def dependencies(resources: Mapping[str, Resource], resource: Resource) -> set[str]:
    """The URNs that a resource depends on: provider, parent, dependencies, and what components among these hold."""
    named = _named(resources, resource)
    order = {urn: number for number, urn in enumerate(resources)}
    held = {
        urn
        for urn, other in resources.items()
        if order[urn] < order[resource.urn]
        and any(not resources[above].custom for above in _ancestors(resources, other) & set(resource.depends_on))
    }
    return named | held


def _named(resources: Mapping[str, Resource], resource: Resource) -> set[str]:
    return {*resource.depends_on, resource.provider.rpartition("::")[0], resource.parent} & resources.keys()


def _ancestors(resources: Mapping[str, Resource], resource: Resource) -> set[str]:
    found: set[str] = set()
    while resource.parent in resources:
        found.add(resource.parent)
        resource = resources[resource.parent]
    return found
