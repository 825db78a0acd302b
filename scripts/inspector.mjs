// The Stately inspector for `--inspect=stately`: a page with Stately's inspector, and a socket that forwards the events
// of agents on this machine. It listens on 127.0.0.1 only; the server of @statelyai/inspect listens on every interface.
// Other users of this machine can connect, too: the page and a socket that reads need the token in the printed address.
// Agents have no token, because it would be in their command line. Their sockets can only send.
// The page loads https://stately.ai/inspect, so it is for developers, not for devices.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { loadTypeScript } from './loadTypeScript.mjs';

const { createPageToken } = await loadTypeScript(`export { createPageToken } from './src/watch/pageToken.ts';`);

const PORT = Number(process.argv[2] ?? 8080);
const MAX_KEPT = 1000;
const AGENTS_PATH = '/';
const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
};

const PAGE = `<!doctype html>
<meta charset="utf-8"><title>Stately inspector</title>
<style>html, body, iframe { margin: 0; width: 100%; height: 100%; border: 0; display: block; }</style>
<iframe src="https://stately.ai/inspect"></iframe>
<script>
const frame = document.querySelector('iframe');
const waiting = [];
let connected = false;
const pass = (event) => frame.contentWindow.postMessage(event, 'https://stately.ai');
addEventListener('message', ({ origin, data }) => {
  if (origin !== 'https://stately.ai' || data?.type !== '@statelyai.connected') return;
  connected = true;
  waiting.splice(0).forEach(pass);
});
new WebSocket('ws://' + location.host + location.pathname).onmessage = ({ data }) => {
  const event = JSON.parse(data);
  if (connected) pass(event);
  else waiting.push(event);
};
</script>
`;

const token = createPageToken();
let hosts = [];
const isKnownHost = ({ headers }) => hosts.includes(headers.host ?? '');
const hasToken = ({ url }) => token.matches((url ?? '').slice(1));

const server = createServer((request, response) => {
  const known = isKnownHost(request) && hasToken(request);
  response.writeHead(known ? 200 : 403, HEADERS);
  response.end(known ? PAGE : 'Not the address of this page. Open the address that npm run inspector has printed.\n');
});
const kept = [];
const readers = new Set();
const sockets = new WebSocketServer({
  server,
  // A page of another site can open a socket to this machine too. It sends its origin; agents send none.
  verifyClient: ({ origin, req }) =>
    isKnownHost(req) &&
    (origin === undefined || hosts.includes(origin.replace('http://', ''))) &&
    (req.url === AGENTS_PATH || hasToken(req)),
});
sockets.on('connection', (client, request) => {
  client.on('error', () => {});
  if (hasToken(request)) {
    for (const text of kept) client.send(text);
    readers.add(client);
    client.on('close', () => readers.delete(client));
    return;
  }
  client.on('message', (data) => {
    const text = String(data);
    kept.push(text);
    if (kept.length > MAX_KEPT) kept.shift();
    for (const reader of readers) reader.send(text);
  });
});
// Also errors of the HTTP server come here.
sockets.on('error', ({ message }) => {
  console.error(`The inspector did not start: ${message}. For another port: npm run inspector -- PORT`);
  process.exitCode = 1;
});
server.listen(PORT, '127.0.0.1', () => {
  const { port } = server.address();
  hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  console.log(
    `Open http://127.0.0.1:${port}/${token.text} in a browser. It waits for agents with --inspect=stately:${port}`,
  );
});
