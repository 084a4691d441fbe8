"""A real S3 server on this machine, and videos put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI"


@contextmanager
def serving() -> Iterator[Any]:
    """A client of a running server; meanwhile the environment leads everybody to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        yield client
        client.close()
    server.stop()


def upload(client: Any, folder: Path, bucket: str, prefix: str = "") -> None:
    """Put every file below a folder into a new bucket."""
    client.create_bucket(Bucket=bucket)
    for file in sorted(folder.rglob("*.*")):
        client.put_object(
            Bucket=bucket, Key=prefix + file.relative_to(folder).as_posix(), Body=file.read_bytes()
        )
