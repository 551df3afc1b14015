import pytest

# Helpers that assert for the tests that call them: their failures are told in full.
pytest.register_assert_rewrite("medisync.tests.browsing")
