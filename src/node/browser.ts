/** Finds a browser for puppeteer, and the arguments that give its pages a WebGPU adapter without a screen. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UnitscopeError } from '../errors.ts';
import { bundledBrowser } from './bundled_chromium.ts';
import { findVulkan } from './vulkan.ts';

export interface Browser {
  readonly executable: string;
  /** Where it was found, for people. */
  readonly source: string;
  /** Variables to start it with. */
  readonly environment: Readonly<Record<string, string>>;
}

const HINT = 'run `npx puppeteer browsers install chrome`, or set PUPPETEER_EXECUTABLE_PATH to a Chrome or Chromium';

/** In this order: PUPPETEER_EXECUTABLE_PATH, an installed Chrome or Chromium, the one of @sparticuz/chromium. Throws 'io'. */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): Browser {
  const named = environment.PUPPETEER_EXECUTABLE_PATH;
  if (named) {
    if (existsSync(named)) return { executable: named, source: 'PUPPETEER_EXECUTABLE_PATH', environment: {} };
    throw new UnitscopeError('io', 'PUPPETEER_EXECUTABLE_PATH names no file', { file: named }, HINT);
  }
  const installed = installedBrowsers(environment).find((path) => existsSync(path));
  if (installed) return { executable: installed, source: 'installed on this machine', environment: {} };
  const bundled = bundledBrowser();
  if (bundled) {
    const fonts = existsSync('/etc/fonts/fonts.conf') ? undefined : { FONTCONFIG_FILE: bundled.fontConfiguration };
    return { executable: bundled.executable, source: '@sparticuz/chromium', environment: { ...fonts } };
  }
  throw new UnitscopeError('io', 'no Chrome or Chromium was found on this machine', {}, HINT);
}

const REAL = ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'];

/**
 * All of them are needed: compositing has to run on the Vulkan of SwiftShader too, else the first
 * WebGPU canvas of a page takes the whole GPU process down.
 */
const SOFTWARE = [
  '--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader', '--use-webgpu-adapter=swiftshader',
];

/** Arguments for a headless launch: WebGPU on, nothing asked of any network. */
export function launchArguments(): string[] {
  const { driver } = findVulkan();
  const graphics = process.platform !== 'linux' ? [] : driver === 'system' ? REAL : SOFTWARE;
  // The sandbox cannot start for root, which is who runs in most containers.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return [
    '--enable-unsafe-webgpu', ...graphics, ...sandbox, '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ];
}

function installedBrowsers(environment: NodeJS.ProcessEnv): string[] {
  const downloaded = puppeteerDownloads(environment.PUPPETEER_CACHE_DIR ?? join(homedir(), '.cache', 'puppeteer'));
  if (process.platform === 'darwin') {
    const names = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
    return [...downloaded, ...names.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`)];
  }
  if (process.platform === 'win32') {
    const roots = [environment.PROGRAMFILES, environment['PROGRAMFILES(X86)'], environment.LOCALAPPDATA];
    const paths = ['Google/Chrome/Application/chrome.exe', 'Chromium/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'];
    return [...downloaded, ...roots.flatMap((root) => (root ? paths.map((path) => join(root, path)) : []))];
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...downloaded, ...names.flatMap((name) => folders.map((folder) => join(folder, name)))];
}

/** What `puppeteer browsers install chrome` leaves: chrome/<platform>-<version>/chrome-<platform>/chrome. */
function puppeteerDownloads(cache: string): string[] {
  const inside = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort().reverse() : []);
  const versions = inside(join(cache, 'chrome')).map((version) => join(cache, 'chrome', version));
  const programs = ['chrome', 'chrome.exe', 'Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing'];
  return versions.flatMap((version) =>
    inside(version).flatMap((folder) => programs.map((program) => join(version, folder, program))),
  );
}
