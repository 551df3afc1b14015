"""A password hasher for tests."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2PasswordHasher(Argon2PasswordHasher):
    """The production algorithm and format, at a thousandth of the cost."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
