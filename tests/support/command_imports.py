"""Initialise once what every command initialises, for all commands forked from one process (forking.py)."""

from matplotlib.figure import Figure

from compare.reporting import html_page, markdown

for environment in (markdown.markdown_environment(), html_page._environment()):
    for name in environment.list_templates(["j2"]):
        if environment.autoescape != name.endswith(".md.j2"):
            environment.get_template(name)
for axes in Figure().subplots(1, 2):
    axes.plot([0, 1], [0, 1], marker="o", label="a line")
    axes.legend()
    axes.set_xticks([0, 1])
    axes.grid(visible=True)
