"""Files in an S3-compatible store, by `STORAGE_URL` alone."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from environ import ImproperlyConfigured
from moto.server import ThreadedMotoServer

from medisync.settings import file_storage


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_file_is_kept_in_s3_under_a_private_key(endpoint: str) -> None:
    store = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="key", aws_secret_access_key="s/cret",
    )  # fmt: skip
    store.create_bucket(Bucket="medisync")
    url = f"s3://key:{quote('s/cret', safe='')}@medisync?endpoint={endpoint}&region=us-east-1"
    storage = storages.create_storage(file_storage(url))

    name = storage.save("documents/licence", ContentFile(b"%PDF-"))

    with storage.open(name) as file:
        assert file.read() == b"%PDF-"
    assert store.get_object(Bucket="medisync", Key=name)["Body"].read() == b"%PDF-"


def test_unknown_storage_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured):
        file_storage("ftp://somewhere/")
