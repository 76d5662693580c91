"""From one table to another and back behind one address, by the setting alone that says which model serves."""

from pathlib import Path

import numpy as np

from api.store.manifest import models_prefix
from tests.api.tables import publish_table
from tests.buckets import create_bucket, upload
from tests.running import Serve, free_port


def test_roll_to_another_table_and_back(serve: Serve, moto_url: str, tmp_path: Path) -> None:
    """Tables with other columns and targets lie in one bucket; MODEL_PATH alone chooses, and a way back leads back."""
    assert moto_url
    bucket, port = create_bucket("two-tables"), str(free_port())
    tables = {name: publish_table(name, tmp_path / name) for name in ("claims", "species")}
    for name, table in tables.items():
        upload(table.folder, bucket, f"{models_prefix(name)}/1")
    for name in ("claims", "species", "claims"):
        table, other = tables[name], tables["species" if name == "claims" else "claims"]
        service = serve(MODEL_BUCKET=bucket, MODEL_PATH=f"{models_prefix(name)}/1", PORT=port)
        assert service.url.endswith(f":{port}"), service.log.read_text()
        with service.client() as client:
            answer = client.post("/predict/batch", json={"rows": table.bodies()}).raise_for_status().json()
            np.testing.assert_array_equal(table.values(answer["predictions"]), table.predicted())
            assert client.get("/model").json()["name"] == name
            assert list(client.get("/schema").json()["properties"]) == list(table.schema.names)
            assert client.get(f"/v2/models/{name}").status_code == 200
            assert client.get(f"/v2/models/{other.schema.name}").status_code == 404
            wrong = client.post("/predict", json={"view": "a: b"} if name == "claims" else {"view": "sea"})
            assert wrong.status_code == 422
        assert service.stop() == 0
