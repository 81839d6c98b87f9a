import { runService } from './runtime/bundle';

// What `node main.js` runs: main.ts, from the bundle service.js.

runService(__dirname, module, require);
