// Changes to modules of node_modules and src in the bundle (docs/architecture.md, "Start-up").

import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** CommonJS modules that replace others. */
const REPLACED = {
  // Node's streams: readable-stream is a copy of them, and a run would load three versions of it.
  'readable-stream': "module.exports = require('node:stream');",
  'readable-stream/lib/_stream_writable.js': "module.exports = require('node:stream').Writable;",
  // MQTT.js uses worker-timers in browsers only, and Node's timers elsewhere.
  'worker-timers': 'module.exports = { clearInterval, setInterval };',
  // With DEBUG=* in the environment MQTT.js would print keys and tokens.
  debug: 'module.exports = () => () => {};',
  // MQTT.js keeps topic aliases in it, which only MQTT 5 has; the agent uses 3.1.1.
  'lru-cache': 'exports.LRUCache = Map;',
  // Its main module also loads all transports, exception handlers and a default logger.
  winston: `
    exports.createLogger = require('winston/lib/winston/create-logger');
    exports.format = { printf: require('logform/printf') };
    exports.transports = {
      Console: require('winston/lib/winston/transports/console'),
      Stream: require('winston/lib/winston/transports/stream'),
    };
  `,
  // For coloured formats, which the log does not use.
  '@colors/colors/safe': 'module.exports = {};',
  // node:util also loads worker_threads and more: 0.9 MB and 1 ms on Node 24.
  util: `
    const util = () => process.getBuiltinModule('node:util');
    exports.inherits = (one, other) => {
      Object.defineProperty(one, 'super_', { value: other, writable: true, configurable: true });
      Object.setPrototypeOf(one.prototype, other.prototype);
    };
    exports.format = (...parts) => util().format(...parts);
    exports.inspect = (...parts) => util().inspect(...parts);
  `,
  // jsonc-parser starts with 1,200 strings of blanks; it makes the missing ones when it needs them.
  './string-intern': `
    exports.cachedSpaces = Array.from({ length: 20 }, (_, count) => ' '.repeat(count));
    exports.cachedBreakLinesWithSpaces = {};
    exports.supportedEols = [];
  `,
};

/** The modules that get the replacement: for others the name may mean another module, or they need the whole module. */
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
      // A replacement may load parts of the replaced module.
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
 * An esbuild plugin. An ES import of a Node module evaluates all its exports. Those of node:fs load streams, promises
 * and a read-eval-print loop: 1 to 2.7 MB and 2 ms, nearly the whole cost of a boot without work.
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

/** An esbuild plugin for main.js: keeps the parts that it loads only for work in their own files. */
export const loadedLater = {
  name: 'loaded-later',
  setup(build) {
    build.onResolve({ filter: /\.ts$/ }, ({ kind, path }) => {
      if (kind !== 'dynamic-import') return undefined;
      return { path: path.endsWith('/runPlain.ts') ? './run.js' : './program.js', external: true };
    });
  },
};
