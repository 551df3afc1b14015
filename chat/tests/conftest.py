"""A chat of the patient and their doctor."""

from __future__ import annotations

import pytest

from chat.models import Chat
from chat.tests.factories import chat_of
from connections.models import Connection


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)
