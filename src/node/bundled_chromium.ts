/** What the package @sparticuz/chromium carries for Linux x64: a browser, a software Vulkan driver and its loader. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cachedFolder, writeFiles } from './cache.ts';
import { readTar } from './tar.ts';

interface Package {
  readonly version: string;
  readonly archives: string;
}

/** The package, or undefined where it is not installed (it is optional on a machine with a GPU). */
function findPackage(): Package | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const root = join(dirname(entry), '..', '..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { version, archives: join(root, 'bin') };
  } catch {
    return undefined;
  }
}

function unpacked(archive: string): Buffer {
  return brotliDecompressSync(readFileSync(archive));
}

const DRIVER_FOLDER = 'driver';
const DRIVER = ['libvk_swiftshader.so', 'vk_swiftshader_icd.json'];
const LOADER_FOLDER = 'loader';
const LOADER = ['libvulkan.so.1'];

export interface BundledVulkan {
  /** Description file of the software driver. */
  readonly icd: string;
  /** Folder that holds libvulkan.so.1 and nothing else. */
  readonly loaderFolder: string;
}

/** The software driver SwiftShader and a Vulkan loader, unpacked; undefined where the package is not. */
export function bundledVulkan(): BundledVulkan | undefined {
  const found = findPackage();
  if (!found) return undefined;
  const wanted = [...DRIVER.map((name) => join(DRIVER_FOLDER, name)), ...LOADER.map((name) => join(LOADER_FOLDER, name))];
  const folder = cachedFolder(`vulkan-${found.version}`, wanted, (draft) => {
    const files = [...readTar(unpacked(join(found.archives, 'swiftshader.tar.br')))];
    writeFiles(join(draft, DRIVER_FOLDER), files.filter(({ path }) => DRIVER.includes(path)));
    writeFiles(join(draft, LOADER_FOLDER), files.filter(({ path }) => LOADER.includes(path)));
  });
  return { icd: join(folder, DRIVER_FOLDER, 'vk_swiftshader_icd.json'), loaderFolder: join(folder, LOADER_FOLDER) };
}

export interface BundledBrowser {
  readonly executable: string;
  /** A fonts.conf with one font family, for machines that have none. */
  readonly fontConfiguration: string;
}

const FONT_CONFIGURATION = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

/** The browser, unpacked (about 250 MB, once); undefined where the package is not. */
export function bundledBrowser(): BundledBrowser | undefined {
  const found = findPackage();
  if (!found) return undefined;
  const wanted = ['chromium', 'fonts.conf', ...DRIVER, ...LOADER];
  const folder = cachedFolder(`chromium-${found.version}`, wanted, (draft) => {
    writeFileSync(join(draft, 'chromium'), unpacked(join(found.archives, 'chromium.br')), { mode: 0o755 });
    // The browser looks for its graphics libraries beside itself.
    writeFiles(draft, readTar(unpacked(join(found.archives, 'swiftshader.tar.br'))));
    writeFiles(draft, readTar(unpacked(join(found.archives, 'fonts.tar.br'))));
    writeFileSync(join(draft, 'fonts.conf'), FONT_CONFIGURATION);
  });
  return { executable: join(folder, 'chromium'), fontConfiguration: join(folder, 'fonts.conf') };
}
