/** `unitscope doctor`: what this machine offers, why that driver was chosen, and what to do when there is none. */
import { arch, cpus, release, totalmem } from 'node:os';
import { UnitscopeError } from '../../errors.ts';
import { openNodeGpu } from '../host.ts';
import { findVulkan, type VulkanChoice } from '../vulkan.ts';
import { EXIT, type Command, type Report } from './command.ts';
import { table } from './help.ts';
import { binary } from './quantity.ts';

/** The limits that decide what fits; `--json` has them all. */
const TELLING_LIMITS = [
  'maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupsPerDimension', 'maxTextureDimension2D',
];

interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True when a processor does the work of a GPU: right results, low speed. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

interface Diagnosis {
  readonly host: { readonly node: string; readonly system: string; readonly processor: string; readonly cores: number; readonly memory: number };
  readonly driver: VulkanChoice;
  readonly adapter: AdapterFacts | null;
  readonly fault: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'show the GPU, its driver and its limits, and what to do when there is none',
  operands: [],
  options: {},
  examples: [
    ['unitscope doctor', 'what this machine offers'],
    ['unitscope doctor --json', 'the same for programs, with every limit'],
    ['UNITSCOPE_DRIVER=swiftshader unitscope doctor', 'the software driver although there is a GPU (Linux)'],
  ],
  gpu: true,
  async run(): Promise<Report> {
    const diagnosis = await diagnose();
    return { data: diagnosis, text: describe(diagnosis), exit: diagnosis.adapter ? EXIT.ok : EXIT.gpu };
  },
};

async function diagnose(): Promise<Diagnosis> {
  const processors = cpus();
  const host = {
    node: process.version,
    system: `${process.platform} ${release()} ${arch()}`,
    processor: processors[0]?.model.trim() || 'unknown',
    cores: processors.length,
    memory: totalmem(),
  };
  const driver = findVulkan();
  try {
    const adapter = await (await openNodeGpu()).requestAdapter();
    if (!adapter) throw new UnitscopeError('no-adapter', 'the adapter is gone');
    return { host, driver, adapter: describeAdapter(adapter), fault: null };
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    return { host, driver, adapter: null, fault: { code: error.code, message: error.message, hint: error.hint } };
  }
}

function describeAdapter({ info, features, limits }: GPUAdapter): AdapterFacts {
  const { vendor, architecture, device, description } = info;
  const software = (info.isFallbackAdapter ?? false) || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  const numbers = new Map<string, number>();
  // The limits are getters of the prototype: spreading the object would find none.
  for (const name in limits) {
    const value = (limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') numbers.set(name, value);
  }
  return { vendor, architecture, device, description, software, features: [...features].sort(), limits: Object.fromEntries(numbers) };
}

function describe({ host, driver, adapter, fault }: Diagnosis): string {
  const rows: string[][] = [
    ['host', `Node ${host.node}, ${host.system}`],
    ['processor', `${host.processor}, ${host.cores} cores, ${binary(host.memory)}`],
    ['driver', `${driver.driver}: ${driver.reason}`],
    ...driver.looked.map(({ path, verdict }) => ['', `${path}: ${verdict}`]),
  ];
  if (adapter) {
    const name = [adapter.description || adapter.device, adapter.vendor, adapter.architecture].filter(Boolean).join(', ');
    rows.push(['adapter', name], ['features', adapter.features.join(', ')]);
    for (const limit of TELLING_LIMITS) rows.push([limit, amount(limit, adapter.limits[limit])]);
  }
  const verdict = fault
    ? [`No GPU: ${fault.message}`, ...(fault.hint ? [`What to do: ${fault.hint}`] : [])]
    : adapter?.software
      ? ['Ready, on a software adapter: results are right, times say nothing about a GPU.']
      : ['Ready.'];
  return [...table(rows).map((row) => row.slice(2)), '', ...verdict].join('\n');
}

function amount(limit: string, value: number | undefined): string {
  if (value === undefined) return 'unknown';
  return /Size$/.test(limit) ? binary(value) : value.toLocaleString('en');
}
