/**
 * The layers of a Keras model as a flat list of calls: models in models are unfolded, a layer that is called twice stands
 * there twice. Tensors are keys here; what a layer computes is not known.
 */
import { UnitscopeError } from '../../errors.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { topologicalOrder } from '../../network/order.ts';
import { checkLayerCount } from '../budget.ts';
import type { Json } from '../json.ts';
import { Section } from '../manifest/section.ts';
import { Config } from './config.ts';
import { readOperands, readReferences, type Constant, type Operands, type Reference } from './references.ts';

export interface KerasLayer {
  readonly name: string;
  /** e.g. `Conv2D`. */
  readonly type: string;
  readonly config: Config;
  /** Names of the models around it, and its own. */
  readonly path: readonly string[];
}

export interface Call {
  /** Unique among all calls. */
  readonly name: string;
  readonly layer: KerasLayer;
  readonly inputs: readonly string[];
  readonly constants: readonly Constant[];
  /** What of the call is not supported. */
  readonly refused: readonly string[];
  readonly output: string;
}

export interface Topology {
  readonly name: string;
  /** Network inputs: the InputLayer, or in a sequence the first layer, which states the shape. */
  readonly inputs: readonly { readonly name: string; readonly key: string; readonly config: Config }[];
  /** In an order in which they can run. */
  readonly calls: readonly Call[];
  readonly outputs: readonly string[];
}

const MODELS = new Set(['Sequential', 'Functional', 'Model']);

/** @throws model-format, model-invalid (a cycle, a tensor that nothing makes), model-unsupported */
export function readTopology(model: Section, file: string): Topology {
  return new Unfolding(file).whole(model);
}

/** A layer as it stands in the list of its model. */
interface Entry {
  readonly section: Section;
  readonly name: string;
  readonly type: string;
}

class Unfolding {
  private readonly inputs: { name: string; key: string; config: Config }[] = [];
  private readonly calls: Call[] = [];
  /** What a key stands for: results of unfolded models, and what is fed into them. */
  private readonly alias = new Map<string, string>();
  private readonly names = new Set<string>();
  private readonly tried = new Map<string, number>();
  private scopes = 0;

  constructor(private readonly file: string) {}

  whole(model: Section): Topology {
    const type = model.title('class_name');
    if (!MODELS.has(type)) throw this.refuse(`the model is of the class ${quote(type)}; ${[...MODELS].join(', ')} can be read`);
    const outputs = this.unfold(model, type, [], undefined).map((key) => this.resolve(key));
    const calls = this.calls.map((call) => ({ ...call, inputs: call.inputs.map((key) => this.resolve(key)) }));
    const edges = { name: (call: Call) => call.name, inputs: (call: Call) => call.inputs, outputs: (call: Call) => [call.output] };
    const { name } = modelParts(model);
    return { name, inputs: this.inputs, calls: topologicalOrder(calls, edges, { file: this.file }), outputs };
  }

  private refuse(message: string): UnitscopeError {
    return new UnitscopeError('model-unsupported', message, { file: this.file });
  }

  private invalid(message: string, hint = ''): UnitscopeError {
    return new UnitscopeError('model-invalid', message, { file: this.file }, hint);
  }

  private resolve(key: string): string {
    const seen = new Set<string>();
    let current = key;
    for (let next = this.alias.get(current); next !== undefined; next = this.alias.get(current)) {
      if (seen.has(current)) throw this.invalid('the layers form a cycle through a model that feeds itself');
      seen.add(current);
      current = next;
    }
    return current;
  }

  /**
   * Adds the calls of a model; returns the keys of its results.
   * @param fed keys of what the model around it feeds; undefined for the outermost one
   */
  private unfold(model: Section, type: string, around: readonly string[], fed: readonly string[] | undefined): string[] {
    const { name, layers, config } = modelParts(model);
    const path = [...around, name];
    const entries = layers.map((section) => this.entry(section));
    return type === 'Sequential' ? this.sequence(entries, path, fed, config) : this.graph(entries, path, fed, config!);
  }

  private entry(section: Section): Entry {
    const type = section.title('class_name');
    const config = section.has('config') ? section.raw('config') : undefined;
    const named = config instanceof Map && typeof config.get('name') === 'string' ? (config.get('name') as string) : '';
    const name = section.has('name') ? section.title('name') : named;
    for (const key of ['module', 'registered_name', 'build_config', 'compile_config', 'inbound_nodes']) section.has(key); // how Keras makes it again
    section.finish();
    return { section, name: name || type.toLowerCase(), type };
  }

  private sequence(entries: readonly Entry[], path: readonly string[], fed: readonly string[] | undefined, model: Section | undefined): string[] {
    let current: readonly string[] | undefined = fed;
    const scope = ++this.scopes;
    const claimed = entries.map((entry) => (isPlain(entry) ? this.claim(entry.name, path) : ''));
    entries.forEach((entry, index) => {
      const config = configOf(entry);
      if (entry.type === 'InputLayer') {
        if (current === undefined) current = [this.input(entry.name, `${scope}|${index}`, config)];
        else if (index > 0) throw this.invalid(`the input ${quote(entry.name)} stands behind other layers`);
        return;
      }
      if (MODELS.has(entry.type)) {
        current = this.unfold(entry.section, entry.type, path, current);
        return;
      }
      // A sequence without an InputLayer has the shape in its first layer, or Keras noted what it was built for.
      if (current === undefined) {
        const stated = ['batch_input_shape', 'batch_shape', 'input_shape', 'input_dim'].some((key) => config.given(key));
        const built = !stated && model?.has('build_input_shape') ? new Config(new Map([['batch_shape', model.raw('build_input_shape') ?? null]]), model.path, model.file) : config;
        current = [this.input(`${entry.name}_input`, `${scope}|input`, built)];
      }
      const output = `${scope}|${index}`;
      this.call({ name: claimed[index]!, layer: { name: entry.name, type: entry.type, config, path: [...path, entry.name] }, inputs: current, constants: [], refused: [], output });
      current = [output];
    });
    if (current === undefined || current.length === 0) throw this.invalid(`the model ${quote(path.at(-1)!)} has no layers`);
    return [...current];
  }

  private graph(entries: readonly Entry[], path: readonly string[], fed: readonly string[] | undefined, config: Section): string[] {
    const scope = ++this.scopes;
    const byName = new Map<string, Entry>();
    for (const entry of entries) {
      if (byName.has(entry.name)) throw this.invalid(`two layers of the model ${quote(path.at(-1)!)} are called ${quote(entry.name)}`);
      byName.set(entry.name, entry);
    }
    const nodes = new Map(entries.map((entry) => [entry.name, this.nodesOf(entry)]));
    const [inputs, outputs] = (['input_layers', 'output_layers'] as const).map((key) => readReferences(config, key));
    const first = this.firstNodes([...[...nodes.values()].flat().flatMap(({ references }) => references), ...outputs!], byName);
    const keyOf = (reference: Reference): string => {
      const { layer, node, tensor } = reference;
      const entry = byName.get(layer);
      if (!entry) throw this.invalid(`the model ${quote(path.at(-1)!)} reads the layer ${quote(layer)}, which it does not have`, didYouMean(layer, [...byName.keys()]));
      const calls = entry.type === 'InputLayer' ? 1 : nodes.get(layer)!.length;
      const call = entry.type === 'InputLayer' ? 0 : node - (first.get(layer) ?? 0);
      if (call < 0 || call >= calls) throw this.invalid(`call ${node} of the layer ${quote(layer)} is read; it has ${calls}`);
      if (tensor !== 0 && !MODELS.has(entry.type)) throw this.refuse(`output ${tensor} of the layer ${quote(layer)} (${quote(entry.type)}) is read: layers with several outputs are not supported`);
      return `${scope}|${call}|${tensor}|${layer}`;
    };
    const claimed = new Map(entries.map((entry) => [entry.name, isPlain(entry) ? nodes.get(entry.name)!.map(() => this.claim(entry.name, path)) : []]));
    const order = inputs!.map(({ layer }) => layer);
    const rank = ({ name, type }: Entry): number => (type === 'InputLayer' ? order.indexOf(name) : order.length);
    for (const entry of [...entries].sort((a, b) => rank(a) - rank(b))) this.place(entry, { nodes: nodes.get(entry.name)!, names: claimed.get(entry.name)!, path, scope, fed, order, keyOf });
    return outputs!.map(keyOf);
  }

  private place(entry: Entry, of: { nodes: readonly Operands[]; names: readonly string[]; path: readonly string[]; scope: number; fed: readonly string[] | undefined; order: readonly string[]; keyOf: (reference: Reference) => string }): void {
    const { name, type } = entry;
    const own = (call: number, tensor = 0): string => `${of.scope}|${call}|${tensor}|${name}`;
    const config = configOf(entry);
    if (type === 'InputLayer') {
      if (!of.fed) {
        this.input(name, own(0), config);
        return;
      }
      const from = of.fed[of.order.indexOf(name)];
      if (from === undefined) throw this.invalid(`nothing feeds the input ${quote(name)} of the model ${quote(of.path.at(-1)!)}`);
      this.alias.set(own(0), from);
      return;
    }
    of.nodes.forEach(({ references, constants, refused }, call) => {
      const inputs = references.map(of.keyOf);
      if (!MODELS.has(type)) {
        this.call({ name: of.names[call]!, layer: { name, type, config, path: [...of.path, name] }, inputs, constants, refused, output: own(call) });
        return;
      }
      if (constants.length > 0) throw this.refuse(`the model ${quote(name)} is fed a constant, which is not supported`);
      if (refused.length > 0) throw this.refuse(`the model ${quote(name)}: ${refused[0]!}`);
      this.unfold(entry.section, type, of.path, inputs).forEach((key, tensor) => this.alias.set(own(call, tensor), key));
    });
  }

  private nodesOf({ section }: Entry): Operands[] {
    if (!section.has('inbound_nodes')) return [];
    return section.list('inbound_nodes').map((node, index) => readOperands(new Section(new Map([['node', node]]), `${section.path}.inbound_nodes[${index}]`, section.file), 'node'));
  }

  /** The calls of a model in a model are counted from 1 where its making counts as call 0, as in most files. */
  private firstNodes(references: readonly Reference[], byName: ReadonlyMap<string, Entry>): Map<string, number> {
    const first = new Map<string, number>();
    for (const { layer, node } of references) {
      if (MODELS.has(byName.get(layer)?.type ?? '')) first.set(layer, Math.min(first.get(layer) ?? 1, node));
    }
    return first;
  }

  private input(name: string, key: string, config: Config): string {
    this.inputs.push({ name: this.free(name), key, config });
    return key;
  }

  private call(call: Call): void {
    checkLayerCount(this.calls.length + 1, this.file); // nested models unfold: a few lines may be very many layers
    this.calls.push(call);
  }

  /** The layer's name; where another one has it, that of the model before it, and a number where that is not enough. */
  private claim(name: string, path: readonly string[]): string {
    return this.free(this.names.has(name) && path.length > 1 ? `${path.at(-1)!}/${name}` : name);
  }

  private free(wanted: string): string {
    let count = this.tried.get(wanted) ?? 1;
    let name = wanted;
    while (this.names.has(name)) name = `${wanted}#${++count}`;
    this.tried.set(wanted, count); // so that many equal names stay quick
    this.names.add(name);
    return name;
  }
}

const isPlain = ({ type }: Entry): boolean => type !== 'InputLayer' && !MODELS.has(type);

/** Every call reads its config on its own. */
const configOf = ({ section }: Entry): Config => {
  const value = section.raw('config');
  return new Config(value instanceof Map ? value : new Map<string, Json>(), `${section.path}.config`, section.file);
};

/** A model's name, its layers, and its config where that is more than a list of layers, as in files of old. */
function modelParts(model: Section): { name: string; layers: Section[]; config?: Section } {
  if (Array.isArray(model.raw('config'))) return { name: 'sequential', layers: model.sections('config') };
  const config = model.section('config');
  const name = config.has('name') && typeof config.raw('name') === 'string' ? config.title('name') : 'model';
  return { name, layers: config.sections('layers'), config };
}
