/** Replaces the package readable-stream, a copy of Node's streams, with Node's streams. */
module.exports = require('node:stream');
