/**
 * Every method on real networks and photographs, for eyes: `npm run gallery [NETWORK...]` fills dist/gallery, a page for each network.
 * What was made is not made again. The files are those of the tests: see "Tests and their data" in the README.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const data = process.env.UNITSCOPE_DATA ?? join(root, '../shared/data');
const photographs = ['chelsea', 'coffee'].map((name) => join(data, `images/prepared/${name}_224.png`));
const imagenet = ['--labels', join(data, 'labels/imagenet1000_short.txt')];
const many = ['--images', join(data, 'images/originals')];
const model = (path, preprocess, ...more) => [join(data, 'models', path), ...photographs, '--preprocess', preprocess, ...more, ...many];

const NETWORKS = {
  embedded: ['embedded', ...['eye', 'face', 'butterfly'].map((name) => join(root, `models/embedded/examples/${name}.png`)), '--scenes', '12'],
  'squeezenet1.1': model('squeezenet1.1-gluon/squeezenet1.1.onnx', 'imagenet', ...imagenet, '--iterations', '60'),
  'squeezenet1.0': model('squeezenet1.0-deepcompression/SqueezeNet_deploy.prototxt', 'caffe', ...imagenet, '--iterations', '40'),
  mobilenet: model('mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx', 'signed', ...imagenet, '--iterations', '80'),
  tinyvgg: model('tinyvgg-cnnexplainer/tiny_vgg.onnx', 'unit', '--labels', join(data, 'labels/tinyvgg10.txt'), '--iterations', '200'),
};

const [asked, options] = [process.argv.slice(2).filter((word) => word in NETWORKS), process.argv.slice(2).filter((word) => !(word in NETWORKS))];
const missing = photographs.find((path) => !existsSync(path));
if (missing && asked.join() !== 'embedded') {
  console.error(`${missing} is not there: set UNITSCOPE_DATA to the folder of the tests' data, or name the network 'embedded' alone`);
  process.exit(2);
}
const ends = (asked.length > 0 ? asked : Object.keys(NETWORKS)).map((name) => {
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, [join(root, 'dist/node/unitscope.js'), 'gallery', ...NETWORKS[name], '--out', join(root, 'dist/gallery', name), ...options], { stdio: 'inherit' });
  return status;
});
process.exit(ends.every((status) => status === 0) ? 0 : 1);
