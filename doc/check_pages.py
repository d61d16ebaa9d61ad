"""Look at every built page in a browser, on a desktop and on a phone.

``python doc/check_pages.py --browser /usr/bin/chromium`` needs playwright, and the pages
that Sphinx has written. It fails on an error in the console, a request that leaves the site
or comes back empty, a picture that is not shown, a page that scrolls sideways, and a link
or an anchor within the site that leads nowhere. ``--screenshots FOLDER`` keeps a picture of
every page at both widths. Nothing but the site itself is asked for.
"""

import argparse
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag

from playwright.sync_api import sync_playwright

SITE = Path(__file__).parent / "_build" / "html"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]
LOOK = """async () => {
    const images = [...document.images];
    images.forEach(image => image.loading = "eager");
    const settled = image => image.decode().catch(() => {});  // naturalWidth tells
    await Promise.all(images.map(settled));
    const root = document.scrollingElement;
    return {
        broken: images.filter(image => !image.naturalWidth).map(image => image.src),
        overflow: root.scrollWidth - window.innerWidth,
        wide: [...document.querySelectorAll("article *")]
            .filter(part => part.getBoundingClientRect().right > window.innerWidth)
            .slice(0, 3).map(part => part.outerHTML.slice(0, 80)),
        links: [...document.links].map(link => link.href),
        anchors: [...document.querySelectorAll("[id]")].map(part => part.id),
    };
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def served(folder):
    """The address of a server of the folder on this machine."""
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def pages_of(site):
    """The pages of the site, relative to its folder."""
    paths = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in paths if not path.parts[0].startswith("_"))


def watched(page, address):
    """The list that the troubles of the page are added to."""
    troubles = []

    def note_console(message):
        if message.type == "error":
            troubles.append(f"console: {message.text}")

    def note_response(response):
        if response.status >= 400:
            troubles.append(f"status {response.status}: {response.url}")

    def note_request(request):
        if not request.url.startswith((address, "data:", "blob:")):
            troubles.append(f"asks elsewhere: {request.url}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("response", note_response)
    page.on("request", note_request)
    return troubles


def look_at(window, address, name, picture):
    """Open one page: what is wrong with it, its links and its anchors."""
    page = window.new_page()
    troubles = watched(page, address)
    page.goto(address + name, wait_until="load")
    seen = page.evaluate(LOOK)
    troubles += [f"picture not shown: {source}" for source in seen["broken"]]
    if seen["overflow"] > 0:
        troubles.append(f"scrolls sideways by {seen['overflow']} px: {seen['wide']}")
    if picture:
        page.screenshot(path=picture, full_page=True)
    page.close()
    return troubles, seen


def dead_links(site, address, seen):
    """Links within the site to a file or an anchor that is not there."""
    for name, page in seen.items():
        for link in sorted(set(page["links"])):
            url, anchor = urldefrag(link)
            if not url.startswith(address):
                continue
            target = unquote(url.removeprefix(address)).partition("?")[0] or "index.html"
            anchors = seen[target]["anchors"] if target in seen else None
            if not (site / target).is_file():
                yield f"{name}: link to {target}, which is not there"
            elif anchor and anchors is not None and unquote(anchor) not in anchors:
                yield f"{name}: link to {target}#{anchor}, an anchor that is not there"


def check(site, browser_path, screenshots):
    """All that is wrong with the pages of the site, and their number."""
    troubles, seen = [], {}
    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for device, (width, height) in SIZES.items():
            window = browser.new_context(viewport={"width": width, "height": height})
            for name in pages_of(site):
                picture = None
                if screenshots:
                    picture = screenshots / f"{name[:-5].replace('/', '-')}_{device}.png"
                wrong, seen[name] = look_at(window, address, name, picture)
                troubles += [f"{name} ({device}): {trouble}" for trouble in wrong]
        browser.close()
        return troubles + list(dead_links(site, address, seen)), len(seen)


def main():
    """Print what is wrong, and fail if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, help="default: %(default)s")
    parser.add_argument("--browser", help="a Chromium; default: that of playwright")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        parser.error(f"no pages in {options.site}: build them first, see doc/conf.py")
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    troubles, n_pages = check(options.site, options.browser, options.screenshots)
    for trouble in troubles:
        print(trouble)
    print(f"{n_pages} pages at {len(SIZES)} widths: {len(troubles)} troubles")
    sys.exit(bool(troubles))


if __name__ == "__main__":
    main()
