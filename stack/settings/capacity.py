"""How many requests a task of a size takes: what scaling aims at unless `requests_target` says otherwise."""

MEASURED_PER_SECOND = 19_000
"""Predictions a second, one row each, that one core answers.

`make bench` measured 37,784 at 64 connections with 500 trees of depth 8 (benchmarks/results.json, 2026-11-26), and half
of that on the same machine beside busy neighbours. The half is counted on: a vCPU of Fargate is another core, and has
neighbours. A test holds this between all and half of what was measured last.
"""

ROOM = 0.6
"""Share of what a task could do at which others are started: they take minutes, in which the load grows on.

It is `cpu_target`'s default too: on the core that is counted on, both policies act at the same load.
"""

ONE_CORE = 1024
"""CPU units of one vCPU. The service is one process with one thread that predicts, so a second core gains nothing."""


def requests_per_minute(cpu: int) -> int:
    """How many requests a minute to aim at for a task with so many CPU units."""
    share = min(cpu, ONE_CORE) / ONE_CORE
    return round(MEASURED_PER_SECOND * share * ROOM * 60)
