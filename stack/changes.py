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
    "protected": _both(Effect.IN_PLACE),
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
    "vpc_cidr": _both(
        Effect.REFUSED,
        "AWS moves no load balancer to another network, and says so only half way: make another stack.",
    ),
    "availability_zones": _both(Effect.ROLLOUT, protected=("back",)),
    "nat": _both(
        Effect.IN_PLACE,
        "Here to `none` and back. `single` to `per_az` only adds, in a protected stack too.",
        protected=("there", "back"),
    ),
    "allowed_cidrs": _both(Effect.IN_PLACE),
    "domain_name": _both(
        Effect.IN_PLACE,
        "HTTP goes on until HTTPS answers, then redirects there. From one name to another is refused while "
        "`protected`; the old name ends with the update. With canary deployments go back to rolling ones first.",
        protected=("back",),
    ),
    "hosted_zone": _both(Effect.IN_PLACE, "Without it, the name's record goes.", protected=("back",)),
    "certificate_arn": _both(Effect.IN_PLACE, "The stack's own certificate goes, or comes.", protected=("there",)),
    "requests_per_ip": _both(Effect.IN_PLACE),
    "allowed_countries": _both(Effect.IN_PLACE),
    "firewall_cidrs": _both(Effect.IN_PLACE),
    "log_retention_days": _both(Effect.IN_PLACE, "Fewer days: older logs are deleted."),
    "container_insights": _both(Effect.IN_PLACE),
    "alarm_email": _both(Effect.IN_PLACE, "A new address must confirm."),
    "permissions_boundary": _both(Effect.IN_PLACE),
}
"""By setting, in the order of `stack.config`."""
