"""The configurations that the program is recorded with."""

import json

from tests.stack.networks import CALLERS, CLOSED, CLOSED_PRIVATE, ISOLATED, PRIVATE, PUBLIC, VPC
from tests.stack.published import ENCRYPTED_BUCKET, KEY, PREFIX, REGION
from tests.stack.recording import ACCOUNT

THERE = {"vpc_id": VPC, "private_subnet_ids": json.dumps(PRIVATE), "public_subnet_ids": json.dumps(PUBLIC)}
"""Deployed into a network that is there."""

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
            "unlimited_cidrs": '["198.51.100.0/28"]',
            "alarm_email": "ops@example.com",
        },
    ),
    "watched": (
        "dev",
        {
            "model_metrics": "features",
            "capture_percent": "2.5",
            "capture_retention_days": "30",
            "metrics_from_security_group": "sg-0a1b2c3d4e5f60718",
        },
    ),
    "unwatched": ("dev", {"model_metrics": "none"}),
    "prod-watched": (
        "prod",
        {"domain_name": "api.example.com", "hosted_zone": "example.com", "capture_percent": "1"},
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
    "existing": ("dev", THERE),
    "existing-no-nat": ("dev", {**THERE, "private_subnet_ids": json.dumps(ISOLATED), "nat": "none"}),
    "existing-endpoints": (
        "dev",
        {
            "vpc_id": CLOSED,
            "private_subnet_ids": json.dumps(CLOSED_PRIVATE),
            "nat": "none",
            "endpoints": "present",
            "internal": "true",
        },
    ),
    "internal": ("dev", {"internal": "true"}),
    "internal-firewall": ("dev", {"internal": "true", "firewall": "true", "allowed_cidrs": '["10.0.0.0/8"]'}),
    "open": ("dev", {"firewall": "false"}),
    "prod-internal": (
        "prod",
        {
            "vpc_id": VPC,
            "private_subnet_ids": json.dumps(PRIVATE),
            "internal": "true",
            "allowed_security_groups": json.dumps([CALLERS]),
            "domain_name": "api.example.com",
            "hosted_zone": "example.com",
        },
    ),
    "keys": ("dev", {"kms_key_arn": KEY, "model_bucket": ENCRYPTED_BUCKET, "alarm_email": "ops@example.com"}),
    "prod-keys": ("prod", {"kms_key_arn": KEY}),
    "keys-models": ("dev", {"kms_key_arn": KEY, "create_model_bucket": "true"}),
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
