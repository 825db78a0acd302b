/** index.js and index.cjs of the package. The library itself, with its types, is src/index.ts. */
import { requireNode } from './nodeVersion.ts';

requireNode();
const library = import('./index.ts');
// Each call reports the error.
library.catch(() => {});

export const provision: typeof import('./index.ts').provision = async (options) => (await library).provision(options);
