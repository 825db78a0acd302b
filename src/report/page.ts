import { createHash } from 'node:crypto';
import { Html, type HtmlValue, html } from './html.ts';
import { PAGE_STYLE } from './pageStyle.ts';

export interface PageParts {
  readonly title: string;
  readonly body: HtmlValue;
  readonly footer: HtmlValue;
  /** The page works without it. */
  readonly script: string;
}

export interface Page {
  readonly text: string;
  /** Content-Security-Policy: nothing but what the page itself brings along. */
  readonly policy: string;
}

/** What the page may load, at most: itself. `connect`: also its own server's events. */
const policyOf = (script: string, connect: boolean): string =>
  [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(PAGE_STYLE)}'`,
    ...(connect ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const digest = (content: string): string => `sha256-${createHash('sha256').update(content).digest('base64')}`;

/**
 * A whole page in one file. Its policy stands in the file as well, so that it also holds for a report that is opened
 * from a disk; a server adds what only a header can say.
 * @param connect whether the script may listen to the server that the page came from
 */
export function page({ title, body, footer, script }: PageParts, connect = false): Page {
  const policy = policyOf(script, connect);
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="thermal-provision">
<title>${title}</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<main id="content">${body}</main>
<footer>${footer}</footer>
<script>${new Html(script)}</script>
</body>
</html>
`;
  return { text: markup, policy: `${policy}; frame-ancestors 'none'` };
}
