"""Check every built page in a browser: three widths, light and dark.

``python doc/check_pages.py --browser /usr/bin/chromium`` needs playwright and the pages
that Sphinx has built. It fails on console errors, requests that fail or leave the site,
pictures that are not shown, pages that scroll sideways, side bars without links, code that
does not fit its column on a desktop, broken links or anchors within the site, searches that
do not find their page, and questions of the start page whose link does not lead to code.
``--screenshots FOLDER`` saves a picture of every page at each width, light and dark;
``--only networks comparing`` looks at these pages alone.
"""

import argparse
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag, urlencode

from playwright.sync_api import sync_playwright

SITE = Path(__file__).parent / "_build" / "html"
SIZES = {"desktop": (1400, 900), "tablet": (1000, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
# What a reader types into the search, and the pages of which one must be among the first.
SEARCHES = {
    "interpret alpha": {"reading_the_index.html", "what_to_do.html"},
    "csv separator": {"getting_started.html", "api/command_line.html"},
    "p-value": {"comparing.html", "api/generated/sksmooth.smoothness_difference.html"},
}
N_FIRST = 3
N_QUESTIONS = 5  # on the start page
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
        cut: [...document.querySelectorAll("article div.highlight pre")]
            .filter(code => code.scrollWidth > code.clientWidth + 1)
            .map(code => [
                code.scrollWidth - code.clientWidth,
                code.innerText.split("\\n").sort((a, b) => b.length - a.length)[0],
            ]),
        bars: [...document.querySelectorAll(".bd-sidebar-primary, .bd-sidebar-secondary")]
            .filter(bar => bar.checkVisibility({visibilityProperty: true}))
            .filter(bar => ![...bar.querySelectorAll("a")].some(a => a.checkVisibility()))
            .map(bar => bar.id),
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


def look_at(window, address, name, picture, with_code):
    """Open one page; return its problems, and its links and anchors."""
    page = window.new_page()
    problems = watched(page, address)
    page.goto(address + name, wait_until="load")
    seen = page.evaluate(LOOK)
    problems += [f"picture not shown: {source}" for source in seen["broken"]]
    if seen["overflow"] > 0:
        problems.append(f"scrolls sideways by {seen['overflow']} px: {seen['wide']}")
    problems += [f"side bar without links: {bar}" for bar in seen["bars"]]
    if with_code:
        problems += [f"code too wide by {px} px: {line}" for px, line in seen["cut"]]
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


def misses(window, address):
    """Yield the searches that do not find one of their pages among the first."""
    page = window.new_page()
    for words, wanted in SEARCHES.items():
        page.goto(f"{address}search.html?{urlencode({'q': words})}", wait_until="load")
        page.get_by_role("heading", name="Search Results").wait_for()  # all are listed
        found = page.eval_on_selector_all(
            "#search-results ul.search > li > a:first-of-type",
            "links => links.map(link => link.href)",
        )
        first = [urldefrag(link)[0].removeprefix(address) for link in found]
        first = [link.partition("?")[0] for link in first][:N_FIRST]
        if not wanted & set(first):
            yield f"search for {words!r}: {first}, not {sorted(wanted)}"
    page.close()


def unanswered(window, address):
    """Yield the questions on the start page whose link does not lead to code."""
    page = window.new_page()
    page.goto(address)
    questions = page.locator("#five-questions a.reference")
    names = questions.all_inner_texts()
    if len(names) != N_QUESTIONS:
        yield f"index.html: {len(names)} questions, not {N_QUESTIONS}"
    for name in names:
        page.goto(address, wait_until="networkidle")
        questions.get_by_text(name, exact=True).click()
        page.wait_for_load_state("networkidle")
        if not page.locator("section:target div.highlight pre").count():
            yield f"index.html: {name!r} leads to {page.url}, which has no code"
    page.close()


def check(site, browser_path, screenshots, only):
    """Return all problems of the pages of the site, and the number of pages."""
    problems, seen = [], {}
    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for (device, (width, height)), scheme in product(SIZES.items(), SCHEMES):
            window = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            for name in pages_of(site):
                title = name.removesuffix(".html").replace("/", "-")
                if only and title not in only:
                    continue
                picture = None
                if screenshots:
                    picture = screenshots / f"{title}_{device}_{scheme}.png"
                with_code = device == "desktop"
                wrong, seen[name] = look_at(window, address, name, picture, with_code)
                problems += [f"{name} ({device}, {scheme}): {text}" for text in wrong]
            window.close()
        window = browser.new_context()
        problems += [*misses(window, address), *unanswered(window, address)]
        browser.close()
        return problems + list(dead_links(site, address, seen)), len(seen)


def main():
    """Print the problems, and fail if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, help="default: %(default)s")
    parser.add_argument("--browser", help="a Chromium; default: that of playwright")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="such as networks")
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        parser.error(f"no pages in {options.site}: build them first, see doc/conf.py")
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    problems, n_pages = check(
        options.site, options.browser, options.screenshots, options.only
    )
    for problem in problems:
        print(problem)
    looks = f"{len(SIZES)} widths, {' and '.join(SCHEMES)}"
    print(f"{n_pages} pages at {looks}: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
