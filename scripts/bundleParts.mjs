// What the bundle takes otherwise than it lies in node_modules and src (docs/architecture.md, "Start-up").

import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** CommonJS modules that stand in for others. */
const REPLACED = {
  // Node's own streams, of which readable-stream is a copy; a boot would load three versions of it.
  'readable-stream': "module.exports = require('node:stream');",
  'readable-stream/lib/_stream_writable.js': "module.exports = require('node:stream').Writable;",
  // MQTT.js uses its timers in browsers only; it takes Node's own elsewhere.
  'worker-timers': 'module.exports = { clearInterval, setInterval };',
  // With DEBUG=* in the environment MQTT.js would print keys and tokens.
  debug: 'module.exports = () => () => {};',
  // MQTT.js keeps topic aliases in it, which only MQTT 5 has; the agent speaks 3.1.1.
  'lru-cache': 'exports.LRUCache = Map;',
  // Its main module brings all transports along, the catching of exceptions and a default logger.
  winston: `
    exports.createLogger = require('winston/lib/winston/create-logger');
    exports.format = { printf: require('logform/printf') };
    exports.transports = {
      Console: require('winston/lib/winston/transports/console'),
      Stream: require('winston/lib/winston/transports/stream'),
    };
  `,
  // For formats with colours, which the log has not.
  '@colors/colors/safe': 'module.exports = {};',
  // node:util brings worker_threads and more along: 0.9 MB and 1 ms on Node 24.
  util: `
    const util = () => process.getBuiltinModule('node:util');
    exports.inherits = (one, other) => {
      Object.defineProperty(one, 'super_', { value: other, writable: true, configurable: true });
      Object.setPrototypeOf(one.prototype, other.prototype);
    };
    exports.format = (...parts) => util().format(...parts);
    exports.inspect = (...parts) => util().inspect(...parts);
  `,
  // jsonc-parser begins with 1,200 strings of blanks; it makes what it does not find there.
  './string-intern': `
    exports.cachedSpaces = Array.from({ length: 20 }, (_, count) => ' '.repeat(count));
    exports.cachedBreakLinesWithSpaces = {};
    exports.supportedEols = [];
  `,
};

/** Who gets the replacement: anybody else may mean something other by that name, or need all of it. */
const ONLY_FOR = {
  'lru-cache': /\/node_modules\/mqtt\//,
  util: /\/node_modules\/(inherits|winston|winston-transport|logform)\//,
  './string-intern': /\/node_modules\/jsonc-parser\//,
};

/** An esbuild plugin. */
export const lean = {
  name: 'lean',
  setup(build) {
    const wanted = new RegExp(`^(${Object.keys(REPLACED).join('|').replaceAll('.', '\\.')})$`);
    build.onResolve({ filter: wanted }, ({ path, importer, namespace }) => {
      // A replacement may load parts of what it stands in for.
      if (namespace === 'lean' || ONLY_FOR[path]?.test(importer) === false) return undefined;
      return { path, namespace: 'lean' };
    });
    build.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => ({
      contents: REPLACED[path],
      loader: 'js',
      resolveDir: root,
    }));
  },
};

/**
 * An esbuild plugin. An import of Node's own module in ES syntax evaluates each of its exports, and those of node:fs bring
 * streams, promises and a read-eval-print loop along: 1 to 2.7 MB and 2 ms, nearly all that a boot without work costs.
 */
export const builtinsAsNeeded = {
  name: 'builtins-as-needed',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ kind, path }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
      loader: 'js',
    }));
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
