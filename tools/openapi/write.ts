import { writeFileSync } from 'node:fs';
import { openapiDocument } from './document';

// `npm run openapi`: makes the document that the service serves.

writeFileSync('functions/openapi.json', `${JSON.stringify(openapiDocument(), null, 2)}\n`);
