"""The pages: one bundle, which looks at the path and shows its screen."""

from aiohttp import ETag, web

from server.http.route import Route
from server.http.static import Asset, Assets

ASSETS = web.AppKey("assets", Assets)

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mianshi</title>
<h1>The pages are not built</h1>
<p>This server runs, but its front end is missing. Build it with <code>make install</code> (or
<code>npm ci &amp;&amp; npm run build</code> in <code>static</code>) and start the server again.</p>
<h1 lang="zh">页面尚未构建</h1>
<p lang="zh">服务已启动,但前端文件缺失。请运行 <code>make install</code> 后重新启动。</p></html>"""

NOT_FOUND = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mianshi</title>
<h1>There is nothing here</h1><p>Check that the whole link was copied.</p>
<h1 lang="zh">页面不存在</h1><p lang="zh">请确认链接已完整复制。</p></html>"""


async def page(request: web.Request) -> web.StreamResponse:
    found = request.app[ASSETS].page
    if found is None:
        return web.Response(text=NOT_BUILT, content_type="text/html", status=503)
    # A link is a secret in the path: no cache may keep what it led to.
    return _send(request, found, "no-store")


async def asset(request: web.Request) -> web.StreamResponse:
    found = request.app[ASSETS].find(request.match_info["path"])
    if found is None:
        return web.Response(text=NOT_FOUND, content_type="text/html", status=404)
    return _send(request, found, found.cache_control)


def _send(request: web.Request, found: Asset, cache_control: str) -> web.StreamResponse:
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    tag = ETag(found.etag, is_weak=True)
    if request.if_none_match and any(one.value == tag.value for one in request.if_none_match):
        response = web.Response(status=304, headers=headers)
    else:
        response = _whole(request, found, headers)
    response.etag = tag
    return response


def _whole(request: web.Request, found: Asset, headers: dict[str, str]) -> web.Response:
    body = found.content
    if found.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = found.gzipped
    charset = "utf-8" if found.content_type.startswith("text/") else None
    return web.Response(
        body=body, headers=headers, content_type=found.content_type, charset=charset
    )


ROUTES = (
    Route("GET", "/", page, "The page"),
    Route("GET", "/i/{link}", page, "The page of a participant's link"),
    Route("GET", "/hr", page, "The HR page"),
    Route("GET", "/hr/{link}", page, "The page of an HR link"),
    Route("GET", "/help", page, "Illustrated help"),
    Route("GET", "/{path:.+}", asset, "Scripts, styles and pictures"),
)
"""The last one takes what no other route took."""
