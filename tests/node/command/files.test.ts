import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileNames, ioFault, readLarge, writeWhole } from '../../../src/node/command/files.ts';
import { printable } from '../../../src/errors.ts';
import { binary, counted, measured, metric } from '../../../src/node/command/quantity.ts';
import { useFolder } from './program.ts';

const folder = useFolder();

test('a file is replaced as a whole, through a link too, and nothing else is left', async () => {
  mkdirSync(folder('whole'));
  writeFileSync(folder('whole/a.npy'), 'old');
  symlinkSync(folder('whole/a.npy'), folder('whole/link.npy'));
  await writeWhole(folder('whole/link.npy'), Uint8Array.of(110, 101, 119));
  expect(readFileSync(folder('whole/a.npy'), 'utf8')).toBe('new');
  expect(readdirSync(folder('whole'))).toEqual(['a.npy', 'link.npy']);
});

test('a write that fails is typed and leaves no draft', async () => {
  mkdirSync(folder('taken/x.npy/inside'), { recursive: true });
  await expect(writeWhole(folder('taken/x.npy'), Uint8Array.of(1))).rejects.toMatchObject({ code: 'io' });
  expect(readdirSync(folder('taken'))).toEqual(['x.npy']);
  await expect(writeWhole(folder('nowhere/x.npy'), Uint8Array.of(1))).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/it is not there/) as string });
});

test('a file is read with room before it, and a fault is typed', async () => {
  writeFileSync(folder('large'), Uint8Array.from({ length: 40 }, (_, i) => i));
  const read = await readLarge(folder('large'), (start) => start.length - 9);
  expect([read.byteOffset, ...read]).toEqual([7, ...Array.from({ length: 40 }, (_, i) => i)]);
  writeFileSync(folder('empty'), '');
  expect(await readLarge(folder('empty'), () => 0)).toHaveLength(0);
  await expect(readLarge(folder('gone'), () => 0)).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/it is not there/) as string });
  await expect(readLarge(folder(), () => 0)).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/it is a folder/) as string });
});

test('faults of disks are said in words', () => {
  const full = ioFault('write', 'x.png', Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
  expect(full).toMatchObject({ code: 'io', message: "cannot write 'x.png': the disk is full" });
  expect(ioFault('read', 'x', Object.assign(new Error(''), { code: 'EACCES' })).message).toBe("cannot read 'x': it may not be used by you");
  expect(ioFault('read', 'x', new Error('odd')).message).toBe("cannot read 'x': odd");
});

test('file names of layers stay in their folder and differ', () => {
  expect(fileNames(['conv1', 'fire2/relu', 'fire2_relu', '../../etc/passwd', 'CONV1', 'a:3@1,2', ''], '.npy')).toEqual([
    'conv1.npy', 'fire2_relu.npy', 'fire2_relu-2.npy', '__.._etc_passwd.npy', 'CONV1-2.npy', 'a-3@1,2.npy', '_.npy',
  ]);
  expect(fileNames(['x'.repeat(10_000), 'nul\0l'], '.png').map((name) => name.length)).toEqual([124, 9]);
});

test('numbers as people read them', () => {
  expect([0, 1023, 1536, 3 * 2 ** 30].map(binary)).toEqual(['0 bytes', '1023 bytes', '1.5 KiB', '3 GiB']);
  expect([0, 999, 12_345_678, 2.5e9].map(metric)).toEqual(['0', '999', '12.3 M', '2.5 G']);
  expect([0, 1 / 3, 12345.678, 1.2345e-5, NaN].map(measured)).toEqual(['0', '0.3333', '12350', '1.234e-5', 'NaN']);
  expect([counted(1, 'layer'), counted(1200, 'layer')]).toEqual(['1 layer', '1,200 layers']);
});

test('control characters and writing directions are escaped, letters of the world are not', () => {
  expect(printable('a\nb\tc\u001b[2J\u202eü界')).toBe('a\nb\\u0009c\\u001b[2J\\u202eü界');
  expect(JSON.parse(printable(JSON.stringify({ name: '\u009b' })))).toEqual({ name: '\u009b' });
});
