// What the bundle takes otherwise than it lies in node_modules and src (docs/architecture.md, "Start-up").

/** CommonJS modules that stand in for others. */
const REPLACED = {
  // Node's own streams, of which readable-stream is a copy; a boot would load three versions of it.
  'readable-stream': "module.exports = require('node:stream');",
  'readable-stream/lib/_stream_writable.js': "module.exports = require('node:stream').Writable;",
  // MQTT.js uses its timers in browsers only; it takes Node's own elsewhere.
  'worker-timers': 'module.exports = { clearInterval, setInterval };',
};

/** An esbuild plugin. */
export const lean = {
  name: 'lean',
  setup(build) {
    const wanted = new RegExp(`^(${Object.keys(REPLACED).join('|').replaceAll('.', '\\.')})$`);
    build.onResolve({ filter: wanted }, ({ path }) => ({ path, namespace: 'lean' }));
    build.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => ({ contents: REPLACED[path], loader: 'js' }));
  },
};

/** An esbuild plugin for main.js: what it loads when there is work are files of their own beside it. */
export const loadedLater = {
  name: 'loaded-later',
  setup(build) {
    build.onResolve({ filter: /\.ts$/ }, ({ kind, path }) => {
      if (kind !== 'dynamic-import') return undefined;
      return { path: path.endsWith('/runPlain.ts') ? './run.js' : './program.js', external: true };
    });
  },
};
