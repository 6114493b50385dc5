"""Register the work pool, the deployments and the automations at the Prefect server of `PREFECT_API_URL`."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sentiment_pipeline.errors import PipelineError

__all__ = ["POOL", "PROJECT", "register"]

POOL = "local"
PROJECT = Path(__file__).parents[1]

_FOLDER = Path(__file__).parent  # of the YAML files


def register() -> None:
    """Register what is missing, and the deployments again if their definition in this project has changed.

    Everything else is left alone, with all that users have changed in the UI.

    Raises:
        PipelineError: `prefect deploy` fails.
    """
    # Here, because importing Prefect reads its settings, which `deployments.ui` sets first.
    from prefect.automations import AutomationCore
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    deployments = _definitions("deployments", "prefect.yaml")
    folder = os.environ.setdefault("SENTIMENT_PIPELINE_FOLDER", str(PROJECT))  # prefect.yaml refers to both variables
    version = os.environ["SENTIMENT_PIPELINE_DEPLOYMENTS"] = _version(deployments, folder)
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template))
        current = sum(each.version == version for each in client.read_deployments()) == len(deployments)
        if not current:
            _deploy()
        for definition in _definitions("automations", "automations.yaml"):
            registered = client.read_automations_by_name(definition["name"])
            if not (current and registered):
                for automation in registered:
                    client.delete_automation(automation.id)
                client.create_automation(AutomationCore(**definition))


def _definitions(key: str, file: str) -> list[dict[str, Any]]:
    definitions: list[dict[str, Any]] = yaml.safe_load((_FOLDER / file).read_text())[key]
    return definitions


def _version(deployments: Sequence[Mapping[str, Any]], folder: str) -> str:
    """A short hash of the YAML files, the forms and the folder of the project.

    Not of the code, which each run reads anew.
    """
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.importtools import import_object

    digest = hashlib.sha256(folder.encode())
    for path in sorted(_FOLDER.glob("*.yaml")):
        digest.update(path.read_bytes())
    for deployment in deployments:
        form = parameter_schema(import_object(deployment["entrypoint"])).model_dump()
        digest.update(json.dumps(form, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:12]


def _deploy() -> None:
    """Register all deployments.

    Raises:
        PipelineError: `prefect deploy` fails; contains what it printed.
    """
    command = ["--no-prompt", "deploy", "--all", "--prefect-file", str(_FOLDER / "prefect.yaml")]
    done = subprocess.run([sys.executable, "-m", "prefect", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"prefect deploy failed: {done.stderr.strip() or done.stdout.strip()}")
