"""Check every built page in a browser, at the widths of a desktop and of a phone.

``python doc/check_pages.py --browser /usr/bin/chromium`` needs playwright and the pages
that Sphinx has built. It fails on console errors, requests that fail or leave the site,
pictures that are not shown, pages that scroll sideways, and broken links or anchors within
the site. ``--screenshots FOLDER`` saves a picture of every page at both widths.
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
    """Serve files without logging requests."""

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def served(folder):
    """Serve the folder on this machine and yield the address."""
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def pages_of(site):
    """List the pages of the site, relative to its folder."""
    paths = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in paths if not path.parts[0].startswith("_"))


def watched(page, address):
    """Watch a page and return the list to which its problems are added."""
    problems = []

    def note_console(message):
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def note_response(response):
        if response.status >= 400:
            problems.append(f"status {response.status}: {response.url}")

    def note_request(request):
        if not request.url.startswith((address, "data:", "blob:")):
            problems.append(f"request outside the site: {request.url}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("response", note_response)
    page.on("request", note_request)
    return problems


def look_at(window, address, name, picture):
    """Open one page; return its problems, and its links and anchors."""
    page = window.new_page()
    problems = watched(page, address)
    page.goto(address + name, wait_until="load")
    seen = page.evaluate(LOOK)
    problems += [f"picture not shown: {source}" for source in seen["broken"]]
    if seen["overflow"] > 0:
        problems.append(f"scrolls sideways by {seen['overflow']} px: {seen['wide']}")
    if picture:
        page.screenshot(path=picture, full_page=True)
    page.close()
    return problems, seen


def dead_links(site, address, seen):
    """Yield the links within the site to missing files or anchors."""
    for name, page in seen.items():
        for link in sorted(set(page["links"])):
            url, anchor = urldefrag(link)
            if not url.startswith(address):
                continue
            target = unquote(url.removeprefix(address)).partition("?")[0] or "index.html"
            anchors = seen[target]["anchors"] if target in seen else None
            if not (site / target).is_file():
                yield f"{name}: link to {target}, which does not exist"
            elif anchor and anchors is not None and unquote(anchor) not in anchors:
                yield f"{name}: link to {target}#{anchor}, an anchor that does not exist"


def check(site, browser_path, screenshots):
    """Return all problems of the pages of the site, and the number of pages."""
    problems, seen = [], {}
    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for device, (width, height) in SIZES.items():
            window = browser.new_context(viewport={"width": width, "height": height})
            for name in pages_of(site):
                picture = None
                if screenshots:
                    picture = screenshots / f"{name[:-5].replace('/', '-')}_{device}.png"
                wrong, seen[name] = look_at(window, address, name, picture)
                problems += [f"{name} ({device}): {problem}" for problem in wrong]
        browser.close()
        return problems + list(dead_links(site, address, seen)), len(seen)


def main():
    """Print the problems, and fail if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, help="default: %(default)s")
    parser.add_argument("--browser", help="a Chromium; default: that of playwright")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        parser.error(f"no pages in {options.site}: build them first, see doc/conf.py")
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    problems, n_pages = check(options.site, options.browser, options.screenshots)
    for problem in problems:
        print(problem)
    print(f"{n_pages} pages at {len(SIZES)} widths: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
