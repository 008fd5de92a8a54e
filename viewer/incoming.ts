/** What comes from outside by drop or file picker: told apart by content, then given to the session. */
import { UnitscopeError, type NamedFile } from '../src/index.ts';
import type { Session } from './session.ts';

const PICTURE = /\.(png|jpe?g|webp|gif|avif|bmp)$/i;
/** What a browser can hold in one piece. */
const MOST_BYTES = 2 ** 31;

const isPicture = ({ type, name }: File): boolean => (type.startsWith('image/') && type !== 'image/svg+xml') || (type === '' && PICTURE.test(name));

/** One picture is looked at, everything else together is a network. */
export async function takeFiles(session: Session, files: readonly File[]): Promise<void> {
  const [picture] = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  if (others.length > 0) {
    try {
      const large = others.find(({ size }) => size > MOST_BYTES);
      const total = others.reduce((sum, { size }) => sum + size, 0);
      if (!large && total > MOST_BYTES) throw new UnitscopeError('limit', 'these files together are larger than a browser can open', {}, 'give the files of one network alone');
      if (large) throw new UnitscopeError('limit', 'this file is larger than a browser can open', { file: large.name }, 'use the command line for it');
      const named: NamedFile[] = await Promise.all(others.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
      await session.loadFiles(named);
    } catch (error) {
      session.report(error);
    }
  }
  if (picture) await session.showFile(picture);
}
