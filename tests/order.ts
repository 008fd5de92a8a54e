/** Files that take long start first, so that no fork ends long after the other: a clean clone has no times to sort by. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = /\/tests\/(recorded\/|torchvision\/|viewer\/viewer\.|checks\.)/;

export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
