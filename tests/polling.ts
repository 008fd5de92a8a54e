/** Tests leave the processor to the software GPU, as the command line does. */
import { askOnceAMillisecond } from '../src/node/polling.ts';

askOnceAMillisecond();
