/** Below this address the server has the package's dist folder; its scripts find their .wasm files beside themselves. */
export const ORT_FILES = '/ort/';
