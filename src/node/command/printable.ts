/** Text for a terminal. Names in a model file come from strangers, and a terminal obeys what it is sent. */

/** Control characters (except the end of a line) and marks of writing direction become `\uXXXX`, as in JSON. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
