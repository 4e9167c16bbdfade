"""What is looked at on a page: accessibility by axe, things cut off at its edges."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def violations(page: Any) -> list[str]:
    """What axe finds on this page now, a line each: the rule, how grave, and where."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(r => r.violations.map("
        "v => [v.id, v.impact, v.help, v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary)]))",
        RULES,
    )
    return [f"{rule} ({impact}): {text}: {nodes}" for rule, impact, text, nodes in found]


def cut_off(page: Any) -> list[str]:
    """What stands beyond the right edge of the window, though nothing around it scrolls."""
    return list(
        page.evaluate(
            """() => {
              const scrolls = (e) => { for (let p = e.parentElement; p; p = p.parentElement)
                if (/(auto|scroll|hidden|clip)/.test(getComputedStyle(p).overflowX) && p !== document.body
                    && p !== document.documentElement) return true; return false; };
              const width = document.documentElement.clientWidth;
              return [...document.querySelectorAll("body *")].filter((e) => {
                const b = e.getBoundingClientRect();
                return b.width > 0 && b.right > width + 1 && getComputedStyle(e).visibility !== "hidden" && !scrolls(e);
              }).map((e) => e.tagName + "." + e.className + " " + (e.innerText || "").slice(0, 40)).slice(0, 5);
            }"""
        )
    )


def clipped_choices(page: Any) -> list[str]:
    """Choices of the page's selects that are wider than the select shows of them."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll("main select")].flatMap((select) => {
              const style = getComputedStyle(select);
              const pen = document.createElement("canvas").getContext("2d");
              pen.font = style.font;
              const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
              return [...select.options].filter((option) => pen.measureText(option.text).width > room + 1)
                .map((option) => select.id + ": " + option.text);
            })"""
        )
    )
