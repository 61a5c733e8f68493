"""What pixels show and code does not: what one acts upon stands out of its ground, a link out of its text.

Two looks of the walk of drawn.py (RGAA 3.3, 10.6, 10.7), computed by the browser from what it draws, in the light
theme and in the dark one. Drawings that only repeat the words beside them are measured too.
"""

from __future__ import annotations

from typing import Any

LEAST = 3
# Colours as the browser computed them, laid over what is under them, up to the first opaque ground.
_MEASURE = """(least) => {
  const parts = (said) => {
    const found = said.match(/[\\d.]+/g).map(Number);
    const scale = said.startsWith('color(') ? 255 : 1;
    return [found[0] * scale, found[1] * scale, found[2] * scale, found.length > 3 ? found[3] : 1];
  };
  const over = (top, under) => {
    const seen = top[3] + under[3] * (1 - top[3]);
    const mixed = (i) => (top[i] * top[3] + under[i] * under[3] * (1 - top[3])) / seen;
    return seen ? [mixed(0), mixed(1), mixed(2), seen] : top;
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const ground = (node) => {
    let colour = [0, 0, 0, 0];
    for (let up = node; up && colour[3] < 1; up = up.parentElement)
      colour = over(colour, parts(getComputedStyle(up).backgroundColor));
    return over(colour, [255, 255, 255, 1]);
  };
  const faint = (node) => {
    let left = 1;
    for (let up = node; up; up = up.parentElement) left *= Number(getComputedStyle(up).opacity);
    return left;
  };
  const shown = (one) => one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().width > 2
    && !one.closest('.visually-hidden, .skip-link');
  const named = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''}`;
  const told = (one) => `${named(one)} in ${named(one.parentElement)}`;
  // One of each kind: the fifty links of a list are drawn alike, and each focus is a page drawn again.
  const kinds = (selector) => {
    const met = new Set();
    return [...document.querySelectorAll(selector)].filter((one) => {
      const within = named(one.parentElement.parentElement);
      const kind = `${told(one)} in ${within} ${one.getAttribute('aria-current')} ${one.checked}`;
      return shown(one) && !one.disabled && !met.has(kind) && met.add(kind);
    });
  };
  const found = new Set();
  for (const theme of ['light', 'dark']) {
    document.documentElement.dataset.bsTheme = theme;
    // Drawings: their fill or their stroke on what is under them.
    for (const one of kinds('svg.icon, svg.peigne path')) {
      if (one.closest(':disabled')) continue;
      const style = getComputedStyle(one);
      const under = ground(one);
      const [r, g, b, a] = parts(style.fill);
      const ratio = contrast(over([r, g, b, a * faint(one)], under), under);
      if (ratio < least) found.add(`${theme}: ${told(one)} ${ratio.toFixed(2)}`);
    }
    // What one fills or ticks: its edge or its own ground on what is around it.
    for (const one of kinds('input:not([type=hidden]), select, textarea')) {
      if (one.closest('.segmented-radios')) continue;
      const style = getComputedStyle(one);
      const around = ground(one.parentElement);
      const edge = parseFloat(style.borderTopWidth) ? contrast(over(parts(style.borderTopColor), around), around) : 1;
      const ratio = Math.max(edge, contrast(ground(one), around));
      if (ratio < least) found.add(`${theme}: ${told(one)} ${ratio.toFixed(2)}`);
    }
    // The ring of the focus, on what is beside it: the ground of what has the focus, or what is around it.
    const stops = 'a[href], button, summary, input:not([type=hidden]), select, textarea, td[tabindex]';
    for (const one of kinds(stops)) {
      one.focus({focusVisible: true, preventScroll: true});
      if (document.activeElement !== one) continue;
      const style = getComputedStyle(one);
      if (style.outlineStyle === 'none') continue;
      const inside = parseFloat(style.outlineOffset) < 0;
      const beside = ground(inside ? one : one.parentElement);
      const ratio = contrast(over(parts(style.outlineColor), beside), beside);
      if (ratio < least) found.add(`${theme}: ring of ${told(one)} ${ratio.toFixed(2)}`);
    }
    document.activeElement?.blur();
  }
  document.documentElement.dataset.bsTheme = 'light';
  return [...found];
}"""
# A link that shows as a link where words stand beside it in the same line: underlined, or it looks like a button.
_LINKS = """() => [...document.querySelectorAll('main a[href]')].filter((one) => {
  if (!one.checkVisibility({visibilityProperty: true}) || one.closest('.visually-hidden')) return false;
  const style = getComputedStyle(one);
  if (style.textDecorationLine.includes('underline') || !style.display.startsWith('inline')) return false;
  if (parseFloat(style.borderTopWidth) || style.display !== 'inline') return false;
  // Words of the same line that are not the link.
  return [...one.parentElement.childNodes].some((node) => node !== one && (node.nodeType === 3
    ? /\\w/.test(node.textContent)
    : ['SPAN', 'STRONG', 'EM'].includes(node.tagName) && getComputedStyle(node).display === 'inline'
      && !node.matches('.tag, .visually-hidden, .wide-only, .narrow-only') && /\\w/.test(node.textContent)));
}).map((one) => `« ${one.textContent.trim().slice(0, 40)} » in « ${one.parentElement.textContent.trim()} »`)"""


def edges(page: Any) -> list[str]:
    """Return what is less than 3 to 1 on its ground, in either theme: drawings, fields, the ring of the focus."""
    return page.evaluate(_MEASURE, LEAST)


def links(page: Any) -> list[str]:
    """Return the links that nothing tells from the words of their line."""
    return page.evaluate(_LINKS)
