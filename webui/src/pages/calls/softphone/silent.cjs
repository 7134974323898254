/** Stands in for the package `debug`, by which JsSIP would write each SIP message to the browser's console. */
function silent() {
  return () => undefined;
}
module.exports = silent;
module.exports.default = silent;
