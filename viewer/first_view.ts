/** What the page shows first: the embedded network, at the place that the address names or where a first visit looks. */
import { loadNetwork } from '../src/index.ts';
import { embeddedFiles, EXAMPLES, FIRST } from './embedded.ts';
import { readLink, type Link } from './link.ts';
import { hashOf } from './recipe_file.ts';
import type { Session } from './session.ts';

/** Opens the GPU, the embedded network and what the address (its part after #) names. */
export async function start(session: Session, hash: string): Promise<void> {
  const { link, ignored } = readLink(hash);
  if (ignored.length > 0) session.notify({ kind: 'info', title: 'Part of the link was not understood', text: `Ignored: ${ignored.join(', ')}` });
  try {
    await session.open();
    await firstView(session, link);
  } catch (error) {
    session.fail(error);
  }
}

/** @throws io, model-* */
async function firstView(session: Session, { model, ...place }: Link): Promise<void> {
  const files = await embeddedFiles();
  const network = await loadNetwork(files);
  if (model !== undefined) {
    const text = 'Drop its file here to look at it. This is the embedded one.';
    session.notify({ kind: 'info', title: `This link is about another network: ${model}`, text });
  }
  const link = model === undefined ? place : {};
  const known = network.nodes.some(({ name }) => name === link.layer);
  if (link.layer !== undefined && !known) session.notify({ kind: 'info', title: `There is no layer ${link.layer}`, text: `Showing ${FIRST.layer}.` });
  const example = EXAMPLES.find(({ name }) => name === link.example);
  if (link.example !== undefined && !example) session.notify({ kind: 'info', title: `There is no example ${link.example}`, text: `Showing ${FIRST.example}.` });
  session.setPreset(link.preset ?? FIRST.preset);
  session.setSeed(link.seed ?? FIRST.seed);
  await session.showExample((example ?? EXAMPLES.find(({ name }) => name === FIRST.example) ?? EXAMPLES[0])?.name ?? '');
  const loaded = { network, hash: await hashOf(files), embedded: true };
  if (known) await session.use(loaded, link.layer, link.unit ?? 0);
  else await session.use(loaded, FIRST.layer, FIRST.unit);
}
