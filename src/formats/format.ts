/** What a file format is to the loader. */
import type { Network, Shape } from '../network/network.ts';

/** A file as a person dropped it or a folder holds it; `name` may have a path in front. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface LoadOptions {
  /** Refuse weights that are not finite instead of noting them. */
  strict?: boolean;
  /** Shape of the input, batch included, where the file leaves sizes open; by input name if there are several. */
  inputShape?: Shape | Readonly<Record<string, Shape>>;
  /** The graph of a file that holds weights alone, e.g. `resnet18`; without it the tensors must be those of one built-in architecture. */
  architecture?: string;
}

export interface Format {
  /** Name for people, e.g. `ONNX`. */
  readonly name: string;
  /** Usual file name ends, lower case, e.g. `.onnx`. Content decides, not these. */
  readonly extensions: readonly string[];
  /** Ends of the names of files that belong to a main file which does not name them, e.g. `.caffemodel`. */
  readonly beside?: readonly string[];
  /** Its main file holds weights alone: it is one only where no file of another format is. */
  readonly weightsAlone?: boolean;
  /** Paths of further files that the main file names, below its own folder and with `/` between; cheap, and never an error. */
  companions?(main: NamedFile): string[];
  /** True when the file is the main file of a network in this format, judged by its content. */
  recognise(file: NamedFile): boolean;
  /** True for weights that are no network without the main file: an error names it then. */
  recognisePart?(bytes: Uint8Array): boolean;
  /** Loads the network; `files` are all files that came together, `main` among them. */
  load(main: NamedFile, files: readonly NamedFile[], options: LoadOptions): Promise<Network>;
}

/** A file name without folders. */
export function baseName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
}
