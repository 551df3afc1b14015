"""Chance in tests is the same at every run; `SEED=7` asks for another."""

from __future__ import annotations

import os

SEED = int(os.environ.get("SEED", "5"))
