import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** WCAG 2.2, success criterion 1.4.3. */
const LEAST_CONTRAST = 4.5;

/**
 * Runs in the page. Finds each visible text whose contrast with its background is too small. The background of a text
 * in the chart is the box of its state.
 */
const FAINT_TEXTS = `(() => {
  const parse = (colour) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\\d.]+/g) ?? []).map(Number);
    return { rgb: [red, green, blue], alpha: colour === 'none' ? 0 : alpha };
  };
  const over = ({ rgb, alpha }, below) => rgb.map((part, index) => part * alpha + below[index] * (1 - alpha));
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const layerOf = (element) => {
    const style = getComputedStyle(element);
    const own = [parse(style.backgroundColor)];
    for (const box of element.querySelectorAll(':scope > rect')) {
      const { fill, fillOpacity } = getComputedStyle(box);
      const colour = parse(fill);
      own.push({ ...colour, alpha: colour.alpha * Number(fillOpacity) });
    }
    return own;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) layers.unshift(...layerOf(at));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === '' || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const background = behind(element);
    let opacity = 1;
    for (let at = element; at !== null; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const colours = [over({ ...ink, alpha: ink.alpha * opacity }, background), background].map(luminance);
    const contrast = (Math.max(...colours) + 0.05) / (Math.min(...colours) + 0.05);
    if (contrast < ${LEAST_CONTRAST}) faint.push(contrast.toFixed(2) + ': ' + node.data.trim().slice(0, 40));
  }
  return faint;
})()`;

/** Expects that every visible text of the page is legible. */
export async function expectLegibleTexts(page: Page): Promise<void> {
  expect(await page.evaluate<readonly string[]>(FAINT_TEXTS)).toEqual([]);
}
