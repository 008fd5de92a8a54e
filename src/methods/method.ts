/** What a method says of itself: the command line, the viewer's menu and the README are made from it. */
export interface Method {
  /** Name of its command, and the `method` of its recipes. */
  readonly name: string;
  /** What it makes, in the words of a command's help: starts with a verb, no full stop. */
  readonly summary: string;
  /** Where it was published. */
  readonly source: string;
  /** What it starts from besides the network: nothing, one picture, or a set of pictures. */
  readonly takes: 'network' | 'picture' | 'pictures';
}
