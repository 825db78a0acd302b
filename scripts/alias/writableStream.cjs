/** Replaces the file of readable-stream that winston-transport loads by its path. */
module.exports = require('node:stream').Writable;
