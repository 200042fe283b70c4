// The client of the tus protocol (MIT), bundled by esbuild into dist/tus.js; js/sending.js asks for
// it when a file is large, and does without it when it was not built.

export { Upload } from "tus-js-client";
