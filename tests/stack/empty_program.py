"""Pulumi's real engine on an empty program of the project: `python -m tests.stack.empty_program up|preview STACK`."""

import sys

import pulumi
from pulumi import automation

from stack.settings.config import PROJECT


def program() -> None:
    """Nothing but an output: what is looked at is the state."""
    pulumi.export("known", pulumi.Output.secret("value"))


if __name__ == "__main__":
    verb, name = sys.argv[1:]
    stack = automation.select_stack(stack_name=name, project_name=PROJECT, program=program)
    if verb == "up":
        stack.up()
    else:
        stack.preview()
