/** Instead of the package readable-stream, a copy of Node's streams: the streams themselves. */
module.exports = require('node:stream');
