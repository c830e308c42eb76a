"""The course as a person sees it: each notebook in JupyterLab, each page of the site, in a real Chromium.

Screenshots go to build/browser. By hand: `pytest -m browser`, for one notebook with `-k 02`; it keeps pictures of whole
notebooks too, which nothing but a person looks at.
"""

import contextlib
import math
import re
import shutil
import subprocess
import sys
import time

import nbformat
import pytest
from browser import CHROMIUM, WINDOW, serve, start_chromium, start_lab, time_limit
from live_camera import check_live
from matplotlib import cbook
from nbformat.v4 import new_code_cell, new_notebook

from fer_course import heads
from fer_course.stored import STORED_METADATA, find_notebooks
from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.environment import PROJECT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOKS = find_notebooks(PROJECT / "notebooks")
# This one also runs in JupyterLab; nbval runs them all.
RUN = "01_data_exploration"
ASKS, WIDGET = "12_your_own_photo", "PhotoWidget(analyse"
SHOTS = PROJECT / "build" / "browser"
SHOT_HEIGHT = 3000
# In seconds, several times as long as it takes: for everything here, for a notebook to run, for a page to be drawn.
LIMIT, NOTEBOOK_LIMIT, DRAWING_LIMIT = 2400, 600, 60
# What a person sees of a notebook: prompts, printed text, warnings and errors, and the figures that are really drawn.
READ_NOTEBOOK = """() => {
    const find = (query) => [...document.querySelectorAll(".jp-Notebook " + query)];
    const texts = (query) => find(query).map((element) => element.textContent);
    const printed = (kind) => texts(`[data-mime-type="application/vnd.jupyter.${kind}"]`);
    return {
        prompts: texts(".jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)"),
        folded: find(".jp-InputPlaceholder").length,
        printed: printed("stdout"),
        wrong: [...printed("stderr"), ...printed("error")],
        figures: find(".jp-OutputArea-output > img").filter((image) => image.naturalWidth > 0).length,
    };
}"""
LIST_FILES = "() => jupyterapp.commands.execute('filebrowser:refresh')"
# Shuts the kernel down and closes the notebook, saved or not.
CLOSE_NOTEBOOK = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel?.sessionContext?.shutdown();
    panel?.dispose();
}"""
# The height of what is seen of a notebook, and where its last cell ends.
MEASURE_SHEET = """sheet => {
    const last = [...sheet.querySelectorAll(".jp-Cell")].at(-1).getBoundingClientRect();
    return [sheet.clientHeight, last.bottom - sheet.getBoundingClientRect().top + sheet.scrollTop];
}"""
SCROLL_TO_BAR = """() => [...document.querySelectorAll(".jp-OutputArea-output")]
    .filter((output) => /\\d+% \\|/.test(output.textContent)).at(-1)?.scrollIntoView({block: "center"})"""
# What is wrong with a page of the site: pictures that are not drawn, formulas without a size.
READ_PAGE = """() => {
    const find = (query, isWrong) => [...document.querySelectorAll(query)].filter(isWrong);
    const pictures = find("img", (image) => !image.complete || !image.naturalWidth);
    const formulas = find("article math", (formula) => formula.getBoundingClientRect().height < 5);
    return [...pictures, ...formulas].map((element) => element.outerHTML);
}"""
PAGES = {"home": "index", "notebook": "notebooks/05_shortcut_connections", "module": "fer_utils/models/of_report"}
PAGES |= {"results": "results", "instructor": "instructor"}


@pytest.fixture(scope="module")
def chromium():
    """A Chromium that reaches nothing but this machine."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    SHOTS.mkdir(parents=True, exist_ok=True)
    with time_limit(LIMIT), playwright.sync_playwright() as started, start_chromium(started) as context:
        yield context


@contextlib.contextmanager
def open_page(chromium):
    """Yields a new page, and fails if it asked for anything that is not on this machine."""
    asked = []
    page = chromium.new_page()
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close()
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []


@pytest.fixture
def page(chromium):
    with open_page(chromium) as page:
        yield page


# --- the notebooks in JupyterLab ---


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    """A folder with copies of the notebooks: running them changes nothing of the course."""
    copies = tmp_path_factory.mktemp("copy") / "notebooks"
    return shutil.copytree(PROJECT / "notebooks", copies, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))


@pytest.fixture(scope="module")
def jupyterlab(chromium, notebooks, tmp_path_factory):
    """A page with JupyterLab on the `notebooks`, with progress bars and a store of runs of its own."""
    settings = {"FER_PROGRESS": "1", "FER_RUNS": str(tmp_path_factory.mktemp("runs"))}
    with start_lab(notebooks, settings) as address, open_page(chromium) as page:
        page.goto(address)
        page.locator(".jp-DirListing-item").first.wait_for(timeout=1000 * DRAWING_LIMIT)
        yield page


@pytest.fixture
def lab(jupyterlab):
    """The page with JupyterLab, in which no notebook is open before the test or after it."""
    yield jupyterlab
    jupyterlab.set_viewport_size(WINDOW)
    jupyterlab.evaluate(CLOSE_NOTEBOOK)


def open_notebook(page, name):
    """Opens a notebook as a person does, with a double click in the list of files; waits until its kernel is idle."""
    page.evaluate(LIST_FILES)
    page.locator(".jp-DirListing-item", has_text=name).dblclick(timeout=1000 * DRAWING_LIMIT)
    page.get_by_text("(ipykernel) | Idle").wait_for(timeout=1000 * DRAWING_LIMIT)


def choose(page, menu, item):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(".lm-Menu").get_by_text(item, exact=True).click()


def watch(page, done, seconds):
    """What a person sees of the notebook once that is `done`, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done(state := page.evaluate(READ_NOTEBOOK)) and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    return state


def watch_the_bar(page, finished):
    """Two percentages that a training's bar shows, one after the other; `None` for one that was never seen."""
    first = shown_percentage(watch(page, lambda state: finished(state) or shown_percentage(state), NOTEBOOK_LIMIT))
    other = watch(page, lambda state: finished(state) or shown_percentage(state) not in (None, first), NOTEBOOK_LIMIT)
    return first, shown_percentage(other)


def shown_percentage(state):
    found = re.findall(r"(\d+)% \|", "\n".join(state["printed"]))
    return int(found[-1]) if found else None


def ask_the_widget(page, name):
    """The photo widget's words on a portrait, and on the camera's picture, in which there is no face."""
    words, picture = page.locator(".jp-OutputArea [role=status]"), page.locator(".jp-OutputArea [role=status] + img")
    page.locator(".jp-OutputArea input[type=file]").set_input_files(cbook.get_sample_data("grace_hopper.jpg", False))
    words.filter(has_text=re.compile(r"\d%")).wait_for(timeout=1000 * DRAWING_LIMIT)
    picture.scroll_into_view_if_needed()
    on_portrait, is_drawn = words.text_content(), picture.evaluate("image => image.decode().then(() => true)")
    page.screenshot(path=SHOTS / f"{name}-portrait.png")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    words.filter(has_text=re.compile("face", re.IGNORECASE)).wait_for(timeout=1000 * DRAWING_LIMIT)
    picture.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / f"{name}-camera.png")
    return on_portrait, is_drawn, words.text_content()


def shoot(page, name):
    """Saves the whole notebook as pictures NAME-1.png, NAME-2.png, ..."""
    page.set_viewport_size({**WINDOW, "height": SHOT_HEIGHT})
    sheet = page.locator(".jp-WindowedPanel-outer")
    height, end = sheet.evaluate(MEASURE_SHEET)
    for number in range(math.ceil(end / height)):
        sheet.evaluate("(sheet, top) => sheet.scrollTo(0, top)", number * height)
        page.wait_for_timeout(200)
        page.screenshot(path=SHOTS / f"{name}-{number + 1}.png")
    page.set_viewport_size(WINDOW)


def read_stored(path):
    """What `READ_NOTEBOOK` should see of the stored notebook at `path`: prompts, how many figures and folded cells."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    figures = sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)
    open_cells = [cell for cell in cells if not cell.metadata.get("jupyter", {}).get("source_hidden")]
    prompts = [f"[{cell.execution_count or ' '}]:" for cell in open_cells]
    return {"prompts": prompts, "folded": len(cells) - len(open_cells), "figures": figures}


@pytest.fixture
def shoot_notebook(request):
    """`shoot` where the tests in the browser are run by themselves, else nothing: it takes longer than the test."""
    return shoot if request.config.option.markexpr == "browser" else lambda *_: None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, lab, shoot_notebook):
    page, name, stored = lab, path.stem, read_stored(path)

    def complete(state):
        return state | stored == state

    def finished(state):
        return state["wrong"] or complete(state)

    open_notebook(page, name)
    assert complete(watch(page, complete, DRAWING_LIMIT)), "the stored outputs"
    if name != RUN:
        shoot_notebook(page, name)
        assert page.evaluate(READ_NOTEBOOK)["wrong"] == []
        return

    choose(page, "Edit", "Clear Outputs of All Cells")
    empty = watch(page, lambda state: state["figures"] == 0, DRAWING_LIMIT)
    assert empty["figures"] == 0 and set(empty["prompts"]) == {"[ ]:"}

    choose(page, "Run", "Run All Cells")
    state = watch(page, finished, NOTEBOOK_LIMIT)
    shoot_notebook(page, name)
    assert state["wrong"] == []
    assert {key: state[key] for key in stored} == stored


def write_notebook(path, sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources], metadata=STORED_METADATA), path)


def test_the_photo_widget_answers(lab, notebooks):
    cells = nbformat.read(notebooks / f"{ASKS}.ipynb", as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    number = next(n for n, source in enumerate(sources, start=1) if WIDGET in source)
    write_notebook(notebooks / "97_widget.ipynb", sources[:number])
    open_notebook(lab, "97_widget")
    choose(lab, "Run", "Run All Cells")
    done = [f"[{number}]:" for number in range(1, number + 1)]
    state = watch(lab, lambda state: state["wrong"] or state["prompts"] == done, NOTEBOOK_LIMIT)
    assert state["wrong"] == [] and state["prompts"] == done

    on_portrait, is_drawn, on_camera = ask_the_widget(lab, ASKS)
    assert any(expression in on_portrait for expression in CLASS_NAMES) and is_drawn
    assert "no face" in on_camera
    check_live(lab, CLASS_NAMES, SHOTS / f"{ASKS}-live.png")


def test_a_training_shows_its_bar(lab, notebooks):
    training = """
from dataclasses import replace
from fer_utils import data, training
training.RECIPES["quick"] = replace(training.RECIPES["quick"], epochs=4)
run = training.train("lenet_like", data.load_faces())
"""
    write_notebook(notebooks / "98_training.ipynb", [heads.setup_source(""), training, "print(run.best_epoch)"])
    open_notebook(lab, "98_training")
    choose(lab, "Run", "Run All Cells")

    def finished(state):
        return state["wrong"] or re.fullmatch(r"\d+\n", "".join(state["printed"][-1:]))

    first, other = watch_the_bar(lab, finished)
    lab.evaluate(SCROLL_TO_BAR)
    lab.screenshot(path=SHOTS / "training.png")
    assert first is not None and other is not None and first < other
    state = watch(lab, finished, NOTEBOOK_LIMIT)
    assert state["wrong"] == [] and shown_percentage(state) is None, "the bar is gone when the training is over"


def test_what_goes_wrong_in_a_notebook_is_seen(lab, notebooks):
    sources = ["import sys", "print('careful', file=sys.stderr)", "1 / 0", "print('never')"]
    write_notebook(notebooks / "99_trouble.ipynb", sources)
    open_notebook(lab, "99_trouble")
    choose(lab, "Run", "Run All Cells")
    state = watch(lab, lambda state: len(state["wrong"]) == 2, DRAWING_LIMIT)
    careful, error = state["wrong"]
    assert careful == "careful\n" and "ZeroDivisionError" in error
    assert state["printed"] == [] and state["figures"] == 0


# --- the site ---


@pytest.fixture(scope="module")
def site(chromium, built):
    """(folder, address) of the site, built from the stored notebooks."""
    with serve(built.folder) as address:
        yield built.folder, address


def is_lost(request):
    """Whether it failed by itself: the icon, for which no page waits, may be under way as the next page is opened."""
    return request.failure != "net::ERR_ABORTED"


def test_every_page_of_the_site_is_drawn(page, site):
    folder, address = site
    wrong = []

    def hear(message):  # Chromium asks every site for an icon, which this one has not
        if message.type in ("error", "warning") and not message.location["url"].endswith("/favicon.ico"):
            wrong.append(f"{message.location['url']}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"not loaded: {request.url}") if is_lost(request) else None)
    found = {}
    for path in sorted(folder.rglob("*.html")):
        page.goto(f"{address}/{path.relative_to(folder).as_posix()}")
        found[str(path.relative_to(folder))] = wrong + page.evaluate(READ_PAGE)
        wrong.clear()
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert len(found) > len(NOTEBOOKS)


def test_what_is_not_drawn_is_seen(page):
    page.set_content('<article><img src="data:image/png;base64,AAAA"><math></math><math><mi>x</mi></math></article>')
    assert [element[:5] for element in page.evaluate(READ_PAGE)] == ["<img ", "<math"]


def test_the_search_finds_a_word(page, site):
    page.goto(f"{site[1]}/index.html")
    page.get_by_placeholder("Search").fill("shortcut")
    page.keyboard.press("Enter")
    results = page.locator("#search-results li a")
    results.filter(has_text="shortcut").first.wait_for()
    page.screenshot(path=SHOTS / "site-search.png")
    results.filter(has_text="shortcut").first.click()
    assert "shortcut" in page.locator("article").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_site_as_a_picture(name, page, site):
    page.goto(f"{site[1]}/{PAGES[name]}.html")
    page.screenshot(path=SHOTS / f"site-{name}.png", full_page=True)
    assert page.locator("article h1").first.is_visible()


# --- what all of this stands on ---


def test_nothing_but_this_machine_is_reached(chromium):
    with contextlib.closing(chromium.new_page()) as page, pytest.raises(Exception, match="ERR_PROXY_CONNECTION_FAILED"):
        page.goto("http://192.0.2.1")


def test_the_time_limit_ends_what_hangs():
    with time_limit(0.2):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).wait(timeout=30)
