"""OpenAPI: every operation states the one error shape it may answer with."""

from __future__ import annotations

from typing import Any

from common.problems import PROBLEM_JSON

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "instance", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail", "attr"],
                "properties": {
                    "code": {"type": "string", "description": "Machine-readable; stable."},
                    "detail": {"type": "string", "description": "In the caller's language."},
                    "attr": {
                        "type": ["string", "null"],
                        "description": "Dotted name of the field at fault.",
                    },
                },
            },
        },
    },
}
METHODS = {"get", "post", "put", "patch", "delete"}


def add_problem_responses(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """A drf-spectacular hook: what a refusal looks like, on every operation."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    refusal = {
        "description": "Refused; `errors` says why.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for method in METHODS & operations.keys():
            operations[method]["responses"].setdefault("4XX", refusal)
    return result
