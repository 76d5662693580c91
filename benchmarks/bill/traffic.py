"""What a request is made of: the bytes that AWS bills, as measured, and what had to be assumed of callers."""

import dataclasses

from benchmarks.bill.prices import GB

REQUEST_BYTES = 304
RESPONSE_BYTES = 384
"""README's `POST /predict` by curl and its answer, headers included, behind a load balancer; a test measures them."""

LINE_BYTES = 217
"""The line that this request has in the service's log; the same test."""

EVENT_BYTES = 26
"""What CloudWatch counts on top of each line's own bytes."""

LINES_AT_ERRORS = 0.01
"""Share of good requests that have a line at `log_requests: errors`."""

KEPT_LINE_BYTES = 31
"""Of a line as CloudWatch keeps it: gzipped with many others; a test does it with made-up ones."""

ACCESS_LINE_BYTES = 62
"""Of a line of the load balancer's log in S3, gzipped with many others; the same test, with lines of AWS's format."""

ACCESS_FILES_PER_HOUR = 12
"""The load balancer writes every five minutes, from each of its nodes."""

METRICS_LINE_BYTES = 2_800
"""The line with which a task sends its model's metrics once a minute, as measured under load; at rest it has 400."""

INSIGHTS_EVENT_BYTES = 1_000
"""Assumed, of Container Insights' own events: one a minute for each task, each container, service and cluster."""

REQUESTS_PER_CONNECTION = 100
"""Assumed of callers: so many requests, one after another, before a connection is closed."""

REQUESTS_PER_SECOND_ON_A_CONNECTION = 10
"""Assumed of callers."""

PACKET_BYTES = 74
"""Assumed, around a request or an answer: IP (20), TCP (32) and TLS (22)."""

HANDSHAKE_BYTES = 4_500
"""Assumed, going out once for each connection: a certificate and its chain."""


@dataclasses.dataclass(frozen=True)
class CapacityUnits:
    """What a load costs in capacity units of an application load balancer, by their four dimensions."""

    new_connections: float
    active_connections: float
    bytes: float
    rule_evaluations: float

    @property
    def billed(self) -> float:
        """The largest of the four, as the load balancer is billed."""
        return max(self.new_connections, self.active_connections, self.bytes, self.rule_evaluations)


def capacity_units(per_second: float, *, requests_per_connection: float = REQUESTS_PER_CONNECTION) -> CapacityUnits:
    """One unit is 25 new connections a second, 3,000 active ones, 1 GB an hour or 1,000 evaluations of rules a second.

    The stack has fewer rules than the ten that are free.
    """
    return CapacityUnits(
        new_connections=per_second / requests_per_connection / 25,
        active_connections=per_second / REQUESTS_PER_SECOND_ON_A_CONNECTION / 3_000,
        bytes=per_second * 3_600 * (REQUEST_BYTES + RESPONSE_BYTES) / GB,
        rule_evaluations=0,
    )


def bytes_out() -> float:
    """Bytes that leave for one response."""
    return RESPONSE_BYTES + PACKET_BYTES + HANDSHAKE_BYTES / REQUESTS_PER_CONNECTION
