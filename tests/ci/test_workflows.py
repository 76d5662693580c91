"""The workflows: valid, pinned, with no more rights than each job needs, and with steps that do what they say."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
SECRETS = {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}
"""All that GitHub has to keep; AWS knows the workflows by their identity."""

RIGHTS = {
    ("deploy.yml", "dev"): {"contents": "read", "id-token": "write"},
    ("deploy.yml", "prod"): {"contents": "read", "id-token": "write"},
    ("deploy.yml", "tests"): {"contents": "read"},
    ("drift.yml", "look"): {"contents": "read", "id-token": "write"},
    ("drift.yml", "retrain"): {"actions": "write"},
    ("preview.yml", "preview"): {"contents": "read", "id-token": "write", "pull-requests": "write"},
    ("retrain.yml", "dev"): {"contents": "read", "id-token": "write"},
    ("retrain.yml", "prod"): {"contents": "read", "id-token": "write"},
    ("retrain.yml", "train"): {"contents": "read", "id-token": "write"},
    ("rollout.yml", "up"): {"contents": "read", "id-token": "write"},
    ("tests.yml", "test"): {"contents": "read"},
}


def workflow(name: str) -> dict[str, Any]:
    """A parsed workflow; YAML reads its key `on` as true."""
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return {"on" if key is True else key: value for key, value in loaded.items()}


def jobs() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every job: its workflow's file, its name, itself and its workflow."""
    for file in WORKFLOWS:
        whole = workflow(file.name)
        for name, job in whole["jobs"].items():
            yield file.name, name, job, whole


def steps(name: str, job: str) -> dict[str, dict[str, Any]]:
    """A job's named steps."""
    return {step["name"]: step for step in workflow(name)["jobs"][job]["steps"] if "name" in step}


def test_actionlint_finds_nothing() -> None:
    """GitHub would take the workflows: keys, expressions, inputs, outputs and shell scripts are right."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("no actionlint: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12, and put it in PATH")
    done = subprocess.run([actionlint, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_actions_are_pinned_by_digest() -> None:
    """A tag can be moved under us; a commit cannot. The version stands beside it, for people and for Dependabot."""
    used = set()
    for file in WORKFLOWS:
        for line in file.read_text().splitlines():
            if match := re.search(r"uses: (\S+)(.*)", line):
                action, comment = match.groups()
                if not action.startswith("./"):
                    assert PINNED.match(action), f"{file.name}: {action}"
                    assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{file.name}: {line}"
                    used.add((action, comment))
    assert len({action.partition("@")[0] for action, _ in used}) == len(used), "one version of each action"
    assert len(used) == 4


def test_jobs_have_the_rights_they_need() -> None:
    """Each job lists its rights, and a workflow grants none that its jobs do not list."""
    found = {}
    for file, name, job, whole in jobs():
        assert whole["permissions"] in ({}, {"contents": "read"})
        found[file, name] = job.get("permissions", whole["permissions"])
    assert found == RIGHTS


def test_checkouts_leave_no_token_behind() -> None:
    """What later steps run cannot push."""
    checkouts = [step for _, _, job, _ in jobs() for step in job.get("steps", []) if "checkout" in step.get("uses", "")]
    assert len(checkouts) == 5
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_secrets_are_an_environments() -> None:
    """Whoever pushes a branch can read the repository's own: a job that reads any is of an environment."""
    readers = {(file, name): job for file, name, job, _ in jobs() if "steps" in job and "secrets." in str(job)}
    assert {reader: job["environment"] for reader, job in readers.items()} == {
        ("preview.yml", "preview"): "preview",
        ("rollout.yml", "up"): "${{ inputs.stack }}",
    }
    page = (ROOT / "docs" / "pipelines.md").read_text()
    for secret in SECRETS:
        assert f"| `{secret}` | secret | `dev`, `prod`, `preview` |" in page


def test_a_called_workflow_gets_named_secrets() -> None:
    """No more than it asks for; GitHub lets an environment's own through under a name that the caller passes."""
    asked = workflow("rollout.yml")["on"]["workflow_call"]["secrets"]
    assert asked.keys() == SECRETS
    assert not any(secret["required"] for secret in asked.values())
    callers = [job for _, _, job, _ in jobs() if job.get("uses") == "./.github/workflows/rollout.yml"]
    assert len(callers) == 4
    for job in callers:
        assert job["secrets"] == {name: f"${{{{ secrets.{name} }}}}" for name in SECRETS}
    assert "inherit" not in "\n".join(file.read_text() for file in WORKFLOWS)


def test_what_waits_is_not_cancelled() -> None:
    """By default GitHub keeps one waiting job of a group: a third rollout would cancel the second."""
    blocks = [
        (file, block)
        for file, _, job, whole in jobs()
        for block in (whole.get("concurrency"), job.get("concurrency"))
        if block and block.get("cancel-in-progress") is False
    ]
    assert {file for file, _ in blocks} == {"drift.yml", "retrain.yml", "rollout.yml"}
    # actionlint does not know the key yet, and is told to let it be.
    assert all(block["queue"] == "max" for _, block in blocks)


def test_new_releases_have_time_to_be_taken_back() -> None:
    """Dependabot proposes no version that is younger than a week."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"docker", "github-actions"}
    assert all(update["cooldown"] == {"default-days": 7} for update in updates)


def test_there_are_no_keys() -> None:
    """Pulumi's token or passphrase are all the secrets; every AWS role is taken by OIDC."""
    text = "\n".join(file.read_text() for file in WORKFLOWS)
    assert set(re.findall(r"secrets\.(\w+)", text)) == SECRETS
    assert "aws-access-key-id" not in text
    roles = {
        (file, step["with"]["role-to-assume"])
        for file, _, job, _ in jobs()
        for step in job.get("steps", [])
        if "configure-aws-credentials" in step.get("uses", "")
    }
    assert roles == {
        ("drift.yml", "${{ vars.TRAINER_ROLE }}"),
        ("preview.yml", "${{ vars.PREVIEWER_ROLE }}"),
        ("retrain.yml", "${{ vars.TRAINER_ROLE }}"),
        ("rollout.yml", "${{ vars.DEPLOYER_ROLE }}"),
    }


def test_every_variable_and_secret_is_documented() -> None:
    """What the workflows read of GitHub's settings stands in the set-up's table, and nothing else does."""
    text = "\n".join(file.read_text() for file in WORKFLOWS)
    used = {(name, kind.rstrip("s")) for kind, name in re.findall(r"(vars|secrets)\.(\w+)", text)}
    table = re.findall(r"^\| `(\w+)` \| (var|secret)\w* \|", (ROOT / "docs" / "pipelines.md").read_text(), re.MULTILINE)
    assert set(table) == used


def test_nothing_of_an_event_is_pasted_into_a_script() -> None:
    """Expressions reach shell scripts as environment variables, where they cannot become commands."""
    scripts = [step["run"] for _, _, job, _ in jobs() for step in job.get("steps", []) if "run" in step]
    assert len(scripts) > 10
    assert [script for script in scripts if "${{" in script] == []


def test_every_job_ends_and_none_runs_twice() -> None:
    """A time limit on every job with steps; updates of one stack wait for each other and are never broken off."""
    assert all("timeout-minutes" in job for _, _, job, _ in jobs() if "steps" in job)
    update = workflow("rollout.yml")["jobs"]["up"]
    assert update["concurrency"]["group"] == "rollout-${{ inputs.stack }}"
    assert update["environment"] == "${{ inputs.stack }}"
    assert workflow("retrain.yml")["concurrency"]["group"] == workflow("drift.yml")["concurrency"]["group"] == "retrain"
    for name in ("tests.yml", "preview.yml"):
        assert "group" in workflow(name)["concurrency"]


def test_pull_requests_are_tested_on_the_oldest_and_the_newest_python() -> None:
    """`make test` as a contributor runs it, on what pyproject.toml promises and on what the image runs."""
    tests = workflow("tests.yml")
    assert "pull_request" in tests["on"]
    assert tests["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert "make test PYTHON=python" in [step.get("run") for step in tests["jobs"]["test"]["steps"]]


def test_prod_gets_what_dev_runs() -> None:
    """Tests, then dev, then prod with dev's image and model; a new model changes no image."""
    deploy, retrain = workflow("deploy.yml")["jobs"], workflow("retrain.yml")["jobs"]
    assert (deploy["dev"]["needs"], deploy["prod"]["needs"]) == ("tests", "dev")
    assert deploy["prod"]["with"] == {
        "stack": "prod",
        "image": "${{ needs.dev.outputs.image }}",
        "model_path": "${{ needs.dev.outputs.model_path }}",
    }
    assert (retrain["dev"]["needs"], retrain["prod"]["needs"]) == ("train", "dev")
    assert retrain["dev"]["with"]["image"] == retrain["prod"]["with"]["image"] == "keep"
    assert retrain["prod"]["with"]["model_path"] == "${{ needs.dev.outputs.model_path }}"


def pinned_pulumi() -> str:
    """The version of Pulumi's Python SDK in the lock."""
    lock = (ROOT / "requirements" / "infrastructure.txt").read_text()
    (version,) = re.findall(r"^pulumi==(\S+)", lock, re.MULTILINE)
    return str(version)


def test_the_cli_is_the_version_that_the_program_is_pinned_to() -> None:
    """Pulumi's CLI and its Python SDK are released together, under one tag."""
    used = {
        step["with"]["pulumi-version"]
        for _, _, job, _ in jobs()
        for step in job.get("steps", [])
        if "pulumi/actions" in step.get("uses", "")
    }
    assert used == {pinned_pulumi()}


def test_the_pinned_pulumi_was_released() -> None:
    """The tag is there for Go as well: not the Python SDK alone, but the command line can be had at that version."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no go: https://go.dev/doc/install; it knows Pulumi's tags")
    module = f"github.com/pulumi/pulumi/sdk/v3@v{pinned_pulumi()}"
    done = subprocess.run([go, "list", "-m", module], cwd="/", capture_output=True, text=True)
    if "unknown revision" not in done.stderr and done.returncode:
        pytest.skip(f"go does not reach Pulumi's releases from this machine: {done.stderr.strip()[-200:]}")
    assert done.stdout == f"{module.replace('@', ' ')}\n", done.stderr


def command(folder: Path, name: str, script: str) -> None:
    """Put a stand-in for a program that needs an account into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


def run_step(script: str, tmp_path: Path, **environment: str) -> tuple[int, dict[str, str], str]:
    """Run a step's script as GitHub does; returns exit code, outputs, and what it printed."""
    outputs = tmp_path / "outputs"
    outputs.touch()
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, written, done.stdout + done.stderr


@pytest.mark.parametrize(("code", "fails"), [(0, False), (3, False), (1, True), (130, True)])
def test_a_version_that_is_not_better_is_no_failure(tmp_path: Path, code: int, fails: bool) -> None:
    """Exit code 3, not better than the champion, ends well and says so; any other failure fails the job."""
    command(tmp_path / ".venv" / "bin", "python", f'echo "$@" >called; exit {code}')
    script = steps("retrain.yml", "train")["Train"]["run"]
    returned, outputs, printed = run_step(script, tmp_path, FORCE="true", TABLE="", DATA="")
    assert (returned != 0) == fails
    assert outputs == {}
    assert ("::notice::" in printed) == (code == 3)
    assert (tmp_path / "called").read_text() == "-m training train --force\n"


def test_another_table_is_trained_and_published(tmp_path: Path) -> None:
    """The table and its rows are told to both commands, as the inputs or the variables name them, spaces and all."""
    command(tmp_path / ".venv" / "bin", "python", 'printf "%s|" "$@" >>called; echo >>called')
    named = {"FORCE": "false", "TABLE": "tables/my patients.toml", "DATA": "rows.csv", "BUCKET": "models"}
    for name in ("Train", "Publish"):
        script = steps("retrain.yml", "train")[name]["run"]
        assert run_step(script, tmp_path, **named)[0] == 0
        assert run_step(script, tmp_path, **named | {"TABLE": "", "DATA": ""})[0] == 0
    assert (tmp_path / "called").read_text().splitlines() == [
        "-m|training|train|--table|tables/my patients.toml|--data|rows.csv|",
        "-m|training|train|",
        "-m|training|publish|--table|tables/my patients.toml|--store|s3://models|",
        "-m|training|publish|--store|s3://models|",
    ]
    environment = workflow("retrain.yml")["jobs"]["train"]["env"]
    assert environment["TABLE"] == "${{ inputs.table || vars.TABLE }}"
    assert environment["DATA"] == "${{ inputs.data || vars.DATA }}"


@pytest.mark.parametrize(("code", "retrain"), [(0, "false"), (4, "true"), (1, None), (2, None), (130, None)])
def test_drift_starts_a_retraining(tmp_path: Path, code: int, retrain: str | None) -> None:
    """Exit code 4 of the comparison is what starts retrain; any other but 0 fails the job, and starts nothing."""
    command(tmp_path / ".venv" / "bin", "python", f'echo "$@"; exit {code}')
    script = steps("drift.yml", "look")["Compare"]["run"]
    returned, outputs, _ = run_step(script, tmp_path, TABLE="", BUCKET="models")
    assert (returned, outputs.get("retrain")) == (0 if retrain else code, retrain)
    assert "training drift --captured captured.parquet --store s3://models" in (tmp_path / "summary").read_text()
    jobs = workflow("drift.yml")["jobs"]
    assert jobs["look"]["if"] == "vars.AWS_REGION != '' && vars.CAPTURE_LOG_GROUP != ''"
    assert jobs["retrain"]["if"] == "needs.look.outputs.retrain == 'true'"
    assert "workflow_dispatch" in workflow("retrain.yml")["on"]


def test_a_run_that_broke_off_is_made_up_for() -> None:
    """After any training that ended, the champion is published, dev updated, then prod: nothing asks how training went.

    Whatever of it was done before changes nothing: `publish` and `pulumi up` look at what is there.
    """
    retrain = workflow("retrain.yml")["jobs"]
    assert [(name, "if" in job) for name, job in retrain.items()] == [("train", True), ("dev", False), ("prod", False)]
    assert retrain["train"]["if"] == "vars.AWS_REGION != ''"
    assert [step for step in retrain["train"]["steps"] if "if" in step or "continue-on-error" in step] == []
    order = list(steps("retrain.yml", "train"))
    assert order == ["Fetch the registry", "Train", "Keep the registry", "Publish"]
    assert "model_path" not in retrain["dev"]["with"], "dev runs what its settings name: latest"


@pytest.mark.parametrize("present", [True, False])
def test_promotion_copies_an_image_once_and_by_digest(tmp_path: Path, present: bool) -> None:
    """The image goes to the stack's own repository unless it is there, and the stack is told its digest."""
    digest = f"sha256:{'0123456789ab' * 5}abcd"
    log = 'echo "$(basename "$0") $*" >>"$CALLS"'
    command(tmp_path / "bin", "pulumi", f'{log}; [ "$1" != stack ] || echo 1.dkr.ecr.eu.amazonaws.com/housing-prod')
    command(tmp_path / "bin", "aws", f"{log}; echo password")
    found = 0 if present else 1
    command(tmp_path / "bin", "skopeo", f"{log}; case $1 in login) cat >/dev/null ;; inspect) exit {found} ;; esac")
    script = steps("rollout.yml", "up")["Promote an image"]["run"]
    calls = tmp_path / "calls"
    source = f"1.dkr.ecr.eu.amazonaws.com/housing-dev@{digest}"
    returned, _, printed = run_step(script, tmp_path, IMAGE=source, CALLS=str(calls))
    assert returned == 0, printed
    done = calls.read_text().splitlines()
    target = "1.dkr.ecr.eu.amazonaws.com/housing-prod"
    assert f"pulumi config set image_uri {target}@{digest}" == done[-1]
    copies = [line for line in done if line.startswith("skopeo copy")]
    copy = f"skopeo copy --preserve-digests docker://{source} docker://{target}:promoted-0123456789ab"
    assert copies == ([] if present else [copy])


def test_a_rollout_says_what_runs(tmp_path: Path) -> None:
    """Image and model go to the next job as outputs, and to people as a line of the summary."""
    answers = 'case "$*" in *"output model"*) echo "{\\"path\\": \\"models/7\\"}" ;; *) echo http://service ;; esac'
    command(tmp_path / "bin", "pulumi", answers)
    command(tmp_path / "bin", "aws", "echo repository@sha256:abc")
    command(tmp_path / "bin", "jq", 'sed -E \'s/.*"path": "([^"]*)".*/\\1/\'')
    script = steps("rollout.yml", "up")["Note what runs now"]["run"]
    returned, outputs, printed = run_step(script, tmp_path, STACK="dev")
    assert returned == 0, printed
    assert outputs == {"image": "repository@sha256:abc", "model_path": "models/7"}
    summary = (tmp_path / "summary").read_text()
    assert summary == "Stack `dev` runs `repository@sha256:abc` with `models/7` at http://service\n"


@pytest.mark.parametrize("file", ["preview.yml", "rollout.yml"])
def test_a_job_shows_who_it_is(tmp_path: Path, file: str) -> None:
    """The subject of its token, before AWS is asked: what a role's trust policy must say."""
    if shutil.which("jq") is None:
        pytest.skip("no jq: apt-get install jq")
    (job,) = workflow(file)["jobs"]
    # With what base64 for addresses writes differently, and without its padding.
    claims = {"sub": "repo:owner@1234/name@5678:environment:dev", "ref": "ÿÿ>>??~~"}
    payload = base64.urlsafe_b64encode(json.dumps(claims, ensure_ascii=False).encode()).decode().rstrip("=")
    assert set("-_") & set(payload)
    (tmp_path / "answer").write_text(json.dumps({"value": f"e30.{payload}.c2ln"}))
    command(tmp_path / "bin", "curl", f'echo "$@" >{tmp_path / "called"}; cat {tmp_path / "answer"}')
    environment = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token?v=1"}
    script = steps(file, job)["Show who this job is"]["run"]
    returned, _, printed = run_step(script, tmp_path, **environment)
    assert (returned, printed) == (0, f"{claims['sub']}\n")
    called = (tmp_path / "called").read_text()
    assert called.endswith("--header Authorization: Bearer t https://token?v=1&audience=sts.amazonaws.com\n")
