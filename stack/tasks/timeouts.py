"""Every time in seconds that two parts of the deployment must agree on."""

IDLE = 60
"""The load balancer closes a connection that was idle for so long."""

KEEP_ALIVE = IDLE + 15
"""The server's own limit: longer than the balancer's, or the balancer sends requests into closing connections (502)."""

STOP = 30
"""ECS kills a task so long after SIGTERM."""

DEREGISTRATION = STOP
"""The balancer lets requests in flight finish for so long before the task is told to stop."""

SHUTDOWN = STOP - 10
"""The server drains for so long after SIGTERM: it has left before ECS kills it."""
