"""For each setting, a stack before and after it is changed, otherwise the same."""

from tests.stack.published import OTHER_BUCKET, PREFIX, REGION
from tests.stack.recording import ACCOUNT

Settings = dict[str, str]

CANARY = {"deployment_strategy": "canary"}
HTTPS = {"domain_name": "api.example.com", "hosted_zone": "example.com"}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0b1c"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:keys-AbCdEf"
NIGHT = '{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}'
DAY = '{"name": "day", "schedule": "cron(0 6 * * ? *)", "min_tasks": 2, "max_tasks": 6}'

SCORING = {"score_data": "s3://tables/customers", "score_out": "s3://scores/customers"}

TRANSITIONS: dict[str, tuple[Settings, Settings]] = {
    "model_bucket": ({}, {"model_bucket": OTHER_BUCKET}),
    "model_path": ({"model_path": f"{PREFIX}/5"}, {"model_path": f"{PREFIX}/6"}),
    "create_model_bucket": ({}, {"create_model_bucket": "true"}),
    "protected": ({"protected": "false"}, {"protected": "true"}),
    "image_uri": ({}, {"image_uri": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/housing@sha256:{'a' * 64}"}),
    "cpu_architecture": ({}, {"cpu_architecture": "ARM64"}),
    "cpu": ({"cpu": "256", "memory": "1024"}, {"cpu": "512", "memory": "1024"}),
    "memory": ({"memory": "1024"}, {"memory": "2048"}),
    "start_seconds": ({}, {"start_seconds": "90"}),
    "docs": ({"docs": "false"}, {"docs": "true"}),
    "api_keys_secret": ({}, {"api_keys_secret": SECRET}),
    "desired_count": ({}, {"desired_count": "3"}),
    "min_tasks": ({}, {"min_tasks": "1"}),
    "max_tasks": ({}, {"max_tasks": "9"}),
    "cpu_target": ({}, {"cpu_target": "50"}),
    "requests_target": ({}, {"requests_target": "900"}),
    "scale_out_cooldown": ({}, {"scale_out_cooldown": "30"}),
    "scale_in_cooldown": ({}, {"scale_in_cooldown": "600"}),
    "schedule": ({}, {"schedule": f"[{NIGHT}, {DAY}]"}),
    "spot_percent": ({}, {"spot_percent": "70"}),
    "score_data": ({}, SCORING),
    "score_out": (SCORING, {**SCORING, "score_out": "s3://scores/others"}),
    "score_schedule": (SCORING, {**SCORING, "score_schedule": "rate(1 day)"}),
    "score_cpu": (SCORING, {**SCORING, "score_cpu": "512"}),
    "score_memory": (SCORING, {**SCORING, "score_memory": "4096"}),
    "score_image_uri": (
        SCORING,
        {**SCORING, "score_image_uri": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/housing@sha256:{'b' * 64}"},
    ),
    "deployment_strategy": ({}, CANARY),
    "canary_percent": (CANARY, {**CANARY, "canary_percent": "20"}),
    "canary_minutes": (CANARY, {**CANARY, "canary_minutes": "15"}),
    "bake_minutes": (CANARY, {**CANARY, "bake_minutes": "10"}),
    "vpc_cidr": ({}, {"vpc_cidr": "10.1.0.0/16"}),
    "availability_zones": ({}, {"availability_zones": "3"}),
    "nat": ({}, {"nat": "none"}),
    "allowed_cidrs": ({}, {"allowed_cidrs": '["198.51.100.0/24"]'}),
    "domain_name": ({}, HTTPS),
    "hosted_zone": (
        {"domain_name": "api.example.com", "certificate_arn": CERTIFICATE},
        {**HTTPS, "certificate_arn": CERTIFICATE},
    ),
    "certificate_arn": (HTTPS, {**HTTPS, "certificate_arn": CERTIFICATE}),
    "requests_per_ip": ({}, {"requests_per_ip": "500"}),
    "allowed_countries": ({}, {"allowed_countries": '["DE"]'}),
    "firewall_cidrs": ({}, {"firewall_cidrs": '["198.51.100.0/25"]'}),
    "log_retention_days": ({"log_retention_days": "7"}, {"log_retention_days": "30"}),
    "container_insights": ({"container_insights": "disabled"}, {"container_insights": "enabled"}),
    "alarm_email": ({}, {"alarm_email": "ops@example.com"}),
    "permissions_boundary": ({}, {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"}),
}
"""By setting: settings on top of prod's, before and after."""
