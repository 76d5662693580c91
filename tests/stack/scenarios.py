"""The configurations that the program is recorded with."""

from tests.stack.published import PREFIX, REGION
from tests.stack.recording import ACCOUNT

SCENARIOS: dict[str, tuple[str, dict[str, str]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {"domain_name": "api.example.com", "hosted_zone": "example.com"}),
    "https": ("dev", {"domain_name": "api.example.com", "hosted_zone": "example.com"}),
    "own-certificate": (
        "dev",
        {
            "domain_name": "api.example.com",
            "certificate_arn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0b1c",
        },
    ),
    "canary": ("dev", {"deployment_strategy": "canary", "canary_percent": "20", "bake_minutes": "7"}),
    "no-nat": (
        "dev",
        {
            "nat": "none",
            "api_keys_secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:keys-AbCdEf:prod::",
        },
    ),
    "image": ("dev", {"image_uri": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/housing@sha256:{'a' * 64}"}),
    "spot-arm": ("dev", {"spot_percent": "70", "cpu_architecture": "ARM64", "availability_zones": "3"}),
    "guarded": (
        "dev",
        {
            "allowed_cidrs": '["198.51.100.0/24", "203.0.113.0/24"]',
            "allowed_countries": '["DE", "FR"]',
            "firewall_cidrs": '["198.51.100.0/25"]',
            "requests_per_ip": "500",
            "alarm_email": "ops@example.com",
        },
    ),
    "scheduled": (
        "dev",
        {
            "min_tasks": "1",
            "desired_count": "2",
            "max_tasks": "8",
            "cpu_target": "55",
            "requests_target": "900",
            "schedule": '[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}]',
        },
    ),
    "scoring": (
        "dev",
        {"score_data": "s3://tables/customers/*.parquet", "score_out": "s3://scores/customers"},
    ),
    "prod-scoring": (
        "prod",
        {
            "nat": "none",
            "score_data": "s3://tables/customers",
            "score_out": "s3://tables/scores/customers",
            "score_schedule": "cron(0 3 * * ? *)",
        },
    ),
    "prod-http": ("prod", {}),
    "prod-canary": (
        "prod",
        {"domain_name": "api.example.com", "hosted_zone": "example.com", "deployment_strategy": "canary"},
    ),
    "prod-closed": (
        "prod",
        {
            "nat": "none",
            "allowed_cidrs": '["198.51.100.0/24"]',
            "firewall_cidrs": '["198.51.100.0/25"]',
            "alarm_email": "ops@example.com",
            "schedule": '[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}]',
        },
    ),
    "prod-models": ("prod", {"create_model_bucket": "true"}),
    "dev-models": ("dev", {"create_model_bucket": "true"}),
    "version-5": ("prod", {"model_path": f"{PREFIX}/5"}),
    "version-6": ("prod", {"model_path": f"{PREFIX}/6"}),
}
"""Stack settings file and what differs from it."""
