/** Instead of one file of the package readable-stream, which winston-transport loads by its path. */
module.exports = require('node:stream').Writable;
