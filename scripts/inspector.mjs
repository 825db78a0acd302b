// The Stately inspector for `--inspect=stately`: a page with Stately's inspector, and a socket that forwards the events
// of agents on this machine. It listens on 127.0.0.1 only; the server of @statelyai/inspect listens on every interface.
// The page loads https://stately.ai/inspect, so it is for developers, not for devices.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const PORT = Number(process.argv[2] ?? 8080);
const MAX_KEPT = 1000;
const HOSTS = [`127.0.0.1:${PORT}`, `localhost:${PORT}`];

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
new WebSocket('ws://' + location.host).onmessage = ({ data }) => {
  const event = JSON.parse(data);
  if (connected) pass(event);
  else waiting.push(event);
};
</script>
`;

const server = createServer((request, response) => {
  const known = HOSTS.includes(request.headers.host ?? '');
  response.writeHead(known ? 200 : 403, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(known ? PAGE : 'Wrong host\n');
});
const kept = [];
const sockets = new WebSocketServer({
  server,
  // A page of another site can open a socket to this machine too. It sends its origin; agents send none.
  verifyClient: ({ origin, req }) =>
    HOSTS.includes(req.headers.host ?? '') && (origin === undefined || HOSTS.includes(origin.replace('http://', ''))),
});
sockets.on('connection', (client) => {
  client.on('error', () => {});
  for (const text of kept) client.send(text);
  client.on('message', (data) => {
    const text = String(data);
    kept.push(text);
    if (kept.length > MAX_KEPT) kept.shift();
    for (const other of sockets.clients) if (other !== client) other.send(text);
  });
});
server.listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT} waits for agents with --inspect=stately`));
