/** AlexNet on one path (Krizhevsky 2014, "One weird trick"), as torchvision has it. */
import { torchvision, type Architecture } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

/** A layer per line; the number in a name is its place in the module. */
function draw(b: Blueprint, classes: number): void {
  b.within('features', () => {
    b.conv('0', 64, 11, { stride: 4, pad: 2, bias: true });
    b.relu('1');
    b.maxPool('2', 3, 2);
    b.conv('3', 192, 5, { pad: 2, bias: true });
    b.relu('4');
    b.maxPool('5', 3, 2);
    b.conv('6', 384, 3, { pad: 1, bias: true });
    b.relu('7');
    b.conv('8', 256, 3, { pad: 1, bias: true });
    b.relu('9');
    b.conv('10', 256, 3, { pad: 1, bias: true });
    b.relu('11');
    b.maxPool('12', 3, 2);
  });
  b.adaptiveAveragePool('avgpool', 6);
  b.flatten();
  b.within('classifier', () => {
    b.dropout('0');
    b.dense('1', 4096);
    b.relu('2');
    b.dropout('3');
    b.dense('4', 4096);
    b.relu('5');
    b.dense('6', classes);
  });
}

export const alexnet: readonly Architecture[] = [torchvision('alexnet', 'classifier.6', draw)];
