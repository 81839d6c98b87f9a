// Built into a file of its own, which tokens.ts loads if there is an issuer.

export { createLocalJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
