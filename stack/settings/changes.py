"""What changing a setting does to a stack that runs: the second table of docs/configuration.md."""

import dataclasses
import enum


class Effect(enum.StrEnum):
    """From the least to the most."""

    NOTHING = "nothing"
    IN_PLACE = "in place"
    """Something beside the tasks changes; they go on."""
    ROLLOUT = "rollout"
    """New tasks take over as with a new model, and the old ones stay if they do not start."""
    NEW_SERVICE = "new service"
    """Another service takes over, then the old one is deleted; no request is lost."""
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Change:
    """What happens when a setting is set, raised or added to (`there`), and when it is taken back."""

    there: Effect
    back: Effect
    protected: tuple[str, ...] = ()
    """Which of the two, by name, Pulumi refuses before anything happens while the stack is `protected`."""
    note: str = ""


def _both(effect: Effect, note: str = "", protected: tuple[str, ...] = ()) -> Change:
    return Change(effect, effect, protected, note)


CHANGES: dict[str, Change] = {
    "model_bucket": _both(
        Effect.ROLLOUT, "The old bucket stays readable until the new tasks run. Refused with `create_model_bucket`."
    ),
    "model_path": _both(Effect.ROLLOUT),
    "create_model_bucket": Change(
        Effect.IN_PLACE, Effect.REFUSED, note="AWS refuses a bucket that exists. The setting stays for good."
    ),
    "image_uri": _both(Effect.ROLLOUT),
    "cpu_architecture": _both(Effect.ROLLOUT, "The image is built anew; a given `image_uri` must have the platform."),
    "cpu": _both(Effect.ROLLOUT),
    "memory": _both(Effect.ROLLOUT),
    "start_seconds": _both(Effect.ROLLOUT),
    "docs": _both(Effect.ROLLOUT),
    "api_keys_secret": _both(Effect.ROLLOUT, "The old secret stays readable until the new tasks run."),
    "desired_count": _both(Effect.NOTHING, "Only a new service starts with it."),
    "min_tasks": _both(Effect.IN_PLACE, "Nothing with a `schedule`: change its entries."),
    "max_tasks": _both(Effect.IN_PLACE, "Nothing with a `schedule`: change its entries."),
    "cpu_target": _both(Effect.IN_PLACE),
    "requests_target": _both(Effect.IN_PLACE),
    "scale_out_cooldown": _both(Effect.IN_PLACE),
    "scale_in_cooldown": _both(Effect.IN_PLACE),
    "schedule": _both(
        Effect.IN_PLACE, "Taken away, the bounds stay as the clock left them until `pulumi up --refresh`."
    ),
    "spot_percent": _both(Effect.ROLLOUT),
    "score_data": _both(
        Effect.IN_PLACE, "Set and unset with `score_out`. A run that goes on ends as it began.", protected=("back",)
    ),
    "score_out": _both(Effect.IN_PLACE, "As `score_data`. What was scored stays where it is."),
    "score_schedule": _both(Effect.IN_PLACE),
    "score_cpu": _both(Effect.IN_PLACE),
    "score_memory": _both(Effect.IN_PLACE),
    "score_image_uri": _both(Effect.IN_PLACE),
    "deployment_strategy": _both(
        Effect.NEW_SERVICE,
        "The new service starts with `desired_count` tasks: set it to what runs.",
        protected=("there", "back"),
    ),
    "canary_percent": _both(Effect.ROLLOUT, "The revision that runs is deployed once more."),
    "canary_minutes": _both(Effect.ROLLOUT, "As `canary_percent`."),
    "bake_minutes": _both(Effect.ROLLOUT, "As `canary_percent`."),
    "vpc_id": _both(
        Effect.REFUSED,
        "AWS moves no load balancer to another network, and says so only half way: make another stack.",
    ),
    "private_subnet_ids": _both(Effect.ROLLOUT),
    "public_subnet_ids": _both(Effect.IN_PLACE),
    "vpc_cidr": _both(
        Effect.REFUSED,
        "As `vpc_id`.",
    ),
    "availability_zones": _both(Effect.ROLLOUT, protected=("back",)),
    "nat": _both(
        Effect.IN_PLACE,
        "Here to `none` and back. `single` to `per_az` only adds, in a protected stack too.",
        protected=("there", "back"),
    ),
    "endpoints": _both(
        Effect.IN_PLACE,
        "A service's name leads to one endpoint: to `create`, delete theirs first; to `present`, make another stack.",
        protected=("there", "back"),
    ),
    "internal": _both(
        Effect.ROLLOUT,
        "Another load balancer at another address: `domain_name` leads there at once, and to errors (503) until the "
        "rollout is done; rather make another stack and move the callers. With canary deployments go back to rolling "
        "ones first.",
        protected=("there", "back"),
    ),
    "allowed_cidrs": _both(Effect.IN_PLACE),
    "allowed_security_groups": _both(Effect.IN_PLACE),
    "domain_name": _both(
        Effect.IN_PLACE,
        "HTTP goes on until HTTPS answers, then redirects there. From one name to another is refused while "
        "`protected`; the old name ends with the update. With canary deployments go back to rolling ones first.",
        protected=("back",),
    ),
    "hosted_zone": _both(Effect.IN_PLACE, "Without it, the name's record goes.", protected=("back",)),
    "certificate_arn": _both(Effect.IN_PLACE, "The stack's own certificate goes, or comes.", protected=("there",)),
    "firewall": _both(Effect.IN_PLACE, protected=("there",)),
    "requests_per_ip": _both(Effect.IN_PLACE),
    "unlimited_cidrs": _both(Effect.IN_PLACE),
    "allowed_countries": _both(Effect.IN_PLACE),
    "firewall_cidrs": _both(Effect.IN_PLACE),
    "log_requests": _both(Effect.ROLLOUT),
    "log_retention_days": _both(Effect.IN_PLACE, "Fewer days: older logs are deleted."),
    "model_metrics": _both(Effect.ROLLOUT),
    "capture_percent": _both(
        Effect.ROLLOUT, "Back to 0, the captured rows are deleted; while `protected`, when their days are over."
    ),
    "capture_retention_days": _both(Effect.IN_PLACE, "Fewer days: older rows are deleted."),
    "metrics_from_security_group": _both(Effect.ROLLOUT),
    "container_insights": _both(Effect.IN_PLACE),
    "alarm_email": _both(Effect.IN_PLACE, "A new address must confirm."),
    "name": _both(
        Effect.NEW_SERVICE,
        "Everything is made anew, at another address, and the old goes; with a `domain_name` AWS refuses the second "
        "record half way. Rather make another stack.",
        protected=("there", "back"),
    ),
    "protected": _both(Effect.IN_PLACE),
    "kms_key_arn": Change(
        Effect.ROLLOUT,
        Effect.IN_PLACE,
        note="The repository is made anew and the image pushed there; `protected` keeps the old one beside it. Taken "
        "back, the repository stays under the key. What is written stays under the key that it was written with: do "
        "not delete that.",
    ),
    "permissions_boundary": _both(Effect.IN_PLACE),
}
"""By setting, in the order of `stack.settings.config`."""
