import { createHash } from 'node:crypto';
import { Html, type HtmlValue, html } from './html.ts';
import { PAGE_STYLE } from './pageStyle.ts';

export interface PageParts {
  readonly title: string;
  readonly body: HtmlValue;
  readonly footer: HtmlValue;
  /** The page must be readable without the script. */
  readonly script: string;
  /** Style of this page, in addition to that of every page. */
  readonly style?: string;
}

/** Every page begins with this text. */
export const PAGE_BEGINNING = '<!doctype html>';

export interface Page {
  readonly text: string;
  /** Content-Security-Policy: the page loads nothing from elsewhere. */
  readonly policy: string;
}

/** The page may load only itself. @param connect also allows the events of its own server */
const policyOf = (script: string, style: string, connect: boolean): string =>
  [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    ...(connect ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const digest = (content: string): string => `sha256-${createHash('sha256').update(content).digest('base64')}`;

/**
 * A whole page in one file. The file contains its policy, so the policy also applies to a report opened from a
 * disk. A server sends `policy` as a header.
 * @param connect whether the script may read the events of the page's server
 */
export function page({ title, body, footer, script, style = '' }: PageParts, connect = false): Page {
  const wholeStyle = PAGE_STYLE + style;
  const policy = policyOf(script, wholeStyle, connect);
  const { markup } = html`${new Html(PAGE_BEGINNING)}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="thermal-provision">
<title>${title}</title>
<style>${new Html(wholeStyle)}</style>
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
