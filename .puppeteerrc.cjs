// No browser is downloaded at install time: src/node/browser.ts finds one when it is needed.
module.exports = { skipDownload: true };
