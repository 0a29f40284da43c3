"""`/api/openapi.json`: the API's document, made from the routes and their schemas."""

import json
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.http.route import Route

DOCUMENT = web.AppKey("openapi", bytes)

_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "hr": [{"hr_cookie": []}, {"api_key": []}],
    "join_token": [{"join_token": []}],
}

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "remedy"],
            "properties": {
                "code": {"type": "string", "description": "Stable: programs may rely on it."},
                "message": {"type": "string"},
                "remedy": {"type": "string"},
            },
        }
    },
}


def document(routes: Sequence[Route]) -> bytes:
    models = {model for route in routes for model in (route.takes, route.gives) if model}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "serialization") for model in ordered],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Mianshi", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Error": _ERROR},
            "securitySchemes": {
                "hr_cookie": {"type": "apiKey", "in": "cookie", "name": "mianshi_hr"},
                "api_key": {"type": "http", "scheme": "bearer"},
                "join_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", route.path)
        ],
        "responses": {
            str(route.status): {"description": "Done", **_content(route.gives)},
            "default": {
                "description": "Refused",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if route.who in _SECURITY:
        operation["security"] = _SECURITY[route.who]
    if route.takes is not None:
        operation["requestBody"] = {"required": True, **_content(route.takes)}
    return operation


def _content(model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {}
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"content": {"application/json": {"schema": reference}}}


async def show(request: web.Request) -> web.Response:
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


ROUTES = (Route("GET", "/api/openapi.json", show, "This document"),)
