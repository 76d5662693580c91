"""For each setting, a stack before and after it is changed, otherwise the same."""

import json

from tests.stack.networks import CALLERS, OTHER_PRIVATE, OTHER_PUBLIC, PRIVATE, PUBLIC, TURNED, TURNED_PRIVATE, VPC
from tests.stack.published import KEY, OTHER_BUCKET, PREFIX, REGION
from tests.stack.recording import ACCOUNT

Settings = dict[str, str]

CANARY = {"deployment_strategy": "canary"}
HTTPS = {"domain_name": "api.example.com", "hosted_zone": "example.com"}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0b1c"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:keys-AbCdEf"
NIGHT = '{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}'
DAY = '{"name": "day", "schedule": "cron(0 6 * * ? *)", "min_tasks": 2, "max_tasks": 6}'
THERE = {"vpc_id": VPC, "private_subnet_ids": json.dumps(PRIVATE), "public_subnet_ids": json.dumps(PUBLIC)}
INSIDE = {"vpc_id": VPC, "private_subnet_ids": json.dumps(PRIVATE), "internal": "true"}
CLOSED_OFF = {
    "vpc_id": TURNED,
    "private_subnet_ids": json.dumps(TURNED_PRIVATE),
    "nat": "none",
    "internal": "true",
}

SCORING = {"score_data": "s3://tables/customers", "score_out": "s3://scores/customers"}

TRANSITIONS: dict[str, tuple[Settings, Settings]] = {
    "model_bucket": ({}, {"model_bucket": OTHER_BUCKET}),
    "model_path": ({"model_path": f"{PREFIX}/5"}, {"model_path": f"{PREFIX}/6"}),
    "create_model_bucket": ({}, {"create_model_bucket": "true"}),
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
    "vpc_id": ({}, THERE),
    "private_subnet_ids": (THERE, {**THERE, "private_subnet_ids": json.dumps(OTHER_PRIVATE)}),
    "public_subnet_ids": (THERE, {**THERE, "public_subnet_ids": json.dumps(OTHER_PUBLIC)}),
    "vpc_cidr": ({}, {"vpc_cidr": "10.1.0.0/16"}),
    "availability_zones": ({}, {"availability_zones": "3"}),
    "nat": ({}, {"nat": "none"}),
    "endpoints": (CLOSED_OFF, {**CLOSED_OFF, "endpoints": "present"}),
    "internal": ({}, {"internal": "true"}),
    "allowed_cidrs": ({}, {"allowed_cidrs": '["198.51.100.0/24"]'}),
    "allowed_security_groups": (
        {**INSIDE, "allowed_cidrs": '["10.20.0.0/16"]'},
        {**INSIDE, "allowed_cidrs": '["10.20.0.0/16"]', "allowed_security_groups": json.dumps([CALLERS])},
    ),
    "domain_name": ({}, HTTPS),
    "hosted_zone": (
        {"domain_name": "api.example.com", "certificate_arn": CERTIFICATE},
        {**HTTPS, "certificate_arn": CERTIFICATE},
    ),
    "certificate_arn": (HTTPS, {**HTTPS, "certificate_arn": CERTIFICATE}),
    "firewall": ({}, {"firewall": "false"}),
    "requests_per_ip": ({}, {"requests_per_ip": "500"}),
    "unlimited_cidrs": ({}, {"unlimited_cidrs": '["198.51.100.0/28"]'}),
    "allowed_countries": ({}, {"allowed_countries": '["DE"]'}),
    "firewall_cidrs": ({}, {"firewall_cidrs": '["198.51.100.0/25"]'}),
    "log_requests": ({}, {"log_requests": "all"}),
    "log_retention_days": ({"log_retention_days": "7"}, {"log_retention_days": "30"}),
    "model_metrics": ({}, {"model_metrics": "none"}),
    "capture_percent": ({}, {"capture_percent": "10"}),
    "capture_retention_days": ({"capture_percent": "10"}, {"capture_percent": "10", "capture_retention_days": "30"}),
    "metrics_from_security_group": ({}, {"metrics_from_security_group": "sg-0a1b2c3d4e5f60718"}),
    "container_insights": ({"container_insights": "disabled"}, {"container_insights": "enabled"}),
    "alarm_email": ({}, {"alarm_email": "ops@example.com"}),
    "name": ({}, {"name": "houses"}),
    "protected": ({"protected": "false"}, {"protected": "true"}),
    "kms_key_arn": ({}, {"kms_key_arn": KEY}),
    "permissions_boundary": ({}, {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"}),
}
"""By setting: settings on top of prod's, before and after."""
